"""`nn.init`: distributions have the scale of their papers, and shapes without fan-in and fan-out are refused."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn import init
from nn.layers import Linear

# The variance by fan_in and fan_out. A uniform distribution within ±limit has the variance limit² / 3.
SCALED = {
    init.xavier_uniform: lambda n_in, n_out: 2 / (n_in + n_out),
    init.xavier_normal: lambda n_in, n_out: 2 / (n_in + n_out),
    init.he_uniform: lambda n_in, n_out: 2 / n_in,
    init.he_normal: lambda n_in, n_out: 2 / n_in,
}
UNIFORM = (init.xavier_uniform, init.he_uniform)
EVERY = [*SCALED, init.zeros, init.uniform(-1.0, 1.0), init.normal(1.0)]


@pytest.mark.parametrize("initializer", SCALED)
@pytest.mark.parametrize("shape", [(400, 100), (100, 400), (3, 3, 40, 90)])
def test_variance(initializer, shape):
    field = math.prod(shape[:-2])
    expected = SCALED[initializer](field * shape[-2], field * shape[-1])
    w = initializer(shape, np.random.default_rng(0))
    assert w.var() == pytest.approx(expected, rel=0.05)  # 30,000 draws or more: 1 % is one standard deviation
    assert abs(w.mean()) < 0.05 * math.sqrt(expected)
    if initializer in UNIFORM:
        assert 0.99 * math.sqrt(3 * expected) < np.abs(w).max() <= math.sqrt(3 * expected)
    else:  # a normal distribution has 0.27 % beyond three standard deviations
        assert np.mean(np.abs(w) > 3 * math.sqrt(expected)) == pytest.approx(0.0027, rel=0.5)


def test_uniform_and_normal():
    w = init.uniform(2.0, 5.0)((100, 200), np.random.default_rng(1))
    assert 2.0 <= w.min() < 2.01
    assert 4.99 < w.max() < 5.0
    w = init.normal(0.5, mean=3.0)((100, 200), np.random.default_rng(1))
    assert (w.mean(), w.std()) == (pytest.approx(3.0, abs=0.02), pytest.approx(0.5, rel=0.02))
    assert not init.zeros((2, 3), np.random.default_rng(0)).any()


@given(st.sampled_from(EVERY), st.lists(st.integers(1, 6), min_size=2, max_size=4), st.integers(0, 2**32))
def test_same_seed_same_weights(initializer, shape, seed):
    first, second = (initializer(tuple(shape), np.random.default_rng(seed)) for _ in range(2))
    assert first.shape == tuple(shape)
    assert first.dtype == np.float64
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("initializer", SCALED)
@pytest.mark.parametrize("shape", [(), (7,)])
def test_no_fans(initializer, shape):
    with pytest.raises(ValueError, match=r"need a shape \(\.\.\., fan_in, fan_out\), got \(7?,?\)"):
        initializer(shape, np.random.default_rng(0))


@pytest.mark.parametrize("initializer", SCALED)
@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 3, 3)])
def test_no_elements(initializer, shape):
    with pytest.raises(ValueError, match="no elements"):
        initializer(shape, np.random.default_rng(0))


@pytest.mark.parametrize("bounds", [(1.0, 0.0), (-math.inf, 0.0), (0.0, math.inf), (math.nan, 0.0), (0.0, math.nan)])
def test_uniform_refuses(bounds):
    with pytest.raises(ValueError, match=f"got {bounds[0]} and {bounds[1]}"):
        init.uniform(*bounds)


@pytest.mark.parametrize("parameters", [(-1.0, 0.0), (math.inf, 0.0), (math.nan, 0.0), (1.0, math.inf)])
def test_normal_refuses(parameters):
    with pytest.raises(ValueError, match=f"std={parameters[0]}, mean={parameters[1]}"):
        init.normal(*parameters)


def test_layers_take_them():
    layer = Linear(5, 4, weight_init=init.uniform(2.0, 3.0), rng=0)
    assert layer.weight.dtype == np.float32
    assert ((layer.weight.data >= 2.0) & (layer.weight.data <= 3.0)).all()
