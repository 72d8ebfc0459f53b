"""Expat: each callback, an exception in it, what it must not do, and who owns it."""

import gc
import sys
import threading
import weakref

import pytest
from expat_safe import BusyError, ClosedError, ExpatError, Parser, live_handles

KINDS = ["start", "end", "text", "comment", "instruction"]
DOCUMENT = b"<?xml version='1.0'?><!-- c --><a x='1' y='\xc3\xa9'>text<?target data?><b/></a>"


def events(document, **options):
    found = []
    handlers = {kind: lambda *what, kind=kind: found.append((kind, *what)) for kind in KINDS}
    parser = Parser(**handlers, **options)
    parser.parse(document, True)
    return found


def test_everything_that_is_called():
    assert events(DOCUMENT) == [
        ("comment", " c "),
        ("start", "a", {"x": "1", "y": "é"}),
        ("text", "text"),
        ("instruction", "target", "data"),
        ("start", "b", {}),
        ("end", "b"),
        ("end", "a"),
    ]


def test_the_order_of_attributes_stays():
    names = [f"n{i * 7 % 10}" for i in range(10)]
    attributes = " ".join(f"{name}='{name}'" for name in names)
    ((_, _, found), *_) = events(f"<a {attributes}/>".encode())
    assert list(found) == names


def test_namespaces():
    assert events(b"<a xmlns='urn:x' b='1'/>", namespace_separator="|") == [
        ("start", "urn:x|a", {"b": "1"}),
        ("end", "urn:x|a"),
    ]
    for separator in ["é", "\N{SNOWMAN}"]:
        with pytest.raises(ValueError, match="one ASCII character"):
            Parser(namespace_separator=separator)


def test_an_encoding():
    assert events("<a>\xe9</a>".encode("latin-1"), encoding="ISO-8859-1")[1] == ("text", "é")
    with pytest.raises(ExpatError, match="unknown encoding"):
        events(b"<a/>", encoding="no-such")
    with pytest.raises(ValueError, match="null"):
        Parser(encoding="a\0b")


def test_in_pieces():
    found = []
    parser = Parser(start=lambda name, _: found.append(name))
    for byte in DOCUMENT:
        parser.parse(bytes([byte]))
    parser.parse(b"", True)
    assert found == ["a", "b"]
    with pytest.raises(ExpatError, match="finished"):
        parser.parse(b"<c/>")


def test_any_buffer():
    for buffer in [bytearray(b"<a/>"), memoryview(b"<a/>")]:
        Parser().parse(buffer, True)
    with pytest.raises(TypeError):
        Parser().parse("<a/>")


def test_text_that_is_no_xml_raises():
    parser = Parser()
    with pytest.raises(ExpatError, match="mismatched tag") as caught:
        parser.parse(b"<a>\n  <b></a>", True)
    assert (caught.value.line, caught.value.column, caught.value.code) == (2, 7, 7)
    assert (parser.line, parser.column) == (2, 7)


def test_argument_that_is_no_callable_raises():
    with pytest.raises(TypeError, match="a callable is expected, not str"):
        Parser(start="f")


@pytest.mark.parametrize("kind", KINDS)
def test_an_exception_in_a_callback(kind):
    error = KeyError(kind)
    calls = []

    def fail(*_):
        calls.append(1)
        raise error

    others = {other: lambda *_: calls.append(2) for other in KINDS if other != kind}
    parser = Parser(**{kind: fail}, **others)
    with pytest.raises(KeyError) as caught:
        parser.parse(DOCUMENT, True)
    assert caught.value is error
    # It was the last thing that was called.
    assert calls.count(1) == 1 and calls[-1] == 1
    with pytest.raises(ExpatError, match="finished"):
        parser.parse(b"")
    parser.close()


