/* `Value` in C: the node, its operators, and the backward sweep. It is for readers who know Python.

The class in autograd/engine/value.py is the reference. This file has the same node in 64 or 80 bytes, and the same
steps without the interpreter. What an operation computes is not written here: rows.h has the rows of the table.

Only the plain case is in C: operands that are Values, floats or ints, and nothing else on than no_grad. Everything else
calls the Python that the pure form runs. So contexts, transformations, NumPy, subclasses and rows of a user's own behave
alike in both forms.

All of this runs while Python's lock (the GIL) is held. So no two threads are in here at once, and nothing is locked. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <fenv.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <structmember.h>
#if defined(_WIN32)
#include <malloc.h>
#endif

#if defined(__GNUC__)
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#define NEVER_INLINE __attribute__((noinline))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#else
#define ALWAYS_INLINE static inline
#define NEVER_INLINE
#define LIKELY(x) (x)
#endif

/* ------------------------------------------------------------------------------------- functions that rows call */

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

/* ------------------------------------------------------------------------------------------------------ the rows */

#define NUMBER(name, constant) ROW_##name,
enum { UNARY_ROWS(NUMBER) BINARY_ROWS(NUMBER) ROW_dot, ROW_sum, ROW_COUNT };
_Static_assert(ROW_COUNT <= 256, "the number of a row has 8 bits");

static PyObject *row_objects[ROW_COUNT];       /* the rows of Python's table */
static PyObject *row_constants[ROW_COUNT];     /* their partials as Python has them, where they are numbers */
static double constant_slopes[ROW_COUNT][2];   /* the same as doubles */
static PyObject *row_numbers;                  /* {row of Python's table: its number here} */

/* ------------------------------------------------------------------------------------------------------ the node

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

/* ------------------------------------------------------------------------------------------------------- memory

Nodes of a graph come and go together. So they lie side by side in slabs of 256 KB, which are given back when nothing
in them is used. Nodes of 64 bytes have slabs of their own. */

#define SLAB_SIZE ((size_t)1 << 18)
#define SPARE 256      /* empty slabs that are kept */
#define FEW_CELLS 1024 /* a third of those of a slab */
#define HEADER (2 * sizeof(void *)) /* what the collector has before an object */

typedef struct Slab {
    struct Slab *next, *previous; /* among those with room */
    void *free;                   /* the first free cell; each begins with the address of the next */
    char *fresh;                  /* cells from here on were never used */
    uint32_t used, size;
    int listed;
} Slab;

typedef struct Pool {
    size_t size;
    Slab *current; /* cells are taken from here */
    Slab *room;    /* others that have free cells */
} Pool;

static Pool pools[2] = {{NARROW, NULL, NULL}, {sizeof(Node), NULL, NULL}};
static Slab *spare;
static int spares;

static inline Slab *slab_of(void *cell) { return (Slab *)((uintptr_t)cell & ~(uintptr_t)(SLAB_SIZE - 1)); }

static inline char *end_of(Slab *slab) { return (char *)slab + SLAB_SIZE - slab->size; } /* the last cell begins there */

static inline void empty(Slab *slab) { /* its cells are taken in their order again */
    slab->free = NULL;
    slab->fresh = (char *)slab + ((sizeof(Slab) + 63) & ~(size_t)63);
}

static void unlist(Pool *pool, Slab *slab) {
    if (!slab->listed) return;
    slab->listed = 0;
    if (slab->previous != NULL) slab->previous->next = slab->next;
    else pool->room = slab->next;
    if (slab->next != NULL) slab->next->previous = slab->previous;
}

static NEVER_INLINE Slab *new_slab(Pool *pool) {
    Slab *slab = spare;
    if (slab != NULL) {
        spare = slab->next;
        spares--;
    } else if (pool->room != NULL) {
        slab = pool->room;
        unlist(pool, slab);
        return slab;
    } else {
#if defined(_WIN32)
        slab = _aligned_malloc(SLAB_SIZE, SLAB_SIZE);
        if (slab == NULL) return NULL;
#else
        if (posix_memalign((void **)&slab, SLAB_SIZE, SLAB_SIZE)) return NULL;
#endif
    }
    slab->used = 0;
    slab->listed = 0;
    slab->size = (uint32_t)pool->size;
    empty(slab);
    return slab;
}

