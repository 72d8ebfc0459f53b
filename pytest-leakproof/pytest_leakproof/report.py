"""The events of a fault-injection sweep, and the report that adds them up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Literal, Protocol, get_args

from .plan import Position

__all__ = ["PROBLEM_KINDS", "ProblemKind", "SweepListener", "SweepReport"]

ProblemKind = Literal["leaked", "crashed", "hung", "wrong"]
PROBLEM_KINDS: tuple[ProblemKind, ...] = get_args(ProblemKind)

# Every module has this site from leakproof itself, whether or not one of its methods leads there.
OPTIONAL_SITES = {"PartIterator.__next__", "with_handle"}


class SweepListener(Protocol):
    """Receives the events of a sweep, in the order in which they happen."""

    def on_plan(
        self, module: str, operations: Sequence[str], sites: Sequence[str], unreachable: Mapping[str, str]
    ) -> None:
        """The sweep begins. `sites` are the names of the call sites."""

    def on_position(self, position: Position) -> None:
        """An operation is about to run with a fault at this position."""

    def on_fault_injected(self, kind: str) -> None:
        """A fault was injected at a fail point of this kind."""

    def on_sites_reached(self, sites: Sequence[int]) -> None:
        """These call sites, as indices, have been reached so far."""

    def on_problem(self, kind: ProblemKind, text: str) -> None:
        """The package did something wrong."""

    def on_excused(self, text: str) -> None:
        """The C library itself did something wrong after a failed allocation."""

    def on_operation_done(self, operation: int) -> None:
        """An operation ran with a fault at each of its fail points."""

    def on_finished(self) -> None:
        """All operations are done."""


class SweepReport:
    """The result of a sweep.

    `progress` is called with each line to show while the sweep runs. `partial` says that the sweep leaves out
    operations, so that not every call site can be reached.
    """

    def __init__(self, progress: Callable[[str], None] | None = None, partial: bool = False) -> None:
        self.module = "?"
        self.operations: Sequence[str] = []
        self.injected: Counter[str] = Counter()
        self.problems: dict[ProblemKind, list[str]] = {kind: [] for kind in PROBLEM_KINDS}
        self.excused: list[str] = []
        self.position: Position | None = None
        self.finished = False
        self._progress = progress or (lambda line: None)
        self._partial = partial
        self._sites: Sequence[str] = []
        self._reached: set[int] = set()
        self._unreachable: Mapping[str, str] = {}
        self._injected_before = 0

    @property
    def ok(self) -> bool:
        """Whether the sweep found no problem."""
        return not any(self.problems.values())

    @property
    def totals(self) -> dict[str, int]:
        """The numbers of the report, by their names."""
        return {
            "sites": len(self._sites) - len(self._exempt()),
            "reached": len(self._reached),
            "injected": self.injected.total(),
            **{kind: len(texts) for kind, texts in self.problems.items()},
        }

    def lines(self) -> list[str]:
        """Returns the table, followed by the problems."""
        row = {"": self.module, **{name: str(number) for name, number in self.totals.items()}}
        widths = {name: max(len(name), len(cell)) for name, cell in row.items()}
        lines = [
            "  ".join(name.rjust(width) for name, width in widths.items()),
            "  ".join(row[name].rjust(width) for name, width in widths.items()),
        ]
        if self.injected:
            lines.append("injected: " + ", ".join(f"{kind} {number}" for kind, number in sorted(self.injected.items())))
        lines += [f"unreachable: {site}: {reason}" for site, reason in self._unreachable.items()]
        lines += [f"excused: {text}" for text in self.excused]
        lines += [f"{kind}: {text}" for kind, texts in self.problems.items() for text in texts]
        return lines

    def show(self, line: str) -> None:
        """Shows a line while the sweep runs."""
        self._progress(line)

    # ---- SweepListener

    def on_plan(
        self, module: str, operations: Sequence[str], sites: Sequence[str], unreachable: Mapping[str, str]
    ) -> None:
        self.module, self.operations, self._sites, self._unreachable = module, operations, sites, unreachable

    def on_position(self, position: Position) -> None:
        self.position = position

    def on_fault_injected(self, kind: str) -> None:
        self.injected[kind] += 1

    def on_sites_reached(self, sites: Sequence[int]) -> None:
        self._reached.update(sites)

    def on_problem(self, kind: ProblemKind, text: str) -> None:
        if text not in self.problems[kind]:
            self.problems[kind].append(text)
            self._progress(f"{kind}: {text}")

    def on_excused(self, text: str) -> None:
        if text not in self.excused:
            self.excused.append(text)

    def on_operation_done(self, operation: int) -> None:
        injected = self.injected.total() - self._injected_before
        self._injected_before += injected
        number = f"{operation + 1}/{len(self.operations)}"
        self._progress(f"[{number}] {self.operations[operation]}: {injected} faults injected")

    def on_finished(self) -> None:
        self.finished = True
        if self._partial:
            return
        for index, site in enumerate(self._sites):
            if index in self._reached and site in self._unreachable:
                self.on_problem("wrong", f"{site} is listed as unreachable, but was reached")
            if index not in self._reached | self._exempt():
                self.on_problem("wrong", f"no operation reaches {site}")

    def _exempt(self) -> set[int]:
        """Returns the sites that were not reached and need not be."""
        exempt = {index for index, site in enumerate(self._sites) if site in OPTIONAL_SITES | self._unreachable.keys()}
        return exempt - self._reached
