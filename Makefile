# Every target sets itself up: all it needs is Python 3.11 or newer, and a package index.

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
OTHER_PYTHONS := 3.12 3.13
# What mostly starts processes is tried under the oldest Python and the newest: it takes long, and differs little.
STARTING := --ignore=tests/cli --ignore=tests/run --ignore=tests/test_survival.py --ignore=tests/compat/test_lightex.py
# By pip, which may find a build for the CPU where uv takes the one for CUDA.
TORCH := torch==2.13.0
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help shells browser demo test laws engines engines-stop test-engines test-others lint format types floors docs bench clean

help:  ## what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(VENV)/.ready: pyproject.toml Makefile
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(UV) pip install --quiet --python $(BIN)/python --editable . --group test --group trackers --group browser --group engines --group lint
	@touch $@

shells:  ## the shells whose completion is tested, by the machine's own package manager
	@missing=; for shell in bash zsh fish; do command -v $$shell >/dev/null || missing="$$missing $$shell"; done; \
	if test -z "$$missing"; then exit 0; fi; \
	root=; test "$$(id -u)" = 0 || root=sudo; \
	if command -v brew >/dev/null; then brew install --quiet $$missing; \
	elif command -v apt-get >/dev/null; then $$root apt-get update -qq && $$root apt-get install -qq -y $$missing >/dev/null; \
	else echo "completion is tested in real shells: install$$missing"; exit 1; fi

browser:  ## the browser in which the report's page is tested, by the machine's own package manager
	@for name in chromium chromium-browser google-chrome google-chrome-stable; do command -v $$name >/dev/null && exit 0; done; \
	test -n "$$CALLSHEET_CHROMIUM" && exit 0; \
	root=; test "$$(id -u)" = 0 || root=sudo; \
	if command -v brew >/dev/null; then test -d /Applications/Chromium.app || brew install --quiet --cask chromium; \
	elif command -v apt-get >/dev/null; then $$root apt-get update -qq && $$root apt-get install -qq -y --no-install-recommends chromium >/dev/null; \
	else echo "the report's page is tested in a real browser: install chromium"; exit 1; fi

demo: $(VENV)/.ready  ## the main job, in the folder demo/: check, run, why, sweep, compare and report on handwritten digits; goes on where it was killed
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/demo.py demo

test: $(VENV)/.ready shells browser  ## all tests, the examples in docstrings, and every block of README and docs
	$(BIN)/python -m pytest -n 2 --dist worksteal -q --ignore=tests/engines

laws: $(VENV)/.ready  ## the laws of a spec, each tried on 20,000 other specs (an hour)
	CALLSHEET_LAWS=20000 $(BIN)/python -m pytest -n 2 --dist worksteal -q tests/test_laws.py

engines: $(VENV)/.ready  ## the real engines that jobs are sent to, installed and started on loopback: Slurm, Docker, Kubernetes, Ray (Debian, as root or by sudo)
	@$(BIN)/python tools/engines start

engines-stop: $(VENV)/.ready  ## end these engines, and the jobs in them
	@$(BIN)/python tools/engines stop

test-engines: engines  ## the tests that send jobs to the real engines
	$(BIN)/python -m pytest -q tests/engines

test-others: $(VENV)/.ready shells  ## the tests under the other Python versions that this machine has (pages, PyTorch, trackers, the browser and the engines excepted)
	@for version in $(OTHER_PYTHONS); do \
	    found=; \
	    for python in python$$version $${PYENV_ROOT:-$$HOME/.pyenv}/versions/$$version.*/bin/python; do \
	        $$python -c '' 2>/dev/null && found=$$python && break; \
	    done; \
	    test -n "$$found" || { echo "Python $$version is not on this machine"; continue; }; \
	    echo "Python $$version: $$found"; \
	    $$found -m venv --clear $(VENV)-$$version && \
	    $(UV) pip install --quiet --python $(VENV)-$$version/bin/python --editable . --group test && \
	    test $$version = $(lastword $(OTHER_PYTHONS)) && fewer= || fewer="$(STARTING)"; \
	    $(VENV)-$$version/bin/python -m pytest -n 2 --dist worksteal -q -p no:cacheprovider $$fewer --ignore=tests/test_docs.py --ignore=tests/torch --ignore=tests/track --ignore=tests/browser --ignore=tests/engines || exit 1; \
	done

lint: $(VENV)/.ready  ## ruff's rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.ready  ## write the code as the formatter wants it
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

types: $(VENV)/.ready  ## mypy --strict and pyright
	$(BIN)/mypy
	$(BIN)/mypy tests/typing
	$(BIN)/pyright --pythonpath $(BIN)/python

floors: $(VENV)/.ready  ## who may import whom
	$(BIN)/lint-imports

docs: $(VENV)/.ready  ## write the true output into the console blocks of README and docs
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/docs.py README.md docs/*.md docs/moving/*.md --write

bench: $(VENV)/.ready  ## Callsheet, its peers and plain Python, side by side in one run
	@test -x $(VENV)-bench/bin/python || $(UV) venv --quiet --python $(BIN)/python $(VENV)-bench
	@$(UV) pip install --quiet --python $(VENV)-bench/bin/python --editable . --group bench
	$(VENV)-bench/bin/python benchmarks/bench.py

clean:  ## remove what was made here
	rm -rf $(VENV) $(VENV)-* demo dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