static inline void *new_cell(Pool *pool) {
#if defined(CHAINRULE_DEBUG) /* each node by itself, so that tools for memory see it */
    return PyObject_Malloc(pool->size);
#else
    for (;;) {
        Slab *slab = pool->current;
        void *cell;
        if (LIKELY(slab != NULL)) {
            if ((cell = slab->free) != NULL) {
                slab->free = *(void **)cell;
                slab->used++;
                return cell;
            }
            if (LIKELY(slab->fresh <= end_of(slab))) {
                cell = slab->fresh;
                slab->fresh += slab->size;
                slab->used++;
                return cell;
            }
        }
        pool->current = new_slab(pool);
        if (pool->current == NULL) return PyErr_NoMemory();
    }
#endif
}

/* A slab with few nodes is listed, to be used again. One with more waits: its nodes will mostly go together, and a slab
that is empty is worth more, since nodes that are made one after another then lie side by side. */
static NEVER_INLINE void drained(Slab *slab) {
    Pool *pool = &pools[slab->size == sizeof(Node)];
    if (slab == pool->current) {
        if (slab->used == 0) empty(slab);
    } else if (slab->used > 0) {
        if (slab->listed) return;
        slab->listed = 1;
        slab->previous = NULL;
        slab->next = pool->room;
        if (pool->room != NULL) pool->room->previous = slab;
        pool->room = slab;
    } else {
        unlist(pool, slab);
        if (spares < SPARE) {
            slab->next = spare;
            spare = slab;
            spares++;
            return;
        }
#if defined(_WIN32)
        _aligned_free(slab);
#else
        free(slab);
#endif
    }
}

static inline void free_cell(void *cell) {
#if defined(CHAINRULE_DEBUG)
    PyObject_Free(cell);
#else
    Slab *slab = slab_of(cell);
    *(void **)cell = slab->free;
    slab->free = cell;
    if (--slab->used == 0 || slab->used == FEW_CELLS) drained(slab);
#endif
}

static inline Node *begin(Node *node, double data, int kind, int row, int flags) {
#if PY_VERSION_HEX < 0x030C0000 && !defined(Py_REF_DEBUG)
    Py_SET_TYPE(node, ValueType);
    Py_SET_REFCNT(node, 1);
    if (!(flags & COMPUTED)) Py_INCREF(ValueType);
#else /* what else belongs to an object is the business of Python */
    PyObject_Init((PyObject *)node, ValueType);
    if (flags & COMPUTED) Py_DECREF(ValueType); /* such a node does not count: its class cannot change, and stays */
#endif
    node->data = data;
    node->grad = 0.0;
    node->row = (unsigned)row;
    node->kind = (unsigned)kind;
    node->flags = (unsigned)flags;
    node->met = 0;
    node->weak = NULL;
    return node;
}

/* A leaf may get attributes, and with them refer to itself. So it has a header for the garbage collector, which
starts to look at it when it gets one. */
static Node *new_leaf(double data) {
    char *cell = new_cell(&pools[1]);
    if (cell == NULL) return NULL;
    memset(cell, 0, HEADER);
    return begin((Node *)(cell + HEADER), data, LEAF, 0, SLAB);
}

static inline Node *new_computed(double data, int kind, int row, int constant) {
    int wide = kind != UNARY && kind != MANY && !constant;
    Node *node = new_cell(&pools[wide]);
    if (node == NULL) return NULL;
    return begin(node, data, kind, row, SLAB | COMPUTED | (constant ? CONSTANT : 0));
}

/* ------------------------------------------------------------------------------------------------------ freeing

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

/* --------------------------------------------------------------------------------------- what Python sees of it */

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

/* Attributes of the program's own, such as a label, are in a dictionary of the record. A subclass has one itself. */

static PyObject *attributes_of(Node *node) { /* borrowed; NULL without an error if there are none */
    return node->kind == RECORD ? node->record->attributes : NULL;
}

static PyObject *own_attributes(Node *node) { /* borrowed; made if there are none */
    Record *record = record_of(node);
    if (record == NULL) return NULL;
    if (record->attributes == NULL) {
        PyObject *made = PyDict_New();
        if (record->attributes == NULL) record->attributes = made;
        else Py_XDECREF(made); /* the collector ran, and somebody made them */
    }
    return record->attributes;
}

