/* The memory of nodes.

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
