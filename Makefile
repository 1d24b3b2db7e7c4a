# Every target sets itself up: all it needs is Python 3.11 or newer, and a package index.

PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11,$(shell $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
OTHER_PYTHONS := 3.12 3.13
# What starts processes takes long and differs little from one Python to the next: the others try some of it.
FEWER := $(addprefix --ignore=tests/,cli run torch track browser engines compat/test_lightex.py test_demo.py test_docs.py test_survival.py)
STARTING := $(addprefix tests/, \
    cli/test_check.py cli/test_run.py \
    cli/test_error_texts.py::test_an_error_says_what_failed_where_it_came_from_what_is_allowed_and_what_to_do \
    cli/test_sweep.py::test_every_combination_is_run_and_the_best_is_named \
    run/test_argparse.py run/test_execute.py run/test_groups.py run/test_index.py run/test_metrics.py run/test_plan.py \
    run/test_query.py run/test_worker.py \
    run/test_warm.py::test_the_records_are_those_of_processes_of_their_own \
    run/test_warm.py::test_interrupting_the_sweep_ends_all_its_processes \
    test_survival.py::test_told_to_end_it_ends_all_its_processes_and_says_how_to_go_on \
    test_survival.py::test_two_sweeps_on_one_directory_of_which_one_is_killed)
# By pip, which may find a build for the CPU where uv takes the one for CUDA.
TORCH := torch==2.13.0
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help shells browser demo test laws engines engines-stop test-engines test-others lint format types mypy pyright floors docs bench clean

help:  ## what there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

$(VENV)/.uv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@touch $@

$(VENV)/.ready: $(VENV)/.uv pyproject.toml Makefile
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile $(TORCH)
	$(UV) pip install --quiet --python $(BIN)/python --editable . --group test --group trackers --group browser --group engines --group lint
	@touch $@

shells:  ## the shells whose completion is tested, by the machine's own package manager
	@missing=; for shell in bash zsh fish; do command -v $$shell >/dev/null || missing="$$missing $$shell"; done; \
	if test -z "$$missing"; then exit 0; fi; \
	root=; test "$$(id -u)" = 0 || root=sudo; \
	if command -v brew >/dev/null; then brew install --quiet $$missing; \
	elif command -v apt-get >/dev/null; then $$root apt-get update -qq && $$root apt-get install -qq -y $$missing >/dev/null; \
	else echo "completion is tested in real shells: install$$missing"; exit 1; fi

browser: shells  ## the browser in which the report's page is tested, by the machine's own package manager
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

test-engines: engines  ## the tests that send jobs to the real engines, those of one after the other
	$(BIN)/python -m pytest -n 3 --dist loadscope -q tests/engines

test-others: $(addprefix test-,$(OTHER_PYTHONS))  ## the tests under the other Python versions that this machine has, of what starts processes a few

test-3.%: $(VENV)/.uv shells
	@for python in python3.$* $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.$*.*/bin/python; do \
	    $$python -c '' 2>/dev/null && break; \
	    python=; \
	done; \
	test -n "$$python" || { echo "Python 3.$* is not on this machine"; exit 0; }; \
	echo "Python 3.$*: $$python"; \
	$(UV) venv --quiet --clear --python $$python $(VENV)-3.$* && \
	$(UV) pip install --quiet --python $(VENV)-3.$*/bin/python --editable . --group test && \
	$(VENV)-3.$*/bin/python -m pytest -q -p no:cacheprovider tests src $(FEWER) && \
	$(VENV)-3.$*/bin/python -m pytest -q -p no:cacheprovider $(STARTING)

lint: $(VENV)/.ready  ## ruff's rules and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/.ready  ## write the code as the formatter wants it
	$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format .

types: mypy pyright  ## mypy --strict and pyright

mypy: $(VENV)/.ready
	$(BIN)/mypy

pyright: $(VENV)/.ready
	$(BIN)/pyright --pythonpath $(BIN)/python

floors: $(VENV)/.ready  ## who may import whom
	$(BIN)/lint-imports

docs: $(VENV)/.ready  ## write the true output into the console blocks of README and docs
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/docs.py README.md docs/*.md docs/executors/*.md docs/moving/*.md --write

bench: $(VENV)/.ready  ## Callsheet, its peers and plain Python, side by side in one run
	@test -x $(VENV)-bench/bin/python || $(UV) venv --quiet --python $(BIN)/python $(VENV)-bench
	@$(UV) pip install --quiet --python $(VENV)-bench/bin/python --editable . --group bench
	$(VENV)-bench/bin/python benchmarks/bench.py

clean:  ## remove what was made here
	rm -rf $(VENV) $(VENV)-* demo dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
