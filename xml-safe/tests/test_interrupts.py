"""Signals while an XPath evaluation works for long on the main thread: handlers run, and one that raises ends it."""

import os
import signal
import threading
import time
from contextlib import contextmanager

import pytest
from xml_safe import BusyError, XPathError, live_handles, parse

SIZE = 4000
FOREVER = "count(//b[count(//b[count(//b) > 0]) > 0])"
# A second or so, and more operations than are evaluated without looking for signals.
LONG = "count(//b[count(//b) > 0])"

pytestmark = pytest.mark.usefixtures("watchdog")


class Interrupted(Exception):
    pass


@pytest.fixture
def large():
    with parse("<a>" + "<b/>" * SIZE + "</a>") as doc:
        yield doc


def is_evaluating():
    return live_handles()["DocumentExpression"] > 0


@contextmanager
def signaled(number, handler):
    """Within the block, `handler` is called for the signal, which comes as soon as an evaluation runs."""
    ended = threading.Event()

    def send():
        while not is_evaluating() and not ended.is_set():
            time.sleep(0.001)
        if not ended.is_set():
            os.kill(os.getpid(), number)

    before = signal.signal(number, handler)
    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        signal.signal(number, before)


def raising(*_):
    raise Interrupted


def evaluations(doc):
    context = doc.xpath_new_context()
    return {
        "Document.xpathEval": doc.xpathEval,
        "Node.xpathEval": doc.root.xpathEval,
        "XPathContext.eval": context.eval,
    }


def test_ctrl_c_ends_an_evaluation(large):
    with pytest.raises(KeyboardInterrupt), signaled(signal.SIGINT, signal.default_int_handler):
        large.xpathEval(FOREVER)
    assert live_handles()["XPathContext"] == live_handles()["DocumentExpression"] == 0
    assert large.xpathEval("count(//b)") == SIZE


@pytest.mark.parametrize("name", ["Document.xpathEval", "Node.xpathEval", "XPathContext.eval"])
def test_exception_of_a_handler_ends_each_way_of_evaluating(large, name):
    evaluate = evaluations(large)[name]
    for _ in range(3):
        with pytest.raises(Interrupted), signaled(signal.SIGUSR1, raising):
            evaluate(FOREVER)
        assert evaluate("count(//b)") == SIZE
        assert evaluate(LONG) == SIZE


def test_evaluation_goes_on_after_a_handler_that_returns(large):
    during = []
    with signaled(signal.SIGUSR1, lambda *_: during.append(is_evaluating())):
        assert large.xpathEval(LONG) == SIZE
    assert during == [True]


def test_many_signals_do_not_disturb_an_evaluation(large):
    during = []
    before = signal.signal(signal.SIGALRM, lambda *_: during.append(is_evaluating()))
    signal.setitimer(signal.ITIMER_REAL, 0.005, 0.005)
    try:
        assert large.xpathEval(LONG) == SIZE
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert sum(during) > 1


EXPRESSIONS = [
    LONG,
    "//b[position() mod 7 = count(//b[. = 3])]",
    "//b[count(//b) > 0] | //@k",
    "string(//b[count(//b[. = 'x']) = 0][last()])",
    "//b[count(//b) > 0] = 17",
    "sum(//b[count(//b) > 0])",
]


@pytest.mark.parametrize("expr", EXPRESSIONS)
def test_result_is_that_of_a_thread_without_signals(expr):
    results = []
    with parse("<a>" + "".join(f"<b k='{n}'>{n}</b>" for n in range(1000)) + "</a>") as doc:
        thread = threading.Thread(target=lambda: results.append(doc.xpathEval(expr)))
        thread.start()
        thread.join()
        assert results == [doc.xpathEval(expr)]


@pytest.mark.parametrize(
    "code, expr", [(1209, "//b[foo()]"), (1219, "//b[q:foo()]"), (1205, "//b[$v]"), (1211, "//b[count(1)]")]
)
def test_error_late_in_an_evaluation_is_reported_to_its_call(large, code, expr, capfd):
    late = expr.replace("//b", "//b[position() = last() and count(//b[count(//b) > 0]) > 0]")
    with pytest.raises(XPathError) as caught:
        large.xpathEval(late)
    assert (caught.value.code, caught.value.expression) == (code, late)
    assert capfd.readouterr() == ("", "")


