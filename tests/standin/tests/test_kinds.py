"""Handles whose owners C counts, that C may keep, that C makes in place, as Python sees them."""

import gc
import subprocess
import sys
import threading

import pytest
from standin_safe import (
    BusyError,
    ClosedError,
    Error,
    Journal,
    Session,
    SessionError,
    Shape,
    Tally,
    live_handles,
    open_gate,
    take_log,
)

NONE = dict.fromkeys(live_handles(), 0)


# ---- reference counts


def test_each_handle_owns_one_reference():
    inner = Shape()
    outer = Shape(inner)
    assert inner.owners == 2
    again = outer.child
    assert inner.owners == again.owners == 3
    assert live_handles()["Shape"] == 3
    assert again == inner and hash(again) == hash(inner) and again is not inner
    assert inner != outer and inner.child is None
    inner.close()
    assert again.owners == 2
    assert inner.closed and not again.closed
    with pytest.raises(ClosedError):
        inner.owners
    outer.close()
    assert again.owners == 1
    again.close()
    assert live_handles() == NONE


def test_a_closed_handle_is_in_nobodys_way():
    outer = Shape(Shape())
    closed, open_one = outer.child, outer.child
    closed.close()
    for use in (closed.work, closed.work_beside, closed.meet):
        with pytest.raises((ClosedError, TypeError)):
            use()
    with pytest.raises(ClosedError):
        closed.meet(outer)
    open_one.work()
    open_one.meet(outer)
    open_one.close()
    outer.close()
    assert live_handles() == NONE


def test_the_last_reference_frees():
    outer = Shape(Shape())
    child = outer.child
    del outer
    gc.collect()
    assert child.owners == 1
    take_log()
    del child
    gc.collect()
    assert take_log() == ["shape_unref to 0"]


def test_a_closed_handle_is_not_a_later_object_at_the_same_place():
    closed = []
    for _ in range(50):
        shape = Shape()
        assert shape not in closed
        shape.close()
        closed.append(shape)
        assert shape in closed


def test_all_handles_count_as_one(at_the_gate):
    """Using one alone excludes the others; what is closed meanwhile gives its reference back at the end."""
    inner = Shape()
    outer = Shape(inner)
    again = outer.child
    take_log()
    with at_the_gate(again.work) as results:
        timer = threading.Timer(0.05, open_gate)
        timer.start()
        assert inner.owners == 3
        timer.join()
    assert take_log() == ["worked with 3"] and results == [None]
    with at_the_gate(again.work):
        threading.Timer(0.05, open_gate).start()
        inner.close()
        assert take_log() == ["worked with 3", "shape_unref to 2"]
    with at_the_gate(again.work_beside):
        third = outer.child
        assert again.owners == third.owners == 3
        third.close()
    outer.close()
    again.close()
    assert live_handles() == NONE


def test_a_handle_dropped_while_another_is_used(at_the_gate):
    outer = Shape(Shape())
    first, second = outer.child, outer.child
    take_log()
    with at_the_gate(first.work):
        del second
        gc.collect()
        assert take_log() == []
    assert take_log() == ["worked with 3", "shape_unref to 2"]
    first.close()
    outer.close()


def test_closing_the_handle_in_use_waits(at_the_gate):
    outer = Shape(Shape())
    first, second = outer.child, outer.child
    take_log()
    with at_the_gate(first.work_beside):
        second.close()
        assert take_log() == ["shape_unref to 2"]
        threading.Timer(0.05, open_gate).start()
        first.close()
        assert take_log() == ["worked with 2", "shape_unref to 1"]
    outer.close()


def test_two_handles_of_one_object_in_one_call():
    outer = Shape(Shape())
    first, second = outer.child, outer.child
    first.meet(outer)
    for other in (first, second):
        with pytest.raises(BusyError):
            first.meet(other)
    for shape in (first, second, outer):
        shape.close()


# ---- a close that fails


def test_what_c_keeps_stays_open():
    session = Session(5)
    take_log()
    for _ in range(3):
        with pytest.raises(SessionError) as caught:
            session.close()
        assert (caught.value.status, caught.value.busy) == (5, 5)
        assert isinstance(caught.value, Error)
        assert not session.closed and session.busy == 5
        assert live_handles()["Session"] == 1
    session.busy = 0
    session.close()
    assert session.closed
    assert take_log() == ["session kept"] * 3 + ["session_close"]
    assert live_handles() == NONE


