# make demo and make test do all the set-up themselves; everything goes into this checkout.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
UV := $(shell command -v uv || echo .uv/bin/uv)
PACKAGES := shared services/inventory services/allocation services/gateway deploy
PLANNER := services/allocation/chubei_allocation/planner

# Trust what this machine trusts (a company's own certificates, say), as pip and git do
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS := 1
endif

.PHONY: help setup demo test check bench bench-long lock clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.compiled  ## install everything into .venv (the command: .venv/bin/chubei), and compile the planner

# uv's own pin is in the lock file like everyone's; only where no uv is on the PATH is it put into .uv
.uv/bin/uv: requirements.lock
	@echo "uv is missing: installing it into .uv"
	@$(PYTHON) -m venv .uv || { echo "Python's venv module is missing: install python3-venv (Debian: apt-get install python3-venv), or uv"; exit 1; }
	@awk '/^[a-z]/ {keep = /^uv==/} keep' requirements.lock > .uv/uv.txt
	@.uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .uv/uv.txt
	@touch $@

$(VENV)/.ready: requirements.lock pyproject.toml $(PACKAGES:%=%/pyproject.toml) | $(filter .uv/bin/uv,$(UV))
	@echo "Installing from requirements.lock into $(VENV) (a few minutes the first time, seconds after)"
	@test -x $(VENV)/bin/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
	@$(UV) pip sync --quiet --compile-bytecode --python $(VENV)/bin/python --require-hashes requirements.lock
	@$(UV) pip install --quiet --python $(VENV)/bin/python --no-deps --no-build-isolation $(PACKAGES:%=-e %)
	@touch $@

# The first plan need not wait for the compiler then; nothing is done where the code that is kept is still right
$(VENV)/.compiled: $(VENV)/.ready $(wildcard $(PLANNER)/*.py)
	@$(VENV)/bin/python -m chubei_allocation.planner.warm
	@touch $@

demo: setup  ## the first night, on a throw-away state folder: from stock on a shelf to people served
	@$(VENV)/bin/chubei demo --out demo-out

check: setup  ## lint, types, import rules
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports

test: check  ## check, and all tests on real PostgreSQL and Valkey
	@$(VENV)/bin/pytest -n 2

bench: setup  ## the planner beside a greedy and the bare LP: a table in bench-out/ (some minutes)
	@$(VENV)/bin/python -m tests.bench --out bench-out

bench-long: setup  ## the same with a province of 3,000 points (half an hour)
	@$(VENV)/bin/python -m tests.bench --long --out bench-out

lock:  ## pin all dependencies anew (needs an index; commit the result)
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes pyproject.toml --group dev \
	  $(foreach p,shared inventory allocation gateway cli,--no-emit-package chubei-$(p)) -o requirements.lock

clean:  ## remove what setup and demo made
	rm -rf $(VENV) .uv .state .cache demo-out bench-out $(PLANNER)/__pycache__/compiled-*
