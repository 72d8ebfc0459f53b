"""The operations of the fault-injection sweep: every public function and property, succeeding and failing.

libxml2's own counting allocator is installed before xml_safe is imported, so that a block that is left shows.
"""

import copy as copying
import ctypes
import ctypes.util
import io
import os
import pickle
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pytest_leakproof.sweep import Operation


def install_counting_allocator() -> ctypes.CDLL:
    libxml2 = ctypes.CDLL(ctypes.util.find_library("xml2"))
    functions = libxml2.xmlMemFree, libxml2.xmlMemMalloc, libxml2.xmlMemRealloc, libxml2.xmlMemoryStrdup
    if libxml2.xmlMemSetup(*functions) != 0:
        raise OSError("libxml2 does not take its own allocator")
    return libxml2


libxml2 = install_counting_allocator()

import xml_safe as MODULE
from xml_safe import (
    ClosedError,
    Document,
    Dtd,
    Node,
    ParseError,
    XIncludeError,
    XPath,
    XPathContext,
    XPathError,
    XPathLimitError,
    parse,
    parse_file,
)


def blocks() -> int:
    # The last error of the thread is kept until the next one: that is one message, not a leak.
    libxml2.xmlResetLastError()
    return int(libxml2.xmlMemBlocks())


before = blocks()
with parse("<a/>"):
    assert blocks() > before, "xml_safe does not use the libxml2 that counts"

XML = """<!DOCTYPE r [<!ENTITY e "entity"><!ENTITY unused SYSTEM "nowhere">
<!ENTITY used_later "<x>&e;</x>&#33;">]>
<r xmlns:p="urn:p" a="1" p:b="2"><b k="v">one</b>two<p:c/><!--comment--><?do it?><![CDATA[data]]>&e;</r>"""
BAD = "<a><b></a>"
EXTERNAL = '<!DOCTYPE r [<!ENTITY e SYSTEM "nowhere"><!ENTITY f "&e;">]><r>&f;</r>'

WITH_DTD = "<!DOCTYPE r SYSTEM 'x.dtd'><r>&e;</r>"
WITH_ENTITY = "<!DOCTYPE r [<!ENTITY % p SYSTEM 'x.dtd'>%p;<!ENTITY f SYSTEM 'x.xml'>]><r>&e;&f;</r>"
LONG = "<a>" + "\n" * 66_000 + "<b/><!--c--><?p?></a>"

folder = tempfile.TemporaryDirectory()
Path(folder.name, "x.dtd").write_text("<!ENTITY e 'read'>")
Path(folder.name, "x.xml").write_text("<x>text</x>")


def resolve(system: str | None, public: str | None) -> str:
    assert system is not None
    return Path(folder.name, Path(system).name).read_text()


good_file, bad_file, missing_file = (Path(folder.name, name) for name in ("good.xml", "bad.xml", "missing.xml"))
good_file.write_text(XML)
bad_file.write_text(BAD)


def document() -> Document:
    return parse(XML)


def large() -> Document:
    """Returns a document whose evaluation takes long enough to look for signals."""
    return parse("<r>" + "<b/>" * 600 + "</r>")


def root_of(owner: Document) -> Node:
    root = owner.root
    assert root is not None
    return root


def node() -> Node:
    return root_of(document())


def context() -> XPathContext:
    made = document().xpath_new_context()
    made.register_ns("p", "urn:p")
    return made


def iterator() -> Iterator[Node]:
    return iter(node())


def first(owner: Document, expression: str) -> object:
    found = owner.xpathEval(expression)
    assert isinstance(found, list)
    return found[0]


def find(expression: str) -> Callable[[], object]:
    """Returns a function that finds the first node of an expression."""
    return lambda: first(document(), expression)


T = TypeVar("T")


def of_closed_document(make: Callable[[Document], T]) -> Callable[[], T]:
    """Returns a function that makes something of a document, and then closes the document."""

    def closed() -> T:
        owner = document()
        made = make(owner)
        owner.close()
        return made

    return closed


closed_document = of_closed_document(lambda owner: owner)
closed_node = of_closed_document(root_of)
closed_context = of_closed_document(lambda owner: owner.xpath_new_context())
closed_iterator = of_closed_document(lambda owner: iter(root_of(owner)))


def reading(name: str) -> Callable[[object], object]:
    """Returns a function that reads a property."""
    return lambda handle: getattr(handle, name)


def calling(name: str, *arguments: object) -> Callable[[object], object]:
    """Returns a function that calls a method."""
    return lambda handle: getattr(handle, name)(*arguments)


def parsing() -> Iterable[Operation]:
    for name, arguments in {
        "text": (XML,),
        "bytes": (XML.encode("utf-16"),),
    }.items():
        yield Operation(f"parse: {name}", lambda arguments=arguments: parse(*arguments))
    for option in ("recover", "huge", "no_blanks", "no_cdata", "resolve_entities", "load_dtd"):
        options: dict[str, Any] = {option: True}
        yield Operation(f"parse: {option}", lambda options=options: parse(XML, **options))
        yield Operation(f"parse_file: {option}", lambda options=options: parse_file(good_file, **options))
    yield Operation("Node.text: without a DTD", lambda: root_of(parse("<a>b<c>d</c></a>")).text)
    for name, external in {"folder": folder.name, "resolver": resolve}.items():
        yield Operation(
            f"parse: a DTD, by a {name}",
            lambda external=external: parse(WITH_DTD, load_dtd=True, resolve_entities=True, external=external),
        )
        yield Operation(
            f"parse: an entity, by a {name}",
            lambda external=external: parse(WITH_ENTITY, resolve_entities=True, external=external),
            # A document that lacks something external is parsed again, however the first time ended.
            swallows=True,
        )
    yield Operation("parse: a DTD, by nobody", lambda: parse(WITH_DTD, load_dtd=True), raises=ParseError)
    yield Operation("parse: many lines", lambda: parse(LONG))
    yield Operation(
        "parse: many encodings", lambda: [parse("<a>é</a>".encode(name)) for name in ("utf-16", "utf-8-sig")]
    )
    yield Operation("parse: a NUL, recovered", lambda: parse("<a>\0</a>", recover=True).errors)
    yield Operation("parse: malformed, recovered", lambda: parse(BAD, recover=True))
    yield Operation("parse: malformed", lambda: parse(BAD), raises=ParseError)
    yield Operation("parse: nothing", lambda: parse(b""), raises=ParseError)
    yield Operation("parse: a NUL", lambda: parse("<a>\0</a>"), raises=ParseError)
    yield Operation("parse: a surrogate", lambda: parse("\ud800"), raises=UnicodeEncodeError)
    yield Operation("parse: a number", lambda: parse(1), raises=TypeError)
    yield Operation("parse: an external entity", lambda: parse(EXTERNAL, resolve_entities=True), raises=ParseError)
    yield Operation("parse_file", lambda: parse_file(good_file))
    yield Operation("parse_file: decompress", lambda: parse_file(good_file, decompress=True))
    yield Operation("parse_file: malformed", lambda: parse_file(bad_file), raises=ParseError)
    yield Operation("parse_file: missing", lambda: parse_file(missing_file), raises=FileNotFoundError)
    yield Operation("parse_file: a NUL", lambda: parse_file("a\0"), raises=ValueError)
    yield Operation("parse_file: a number", lambda: parse_file(1), raises=TypeError)


