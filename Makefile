PYTHON ?= python3
BIN := .venv/bin
RESULTS := simulations/results/baseline
CAMPAIGN_TESTS := tests/simulation/test_health.py tests/simulation/test_campaign_*.py

.DEFAULT_GOAL := help
.PHONY: help simulate test campaign check bench lab

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

simulate: .venv/.installed ## Replay the baseline (500 players, 90 days, 8 replications) and draw its report
	$(BIN)/kokoromichi simulate baseline --workers process --out $(RESULTS) --replace

test: .venv/.installed ## Run the tests
	$(BIN)/python -m pytest

campaign: export CAMPAIGN_PLAYERS ?= 500
campaign: export CAMPAIGN_SEEDS ?= 8
campaign: export CAMPAIGN_SOUND_SEEDS ?= 8
campaign: export CAMPAIGN_YEAR_PLAYERS ?= 500
campaign: export CAMPAIGN_PAIRS ?= 10
campaign: export CAMPAIGN_PAIR_PLAYERS ?= 500
campaign: export CAMPAIGN_PAIR_DAYS ?= 90
campaign: export CAMPAIGN_ITEMS ?= all
campaign: export CAMPAIGN_OUT ?= simulations/results/campaign
campaign: .venv/.installed ## Hold the synthetic players' checks at full size; an interrupted one goes on
	$(BIN)/python -m pytest $(CAMPAIGN_TESTS)

check: .venv/.installed ## Check format, lint, types and who imports whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/.installed ## Run every benchmark
	@set -e; for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

lab: .venv/.installed ## Open JupyterLab on the first notebook
	$(BIN)/jupyter lab notebooks/01_first_run.ipynb

.venv/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv ..."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev,fast,notebooks]'
	@touch $@
