"""Which handles a forked child may use and release: those that say `fork_safe`, and what lives in them."""

import gc
import os
import signal
import warnings

import pytest
from standin_safe import AffinityError, Numeral, Parcel, Session, Shape, Store, Tally, live_handles, take_log

NONE = dict.fromkeys(live_handles(), 0)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")


def in_child(function):
    """What `function` returns, or the exception's class, in a forked child: its `repr`."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        signal.alarm(20)
        try:
            try:
                take_log()
                outcome = repr(function())
            except BaseException as error:
                outcome = type(error).__name__
            os.write(writing, outcome.encode())
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as pipe:
        outcome = pipe.read()
    assert os.waitpid(child, 0)[1] == 0
    return outcome


def test_a_fork_safe_handle_and_its_children_are_used_and_released():
    store, parcel, tally, shape = Store(), Parcel(3), Tally(1), Shape()
    item = store.item()
    label = parcel.label

    def use():
        item.work()
        item.part().close()
        for handle in (store, parcel, tally, shape):
            handle.close()
        return take_log(), item.closed, live_handles() == NONE

    assert label.weight == 3
    log = ["item worked", "item_free", "item_free", "store_free", "parcel_free", "tally_clear", "shape_unref to 0"]
    logged, closed, none_left = eval(in_child(use))
    assert [line for line in logged if line != "item_new"] == log
    assert closed and none_left
    assert in_child(lambda: (label.weight, tally.add(1))) == "(3, 2)"
    assert tally.add(1) == 2


def test_a_handle_without_the_word_belongs_to_its_process():
    session, number = Session(), Numeral()
    cursor = session.cursor()
    for use in (lambda: session.busy, session.cursor, lambda: next(cursor), lambda: number.value, session.commit):
        assert in_child(use) == AffinityError.__name__
    del use
    value = number.value

    def close():
        cursor.close()
        session.close()
        number.close()
        return take_log(), session.closed, cursor.closed, number.closed, live_handles() == NONE

    assert in_child(close) == repr(([], True, True, True, True))

    def drop():
        nonlocal session, cursor, number
        del session, cursor, number
        gc.collect()
        return take_log(), live_handles() == NONE

    assert in_child(drop) == repr(([], True))
    take_log()
    for handle in (cursor, session, number):
        handle.close()
    assert take_log() == ["query_close", "session_close", f"number_close {value}"]


def test_a_forked_child_releases_its_own_handles():
    session = Session()

    def make():
        own = Session()
        own.cursor().close()
        own.commit()
        Session()
        other = Session()
        other.close()
        gc.collect()
        session.close()
        return [line for line in take_log() if "open" not in line], live_handles() == NONE

    expected = ["query_close", "session_commit", "session_close", "session_close"]
    assert in_child(make) == repr((expected, True))
    # In a child of the child, a session of the child is alive and left alone.
    assert in_child(lambda: (Session(), in_child(make))[1]) == repr(repr((expected, False)))
