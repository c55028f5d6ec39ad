# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin

# Containers often turn this on: then every process that a test starts compiles the packages anew, and pytest all tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test quick lint bench setup clean

setup: .venv/.made

.venv/.made: setup.cfg constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "imageledger needs Python 3.11 or newer; name one with: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: setup
	$(BIN)/imageledger demo demo-run

# All tests, a file at a time on every core.
test: setup
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder --durations 15

# Before every commit: all that needs no training, no browser and no demo.
quick: setup
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder -m "not long"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Those that need nothing but this repository, or the test data beside it; the others say which pictures they take.
BENCH := dedupe mattes near_duplicates normalize shortcuts_null training

bench: setup
	for name in $(BENCH); do echo "== $$name"; $(BIN)/python benchmarks/$$name.py || exit 1; done

clean:
	rm -rf .venv demo-run build dist *.egg-info
