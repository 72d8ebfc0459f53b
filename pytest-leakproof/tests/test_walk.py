"""The walk: what it finds, and that it finds nothing where nothing is."""

import importlib.util
import subprocess
import sys
import textwrap

import pytest
from pytest_leakproof.walk import Operation, WalkError, load, main, walk, walk_file

PLAN = """
import fakelib
from fakelib import ClosedError, Document
from pytest_leakproof.walk import Operation

MODULE = fakelib
OPERATIONS = [
    Operation("open", Document),
    Operation("open a number", lambda: Document(1), fails=TypeError),
    Operation("name", lambda document: document.name, prepare=Document),
    Operation("name of what is closed", lambda: closed().name, fails=ClosedError),
]
ignore = {"Document.never fake_never": "it is never"}

def blocks():
    return fakelib.blocks

def closed():
    document = Document()
    document.close()
    return document
"""

# What a walk without any bug injects: for opening 4 failures, for a number 1, for the name 3, for a closed one 4.
INJECTED = 12


@pytest.fixture
def plan(tmp_path):
    """A function that writes the plan, with bugs in the package and more in the plan itself."""

    def plan(*bugs, more=""):
        path = tmp_path / "plan.py"
        path.write_text(f"{PLAN}\n{textwrap.dedent(more)}\nfakelib.bugs.update({bugs!r})\n")
        return path

    return plan


@pytest.fixture
def fakelib(monkeypatch):
    spec = importlib.util.find_spec("fakelib")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "fakelib", module)
    spec.loader.exec_module(module)
    return module


def row(tally):
    return {name: number for name, number in tally.row.items() if number}


def test_nothing_is_wrong(plan):
    lines = []
    tally = walk_file(plan(), progress=lines.append)
    assert tally.ok
    assert row(tally) == {"sites": 3, "reached": 3, "injected": INJECTED}
    assert "injected: argument 3, enter 1, failed 2, not called 2, object 2, panic 1, result 1" in tally.lines()
    assert lines == [
        "[1/4] open: 4 failures injected",
        "[2/4] open a number: 1 failures injected",
        "[3/4] name: 3 failures injected",
        "[4/4] name of what is closed: 4 failures injected",
    ]


def test_the_same_without_processes(plan, fakelib):
    tally = walk(fakelib, load(plan()).operations, ignore={"Document.never fake_never": ""})
    assert tally.ok
    assert row(tally) == {"sites": 3, "reached": 3, "injected": INJECTED}


@pytest.mark.parametrize(
    ("bug", "text"),
    [
        ("leaks handles", "open, step 3 (Document.open fake_open: failed): +1 Document handles"),
        ("releases twice", "open, step 4 (Document.open: object): -1 Document handles"),
        ("leaks blocks", "open, step 3 (Document.open fake_open: failed): +1 blocks"),
        ("leaks files", "open, step 3 (Document.open fake_open: failed): +1 open files"),
    ],
)
def test_what_is_left_is_found(plan, bug, text):
    tally = walk_file(plan(bug))
    assert text in tally.problems["leaked"]
    # Two failures of each of the two operations that open a document and come so far.
    assert row(tally) == {"sites": 3, "reached": 3, "injected": INJECTED, "leaked": 4}


def test_what_a_library_keeps_is_no_leak(plan):
    assert walk_file(plan("keeps blocks")).ok


FORGETS = """
    import ctypes
    allocate = ctypes.CDLL(None).malloc
    del blocks
    OPERATIONS.append(Operation("forget", lambda: allocate(100)))
"""


def test_memory_that_is_not_freed_is_found_where_nobody_counts_blocks(plan):
    tally = walk_file(plan(more=FORGETS))
    assert [text for text in tally.problems["leaked"] if text.startswith("forget: +")]
    assert all(text.startswith("forget: +") for text in tally.problems["leaked"])


def test_what_python_allocates_is_no_leak(plan):
    more = """
        del blocks
        OPERATIONS.append(Operation("allocate", lambda: [bytearray(n) for n in range(3000)]))
    """
    assert walk_file(plan(more=more)).ok