static PyObject *get_dict(PyObject *self, void *unused) { return Py_XNewRef(own_attributes((Node *)self)); }

static int set_dict(PyObject *self, PyObject *value, void *unused) {
    if (value != NULL && !PyDict_Check(value)) {
        PyErr_Format(PyExc_TypeError, "__dict__ must be set to a dictionary, not a '%.200s'", Py_TYPE(value)->tp_name);
        return -1;
    }
    Record *record = record_of((Node *)self);
    if (record == NULL) return -1;
    PyObject *before = record->attributes;
    record->attributes = Py_XNewRef(value);
    Py_XDECREF(before);
    return 0;
}

static PyObject *own(PyObject *self, PyObject *const *args, Py_ssize_t count) { /* _own(name, default) */
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "_own takes a name and a default");
        return NULL;
    }
    PyObject *attributes, *found = NULL;
    if (Py_TYPE(self)->tp_dictoffset != 0) {
        attributes = PyObject_GenericGetDict(self, NULL);
        if (attributes == NULL) return NULL;
    } else {
        attributes = Py_XNewRef(attributes_of((Node *)self));
    }
    if (attributes != NULL) {
        found = Py_XNewRef(PyDict_GetItemWithError(attributes, args[0]));
        Py_DECREF(attributes);
        if (found == NULL && PyErr_Occurred()) return NULL;
    }
    return found != NULL ? found : Py_NewRef(args[1]);
}

static PyObject *get_class(PyObject *self, void *unused) { return Py_NewRef(Py_TYPE(self)); }

static PyObject *object_class; /* the property __class__ of `object` */

static int set_class(PyObject *self, PyObject *value, void *unused) {
    if (value != NULL && ((Node *)self)->flags & COMPUTED) {
        PyErr_SetString(PyExc_TypeError, "only leaves change their class: this Value was computed");
        return -1;
    }
    return Py_TYPE(object_class)->tp_descr_set(object_class, self, value);
}

static int is_property(PyTypeObject *type, PyObject *name) { /* of the class: it goes before the program's own */
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(type->tp_mro); i++) {
        PyObject *names = ((PyTypeObject *)PyTuple_GET_ITEM(type->tp_mro, i))->tp_dict;
        PyObject *found = names == NULL ? NULL : PyDict_GetItemWithError(names, name);
        if (found != NULL) return Py_TYPE(found)->tp_descr_set != NULL;
    }
    return 0;
}

static PyObject *node_getattro(PyObject *self, PyObject *name) {
    if (is_value(self)) {
        if (name == name_data && state != GENERAL) return get_raw(self, NULL);
        if (name == name_grad) return get_grad(self, NULL);
    }
    PyTypeObject *type = Py_TYPE(self);
    PyObject *attributes = type->tp_dictoffset == 0 ? attributes_of((Node *)self) : NULL;
    if (attributes != NULL) { /* held meanwhile: a name may be of a class that compares names in its own way */
        Py_INCREF(attributes);
        PyObject *found = Py_XNewRef(PyDict_GetItemWithError(attributes, name));
        Py_DECREF(attributes);
        if (found != NULL && !is_property(type, name)) return found;
        Py_XDECREF(found);
    }
    return PyErr_Occurred() ? NULL : PyObject_GenericGetAttr(self, name);
}

static int node_setattro(PyObject *self, PyObject *name, PyObject *value) {
    if (is_value(self)) {
        if (name == name_data) return set_data(self, value, NULL);
        if (name == name_grad) return set_grad(self, value, NULL);
    }
    PyTypeObject *type = Py_TYPE(self);
    if (type->tp_dictoffset != 0 || is_property(type, name)) return PyObject_GenericSetAttr(self, name, value);
    PyObject *attributes = Py_XNewRef(value != NULL ? own_attributes((Node *)self) : attributes_of((Node *)self));
    if (value != NULL && attributes == NULL) return -1;
    int failed = 0, known = value != NULL ? 1 : attributes == NULL ? 0 : PyDict_Contains(attributes, name);
    if (known > 0) failed = value != NULL ? PyDict_SetItem(attributes, name, value) : PyDict_DelItem(attributes, name);
    Py_XDECREF(attributes);
    if (known == 0) PyErr_Format(PyExc_AttributeError, "'%.100s' object has no attribute '%U'", type->tp_name, name);
    return known > 0 ? failed : -1;
}

