"""Random sequences of operations, checked against a model after each."""

import os
import re

import handle_model
import pytest
import random_operations

pytest.importorskip("hypothesis")
from state_machine import machine_of

STEPS = int(os.environ.get("LEAKPROOF_STEPS", "100000"))
SEEDS = 2

# Hypothesis spends its time on choosing well, so it gets a twentieth of the steps.
TestMachine = machine_of(handle_model, STEPS // 20)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_seeded_run_agrees_with_the_model(seed):
    running = random_operations.RandomRun(seed)
    try:
        running.go(STEPS // SEEDS)
    finally:
        running.world.close()


@pytest.mark.parametrize("options", [["--steps", "60000"], ["--seconds", "1", "--seed", "7"]])
def test_command_prints_a_summary(options, run_python):
    ended = run_python(random_operations.__file__, *options)
    assert (ended.returncode, ended.stderr) == (0, "")
    # A slow machine sees lines of progress before.
    last = ended.stdout.splitlines()[-1]
    assert re.fullmatch(r"random operations: steps=\d+ seed=\d live=0 native=\S+ slope=\S+ \S+ \S+", last)


def test_command_fails_if_a_handle_is_lost(run_python):
    """The patched parse keeps its documents alive, which the first operation shows."""
    code = f"""if True:
        import sys
        sys.path.insert(0, {os.path.dirname(__file__)!r})
        import random_operations, xml_safe
        kept, parse = [], xml_safe.parse
        xml_safe.parse = lambda *arguments, **options: kept.append(parse(*arguments, **options)) or kept[-1].root.document
        random_operations.run(1000, 60, 0)
    """
    ended = run_python("-c", code)
    assert ended.returncode == 1
    assert "AssertionError" in ended.stderr
    assert "of seed 0 went wrong" in ended.stderr


def test_samples_take_a_fixed_amount_of_memory():
    samples = random_operations.Samples(room=8)
    samples.every = 0
    for step in range(1000):
        samples.take(3 * step)
        samples.every = 0
    taken = list(samples.steps[: samples.count])
    assert len(samples.steps) == 8 and samples.count < 8
    assert taken == sorted(taken) and taken[0] == 0 and taken[-1] > 2900
