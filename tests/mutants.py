"""Does the suite notice? Every rule of every row made wrong in turn, and everything else in some three hundred ways.

    make mutants            # or: python tests/mutants.py [--seeds 1 2 3] [--only TEXT ...] [--jobs 2]

Each mutant runs in a process of its own. There the tests of rows and engine run with each seed. A test that fails kills
the mutant. A verdict is printed as soon as it is known, with the test that killed. The table at the end counts mutants,
killed and survivors. A mutant that changes nothing that can be seen is equivalent. Those are listed with the reason,
and counted apart.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import json
import multiprocessing
import os
import re
import resource
import shlex
import statistics
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.machinery import ExtensionFileLoader, SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # wrong rules and wrong engines are those of Python; those in C are compiled
    os.environ["CHAINRULE_PURE"] = "1"

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from faults import FAULTS, NATIVE

import autograd.engine.value
import autograd.functions.linalg
import autograd.ops.rows
from autograd import ops
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

    for module in [m for n, m in sys.modules.items() if n.startswith("autograd")]:
        if "operand_names" in vars(module):
            vars(module)["operand_names"] = operand_names


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


@dataclass(frozen=True)
class SourceChange:
    """A module with one piece of its source replaced. It and all that import it are imported anew."""

    module: str
    before: str
    after: str

    def source(self) -> str:
        """The module's text with the fault in it; AssertionError unless there is exactly one place for it."""
        text = self.path.read_text(encoding="utf-8")
        assert text.count(self.before) == 1, f"{text.count(self.before)} times in {self.module}: {self.before!r}"
        return text.replace(self.before, self.after)

    @property
    def path(self) -> Path:
        return (ROOT / self.module.replace(".", "/")).with_suffix(".py")

    def __call__(self) -> None:
        changed = compile(self.source(), self.path, "exec")
        original = SourceFileLoader.get_code

        def get_code(loader, name):
            return changed if name == self.module else original(loader, name)

        patched: Any = SourceFileLoader
        patched.get_code = get_code
        for name in [name for name in sys.modules if name.split(".")[0] in ("autograd", "nn")]:
            del sys.modules[name]
        importlib.import_module(self.module)