/* ---------------------------------------------------------------------------------------------------- operations */

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

/* ------------------------------------------------------------------------------------------------- the backward sweep */

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

/* ------------------------------------------------------------------------------------------------------- making one */

static PyObject *node_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    if (type == ValueType) return (PyObject *)new_leaf(0.0);
    return type->tp_alloc(type, 0); /* all zero: a leaf */
}

static int begin_with(PyObject *self, PyObject *data, PyObject *children, PyObject *op, PyObject *label) {
    Node *node = (Node *)self;
    double number = 0.0;
    if (data != NULL && to_number(data, &number)) return -1;
    node->data = number;
    if (is_value(self)) {
        node->grad = 0.0;
        node->flags &= ~EMPTY;
    } else if (set_gradient(node, 0.0)) {
        return -1;
    }
    become_leaf(node);
    PyObject *done;
    if (children != nothing || op != no_text || label != no_text) {
        if ((done = PyObject_CallMethod(self, "_begin", "OOO", children, op, label)) == NULL) return -1;
        Py_DECREF(done);
    }
    if (state == GENERAL) {
        if ((done = PyObject_CallMethod(self, "_is_made", NULL)) == NULL) return -1;
        Py_DECREF(done);
    }
    return 0;
}

static int node_init(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"data", "_children", "_op", "label", NULL};
    PyObject *data = NULL, *children = nothing, *op = no_text, *label = no_text;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOO:Value", names, &data, &children, &op, &label)) return -1;
    return begin_with(self, data, children, op, label);
}

static inline int is_ours(void) { /* no program gave Value another __init__ or __new__ */
    return ValueType->tp_init == node_init && ValueType->tp_new == node_new;
}

static PyObject *value_vectorcall(PyObject *type, PyObject *const *args, size_t flags, PyObject *names) {
    Py_ssize_t count = PyVectorcall_NARGS(flags);
    double number;
    if (names == NULL && count == 1 && state != GENERAL && as_number(args[0], &number) && is_ours())
        return (PyObject *)new_leaf(number);
    PyObject *positional = PyTuple_New(count), *named_ones = NULL, *node = NULL;
    if (positional == NULL) return NULL;
    for (Py_ssize_t i = 0; i < count; i++) PyTuple_SET_ITEM(positional, i, Py_NewRef(args[i]));
    int failed = 0;
    if (names != NULL) {
        failed = (named_ones = PyDict_New()) == NULL;
        for (Py_ssize_t i = 0; !failed && i < PyTuple_GET_SIZE(names); i++)
            failed = PyDict_SetItem(named_ones, PyTuple_GET_ITEM(names, i), args[count + i]);
    }
    if (!failed) node = PyType_Type.tp_call(type, positional, named_ones);
    Py_DECREF(positional);
    Py_XDECREF(named_ones);
    return node;
}

/* ------------------------------------------------------------------------------------------------------- the class */

static PyGetSetDef properties[] = {
    {"data", get_data, set_data, "The number. Assigning converts to a Python float, and refuses anything else.", NULL},
    {"grad", get_grad, set_grad, "The derivative that `backward` found.", NULL},
    {"is_leaf", get_is_leaf, NULL, "Whether it was made by hand rather than by an operation.", NULL},
    {"op", get_op, set_op, "The row that made it; None for a leaf.", NULL},
    {"operands", get_operands, set_operands, "What the row was applied to, in order.", NULL},
    {"parents", get_parents, set_parents, "The operands that are Values.", NULL},
    {"partials", get_partials, set_partials, "The derivative by each of them.", NULL},
    {"_raw", get_raw, set_data, "The number, whatever is on.", NULL},
    {"__dict__", get_dict, set_dict, "Attributes of the program's own.", NULL},
    {"__class__", get_class, set_class, "Its class.", NULL},
    {NULL},
};

