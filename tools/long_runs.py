"""Runs long commands and random operations for `stress.py` and `soak.py`, and prints their table."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = os.environ.get("LEAKPROOF_PYTHON", str(ROOT / ".venv" / "bin" / "python"))
RANDOM_OPERATIONS = ROOT / "xml-safe" / "tests" / "random_operations.py"
CHANGES = ROOT / "xml-safe" / "tests" / "tree_model.py"
MODELS = [CHANGES, *sorted(ROOT.glob("examples/*/tests/*_model.py"))]
SUMMARY = re.compile(
    r"random operations: steps=(?P<steps>\d+) seed=\d+ live=\S+ native=(?P<native>\S+) slope=(?P<slope>\S+) "
)
GRACE = 300
HANG = 1800


@dataclass
class Row:
    """One line of the table: what was run, and the numbers of its problems."""

    what: str
    done: str
    lost: int = 0
    crashed: int = 0
    hung: int = 0
    wrong: int = 0

    @property
    def problems(self) -> int:
        return self.lost + self.crashed + self.hung + self.wrong


@dataclass
class Command:
    """A running command. Its lines are printed as they come, and recorded."""

    process: subprocess.Popen[str]
    prefix: str
    lines: list[str] = field(default_factory=list)
    latest: float = field(default_factory=time.monotonic)
    hung: bool = False

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.latest = time.monotonic()
            self.lines.append(line.rstrip("\n"))
            print(f"{self.prefix}{line}", end="", flush=True)

    def wait(self, reader: threading.Thread, silence: float) -> int:
        while reader.is_alive() and (left := self.latest + silence - time.monotonic()) > 0:
            reader.join(left)
        if reader.is_alive():
            self.hung = True
            self.stop()
        reader.join()
        return self.process.wait()

    def stop(self) -> None:
        """Ends the command and its children. Python prints its stacks first."""
        os.killpg(self.process.pid, signal.SIGABRT)
        time.sleep(5)
        os.killpg(self.process.pid, signal.SIGKILL)


def run(commands: Sequence[tuple[str, Sequence[str]]], silence: float) -> list[tuple[Command, int]]:
    """Runs commands side by side, each with a prefix for its lines. A command that prints no line for so many seconds
    hangs."""
    running = []
    for prefix, arguments in commands:
        process = subprocess.Popen(
            arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
        )
        command = Command(process, prefix)
        reader = threading.Thread(target=command.read, daemon=True)
        reader.start()
        running.append((command, reader))
    try:
        return [(command, command.wait(reader, silence)) for command, reader in running]
    except BaseException:
        for command, _ in running:
            if command.process.poll() is None:
                os.killpg(command.process.pid, signal.SIGKILL)
        raise


def random_operations(seconds: float, slope: float | None) -> list[Row]:
    """Runs random operations of xml_safe for half of that time, and of each example that has a model for the rest."""
    rows = runs_of(None, seconds / 2, slope)
    for model in MODELS:
        rows += runs_of(model, seconds / 2 / len(MODELS), slope)
    return rows


def changes(steps: int, slope: float) -> list[Row]:
    """Runs so many random changes of documents. The process must not grow by more than `slope` bytes per change."""
    seed = int(time.time()) % 1_000_000
    options = ["--steps", str(steps), "--slope", str(slope), "--progress", "60", "--seed", str(seed)]
    command = [PYTHON, str(RANDOM_OPERATIONS), "--model", str(CHANGES), *options]
    [(ended, status)] = run([("", command)], HANG)
    return [row_of_run(f"{steps:,} changes, seed {seed}", ended, status)]


def name_of(model: Path | None) -> str:
    if model is None:
        return "xml_safe"
    return "xml_safe, changing" if model == CHANGES else model.stem.removesuffix("_model") + "_safe"


def runs_of(model: Path | None, seconds: float, slope: float | None) -> list[Row]:
    """Runs random operations on each processor, each from a seed of its own."""
    name = name_of(model)
    started = int(time.time()) % 1_000_000
    limit = [] if slope is None else ["--slope", str(slope)]
    options = ["--seconds", str(seconds), *limit, "--progress", "60"]
    if model is not None:
        options += ["--model", str(model)]
    seeds = [started + number for number in range(os.cpu_count() or 1)]
    commands = [(f"[{seed}] ", [PYTHON, str(RANDOM_OPERATIONS), *options, "--seed", str(seed)]) for seed in seeds]
    ended = run(commands, GRACE)
    return [
        row_of_run(f"random operations of {name}, seed {seed}", command, status)
        for seed, (command, status) in zip(seeds, ended, strict=True)
    ]


def row_of_run(what: str, command: Command, status: int) -> Row:
    found = SUMMARY.search("\n".join(command.lines))
    if found is None:
        row = Row(what, "not completed")
    else:
        done = f"{int(found['steps']):,} steps, {found['native']} bytes, {found['slope']} bytes/step"
        row = Row(what, done)
    if command.hung:
        row.hung = 1
    elif status < 0:
        row.crashed = 1
    elif status and found is None:
        row.wrong = 1
    elif status:
        row.lost = 1
    return row


def table(rows: Sequence[Row]) -> str:
    names = ["what", "done", "lost", "crashed", "hung", "wrong"]
    cells = [names, *([str(getattr(row, name)) for name in names] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    adjust: list[Callable[[str, int], str]] = [str.ljust, str.ljust, str.rjust, str.rjust, str.rjust, str.rjust]
    lines = [
        "  ".join(fit(cell, width) for fit, cell, width in zip(adjust, row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def end(name: str, rows: Sequence[Row]) -> None:
    """Prints the table, and exits with status 1 if it has a problem."""
    print(f"\n{table(rows)}")
    problems = sum(row.problems for row in rows)
    print(f"{name}: {f'{problems} PROBLEMS' if problems else 'nothing lost, crashed, hung or wrong'}")
    sys.exit(1 if problems else 0)
