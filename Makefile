# Two commands for a newcomer: `make demo` and `make test`. Each does all its own set-up; neither needs root.
PYTHON ?= python3
VENV := .venv
REAL_TESTS := tests/real tests/renderers tests/releases/test_layouts.py tests/releases/test_way_back_helm.py tests/releases/test_ways_back_by_seed.py tests/contracts/test_renderer_contract.py
REAL_SECONDS ?= 0# how long obtaining the real parts may take; 0 is no limit
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# Compiled code is kept: demo and tests begin dozens of processes, and each would compile the daemon again.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup demo demo-all test real disturbed test-all check bench mutants hunt planted soak bench-real lock clean

help: ## what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(VENV)/.runtime: requirements.lock pyproject.toml sandbox/pyproject.toml
	@$(PYTHON) scripts/preflight.py
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --require-hashes -r requirements.lock
	@$(BIN)/pip install -q --no-deps --no-build-isolation -e . -e sandbox
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@$(BIN)/pip install -q --require-hashes -r requirements-dev.lock
	@touch $@

setup: $(VENV)/.runtime ## install the locked dependencies into .venv; leaves .venv/bin/reconciler

demo: $(VENV)/.runtime ## watch a real git push become a release, and a bad one come home (DEMO=--interactive: it stays up, with the console)
	@$(BIN)/reconciler demo --out demo-out $(DEMO)

demo-all: $(VENV)/.runtime ## the demo and what takes longer: a dark canary behind nginx, too
	@$(BIN)/reconciler demo --all --out demo-out

test: $(VENV)/.dev ## run the tests
	@$(BIN)/pytest -n 2 --dist loadgroup

real: $(VENV)/.dev ## the contracts on a real control plane and Prometheus; the first time builds them (Go ≥ 1.25, for Helm 1.26; minutes)
	@$(BIN)/python -m scripts.real $(REAL_SECONDS) && $(BIN)/pytest -n 2 --dist loadgroup -m "real and not disturbed" $(REAL_TESTS) || test $$? -eq 75

disturbed: $(VENV)/.dev ## every story on a real control plane while the API server, the leader and the way to it fail
	@$(BIN)/python -m scripts.real $(REAL_SECONDS) && $(BIN)/pytest -m disturbed tests/real

test-all: test real disturbed ## all tests: of `make test`, `make real` and `make disturbed`

check: $(VENV)/.dev ## formatting, lint, types, walls between folders, house rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo | tail -n 12
	@$(BIN)/pytest -q tests/test_house.py tests/test_references.py tests/test_dead_code.py

bench: $(VENV)/.dev ## print the budgets of ADR 0030 that exist so far, as ratios of one run
	@$(BIN)/python -m benchmarks

mutants: $(VENV)/.dev ## break guards one at a time and name those that no test misses (MUTANTS="--only rollouts --sample 20 --seed 2")
	@nice -n 10 $(BIN)/python -m scripts.mutants $(MUTANTS)

hunt: $(VENV)/.dev ## play RUNS seeded tales of people, bots and misfortunes that meet, and name the laws that break (RUNS=200 FIRST=1)
	@nice -n 10 $(BIN)/python -m scripts.hunt --runs $(or $(RUNS),50) --first $(or $(FIRST),1)

planted: $(VENV)/.dev ## invert guards of the product one at a time in a copy, each noticed by a law of `make hunt`
	@nice -n 10 $(BIN)/python -m scripts.planted

soak: $(VENV)/.dev ## DAYS=30 with WORKLOADS=200 under virtual time: memory, queues and writes for a release stay as they were (hours of one core)
	@nice -n 19 $(BIN)/python -m scripts.soak --days $(or $(DAYS),30) --workloads $(or $(WORKLOADS),200)

bench-real: $(VENV)/.dev ## the sandbox's API server beside a real one, and the fleet on the real one (what `make real` obtained)
	@$(BIN)/python -m benchmarks.witness
	@$(BIN)/python -m benchmarks fleet-real

COMPILE = $(BIN)/uv pip compile -q --universal --generate-hashes --python-version 3.11 \
	--no-emit-package reconciler --no-emit-package reconciler-sandbox

lock: ## resolve the locked dependency lists again (needs uv in .venv)
	@$(BIN)/pip install -q uv
	@$(COMPILE) pyproject.toml sandbox/pyproject.toml scripts/build.in -o requirements.lock
	@$(COMPILE) --extra dev -c requirements.lock pyproject.toml sandbox/pyproject.toml -o requirements-dev.lock
	@$(COMPILE) -c requirements.lock pyproject.toml -o requirements-production.lock
	@$(COMPILE) -c requirements.lock scripts/build.in -o requirements-build.lock

clean: ## remove what the targets made
	@rm -rf $(VENV) demo-out bench-out hunt-out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