EXPRESSIONS = {
    "nodes": "//node() | //@*",
    "namespaces": "//namespace::*",
    "nothing": "//zz",
    "a string": "string(//b)",
    "a number": "count(//b)",
    "a boolean": "//b = 'one'",
}
FAILING_EXPRESSIONS: dict[str, tuple[object, type[Exception]]] = {
    "malformed": ("//b[", XPathError),
    "an unknown function": ("//b[f()]", XPathError),
    "an unbound prefix": ("//q:b", XPathError),
    "an unknown function of a namespace": ("xml:f()", XPathError),
    "an unknown variable": ("$v", XPathError),
    "a wrong argument": ("count('x')", XPathError),
    "one of several wrong arguments": ("count('x') + sum(1) + name(//b | 1)", XPathError),
    "a wrong number of arguments": ("substring('x')", XPathError),
    "an operand that is no node set": ("//b | 1", XPathError),
    "a NUL": ("//b\0", ValueError),
    "a surrogate": ("'\ud800'", UnicodeEncodeError),
    "a number as expression": (1, TypeError),
}


def evaluating() -> Iterable[Operation]:
    for place, method, make, closed in (
        ("Document", "xpathEval", document, closed_document),
        ("Node", "xpathEval", node, closed_node),
        ("XPathContext", "eval", context, closed_context),
    ):
        for name, expression in EXPRESSIONS.items():
            yield Operation(f"{place}.{method}: {name}", calling(method, expression), setup=make)
        for name, (bad, raises) in FAILING_EXPRESSIONS.items():
            yield Operation(f"{place}.{method}: {name}", calling(method, bad), raises, setup=make)
        yield Operation(f"{place}.{method}: closed", calling(method, "/"), ClosedError, setup=closed)
    for place, method, make in (
        ("Document", "xpathEval", large),
        ("Node", "xpathEval", lambda: root_of(large())),
        ("XPathContext", "eval", lambda: large().xpath_new_context()),
    ):
        yield Operation(
            f"{place}.{method}: for long",
            calling(method, "count(//b[count(//b) > 0])"),
            setup=make,
            # The first evaluation, of so many operations, fails in any case.
            swallows=True,
        )


def values(owner: Document) -> dict[str, Any]:
    """Returns variables of every type."""
    return {"text": "x", "number": 1, "truth": True, "node": root_of(owner), "nodes": list(root_of(owner)), "none": []}


ALL_VALUES = "concat($text, $number, $truth, $node, $nodes, $none)"


def with_options() -> Iterable[Operation]:
    """Evaluations with namespaces, variables, functions and limits."""

    def function(*arguments: object) -> object:
        return arguments[0] if arguments else 1

    def failing(*_: object) -> object:
        raise KeyError

    def evaluating_with(
        expression: str, options: dict[str, Any] | Callable[[Document], dict[str, Any]]
    ) -> Callable[[Document], object]:
        def evaluate(owner: Document) -> object:
            return owner.xpathEval(expression, **(options(owner) if callable(options) else options))

        return evaluate

    def one_operation(
        name: str,
        expression: str,
        options: dict[str, Any] | Callable[[Document], dict[str, Any]],
        raises: type[BaseException] | None = None,
    ) -> Operation:
        return Operation(f"xpathEval with {name}", evaluating_with(expression, options), raises, setup=document)

    namespaces = {"q": "urn:p"}
    yield one_operation("namespaces", "//q:c", {"namespaces": namespaces})
    yield one_operation("namespaces: no prefix", "1", {"namespaces": {"": "urn:p"}}, ValueError)
    yield one_operation("variables", ALL_VALUES, lambda owner: {"variables": values(owner)})
    yield one_operation("variables: the document", "$v", lambda owner: {"variables": {"v": owner}})
    yield one_operation("variables: a namespace", "$q:v", {"namespaces": namespaces, "variables": {"q:v": 1}})
    yield one_operation("variables: a wrong type", "1", {"variables": {"v": None}}, TypeError)
    yield one_operation("variables: another document", "1", lambda _: {"variables": {"v": node()}}, ValueError)
    yield one_operation("variables: no node set", "count($v)", {"variables": {"v": 1}}, XPathError)
    yield one_operation("variables: unknown", "$v", {"variables": {"w": 1}}, XPathError)
    yield one_operation("functions", "f(//b, 'x', 1, true())", {"functions": {"f": function}})
    yield one_operation("functions: no arguments", "f()", {"functions": {"f": function}})
    yield one_operation(
        "functions: a namespace", "q:f(//b)", {"namespaces": namespaces, "functions": {"q:f": function}}
    )
    yield one_operation("functions: failing", "//b[f(.)]", {"functions": {"f": failing}}, KeyError)
    yield one_operation("functions: a wrong result", "f()", {"functions": {"f": object}}, TypeError)
    yield one_operation("functions: unknown", "g()", {"functions": {"f": function}}, XPathError)
    yield one_operation("functions: not callable", "1", {"functions": {"f": 1}}, TypeError)

    def loose() -> Node:
        return document().create_element("loose")

    yield Operation("Node.xpathEval in no tree", lambda node: node.xpathEval(".//b | .."), setup=loose)
    yield Operation(
        "Node.xpathEval in no tree with functions",
        lambda node: node.xpathEval("f(.)", functions={"f": function}),
        setup=loose,
    )
    yield Operation("Node.xpathEval in no tree: absolute", lambda node: node.xpathEval("/r"), ValueError, setup=loose)
    yield one_operation("a limit of operations", "//b", {"max_operations": 1000})
    yield one_operation("a limit of operations: exceeded", "//b", {"max_operations": 1}, XPathLimitError)
    yield one_operation("a limit of depth", "(1)", {"max_depth": 1})
    yield one_operation("a limit of depth: exceeded", "((1))", {"max_depth": 1}, XPathLimitError)
    yield one_operation("a limit out of range", "1", {"max_operations": -1}, ValueError)
    yield one_operation("a limit that is too large", "1", {"max_depth": 2**64}, ValueError)
    yield Operation(
        "Node.xpathEval with everything",
        lambda element: element.xpathEval(
            "f($v)[1]/../q:c",
            namespaces=namespaces,
            variables={"v": list(element)},
            functions={"f": function},
            max_operations=1000,
            max_depth=10,
        ),
        setup=node,
    )


