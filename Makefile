# make demo and make test do all the set-up themselves; everything goes into this checkout.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
UV := $(shell command -v uv || echo .uv/bin/uv)
PACKAGES := shared services/inventory services/allocation services/gateway deploy
PLANNER := services/allocation/chubei_allocation/planner
WEB := services/gateway/web
PAGES := services/gateway/chubei_gateway/web/index.html

# Trust what this machine trusts (a company's own certificates, say), as pip and git do
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt),)
export UV_SYSTEM_CERTS := 1
endif

.PHONY: help setup demo test check screens bench bench-long lock clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.compiled $(PAGES)  ## install everything into .venv (the command: .venv/bin/chubei), compile the planner, build the pages

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

# Node comes as a wheel; its packages are pinned by package-lock.json
$(WEB)/node_modules/.ready: $(WEB)/package-lock.json | $(VENV)/.ready
	@echo "Installing the packages of the pages"
	@cd $(WEB) && PATH="$(abspath $(VENV))/bin:$$PATH" npm ci --silent
	@touch $@

# The pages' client is typed by the services' own document; an unchanged document is not written anew
.cache/openapi.json: $(VENV)/.ready $(shell find shared services deploy/chubei_cli -name '*.py' -not -path '*/planner/*')
	@$(VENV)/bin/chubei openapi --out $@ 2> /dev/null || $(VENV)/bin/chubei openapi --out $@

$(PAGES): .cache/openapi.json $(WEB)/node_modules/.ready $(shell find $(WEB) -type f -not -path '*/node_modules/*' -not -name schema.d.ts)
	@echo "Building the pages"
	@cd $(WEB) && PATH="$(abspath $(VENV))/bin:$$PATH" && npm run --silent api -- --silent && npm run --silent build -- --logLevel warn
	@touch $@

demo: setup  ## the first night, on a throw-away state folder: from stock on a shelf to people served
	@$(VENV)/bin/chubei demo --out demo-out

check: setup  ## lint, types, import rules, of the pages too
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(VENV)/bin/lint-imports
	@cd $(WEB) && PATH="$(abspath $(VENV))/bin:$$PATH" npm run --silent check

test: check  ## check, and all tests on real PostgreSQL, Valkey and Chromium (BROWSER=none: without pages)
	@$(VENV)/bin/pytest -n 2

screens: setup  ## a picture of every page, in both languages and all sizes, in screens/
	@$(VENV)/bin/python -m tests.browser.screens --out screens

bench: setup  ## planner, ledger and readiness beside what they are measured by, and the pages' weight: tables in bench-out/ (some minutes)
	@$(VENV)/bin/python -m tests.bench.pages --out bench-out
	@$(VENV)/bin/python -m tests.bench --out bench-out
	@$(VENV)/bin/python -m tests.bench.ledger --out bench-out
	@$(VENV)/bin/python -m tests.bench.readiness --out bench-out

bench-long: setup  ## the same with a province of 3,000 points and ten million entries (an hour)
	@$(VENV)/bin/python -m tests.bench --long --out bench-out
	@$(VENV)/bin/python -m tests.bench.ledger --long --out bench-out
	@$(VENV)/bin/python -m tests.bench.readiness --long --out bench-out

lock:  ## pin all dependencies anew (needs an index; commit the result)
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes pyproject.toml --group dev \
	  $(foreach p,shared inventory allocation gateway cli,--no-emit-package chubei-$(p)) -o requirements.lock

clean:  ## remove what setup and demo made
	rm -rf $(VENV) .uv .state .cache demo-out bench-out screens $(WEB)/node_modules $(dir $(PAGES)) $(PLANNER)/__pycache__/compiled-*
