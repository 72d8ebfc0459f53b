"""Runs that are interrupted and go on."""

from pathlib import Path

import mutants
import pytest
from mutants import Ended, Verdict, decided, examine, write_down
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


def test_mutant_that_the_core_tests_kill_is_not_built_further(
    table: list[Mutant], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutants, "build_core", lambda: Ended(0, "", False))
    monkeypatch.setattr(mutants, "test_core", lambda: Ended(101, "test ends ... FAILED", False))
    monkeypatch.setattr(mutants, "build_packages", lambda names: pytest.fail("built"))
    assert examine(table[0]) == ("killed", "core: ends")