def compiled() -> Iterable[Operation]:
    def function(argument: object) -> object:
        return argument

    def with_document(expression: str, **options: Any) -> Callable[[], tuple[XPath, Document]]:
        return lambda: (XPath(expression, **options), document())

    def evaluate(pair: tuple[XPath, Document]) -> object:
        return pair[0](pair[1], variables={"v": "x"}), pair[0](root_of(pair[1]), variables={"v": root_of(pair[1])})

    def closed(make: Callable[[], XPath]) -> Callable[[], XPath]:
        def made() -> XPath:
            xpath = make()
            xpath.close()
            return xpath

        return made

    options: dict[str, Any] = {"namespaces": {"q": "urn:p"}, "functions": {"q:f": function, "f": function}}
    yield Operation("XPath", lambda: XPath("//q:b[q:f(.)]", **options))
    yield Operation("XPath: malformed", lambda: XPath("//b["), XPathError)
    yield Operation("XPath: a limit of depth", lambda: XPath("((1))", max_depth=1), XPathLimitError)
    yield Operation("XPath: a number", lambda: XPath(1), TypeError)
    yield Operation("XPath.__call__", evaluate, setup=with_document("//b"))
    yield Operation("XPath.__call__: a variable", evaluate, setup=with_document("$v"))
    yield Operation("XPath.__call__: functions", evaluate, setup=with_document("q:f($v) = f(//b)", **options))
    yield Operation("XPath.__call__: limited", evaluate, setup=with_document("//b", max_operations=1000))
    yield Operation("XPath.__call__: failing", evaluate, XPathError, setup=with_document("g()"))
    yield Operation("XPath.__call__: a number", calling("__call__", 1), TypeError, setup=lambda: XPath("1"))
    yield Operation("XPath.expression", reading("expression"), setup=lambda: XPath("1"))
    yield Operation("XPath: closed", reading("expression"), ClosedError, setup=closed(lambda: XPath("1")))


def properties() -> Iterable[Operation]:
    for name in ["attributes", "children", "document", "line", "name", "parent", "path", "text", "type"]:
        yield Operation(f"Node.{name}", reading(name), setup=node)
        yield Operation(f"Node.{name}: closed", reading(name), ClosedError, setup=closed_node)
    yield Operation("Node.parent: of an attribute", reading("parent"), setup=find("//@k"))
    yield Operation("Node.parent: of the document", reading("parent"), setup=find("/"))
    yield Operation("Node.text: of a comment", reading("text"), setup=find("//comment()"))
    yield Operation("Document.root", reading("root"), setup=document)
    yield Operation("Document.errors", reading("errors"), setup=document)
    yield Operation("Document.errors: closed", reading("errors"), ClosedError, setup=closed_document)
    yield Operation("Node.line: far down", reading("line"), setup=lambda: first(parse(LONG), "//b"))
    yield Operation("Document.root: closed", reading("root"), ClosedError, setup=closed_document)


DECLARED = """<!DOCTYPE r PUBLIC "p" "s" [<!ELEMENT r ANY><!ATTLIST r k (a|b) "a"><!ENTITY e "x"><!ENTITY % p "">
<!NOTATION n SYSTEM "n">]><r/>"""


def document_types() -> Iterable[Operation]:
    def dtd(owner: Document) -> Dtd:
        found = owner.dtd
        assert found is not None
        return found

    def made() -> Dtd:
        return dtd(parse(DECLARED))

    for name in (
        "name",
        "public_id",
        "system_id",
        "external",
        "entities",
        "parameter_entities",
        "notations",
        "elements",
    ):
        yield Operation(f"Dtd.{name}", reading(name), setup=made)
    yield Operation("Dtd.attributes", reading("attributes"), setup=made)
    yield Operation("Dtd.attributes: closed", reading("attributes"), ClosedError, setup=of_closed_document(dtd))
    yield Operation("Document.dtd", reading("dtd"), setup=document)
    yield Operation("Document.dtd: closed", reading("dtd"), ClosedError, setup=closed_document)
    yield Operation(
        "Dtd.external: read",
        reading("external"),
        setup=lambda: dtd(parse(WITH_DTD, load_dtd=True, external=folder.name)),
    )


def methods() -> Iterable[Operation]:
    for name, arguments in {"get": ("a",), "to_string": (), "__iter__": ()}.items():
        yield Operation(f"Node.{name}", calling(name, *arguments), setup=node)
        yield Operation(f"Node.{name}: closed", calling(name, *arguments), ClosedError, setup=closed_node)
    yield Operation("Node.get: missing", calling("get", "zz"), setup=node)
    yield Operation("Node.get: a default", calling("get", "{urn:p}zz", []), setup=node)
    yield Operation("Node.get: a number", calling("get", 1), TypeError, setup=node)
    yield Operation("Node.to_string: an attribute", calling("to_string"), setup=find("//@k"))
    yield Operation("iterating: first", next, setup=iterator)
    yield Operation("iterating: all", list, setup=node)
    yield Operation("iterating: closed", next, ClosedError, setup=closed_iterator)
    new_context = calling("xpath_new_context")
    yield Operation("Document.xpath_new_context", new_context, setup=document)
    yield Operation("Document.xpath_new_context: closed", new_context, ClosedError, setup=closed_document)


WRITTEN: dict[str, dict[str, Any]] = {
    "XML": {},
    "XML, indented": {"indent": True, "standalone": True},
    "HTML": {"method": "html"},
    "XHTML": {"method": "xhtml", "indent": True},
}
ENCODED = {"UTF-16": "utf-16", "references": "ascii"}
CANONICAL: dict[str, dict[str, Any]] = {
    "1.0": {"comments": True},
    "1.1": {"version": "1.1"},
    "exclusive": {"exclusive": True, "inclusive_prefixes": ["p", "#default"]},
}
PLAIN = """<r xmlns:p="urn:p" a="é"><b k="v">one é<p:c/></b><!--comment--><?do it?><script>a</script><br/></r>"""


def plain() -> Document:
    """Returns a document that all methods can write, and that libxml2 takes for one without an encoding."""
    return parse(PLAIN.encode())


def written_file() -> str:
    return os.path.join(folder.name, "written.xml")


