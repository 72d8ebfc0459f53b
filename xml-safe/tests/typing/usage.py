"""Checked by `mypy --strict`, never run: the types that a user of the package sees."""

import gzip
import io
import os
import sys
from pathlib import Path

from typing_extensions import assert_type
from xml_safe import (
    AttributeDeclaration,
    Attributes,
    BusyError,
    Children,
    ClosedError,
    Document,
    Dtd,
    Entity,
    Error,
    Handle,
    Node,
    Notation,
    ParseError,
    XPath,
    XPathContext,
    XPathError,
    XPathLimitError,
    live_handles,
    parse,
    parse_file,
)


def parsing(path: str | bytes | os.PathLike[str]) -> None:
    assert_type(parse("<a/>"), Document)
    assert_type(parse(b"<a/>", recover=True, huge=True, no_blanks=True, resolve_entities=True), Document)
    assert_type(parse("<a/>", load_dtd=True, no_cdata=True), Document)
    assert_type(parse_file("a.xml"), Document)
    assert_type(parse_file(b"a.xml", recover=True), Document)
    assert_type(parse_file(Path("a.xml"), decompress=True), Document)
    parse_file(path)
    parse(1)  # type: ignore[arg-type]
    parse(Path("a.xml"))  # type: ignore[arg-type]
    parse("<a/>", True)  # type: ignore[call-arg, misc, unused-ignore]
    parse("<a/>", decompress=True)  # type: ignore[call-arg]
    parse_file(0)  # type: ignore[arg-type]
    parse_file(None)  # type: ignore[arg-type]


def documents(document: Document) -> None:
    handle: Handle = document
    assert_type(handle.closed, bool)
    handle.close()
    with document as entered:
        assert_type(entered, Document)
    assert_type(document.root, Node | None)
    document.root = document.create_element("a")
    document.append(document.create_comment("c"))
    assert_type(document.append_element("a", "text", {"k": "v"}), Node)
    document.set_doctype("a", None, system_id="a.dtd")
    assert_type(document.get_by_id("x"), Node | None)
    assert_type(document.dtd, Dtd | None)
    if document.dtd is not None:
        assert_type(document.dtd.external, Dtd | None)
        assert_type(document.dtd.entities, dict[str, Entity])
        assert_type(document.dtd.notations, dict[str, Notation])
        assert_type(document.dtd.elements, dict[str, str])
        assert_type(document.dtd.attributes, list[AttributeDeclaration])
        document.dtd.name = "x"  # type: ignore[misc]
    assert_type(document.xpath_new_context(), XPathContext)
    document.root.name  # type: ignore[union-attr]
    document.root = None  # type: ignore[misc, assignment, unused-ignore]
    document.closed = True  # type: ignore[misc]
    document.missing  # type: ignore[attr-defined]


def nodes(node: Node) -> None:
    assert_type(node.name, str | None)
    assert_type(node.insert(0, node), None)
    assert_type(node.index(node), int)
    assert_type(node.namespace, str | None)
    assert_type(node.prefix, str | None)
    assert_type(node.namespaces, dict[str | None, str])
    node.namespace = "urn:x"
    node.namespace = None
    node.declare_namespace(None, "urn:x")
    len(node)  # type: ignore[arg-type]
    node[0]  # type: ignore[index]
    assert_type(node.head + node.tail, str)
    node.head = node.tail = "text"
    node.tail = None  # type: ignore[assignment]
    assert_type(list(node.iter("a", type="element")), list[Node])
    assert_type(next(node.iter(type=("text", "cdata"))), Node)
    node.iter(1)  # type: ignore[arg-type]
    assert_type(node.type, str)
    assert_type(node.attributes, Attributes)
    assert_type(node.attributes.items(), list[tuple[str, str]])
    assert_type(node.attributes["k"], str)
    assert_type(node.attributes.node("k"), Node | None)
    assert_type(node.attributes.nodes(), list[Node])
    assert_type(node.attributes.popitem(), tuple[str, str])
    assert_type(node.attributes.setdefault("k", "v"), str)
    node.attributes.update({"k": "v"}, l="w")
    node.attributes.update([("k", "v")])
    node.attributes.update({"k": 1})  # type: ignore[arg-type]
    node.put_attribute(node)
    assert_type(node.path, str | None)
    assert_type(node.parent, Node | None)
    assert_type(node.children, Children)
    for child in node.children:
        assert_type(child, Node)
    node.undeclare_namespace("p")
    node.cleanup_namespaces(keep_prefixes=["p", None])
    assert_type(node.document, Document)
    assert_type(node.to_string(), str)
    assert_type(node.to_string(method="html", declaration=None, indent=True, standalone=None), str)
    assert_type(node.to_bytes(), bytes)
    assert_type(node == node, bool)
    assert_type(hash(node), int)
    for child in node:
        assert_type(child, Node)
    text: str | None = node.text
    line: int | None = node.line
    value: str | None = node.get("k")
    print(text, line, value, node.get("k", "default"), node.get("k", default=None))
    node.get(1)  # type: ignore[arg-type]
    node.get(b"k")  # type: ignore[arg-type]
    node.name = "b"
    node.text = "c"
    node.line = 1  # type: ignore[misc]


