/* The backward sweep. */

#define FEW 128

typedef struct Nodes {
    uintptr_t *items; /* addresses; the lowest bit, which no address uses, is a mark */
    size_t count, room;
    uintptr_t few[FEW]; /* most graphs are small: no memory is asked for */
} Nodes;

static void begin_nodes(Nodes *nodes) {
    nodes->items = nodes->few;
    nodes->count = 0;
    nodes->room = FEW;
}

static void end_nodes(Nodes *nodes) {
    if (nodes->items != nodes->few) PyMem_RawFree(nodes->items);
}

static int grow(Nodes *nodes) {
    int few = nodes->items == nodes->few;
    uintptr_t *items = PyMem_RawRealloc(few ? NULL : nodes->items, 4 * nodes->room * sizeof(uintptr_t));
    if (items == NULL) return -1;
    if (few) memcpy(items, nodes->few, sizeof nodes->few);
    nodes->items = items;
    nodes->room *= 4;
    return 0;
}

#define READY ((uintptr_t)1)

static inline int push(Nodes *nodes, uintptr_t item) {
    if (nodes->count == nodes->room && grow(nodes)) return -1;
    nodes->items[nodes->count++] = item;
    return 0;
}

static uint64_t sweeps; /* each has a number; 2^40 of them are days of the shortest */

/* A node is met for the first time: its gradient begins, but leaves add up those of several calls. Returns 0 for an
instance of a subclass, which `begin_slowly` asks. It is kept alive to the end of the sweep. */
static inline int meet(Node *node) {
    Py_INCREF(node);
    node->met = sweeps;
    if (!is_value((PyObject *)node)) return 0;
    if (!is_leaf(node) || node->flags & EMPTY) {
        node->grad = 0.0;
        node->flags &= ~EMPTY;
    }
    return 1;
}

static inline int push_new(Nodes *stack, Node *node) { return node->met == sweeps ? 0 : push(stack, (uintptr_t)node); }

static int push_operands(Nodes *stack, Node *node) {
    if (node->kind == BINARY) return push_new(stack, node->x) || push_new(stack, node->y);
    if (node->kind == MANY) {
        for (Py_ssize_t i = 0; i < node->many->count; i++)
            if (push_new(stack, node->many->operands[i])) return -1;
        return 0;
    }
    if (node->kind == RECORD) {
        PyObject *parents = node->record->parents;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(parents); i++)
            if (push_new(stack, (Node *)PyTuple_GET_ITEM(parents, i))) return -1;
        return 0;
    }
    return push_new(stack, node->x);
}

/* The nodes below one, operands before results, in the order of autograd.engine.graph.postorder. Nothing of Python
runs in here. So no other sweep can begin meanwhile. */
static int postorder(Node *root, Nodes *order, int *all_plain) {
    Nodes stack;
    begin_nodes(&stack);
    sweeps = (sweeps + 1) & (((uint64_t)1 << 40) - 1);
    if (sweeps == 0) sweeps = 1; /* nodes that no sweep has met have 0 */
    int failed = push(&stack, (uintptr_t)root);
    while (!failed && stack.count) {
        uintptr_t item = stack.items[--stack.count];
        if (item & READY) { /* its operands are done */
            failed = push(order, item ^ READY);
            if (failed) Py_DECREF((PyObject *)(item ^ READY));
            continue;
        }
        Node *node = (Node *)item;
        if (node->met == sweeps) continue;
        failed = node->kind == LEAF ? push(order, item) : push(&stack, item | READY);
        if (failed) break;
        *all_plain &= meet(node);
        if (node->kind != LEAF) failed = push_operands(&stack, node);
    }
    for (size_t i = 0; i < stack.count; i++) /* only after a failure */
        if (stack.items[i] & READY) Py_DECREF((PyObject *)(stack.items[i] ^ READY));
    end_nodes(&stack);
    if (failed) PyErr_NoMemory();
    return failed ? -1 : 0;
}

/* Frozen leaves and instances of subclasses may do something else with a gradient: they are asked. */
static int add_slowly(Node *node, double share) {
    PyObject *before = PyObject_GetAttr((PyObject *)node, name_grad), *by = PyFloat_FromDouble(share), *after = NULL;
    if (before != NULL && by != NULL) after = PyNumber_InPlaceAdd(before, by);
    int failed = after == NULL || PyObject_SetAttr((PyObject *)node, name_grad, after);
    Py_XDECREF(before);
    Py_XDECREF(by);
    Py_XDECREF(after);
    return failed ? -1 : 0;
}

static inline int is_plain(Node *node) { return is_value((PyObject *)node) && !(node->flags & EMPTY); }

static inline int add(Node *node, double share) {
    if (!is_plain(node)) return add_slowly(node, share);
    node->grad += share;
    return 0;
}

static int gradient(Node *node, double *g) {
    if (is_plain(node)) {
        *g = node->grad;
        return 0;
    }
    PyObject *found = PyObject_GetAttr((PyObject *)node, name_grad);
    if (found == NULL) return -1;
    int failed = to_number(found, g);
    Py_DECREF(found);
    return failed;
}

