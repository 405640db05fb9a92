"""Faults that `tests/mutants.py` puts into the library, one at a time: a name, a piece of source, what replaces it.

A piece of source is found in its module exactly once, which `tests/test_faults.py` checks. Each promise in a docstring
of the engine should have its fault here: if no test notices it, nothing holds the promise.
"""

Faults = dict[str, tuple[str, str]]

VALUE: Faults = {
    "two operands are assigned to": (
        "x.grad += dx * g\n                y.grad",
        "x.grad = dx * g\n                y.grad",
    ),
    "other operands are assigned to": ("                    x.grad += dx * g", "                    x.grad = dx * g"),
    "the second operand is forgotten": ("y.grad += dy * g", "pass"),
    "a hand-written step is left out": ("node._backward()\n", "pass\n"),
    "interior gradients are not reset": (
        "                node.grad = 0.0\n        self.grad = 1.0",
        "                pass\n        self.grad = 1.0",
    ),
    "leaves are reset": ("if node.op is not None or node.grad is None:", "if True:"),
    "a Value's constants are differentiated": (
        "out.parents = (self,)\n                out.partials = partials\n                return out",
        "out.parents = (self,)\n                out.partials = (2.0 * partials[0],)\n                return out",
    ),
    "partials are those of the swapped operands": (
        "(by_x(data, x, y), by_y(data, x, y))",
        "(by_x(data, y, x), by_y(data, y, x))",
    ),
    "partials of the general path are zero": ("ieee(rule, (data, *numbers)) for rule", "0.0 for rule"),
    "a bias gets no gradient": ("(*b, *a, 1.0)", "(*b, *a, 0.0)"),
    "numbers are kept as they were given": (
        "self._raw = data if type(data) is float else number(data)\n        self.grad",
        "self._raw = data\n        self.grad",
    ),
    "numbers are kept as they were assigned": (
        "self._raw = data if type(data) is float else number(data)\n\n",
        "self._raw = data\n\n",
    ),
    "backward of a leaf does not accumulate": ("self.grad = (self.grad or 0.0) + 1.0", "self.grad = 1.0"),
    "backward of a leaf stumbles over None": ("self.grad = (self.grad or 0.0) + 1.0", "self.grad += 1.0"),
    "a gradient of None is no beginning": ("node.op is not None or node.grad is None:", "node.op is not None:"),
    "the collector does not wait": ("wait_for(len(order))", "pass"),
    "backward of Values is not watched": ("if watch is not None and node.op is not None:", "if False:"),
    "the result of backward is not the seed": ("self.grad = 1.0\n        watch", "self.grad = 2.0\n        watch"),
    "a scalar has axes": ('normalize_axis(params.get("axis"), 0)', "pass"),
    "rows of arrays take Values": ("if not op.on_scalars:", "if False:"),
    "a condition has a derivative of zero": ("or None in rules:", "or False:"),
    "reductions of Values are doubled": (
        "op.weight_of(data, array, rest)[0]",
        "2 * op.weight_of(data, array, rest)[0]",
    ),
    "reductions of Values forget their parameters": ("op, values, partials, rest)", "op, values, partials)"),
    "reductions of Values take any axis": ('if params.get("axis") not in (None, 0, -1, (0,))', "if False"),
    "kept axes of Values are dropped": ('or params.get("keepdims"):', "or False:"),
    "a dot product forgets its bias": ("total = 0.0 if bias is None else items[-1]._raw", "total = 0.0"),
    "the factors of a dot product are their own partials": ("items, (*b, *a)", "items, (*a, *b)"),
    "factors of other lengths are cut": ("if len(left) != len(right):", "if False:"),
    "cotangents of constants are handed on": (
        "return [next(partials) * g if isinstance(x, Value) else None for x in operands]",
        "return [next(partials) * g for x in operands]",
    ),
    "a live rule reads numbers": ("inputs = [x if live or not need else", "inputs = [x if not need else"),
    "a live rule reads the number of the result": (
        "out = self if live else np.float64(self._raw)",
        "out = np.float64(self._raw)",
    ),
    "equal Values in a function are told apart": ("if modes.differentiating and isinstance(other, Value)", "if False"),
    "a Value is not itself": ("if self is other:\n            return True", "pass"),
    "a Value equals any of its number": (
        "isinstance(other, (Value, str, bytes, type(None)))",
        "isinstance(other, (str, bytes, type(None)))",
    ),
    "what differs is told by identity": (
        "equal if equal is NotImplemented else np.logical_not(equal)",
        "equal if equal is NotImplemented else equal",
    ),
    "the general path records in no_grad": (
        "out = Value(data)\n    if modes.recording:",
        "out = Value(data)\n    if True:",
    ),
    "the general path forgets parameters": (
        "        if params:\n            out.__dict__",
        "        if False:\n            out.__dict__",
    ),
    "constants of the general path are parents": (
        "tuple([x for x in operands if isinstance(x, Value)])\n        if params",
        "operands\n        if params",
    ),
    "the general path is not watched": (
        "if modes.watch is not None:\n        modes.watch.record(out",
        "if False:\n        modes.watch.record(out",
    ),
    "methods of one operand are not watched": (
        "if state == GENERAL:\n            return row.apply((self,), {})\n        x",
        "x",
    ),
    "methods of one operand record in no_grad": (
        "if state == CONSTANT:\n                return leaf(data)\n            partials = (slope(data, x),)",
        "partials = (slope(data, x),)",
    ),
    "methods of one operand raise": ("except (ArithmeticError, ValueError):  # where", "except KeyError:  # where"),
    "operators of two Values look at no mode": (
        "if type(other) is not Value or active.modes:",
        "if type(other) is not Value:",
    ),
    "operators of two Values raise": (
        "except (ArithmeticError, ValueError):\n            return general(row, self, other, other)",
        "except KeyError:\n            return general(row, self, other, other)",
    ),
    "operators with a number are not watched": ("and state != GENERAL) or", ") or"),
    "operators with a number record in no_grad": (
        "if state == CONSTANT:\n                    return leaf(data)\n                partials = constant",
        "partials = constant",
    ),
    "operators with a number raise": (
        "except (ArithmeticError, ValueError):\n                pass",
        "except KeyError:\n                pass",
    ),
    "swapped operands are not swapped": ("                if swapped:\n", "                if False:\n"),
    "swapped operands are recorded the other way round": (
        "(number, self) if swapped else (self, number)",
        "(self, number)",
    ),
    "a swapped operand has the partial of the other": ("i = 1 if swapped else 0", "i = 0"),
    "a constant partial is that of the first operand": ("constants(row)[i : i + 1]", "constants(row)[:1]"),
    "the general path swaps operands": (
        "return general(row, other, self, other) if swapped else general",
        "return general",
    ),
    "operands by name are ignored": ("if given or len(others) != 1:", "if len(others) != 1:"),
    "methods hide what they are": ("method.__signature__ = as_method(row, name)", "pass"),
}

