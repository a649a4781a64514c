# Each of these works on a fresh clone: the virtual environment is made first, and renewed when a version changes.
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := libs/common $(patsubst %/pyproject.toml,%,$(wildcard services/*/pyproject.toml)) deploy/local
TOOLS := pytest pytest-timeout testcontainers hypothesis schemathesis jsonschema kubernetes-validate \
         ruff mypy import-linter types-requests types-pika-ts
DOCUMENTED := gateway customers programs vouchers webhooks
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install --constraint constraints.txt
# Docker and any Python will do: no virtual environment is made for it.
DOCKER_WITH = PYTHONPATH=deploy/local/src $(or $(PYTHON),python3) -m

export PYTHON
PORT ?= 8080

.DEFAULT_GOAL := help
.PHONY: help run reset up down roll backup restore footprint test test-compose soak check bench openapi examples

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/installed ## start the whole suite on this machine (PORT=8080)
	@exec $(BIN)/loyalty-local run --port $(PORT)

reset: $(VENV)/installed ## forget all data of `make run`
	@$(BIN)/loyalty-local reset

up: ## start the whole suite in containers (PORT=8080 ARGS="--scale programs=2")
	@$(DOCKER_WITH) loyalty_local.containers up --port $(PORT) $(ARGS)

down: ## stop them and keep the data (ARGS=--volumes forgets them)
	@$(DOCKER_WITH) loyalty_local.containers down $(ARGS)

roll: ## replace a service's containers without a failed request (SERVICE=programs)
	@$(DOCKER_WITH) loyalty_local.containers roll $(SERVICE)

backup: ## dump all databases of the suite in containers while it runs (TO=backups/…)
	@$(DOCKER_WITH) loyalty_local.container_backups backup $(TO)

restore: ## put a backup in place of all databases of the suite in containers (FROM=backups/…)
	@$(DOCKER_WITH) loyalty_local.container_backups restore $(FROM)

footprint: ## print image sizes, start time and memory of the suite in containers
	@$(DOCKER_WITH) loyalty_local.footprint

test: $(VENV)/tools ## prove everything, on real servers (ARGS="-k points")
	@$(BIN)/python -m pytest $(ARGS)

soak: $(VENV)/tools ## run the hardest tests at their full size (LEDGER_SEED=7 ARGS="-k ledger")
	@SOAK=1 $(BIN)/python -m pytest -m soak $(ARGS)

test-compose: $(VENV)/tools ## prove the suite in containers, on the engine of DOCKER_HOST
	@COMPOSE_TESTS=1 $(BIN)/python -m pytest tests/compose $(ARGS)

check: $(VENV)/tools ## look for faults without running anything: style, types, layers
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy $(PACKAGES:%=%/src) libs/testing/src
	@$(BIN)/lint-imports

bench: $(VENV)/tools ## measure speed beside its limit (BENCH_SECONDS=4 BENCH_ROUNDS=5 ARGS="service")
	@$(BIN)/python -m benchmarks $(ARGS)

openapi: $(VENV)/installed ## write contracts/openapi/ from the services' code
	@for service in $(DOCUMENTED); do \
	    $(BIN)/python -m loyalty_$$service openapi > contracts/openapi/$$service.new \
	    && mv contracts/openapi/$$service.new contracts/openapi/$$service.json || exit 1; \
	done

examples: $(VENV)/tools ## write contracts/examples/ anew from what the running suite answers
	@RECORD_EXAMPLES=1 $(BIN)/python -m pytest -q tests/dashboard/portal/test_samples.py

$(VENV)/bin/python:
	@deploy/local/create-venv $(VENV)

# setuptools stands in the environment itself, so that one pinned version builds all packages.
$(VENV)/installed: constraints.txt $(PACKAGES:%=%/pyproject.toml) | $(VENV)/bin/python
	@echo "Installing what the suite needs …"
	@$(PIP) setuptools
	@$(PIP) --no-build-isolation $(PACKAGES:%=--editable %)
	@touch $@

$(VENV)/tools: $(VENV)/installed libs/testing/pyproject.toml
	@echo "Installing what the tests need …"
	@$(PIP) --no-build-isolation --editable libs/testing $(TOOLS)
	@touch $@
