# Every task of the project, for people and for continuous integration. `make` lists them.
# Targets that are up to date are skipped: the virtual environment, the packages, and the checks that depend on files only.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

# The Python that the virtual environment is made from: 3.10 or newer.
PYTHON ?= python3

VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
STAMPS := target/stamps
PACKAGE := xml-safe/python/xml_safe
# The build writes the stubs last, so they date the compiled module beside them.
STUBS := $(PACKAGE)/_native.pyi

RUST_SOURCES := $(wildcard Cargo.toml Cargo.lock */pyproject.toml) \
	$(shell find macros runtime xml-safe examples tests -path '*/tests' -prune -o \
		-type f \( -name '*.rs' -o -name '*.h' -o -name Cargo.toml \) -print)
PYTHON_SOURCES := $(wildcard $(PACKAGE)/*.py $(PACKAGE)/py.typed)
# The packages with a table of operations. check-readme runs the sweep of the README's example.
SWEPT := $(patsubst %/sweep.py,%,$(wildcard xml-safe/sweep.py examples/*/sweep.py tests/*/sweep.py))
PLUGIN_SOURCES := $(wildcard pytest-leakproof/pyproject.toml pytest-leakproof/pytest_leakproof/*.py)

# cargo and maturin build against the same interpreter, so they share what they built.
export PYO3_PYTHON := $(BIN)/python

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: build ## set up, build, and measure both bindings on a real document
	@PYTHONUTF8=1 $(BIN)/python xml-safe/demo/demo.py

TEST_STEPS := check-format check-python check-mutants check-clippy check-docs check-free-threaded test-rust test-python \
	test-examples test-plugin check-instructions faults check-types check-dist check-readme check-vendored

.PHONY: test
test: setup $(TEST_STEPS) ## set up, and run every check and test
	@echo "make test: everything passed ($(words $(TEST_STEPS)) steps)"

# ---- set-up and build

.PHONY: setup
setup: setup-system $(VENV)/ready ## install what is missing and make .venv

.PHONY: setup-system
setup-system:
	@tools/setup-system.sh

$(VENV)/ready: tools/requirements.txt tools/setup-venv.sh pytest-leakproof/pyproject.toml | setup-system
	@tools/setup-venv.sh $(VENV) $(PYTHON)
	@touch $@

.PHONY: build
build: setup $(STUBS) ## build the Python package into .venv

$(STUBS): $(RUST_SOURCES) $(VENV)/ready | setup-system
	@echo "== building the package"
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release --generate-stubs --manifest-path xml-safe/Cargo.toml
	@touch $@

BUILT := $(patsubst %/pyproject.toml,$(STAMPS)/%,$(wildcard examples/*/pyproject.toml tests/*/pyproject.toml))

.PHONY: examples
examples: setup $(filter $(STAMPS)/examples/%,$(BUILT)) ## build the examples into .venv

$(BUILT): $(STAMPS)/%: $(RUST_SOURCES) $(VENV)/ready | setup-system
	@echo "== building $*"
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(BIN)/maturin develop --release --generate-stubs --manifest-path $*/Cargo.toml
	@mkdir -p $(@D) && touch $@

# ---- Rust

.PHONY: check-format
check-format:
	@echo "== rustfmt"
	cargo fmt --all --check

# Checks that the table of mutants fits the sources. Nothing is built.
.PHONY: check-mutants
check-mutants: setup
	@echo "== the table of mutants"
	$(BIN)/python -m pytest -q tools/tests

.PHONY: check-clippy
check-clippy: setup
	@echo "== clippy"
	cargo clippy --workspace --all-targets -- -D warnings

.PHONY: check-docs
check-docs: setup
	@echo "== rustdoc"
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps
	RUSTDOCFLAGS='-D warnings' cargo doc --package leakproof --no-deps --no-default-features
	RUSTDOCFLAGS='-D warnings' cargo doc --package leakproof --no-deps --features build

# The free-threaded path compiles on every machine; no free-threaded interpreter is needed.
.PHONY: check-free-threaded
check-free-threaded: setup
	@echo "== the free-threaded configuration"
	PYO3_CONFIG_FILE=$(CURDIR)/tools/free-threaded.txt cargo check --package leakproof --target-dir target/free-threaded

# The package is an extension module: only an interpreter can load it, so its tests are in Python.
.PHONY: test-rust
test-rust: setup ## run the Rust tests, those of the macros' messages included
	@echo "== Rust tests"
	cargo test --workspace --exclude xml-safe
	cargo test --package leakproof --no-default-features --test core --test kept --test word --test soundness --test quiet --test window --test running --test lent --test late --test prepared --test reading
	cargo test --package leakproof --no-default-features --features build --lib build

.PHONY: audit
audit: setup ## write the table of unsafe blocks in docs/unsafe.md
	AUDIT=overwrite cargo test --package leakproof-macros --test audit

# ---- Python

.PHONY: test-python
test-python: build ## run the Python tests
	@echo "== Python tests"
	LEAKPROOF_VALGRIND=1 $(BIN)/python -m pytest xml-safe/tests

.PHONY: test-examples
test-examples: build $(BUILT) ## run the examples' Python tests, and those of the runtime
	@echo "== tests of the examples"
	@for folder in $(sort $(dir $(wildcard examples/*/tests/test_*.py tests/*/tests/test_*.py))); do $(BIN)/python -m pytest $$folder; done

.PHONY: test-plugin
test-plugin: setup ## run the tests of the pytest plugin and of the fault-injection sweep
	@echo "== tests of the pytest plugin"
	$(BIN)/python -m pytest pytest-leakproof/tests

.PHONY: faults
faults: setup $(STAMPS)/readme ## run the fault-injection sweep: each C call fails once in each way
	@echo "== the fault-injection sweep"
	@for folder in $(SWEPT); do tools/fault-sweep.sh $$folder; done
	@$(MAKE) --no-print-directory out-of-memory ONLY=python

# The packages whose allocations fail.
WITHOUT_MEMORY := xml-safe examples/sqlite
.PHONY: out-of-memory
out-of-memory: setup ## run the operations of two packages with failing allocations, after make faults
	@for folder in $(WITHOUT_MEMORY); do tools/out-of-memory.sh $$folder $(or $(DENSITY),30) $(ONLY); done

# Checks lint rules, format and types of the Python files that need no built package.
.PHONY: check-python
check-python: setup
	@echo "== ruff"
	$(BIN)/ruff check --quiet
	$(BIN)/ruff format --check --quiet
	@echo "== types of the tools and of the pytest plugin"
	$(BIN)/mypy tools/*.py tools/tests/*.py benchmarks/*.py benchmarks/tests/test_*.py pytest-leakproof/pytest_leakproof

.PHONY: check-types
check-types: build $(BUILT)
	@echo "== types of the package"
	$(BIN)/mypy $(PACKAGE) xml-safe/demo $(wildcard xml-safe/tests/typing/*.py)
	@echo "== types of the examples"
	$(BIN)/mypy $(patsubst %,-p %_safe,$(notdir $(BUILT)))
	@echo "== types of the sweep tables"
	@for folder in $(SWEPT); do $(BIN)/mypy $$folder/sweep.py; done

.PHONY: check-dist
check-dist: build $(STAMPS)/dist ## install the wheel and the sdist into empty environments

$(STAMPS)/dist: tools/check-dist.sh $(STUBS) $(PYTHON_SOURCES)
	@echo "== the wheel and the sdist"
	tools/check-dist.sh
	@mkdir -p $(@D) && touch $@

.PHONY: check-readme
check-readme: setup $(STAMPS)/readme ## build and run the packages of the README and of the page `packages`

$(STAMPS)/readme: tools/check_readme.py README.md pytest-leakproof/README.md runtime/src/reference/packages.md \
		$(PLUGIN_SOURCES) $(RUST_SOURCES) $(VENV)/ready
	@echo "== the packages of the README"
	$(BIN)/python tools/check_readme.py
	@mkdir -p $(@D) && touch $@

.PHONY: check-vendored
check-vendored: setup $(STAMPS)/vendored ## build the package of the README from a vendored tree, without network

$(STAMPS)/vendored: tools/check_vendored.py tools/check_readme.py README.md runtime/src/reference/packages.md \
		$(RUST_SOURCES) $(VENV)/ready
	@echo "== a vendored tree"
	$(BIN)/python tools/check_vendored.py
	@mkdir -p $(@D) && touch $@

# ---- benchmarks

BENCH := target/benchmarks
BENCH_PYTHON := $(BENCH)/venv/bin/python
BENCH_SOURCES := $(wildcard benchmarks/build.py benchmarks/counter/* benchmarks/c/* benchmarks/nanobind/* \
	benchmarks/cython/* benchmarks/cffi/* benchmarks/xml/*)

$(BENCH)/venv/ready: benchmarks/requirements.txt $(VENV)/ready
	@echo "== the virtual environment of the benchmarks"
	@tools/setup-system.sh bench
	@$(BIN)/python -m venv --clear $(BENCH)/venv
	@$(BENCH_PYTHON) -m pip install --quiet --disable-pip-version-check --requirement benchmarks/requirements.txt
	@touch $@

$(BENCH)/built/ready: $(BENCH_SOURCES) $(BENCH)/venv/ready
	$(BENCH_PYTHON) benchmarks/build.py $(BENCH)/built c nanobind cython cffi raw
	@touch $@

.PHONY: bench
bench: setup $(BENCH)/built/ready ## measure calls and xml-safe beside other packages; writes benchmarks/results.json, .svg
	$(BENCH_PYTHON) benchmarks/build.py $(BENCH)/built pyo3 leakproof xml-safe
	$(BENCH_PYTHON) benchmarks/bench.py $(BENCH)/built benchmarks

.PHONY: bench-instructions
bench-instructions: setup $(BENCH)/built/ready ## count the instructions of calls beside other binding tools; ONLY=… FUNCTIONS=… PROFILE=release
	$(BENCH_PYTHON) benchmarks/build.py $(BENCH)/built pyo3 leakproof
	$(BENCH_PYTHON) benchmarks/instructions.py $(BENCH)/built $(if $(ONLY),--only $(ONLY)) \
		$(if $(FUNCTIONS),--functions '$(FUNCTIONS)')

# With the profile of the tests, which shares what they built.
.PHONY: check-instructions
check-instructions: setup
	@echo "== the instructions of calls"
	$(BIN)/python -m pytest -q benchmarks/tests
	PROFILE=release $(BIN)/python benchmarks/build.py $(BENCH)/release c leakproof
	$(BIN)/python benchmarks/check_instructions.py $(BENCH)/release

# ---- other systems

.PHONY: matrix
matrix: ## build and test all packages in newer Debian suites, and with every Python of this machine
	tools/matrix.py

# ---- tests that take too long for every change

.PHONY: stress
stress: build $(BUILT) ## run the fault-injection sweep, the tests under sanitizers, and random operations: less than an hour
	$(BIN)/python tools/stress.py $(SECONDS)

.PHONY: prove
prove: stress ## the former name of stress

.PHONY: sanitize
sanitize: build $(BUILT) ## run the Python tests under AddressSanitizer and LeakSanitizer
	tools/sanitize.sh

.PHONY: soak
soak: build ## run random operations for an hour, or SECONDS=…
	$(BIN)/python tools/soak.py $(SECONDS)

.PHONY: mutants
mutants: setup ## mutation testing: break the runtime and the macros in many ways, and check that a test fails
	$(BIN)/python tools/mutants.py

# ---- housekeeping

.PHONY: fmt
fmt: setup ## format the sources
	cargo fmt --all
	$(BIN)/ruff format

.PHONY: clean
clean: ## remove everything that was built, and .venv
	rm -rf target $(VENV) $(PACKAGE)/*.so $(STUBS)
	find . -name __pycache__ -prune -exec rm -rf {} +
