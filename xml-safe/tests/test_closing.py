"""Closed means closed: every use afterwards raises, nothing is released twice, nothing is forgotten."""

import gc
import os
import weakref

import pytest
from xml_safe import ClosedError, Error, Handle, live_handles, parse

DOCUMENT_USES = {
    "root": lambda doc: doc.root,
    "xpathEval": lambda doc: doc.xpathEval("//b"),
    "xpathEval of a mistake": lambda doc: doc.xpathEval("//b["),
    "xpath_new_context": lambda doc: doc.xpath_new_context(),
    "with": lambda doc: doc.__enter__(),
}
NODE_USES = {
    "name": lambda node: node.name,
    "text": lambda node: node.text,
    "get": lambda node: node.get("k"),
    "attributes": lambda node: node.attributes,
    "path": lambda node: node.path,
    "line": lambda node: node.line,
    "parent": lambda node: node.parent,
    "children": lambda node: node.children,
    "list": lambda node: list(node),
    "type": lambda node: node.type,
    "xpathEval": lambda node: node.xpathEval("b"),
    "to_string": lambda node: node.to_string(),
    "to_bytes": lambda node: node.to_bytes(encoding="UTF-16", method="html"),
    "write": lambda node: node.write(os.devnull),
    "to_c14n": lambda node: node.to_c14n(exclusive=True),
    "write_c14n": lambda node: node.write_c14n(os.devnull),
}
CONTEXT_USES = {
    "eval": lambda context: context.eval("//b"),
    "eval of a mistake": lambda context: context.eval("//b["),
    "register_ns": lambda context: context.register_ns("p", "urn:p"),
    "with": lambda context: context.__enter__(),
}


def uses(table):
    return pytest.mark.parametrize("use", table.values(), ids=table.keys())


@uses(DOCUMENT_USES)
def test_document_after_close(doc, use):
    doc.close()
    with pytest.raises(ClosedError) as caught:
        use(doc)
    assert isinstance(caught.value, Error)
    assert isinstance(caught.value, ValueError)
    assert str(caught.value)


@uses(NODE_USES)
@pytest.mark.parametrize("expr", ["/*", "//@k", "//text()", "/"])
def test_node_after_close(doc, use, expr):
    node = doc.xpathEval(expr)[0]
    doc.close()
    with pytest.raises(ClosedError):
        use(node)


@uses(CONTEXT_USES)
@pytest.mark.parametrize("closed", ["context", "document"])
def test_context_after_close(doc, use, closed):
    context = doc.xpath_new_context()
    {"context": context, "document": doc}[closed].close()
    with pytest.raises(ClosedError):
        use(context)


def test_set_node_after_close(doc):
    context, root = doc.xpath_new_context(), doc.root
    context.close()
    with pytest.raises(ClosedError):
        context.set_node(root)
    doc.close()
    with pytest.raises(ClosedError):
        context.set_node(root)


def test_wrong_use_after_close_still_raises_something_typed(doc):
    node = doc.root
    doc.close()
    for call in (
        lambda: doc.xpathEval(1),
        lambda: doc.xpathEval("\0"),
        lambda: node.get(1),
        lambda: node.xpathEval(b""),
    ):
        with pytest.raises((TypeError, ValueError)):
            call()


