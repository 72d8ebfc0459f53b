"""LMDB: transactions and cursors belong to the thread that began them."""

import gc
import sys
import threading
import weakref

import pytest
from lmdb_safe import (
    AffinityError,
    BusyError,
    ClosedError,
    Error,
    live_handles,
)

NONE = {"Cursor": 0, "Environment": 0, "Transaction": 0}


def in_thread(function):
    """Run `function` on a new thread; return its result or its exception."""
    outcome = []

    def run():
        try:
            outcome.append(function())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    return outcome[0]


def test_another_thread_must_not_use_it(env, db):
    txn = env.begin(write=True)
    cursor = txn.cursor(db)
    uses = [
        lambda: txn.get(db, b"k1"),
        lambda: txn.put(db, b"k", b"v"),
        lambda: txn.cursor(db),
        lambda: next(cursor),
        txn.commit,
        txn.close,
        cursor.close,
    ]
    for use in uses:
        error = in_thread(use)
        assert isinstance(error, AffinityError) and isinstance(error, RuntimeError) and isinstance(error, Error)
        assert "on the thread that made it" in str(error)
    # What never touches C works everywhere.
    assert in_thread(lambda: (repr(txn), hash(txn), txn == txn, txn.closed)) == (repr(txn), hash(txn), True, False)
    # Nothing happened to it.
    assert next(cursor) == (b"k0", b"v0")
    txn.commit()
    assert in_thread(txn.close) is None


def test_close_on_another_thread_than_the_transactions_raises(env, db):
    txn = env.begin(write=True)
    error = in_thread(env.close)
    assert isinstance(error, AffinityError)
    assert not env.closed and not txn.closed
    txn.put(db, b"k", b"v")
    txn.commit()
    assert in_thread(env.close) is None
    assert env.closed


def test_dropped_on_another_thread(env, db, reported):
    holder = [env.begin(write=True)]
    holder.append(holder[0].cursor(db))

    def drop():
        holder.clear()
        gc.collect()
        return live_handles()

    # Aborting a transaction elsewhere is what LMDB forbids: it waits for its own thread.
    assert in_thread(drop) == {"Cursor": 1, "Environment": 1, "Transaction": 1}
    assert live_handles()["Transaction"] == 1
    # That releases it at its next call, whichever that is.
    with env.begin() as reader:
        assert live_handles() == {"Cursor": 0, "Environment": 1, "Transaction": 1}
        assert reader.get(db, b"k1") == b"v1"
    env.begin(write=True).commit()
    assert reported == []


@pytest.mark.skipif(
    hasattr(sys, "_is_gil_enabled") and not sys._is_gil_enabled(),
    reason="without a GIL the thread that made an object drops it",
)
def test_dropped_elsewhere_and_then_closed(env, db):
    holder = [env.begin(write=True)]
    in_thread(holder.clear)
    assert isinstance(in_thread(env.close), BusyError)
    env.close()
    assert live_handles() == NONE


def test_dropped_elsewhere_and_then_the_thread_ends(env, db, reported):
    made, go_on = threading.Event(), threading.Event()
    holder = []

    def owner():
        holder.append(env.begin(write=True))
        made.set()
        assert go_on.wait(10)

    thread = threading.Thread(target=owner)
    thread.start()
    assert made.wait(10)
    holder.clear()
    assert live_handles()["Transaction"] == 1
    go_on.set()
    thread.join(10)
    # The thread's end comes a little later than Python's `join`.
    for _ in range(100):
        if live_handles()["Transaction"] == 0:
            break
        threading.Event().wait(0.01)
    assert live_handles()["Transaction"] == 0
    assert reported == []
    # Whoever waits for the writer's lock gets it.
    env.begin(write=True).commit()


def ended(thread, *handles):
    """Wait until the thread's handles are closed, which happens shortly after Python's `join`."""
    thread.join(10)
    for _ in range(1000):
        if all(handle.closed for handle in handles):
            return
        threading.Event().wait(0.01)
    raise AssertionError("the thread's handles are open")


def test_a_thread_that_ends_closes_its_handles(env, db, reported):
    kept = []

    def owner():
        txn = env.begin(write=True)
        txn.put(db, b"k1", b"lost")
        kept.extend([txn, txn.cursor(db)])

    thread = threading.Thread(target=owner)
    thread.start()
    thread.join(10)
    txn, cursor = kept
    ended(thread, txn, cursor)
    with pytest.raises(ClosedError):
        txn.get(db, b"k1")
    # The lock of the one that writes is free, and what it wrote is gone.
    with env.begin(write=True) as writer:
        assert writer.get(db, b"k1") == b"v1"
        writer.put(db, b"k1", b"new")
        writer.commit()
    env.close()
    assert live_handles() == NONE
    assert reported == []


def test_a_thread_that_ends_closes_handles_in_a_cycle(env, db, reported):
    """The cycle need not be collected first."""
    weak = []

    def owner():
        txn = env.begin()
        cycle = [txn]
        cycle.append(cycle)
        weak.append(weakref.ref(txn))

    gc.disable()
    try:
        thread = threading.Thread(target=owner)
        thread.start()
        thread.join(10)
        for _ in range(1000):
            if live_handles()["Transaction"] == 0:
                break
            threading.Event().wait(0.01)
        assert weak[0]().closed
    finally:
        gc.enable()
    assert reported == []


def test_transaction_of_another_thread_is_named_in_the_error(env, db):
    go_on, made = threading.Event(), threading.Event()

    def owner():
        with env.begin():
            made.set()
            assert go_on.wait(10)

    thread = threading.Thread(target=owner)
    thread.start()
    assert made.wait(10)
    with pytest.raises(AffinityError, match="Transaction can only be used on the thread that made it"):
        env.close()
    go_on.set()
    thread.join(10)
    env.close()
    assert env.closed
