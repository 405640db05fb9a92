"""Does the suite notice a fault? Every rule of every row is made wrong in turn, and the engine in some seventy ways.

    make mutants            # or: python tests/mutants.py [--seeds 1 2 3] [--only TEXT] [--jobs 2]

The suite's tests of rows and engine run on each mutant in a separate process, with each seed. The mutant is killed by a
seed if a test fails. The table at the end counts mutants, killed and survivors. A mutant that changes no result is
equivalent. Those are listed with the reason and counted separately.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import multiprocessing
import os
import resource
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import autograd.engine.custom
import autograd.engine.graph
import autograd.engine.modes
import autograd.engine.saved
import autograd.engine.tensor
import autograd.engine.value
import autograd.functions.linalg
import autograd.functions.table
import autograd.ops.arrays
import autograd.ops.floats
import autograd.ops.kernels
import autograd.ops.probabilities
import autograd.ops.products
import autograd.ops.rows
import autograd.ops.shapes
import autograd.transforms.dual
import autograd.transforms.forward
import autograd.transforms.matrices
import autograd.transforms.reverse
import autograd.transforms.variables
from autograd import ops
from autograd.engine.tensor import Tensor
from autograd.ops.rows import Elementwise, Fused, General, Linear, Reduction
from autograd.ops.symbol import Symbol, symbol

Mutation = Callable[[], None]

# --------------------------------------------------------------------------------------------------- wrong rules

FACTORS = {"negated": -1.0, "doubled": 2.0, "zeroed": 0.0, "off by 1e-6": 1 + 1e-6}


def scaled(rule: Callable, factor: float) -> Callable:
    """A rule off by a factor."""
    return lambda *a, **k: factor * rule(*a, **k)


def rule_mutants() -> list[tuple[str, str, Mutation]]:
    """(name, the row's name, mutation) for each rule of each row."""
    found = []
    for row in ops.ROWS.values():
        if isinstance(row, Elementwise):
            rules, attribute = list(row.partials), "partials"
        elif isinstance(row, Linear):
            rules, attribute = list(row.transposes), "transposes"
        elif isinstance(row, Reduction):
            rules, attribute = [row.weight], "weight"
        else:
            assert isinstance(row, Fused)
            rules, attribute = list(row.vjps), "vjps"
        for i, rule in enumerate(rules):
            if rule is None:
                continue
            off = fused if attribute == "vjps" else scaled
            changes = {kind: off(rule, factor) for kind, factor in FACTORS.items()}
            if isinstance(row, Elementwise):
                if row.arity == 2:
                    changes["operands swapped"] = lambda out, x, y, rule=rule: rule(out, y, x)
                if row.arity == 1:
                    changes["result for operand"] = lambda out, x, rule=rule: rule(x, out)
                for number, text in enumerate(boundary_changes(rule)):
                    changes[f"boundary {number}"] = text
            for kind, changed in changes.items():
                if isinstance(row, Elementwise) and same_text(row, rule, changed):
                    continue
                name = f"{row.name}, {attribute}[{i}] {kind}"
                found.append((name, row.name, put(row, attribute, i, changed)))
    return found


LINALG = "linalg"


def product_mutants() -> list[tuple[str, str, Mutation]]:
    """The same for rows that state both of their products. Each of the two is made wrong in each way."""
    found = []
    parts = [x for x in vars(autograd.functions.linalg).values() if isinstance(x, type(autograd))]
    for row in {x.name: x for part in parts for x in vars(part).values() if isinstance(x, General)}.values():
        for attribute in ("pull", "push"):
            rule = getattr(row, attribute)
            for kind, factor in FACTORS.items():
                changed = several(rule, factor) if attribute == "pull" else scaled(rule, factor)
                found.append((f"{row.name}, {attribute} {kind}", LINALG, put(row, attribute, 0, changed)))
    return found


def several(rule: Callable, factor: float) -> Callable:
    """A rule for one cotangent or a tuple of them, off by a factor."""

    def changed(*a, **k):
        found = rule(*a, **k)
        return tuple(c if c is None else factor * c for c in found) if isinstance(found, tuple) else factor * found

    return changed


def fused(rule: Callable, factor: float) -> Callable:
    """A hand-written vjp off by a factor."""

    def changed(*a, **k):
        c = rule(*a, **k)
        return (factor * c).astype(c.dtype)

    return changed


def same_text(row: Elementwise, rule: Callable, changed: Callable) -> bool:
    """Whether the change has no effect: the text is the same, or the rule is the constant 0."""
    names = [Symbol(name) for name in ("out", *autograd.ops.rows.operand_names(row))]
    before = str(symbol(rule(*names)))
    return before == "0" or str(symbol(changed(*names))) == before


def put(row, attribute: str, i: int, changed: Callable) -> Mutation:
    def mutate() -> None:
        names = autograd.ops.rows.operand_names(row) if isinstance(row, Elementwise) else None
        if attribute in ("weight", "pull", "push"):
            setattr(row, attribute, changed)
        else:
            for held in (attribute, "array_partials")[: 1 + (attribute == "partials")]:
                rules = list(getattr(row, held))
                rules[i] = changed
                setattr(row, held, tuple(rules))
        if names is not None:  # Value's operators are made from the partials: make them again
            rename(row, names)
            autograd.engine.value.attach_all()

    return mutate


def rename(row: Elementwise, names: tuple[str, ...]) -> None:
    """Give the row's changed rules the operands' original names."""
    original = autograd.ops.rows.operand_names

    def operand_names(op):
        return names if op is row else original(op)

    put_everywhere("operand_names", operand_names)


def boundary_changes(rule: Callable) -> list[Callable]:
    """The rule with one comparison made strict or unstrict, for each of its comparisons."""
    flipped = {ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Lt: ast.LtE, ast.LtE: ast.Lt}
    home = sys.modules[rule.__module__]
    tree = ast.parse(inspect.getsource(home))
    first = rule.__code__.co_firstlineno
    lambdas = [n for n in ast.walk(tree) if isinstance(n, ast.Lambda) and n.lineno == first]
    own = [n for n in lambdas if [a.arg for a in n.args.args] == list(rule.__code__.co_varnames[: len(n.args.args)])]
    results = []
    for node in own:
        compiled = eval(compile(ast.Expression(node), "<rule>", "eval"), vars(home))
        if compiled.__code__.co_code != rule.__code__.co_code or compiled.__code__.co_consts != rule.__code__.co_consts:
            continue
        for compare in [n for n in ast.walk(node) if isinstance(n, ast.Compare) and type(n.ops[0]) in flipped]:
            before = compare.ops[0]
            compare.ops[0] = flipped[type(before)]()
            results.append(eval(compile(ast.Expression(node), "<mutant>", "eval"), vars(home)))
            compare.ops[0] = before
    return results


# ------------------------------------------------------------------------------------------------- wrong engines


def source_change(module, before: str, after: str) -> Mutation:
    """A module's function or method with one piece of its source replaced."""

    def mutate() -> None:
        text = inspect.getsource(module)
        assert text.count(before) >= 1, f"{before!r} is not in {module.__name__}"
        changed = ast.parse(text.replace(before, after, 1))
        original = ast.parse(text)
        for old, new in zip(original.body, changed.body, strict=True):
            if ast.dump(old) != ast.dump(new):
                replace(module, new)
        if module is autograd.engine.value:
            module.attach_all()

    return mutate


def replace(module, definition) -> None:
    """Compile a changed top-level function, or the changed methods of a class, into the living module."""
    if isinstance(definition, ast.FunctionDef):
        exec(compile(ast.Module([definition], []), module.__file__, "exec"), vars(module))
        new = vars(module)[definition.name]
        for other in [m for name, m in sys.modules.items() if name.startswith("autograd")]:
            if definition.name in vars(other) and other is not module and callable(vars(other)[definition.name]):
                setattr(other, definition.name, new)
        return
    cls = vars(module)[definition.name]
    for method in definition.body:
        setter = any(ast.unparse(x).endswith(".setter") for x in getattr(method, "decorator_list", ()))
        if isinstance(method, ast.FunctionDef) and not setter:
            space: dict = {}
            exec(compile(ast.Module([method], []), module.__file__, "exec"), vars(module), space)
            function = space[method.name]
            raw: Any = function.fget if isinstance(function, property) else getattr(function, "__func__", function)
            current: Any = inspect.getattr_static(cls, method.name, None)
            if isinstance(current, property):
                continue
            old: Any = getattr(current, "__func__", current)
            if (
                getattr(old, "__code__", None) is None
                or old.__code__.co_code != raw.__code__.co_code
                or (old.__code__.co_consts != raw.__code__.co_consts or old.__code__.co_names != raw.__code__.co_names)
            ):
                setattr(cls, method.name, function)


def preorder() -> None:
    def postorder(roots, without=(), left_first=False):
        order, met, stack = [], {*map(id, without)}, list(roots)
        while stack:
            node = stack.pop()
            if id(node) not in met:
                met.add(id(node))
                order.append(node)
                stack.extend(reversed(node.parents))
        return order[::-1]

    put_everywhere("postorder", postorder)


def twice() -> None:
    original = autograd.engine.graph.postorder

    def postorder(roots, without=(), left_first=False):
        order = original(roots, without, left_first)
        return [*order[:-1], *order[-2:]] if len(order) > 2 else order

    put_everywhere("postorder", postorder)


def put_everywhere(name, function) -> None:
    for module in [m for n, m in sys.modules.items() if n.startswith("autograd")]:
        if name in vars(module):
            setattr(module, name, function)


patched: Any = Tensor  # whose methods are replaced


def aliasing_leaves() -> None:
    def receive(self, cotangent, upstream):
        held = self.grad
        self.grad = cotangent if held is None else held + cotangent

    patched._receive = receive


def adding_in_place() -> None:
    def receive(self, cotangent, upstream):
        held = self.grad
        if held is None:
            self.grad = cotangent if self.op is not None else np.array(cotangent)
        elif held.flags.writeable:
            held += cotangent
        else:
            self.grad = held + cotangent

    patched._receive = receive


def forgetful_leaves() -> None:
    original = Tensor._receive

    def receive(self, cotangent, upstream):
        if self.op is None:
            self.grad = np.array(cotangent)
        else:
            original(self, cotangent, upstream)

    patched._receive = receive


def missed_nodes() -> None:
    original = autograd.engine.graph.postorder

    def postorder(roots, without=(), left_first=False):
        return [n for n in original(roots, without, left_first) if len(n.parents) != 3]

    put_everywhere("postorder", postorder)


def spread_letters() -> None:
    source_change(autograd.ops.products, "if n == sizes[letter])", ")")()
    ops._einsum.transposes = (ops._einsum_transpose,)  # the row holds the function, not its name


rows, floats, shapes, graph, mode, saved, value, tensor, dual, kernels = (
    autograd.ops.rows,
    autograd.ops.floats,
    autograd.ops.shapes,
    autograd.engine.graph,
    autograd.engine.modes,
    autograd.engine.saved,
    autograd.engine.value,
    autograd.engine.tensor,
    autograd.transforms.dual,
    autograd.ops.kernels,
)
ENGINE: dict[str, Mutation] = {
    "two operands are assigned to": source_change(
        value, "x.grad += dx * g\n                y.grad", "x.grad = dx * g\n                y.grad"
    ),
    "other operands are assigned to": source_change(
        value, "                    x.grad += dx * g", "                    x.grad = dx * g"
    ),
    "the second operand is forgotten": source_change(value, "y.grad += dy * g", "pass"),
    "a hand-written step is left out": source_change(value, "node._backward()\n", "pass\n"),
    "preorder instead of topological order": preorder,
    "interior gradients are not reset": source_change(
        value,
        "                node.grad = 0.0\n        self.grad = 1.0",
        "                pass\n        self.grad = 1.0",
    ),
    "leaves are reset": source_change(value, "if node.op is not None or node.grad is None:", "if True:"),
    "interior gradients of Tensors are not reset": source_change(
        tensor, "for node in order:\n            node.grad = None", "for node in order:\n            pass"
    ),
    "a node runs twice": twice,
    "a Value's constants are differentiated": source_change(
        value,
        "out.parents = (self,)\n                out.partials = partials\n                return out",
        "out.parents = (self,)\n                out.partials = (2.0 * partials[0],)\n                return out",
    ),
    "partials are those of the swapped operands": source_change(
        value, "(by_x(data, x, y), by_y(data, x, y))", "(by_x(data, y, x), by_y(data, y, x))"
    ),
    "partials of the general path are zero": source_change(
        value, "ieee(rule, (data, *numbers)) for rule", "0.0 for rule"
    ),
    "leaves keep the cotangent they are handed": aliasing_leaves,
    "contributions are added in place": adding_in_place,
    "leaves do not accumulate over calls": forgetful_leaves,
    "some nodes are left out": missed_nodes,
    "broadcasting is not undone": source_change(shapes, "g = g.sum(axis=tuple(range(extra)) + stretched)", "g = g"),
    "leading axes are not summed": source_change(shapes, "tuple(range(extra)) + stretched", "stretched"),
    "stretched axes are averaged": source_change(shapes, "g = g.sum(axis=tuple", "g = g.mean(axis=tuple"),
    "gradients keep the cotangent's dtype": source_change(shapes, "g = g.astype(dtype)", "pass"),
    "a scaled gradient skips its factor of -1": source_change(rows, "return -g", "return g"),
    "reductions spread along the wrong axes": source_change(
        rows,
        "1 if i in axes else n for i, n in enumerate(x.shape))",
        "1 if i in axes[:1] else n for i, n in enumerate(x.shape))",
    ),
    "repeated indices overwrite": source_change(autograd.ops.kernels, "np.add.at(out, index, x)", "out[index] = x"),
    "products the other way round are not turned back": source_change(
        autograd.ops.kernels, "b.T.dot(a.T).T.copy()", "b.T.dot(a.T).reshape(len(a), -1)"
    ),
    "saved arrays are not kept": source_change(saved, "return Saved(versions) if versions else None", "return None"),
    "fused rows keep the cotangent's dtype": source_change(
        rows, "unbroadcast(vjp(g, out, *inputs, **params), x) if", "vjp(g, out, *inputs, **params) if"
    ),
    "rows read less than they do": source_change(
        rows, "return [j for j, name in enumerate(names) if name in found]", "return []"
    ),
    "cotangents of foreign rows are kept": source_change(
        autograd.engine.custom, "np.array(c) if isinstance(c, np.ndarray) else c", "c"
    ),
    "what an update keeps may be written to": source_change(
        tensor, "finally:\n            array.setflags(write=False)", "finally:\n            pass"
    ),
    "versions are never compared": source_change(saved, "if memory.now() != version:", "if False:"),
    "leaves may be replaced": source_change(saved, "        self.version += 1\n", "        pass\n"),
    "leaves that were given away may be written to": source_change(
        saved, "if self.snapshot is not None and not", "if False and not"
    ),
    "memory thaws while others wait": source_change(saved, "if self.waiting <= 0:", "if True:"),
    "memory never thaws": source_change(saved, "            self._set_writeable(True)", "            pass"),
    "a graph that can never run holds memory": source_change(
        saved, "        self.waiting = 0\n        self.snapshot", "        self.snapshot"
    ),
    "no_grad records": source_change(mode, "modes.recording = False", "pass"),
    "no_grad is not undone": source_change(mode, "modes.recording, modes.cut = self._outer.pop()", "self._outer.pop()"),
    "NumPy scalars widen float32": source_change(
        autograd.ops.arrays, "return array.item() if array.dtype.itemsize <= 8 else float(array)", "return array"
    ),
    # forward mode
    "tangents are not broadcast": source_change(dual, "tangent = ops.broadcast_to(tangent, shape)", "pass"),
    "tangents keep their dtype": source_change(dual, "return ops.astype(tangent, dtype)", "pass"),
    "constants have the tangent x * 0": source_change(shapes, "return np.zeros(shape_of(x), dtype)", "return x * 0"),
    "forward mode sees one operand": source_change(
        rows, "        return total(terms)\n\n\nclass Reduction", "        return total(terms[:1])\n\n\nclass Reduction"
    ),
    "products have one factor's tangent": source_change(
        rows, "        return total(terms)\n\n\nclass Fused", "        return total(terms[-1:])\n\n\nclass Fused"
    ),
    "reductions push an average": source_change(
        rows, "return (weight * t).sum(axis=axes", "return (weight * t).mean(axis=axes"
    ),
    "what stands still moves": source_change(rows, "[still(x) if t is None else t", "[x if t is None else t"),
    "forward mode ignores no_grad": source_change(dual, "if level <= modes.cut:", "if False:"),
    "levels are not cut": source_change(mode, "modes.cut = next(levels)", "pass"),
    "numbers have no shape in forward mode": source_change(
        dual, "return np.asarray(x, dtype=float) if type(x) in (float, int, bool) else x", "return x"
    ),
    # transformations
    "transformations obey no_grad outside": source_change(mode, "modes.recording = True", "pass"),
    "transformations leave recording on": source_change(mode, "modes.recording = self._outer", "pass"),
    "results in no_grad stay in the graph": source_change(
        autograd.transforms.variables,
        "return x if modes.recording or not isinstance(x, Traced) else ops.identity(x)",
        "return x",
    ),
    "a Hessian's columns are its rows' sums": source_change(
        autograd.transforms.matrices,
        "return ops.stack(columns, axis=-1)",
        "return ops.stack([sum(columns)] * len(columns), axis=-1)",
    ),
    "a Jacobian by reverse mode is transposed": source_change(
        autograd.transforms.matrices, "ops.stack(rows, axis=0)", "ops.stack(rows, axis=-1)"
    ),
    "jvp forgets the tangents of later arguments": source_change(
        autograd.transforms.forward,
        "(start(x), start(t)) for x, t in",
        "(start(x), zeros_like(t) if args else start(t)) for x, t in",
    ),
    "numbers among arrays are Values": source_change(
        autograd.transforms.reverse, "modes.of_arrays = outer or self.arrays", "pass"
    ),
    "forward mode of custom operations obeys no_grad": source_change(
        autograd.engine.custom, "with recording():", "if True:"
    ),
    # the binding of arguments, and what is saved
    "negative axes are not counted": source_change(
        shapes, "axes = tuple(int(i) % ndim for i in given)", "axes = tuple(given)"
    ),
    "arguments are bound by ours": source_change(
        autograd.functions.table,
        "given = dict(zip(self.places, args, strict=False))",
        "given = dict(zip(inspect.signature(self.meaning).parameters, args, strict=False))",
    ),
    "arguments that are not taken are dropped": source_change(
        autograd.functions.table, "if not self._is_default(key, given.pop(key)):", "if given.pop(key) is table:"
    ),
    "index arrays are not copied": source_change(kernels, "array = np.array(part)", "array = np.asarray(part)"),
    "labels are not copied": source_change(
        autograd.ops.probabilities, "own = np.array(given, dtype=np.intp)", "own = np.asarray(given, dtype=np.intp)"
    ),
    "only arrays may name a place twice": source_change(
        kernels,
        "return tuple([_fixed_part(part) for part in index]) if isinstance(index, tuple) else _fixed_part(index)",
        "return index",
    ),
    "summed letters of length 1 are not spread": spread_letters,
    "masks are dropped": source_change(autograd.ops.arrays, 'return remedy if np.ma.is_masked(x) else ""', 'return ""'),
    "nobody else is asked": source_change(
        autograd.ops.operators,
        "return NotImplemented if is_foreign(other) else row.apply((x, y), {})",
        "return row.apply((x, y), {})",
    ),
    "transforms overwrite shared cotangents": source_change(
        graph, "found[id(x)] + cotangent if id(x) in found else cotangent", "cotangent"
    ),
    "transforms confuse levels": source_change(
        autograd.transforms.dual, "level = max(x.level for x in inputs", "level = min(x.level for x in inputs"
    ),
    "transforms reuse the outer variable": source_change(
        autograd.transforms.variables, "return ops.identity(x)", "return x"
    ),
    "closures of an inner grad are cut": source_change(
        autograd.transforms.variables, "return (modes.differentiating > 0 and modes.recording) or any(", "return any("
    ),
    "a bias gets no gradient": source_change(value, "(*b, *a, 1.0)", "(*b, *a, 0.0)"),
    "IEEE results raise": source_change(
        floats, "except (ArithmeticError, ValueError):\n        pass", "except KeyError:\n        pass"
    ),
    "Values keep NumPy numbers": source_change(autograd.ops.arrays, "return float(x)", "return x"),
}

EQUIVALENT = {
    "leaky_relu, partials[1] boundary 0": "at 0 both branches are 0",
    "elu, partials[1] boundary 0": "at 0 both branches are 0",
}


# ------------------------------------------------------------------------------------------------------ the hunt


LIMIT = 900  # seconds of processor time, ten times as many as the suite takes
TIMEOUT = 99


def hunt(job: tuple[str, str, int]) -> tuple[str, int, bool, int, bool]:
    """Run the suite on one mutant with one seed, in a separate process: killed, by how many examples, out of time."""
    name, row, seed = job
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))  # so a mutant that never ends is noticed
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        code, examples = 3, 0
        try:
            code, examples = run_suite(MUTATIONS[name], row, seed)
        finally:
            os.write(writing, f"{int(code)} {examples}".encode())
            os._exit(0)
    os.close(writing)
    answer = os.read(reading, 100).decode().split()
    os.close(reading)
    os.waitpid(child, 0)
    code, examples = map(int, answer) if len(answer) == 2 else (TIMEOUT, 0)
    return name, seed, code in (1, 2, 3, 4, TIMEOUT), examples, code == TIMEOUT


