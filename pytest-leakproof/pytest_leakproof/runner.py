"""Runs operations with injected faults, and checks their outcomes."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from .memory import malloc_counter
from .plan import START, Operation, Plan, Position, site_name
from .report import SweepListener

__all__ = ["SweepRunner"]

MAX_FAIL_POINTS = 10_000
REPETITIONS = 3
# Python allocates memory of its own, so only bytes that stay behind in every repetition are a leak.
REPETITIONS_FOR_BYTES = 10
BYTES = "bytes of the C library"

# The method, the C function and the kind of the fail point at which a fault was injected.
Fault = tuple[str, str, str]


@dataclass(frozen=True)
class Outcome:
    """The exception that a call raised, if any."""

    raised: type[BaseException] | None = None
    message: str = ""

    @classmethod
    def of(cls, call: Callable[[], object]) -> Outcome:
        try:
            call()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return cls(type(error), str(error))
        return cls()

    def matches(self, operation: Operation) -> bool:
        """Returns whether this is the operation's outcome without a fault."""
        if self.raised is None or operation.raises is None:
            return self.raised is operation.raises
        return issubclass(self.raised, operation.raises)

    def __str__(self) -> str:
        return "nothing was raised" if self.raised is None else f"{self.raised.__qualname__}: {self.message}"


@dataclass(frozen=True)
class Snapshot:
    """The counts that have to be the same before and after a call."""

    handles: dict[str, int]
    blocks: int | None
    files: int | None
    bytes: int | None

    def changes(self, after: Snapshot) -> dict[str, int]:
        """Returns the changed counts. Blocks, files and bytes may become fewer: a cache may be dropped."""
        names = self.handles.keys() | after.handles.keys()
        changes = {f"{name} handles": after.handles.get(name, 0) - self.handles.get(name, 0) for name in sorted(names)}
        counts = (
            ("blocks", self.blocks, after.blocks),
            ("open files", self.files, after.files),
            (BYTES, self.bytes, after.bytes),
        )
        for name, one, other in counts:
            if one is not None and other is not None:
                changes[name] = max(0, other - one)
        return {name: change for name, change in changes.items() if change}


