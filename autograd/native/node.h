/* The node, and what is known of it everywhere.

A node is a leaf, the result of a row on one operand or two, a sum or a dot product of many, or it has a record: Python
objects for whatever is not plain. A computed node has a place for each partial; where they are constants of the row,
none. */

enum Kind { LEAF, RECORD, UNARY, BINARY, LEFT, RIGHT, MANY }; /* LEFT: the Value is on the left, a number on the right */

enum Flag {
    SLAB = 1,      /* its memory is ours, not Python's */
    COMPUTED = 2,  /* no header of the garbage collector stands before it */
    CONSTANT = 8,  /* its partials are constants of the row */
    EMPTY = 16,    /* its gradient is None */
};

typedef struct Node {
    PyObject_HEAD
    double data;
    double grad;
    uint64_t row : 8, kind : 8, flags : 8;
    uint64_t met : 40; /* the number of the last sweep that met it */
    PyObject *weak; /* the weak references to it */
    union {
        struct Node *x;
        struct Record *record;
        struct Many *many;
    };
    union {
        struct Node *y;
        double number; /* the operand that is no Value */
        double slope;  /* of a row of one operand */
    };
    double by_x, by_y; /* the partials; only the larger nodes have them */
} Node;

#define NARROW offsetof(Node, by_x)

typedef struct Record {
    PyObject *op, *operands, *parents, *partials, *attributes;
} Record;

typedef struct Many {
    Py_ssize_t count;
    double *partials;
    Node *operands[];
} Many;

static PyTypeObject *ValueType;
static PyObject *scalar;  /* the base class: what is the same in both forms */
static PyObject *convert; /* converts to a float, and refuses what is no number */
static PyObject *general; /* an operator of any operands */
static PyObject *nothing; /* () */
static PyObject *name_data, *name_grad, *no_text;

#if defined(__GLIBC__) /* the quick way to what a thread has; elsewhere a module that is loaded late must not use it */
#define OF_THREAD static __thread __attribute__((tls_model("initial-exec")))
#elif defined(_MSC_VER)
#define OF_THREAD static __declspec(thread)
#else
#define OF_THREAD static __thread
#endif

enum { RECORDING, NO_GRAD, GENERAL }; /* as in autograd/engine/modes.py */
OF_THREAD int state;

static inline int is_value(PyObject *x) { return Py_IS_TYPE(x, ValueType); }
static inline int is_node(PyObject *x) { return PyObject_TypeCheck(x, ValueType); }

/* A number of Python as a double: 0 if it is none, or too large. */
static inline int as_number(PyObject *x, double *number) {
    if (PyFloat_CheckExact(x)) {
        *number = PyFloat_AS_DOUBLE(x);
        return 1;
    }
    if (PyLong_CheckExact(x)) {
        *number = PyLong_AsDouble(x);
        if (*number == -1.0 && PyErr_Occurred()) {
            PyErr_Clear();
            return 0;
        }
        return 1;
    }
    return 0;
}

/* A number of any kind as a double; -1 with an error set if it is none. */
static int to_number(PyObject *x, double *number) {
    if (as_number(x, number)) return 0;
    PyObject *converted = PyObject_CallOneArg(convert, x);
    if (converted == NULL) return -1;
    *number = PyFloat_AsDouble(converted);
    Py_DECREF(converted);
    return *number == -1.0 && PyErr_Occurred() ? -1 : 0;
}
