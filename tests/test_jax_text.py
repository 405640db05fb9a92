"""Programs as JAX text: under `jit`, values and gradients are the engine's, and those of `jax.grad`."""

from typing import Any

import numpy as np
import pytest
from array_programs import read
from test_backward_source import FUNCTIONS, PROGRAMS
from texts import search

from autograd import Tensor, ops
from autograd.vectorizing.backward import Writer
from autograd.vectorizing.jax_text import jax_source


def trees(program):
    inputs, parameters = program.arrays(5)
    return read(program.statements, inputs, parameters, program.constants, program.outputs, FUNCTIONS)


def engine(program, n, seed=1):
    """Arrays of a batch, the outputs and the numbers of all targets on the engine, seeds, and gradients."""
    inputs, parameters = program.arrays(n, seed)
    leaves = {name: Tensor(x) for name, x in parameters.items()}
    values = {**inputs, **leaves, **program.constants}
    for target, line in program.statements:
        values[target] = eval(line, {**FUNCTIONS, "np": np}, values)
    rng = np.random.default_rng(2)
    numbers = {name: np.asarray(ops.detach(x)) for name, x in values.items()}
    seeds = [rng.normal(size=numbers[name].shape) for name in program.outputs]
    total = sum((ops.sum(values[name] * g) for name, g in zip(program.outputs, seeds, strict=True)), Tensor(0.0))
    total.backward()
    grads = [np.zeros(x.shape) if x.grad is None else x.grad for x in leaves.values()]
    return inputs, parameters, numbers, seeds, grads


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("n", [1, 4])
def test_the_forward_text_of_trees(name, n):
    """NumPy alone: the same printer writes a program's statements."""
    program = PROGRAMS[name]
    writer = Writer(tree := trees(program))
    writer.forward()
    text = writer.source()
    space: dict[str, Any] = {"np": np}
    exec(text, space)
    _, _, numbers, _, _ = engine(program, n)
    with np.errstate(all="ignore"):
        found = space["forward"](*[numbers[x] for x in search(r"def forward\((.*)\):", text)[1].split(", ")])
    for got, output in zip(found if isinstance(found, tuple) else [found], tree.outputs, strict=True):
        np.testing.assert_allclose(got, numbers[output.name], rtol=1e-12, atol=1e-12, err_msg=text)


def test_parts_are_set_by_new_arrays():
    text = jax_source(trees(PROGRAMS["gathers"]))
    assert ".at[:, 1:3]." in text
    assert ".at[:, i1].add(" in text
    assert "dh[" not in text
    assert text.startswith("import jax.numpy as jnp\n\n\ndef forward(x, w, i1):\n    h = x @ w\n")


@pytest.mark.parametrize("name", PROGRAMS)
def test_jax_gives_the_engines_numbers(name):
    jax = pytest.importorskip("jax", exc_type=ImportError)
    jax.config.update("jax_enable_x64", True)
    program = PROGRAMS[name]
    tree = trees(program)
    text = jax_source(tree)
    space: dict[str, Any] = {}
    exec(text, space)
    inputs, parameters, numbers, seeds, grads = engine(program, 4)

    def compiled(name, known):
        """Under `jit`, with the constants closed over: JAX has to know a mask."""
        takes = search(rf"def {name}\((.*)\):", text)[1].split(", ")
        given = {x: known[x] for x in takes if x not in program.constants}
        run = jax.jit(lambda given: space[name](*[{**program.constants, **given}[x] for x in takes]))
        return run, given

    forward, given = compiled("forward", numbers)
    found = forward(given)
    found = found if isinstance(found, tuple) else (found,)
    for got, output in zip(found, program.outputs, strict=True):
        np.testing.assert_allclose(got, numbers[output], rtol=1e-12, atol=1e-12, err_msg=text)

    def objective(xs):
        outs = forward({**inputs, **xs})
        return sum((out * g).sum() for out, g in zip(outs if isinstance(outs, tuple) else (outs,), seeds, strict=True))

    slopes = jax.grad(objective)(parameters)
    theirs = [slopes[x] for x in parameters]
    known = {**numbers, **dict(zip([f"d{x}" for x in program.outputs], seeds, strict=True))}
    backward, given = compiled("backward", known)
    printed = backward(given)
    printed = printed if isinstance(printed, tuple) else (printed,)
    for ours, jaxs, want in zip(printed, theirs, grads, strict=True):
        np.testing.assert_allclose(ours, want, rtol=1e-12, atol=1e-12, err_msg=text)
        np.testing.assert_allclose(jaxs, want, rtol=1e-12, atol=1e-12, err_msg=text)
