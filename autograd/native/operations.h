/* Operations on one operand or two, as operators, methods and functions. */

/* NumPy takes what is left in the processor's flags for its own: np.log of an array of Values would warn. */
static inline void clear_flags(void) {
    if (fetestexcept(FE_DIVBYZERO | FE_OVERFLOW | FE_INVALID)) feclearexcept(FE_ALL_EXCEPT);
}

static NEVER_INLINE PyObject *apply_row(int row, PyObject *operands) { /* any operand of a row of one; takes the tuple */
    if (operands == NULL) return NULL;
    PyObject *params = PyDict_New();
    PyObject *result =
        params == NULL ? NULL : PyObject_CallMethod(row_objects[row], "apply", "OO", operands, params);
    Py_XDECREF(params);
    Py_DECREF(operands);
    return result;
}

static NEVER_INLINE PyObject *apply_operator(int row, PyObject *left, PyObject *right) {
    PyObject *other = is_node(left) ? right : left;
    return PyObject_CallFunctionObjArgs(general, row_objects[row], left, right, other, NULL);
}

typedef double (*Function1)(double), (*Slope1)(double, double);
typedef double (*Function2)(double, double), (*Slope2)(double, double, double);

ALWAYS_INLINE PyObject *
unary(PyObject *self, int row, int constant, Function1 value, Slope1 by_x) {
    if (!is_value(self) || state == GENERAL) return apply_row(row, PyTuple_Pack(1, self));
    Node *x = (Node *)self;
    double data = value(x->data);
    if (state == NO_GRAD) {
        clear_flags();
        return (PyObject *)new_leaf(data);
    }
    Node *node = new_computed(data, UNARY, row, constant);
    if (node == NULL) return NULL;
    node->x = (Node *)Py_NewRef(x);
    if (!constant) node->slope = by_x(data, x->data);
    clear_flags();
    return (PyObject *)node;
}

ALWAYS_INLINE PyObject *
binary(PyObject *left, PyObject *right, int row, int constant, Function2 value, Slope2 by_x, Slope2 by_y) {
    double x, y, data;
    Node *node;
    int kind;
    if (state == GENERAL) return apply_operator(row, left, right);
    if (is_value(left)) {
        x = ((Node *)left)->data;
        if (is_value(right)) {
            y = ((Node *)right)->data;
            kind = BINARY;
        } else if (as_number(right, &y)) {
            kind = LEFT;
        } else {
            return apply_operator(row, left, right);
        }
    } else if (is_value(right) && as_number(left, &x)) {
        y = ((Node *)right)->data;
        kind = RIGHT;
    } else {
        return apply_operator(row, left, right);
    }
    data = value(x, y);
    if (state == NO_GRAD) {
        clear_flags();
        return (PyObject *)new_leaf(data);
    }
    node = new_computed(data, kind, row, constant);
    if (node == NULL) return NULL;
    if (kind == BINARY) {
        node->x = (Node *)Py_NewRef(left);
        node->y = (Node *)Py_NewRef(right);
        if (!constant) {
            node->by_x = by_x(data, x, y);
            node->by_y = by_y(data, x, y);
        }
    } else if (kind == LEFT) {
        node->x = (Node *)Py_NewRef(left);
        node->number = y;
        if (!constant) node->by_x = by_x(data, x, y);
    } else {
        node->x = (Node *)Py_NewRef(right);
        node->number = x;
        if (!constant) node->by_x = by_y(data, x, y);
    }
    if (!isfinite(data) || !(constant || row == ROW_mul)) clear_flags(); /* a sum or product tells by its result */
    return (PyObject *)node;
}

/* A method whose second operand may be given by name, or have a default: x.leaky_relu(slope=0.1). */
typedef PyObject *(*Operator)(PyObject *, PyObject *);
typedef PyObject *(*Method)(PyObject *, PyObject *const *, Py_ssize_t, PyObject *);

static PyObject *
named(PyObject *self, int row, Operator apply, PyObject *const *args, Py_ssize_t count, PyObject *names) {
    if (count == 1 && names == NULL) return apply(self, args[0]);
    PyObject *operands = PyTuple_New(count + 1), *given = PyDict_New(), *all = NULL, *result = NULL;
    if (operands != NULL && given != NULL) {
        PyTuple_SET_ITEM(operands, 0, Py_NewRef(self));
        for (Py_ssize_t i = 0; i < count; i++) PyTuple_SET_ITEM(operands, i + 1, Py_NewRef(args[i]));
        int failed = 0;
        for (Py_ssize_t i = 0; names != NULL && i < PyTuple_GET_SIZE(names); i++)
            failed |= PyDict_SetItem(given, PyTuple_GET_ITEM(names, i), args[count + i]);
        if (!failed) all = PyObject_CallMethod(row_objects[row], "completed", "OO", operands, given);
    }
    if (all != NULL) result = apply(self, PyTuple_GET_ITEM(all, 1));
    Py_XDECREF(operands);
    Py_XDECREF(given);
    Py_XDECREF(all);
    return result;
}

