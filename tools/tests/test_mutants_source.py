"""Finding the text of a mutant, and mending the table."""

from pathlib import Path

import mutants
import mutants_source
import mutants_table
import pytest
from mutants_source import Sources, StaleError, check, find, mend, mutated
from mutants_table import mutant

SOURCE = """fn first() {
    call(
        one,
        two,
    );
    twice();
}

fn second() {
    twice();
}
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree with two files and a table of one mutant."""
    folder = tmp_path / "runtime/src"
    folder.mkdir(parents=True)
    (folder / "here.rs").write_text("fn here() {}\n")
    (folder / "there.rs").write_text(SOURCE)
    table = tmp_path / "mutants_table.py"
    table.write_text(
        'HERE = "runtime/src/here.rs"\n\n\n@dataclass\nM = [\n    mutant(\n        HERE, "says \\"it\\"", ("a", "b")),\n]\n'
    )
    monkeypatch.setattr(mutants_source, "ROOT", tmp_path)
    monkeypatch.setattr(mutants_source, "TABLE", table)
    return tmp_path


def test_table_fits_the_sources() -> None:
    assert check(mutants_table.MUTANTS) == []


@pytest.mark.parametrize("name", [*mutants.FIRST, *mutants.LAST])
def test_python_tests_of_a_run_are_there(name: str) -> None:
    assert (mutants.ROOT / f"xml-safe/tests/test_{name}.py").is_file()


@pytest.mark.parametrize("text", ["call(\n        one,", "call(one, two);", "call(one, two,);", "call ( one , two )"])
def test_text_in_another_layout_is_found(text: str) -> None:
    start, end = find(SOURCE, text)
    assert SOURCE[start:end].startswith("call(\n        one,")


@pytest.mark.parametrize("text", ["twice();", "twice( )", "thrice();", "fnfirst"])
def test_text_that_is_not_there_once_is_stale(text: str) -> None:
    with pytest.raises(StaleError):
        find(SOURCE, text)


def test_edits_are_done_in_turn() -> None:
    assert mutated("a b", mutant("", "", ("a", "c"), ("c b", "d"))) == "d"


def test_edits_that_change_nothing_are_stale() -> None:
    with pytest.raises(StaleError, match="change nothing"):
        mutated("a", mutant("", "", ("a", "a")))


def test_text_that_moved_is_reported_with_its_new_file(tree: Path) -> None:
    moved = mutant("runtime/src/here.rs", 'says "it"', ("call(one, two)", "()"))
    assert check([moved])[0].endswith("it is in runtime/src/there.rs now: tools/mutants.py --mend")
    assert Sources().moved_to(moved) == "runtime/src/there.rs"


def test_mend_writes_the_new_file_into_the_table(tree: Path) -> None:
    moved = mutant("runtime/src/here.rs", 'says "it"', ("call(one, two)", "()"))
    assert mend([moved]) == ['says "it": runtime/src/here.rs -> runtime/src/there.rs']
    table = (tree / "mutants_table.py").read_text()
    assert 'HERE = "runtime/src/here.rs"\nTHERE = "runtime/src/there.rs"\n\n\n@dataclass' in table
    assert 'THERE, "says \\"it\\""' in table
    assert 'HERE, "says' not in table.replace("THERE", "")


def test_deleted_file_is_reported(tree: Path) -> None:
    assert "there is no such file" in check([mutant("runtime/src/gone.rs", "", ("a", "b"))])[0]
