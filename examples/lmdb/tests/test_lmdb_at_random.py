"""A short random walk against the model; `make prove` takes long ones."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RANDOM_WALK = HERE.parents[2] / "xml-safe" / "tests" / "random_walk.py"


@pytest.mark.parametrize("seed", [1, 2])
def test_a_random_walk(seed):
    options = ["--model", HERE / "lmdb_model.py", "--steps", "30000", "--seed", str(seed)]
    ended = subprocess.run([sys.executable, RANDOM_WALK, *options], capture_output=True, text=True, timeout=300)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "live=0" in ended.stdout