static PyMethodDef methods[] = {
    {"backward", node_backward, METH_NOARGS, NULL}, /* its text is that of the pure form */
    {"_apply", (PyCFunction)(void (*)(void))node_apply, METH_FASTCALL | METH_CLASS, NULL},
    {"_gather", (PyCFunction)(void (*)(void))node_gather, METH_FASTCALL | METH_CLASS, NULL},
    {"_dot", (PyCFunction)(void (*)(void))node_dot, METH_FASTCALL | METH_CLASS, NULL},
    {"_own", (PyCFunction)(void (*)(void))own, METH_FASTCALL, NULL},
    {NULL},
};

static PyMemberDef members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Node, weak), READONLY, NULL},
    {NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_doc, NULL}, /* the text of the pure form, given at the beginning of `make` */
    {Py_tp_new, node_new},
    {Py_tp_init, node_init},
    {Py_tp_dealloc, node_dealloc},
    {Py_tp_traverse, node_traverse},
    {Py_tp_clear, node_clear},
    {Py_tp_is_gc, node_is_gc},
    {Py_tp_free, PyObject_GC_Del}, /* of subclasses; it has to be theirs, or a leaf could not be frozen */
    {Py_tp_getattro, node_getattro},
    {Py_tp_setattro, node_setattro},
    {Py_tp_richcompare, node_compare},
    {Py_tp_hash, NULL}, /* that of `object` */
    {Py_tp_getset, properties},
    {Py_tp_methods, methods},
    {Py_tp_members, members},
    {Py_nb_add, operator_add},
    {Py_nb_subtract, operator_sub},
    {Py_nb_multiply, operator_mul},
    {Py_nb_true_divide, operator_div},
    {Py_nb_remainder, operator_remainder},
    {Py_nb_power, node_power},
    {Py_nb_negative, node_negative},
    {Py_nb_absolute, node_absolute},
    {Py_nb_positive, node_positive},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "autograd.engine.value.Value",
    .basicsize = NARROW,
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

/* make(base, doc, doc of backward, rows, constants, convert, general): the class Value. `rows` has the row of each
name, `constants` the partials that are numbers. */
static PyObject *make(PyObject *module, PyObject *args) {
    PyObject *base, *rows, *constants, *converter, *operate;
    const char *doc, *backward_doc;
    if (!PyArg_ParseTuple(args, "OssO!O!OO", &base, &doc, &backward_doc, &PyDict_Type, &rows, &PyDict_Type, &constants, &converter, &operate))
        return NULL;
    if (ValueType != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "the compiled form is made once in a process");
        return NULL;
    }
    PyObject *names = PyObject_GetAttrString((PyObject *)&PyBaseObject_Type, "__dict__");
    object_class = names == NULL ? NULL : PyMapping_GetItemString(names, "__class__");
    Py_XDECREF(names);
    if (object_class == NULL) return NULL;
    PyObject *mathematics = PyImport_ImportModule("math");
    if (mathematics == NULL) return NULL;
    math_hypot = PyObject_GetAttrString(mathematics, "hypot");
    Py_DECREF(mathematics);
    nothing = PyTuple_New(0);
    name_data = PyUnicode_InternFromString("data");
    name_grad = PyUnicode_InternFromString("grad");
    no_text = PyUnicode_InternFromString("");
    row_numbers = PyDict_New();
    if (!math_hypot || !nothing || !name_data || !name_grad || !no_text || !row_numbers) return NULL;
    for (int i = 0; i < ROW_COUNT; i++) {
        row_objects[i] = Py_XNewRef(PyDict_GetItemString(rows, entries[i].name));
        if (row_objects[i] == NULL) {
            PyErr_Format(PyExc_KeyError, "the table has no row %s", entries[i].name);
            return NULL;
        }
        PyObject *number = PyLong_FromLong(i);
        if (number == NULL || PyDict_SetItem(row_numbers, row_objects[i], number)) return NULL;
        Py_DECREF(number);
        if (entries[i].constant) {
            row_constants[i] = Py_XNewRef(PyDict_GetItemString(constants, entries[i].name));
            if (row_constants[i] == NULL || !PyTuple_Check(row_constants[i])) {
                PyErr_Format(PyExc_KeyError, "the partials of %s are no constants", entries[i].name);
                return NULL;
            }
            for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(row_constants[i]) && k < 2; k++)
                constant_slopes[i][k] = PyFloat_AsDouble(PyTuple_GET_ITEM(row_constants[i], k));
        }
    }
    if (PyErr_Occurred()) return NULL;
    scalar = Py_NewRef(base);
    convert = Py_NewRef(converter);
    general = Py_NewRef(operate);
    for (PyType_Slot *slot = slots; slot->slot; slot++) {
        if (slot->slot == Py_tp_doc) slot->pfunc = (void *)doc;
        if (slot->slot == Py_tp_hash) slot->pfunc = (void *)PyBaseObject_Type.tp_hash;
    }
    PyObject *bases = PyTuple_Pack(1, base);
    char *kept = PyMem_Malloc(strlen(backward_doc) + 1);
    if (bases == NULL || kept == NULL) return NULL;
    methods[0].ml_doc = strcpy(kept, backward_doc);
    ValueType = (PyTypeObject *)PyType_FromSpecWithBases(&spec, bases);
    Py_DECREF(bases);
    if (ValueType == NULL) return NULL;
    ValueType->tp_vectorcall = value_vectorcall;
    return Py_NewRef(ValueType);
}