GRAPH: Faults = {
    "preorder instead of topological order": (
        "            stack += (node, None)\n",
        "            order.insert(0, node)\n",
    ),
    "a node runs twice": (
        "return order\n\n\ndef between",
        "return [*order[:-1], *order[-2:]] if len(order) > 2 else order\n\n\ndef between",
    ),
    "some nodes are left out": (
        "return order\n\n\ndef between",
        "return [n for n in order if len(n.parents) != 3]\n\n\ndef between",
    ),
    "transforms overwrite shared cotangents": (
        "found[id(x)] + cotangent if id(x) in found else cotangent",
        "cotangent",
    ),
    "anything is a label": (
        'raise TypeError(f"a label is text',
        'return str(label)\n    raise TypeError(f"a label is text',
    ),
    "copies have no gradient": ("node.grad = grad", "pass"),
    "copies have no label": ("ours.__init__(node, data, label=label)", "ours.__init__(node, data)"),
    "attributes are not copied": ('getattr(self, "__dict__", None) or None', "None"),
    "results are copied": (
        'if self.op is not None:\n            raise TypeError(\n                f"this {kind.__name__}',
        'if False:\n            raise TypeError(\n                f"this {kind.__name__}',
    ),
    "results are frozen": ("if not self.is_leaf:", "if False:"),
    "anything freezes": ("if not isinstance(wanted, (bool, np.bool_)):", "if False:"),
    "nothing thaws": ("(thaw if wanted else freeze)(self)", "freeze(self)"),
    "a postorder goes through what it is to leave out": ("met: set[Node] = set(without)", "met: set[Node] = set()"),
    "variables are differentiated through": ("isinstance(x, Node)], without=wrt):", "isinstance(x, Node)]):"),
    "paths that do not begin at the variables are swept": ("if not depends.isdisjoint(node.parents):", "if True:"),
    "a result that comes twice is seeded once": ("        add(x, seed)", "        found[id(x)] = seed"),
    "rules of higher order run on numbers": ("node._cotangents(g, live), strict", "node._cotangents(g, False), strict"),
    "transformations warn": ('with np.errstate(all="ignore"):', "if True:"),
    "parts are added in place where the result is differentiated again": ("in_place = not live and", "in_place ="),
    "parts are added in place to variables": (" and not any(isinstance(seed, Traced) for seed in seeds)", ""),
    "transformations make an array for each part": ("if in_place and node", "if False and node"),
}

PARTS: Faults = {
    "a part is added to an array that others have": (
        "total = np.array(np.broadcast_to(total, x.shape), x.dtype)",
        "total = np.asarray(total)",
    ),
    "each part makes a copy": ("own.add(id(x))", "pass"),
    "a part is added to a scalar": ("total = np.asarray(total)  #", "pass  #"),
    "parts widen float32": ("np.broadcast_to(total, x.shape), x.dtype)", "np.broadcast_to(total, x.shape))"),
    "a number is no beginning": ("np.broadcast_to(total, x.shape)", "total"),
}

