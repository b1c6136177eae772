# Two commands for a newcomer: `make run` and `make test`. Each sets up what it needs in .venv first.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

# A Python of 3.11 or later, asked in this order; name another with `make install PYTHON=...`. The system's own comes
# first: distributions build it with optimisations that self-built ones often lack, which is a fifth of the speed.
PYTHON ?= $(shell for python in /usr/bin/python3 python3 python3.13 python3.12 python3.11 python3.14; do \
	$$python -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

BIN := .venv/bin
PIP := $(BIN)/python -m pip install -qq --no-input --disable-pip-version-check
WORKERS ?= 2
KILLS ?= 50
CUTS ?= 20
FAULTS ?= 12
FLIPS ?= 100
SEED ?= 1
RESULTS := build/tests.xml
comma := ,

.PHONY: help run test install check format generate bench torture hostile drill acceptance screenshots demo lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: .venv/.run ## Set up, start the daemon on its default settings, say what to try next
	@printf '%s\n' \
		'' \
		'kycmanager starts: REST on http://127.0.0.1:7480, TCP on 127.0.0.1:7400, data in bases/, storage/, audit/ and keys/.' \
		'Try next, in another terminal:' \
		'  curl -s http://127.0.0.1:7480/readyz' \
		'  $(BIN)/kycmanager token issue --session manager --id 1     # then README.md, "The first five minutes"' \
		'  $(BIN)/kycmanager user add ann --role manager              # then http://127.0.0.1:7480/backoffice in a browser' \
		'  every command to try: http://127.0.0.1:7480/docs' \
		'Ctrl-C stops it; what was accepted is on disk.' \
		''
	exec $(BIN)/kycmanager serve

test: .venv/.dev ## Set up, run all tests with branch coverage (TESTS="tests/domain -k step" runs some, without coverage)
	@rm -rf build/coverage $(RESULTS)
	mkdir -p build
ifdef TESTS
	$(BIN)/python -m pytest -q $(TESTS)
else
	export COVERAGE_FILE=$(CURDIR)/build/coverage/data
	mkdir -p build/coverage
	$(BIN)/python -m coverage run -m pytest -q -n $(WORKERS) --junitxml=$(RESULTS)
	$(BIN)/python -m coverage combine -q
	$(BIN)/python -m coverage report
endif

install: .venv/.dev ## Make .venv with the product and its tools

check: .venv/.dev ## Format, lint, types, direction of imports, freshness of generated files
	@failed=
	for step in \
		'ruff format --check .' \
		'ruff check .' \
		'mypy' \
		'lint-imports' \
		'python -m kycmanager.contract --check'
	do
		echo "== $$step"
		$(BIN)/$$step || failed="$$failed; $$step"
	done
	test -z "$$failed" || { echo "failed: $${failed#; }" >&2; exit 1; }

format: .venv/.dev ## Format the sources
	@$(BIN)/ruff format .

generate: .venv/.dev ## Write the reference, the OpenAPI document and the client anew from the command rows
	@$(BIN)/python -m kycmanager.contract

bench: .venv/.bench ## Measure (ONLY=name,name measures some, QUICK=1 measures shortly)
	@ONLY='$(ONLY)' QUICK='$(QUICK)' $(BIN)/python -m benchmarks

torture: .venv/.dev ## Kill it, cut its power, fail its disk, flip bits (KILLS=50 CUTS=20 FAULTS=12 FLIPS=100 SEED=1 ONLY=cuts)
	@$(BIN)/python tests/torture/torture.py --kills $(KILLS) --cuts $(CUTS) --faults $(FAULTS) --flips $(FLIPS) \
		--seed $(SEED) $(if $(ONLY),--only $(ONLY))

drill: .venv/.dev ## Back up under load, restore, start a daemon on it, compare every row and file
	@$(BIN)/python tests/backup/drill.py --seed $(SEED)

acceptance: .venv/.dev ## Send a thousand good pictures and PDFs of others through the storage: how many are refused, and why
	@$(BIN)/python tests/acceptance/accept.py

screenshots: .venv/.dev ## Take pictures of the pages into docs/screenshots (ONLY=queue,case takes some)
	@$(BIN)/python tests/screenshots/take.py --only '$(ONLY)'

hostile: .venv/.dev ## Attack it for long (ONLY=fuzz,api,clients,overload,canaries,soak CASES= SECONDS= HOURS= SEED=1)
	@for name in $(or $(subst $(comma), ,$(ONLY)),fuzz api clients overload canaries soak); do
		echo "== $$name"
		case $$name in
		fuzz|api) $(BIN)/python tests/hostile/$$name.py --seed $(SEED) $(if $(CASES),--cases $(CASES)) ;;
		overload) $(BIN)/python tests/hostile/overload.py $(if $(SECONDS),--seconds $(SECONDS)) ;;
		soak) $(BIN)/python tests/hostile/soak.py $(if $(SECONDS),--seconds $(SECONDS)) $(if $(HOURS),--hours $(HOURS)) ;;
		clients) $(BIN)/python tests/hostile/clients.py ;;
		canaries) HOSTILE_CANARIES=1000 $(BIN)/python -m pytest -q -o timeout=1200 tests/hostile/test_canaries.py ;;
		*) echo "hostile: no $$name" >&2; exit 1 ;;
		esac
	done

