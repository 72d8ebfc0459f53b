#!/usr/bin/env python3
"""Runs the fault-injection sweep, failing allocations, the tests under sanitizers, a million changes of documents
without growth, and random operations.

usage: tools/stress.py [SECONDS]

The seconds are for the random operations, by default half an hour, so that all of it takes less than an hour on two
processors. Ends with one table: what was run, and what was lost, crashed, hung or wrong.
"""

import re
import sys
import time
from collections.abc import Callable
from itertools import pairwise

from long_runs import HANG, Command, Row, changes, end, random_operations, run

# Changes of documents in one process, and the bytes by which it may grow for each.
CHANGES = 1_000_000
SLOPE = 0.05
NUMBERS = ["sites", "reached", "injected", "leaked", "crashed", "hung", "wrong"]
HEADER = re.compile(r"\s*" + r"\s+".join(NUMBERS))
NUMBERS_OF = re.compile(r"(?P<name>\S+)" + "".join(rf"\s+(?P<{name}>\d+)" for name in NUMBERS))


def sweep(target: str) -> list[Row]:
    [(command, status)] = run([("", ["make", "--no-print-directory", target])], HANG)
    lines = command.lines
    tables = [below for above, below in pairwise(lines) if HEADER.fullmatch(above)]
    rows = [row_of_sweep(found) for line in tables if (found := NUMBERS_OF.fullmatch(line.strip()))]
    if rows and (not status or any(row.problems for row in rows)):
        return rows
    return [*rows, failed(f"make {target}", command)]


def row_of_sweep(found: re.Match[str]) -> Row:
    numbers = {name: int(found[name]) for name in NUMBERS}
    done = "{injected:,} faults injected, {reached} of {sites} sites reached".format(**numbers)
    return Row(f"sweep of {found['name']}", done, *(numbers[name] for name in NUMBERS[3:]))


def failed(what: str, command: Command) -> Row:
    return Row(what, "not completed", hung=int(command.hung), wrong=int(not command.hung))


def sanitize() -> list[Row]:
    [(command, status)] = run([("", ["tools/sanitize.sh", "-q"])], HANG)
    text = "\n".join(command.lines)
    tests = sum(int(number) for number in re.findall(r"(\d+) passed", text))
    if not tests or command.hung:
        return [failed("sanitizers", command)]
    lost = len(re.findall(r"Direct leak of", text))
    misused = len(re.findall(r"ERROR: AddressSanitizer:", text))
    broken = sum(int(number) for number in re.findall(r"(\d+) (?:failed|error)", text))
    row = Row("sanitizers", f"{tests:,} tests", lost, misused, 0, broken)
    if status and not row.problems:
        row.wrong = 1
    return [row]


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1800
    start = time.monotonic()
    parts: dict[str, Callable[[], list[Row]]] = {
        "the fault-injection sweep": lambda: sweep("faults"),
        "failing allocations": lambda: sweep("out-of-memory"),
        "the tests under sanitizers": sanitize,
        f"{CHANGES:,} changes of documents": lambda: changes(CHANGES, SLOPE),
        f"random operations for {seconds:g} seconds": lambda: random_operations(seconds, None),
    }
    rows: list[Row] = []
    for title, part in parts.items():
        print(f"== {title} (after {time.monotonic() - start:.0f} s)", flush=True)
        rows += part()
    end("stress", rows)


if __name__ == "__main__":
    main()
