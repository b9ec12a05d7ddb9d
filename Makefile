# `make help` lists what there is. Only Python 3.11 or newer (with venv) and make are needed.
SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin
ARGS ?=

.PHONY: help setup demo up down test bench fmt check lock contracts contracts-test prove faults helm-test clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install everything into this folder, once (no other target needs it run first)
	@sh kit/stack/bootstrap.sh

demo: setup ## a real x402 client pays, vouchers settle on chain, the guard refuses a large transfer without its certificate
	@$(BIN)/lockgate demo $(ARGS)

up: setup ## run the stack until Ctrl-C; .run/stack.json tells a client everything
	@exec $(BIN)/lockgate up $(ARGS)

down: setup ## stop the stack of this checkout
	@$(BIN)/lockgate down $(ARGS)

test: setup contracts-test ## every test but the long ones (ARGS="-k name" narrows the Python tests)
	@$(BIN)/python -m pytest -m "not slow" $(ARGS)

contracts-test: setup
	@FOUNDRY_PROFILE=quick $(BIN)/python -m kit.stack.contracts test

prove: setup ## what is proved of the contracts, and the mutants that are killed (ARGS="--sample 60 --seed 1")
	@$(BIN)/python -m kit.stack.prove $(ARGS)

bench: setup ## benchmarks beside their peers
	@$(BIN)/python -m tests.benchmarks $(ARGS)

faults: setup ## every kill campaign
	@$(BIN)/python -m pytest -m faults $(ARGS)

fmt: setup ## format and fix what can be fixed
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .

check: setup ## ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

contracts: ## build the contracts and their artifacts again
	@sh kit/stack/bootstrap.sh contracts

lock: ## resolve the lock files again
	@sh kit/stack/bootstrap.sh lock

helm-test: setup ## lint, render and validate the chart, offline
	@$(BIN)/python -m pytest tests/unit/helm $(ARGS)

clean: ## remove what set-up and runs have made
	@rm -rf .boot .venv .run node_modules build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis \
		verification/contracts/out verification/contracts/cache verification/contracts/artifacts