def writing(document: Document, node: Node, descriptor: int) -> None:
    for each in (document, node):
        assert_type(each.to_string(method="xhtml", indent=True), str)
        assert_type(each.to_bytes(encoding="UTF-16", method="xml", declaration=True, standalone=False), bytes)
        assert_type(each.to_c14n(), bytes)
        assert_type(each.to_c14n(version="1.1", comments=True), bytes)
        assert_type(each.to_c14n(version="1.0", exclusive=True, inclusive_prefixes=["p"]), bytes)
        assert_type(each.write("a.xml"), None)
        assert_type(each.write(b"a.xml", encoding="UTF-8"), None)
        assert_type(each.write_c14n(Path("a.xml"), exclusive=True), None)
        each.write(descriptor)
        each.write(io.BytesIO())
        each.write(gzip.open("a.gz", "wb"))
        each.write(sys.stdout.buffer)
        with open("a.xml", "wb") as file:
            each.write(file, indent=True)
            each.write_c14n(file)
        each.to_string("xml")  # type: ignore[call-arg, misc, unused-ignore]
        each.to_string(method="XML")  # type: ignore[arg-type]
        each.to_string(encoding="UTF-8")  # type: ignore[call-arg]
        each.to_bytes(encoding=None)  # type: ignore[arg-type]
        each.to_c14n(version="2.0")  # type: ignore[arg-type]
        each.write(sys.stdout)  # type: ignore[arg-type]
        each.write(None)  # type: ignore[arg-type]
        each.write()  # type: ignore[call-arg]


def evaluating(document: Document, node: Node) -> None:
    with document.xpath_new_context() as context:
        assert_type(context, XPathContext)
        context.eval("f()", functions={"f": len})
        assert_type(context.register_ns("p", "urn:p"), None)
        assert_type(context.set_node(node), None)
        context.set_node("b")  # type: ignore[arg-type]
        context.register_ns("p")  # type: ignore[call-arg]
        assert_type(context.register_variable("v", [node]), None)
        context.register_variable(("urn:p", "v"), 1)
        context.register_variable("v", None)  # type: ignore[arg-type]
        context.eval("b", max_operations=1, max_depth=None)
        context.eval(b"//b")  # type: ignore[arg-type]
        for result in (document.xpathEval("//b"), node.xpathEval("b"), context.eval("b")):
            if isinstance(result, list):
                for item in result:
                    if isinstance(item, Node):
                        assert_type(item, Node)
                    else:
                        prefix, uri = item
                        assert_type(prefix, str | None)
                        assert_type(uri, str)
            elif isinstance(result, str):
                assert_type(result, str)
            else:
                number: float | bool = result
                print(number)
    prefixes = {"p": "urn:p"}
    variables = {"v": 1}
    for evaluate in (document.xpathEval, node.xpathEval):
        evaluate("//p:b[$v]", namespaces=prefixes, variables=variables, max_operations=1000, max_depth=10)
        evaluate("$v", variables={"v": "x", ("urn:p", "w"): [node], "x": node, "y": document, "z": True})
        evaluate("f($v)", functions={"f": len, ("urn:p", "g"): lambda nodes: nodes[0]})
        evaluate("$v", variables={"v": None})  # type: ignore[dict-item]
        evaluate("f()", functions={"f": 1})  # type: ignore[dict-item]
        evaluate("p:b", namespaces={"p": 1})  # type: ignore[dict-item]
        evaluate("b", prefixes)  # type: ignore[call-arg]
    find = XPath("//p:b[f($v)]", namespaces=prefixes, functions={"f": len}, max_operations=1000, max_depth=10)
    assert_type(find.expression, str)
    find(document, variables=variables)
    find(node)
    find("b")  # type: ignore[arg-type]
    XPath(1)  # type: ignore[arg-type]
    document.xpathEval(1)  # type: ignore[arg-type]
    document.xpathEval()  # type: ignore[call-arg]


def errors() -> None:
    try:
        parse("<a>")
    except ParseError as error:
        assert_type(error.message, str)
        assert_type(error.code, int)
        line: int | None = error.line
        column: int | None = error.column
        file: str | os.PathLike[str] | None = error.file
        print(line, column, file)
        for each in error.errors:
            assert_type(each.message, str)
            assert_type(each.code, int)
            print(each.line, each.column, each.level)
    try:
        parse("<a/>").xpathEval("//a[")
    except XPathError as failure:
        assert_type(failure.message, str)
        assert_type(failure.code, int)
        assert_type(failure.name, str | None)
        assert_type(failure.position, int | None)
    limit: type[XPathError] = XPathLimitError
    wide: type[Error] = ClosedError
    value: type[ValueError] = ClosedError
    busy: type[Error] = BusyError
    print(limit, wide, value, busy)


def counting() -> None:
    assert_type(live_handles(), dict[str, int])


class Renamed(ParseError):
    def __init__(self, number: int) -> None:
        super().__init__(f"number {number}", line=number)


def exceptions() -> None:
    assert_type(ParseError("made"), ParseError)
    assert_type(ParseError("made", 3, column=4).line, int)
    assert_type(XPathError("made", expression=None).expression, str | None)
    assert_type(Renamed(3), Renamed)
    assert_type(Renamed(3).column, int)
    Error("made", 3)
    ParseError()  # type: ignore[call-arg]
    ParseError("made", line="3")  # type: ignore[arg-type]
    ParseError("made", other=3)  # type: ignore[call-arg]