TENSOR: Faults = {
    "anomaly mode sees no parts": ("modes.watch is None and (x", "(x"),
    "backward makes an array for each part": ("if node.op.adds is not None and", "if False and"),
    "leaves keep the cotangent they are handed": ("self.grad = np.array(cotangent)", "self.grad = cotangent"),
    "contributions are added in place": (
        "self.grad = self.grad + cotangent",
        "self.grad = np.add(self.grad, cotangent, out=self.grad if self.grad.flags.writeable else None)",
    ),
    "leaves do not accumulate": ("if self.grad is not None:", "if self.grad is not None and self.op is not None:"),
    "interior gradients of Tensors are not reset": (
        "for node in order:\n            node.grad = None",
        "for node in order:\n            pass",
    ),
    "what an update keeps may be written to": (
        "finally:\n            array.setflags(write=False)",
        "finally:\n            pass",
    ),
    "arrays are not copied in": (
        'array = np.array(as_array(data, "a Tensor"), dtype=dtype)',
        'array = np.asarray(as_array(data, "a Tensor"), dtype=dtype)',
    ),
    "any dtype is held": ("if array.dtype not in FLOATS:", "if False:"),
    "a leaf's array is given away unnoticed": ("            memory.expose()", "            pass"),
    "data of results is assigned": (
        "    def data(self, data: Any) -> None:\n        self._only_leaves()",
        "    def data(self, data: Any) -> None:",
    ),
    "data of another shape is assigned": ("if array.shape != self._raw.shape:", "if False:"),
    "assigned data is not copied": (
        'np.array(as_array(data, "a Tensor\'s data"), dtype=self._raw.dtype)',
        'np.asarray(as_array(data, "a Tensor\'s data"), dtype=self._raw.dtype)',
    ),
    "assigned data is not announced": (
        "        self._announce()\n        self._raw = array",
        "        self._raw = array",
    ),
    "results are updated": ("        self._only_leaves()\n        self._announce()", "        self._announce()"),
    "updates are not announced": (
        "        self._announce()\n        if not self._raw.flags",
        "        if not self._raw.flags",
    ),
    "read-only arrays are updated": ("if not self._raw.flags.writeable:", "if False:"),
    "what is detached may be written to": (
        "array: Array = self._raw.view()\n        array.setflags(write=False)",
        "array: Array = self._raw.view()",
    ),
    "only the root's saved arrays are compared": (
        "for node in order:\n            if node._saved is not None and (array",
        "for node in order[-1:]:\n            if node._saved is not None and (array",
    ),
    "saved arrays are compared after the sweep has begun": (
        "        for node in order:\n            if node._saved is not None and (array",
        "        for node in order:\n            node.grad = None\n            if node._saved is not None and (array",
    ),
    "what no gradient reaches gets one": (
        "node.grad = np.zeros_like(node._raw)",
        "node.grad = np.ones_like(node._raw)",
    ),
    "backward of Tensors is not watched": (
        "if modes.watch is not None:\n                    modes.watch.check",
        "if False:\n                    modes.watch.check",
    ),
    "memory is not released by backward": ("node._saved.release()", "pass"),
    "backward warns": ('with np.errstate(all="ignore"):\n            for node', "if True:\n            for node"),
    "any shape is summed by backward": ("if self.size != 1:", "if False:"),
    "a seed keeps its dtype": (
        'np.array(as_array(seed, "backward"), dtype=self.dtype)',
        'np.array(as_array(seed, "backward"))',
    ),
    "a seed of another shape is taken": ("if array.shape != self.shape:", "if False:"),
    "the program's own seed becomes a gradient": (
        'np.array(as_array(seed, "backward"), dtype=self.dtype)',
        'np.asarray(as_array(seed, "backward"), dtype=self.dtype)',
    ),
    "a leaf keeps a view of a cotangent": (
        "cotangent.base is None and cotangent.flags.writeable",
        "cotangent.flags.writeable",
    ),
    "a leaf keeps a cotangent that cannot be written to": (
        "cotangent.base is None and cotangent.flags.writeable",
        "cotangent.base is None",
    ),
    "two leaves keep one cotangent": ("cotangent is not upstream and cotangent", "cotangent"),
    "the composition of a fused row is not recorded": (
        "with recording():\n                composed",
        "if True:\n                composed",
    ),
    "fused rows know no higher order": ("if isinstance(op, Fused):  #", "if False:  #"),
    "constants have the widest dtype": (
        "dtype = next(x._raw.dtype for x in operands if isinstance(x, Tensor))",
        "dtype = np.dtype(float)",
    ),
    "errors of NumPy are not explained": ("raise explained(error, op, arrays, params) from None", "raise"),
    "a row may hand back its operand": ("            data = data.view()", "            pass"),
    "results may be written to": ("data.setflags(write=False)\n        out", "out"),
    "frozen operands get cotangents": ("isinstance(x, Tensor) and not isinstance(x, Frozen)", "isinstance(x, Tensor)"),
    "results of constants are not constant": ("out.__class__ = frozen(Tensor)", "pass"),
    "frozen operands are no parents": (
        "out.parents = tuple([x for x in operands if isinstance(x, Tensor)])",
        "out.parents = tuple([x for x, need in zip(operands, needs, strict=True) if need])",
    ),
    "everything is saved": ("save([operands[i] for i in op.read_by(needs)])", "save(operands)"),
    "only constants are saved": ("for i in op.read_by(needs)])", "for i in op.read_by(needs) if not needs[i]])"),
    "results of Tensors are not watched": (
        "if modes.watch is not None:\n                modes.watch.record",
        "if False:\n                modes.watch.record",
    ),
    "a dot product of Tensors forgets its bias": (
        "ops.dot(stacked[0], stacked[1], bias)",
        "ops.dot(stacked[0], stacked[1], None)",
    ),
    "Tensors become of any dtype": ("if np.dtype(dtype) not in FLOATS:", "if False:"),
    "an operator in place writes while recording": (
        "if modes.recording or self.op is not None:",
        "if self.op is not None:",
    ),
    "an operator in place never writes": ("if modes.recording or self.op is not None:", "if True:"),
    "Values among Tensors are numbers": (
        '    if isinstance(x, Traced):\n        raise TypeError(\n            f"{op.name} of a Tensor',
        '    if False:\n        raise TypeError(\n            f"{op.name} of a Tensor',
    ),
    "constants keep their dtype": ("return as_floats(x, dtype) if op.differentiates(i) else x", "return x"),
}

