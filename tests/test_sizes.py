"""Sizes are what their polynomials say, at any lengths; what is decided about them holds at all of them."""

import itertools
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd.vectorizing.sizes import NotLowerable, Size, divided

LENGTHS = [{"n": n, "m": m} for n, m in itertools.product((2, 3, 5, 8), (2, 4, 7))]
monomials = st.sampled_from([(), ("n",), ("m",), ("n", "n"), ("m", "n"), ("m", "m")])
sizes = st.dictionaries(monomials, st.integers(-6, 6), max_size=4).map(Size.of)
n, m = Size.symbol("n"), Size.symbol("m")


def at(x, lengths):
    return x.at(lengths) if isinstance(x, Size) else x


@given(sizes, sizes, st.sampled_from([operator.add, operator.sub, operator.mul]))
def test_arithmetic(x, y, f):
    for lengths in LENGTHS:
        assert at(f(x, y), lengths) == f(at(x, lengths), at(y, lengths))


@given(sizes, st.integers(0, 3))
def test_powers(x, k):
    for lengths in LENGTHS:
        assert at(x**k, lengths) == at(x, lengths) ** k


@given(sizes, sizes)
def test_equal_means_the_same_polynomial(x, y):
    assert (x == y) == all(at(x, lengths) == at(y, lengths) for lengths in LENGTHS)
    assert (x - y == 0) == (x == y)
    if x == y:
        assert hash(x) == hash(y)
        assert repr(x) == repr(y)


@given(sizes, sizes)
def test_a_product_is_divided_by_its_factors(x, y):
    if y != 0:
        assert (x * y) // y == x
        assert (x * y) % y == 0 or not isinstance(x * y, Size)


@given(sizes, sizes)
def test_quotient_and_remainder(x, y):
    if y == 0 or not isinstance(x, Size):
        return
    quotient, rest = divided(x, y)
    assert quotient * y + rest == x
    if rest != 0:
        with pytest.raises(NotLowerable):
            x // y


@given(sizes, sizes | st.integers(-9, 9), st.sampled_from([operator.lt, operator.le, operator.gt, operator.ge]))
def test_an_order_that_is_decided_holds_for_all_lengths(x, y, f):
    try:
        found = f(x, y)
    except NotLowerable:
        return
    assert all(f(at(x, lengths), at(y, lengths)) == found for lengths in LENGTHS)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (lambda: n > 1, True), (lambda: n >= 2, True), (lambda: n < 2, False),
        (lambda: n * m > n, True), (lambda: n + 1 > n, True), (lambda: n - 1 < n, True), (lambda: 2 * n >= n, True),
        (lambda: n * n + 1 > 2 * n, True), (lambda: n == 3, False), (lambda: n != 1, True), (lambda: bool(n), True),
    ],
)  # fmt: skip
def test_what_is_known_of_every_length(question, answer):
    assert question() is answer


@pytest.mark.parametrize(
    "question", [lambda: n > 2, lambda: n < 5, lambda: n > m, lambda: n // 2, lambda: n % 2, lambda: n // m,
                 lambda: range(n), lambda: n // 0]
)  # fmt: skip
def test_what_depends_on_the_length_is_refused(question):
    with pytest.raises(NotLowerable):
        question()


OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.lt, operator.le, operator.gt,
             operator.ge, operator.pow]  # fmt: skip


@pytest.mark.parametrize("f", OPERATORS)
def test_what_is_no_number_decides_for_itself(f):
    """An operator of a size leaves the answer to a node, which stands on the other side."""

    class Other:
        def answer(self, other):
            return "asked"

        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rpow__ = __lt__ = __le__ = __gt__ = __ge__ = answer

    assert f(n, Other()) == "asked"


def test_how_they_are_written():
    assert repr(2 * n * m - n + 3) == "2·m·n - n + 3"
    assert repr(-n) == "-n"
    assert repr(n * n) == "n·n"
    assert type(n - n) is int
    assert type(0 * n + 4) is int
