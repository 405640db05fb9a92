/* Sums and dot products of many Values are one node. */

static Many *new_many(Py_ssize_t count) {
    Many *many = PyMem_Malloc(sizeof(Many) + (size_t)count * (sizeof(Node *) + sizeof(double)));
    if (many == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    many->count = count;
    many->partials = (double *)(many->operands + count);
    return many;
}

static void end_many(Many *many, Py_ssize_t taken) {
    for (Py_ssize_t i = 0; i < taken; i++) Py_DECREF(many->operands[i]);
    PyMem_Free(many);
}

static PyObject *node_of_many(double data, int row, Many *many) { /* takes `many` */
    if (!isfinite(data)) clear_flags();
    Node *node = state == NO_GRAD ? new_leaf(data) : new_computed(data, MANY, row, 0);
    if (node == NULL || state == NO_GRAD) end_many(many, many->count);
    else node->many = many;
    return (PyObject *)node;
}

static int take_operand(Many *many, Py_ssize_t i, PyObject *item, int *values) { /* constants become leaves */
    double number;
    if (is_value(item)) {
        many->operands[i] = (Node *)Py_NewRef(item);
        *values += 1;
        return 1;
    }
    if (!as_number(item, &number)) return 0;
    many->operands[i] = new_leaf(number);
    return many->operands[i] != NULL;
}

static int is_list(PyObject *x) { return PyList_CheckExact(x) || PyTuple_CheckExact(x); }

/* Value._gather(op, items, params): a reduction. The sum adds in NumPy's order: in pairs of halves, of which the
smallest have eight running sums. */
static int sums_alike; /* whether the NumPy that runs does */

static double pairwise(Node **operands, Py_ssize_t count) {
    double sums[8], total = -0.0;
    Py_ssize_t i = 0;
    if (count < 8) {
        for (; i < count; i++) total += operands[i]->data;
        return total;
    }
    if (count > 128) {
        Py_ssize_t half = count / 2 - count / 2 % 8;
        return pairwise(operands, half) + pairwise(operands + half, count - half);
    }
    for (; i < 8; i++) sums[i] = operands[i]->data;
    for (; i < count - count % 8; i++) sums[i % 8] += operands[i]->data;
    total = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    for (; i < count; i++) total += operands[i]->data;
    return total;
}

static double sum_of(Many *many) { return 0.0 + pairwise(many->operands, many->count); }

static PyObject *plain_sum(PyObject *items) { /* NULL without an error: not the plain case */
    if (!is_list(items)) return NULL;
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items), taken = 0;
    Many *many = new_many(count);
    int values = 0;
    if (many == NULL) return NULL;
    while (taken < count && take_operand(many, taken, PySequence_Fast_GET_ITEM(items, taken), &values)) taken++;
    if (taken < count || values == 0) {
        end_many(many, taken);
        return NULL;
    }
    for (Py_ssize_t i = 0; i < count; i++) many->partials[i] = 1.0;
    return node_of_many(sum_of(many), ROW_sum, many);
}

static int are_defaults(PyObject *params) { /* of a reduction */
    if (!PyDict_CheckExact(params)) return 0;
    PyObject *axis = PyDict_GetItemString(params, "axis"), *keepdims = PyDict_GetItemString(params, "keepdims");
    return PyDict_GET_SIZE(params) == (axis != NULL) + (keepdims != NULL) && (axis == NULL || axis == Py_None) &&
           (keepdims == NULL || keepdims == Py_False);
}

static PyObject *node_gather(PyObject *cls, PyObject *const *args, Py_ssize_t count) {
    if (count == 3 && state != GENERAL && sums_alike && args[0] == row_objects[ROW_sum] && are_defaults(args[2])) {
        PyObject *node = plain_sum(args[1]);
        if (node != NULL || PyErr_Occurred()) return node;
    }
    PyObject *method = PyObject_GetAttrString(scalar, "_gather"), *result = NULL;
    if (method != NULL) result = PyObject_Vectorcall(method, args, (size_t)count, NULL);
    Py_XDECREF(method);
    return result;
}

/* sum_if(numbers, sum): sums are made here if they are NumPy's to the last bit, as of these numbers. */
static PyObject *sum_if(PyObject *module, PyObject *args) {
    PyObject *numbers;
    double expected;
    if (!PyArg_ParseTuple(args, "O!d", &PyList_Type, &numbers, &expected)) return NULL;
    Many *many = new_many(PyList_GET_SIZE(numbers));
    if (many == NULL) return NULL;
    int values = 0;
    Py_ssize_t taken = 0;
    while (taken < many->count && take_operand(many, taken, PyList_GET_ITEM(numbers, taken), &values)) taken++;
    sums_alike = taken == many->count && sum_of(many) == expected;
    end_many(many, taken);
    return PyErr_Occurred() ? NULL : PyBool_FromLong(sums_alike);
}

