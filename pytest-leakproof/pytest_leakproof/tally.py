"""Adds up what happens on a walk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .attempts import site_name

__all__ = ["PROBLEMS", "Tally"]

PROBLEMS = ("leaked", "crashed", "hung", "wrong")

# What every module has from leakproof itself, whether or not it has a method that leads there.
OPTIONAL = {"PartIterator.__next__"}


class Tally:
    """What happened on a walk.

    `partly` says that the walk leaves out operations, so that not every call site can be reached.
    """

    def __init__(self, progress: Callable[[str], None] | None = None, partly: bool = False) -> None:
        self.name = "?"
        self.operations: Sequence[str] = []
        self.injected: Counter[str] = Counter()
        self.problems: dict[str, list[str]] = {kind: [] for kind in PROBLEMS}
        self.position: tuple[int, int] | None = None
        self.has_ended = False
        self._progress = progress or (lambda line: None)
        self._partly = partly
        self._sites: list[str] = []
        self._reached: set[int] = set()
        self._ignore: Mapping[str, str] = {}
        self._told = 0

    @property
    def ok(self) -> bool:
        """Whether nothing is to be said against the package."""
        return not any(self.problems.values())

    @property
    def row(self) -> dict[str, int]:
        """The numbers, by their names."""
        return {
            "sites": len(self._sites) - len(self._left_out()),
            "reached": len(self._reached),
            "injected": self.injected.total(),
            **{kind: len(texts) for kind, texts in self.problems.items()},
        }

    def tell(self, event: str, *facts: Any) -> None:
        """Something happened: what a `Walker` tells, through whatever lies between."""
        getattr(self, f"tell_{event}")(*facts)

    def tell_planned(
        self, name: str, operations: Sequence[str], sites: Sequence[Sequence[str]], ignore: Mapping[str, str]
    ) -> None:
        self.name, self.operations, self._ignore = name, operations, ignore
        self._sites = [site_name(method, function) for method, function in sites]

    def tell_at(self, operation: int, step: int) -> None:
        self.position = (operation, step)

    def tell_injected(self, kind: str) -> None:
        self.injected[kind] += 1

    def tell_reached(self, sites: Sequence[int]) -> None:
        self._reached.update(sites)

    def tell_problem(self, kind: str, text: str) -> None:
        if text not in self.problems[kind]:
            self.problems[kind].append(text)
            self._progress(f"{kind}: {text}")

    def tell_done(self, operation: int) -> None:
        injected = self.injected.total() - self._told
        self._told += injected
        self._progress(
            f"[{operation + 1}/{len(self.operations)}] {self.operations[operation]}: {injected} failures injected"
        )

    def tell_ended(self) -> None:
        self.has_ended = True
        if self._partly:
            return
        for index, site in enumerate(self._sites):
            if index in self._reached and site in self._ignore:
                self.tell_problem("wrong", f"{site} is to be ignored, and is reached")
            if index not in self._reached | self._left_out():
                self.tell_problem("wrong", f"no operation reaches {site}")

    def _left_out(self) -> set[int]:
        """The sites that need not be reached, and are not."""
        left_out = {index for index, site in enumerate(self._sites) if site in OPTIONAL | self._ignore.keys()}
        return left_out - self._reached

    def lines(self) -> list[str]:
        """The table, and below it what is wrong."""
        row = {"": self.name, **{name: str(number) for name, number in self.row.items()}}
        widths = {name: max(len(name), len(cell)) for name, cell in row.items()}
        lines = [
            "  ".join(name.rjust(width) for name, width in widths.items()),
            "  ".join(row[name].rjust(width) for name, width in widths.items()),
        ]
        if self.injected:
            lines.append("injected: " + ", ".join(f"{kind} {number}" for kind, number in sorted(self.injected.items())))
        lines += [f"ignored: {site}: {reason}" for site, reason in self._ignore.items()]
        lines += [f"{kind}: {text}" for kind, texts in self.problems.items() for text in texts]
        return lines
