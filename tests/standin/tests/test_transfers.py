"""Handles that C takes over, and functions that end a handle."""

import concurrent.futures
import gc
import os
import subprocess
import sys
import threading
import time

import pytest
from standin_safe import (
    Board,
    BusyError,
    ClosedError,
    Error,
    List,
    Parcel,
    Session,
    SessionError,
    Shape,
    at_gate,
    close_gate,
    live_handles,
    open_gate,
    take_log,
)

NONE = dict.fromkeys(live_handles(), 0)


# ---- what C takes over


def test_consumed_handle_is_closed_and_released_by_c():
    take_log()
    with Session() as session:
        parcel = Parcel(3)
        session.send(parcel)
        assert parcel.closed and repr(parcel).endswith("(closed)>")
        assert session.busy == 3
        parcel.close()
        with pytest.raises(ClosedError):
            parcel.weight()
        with pytest.raises(ClosedError):
            session.send(parcel)
        assert live_handles()["Parcel"] == 0
        session.busy = 0
    del parcel
    gc.collect()
    assert take_log() == ["session_open", "parcel_new", "parcel_free", "session_close"]


def test_parent_of_a_transferred_child_is_released_after_it():
    take_log()
    parcel, board = Parcel(3), Board()
    board.pin(parcel.tag())
    parcel.close()
    assert parcel.closed and live_handles()["Parcel"] == 1
    board.close()
    assert live_handles()["Parcel"] == 0
    assert take_log() == ["parcel_new", "board_new", "parcel_tag", "tag_free", "board_free", "parcel_free"]


DETACHED = """
import signal, threading
from standin_safe import Board, Parcel, at_gate, close_gate, open_gate, take_log
parcel, board = Parcel(3), Board()
board.pin(parcel.tag())
close_gate()
closing = threading.Thread(target=board.close)
closing.start()
while not at_gate():
    pass
take_log()
signal.signal(signal.SIGALRM, lambda *_: open_gate())
signal.setitimer(signal.ITIMER_REAL, 0.05)
parcel.reweigh(4)
closing.join()
print(*take_log())
"""


