"""libxml2 for Python: parse XML, walk the tree, evaluate XPath.

    >>> import xml_safe
    >>> with xml_safe.parse("<shelf><book title='Emma'/></shelf>") as document:
    ...     [book.get("title") for book in document.xpathEval("//book")]
    ['Emma']

Nothing has to be freed: what libxml2 allocates is released on every way out, errors included. `close()` and `with`
release a document at once; using it or anything of it afterwards raises `ClosedError`. All exceptions derive from
`Error`; a file that can't be read is an `OSError` as usual.
"""

from ._native import (
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
    Report,
    XIncludeError,
    XPath,
    XPathContext,
    XPathError,
    XPathLimitError,
    __leakproof__,
    live_handles,
    parse,
    parse_file,
)

__all__ = [
    "AttributeDeclaration",
    "Attributes",
    "BusyError",
    "Children",
    "ClosedError",
    "Document",
    "Dtd",
    "Entity",
    "Error",
    "Handle",
    "Node",
    "Notation",
    "ParseError",
    "Report",
    "XIncludeError",
    "XPath",
    "XPathContext",
    "XPathError",
    "XPathLimitError",
    "__leakproof__",
    "live_handles",
    "parse",
    "parse_file",
]

from collections.abc import MutableMapping as _MutableMapping
from collections.abc import Sequence as _Sequence

_MutableMapping.register(Attributes)
_Sequence.register(Children)
