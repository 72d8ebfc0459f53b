"""Short runs of random changes against a model of the tree. `make stress` runs long ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
STEPS = int(os.environ.get("LEAKPROOF_STEPS", "100000")) // 2


@pytest.mark.parametrize("seed", [1, 2])
def test_random_changes_agree_with_the_model(seed):
    options = ["--model", HERE / "tree_model.py", "--steps", str(STEPS), "--seed", str(seed), "--slope", "0.5"]
    command = [sys.executable, HERE / "random_operations.py", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "live=0" in ended.stdout
