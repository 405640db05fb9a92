/* A class with the operators of `Value` that computes nothing: every operation gives the same object.

A program that uses it takes the time that Python's interpreter alone needs for it. No engine can be faster. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>

typedef struct {
    PyObject_HEAD
    double data, grad;
} Nothing;

static PyObject *nothing;

static PyObject *unary(PyObject *x) { return Py_NewRef(nothing); }
static PyObject *binary(PyObject *x, PyObject *y) { return Py_NewRef(nothing); }
static PyObject *power(PyObject *x, PyObject *y, PyObject *modulus) { return Py_NewRef(nothing); }
static PyObject *method(PyObject *x, PyObject *unused) { return Py_NewRef(nothing); }
static PyObject *backward(PyObject *x, PyObject *unused) { Py_RETURN_NONE; }
static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *names) { return Py_NewRef(nothing); }
static PyObject *call(PyObject *type, PyObject *const *args, size_t count, PyObject *names) { return Py_NewRef(nothing); }
static PyObject *get(PyObject *x, void *unused) { return PyFloat_FromDouble(((Nothing *)x)->data); }
static int set(PyObject *x, PyObject *number, void *unused) { return PyFloat_AsDouble(number) == -1.0 && PyErr_Occurred(); }

static PyMethodDef methods[] = {
    {"relu", method, METH_NOARGS, NULL},
    {"exp", method, METH_NOARGS, NULL},
    {"log", method, METH_NOARGS, NULL},
    {"backward", backward, METH_NOARGS, NULL},
    {NULL},
};
static PyGetSetDef properties[] = {{"data", get, set, NULL, NULL}, {"grad", get, set, NULL, NULL}, {NULL}};
static PyNumberMethods operators = {
    .nb_add = binary,
    .nb_subtract = binary,
    .nb_multiply = binary,
    .nb_true_divide = binary,
    .nb_negative = unary,
    .nb_power = power,
};
static PyTypeObject Value = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "nothing.Value",
    .tp_basicsize = sizeof(Nothing),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_new = new,
    .tp_as_number = &operators,
    .tp_methods = methods,
    .tp_getset = properties,
};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "nothing", NULL, -1, NULL};

PyMODINIT_FUNC PyInit_nothing(void) {
    Value.tp_vectorcall = call;
    if (PyType_Ready(&Value)) return NULL;
    Nothing *one = PyObject_New(Nothing, &Value);
    PyObject *module = PyModule_Create(&definition);
    if (one == NULL || module == NULL) return NULL;
    one->data = 1.0;
    one->grad = 0.0;
    nothing = (PyObject *)one;
    return PyModule_AddObjectRef(module, "Value", (PyObject *)&Value) ? NULL : module;
}
