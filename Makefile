PYTHON ?= python3
# One more than a small machine has cores: tests wait for servers, processes and clocks.
WORKERS ?= 3
BIN := .venv/bin
RESOLVE = $(BIN)/python -m uv pip compile --quiet --all-extras -c constraints.txt -o /dev/null pyproject.toml
PYTEST = $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist worksteal
RESULTS := simulations/results/baseline
CAMPAIGN_TESTS := tests/simulation/test_health.py tests/simulation/test_campaign_*.py

# Every process would compile each module that it imports anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help simulate test test-slow test-all campaign check security hooks pins bench lab docs

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

simulate: .venv/.installed ## Replay the baseline (500 players, 90 days, 8 replications) and draw its report
	$(BIN)/kokoromichi simulate baseline --workers process --out $(RESULTS) --replace

test: .venv/.installed ## Run the tests, but not those marked slow
	$(PYTEST) -m "not slow"

test-slow: .venv/.installed ## Run the tests marked slow
	$(PYTEST) --dist loadfile -m slow $$(grep --recursive --files-with-matches --include='test_*.py' mark.slow tests)

test-all: .venv/.installed ## Run every test
	$(PYTEST)

campaign: export CAMPAIGN_PLAYERS ?= 500
campaign: export CAMPAIGN_SEEDS ?= 8
campaign: export CAMPAIGN_SOUND_SEEDS ?= 8
campaign: export CAMPAIGN_YEAR_PLAYERS ?= 500
campaign: export CAMPAIGN_PAIRS ?= 10
campaign: export CAMPAIGN_PAIR_PLAYERS ?= 500
campaign: export CAMPAIGN_PAIR_DAYS ?= 90
campaign: export CAMPAIGN_ITEMS ?= all
campaign: export CAMPAIGN_WORKERS ?= process
campaign: export CAMPAIGN_OUT ?= simulations/results/campaign
campaign: .venv/.installed ## Hold the synthetic players' checks at full size; an interrupted one goes on
	$(BIN)/python -m pytest $(CAMPAIGN_TESTS)

check: .venv/.installed ## Check format, lint, types and who imports whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

security: .venv/.installed ## Look for insecure code
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive kokoromichi

hooks: .venv/.installed ## Run every pre-commit hook on every file
	$(BIN)/pre-commit run --all-files

pins: .venv/.installed ## See that what constraints.txt pins can be installed by every Python
	$(RESOLVE) --python-version 3.10
	$(RESOLVE) --python-version 3.11.5
	$(RESOLVE) --python-version 3.12
	$(RESOLVE) --python-version 3.13

bench: .venv/.installed ## Run every benchmark
	@set -e; for file in benchmarks/[a-z]*.py; do echo "== $$file"; $(BIN)/python "$$file"; done

docs: .venv/.docs ## Make the site in site/, strictly
	$(BIN)/python scripts/site.py

lab: .venv/.installed ## Open JupyterLab on the first notebook
	$(BIN)/jupyter lab notebooks/01_first_run.ipynb

.venv/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing into .venv ..."
	@$(BIN)/python -m pip install -qq --no-compile --disable-pip-version-check -c constraints.txt uv
	@$(BIN)/python -m uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[dev,fast,notebooks]'
	@touch $@

.venv/.docs: .venv/.installed
	@echo "Installing what the site is made with ..."
	@$(BIN)/python -m uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[docs]'
	@touch $@
