# Two commands do everything, each alone from a clean clone: `make mnist` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin

.PHONY: mnist test check bench mutants nightly clean

mnist: $(VENV)/demos.installed
	$(BIN)/python -m demos.mnist $(ARGS)

test: $(VENV)/dev.installed
	$(BIN)/python -m pytest -n auto $(ARGS)

check: $(VENV)/dev.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

mutants: $(VENV)/dev.installed
	$(BIN)/python tests/mutants.py $(ARGS)

nightly: $(VENV)/dev.installed
	HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -n auto $(ARGS)

bench: $(VENV)/bench.installed
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis runs
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment; each goal adds the extras that it needs, once, and again when pyproject.toml changes.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/%.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	touch $@
