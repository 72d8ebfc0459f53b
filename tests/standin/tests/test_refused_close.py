"""Closes that C refuses, and closes that fail."""

import gc
import subprocess
import sys
import threading

import pytest
from standin_safe import (
    Error,
    Journal,
    Session,
    SessionError,
    live_handles,
    open_gate,
    take_log,
)

NONE = dict.fromkeys(live_handles(), 0)


def test_handle_whose_close_c_refuses_stays_open():
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


def test_a_refused_close_closes_the_children():
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
    assert take_log() == ["query_close", "session_close"]


def test_a_child_that_c_keeps_keeps_its_parent():
    session = Session()
    cursors = [session.cursor() for _ in range(3)]
    cursors[1].busy = 5
    take_log()
    with pytest.raises(Error, match="query_close failed"):
        session.close()
    assert not session.closed
    assert take_log() == ["query_close", "query kept"]
    assert live_handles()["Cursor"] == 2
    session.close()
    assert take_log() == ["query_close", "query_close", "session_close"]
    assert live_handles() == NONE


def test_with_statement_raises_a_failed_close_unless_its_body_raised():
    session = Session(5)
    with pytest.raises(SessionError):
        with session:
            pass
    with pytest.raises(KeyError):
        with session:
            raise KeyError
    session.busy = 0
    session.close()


def test_failed_close_of_a_child_raises_although_the_parent_works(at_the_gate):
    session = Session()
    cursor = session.cursor()
    cursor.busy = 5
    with at_the_gate(session.work):
        threading.Timer(0.05, open_gate).start()
        with pytest.raises(Error, match="query_close failed"):
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
    assert [str(error) for error in unraisable] == ["query_close failed"]
    assert live_handles()["Cursor"] == 1
    session.close()
    assert live_handles() == NONE


def test_a_dropped_child_that_c_keeps_is_released_with_its_dropped_parent(unraisable):
    session = Session()
    cursor = session.cursor()
    cursor.busy = 5
    del cursor
    gc.collect()
    assert live_handles()["Cursor"] == 1
    take_log()
    del session
    gc.collect()
    assert take_log() == ["query_close", "session_close"]
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
