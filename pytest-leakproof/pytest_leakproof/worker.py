"""Runs a sweep in a process of its own, which reports its events through a pipe."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from .faults import Faults, with_shim
from .plan import Plan, Position
from .report import ProblemKind, SweepListener, SweepReport
from .runner import SpoiledError, SweepRunner

__all__ = ["SPOILED", "Failure", "run_worker", "worker_main"]

# How many seconds the start of the process may take. It may take longer than one fail point.
START_TIMEOUT = 60
TAIL_LINES = 25
SPOILED = "the process ended with status 0"


@dataclass(frozen=True)
class Failure:
    """The end of a process that did not finish its sweep. `output` are the last lines that it printed."""

    kind: ProblemKind
    text: str
    output: Sequence[str]


def run_worker(
    arguments: Sequence[str], start: Position, report: SweepReport, timeout: float, shim: Path | None = None
) -> Failure | None:
    """Runs the sweep from `start` on in a new process, with the library of the folder `shim` preloaded.
    Returns `None` if it finished.
    """
    environment = counting_exactly(os.environ)
    receiver, sender = os.pipe()
    command = [sys.executable, "-X", "faulthandler", "-m", "pytest_leakproof.sweep", *arguments]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [*command, "--worker", str(sender), *map(str, start)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[sender],
            env=environment if shim is None else with_shim(environment, shim),
        )
        os.close(sender)
        try:
            for message in messages(receiver, timeout):
                forward(message, report)
            status = process.wait(timeout)
        except (TimeoutError, subprocess.TimeoutExpired):
            abort(process)
            return Failure("hung", f"no progress for {timeout:g} seconds", tail(output))
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            os.close(receiver)
        return Failure("crashed", describe(status), tail(output)) if status or not report.finished else None


def worker_main(plan: Plan, sender: int, start: Position, faults: Faults) -> None:
    """Runs the sweep in this process, and writes its events to the pipe."""
    os.set_inheritable(sender, False)
    # The sweep of a spoiled process continues in another one.
    with os.fdopen(sender, "w", buffering=1) as output, suppress(SpoiledError):
        SweepRunner(plan, EventWriter(output), faults).run(start)


class EventWriter:
    """A `SweepListener` that writes each event as a line of JSON. `forward` reads it."""

    def __init__(self, output: IO[str]) -> None:
        self._output = output

    def _write(self, *event: object) -> None:
        print(json.dumps(event), file=self._output)

    def on_plan(
        self, module: str, operations: Sequence[str], sites: Sequence[str], unreachable: Mapping[str, str]
    ) -> None:
        self._write("plan", module, operations, sites, unreachable)

    def on_position(self, position: Position) -> None:
        self._write("position", *position)

    def on_fault_injected(self, kind: str) -> None:
        self._write("fault injected", kind)

    def on_sites_reached(self, sites: Sequence[int]) -> None:
        self._write("sites reached", sites)

    def on_problem(self, kind: ProblemKind, text: str) -> None:
        self._write("problem", kind, text)

    def on_excused(self, text: str) -> None:
        self._write("excused", text)

    def on_operation_done(self, operation: int) -> None:
        self._write("operation done", operation)

    def on_finished(self) -> None:
        self._write("finished")


def forward(message: Sequence[Any], listener: SweepListener) -> None:
    """Calls the listener with an event that `EventWriter` wrote."""
    match message:
        case ["plan", module, operations, sites, unreachable]:
            listener.on_plan(module, operations, sites, unreachable)
        case ["position", operation, fail_point]:
            listener.on_position(Position(operation, fail_point))
        case ["fault injected", kind]:
            listener.on_fault_injected(kind)
        case ["sites reached", sites]:
            listener.on_sites_reached(sites)
        case ["problem", kind, text]:
            listener.on_problem(kind, text)
        case ["excused", text]:
            listener.on_excused(text)
        case ["operation done", operation]:
            listener.on_operation_done(operation)
        case ["finished"]:
            listener.on_finished()
        case _:
            raise AssertionError(f"unknown event {message}")


def messages(receiver: int, timeout: float) -> Iterator[list[Any]]:
    """Iterates over the messages of the process until it ends. Raises `TimeoutError` if it hangs."""
    rest = b""
    patience = max(timeout, START_TIMEOUT)
    while select.select([receiver], [], [], patience)[0]:
        data = os.read(receiver, 1 << 16)
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        yield from map(json.loads, lines)
        patience = timeout
    raise TimeoutError


def counting_exactly(environment: Mapping[str, str]) -> dict[str, str]:
    """Returns the environment in which the allocated bytes are those that are in use.

    `malloc` caches no freed memory, which glibc counts as allocated. A panic prints no backtrace, for which Rust's
    standard library keeps what it has read of the debug information.
    """
    environment = {**environment, "RUST_BACKTRACE": "0"}
    tunables = environment.get("GLIBC_TUNABLES", "")
    if "glibc.malloc.tcache_count" in tunables:
        return environment
    no_cache = "glibc.malloc.tcache_count=0"
    return {**environment, "GLIBC_TUNABLES": f"{tunables}:{no_cache}" if tunables else no_cache}


def abort(process: subprocess.Popen[bytes]) -> None:
    """Ends a process with SIGABRT, at which it prints the stacks of its threads."""
    process.send_signal(signal.SIGABRT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def describe(status: int) -> str:
    if status >= 0:
        return f"the process ended with status {status}"
    try:
        return f"the process was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"the process was ended by signal {-status}"


def tail(output: IO[bytes]) -> list[str]:
    output.seek(0)
    return output.read().decode(errors="replace").splitlines()[-TAIL_LINES:]
