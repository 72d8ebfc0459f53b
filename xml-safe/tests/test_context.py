"""XPath contexts as handles of their own."""

import gc
import weakref

import pytest
from xml_safe import (
    BusyError,
    ClosedError,
    Handle,
    XPathContext,
    XPathError,
    XPathLimitError,
    live_handles,
    parse,
)


@pytest.fixture
def context(doc):
    return doc.xpath_new_context()


def test_a_context_is_a_handle(context):
    assert isinstance(context, XPathContext)
    assert isinstance(context, Handle)
    assert not context.closed
    assert "XPathContext" in repr(context)


def test_eval(doc, context):
    assert [n.text for n in context.eval("//b")] == ["one", "two"]
    assert context.eval("//b") == doc.xpathEval("//b")
    assert context.eval("count(//b)") == 2.0
    assert context.eval("string(//b)") == "one"
    assert context.eval("//b = 'one'") is True


def test_register_ns():
    doc = parse("<p:a xmlns:p='urn:p'><b xmlns='urn:q'/></p:a>")
    with doc.xpath_new_context() as context:
        for prefix in ("x", "q"):
            with pytest.raises(XPathError):
                context.eval(f"//{prefix}:a")
        context.register_ns("x", "urn:p")
        context.register_ns("q", "urn:q")
        assert context.eval("/x:a") == [doc.root]
        assert context.eval("/x:a/q:b") == list(doc.root)
        assert context.eval("//x:b") == []


def test_registering_again_replaces():
    doc = parse("<a xmlns='urn:1'/>")
    with doc.xpath_new_context() as context:
        for _ in range(10):
            context.register_ns("p", "urn:1")
            assert len(context.eval("//p:a")) == 1
            context.register_ns("p", "urn:2")
            assert context.eval("//p:a") == []


def test_a_registered_name_is_copied():
    doc = parse("<a xmlns='urn:1'/>")
    with doc.xpath_new_context() as context:
        for i in range(100):
            context.register_ns("".join(["p", str(i)]), "".join(["urn", ":", "1"]))
        gc.collect()
        assert all(len(context.eval(f"//p{i}:a")) == 1 for i in range(100))


def test_a_prefix_is_registered_in_one_context_only(doc, context):
    context.register_ns("p", "urn:p")
    assert context.eval("//p:b") == []
    with doc.xpath_new_context() as other, pytest.raises(XPathError):
        other.eval("//p:b")
    with pytest.raises(XPathError):
        doc.xpathEval("//p:b")


def test_a_registered_prefix_outlives_mistakes(context):
    context.register_ns("p", "urn:p")
    for expr in ("//p:b[", "foo()", "//q:b", "//b[foo()]"):
        with pytest.raises(XPathError):
            context.eval(expr)
        assert context.eval("//p:b") == []


def test_register_ns_of_wrong_types(context):
    for arguments in ((None, "u"), ("p", 1), (b"p", "u"), ("p", b"u"), ("p",), (), ("p", "u", "v")):
        with pytest.raises(TypeError):
            context.register_ns(*arguments)
    for arguments in (("p\0", "u"), ("p", "u\0"), ("\ud800", "u"), ("p", "\ud800")):
        with pytest.raises(ValueError):
            context.register_ns(*arguments)


def test_strange_prefixes(context, capfd):
    for arguments in (
        ("", "u"),
        ("p", ""),
        ("", ""),
        ("a b", "u"),
        (":", "u"),
        ("é", "u"),
        ("xml", "u"),
        ("p" * 100_000, "u"),
    ):
        try:
            context.register_ns(*arguments)
        except (ValueError, XPathError) as error:
            assert str(error)
    assert len(context.eval("//b")) == 2
    assert capfd.readouterr() == ("", "")


def test_set_node(doc, context):
    b = doc.xpathEval("//b")[0]
    context.set_node(b)
    assert context.eval(".") == [b]
    assert context.eval("string(@k)") == "v"
    context.set_node(doc.root)
    assert context.eval(".") == [doc.root]
    context.set_node(doc.xpathEval("//@k")[0])
    assert context.eval("..") == [b]
    context.set_node(doc.xpathEval("/")[0])
    assert context.eval("r") == [doc.root]


