/* The rows of the table: rows.h has their formulas, written from the table. Here are the functions that these call. */

static PyObject *math_hypot; /* Python's own: the last digit of C's hypot differs */

static double python_hypot(double x, double y) {
    PyObject *result = PyObject_CallFunction(math_hypot, "dd", x, y);
    if (result == NULL) { /* out of memory */
        PyErr_Clear();
        return NAN;
    }
    double found = PyFloat_AsDouble(result);
    Py_DECREF(result);
    return found;
}

static inline double python_mod(double x, double y) { /* the sign is that of y */
    double rest = fmod(x, y);
    if (rest == 0.0 && y != 0.0) return copysign(0.0, y);
    return rest != 0.0 && (y < 0.0) != (rest < 0.0) ? rest + y : rest;
}

static inline double python_floordiv(double x, double y) {
    if (y == 0.0) return x / y;
    double rest = fmod(x, y), quotient = (x - rest) / y;
    if (rest != 0.0 && (y < 0.0) != (rest < 0.0)) quotient -= 1.0;
    if (quotient == 0.0) return copysign(0.0, x / y);
    double whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1.0 : whole;
}

#include "rows.h"

#define NUMBER(name, constant) ROW_##name,
enum { UNARY_ROWS(NUMBER) BINARY_ROWS(NUMBER) ROW_dot, ROW_sum, ROW_COUNT };
_Static_assert(ROW_COUNT <= 256, "the number of a row has 8 bits");

static PyObject *row_objects[ROW_COUNT];       /* the rows of Python's table */
static PyObject *row_constants[ROW_COUNT];     /* their partials as Python has them, where they are numbers */
static double constant_slopes[ROW_COUNT][2];   /* the same as doubles */
static PyObject *row_numbers;                  /* {row of Python's table: its number here} */
