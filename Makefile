# Two commands work in a fresh clone, without any other step: `make mnist` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
MINIMA ?= .venv-minima
ENGINES ?= .venv-engines
BIN    := $(VENV)/bin
# Keep bytecode beside the sources, where git ignores it. Otherwise pytest rewrites every assertion in each run.
KEEP   := PYTHONDONTWRITEBYTECODE=

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g -DCHAINRULE_DEBUG
PYTHON_HERE := $(CURDIR)/$(BIN)/python
# The tests that run in both forms of Value.
ENGINE := $(addprefix tests/test_,$(addsuffix .py,value ops micrograd byhand freezing modes contexts anomaly collector \
	memory edge_cases orders transforms custom_op testing forms)) autograd/engine

.PHONY: mnist test test-minima test-engines docs docs-serve check native native-asan coverage bench mutants nightly clean

mnist: $(VENV)/demos.installed
	$(BIN)/python -m demos.mnist $(ARGS)

test: $(VENV)/dev.installed
	@echo "some 12,900 tests: two to four minutes on two idle cores, longer beside other programs; no test measures time"
	$(KEEP) $(BIN)/python -m pytest -n auto $(ARGS)
ifeq ($(ARGS),)
	@echo "the tests of the engine once more, with Values that run in Python"
	$(KEEP) CHAINRULE_PURE=1 $(BIN)/python -m pytest -n auto $(ENGINE)
endif

# Run the suite on the oldest releases that pyproject.toml allows. They need Python 3.11: PYTHON=python3.11 selects it.
test-minima: $(MINIMA)/test.installed
	$(KEEP) $(MINIMA)/bin/python -m pytest -n auto $(ARGS)

# The tests of programs in JAX and PyTorch, in an environment that has both.
test-engines:
	$(MAKE) VENV=$(ENGINES) $(ENGINES)/engines.installed
	$(KEEP) $(ENGINES)/bin/python -m pytest tests/test_leaving.py tests/test_jax_text.py $(ARGS)

check: $(VENV)/dev.installed
	$(BIN)/python tests/stubs.py
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# After a change of the table of operations or of autograd/native: write rows.h, and build the compiled form of Value.
native: $(VENV)/dev.installed
	CHAINRULE_PURE=1 $(BIN)/python -m autograd.native.notation
	$(BIN)/python setup.py --quiet build_ext --inplace
	@$(BIN)/python -m autograd.native

# The tests of the engine on compiled forms that check every access to memory: by AddressSanitizer, and by the debug
# allocator of Python. Both are built in a copy.
native-asan: $(VENV)/dev.installed
	rm -rf build/checked && mkdir -p build/checked
	cp -r autograd nn tests demos docs benchmarks *.* LICENSE Makefile build/checked
	cd build/checked && CHAINRULE_CFLAGS="$(SANITIZE)" $(PYTHON_HERE) setup.py --quiet build_ext --inplace --force
	cd build/checked && LD_PRELOAD="$$(gcc -print-file-name=libasan.so)" ASAN_OPTIONS=detect_leaks=0 \
	    PYTHONMALLOC=malloc PYTHONPATH=. $(PYTHON_HERE) -m pytest -n auto $(ENGINE)
	cd build/checked && CHAINRULE_CFLAGS="-DCHAINRULE_DEBUG -UNDEBUG" $(PYTHON_HERE) setup.py --quiet build_ext --inplace --force
	cd build/checked && PYTHONMALLOC=debug PYTHONPATH=. $(PYTHON_HERE) -m pytest -n auto $(ENGINE)

# The lines that the suite does not run: a table of the files that have some, the total, and pages in htmlcov.
coverage: $(VENV)/dev.installed
	$(BIN)/python -m pytest -n auto --cov --cov-report=term-missing --cov-report=html $(ARGS)

mutants: $(VENV)/dev.installed
	$(BIN)/python tests/mutants.py $(ARGS)

nightly: $(VENV)/dev.installed
	$(KEEP) HYPOTHESIS_PROFILE=nightly $(BIN)/python -m pytest -n auto $(ARGS)

# The site: build/site/index.html opens from the folder. `docs-serve` shows it at a local address, and follows changes of
# the built pages.
docs: $(VENV)/docs.installed
	$(BIN)/python docs/site.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet --config-file build/mkdocs.yml
	@echo "the site is in build/site/index.html"

docs-serve: docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve --config-file build/mkdocs.yml

bench: $(VENV)/bench.installed
	$(BIN)/python -m benchmarks $(ARGS)

clean:
	rm -rf $(VENV) $(MINIMA) $(ENGINES) build dist autograd/native/_value.* *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* htmlcov runs
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment. Each goal installs its extras once, and again when pyproject.toml or the version changes.
$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/%.installed: pyproject.toml setup.py autograd/__init__.py $(wildcard autograd/native/*.[ch]) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[$*]"
	@$(BIN)/python -m autograd.native
	touch $@

$(MINIMA)/test.installed: pyproject.toml autograd/__init__.py tests/minima.py
	$(PYTHON) -m venv --clear $(MINIMA)
	$(MINIMA)/bin/python tests/minima.py > $(MINIMA)/constraints.txt
	$(MINIMA)/bin/python -m pip install --quiet --disable-pip-version-check --constraint $(MINIMA)/constraints.txt --editable ".[test]"
	touch $@
