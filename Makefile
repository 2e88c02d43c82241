# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# Short names for what a person does here. The work is in tools/ and droplet/.

PYTHON ?= python3
VENV_PYTHON := .venv/bin/python
RUN := $(VENV_PYTHON) -m tools.run_tests

export PATH := $(CURDIR)/.venv/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help setup controller demo demo-down check test lint types units sanity integration molecule matrix build soak bench clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  make \1#\2/p' $(firstword $(MAKEFILE_LIST)) | column -t -s '#' 2>/dev/null \
	  || grep '##' $(firstword $(MAKEFILE_LIST))

setup: ## Make the virtual environment in .venv with all that demo and tests need
	@$(PYTHON) -m tools.set_up --tests

controller:
	@$(PYTHON) -m tools.set_up

demo: controller ## Deploy the demo site to a droplet on this machine, over SSH
	@$(VENV_PYTHON) -m tools.demo up

demo-down: ## Remove all that the demo made
	@$(PYTHON) -m tools.demo down

check: setup ## Lint, types, unit tests: the quick part of the tests
	@$(RUN) --quick

test: setup ## All tests
	@$(RUN)

lint types units sanity integration molecule matrix build: setup ## One part of the tests
	@$(RUN) $@

soak: setup ## Every fault that deploys must survive, twenty deploys in a row by each strategy: an hour or two
	@$(RUN) soak

bench: setup ## Measure, and keep the results in bench/results
	@$(VENV_PYTHON) -m bench

clean: ## Remove what tests and builds left in this folder, and the virtual environment
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .ansible .cache/build .cache/test .cache/matrix
	rm -rf collections/ansible_collections/juno/deploy/tests/output
	find collections droplet tools bench examples -name __pycache__ -type d -prune -exec rm -rf {} +