def writing() -> Iterable[Operation]:
    for place, make in (("Document", plain), ("Node", lambda: root_of(plain()))):
        for name, options in WRITTEN.items():
            if place == "Node":
                options = {key: value for key, value in options.items() if key != "standalone"}
            yield Operation(f"{place}.to_string: {name}", lambda it, o=options: it.to_string(**o), setup=make)
            yield Operation(f"{place}.to_bytes: {name}", lambda it, o=options: it.to_bytes(**o), setup=make)
        for name, encoding in ENCODED.items():
            yield Operation(f"{place}.to_bytes: {name}", lambda it, e=encoding: it.to_bytes(encoding=e), setup=make)
        for name, options in CANONICAL.items():
            yield Operation(f"{place}.to_c14n: {name}", lambda it, o=options: it.to_c14n(**o), setup=make)
        for name in ("write", "write_c14n"):
            yield Operation(f"{place}.{name}: a path", lambda it, n=name: getattr(it, n)(written_file()), setup=make)
            yield Operation(f"{place}.{name}: a file", lambda it, n=name: getattr(it, n)(io.BytesIO()), setup=make)
            yield Operation(f"{place}.{name}: a full disk", calling(name, "/dev/full"), OSError, setup=make)
            yield Operation(f"{place}.{name}: a number", calling(name, 1.5), TypeError, setup=make)
            yield Operation(f"{place}.{name}: text", calling(name, io.StringIO()), TypeError, setup=make)
    yield Operation("Node.to_string: XML with a DTD", calling("to_string"), setup=find("/"))
    yield Operation("Node.to_bytes: a DTD and references", lambda it: it.to_bytes(encoding="ascii"), setup=document)
    yield Operation("Node.to_string: a DTD, XHTML", lambda it: it.to_string(method="xhtml"), setup=document)
    yield Operation("Document.to_bytes: closed", calling("to_bytes"), ClosedError, setup=closed_document)
    yield Operation("Document.to_string: closed", calling("to_string"), ClosedError, setup=closed_document)
    yield Operation("Document.to_c14n: closed", calling("to_c14n"), ClosedError, setup=closed_document)
    yield Operation("Document.write: closed", calling("write", written_file()), ClosedError, setup=closed_document)
    failing: dict[str, tuple[dict[str, Any], type[Exception]]] = {
        "an unknown encoding": ({"encoding": "nope"}, LookupError),
        "an unknown method": ({"method": "nope"}, ValueError),
        "a contradiction": ({"standalone": True, "declaration": False}, ValueError),
        "entities in HTML": ({"method": "html"}, ValueError),
    }
    for name, (options, raises) in failing.items():
        yield Operation(f"Document.to_bytes: {name}", lambda it, o=options: it.to_bytes(**o), raises, setup=document)
    yield Operation(
        "Document.to_bytes: a comment that the encoding can't express",
        lambda it: it.to_bytes(encoding="ascii"),
        UnicodeEncodeError,
        setup=lambda: parse("<a><!--é--></a>"),
    )
    yield Operation("Document.to_c14n: an entity", calling("to_c14n"), ValueError, setup=document)
    for source in ("urn:a&amp;b", "urn:a&lt;b"):
        with_uri = partial(parse, f"<a xmlns:p='{source}'/>")
        for method in ("xml", "xhtml"):
            yield Operation(
                f"Document.to_string: a URI with a reference, {method}, {source}",
                lambda it, m=method: it.to_string(method=m),
                setup=with_uri,
            )
    yield Operation(
        "Document.to_c14n: a URI with a reference", calling("to_c14n"), setup=partial(parse, "<a xmlns='urn:a&amp;b'/>")
    )
    yield Operation(
        "Document.to_c14n: no URI", calling("to_c14n"), ValueError, setup=partial(parse, "<a xmlns='urn:a&lt;b'/>")
    )
    deep = "<a>" * 2000 + "</a>" * 2000
    yield Operation("Document.to_c14n: deep", calling("to_c14n"), setup=lambda: parse(deep, huge=True))
    yield Operation(
        "Document.write: a file that raises",
        lambda it: it.write(Raising()),
        KeyError,
        setup=lambda: parse("<a>" + "<b/>" * 20_000 + "</a>"),
    )


class Raising:
    def write(self, part: bytes) -> int:
        raise KeyError(len(part))


def contexts() -> Iterable[Operation]:
    register = calling("register_ns", "q", "urn:q")
    yield Operation("XPathContext.register_ns", register, setup=context)
    yield Operation("XPathContext.register_ns: again", calling("register_ns", "p", "urn:q"), setup=context)
    yield Operation("XPathContext.register_ns: empty", calling("register_ns", "", "u"), XPathError, setup=context)
    yield Operation("XPathContext.register_ns: a number", calling("register_ns", "q", 1), TypeError, setup=context)
    yield Operation("XPathContext.register_ns: closed", register, ClosedError, setup=closed_context)
    yield Operation("XPathContext.eval: a prefix", calling("eval", "//p:c"), setup=context)

    def with_variables() -> tuple[XPathContext, dict[str, Any]]:
        owner = document()
        return owner.xpath_new_context(), values(owner)

    def register_variables(pair: tuple[XPathContext, dict[str, Any]]) -> object:
        for name, value in pair[1].items():
            pair[0].register_variable(name, value)
        return pair[0].eval(ALL_VALUES, max_operations=1000, max_depth=10)

    def call_functions(pair: tuple[XPathContext, dict[str, Any]]) -> object:
        pair[0].register_ns("q", "urn:p")
        pair[0].register_variable("v", "x")
        return pair[0].eval("q:f($v) = q:f(//q:c)", functions={"q:f": lambda value: value}, max_operations=1000)

    functions: dict[str, Any] = {"functions": {"f": len}}
    yield Operation("XPathContext.eval: functions", call_functions, setup=with_variables)
    yield Operation("XPathContext.eval: no function", lambda it: it.eval("g()", **functions), XPathError, setup=context)
    yield Operation(
        "XPathContext.eval: closed, functions",
        lambda it: it.eval("f()", **functions),
        ClosedError,
        setup=closed_context,
    )

    def register_variable(name: object, value: object) -> Callable[[object], object]:
        return calling("register_variable", name, value)

    yield Operation("XPathContext.register_variable", register_variables, setup=with_variables)
    yield Operation("XPathContext.register_variable: a prefix", register_variable("p:v", 1), setup=context)
    yield Operation("XPathContext.register_variable: a number", register_variable(1, 1), TypeError, setup=context)
    yield Operation("XPathContext.register_variable: None", register_variable("v", None), TypeError, setup=context)
    yield Operation(
        "XPathContext.register_variable: closed", register_variable("v", 1), ClosedError, setup=closed_context
    )
    yield Operation(
        "XPathContext.eval: limited", lambda it: it.eval("//b", max_operations=1), XPathLimitError, setup=context
    )

    def beside_own_node() -> tuple[XPathContext, Node]:
        owner = document()
        return owner.xpath_new_context(), root_of(owner)

    def set_node(pair: tuple[XPathContext, Node]) -> None:
        pair[0].set_node(pair[1])

    yield Operation("XPathContext.set_node", set_node, setup=beside_own_node)
    yield Operation("XPathContext.set_node: another's", set_node, ValueError, setup=lambda: (context(), node()))
    yield Operation("XPathContext.set_node: closed", set_node, ClosedError, setup=lambda: (context(), closed_node()))
    yield Operation("XPathContext.set_node: a number", set_node, TypeError, setup=lambda: (context(), 1))


