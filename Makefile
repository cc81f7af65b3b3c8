# Targets for people. `make demo` and `make test` need only Python 3.11+, its venv module and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test check bench slow clean

$(BIN)/scanner: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25"
	$(BIN)/python -m pip install --quiet --editable .
	touch $(BIN)/scanner

$(BIN)/pytest: $(BIN)/scanner
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $(BIN)/pytest

demo: $(BIN)/scanner
	$(BIN)/scanner demo --out demo-run

test: $(BIN)/pytest
	$(BIN)/pytest

check: $(BIN)/pytest
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(BIN)/pytest
	$(BIN)/python -m pip install --quiet --editable ".[dev,compare]"
	$(BIN)/pytest -m bench -s

slow: $(BIN)/pytest
	$(BIN)/pytest -m slow

clean:
	rm -rf $(VENV) demo-run bench-results
