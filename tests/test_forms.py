"""Both forms of `Value`, C and Python, give the same numbers, to the last bit; and one of them always runs."""

import gc
import json
import math
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
import weakref
from inspect import signature
from pathlib import Path
from typing import Any

import forms
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd
from autograd import Value, no_grad, ops
from autograd.native import form, notation
from autograd.ops.operators import ALIASES, method_names
from autograd.ops.rows import Elementwise
from autograd.ops.signatures import as_method

ROOT = Path(__file__).parent.parent
in_c = pytest.mark.skipif(not autograd.compiled, reason="Values run in Python here")
EDGES = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 1e300, -1e300, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0]
POINTS = [*EDGES, 1e-9, 0.1, -0.7, 1.3, 2.7, -2.2, 17.0, 40.5, -41.0, 710.0, -745.0, 1e16, math.pi, -math.pi / 2]
ROWS = [row for row in ops.ROWS.values() if isinstance(row, Elementwise) and None not in row.partials]
UNARY, BINARY = ([row.name for row in ROWS if row.arity == n] for n in (1, 2))


@pytest.fixture(scope="module")
def in_python():
    process = forms.InPython()
    yield process
    process.close()


def both(program, in_python):
    """The results, after they were compared."""
    found, expected = forms.results(program), in_python.results(program)
    for i, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        assert ours == theirs, f"node {i} of {program}"
    return found


@in_c
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_gives_the_same_bits(row, in_python):
    """By its operator or method, and as a function: for each pattern of Values and numbers, at each point."""
    points = [x.hex() for x in (POINTS if row.arity < 3 else EDGES[:9])]
    for calls in ([row.name], ["function", row.name]):
        program: list[list[Any]] = []
        count = 0  # of nodes
        patterns = [["v"]] if row.arity == 1 else [["v", "v"], ["v", "c"], ["c", "v"]]
        for pattern in patterns if row.arity < 3 else [["v", "v", "v"], ["c", "v", "c"]]:
            for x in points:
                for y in points if row.arity > 1 else [""]:
                    operands: list[Any] = []
                    for kind, number in zip(pattern, [x, y, points[len(program) % len(points)]], strict=False):
                        if kind == "v":
                            program.append(["leaf", number])
                            operands.append(count)
                            count += 1
                        else:
                            operands.append(number)
                    program += [[*calls, *operands], ["backward", count]]
                    count += 1
        both(program, in_python)


numbers = st.sampled_from(EDGES) | st.floats(-3.0, 3.0)


@st.composite
def programs(draw):
    """Graphs whose nodes share operands, with everything between them that programs do to nodes."""
    count = draw(st.integers(1, 4))
    program = [["leaf", draw(st.floats(-3.0, 3.0)).hex()] for _ in range(count)]
    leaves = set(range(count))

    def node():
        return draw(st.integers(0, count - 1))

    def anything():
        return draw(st.one_of(st.integers(0, count - 1), numbers.map(float.hex), st.integers(-3, -1)))

    for _ in range(draw(st.integers(1, 25))):
        kind = draw(st.sampled_from(["unary", "binary", "arithmetic", "arithmetic", "many", "other", "change"]))
        made = True
        if kind == "unary":
            program.append([draw(st.sampled_from(UNARY)), node()])
        elif kind in ("binary", "arithmetic"):
            row = draw(st.sampled_from(["add", "sub", "mul", "div", "power"] if kind == "arithmetic" else BINARY))
            operands = [node(), anything()]
            program.append([row, *(operands if draw(st.booleans()) else operands[::-1])])
        elif kind == "many":
            n = draw(st.integers(1, 3))
            items = [node(), *[anything() for _ in range(2 * n - 1)]]
            program.append(draw(st.sampled_from([["dot", *items], ["dot", *items, node()], ["sum", *items]])))
        elif kind == "other":
            how = draw(st.sampled_from(["leaf", "constant", "by hand", "partials"]))
            program.append([how, draw(st.floats(-3.0, 3.0)).hex()] if how == "leaf" else [how, node()])
            if how in ("leaf", "constant"):
                leaves.add(count)
        else:
            made = False
            how = draw(st.sampled_from(["label", "freeze", "thaw", "set", "empty", "grad", "backward"]))
            at = draw(st.sampled_from(sorted(leaves))) if how in ("freeze", "thaw", "empty") else node()
            program.append([how, at, draw(numbers).hex()] if how in ("set", "grad") else [how, at])
        count += made
    return [*program, ["backward", count - 1]]


