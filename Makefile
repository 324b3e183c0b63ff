# The verbs of the project. The first one that needs it makes the environment, from the locked dependencies.
PYTHON ?= python3
BIN := .venv/bin
TESTS ?= tests
WORKERS ?= auto

.PHONY: run test tools lint format bench bench-plane docs golden conformance differential deps lock clean

run: .venv/run ## start the plane with the example application and, where the tests' control plane is built, live clusters
	@$(BIN)/python tools/run.py

test: .venv/dev tools ## all tests; those that need the real API server skip where Go is missing
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup $(TESTS)

tools: .venv/dev ## build the Go programs that tests run (the real control plane, helm, a registry), once
	@if command -v go >/dev/null; then $(BIN)/python tools/gobuild.py kubernetes etcd kwok helm registry; fi

lint: .venv/dev ## style, types, layers
	$(BIN)/ruff format --check src tests tools bench
	$(BIN)/ruff check src tests tools bench
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/dev ## rewrite the source as the formatter wants it
	$(BIN)/ruff format src tests tools bench
	$(BIN)/ruff check --fix src tests tools bench

golden: .venv/dev ## rewrite the golden files; review the diff
	$(BIN)/pytest -q --snapshot-update tests

conformance: .venv/dev ## run the peers' suites and write docs/conformance.md
	$(BIN)/python tools/conformance.py

differential: .venv/dev ## build the peer, ask it and us random questions, show where the answers differ; SEED=2 asks others
	$(BIN)/python tools/differential/run.py --seed $(or $(SEED),1)

bench: .venv/dev ## build the peers, time both, write docs/benchmarks.md
	$(BIN)/python bench/run.py

bench-plane: .venv/dev ## a fleet of 1,000 clusters reports in and is looked at; write docs/benchmarks-plane.md
	$(BIN)/python bench/plane.py

docs: .venv/docs ## build the documentation into site/
	$(BIN)/python tools/reference.py
	$(BIN)/zensical build

deps: ## install the Debian packages that some tests want
	apt-get update -qq && apt-get install -y --no-install-recommends $$(sed 's/#.*//' requirements/debian.txt)

lock: .venv/dev ## lock the dependencies anew
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml -o requirements/run.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 pyproject.toml --group dev -o requirements/dev.lock
	$(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 --group docs -o requirements/docs.lock
	printf 'hatchling\neditables\n' | $(BIN)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --python-version 3.11 - -o requirements/build.lock

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/run: requirements/run.lock requirements/build.lock pyproject.toml | .venv/bin/python
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/build.lock -r requirements/run.lock
	$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.venv/dev: requirements/dev.lock .venv/run
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

.venv/docs: requirements/docs.lock .venv/run
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements/docs.lock
	@touch $@

clean:
	rm -rf .venv site dist .mypy_cache .ruff_cache .pytest_cache
