# Every target does its own set-up; `make help` lists them. Wheels only, versions and hashes from the lock files.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help env dev run test faults bench peers sbom lock hooks

# The first Python that is new enough; `make env PYTHON=/path/to/python` overrides.
OLDEST := (3, 11)
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < $(OLDEST))' 2>/dev/null && { echo "$$name"; break; }; done)
VENV ?= .venv
BIN := $(VENV)/bin
FAULTS_SECONDS ?= 1400

# Whole files go to one worker, in their order: what a file makes once is made once. More workers than 4 gain little.
WORKERS ?= auto
PARALLEL = -n $(WORKERS) --maxprocesses 4

INSTALL = $(BIN)/python -m pip --disable-pip-version-check install -qq --no-input
LOCKED = $(INSTALL) --require-hashes --only-binary :all:
COMPILE = $(BIN)/uv pip compile --quiet --no-config --universal --python-version 3.11 --only-binary :all: \
	--generate-hashes --no-emit-index-url --no-header --no-annotate $(UPGRADE)

# What builds the hub itself is locked like the rest.
BUILD := hatchling editables

# One environment per peer: tests/peers/NAME.txt (Python) and NAME.npm (Node 20) become .peers/NAME.
PEERS := $(patsubst tests/peers/%.txt,.peers/%/.stamp,$(sort $(wildcard tests/peers/*.txt))) \
	$(patsubst tests/peers/%.npm,.peers/%/.stamp,$(sort $(wildcard tests/peers/*.npm)))

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

env: $(VENV)/.env  ## make .venv with what the hub needs to run (nothing to do while the lock is the same)

dev: $(VENV)/.dev  ## add what the tests and checks need

run: env  ## run the hub with the demo configuration on http://127.0.0.1:8080
	$(BIN)/hub run --demo

test: dev  ## format, lint, types, layers, then every test except the fault tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m "not faults" $(PARALLEL) --dist loadscope --no-loadscope-reorder

faults: dev  ## kill, cut, fill and delay real processes; ended after FAULTS_SECONDS
	timeout --kill-after=20 $(FAULTS_SECONDS) $(BIN)/python -m pytest -m faults $(PARALLEL) --dist load

bench: env  ## measure orders per second on this machine
	$(BIN)/hub bench

peers: $(PEERS)  ## build the real systems of the tests under .peers/, an environment each

sbom: dev  ## write the bill of materials of requirements.lock to var/sbom.json
	@mkdir -p var
	PYTHONWARNINGS=ignore $(BIN)/cyclonedx-py requirements requirements.lock --pyproject pyproject.toml \
		--index-url "" --output-reproducible --output-file var/sbom.json

lock: dev  ## resolve both lock files again; newer versions with `make lock UPGRADE=--upgrade`
	printf '%s\n' $(BUILD) | $(COMPILE) -o requirements.lock pyproject.toml - >/dev/null
	printf '%s\n' $(BUILD) | $(COMPILE) --all-extras -c requirements.lock -o requirements-dev.lock pyproject.toml - >/dev/null

hooks: dev  ## run the checks before each commit of this checkout
	$(BIN)/pre-commit install

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "The hub needs Python 3.11 or newer and found none. Install it (Debian, Ubuntu:" \
		"apt-get install python3 python3-venv) or name one: make env PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < $(OLDEST))' || { echo "$(PYTHON) does not run or is older" \
		"than Python 3.11. Install a newer one or name it: make env PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv or no pip. Install python3-venv" \
		"(Debian, Ubuntu: apt-get install python3-venv) and run make again" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)

$(VENV)/.env: requirements.lock pyproject.toml | $(BIN)/python
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null
	$(LOCKED) -r requirements.lock
	$(INSTALL) --no-index --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.env
	PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 $(LOCKED) -r requirements-dev.lock
	@touch $@

.peers/%/.stamp: tests/peers/%.txt | $(BIN)/python
	$(BIN)/python -m venv --clear .peers/$*
	.peers/$*/bin/python -m pip --disable-pip-version-check install -qq --no-input --only-binary :all: -r $<
	@touch $@

.peers/%/.stamp: tests/peers/%.npm
	@command -v npm >/dev/null || { echo "make peers needs npm for $*. Install it (Debian, Ubuntu: apt-get install npm)" >&2; exit 1; }
	@mkdir -p .peers/$*
	npm install --prefix .peers/$* --silent --no-audit --no-fund --ignore-scripts --omit=optional --no-package-lock $$(cat $<)
	@touch $@
