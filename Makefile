# make demo | test | timing | aiohttp | lint | types | docs | record | bench | clean        PYTHON=python3.12 picks the interpreter

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH := .benchmarks/venv
SITE := .site/venv

.PHONY: demo test timing aiohttp lint types docs record bench clean

demo: $(READY)
	@$(BIN)/python examples/quickstart.py

# What builds the site needs Python 3.11.
DOCS := $(shell $(PYTHON) -c 'import sys; print("docs" if sys.version_info >= (3, 11) else "")')

# Without bytecode on disk each worker would compile all tests anew, half of its start.
unexport PYTHONDONTWRITEBYTECODE

# Many tests wait most of their time, so that two more workers than there are processors end sooner.
WORKERS := -n $(shell $(PYTHON) -c 'import os; print(2 + (os.cpu_count() or 1))') --dist worksteal

test: lint types $(DOCS)
	@$(BIN)/python -m pytest $(WORKERS) --cov --cov-fail-under=97

# Repeats all async tests over aiohttp; `make test` repeats those of the transport.
aiohttp: $(READY)
	@$(BIN)/python -m pytest $(WORKERS) -q --async-transport=aiohttp -k async

# What measures time runs by itself, one test after another.
timing: $(READY)
	@$(BIN)/python -m pytest -m clock

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo

types: $(READY)
	@$(BIN)/mypy
	@$(BIN)/basedpyright

# Builds the documentation's site into site/; a warning, such as a broken link, is an error.
docs: $(SITE)/.ready
	@$(SITE)/bin/zensical build --strict --clean

# Records from MONSTER_API_BASE with MONSTER_API_KEY. ONLY=new records only requests that have no
# recording; TESTS=tests/langchain records those of one place.
record: $(READY)
	@$(BIN)/python -m pytest -m vcr --record-mode=$(if $(filter new,$(ONLY)),new_episodes,rewrite) $(TESTS)

# Compares what the clients cost, and writes docs/benchmarks.md; OPTIONS=--quick for an impression.
bench: $(BENCH)/.ready
	@$(BENCH)/bin/python benchmarks/run.py $(or $(OPTIONS),--page)

clean:
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks .site .cache site dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

define install
@echo "Installing into $(@D): a few minutes the first time."
@$(PYTHON) -m venv $(@D)
@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --editable ".[all]" --group $(1)
@touch $@
endef

$(READY): pyproject.toml
	$(call install,dev)

$(BENCH)/.ready: pyproject.toml
	$(call install,bench)

# The site is built from the sources: this needs neither the package nor what it needs.
$(SITE)/.ready: pyproject.toml
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --group docs
	@touch $@