@in_c
@given(program=programs())
def test_graphs_have_the_same_bits(program, in_python):
    """The numbers and the gradients of all nodes, and what each was computed from."""
    both(program, in_python)


def large_program(rng, count=200):
    """Many nodes that share operands: a leaf's gradient has many terms, and the order in which they come matters."""
    program = [["leaf", rng.uniform(-1, 1).hex()] for _ in range(5)]
    while len(program) < count:
        n = len(program)
        near = [rng.randrange(max(0, n - 12), n) if rng.random() < 0.6 else rng.randrange(n) for _ in range(5)]
        kind = rng.choice(["add", "mul", "sub", "tanh", "dot", "sum", "maximum", "number"])
        if kind == "number":
            program.append(["mul", near[0], rng.uniform(-1, 1).hex()])
        elif kind == "tanh":
            program.append([kind, near[0]])
        else:
            program.append([kind, *(near if kind in ("dot", "sum") else near[:2])])
    return [*program, ["sum", *range(count // 2, count)], ["backward", count]]


@in_c
@pytest.mark.parametrize("seed", range(10))
def test_large_graphs_have_the_same_bits(seed, in_python):
    both(large_program(random.Random(seed)), in_python)


@in_c
def test_sums_are_made_in_c_and_are_numpys():
    """NumPy adds in pairs of halves. If another NumPy does not, sums of Values are left to Python."""
    rng = random.Random(0)
    for n in [*range(1, 40), 127, 128, 129, 136, 255, 256, 257, 300, 1000, 5000]:
        numbers = [rng.gauss(0, 1) * 10 ** rng.randint(-5, 5) for _ in range(n)]
        expected = float(np.sum(numbers))
        assert form.choose()[0].sum_if(numbers, expected)
        assert autograd.sum([Value(x) for x in numbers]).data == expected
    assert not form.choose()[0].sum_if([1.0, 2.0], 4.0)
    assert autograd.sum([Value(1.0), Value(2.0)]).data == 3.0
    assert form.choose()[0].sum_if([1.0, 2.0], 3.0)


def ran_anything(*arguments, **environment):
    """What programs of anything.py see, one a line."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-X", "faulthandler", str(ROOT / "tests" / "anything.py"), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


@in_c
def test_programs_see_the_same_in_both_forms():
    """Results, errors and what they say, and everything that can be seen of the nodes."""
    ours, theirs = ran_anything("0", "60"), ran_anything("0", "60", CHAINRULE_PURE="1")
    assert len(ours) == len(theirs) == 60
    for seed, (found, expected) in enumerate(zip(ours, theirs, strict=True)):
        for i, (event, other) in enumerate(zip(map(str, found), map(str, expected), strict=True)):
            assert event[:500] == other[:500] and event == other, f"program {seed}, event {i}"


@in_c
def test_programs_live_whatever_runs_in_between():
    assert ran_anything("0", "30", "wild") == [[]] * 30


# -------------------------------------------------------------------------------------------------- the compiled node


@in_c
def test_the_class_is_compiled():
    assert Value.__flags__ and type(Value.backward).__name__ == "method_descriptor"
    assert repr(Value(2.0) * 3.0) == "Value(data=6.0, grad=0.0)"


@in_c
def test_a_node_takes_one_cache_line_or_a_quarter_more():
    x = Value(2.0)
    assert Value.__basicsize__ == 64
    assert not gc.is_tracked(x * x) and not gc.is_tracked(x)


def chain(n):
    x = y = Value(0.5)
    for _ in range(n):
        y = y + x
    return y


@in_c
@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="the sanitizer keeps what was freed for a while")
def test_nodes_and_their_class_are_given_back():
    """Two hundred thousand nodes, ten times over: they would be 130 MB if they stayed."""
    resource: Any = pytest.importorskip("resource")
    chain(200_000)
    memory, references = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, sys.getrefcount(Value)
    for _ in range(10):
        chain(200_000)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 40_000 * (
        1024 if sys.platform == "darwin" else 1
    )
    assert abs(sys.getrefcount(Value) - references) < 100


def test_pow_takes_no_modulus():
    with pytest.raises(TypeError):
        pow(Value(2.0), 3.0, 5.0)  # type: ignore[call-overload]


def test_ints_are_compared_exactly():
    x = Value(2.0**53)
    assert x < 2**53 + 1 and not x >= 2**53 + 1 and x > 2**53 - 1


def test_a_long_chain_is_swept_and_freed_without_recursion():
    y = chain(300_000)
    y.backward()
    assert y.data == 150_000.5
    last = weakref.ref(y)
    del y
    assert last() is None


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="Windows has no such timer")
def test_ctrl_c_ends_a_long_sweep():
    """Within it, not after it: then the leaf would have its whole gradient."""
    n = 3_000_000 if autograd.compiled else 200_000
    y = chain(n)
    x = y.parents[1]

    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            y.backward()
            time.sleep(5)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert x.grad < n + 1
    y.backward()  # as if nothing had been
    assert y.grad == 1.0


def test_a_cycle_through_a_hand_written_step_is_collected():
    """As micrograd's programs make them: the step refers to its own node."""
    x = Value(2.0)
    gone = [weakref.ref(forms.by_hand(x)) for _ in range(50)]
    gc.collect()
    assert not any(ref() for ref in gone)


def test_a_leaf_that_refers_to_its_own_graph_is_collected_if_it_can_be():
    x: Any = Value(2.0)
    x.me = x
    gone = weakref.ref(x)
    del x
    gc.collect()
    assert gone() is None


CYCLES = {
    "a leaf and what was computed from it by hand": lambda x: setattr(x, "own", Value(1.0, (x,), (2.0,))),
    "a leaf and what was computed from it by NumPy": lambda x: setattr(x, "own", autograd.prod([x, x])),
    "a leaf and a list": lambda x: setattr(x, "own", [x]),
    "a leaf that is its own operand": lambda x: setattr(x, "parents", (x,)),
    "a step of one's own": lambda x: setattr(x, "own", forms.by_hand(x)),
}


@pytest.mark.parametrize("tie", CYCLES.values(), ids=CYCLES)
def test_cycles_are_collected(tie):
    x = Value(2.0)
    tie(x)
    gone = weakref.ref(x)
    del x
    gc.collect()
    assert gone() is None


def test_weak_references_see_a_node_go_at_once():
    seen: list[Any] = []
    x = Value(2.0)
    y = x * x
    ref = weakref.ref(y, seen.append)
    del y
    assert seen == [ref]


def test_a_callback_may_build_and_free_graphs():
    x = Value(2.0)
    y = x * x + 1.0
    kept = weakref.ref(y, lambda _: (chain(50) * 2.0).backward())
    del y
    assert kept() is None


@in_c
def test_only_leaves_change_their_class():
    class Own(Value):
        __slots__ = ()

    x = Value(2.0)
    x.__class__ = Own
    assert type(x) is Own
    with pytest.raises(TypeError, match="only leaves"):
        (Value(2.0) * 3.0).__class__ = Own


def test_what_a_node_is_made_of_can_be_changed_but_not_broken():
    x: Any = Value(2.0)
    y = Value(3.0)
    z = x * y
    with pytest.raises((TypeError, AttributeError)):
        del z.data
    z.operands = z.parents = (x,)
    z.partials = (5.0,)
    z.backward()
    assert (x.grad, y.grad) == (5.0, 0.0)
    with pytest.raises(TypeError, match=r"number|float"):
        x.data = "two"
    assert x.data == 2.0


def test_attributes_of_the_programs_own():
    """As those of any object: what the class has as a property goes before them, its methods do not."""
    x: Any = Value(2.0)
    x.momentum, x.tanh = 0.5, "mine"
    x.__dict__["op"] = "no row"
    assert (x.momentum, x.tanh, x.op) == (0.5, "mine", None)
    assert vars(x) == {"momentum": 0.5, "tanh": "mine", "op": "no row"}
    del x.momentum, x.tanh
    assert x.tanh().data == math.tanh(2.0)
    for name in ("momentum", "nothing"):
        with pytest.raises(AttributeError, match=name):
            getattr(x, name)
        with pytest.raises(AttributeError, match=name):
            delattr(x, name)


@in_c
@pytest.mark.parametrize("name", ["op", "operands", "parents", "partials", "grad", "data"])
def test_fields_refuse_what_would_crash(name):
    z: Any = Value(2.0) * Value(3.0)
    with pytest.raises((TypeError, AttributeError)):
        delattr(z, name)
    if name not in ("op", "grad", "data"):
        with pytest.raises(TypeError):
            setattr(z, name, [1.0])
    if name == "parents":
        with pytest.raises(TypeError, match="Values"):
            z.parents = (1.0,)


class Watched(Value):
    """A program is told when a gradient comes."""

    __slots__ = ()
    told = staticmethod(lambda: None)

    @property
    def grad(self):
        return Value.__dict__["grad"].__get__(self)

    @grad.setter
    def grad(self, number):
        Value.__dict__["grad"].__set__(self, number)
        self.told()


MADE = {
    "a product": lambda x: x * Value(2.0),
    "a product with a number": lambda x: 3.0 * x,
    "a method": lambda x: x.tanh(),
    "a sum of many": lambda x: autograd.sum([x, *(Value(float(i)) for i in range(50))]),
    "a dot product": lambda x: autograd.dot([x] * 30, [Value(float(i)) for i in range(30)]),
}


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_a_node_may_change_while_it_hands_on_its_gradient(make, monkeypatch):
    """One of its operands lets go of everything that the node was made of."""
    x = Value(1.0)
    z = make(x)
    x.__class__ = Watched

    def told():
        z.operands = z.parents = z.partials = ()

    monkeypatch.setattr(Watched, "told", staticmethod(told))
    expected = sum(dx for parent, dx in zip(z.parents, z.partials, strict=True) if parent is x)
    (z * 1.0).backward()
    assert (z.parents, x.grad) == ((), expected)


@pytest.mark.parametrize("name", ["parents", "operands", "partials", "__dict__", "_prev"])
@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_a_node_may_change_while_it_is_read(make, name):
    """Where Python's collector runs while a tuple is made, any program may run."""
    changing: list[Any] = []

    def change(phase, info):
        for z in changing:
            z.__init__(1.0)

    threshold = gc.get_threshold()
    gc.callbacks.append(change)
    try:
        gc.set_threshold(1)
        for _ in range(20):
            z = make(Value(1.0))
            changing[:] = [z]
            kept: list[Any] = [([], getattr(z, name)) for _ in range(5)]
            changing.clear()
            assert len(kept) == 5
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(change)


@in_c
def test_a_name_may_compare_itself_in_its_own_way():
    """And meanwhile take away what it is looked up in. An object of a class in Python does not live through this."""

    class Name(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other):
            x.__dict__ = {}
            return str.__eq__(self, other)

    x: Any = Value(1.0)
    for use in (getattr, delattr, lambda x, name: setattr(x, name, [2])):
        for node in (Value(1.0), Value(1.0) * 2.0):
            x = node
            x.some_name = [1]
            use(x, Name("some_name"))


@pytest.mark.parametrize("make", [*MADE.values(), forms.by_hand], ids=[*MADE, "by hand"])
def test_a_node_that_is_begun_again_is_a_leaf(make):
    x: Any = Value(1.0)
    z: Any = make(x)
    z.label = "z"
    z.__init__(5.0)
    assert z.is_leaf and (z.op, z.operands, z.parents, z.partials) == (None, (), (), ())
    assert (z.data, z.grad, z.label) == (5.0, 0.0, "z")
    gone = weakref.ref(x)
    del x
    if make is not forms.by_hand:  # its step refers to x
        assert gone() is None
    z.backward()
    z.backward()
    assert z.grad == 2.0


def test_the_dictionary_of_attributes_can_be_exchanged():
    for x in (Value(1.0), Value(1.0) * 2.0):
        node: Any = x
        mine = {"a": 1}
        node.__dict__ = mine
        assert (node.a, vars(node)) == (1, mine)
        node.b = 2
        assert mine == {"a": 1, "b": 2}
        with pytest.raises(TypeError, match="must be set to a dictionary, not a 'int'"):
            node.__dict__ = 5
        del node.__dict__
        assert vars(node) == {} and not hasattr(node, "a")


def test_programs_may_replace_what_the_class_has(monkeypatch):
    """Its constructor, its operators and methods, and what happens at the end of a node."""
    made, gone = [], []
    begin = Value.__init__

    def counted(self, *args, **kwargs):
        made.append((args, kwargs))
        begin(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(Value, "__init__", counted)
        assert (Value(2.0).data, Value(3.0, label="x").label) == (2.0, "x")
        patch.setattr(Value, "__add__", lambda self, other: "added")
        patch.setattr(Value, "tanh", lambda self: "mine")
        assert Value(1.0) + 2.0 == "added" and Value(1.0).tanh() == "mine"
    assert made == [((2.0,), {}), ((3.0,), {"label": "x"}), ((1.0,), {}), ((1.0,), {})]
    assert (Value(1.0) + 2.0).data == 3.0 and Value(0.0).tanh().data == 0.0
    kept = []
    with monkeypatch.context() as patch:
        patch.setattr(Value, "__del__", lambda self: gone.append(self.data), raising=False)
        x = Value(2.0)
        y = x * 3.0
        del y
        assert gone == [6.0]
        patch.setattr(Value, "__del__", lambda self: kept.append(self))
        y = x * 4.0
        del y
        assert kept[0].data == 8.0 and kept[0].parents == (x,)
    kept.clear()
    del x
    assert gone == [6.0] and (Value(2.0) * 3.0).data == 6.0


def test_dot_is_a_function_like_others():
    class Pair(tuple[Value, ...]):
        __slots__ = ()
        dot = autograd.dot

    x, y = Value(2.0), Value(3.0)
    assert Pair((x, y)).dot([1.0, 2.0]).data == 8.0
    assert Pair.dot([x], [y]).data == 6.0
    assert weakref.ref(autograd.dot)() is autograd.dot
    assert pickle.loads(pickle.dumps(autograd.dot)) is autograd.dot


@pytest.mark.parametrize("row", [row for row in ROWS if row.arity < 3], ids=lambda row: row.name)
def test_help_and_editors_know_what_methods_take(row):
    for name in method_names(row):
        if name[0] != "_":
            expected = as_method(row, name).parameters.values()
            for alias in (name, *ALIASES.get(name, ())):
                found = signature(getattr(Value, alias)).parameters.values()
                assert [(x.name, x.default) for x in found] == [(x.name, x.default) for x in expected]
                assert row.summary in getattr(Value, alias).__doc__


def test_help_and_editors_know_the_class():
    assert list(signature(Value).parameters) == ["data", "_children", "_op", "label"]
    assert signature(Value).parameters["data"].default == 0.0
    assert str(signature(Value(1.0).backward)) in ("()", "() -> 'None'")
    assert str(Value.__doc__).startswith("One number in") and str(Value.backward.__doc__).startswith("Set `grad`")

    class Own(Value):
        def __init__(self, name):
            super().__init__(1.0, label=name)

    assert list(signature(Own).parameters) == ["name"]
    with pytest.raises(TypeError, match=r"^'Value' object is not subscriptable"):
        Value(1.0)[0]  # type: ignore[index]


@pytest.mark.parametrize(
    "again",
    [
        "for name in [x for x in sys.modules if x.partition('.')[0] == 'autograd']: del sys.modules[name]",
        "importlib.reload(sys.modules['autograd.engine.value'])",
    ],
    ids=["the library", "one module"],
)
def test_a_program_may_import_it_again(again):
    """The Values of both imports work; those of the second run in Python."""
    code = f"""
import importlib, sys, autograd
before = autograd.Value(2.0) * 3.0
{again}
import autograd.engine.value
x = autograd.engine.value.Value(5.0)
(x * x).backward()
before.backward()
print(before.grad, x.grad)
"""
    assert ran(ROOT, code) == ("1.0 10.0", "")


def test_a_step_with_nothing_below_needs_no_gradient():
    """Another step may have emptied it."""
    x, y = Value(1.0), Value(2.0)
    out = Value(3.0, (y, x), "+")

    def step():
        y.grad = x.grad = None

    out._backward = step
    y.label = x.label = "changed"
    (out * 1.0).backward()
    assert x.grad is None and y.grad is None


def test_a_waiting_end_of_a_node_keeps_no_other_thread_from_freeing():
    """What a program has in its attributes may take its time when it goes."""
    begun, go_on, gone = threading.Event(), threading.Event(), threading.Event()

    class Slow:
        def __del__(self):
            begun.set()
            go_on.wait(60)

    class Quick:
        def __del__(self):
            gone.set()

    def work():
        x: Any = Value(1.0)
        x.slow = Slow()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert begun.wait(60)
        y: Any = Value(2.0)
        y.quick = Quick()
        del y
        assert gone.is_set()
    finally:
        go_on.set()
        thread.join()


def test_each_thread_has_its_own_state():

    found = []

    def other():
        found.append((Value(2.0) * 3.0).is_leaf)

    with no_grad():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        found.append((Value(2.0) * 3.0).is_leaf)
    found.append((Value(2.0) * 3.0).is_leaf)
    assert found == [False, True, False]


@in_c
@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell the peak of a process in this way")
def test_memory_is_given_back():
    """Graphs of a million nodes one after another take no more than the first few."""
    code = """
import resource
from autograd import Value
def graph(n):
    x = y = Value(0.5, label="x")
    for _ in range(n // 8):
        y = (y * x + 1.0).tanh() - x.relu()
        y = y / 2.0 + x * 3.0
    y.backward()
for _ in range(3):
    graph(1_000_000)
first = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(5):
    graph(1_000_000)
last = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(last - first, first)
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    grown, first = map(int, run.stdout.split())
    assert grown < first / 50


EVERYTHING = """
import gc, resource, sys
import autograd
from autograd import Value, no_grad
def by_hand(x):
    out = Value(x.data ** 2, (x,), "sq")
    def _backward():
        x.grad += 2 * x.data * out.grad
    out._backward = _backward
    return out
class Own(Value):
    pass
shared, frozen, own = Value(0.5), Value(2.0), Own(3.0)
frozen.requires_grad = False
def everything(i):
    x, y = Value(0.5, label="x"), Value(i)
    z = (x * y + 1.0).tanh() - shared.relu() / 2 + 3 ** x + frozen * x + own * y
    z = z + autograd.dot([x, y, 2.0], [shared, 3, z], x) + autograd.sum([x, y, z]) + autograd.exp(x).maximum(y=0.25)
    z.label, z.note = "z", [z.parents, z.partials, z.operands]
    z.backward()
    with no_grad():
        w = z * 2 + x
    w.grad = None
    x < y, y >= 0.5, repr(z), z.op
    for wrong in (lambda: x + "a", lambda: Value("a"), lambda: x.tanh(1), lambda: autograd.dot([x], [y, z]),
                  lambda: x.leaky_relu(slope="a"), lambda: Value(1.0, (2.0,), "+"), lambda: setattr(x, "data", "a")):
        try:
            wrong()
        except (TypeError, ValueError):
            pass
        else:
            raise AssertionError
    if i % 10 == 0:
        by_hand(z * 1.0).backward()
rounds = {rounds}
for i in range(rounds // 4):
    everything(i)
gc.collect()
before = sys.getallocatedblocks(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for i in range(rounds):
    everything(i)
gc.collect()
after = sys.getallocatedblocks(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(*[b - a for a, b in zip(before, after)], sys.getrefcount(Value))
"""


@pytest.mark.parametrize("rounds", [2_000, pytest.param(100_000, marks=pytest.mark.slow)])  # some ten graphs a round
@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell the peak of a process in this way")
def test_nothing_leaks(rounds):
    """Of all kinds of nodes, and of what is refused. `z.note` holds what z was made of, which is no cycle."""
    code = EVERYTHING.replace("{rounds}", str(rounds))
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    blocks, kilobytes, references = map(int, run.stdout.split())
    assert abs(blocks) < 1_000 and kilobytes < 2_000 and references < 1_000


# -------------------------------------------------------------------------------------------------- the choice of form


def test_the_generated_c_is_that_of_the_table():
    """If not, `make native` writes it again."""
    assert form.WRITTEN.read_text(encoding="utf-8") == notation.text()


@pytest.fixture
def copy(tmp_path):
    """The packages in a folder of their own, with what builds them."""
    shutil.copytree(ROOT / "autograd", tmp_path / "autograd", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def ran(folder, code, *options, **environment):
    """What a program prints in a folder, and what it complains about."""
    run = subprocess.run(
        [sys.executable, *options, "-c", code],
        cwd=folder,
        env={**{k: x for k, x in os.environ.items() if k != "CHAINRULE_PURE"}, "PYTHONPATH": ".", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip(), run.stderr


SAYS = "import autograd; x = autograd.Value(2.0); (x * x).backward(); print(autograd.compiled, x.grad)"


@in_c
def test_an_edited_table_runs_in_python_and_says_so_once(copy):
    """The formula in use is that of the table, not the one that was compiled."""
    assert ran(copy, SAYS) == ("True 4.0", "")
    path = copy / "autograd" / "ops" / "elementwise.py"
    text = path.read_text(encoding="utf-8")
    rule = "lambda x, y: x * y,\n    lambda out, x, y: y,"
    assert text.count(rule) == 1
    path.write_text(text.replace(rule, "lambda x, y: x * y,\n    lambda out, x, y: 10 * y,"), encoding="utf-8")
    out, complaint = ran(copy, SAYS)
    assert out == "False 22.0"
    assert complaint.count("make native") == 1
    assert ran(copy, SAYS, CHAINRULE_PURE="1") == ("False 22.0", "")


@pytest.mark.parametrize("compiler", ["/bin/false", "/no/such/compiler"])
def test_without_a_compiler_the_installation_goes_on(copy, compiler):
    pytest.importorskip("setuptools", minversion="77")
    for path in (copy / "autograd" / "native").glob("_value*"):
        path.unlink()
    run = subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"],
        cwd=copy,
        env={**os.environ, "CC": compiler},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert ran(copy, SAYS) == ("False 4.0", "")
    said, _ = ran(copy, "import runpy; runpy.run_module('autograd.native', run_name='__main__')")
    assert said.startswith("Values run in Python: the compiled form was not built")


def test_python_is_chosen_where_c_cannot_run(monkeypatch):
    monkeypatch.delenv("CHAINRULE_PURE", raising=False)
    known = sysconfig.get_config_var
    monkeypatch.setattr(sysconfig, "get_config_var", lambda name: 1 if name == "Py_GIL_DISABLED" else known(name))
    assert form.choose()[0] is None and "global lock" in form.choose()[1]
    monkeypatch.undo()
    monkeypatch.delenv("CHAINRULE_PURE", raising=False)
    monkeypatch.setattr(sys.implementation, "name", "pypy")
    assert form.choose()[0] is None
    monkeypatch.undo()
    monkeypatch.setenv("CHAINRULE_PURE", "1")
    assert form.choose() == (None, "Python: CHAINRULE_PURE asks for it")