def test_absolute_paths_need_no_node(doc, context):
    assert context.eval("/r") == [doc.root]
    assert [n.type for n in context.eval("/")] == ["document"]


def test_the_node_stays_set(doc, context):
    b = doc.xpathEval("//b")[0]
    context.set_node(b)
    for _ in range(3):
        context.eval("//text()[1]/..")
        assert context.eval(".") == [b]
        with pytest.raises(XPathError):
            context.eval("//b[foo()]")
        assert context.eval(".") == [b]


def test_the_set_node_may_be_forgotten(doc, context):
    context.set_node(doc.xpathEval("//b")[0])
    gc.collect()
    assert context.eval("string(.)") == "one"


def test_set_node_of_another_document(doc, context):
    other = parse("<r/>")
    context.set_node(doc.root)
    with pytest.raises(ValueError) as caught:
        context.set_node(other.root)
    assert not isinstance(caught.value, ClosedError)
    assert str(caught.value)
    assert context.eval(".") == [doc.root]


def test_set_node_of_a_closed_document(doc, context):
    node = parse("<r/>").root
    node.document.close()
    with pytest.raises(ValueError):
        context.set_node(node)
    assert context.eval("/r") == [doc.root]


@pytest.mark.parametrize("node", ["//b", 1, object(), [], b"x"])
def test_set_node_of_something_else(context, node):
    with pytest.raises(TypeError):
        context.set_node(node)
    assert len(context.eval("//b")) == 2


def test_many_contexts_on_one_document(doc):
    contexts = [doc.xpath_new_context() for _ in range(100)]
    for i, context in enumerate(contexts):
        context.register_ns("p", f"urn:{i}")
    for context in contexts[::2]:
        context.close()
    assert all(len(context.eval("//b")) == 2 for context in contexts[1::2])
    assert all(context.closed for context in contexts[::2])


def test_a_context_keeps_its_document_alive():
    doc = parse("<a><b>x</b></a>")
    context = doc.xpath_new_context()
    reference = weakref.ref(doc)
    del doc
    gc.collect()
    assert context.eval("string(//b)") == "x"
    assert reference() is not None
    context.close()
    del context
    gc.collect()
    assert reference() is None


def test_results_outlive_their_context(doc):
    context = doc.xpath_new_context()
    found = context.eval("//b")
    text = context.eval("string(//b)")
    context.close()
    del context
    gc.collect()
    assert [n.text for n in found] == ["one", "two"]
    assert text == "one"


def test_closing_a_context_leaves_the_document_open(doc, context):
    context.close()
    assert context.closed
    assert not doc.closed
    assert doc.root.name == "r"
    with pytest.raises(ClosedError):
        context.eval("//b")


def test_closing_the_document_closes_its_contexts():
    doc = parse("<a/>")
    contexts = [doc.xpath_new_context() for _ in range(3)]
    contexts[1].close()
    doc.close()
    assert live_handles()["XPathContext"] == 0
    for context in contexts:
        assert context.closed
        assert "closed" in repr(context)
        for use in (
            lambda: context.eval("//a"),
            lambda: context.register_ns("p", "urn:p"),
            lambda: context.__enter__(),
        ):
            with pytest.raises(ClosedError):
                use()
        context.close()


def test_a_context_counts_until_it_is_closed(doc):
    before = live_handles()["XPathContext"]
    with doc.xpath_new_context():
        assert live_handles()["XPathContext"] == before + 1
    assert live_handles()["XPathContext"] == before
    doc.xpath_new_context()
    gc.collect()
    assert live_handles()["XPathContext"] == before


def test_a_context_of_a_node_is_independent_of_the_node(doc):
    context = doc.xpath_new_context()
    for b in doc.root:
        context.set_node(b)
    del b
    gc.collect()
    assert context.eval("name(.)") == "c"


# Functions


