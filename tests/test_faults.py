"""Each fault that `make mutants` puts into the library has a name and a place of its own."""

import pytest
from faults import FAULTS

mutants = pytest.importorskip("mutants", exc_type=ImportError)  # it needs what Windows has not


def test_names_are_used_once():
    names = [name for found in FAULTS.values() for name in found]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("module", FAULTS)
def test_there_is_one_place_for_each(module):
    for name, pieces in FAULTS[module].items():
        change = mutants.SourceChange(module, *pieces)
        assert change.source() != change.path.read_text(encoding="utf-8"), name