demo: .venv/.run ## Play the life of one customer on a daemon of its own
	@$(BIN)/kycmanager demo

# The lock files hold exact versions and hashes for every Python from 3.11 on. One resolution for all of them, so that
# each later one only adds to the one before. Versions stay unless UPGRADE=1.
lock: ## Write requirements/ anew from pyproject.toml (UPGRADE=1 takes newer versions)
	@test -x $(BIN)/uv || $(MAKE) .venv/.dev
	compile() {
		$(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --no-annotate \
			--no-emit-index-url --no-emit-find-links --custom-compile-command 'make lock' "$$@"
	}
	all=$$(mktemp)
	trap 'rm -f "$$all"' EXIT
	test -n '$(UPGRADE)' || sed '/^ *--hash/d; s/ \\$$//' requirements/bench.txt > "$$all" 2>/dev/null || true
	compile --all-extras $(if $(UPGRADE),--upgrade) --output-file "$$all" > /dev/null
	for extras in run:build,stellar dev:build,stellar,dev bench:build,stellar,dev,bench; do
		file=requirements/$${extras%%:*}.txt
		rm -f "$$file"
		compile --generate-hashes --constraints "$$all" \
			$$(tr , '\n' <<< "$${extras#*:}" | sed 's/^/--extra /') --output-file "$$file" > /dev/null
		echo "wrote $$file"
	done

clean: ## Remove what was made here: .venv, caches, build; never bases/, storage/ or keys/
	@rm -rf .venv build *.egg-info .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache benchmarks/.build
	find kycmanager storagemanager tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@test -n '$(PYTHON)' || { echo 'kycmanager needs Python 3.11 or later; name one with PYTHON=...' >&2; exit 1; }
	$(PYTHON) -m venv .venv || {
		rm -rf .venv
		echo 'Python cannot make a .venv here; on Debian and Ubuntu: apt install python3-venv' >&2
		exit 1
	}

# A newer lock file or pyproject.toml installs again.
.venv/.run: requirements/run.txt pyproject.toml | .venv/bin/python
	@echo 'setting up .venv from requirements/run.txt; this takes about half a minute'
	$(PIP) --require-hashes -r requirements/run.txt
	$(PIP) --no-build-isolation --no-deps --editable .
	touch $@

.venv/.dev: requirements/dev.txt .venv/.run
	@echo 'adding the tools of requirements/dev.txt'
	$(PIP) --require-hashes -r requirements/dev.txt
	touch $@

.venv/.bench: requirements/bench.txt .venv/.dev
	@echo 'adding the peers of requirements/bench.txt'
	$(PIP) --require-hashes -r requirements/bench.txt
	touch $@
