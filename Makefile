# Everything a newcomer types. Only Python 3.11+ and make are needed; the rest is installed into .venv from requirements.lock.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
# pip reads the pins as constraints, also for the packages that only build this one
export PIP_CONSTRAINT = $(CURDIR)/requirements.lock
export PIP_BUILD_CONSTRAINT = $(CURDIR)/requirements.lock
export PIP_DISABLE_PIP_VERSION_CHECK = 1
export MLFLOW_DISABLE_TELEMETRY = true

.PHONY: demo serve-demo test lint bench lock clean

demo: $(VENV)/.installed  ## a made-up company: import, train, register, tag, report, serve
	$(BIN)/leadloop demo $(DEMO)

test: $(VENV)/.installed-dev lint  ## every test, doctest and check
	$(BIN)/pytest -n 2 --dist worksteal

lint: $(VENV)/.installed-dev  ## ruff and mypy strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.installed-dev  ## figures of benchmarks/RESULTS.md; DATA=folder with the public sets
	$(BIN)/pip install -q -e ".[bench]"
	sh benchmarks/all.sh $(BIN) $(DATA)

lock:  ## pin anew; no index address is ever written
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate -o requirements.lock

$(VENV)/.python:
	@$(PYTHON) -c "import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else \
	  f'leadloop needs Python 3.11 or newer, this is {v.major}.{v.minor}: call make with PYTHON=python3.11')"
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: pyproject.toml requirements.lock | $(VENV)/.python
	$(BIN)/pip install -q -e ".[excel,postgres]"
	@touch $@

$(VENV)/.installed-dev: pyproject.toml requirements.lock | $(VENV)/.python
	$(BIN)/pip install -q -e ".[excel,postgres,dev]"
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache
