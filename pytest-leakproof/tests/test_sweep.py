"""The fault-injection sweep: the problems that it finds, and none in a correct package."""

import importlib.util
import subprocess
import sys
import textwrap

import pytest
from pytest_leakproof.sweep import Operation, SweepError, load, main, sweep, sweep_file
from pytest_leakproof.worker import counting_exactly

PLAN = """
import fakelib
from fakelib import ClosedError, Document
from pytest_leakproof.sweep import Operation

MODULE = fakelib
OPERATIONS = [
    Operation("open", Document),
    Operation("open a number", lambda: Document(1), raises=TypeError),
    Operation("name", lambda document: document.name, setup=Document),
    Operation("name of what is closed", lambda: closed().name, raises=ClosedError),
]
UNREACHABLE = {"Document.never fake_never": "it is never called"}

def blocks():
    return fakelib.blocks

def closed():
    document = Document()
    document.close()
    return document
"""

# The faults injected into a package without bugs: 4 for opening, 1 for a number, 3 for the name, 4 for a closed one.
INJECTED = 12


@pytest.fixture
def plan(tmp_path):
    """Returns a function that writes a plan, with bugs of the package switched on and `more` appended."""

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


def row(report):
    return {name: number for name, number in report.totals.items() if number}


def test_correct_package_passes(plan):
    lines = []
    report = sweep_file(plan(), progress=lines.append)
    assert report.ok
    assert row(report) == {"sites": 3, "reached": 3, "injected": INJECTED}
    assert "injected: argument 3, enter 1, failed 2, not called 2, object 2, panic 1, result 1" in report.lines()
    assert lines == [
        "[1/4] open: 4 faults injected",
        "[2/4] open a number: 1 faults injected",
        "[3/4] name: 3 faults injected",
        "[4/4] name of what is closed: 4 faults injected",
    ]


def test_correct_package_passes_in_process(plan, fakelib):
    report = sweep(fakelib, load(plan()).operations, unreachable={"Document.never fake_never": ""})
    assert report.ok
    assert row(report) == {"sites": 3, "reached": 3, "injected": INJECTED}


@pytest.mark.parametrize(
    ("bug", "text"),
    [
        ("leaks handles", "open, fail point 3 (Document.open fake_open: failed): +1 Document handles"),
        ("releases twice", "open, fail point 4 (Document.open: object): -1 Document handles"),
        ("leaks blocks", "open, fail point 3 (Document.open fake_open: failed): +1 blocks"),
        ("leaks files", "open, fail point 3 (Document.open fake_open: failed): +1 open files"),
    ],
)
def test_leak_at_a_fault_is_found(plan, bug, text):
    report = sweep_file(plan(bug))
    assert text in report.problems["leaked"]
    # Two failures of each of the two operations that open a document and come so far.
    assert row(report) == {"sites": 3, "reached": 3, "injected": INJECTED, "leaked": 4}


def test_block_kept_once_is_no_leak(plan):
    assert sweep_file(plan("keeps blocks")).ok


FORGETS = """
    import ctypes
    allocate = ctypes.CDLL(None).malloc
    del blocks
    OPERATIONS.append(Operation("forget", lambda: allocate(100)))
"""


def test_unfreed_memory_is_found_without_blocks(plan):
    report = sweep_file(plan(more=FORGETS))
    assert [text for text in report.problems["leaked"] if text.startswith("forget: +")]
    assert all(text.startswith("forget: +") for text in report.problems["leaked"])


def test_memory_of_python_is_no_leak(plan):
    more = """
        del blocks
        OPERATIONS.append(Operation("allocate", lambda: [bytearray(n) for n in range(3000)]))
    """
    assert sweep_file(plan(more=more)).ok


def test_leak_without_a_fault_is_found(plan):
    report = sweep_file(plan(more="kept = []\nOPERATIONS.append(Operation('keep', lambda: kept.append(Document())))"))
    assert "keep: +1 Document handles" in report.problems["leaked"]


