"""The small network for tests of pictures and derivations. `demos.seeing` shows it, too."""

from types import SimpleNamespace

from demos.seeing import network, parts


def two_two_one() -> SimpleNamespace:
    """A 2-2-1 network with sigmoids and squared error `L`, written out in named Values. Returns the Values by name."""
    return SimpleNamespace(**network()[1])


def clusters(n: SimpleNamespace) -> dict:
    """Its layers and neurons, to group its values in a drawing."""
    return parts(vars(n))