def test_callback_that_closes_or_uses_its_parser_raises_busy():
    caught = []

    def start(name, _):
        for use in [parser.close, lambda: parser.parse(b"<x/>"), lambda: parser.line]:
            try:
                use()
            except BusyError:
                caught.append(name)

    parser = Parser(start=start)
    parser.parse(b"<a><b/></a>", True)
    assert caught == ["a"] * 3 + ["b"] * 3
    assert not parser.closed


def test_a_parser_within_a_callback():
    found = []

    def outer(name, _):
        Parser(start=lambda name, _: found.append(name)).parse(f"<in-{name}/>".encode(), True)
        try:
            Parser(start=lambda *_: 1 / 0).parse(b"<a/>", True)
        except ZeroDivisionError:
            found.append("handled")

    Parser(start=outer).parse(b"<a><b/></a>", True)
    assert found == ["in-a", "handled", "in-b", "handled"]
    with pytest.raises(ZeroDivisionError):
        Parser(start=lambda *_: Parser(end=lambda _: 1 / 0).parse(b"<x/>", True)).parse(b"<a/>", True)


def test_a_parser_that_is_dropped_in_its_own_callback():
    holder = []

    def start(*_):
        holder.clear()
        gc.collect()
        assert live_handles()["Parser"] == 1

    holder.append(Parser(start=start))
    holder[0].parse(b"<a/>", True)
    assert live_handles()["Parser"] == 0


class Reader:
    """An object that owns a parser whose callbacks are its methods."""

    def __init__(self):
        self.names = []
        self.parser = Parser(start=self.start)

    def start(self, name, _):
        self.names.append(name)


def test_cycles_are_collected():
    readers = [Reader() for _ in range(10)]
    refs = [weakref.ref(reader) for reader in readers]
    for reader in readers:
        reader.parser.parse(b"<a/>", True)
    gc.collect()
    assert all(ref() for ref in refs)
    del reader, readers
    gc.collect()
    assert not any(ref() for ref in refs)
    assert live_handles()["Parser"] == 0


def test_the_collector_in_a_callback():
    """The running parser is alive, whatever is collected meanwhile."""
    reader = Reader()
    reader.start = lambda *_: None

    def start(*_):
        Reader()
        gc.collect()

    parser = Parser(start=start)
    del reader
    parser.parse(b"<a><b/></a>", True)


def test_callables_go_with_the_parser():
    class Handler:
        def __call__(self, *_):
            pass

    handler = Handler()
    ref = weakref.ref(handler)
    parser = Parser(start=handler)
    del handler
    assert ref()
    parser.close()
    assert not ref()
    with pytest.raises(ClosedError):
        parser.parse(b"")


def test_references_are_counted_right():
    def handler(*_):
        pass

    before = sys.getrefcount(handler)
    for _ in range(100):
        Parser(start=handler, end=handler).parse(b"<a/>", True)
        try:
            Parser(start=handler, end=handler, text="no")
        except TypeError:
            pass
    assert sys.getrefcount(handler) == before


def test_close_on_another_thread_waits():
    inside, order = threading.Event(), []

    def start(*_):
        inside.set()
        threading.Event().wait(0.05)
        order.append("callback")

    parser = Parser(start=start)
    thread = threading.Thread(target=lambda: parser.parse(b"<a/>", True))
    thread.start()
    assert inside.wait(10)
    parser.close()
    order.append("closed")
    thread.join(10)
    assert order == ["callback", "closed"]


def test_an_object_that_dies_with_the_parser_may_say_so(capsys):
    """Dropping a callable may run Python code, which may fail."""

    class Dies:
        def __call__(self, *_):
            pass

        def __del__(self):
            raise ValueError("dying")

    caught = []
    before, sys.unraisablehook = sys.unraisablehook, lambda what: caught.append(what.exc_value)
    try:
        parser = Parser(start=Dies())
        parser.close()
    finally:
        sys.unraisablehook = before
    assert [str(error) for error in caught] == ["dying"]
    assert parser.closed
