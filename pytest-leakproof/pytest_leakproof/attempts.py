"""Runs operations with failures injected, and judges what comes out."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from .memory import allocated
from .operations import Operation, Plan

__all__ = ["Walker", "site_name"]

STEPS_AT_MOST = 10_000
REPETITIONS = 3
# Python itself allocates, too, so a leak is only what is left each of these times.
REPETITIONS_OF_BYTES = 10
BYTES = "bytes of the C library"

Fired = tuple[str, str, str]


@dataclass(frozen=True)
class Outcome:
    """How a call ended."""

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

    def is_as_said(self, operation: Operation) -> bool:
        """Whether it is what the operation does when nothing is injected."""
        if self.raised is None or operation.fails is None:
            return self.raised is operation.fails
        return issubclass(self.raised, operation.fails)

    def __str__(self) -> str:
        return "nothing was raised" if self.raised is None else f"{self.raised.__qualname__}: {self.message}"


@dataclass(frozen=True)
class Snapshot:
    """What must be the same after a call as before it."""

    handles: dict[str, int]
    blocks: int | None
    files: int | None
    bytes: int | None

    def changes(self, after: Snapshot) -> dict[str, int]:
        """What is not, and by how much. Of all but handles there may be fewer: what was kept for later can go."""
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
    """The number of file descriptors, where the system tells."""
    try:
        return len(os.listdir("/proc/self/fd"))
    except OSError:
        return None


@dataclass(frozen=True)
class Attempt:
    """One run of an operation: how it ended, what was injected, how it then ended without, and what was left."""

    outcome: Outcome
    fired: Fired | None
    again: Outcome | None
    changes: dict[str, int]


class Walker:
    """Walks the operations of a plan, and tells what happens. `Tally` has a method for each thing that it tells."""

    def __init__(self, plan: Plan, tell: Callable[..., None]) -> None:
        self._plan = plan
        self._faults = plan.faults
        # Where nobody counts the library's blocks, the bytes of the process are counted.
        self._bytes = allocated() if plan.blocks is None else None
        self._tell = tell

    def walk(self, first: int = 0, step: int = 1) -> None:
        """All operations, beginning at a step of the first one."""
        operations = self._plan.operations
        sites = [site[:2] for site in self._faults.call_sites()]
        names = [operation.name for operation in operations]
        self._tell("planned", self._plan.module.__name__, names, sites, dict(self._plan.ignore))
        for index in range(first, len(operations)):
            self._walk_one(index, operations[index], step if index == first else 1)
        self._tell("ended")

    def _walk_one(self, index: int, operation: Operation, step: int) -> None:
        self._tell("at", index, 0)
        try:
            # Also warms up what the library sets up on first use.
            works = self._judge_plain(operation, self._attempt(operation, 0))
            self._tell_reached()
            if works:
                self._walk_steps(index, operation, step)
        except NotPrepared as error:
            self._tell("problem", "wrong", f"{operation.name}: could not be prepared: {error}")
        self._tell_reached()
        self._tell("done", index)

    def _walk_steps(self, index: int, operation: Operation, first: int) -> None:
        for step in range(first, STEPS_AT_MOST):
            self._tell("at", index, step)
            attempt = self._attempt(operation, step)
            if attempt.fired is None:
                self._judge_plain(operation, attempt)
                return
            self._judge_injected(operation, step, attempt.fired, attempt)
        self._tell("problem", "wrong", f"{operation.name}: more than {STEPS_AT_MOST} steps")

    def _tell_reached(self) -> None:
        self._tell("reached", [index for index, site in enumerate(self._faults.call_sites()) if site[2]])

    # ---- running

    def _attempt(self, operation: Operation, step: int) -> Attempt:
        """Run it, with a failure injected at the step unless that is 0."""
        attempt = self._attempt_once(operation, step)
        for repetition in range(1, REPETITIONS_OF_BYTES):
            # What a library keeps from the first time on is no leak: one grows each time. Handles aren't kept.
            if not attempt.changes or any(name.endswith("handles") for name in attempt.changes):
                break
            if repetition >= REPETITIONS and BYTES not in attempt.changes:
                break
            again = self._attempt_once(operation, step)
            for name in attempt.changes.keys() - again.changes.keys():
                del attempt.changes[name]
        return attempt

    def _attempt_once(self, operation: Operation, step: int) -> Attempt:
        before = self._snapshot()
        outcome, fired, again = self._run(operation, step)
        changes = before.changes(self._snapshot())
        if changes:
            gc.collect()
            changes = before.changes(self._snapshot())
        return Attempt(outcome, fired, again, changes)

    def _run(self, operation: Operation, step: int) -> tuple[Outcome, Fired | None, Outcome | None]:
        call = prepared(operation)
        if not step:
            return Outcome.of(call), None, None
        self._faults.arm_fault(step)
        outcome = Outcome.of(call)
        fired = self._faults.disarm_fault()
        if fired is None:
            return outcome, None, None
        if operation.once:
            call = prepared(operation)
        return outcome, fired, Outcome.of(call)

    def _snapshot(self) -> Snapshot:
        blocks = self._plan.blocks
        count = self._bytes
        return Snapshot(
            self._faults.live_handles(),
            None if blocks is None else blocks(),
            open_files(),
            None if count is None else count(),
        )

    # ---- judging

    def _judge_plain(self, operation: Operation, attempt: Attempt) -> bool:
        works = attempt.outcome.is_as_said(operation)
        if not works:
            self._tell("problem", "wrong", f"{operation.name}: {attempt.outcome}")
        self._judge_changes(operation.name, attempt)
        return works

    def _judge_injected(self, operation: Operation, step: int, fired: Fired, attempt: Attempt) -> None:
        method, function, kind = fired
        self._tell("injected", kind)
        where = f"{operation.name}, step {step} ({site_name(method, function)}: {kind})"
        swallowed = operation.swallows and attempt.outcome.is_as_said(operation)
        if not swallowed and not self._is_right(attempt.outcome, kind):
            self._tell("problem", "wrong", f"{where}: {attempt.outcome}")
        if attempt.again is not None and not attempt.again.is_as_said(operation):
            self._tell("problem", "wrong", f"{where}: afterwards, with nothing injected: {attempt.again}")
        self._judge_changes(where, attempt)

    def _judge_changes(self, where: str, attempt: Attempt) -> None:
        if attempt.changes:
            changes = ", ".join(f"{change:+d} {name}" for name, change in attempt.changes.items())
            self._tell("problem", "leaked", f"{where}: {changes}")

    def _is_right(self, outcome: Outcome, kind: str) -> bool:
        """Whether this is what a failure at a step of this kind becomes."""
        if outcome.raised is None:
            return False
        if kind == "panic":
            return outcome.raised.__name__ == "PanicException"
        return issubclass(outcome.raised, self._right_types(kind))

    def _right_types(self, kind: str) -> tuple[type[BaseException], ...]:
        match kind:
            case "argument":
                return ValueError, TypeError, OverflowError
            case "enter":
                return self._exception("BusyError"), self._exception("ClosedError")
            case "not called" | "failed" | "release":
                return self._exception("Error"), OSError, ValueError
            case "result":
                # There is no memory for it, or it is text that is not UTF-8.
                return MemoryError, UnicodeDecodeError
            case "object":
                return (MemoryError,)
            case _:
                return ()

    def _exception(self, name: str) -> type[BaseException]:
        return cast(type[BaseException], getattr(self._plan.module, name))


class NotPrepared(Exception):
    """What an operation needs could not be made."""


def prepared(operation: Operation) -> Callable[[], object]:
    """The operation's call, with its argument if it has one."""
    if operation.prepare is None:
        return operation.call
    try:
        argument = operation.prepare()
    except Exception as error:
        raise NotPrepared(f"{type(error).__qualname__}: {error}") from error
    return lambda: operation.call(argument)


def site_name(method: str, function: str) -> str:
    """A call site as people read it."""
    return f"{method} {function}".rstrip()