@pytest.mark.parametrize("make", [lambda doc: doc, lambda doc: doc.xpath_new_context()], ids=["document", "context"])
class TestEveryHandle:
    def test_close_and_closed(self, doc, make):
        handle = make(doc)
        assert isinstance(handle, Handle)
        assert handle.closed is False
        assert handle.close() is None
        assert handle.closed is True

    def test_close_is_idempotent(self, doc, make):
        handle = make(doc)
        for _ in range(5):
            handle.close()
        assert handle.closed

    def test_close_takes_no_arguments(self, doc, make):
        handle = make(doc)
        with pytest.raises(TypeError):
            handle.close(1)
        assert not handle.closed

    def test_with(self, doc, make):
        handle = make(doc)
        with handle as entered:
            assert entered is handle
            assert not handle.closed
        assert handle.closed

    def test_with_closes_after_an_exception_and_lets_it_pass(self, doc, make):
        handle = make(doc)
        with pytest.raises(KeyError, match="mine"), handle:
            raise KeyError("mine")
        assert handle.closed

    def test_closing_inside_with(self, doc, make):
        with make(doc) as handle:
            handle.close()
        assert handle.closed

    def test_with_on_a_closed_handle_raises(self, doc, make):
        handle = make(doc)
        handle.close()
        with pytest.raises(ClosedError), handle:
            raise AssertionError("entered")

    def test_with_inside_with(self, doc, make):
        with make(doc) as handle:
            with handle:
                pass
            assert handle.closed

    def test_repr_tells_the_state(self, doc, make):
        handle = make(doc)
        assert type(handle).__name__ in repr(handle)
        before = repr(handle)
        handle.close()
        assert type(handle).__name__ in repr(handle)
        assert "closed" in repr(handle)
        assert repr(handle) != before

    def test_equality_and_hash_survive(self, doc, make):
        handle = make(doc)
        before = hash(handle)
        handle.close()
        assert hash(handle) == before
        assert handle == handle
        assert handle != object()

    def test_weak_references(self, doc, make):
        handle = make(doc)
        reference = weakref.ref(handle)
        assert reference() is handle
        handle.close()
        assert reference() is handle

    def test_a_weak_reference_callback_may_use_others(self, make):
        doc, other = parse("<a/>"), parse("<b/>")
        seen = []
        handle = make(doc)
        reference = weakref.ref(handle, lambda _: seen.append((other.root.name, other.close())))
        del handle, doc
        gc.collect()
        assert seen == [("b", None)]
        assert reference() is None


def test_count_right_after_close():
    before = live_handles()["Document"]
    doc = parse("<a/>")
    node = doc.root
    assert live_handles()["Document"] == before + 1
    doc.close()
    assert live_handles()["Document"] == before
    del doc, node
    assert live_handles()["Document"] == before


def test_an_unclosed_document_is_released():
    before = live_handles()["Document"]
    doc = parse("<a/>")
    del doc
    gc.collect()
    assert live_handles()["Document"] == before


def test_close_while_an_iterator_lives():
    doc = parse("<a><b/><c/></a>")
    elements = iter(doc.root)
    b = next(elements)
    doc.close()
    for use in (lambda: next(elements), lambda: list(elements), lambda: b.name):
        with pytest.raises(ClosedError):
            use()


def test_close_inside_a_loop():
    doc = parse("<a><b/><c/></a>")
    with pytest.raises(ClosedError):
        for _ in doc.root:
            doc.close()


def test_close_before_the_first_step():
    doc = parse("<a/>")
    elements = iter(doc.root)
    doc.close()
    with pytest.raises(ClosedError):
        next(elements)


def test_close_while_contexts_and_results_live():
    doc = parse("<a k='v'>x<b/></a>")
    contexts = [doc.xpath_new_context() for _ in range(10)]
    contexts[3].set_node(doc.root)
    found = [node for context in contexts for node in context.eval("//node()|//@*|/")]
    doc.close()
    assert all(context.closed for context in contexts)
    for node in found:
        with pytest.raises(ClosedError):
            node.name
    assert live_handles()["XPathContext"] == live_handles()["Document"] == 0


def test_a_child_outlives_its_parents_last_reference():
    doc = parse("<a><b>x</b></a>")
    context, b, elements = doc.xpath_new_context(), doc.root.children[0], iter(doc.root)
    del doc
    gc.collect()
    parse("<z/>")
    assert b.text == "x"
    assert context.eval("//b") == [b] == list(elements)
    del context, elements
    gc.collect()
    assert b.parent.name == "a"
    b.document.close()
    with pytest.raises(ClosedError):
        b.text


