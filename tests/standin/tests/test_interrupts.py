"""Calls that work for long on the main thread: signal handlers run meanwhile, and one that raises interrupts C."""

import os
import signal
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from standin_safe import BusyError, Feed, Search, StoreError, live_handles, take_log


class Interrupted(Exception):
    pass


def raising(*_):
    raise Interrupted


@contextmanager
def signaled(handler):
    """`handler` runs on the main thread within the block, as soon as something waits there."""
    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def in_thread(call):
    results = []
    thread = threading.Thread(target=lambda: results.append(call()))
    thread.start()
    thread.join()
    return results[0]


def test_handler_runs_while_c_works_on_another_thread():
    search = Search()
    with signaled(lambda *_: search.finish(1)):
        finding = search.run()
    assert finding.thread != threading.get_ident()
    assert search.interrupts == 0


def test_c_works_on_the_thread_of_the_call_where_no_handlers_run():
    search = Search()
    search.finish(1)
    thread, ident = in_thread(lambda: (search.run().thread, threading.get_ident()))
    assert thread == ident


@pytest.mark.parametrize("patience", [1, 3])
def test_exception_of_a_handler_interrupts_until_c_returns(patience):
    search = Search(patience)
    with pytest.raises(Interrupted), signaled(raising):
        search.run()
    assert search.interrupts >= patience
    assert live_handles()["Finding"] == 0


def test_ctrl_c_interrupts():
    search = Search()
    with pytest.raises(KeyboardInterrupt), signaled(signal.default_int_handler):
        search.run()


def test_result_of_an_interrupted_call_is_released():
    search = Search(stubborn=True)
    with pytest.raises(Interrupted), signaled(raising):
        search.run()
    assert take_log() == ["found", "finding_free"]
    assert live_handles()["Finding"] == 0


def test_reports_of_c_reach_their_call():
    search = Search()
    with pytest.raises(StoreError, match="not found"), signaled(lambda *_: search.finish(2)):
        search.run()


def test_arguments_are_those_of_the_call():
    search = Search()
    search.finish(1)
    assert search.measure(b"12345", 3) == 30


def test_handler_cannot_use_the_handle_of_an_exclusive_call():
    search = Search()
    with pytest.raises(BusyError), signaled(lambda *_: search.interrupts):
        search.measure(b"", 1)
    assert search.interrupts >= 1


def test_panic_of_the_method_that_interrupts_comes_out_of_the_call(monkeypatch):
    search, unraisable = Search(patience=10, panics=True), []
    monkeypatch.setattr(sys, "unraisablehook", lambda hooked: unraisable.append(hooked.exc_type))

    def finish():
        while search.interrupts == 0:
            time.sleep(0.001)
        # Time for fifty more calls of the method, of which there are none.
        time.sleep(0.05)
        search.finish(1)

    finishing = threading.Thread(target=finish)
    finishing.start()
    with pytest.raises(BaseException, match="panics") as caught, signaled(raising):
        search.run()
    finishing.join()
    assert type(caught.value).__name__ == "PanicException"
    assert unraisable == [Interrupted]
    assert search.interrupts == 1
    assert live_handles()["Finding"] == 0


def test_handler_interrupts_nested_calls():
    outer, inner = Search(), Search()

    def nested(*_):
        with signaled(raising):
            inner.run()

    with pytest.raises(Interrupted), signaled(nested):
        outer.run()
    assert inner.interrupts >= 1
    assert outer.interrupts >= 1


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_fork_in_a_handler_interrupts_before_there_are_two_processes():
    search, children = Search(), []
    with signaled(lambda *_: children.append(os.fork())):
        try:
            search.run()
            ended = "found"
        except StoreError as error:
            ended = str(error)
        finally:
            if children == [0]:
                os._exit(0 if ended == "interrupted" and not live_handles()["Finding"] else 1)
    assert ended == "interrupted"
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_second_fork_in_a_handler_does_not_interrupt_what_has_ended():
    search, interrupts = Search(), []

    def fork_twice(*_):
        for _ in range(2):
            if (child := os.fork()) == 0:
                os._exit(0)
            os.waitpid(child, 0)
            interrupts.append(search.interrupts)

    with signaled(fork_twice), pytest.raises(StoreError, match="interrupted"):
        search.run()
    assert interrupts[0] >= 1 and interrupts[1] == interrupts[0]


def test_call_alone_within_a_callback_is_interrupted():
    search = Search()

    def measured():
        with signaled(raising):
            search.measure(b"", 1)
        return 1

    with pytest.raises(Interrupted), Feed(measured) as feed:
        feed.number()
    assert search.interrupts >= 1
