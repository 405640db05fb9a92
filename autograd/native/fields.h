/* What Python sees of a node: its number, its gradient, and how it was computed. */

static Py_ssize_t parent_count(Node *node) { /* -1 for a record */
    switch (node->kind) {
        case LEAF: return 0;
        case RECORD: return -1;
        case BINARY: return 2;
        case MANY: return node->many->count;
        default: return 1;
    }
}

static PyObject *get_op(PyObject *self, void *unused) {
    Node *node = (Node *)self;
    PyObject *op = node->kind == LEAF ? Py_None : node->kind == RECORD ? node->record->op : row_objects[node->row];
    return Py_NewRef(op);
}

static inline int is_leaf(Node *node) {
    return node->kind == LEAF || (node->kind == RECORD && node->record->op == Py_None);
}

static PyObject *get_is_leaf(PyObject *self, void *unused) { return PyBool_FromLong(is_leaf((Node *)self)); }

/* A new tuple may start Python's collector, and that any program: a node can change its kind there. So these functions
hold what they read, or look again. */

static PyObject *get_parents(PyObject *self, void *unused) {
    Node *node = (Node *)self;
    if (node->kind == RECORD) return Py_NewRef(node->record->parents);
    if (node->kind == LEAF) return Py_NewRef(nothing);
    if (node->kind != MANY) {
        PyObject *x = Py_NewRef(node->x), *y = node->kind == BINARY ? Py_NewRef(node->y) : NULL;
        PyObject *parents = PyTuple_Pack(y == NULL ? 1 : 2, x, y);
        Py_DECREF(x);
        Py_XDECREF(y);
        return parents;
    }
    PyObject *parents = PyTuple_New(node->many->count);
    if (parents == NULL) return NULL;
    if (node->kind != MANY) {
        Py_DECREF(parents);
        return get_parents(self, NULL);
    }
    for (Py_ssize_t i = 0; i < node->many->count; i++)
        PyTuple_SET_ITEM(parents, i, Py_NewRef(node->many->operands[i]));
    return parents;
}

static PyObject *get_operands(PyObject *self, void *unused) {
    Node *node = (Node *)self;
    if (node->kind == RECORD) return Py_NewRef(node->record->operands);
    if (node->kind != LEFT && node->kind != RIGHT) return get_parents(self, NULL);
    PyObject *number = PyFloat_FromDouble(node->number);
    if (number == NULL) return NULL;
    PyObject *x = Py_NewRef(node->x);
    PyObject *operands = node->kind == LEFT ? PyTuple_Pack(2, x, number) : PyTuple_Pack(2, number, x);
    Py_DECREF(x);
    Py_DECREF(number);
    return operands;
}

/* The partials of a node with one operand or two that is a Value. */
static inline void partials_of(Node *node, double *by_x, double *by_y) {
    if (node->flags & CONSTANT) {
        *by_x = constant_slopes[node->row][node->kind == RIGHT];
        *by_y = constant_slopes[node->row][1];
    } else if (node->kind == UNARY) {
        *by_x = node->slope;
        *by_y = 0.0;
    } else {
        *by_x = node->by_x;
        *by_y = node->by_y;
    }
}

static PyObject *get_partials(PyObject *self, void *unused) {
    Node *node = (Node *)self;
    if (node->kind == RECORD) return Py_NewRef(node->record->partials);
    if (node->kind == LEAF) return Py_NewRef(nothing);
    if (node->flags & CONSTANT) {
        PyObject *both = row_constants[node->row];
        int i = node->kind == RIGHT;
        return node->kind == LEFT || node->kind == RIGHT ? PyTuple_GetSlice(both, i, i + 1) : Py_NewRef(both);
    }
    double two[2];
    const double *partials = two;
    int kind = node->kind;
    Py_ssize_t count = parent_count(node);
    PyObject *found = PyTuple_New(count);
    if (found == NULL) return NULL;
    if (node->kind != kind) {
        Py_DECREF(found);
        return get_partials(self, NULL);
    }
    if (kind == MANY) partials = node->many->partials;
    else partials_of(node, &two[0], &two[1]);
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *partial = PyFloat_FromDouble(partials[i]);
        if (partial == NULL) {
            Py_DECREF(found);
            return NULL;
        }
        PyTuple_SET_ITEM(found, i, partial);
    }
    return found;
}

/* From now on the node is of another kind, and refers to nothing else that it was made of. */
static void let_go_for(Node *node, int kind, Record *record) {
    int before = node->kind;
    Node *x = node->x, *y = node->y;
    node->kind = (unsigned)kind;
    node->flags &= ~CONSTANT;
    node->record = record;
    let_go(before, x, y);
}