@pytest.mark.parametrize("kind", ["argument", "enter", "not called", "failed", "result", "object", "panic"])
def test_wrong_exception_is_found(plan, kind):
    report = sweep_file(plan(f"wrong {kind}"))
    assert report.problems["wrong"]
    assert all(f": {kind}): ArithmeticError" in text for text in report.problems["wrong"])
    assert len(report.problems["wrong"]) == report.injected[kind]
    assert row(report).keys() == {"sites", "reached", "injected", "wrong"}


def test_swallowed_fault_is_found(plan):
    report = sweep_file(plan("swallows"))
    assert report.problems["wrong"] == [
        f"name, fail point {n} (Document.name fake_name: {kind}): nothing was raised"
        for n, kind in enumerate(["enter", "panic", "result"], 1)
    ]


def test_operation_with_swallows_may_swallow(plan):
    more = "OPERATIONS[2] = Operation('name', lambda document: document.name, setup=Document, swallows=True)"
    assert sweep_file(plan("swallows", more=more)).ok
    assert sweep_file(plan(more=more)).ok


def test_operation_that_stays_broken_after_a_fault_is_found(plan):
    report = sweep_file(plan("stays busy"))
    assert len(report.problems["wrong"]) == 3
    assert all("afterwards, without a fault: BusyError" in text for text in report.problems["wrong"])


def test_operation_with_once_is_set_up_again(plan):
    more = "OPERATIONS[2] = Operation('name', lambda document: document.name, setup=Document, once=True)"
    assert sweep_file(plan("stays busy", more=more)).ok


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ("OPERATIONS = [Operation('open', lambda: Document(1))]", "open: TypeError: path"),
        ("OPERATIONS = [Operation('open', Document, raises=TypeError)]", "open: nothing was raised"),
        ("OPERATIONS = [Operation('open', lambda: Document(1), raises=KeyError)]", "open: TypeError: path"),
    ],
)
def test_operation_with_unexpected_outcome_gets_no_faults(plan, more, text):
    report = sweep_file(plan(more=more))
    assert text in report.problems["wrong"]
    assert not report.injected


def test_failing_setup_is_found(plan):
    report = sweep_file(plan(more="OPERATIONS[2] = Operation('name', print, setup=lambda: Document(1))"))
    assert "name: setup failed: TypeError: path" in report.problems["wrong"]


def test_unreached_site_is_found(plan):
    report = sweep_file(plan(more="UNREACHABLE = {}\nOPERATIONS = OPERATIONS[:2]"))
    assert report.problems["wrong"] == [
        "no operation reaches Document.name fake_name",
        "no operation reaches Document.never fake_never",
    ]
    assert (report.totals["sites"], report.totals["reached"]) == (4, 2)


def test_reached_site_listed_as_unreachable_is_found(plan):
    report = sweep_file(plan(more="UNREACHABLE['Document.open'] = 'really?'"))
    assert report.problems["wrong"] == ["Document.open is listed as unreachable, but was reached"]


def test_only_selects_operations_by_name(plan):
    report = sweep_file(plan(), only="open*")
    assert report.ok
    assert report.operations == ["open", "open a number"]


@pytest.mark.parametrize(
    ("bug", "text"),
    [("crashes", "the process was ended by SIGABRT"), ("exits", "the process ended with status 3")],
)
def test_sweep_continues_after_a_crash_at_a_fault(plan, bug, text):
    report = sweep_file(plan(bug))
    assert report.problems["crashed"] == [
        f"{operation}, fail point {fail_point}: {text}"
        for operation in ("open", "name of what is closed")
        for fail_point in (3, 4)
    ]
    assert report.totals["injected"] == INJECTED - 4
    assert report.totals["reached"] == 3


def test_sweep_continues_after_a_crash_without_a_fault(plan):
    report = sweep_file(plan(more="import os\nOPERATIONS.insert(0, Operation('crash', os.abort))"))
    assert report.problems["crashed"] == ["crash, fail point 0: the process was ended by SIGABRT"]
    assert report.totals["injected"] == INJECTED


def test_operation_that_crashes_at_every_fail_point_is_abandoned(plan):
    more = """
        import os
        class Faults(fakelib.__leakproof__):
            arm_fault = staticmethod(lambda n: os.abort())
        fakelib.__leakproof__ = Faults
        OPERATIONS = OPERATIONS[:1]
    """
    report = sweep_file(plan(more=more))
    assert len(report.problems["crashed"]) == 20
    assert "open: abandoned after 20 crashes" in report.problems["wrong"]


