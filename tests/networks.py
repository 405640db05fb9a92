"""The small network for tests of pictures and derivations. `demos.seeing` shows it, too."""

from types import SimpleNamespace

from demos.seeing import network, parts


def two_two_one() -> SimpleNamespace:
    """2-2-1, sigmoid, squared error `L`, written out in named Values: the Values by name."""
    return SimpleNamespace(**network()[1])


def clusters(n: SimpleNamespace) -> dict:
    """Its parts, as a reader would draw them."""
    return parts(vars(n))
