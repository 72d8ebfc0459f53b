"""Nothing is lost: live handles are counted, and the allocator's bytes stand still."""

import gc
import os
import sys

import pytest
import xml_safe
from xml_safe import Error, live_handles, parse, parse_file

CALLS = int(os.environ.get("LEAKPROOF_CALLS", "30000"))
FEW = 64 * 1024

XML = "<r xmlns:p='urn:p' a='1'><b k='v'>one</b><b>two</b><p:c/><!--c--><?do it?></r>"
EXPRESSIONS = {
    "matching": "//b[@k='v']",
    "attributes and text": "//@* | //text() | //comment()",
    "namespaces": "//namespace::*",
    "string": "string(//b)",
    "number": "count(//b)",
    "boolean": "//b = 'one'",
    "empty": "//zz",
    "syntactically bad": "//b[",
    "empty expression": "",
    "unknown function": "//b[foo(//b)]",
    "unknown function inside": "concat('a', string(//b), foo())",
    "unbound prefix": "//q:b",
    "unbound prefix of a function": "q:foo()",
    "unknown variable": "$v",
    "wrong number of arguments": "count(//b, //b)",
    "wrong type of argument": "count('x')",
    "wrong type inside a union": "//b | 'x'",
    "wrong Python type": 1,
    "bytes": b"//b",
    "a NUL": "//b\0",
    "a surrogate": "'\ud800'",
}