SAVED: Faults = {
    "saved arrays are not kept": ("return Saved(versions) if versions else None", "return None"),
    "versions are never compared": ("if memory.now() != version:", "if False:"),
    "leaves may be replaced": ("        self.version += 1\n", "        pass\n"),
    "leaves that were given away may be written to": ("if self.snapshot is not None and not", "if False and not"),
    "memory thaws while others wait": ("if self.waiting <= 0:", "if True:"),
    "memory never thaws": ("            self._set_writeable(True)", "            pass"),
    "a graph that can never run holds memory": (
        "        self.waiting = 0\n        self.snapshot",
        "        self.snapshot",
    ),
    "saved memory that is not NumPy's is not compared": (
        "if self.snapshot is None:\n                self.snapshot = self.root.copy()\n            return version",
        "return version",
    ),
    "saved memory is always NumPy's": (
        "self.foreign = root.base is not None and not _thaws(root)",
        "self.foreign = False",
    ),
    "a nan has always changed": (
        "np.array_equal(self.snapshot, self.root, equal_nan=True)",
        "np.array_equal(self.snapshot, self.root)",
    ),
    "views of saved memory may be written to": (
        "if array is not self.root:\n            array.setflags(write=False)",
        "if array is not self.root:",
    ),
    "views stay read-only": ("                view.setflags(write=writeable)", "                pass"),
    "the owner of saved memory may be written to": ("self.root.setflags(write=writeable)", "pass"),
    "views that are gone are kept": ("if len(self.views) > self.room:", "if False:"),
    "a snapshot is taken too late": (
        "if self.snapshot is None:\n            self.snapshot = self.root.copy()\n        self._thaw()",
        "self._thaw()",
    ),
    "an old snapshot is kept": (
        "        self.version += 1\n        self.waiting = 0\n        self.snapshot = None",
        "        self.version += 1\n        self.waiting = 0",
    ),
    "a change leaves memory read-only": (
        "        self.snapshot = None\n        self._thaw()",
        "        self.snapshot = None",
    ),
    "readers of an old version release the new one": ("if version == self.version:", "if True:"),
    "memory is remembered for ever": ("            del _memories[id(self.root)]", "            pass"),
    "memory is forgotten while graphs live": ("        if not self.saved:", "        if True:"),
    "memory is released twice": ("            self.waiting = False\n", ""),
    "graphs that are dropped hold memory": (
        "    def __del__(self) -> None:\n        if self.waiting:",
        "    def __del__(self) -> None:\n        if False:",
    ),
    "graphs that are dropped forget nothing": ("            memory.forget()", "            pass"),
    "only memory that may be written to is saved": (
        "if array.flags.writeable or array.base is not None or replaceable or id(array) in _memories:",
        "if array.flags.writeable:",
    ),
    "memory that is saved already is not saved again": (
        " or replaceable or id(array) in _memories:",
        " or replaceable:",
    ),
    "views that are read-only are not saved": (" or array.base is not None or replaceable", " or replaceable"),
    "owners of views are not found": ("    while isinstance(root.base, np.ndarray):\n        root = root.base\n", ""),
    "leaves with read-only arrays are not saved": (
        "(replaceable or root.flags.writeable or array",
        "(root.flags.writeable or array",
    ),
    "views of read-only memory are never saved": (
        "(replaceable or root.flags.writeable or array.flags.writeable)",
        "(replaceable or array.flags.writeable)",
    ),
}

FROZEN: Faults = {
    "copies of frozen leaves are not frozen": ("    freeze(node)\n    return node", "    return node"),
    "copying thaws": ("            freeze(self)\n        return", "            pass\n        return"),
    "a subclass freezes as its base": ('kind.__dict__.get("_frozen")', 'getattr(kind, "_frozen", None)'),
    "a gradient stays when its leaf freezes": ("    node.grad = node.empty_grad\n", ""),
    "freezing does nothing": ("    node.__class__ = frozen(type(node))", "    pass"),
    "thawing does nothing": ("    node.__class__ = thawed(type(node))", "    pass"),
    "frozen leaves have a gradient of None": ("return self.empty_grad", "return None"),
}

MODES: Faults = {
    "no_grad records": ("modes.recording = False", "pass"),
    "no_grad is not undone": ("modes.recording, modes.cut = self._outer.pop()", "self._outer.pop()"),
    "levels are not cut": ("modes.cut = next(levels)", "pass"),
    "transformations obey no_grad outside": ("modes.recording = True", "pass"),
    "transformations leave recording on": ("modes.recording = self._outer", "pass"),
    "operations are never watched": ("GENERAL if watched else", "GENERAL if False else"),
    "modes hold in all threads": ("class _Modes(threading.local):", "class _Modes:"),
    "contexts are not counted": ("self.modes += 1", "pass"),
    "contexts are counted twice when they end": ("self.modes -= 1", "self.modes -= 2"),
    "no_grad is entered once": (
        "self._outer.append((modes.recording, modes.cut))",
        "self._outer = [(modes.recording, modes.cut)] * 2",
    ),
    "no_grad ends all others": (
        "modes.recording, modes.cut = self._outer.pop()",
        "modes.recording, modes.cut = True, self._outer.pop()[1]",
    ),
    "levels are not restored": (
        "modes.recording, modes.cut = self._outer.pop()",
        "modes.recording, _ = self._outer.pop()",
    ),
    "recording ends no_grad": ("        modes.recording = self._outer", "        modes.recording = True"),
}

CONTEXTS: Faults = {
    "all calls of a function share a context": ("return type(self)()", "return self"),
    "generators are outside": ("if inspect.isgeneratorfunction(function):", "if False:"),
    "coroutines are outside": ("if inspect.iscoroutinefunction(function):", "if False:"),
    "asynchronous generators are outside": ("if inspect.isasyncgenfunction(function):", "if False:"),
    "generators return nothing": ("return stop.value", "return None"),
    "what is thrown into a generator is not passed on": (
        "except BaseException as error:\n                go, given = steps.throw, error",
        "except KeyboardInterrupt as error:\n                go, given = steps.throw, error",
    ),
    "generators are closed outside": ("with self._recreate_cm():\n                    steps.close()", "steps.close()"),
    "what is sent to a generator is lost": (
        "go, given = steps.send, (yield item)",
        "go, given = steps.send, (yield item) and None",
    ),
    "asynchronous generators are closed outside": ("await self._awaited(steps.aclose())", "await steps.aclose()"),
    "what is thrown into an asynchronous generator is not passed on": ("go, given = steps.athrow, error", "raise"),
    "what is sent to an asynchronous generator is lost": (
        "go, given = steps.asend, (yield item)",
        "go, given = steps.asend, (yield item) and None",
    ),
    "decorated functions have no name": (
        "return wraps(function)(self._async_generator(function))",
        "return self._async_generator(function)",
    ),
}