/* method(row, name, text): the method of a row; `text` is its signature and its documentation. */
static PyObject *make_method(PyObject *module, PyObject *args) {
    const char *row, *name, *text;
    if (!PyArg_ParseTuple(args, "sss", &row, &name, &text)) return NULL;
    for (int i = 0; i < METHODS; i++) {
        if (strcmp(entries[i].name, row)) continue;
        PyMethodDef *definition = PyMem_Calloc(1, sizeof(PyMethodDef)); /* lives as long as the class */
        char *texts = PyMem_Malloc(strlen(name) + strlen(text) + 2);
        if (definition == NULL || texts == NULL) return PyErr_NoMemory();
        definition->ml_name = strcpy(texts, name);
        definition->ml_doc = strcpy(texts + strlen(name) + 1, text);
        if (entries[i].unary != NULL) {
            definition->ml_meth = entries[i].unary;
            definition->ml_flags = METH_NOARGS;
        } else {
            definition->ml_meth = (PyCFunction)(void (*)(void))entries[i].method;
            definition->ml_flags = METH_FASTCALL | METH_KEYWORDS;
        }
        return PyDescr_NewMethod(ValueType, definition);
    }
    return PyErr_Format(PyExc_KeyError, "no row %s is compiled", row);
}

/* set_state(state): what is on in this thread, as autograd/engine/modes.py sums it up. */
static PyObject *set_state(PyObject *module, PyObject *number) {
    long given = PyLong_AsLong(number);
    if (given == -1 && PyErr_Occurred()) return NULL;
    state = (int)given;
    Py_RETURN_NONE;
}

static PyObject *is_made(PyObject *module, PyObject *unused) { return PyBool_FromLong(ValueType != NULL); }

static PyMethodDef functions[] = {
    {"make", make, METH_VARARGS, "The class Value."},
    {"is_made", is_made, METH_NOARGS, "Whether this process has the class already."},
    {"method", make_method, METH_VARARGS, "The method of a row."},
    {"dot", make_dot, METH_O, "The function dot, with a path in C for Values. It wraps the one in Python."},
    {"sum_if", sum_if, METH_VARARGS, "Whether sums are made in C."},
    {"set_state", set_state, METH_O, "What is on in this thread."},
    {NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "autograd.native._value", .m_doc = "`Value` in C.", .m_size = -1, .m_methods = functions,
};

PyMODINIT_FUNC PyInit__value(void) {
    PyObject *module = PyModule_Create(&definition);
    if (module == NULL || PyModule_AddStringConstant(module, "FINGERPRINT", FINGERPRINT)) return NULL;
    PyObject *rows = PyTuple_New(METHODS);
    for (int i = 0; rows != NULL && i < METHODS; i++) PyTuple_SET_ITEM(rows, i, PyUnicode_FromString(entries[i].name));
    if (rows == NULL || PyModule_AddObjectRef(module, "ROWS", rows)) return NULL;
    Py_DECREF(rows);
    return module;
}
