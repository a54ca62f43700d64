# Set-up happens by itself: each target makes .venv from uv.lock when it is not there or is out of date.
#
#   make demo       the main job, on the wildcard paper's ten cases
#   make test       check, and the tests with heavy loads reduced
#   make test-long  check, and the tests in full
#   make check      style, types, import rules
#   make bench      side by side with peers
#   make translations  bring the catalogues up to the code, and say what wants a translation
#   make clean      remove what the above has made

PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
READY := .venv/.ready
DAEMONS := .venv/.daemons
# A file runs in one process: what its tests share stands once. A process that dies fails the run: xdist would put
# another in its place and then wait for ever for what the dead one had been given.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --max-worker-restart=0

# Where it is set each test process compiles every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test test-long check bench translations lock clean

demo: $(READY)
	@$(BIN)/python -m labs.demonstration

test: check $(DAEMONS)
	$(PYTEST)

test-long: check $(DAEMONS)
	GERBANG_LONG=1 $(PYTEST)

check: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY)
	@$(BIN)/python -m tests.benchmarks

translations: $(READY)
	@$(BIN)/python -m appliance.locale

# Resolve the dependencies anew, within the bounds of pyproject.toml.
lock: $(READY)
	$(BIN)/uv lock --upgrade

$(READY): pyproject.toml uv.lock .ci/system-packages
	.ci/system-packages
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	$(BIN)/uv sync --quiet --frozen --all-extras --compile-bytecode --no-python-downloads
	$(BIN)/python -m compileall -q appliance compiler labs
	touch $@

$(DAEMONS): .ci/daemons $(READY)
	.ci/daemons
	touch $@

clean:
	$(MAKE) -s -C firmware clean
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .benchmarks
	find . -name __pycache__ -prune -exec rm -rf {} +
