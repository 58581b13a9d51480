# make demo   set everything up and compare learners on a small real table
# make test   set everything up, check the style, the types and the structure, run every test, build the docs
# make docs   build the documentation into docs/_build/html, warnings as errors
# make oldest  the tests of units, laws and edges on the oldest versions that pyproject.toml allows
# make sbom    the parts that an installation brings, as CycloneDX, in dist/; make audit asks for known faults
# make torture   bad data, bad files, kills: the long runs, written to docs/reliability.md

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --prefer-binary

.PHONY: demo test check docs format bench torture oldest sbom audit clean

$(VENV)/.installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "thetahat needs Python 3.11 or newer; try: make $(MAKECMDGOALS) PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing thetahat and what it needs into $(VENV) (a minute or two)"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	@echo "Installing what the tests need"
	@$(PIP) --editable '.[test,docs]'
	@touch $@

demo: $(VENV)/.installed
	@$(BIN)/thetahat demo

check: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check
	$(BIN)/python -m pytest -n auto -m "not slow"
	$(MAKE) docs

docs: $(VENV)/.installed-test
	$(BIN)/python -m sphinx -b html -W --keep-going -q -j auto docs docs/_build/html

format: $(VENV)/.installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

torture: $(VENV)/.installed-test
	$(BIN)/python -m tests.torture --long --write

oldest:
	rm -rf $(VENV)-oldest
	@$(PYTHON) -m venv $(VENV)-oldest
	@$(PYTHON) .ci/oldest.py > $(VENV)-oldest/constraints.txt
	@$(VENV)-oldest/bin/python -m pip install --quiet --disable-pip-version-check --only-binary :all: \
	  --constraint $(VENV)-oldest/constraints.txt --editable '.[test,dask,skops]'
	NUMBA_CACHE_DIR=$(CURDIR)/$(VENV)-oldest/numba $(VENV)-oldest/bin/python -m pytest -n auto -W default \
	  -p no:cacheprovider -m "not slow and not browser" tests/unit tests/laws tests/edge

sbom:
	rm -rf $(VENV)-sbom
	@$(PYTHON) -m venv $(VENV)-sbom
	@$(VENV)-sbom/bin/python -m pip install --quiet --disable-pip-version-check .
	@$(PIP) cyclonedx-bom
	@mkdir -p dist
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible -o dist/sbom.json $(VENV)-sbom/bin/python

audit: sbom
	@$(PIP) pip-audit
	$(BIN)/pip-audit --path $$($(VENV)-sbom/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')

bench: $(VENV)/.installed-test
	$(BIN)/python -m benchmarks compare

clean:
	rm -rf docs/_build docs/gallery docs/reference/generated $(VENV) $(VENV)-oldest $(VENV)-sbom .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