CUSTOM: Faults = {
    "cotangents of foreign rows are kept": ("np.array(c) if isinstance(c, np.ndarray) else c", "c"),
    "custom operations take any number of operands": ("if len(inputs) != self.arity:", "if False:"),
    "parameters of custom operations are not copied": (
        "np.array(x) if isinstance(x, np.ndarray) else x for key",
        "x for key",
    ),
    "custom operations return any number of cotangents": ("if len(found) != self.arity:", "if False:"),
    "cotangents of custom operations are not summed": ("unbroadcast(c, x) if need", "c if need"),
    "cotangents of custom operations reach constants": (
        "if need and c is not None else None",
        "if c is not None else None",
    ),
    "custom operations read nothing": ("self.reads = (tuple(range(arity)),) * arity", "self.reads = ((),) * arity"),
    "forward mode of custom operations is doubled": (
        "seed = np.ones(()) if isinstance(g, Tensor) else 1.0",
        "seed = 2.0 * np.ones(()) if isinstance(g, Tensor) else 2.0",
    ),
    "forward mode of custom operations ends there": ("[g], live=True)", "[g], live=False)"),
    "custom operations that do not depend have no rate": ("return 0.0 if rate is None else rate", "return rate"),
    "custom operations are nameless": ('name or str(getattr(forward, "__name__", "custom"))', 'name or "custom"'),
    "custom operations have no text": ('doc or (forward.__doc__ or "").strip().split("\\n")[0]', 'doc or ""'),
}

COLLECTOR: Faults = {
    "the collector waits for nodes": ("    n *= OBJECTS\n", ""),
    "the collector is made impatient": ("first < n and first < MOST", "first < MOST"),
    "the collector waits for ever": ("min(n, MOST)", "n"),
    "thresholds of the program's own are overwritten": (" and found == _ours:", ":"),
    "the collector is turned on": ("if 0 < first < n", "if first < n"),
    "the collector is set once": ("        _ours = gc.get_threshold()", "        pass"),
}

ELSEWHERE: Faults = {
    "names that are elsewhere are listed": ("if name not in hidden or hasattr(instance, name)", ""),
    "names that were given are hidden": ("if name not in hidden or hasattr(instance, name)", "if name not in hidden"),
    "names of bases are listed": (
        "for kind in type(instance).__mro__ for name",
        "for kind in type(instance).__mro__[:1] for name",
    ),
}

ANOMALY: Faults = {
    "operands are remembered without a copy": (
        "numbers = [np.array(ops.detach(x))",
        "numbers = [np.asarray(ops.detach(x))",
    ),
    "nodes that are gone are remembered": ("built.pop(key, None)", "None"),
    "forward is not looked at": ("if made := appears(node._raw, numbers):", 'if made := "":'),
    "changes are not looked for": ("if not np.array_equal(now, before", "if False and not np.array_equal(now, before"),
    "a nan that stays is a change": (', equal_nan=before.dtype.kind == "f")', ")"),
    "backward is not looked at": ("if cotangent is not None and (made :=", "if False and (made :="),
    "a gradient that was not finite before is blamed": (
        "appears(cotangent, [np.asarray(node.grad)])",
        "appears(cotangent, [])",
    ),
    "a nan that was there is made": ("and not any(np.any(np.isnan(x)) for x in floats)", ""),
    "an infinity that was there is made": ("and not any(np.any(~np.isfinite(x)) for x in floats)", ""),
    "an infinity from a nan is made": ("np.any(~np.isfinite(x))", "np.any(np.isinf(x))"),
    "a nan from an infinity is not made": (
        "not any(np.any(np.isnan(x)) for x in floats)",
        "not any(np.any(~np.isfinite(x)) for x in floats)",
    ),
    "the line is our own": ("name.startswith((PACKAGE, NUMPY, ", "name.startswith((NUMPY, "),
    "the line is NumPy's": ("name.startswith((PACKAGE, NUMPY, ", "name.startswith((PACKAGE, "),
    "an inner anomaly mode forgets": ("modes.watch = modes.watch or Watch()", "modes.watch = Watch()"),
    "an inner anomaly mode ends the outer one": ("modes.watch = self._outer.pop()", "modes.watch = None"),
    "anomaly mode never ends": ("modes.watch = self._outer.pop()", "self._outer.pop()"),
    "anomaly mode is entered once": ("self._outer.append(modes.watch)", "self._outer = [modes.watch] * 2"),
    "labels are not shown": ("if isinstance(x, Node) and x.label else", "if False else"),
}

BYHAND: Faults = {
    "higher orders of steps by hand are constant": (
        "        if live:\n            raise",
        "        if False:\n            raise",
    ),
    "gradients are not put back": (
        "            for x, grad in held:\n                x.grad = grad",
        "            pass",
    ),
    "the gradient of the node is not put back": (
        "held = [(x, x.grad) for x in (node, *variables.values())]",
        "held = [(x, x.grad) for x in variables.values()]",
    ),
    "steps by hand add to what was there": (
        "                x.grad = 0.0\n            node._backward()",
        "                pass\n            node._backward()",
    ),
    "an operand that occurs twice is counted twice": (
        "variables.pop(id(x)).grad if id(x) in variables",
        "variables[id(x)].grad if id(x) in variables",
    ),
    "a step that was replaced runs": (
        'if (given := node._own("_backward", None)) is not None:',
        'if (given := node._own("_backward", None)) is not None and False:',
    ),
    "an operation without a step is a constant": ("return lambda: unfinished(node)", "return nothing"),
    "a step overwrites": ("x.grad = (x.grad or 0.0) + float(share)", "x.grad = float(share)"),
    "a step stumbles over None": ("x.grad = (x.grad or 0.0) + float(share)", "x.grad += float(share)"),
    "a step that was taken before changes": ("    node.op, node.partials = op, partials\n", ""),
    "a step changes its node": ("        node.op, node.partials = now", "        pass"),
    "partials are swept beside a step": ("    node.partials = None\n    node.op = row", "    node.op = row"),
    "a node with a step keeps its formula": ("    node.op = row(node.op.name, node._op)\n", ""),
    "a step that does nothing makes a result of a leaf": ("if self.is_leaf and idle(step):", "if False:"),
    "any step of a leaf does nothing": (
        "return code is not None and (code.co_code, code.co_consts[-1:]) == (_nothing.co_code, (None,))",
        "return code is not None",
    ),
    "a leaf takes no step": (
        '        if self.op is None:\n            self._record((), row(self._op or "hand", self._op), None)\n',
        "",
    ),
    "anything is a step": ("if not callable(step):", "if False:"),
    "anything is an operand": ("if not isinstance(x, kind):", "if False:"),
    "an operand that is used twice is swept twice": (
        "self._record(tuple(dict.fromkeys(operands)), row(op or",
        "self._record(operands, row(op or",
    ),
    "operations by hand record in no_grad": (
        "        if modes.recording:\n            self.op",
        "        if True:\n            self.op",
    ),
    "operations by hand are not watched": ("if modes.watch is not None:", "if False:"),
    "vectorize freezes operations by hand": ("modes.tracer.by_hand(op.name)", "pass"),
    "operands of rows are exchanged": ("if self.op is not None and not isinstance(self.op, ByHand):", "if False:"),
    "any number of factors is taken": (
        "isinstance(op, (tuple, list)) and len(op) == len(operands)",
        "isinstance(op, (tuple, list))",
    ),
    "two labels are one": (
        "            if label:\n                raise",
        "            if False:\n                raise",
    ),
    "exponents are not shown": ('return f"**{exponent}" if', "return made.infix if"),
    "a sign of the program's own is lost": ('        self.__dict__["_op"] = sign', "        pass"),
    "an explanation needs a step": ('node.partials is not None or node._own("_backward", None) is not None', "True"),
}

OPS_ROWS: Faults = {
    "a scaled gradient skips its factor of -1": ("return -g", "return g"),
    "reductions spread along the wrong axes": (
        "1 if i in axes else n for i, n in enumerate(x.shape))",
        "1 if i in axes[:1] else n for i, n in enumerate(x.shape))",
    ),
    "fused rows keep the cotangent's dtype": (
        "unbroadcast(vjp(g, out, *inputs, **params), x) if",
        "vjp(g, out, *inputs, **params) if",
    ),
    "rows read less than they do": ("return [j for j, name in enumerate(names) if name in found]", "return []"),
    "forward mode sees one operand": (
        "        return total(terms)\n\n\nclass Reduction",
        "        return total(terms[:1])\n\n\nclass Reduction",
    ),
    "products have one factor's tangent": (
        "        return total(terms)\n\n\nclass Fused",
        "        return total(terms[-1:])\n\n\nclass Fused",
    ),
    "reductions push an average": ("return (weight * t).sum(axis=axes", "return (weight * t).mean(axis=axes"),
    "operands that are joined and need no cotangent get one": (
        "grad if need else None for need, grad in zip(needs, found",
        "grad for need, grad in zip(needs, found",
    ),
    "what stands still moves": ("[still(x) if t is None else t", "[x if t is None else t"),
}

OPS_KERNELS: Faults = {
    "repeated indices overwrite": ("np.add.at(out, index, x)", "out[index] = x"),
    "repeated indices are added once": ("np.add.at(total, index, x)", "total[index] += x"),
    "parts overwrite": ("total[index] += x", "total[index] = x"),
    "parts are added in another dtype": ("x = np.asarray(x, total.dtype)", "pass"),
    "products the other way round are not turned back": ("b.T.dot(a.T).T.copy()", "b.T.dot(a.T).reshape(len(a), -1)"),
    "index arrays are not copied": ("array = np.array(part)", "array = np.asarray(part)"),
    "only arrays may name a place twice": (
        "return tuple([_fixed_part(part) for part in index]) if isinstance(index, tuple) else _fixed_part(index)",
        "return index",
    ),
}

OPS_ARRAYS: Faults = {
    "NumPy scalars widen float32": (
        "return array.item() if array.dtype.itemsize <= 8 else float(array)",
        "return array",
    ),
    "masks are dropped": ('return remedy if np.ma.is_masked(x) else ""', 'return ""'),
    "Values keep NumPy numbers": ("return float(x)\n    what", "return x\n    what"),
    "constants beside variables keep NumPy's kind": ("return float(x)\n    taker", "return x\n    taker"),
}

TRANSFORMS_DUAL: Faults = {
    "tangents are not broadcast": ("tangent = ops.broadcast_to(tangent, shape)", "pass"),
    "tangents keep their dtype": ("return ops.astype(tangent, dtype)", "pass"),
    "forward mode ignores no_grad": (
        "if level <= modes.cut:  # under `no_grad` results are constants",
        "if False:",
    ),
    "forward mode of reductions ignores no_grad": (
        "if level <= modes.cut:\n            return out\n        cells",
        "if False:\n            return out\n        cells",
    ),
    "numbers have no shape in forward mode": (
        "return np.asarray(x, dtype=float) if type(x) in (float, int, bool) else x",
        "return x",
    ),
    "transforms confuse levels": ("level = max(x.level for x in inputs", "level = min(x.level for x in inputs"),
}

TRANSFORMS_VARIABLES: Faults = {
    "results in no_grad stay in the graph": (
        "return x if modes.recording or not isinstance(x, Traced) else ops.identity(x)",
        "return x",
    ),
    "transforms reuse the outer variable": ("return ops.identity(x)", "return x"),
    "closures of an inner grad are cut": (
        "return (modes.differentiating > 0 and modes.recording) or any(",
        "return any(",
    ),
}

TRANSFORMS_MATRICES: Faults = {
    "a Hessian's columns are its rows' sums": (
        "return ops.stack(columns, axis=-1)",
        "return ops.stack([sum(columns)] * len(columns), axis=-1)",
    ),
    "a Jacobian by reverse mode is transposed": ("ops.stack(rows, axis=0)", "ops.stack(rows, axis=-1)"),
}