static int set_gradient(Node *node, double g) {
    if (is_value((PyObject *)node)) {
        node->grad = g;
        node->flags &= ~EMPTY;
        return 0;
    }
    PyObject *number = PyFloat_FromDouble(g);
    int failed = number == NULL || PyObject_SetAttr((PyObject *)node, name_grad, number);
    Py_XDECREF(number);
    return failed ? -1 : 0;
}

static int begin_slowly(Node *node) {
    if (is_value((PyObject *)node)) return 0;
    int begins = !is_leaf(node);
    if (!begins) {
        PyObject *grad = PyObject_GetAttr((PyObject *)node, name_grad);
        if (grad == NULL) return -1;
        begins = grad == Py_None;
        Py_DECREF(grad);
    }
    return begins ? set_gradient(node, 0.0) : 0;
}

/* The parents from the first on get their shares: the partial times the gradient. */
static int hand_on(PyObject *parents, PyObject *partials, Py_ssize_t first, double g) {
    double partial;
    for (Py_ssize_t i = first; i < PyTuple_GET_SIZE(parents) && i < PyTuple_GET_SIZE(partials); i++)
        if (to_number(PyTuple_GET_ITEM(partials, i), &partial) ||
            add((Node *)PyTuple_GET_ITEM(parents, i), partial * g))
            return -1;
    return 0;
}

static int step_of_record(Node *node) {
    Record *record = node->record;
    if (record->partials == Py_None) { /* written by hand */
        PyObject *done = PyObject_CallMethod((PyObject *)node, "_backward", NULL);
        Py_XDECREF(done);
        return done == NULL ? -1 : 0;
    }
    double g;
    PyObject *parents = Py_NewRef(record->parents), *partials = Py_NewRef(record->partials);
    Py_ssize_t count = PyTuple_GET_SIZE(parents);
    int fits = count == PyTuple_GET_SIZE(partials), failed = 0;
    if (count > 0 && (fits || count > 2)) failed = gradient(node, &g) || hand_on(parents, partials, 0, g);
    if (!failed && !fits) { /* of one or two, Python sees it before it adds to any; of more, at the end of the loop */
        PyErr_SetString(PyExc_ValueError, "a node needs one partial for each parent");
        failed = 1;
    }
    Py_DECREF(parents);
    Py_DECREF(partials);
    return failed ? -1 : 0;
}

/* The step of a sum or a dot product from an operand on that is asked, and may change this node. */
static NEVER_INLINE int step_of_many_slowly(Node *node, Py_ssize_t first, double g) {
    PyObject *parents = get_parents((PyObject *)node, NULL), *partials = get_partials((PyObject *)node, NULL);
    int failed = parents == NULL || partials == NULL;
    if (!failed) failed = hand_on(parents, partials, first, g);
    Py_XDECREF(parents);
    Py_XDECREF(partials);
    return failed ? -1 : 0;
}

static int step(Node *node) {
    double g, by_x, by_y;
    switch (node->kind) {
        case LEAF: return 0;
        case RECORD: return step_of_record(node);
        case MANY: {
            if (gradient(node, &g)) return -1;
            Many *many = node->many;
            for (Py_ssize_t i = 0; i < many->count; i++) {
                if (!is_plain(many->operands[i])) return step_of_many_slowly(node, i, g);
                many->operands[i]->grad += many->partials[i] * g;
            }
            return 0;
        }
        case BINARY: {
            if (gradient(node, &g)) return -1;
            partials_of(node, &by_x, &by_y);
            Node *x = node->x, *y = node->y; /* the sweep holds both, whatever becomes of this node */
            return add(x, by_x * g) || add(y, by_y * g) ? -1 : 0;
        }
        default:
            if (gradient(node, &g)) return -1;
            partials_of(node, &by_x, &by_y);
            return add(node->x, by_x * g);
    }
}

static PyObject *node_backward(PyObject *self, PyObject *unused) {
    Node *root = (Node *)self;
    if (state == GENERAL) return PyObject_CallMethod(scalar, "backward", "O", self);
    if (is_leaf(root) && !(is_value(self) && root->kind == LEAF)) return PyObject_CallMethod(scalar, "backward", "O", self);
    if (root->kind == LEAF) {
        if (set_gradient(root, (root->flags & EMPTY ? 0.0 : root->grad) + 1.0)) return NULL;
        Py_RETURN_NONE;
    }
    Nodes order;
    begin_nodes(&order);
    int all_plain = 1, failed = postorder(root, &order, &all_plain);
    for (size_t i = 0; !failed && !all_plain && i < order.count; i++) failed = begin_slowly((Node *)order.items[i]);
    if (!failed) failed = set_gradient(root, 1.0);
    size_t left = order.count;
    while (!failed && left > 0) { /* results before operands: each gradient is complete */
        Node *node = (Node *)order.items[--left];
        failed = step(node);
        Py_DECREF(node);
        if (!(left & 0xffff) && !failed) failed = PyErr_CheckSignals(); /* Ctrl-C */
    }
    while (left > 0) Py_DECREF((PyObject *)order.items[--left]);
    end_nodes(&order);
    if (failed) return NULL;
    Py_RETURN_NONE;
}