def test_closing_the_parent_through_a_child():
    root = parse("<a/>").root
    with root.document:
        assert root.name == "a"
    with pytest.raises(ClosedError):
        root.name


@pytest.mark.parametrize("order", ["context first", "document first", "by the collector"])
def test_any_order_of_release(order):
    doc = parse("<a/>")
    context = doc.xpath_new_context()
    if order == "context first":
        context.close()
        doc.close()
    elif order == "document first":
        doc.close()
        context.close()
    else:
        cycle = [doc, context]
        cycle.append(cycle)
        del doc, context, cycle
        gc.collect()
    assert live_handles()["Document"] == live_handles()["XPathContext"] == 0


def test_closing_in_a_finalizer():
    class Owner:
        def __init__(self):
            self.doc = parse("<a/>")
            self.context = self.doc.xpath_new_context()
            self.itself = self

        def __del__(self):
            closed.append(self.context.eval("count(//a)"))
            self.doc.close()

    closed = []
    for _ in range(10):
        Owner()
    gc.collect()
    assert closed == [1.0] * 10


def test_closing_does_not_touch_other_documents():
    docs = [parse(f"<a>{i}</a>") for i in range(100)]
    for doc in docs[::2]:
        doc.close()
    parse("<z>" + "z" * 1000 + "</z>")
    assert [doc.root.text for doc in docs[1::2]] == [str(i) for i in range(1, 100, 2)]


def test_a_failing_body_in_nested_with(doc):
    context = doc.xpath_new_context()
    with pytest.raises(ZeroDivisionError), doc, context:
        1 / 0
    assert doc.closed and context.closed


PROGRAMS = {
    "at exit": "doc = xml_safe.parse('<a/>'); context = doc.xpath_new_context(); root = doc.root; it = iter(root)",
    "in a cycle at exit": "c = [xml_safe.parse('<a/>').root]; c.append(c)",
    "in a module at exit": "import sys; sys.kept = xml_safe.parse('<a/>').xpath_new_context()",
    "in an exit handler": (
        "import atexit; doc = xml_safe.parse('<a/>'); atexit.register(lambda: print(doc.root.name, doc.close()))"
    ),
    "after an error": "doc = xml_safe.parse('<a/>'); it = iter(doc.root); doc.xpathEval('//a[')",
    "in a daemon thread": (
        "import threading; doc = xml_safe.parse('<a>' + '<b/>' * 1000 + '</a>'); started = threading.Event()\n"
        "def work():\n while True:\n  started.set(); doc.xpathEval('count(//*)')\n"
        "threading.Thread(target=work, daemon=True).start(); started.wait()"
    ),
    "in a finalizer at exit": (
        "class Owner:\n def __init__(self): self.doc = xml_safe.parse('<a/>')\n"
        " def __del__(self): self.doc.root.name; self.doc.close()\nowner = Owner()"
    ),
    "in a forked child": (
        "import os; doc = xml_safe.parse('<a><b/></a>'); context = doc.xpath_new_context(); pid = os.fork()\n"
        "if not pid:\n assert context.eval('count(//b)') == 1; doc.close()\n"
        " xml_safe.parse('<a/>').root; raise SystemExit(0)\n"
        "assert os.waitpid(pid, 0)[1] == 0; assert context.eval('count(//b)') == 1; doc.close()"
    ),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_end_of_the_process(program, run_python):
    ended = run_python("-X", "faulthandler", "-c", f"import xml_safe\n{PROGRAMS[program]}")
    if program == "after an error":
        assert ended.returncode == 1
        assert "XPathError" in ended.stderr
    else:
        assert (ended.returncode, ended.stderr) == (0, "")


def test_closing_a_large_document(watchdog):
    doc = parse("<a>" + "<b><c k='v'>x</c></b>" * 100_000 + "</a>")
    nodes = doc.xpathEval("//c")
    assert len(nodes) == 100_000
    doc.close()
    with pytest.raises(ClosedError):
        nodes[-1].text
