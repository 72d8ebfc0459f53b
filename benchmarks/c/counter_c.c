/* The trivial C library of the benchmarks, wrapped by hand: the reference of the others.
 *
 * `Counter` is made by vectorcall, `ParsedCounter` as most extension modules do it: by tp_new, which parses a tuple. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <limits.h>

#include "counter.h"

typedef struct {
    PyObject_HEAD
    counter *raw;
} Counter;

/* A part keeps its counter alive. Neither can be in a reference cycle, so that the collector doesn't look at them. */
typedef struct {
    PyObject_HEAD
    const dial *raw;
    PyObject *owner;
} Dial;

static PyTypeObject *dial_type;

static counter *raw_of(PyObject *self) { return ((Counter *)self)->raw; }

/* Returns -1 with an exception if `value` is no int of C. */
static int as_int(PyObject *value) {
    long n = PyLong_AsLong(value);
    if (n == -1 && PyErr_Occurred()) {
        return -1;
    }
    if (n < INT_MIN || n > INT_MAX) {
        PyErr_SetString(PyExc_OverflowError, "int does not fit C's int");
        return -1;
    }
    return (int)n;
}

static PyObject *create(PyTypeObject *type, int start) {
    PyObject *self = type->tp_alloc(type, 0);
    if (self == NULL) {
        return NULL;
    }
    ((Counter *)self)->raw = counter_new(start);
    if (raw_of(self) == NULL) {
        Py_DECREF(self);
        PyErr_SetString(PyExc_RuntimeError, "counter_new failed");
        return NULL;
    }
    return self;
}

static PyObject *new_parsed(PyTypeObject *type, PyObject *args, PyObject *Py_UNUSED(kwargs)) {
    int start;
    if (!PyArg_ParseTuple(args, "i", &start)) {
        return NULL;
    }
    return create(type, start);
}

static PyObject *new_vectorcall(PyObject *type, PyObject *const *args, size_t flags, PyObject *names) {
    if (PyVectorcall_NARGS(flags) != 1 || names != NULL) {
        PyErr_SetString(PyExc_TypeError, "Counter() takes exactly one argument");
        return NULL;
    }
    int start = as_int(args[0]);
    if (start == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return create((PyTypeObject *)type, start);
}

static void dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    counter_free(raw_of(self));
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *value(PyObject *self, void *Py_UNUSED(closure)) { return PyLong_FromLong(raw_of(self)->value); }

static PyObject *get(PyObject *self, PyObject *Py_UNUSED(none)) { return PyLong_FromLong(counter_get(raw_of(self))); }

static PyObject *plus(PyObject *self, PyObject *argument) {
    int n = as_int(argument);
    if (n == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return PyLong_FromLong(counter_plus(raw_of(self), n));
}

static PyObject *scaled(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "scaled() takes exactly two arguments");
        return NULL;
    }
    int factor = as_int(args[0]);
    if (factor == -1 && PyErr_Occurred()) {
        return NULL;
    }
    int offset = as_int(args[1]);
    if (offset == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return PyLong_FromLong(counter_scaled(raw_of(self), factor, offset));
}

static PyObject *matches(PyObject *self, PyObject *argument) {
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(argument, &length);
    if (text == NULL) {
        return NULL;
    }
    if (strlen(text) != (size_t)length) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    return PyLong_FromLong(counter_matches(raw_of(self), text));
}

static PyObject *name(PyObject *self, PyObject *Py_UNUSED(none)) {
    return PyUnicode_FromString(counter_name(raw_of(self)));
}

static PyObject *add(PyObject *self, PyObject *argument) {
    int n = as_int(argument);
    if (n == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return PyLong_FromLong(counter_add(raw_of(self), n));
}

static PyObject *sum(PyObject *Py_UNUSED(none), PyObject *const *args, Py_ssize_t count) {
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "sum() takes exactly two arguments");
        return NULL;
    }
    int a = as_int(args[0]);
    if (a == -1 && PyErr_Occurred()) {
        return NULL;
    }
    int b = as_int(args[1]);
    if (b == -1 && PyErr_Occurred()) {
        return NULL;
    }
    return PyLong_FromLong(counter_sum(a, b));
}

static PyObject *get_dial(PyObject *self, PyObject *Py_UNUSED(none)) {
    Dial *result = PyObject_New(Dial, dial_type);
    if (result != NULL) {
        result->raw = counter_dial(raw_of(self));
        result->owner = Py_NewRef(self);
    }
    return (PyObject *)result;
}

static void dealloc_dial(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    Py_DECREF(((Dial *)self)->owner);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *position(PyObject *self, PyObject *Py_UNUSED(none)) {
    return PyLong_FromLong(dial_get(((Dial *)self)->raw));
}

static PyMethodDef methods[] = {
    {"get", get, METH_NOARGS, NULL},
    {"plus", plus, METH_O, NULL},
    {"scaled", (PyCFunction)(void (*)(void))scaled, METH_FASTCALL, NULL},
    {"matches", matches, METH_O, NULL},
    /* The same functions, for the rows in which leakproof's take no keywords either. */
    {"plus_by_position", plus, METH_O, NULL},
    {"scaled_by_position", (PyCFunction)(void (*)(void))scaled, METH_FASTCALL, NULL},
    {"matches_by_position", matches, METH_O, NULL},
    {"name", name, METH_NOARGS, NULL},
    {"add", add, METH_O, NULL},
    {"dial", get_dial, METH_NOARGS, NULL},
    {"sum", (PyCFunction)(void (*)(void))sum, METH_FASTCALL | METH_STATIC, NULL},
    {0},
};

static PyGetSetDef properties[] = {{"value", value, NULL, NULL, NULL}, {0}};

static PyType_Slot slots[] = {
    {Py_tp_new, new_parsed}, {Py_tp_dealloc, dealloc}, {Py_tp_methods, methods}, {Py_tp_getset, properties}, {0, NULL},
};

static PyType_Spec parsed_spec = {"counter_c.ParsedCounter", sizeof(Counter), 0, Py_TPFLAGS_DEFAULT, slots};
static PyType_Spec vectorcall_spec = {"counter_c.Counter", sizeof(Counter), 0, Py_TPFLAGS_DEFAULT, slots};

static PyMethodDef dial_methods[] = {{"get", position, METH_NOARGS, NULL}, {0}};

static PyType_Slot dial_slots[] = {{Py_tp_dealloc, dealloc_dial}, {Py_tp_methods, dial_methods}, {0, NULL}};

static PyType_Spec dial_spec = {
    "counter_c.Dial", sizeof(Dial), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, dial_slots,
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "counter_c", .m_size = -1};

/* Adds a type to the module. The module keeps one reference, and the reference that is returned is never dropped. */
static PyTypeObject *add_type(PyObject *self, const char *attribute, PyType_Spec *spec) {
    PyObject *type = PyType_FromSpec(spec);
    return type != NULL && PyModule_AddObjectRef(self, attribute, type) == 0 ? (PyTypeObject *)type : NULL;
}

PyMODINIT_FUNC PyInit_counter_c(void) {
    PyObject *self = PyModule_Create(&module);
    if (self == NULL) {
        return NULL;
    }
    PyTypeObject *type = add_type(self, "Counter", &vectorcall_spec);
    dial_type = add_type(self, "Dial", &dial_spec);
    if (type == NULL || dial_type == NULL || add_type(self, "ParsedCounter", &parsed_spec) == NULL) {
        Py_DECREF(self);
        return NULL;
    }
    type->tp_vectorcall = new_vectorcall;
    return self;
}