def test_parent_of_a_kept_child_is_not_changed_while_another_thread_releases_the_keeper():
    done = subprocess.run([sys.executable, "-c", DETACHED], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("tag_free board_free parcel_reweigh\n", "")


def test_dropped_parent_of_a_transferred_child_is_released_after_it():
    take_log()
    board = Board()
    board.pin(Parcel(3).tag())
    gc.collect()
    assert live_handles()["Parcel"] == 1
    del board
    gc.collect()
    assert take_log() == ["board_new", "parcel_new", "parcel_tag", "tag_free", "board_free", "parcel_free"]


def test_parent_of_a_child_that_c_did_not_take_is_released_at_once():
    parcel, other, board = Parcel(3), Parcel(4), Board()
    board.pin(parcel.tag())
    tag = other.tag()
    with pytest.raises(Error):
        board.pin(tag)
    take_log()
    other.close()
    assert tag.closed
    assert take_log() == ["tag_free", "parcel_free"]
    board.close()


def test_handle_in_which_c_keeps_another_cannot_be_taken_over():
    parcel, board = Parcel(3), Board()
    board.pin(parcel.tag())
    with Session() as session:
        with pytest.raises(ValueError, match="a Parcel cannot be given to C while other handles live in it"):
            session.send(parcel)
        assert not parcel.closed
        board.close()
        session.send(parcel)
        session.busy = 0


LOST_CHILD = """
import sys
from standin_safe import Session, live_handles, take_log

told = []
sys.unraisablehook = lambda unraisable: told.append(str(unraisable.exc_value))
session = Session()
session.drop_cursor(5)
assert len(told) == 1, told
try:
    session.close()
except ValueError as error:
    assert "the release of a Session waits for a Cursor that lives in it" in str(error), error
else:
    raise AssertionError("it closed")
assert session.closed
assert "session_close" not in take_log()
live = live_handles()
assert (live["Session"], live["Cursor"]) == (1, 1), live
"""


def test_parent_of_a_child_that_a_body_dropped_and_c_kept_is_not_released():
    subprocess.run([sys.executable, "-c", LOST_CHILD], check=True, timeout=60)


def test_views_of_a_consumed_handle_are_closed():
    with Session() as session:
        parcel, heavy = Parcel(3), Parcel(30)
        label, other = parcel.label, heavy.label
        session.send(parcel)
        assert label.closed
        for use in (lambda: label.weight, lambda: parcel.label):
            with pytest.raises(ClosedError):
                use()
        with pytest.raises(Error):
            session.send(heavy)
        assert not other.closed and other.weight == 30
        heavy.close()
        session.busy = 0


def test_handle_that_a_failing_call_did_not_consume_stays_open():
    take_log()
    with Session() as session, Parcel(30) as parcel:
        for _ in range(3):
            with pytest.raises(Error, match="session_send failed"):
                session.send(parcel)
            assert not parcel.closed and parcel.weight() == 30
        assert live_handles()["Parcel"] == 1
    assert take_log() == ["session_open", "parcel_new", "parcel_free", "session_close"]


def test_handle_that_a_failing_call_consumed_is_closed():
    take_log()
    with Session() as session:
        parcel = Parcel(30)
        with pytest.raises(Error, match="session_throw failed"):
            session.throw(parcel)
        assert parcel.closed
    assert take_log() == ["session_open", "parcel_new", "parcel_free", "session_close"]
    assert live_handles() == NONE


def test_children_of_a_consumed_handle_are_closed_first():
    take_log()
    with Session() as session:
        parcel = Parcel(3)
        tags = [parcel.tag(), parcel.tag()]
        session.send(parcel)
        assert all(tag.closed for tag in tags)
        session.busy = 0
    log = [
        "session_open",
        "parcel_new",
        "parcel_tag",
        "parcel_tag",
        "tag_free",
        "tag_free",
        "parcel_free",
        "session_close",
    ]
    assert take_log() == log
    assert live_handles() == NONE


def test_body_that_fails_leaves_open_what_c_has_not_taken_over():
    with Session() as session:
        first, second = Parcel(1), Parcel(30)
        with pytest.raises(Error, match="session_send failed"):
            session.send_both(first, second)
        assert first.closed and not second.closed
        assert second.weight() == 30 and live_handles()["Parcel"] == 1
        session.busy = 0
    second.close()
    assert live_handles() == NONE


def test_handle_consumed_twice_in_one_call_raises():
    with Session() as session, Parcel(1) as parcel:
        with pytest.raises(BusyError):
            session.send_both(parcel, parcel)
        assert parcel.weight() == 1 and session.busy == 0


def test_call_refused_for_another_argument_consumes_nothing():
    with Parcel(1) as parcel:
        closed = Session()
        closed.close()
        with pytest.raises(ClosedError):
            closed.send(parcel)
        with Session() as session:
            for bad in (None, 1, session):
                with pytest.raises(TypeError, match="Parcel expected"):
                    session.send(bad)
        assert parcel.weight() == 1


def test_one_owner_of_several_is_given_away():
    inner = Shape()
    outer = Shape(inner)
    again = outer.child
    assert inner.owners == 3
    with Session() as session:
        session.keep(again)
    assert again.closed and not inner.closed
    again.close()
    with pytest.raises(ClosedError):
        again.work()
    assert inner.owners == 2
    inner.work()
    outer.close()
    assert inner.owners == 1
    inner.close()
    assert live_handles() == NONE


@pytest.mark.skipif(not hasattr(sys, "getallocatedblocks"), reason="Python doesn't count its memory")
@pytest.mark.parametrize("end", ["close", "give"])
def test_nothing_is_remembered_of_a_counted_object(end):
    def blocks_of_many():
        before = sys.getallocatedblocks()
        with Session() as session:
            shapes = [Shape() for _ in range(1000)]
            while shapes:
                shape = shapes.pop()
                session.keep(shape) if end == "give" else shape.close()
                del shape
        take_log()
        gc.collect()
        return sys.getallocatedblocks() - before

    blocks_of_many()
    assert blocks_of_many() < 100


def test_consuming_waits_for_the_call_of_another_thread():
    parcel = Parcel(1)
    close_gate()
    weights = []
    reader = threading.Thread(target=lambda: weights.append(parcel.weight()))
    reader.start()
    while not at_gate():
        pass
    session = Session()
    sender = threading.Thread(target=session.send, args=[parcel])
    sender.start()
    sender.join(0.1)
    assert sender.is_alive() and session.busy == 0
    open_gate()
    reader.join()
    sender.join()
    assert weights == [1] and parcel.closed and session.busy == 1
    session.busy = 0
    session.close()


def test_call_waiting_for_a_handle_that_is_consumed_raises_closed():
    parcel, session = Parcel(1), Session()
    close_gate()
    reader = threading.Thread(target=parcel.weight)
    reader.start()
    while not at_gate():
        pass
    ended = []

    def run(call):
        try:
            call()
            ended.append(call)
        except ClosedError:
            ended.append("closed")

    # Either may be first; the other one hears of it.
    threads = [threading.Thread(target=run, args=[call]) for call in (lambda: session.send(parcel), parcel.close)]
    for thread in threads:
        thread.start()
    open_gate()
    for thread in [reader, *threads]:
        thread.join(10)
        assert not thread.is_alive()
    assert parcel.closed and len(ended) == 2
    assert session.busy == (0 if "closed" in ended else 1)
    session.busy = 0
    session.close()
    assert live_handles() == NONE


# ---- functions that end a handle, besides its release


@pytest.mark.parametrize("end", [Session.commit, Session.abort, lambda session: session.finish(True)])
def test_another_function_ends_it(end):
    take_log()
    session = Session(3)
    cursors = [session.cursor(), session.cursor()]
    assert end(session) in (3, None)
    assert session.closed and all(cursor.closed for cursor in cursors)
    ended = take_log()
    assert ended[-1] in ("session_commit", "session_abort") and ended.count("query_close") == 2
    session.close()
    for use in (session.commit, session.abort, session.work, lambda: session.finish(False)):
        with pytest.raises(ClosedError, match="Session is closed"):
            use()
    assert take_log() == [] and live_handles() == NONE


def test_handle_stays_open_after_a_failed_ending_call():
    with Session(7) as session:
        with pytest.raises(SessionError) as caught:
            session.commit()
        assert caught.value.status == -1
        assert not session.closed and session.busy == 7
        session.busy = 0
    assert live_handles() == NONE


def test_body_that_takes_this_by_value_leaves_it_open_when_it_fails():
    with Session(7) as session:
        with pytest.raises(SessionError):
            session.finish(True)
        assert not session.closed and session.busy == 7
        session.busy = 0
    assert live_handles() == NONE


# ---- bodies that take handles


@pytest.mark.parametrize("steps", [["fail"], ["drop", "fail"], ["drop", "work", "fail"], ["drop", "commit"]])
def test_handle_that_a_failing_body_dropped_is_open_again(steps):
    with Session() as session:
        take_log()
        with pytest.raises(ValueError):
            session.take_steps(steps)
        assert take_log() == ["session_open", "session_close"] * steps.count("work")
        assert not session.closed and session.busy == 0
        assert live_handles()["Session"] == 1
        session.cursor().close()
        # Not only once.
        with pytest.raises(ValueError):
            session.take_steps(steps)
        session.take_steps(["drop"])
        assert session.closed
    assert live_handles() == NONE


def test_handle_that_a_panicking_body_dropped_is_open_again():
    with Session() as session:
        for steps in (["panic"], ["drop", "panic"]):
            with pytest.raises(BaseException, match="panicked"):
                session.take_steps(steps)
            assert not session.closed and session.busy == 0
    assert live_handles() == NONE


def test_handle_that_a_body_dropped_is_released_when_the_body_has_returned():
    take_log()
    session = Session()
    session.take_steps(["drop", "work"])
    assert session.closed
    assert take_log() == ["session_open", "session_open", "session_close", "session_close"]
    assert live_handles() == NONE


def test_handle_that_a_body_closed_is_released_at_once():
    take_log()
    session = Session()
    with pytest.raises(ValueError):
        session.take_steps(["close", "work", "fail"])
    assert session.closed
    assert take_log() == ["session_open", "session_close", "session_open", "session_close"]
    assert live_handles() == NONE


def test_handle_whose_close_c_refused_in_a_failing_body_is_open_again():
    with Session(5) as session:
        with pytest.raises(SessionError):
            session.take_steps(["close"])
        assert not session.closed and session.busy == 5
        session.busy = 0
    assert live_handles() == NONE


def test_handle_whose_release_c_refused_after_the_body_stays_open(monkeypatch):
    refused = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: refused.append(raised.exc_type))
    session = Session(5)
    session.take_steps(["drop"])
    assert refused == [SessionError]
    assert not session.closed and session.busy == 5
    session.busy = 0
    session.close()
    assert live_handles() == NONE


