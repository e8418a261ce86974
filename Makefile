# Tieout: `make help` lists the targets.
PYTHON ?= $(shell for p in python3.11 python3 python; do $$p -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
JOBS ?= 2
VENV := .venv
BENCH := .venv-bench
PY := $(VENV)/bin/python
STACK := $(PY) -m config.stack
SERVED := $(STACK) run --volatile --state var/test --
export OMP_WAIT_POLICY = PASSIVE
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Linux with glibc on x86_64 installs exactly the files that were tested; elsewhere the top-level versions are resolved anew.
EXACT := $(if $(shell getconf GNU_LIBC_VERSION 2>/dev/null),$(filter Linux-x86_64,$(shell uname -sm | tr ' ' -)))
# Compiled here on all cores, since pip uses one: a process that has to compile its libraries starts 2 s later.
define install
@echo "Installing into $(1)"
@$(1)/bin/python -m pip install --quiet --no-compile $(if $(EXACT),--no-deps --require-hashes $(2:requirements%=-r constraints%.txt),$(2:%=-r %.txt))
@$(1)/bin/python -m compileall -q -j 0 -x '/tests/' $(1)/lib >/dev/null || true
@touch $@
endef
define environment
@test -n "$(PYTHON)" || { echo "Tieout needs Python 3.11 and found none. Name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11) and "Tieout needs Python 3.11; $(PYTHON) is another. Name it: make PYTHON=/path/to/python3.11")'
@$(PYTHON) -m venv $(1) || { rm -rf $(1); exit 1; }
endef

.DEFAULT_GOAL := help
.PHONY: help setup demo test tests check lint format types imports migrations bench bench-attribution load screenshots

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

$(PY):
	$(call environment,$(VENV))

$(BENCH)/bin/python:
	$(call environment,$(BENCH))

$(VENV)/.run: requirements.txt requirements-embedded.txt constraints.txt constraints-embedded.txt | $(PY)
	$(call install,$(VENV),requirements requirements-embedded)

$(VENV)/.dev: requirements-dev.txt constraints-dev.txt $(VENV)/.run
	$(call install,$(VENV),requirements-dev)

$(BENCH)/.bench: requirements-bench.txt constraints-bench.txt | $(BENCH)/bin/python
	$(call install,$(BENCH),requirements-bench)

setup: $(VENV)/.run  ## only make .venv

demo: $(VENV)/.run  ## servers, workers, examples, a report; then serve until Ctrl-C (ONCE=1: stop after the report)
	@$(STACK) up --demo --then "$(PY) manage.py demo" $(if $(ONCE),--once)

test: $(VENV)/.dev  ## lint, format, types, import contract, migrations, then all tests on real servers
	@$(SERVED) sh -c '$(MAKE) --no-print-directory lint format imports migrations && $(MAKE) --no-print-directory -j2 types tests'

check: lint format types imports migrations  ## everything of `make test` but the tests

lint: $(VENV)/.dev
	@$(PY) -m ruff check .

format: $(VENV)/.dev
	@$(PY) -m ruff format --check .

types: $(VENV)/.dev
	@$(SERVED) $(PY) -m mypy

imports: $(VENV)/.dev
	@$(VENV)/bin/lint-imports --no-cache

migrations: $(VENV)/.dev
	@$(SERVED) $(PY) manage.py makemigrations --check --dry-run

tests: $(VENV)/.dev
	@$(SERVED) $(PY) -m pytest -n $(JOBS)

bench: $(VENV)/.dev $(BENCH)/.bench  ## the whole path, measured, beside its peers
	@rm -rf var/bench
	@PEER_PYTHON=$(abspath $(BENCH)/bin/python) $(STACK) run --state var/bench -- $(PY) -m tests.benchmarks $(if $(SIZES),--sizes $(SIZES))
	@rm -rf var/bench
	@$(STACK) run --state var/bench -- $(PY) -m tests.benchmarks.doors

bench-attribution: $(VENV)/.dev  ## the learned model on seeded worlds: how near to the best that can be (PARTS=streams: that part alone; WORLDS=200)
	@$(PY) -m tests.simulation $(PARTS) $(WORLDS)

load: $(VENV)/.dev $(BENCH)/.bench  ## a million breaks; every page timed; k6: reviewers decide, programs push, a run goes on
	@$(STACK) run --state var/load -- sh -c '$(PY) manage.py migrate -v0 && $(PY) manage.py generate_load && $(PY) -m tests.load.pages'
	@$(STACK) up --state var/load --once --then "$(PY) -m tests.load $(abspath $(BENCH)/bin/k6)"

screenshots: $(VENV)/.dev  ## every page as the demo fills it, light and dark, into docs/screenshots
	@rm -rf var/screenshots
	@$(STACK) up --demo --state var/screenshots --once --then "sh -c '$(PY) manage.py demo && $(PY) -m tests.browser.screenshots'"
