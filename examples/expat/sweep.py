"""The operations of the fault-injection sweep: every function of expat_safe, succeeding and failing."""

from collections.abc import Callable

import expat_safe as MODULE
from pytest_leakproof.sweep import Operation

DOCUMENT = b"<!--c--><a x='1'>text<?t d?></a>"


def nothing(*_: object) -> None:
    pass


def fail(*_: object) -> None:
    raise KeyError


def parser(handler: Callable[..., object]) -> MODULE.Parser:
    return MODULE.Parser(start=handler, end=handler, text=handler, comment=handler, instruction=handler)


def closed() -> MODULE.Parser:
    parser = MODULE.Parser()
    parser.close()
    return parser


OPERATIONS = [
    Operation("make", MODULE.Parser),
    Operation("make with callbacks", lambda: parser(nothing)),
    Operation("make with namespaces", lambda: MODULE.Parser(namespace_separator=" ")),
    Operation("make badly", lambda: MODULE.Parser(namespace_separator="é"), raises=ValueError),
    Operation("close", lambda it: it.close(), setup=lambda: parser(nothing)),
    Operation("parse", lambda it: it.parse(DOCUMENT, True), setup=lambda: parser(nothing), once=True),
    Operation(
        "parse what is wrong", lambda it: it.parse(b"</a>"), setup=MODULE.Parser, raises=MODULE.ExpatError, once=True
    ),
    Operation("parse after the close", lambda it: it.parse(DOCUMENT), setup=closed, raises=MODULE.ClosedError),
    Operation("where", lambda it: (it.line, it.column), setup=MODULE.Parser),
] + [
    Operation(f"fail in {name}", lambda name=name: MODULE.Parser(**{name: fail}).parse(DOCUMENT, True), raises=KeyError)
    for name in ["start", "end", "text", "comment", "instruction"]
]