def test_a_leak_without_a_failure_is_found(plan):
    tally = walk_file(plan(more="kept = []\nOPERATIONS.append(Operation('keep', lambda: kept.append(Document())))"))
    assert "keep: +1 Document handles" in tally.problems["leaked"]


@pytest.mark.parametrize("step", ["argument", "enter", "not called", "failed", "result", "object", "panic"])
def test_a_wrong_exception_is_found(plan, step):
    tally = walk_file(plan(f"wrong {step}"))
    assert tally.problems["wrong"]
    assert all(f": {step}): ArithmeticError" in text for text in tally.problems["wrong"])
    assert len(tally.problems["wrong"]) == tally.injected[step]
    assert row(tally).keys() == {"sites", "reached", "injected", "wrong"}


def test_a_failure_that_is_swallowed_is_found(plan):
    tally = walk_file(plan("swallows"))
    assert tally.problems["wrong"] == [
        f"name, step {n} (Document.name fake_name: {step}): nothing was raised"
        for n, step in enumerate(["enter", "panic", "result"], 1)
    ]


def test_an_operation_may_swallow(plan):
    more = "OPERATIONS[2] = Operation('name', lambda document: document.name, prepare=Document, swallows=True)"
    assert walk_file(plan("swallows", more=more)).ok
    assert walk_file(plan(more=more)).ok


def test_an_operation_that_stays_broken_is_found(plan):
    tally = walk_file(plan("stays busy"))
    assert len(tally.problems["wrong"]) == 3
    assert all("afterwards, with nothing injected: BusyError" in text for text in tally.problems["wrong"])


def test_what_is_used_up_is_prepared_again(plan):
    more = "OPERATIONS[2] = Operation('name', lambda document: document.name, prepare=Document, once=True)"
    assert walk_file(plan("stays busy", more=more)).ok


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ("OPERATIONS = [Operation('open', lambda: Document(1))]", "open: TypeError: path"),
        ("OPERATIONS = [Operation('open', Document, fails=TypeError)]", "open: nothing was raised"),
        ("OPERATIONS = [Operation('open', lambda: Document(1), fails=KeyError)]", "open: TypeError: path"),
    ],
)
def test_an_operation_that_does_something_else_is_found(plan, more, text):
    tally = walk_file(plan(more=more))
    assert text in tally.problems["wrong"]
    assert not tally.injected


def test_preparing_that_fails_is_found(plan):
    tally = walk_file(plan(more="OPERATIONS[2] = Operation('name', print, prepare=lambda: Document(1))"))
    assert "name: could not be prepared: TypeError: path" in tally.problems["wrong"]


def test_an_unreached_site_is_found(plan):
    tally = walk_file(plan(more="ignore = {}\nOPERATIONS = OPERATIONS[:2]"))
    assert tally.problems["wrong"] == [
        "no operation reaches Document.name fake_name",
        "no operation reaches Document.never fake_never",
    ]
    assert (tally.row["sites"], tally.row["reached"]) == (4, 2)


def test_a_site_that_is_ignored_for_nothing_is_found(plan):
    tally = walk_file(plan(more="ignore['Document.open'] = 'really?'"))
    assert tally.problems["wrong"] == ["Document.open is to be ignored, and is reached"]


def test_a_part_of_the_walk(plan):
    tally = walk_file(plan(), only="open*")
    assert tally.ok
    assert tally.operations == ["open", "open a number"]


@pytest.mark.parametrize(
    ("bug", "text"),
    [("crashes", "the process was ended by SIGABRT"), ("exits", "the process ended with status 3")],
)
def test_a_crash_is_found_and_survived(plan, bug, text):
    tally = walk_file(plan(bug))
    assert tally.problems["crashed"] == [
        f"{operation}, step {step}: {text}" for operation in ("open", "name of what is closed") for step in (3, 4)
    ]
    assert tally.row["injected"] == INJECTED - 4
    assert tally.row["reached"] == 3


def test_a_crash_without_a_failure_is_found_and_survived(plan):
    tally = walk_file(plan(more="import os\nOPERATIONS.insert(0, Operation('crash', os.abort))"))
    assert tally.problems["crashed"] == ["crash, step 0: the process was ended by SIGABRT"]
    assert tally.row["injected"] == INJECTED


