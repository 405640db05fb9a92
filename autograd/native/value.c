/* `Value` in C: the node, its operators, and the backward sweep. It is for readers who know Python.

The class in autograd/engine/value.py is the reference. Here is the same node in 64 or 80 bytes, and the same steps
without the interpreter. What an operation computes is not written here: rows.h has the rows of the table.

The headers below are the chapters, in the order in which they are read. They are one program for the compiler, which
puts one function into another. This file ends with the class.

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

#include "table.h"      /* the rows: their formulas, and their numbers */
#include "node.h"       /* what a node is */
#include "memory.h"     /* where nodes lie */
#include "freeing.h"    /* how they go */
#include "fields.h"     /* what Python sees of them: how they were computed */
#include "attributes.h" /* and attributes of the program's own */
#include "operations.h" /* operations on one operand or two */
#include "many.h"       /* sums and dot products */
#include "sweep.h"      /* reverse mode */

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