def test_handler_uses_the_document_that_is_evaluated(large):
    results = []

    def use(*_):
        results.append(large.root.name)
        results.append(large.xpathEval("count(//b)"))
        results.append(large.xpathEval(LONG))

    with signaled(signal.SIGUSR1, use):
        assert large.xpathEval(LONG) == SIZE
    assert results == ["a", SIZE, SIZE]


def test_handler_does_not_wait_for_the_evaluation_that_it_interrupts():
    """Newer versions of libxml2 evaluate once at a time on a document that has a DTD."""
    results = []

    def evaluate(*_):
        try:
            results.append(doc.xpathEval("count(//b)"))
        except BusyError:
            results.append(None)

    with parse("<!DOCTYPE a [<!ENTITY e 'x'>]><a>" + "<b/>" * SIZE + "</a>") as doc:
        for _ in range(2):
            with signaled(signal.SIGUSR1, evaluate):
                assert doc.xpathEval(LONG) == SIZE
        assert doc.xpathEval("count(//b)") == SIZE
    assert len(results) == 2
    assert set(results) in ({SIZE}, {None})


def test_handler_cannot_close_an_evaluated_document(large):
    context, refused = large.xpath_new_context(), []

    def close(*_):
        for use in (large.close, context.close, lambda: context.eval("1")):
            with pytest.raises(BusyError):
                use()
            refused.append(use)

    with signaled(signal.SIGUSR1, close):
        assert context.eval(LONG) == SIZE
    assert len(refused) == 3
    assert context.eval("count(//b)") == SIZE


def test_handler_interrupts_an_evaluation_in_a_handler(large):
    """The inner evaluation is ended; the handler passes the exception on, which ends the outer one."""

    def again(*_):
        signal.signal(signal.SIGUSR1, raising)
        os.kill(os.getpid(), signal.SIGUSR1)
        large.xpathEval(FOREVER)

    with pytest.raises(Interrupted), signaled(signal.SIGUSR1, again):
        large.xpathEval(FOREVER)
    assert large.xpathEval(LONG) == SIZE


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_evaluation_ends_in_both_processes_where_a_handler_forks(large):
    children = []
    with signaled(signal.SIGUSR1, lambda *_: children.append(os.fork())):
        result = large.xpathEval(LONG)
        if children == [0]:
            os._exit(0 if result == SIZE and large.xpathEval(LONG) == SIZE else 1)
    assert result == SIZE
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0


COUNTED = """
import ctypes, ctypes.util, os, signal, threading
libxml2 = ctypes.CDLL(ctypes.util.find_library("xml2"))
libxml2.xmlMemSetup(libxml2.xmlMemFree, libxml2.xmlMemMalloc, libxml2.xmlMemRealloc, libxml2.xmlMemoryStrdup)
import xml_safe

class Interrupted(Exception):
    pass

def interrupt(*_):
    raise Interrupted

def blocks():
    libxml2.xmlResetLastError()
    return libxml2.xmlMemBlocks()

signal.signal(signal.SIGALRM, interrupt)
doc = xml_safe.parse("<a>" + "<b/>" * 4000 + "</a>")
used = []
for expr in ["count(//b[count(//b[count(//b) > 0]) > 0])"] * 3 + ["//b[count(//b[//b[last()]]) = 1]"] * 3:
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    try:
        doc.xpathEval(expr)
    except Interrupted:
        used.append(blocks())
assert len(used) == 6, used
assert len(set(used)) == 1, used
doc.close()
assert not any(xml_safe.live_handles().values())
assert threading.active_count() == 1
"""


def test_interrupted_evaluations_leave_no_block_of_libxml2(run_python):
    ended = run_python("-c", COUNTED)
    assert (ended.returncode, ended.stderr) == (0, "")
