# Targets for people. `make demo` and `make test` need only Python 3.11+, its venv module and make.
PYTHON ?= python3
VENV ?= .venv
CONSUMERS ?= .venv-consumers
BIN := $(VENV)/bin

.PHONY: demo test check bench slow browser consumers clean

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

# Two processes, each with one thread for its mathematics.
test: $(BIN)/pytest
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

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

# Needs Chromium on the path, or named in CHROMIUM.
browser: $(BIN)/pytest
	$(BIN)/python -m pip install --quiet --editable ".[dev,browser]"
	$(BIN)/pytest -m browser

# The tools that read our exports (Linux x86-64), each in an environment of its own; `make -j3 consumers` installs them side by side.
$(CONSUMERS)/%/installed: tests/exports/consumers/%.txt
	$(PYTHON) -m venv $(CONSUMERS)/$*
	$(CONSUMERS)/$*/bin/python -m pip install --quiet $(if $(filter inspect_ai,$*),,--no-deps) --requirement $<
	touch $@

$(CONSUMERS)/npm/installed: tests/exports/consumers/package.json
	mkdir -p $(CONSUMERS)/npm
	cp $< $(CONSUMERS)/npm/package.json
	cd $(CONSUMERS)/npm && npm install --silent --no-audit --no-fund --no-package-lock --omit=optional
	touch $@

consumers: $(BIN)/pytest $(foreach tool,pyrit inspect_ai garak npm,$(CONSUMERS)/$(tool)/installed)
	SCANNER_CONSUMERS=$(CONSUMERS) $(BIN)/pytest -m consumers

clean:
	rm -rf $(VENV) $(CONSUMERS) demo-run bench-results
