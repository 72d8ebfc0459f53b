#!/usr/bin/env bash
# Runs the fault-injection sweep of a package: builds it with fault injection, beside its normal build, and runs the
# operations of its sweep.py. usage: tools/fault-sweep.sh FOLDER
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$1
bin=$PWD/.venv/bin
place=target/sweep/$folder

rm -rf "$place"
"$bin/maturin" build --quiet --manifest-path "$folder/Cargo.toml" --features leakproof/fault-injection \
    --interpreter "$bin/python" --compatibility linux --out "$place/wheels"
"$bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --target "$place/site" \
    "$place"/wheels/*.whl
PYTHONPATH=$place/site "$bin/python" -m pytest_leakproof.sweep "$folder/sweep.py"
