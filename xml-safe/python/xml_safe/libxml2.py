"""The names of libxml2's own Python binding, over `xml_safe`: change the import line, and forget about freeing.

    import xml_safe.libxml2 as libxml2

Only parsing, walking the tree and XPath are covered. This module differs from the official binding where that binding
leaks or crashes:

- `freeDoc()` and `xpathFreeContext()` may be left out, or called twice. Using the document or its nodes after
  `freeDoc()` raises `xml_safe.ClosedError`.
- Errors carry libxml2's own message; nothing is printed to standard error by default.
- A path names exactly that file, network access and external entities are off, and a `str` is decoded already,
  whatever encoding it declares.
"""

from collections.abc import Callable, Iterator
from os import PathLike
from typing import TypeVar

from . import Document, Node, ParseError, XPathContext, XPathError, parse, parse_file

__all__ = [
    "libxmlError",
    "parseDoc",
    "parseFile",
    "parseMemory",
    "parserError",
    "treeError",
    "xmlAttr",
    "xmlCore",
    "xmlDoc",
    "xmlNode",
    "xmlNs",
    "xpathContext",
    "xpathError",
]


class libxmlError(Exception):
    """The base class of this module's errors. Its `__cause__` is the error of `xml_safe`."""

    def __init__(self, msg: str) -> None:
        super().__init__(msg)
        self.msg = msg


class treeError(libxmlError):
    """A part of the tree that does not exist."""


class parserError(libxmlError):
    """A document that can't be read or isn't well-formed."""


class xpathError(libxmlError):
    """An XPath expression that can't be evaluated."""


class xmlCore:
    """The base class of nodes and documents."""

    def __init__(self, _obj: Node) -> None:
        self._o = _obj

    def __eq__(self, other: object) -> bool:
        return self._o == other._o if isinstance(other, xmlCore) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._o)

    def __str__(self) -> str:
        # libxml2 puts a space before an attribute.
        space = " " if self._o.type == "attribute" else ""
        return space + self._o.to_string(declaration=self._o.type == "document")

    def __iter__(self) -> "Iterator[xmlCore]":
        """Iterate over the node and all nodes below it, in document order."""
        pending = [self._o]
        while pending:
            node = pending.pop()
            yield _wrap(node)
            pending.extend(reversed(node.children))

    walk_depth_first = __iter__

    @property
    def name(self) -> str | None:
        return self._o.name

    @property
    def type(self) -> str:
        kind = self._o.type
        return "document_xml" if kind == "document" else kind

    @property
    def content(self) -> str | None:
        return self._o.text

    def getContent(self) -> str | None:
        return self._o.text

    @property
    def doc(self) -> "xmlDoc":
        return xmlDoc(_document(self._o))

    @property
    def parent(self) -> "xmlCore | None":
        parent = self._o.parent
        return None if parent is None else _wrap(parent)

    @property
    def children(self) -> "xmlCore | None":
        """The first child; its `next` is the second."""
        first = self._o.first_child
        return None if first is None else _wrap(first)

    def xpathEval(self, expr: str) -> "xpathResult":
        return _evaluate(self._o.xpathEval, expr)


class xmlNode(xmlCore):
    """A node of a document, which it keeps alive."""

    @property
    def next(self) -> xmlCore | None:
        following = self._o.next
        return None if following is None else _wrap(following)

    def prop(self, name: str) -> str | None:
        """Return the value of the attribute `name` in any namespace, or None."""
        for key, value in self._o.attributes.items():
            if key.rpartition("}")[2] == name:
                return value
        return None

    def lineNo(self) -> int:
        return self._o.line

    def nodePath(self) -> str | None:
        return self._o.path


class xmlAttr(xmlNode):
    """An attribute; its `content` is its value."""


class xmlNs:
    """A namespace in scope: `name` is its prefix, `content` its URI."""

    type = "namespace"

    def __init__(self, prefix: str | None, uri: str) -> None:
        self.name = prefix
        self.content = uri

    def getContent(self) -> str:
        return self.content


class xmlDoc(xmlCore):
    """A document. `freeDoc()` releases it, as does dropping the last reference to it and its nodes."""

    def __init__(self, _obj: Document) -> None:
        node = _obj.xpathEval("/")
        assert isinstance(node, list)
        assert isinstance(node[0], Node)
        super().__init__(node[0])
        self._doc = _obj

    def getRootElement(self) -> xmlNode:
        root = self._doc.root
        if root is None:
            raise treeError("the document has no root element")
        return xmlNode(root)

    def xpathNewContext(self) -> "xpathContext":
        return xpathContext(self._doc.xpath_new_context())

    def freeDoc(self) -> None:
        self._doc.close()


class xpathContext:
    """The state of XPath evaluations: a context node and namespace prefixes."""

    def __init__(self, _obj: XPathContext) -> None:
        self._o = _obj

    def setContextNode(self, node: xmlCore | None) -> None:
        if node is not None:
            self._o.set_node(node._o)

    def xpathRegisterNs(self, prefix: str, ns_uri: str) -> int:
        self._o.register_ns(prefix, ns_uri)
        return 0

    def xpathEval(self, str: str) -> "xpathResult":
        return _evaluate(self._o.eval, str)

    def xpathFreeContext(self) -> None:
        self._o.close()


xpathResult = list[xmlCore | xmlNs] | str | float | int


def parseFile(filename: str | PathLike[str]) -> xmlDoc:
    """Parse the XML file `filename`."""
    return _parse(parse_file, filename)


def parseDoc(cur: str | bytes) -> xmlDoc:
    """Parse the XML document `cur`."""
    return _parse(parse, cur)


def parseMemory(buffer: str | bytes, size: int) -> xmlDoc:
    """Parse the first `size` bytes of `buffer`, or characters if it is a `str`."""
    return _parse(parse, buffer[:size])


Source = TypeVar("Source")


def _parse(parser: Callable[[Source], Document], source: Source) -> xmlDoc:
    try:
        return xmlDoc(parser(source))
    except (OSError, ParseError) as error:
        raise parserError(str(error)) from error


def _evaluate(evaluate: Callable[[str], object], expr: str) -> xpathResult:
    try:
        result = evaluate(expr)
    except XPathError as error:
        raise xpathError(str(error)) from error
    if isinstance(result, list):
        return [xmlNs(*item) if isinstance(item, tuple) else _wrap(item) for item in result]
    if isinstance(result, bool):
        return int(result)
    assert isinstance(result, str | float)
    return result


def _wrap(node: Node) -> xmlCore:
    kind = node.type
    if kind == "document":
        return xmlDoc(_document(node))
    return xmlAttr(node) if kind == "attribute" else xmlNode(node)


def _document(node: Node) -> Document:
    document = node.document
    assert document is not None
    return document
