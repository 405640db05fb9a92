"""Each fault that `make mutants` puts into the library has a name and a place of its own."""

import pytest
from faults import FAULTS, NATIVE

mutants = pytest.importorskip("mutants", exc_type=ImportError)  # it needs what Windows has not


def test_names_are_used_once():
    names = [name for found in (*FAULTS.values(), NATIVE) for name in found]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("module", FAULTS)
def test_there_is_one_place_for_each(module):
    for name, pieces in FAULTS[module].items():
        change = mutants.SourceChange(module, *pieces)
        assert change.source() != change.path.read_text(encoding="utf-8"), name


@pytest.mark.parametrize("name", NATIVE)
def test_there_is_one_place_for_each_in_c(name):
    before, after = NATIVE[name]
    assert before != after
    assert any(after in text for text in mutants.CompiledChange(before, after).sources().values())


def test_each_rule_in_c_is_made_wrong():
    found = [name for name, _, _ in mutants.compiled_mutants()]
    assert len(found) == len(set(found)) > 250
