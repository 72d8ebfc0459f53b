"""Finds the source text that each mutant changes, and checks and mends the table of mutants.

A text is found if it is in its file exactly once. Otherwise the comparison leaves out whitespace and commas before a
closing bracket, so that a mutant survives rustfmt's layout of a line that became longer or shorter.
"""

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from mutants_table import Mutant

ROOT = Path(__file__).resolve().parent.parent
TABLE = Path(__file__).with_name("mutants_table.py")
SOURCES = ["runtime/src", "macros/src", "xml-safe/src"]
TOKEN = re.compile(r"\w+|[^\w\s]")


class StaleError(Exception):
    """The text of a mutant is not in the source exactly once."""


def tolerant(text: str) -> re.Pattern[str]:
    """A pattern for the same tokens in any layout."""
    tokens = TOKEN.findall(text)
    parts = [re.escape(tokens[0])]
    for before, token in pairwise(tokens):
        if before == "," and token in ")]}":
            parts[-1] += "?"
        comma = ",?" if token in ")]}" and before not in ",([{" else ""
        space = r"\s+" if before.isidentifier() and token.isidentifier() else r"\s*"
        parts.append(f"{comma}{space}{re.escape(token)}")
    return re.compile("".join(parts))


def find(source: str, text: str) -> tuple[int, int]:
    """Returns the start and the end of the only place of `text`."""
    count = source.count(text)
    if count == 1:
        start = source.index(text)
        return start, start + len(text)
    if count > 1:
        raise StaleError(f"its text is there {count} times: {shown(text)}")
    found = [match.span() for match in tolerant(text).finditer(source)]
    if len(found) != 1:
        raise StaleError(f"its text is there {len(found) or 'no'} times: {shown(text)}")
    return found[0]


def shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else f"{line[:79]}…"


def mutated(source: str, mutant: Mutant) -> str:
    """Returns `source` with the edits of the mutant done."""
    text = source
    for old, new in mutant.edits:
        start, end = find(text, old)
        text = text[:start] + new + text[end:]
    if text == source:
        raise StaleError("its edits change nothing")
    return text


class Sources:
    """The source files, each read once."""

    def __init__(self) -> None:
        paths = [path for folder in SOURCES for path in sorted((ROOT / folder).rglob("*.rs"))]
        self._texts = {str(path.relative_to(ROOT)): path.read_text() for path in paths}

    def problem(self, mutant: Mutant) -> str | None:
        """Returns what is wrong with a mutant, or `None`."""
        if mutant.file not in self._texts:
            return "there is no such file"
        try:
            mutated(self._texts[mutant.file], mutant)
        except StaleError as error:
            return str(error)
        return None

    def moved_to(self, mutant: Mutant) -> str | None:
        """Returns the only other file in which a mutant's text is, or `None`."""
        files = [file for file, text in self._texts.items() if file != mutant.file and _fits(text, mutant)]
        return files[0] if len(files) == 1 else None


def _fits(source: str, mutant: Mutant) -> bool:
    try:
        mutated(source, mutant)
    except StaleError:
        return False
    return True


def check(mutants: Iterable[Mutant]) -> list[str]:
    """Returns a line for each mutant that can't be made, with the file that its text moved to."""
    sources = Sources()
    problems = []
    for mutant in mutants:
        if problem := sources.problem(mutant):
            moved = sources.moved_to(mutant)
            hint = f"; it is in {moved} now: tools/mutants.py --mend" if moved else ""
            problems.append(f"{mutant.file}: {mutant.what}: {problem}{hint}")
    return problems


def mend(mutants: Sequence[Mutant]) -> list[str]:
    """Writes the new file of each text that moved into the table. Returns a line for each change."""
    sources = Sources()
    table = TABLE.read_text()
    changes = []
    for mutant in mutants:
        moved = sources.moved_to(mutant) if sources.problem(mutant) else None
        if moved is None:
            continue
        table, name = _constant(table, moved)
        entry = re.compile(rf"(mutant\(\s*)\w+(,\s*{re.escape(_literal(mutant.what))})")
        table, count = entry.subn(rf"\g<1>{name}\g<2>", table)
        changes.append(f"{mutant.what}: {mutant.file} -> {moved}" + ("" if count == 1 else f" ({count} ENTRIES)"))
    TABLE.write_text(table)
    return changes


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _constant(table: str, file: str) -> tuple[str, str]:
    """Returns the table and its constant for a file, which is added behind the others if there is none."""
    if found := re.search(rf'^(\w+) = "{re.escape(file)}"$', table, re.MULTILINE):
        return table, found[1]
    crate, _, path = file.partition("/src/")
    name = re.sub(r"\W", "_", path.removesuffix(".rs").removesuffix("/mod")).upper()
    name = f"{name}_MACRO" if crate == "macros" else name
    while re.search(rf"^{name} = ", table, re.MULTILINE):
        name += "_FILE"
    start, constants = table.partition("\n\n\n@dataclass")[::2]
    return f'{start}\n{name} = "{file}"\n\n\n@dataclass{constants}', name