@dataclass(frozen=True)
class CompiledChange:
    """The compiled form with one piece replaced. It is compiled, and autograd imported anew with it."""

    before: str
    after: str

    def sources(self) -> dict[str, str]:
        """The files with the fault in one of them; AssertionError unless there is exactly one place for it."""
        folder = ROOT / "autograd" / "native"
        texts = {path.name: path.read_text(encoding="utf-8") for path in (*folder.glob("*.c"), *folder.glob("*.h"))}
        found = sum(text.count(self.before) for text in texts.values())
        assert found == 1, f"{found} times in the C of autograd/native: {self.before!r}"
        return {name: text.replace(self.before, self.after) for name, text in texts.items()}

    def __call__(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in self.sources().items():
                Path(folder, name).write_text(text, encoding="utf-8")
            built = Path(folder, "_value.so")
            compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
            include = sysconfig.get_path("include")
            flags = ["-O1", "-w", "-shared", "-fPIC", "-ffp-contract=off", f"-I{include}", "-o", str(built)]
            subprocess.run([*compiler, *flags, str(Path(folder, "value.c"))], check=True)
            for name in [name for name in sys.modules if name.split(".")[0] in ("autograd", "nn")]:
                del sys.modules[name]
            loader = ExtensionFileLoader("autograd.native._value", str(built))
            sys.modules["autograd.native._value"] = module_from_spec(spec_from_loader(loader.name, loader))  # type: ignore[arg-type]
            del os.environ["CHAINRULE_PURE"]
            assert importlib.import_module("autograd").compiled


def compiled_mutants() -> list[tuple[str, str, Mutation]]:
    """The value and each partial of each row in C, off by a factor."""
    found: list[tuple[str, str, Mutation]] = []
    text = (ROOT / "autograd" / "native" / "rows.h").read_text(encoding="utf-8")
    listed = dict(re.findall(r"X\((\w+), ([01])\)", text))
    for part, name, body in re.findall(r"inline double (value|slope\d)_(\w+)\([^)]*\) \{ return (.*); \}", text):
        if name not in listed or (part != "value" and listed[name] == "1") or body == "0.0":
            continue  # a function that others call; constants, which Python tells; what no factor changes
        (line,) = re.findall(rf"^static inline double {part}_{name}\(.*\{{ return .*$", text, re.M)
        for kind, factor in FACTORS.items():
            wrong = line.replace(f"return {body};", f"return {factor!r} * ({body});")
            found.append((f"{name} in C, {part} {kind}", name, CompiledChange(line, wrong)))
    return found


COMPILED: dict[str, Mutation] = {name: CompiledChange(*pieces) for name, pieces in NATIVE.items()}

ENGINE: dict[str, Mutation] = {
    name: SourceChange(module, *pieces) for module, found in FAULTS.items() for name, pieces in found.items()
}

EQUIVALENT = {
    "leaky_relu, partials[1] boundary 0": "at 0 both branches are 0",
    "elu, partials[1] boundary 0": "at 0 both branches are 0",
}


# ------------------------------------------------------------------------------------------------------ the hunt


LIMIT = 600  # seconds of processor time; the suite takes a tenth of it


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant with one seed."""

    name: str
    seed: int
    killed: bool
    by: str = ""  # the test that failed, and how
    examples: int = 0  # how many of Hypothesis it took
    seconds: float = 0.0  # of processor time

    def __str__(self) -> str:
        what = f"killed by {self.by}" if self.killed else "SURVIVED"
        return f"{self.seconds:5.1f} s  {self.name}, seed {self.seed}: {what}"


def hunt(job: tuple[str, str, int]) -> Verdict:
    """Run the suite on one mutant with one seed, in a process of its own."""
    name, row, seed = job
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT))  # so a mutant that never ends is noticed
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        answer = {}
        try:
            answer = run_suite(MUTATIONS[name], row, seed)
        except BaseException as error:
            answer["broken"] = f"{type(error).__name__}: {error}"
        finally:
            os.write(writing, json.dumps(answer).encode()[:4000])
            os._exit(0)
    os.close(writing)
    with open(reading, "rb") as pipe:
        text = pipe.read()
    _, _, used = os.wait4(child, 0)
    answer = json.loads(text) if text else {"by": "the limit of time"}
    if "broken" in answer:
        raise RuntimeError(f"the tests of {name!r} did not run: {answer['broken']}")
    by = answer.get("by", "")
    return Verdict(name, seed, bool(by), by, answer.get("examples", 0), used.ru_utime + used.ru_stime)


# The tests of what a mutant changes come first: most mutants die there within seconds.
OWN_TESTS = {
    "autograd.engine.anomaly": ["test_anomaly.py"],
    "autograd.engine.byhand": ["test_byhand.py", "test_micrograd.py"],
    "autograd.engine.collector": ["test_collector.py"],
    "autograd.engine.contexts": ["test_contexts.py", "test_value.py"],
    "autograd.engine.custom": ["test_custom_op.py", "test_weight_gradients.py", "test_saved.py", "test_contexts.py"],
    "autograd.engine.elsewhere": ["test_names.py", "test_mistakes.py"],
    "autograd.engine.frozen": ["test_freezing.py"],
    "autograd.engine.graph": [
        "test_tensor.py",
        "test_value.py",
        "test_byhand.py",
        "test_freezing.py",
        "test_transforms.py",
        "test_parts.py",
        "test_linear_work.py",
    ],
    "autograd.engine.modes": ["test_contexts.py", "test_value.py", "test_anomaly.py"],
    "autograd.engine.parts": ["test_parts.py", "test_linear_work.py"],
    "autograd.engine.saved": ["test_saved.py", "test_tensor.py", "test_memory.py"],
    "autograd.engine.tensor": [
        *("test_tensor.py", "test_mistakes.py", "test_saved.py", "test_anomaly.py", "test_freezing.py"),
        *("test_transforms.py", "test_contexts.py", "test_parts.py", "test_linear_work.py"),
    ],
    "autograd.engine.value": [
        "test_value.py",
        "test_byhand.py",
        "test_anomaly.py",
        "test_collector.py",
        "test_transforms.py",
        "test_micrograd.py",
    ],
    "autograd.functions": ["test_foreign.py"],
    "autograd.ops": ["test_references.py", "test_ops.py", "test_parts.py"],
    "autograd.transforms": ["test_transforms.py", "test_contexts.py"],
}
NATIVE_TESTS = [
    *(
        "test_value.py",
        "test_byhand.py",
        "test_micrograd.py",
        "test_freezing.py",
        "test_anomaly.py",
        "test_contexts.py",
    ),
    *("test_memory.py", "test_modes.py", "test_edge_cases.py", "test_foreign.py", "test_vectorize.py"),
]
ALL_TESTS = [
    *("test_value.py", "test_tensor.py", "test_contexts.py", "test_transforms.py", "test_weight_gradients.py"),
    *("test_saved.py", "test_foreign.py", "test_references.py", "test_edge_cases.py", "test_modules.py"),
    *("test_modes.py", "test_ops.py"),
]


def own_tests(mutation: Mutation) -> list[str]:
    """The files that are about what an engine's mutant changes."""
    name = mutation.module if isinstance(mutation, SourceChange) else ""
    return OWN_TESTS.get(name) or OWN_TESTS.get(name.rpartition(".")[0]) or []


def run_suite(mutation: Mutation, row: str, seed: int) -> dict[str, Any]:
    """By which test it was killed, if by any, and after how many examples of Hypothesis; or why no test ran."""
    import pytest

    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    os.chdir(ROOT)
    try:
        mutation()
    except Exception as error:
        if isinstance(error, (AssertionError, SyntaxError)):  # not a fault of the library
            raise
        return {"by": f"its own import ({type(error).__name__}: {error})"}
    files, own = ["test_references.py", "test_ops.py", "test_edge_cases.py"], []
    if row == LINALG:
        files = ["test_linalg.py"]
    elif isinstance(mutation, CompiledChange):
        files = ["test_forms.py", *(() if row else NATIVE_TESTS)]
    elif not row:
        own = own_tests(mutation)
        files = list(dict.fromkeys([*own, *ALL_TESTS]))
    counter = Counter(own)
    arguments = [f"tests/{name}" for name in files]
    chosen = ["-k", f"{row} or edge_cases or fused or softmax or moves"] if row not in ("", LINALG) else []
    if isinstance(mutation, CompiledChange) and row:
        chosen = ["-k", f"same_bits and {row}"]
    options = ["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--hypothesis-seed={seed}"]
    code = pytest.main([*arguments, *chosen, *options], plugins=[counter])
    if code and not counter.failed:
        return {"broken": f"pytest ended with {code!r}"}
    return {"by": counter.failed, "examples": counter.examples}


class Counter:
    """The test that failed, and how many examples Hypothesis ran in it."""

    def __init__(self, own: Sequence[str]) -> None:
        self.own = own
        self.examples = 0
        self.failed = ""

    def pytest_collection_modifyitems(self, items) -> None:
        """The files of the mutant's own first, and in them what takes least time: a single example."""
        items.sort(
            key=lambda item: (
                item.path.name not in self.own,
                item.path.name in self.own and "hypothesis" in item.keywords,
            )
        )

    def pytest_runtest_logreport(self, report) -> None:
        if report.failed and not self.failed:
            self.failed = f"{report.nodeid.removeprefix('tests/')} ({self.reason(report.longrepr)})"

    def pytest_collectreport(self, report) -> None:
        self.pytest_runtest_logreport(report)

    @staticmethod
    def reason(found) -> str:
        """The first line of the error."""
        crash = getattr(found, "reprcrash", None)
        return (crash.message if crash else str(found).strip().split("\n")[-1]).strip().split("\n")[0][:100]

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


NO_FAULT = "no fault at all"  # which has to survive, or the others prove nothing
MUTATIONS: dict[str, Mutation] = {**ENGINE, NO_FAULT: lambda: None}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", default=[""], nargs="+", help="parts of names, such as: tanh engine")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()

    def chosen(name: str) -> bool:
        return any(text in name for text in options.only)

    rules, products, in_c = rule_mutants(), product_mutants(), compiled_mutants()
    MUTATIONS.update({name: mutation for name, _, mutation in [*rules, *products, *in_c]} | COMPILED)
    groups = {
        "rules of rows": [(name, row) for name, row, _ in rules],
        "rules of numpy.linalg": [(name, row) for name, row, _ in products],
        "engine": [(name, "") for name in ENGINE],
        "rules in C": [(name, row) for name, row, _ in in_c],
        "engine in C": [(name, "") for name in COMPILED],
    }
    names = [(name, row) for group, found in groups.items() for name, row in found if chosen(f"{group}: {name}")]
    jobs = [(name, row, seed) for name, row in names for seed in options.seeds]
    if options.only == [""] and (verdict := hunt((NO_FAULT, "", options.seeds[0]))).killed:
        parser.exit(1, f"the tests fail as it is: {verdict}\n")
    verdicts: dict[str, list[Verdict]] = {name: [] for name, _ in names}
    with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
        for verdict in pool.imap_unordered(hunt, jobs):
            verdicts[verdict.name].append(verdict)
            print(verdict, file=sys.stderr, flush=True)
    killed = {name: [v.killed for v in found] for name, found in verdicts.items()}
    examples = {name: [v.examples for v in found if v.killed] for name, found in verdicts.items()}

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
    print(f"{sum(v.seconds for found in verdicts.values() for v in found):.0f} seconds of processor time")
    for name, reason in EQUIVALENT.items():
        if name in killed:
            print(f"equivalent: {name}: {reason}")
    for name in survivors:
        print(f"survivor: {name}: killed by {sum(killed[name])} of {len(killed[name])} seeds")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
