# Slipway. `make` alone says what there is.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.ONESHELL:
# Much of the set-up waits: for packages, for a server to answer.
MAKEFLAGS += --jobs=3

LAB := compose/lab
PREFECT_PORT := $(or $(SLIPWAY_PREFECT_PORT),4200)
STATE := $(or $(SLIPWAY_STATE),$(CURDIR)/.slipway)
export SLIPWAY_STATE := $(STATE)
export PATH := $(STATE)/bin:$(CURDIR)/.venv/bin:$(PATH)
export PREFECT_HOME := $(STATE)/prefect
export PREFECT_API_URL := http://127.0.0.1:$(PREFECT_PORT)/api
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export DO_NOT_TRACK := 1
# The lab's registries are not reached through a proxy of the machine's.
NETWORK := $(or $(SLIPWAY_LAB_NETWORK),198.18.199)
export no_proxy := $(or $(no_proxy),$(NO_PROXY)),$(NETWORK).250,$(NETWORK).251,$(NETWORK).252
export NO_PROXY := $(no_proxy)
unexport PYTHONDONTWRITEBYTECODE
# The lab's login is in PREFECT_HOME; one that a person's shell has is another server's.
unexport PREFECT_PROFILE PREFECT_API_KEY PREFECT_API_AUTH_STRING PREFECT_SERVER_API_AUTH_STRING

SCRIPTS := $(wildcard $(LAB)/*.sh $(LAB)/machine/init $(LAB)/droplet/entrypoint $(LAB)/droplet/healthy $(LAB)/control-plane/entrypoint $(LAB)/edge/entrypoint $(LAB)/edge/healthy benchmarks/*.sh benchmarks/*/*.sh .ci/run)

.PHONY: docs help demo demo-one-droplet demo-digitalocean lab login test test-all unit week wheel worker-image lint format bench bench-one-droplet bench-switch down lock venv browser alertmanager prefect engine containers deployments worker

help: ## Say what there is
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1\t\2/p' Makefile | while IFS=$$'\t' read -r name text; do
	    printf '  make %-12s %s\n' "$$name" "$$text"
	done

demo: lab ## Start the lab, release the sample stack, promote a second release under load, refuse a bad third
	@$(LAB)/demo.sh

demo-one-droplet: lab ## A plain Compose stack on one droplet is adopted, promoted under load, and survives a loss of power
	@$(LAB)/demo-one-droplet.sh

demo-digitalocean: lab ## Registry, snapshot, second droplet, every switch under load, and a rehearsal, at a stand-in for DigitalOcean
	@$(LAB)/demo-digitalocean.sh

lab: venv prefect engine containers deployments worker ## Start everything the demo needs, and leave it running

login: ## Show what the Prefect UI asks for
	@$(LAB)/prefect.sh login

LANES := $(or $(SLIPWAY_LANES),4)
test: unit lab browser alertmanager ## Run the tests, set-up included: every fault at some point, every point with some fault (docs/TESTING.md)
	@pytest tests/lab tests/faults tests/browser -m 'not alone' -n $(LANES) --durations=20 --durations-min=5
	pytest tests/lab -m alone --durations=20 --durations-min=5

test-all: export SLIPWAY_FAULTS := all
test-all: test ## Run them with every fault at every point, and with every stack of the judge

unit: venv ## Run the tests that need no engine and no server
	@pytest -q -n 2 tests/unit

wheel: venv ## Build the wheel that `pipx install` takes, into dist/
	@rm -rf build dist
	pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps --wheel-dir dist .
	rm -rf build
	ls dist/*.whl

WORKER_IMAGE := $(or $(SLIPWAY_WORKER_IMAGE),slipway-worker:latest)
CA := $(or $(SSL_CERT_FILE),$(PIP_CERT),$(REQUESTS_CA_BUNDLE),/dev/null)
worker-image: wheel ## Build the image of a worker: our wheel, and the programs that its runs call
	@cp requirements.lock dist/
	docker build --file compose/worker/Dockerfile --secret id=ca,src=$(CA) --tag $(WORKER_IMAGE) dist

lint: venv ## Check style, types, imports, security rules, scripts, workflows, Dockerfiles, known advisories
	@$(LAB)/lint.sh $(SCRIPTS)

format: venv ## Put the code into the house's style
	@ruff check --fix-only .
	ruff format .

bench: lab ## Measure, and print the table
	@python -m benchmarks

bench-one-droplet: demo-one-droplet ## Promotions on one droplet under load, beside docker compose up, docker-rollout and Kamal
	@python -m benchmarks.one_droplet

bench-switch: lab ## Measure what clients see of a promotion, and of other ways to replace a release
	@python -m benchmarks.switch

docs: venv ## Rewrite the pages that are made from the code
	@python -m docs.generate

week: venv ## Make records of a week that nobody lived through, and the page of them: reports/stability.html
	@python -m compose.lab.week reports

down: ## Remove what the lab made, and nothing else
	@$(LAB)/down.sh

COMPILE := uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock: venv ## Write the lock files anew from pyproject.toml
	@$(COMPILE) pyproject.toml --extra dev --extra sample --extra server --extra report -o requirements-dev.lock
	$(COMPILE) -c requirements-dev.lock pyproject.toml --extra server --extra report -o requirements.lock
	echo uv | $(COMPILE) - -o $(LAB)/uv-tool.lock
	! grep -nE '://|--(extra-)?index-url|--find-links' requirements.lock requirements-dev.lock $(LAB)/uv-tool.lock

# The steps of `lab`, each after what it needs, and quick when there is nothing to do.
venv:
	@$(LAB)/venv.sh

prefect: venv
	@$(LAB)/prefect.sh start

engine:
	@$(LAB)/engine.sh

containers: engine venv
	@$(LAB)/base-image.sh
	$(LAB)/lab.sh

deployments: containers prefect
	@$(LAB)/prefect.sh wait
	$(LAB)/deployments.sh

alertmanager:
	@$(LAB)/alertmanager.sh

browser: venv
	@$(LAB)/browser.sh

worker: deployments
	@$(LAB)/worker.sh
