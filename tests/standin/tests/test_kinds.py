"""Handles whose owners C counts, that C may keep, that C makes in place, as Python sees them."""

import gc
import subprocess
import sys
import threading

import pytest
from standin_safe import (
    Board,
    BusyError,
    ClosedError,
    Error,
    Journal,
    List,
    Numeral,
    Parcel,
    Session,
    SessionError,
    Shape,
    Store,
    Tally,
    at_gate,
    close_gate,
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
        assert take_log() == ["query_close"]
        last = session.cursor()
    with pytest.raises(ClosedError):
        next(last)


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
    assert "a Session is not released yet, because a Cursor that lives in it was not" in str(error), error
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


def test_handles_consumed_by_a_body_are_released_when_it_fails():
    with Session() as session:
        first, second = Parcel(1), Parcel(30)
        with pytest.raises(Error, match="session_send failed"):
            session.send_both(first, second)
        assert first.closed and second.closed
        assert live_handles()["Parcel"] == 0
        session.busy = 0


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


# ---- views that end with the next change


def numbers(*them):
    made = List()
    for number in them:
        made.push(number)
    return made


def test_a_view_ends_when_its_owner_is_used_alone():
    them = numbers(1, 2)
    first = them.first
    second, place = first.next, first.place
    assert (first.number, second.number, place.number) == (1, 2, 1)
    assert first == them.first and not first.closed
    them.push(3)
    for view in (first, second, place):
        assert view.closed and repr(view).endswith("(closed)>")
        with pytest.raises(ClosedError, match=f"{type(view).__name__} is no longer valid: its owner was modified"):
            view.number
    assert hash(first) == hash(first) and first == first
    assert [node.number for node in them] == [1, 2, 3]
    # What is made afterwards is there, and is not the old one.
    assert them.first.number == 1 and them.first.place.number == 1
    with pytest.raises(ClosedError):
        first.next


def test_looking_on_ends_no_view():
    them = numbers(1, 2)
    first = them.first
    for _ in them:
        assert them.first.number == first.number == 1


def test_iterating_ends_with_the_change():
    them = numbers(1, 2, 3)
    walk = iter(them)
    assert next(walk).number == 1
    them.push(4)
    with pytest.raises(ClosedError, match="Node is no longer valid"):
        next(walk)
    with pytest.raises(ClosedError, match="Node is no longer valid"):
        next(walk)


def test_closing_the_owner_ends_its_views_as_ever():
    them = numbers(1)
    first = them.first
    them.close()
    with pytest.raises(ClosedError, match="Node is closed"):
        first.number
    assert first.closed


# ---- memory that is lent


def refused(*calls):
    """Each is refused at once, also to another thread."""
    for call in calls:
        with pytest.raises(BufferError, match="is in use by a memoryview"):
            call()
        raised = []

        def run(call=call, raised=raised):
            try:
                call()
            except BufferError as error:
                raised.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(10)
        assert not thread.is_alive() and len(raised) == 1


def test_memory_holds_its_handle_and_the_ancestors():
    store = Store()
    item = store.item()
    view = item.memory
    assert view == b"item" and view.readonly
    refused(item.close, store.close, item.work, store.work)
    # Beside it is allowed.
    item.work_beside()
    store.work_beside()
    other = store.item()
    other.work()
    other.close()
    again = item.memory
    del item
    gc.collect()
    assert view == b"item"
    view.release()
    refused(store.close)
    again.release()
    store.work()
    store.close()
    assert live_handles() == NONE


def test_after_the_view_there_is_waiting_again(at_the_gate):
    store = Store()
    item = store.item()
    for _ in range(3):
        item.memory.release()
    with at_the_gate(store.work_beside, item.work_beside):
        closing = [threading.Thread(target=handle.close) for handle in (item, store)]
        for thread in closing:
            thread.start()
            thread.join(0.05)
        assert all(thread.is_alive() for thread in closing)
        open_gate()
        for thread in closing:
            thread.join(10)
    assert item.closed and store.closed and live_handles() == NONE


def test_memory_ends_with_the_last_part_of_it():
    with Store() as store:
        with store.item() as item:
            part = memoryview(item.memory)[1:3].cast("B")
            refused(item.close)
            assert part.tobytes() == b"te"
            del part
            item.work()


def test_memoryview_of_a_handle_that_another_thread_closes_raises_closed(at_the_gate):
    """Who waits to close it is not held up for ever."""
    store = Store()
    item = store.item()
    with at_the_gate(item.work_beside):
        closing = threading.Thread(target=item.close)
        closing.start()
        with pytest.raises(ClosedError):
            while True:
                item.memory.release()
        open_gate()
    closing.join()
    store.close()


def test_unclosed_handle_with_warn_unclosed_warns():
    with pytest.warns(ResourceWarning, match="unclosed Journal"):
        Journal(0)
        gc.collect()
    assert live_handles() == NONE


def test_methods_may_stand_in_several_blocks():
    take_log()
    with Store() as store:
        store.work_twice()
        assert take_log() == ["store_new", "worked", "worked"]
    take_log()


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


def test_body_that_takes_this_by_value_releases_it_when_it_fails():
    session = Session(7)
    with pytest.raises(SessionError):
        session.finish(True)
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


# ---- numbers


def test_every_number_is_a_handle_but_the_one_that_is_none():
    take_log()
    them = [Numeral(), Numeral.another(), Numeral(), Numeral.another()]
    assert [it.value for it in them] == [-1, 0, 1, 2]
    assert [repr(it) for it in them] == [f"<standin_safe.Numeral {number}>" for number in (-1, 0, 1, 2)]
    for make in (Numeral, Numeral.another):
        with pytest.raises(Error):
            make()
    assert live_handles()["Numeral"] == 4
    for it in them:
        assert not it.closed
        it.close()
        it.close()
        assert it.closed
    assert take_log() == [f"number_close {number}" for number in (-1, 0, 1, 2)]
    assert live_handles() == NONE


def test_constants_are_exported():
    import standin_safe

    assert standin_safe.NUMBERS == 4


def test_a_number_that_is_free_again_revives_nothing():
    first = Numeral()
    first.close()
    with Numeral() as second:
        assert second.value == -1 and first.closed and first != second
        with pytest.raises(ClosedError):
            first.value
        first.close()
        del first
        gc.collect()
        assert second.value == -1
    assert live_handles() == NONE


def test_close_wakes_blocked_calls():
    it = Numeral()
    ended = []
    threads = [threading.Thread(target=lambda: ended.append(it.wait())) for _ in range(3)]
    for thread in threads:
        thread.start()
        thread.join(0.02)
    assert not ended
    closing = threading.Thread(target=it.close)
    closing.start()
    closing.join(10)
    for thread in threads:
        thread.join(10)
    assert ended == [-1] * 3 and it.closed and live_handles() == NONE
