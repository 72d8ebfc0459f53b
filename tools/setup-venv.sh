#!/usr/bin/env bash
# Makes the virtual environment for builds and tests. usage: tools/setup-venv.sh FOLDER [PYTHON]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$1
python=${2:-python3}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "setup: Python 3.10 or newer is needed; name one with: make PYTHON=python3.x" >&2
    exit 1
fi
echo "setup: the virtual environment $folder"
"$python" -m venv --clear "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check --requirement tools/requirements.txt \
    --editable pytest-leakproof
