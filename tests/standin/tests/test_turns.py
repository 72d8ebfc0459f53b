"""Closing never competes for a turn, and calls beside each other keep their reports apart."""

import gc
import os
import signal
import threading
import time

import pytest
from standin_safe import (
    BusyError,
    ClosedError,
    Cursor,
    Feed,
    List,
    Store,
    StoreError,
    live_handles,
    open_gate,
    take_log,
)

NONE = dict.fromkeys(live_handles(), 0)


def soon(call, delay=0.05):
    timer = threading.Timer(delay, call)
    timer.start()
    return timer


@pytest.mark.parametrize("depth", [1, 2])
def test_a_child_is_closed_at_the_end_of_its_parents_call(depth):
    """However fast another thread calls again."""
    store = Store()
    child = item = store.item()
    if depth == 2:
        child = item.part()
    rounds = 0
    asked = None
    stop = threading.Event()

    def work():
        nonlocal rounds
        while not stop.is_set() and rounds < 400:
            store.work(5)
            rounds += 1

    thread = threading.Thread(target=work)
    thread.start()
    while rounds < 3:
        time.sleep(0.001)
    asked = rounds
    child.close()
    waited = rounds - asked
    stop.set()
    thread.join()
    assert waited <= 2
    assert child.closed
    item.close()
    store.close()
    assert live_handles() == NONE


def test_closed_child_closes_its_own_children_while_the_parent_works(at_the_gate):
    store = Store()
    item = store.item()
    parts = [item.part() for _ in range(3)]
    parts[1].close()
    take_log()
    with at_the_gate(store.work):
        soon(open_gate)
        item.close()
        assert take_log() == ["worked", "item_free", "item_free", "item_free"]
    assert item.closed and all(part.closed for part in parts)
    assert live_handles() == NONE | {"Store": 1}
    store.close()


def test_handle_is_unusable_while_its_close_waits(at_the_gate):
    store = Store()
    item = store.item()
    seen = []

    def use():
        for call in (item.work, item.part, item.__enter__):
            try:
                seen.append(call())
            except ClosedError:
                seen.append("closed")
        open_gate()

    with at_the_gate(store.work):
        soon(use)
        item.close()
    assert seen == ["closed"] * 3
    store.close()


def test_two_that_close_the_same_child_both_wait_for_its_end(at_the_gate):
    store = Store()
    item = store.item()
    take_log()
    logs = []

    def close():
        item.close()
        logs.append(live_handles()["Item"])

    with at_the_gate(store.work):
        threads = [threading.Thread(target=close) for _ in range(2)]
        for thread in threads:
            thread.start()
        time.sleep(0.05)
        assert logs == []
    for thread in threads:
        thread.join()
    assert logs == [0, 0]
    store.close()


def test_closing_the_parent_meanwhile(at_the_gate):
    store = Store()
    item = store.item()
    take_log()
    with at_the_gate(store.work):
        threads = [threading.Thread(target=close) for close in (item.close, store.close)]
        for thread in threads:
            thread.start()
            time.sleep(0.02)
    for thread in threads:
        thread.join()
    assert take_log() == ["worked", "item_free", "store_free"]
    assert live_handles() == NONE


class Interrupted(Exception):
    pass


def test_a_signal_ends_the_wait_and_the_release_is_not_lost(at_the_gate):
    store = Store()
    item = store.item()

    def interrupt(*_):
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with at_the_gate(store.work):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with pytest.raises(Interrupted):
                item.close()
            assert item.closed
            assert live_handles()["Item"] == 1
    finally:
        signal.signal(signal.SIGALRM, before)
    assert live_handles()["Item"] == 0
    item.close()
    store.close()


def test_a_signal_handler_does_not_wait(at_the_gate):
    store = Store()
    item, other = store.item(), store.item()
    seen = []

    def close(*_):
        try:
            other.close()
        except BusyError as error:
            seen.append(str(error))
        open_gate()

    before = signal.signal(signal.SIGALRM, close)
    try:
        with at_the_gate(store.work):
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            item.close()
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len(seen) == 1
    assert not other.closed
    store.close()


def test_a_handle_dropped_during_a_call_is_released_after_it(at_the_gate):
    store = Store()
    item = store.item()
    part = item.part()
    take_log()
    with at_the_gate(store.work):
        del item
        del part
        gc.collect()
        assert take_log() == []
    assert take_log() == ["worked", "item_free", "item_free"]
    store.close()