def run_suite(mutation: Mutation, row: str, seed: int) -> tuple[int, int]:
    import pytest

    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    os.chdir(ROOT)
    mutation()
    counter = Counter()
    files = ["test_references.py", "test_ops.py", "test_edge_cases.py"]
    if row == LINALG:
        files = ["test_linalg.py"]
    elif not row:
        files = ["test_contexts.py", "test_saved.py", "test_foreign.py", "test_modes.py", "test_transforms.py", *files]
        files += ["test_value.py", "test_tensor.py", "test_modules.py", "test_weight_gradients.py"]
    arguments = [f"tests/{name}" for name in files]
    chosen = ["-k", f"{row} or edge_cases or fused or softmax or moves"] if row not in ("", LINALG) else []
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--hypothesis-seed={seed}"]
    code = pytest.main([*arguments, *chosen, *options], plugins=[counter])
    return int(code), counter.examples


class Counter:
    """Counts the examples that Hypothesis ran in the test that failed."""

    def __init__(self) -> None:
        self.examples = 0

    def pytest_runtest_setup(self, item) -> None:
        inner = getattr(getattr(item, "obj", None), "hypothesis", None)
        self.examples = 1
        if inner is not None and not hasattr(inner.inner_test, "counted"):
            test = inner.inner_test

            def counted(*args, **kwargs):
                self.examples += 1
                return test(*args, **kwargs)

            inner.inner_test = counted
            inner.inner_test.counted = True
            self.examples = 0