TRANSFORMS_FORWARD: Faults = {
    "jvp forgets the tangents of later arguments": (
        "(start(x), start(t)) for x, t in",
        "(start(x), zeros_like(t) if args else start(t)) for x, t in",
    ),
}

TRANSFORMS_REVERSE: Faults = {
    "numbers among arrays are Values": ("modes.of_arrays = outer or self.arrays", "pass"),
}

FUNCTIONS_TABLE: Faults = {
    "arguments are bound by ours": (
        "given = dict(zip(self.places, args, strict=False))",
        "given = dict(zip(inspect.signature(self.meaning).parameters, args, strict=False))",
    ),
    "arguments that are not taken are dropped": (
        "if not self._is_default(key, given.pop(key)):",
        "if given.pop(key) is table:",
    ),
}

OPS_PROBABILITIES: Faults = {
    "labels are not copied": ("own = np.array(given, dtype=np.intp)", "own = np.asarray(given, dtype=np.intp)"),
}

OPS_PRODUCTS: Faults = {
    "summed letters of length 1 are not spread": ("if n == sizes[letter])", ")"),
}

OPS_OPERATORS: Faults = {
    "nobody else is asked": (
        "return NotImplemented if is_foreign(other) else row.apply((x, y), {})",
        "return row.apply((x, y), {})",
    ),
}

OPS_SHAPES: Faults = {
    "broadcasting is not undone": ("g = g.sum(axis=tuple(range(extra)) + stretched)", "g = g"),
    "leading axes are not summed": ("tuple(range(extra)) + stretched", "stretched"),
    "stretched axes are averaged": ("g = g.sum(axis=tuple", "g = g.mean(axis=tuple"),
    "gradients keep the cotangent's dtype": ("g = g.astype(dtype)", "pass"),
    "constants have the tangent x * 0": ("return np.zeros(shape_of(x), dtype)", "return x * 0"),
    "negative axes are not counted": ("axes = tuple(int(i) % ndim for i in given)", "axes = tuple(given)"),
}

OPS_FLOATS: Faults = {
    "IEEE results raise": ("except (ArithmeticError, ValueError):\n        pass", "except KeyError:\n        pass"),
}