def test_handle_that_a_body_gave_to_c_stays_closed_when_the_body_fails():
    session = Session()
    with pytest.raises(ValueError):
        session.take_steps(["commit", "work", "fail"])
    assert session.closed and live_handles() == NONE


FORGOTTEN = """
from standin_safe import Session, live_handles
session = Session()
try:
    session.take_steps(["forget", "fail"])
except ValueError:
    print(session.closed, live_handles()["Session"])
"""


def test_handle_that_a_failing_body_forgot_stays_closed():
    result = subprocess.run([sys.executable, "-c", FORGOTTEN], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["True", "1"]


@pytest.mark.parametrize("fails", [True, False])
def test_handle_dropped_without_the_gil(fails):
    session = Session()
    if fails:
        with pytest.raises(ValueError):
            session.drop_detached(True)
    else:
        session.drop_detached(False)
    assert session.closed is not fails
    session.close()
    assert live_handles() == NONE


def test_optional_handle_that_c_left_is_open_again():
    with Session() as session:
        heavy, light = Parcel(30), Parcel(1)
        for parcel in (None, light):
            with pytest.raises(ValueError):
                session.send_one(parcel, True)
        with pytest.raises(Error, match="session_send failed"):
            session.send_one(heavy, False)
        assert light.closed and not heavy.closed
        heavy.close()
        session.busy = 0
    assert live_handles() == NONE


def test_one_of_several_owners_is_open_again():
    with Session() as session:
        shape = Shape()
        with pytest.raises(ValueError):
            session.keep_one(shape, True)
        assert not shape.closed and shape.owners == 1
        session.keep_one(shape, False)
        assert shape.closed
    assert live_handles() == NONE


def test_cursors_of_a_handle_are_closed_also_if_the_body_fails():
    with Session() as session:
        cursor = session.cursor()
        with pytest.raises(ValueError):
            session.take_steps(["fail"])
        assert cursor.closed and not session.closed
    assert live_handles() == NONE


def test_close_that_waits_for_a_failing_body_closes_the_handle():
    session = Session()
    with pytest.raises(ValueError):
        session.take_steps(["drop", "fail"])
    closing = threading.Thread(target=session.close)
    closing.start()
    closing.join()
    assert session.closed and live_handles() == NONE


def test_ending_waits_for_others(at_the_gate):
    session = Session(2)
    with at_the_gate(session.work):
        ended = []
        thread = threading.Thread(target=lambda: ended.append(session.commit()))
        thread.start()
        thread.join(0.05)
        assert thread.is_alive() and not ended
        open_gate()
        thread.join(10)
        assert ended == [2]
    assert live_handles() == NONE


def test_with_statement_accepts_a_handle_that_was_ended():
    with Session(1) as session:
        assert session.commit() == 1
    assert live_handles() == NONE


@pytest.mark.parametrize("fails", [True, False])
def test_close_waits_for_a_body_that_has_the_handle_and_its_parent(fails):
    them = List()
    editor = them.editor()
    is_closing = threading.Event()

    def during():
        is_closing.wait()
        # The other thread waits now, or it will: the GIL is free meanwhile.
        time.sleep(0.05)
        assert not them.closed

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        body = pool.submit(editor.lose, during, fails)
        while not editor.closed:
            time.sleep(0.001)
        is_closing.set()
        editor.close()
        assert editor.closed
        assert isinstance(body.exception(), ValueError) is fails
    assert take_log().count("editor_free") == 1
    them.close()


@pytest.mark.parametrize("fails", [False, True])
def test_body_that_runs_in_a_forked_child_too_releases_each_copy_once(fails):
    made = List()
    editor, child = made.editor(), []
    take_log()
    try:
        editor.lose(lambda: child.append(os.fork()), fails)
    except ValueError:
        pass
    good = editor.closed is not fails
    editor.close()
    good = good and take_log() == ["editor_free"]
    if child == [0]:
        os._exit(0 if good else 1)
    assert good
    assert os.waitstatus_to_exitcode(os.waitpid(child[0], 0)[1]) == 0
    made.close()
    assert live_handles() == NONE
