# Everything lives in .venv, made on first use. Try `make help`.

SHELL   := /bin/sh
PYTHON  ?= python3
TASK    ?= snippets
MODELS  ?= smollm2-135m gemma-3-270m
SEED    ?= 0
ARTIFACTS ?= artifacts
RUNS    ?= runs/evaluation/$(TASK)

VENV_PYTHON := .venv/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run test lint clean
.DEFAULT_GOAL := help

help:
	@echo 'make run    search a prompt for each model, freeze it, then evaluate it on held-out examples'
	@echo '            variables: TASK, MODELS, SEED, ARTIFACTS, RUNS'
	@echo '            e.g. make run MODELS=smollm2-135m SEED=1'
	@echo 'make test   lint, format check, type check and tests'
	@echo 'make lint   lint, format check and type check only'
	@echo 'make clean  remove .venv and tool caches; artifacts and runs stay'
	@echo ''
	@echo 'Needs Python 3.11 or later: make PYTHON=/path/to/python3 ... if python3 is older.'

run: .venv/.installed
	$(VENV_PYTHON) -m optimize --task $(TASK) --model $(MODELS) --seed $(SEED) --out "$(ARTIFACTS)"
	$(VENV_PYTHON) -m evaluate --task $(TASK) --models $(MODELS) --search-seed $(SEED) \
	  --artifacts "$(ARTIFACTS)" --out "$(RUNS)"

# One thread a process: threads of several processes on the same cores wait for each other.
test: lint
	OMP_NUM_THREADS=1 $(VENV_PYTHON) -m pytest -n auto --dist loadfile

lint: .venv/.installed
	$(VENV_PYTHON) -m ruff check .
	$(VENV_PYTHON) -m ruff format --check .
	$(VENV_PYTHON) -m mypy

# The stamp is written last, so an interrupted installation is taken up again. A .venv without pip
# (half made, or made without ensurepip) is made again.
.venv/.installed: requirements.txt pyproject.toml
	@$(VENV_PYTHON) -m pip --version >/dev/null 2>&1 || { \
	  command -v "$(PYTHON)" >/dev/null 2>&1 || { \
	    echo 'error: no "$(PYTHON)" found; install Python 3.11 or later, or give make PYTHON=/path/to/python3' >&2; exit 2; }; \
	  "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "error: Python 3.11 or later is needed, $(PYTHON) is $$("$(PYTHON)" --version 2>&1); give make PYTHON=/path/to/python3" >&2; exit 2; }; \
	  echo 'making .venv'; \
	  "$(PYTHON)" -m venv .venv; }
	@echo 'installing the packages of requirements.txt (once, about two minutes; longer on a slow line) ...'
	@$(VENV_PYTHON) -m pip install --quiet --no-input -r requirements.txt
	@touch .venv/.installed

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis burnish.egg-info
	find . -type d -name __pycache__ -prune -exec rm -rf {} +