def test_its_children_are_closed_all_the_same():
    session = Session(5)
    cursor = session.cursor()
    with pytest.raises(SessionError):
        session.close()
    assert cursor.closed
    again = session.cursor()
    session.busy = 0
    take_log()
    session.close()
    assert again.closed
    assert take_log() == ["cursor_close", "session_close"]


def test_a_child_that_c_keeps_keeps_its_parent():
    session = Session()
    cursors = [session.cursor() for _ in range(3)]
    cursors[1].busy = 5
    take_log()
    with pytest.raises(Error, match="cursor_close failed"):
        session.close()
    assert not session.closed
    assert take_log() == ["cursor_close", "cursor kept"]
    assert live_handles()["Cursor"] == 2
    session.close()
    assert take_log() == ["cursor_close", "cursor_close", "session_close"]
    assert live_handles() == NONE


def test_with_says_it_too_but_not_instead_of_the_bodys_exception():
    session = Session(5)
    with pytest.raises(SessionError):
        with session:
            pass
    with pytest.raises(KeyError):
        with session:
            raise KeyError
    session.busy = 0
    session.close()


def test_a_child_closed_while_its_parent_works_says_it(at_the_gate):
    session = Session()
    cursor = session.cursor()
    cursor.busy = 5
    with at_the_gate(session.work):
        threading.Timer(0.05, open_gate).start()
        with pytest.raises(Error, match="cursor_close failed"):
            cursor.close()
    assert live_handles()["Cursor"] == 1
    session.close()
    assert live_handles() == NONE


def test_a_failed_close_may_have_closed():
    journal = Journal(6)
    with pytest.raises(SessionError) as caught:
        journal.close()
    assert (caught.value.status, caught.value.busy) == (6, None)
    assert journal.closed
    journal.close()
    assert live_handles() == NONE


@pytest.fixture
def unraisable(monkeypatch):
    caught = []
    monkeypatch.setattr("sys.unraisablehook", lambda args: caught.append(args.exc_value))
    return caught


def test_a_failed_close_of_a_dropped_handle_is_reported(unraisable):
    Journal(6)
    gc.collect()
    assert [error.status for error in unraisable] == [6]
    assert live_handles() == NONE


def test_the_report_does_not_replace_an_exception(unraisable):
    def work():
        journal = Journal(6)
        raise KeyError(journal.closed)

    with pytest.raises(KeyError):
        work()
    gc.collect()
    assert len(unraisable) == 1


def test_a_dropped_child_that_c_keeps_is_released_with_its_parent(unraisable):
    session = Session()
    cursor = session.cursor()
    cursor.busy = 5
    del cursor
    gc.collect()
    assert [str(error) for error in unraisable] == ["cursor_close failed"]
    assert live_handles()["Cursor"] == 1
    session.close()
    assert live_handles() == NONE


LOST = """
import sys, standin_safe
sys.unraisablehook = lambda args: print(args.exc_value.busy)
standin_safe.Session(5)
print(standin_safe.live_handles()["Session"])
"""


def test_a_dropped_handle_that_c_keeps_is_lost_and_counted():
    lost = subprocess.run([sys.executable, "-c", LOST], capture_output=True, text=True, timeout=60)
    assert (lost.stdout.split(), lost.stderr) == (["5", "1"], "")


# ---- out-parameters and memory in place


def test_a_constructor_that_fails_is_asked_and_released():
    with pytest.raises(SessionError) as caught:
        Session(-3)
    assert (caught.value.status, caught.value.busy) == (1, -3)
    assert take_log() == ["session_open", "session_close"]


def test_in_place():
    with Tally(3) as tally:
        assert tally.add(4) == 7
    with pytest.raises(ClosedError):
        tally.add(1)
    assert take_log() == ["tally_init", "tally_clear"]
    with pytest.raises(Error):
        Tally(-1)
    assert take_log() == []
    assert live_handles()["Tally"] == 0


# ---- iterators


def test_a_handle_that_iterates():
    with Session() as session:
        cursor = session.cursor()
        assert iter(cursor) is cursor
        assert [next(cursor), next(cursor)] == [1, 2]
        with pytest.raises(ValueError, match="three"):
            next(cursor)
        assert list(cursor) == []
        half = session.cursor()
        for number in half:
            assert number == 1
            break
        take_log()
        del half
        gc.collect()
        assert take_log() == ["cursor_close"]
        last = session.cursor()
    with pytest.raises(ClosedError):
        next(last)
