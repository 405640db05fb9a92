# Two commands work in a fresh clone, without any other step: `make mnist` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
MINIMA ?= .venv-minima
BIN    := $(VENV)/bin
# Keep bytecode beside the sources, where git ignores it. Otherwise pytest rewrites every assertion in each run.
KEEP   := PYTHONDONTWRITEBYTECODE=

.PHONY: mnist test test-minima check coverage bench mutants nightly clean

mnist: $(VENV)/demos.installed
	$(BIN)/python -m demos.mnist $(ARGS)

test: $(VENV)/dev.installed
	@echo "some 11,100 tests: three to five minutes on two idle cores, longer beside other programs; no test measures time"
	$(KEEP) $(BIN)/python -m pytest -n auto $(ARGS)

# Run the suite on the oldest releases that pyproject.toml allows. They need Python 3.11: PYTHON=python3.11 selects it.
test-minima: $(MINIMA)/test.installed
	$(KEEP) $(MINIMA)/bin/python -m pytest -n auto $(ARGS)

check: $(VENV)/dev.installed
	$(BIN)/python tests/stubs.py
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The lines that the suite does not run: a table of the files that have some, the total, and pages in htmlcov.
coverage: $(VENV)/dev.installed
	$(BIN)/python -m pytest -n auto --cov --cov-report=term-missing --cov-report=html $(ARGS)

mutants: $(VENV)/dev.installed
	$(BIN)/python tests/mutants.py $(ARGS)

nightly: $(VENV)/dev.installed
	$(KEEP) HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -n auto $(ARGS)

bench: $(VENV)/bench.installed
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) $(MINIMA) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* htmlcov runs
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment. Each goal installs its extras once, and again when pyproject.toml or the version changes.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/%.installed: pyproject.toml autograd/__init__.py | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	touch $@

$(MINIMA)/test.installed: pyproject.toml autograd/__init__.py tests/minima.py
	$(PYTHON) -m venv --clear $(MINIMA)
	$(MINIMA)/bin/python tests/minima.py > $(MINIMA)/constraints.txt
	$(MINIMA)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(MINIMA)/constraints.txt --editable ".[test]"
	touch $@
