# Every target makes its own .venv when there is none. Needed: Python 3.11 or later, pip, make.
#
#   make demo                              recommendations for real shopping patterns, in the browser
#   make test ARGS="tests/core -k clock"   ARGS goes through to the command behind the target
#   make demo PYTHON=python3.12            another Python (after `make clean`, when .venv is there already)

PYTHON ?= python3
VENV   ?= .venv
ARGS   ?=
BENCH  ?= $(wildcard benchmarks/*.py)

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.DEFAULT_GOAL := help
.PHONY: help demo test sim fuzz chaos check bench docs clean

help: ## Say what each target does
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1  \2/p' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## Import the demo data, train, compare the models, serve the demo shop
	@$(BIN)/penchant demo $(ARGS)

test: $(VENV)/.dev ## Run the tests and every example in the documentation
	@$(BIN)/python -m pytest $(ARGS)

sim: $(VENV)/.dev ## Simulate how often intervals hold the truth (minutes; not part of `make test`)
	@OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest tests/sim -m sim -s $(ARGS)

fuzz: $(VENV)/.dev ## Ask the server at random what its description allows and forbids (minutes; a little of it is in `make test`)
	@$(BIN)/python -m pytest tests/server -m fuzz -s $(ARGS)

chaos: $(VENV)/.dev ## Kill servers and databases under load, fill and break disks, see that nothing is lost (minutes; a little of it is in `make test`)
	@$(BIN)/python -m pytest tests/chaos -m '' -n 0 -s $(ARGS)

check: $(VENV)/.dev ## Check format, lint, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev ## Run every benchmark, one after the other, or those named: BENCH=benchmarks/models.py
	@set -e; for script in $(BENCH); do \
	  echo "== $$script"; $(BIN)/python "$$script" $(ARGS); done

docs: $(VENV)/.docs ## Build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict $(ARGS)

clean: ## Remove .venv, caches and what was built
	rm -rf $(VENV) site dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

# Stamps: one per set of extras, renewed when pyproject.toml changes.
$(VENV)/.demo: pyproject.toml | $(VENV)/.made
	@echo "Installing Penchant and the demo data into $(VENV) ..." >&2
	@$(PIP) install --editable '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(VENV)/.made
	@echo "Installing Penchant, the demo data and the developer's tools into $(VENV) ..." >&2
	@$(PIP) install --editable '.[demo,dev]'
	@touch $@ $(VENV)/.demo

$(VENV)/.docs: pyproject.toml | $(VENV)/.made
	@echo "Installing Penchant and the documentation's tools into $(VENV) ..." >&2
	@$(PIP) install --editable '.[docs]'
	@touch $@

# Debian keeps ensurepip in python3-venv. Without it the environment is made bare, and the system's pip brings pip in.
$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Penchant needs Python 3.11 or later; '$(PYTHON)' is not here. Say which: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Penchant needs Python 3.11 or later; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Say which: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	@echo "Making $(VENV) with $$($(PYTHON) -V) ..." >&2
	@$(PYTHON) -m venv $(VENV) >/dev/null 2>&1 || { \
	  $(PYTHON) -m venv --without-pip $(VENV) \
	  && $(PYTHON) -m pip --python $(BIN)/python --disable-pip-version-check --quiet install pip; } || { \
	  echo "No environment could be made. On Debian: apt-get install python3-pip python3-venv" >&2; exit 1; }
	@touch $@
