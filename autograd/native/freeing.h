/* The end of a node.

A node that is freed lets go of its operands, which may then be freed in turn. Depth must not matter. So while one node
is freed, others wait in a list. Each thread has its own list: what a program has in its attributes may wait for another
thread when it goes. */

OF_THREAD Node *waiting;
OF_THREAD int freeing;

static void free_record(Record *record) {
    Py_XDECREF(record->op);
    Py_XDECREF(record->operands);
    Py_XDECREF(record->parents);
    Py_XDECREF(record->partials);
    Py_XDECREF(record->attributes);
    PyMem_Free(record);
}

static inline void let_go(int kind, Node *x, Node *y) {
    if (kind == UNARY || kind == LEFT || kind == RIGHT) {
        Py_DECREF(x);
    } else if (kind == BINARY) {
        Py_DECREF(x);
        Py_DECREF(y);
    } else if (kind == RECORD) {
        free_record((Record *)x);
    } else if (kind == MANY) {
        Many *many = (Many *)x;
        for (Py_ssize_t i = 0; i < many->count; i++) Py_DECREF(many->operands[i]);
        PyMem_Free(many);
    }
}

static inline void release(Node *node) {
    let_go(node->kind, node->x, node->y);
    if (node->flags & COMPUTED) {
        free_cell(node);
        return;
    }
    PyTypeObject *type = Py_TYPE(node);
    if (node->flags & SLAB) free_cell((char *)node - HEADER);
    else type->tp_free((PyObject *)node);
    Py_DECREF(type);
}

/* A program gave Value a __del__, which is asked first. Returns whether it keeps the node. */
static NEVER_INLINE int is_kept(Node *node) {
    PyObject *self = (PyObject *)node;
    if (!(node->flags & COMPUTED)) return PyObject_CallFinalizerFromDealloc(self) != 0; /* notes in the header: once */
    Py_SET_REFCNT(self, 1);
    ValueType->tp_finalize(self);
    Py_SET_REFCNT(self, Py_REFCNT(self) - 1);
    return Py_REFCNT(self) > 0;
}

static void node_dealloc(PyObject *self) {
    Node *node = (Node *)self;
    if (ValueType->tp_finalize != NULL && is_value(self) && is_kept(node)) return; /* subclasses ask themselves */
    if (!(node->flags & COMPUTED)) PyObject_GC_UnTrack(self);
    if (node->weak != NULL) PyObject_ClearWeakRefs(self);
    if (freeing) {
        memcpy(&node->grad, &waiting, sizeof waiting);
        waiting = node;
        return;
    }
    freeing = 1;
    release(node);
    while (waiting != NULL) {
        node = waiting;
        memcpy(&waiting, &node->grad, sizeof waiting);
        release(node);
    }
    freeing = 0;
}

static int node_traverse(PyObject *self, visitproc visit, void *arg) {
    Node *node = (Node *)self;
    Py_VISIT(Py_TYPE(self));
    if (node->kind == RECORD) {
        Record *record = node->record;
        Py_VISIT(record->op);
        Py_VISIT(record->operands);
        Py_VISIT(record->parents);
        Py_VISIT(record->partials);
        Py_VISIT(record->attributes);
    }
    return 0;
}

static int node_clear(PyObject *self) {
    Node *node = (Node *)self;
    if (node->kind == RECORD) {
        Record *record = node->record;
        node->kind = LEAF;
        free_record(record);
    }
    return 0;
}

static int node_is_gc(PyObject *self) { return !(((Node *)self)->flags & COMPUTED); }
