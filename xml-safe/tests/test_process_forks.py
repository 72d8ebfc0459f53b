"""Forks: the child and the parent process use handles, and nothing crashes, hangs or is lost."""

import pytest
from programs import FORK, in_forks

CHILDREN = {
    "using": "forked(lambda: (doc.root.text, context.eval('//b'), list(elements), doc.xpathEval('//b')))",
    "closing": "forked(lambda: (doc.close(), outcome(lambda: doc.root)))",
    "closing a context": "forked(context.close)",
    "dropping": "forked(lambda: (globals().pop('doc'), globals().pop('context'), globals().pop('elements')))",
    "collecting": "cycle = [large(9)]; cycle.append(cycle); forked(gc.collect)",
    "parsing": "forked(lambda: sys.modules.setdefault('kept', large(9)))",
    "doing nothing": "forked(lambda: None)",
    "leaving at once": "forked(lambda: os._exit(0))",
    "forking again": "forked(lambda: forked(lambda: (doc.root.text, doc.close())))",
    "working with threads": "forked(lambda: [in_thread(doc.xpathEval, '//b').join() for _ in range(9)] + [doc.close()])",
}


@in_forks
@pytest.mark.parametrize("child", CHILDREN.values(), ids=CHILDREN.keys())
def test_the_parents_handles_are_unaffected_by_a_child(child, ends_well):
    program = f"""
doc = large(9)
context, elements = doc.xpath_new_context(), iter(doc.root)
before = xml_safe.live_handles()
{child}
assert xml_safe.live_handles()["XPathContext"] == 1
assert context.eval("count(//b)") == len(list(elements)) == 9
doc.close()
assert xml_safe.live_handles()["XPathContext"] == 0
"""
    ends_well(FORK + program, LEAKPROOF_TRACE="1")


@in_forks
def test_fork_while_another_thread_evaluates(ends_well):
    """What that thread uses stays in use in the child, for ever; so nobody waits for it there."""
    ends_well(
        FORK
        + """
doc = large()
evaluating = in_thread(doc.xpathEval, LONG)
def child():
    assert doc.root.name == "a"
    assert doc.xpathEval("count(//b)") == 8000
    assert outcome(doc.close) in (None, "BusyError")
    with large(9) as other:
        other.xpath_new_context().eval("//b")
forked(child)
evaluating.join()
assert doc.xpathEval("count(//b)") == 8000
doc.close()
"""
    )


@in_forks
def test_fork_while_another_thread_has_a_context_alone(ends_well):
    ends_well(
        FORK
        + """
context = large().xpath_new_context()
evaluating = in_thread(context.eval, LONG)
def child():
    assert outcome(lambda: context.eval("1")) == "BusyError"
    assert outcome(context.close) in (None, "BusyError")
    assert outcome(lambda: context.register_ns("p", "urn:p")) in ("BusyError", "ClosedError")
forked(child)
evaluating.join()
assert context.eval("1") == 1
"""
    )


@in_forks
def test_fork_while_another_thread_waits_in_close(ends_well):
    ends_well(
        FORK
        + """
doc = large()
evaluating = in_thread(doc.xpathEval, LONG)
closing = in_thread(doc.close)
def child():
    assert outcome(lambda: doc.root) == "ClosedError"
    assert outcome(doc.close) in (None, "BusyError")
    large(9).close()
forked(child)
evaluating.join(), closing.join()
assert doc.closed
"""
    )


@in_forks
def test_fork_while_many_threads_wait_and_work(ends_well):
    """The child's own waiting works, whatever lock a thread held at the fork."""
    ends_well(
        FORK
        + """
doc = large(400)
context = doc.xpath_new_context()
stop = False
def work():
    while not stop:
        context.eval("count(//b[count(//b) > 0])")
threads = [in_thread(work) for _ in range(3)]
def child():
    other = large(2000)
    evaluating = in_thread(other.xpathEval, LONG)
    other.close()
    evaluating.join()
for _ in range(30):
    forked(child)
stop = True
for thread in threads:
    thread.join()
"""
    )


@in_forks
def test_forked_workers_share_a_parsed_document(ends_well):
    ends_well("""
import multiprocessing
document = large(99)
def count(expression):
    return int(document.xpathEval(expression))
with multiprocessing.get_context("fork").Pool(2) as pool:
    counts = pool.map(count, ["count(//*)"] * 8)
assert counts == [int(document.xpathEval("count(//*)"))] * 8, counts
""")