def open_files() -> int | None:
    """Returns the number of open file descriptors, or `None` on systems without `/proc`."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return None


@dataclass(frozen=True)
class Run:
    """One run of an operation.

    `fault` is the fault that was injected, `again` the outcome of the operation afterwards without a fault, and
    `changes` the counts that changed.
    """

    outcome: Outcome
    fault: Fault | None
    again: Outcome | None
    changes: dict[str, int]


class SweepRunner:
    """Runs each operation of a plan once for each of its fail points, and reports to a listener."""

    def __init__(self, plan: Plan, listener: SweepListener) -> None:
        self._plan = plan
        self._faults = plan.fault_injection
        # Where the plan can't count the library's blocks, the bytes of the process are counted.
        self._bytes = malloc_counter() if plan.blocks is None else None
        self._listener = listener

    def run(self, start: Position = START) -> None:
        """Runs the operations from `start` on."""
        operations = self._plan.operations
        sites = [site_name(method, function) for method, function, _ in self._faults.call_sites()]
        names = [operation.name for operation in operations]
        self._listener.on_plan(self._plan.module.__name__, names, sites, dict(self._plan.unreachable))
        for index in range(start.operation, len(operations)):
            self._run_operation(index, operations[index], start.fail_point if index == start.operation else 1)
        self._listener.on_finished()

    def _run_operation(self, index: int, operation: Operation, first: int) -> None:
        self._listener.on_position(Position(index, 0))
        try:
            # The run without a fault also initializes what the library sets up on first use.
            works = self._check_plain(operation, self._run(operation, 0))
            self._report_reached()
            if works:
                self._run_fail_points(index, operation, first)
        except SetupError as error:
            self._wrong(f"{operation.name}: setup failed: {error}")
        self._report_reached()
        self._listener.on_operation_done(index)

    def _run_fail_points(self, index: int, operation: Operation, first: int) -> None:
        for fail_point in range(first, MAX_FAIL_POINTS):
            self._listener.on_position(Position(index, fail_point))
            run = self._run(operation, fail_point)
            if run.fault is None:
                self._check_plain(operation, run)
                return
            self._check_injected(operation, fail_point, run.fault, run)
        self._wrong(f"{operation.name}: more than {MAX_FAIL_POINTS} fail points")

    def _report_reached(self) -> None:
        sites = self._faults.call_sites()
        self._listener.on_sites_reached([index for index, (_, _, reached) in enumerate(sites) if reached])

    # ---- running

    def _run(self, operation: Operation, fail_point: int) -> Run:
        """Runs an operation with a fault at a fail point, or without one if that is 0.

        A library may allocate something once and keep it. A leak grows each time, so a run that left something behind
        is repeated. Handles are never kept.
        """
        run = self._run_once(operation, fail_point)
        for repetition in range(1, REPETITIONS_FOR_BYTES):
            if not run.changes or any(name.endswith("handles") for name in run.changes):
                break
            if repetition >= REPETITIONS and BYTES not in run.changes:
                break
            again = self._run_once(operation, fail_point)
            for name in run.changes.keys() - again.changes.keys():
                del run.changes[name]
        return run

    def _run_once(self, operation: Operation, fail_point: int) -> Run:
        before = self._snapshot()
        outcome, fault, again = self._call(operation, fail_point)
        changes = before.changes(self._snapshot())
        if changes:
            gc.collect()
            changes = before.changes(self._snapshot())
        return Run(outcome, fault, again, changes)

    def _call(self, operation: Operation, fail_point: int) -> tuple[Outcome, Fault | None, Outcome | None]:
        call = set_up(operation)
        if not fail_point:
            return Outcome.of(call), None, None
        self._faults.arm_fault(fail_point)
        outcome = Outcome.of(call)
        fault = self._faults.disarm_fault()
        if fault is None:
            return outcome, None, None
        if operation.once:
            call = set_up(operation)
        return outcome, fault, Outcome.of(call)

    def _snapshot(self) -> Snapshot:
        blocks = self._plan.blocks
        count = self._bytes
        return Snapshot(
            self._faults.live_handles(),
            None if blocks is None else blocks(),
            open_files(),
            None if count is None else count(),
        )

    # ---- checking

    def _check_plain(self, operation: Operation, run: Run) -> bool:
        works = run.outcome.matches(operation)
        if not works:
            self._wrong(f"{operation.name}: {run.outcome}")
        self._check_changes(operation.name, run)
        return works

    def _check_injected(self, operation: Operation, fail_point: int, fault: Fault, run: Run) -> None:
        method, function, kind = fault
        self._listener.on_fault_injected(kind)
        where = f"{operation.name}, fail point {fail_point} ({site_name(method, function)}: {kind})"
        swallowed = operation.swallows and run.outcome.matches(operation)
        if not swallowed and not self._is_expected(run.outcome, kind):
            self._wrong(f"{where}: {run.outcome}")
        if run.again is not None and not run.again.matches(operation):
            self._wrong(f"{where}: afterwards, without a fault: {run.again}")
        self._check_changes(where, run)

    def _check_changes(self, where: str, run: Run) -> None:
        if run.changes:
            changes = ", ".join(f"{change:+d} {name}" for name, change in run.changes.items())
            self._listener.on_problem("leaked", f"{where}: {changes}")

    def _wrong(self, text: str) -> None:
        self._listener.on_problem("wrong", text)

    def _is_expected(self, outcome: Outcome, kind: str) -> bool:
        """Returns whether a fault at a fail point of this kind may have this outcome."""
        if outcome.raised is None:
            return False
        if kind == "panic":
            return outcome.raised.__name__ == "PanicException"
        return issubclass(outcome.raised, self._expected_exceptions(kind))

    def _expected_exceptions(self, kind: str) -> tuple[type[BaseException], ...]:
        match kind:
            case "argument":
                return ValueError, TypeError, OverflowError
            case "enter":
                return self._exception("BusyError"), self._exception("ClosedError")
            case "not called" | "failed" | "release":
                return self._exception("Error"), OSError, ValueError
            case "result":
                # There is no memory for the result, or it is text that is not UTF-8.
                return MemoryError, UnicodeDecodeError
            case "object":
                return (MemoryError,)
            case _:
                return ()

    def _exception(self, name: str) -> type[BaseException]:
        return cast(type[BaseException], getattr(self._plan.module, name))


class SetupError(Exception):
    """The setup of an operation raised."""


def set_up(operation: Operation) -> Callable[[], object]:
    """Returns the operation's call, bound to the result of its setup."""
    if operation.setup is None:
        return operation.call
    try:
        argument = operation.setup()
    except Exception as error:
        raise SetupError(f"{type(error).__qualname__}: {error}") from error
    return lambda: operation.call(argument)
