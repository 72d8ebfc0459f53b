"""Calls that wait for a handle take turns, shared and exclusive ones alike, and nothing waits inside of a call."""

import os
import signal
import threading
import time
from contextlib import contextmanager

import pytest
from standin_safe import BusyError, ClosedError, List, Shape, Store, live_handles, open_gate

NONE = dict.fromkeys(live_handles(), 0)


class Interrupted(Exception):
    pass


@contextmanager
def interrupted_after(seconds):
    def interrupt(*_):
        raise Interrupted

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


class Call(threading.Thread):
    """A call in a thread, and what came of it."""

    def __init__(self, call):
        super().__init__()
        self.call = call
        self.result = None
        self.start()

    def run(self):
        try:
            self.result = self.call()
        except BaseException as error:
            self.result = error


def waiting(call, barred):
    """Start a call that has to wait; return once it does, as `barred`, which would not have to, waits behind it."""
    waits = Call(call)
    # The bound is for calls that wait for nobody: they would come by for ever.
    end = time.monotonic() + 20
    while time.monotonic() < end:
        behind = Call(barred)
        behind.join(0.2)
        if behind.is_alive():
            return waits, behind
    raise AssertionError("nothing waits behind the call")


@contextmanager
def looping(*calls):
    """Run calls again and again, each in a thread; how often they ended is in the list."""
    rounds = [0] * len(calls)
    stop = threading.Event()

    def loop(index, call):
        while not stop.is_set() and rounds[index] < 2000:
            call()
            rounds[index] += 1

    threads = [threading.Thread(target=loop, args=each) for each in enumerate(calls)]
    for thread in threads:
        thread.start()
    while not all(count >= 3 for count in rounds):
        stop.wait(0.001)
    try:
        yield rounds
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("own", ["work", "work_beside"])
@pytest.mark.parametrize("others", ["work", "work_beside"])
def test_a_call_comes_to_its_turn_however_often_the_others_return(own, others):
    times = 20
    with Store() as store:
        call = getattr(store, others)
        with looping(lambda: call(2), lambda: call(3)) as rounds:
            before = sum(rounds)
            for _ in range(times):
                getattr(store, own)()
            waited = sum(rounds) - before
        # Each of the two may end once before, and once more while this thread is about to call.
        assert waited <= 4 * times
    assert live_handles() == NONE


@pytest.mark.parametrize("own", ["work", "work_beside"])
def test_a_call_on_a_child_comes_to_its_turn(own):
    with Store() as store:
        item = store.item()
        with looping(lambda: store.work(2), lambda: store.work(3)) as rounds:
            before = sum(rounds)
            for _ in range(10):
                getattr(item, own)()
            assert sum(rounds) - before <= 40
    assert live_handles() == NONE


def test_a_waiting_exclusive_call_comes_before_later_shared_ones(at_the_gate):
    numbers = List()
    with at_the_gate(numbers.look) as results:
        push, first = waiting(lambda: numbers.push(7), lambda: numbers.first)
        assert results == [None]
    push.join()
    first.join()
    assert results == [0]
    assert first.result.number == 7


def test_shared_calls_that_wait_run_together(at_the_gate):
    with List() as numbers:
        with at_the_gate(numbers.look):
            push, first = waiting(lambda: numbers.push(7), lambda: numbers.first)
            looks = [Call(numbers.look) for _ in range(3)]
        for call in (push, first, *looks):
            call.join()
        assert [look.result for look in looks] == [1, 1, 1]


def test_call_within_a_call_passes_the_queue():
    """They wait for this very call."""
    calls = []

    def inside():
        calls.extend(waiting(store.work, lambda: store.hooked))
        assert store.hooked is False
        assert store.tell(lambda: store.hooked) is False
        with pytest.raises(BusyError):
            store.work()
        item = store.item()
        item.work()
        assert bytes(item.memory) == bytes(item.memory)
        item.close()

    with Store() as store:
        store.tell(inside)
        for call in calls:
            call.join()
        assert [call.result for call in calls] == [None, False]
    assert live_handles() == NONE


