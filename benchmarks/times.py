"""Times of xml-safe beside lxml, ElementTree, libxml2's official binding and C.

lxml's wheel has a newer libxml2 of its own; the system's lxml has the libxml2 that xml-safe and C use.

usage: times.py BUILT [--repetitions N]

BUILT is the folder with what build.py made. Each subject is a process of its own, since the official binding belongs to
the system's Python. The processes take turns with each repetition of each operation, so that all of them meet the same
load of the machine. A figure is the median of the repetitions, in time of the processor. The operations with threads
take the time of the wall clock, and need two processors that do nothing else.
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

FOLDER = Path(__file__).resolve().parent
SYSTEM_PYTHON = "/usr/bin/python3"
# The time in seconds that a repetition should take.
REPETITION = 0.05
REPETITIONS = 7


@dataclass(frozen=True)
class Operation:
    name: str
    title: str
    unit: str
    scale: float
    expression: str = "-"
    # An operation of a fixed number of runs is not repeated until a repetition takes its time.
    runs: int | None = None


OPERATIONS = [
    # Memory comes first: later, the allocators have free memory that would not count.
    Operation("memory", "memory of a held node", "bytes", 1, runs=1),
    Operation("parse", "parse and release 5 MB", "ms", 1e3),
    Operation("xpath_string", "XPath, 20 rows: an attribute", "µs", 1e6, "string(/rows/row[7]/@id)"),
    Operation("xpath_count", "XPath, 20 rows: a number", "µs", 1e6, "count(/rows/row)"),
    Operation("xpath_node", "XPath, 20 rows: a node", "µs", 1e6, "/rows/row[@id='7']"),
    Operation("xpath_many", "XPath: 100,000 nodes", "ms", 1e3, "//b"),
    Operation("iterate", "iteration, per element", "ns", 1e9),
    Operation("attribute", "attribute", "ns", 1e9),
    Operation("name", "element name", "ns", 1e9),
    Operation("serialize", "serialize 110 KB", "ms", 1e3),
    Operation("build", "new element, put below a root", "ns", 1e9),
    Operation("set_attribute", "setting an attribute", "ns", 1e9),
    Operation("set_text", "setting the text of an element", "ns", 1e9),
    Operation("move", "taking an element out, and putting it at the end", "ns", 1e9),
    Operation("serialize_built", "serializing the 100,000 elements, with an attribute, per element", "ns", 1e9),
    Operation("one_thread", "parse and release 5 MB, one thread", "ms", 1e3, runs=2),
    Operation("two_threads", "the same on each of two threads", "ms", 1e3, runs=2),
]

SUBJECTS = ["xml-safe", "lxml", "lxml, compiled", "system's lxml", "ElementTree", "libxml2", "C"]
# The subjects that belong to the system's Python, and so to the libxml2 that xml-safe uses: their modules and packages.
OF_SYSTEM = {"system's lxml": ("lxml.etree", "python3-lxml"), "libxml2": ("libxml2", "python3-libxml2")}


@dataclass(frozen=True)
class Figure:
    """The median of the repetitions, the quartiles around it, and the best one, in the unit of the operation."""

    median: float
    low: float
    high: float
    best: float


Figures = dict[str, dict[str, Figure]]


class Subject:
    """A process that does operations."""

    def __init__(self, process: subprocess.Popen[str], version: str) -> None:
        self.process = process
        self.version = version

    def measure(self, operation: Operation, runs: int) -> float | None:
        """Returns the seconds per run, bytes per node for `memory`, or `None` if there is no such operation."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{operation.name}\t{runs}\t{operation.expression}\n")
        self.process.stdin.flush()
        answer = self.answer()
        return None if answer == "-" else float(answer)

    def answer(self) -> str:
        assert self.process.stdout is not None
        answer = self.process.stdout.readline().strip()
        if not answer:
            raise RuntimeError(f"{self.version} ended: see above")
        return answer


def write_documents(folder: Path) -> None:
    """Writes the documents: a large one, a small table, a flat one with many nodes, and a middle-sized table."""
    for name, count in [("big", 44_500), ("rows", 20), ("table", 1_000)]:
        rows = (
            f'<row id="{number}" kind="plain"><name>Name of row {number}</name><note>Fish &amp; chips</note>'
            f"<value>{number * 7919 % 10007}</value></row>"
            for number in range(count)
        )
        (folder / f"{name}.xml").write_text(f"<rows>{''.join(rows)}</rows>")
    (folder / "flat.xml").write_text(f"<a>{'<b/>' * 100_000}</a>")


def command_of(name: str, built: Path, folder: Path) -> list[str]:
    if name == "C":
        return [str(built / "raw"), str(folder)]
    python = SYSTEM_PYTHON if name in OF_SYSTEM else sys.executable
    return [python, str(FOLDER / "subjects.py"), name, str(folder)]


