# Every target sets up .venv by itself. On a fresh machine: `make demo`, then `make test`.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow lint format bench clean

help:           ## these lines
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 20

setup: $(READY) ## .venv with everything that is needed to work on Glassformer

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Glassformer needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $(READY)

demo: $(READY)  ## train a Korean-English translator in minutes, score it, translate with it
	$(BIN)/glassformer demo

test: $(READY)  ## the tests (a few minutes)
	$(BIN)/python -m pytest -n auto

test-slow: $(READY) ## the tests that take longer
	$(BIN)/python -m pytest -n auto -m slow

lint: $(READY)  ## style, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## measure against the peers that are installed, and against the machine's limits
	$(BIN)/glassformer bench

clean:          ## remove .venv and caches; runs/ stays
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
