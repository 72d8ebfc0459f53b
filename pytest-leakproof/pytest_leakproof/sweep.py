"""The fault-injection sweep: every C call of a package fails once in each way in which it can fail.

    python -m pytest_leakproof.sweep FILE.py

FILE defines `MODULE`, the module or its name, and `OPERATIONS`, each of which calls something of the module. It may
define `blocks`, a function that returns how many blocks the C library has allocated, and `UNREACHABLE`, a dict from
call sites that no operation can reach to the reason. The package has to be built with leakproof's feature `fault-
injection`.

With `--allocations`, allocations fail instead of C calls: each once, and each together with all later ones. An
operation has to end as without a failure, or with `MemoryError`, `OSError` or the module's own error. `WITHOUT_MEMORY`
is a dict from operations that are left out to the reason. A key is the allocator and the name, with `*`, as in
`"python: open*"`.

Each operation runs once for each of its fail points, with a fault there. Each time, an exception of the right type has
to be raised; the numbers of live handles, blocks and open files have to be as before; and the operation has to work
again. Every call site has to be reached by some operation.

The sweep runs in a process of its own. A crash or a hang is reported, and the sweep continues after it.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from .faults import (
    ALLOCATORS,
    PLACE_VARIABLE,
    Allocator,
    build_shim,
    excused_places,
    faults_of,
    place_of,
    with_shim,
)
from .plan import START, Operation, Plan, Position, SweepError, load
from .report import SweepListener, SweepReport
from .runner import SweepRunner
from .worker import SPOILED, Failure, run_worker, worker_main

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
    plan = Plan(module, list(operations), blocks, unreachable or {})
    SweepRunner(plan, report, faults_of(plan)).run()
    return report


def sweep_file(
    path: str | Path,
    timeout: float = 30,
    only: str | None = None,
    progress: Callable[[str], None] | None = None,
    allocator: Allocator | None = None,
    density: int = 0,
    c_program: str | None = None,
) -> SweepReport:
    """Runs the sweep of a file in a process of its own. `timeout` seconds without progress are a hang.

    With an `allocator`, its allocations fail instead of C calls: all, or fewer of the later ones with a `density`.
    `c_program` makes the same calls as the package, and prints where the C library itself misbehaves: that is excused.
    """
    arguments = [str(path), *(["--only", only] if only else [])]
    report = SweepReport(progress, partial=only is not None or allocator is not None)
    if allocator:
        sweep_allocations(arguments, report, timeout, allocator, density, c_program)
    else:
        run_workers(arguments, report, timeout)
    return report


def sweep_allocations(
    arguments: list[str],
    report: SweepReport,
    timeout: float,
    allocator: Allocator,
    density: int,
    c_program: str | None,
) -> None:
    """Runs the sweep with failing allocations, in processes of its own."""
    arguments += ["--allocations", allocator, "--density", str(density)]
    if allocator == "python":
        run_workers(arguments, report, timeout)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_shim(folder)
        excused: Set[str] = frozenset()
        if c_program:
            excused = excused_places(c_program, with_shim(os.environ, folder))
            report.show(f"{len(excused)} places at which the library itself misbehaves are excused")
        (folder / "excused").write_text("\n".join(sorted(excused)))
        run_workers([*arguments, "--excused", str(folder / "excused")], report, timeout, folder, excused)


def run_workers(
    arguments: Sequence[str],
    report: SweepReport,
    timeout: float,
    shim: Path | None = None,
    excused: Set[str] = frozenset(),
) -> None:
    """Runs processes until the sweep is done. Each continues where the one before it has crashed."""
    crashes: Counter[int] = Counter()
    start: Position | None = START
    while start:
        report.position = None
        failure = run_worker(arguments, start, report, timeout, shim)
        if failure is None:
            break
        if shim and report.position and is_excused(report.position, shim, excused):
            operation, fail_point = report.position
            where = f"{report.operations[operation]}, fail point {fail_point}"
            if failure.text != SPOILED:
                report.on_excused(f"{failure.kind}: {where}: {failure.text}")
            start = Position(operation, fail_point + 1)
            continue
        start = next_position(failure, report, crashes)
        report.show("\n".join(f"    {line}" for line in failure.output))


def is_excused(position: Position, folder: Path, excused: Set[str]) -> bool:
    """Returns whether the C library itself misbehaves where an allocation failed in a process that has ended."""
    file = with_shim({}, folder)[PLACE_VARIABLE]
    return position.fail_point > 0 and place_of(file, position.fail_point) in excused


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


def select_operations(plan: Plan, only: str | None, allocator: Allocator | None) -> Plan:
    operations = [
        operation
        for operation in plan.operations
        if fnmatch.fnmatch(operation.name, only or "*")
        and not any(fnmatch.fnmatch(f"{allocator}: {operation.name}", pattern) for pattern in plan.without_memory)
    ]
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
    parser.add_argument(
        "--allocations",
        choices=ALLOCATORS,
        help="let allocations fail instead of C calls: Python's, those of the C "
        "libraries, or those of the extension module's own code",
    )
    parser.add_argument(
        "--density",
        type=int,
        default=0,
        metavar="N",
        help="with --allocations: from the N-th allocation on not each one fails, but about 2.3 N of ten times as many",
    )
    parser.add_argument(
        "--c-program",
        metavar="FILE",
        help="with --allocations library: a C program that prints the places at which the C library itself misbehaves",
    )
    parser.add_argument("--excused", help=argparse.SUPPRESS)
    parser.add_argument("--worker", type=int, nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line."""
    options = parse_arguments(arguments)
    try:
        if options.worker:
            sender, operation, fail_point = options.worker
            plan = select_operations(load(options.file), options.only, options.allocations)
            excused = set(Path(options.excused).read_text().splitlines()) if options.excused else set()
            faults = faults_of(plan, options.allocations, options.density, excused)
            worker_main(plan, sender, Position(operation, fail_point), faults)
            return 0
        if options.in_process:
            plan = select_operations(load(options.file), options.only, options.allocations)
            report = SweepReport(print_line, partial=bool(options.only or options.allocations))
            SweepRunner(plan, report, faults_of(plan, options.allocations, options.density)).run()
        else:
            report = sweep_file(
                options.file,
                options.timeout,
                options.only,
                print_line,
                options.allocations,
                options.density,
                options.c_program,
            )
    except SweepError as error:
        print(f"sweep: {error}", file=sys.stderr)
        return 2
    print_line("")
    for line in report.lines():
        print_line(line)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