def closing() -> Iterable[Operation]:
    """The methods that every handle has."""
    for name, make, closed in (
        ("Document", document, closed_document),
        ("Node", node, closed_node),
        ("XPathContext", context, closed_context),
    ):
        yield Operation(f"{name}.close", calling("close"), setup=make)
        yield Operation(f"{name}.close: closed", calling("close"), setup=closed)
        yield Operation(f"{name}.__enter__", calling("__enter__"), setup=make)
        yield Operation(f"{name}.__enter__: closed", calling("__enter__"), ClosedError, setup=closed)
        for state, maker in (("", make), (": closed", closed)):
            yield Operation(f"{name}, in itself{state}", in_itself, setup=maker)
    yield Operation("live_handles", MODULE.live_handles)


def in_itself(handle: Any) -> object:
    # The repr of a node asks C, and never raises.
    shown = handle if isinstance(handle, Node) else repr(handle)
    return shown, hash(handle), handle == handle, handle == 1, handle.closed


def changing() -> Iterable[Operation]:
    def build() -> object:
        made = Document()
        root = made.create_element("{urn:r}r", prefix="r")
        made.append(made.create_comment("c"))
        made.append(root)
        made.root = made.create_element("s")
        made.root = root
        for child in (
            made.create_element("a"),
            made.create_text("t"),
            made.create_text("u"),
            made.create_cdata("c"),
            made.create_comment("c"),
            made.create_pi("p", "i"),
        ):
            root.append(child)
        return root.to_string()

    def build_in_place() -> object:
        made = Document()
        made.append_element("{urn:r}r", "text", {"k": "v"}, prefix="r")
        return made.to_string()

    def append_elements(owner: Document) -> object:
        root = root_of(owner)
        root.append_element("plain")
        made = root.append_element("{urn:q}q", "text", {"k": "v", "{urn:p}l": "w"}, prefix="q")
        made.set("k", "x")
        return root.to_string()

    def move(owner: Document) -> object:
        root = root_of(owner)
        inner, moved = root.children[0], owner.create_element("{urn:p}m", prefix="p")
        inner.before(moved)
        inner.after(moved)
        inner.prepend(moved)
        moved.replace_with(owner.create_text("x"))
        fragment = owner.create_fragment()
        fragment.append(moved)
        root.append(fragment)
        inner.before(owner.create_text("y"))
        root.insert(1, inner)
        root.insert(-1, owner.create_text("z"))
        return root.to_string(), root.index(inner)

    def remove(owner: Document) -> object:
        root = root_of(owner)
        prefixed = root.children[2]
        kept = root.children[0]
        prefixed.remove()
        kept.remove()
        root.clear()
        return kept.text

    def rename(owner: Document) -> object:
        root = root_of(owner)
        inner = root.children[0]
        inner.name = "d"
        inner.text = "new"
        inner.children[0].text = "newer"
        inner.text = ""
        inner.text = "of an empty element"
        return root.to_string()

    def attributes(owner: Document) -> object:
        mapping = root_of(owner).attributes
        mapping["a"] = "one"
        mapping["c"] = "three"
        mapping["{urn:q}d"] = "four"
        mapping["{http://www.w3.org/XML/1998/namespace}id"] = "x"
        mapping["{http://www.w3.org/XML/1998/namespace}id"] = "y"
        del mapping["a"]
        found = len(mapping), "c" in mapping, mapping.get("c"), mapping == {}, list(mapping)
        rest = (
            mapping.keys(),
            mapping.values(),
            mapping.items(),
            mapping.pop("c"),
            mapping.pop("c", None),
            mapping["{urn:p}b"],
        )
        more = mapping.node("c"), mapping.nodes(), mapping.setdefault("e", "5"), mapping.popitem()
        mapping.clear()
        return found, rest, more

    def copy(owner: Document) -> object:
        root = root_of(owner)
        copied = parse("<!DOCTYPE r [<!ENTITY e 'x'>]><r/>").import_node(root)
        shallow = root.copy(deep=False)
        root.append(root.copy())
        return copied.text, shallow.attributes == {}

    def adopt(owner: Document) -> object:
        other = parse("<o xmlns:q='urn:q'><q:i q:k='v'>text<j/></q:i><!--c--><f/>beside</o>")
        root = root_of(other)
        whole: str | None = root.to_string()
        inner, comment, element, text = root.children
        here = root_of(owner)
        before = here.to_string()
        fragment = other.create_fragment()
        for node, move in (
            (inner, here.append),
            (text, here.children[0].before),
            (comment, here.children[0].replace_with),
            (element, owner.adopt_node),
        ):
            try:
                move(node)
            except Exception:
                # The first one may be undone.
                if whole is not None:
                    assert root.to_string() == whole, root.to_string()
                    assert here.to_string() == before, here.to_string()
                raise
            whole = None
        fragment.append(other.create_element("g"))
        here.append(fragment)
        owner.adopt_node(owner.adopt_node(fragment))
        other.close()
        return inner.to_string(), [node.closed for node in (inner, comment, element, text, fragment)]

    def walk(owner: Document) -> object:
        root = root_of(owner)
        found = root.descendants("{urn:p}c"), root.descendants(), root.ancestors
        middle = root.children[1]
        walked = list(root.iter()), list(root.iter("{urn:p}c")), list(root.iter(type=("text", "node")))
        siblings = middle.siblings, [attribute.siblings for attribute in root.xpathEval("//@*")]
        return found, walked, siblings, middle.next, middle.previous, root.first_child, root.last_child

    def tails(owner: Document) -> object:
        root = root_of(owner)
        inner = root.children[0]
        inner.tail = "tail"
        inner.head = "head"
        found = inner.head, inner.tail
        inner.head = ""
        return found, root.to_string()

    def identify(owner: Document) -> object:
        root = root_of(owner)
        inner = root.children[0]
        inner.attributes["{http://www.w3.org/XML/1998/namespace}id"] = "x"
        inner.remove()
        root.append(inner)
        found = owner.get_by_id("x")
        (attribute,) = inner.attributes.nodes()[-1:]
        attribute.name = "other"
        return found, owner.get_by_id("x"), owner.xpathEval("id('x')"), inner.attributes.clear()

    def below_itself(owner: Document) -> None:
        root = root_of(owner)
        root.children[0].append(root)

    def in_one_step(change: Callable[[Document, Node], object]) -> Callable[[Document], object]:
        """Returns a function that makes a change, and checks that a change that fails changes nothing."""

        def run(owner: Document) -> object:
            root = root_of(owner)
            inner = root.children[0]
            inner.append(owner.create_text("two"))
            before = written(owner), texts(root)
            try:
                return change(owner, inner)
            except BaseException:
                after = written(owner), texts(root)
                assert after == before, f"{after} instead of {before}"
                raise

        return run

    def written(owner: Document) -> str:
        # A declaration can't be taken back, and only a fault is behind it.
        return re.sub(r' xmlns(:ns\d)?="urn:new"', "", whole(owner).to_string())

    def set_attributes(owner: Document, inner: Node) -> object:
        inner.attributes.update({"k": "w", "{urn:new}k": "x", "l": "y"})
        return inner

    def set_attribute(owner: Document, inner: Node) -> object:
        inner.set("{urn:new}k", "x")
        return inner

    def put_attribute(owner: Document, inner: Node) -> object:
        root = root_of(owner)
        attribute = root.attributes.node("{urn:p}b")
        assert attribute is not None
        return inner.put_attribute(attribute)

    def replace_attribute(owner: Document, inner: Node) -> object:
        attribute = inner.attributes.node("k")
        assert attribute is not None
        return inner.parent and inner.parent.put_attribute(attribute)

    def take_attribute(owner: Document, inner: Node) -> object:
        other = parse("<o xmlns:q='urn:new' q:k='1' k='2'/>")
        before = other.to_string()
        (first, second) = root_of(other).attributes.nodes()
        try:
            inner.put_attribute(second)
        except BaseException:
            assert other.to_string() == before
            raise
        return first, second

    def texts(parent: Node) -> list[list[str]]:
        return [[node.text for node in child.children] for child in parent.children]

    def put_several(owner: Document, inner: Node) -> object:
        fragment = owner.create_fragment()
        for made in (owner.create_text("x"), owner.create_element("{urn:p}m", prefix="p"), owner.create_text("y")):
            fragment.append(made)
        return inner.insert(1, fragment)

    def move_text(owner: Document, inner: Node) -> object:
        return inner.prepend(inner.children[1])

    def replace(owner: Document, inner: Node) -> object:
        fragment = owner.create_fragment()
        for made in (owner.create_text("x"), owner.create_element("m")):
            fragment.append(made)
        return inner.children[0].replace_with(fragment)

    def clear(owner: Document, inner: Node) -> object:
        return root_of(owner).clear()

    def set_text(owner: Document, inner: Node) -> object:
        inner.text = "three"
        return inner

    def rewrite(owner: Document, inner: Node) -> object:
        inner.children[0].text = "three"
        return inner

    def name_spaces(owner: Document) -> object:
        root = root_of(owner)
        inner = root.children[0]
        found = inner.namespaces, inner.namespace, inner.prefix
        inner.declare_namespace("q", "urn:q")
        inner.namespace = "urn:q"
        inner.append(owner.create_element("plain"))
        inner.namespace = "urn:new"
        inner.namespace = None
        root.children[2].namespace = "urn:default"
        inner.attributes["{urn:q}k"] = "v"
        attribute = first(owner, "//b/@k")
        assert isinstance(attribute, Node)
        attribute.namespace = "urn:p"
        attribute.namespace = None
        return found, root.to_string()

    def take_declarations_away(owner: Document, inner: Node) -> object:
        inner.undeclare_namespace("unused")
        return inner

    def clean_up(owner: Document, inner: Node) -> object:
        root_of(owner).cleanup_namespaces(keep_prefixes=["p", None])
        return inner

    def leave_namespace(owner: Document, inner: Node) -> object:
        inner.namespace = None
        return inner

    def with_declarations(change: Callable[[Document, Node], object]) -> Callable[[], object]:
        def run() -> object:
            owner = parse(
                "<r xmlns='urn:new' xmlns:p='urn:p'><b xmlns='urn:b' xmlns:u='urn:b' xmlns:unused='urn:b'>"
                "<unused:c unused:k='v'/><d><e/></d></b><f xmlns='' xmlns:p='urn:p'/></r>"
            )
            return in_one_step(change)(owner)

        return run

    def sequence(owner: Document) -> object:
        children = root_of(owner).children
        children.append(owner.create_element("x"))
        children.insert(0, owner.create_text("y"))
        children[1] = owner.create_element("z")
        found = children[0], children[-1], children[::2], list(reversed(children)), children == children[:]
        counted = len(children), children[0] in children, children.index(children[1]), children.count(children[1])
        children.remove(children[1])
        children.pop()
        del children[0]
        del children[:]
        children.clear()
        return found, counted

    def outside(owner: Document) -> object:
        owner.children.insert(0, owner.create_comment("x"))
        return list(owner), list(owner.iter(type="comment")), owner.first_child, owner.last_child, list(owner.children)

    def below_a_default(owner: Document) -> object:
        root = root_of(owner)
        other = parse("<a xmlns='urn:p'><b/></a>")
        moved = other.import_node(root, deep=False)
        root_of(other).append(moved)
        return other.to_string()

    for name, step in (
        ("several nodes", put_several),
        ("a text", move_text),
        ("a replacement", replace),
        ("a removal", lambda owner, inner: inner.remove()),
        ("all children", clear),
        ("a new content", set_text),
        ("all attributes", lambda owner, inner: root_of(owner).attributes.clear()),
        ("a new attribute", set_attribute),
        ("several attributes", set_attributes),
        ("an attribute that moves", put_attribute),
        ("an attribute that takes the place of another one", replace_attribute),
        ("an attribute of another document", take_attribute),
        ("a namespace", lambda owner, inner: setattr(inner, "namespace", "urn:new")),
        (
            "a namespace of an attribute",
            lambda owner, inner: setattr(inner.attributes.nodes()[0], "namespace", "urn:new"),
        ),
        ("children", lambda owner, inner: root_of(owner).children.__delitem__(slice(None))),
        ("a head", lambda owner, inner: setattr(inner, "head", "x")),
        ("a tail", lambda owner, inner: setattr(inner, "tail", "x")),
    ):
        yield Operation(f"changing in one step: {name}", partial(on_a_document, in_one_step(step)))
    for name, step in (
        ("undeclare_namespace", take_declarations_away),
        ("cleanup_namespaces", clean_up),
        ("no namespace", leave_namespace),
    ):
        yield Operation(f"changing in one step: {name}", with_declarations(step))
    yield Operation(
        "changing: a text", partial(on_a_document, lambda owner: rewrite(owner, root_of(owner).children[0]))
    )
    yield Operation("Node.iter: an unknown type", lambda it: it.iter(type="x"), ValueError, setup=node)
    yield Operation("Node.iter: a wrong type", lambda it: it.iter(type=1), TypeError, setup=node)
    yield Operation(
        "Node.iter: closed", next, ClosedError, setup=of_closed_document(lambda owner: root_of(owner).iter())
    )
    yield Operation(
        "Node.namespace: of a text", lambda it: setattr(it, "namespace", "u"), ValueError, setup=find("//text()")
    )
    yield Operation("Node.declare_namespace: in use", calling("declare_namespace", "p", "u"), ValueError, setup=node)
    yield Operation("Node.undeclare_namespace: in use", calling("undeclare_namespace", "p"), ValueError, setup=node)
    yield Operation("Node.children: no child", lambda it: it.children[9], IndexError, setup=node)
    yield Operation("Node.children: no index", lambda it: it.children["0"], TypeError, setup=node)
    yield Operation("Node.namespaces: closed", reading("namespaces"), ClosedError, setup=closed_node)
    yield Operation("Node.tail: no place", lambda it: setattr(it, "tail", "x"), ValueError, setup=node)
    yield Operation("Node.head: of a text", lambda it: setattr(it, "head", "x"), ValueError, setup=find("//text()"))
    yield Operation("changing: an index of no child", calling("index", node()), ValueError, setup=node)
    for name, change in (
        ("append_elements", append_elements),
        ("move", move),
        ("remove", remove),
        ("rename", rename),
        ("attributes", attributes),
        ("copy", copy),
        ("adopt", adopt),
        ("walk", walk),
        ("tails", tails),
        ("namespaces", name_spaces),
        ("a sequence", sequence),
        ("nodes of the document", outside),
        ("below a default namespace", below_a_default),
        ("identify", identify),
    ):
        yield Operation(f"changing: {name}", partial(on_a_document, change))
    yield Operation("changing: build", build)
    yield Operation("changing: build in place", build_in_place)
    yield Operation("changing: a second root", calling("append_element", "s"), ValueError, setup=document)
    yield Operation(
        "changing: a root that is none", lambda it: setattr(it, "root", it.create_text("t")), ValueError, setup=document
    )
    yield Operation("changing: an index beyond the end", insert_far, setup=node)
    yield Operation("changing: no index", lambda it: it.insert("1", it.children[0]), TypeError, setup=node)
    yield Operation("changing: a document is not adopted", Document().adopt_node, ValueError, setup=find("/"))
    yield Operation(
        "attributes: in", lambda it: ("k" in it, "a\0b" in it, "\ud800" in it, 5 in it), setup=attributes_of
    )
    yield Operation("attributes: in, not hashable", lambda it: [] in it, TypeError, setup=attributes_of)
    yield Operation("changing: an attribute of another document", Document().adopt_node, setup=find("//@k"))
    yield Operation("changing: a copy of an attribute", calling("copy"), setup=find("//@k"))
    yield Operation("changing: below itself", below_itself, ValueError, setup=document)
    yield Operation("changing: an unknown entity", calling("create_entity_ref", "unknown"), ValueError, setup=document)
    yield Operation(
        "changing: an unknown entity of another document",
        Document().adopt_node,
        ValueError,
        setup=lambda: root_of(document()),
    )
    yield Operation(
        "Node.text: an entity that is not used yet", lambda it: it.create_entity_ref("used_later").text, setup=document
    )
    yield Operation("changing: a bad name", calling("create_element", "a b"), ValueError, setup=document)
    yield Operation("changing: closed", calling("remove"), ClosedError, setup=closed_node)


