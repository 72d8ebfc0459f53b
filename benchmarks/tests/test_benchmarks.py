"""What the benchmarks compute from what they measured. Nothing is measured here."""

from pathlib import Path

import pytest
from check_instructions import BOUNDS, faults
from instructions import Instructions, counts_of
from times import Figure, Times, summary

# `caller` takes 5 + 2 instructions, and calls `called`, which takes 40 and one line without an instruction.
DUMP = """# callgrind format
positions: line
events: Ir
summary: 47

ob=/lib/libpython.so
fl=ceval.c
fn=caller
12 5
cfn=called
calls=3 7
12 40
+1 2

fn=called
7 40
8
"""


def test_counts_of_a_dump_leave_out_called_functions(tmp_path: Path) -> None:
    dump = tmp_path / "counts.2"
    dump.write_text(DUMP)
    assert counts_of(dump) == {"caller": 7, "called": 40}


@pytest.fixture
def within_bounds() -> Instructions:
    c = dict.fromkeys(BOUNDS, 300.0)
    return {"c": c, "leakproof": {operation: c[operation] + bound for operation, bound in BOUNDS.items()}}


def test_an_operation_at_its_bound_is_no_fault(within_bounds: Instructions) -> None:
    assert faults(within_bounds) == []


@pytest.mark.parametrize("operation", BOUNDS)
def test_an_operation_above_its_bound_is_named(within_bounds: Instructions, operation: str) -> None:
    within_bounds["leakproof"][operation] += 1
    [message] = faults(within_bounds)
    assert message.startswith(f"{operation}: {BOUNDS[operation] + 1} instructions")


def test_the_median_and_the_quartiles_of_repetitions_are_figures() -> None:
    assert summary([5.0, 1.0, 2.0, 4.0, 3.0]) == Figure(median=3, low=2, high=4, best=1)


def times_of(**figures: dict[str, float]) -> Times:
    return Times({}, {name: {who: summary([median]) for who, median in row.items()} for name, row in figures.items()})


def test_a_ratio_needs_both_packages() -> None:
    results = times_of(parse={"xml-safe": 3.0, "lxml": 2.0, "C": 1.0}, memory={"xml-safe": 299.0})
    assert results.ratio("parse", "xml-safe") == 1.5
    assert results.ratio("parse", "xml-safe", "C") == 3
    assert results.ratio("parse", "ElementTree") is None
    assert results.ratio("memory", "xml-safe") is None


def test_threads_that_do_not_slow_each_other_down_do_twice_as_much() -> None:
    results = times_of(one_thread={"xml-safe": 3.0, "lxml": 3.0}, two_threads={"xml-safe": 3.0, "lxml": 6.0})
    assert results.speed_up("xml-safe") == 2
    assert results.speed_up("lxml") == 1
    assert results.speed_up("C") is None