def test_crash_at_exit_is_found(plan):
    report = sweep_file(plan(more="import atexit, os\natexit.register(os.abort)"))
    assert report.problems["crashed"] == ["at the end: the process was ended by SIGABRT"]


def test_sweep_continues_after_a_hang(plan):
    lines = []
    report = sweep_file(plan("hangs", more="OPERATIONS = OPERATIONS[:3]"), timeout=3, progress=lines.append)
    assert report.problems["hung"] == [
        f"open, fail point {fail_point}: no progress for 3 seconds" for fail_point in (3, 4)
    ]
    assert report.totals["injected"] == INJECTED - 4 - 2
    assert any("fakelib.py" in line and "misbehave" in line for line in lines)


def test_sweep_that_always_hangs_is_abandoned(plan, monkeypatch):
    monkeypatch.setattr("pytest_leakproof.sweep.MAX_HANGS", 2)
    more = "import time\nOPERATIONS = [Operation(str(n), lambda: time.sleep(1000)) for n in range(100)]"
    report = sweep_file(plan(more=more), timeout=3)
    assert len(report.problems["hung"]) == 2
    assert report.problems["wrong"] == ["the sweep was abandoned after 2 hangs"]


def test_output_of_an_operation_is_not_read_as_events(plan):
    more = "OPERATIONS.append(Operation('print', lambda: print('[', Document().name)))"
    assert sweep_file(plan(more=more)).ok


@pytest.mark.parametrize(
    "more",
    ["del MODULE", "del OPERATIONS", "MODULE = 'nowhere'", "del fakelib.__leakproof__.arm_fault", "1 / 0", "1 +"],
)
def test_invalid_plan_raises_sweep_error(plan, more):
    with pytest.raises(SweepError):
        sweep_file(plan(more=more))


def test_missing_file_raises_sweep_error(tmp_path):
    with pytest.raises(SweepError):
        sweep_file(tmp_path / "nowhere.py")


def test_module_can_be_given_by_name(plan):
    assert sweep_file(plan(more="MODULE = 'fakelib'")).ok


def test_keyboard_interrupt_ends_the_sweep(fakelib):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(fakelib, [Operation("interrupt", interrupt)])


# The command line


def command(*arguments):
    arguments = [sys.executable, "-m", "pytest_leakproof.sweep", *map(str, arguments)]
    return subprocess.run(arguments, capture_output=True, text=True)


@pytest.mark.parametrize("arguments", [(), ("--in-process",)])
def test_command_prints_the_table(plan, arguments):
    ended = command(plan(), *arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[-4:] == [
        "         sites  reached  injected  leaked  crashed  hung  wrong",
        "fakelib      3        3        12       0        0     0      0",
        "injected: argument 3, enter 1, failed 2, not called 2, object 2, panic 1, result 1",
        "unreachable: Document.never fake_never: it is never called",
    ]


def test_command_prints_the_problems(plan):
    ended = command(plan("leaks handles", "crashes", "wrong enter"))
    assert ended.returncode == 1
    lines = ended.stdout.splitlines()
    assert "fakelib      3        3         8       0        4     0      1" in lines
    assert "wrong: name, fail point 1 (Document.name fake_name: enter): ArithmeticError: " in lines
    assert "crashed: open, fail point 3: the process was ended by SIGABRT" in lines


def test_command_without_fault_injection_exits_with_2(plan):
    ended = command(plan(more="del fakelib.__leakproof__.arm_fault"))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "fault-injection" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_main_can_be_called(plan, capfd):
    assert main([str(plan()), "--only", "open"]) == 0
    assert "[1/1] open: 4 faults injected" in capfd.readouterr().out


def test_panics_of_the_worker_print_no_backtrace():
    """Rust's standard library keeps what it reads for one, which is no leak."""
    environment = counting_exactly({"RUST_BACKTRACE": "1", "GLIBC_TUNABLES": "a=1"})
    assert environment["RUST_BACKTRACE"] == "0"
    assert environment["GLIBC_TUNABLES"].startswith("a=1:")