def test_a_crash_at_every_step_comes_to_an_end(plan):
    more = """
        import os
        class Faults(fakelib.__leakproof__):
            arm_fault = staticmethod(lambda n: os.abort())
        fakelib.__leakproof__ = Faults
        OPERATIONS = OPERATIONS[:1]
    """
    tally = walk_file(plan(more=more))
    assert len(tally.problems["crashed"]) == 20
    assert "open: given up" in tally.problems["wrong"]


def test_a_crash_at_the_end_is_found(plan):
    tally = walk_file(plan(more="import atexit, os\natexit.register(os.abort)"))
    assert tally.problems["crashed"] == ["at the end: the process was ended by SIGABRT"]


def test_a_hang_is_found_and_survived(plan):
    lines = []
    tally = walk_file(plan("hangs", more="OPERATIONS = OPERATIONS[:3]"), timeout=3, progress=lines.append)
    assert tally.problems["hung"] == [f"open, step {step}: nothing happened for 3 seconds" for step in (3, 4)]
    assert tally.row["injected"] == INJECTED - 4 - 2
    assert any("fakelib.py" in line and "misbehave" in line for line in lines)


def test_hanging_everywhere_comes_to_an_end(plan, monkeypatch):
    monkeypatch.setattr("pytest_leakproof.walk.HUNG_AT_MOST", 2)
    more = "import time\nOPERATIONS = [Operation(str(n), lambda: time.sleep(1000)) for n in range(100)]"
    tally = walk_file(plan(more=more), timeout=3)
    assert len(tally.problems["hung"]) == 2
    assert tally.problems["wrong"] == ["the walk was given up"]


def test_what_an_operation_prints_is_not_taken_for_the_walks(plan):
    more = "OPERATIONS.append(Operation('print', lambda: print('[', Document().name)))"
    assert walk_file(plan(more=more)).ok


@pytest.mark.parametrize(
    "more",
    ["del MODULE", "del OPERATIONS", "MODULE = 'nowhere'", "del fakelib.__leakproof__.arm_fault", "1 / 0", "1 +"],
)
def test_what_cannot_begin(plan, more):
    with pytest.raises(WalkError):
        walk_file(plan(more=more))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(WalkError):
        walk_file(tmp_path / "nowhere.py")


def test_the_module_may_be_named(plan):
    assert walk_file(plan(more="MODULE = 'fakelib'")).ok


def test_an_interrupt_ends_the_walk(fakelib):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        walk(fakelib, [Operation("interrupt", interrupt)])


# The command line


def command(*arguments):
    arguments = [sys.executable, "-m", "pytest_leakproof.walk", *map(str, arguments)]
    return subprocess.run(arguments, capture_output=True, text=True)


@pytest.mark.parametrize("arguments", [(), ("--in-process",)])
def test_the_table(plan, arguments):
    ended = command(plan(), *arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-4:] == [
        "         sites  reached  injected  leaked  crashed  hung  wrong",
        "fakelib      3        3        12       0        0     0      0",
        "injected: argument 3, enter 1, failed 2, not called 2, object 2, panic 1, result 1",
        "ignored: Document.never fake_never: it is never",
    ]


def test_the_table_of_what_is_wrong(plan):
    ended = command(plan("leaks handles", "crashes", "wrong enter"))
    assert ended.returncode == 1
    lines = ended.stdout.splitlines()
    assert "fakelib      3        3         8       0        4     0      1" in lines
    assert "wrong: name, step 1 (Document.name fake_name: enter): ArithmeticError: " in lines
    assert "crashed: open, step 3: the process was ended by SIGABRT" in lines


def test_what_cannot_begin_on_the_command_line(plan):
    ended = command(plan(more="del fakelib.__leakproof__.arm_fault"))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "fault-injection" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_main_is_a_function(plan, capfd):
    assert main([str(plan()), "--only", "open"]) == 0
    assert "[1/1] open: 4 failures injected" in capfd.readouterr().out