MUTATIONS: dict[str, Mutation] = dict(ENGINE)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", default="", help="only mutants whose name contains this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()

    rules, products = rule_mutants(), product_mutants()
    MUTATIONS.update({name: mutation for name, _, mutation in [*rules, *products]})
    groups = {
        "rules of rows": [(name, row) for name, row, _ in rules],
        "rules of numpy.linalg": [(name, row) for name, row, _ in products],
        "engine": [(name, "") for name in ENGINE],
    }
    names = [(name, row) for group in groups.values() for name, row in group if options.only in name]
    jobs = [(name, row, seed) for name, row in names for seed in options.seeds]
    killed: dict[str, list[bool]] = {name: [] for name, _ in names}
    examples: dict[str, list[int]] = {name: [] for name, _ in names}
    with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
        for done, (name, seed, dead, count, late) in enumerate(pool.imap_unordered(hunt, jobs), 1):
            killed[name].append(dead)
            if dead:
                examples[name].append(count)
            if late:
                print(f"out of time: {name}, seed {seed}", file=sys.stderr, flush=True)
            if done % 50 == 0:
                print(f"{done} of {len(jobs)} runs", file=sys.stderr, flush=True)

    print("| mutants of | total | killed by every seed | equivalent | survivors | examples to kill, median |")
    print("|---|---|---|---|---|---|")
    survivors: list[str] = []
    for group, members in groups.items():
        listed = [name for name, _ in members if name in killed]
        gone = [name for name in listed if all(killed[name])]
        equivalent = [name for name in listed if name in EQUIVALENT and not any(killed[name])]
        alive = [name for name in listed if name not in gone and name not in equivalent]
        counts = [n for name in gone for n in examples[name] if n]
        median = f"{statistics.median(counts):.0f}" if counts else ""
        print(f"| {group} | {len(listed)} | {len(gone)} | {len(equivalent)} | {len(alive)} | {median} |")
        survivors += alive
    for name, reason in EQUIVALENT.items():
        if name in killed:
            print(f"equivalent: {name}: {reason}")
    for name in survivors:
        print(f"survivor: {name}: killed by {sum(killed[name])} of {len(killed[name])} seeds")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
