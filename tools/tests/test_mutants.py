"""Runs that are interrupted and go on."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import mutants
import pytest
from mutants import Ended, Killer, Suite, Verdict, decided, examine, killers, write_down, write_killers
from mutants_table import MUTANTS, Mutant


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Mutant]:
    monkeypatch.setattr(mutants, "VERDICTS", tmp_path / "verdicts.tsv")
    return list(MUTANTS[:3])


def test_run_that_goes_on_leaves_out_what_was_killed(table: list[Mutant]) -> None:
    killed, survived, mended = table
    write_down(Verdict(killed, "killed", "core: a\ttest", 3.2))
    write_down(Verdict(survived, "survived", "", 4))
    write_down(Verdict(mended, "survived", "", 4))
    write_down(Verdict(mended, "killed", "core: another", 4))
    left = {each.mutant.what: each.by for each in decided().values()}
    assert left == {killed.what: "core: a test", mended.what: "core: another"}


def test_verdict_that_was_revised_is_decided_anew(table: list[Mutant]) -> None:
    write_down(Verdict(table[0], "killed", "core: a test", 3))
    write_down(Verdict(table[0], "invalid", "compiler: error", 3))
    assert decided() == {}


def test_nothing_is_decided_before_the_first_run(table: list[Mutant]) -> None:
    assert decided() == {}


@dataclass
class Suites:
    """Suites whose tests fail as told. `ran` lists what was built and run."""

    failing: dict[str, str]
    ran: list[str] = field(default_factory=list)

    def build(self, name: str) -> Ended:
        self.ran.append(f"build {name}")
        return Ended(0, "", False)

    def run(self, name: str, test: str) -> Ended:
        self.ran.append(f"{name} {test}".strip())
        failing = self.failing.get(name, "")
        if not failing or test not in ("", failing):
            return Ended(0, "", False)
        return Ended(101, f"test {failing} ... FAILED", False)


def with_suites(monkeypatch: pytest.MonkeyPatch, **failing: str) -> Suites:
    fake = Suites(failing)
    names = ["core", "kept"]
    made = [Suite(name, partial(fake.build, name), partial(fake.run, name)) for name in names]
    monkeypatch.setattr(mutants, "suites", lambda mutant: made)
    return fake


def test_mutant_that_the_first_suite_kills_is_not_built_further(
    table: list[Mutant], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = with_suites(monkeypatch, core="ends")
    assert examine(table[0]) == ("killed", "core: ends")
    assert fake.ran == ["build core", "core"]


def test_known_killer_runs_alone_and_first(table: list[Mutant], monkeypatch: pytest.MonkeyPatch) -> None:
    fake = with_suites(monkeypatch, kept="forks")
    assert examine(table[0], Killer("kept", "forks")) == ("killed", "kept: forks")
    assert fake.ran == ["build kept", "kept forks"]


def test_the_whole_program_runs_next_where_the_known_killer_passes(
    table: list[Mutant], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = with_suites(monkeypatch, kept="other")
    assert examine(table[0], Killer("kept", "forks")) == ("killed", "kept: other")
    assert fake.ran == ["build kept", "kept forks", "kept"]


def test_all_suites_run_where_the_program_of_the_known_killer_passes(
    table: list[Mutant], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = with_suites(monkeypatch, core="other")
    assert examine(table[0], Killer("kept", "forks")) == ("killed", "core: other")
    assert fake.ran == ["build kept", "kept forks", "kept", "build core", "core"]


def test_killers_are_written_and_read(table: list[Mutant], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutants, "KILLERS", tmp_path / "killers.tsv")
    write_down(Verdict(table[0], "killed", "core: a", 1))
    write_down(Verdict(table[1], "killed", "stand-in: (hangs)", 1))
    write_down(Verdict(table[2], "equivalent", "nobody can tell", 1))
    write_killers()
    write_down(Verdict(table[0], "killed", "kept: b", 1))
    write_killers()
    assert list(killers().values()) == [Killer("kept", "b"), Killer("stand-in", "")]
