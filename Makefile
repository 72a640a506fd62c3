# The commands of this repository. They need Python 3.11 or newer and make; the rest goes into .venv.

BIN := .venv/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check
PYTEST := $(BIN)/python -m pytest
WORKERS ?= 2
WEB := $(shell find web hatch_build.py -type f -not -path "*/node_modules/*" -not -path "*/__pycache__/*")
ARGS ?=

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: .venv/installed ## start Flowloom with sample flows and a sample shop
	@$(BIN)/flowloom demo $(ARGS)

dev: .venv/with-dev ## serve, and start again at each change of the source
	@$(BIN)/watchfiles --filter python '$(BIN)/flowloom serve $(ARGS)' src

test: .venv/with-test ## run every test (some of them: make test ARGS=tests/domain)
	@$(PYTEST) -n $(WORKERS) $(ARGS)

crash: .venv/with-test ## run the tests that kill a server process, one of them a hundred times
	@FLOWLOOM_KILLS=$(or $(KILLS),100) $(PYTEST) -m crash $(ARGS)

chaos: .venv/with-test ## break everything that several processes stand on, two things at once (ROUNDS=100)
	@FLOWLOOM_CHAOS_ROUNDS=$(or $(ROUNDS),40) FLOWLOOM_CHAOS_RUNS=$(or $(RUNS),500) FLOWLOOM_CHAOS_SEED=$(or $(SEED),1) \
		$(PYTEST) tests/cluster $(ARGS)

simulate: .venv/with-test ## run the simulation with many more seeds (SEEDS=100000)
	@FLOWLOOM_SIMULATION_SEEDS=$(or $(SEEDS),50000) $(PYTEST) -n $(WORKERS) -k promises tests/simulation $(ARGS)

oracle: .venv/with-test ## check cron against a minute-by-minute walk of ten years
	@FLOWLOOM_ORACLE_YEARS=10 $(PYTEST) -n $(WORKERS) -k oracle $(ARGS)

mutants: .venv/with-test ## plant faults in a copy; tests catch each (one: make mutants ARGS=name)
	@$(BIN)/python -m mutants --workers $(WORKERS) $(ARGS)

check: .venv/with-check ## check style, types, the direction of imports and the files of deploy/
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python web/generate.py --check
	@$(BIN)/python -m deploy.lint
	@$(BIN)/npm --prefix web run --silent check

bench: .venv/with-test ## measure speed, side by side
	@$(BIN)/python -m bench $(ARGS)

docs: .venv/installed ## write the generated parts of the reference
	@$(BIN)/python docs/generate.py
	@$(BIN)/python web/generate.py
	@$(BIN)/python -m mutants --document

screenshots: .venv/with-test ## take the pictures of the docs
	@PYTHONPATH=. $(BIN)/python docs/screenshots.py

clean: ## remove what these commands made, but no data
	@rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find src tests bench deploy mutants docs -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

.venv/bin/python:
	@for python in python3.13 python3.12 python3.11 python3 python; do \
		if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			exec $$python -m venv --clear .venv; \
		fi; \
	done; \
	echo 'Flowloom needs Python 3.11 or newer with its venv module (Debian: apt install python3-venv).' >&2; \
	exit 1

# Each file says that .venv holds what pyproject.toml asked for, and the pages what web/ says, when it was last touched.
.venv/installed: pyproject.toml $(WEB) .venv/bin/python
	@echo 'Installing Flowloom into .venv ...'
	@$(PIP) -e .
	@touch $@

.venv/with-%: pyproject.toml $(WEB) .venv/bin/python
	@echo 'Installing Flowloom and what make $* needs into .venv ...'
	@$(PIP) -e '.[$*]'
	@touch $@ .venv/installed

.DELETE_ON_ERROR:
.PHONY: help run dev test crash chaos simulate oracle mutants check bench docs screenshots clean
