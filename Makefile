# Every task of this project, by name. It needs make, git and a Python of 3.11 or newer, and nothing else.
# Kept to GNU make 3.81 (macOS has no newer one) and a POSIX shell.
#
#   VENV=dir         where the virtual environment is (.ci/run brings its own)
#   PYTHON=path      the Python it is made with; by default the first of CANDIDATES that works
#   ARGS="-k plan"   further arguments of pytest, or of the benchmarks
#   COVERAGE=1       measures coverage in `test` and `check`, and holds the floor
#   UPGRADE=1        lets `lock` lift every pin; without it, `lock` only adds and drops what pyproject.toml asks for

VENV ?= .venv
PYTHON ?=
ARGS ?=
COVERAGE ?=
UPGRADE ?=

BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
CANDIDATES := $(if $(PYTHON),$(PYTHON),python3.13 python3.12 python3.11 python3.14 python3)
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
PYTEST := $(BIN)/python -m pytest -n auto --maxprocesses 4

# A name on PATH proves nothing: version managers leave shims there that fail, and Debian ships Python without venv.
USABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
define FIND_PYTHON
python=; for candidate in $(CANDIDATES); do \
	if "$$candidate" -c '$(USABLE)' >/dev/null 2>&1; then python=$$candidate; break; fi; \
done; \
if [ -z "$$python" ]; then \
	echo "error: no usable Python among: $(CANDIDATES)" >&2; \
	echo "       needed is Python 3.11 or newer with its venv module (on Debian: python3-venv);" >&2; \
	echo "       name one with: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; \
	exit 1; \
fi
endef

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test torture fuzz azurite check lint types format coverage counterparts bench lock screenshots clean

help: ## Print the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(INSTALLED) ## Rehearse plan and apply against a gateway that runs on this machine.
	@$(BIN)/python examples/demo.py

test: $(INSTALLED) ## Run the tests, on up to four cores.
	@$(PYTEST) $(if $(COVERAGE),--cov) $(ARGS)

torture: $(INSTALLED) ## Kill, cut and refuse all that can be: the long run of tests/crash and of contenders.
	@TORTURE=1 $(PYTEST) tests/crash tests/state/test_contention.py $(ARGS)

fuzz: $(INSTALLED) ## Hold the quick readers to the plain ones over a hundred thousand generated files.
	@TORTURE=1 $(PYTEST) tests/desired/test_quick_fleet.py tests/desired/test_quick_environments.py \
		tests/desired/test_gate_and_explainer.py tests/state/test_tampered_states.py \
		tests/report/test_tampered_documents.py $(ARGS)

azurite: $(INSTALLED) ## Hold states in Azure's blobs to the contract, against Azurite. Needs npm, and 190 MB.
	@npm install --no-audit --no-fund --silent --prefix .azurite azurite@3.37.0
	@AZURITE=$(CURDIR)/.azurite/node_modules/.bin/azurite-blob $(PYTEST) tests/state/backends -k azure $(ARGS)

check: lint types test ## Run all that must pass before a change is taken: lint, types, tests.

lint: $(INSTALLED) ## Look for mistakes and for style that differs from ours.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(INSTALLED) ## Check the types, strictly.
	@$(BIN)/mypy

format: $(INSTALLED) ## Bring the code into our style, and mend what can be mended by a program.
	@$(BIN)/ruff check --fix-only --exit-zero .
	@$(BIN)/ruff format .

coverage: COVERAGE := 1
coverage: test ## Run the tests with branch coverage and hold its floor.

counterparts: ## Install the real programs the tests run against, where they are missing (Debian packages).
	@.ci/install-counterparts

bench: $(INSTALLED) ## Measure speed and memory, and write down what came out.
	@$(BIN)/python benchmarks/run.py $(ARGS)

lock: ## Pin every dependency anew in requirements.lock (UPGRADE=1 lifts all pins).
	@$(FIND_PYTHON); \
	scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && trap 'exit 1' INT TERM && \
	"$$python" -m venv "$$scratch/venv" && \
	"$$scratch/venv/bin/python" -m pip --quiet --disable-pip-version-check --no-input install uv && \
	"$$scratch/venv/bin/uv" pip compile --quiet --no-cache --universal --python-version 3.11 --extra dev --no-strip-extras \
		--generate-hashes --custom-compile-command 'make lock' $(if $(UPGRADE),--upgrade) \
		--output-file requirements.lock pyproject.toml && \
	echo "requirements.lock pins $$(grep -c '^[a-z].*==' requirements.lock) packages"

screenshots: $(INSTALLED) ## Take the pictures of docs/images anew, in Chromium.
	@$(BIN)/python tests/browser/screenshots.py $(ARGS)

clean: ## Remove caches, coverage data and builds; the virtual environment stays.
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* htmlcov build dist
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(INSTALLED): requirements.lock pyproject.toml
	@if ! $(BIN)/python -c '$(USABLE)' >/dev/null 2>&1; then \
		$(FIND_PYTHON); "$$python" -m venv --clear $(VENV); \
	fi
	@echo "installing the locked dependencies into $(VENV) ($$($(BIN)/python --version))"
	@$(PIP) install --require-hashes --requirement requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@