def on_a_document(change: Callable[[Document], object]) -> object:
    # A change that a fault ended is not begun again.
    return change(document())


def insert_far(parent: Node) -> None:
    for index in (10**20, -(10**20)):
        parent.insert(index, parent.children[0])


def attributes_of() -> Any:
    return node().attributes


def whole(owner: Document) -> Node:
    found = first(owner, "/")
    assert isinstance(found, Node)
    return found


def whole_documents() -> Iterable[Operation]:
    """Features of documents as a whole."""

    def with_subset() -> Document:
        return parse(WITH_SUBSET, load_dtd=True, external=resolve_subset)

    def with_errors() -> Document:
        return parse(BAD, recover=True)

    def rewritten(owner: Any) -> object:
        return owner.copy().to_string()

    for name, make in {
        "a DTD": lambda: parse(WITH_DECLARATIONS),
        "an external subset": with_subset,
        "errors": with_errors,
        "no nodes": Document,
        "lines": lambda: parse(LONG),
    }.items():
        yield Operation(f"Document.copy: {name}", rewritten, setup=make)
    yield Operation("Document.copy: closed", calling("copy"), ClosedError, setup=closed_document)
    for name, how in {"copy": copying.copy, "deepcopy": copying.deepcopy}.items():
        yield Operation(f"Document.copy: {name}", how, setup=document)
        yield Operation(f"changing: {name} of a node", lambda h=how: h(node()))
    pickled: dict[str, Callable[[], Document]] = {
        "a DTD": lambda: parse(WITH_DECLARATIONS),
        "errors": with_errors,
        "no nodes": Document,
        "huge": lambda: parse(b"<r/>", huge=True),
    }
    for name, make in pickled.items():
        yield Operation(f"pickle: {name}", pickle.dumps, setup=make)
        yield Operation(f"unpickle: {name}", lambda data: pickle.loads(data).to_string(), setup=partial(dumped, make))
    for name in ("version", "encoding", "standalone", "url", "dtd"):
        yield Operation(f"Document.{name}", reading(name), setup=document)
        yield Operation(f"Document.{name}: closed", reading(name), ClosedError, setup=closed_document)
    for name in ("name", "public_id", "system_id"):
        yield Operation(f"Dtd.{name}", reading(name), setup=lambda: document().dtd)
    for name, doctype in {
        "name": ("p:r",),
        "system": ("r", None, "x.dtd"),
        "public": ("r", "-//X//Y", "x.dtd"),
    }.items():
        yield Operation(f"Document.set_doctype: {name}", partial(set_doctype, doctype), setup=without_doctype)
    for name, wrong in {"bad name": ("a b",), "bad public": ("r", "<", "x"), "no system": ("r", "x")}.items():
        yield Operation(f"Document.set_doctype: {name}", partial(set_doctype, wrong), ValueError, setup=without_doctype)
    yield Operation("Document.set_doctype: again", calling("set_doctype", "r"), ValueError, setup=document)
    yield Operation("Document.set_doctype: closed", calling("set_doctype", "r"), ClosedError, setup=closed_document)
    yield Operation("Node.path: mixed prefixes", paths, setup=lambda: parse(MIXED))
    yield Operation("Node.base", lambda: root_of(parse("<r xml:base='a'/>")).base)
    yield Operation("Document.url: set", partial(set_url, "a b"), setup=document)
    yield Operation("Document.url: set to None", partial(set_url, None), setup=document)
    yield Operation("Document.url: set to no URI", partial(set_url, "http://["), ValueError, setup=document)
    compared: dict[str, Callable[[], Any]] = {"a document": document, "a node": node}
    for name, create in compared.items():
        yield Operation(f"equals: {name}", lambda one, m=create: one.equals(m(), comments=False), setup=create)
    yield Operation("equals: closed", lambda one: one.equals(node()), ClosedError, setup=closed_node)
    yield Operation("equals: a DTD", lambda dtd: dtd.equals(dtd), ValueError, setup=dtd_of_document)
    yield Operation("pickle: an external subset", pickle.dumps, ValueError, setup=with_subset)
    yield Operation("pickle: an unknown entity", pickle.dumps, ValueError, setup=with_unknown_entity)
    yield Operation("pickle: closed", pickle.dumps, ClosedError, setup=closed_document)
    yield Operation("pickle: a node", pickle.dumps, TypeError, setup=node)


