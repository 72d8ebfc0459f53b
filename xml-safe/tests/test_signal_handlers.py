"""Signals: a handler closes handles, or interrupts a call that waits."""

import signal
import subprocess
import sys

import pytest
from programs import HANG, PRELUDE, QUIET, TESTS

ALARM = """
def on_alarm(call, seconds=0.1):
    signal.signal(signal.SIGALRM, lambda *_: call())
    signal.setitimer(signal.ITIMER_REAL, seconds)
"""
BUSY = {
    "evaluating": "while True: doc.xpathEval('count(//b)')",
    "evaluating in a context": "while True: doc.xpath_new_context().eval('count(//b)')",
    "listing": "while True: doc.xpathEval('//b')",
    "iterating": "while True: [node.path for node in doc.root]",
}


@pytest.mark.parametrize("program", BUSY.values(), ids=BUSY.keys())
def test_a_signal_handler_may_close_a_handle_of_the_main_thread(program, ends_well):
    """Python runs handlers between calls, so each call ends as it would have."""
    ends_well(
        f"{ALARM}\ndoc = large()\non_alarm(doc.close)\ntry:\n    {program}\nexcept ClosedError:\n    pass\nelse: 1 / 0\n"
        "assert xml_safe.live_handles()['Document'] == 0"
    )


def test_a_signal_handler_cannot_close_the_handle_of_a_long_call(ends_well):
    """A long evaluation runs handlers while it works, so what closes its document raises, and ends the evaluation."""
    ends_well(
        f"{ALARM}\ndoc = large()\non_alarm(doc.close)\ntry:\n    doc.xpathEval(LONG)\nexcept BusyError:\n    pass\nelse: 1 / 0\n"
        "assert doc.root.name\ndoc.close()\nassert xml_safe.live_handles()['Document'] == 0"
    )


def test_a_signal_handler_may_close_while_the_main_thread_parses(ends_well):
    ends_well(
        ALARM
        + """
doc = large(9)
on_alarm(doc.close)
while not doc.closed:
    parsed = large()
parsed.close()
assert xml_safe.live_handles()["Document"] == 0
"""
    )


HANDLERS = [
    pytest.param("doc.close", {None, "BusyError"}, id="closes it too"),
    pytest.param("context.close", {None, "BusyError"}, id="closes a context of it"),
    pytest.param("lambda: doc.root", {"ClosedError", "BusyError"}, id="uses it"),
    pytest.param("other.close", {None}, id="closes another"),
]


@pytest.mark.parametrize(("call", "expected"), HANDLERS)
def test_a_signal_handler_while_the_main_thread_waits_in_close(call, expected, ends_well):
    ends_well(f"""
doc, other, seen = large(), large(9), []
context = doc.xpath_new_context()
evaluating = in_thread(doc.xpathEval, LONG)
on_wait(lambda: seen.append(outcome({call})))
faulthandler.dump_traceback_later({HANG - 10}, exit=True)
doc.close()
evaluating.join()
assert seen and set(seen) <= {expected!r}, seen
assert doc.closed and context.closed
""")


INTERRUPTED = {
    "a document": "doc.close()",
    "its context": "context.close()",
    "a call that waits": "context.register_ns('p', 'urn:p')",
    "a with block": "with doc: pass",
}


@pytest.mark.parametrize("waiting", INTERRUPTED)
@pytest.mark.parametrize("raised", ["KeyboardInterrupt", "SystemExit", "ZeroDivisionError"])
def test_waiting_is_interrupted_and_nothing_is_closed(waiting, raised, ends_well):
    """While another thread evaluates: the exception of the handler comes out, and a later close works."""
    ends_well(f"""
doc = large()
context = doc.xpath_new_context()
evaluating = in_thread(context.eval, LONG)
def interrupt():
    raise {raised}
on_wait(interrupt)
try:
    {INTERRUPTED[waiting]}
except {raised}:
    assert evaluating.is_alive(), "it was only noticed at the end"
else:
    1 / 0
assert not doc.closed and not context.closed
assert doc.root.name == "a" and doc.xpathEval("count(//b)") == 8000
evaluating.join()
assert context.eval("1") == 1
doc.close()
assert doc.closed and context.closed and not any(xml_safe.live_handles().values())
""")


def test_control_c_while_close_waits():
    """As it comes from a terminal: the program ends as any program does, and nothing else is printed."""
    # Who runs the tests in the background may have SIGINT ignored.
    program = (
        PRELUDE
        + """
signal.signal(signal.SIGINT, signal.default_int_handler)
doc = large(12000)
in_thread(doc.xpathEval, LONG, daemon=True)
print(flush=True)
doc.close()
"""
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=QUIET | {"PYTHONPATH": TESTS},
    ) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=HANG)
    assert process.returncode == -signal.SIGINT
    assert stderr.splitlines()[-1] == "KeyboardInterrupt"


def test_leaving_while_close_waits(run):
    ended = run("doc = large()\nin_thread(doc.xpathEval, LONG, daemon=True)\non_wait(lambda: sys.exit(3))\ndoc.close()")
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "", "")
