# Tieout: `make help` lists the targets.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STACK := $(BIN)/python -m config.stack
export OMP_WAIT_POLICY = PASSIVE
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Linux on x86_64 installs exactly the files that were tested; elsewhere the same top-level versions are resolved anew.
TESTED = $(filter Linux-x86_64,$(shell uname -s)-$(shell uname -m))
INSTALL = $(BIN)/pip install --quiet --no-compile

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint format types imports migrations bench

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Tieout needs Python 3.11; name it as: make PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt requirements-embedded.txt constraints.txt | $(VENV)/bin/python
	$(INSTALL) $(if $(TESTED),--no-deps --require-hashes -r constraints.txt,-r requirements.txt -r requirements-embedded.txt)
	@touch $@

$(VENV)/.dev: requirements-dev.txt constraints-dev.txt $(VENV)/.run
	$(INSTALL) $(if $(TESTED),--no-deps --require-hashes -r constraints-dev.txt,-r requirements-dev.txt)
	@touch $@

setup: $(VENV)/.run  ## only make .venv

demo: $(VENV)/.run  ## servers, workers, examples, a report; then serve until Ctrl-C (ONCE=1: stop after the report)
	@$(STACK) up --then "$(BIN)/python manage.py demo" $(if $(ONCE),--once)

test: $(VENV)/.dev  ## lint, format, types, import contract, migrations, then all tests on real servers
	@$(STACK) run --state var/test -- $(MAKE) --no-print-directory check
	@$(STACK) run --state var/test -- $(BIN)/pytest

check: $(VENV)/.dev lint format types imports migrations  ## everything of `make test` but the tests

lint: $(VENV)/.dev
	@$(BIN)/ruff check .

format: $(VENV)/.dev
	@$(BIN)/ruff format --check .

types: $(VENV)/.dev
	@$(STACK) run --state var/test -- $(BIN)/mypy config ingestion reconciliation attribution review

imports: $(VENV)/.dev
	@$(BIN)/lint-imports --no-cache

migrations: $(VENV)/.dev
	@$(STACK) run --state var/test -- $(BIN)/python manage.py makemigrations --check --dry-run

bench: $(VENV)/.dev  ## the whole path, measured
	@$(STACK) run --state var/bench -- $(BIN)/python -m tests.benchmarks