MIXED = "<p:r xmlns:p='u'><p:a xmlns:p='v'/><p:a k='1' p:k='2'>t<?pi t?></p:a><q:a xmlns:q='u'/></p:r>"


def paths(owner: Any) -> object:
    return [found.path for found in owner.xpathEval("//node() | //@*")]


def without_doctype() -> Document:
    return parse("<!--c--><r/>")


def set_doctype(doctype: tuple[Any, ...], owner: Document) -> object:
    if owner.dtd is not None:
        # A call that was reported to have failed has made it.
        return None
    owner.set_doctype(*doctype)
    return owner.to_string(), owner.to_string(method="html"), owner.copy().to_string()


def set_url(url: str | None, owner: Document) -> object:
    owner.url = url
    return owner.url


def dtd_of_document() -> Node:
    dtd = whole(document()).first_child
    assert dtd is not None
    return dtd


def including() -> Iterable[Operation]:
    """Inclusions of XInclude."""

    def resolve_included(system: str | None, public: str | None) -> str | None:
        return {"b.xml": INCLUDED, "b.txt": "text", "bad.xml": BAD}.get(system or "")

    def failing(system: str | None, public: str | None) -> str:
        raise KeyError(system)

    def include(elements: str, external: Any, **options: Any) -> Callable[[], object]:
        def work() -> object:
            owner = parse(WITH_INCLUSIONS.format(elements))
            owner.url = None if external == folder.name else "a.xml"
            before = owner.to_string()
            try:
                owner.xinclude(external=external, **options)
            except BaseException:
                # All inclusions, if there was no memory for the result, or none.
                after = owner.to_string()
                assert after == before or "<xi:include" not in after, f"{after} instead of {before}"
                raise
            return owner.to_string()

        return work

    Path(folder.name, "b.xml").write_text(INCLUDED)
    Path(folder.name, "b.txt").write_text("text")
    elements = {
        "a document": "<xi:include href='b.xml'/>",
        "a text": "<xi:include href='b.txt' parse='text' encoding='ascii'/>",
        "a pointer": "<xi:include href='b.xml' xpointer='xmlns(p=urn:p)element(x/1)xpointer(//p:c)'/>",
        "an ID": "<xi:include xpointer='y'/>",
        "several": "<xi:include href='b.txt' parse='text'/><xi:include href='b.xml'/><xi:include xpointer='y'/>",
        "a fallback": "<xi:include href='nothing'><xi:fallback>x<xi:include href='b.xml'/></xi:fallback></xi:include>",
    }
    for name, element in elements.items():
        for how, external in {"a folder": folder.name, "a resolver": resolve_included}.items():
            yield Operation(f"xinclude: {name}, by {how}", include(element, external))
    wrong: dict[str, tuple[str, type[Exception]]] = {
        "nothing to read": ("<xi:include href='nothing'/>", XIncludeError),
        "no target": ("<xi:include/>", XIncludeError),
        "a loop": ("<xi:include href='a.xml'/>", XIncludeError),
        "a malformed pointer": ("<xi:include href='b.xml' xpointer='xpointer(//b[)'/>", XIncludeError),
        "a malformed document": ("<xi:include href='bad.xml'/>", ParseError),
    }
    for name, (element, raises) in wrong.items():
        yield Operation(f"xinclude: {name}", include(element, resolve_included), raises)
    yield Operation("xinclude: a failing resolver", include(elements["a document"], failing), KeyError)
    yield Operation("xinclude: a wrong policy", include(elements["a document"], 1), TypeError)
    limit = include(elements["a document"], resolve_included, max_inclusions=0)
    yield Operation("xinclude: a limit", limit, XIncludeError)
    yield Operation("xinclude: closed", calling("xinclude"), ClosedError, setup=closed_document)