/* The node's record. A node that has none gets one with the same contents; NULL with an error set. It keeps it as long
as it lives. */
static Record *record_of(Node *node) {
    if (node->kind == RECORD) return node->record;
    Record *record = PyMem_Calloc(1, sizeof(Record));
    if (record == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    PyObject *self = (PyObject *)node;
    record->op = get_op(self, NULL);
    record->operands = get_operands(self, NULL);
    record->parents = get_parents(self, NULL);
    record->partials = get_partials(self, NULL);
    if (PyErr_Occurred()) {
        free_record(record);
        return NULL;
    }
    if (node->kind == RECORD) { /* it got one meanwhile: see above */
        free_record(record);
        return node->record;
    }
    let_go_for(node, RECORD, record);
    if (!(node->flags & COMPUTED) && !PyObject_GC_IsTracked(self)) PyObject_GC_Track(self); /* it may refer to itself now */
    return record;
}

/* A node that is begun again is a leaf again, with the attributes that it has. */
static void become_leaf(Node *node) {
    if (node->kind == LEAF) return;
    if (node->kind != RECORD) {
        let_go_for(node, LEAF, NULL);
        return;
    }
    Record *record = node->record, before = *record;
    record->op = Py_NewRef(Py_None);
    record->operands = Py_NewRef(nothing);
    record->parents = Py_NewRef(nothing);
    record->partials = Py_NewRef(nothing);
    Py_DECREF(before.op);
    Py_DECREF(before.operands);
    Py_DECREF(before.parents);
    Py_DECREF(before.partials);
}

static int set_field(Node *node, PyObject *value, size_t offset) {
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "it cannot be deleted");
        return -1;
    }
    Record *record = record_of(node);
    if (record == NULL) return -1;
    PyObject **field = (PyObject **)((char *)record + offset), *before = *field;
    *field = Py_NewRef(value);
    Py_DECREF(before);
    return 0;
}

static int needs_tuple(PyObject *value, int or_none) {
    if (value == NULL || PyTuple_Check(value) || (or_none && value == Py_None)) return 0;
    PyErr_Format(PyExc_TypeError, "a tuple is needed here, not %.100s", Py_TYPE(value)->tp_name);
    return -1;
}

static int set_op(PyObject *self, PyObject *value, void *unused) {
    return set_field((Node *)self, value, offsetof(Record, op));
}

static int set_operands(PyObject *self, PyObject *value, void *unused) {
    return needs_tuple(value, 0) ? -1 : set_field((Node *)self, value, offsetof(Record, operands));
}

static int set_parents(PyObject *self, PyObject *value, void *unused) {
    if (needs_tuple(value, 0)) return -1;
    for (Py_ssize_t i = 0; value != NULL && i < PyTuple_GET_SIZE(value); i++) {
        if (!is_node(PyTuple_GET_ITEM(value, i))) {
            PyErr_SetString(PyExc_TypeError, "the parents of a Value are Values");
            return -1;
        }
    }
    return set_field((Node *)self, value, offsetof(Record, parents));
}

static int set_partials(PyObject *self, PyObject *value, void *unused) {
    return needs_tuple(value, 1) ? -1 : set_field((Node *)self, value, offsetof(Record, partials));
}

/* Its number, and its gradient. While operations are watched or traced, Python is told. */

static PyObject *get_raw(PyObject *self, void *unused) { return PyFloat_FromDouble(((Node *)self)->data); }

static PyObject *get_data(PyObject *self, void *unused) {
    if (state == GENERAL) {
        PyObject *traced = PyObject_CallMethod(self, "_is_read", NULL);
        if (traced != Py_None) return traced; /* or NULL: an error */
        Py_DECREF(traced);
    }
    return get_raw(self, NULL);
}

static int set_data(PyObject *self, PyObject *value, void *unused) {
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "the data of a Value cannot be deleted");
        return -1;
    }
    double number;
    if (to_number(value, &number)) return -1;
    ((Node *)self)->data = number;
    return 0;
}

static PyObject *get_grad(PyObject *self, void *unused) {
    Node *node = (Node *)self;
    if (node->flags & EMPTY) Py_RETURN_NONE;
    return PyFloat_FromDouble(node->grad);
}

static int set_grad(PyObject *self, PyObject *value, void *unused) {
    Node *node = (Node *)self;
    if (value == NULL) {
        PyErr_SetString(PyExc_AttributeError, "the grad of a Value cannot be deleted");
        return -1;
    }
    if (value == Py_None) {
        node->flags |= EMPTY;
        return 0;
    }
    double number;
    if (to_number(value, &number)) return -1;
    node->grad = number;
    node->flags &= ~EMPTY;
    return 0;
}