def test_signal_handler_passes_the_queue(at_the_gate):
    """The call that it interrupts may be one that they wait for, and here stands in the queue itself."""
    seen = []

    def handler(*_):
        seen.append(item.memory.tobytes())
        open_gate()

    with Store() as store:
        item = store.item()
        before = signal.signal(signal.SIGALRM, handler)
        try:
            with at_the_gate(item.work_beside):
                signal.setitimer(signal.ITIMER_REAL, 0.05)
                store.work()
        finally:
            signal.signal(signal.SIGALRM, before)
        assert len(seen) == 1
    assert live_handles() == NONE


def test_an_interrupted_exclusive_call_bars_nobody_any_more(at_the_gate):
    with Store() as store:
        with at_the_gate(store.work_beside):
            with interrupted_after(0.05), pytest.raises(Interrupted):
                store.work()
            assert store.hooked
            work, hooked = waiting(store.work, lambda: store.hooked)
            # A shared one that waits behind it may be interrupted, too.
            with interrupted_after(0.05), pytest.raises(Interrupted):
                store.hooked
        work.join()
        hooked.join()
        assert work.result is None and hooked.result is not None


def test_call_on_two_handles_passes_queues_that_all_others_have_left(at_the_gate):
    one, two = Shape(), Shape()
    for shape in (one, two):
        with at_the_gate(shape.work_beside):
            with interrupted_after(0.05), pytest.raises(Interrupted):
                shape.work()
    # The call would leave one queue for the other again and again.
    with interrupted_after(20):
        one.meet(two)


def test_interrupted_exclusive_call_lets_the_queue_go_on(at_the_gate):
    with Store() as store:
        with at_the_gate(store.work_beside):
            hooked = []

            def start_behind():
                hooked.append(Call(lambda: store.hooked))

            timer = threading.Timer(0.05, start_behind)
            timer.start()
            with interrupted_after(0.2), pytest.raises(Interrupted):
                store.work()
            timer.join()
            hooked[0].join()
            assert hooked[0].result is True


def test_waiting_calls_on_a_closed_handle_raise_closed(at_the_gate):
    store = Store()
    with at_the_gate(store.work_beside):
        work, hooked = waiting(store.work, lambda: store.hooked)
        close = Call(store.close)
        work.join()
        hooked.join()
        assert isinstance(work.result, ClosedError) and isinstance(hooked.result, ClosedError)
        assert close.is_alive()
    close.join()
    assert close.result is None
    assert live_handles() == NONE


def test_several_exclusive_calls_wait_in_turn(at_the_gate):
    with List() as numbers:
        with at_the_gate(numbers.look):
            calls = list(waiting(lambda: numbers.push(0), lambda: numbers.first))
            calls += [Call(lambda number=number: numbers.push(number)) for number in range(1, 6)]
        for call in calls:
            call.join()
        assert [node.number for node in numbers][0] == 0
        assert sorted(node.number for node in numbers) == list(range(6))


def test_calls_that_want_each_others_handle_do_not_bar_each_other():
    one, two = Shape(), Shape()
    with looping(lambda: one.work_beside(), lambda: two.work_beside()):
        with looping(lambda: one.meet(two), lambda: two.meet(one)) as rounds:
            for _ in range(50):
                one.meet(two)
                two.meet(one)
            assert min(rounds) >= 3
    one.close()
    two.close()
    assert live_handles() == NONE


def test_a_child_is_closed_although_calls_wait_for_its_parent(at_the_gate):
    with Store() as store:
        items = [store.item() for _ in range(3)]
        with at_the_gate(store.work_beside):
            work, hooked = waiting(store.work, lambda: store.hooked)
            items[0].close()
            assert items[0].closed
            del items[1]
            assert live_handles()["Item"] == 1
        work.join()
        hooked.join()
    assert live_handles() == NONE


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_forked_child_does_not_wait_for_the_queue_of_its_parent(at_the_gate):
    with Store() as store:
        with at_the_gate(store.work_beside):
            work, hooked = waiting(store.work, lambda: store.hooked)
            child = os.fork()
            if child == 0:
                signal.alarm(10)
                try:
                    os._exit(0 if store.hooked else 1)
                finally:
                    os._exit(2)
            assert os.waitpid(child, 0)[1] == 0
            open_gate()
        work.join()
        hooked.join()
