"""The fault-injection sweep: every C call of a package fails once in each way in which it can fail.

    python -m pytest_leakproof.sweep FILE.py

FILE defines `MODULE`, the module or its name, and `OPERATIONS`, each of which calls something of the module. It may
define `blocks`, a function that returns how many blocks the C library has allocated, and `UNREACHABLE`, a dict from
call sites that no operation can reach to the reason. The package has to be built with leakproof's feature `fault-
injection`.

Each operation runs once for each of its fail points, with a fault there. Each time, an exception of the right type has
to be raised; the numbers of live handles, blocks and open files have to be as before; and the operation has to work
again. Every call site has to be reached by some operation.

The sweep runs in a process of its own. A crash or a hang is reported, and the sweep continues after it.
"""

from __future__ import annotations

import argparse
import fnmatch
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from .plan import START, Operation, Plan, Position, SweepError, load
from .report import SweepListener, SweepReport
from .runner import SweepRunner
from .worker import Failure, run_worker, worker_main

__all__ = ["Operation", "Plan", "SweepError", "SweepListener", "SweepReport", "load", "main", "sweep", "sweep_file"]

MAX_CRASHES_OF_OPERATION = 20
MAX_HANGS = 10


def sweep(
    module: ModuleType,
    operations: Iterable[Operation],
    blocks: Callable[[], int] | None = None,
    unreachable: Mapping[str, str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> SweepReport:
    """Runs a sweep in this process, which a crash ends."""
    report = SweepReport(progress)
    SweepRunner(Plan(module, list(operations), blocks, unreachable or {}), report).run()
    return report


def sweep_file(
    path: str | Path,
    timeout: float = 30,
    only: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> SweepReport:
    """Runs the sweep of a file in a process of its own. `timeout` seconds without progress are a hang."""
    report = SweepReport(progress, partial=only is not None)
    crashes: Counter[int] = Counter()
    start: Position | None = START
    while start:
        report.position = None
        failure = run_worker([str(path), *(["--only", only] if only else [])], start, report, timeout)
        if failure is None:
            break
        start = next_position(failure, report, crashes)
        if progress:
            progress("\n".join(f"    {line}" for line in failure.output))
    return report


def next_position(failure: Failure, report: SweepReport, crashes: Counter[int]) -> Position | None:
    """Reports the failure of a process. Returns where the next process continues, or `None`."""
    if report.finished:
        report.on_problem(failure.kind, f"at the end: {failure.text}")
        return None
    if report.position is None:
        raise SweepError("\n".join([failure.text, *failure.output]))
    operation, fail_point = report.position
    name = report.operations[operation]
    report.on_problem(failure.kind, f"{name}, fail point {fail_point}: {failure.text}")
    if len(report.problems["hung"]) >= MAX_HANGS:
        report.on_problem("wrong", f"the sweep was abandoned after {MAX_HANGS} hangs")
        return None
    crashes[operation] += 1
    if crashes[operation] >= MAX_CRASHES_OF_OPERATION:
        report.on_problem("wrong", f"{name}: abandoned after {crashes[operation]} crashes")
        return Position(operation + 1, 1)
    return Position(operation, fail_point + 1) if fail_point else Position(operation + 1, 1)


# ---- the command line


def select_operations(plan: Plan, only: str | None) -> Plan:
    if only is None:
        return plan
    operations = [operation for operation in plan.operations if fnmatch.fnmatch(operation.name, only)]
    return replace(plan, operations=operations)


def print_line(line: str) -> None:
    print(line, flush=True)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pytest_leakproof.sweep",
        description="Run each operation once for each of its fail points, with a fault injected there, and check the "
        "exception, the live handles and the allocated memory.",
        epilog="exit status: 0 if there is no problem, 1 if there is one, 2 if the sweep could not begin",
    )
    parser.add_argument("file", help="a Python file that defines MODULE and OPERATIONS")
    parser.add_argument("--only", metavar="PATTERN", help="only the operations whose name matches, as in 'Document.*'")
    parser.add_argument("--timeout", type=float, default=30, metavar="SECONDS", help="how long one run may take")
    parser.add_argument(
        "--in-process", action="store_true", help="run in this process, for a debugger: a crash ends it"
    )
    parser.add_argument("--worker", type=int, nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line."""
    options = parse_arguments(arguments)
    try:
        if options.worker:
            sender, operation, fail_point = options.worker
            worker_main(select_operations(load(options.file), options.only), sender, Position(operation, fail_point))
            return 0
        if options.in_process:
            report = SweepReport(print_line, partial=options.only is not None)
            SweepRunner(select_operations(load(options.file), options.only), report).run()
        else:
            report = sweep_file(options.file, options.timeout, options.only, print_line)
    except SweepError as error:
        print(f"sweep: {error}", file=sys.stderr)
        return 2
    print_line("")
    for line in report.lines():
        print_line(line)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
