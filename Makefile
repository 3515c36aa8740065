# Two commands: `make demo` runs the main job and prints the ladder; `make test` checks everything.
# Both set up .venv by themselves the first time and are quick after that.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
BIN := .venv/bin
SUITE_AGENTS := --agent exact --agent random --agent constant --agent majority --agent see-reader \
  --agent do-reader --agent reachability --agent q-online --agent q-offline --agent ppo \
  --agent model-diagram --agent model-learned --agent dowhy --agent latent-posterior
TORCH ?= torch==2.13.0
DEMO ?= build/demo
JOBS ?= 2

# One BLAS thread a process: two were up to thirty times slower on a busy two-core machine.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1

.PHONY: help setup demo test lint types imports unit docs wheel clean

help:
	@echo "make demo    train every agent, print the ladders, build a board page (about 3 minutes)"
	@echo "make test    lint, types, import contract, tests, docs, wheel"
	@echo "make clean   remove .venv and everything built"

setup: .venv/ready

# Torch first, and by itself: asked for as a dependency it may bring gigabytes of CUDA. Where the index
# gives a CUDA build, name the CPU one: make demo TORCH="torch==2.13.0 --index-url ADDRESS"
.venv/ready: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[dev]"
	touch $@

demo: setup
	rm -rf $(DEMO)
	$(BIN)/causalbench run umbrella-rain $(SUITE_AGENTS) --log-dir $(DEMO)/logs --jobs $(JOBS)
	$(BIN)/causalbench run ladder-mini $(SUITE_AGENTS) --log-dir $(DEMO)/logs --jobs $(JOBS)
	$(BIN)/causalbench board pack $(DEMO)/logs -o $(DEMO)/demo.zip
	$(BIN)/causalbench board verify $(DEMO)/demo.zip
	$(BIN)/causalbench board build $(DEMO)/demo.zip -o $(DEMO)/site

test: setup lint types imports unit docs wheel
	@echo "make test: everything passed"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

unit: setup
	$(BIN)/pytest -n 2 -q

docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir build/docs

wheel: setup
	$(BIN)/python tests/packaging/check_wheel.py

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
