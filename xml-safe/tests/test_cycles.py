"""Cycles, finalizers and weak references: handles are collected, once."""

import gc
import threading
import weakref

import pytest
import xml_safe
from xml_safe import BusyError, ClosedError, live_handles, parse


def in_attribute(handle):
    class Owner:
        pass

    owner = Owner()
    owner.handle, owner.itself = handle, owner


def in_closure(handle):
    def function():
        return handle, function


def in_exception(handle):
    try:
        raise ValueError(handle)
    except ValueError as error:
        kept = error
        kept.itself = kept


def in_failed_evaluation(handle):
    try:
        handle.xpathEval("//b[")
    except xml_safe.XPathError as error:
        kept = error
        kept.handle, kept.itself = handle, kept


def in_generator(handle):
    def generator():
        itself = cell
        with handle:
            yield itself

    cell = [generator()]
    next(cell[0])


def in_list(handle):
    cycle = [handle, handle.root, iter(handle.root), handle.xpath_new_context()]
    cycle.append(cycle)


def in_own_callback(handle):
    owner = [handle]
    owner.append(weakref.ref(handle, lambda _: owner))


def in_thread_object(handle):
    thread = threading.Thread(target=lambda: thread)
    thread.handle = handle
    thread.start()
    thread.join()


CYCLES = [
    in_attribute,
    in_closure,
    in_exception,
    in_failed_evaluation,
    in_generator,
    in_list,
    in_own_callback,
    in_thread_object,
]


@pytest.mark.parametrize("tie", CYCLES)
def test_a_cycle_through_python_objects_is_collected(tie):
    before = live_handles()
    for _ in range(10):
        tie(parse("<a><b/></a>"))
    gc.collect()
    assert live_handles() == before


def test_a_finalizer_may_revive_a_handle():
    revived = []

    class Owner:
        def __init__(self):
            self.doc = parse("<a><b/></a>")
            self.context, self.elements = self.doc.xpath_new_context(), iter(self.doc.root)
            self.itself = self

        def __del__(self):
            revived.append((self.doc, self.context, self.elements))

    Owner()
    gc.collect()
    [(doc, context, elements)] = revived
    assert (doc.root.name, context.eval("count(//b)"), len(list(elements))) == ("a", 1.0, 1)
    assert live_handles()["Document"] == live_handles()["XPathContext"] == 1
    doc.close()
    with pytest.raises(ClosedError):
        next(elements)
    assert live_handles()["Document"] == live_handles()["XPathContext"] == 0


def test_a_weak_references_callback_may_revive_the_value_of_the_holder():
    class Owner:
        pass

    owner, revived = Owner(), []
    owner.node = parse("<a><b>x</b></a>").root
    contents = vars(owner)
    reference = weakref.ref(owner, lambda _: revived.append(contents["node"]))
    del owner
    gc.collect()
    assert reference() is None
    assert revived[0].text == "x"
    contents.clear()
    revived[0].document.close()
    with pytest.raises(ClosedError):
        revived[0].text


def test_a_weak_references_callback_may_close_the_parent():
    doc = parse("<a/>")
    context, node = doc.xpath_new_context(), doc.root
    references = [weakref.ref(context, lambda _: doc.close()), weakref.ref(node, lambda _: doc.close())]
    del context
    assert doc.closed
    del node
    assert [reference() for reference in references] == [None, None]
    assert live_handles()["Document"] == live_handles()["XPathContext"] == 0


def test_a_document_lives_for_its_last_child_and_dies_with_it():
    doc = parse("<a/>")
    died = []
    reference = weakref.ref(doc, died.append)
    node = doc.root
    del doc
    assert reference() is not None
    del node
    assert reference() is None
    assert len(died) == 1
    assert live_handles()["Document"] == 0


def test_finalize_of_a_handle_runs_once():
    seen = []
    doc = parse("<a/>")
    finalizer = weakref.finalize(doc, seen.append, "gone")
    doc.close()
    assert finalizer.alive and not seen
    del doc
    assert seen == ["gone"] and not finalizer.alive


def test_a_finalizer_in_another_thread():
    """The last reference may go anywhere, also where the collector runs."""

    class Owner:
        def __init__(self, doc):
            self.context, self.itself = doc.xpath_new_context(), self

        def __del__(self):
            self.context.eval("count(//b)")

    doc = parse("<a><b/></a>")
    for _ in range(20):
        Owner(doc)
    thread = threading.Thread(target=gc.collect)
    thread.start()
    thread.join()
    assert live_handles()["XPathContext"] == 0
    doc.close()


def test_no_finalizer_runs_while_a_node_is_made():
    document = parse("<a><b/></a>")
    root = document.root
    refused = []

    class Closes:
        def __init__(self):
            self.itself = self

        def __del__(self):
            try:
                document.close()
            except BusyError as error:
                refused.append(error)

    threshold = gc.get_threshold()
    gc.disable()
    gc.set_threshold(1)
    Closes()
    try:
        for _ in range(100):
            # Nothing else may make an object between these lines: the collector would run there. From Python 3.12 on, it
            # runs after the call.
            gc.enable()
            try:
                root.first_child
            except ClosedError:
                pass
            gc.disable()
    finally:
        gc.set_threshold(*threshold)
        gc.enable()
    gc.collect()
    assert not refused
    assert document.closed
