PYTHON ?= python3.11
PIP_ARGS ?=
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: setup repro test check
setup: $(BIN)/.installed

$(BIN)/.installed: pyproject.toml constraints.txt carriers.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e '.[dev]'
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt --no-deps -r carriers.txt
	touch $@

repro: setup
	dvc repro

test: setup
	pytest -n 2 --dist loadfile --no-loadscope-reorder

check: setup
	ruff check
	ruff format --check
	mypy
	lint-imports