WITH_INCLUSIONS = "<r xmlns:xi='http://www.w3.org/2001/XInclude'><a xml:id='y'/>{}</r>"
INCLUDED = "<b xml:id='x' xmlns:p='urn:p'><p:c>text</p:c></b>"


def dumped(make: Callable[[], Document]) -> bytes:
    return pickle.dumps(make())


def with_unknown_entity() -> Document:
    owner = parse("<!DOCTYPE r [<!ENTITY e '&unknown;'>]><r/>")
    root_of(owner).append(owner.create_entity_ref("e"))
    return owner


WITH_DECLARATIONS = """<!DOCTYPE r [<!ENTITY e "text<b/>"><?pi?><!--c--><!ENTITY f "&e;"><!NOTATION n SYSTEM "n">
<!ATTLIST r id ID #IMPLIED><?last?>]><?pi?><r id="i" xml:id="x">&f;<a xmlns="urn:a">&e;</a></r>"""
WITH_SUBSET = "<!DOCTYPE r SYSTEM 'x.dtd'><r id='i'>&e;</r>"


def resolve_subset(system: str | None, public: str | None) -> str:
    return "<!ENTITY e 'read'><!ATTLIST r id ID #IMPLIED>"


def together() -> Iterable[Operation]:
    """Several handles of one document at once, as programs have them."""

    def work() -> object:
        with parse(XML) as owner:
            contexts = [owner.xpath_new_context() for _ in range(3)]
            contexts[0].set_node(root_of(owner))
            contexts[1].close()
            found = owner.xpathEval("//*")
            assert isinstance(found, list)
            return [child.to_string() for element in found if isinstance(element, Node) for child in element], contexts[
                2
            ].eval("1")

    yield Operation("together", work)


OPERATIONS = [
    *parsing(),
    *evaluating(),
    *with_options(),
    *compiled(),
    *properties(),
    *document_types(),
    *methods(),
    *writing(),
    *contexts(),
    *closing(),
    *changing(),
    *whole_documents(),
    *including(),
    *together(),
]

# Allocations fail only where leakproof and this package answer for the outcome.
BY_PYTHON = "CPython looks for __fspath__, and takes a failed allocation for an object without it"
BY_PYO3 = "PyO3 makes the exception of an argument that it converts by value, and panics without memory"
BY_PICKLE = "pickle takes a failed allocation for a module that can't be imported"
BY_LIBXML2 = "not judged: some of its points crash, but only in a process that has met many others before"
WITHOUT_MEMORY = {
    "library: *: for long": BY_LIBXML2,
    "python: parse_file*": BY_PYTHON,
    "python: parse: *, by a resolver": BY_PYTHON,
    "python: parse: *, by a folder": BY_PYO3,
    "python: parse: a number": BY_PYO3,
    "python: pickle: *": BY_PICKLE,
    "python: xinclude: *, by a folder": BY_PYO3,
    "python: *: a wrong *": BY_PYO3,
    "python: *: not callable": BY_PYO3,
    "python: XPath*: a number": BY_PYO3,
    "python: xpathEval with a limit *": BY_PYO3,
    "python: changing: an index beyond the end": BY_PYO3,
    "python: changing: no index": BY_PYO3,
    "python: XPathContext.register_variable: None": BY_PYO3,
}
