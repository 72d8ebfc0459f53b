"""Short runs of random changes against a model of the tree. `make stress` runs long ones."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import random_operations
import tree_model
from xml_safe import Document

pytest.importorskip("hypothesis")
from state_machine import machine_of

HERE = Path(__file__).parent
STEPS = int(os.environ.get("LEAKPROOF_STEPS", "100000")) // 2
# AddressSanitizer keeps freed blocks for a while. LeakSanitizer looks for lost ones at the end.
SLOPE = [] if "libasan" in os.environ.get("LD_PRELOAD", "") else ["--slope", "0.5"]
TestMachine = machine_of(tree_model, STEPS // 20)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("get_by_id", lambda self, id: None),
        ("adopt_node", lambda self, node: self.import_node(node)),
    ],
)
def test_the_model_notices_what_is_wrong(monkeypatch, name, wrong):
    """A method of the package that does something else."""
    monkeypatch.setattr(
        tree_model,
        "Document",
        type(
            "Wrong",
            (),
            {
                "__init__": lambda self: setattr(self, "document", Document()),
                "__getattr__": lambda self, other: getattr(self.document, other),
                "root": property(lambda self: self.document.root),
                name: lambda self, argument: wrong(self.document, argument),
            },
        ),
    )
    running = random_operations.RandomRun(1, tree_model)
    with pytest.raises(AssertionError):
        running.go(5000)
    running.world.worker.end()


@pytest.mark.parametrize("seed", [1, 2])
def test_random_changes_agree_with_the_model(seed):
    options = ["--model", HERE / "tree_model.py", "--steps", str(STEPS), "--seed", str(seed), *SLOPE]
    command = [sys.executable, HERE / "random_operations.py", *options]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "live=0" in ended.stdout
