"""Who has to wait gets its turn, at once; what dies meanwhile is released by whoever stood in the way."""

import signal
import statistics
import threading
import time
from contextlib import contextmanager

import pytest
from meanwhile import in_thread, on_wait
from xml_safe import ClosedError, live_handles, parse

LONG = "count(//b[count(//b) > 0])"
SHORT = "count(//b[position() < 40][count(//b) > 0])"
SIZE = 8000

pytestmark = pytest.mark.usefixtures("watchdog")


class Interrupted(Exception):
    pass


@pytest.fixture
def large():
    with parse("<a>" + "<b/>" * SIZE + "</a>") as doc:
        yield doc


@contextmanager
def meanwhile(call, *arguments):
    """Another thread is inside of `call`; it has ended at the end of the block."""
    results = []
    thread = in_thread(lambda: results.append(call(*arguments)))
    assert thread.is_alive()
    try:
        yield results
    finally:
        thread.join()


@pytest.fixture
def on_alarm():
    """A function that has the main thread call something while it waits next."""
    before = signal.getsignal(signal.SIGALRM)
    yield on_wait
    signal.signal(signal.SIGALRM, before)


def evaluations():
    """How many evaluations have not ended. The results come later to those who asked for them."""
    return live_handles()["DocumentExpression"]


def until_closing(doc):
    """Wait until a `close()` has begun."""
    with pytest.raises(ClosedError):
        while True:
            doc.root


def test_a_call_that_needs_a_context_alone_gets_its_turn(large):
    context = large.xpath_new_context()
    with meanwhile(context.eval, LONG) as results:
        context.register_ns("p", "urn:p")
        assert evaluations() == 0
    assert results == [SIZE]
    assert context.eval("count(//p:b)") == 0


def test_several_that_wait_all_get_their_turn(large):
    context = large.xpath_new_context()
    waiting = [threading.Thread(target=context.register_ns, args=(f"p{i}", "urn:p")) for i in range(5)]
    with meanwhile(context.eval, LONG):
        for thread in waiting:
            thread.start()
    for thread in waiting:
        thread.join()
    assert context.eval(" + ".join(f"count(//p{i}:b)" for i in range(5))) == 0


def test_close_returns_after_the_call_that_it_waited_for(large):
    with meanwhile(large.xpathEval, LONG) as results:
        large.close()
        assert not any(live_handles().values())
    assert results == [SIZE]


def test_close_of_a_context_waits_for_its_own_calls_alone(large):
    other, context = large.xpath_new_context(), large.xpath_new_context()
    with meanwhile(other.eval, LONG) as results:
        context.close()
        assert evaluations() == 1
        other.close()
        assert evaluations() == 0
    assert results == [SIZE]
    assert live_handles()["XPathContext"] == 0


def delays(large, wait):
    """How long after the end of a call of some milliseconds who waited for it went on."""
    for _ in range(30):
        context, ended = large.xpath_new_context(), []

        def work():
            started.set()
            context.eval(SHORT)
            ended.append(time.monotonic())

        started = threading.Event()
        thread = threading.Thread(target=work)
        thread.start()
        started.wait()
        wait(context)
        went_on = time.monotonic()
        thread.join()
        context.close()
        yield went_on - ended[0] if went_on > ended[0] else 0


@pytest.mark.parametrize("wait", [lambda context: context.close(), lambda context: context.register_ns("p", "urn:p")])
def test_waiting_call_is_woken_within_8_ms(large, wait):
    """Signals are looked for every 20 ms; nobody should have to wait for that."""
    assert statistics.median(delays(large, wait)) < 0.008


def test_a_context_that_dies_while_its_document_waits_to_be_closed(large):
    contexts = [large.xpath_new_context() for _ in range(3)]
    closing = threading.Thread(target=large.close)
    with meanwhile(large.xpathEval, LONG):
        closing.start()
        until_closing(large)
        before = live_handles()["XPathContext"]
        del contexts[1]
        contexts.clear()
        # The document is still in use, and so is what lives in it.
        assert live_handles()["XPathContext"] == before
    closing.join()
    assert not any(live_handles().values())


def test_a_context_that_dies_in_a_handler_while_this_thread_closes_the_document(large, on_alarm):
    contexts = [large.xpath_new_context() for _ in range(3)]
    with meanwhile(large.xpathEval, LONG):
        on_alarm(contexts.clear)
        large.close()
        assert not contexts
    assert not any(live_handles().values())


def test_a_context_that_dies_before_the_close_is_given_up(large, on_alarm):
    contexts = [large.xpath_new_context() for _ in range(3)]

    def interrupt():
        contexts.clear()
        raise Interrupted

    with meanwhile(large.xpathEval, LONG) as results:
        on_alarm(interrupt)
        with pytest.raises(Interrupted):
            large.close()
        assert not results
        # One is that of the evaluation.
        assert live_handles()["XPathContext"] == 1
        assert large.root.name == "a"
    assert not large.closed


def test_others_may_close_after_a_close_was_given_up(large, on_alarm):
    def interrupt():
        raise Interrupted

    with meanwhile(large.xpathEval, LONG):
        on_alarm(interrupt)
        with pytest.raises(Interrupted):
            large.close()
        closing = threading.Thread(target=large.close)
        closing.start()
        until_closing(large)
        large.close()
        assert large.closed
        closing.join()


def test_second_close_goes_on_when_the_first_is_interrupted(large, on_alarm):
    """A second `close()` waits for the first one, and does its work when that one stops."""
    done = []
    second = threading.Thread(target=lambda: (large.close(), done.append(large.closed)))

    def interrupt():
        raise Interrupted

    with meanwhile(large.xpathEval, LONG):
        on_alarm(lambda: (second.start(), time.sleep(0.05), interrupt()))  # it is behind the close, in all likelihood
        with pytest.raises(Interrupted):
            large.close()
        second.join()
    assert done == [True]


def test_the_last_reference_goes_in_the_thread_that_uses_it():
    docs = [parse("<a>" + "<b/>" * SIZE + "</a>")]
    with meanwhile(lambda: docs.pop().xpathEval(LONG)) as results:
        assert live_handles()["Document"] == 1
    assert results == [SIZE]
    assert not any(live_handles().values())


def test_a_handle_that_is_closed_by_its_parent_while_it_waits_to_close(large, on_alarm):
    """Its own close finds it closed and is content."""
    context = large.xpath_new_context()
    closing = threading.Thread(target=large.close)
    with meanwhile(context.eval, LONG):
        on_alarm(lambda: (closing.start(), time.sleep(0.05)))
        context.close()
        assert context.closed
    closing.join()
    assert not any(live_handles().values())