def test_reports_of_calls_beside_each_other(at_the_gate):
    store = Store()
    names = ["one", "two", "three"]
    with at_the_gate(*[lambda name=name: store.fail(name) for name in names]) as results:
        assert store.hooked
    assert [result.reports for result in results] == [[f"{name} before", f"{name} behind"] for name in names]
    assert not store.hooked
    with pytest.raises(StoreError) as caught:
        store.fail("alone")
    assert caught.value.reports == ["alone before", "alone behind"]
    assert not store.hooked
    store.close()


def test_error_callback_stays_installed_until_the_last_call_ends(at_the_gate):
    store = Store()
    seen = []

    def fail():
        with pytest.raises(StoreError) as caught:
            store.fail("slow")
        return caught.value.reports

    with at_the_gate(fail) as results:
        store.item().close()
        seen.append(take_log()[-1])
    assert seen == ["item_free within a call"]
    assert results == [["slow before", "slow behind"]]
    assert not store.hooked
    store.close()


def test_child_dropped_while_its_parent_is_busy_is_unlinked(at_the_gate):
    """Its memory is soon another handle's, which is none of the old parent's business."""
    store, other = Store(), Store()
    items = [store.item() for _ in range(50)]
    with at_the_gate(store.work):
        items.clear()
        items = [other.item() for _ in range(50)]
        open_gate()
    store.close()
    assert not any(item.closed for item in items)
    assert live_handles()["Item"] == 50
    items.clear()
    other.close()
    assert live_handles() == NONE


def test_call_within_a_body_on_its_own_handle_raises_busy():
    """It would wait for the very call that it is in."""
    with Store() as store, store.item() as item:
        for call in (store.close, store.work):
            with pytest.raises(BusyError, match="Store is in use"):
                store.tell(call)
            assert not store.closed
        for call in (store.close, store.work, store.work_beside, item.work_beside):
            with pytest.raises(BusyError, match="Store is in use"):
                store.tell_alone(call)
        # What is in nobody's way may go on.
        store.tell(store.work_beside)
        store.tell(item.work)
        store.tell(item.close)
        assert item.closed
    assert live_handles() == NONE


def test_handle_is_not_used_beside_an_exclusive_callback_of_its_call():
    feed, other = Feed(lambda: 1), Feed(lambda: 2)

    def tell():
        for use in (lambda: feed.fed, feed.number, lambda: feed.tell_excluding(tell)):
            with pytest.raises(BusyError, match="Feed is in use"):
                use()
        assert other.fed and other.number() == 2

    feed.tell_excluding(tell)
    assert feed.fed and feed.number() == 1


def test_other_thread_waits_for_an_exclusive_callback():
    feed, found = Feed(lambda: 1), []
    reader = threading.Thread(target=lambda: found.append(feed.fed))

    def tell():
        reader.start()
        reader.join(0.2)
        assert found == []

    feed.tell_excluding(tell)
    reader.join()
    assert found == [True]


def test_call_within_a_body_on_another_busy_handle_raises_busy(at_the_gate):
    """Who uses the other one might wait for this one."""
    with Store() as store, Store() as other:
        with at_the_gate(other.work):
            with pytest.raises(BusyError, match="Store is in use"):
                store.tell(other.work)
        store.tell(other.work)


def test_private_methods_are_private():
    assert not hasattr(Cursor, "step")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_while_others_wait():
    """Whatever lock another thread holds at that moment, the child has its own."""
    contested = List()
    stop = threading.Event()

    def contest():
        while not stop.is_set():
            contested.sleep(0)

    threads = [threading.Thread(target=contest) for _ in range(6)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(60):
            child = os.fork()
            if child == 0:
                signal.alarm(10)
                mine = List()
                thread = threading.Thread(target=mine.sleep, args=[5])
                thread.start()
                mine.close()
                os._exit(0 if mine.closed else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    contested.close()
    assert live_handles() == NONE


def test_callback_gets_no_handle_that_the_running_call_uses_alone():
    feed, told = Feed(lambda: 1), []

    def tell(has_source):
        told.append(has_source)
        return 0

    feed.tell(tell)
    assert told == [True]
    with pytest.raises(BusyError, match="Feed is in use"):
        feed.tell_alone(tell)
    assert told == [True]
    assert next(feed) == 1