#define UNARY_METHOD(name, constant)                                                        \
    static PyObject *unary_##name(PyObject *self, PyObject *unused) {                       \
        return unary(self, ROW_##name, constant, value_##name, slope0_##name);              \
    }
#define BINARY_METHOD(name, constant)                                                       \
    static PyObject *operator_##name(PyObject *x, PyObject *y) {                            \
        return binary(x, y, ROW_##name, constant, value_##name, slope0_##name, slope1_##name); \
    }                                                                                       \
    static PyObject *method_##name(PyObject *x, PyObject *const *args, Py_ssize_t n, PyObject *names) { \
        return named(x, ROW_##name, operator_##name, args, n, names);                       \
    }
UNARY_ROWS(UNARY_METHOD)
BINARY_ROWS(BINARY_METHOD)

static PyObject *node_negative(PyObject *self) { return unary_neg(self, NULL); }
static PyObject *node_absolute(PyObject *self) { return unary_abs(self, NULL); }
static PyObject *node_positive(PyObject *self) { return Py_NewRef(self); }

static PyObject *node_power(PyObject *left, PyObject *right, PyObject *modulus) {
    if (modulus != Py_None) Py_RETURN_NOTIMPLEMENTED;
    return operator_power(left, right);
}

/* Comparisons of numbers. Equality is a matter of identity, and stays in Python. */
static PyObject *node_compare(PyObject *left, PyObject *right, int how) {
    double y;
    if (state != GENERAL && how != Py_EQ && how != Py_NE && is_value(left)) {
        double x = ((Node *)left)->data;
        int known = 1;
        if (is_value(right)) y = ((Node *)right)->data;
        else known = as_number(right, &y) && PyFloat_CheckExact(right); /* Python compares ints exactly */
        if (known) Py_RETURN_RICHCOMPARE(x, y, how);
    }
    static const char *names[] = {"__lt__", "__le__", "__eq__", "__ne__", "__gt__", "__ge__"};
    return PyObject_CallMethod(scalar, names[how], "OO", left, right);
}

typedef struct Entry {
    const char *name;
    PyCFunction unary;
    Operator binary;
    Method method;
    int constant;
} Entry;

#define UNARY_ENTRY(name, constant) {#name, unary_##name, NULL, NULL, constant},
#define BINARY_ENTRY(name, constant) {#name, NULL, operator_##name, method_##name, constant},
static const Entry entries[] = {UNARY_ROWS(UNARY_ENTRY) BINARY_ROWS(BINARY_ENTRY){"dot", NULL, NULL, NULL, 0}, {"sum", NULL, NULL, NULL, 0}};
#define METHODS ROW_dot /* the rows before it are operators or methods */

/* Value._apply(op, inputs, params): a row called as a function. */
static PyObject *node_apply(PyObject *cls, PyObject *const *args, Py_ssize_t count) {
    if (count == 3 && state != GENERAL && PyTuple_CheckExact(args[1]) && PyDict_CheckExact(args[2]) &&
        PyDict_GET_SIZE(args[2]) == 0) {
        PyObject *number = PyDict_GetItemWithError(row_numbers, args[0]);
        if (number == NULL && PyErr_Occurred()) PyErr_Clear(); /* a row that cannot be hashed is none of ours */
        if (number != NULL) {
            long row = PyLong_AsLong(number);
            PyObject **operands = &PyTuple_GET_ITEM(args[1], 0);
            Py_ssize_t n = PyTuple_GET_SIZE(args[1]);
            if (n == 1 && entries[row].unary != NULL && is_value(operands[0])) return entries[row].unary(operands[0], NULL);
            if (n == 2 && entries[row].binary != NULL) {
                int left = is_value(operands[0]), right = is_value(operands[1]);
                if ((left && right) || (left && PyFloat_CheckExact(operands[1])) ||
                    (right && PyFloat_CheckExact(operands[0])))
                    return entries[row].binary(operands[0], operands[1]);
            }
        }
    }
    PyObject *method = PyObject_GetAttrString(scalar, "_apply"), *result = NULL;
    if (method != NULL) result = PyObject_Vectorcall(method, args, (size_t)count, NULL);
    Py_XDECREF(method);
    return result;
}
