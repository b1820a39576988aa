# Everything happens in .venv; nothing outside this folder is changed.

PYTHON ?= python3
PYTEST_ARGS ?= -n 2

VENV := .venv
RUN := $(VENV)/bin
PIP := $(RUN)/python -m pip --quiet --disable-pip-version-check
INSTALLED := $(VENV)/.installed
INSTALLED_TEST := $(VENV)/.installed-test
INSTALLED_BENCH := $(VENV)/.installed-bench

.DEFAULT_GOAL := help
.NOTPARALLEL: # all targets share one environment
.PHONY: help demo test bench docs lint types imports format clean distclean

help: ## Show this list
	@echo "Usage: make TARGET [PYTHON=python3.12] [PYTEST_ARGS='-x']"
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(INSTALLED) ## Install Lamina in .venv and train a first network
	$(RUN)/lamina demo

test: lint types imports docs ## All checks, then all tests and doctests
	$(RUN)/python -m pytest $(PYTEST_ARGS)

bench: $(INSTALLED_BENCH) ## Lamina beside its peers, some minutes on a quiet machine
	$(RUN)/python benchmarks/speed $(BENCH_ARGS)

docs: $(INSTALLED_TEST) ## Build the documentation in build/docs; every warning is an error
	$(RUN)/sphinx-build --fail-on-warning --keep-going --nitpicky --quiet docs build/docs

lint: $(INSTALLED_TEST) ## Rules and formatting (ruff)
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .

types: $(INSTALLED_TEST) ## Types (mypy, strict)
	$(RUN)/python -m mypy

imports: $(INSTALLED_TEST) ## Who may import whom (import-linter)
	$(RUN)/lint-imports --no-logo --no-cache

format: $(INSTALLED_TEST) ## Rewrite the code as lint wants it
	$(RUN)/ruff check --fix .
	$(RUN)/ruff format .

clean: ## Remove caches and build products
	rm -rf build dist docs/gallery .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## Remove .venv too
	rm -rf $(VENV)

# pip stands for the whole environment: it is the last thing that venv installs.
$(RUN)/pip:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "Lamina needs Python 3.11 or newer, and there is no '$(PYTHON)'. Name yours," >&2; \
	  echo "for example: make $(or $(MAKECMDGOALS),test) PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Lamina needs Python 3.11 or newer, and '$(PYTHON)' is not. Name another one," >&2; \
	  echo "for example: make $(or $(MAKECMDGOALS),test) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): pyproject.toml | $(RUN)/pip
	@echo "Installing Lamina in $(VENV) (some minutes the first time)"
	@$(PIP) install --editable .
	@touch $@

$(INSTALLED_TEST): pyproject.toml | $(RUN)/pip
	@echo "Installing Lamina and its test tools in $(VENV) (some minutes the first time)"
	@$(PIP) install --editable '.[docs,test]'
	@touch $(INSTALLED) $@

$(INSTALLED_BENCH): pyproject.toml | $(RUN)/pip
	@echo "Installing Lamina and its peers in $(VENV) (some minutes the first time)"
	@$(PIP) install --editable '.[bench]'
	@touch $(INSTALLED) $@