def swallow(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except (Error, TypeError, ValueError, OSError):
        pass


def test_live_handles():
    counts = live_handles()
    assert {"Document", "XPathContext"} <= counts.keys()
    assert all(isinstance(name, str) and type(n) is int for name, n in counts.items())
    assert live_handles() is not counts


def test_live_handles_counts():
    before = live_handles()
    docs = [parse(XML) for _ in range(10)]
    contexts = [doc.xpath_new_context() for doc in docs for _ in range(3)]
    counts = live_handles()
    assert counts["Document"] == before["Document"] + 10
    assert counts["XPathContext"] == before["XPathContext"] + 30
    contexts[0].close()
    docs[1].close()
    counts = live_handles()
    assert counts["Document"] == before["Document"] + 9
    assert counts["XPathContext"] == before["XPathContext"] + 26
    del docs, contexts
    gc.collect()
    assert live_handles() == before


def test_nodes_and_results_are_not_handles():
    doc = parse(XML)
    before = live_handles()
    kept = [doc.root, doc.xpathEval("//b"), doc.xpathEval("//namespace::*"), iter(doc.root), doc.root.attributes]
    after = live_handles()
    assert {name: n for name, n in after.items() if name != "Node"} == {
        name: n for name, n in before.items() if name != "Node"
    }
    del kept


def test_counts_hold_inside_and_after_failing_calls():
    doc = parse(XML)
    before = live_handles()
    for expr in EXPRESSIONS.values():
        for evaluate in (doc.xpathEval, doc.root.xpathEval):
            swallow(evaluate, expr)
            assert live_handles() == before, expr
    for data in (b"", b"<a", b"\xff", b"<a></b>", None, "\ud800"):
        swallow(parse, data)
        assert live_handles() == before, data


def test_a_million_evaluations(native_bytes):
    """As many as LEAKPROOF_CALLS says: all kinds of success and failure, and not a byte stays behind."""
    doc = parse(XML)
    root, context = doc.root, doc.xpath_new_context()
    expressions = list(EXPRESSIONS.values())

    def evaluate(calls):
        for i in range(calls):
            expr = expressions[i % len(expressions)]
            swallow((doc.xpathEval, root.xpathEval, context.eval)[i // len(expressions) % 3], expr)

    evaluate(2000)
    handles, native, python = live_handles(), native_bytes(), sys.getallocatedblocks()
    evaluate(CALLS)
    assert live_handles() == handles
    assert native_bytes() - native < FEW
    assert sys.getallocatedblocks() - python < 1000


def everything_with_a_context(doc):
    context = doc.xpath_new_context()
    context.register_ns("p", "urn:p")
    context.register_ns("p", "urn:q")
    context.set_node(doc.root)
    context.eval("//p:c")
    swallow(context.eval, "//p:c[")
    swallow(context.register_ns, "p", 1)
    swallow(context.register_ns, "p", "\0")
    swallow(context.set_node, "x")
    return context


def read_every_property(doc):
    for node in (*doc.xpathEval("//node()|//@*|/"), doc.root):
        node.name, node.text, node.path, node.line, node.type, node.attributes, node.children, node.parent
        node.get("k"), node.get("zz"), list(node), node.to_string(), node.document, repr(node), hash(node)
        swallow(node.to_bytes, encoding="ascii")
        swallow(node.to_bytes, method="html")
        swallow(node.to_c14n)
        swallow(node.write, "/dev/full")
        swallow(node.write, None)
        swallow(node.get, 1)
        swallow(node.get, "k\0")


def use_what_is_closed(doc):
    context, root, elements = doc.xpath_new_context(), doc.root, iter(doc.root)
    next(elements)
    doc.close()
    for call in (context.eval, root.xpathEval, doc.xpathEval, root.get):
        swallow(call, "//b")
    swallow(next, elements)
    swallow(context.__enter__)
    doc.close()


def half_read_iterator(doc):
    next(iter(doc.root))


def in_a_cycle(doc):
    cycle = [doc, doc.root, doc.xpath_new_context()]
    cycle.append(cycle)


OTHER = "<r/>"
ACTIONS = {
    "open and close": lambda path: parse(XML).close(),
    "open and drop": lambda path: parse(XML),
    "with an unclosed context": lambda path: parse(XML).xpath_new_context(),
    "from bytes": lambda path: parse(XML.encode()),
    "from UTF-16": lambda path: parse(XML.encode("utf-16")),
    "from a file": lambda path: parse_file(path),
    "from a missing file": lambda path: swallow(parse_file, f"{path}.missing"),
    "from a directory": lambda path: swallow(parse_file, os.path.dirname(path)),
    "from a malformed file": lambda path: swallow(parse_file, f"{path}.bad"),
    "from malformed data": lambda path: swallow(parse, "<a xmlns:p='urn:p'><b k='v'>&x;</a>"),
    "from empty data": lambda path: swallow(parse, b""),
    "from the wrong encoding": lambda path: swallow(parse, b"<?xml version='1.0' encoding='nope'?><a/>"),
    "from what is not UTF-8": lambda path: swallow(parse, b"<a>\xff</a>"),
    "recovered": lambda path: parse("<a><b>&x;</a>", recover=True),
    "recovered from nothing": lambda path: swallow(lambda: parse(" ", recover=True)),
    "with a DTD": lambda path: parse(
        "<!DOCTYPE a [<!ENTITY e 'x'><!ATTLIST a k ID 'd'>]><a>&e;</a>", resolve_entities=True
    ),
    "with an external entity": lambda path: swallow(
        lambda: parse("<!DOCTYPE a [<!ENTITY e SYSTEM 'x'>]><a>&e;</a>", resolve_entities=True)
    ),
    "with a missing DTD": lambda path: swallow(lambda: parse("<!DOCTYPE a SYSTEM 'missing'><a/>", load_dtd=True)),
    "with an entity loop": lambda path: swallow(parse, "<!DOCTYPE a [<!ENTITY a '&b;'><!ENTITY b '&a;'>]><a>&a;</a>"),
    "contexts": lambda path: everything_with_a_context(parse(XML)).close(),
    "contexts left to their document": lambda path: everything_with_a_context(parse(XML)).eval("1"),
    "a node of another document": lambda path: swallow(parse(XML).xpath_new_context().set_node, parse(OTHER).root),
    "every property": lambda path: read_every_property(parse(XML)),
    "use after close": lambda path: use_what_is_closed(parse(XML)),
    "a half-read iterator": lambda path: half_read_iterator(parse(XML)),
    "a cycle": lambda path: in_a_cycle(parse(XML)),
    "deep": lambda path: parse("<a>" * 200 + "</a>" * 200).xpathEval("//a"),
    **{
        f"evaluating: {name}": lambda path, expr=expr: swallow(parse(XML).xpathEval, expr)
        for name, expr in EXPRESSIONS.items()
    },
}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS.keys())
def test_repeating_loses_nothing(action, native_bytes, tmp_path):
    path = str(tmp_path / "a.xml")
    for name, data in ((path, XML), (f"{path}.bad", "<a>")):
        with open(name, "w") as file:
            file.write(data)
    # Python 3.14 and newer collect garbage when there are about 500 cycles. Tables grow until then.
    for _ in range(1000):
        action(path)
    native, python, handles = native_bytes(), sys.getallocatedblocks(), live_handles()
    for _ in range(2000):
        action(path)
    assert native_bytes() - native < FEW
    assert sys.getallocatedblocks() - python < 500
    assert live_handles() == handles


def test_a_large_document_is_given_back(native_bytes):
    data = "<a>" + "<b k='v'>text</b>" * 50_000 + "</a>"
    parse(data).close()
    before = native_bytes()
    doc = parse(data)
    held = native_bytes() - before
    doc.close()
    assert held > 5_000_000
    assert native_bytes() - before < FEW


def test_close_gives_back_although_nodes_live(native_bytes):
    data = "<a>" + "<b k='v'>text</b>" * 50_000 + "</a>"
    parse(data).close()
    before = native_bytes()
    doc = parse(data)
    nodes = doc.xpathEval("/a/b[position() < 10]")
    doc.close()
    assert native_bytes() - before < FEW
    assert len(nodes) == 9


def test_the_counts_are_the_modules_own():
    assert xml_safe.live_handles is live_handles
    with pytest.raises(TypeError):
        live_handles("Document")