@contextmanager
def started(name: str, built: Path, folder: Path) -> Iterator[Subject]:
    environment = os.environ | {"PYTHONPATH": str(built / "packages")}
    command = command_of(name, built, folder)
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            subject = Subject(process, name)
            subject.version = subject.answer()
            yield subject
        finally:
            process.kill()


def has_system_module(name: str) -> bool:
    command = [SYSTEM_PYTHON, "-c", f"import {name}"]
    try:
        return subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


def calibrated(subject: Subject, operation: Operation) -> int:
    """Returns the number of runs that takes as long as a repetition should."""
    if operation.runs is not None:
        return operation.runs
    runs = 1
    while True:
        start = time.perf_counter()
        subject.measure(operation, runs)
        elapsed = time.perf_counter() - start
        if elapsed > REPETITION / 2:
            return runs
        runs = math.ceil(runs * min(100, max(2, REPETITION / elapsed)))


def measure(operation: Operation, subjects: dict[str, Subject], repetitions: int) -> dict[str, Figure]:
    """Measures an operation of all subjects in turn."""
    # Also the warm-up. Memory is measured once in a process.
    first = {name: subject.measure(operation, 1) for name, subject in subjects.items()}
    results = {name: [figure] for name, figure in first.items() if figure is not None}
    if operation.name != "memory":
        runs = {name: calibrated(subjects[name], operation) for name in results}
        results = {name: [] for name in results}
        for _ in range(repetitions):
            for name, figures in results.items():
                figure = subjects[name].measure(operation, runs[name])
                assert figure is not None
                figures.append(figure)
    return {name: summary([figure * operation.scale for figure in figures]) for name, figures in results.items()}


def summary(figures: list[float]) -> Figure:
    if len(figures) == 1:
        return Figure(figures[0], figures[0], figures[0], figures[0])
    low, middle, high = quantiles(figures, n=4, method="inclusive")
    return Figure(middle, low, high, min(figures))


@dataclass(frozen=True)
class Times:
    """Figures of each operation and subject, and the subjects' versions."""

    versions: dict[str, str]
    figures: Figures

    def ratio(self, operation: str, subject: str, reference: str = "lxml") -> float | None:
        """Returns the median of a subject divided by that of another one."""
        row = self.figures[operation]
        return row[subject].median / row[reference].median if subject in row and reference in row else None

    def speed_up(self, subject: str) -> float | None:
        """Returns how much more two threads parse in a time than one does.

        Takes the best repetitions, because every other process makes two threads slower than one.
        """
        one, two = self.figures["one_thread"].get(subject), self.figures["two_threads"].get(subject)
        return None if one is None or two is None else 2 * one.best / two.best


def times(built: Path, repetitions: int) -> Times:
    names = list(SUBJECTS)
    for name, (module, package) in OF_SYSTEM.items():
        if not has_system_module(module):
            names.remove(name)
            print(f"times: skipped {name}, which {SYSTEM_PYTHON} does not have ({package})")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        write_documents(folder)
        subjects = {name: stack.enter_context(started(name, built, folder)) for name in names}
        figures = {operation.name: measure(operation, subjects, repetitions) for operation in OPERATIONS}
        return Times({name: subject.version for name, subject in subjects.items()}, figures)


def print_table(results: Times) -> None:
    """Prints medians, and for xml-safe the ratios to lxml."""
    titles = [f"{operation.title}, {operation.unit}" for operation in OPERATIONS]
    width = max(map(len, titles))
    names = list(results.versions)
    references = ["lxml", "system's lxml"]
    headings = [f"{f'/ {name}':>16}" for name in references]
    print(f"{'medians':<{width}}", *(f"{name:>15}" for name in names), *headings)
    for operation, title in zip(OPERATIONS, titles, strict=True):
        row = results.figures[operation.name]
        cells = [f"{row[name].median:,.{digits(row[name].median)}f}" if name in row else "-" for name in names]
        ratios = [results.ratio(operation.name, "xml-safe", reference) for reference in references]
        shown = ["-" if ratio is None else f"{ratio:.2f}" for ratio in ratios]
        print(f"{title:<{width}}", *(f"{cell:>15}" for cell in cells), *(f"{ratio:>16}" for ratio in shown))
    factors = [results.speed_up(name) for name in names]
    cells = ["-" if factor is None else f"{factor:.2f}" for factor in factors]
    print(f"{'two threads parse so many times as much':<{width}}", *(f"{cell:>15}" for cell in cells))
    print(*(f"{name}: {version}" for name, version in results.versions.items()), sep="; ")


def digits(figure: float) -> int:
    return 0 if figure >= 100 else 1 if figure >= 10 else 2


def main() -> None:
    parser = argparse.ArgumentParser(description="Times of xml-safe beside other XML packages.")
    parser.add_argument("built", type=Path, help="the folder with what build.py made")
    parser.add_argument("--repetitions", type=int, default=REPETITIONS)
    options = parser.parse_args()
    print_table(times(options.built.resolve(), options.repetitions))


if __name__ == "__main__":
    main()
