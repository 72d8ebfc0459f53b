"""Runs operations with injected faults, and checks their outcomes."""

from __future__ import annotations

import gc
import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from .faults import Fault, Faults
from .memory import malloc_counter
from .plan import START, Operation, Plan, Position, site_name
from .report import ProblemKind, SweepListener

__all__ = ["SpoiledError", "SweepRunner"]

MAX_FAIL_POINTS = 10_000
REPETITIONS = 3
# Python allocates memory of its own, so only bytes that stay behind in every repetition are a leak.
REPETITIONS_FOR_BYTES = 10
BYTES = "bytes of the C library"


@dataclass(frozen=True)
class Outcome:
    """The exception that a call raised, if any."""

    raised: type[BaseException] | None = None
    message: str = ""
    # The checksum of the result's shape.
    result: int = 0

    @classmethod
    def of(cls, call: Callable[[], object]) -> Outcome:
        return cls.under(call, None, 0)[0]

    @classmethod
    def under(cls, call: Callable[[], object], faults: Faults | None, fail_point: int) -> tuple[Outcome, Fault | None]:
        """Calls with a fault at a fail point. The outcome is looked at when nothing fails any more."""
        raised: BaseException | None = None
        result = fault = None
        if faults:
            faults.arm(fail_point)
        try:
            result = call()
        except BaseException as error:
            raised = error
        if faults:
            fault = faults.disarm()
        if isinstance(raised, KeyboardInterrupt):
            raise raised
        try:
            return (cls(type(raised), str(raised)) if raised else cls(result=zlib.crc32(shape(result).encode()))), fault
        finally:
            # The traceback holds this frame.
            del raised, result

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

    def __init__(self, plan: Plan, listener: SweepListener, faults: Faults) -> None:
        self._plan = plan
        self._injection = plan.fault_injection
        self._faults = faults
        # Where the plan can't count the library's blocks, the bytes of the process are counted.
        self._bytes = malloc_counter() if plan.blocks is None else None
        self._listener = listener

    def run(self, start: Position = START) -> None:
        """Runs the operations from `start` on."""
        operations = self._plan.operations
        sites = [site_name(method, function) for method, function, _ in self._injection.call_sites()]
        names = [operation.name for operation in operations]
        self._listener.on_plan(self._plan.module.__name__, names, sites, dict(self._plan.unreachable))
        for index in range(start.operation, len(operations)):
            self._run_operation(index, operations[index], start.fail_point if index == start.operation else 1)
        self._listener.on_finished()

    def _run_operation(self, index: int, operation: Operation, first: int) -> None:
        self._listener.on_position(Position(index, 0))
        try:
            # The run without a fault also initializes what the library sets up on first use.
            plain = self._run(operation, 0)
            works = self._check_plain(operation, plain)
            self._report_reached()
            if works:
                self._run_fail_points(index, operation, first, plain.outcome)
        except SetupError as error:
            self._wrong(f"{operation.name}: setup failed: {error}")
        self._report_reached()
        self._listener.on_operation_done(index)

    def _run_fail_points(self, index: int, operation: Operation, first: int, plain: Outcome) -> None:
        for fail_point in range(first, MAX_FAIL_POINTS):
            self._listener.on_position(Position(index, fail_point))
            run = self._run(operation, fail_point)
            if run.fault is None:
                self._check_plain(operation, run)
                return
            self._check_injected(operation, fail_point, run.fault, run, plain)
            if self._faults.is_excused():
                raise SpoiledError
        self._wrong(f"{operation.name}: more than {MAX_FAIL_POINTS} fail points")

    def _report_reached(self) -> None:
        sites = self._injection.call_sites()
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
        outcome, fault = Outcome.under(call, self._faults, fail_point)
        if fault is None:
            return outcome, None, None
        if operation.once:
            call = set_up(operation)
        return outcome, fault, Outcome.of(call)

    def _snapshot(self) -> Snapshot:
        blocks = self._plan.blocks
        count = self._bytes
        return Snapshot(
            self._injection.live_handles(),
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

    def _check_injected(self, operation: Operation, fail_point: int, fault: Fault, run: Run, plain: Outcome) -> None:
        method, function, kind = fault
        self._listener.on_fault_injected(kind)
        where = f"{operation.name}, fail point {fail_point} ({site_name(method, function)}: {kind})"
        if kind.startswith("allocation"):
            accepted = self._copes(operation, run.outcome, plain)
        else:
            swallowed = operation.swallows and run.outcome.matches(operation)
            accepted = swallowed or self._is_expected(run.outcome, kind)
        excused = self._faults.is_excused() or (kind == "allocation: python" and lost_by_python(run.outcome))
        if not accepted:
            self._problem("wrong", f"{where}: {run.outcome}", excused)
        if run.again is not None and not run.again.matches(operation):
            self._problem("wrong", f"{where}: afterwards, without a fault: {run.again}", excused)
        self._check_changes(where, run, excused)

    def _check_changes(self, where: str, run: Run, excused: bool = False) -> None:
        if run.changes:
            changes = ", ".join(f"{change:+d} {name}" for name, change in run.changes.items())
            # Handles are counted by leakproof, and no library is an excuse for them.
            excused = excused and not any(name.endswith("handles") for name in run.changes)
            self._problem("leaked", f"{where}: {changes}", excused)

    def _problem(self, kind: ProblemKind, text: str, excused: bool) -> None:
        if excused:
            self._listener.on_excused(f"{kind}: {text}")
        else:
            self._listener.on_problem(kind, text)

    def _wrong(self, text: str) -> None:
        self._listener.on_problem("wrong", text)

    def _is_expected(self, outcome: Outcome, kind: str) -> bool:
        """Returns whether a fault at a fail point of this kind may have this outcome."""
        if outcome.raised is None:
            return False
        if kind == "panic":
            return outcome.raised.__name__ == "PanicException"
        return issubclass(outcome.raised, self._expected_exceptions(kind))

    def _copes(self, operation: Operation, outcome: Outcome, plain: Outcome) -> bool:
        """Returns whether an operation may end like this where an allocation failed: as without it (`plain`), or by an
        exception that says so.
        """
        if outcome.matches(operation):
            return outcome.raised is not None or outcome.result == plain.result
        return outcome.raised is not None and issubclass(
            outcome.raised, (MemoryError, self._exception("Error"), OSError)
        )

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


def lost_by_python(outcome: Outcome) -> bool:
    """Returns whether CPython has lost an exception: it does where it finds no memory for a frame of the traceback, and
    also loses those of Python functions.
    """
    return outcome.raised is not None and outcome.message.endswith(
        (
            "error return without exception set",
            "returned NULL without setting an exception",
            # PyO3's words, in a debug build, where a callback has lost its exception.
            "attempted to fetch exception but none was set",
        )
    )


def shape(result: object) -> str:
    """Returns a description of a result that is the same for each run: values, and types of what is no plain value."""
    match result:
        case None | bool() | int() | float():
            return repr(result)
        case str() | bytes():
            data = result.encode(errors="surrogatepass") if isinstance(result, str) else result
            return f"{type(result).__name__} {len(data)} {zlib.crc32(data)}"
        case list() | tuple():
            return f"{type(result).__name__}({', '.join(map(shape, result))})"
        case dict():
            return f"dict({', '.join(f'{key!r}: {shape(value)}' for key, value in result.items())})"
        case _:
            return type(result).__qualname__


class SpoiledError(Exception):
    """The C library misbehaves after the fault that was injected last, so nothing can be said about this process."""


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