NATIVE: Faults = {
    "C: a product of two Values forgets one": (
        "return add(x, by_x * g) || add(y, by_y * g) ? -1 : 0;",
        "return add(x, by_x * g);",
    ),
    "C: gradients are assigned": ("    node->grad += share;", "    node->grad = share;"),
    "C: interior gradients are not reset": (
        "    if (!is_leaf(node) || node->flags & EMPTY) {\n        node->grad = 0.0;",
        "    if (!is_leaf(node) || node->flags & EMPTY) {",
    ),
    "C: leaves are reset": ("    if (!is_leaf(node) || node->flags & EMPTY) {", "    if (1) {"),
    "C: an empty gradient stays empty": (
        "        node->grad = 0.0;\n        node->flags &= ~EMPTY;\n    }\n    return 1;",
        "        node->grad = 0.0;\n    }\n    return 1;",
    ),
    "C: the operands of a node on both sides change places": (
        "        node->x = (Node *)Py_NewRef(right);\n        node->number = x;",
        "        node->x = (Node *)Py_NewRef(right);\n        node->number = y;",
    ),
    "C: a number on the left has the other partial": (
        "        if (!constant) node->by_x = by_y(data, x, y);\n    }\n    if",
        "        if (!constant) node->by_x = by_x(data, x, y);\n    }\n    if",
    ),
    "C: constants of a swapped operator are those of the first operand": (
        "*by_x = constant_slopes[node->row][node->kind == RIGHT];",
        "*by_x = constant_slopes[node->row][0];",
    ),
    "C: partials of a swapped operator are shown as the first": (
        "        int i = node->kind == RIGHT;",
        "        int i = 0;",
    ),
    "C: no_grad records": (
        "        clear_flags();\n        return (PyObject *)new_leaf(data);\n    }\n    Node *node",
        "        clear_flags();\n    }\n    Node *node",
    ),
    "C: no_grad records what has two operands": (
        "        clear_flags();\n        return (PyObject *)new_leaf(data);\n    }\n    node = new",
        "        clear_flags();\n    }\n    node = new",
    ),
    "C: no_grad records sums": (
        "Node *node = state == NO_GRAD ? new_leaf(data) : new_computed",
        "Node *node = 0 ? new_leaf(data) : new_computed",
    ),
    "C: watched operations are not told": (
        "    if (state == GENERAL) return apply_operator(row, left, right);\n",
        "",
    ),
    "C: watched operations of one operand are not told": (
        "if (!is_value(self) || state == GENERAL)",
        "if (!is_value(self))",
    ),
    "C: a watched backward is not watched": (
        '    if (state == GENERAL) return PyObject_CallMethod(scalar, "backward", "O", self);\n',
        "",
    ),
    "C: who reads a number is not told": (
        "    if (state == GENERAL) {\n        PyObject *traced",
        "    if (0) {\n        PyObject *traced",
    ),
    "C: what reads a number quickly is not told": (
        "if (name == name_data && state != GENERAL)",
        "if (name == name_data)",
    ),
    "C: who makes a leaf is not told": (
        "    if (state == GENERAL) {\n        if ((done",
        "    if (0) {\n        if ((done",
    ),
    "C: a frozen leaf gets a gradient": (
        "    if (!is_plain(node)) return add_slowly(node, share);\n",
        "",
    ),
    "C: the bias of a dot product has no gradient": (
        "if (has_bias) many->partials[2 * n] = 1.0;",
        "if (has_bias) many->partials[2 * n] = 0.0;",
    ),
    "C: the factors of a dot product keep their own numbers": (
        "        many->partials[i] = q;\n        many->partials[n + i] = p;",
        "        many->partials[i] = p;\n        many->partials[n + i] = q;",
    ),
    "C: a dot product begins at 0": (
        "double total = has_bias ? many->operands[2 * n]->data : 0.0;",
        "double total = 0.0;",
    ),
    "C: a sum adds from the left": (
        "    Py_ssize_t i = 0;\n    if (count < 8) {",
        "    Py_ssize_t i = 0;\n    if (1) {",
    ),
    "C: a sum of many is not halved": ("    if (count > 128) {", "    if (0) {"),
    "C: the order of a sweep is another": (
        "return push_new(stack, node->x) || push_new(stack, node->y);",
        "return push_new(stack, node->y) || push_new(stack, node->x);",
    ),
    "C: a step written by hand is left out": (
        "    if (record->partials == Py_None) { /* written by hand */",
        "    if (0) {",
    ),
    "C: a label is lost": (
        "    node->kind = (unsigned)kind;\n    node->flags &= ~CONSTANT;",
        "    node->flags &= ~CONSTANT;",
    ),
    "C: a node with attributes is not watched for cycles": (
        "    if (!(node->flags & COMPUTED) && !PyObject_GC_IsTracked(self)) PyObject_GC_Track(self);",
        "",
    ),
    "C: a node that is begun again stays what it was": ("    become_leaf(node);\n", ""),
    "C: a constructor of the program's own is left out": (
        "return ValueType->tp_init == node_init && ValueType->tp_new == node_new;",
        "return 1;",
    ),
    "C: a __del__ of the program's own is left out": (
        "    if (ValueType->tp_finalize != NULL && is_value(self) && is_kept(node)) return;",
        "",
    ),
    "C: a step written by hand needs a gradient to hand on nothing": ("    if (count > 0 && (fits", "    if ((fits"),
    "C: one thread waits for another to free": (
        "OF_THREAD Node *waiting;\nOF_THREAD int freeing;",
        "static Node *waiting;\nstatic int freeing;",
    ),
    "C: weak references are not told": ("    if (node->weak != NULL) PyObject_ClearWeakRefs(self);\n", ""),
    "C: operands are never freed": (
        "    let_go(node->kind, node->x, node->y);\n    if (node->flags",
        "    if (node->flags",
    ),
    "C: memory is never given back": ("        free_cell(node);\n        return;", "        return;"),
    "C: slabs are never given back": ("    if (--slab->used == 0 ||", "    if (0 && --slab->used == 0 ||"),
    "C: a slab with nodes in it is given back": (
        "    } else if (slab->used > 0) {",
        "    } else if (slab->used > FEW_CELLS) {",
    ),
    "C: the class is counted by every node": (
        "    if (!(flags & COMPUTED)) Py_INCREF(ValueType);",
        "    Py_INCREF(ValueType);",
    ),
    "C: an attribute goes before a property": (
        "if (found != NULL && !is_property(type, name)) return",
        "if (found != NULL) return",
    ),
    "C: computed nodes change their class": (
        '    if (value != NULL && ((Node *)self)->flags & COMPUTED) {\n        PyErr_SetString(PyExc_TypeError, "only',
        '    if (0) {\n        PyErr_SetString(PyExc_TypeError, "only',
    ),
    "C: a large int is a Value's number": (
        "            PyErr_Clear();\n            return 0;\n        }\n        return 1;",
        "            PyErr_Clear();\n            *number = 0.0;\n        }\n        return 1;",
    ),
    "C: flags of the processor stay": (
        "    if (fetestexcept(FE_DIVBYZERO | FE_OVERFLOW | FE_INVALID)) feclearexcept(FE_ALL_EXCEPT);",
        "",
    ),
    "C: pow with a modulus is taken for pow": ("    if (modulus != Py_None) Py_RETURN_NOTIMPLEMENTED;\n", ""),
    "C: a remainder has the sign of x": (
        "return rest != 0.0 && (y < 0.0) != (rest < 0.0) ? rest + y : rest;",
        "return rest;",
    ),
    "C: a quotient is rounded towards 0": ("if (rest != 0.0 && (y < 0.0) != (rest < 0.0)) quotient -= 1.0;", ""),
    "C: comparisons of ints are rounded": (
        "known = as_number(right, &y) && PyFloat_CheckExact(right);",
        "known = as_number(right, &y);",
    ),
}
"""Faults of the C in autograd/native. They are compiled, and run by the tests of both forms."""

FAULTS: dict[str, Faults] = {
    "autograd.engine.value": VALUE,
    "autograd.engine.graph": GRAPH,
    "autograd.engine.parts": PARTS,
    "autograd.engine.tensor": TENSOR,
    "autograd.engine.saved": SAVED,
    "autograd.engine.frozen": FROZEN,
    "autograd.engine.modes": MODES,
    "autograd.engine.contexts": CONTEXTS,
    "autograd.engine.custom": CUSTOM,
    "autograd.engine.collector": COLLECTOR,
    "autograd.engine.elsewhere": ELSEWHERE,
    "autograd.engine.anomaly": ANOMALY,
    "autograd.engine.byhand": BYHAND,
    "autograd.ops.rows": OPS_ROWS,
    "autograd.ops.kernels": OPS_KERNELS,
    "autograd.ops.arrays": OPS_ARRAYS,
    "autograd.transforms.dual": TRANSFORMS_DUAL,
    "autograd.transforms.variables": TRANSFORMS_VARIABLES,
    "autograd.transforms.matrices": TRANSFORMS_MATRICES,
    "autograd.transforms.forward": TRANSFORMS_FORWARD,
    "autograd.transforms.reverse": TRANSFORMS_REVERSE,
    "autograd.functions.table": FUNCTIONS_TABLE,
    "autograd.ops.probabilities": OPS_PROBABILITIES,
    "autograd.ops.products": OPS_PRODUCTS,
    "autograd.ops.operators": OPS_OPERATORS,
    "autograd.ops.shapes": OPS_SHAPES,
    "autograd.ops.floats": OPS_FLOATS,
}
