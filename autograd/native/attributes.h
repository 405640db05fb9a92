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
