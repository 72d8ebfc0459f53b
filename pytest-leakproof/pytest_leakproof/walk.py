"""Walks every error path of a package that was built with leakproof's feature `fault-injection`.

    python -m pytest_leakproof.walk FILE.py

FILE defines `MODULE`, the module or its name; `OPERATIONS`, each of which calls something of it; and if it likes
`blocks`, a function that returns how many blocks the C library has allocated, and `ignore`, a dict of the call sites
that can't be reached to the reason.

Each operation is run once for each step in it that can fail, and there the step fails. Then an exception of the right
type has to have come out; handles, blocks and open files have to be as many as before; and the same operation has to
work again. Every call site has to be reached by some operation.

The walk is a process of its own: what crashes or hangs is noted, and the walk goes on behind it.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from .attempts import Walker
from .operations import Operation, Plan, WalkError, load
from .tally import Tally

__all__ = ["Operation", "Plan", "Tally", "WalkError", "load", "main", "walk", "walk_file"]

BROKEN_AT_MOST = 20
HUNG_AT_MOST = 10
START_AT_MOST = 60
TAIL = 25


def walk(
    module: ModuleType,
    operations: Iterable[Operation],
    blocks: Callable[[], int] | None = None,
    ignore: Mapping[str, str] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Tally:
    """Walk in this process, which a crash ends."""
    tally = Tally(progress)
    Walker(Plan(module, list(operations), blocks, ignore or {}), tally.tell).walk()
    return tally


def walk_file(
    path: str | Path,
    timeout: float = 30,
    only: str | None = None,
    progress: Callable[[str], None] | None = None,
) -> Tally:
    """Walk the operations of a file in a process of their own; `timeout` seconds without progress are a hang."""
    tally = Tally(progress, partly=only is not None)
    broken: Counter[int] = Counter()
    start: tuple[int, int] | None = (0, 1)
    while start:
        tally.position = None
        end = run_process([str(path), *(["--only", only] if only else [])], start, tally, timeout)
        if end is None:
            break
        start = behind(end, tally, broken)
        if progress:
            progress("\n".join(f"    {line}" for line in end.output))
    return tally


def behind(end: End, tally: Tally, broken: Counter[int]) -> tuple[int, int] | None:
    """Note how a process ended; where to go on, if anywhere."""
    if tally.has_ended:
        tally.tell_problem(end.kind, f"at the end: {end.text}")
        return None
    if tally.position is None:
        raise WalkError("\n".join([end.text, *end.output]))
    operation, step = tally.position
    name = tally.operations[operation]
    tally.tell_problem(end.kind, f"{name}, step {step}: {end.text}")
    if len(tally.problems["hung"]) >= HUNG_AT_MOST:
        tally.tell_problem("wrong", "the walk was given up")
        return None
    broken[operation] += 1
    if broken[operation] >= BROKEN_AT_MOST:
        tally.tell_problem("wrong", f"{name}: given up")
        return operation + 1, 1
    return (operation, step + 1) if step else (operation + 1, 1)


# ---- the process


@dataclass(frozen=True)
class End:
    """How a process ended before it was done, and the last that it printed."""

    kind: str
    text: str
    output: Sequence[str]


def run_process(arguments: Sequence[str], start: tuple[int, int], tally: Tally, timeout: float) -> End | None:
    """Walk from `start` on in a new process. None if it came to the end."""
    receiver, sender = os.pipe()
    command = [sys.executable, "-X", "faulthandler", "-m", "pytest_leakproof.walk", *arguments]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [*command, "--process", str(sender), *map(str, start)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[sender],
            env=exact(os.environ),
        )
        os.close(sender)
        try:
            for message in messages(receiver, timeout):
                tally.tell(*message)
            status = process.wait(timeout)
        except (TimeoutError, subprocess.TimeoutExpired):
            abort(process)
            return End("hung", f"nothing happened for {timeout:g} seconds", tail(output))
        except BaseException:
            process.kill()
            process.wait()
            raise
        finally:
            os.close(receiver)
        return End("crashed", describe(status), tail(output)) if status or not tally.has_ended else None


def messages(receiver: int, timeout: float) -> Iterator[list[Any]]:
    """What the process tells, until it ends."""
    rest = b""
    # Starting may take longer than a step.
    patience = max(timeout, START_AT_MOST)
    while select.select([receiver], [], [], patience)[0]:
        data = os.read(receiver, 1 << 16)
        if not data:
            return
        *lines, rest = (rest + data).split(b"\n")
        yield from map(json.loads, lines)
        patience = timeout
    raise TimeoutError


def exact(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which `malloc` keeps no freed memory for later: glibc would count it as allocated."""
    tunables = environment.get("GLIBC_TUNABLES", "")
    if "glibc.malloc.tcache_count" in tunables:
        return dict(environment)
    exact = "glibc.malloc.tcache_count=0"
    return {**environment, "GLIBC_TUNABLES": f"{tunables}:{exact}" if tunables else exact}


def abort(process: subprocess.Popen[bytes]) -> None:
    """End a process, with the stacks of its threads printed."""
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
    return output.read().decode(errors="replace").splitlines()[-TAIL:]


def be_process(plan: Plan, sender: int, operation: int, step: int) -> None:
    """Walk, and tell the process that started this one."""
    os.set_inheritable(sender, False)
    with os.fdopen(sender, "w", buffering=1) as output:
        Walker(plan, lambda *message: print(json.dumps(message), file=output)).walk(operation, step)


# ---- the command line


def chosen(plan: Plan, only: str | None) -> Plan:
    if only is None:
        return plan
    operations = [operation for operation in plan.operations if fnmatch.fnmatch(operation.name, only)]
    return replace(plan, operations=operations)


def say(line: str) -> None:
    print(line, flush=True)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m pytest_leakproof.walk",
        description="Let every step of every operation fail once, and look at what comes out and what is left behind.",
        epilog="exit status: 0 if nothing is wrong, 1 if something is, 2 if the walk could not begin",
    )
    parser.add_argument("file", help="a Python file that defines MODULE and OPERATIONS")
    parser.add_argument("--only", metavar="PATTERN", help="only the operations with such a name, as in 'Document.*'")
    parser.add_argument("--timeout", type=float, default=30, metavar="SECONDS", help="how long one step may take")
    parser.add_argument("--in-process", action="store_true", help="in this process, for a debugger: a crash ends it")
    parser.add_argument("--process", type=int, nargs=3, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    options = parse_arguments(arguments)
    try:
        if options.process:
            be_process(chosen(load(options.file), options.only), *options.process)
            return 0
        if options.in_process:
            tally = Tally(say, partly=options.only is not None)
            Walker(chosen(load(options.file), options.only), tally.tell).walk()
        else:
            tally = walk_file(options.file, options.timeout, options.only, say)
    except WalkError as error:
        print(f"walk: {error}", file=sys.stderr)
        return 2
    say("")
    for line in tally.lines():
        say(line)
    return 0 if tally.ok else 1


if __name__ == "__main__":
    sys.exit(main())