/* Value._dot(x, y, bias): a sum of products. Its partials are the partners' numbers. */
static PyObject *plain_dot(PyObject *x, PyObject *y, PyObject *bias) { /* NULL without an error: not the plain case */
    if (!is_list(x) || !is_list(y) || PySequence_Fast_GET_SIZE(y) != PySequence_Fast_GET_SIZE(x)) return NULL;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(x), has_bias = bias != Py_None, taken = 0;
    Many *many = new_many(2 * n + has_bias);
    if (many == NULL) return NULL;
    int values = 0;
    for (; taken < many->count; taken++) {
        PyObject *item = taken == 2 * n ? bias
                         : taken < n    ? PySequence_Fast_GET_ITEM(x, taken)
                                        : PySequence_Fast_GET_ITEM(y, taken - n);
        if (!take_operand(many, taken, item, &values)) break;
    }
    if (taken < many->count || values == (has_bias && is_value(bias))) { /* no Value among the factors */
        end_many(many, taken);
        return NULL;
    }
    double total = has_bias ? many->operands[2 * n]->data : 0.0;
    for (Py_ssize_t i = 0; i < n; i++) {
        double p = many->operands[i]->data, q = many->operands[n + i]->data;
        total += p * q;
        many->partials[i] = q;
        many->partials[n + i] = p;
    }
    if (has_bias) many->partials[2 * n] = 1.0;
    return node_of_many(total, ROW_dot, many);
}

static PyObject *node_dot(PyObject *cls, PyObject *const *args, Py_ssize_t count) {
    if (count == 3 && state != GENERAL) {
        PyObject *node = plain_dot(args[0], args[1], args[2]);
        if (node != NULL || PyErr_Occurred()) return node;
    }
    PyObject *method = PyObject_GetAttrString(scalar, "_dot"), *result = NULL;
    if (method != NULL) result = PyObject_Vectorcall(method, args, (size_t)count, NULL);
    Py_XDECREF(method);
    return result;
}

/* The function `dot` of the library: the plain case here, everything else in the Python function that it wraps. */
typedef struct Dot {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *python, *attributes, *weak;
} Dot;

static PyObject *call_dot(PyObject *self, PyObject *const *args, size_t flags, PyObject *names) {
    Py_ssize_t count = PyVectorcall_NARGS(flags);
    if (names == NULL && (count == 2 || count == 3) && state != GENERAL) {
        PyObject *node = plain_dot(args[0], args[1], count == 3 ? args[2] : Py_None);
        if (node != NULL || PyErr_Occurred()) return node;
    }
    return PyObject_Vectorcall(((Dot *)self)->python, args, flags, names);
}

static PyObject *bind_dot(PyObject *self, PyObject *object, PyObject *type) { /* in a class it is a method, as functions are */
    return object == NULL || object == Py_None ? Py_NewRef(self) : PyMethod_New(self, object);
}

static PyObject *reduce_dot(PyObject *self, PyObject *unused) { return PyUnicode_FromString("dot"); } /* a name */

static PyObject *repr_dot(PyObject *self) { return PyUnicode_FromString("<function dot>"); }

static PyMethodDef dot_methods[] = {{"__reduce__", reduce_dot, METH_NOARGS, NULL}, {NULL}};

static PyGetSetDef dot_properties[] = {{"__dict__", PyObject_GenericGetDict, NULL, NULL, NULL}, {NULL}};

static PyTypeObject DotType = { /* one object, which lives as long as the process */
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "autograd.native.dot",
    .tp_basicsize = sizeof(Dot),
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL,
    .tp_vectorcall_offset = offsetof(Dot, call),
    .tp_call = PyVectorcall_Call,
    .tp_repr = repr_dot,
    .tp_dictoffset = offsetof(Dot, attributes),
    .tp_weaklistoffset = offsetof(Dot, weak),
    .tp_descr_get = bind_dot,
    .tp_methods = dot_methods,
    .tp_getset = dot_properties,
};

static PyObject *make_dot(PyObject *module, PyObject *python) {
    if (PyType_Ready(&DotType)) return NULL;
    Dot *dot = PyObject_New(Dot, &DotType);
    if (dot == NULL) return NULL;
    dot->call = call_dot;
    dot->python = Py_NewRef(python);
    dot->attributes = dot->weak = NULL;
    return Py_NewRef(dot);
}
