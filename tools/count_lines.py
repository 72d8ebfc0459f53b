#!/usr/bin/env python3
"""Counts the lines of a wrapper by their kind, and what they come to for each C function.

usage: tools/count_lines.py [FOLDER...]

The folders are those of packages, by default xml-safe. Annotations are attributes of leakproof and PyO3 with the
declarations below them that have no body. Bodies are all other lines of code. Imports, comments and blank lines are
counted apart.
"""

import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CALLS = re.compile(r"#\[(?:calls|callback)\(\s*ffi::(\w+)")
DECLARATION = re.compile(r"(?:pub(?:\([a-z]+\))? )?(?:fn|struct) ")
OPENING, CLOSING = "([{", ")]}"
# A character or a string: brackets in them are none.
LITERAL = re.compile(r"b?'(?:\\.[^']*|[^'\\])'|b?\"(?:\\.|[^\"\\])*\"")


@dataclass
class Count:
    """The lines of each kind, and the C functions that annotations name."""

    lines: Counter[str] = field(default_factory=Counter)
    called: set[str] = field(default_factory=set)
    fields: int = 0

    def __add__(self, other: "Count") -> "Count":
        return Count(self.lines + other.lines, self.called | other.called, self.fields + other.fields)


def depth_of(line: str) -> int:
    """Returns how many more brackets a line opens than it closes."""
    line = LITERAL.sub("", line).partition("//")[0]
    return sum(character in OPENING for character in line) - sum(character in CLOSING for character in line)


def statement(lines: list[str], start: int) -> int:
    """Returns the line behind what begins at `start`: where its brackets are closed."""
    depth = 0
    for number in range(start, len(lines)):
        depth += depth_of(lines[number])
        if depth <= 0 and lines[number].rstrip().endswith(tuple("]};,")):
            return number + 1
    return len(lines)


def count(source: str) -> Count:
    """Counts the lines of one file."""
    lines = source.splitlines()
    counted = Count()
    number = 0
    while number < len(lines):
        line = lines[number].strip()
        end = number + 1
        if not line:
            kind = "blank"
        elif line.startswith("//"):
            kind = "comments"
        elif line.startswith(("#[", "#![")):
            end = statement(lines, number)
            text = "\n".join(lines[number:end])
            counted.called.update(CALLS.findall(text))
            counted.fields += line.startswith("#[field(")
            kind = "annotations"
        elif re.match(r"(?:pub(?:\([a-z]+\))? )?(?:use|mod)\b", line):
            end = statement(lines, number)
            kind = "imports"
        elif DECLARATION.match(line) and lines[statement_head(lines, number)].rstrip().endswith(";"):
            end = statement_head(lines, number) + 1
            kind = "annotations"
        else:
            kind = "bodies"
        counted.lines[kind] += end - number
        number = end
    return counted


def statement_head(lines: list[str], start: int) -> int:
    """Returns the line at which a declaration ends, or its body begins."""
    depth = 0
    for number in range(start, len(lines)):
        line = LITERAL.sub("", lines[number])
        if depth <= 0 and "{" in line:
            return number
        depth += depth_of(line)
        if depth <= 0 and line.rstrip().endswith((";", "{")):
            return number
    return len(lines) - 1


def total(folder: Path) -> Count:
    """Counts a package."""
    return sum((count(path.read_text()) for path in sorted(folder.glob("src/**/*.rs"))), Count())


def report(name: str, counted: Count) -> str:
    functions = len(counted.called)
    annotations, bodies = counted.lines["annotations"], counted.lines["bodies"]
    return (
        f"| {name} | {functions} | {counted.fields} | {annotations:,} | {bodies:,} | "
        f"{annotations / max(1, functions + counted.fields):.1f} |"
    )


def main() -> None:
    folders = [Path(name) for name in sys.argv[1:]] or [ROOT / "xml-safe"]
    print("| package | C functions | C fields | lines of annotations | lines of bodies | annotations for each |")
    print("|---|---|---|---|---|---|")
    for folder in folders:
        print(report(folder.resolve().name, total(folder)))


if __name__ == "__main__":
    main()
