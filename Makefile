# Two commands work in a fresh clone, without any other step: `make mnist` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
MINIMA ?= .venv-minima
BIN    := $(VENV)/bin

.PHONY: mnist test test-minima check bench mutants nightly clean

mnist: $(VENV)/demos.installed
	$(BIN)/python -m demos.mnist $(ARGS)

test: $(VENV)/dev.installed
	@echo "some 7,000 tests: about 3 minutes on two idle cores, longer beside other programs; no test measures time"
	$(BIN)/python -m pytest -n auto $(ARGS)

# Run the suite on the oldest releases that pyproject.toml allows. They need Python 3.11: PYTHON=python3.11 selects it.
test-minima: $(MINIMA)/test.installed
	$(MINIMA)/bin/python -m pytest -n auto $(ARGS)

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
	rm -rf $(VENV) $(MINIMA) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis runs
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# There is one environment. Each goal installs the extras that it needs once, and again when pyproject.toml changes.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/%.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	touch $@

$(MINIMA)/test.installed: pyproject.toml tests/minima.py
	$(PYTHON) -m venv --clear $(MINIMA)
	$(MINIMA)/bin/python tests/minima.py > $(MINIMA)/constraints.txt
	$(MINIMA)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(MINIMA)/constraints.txt --editable ".[test]"
	touch $@