def test_functions_are_those_of_one_evaluation(doc, context):
    assert context.eval("f('a', //b, 1, true())", functions={"f": lambda *given: len(given)}) == 4.0
    assert context.eval("//b[f(.)]", functions={"f": lambda nodes: nodes[0].text == "two"}) == [list(doc.root)[1]]
    with pytest.raises(XPathError, match="f"):
        context.eval("f()")
    with pytest.raises(XPathError):
        context.eval("g()", functions={"f": len})
    assert context.eval("1", functions={}) == 1.0
    assert context.eval("1", functions=None) == 1.0


def test_functions_see_what_the_context_was_given(doc, context):
    b = doc.xpathEval("//b")
    context.register_ns("p", "urn:p")
    context.register_variable("v", 2)
    context.register_variable("{urn:p}nodes", b)
    context.set_node(b[1])
    functions = {"p:f": lambda value: value, "{urn:p}g": lambda nodes: nodes}
    assert context.eval("p:f($v) + p:f(3)", functions=functions) == 5.0
    assert context.eval("p:g($p:nodes)", functions=functions) == b
    assert context.eval("p:g(.)", functions=functions) == [b[1]]
    assert context.eval("$v + count($p:nodes)") == 4.0
    context.register_variable("v", 7)
    assert context.eval("p:f($v)", functions=functions) == 7.0
    with pytest.raises(ValueError, match="prefix"):
        context.eval("1", functions={"q:f": len})


def test_functions_leave_nothing_for_other_evaluations(doc, context):
    context.register_ns("p", "urn:p")
    context.register_variable("v", 2)
    context.set_node(list(doc.root)[0])
    assert context.eval("f($v)", functions={"f": lambda value: value}) == 2.0
    for expression in ("$v", "f(1)", "//p:b"):
        with pytest.raises(XPathError):
            doc.xpathEval(expression)
    assert doc.xpathEval("name(.)") == ""


def test_functions_that_fail(doc, context):
    def failing(*_):
        raise KeyError("mine")

    for _ in range(3):
        with pytest.raises(KeyError, match="mine"):
            context.eval("//b[f()]", functions={"f": failing})
        assert context.eval("count(//b)") == 2.0
    for functions, error in (
        ({"f": 1}, TypeError),
        ({1: len}, TypeError),
        ([], TypeError),
        ({"count": len}, ValueError),
    ):
        with pytest.raises(error):
            context.eval("1", functions=functions)
    with pytest.raises(TypeError):
        context.eval("f()", functions={"f": object})
    with pytest.raises(XPathLimitError):
        context.eval("//b[f()]", functions={"f": lambda: 1}, max_operations=1)
    with pytest.raises(XPathLimitError):
        context.eval("((f()))", functions={"f": lambda: 1}, max_depth=1)
    with pytest.raises(XPathError):
        context.eval("f()[", functions={"f": len})


def test_functions_use_the_document_but_not_the_context(doc, context):
    assert context.eval("f()", functions={"f": lambda: doc.xpathEval("count(//b)")}) == 2.0
    for use in (
        lambda: context.eval("1"),
        lambda: context.eval("f()", functions={"f": len}),
        lambda: context.set_node(doc.root),
        lambda: context.register_ns("p", "urn:p"),
        lambda: doc.root.clear(),
        context.close,
        doc.close,
    ):
        with pytest.raises(BusyError):
            context.eval("f()", functions={"f": use})
    assert context.eval("count(//b)") == 2.0


def test_functions_of_a_context_with_removed_nodes(doc, context):
    b = doc.xpathEval("//b")[0]
    context.set_node(b)
    context.register_variable("v", b)
    b.remove()
    assert context.eval("f(.) | $v", functions={"f": lambda nodes: nodes}) == [b]
    k = b.xpathEval("@k")[0]
    context.set_node(k)
    k.remove()
    with pytest.raises(ValueError, match="taken out"):
        context.eval("f()", functions={"f": len})


def test_functions_are_released(doc, context):
    class Function:
        def __call__(self):
            return 1

    function = Function()
    reference = weakref.ref(function)
    assert context.eval("f()", functions={"f": function}) == 1.0
    del function
    gc.collect()
    assert reference() is None
