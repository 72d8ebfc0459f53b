"""Input that is broken, hostile or absurd: a typed exception or a documented result, and never a word on stderr."""

import gzip
import os

import pytest
import xml_safe
from documents import silent, walk
from xml_safe import Document, ParseError, parse, parse_file

MALFORMED = {
    "empty": b"",
    "blank": b" \n",
    "a NUL": b"\0",
    "NULs": b"\0" * 100,
    "no markup": b"x",
    "only a BOM": b"\xef\xbb\xbf",
    "only a UTF-16 BOM": b"\xff\xfe",
    "only a declaration": b'<?xml version="1.0"?>',
    "only a comment": b"<!-- x -->",
    "only a DTD": b"<!DOCTYPE a [<!ENTITY e 'x'>]>",
    "truncated tag": b"<a",
    "truncated element": b"<a><b/>",
    "truncated attribute": b"<a k='v",
    "truncated comment": b"<a><!-- x",
    "truncated CDATA": b"<a><![CDATA[x",
    "truncated PI": b"<a><?x y",
    "truncated entity": b"<a>&am",
    "truncated DTD": b"<!DOCTYPE a [<!ENTITY e 'x",
    "truncated character": "<a>é".encode()[:-1],
    "truncated UTF-16": "<a>é</a>".encode("utf-16")[:-1],
    "mismatched tags": b"<a></b>",
    "two roots": b"<a/><b/>",
    "text after the root": b"<a/>x",
    "attribute twice": b"<a k='1' k='2'/>",
    "attribute without value": b"<a k/>",
    "< in an attribute": b"<a k='<'/>",
    "undefined entity": b"<a>&x;</a>",
    "character 0": b"<a>&#0;</a>",
    "a surrogate": b"<a>&#xD800;</a>",
    "a character too large": b"<a>&#x110000;</a>",
    "a control character": b"<a>\x01</a>",
    "a non-character": "<a>\uffff</a>".encode(),
    "a NUL in text": b"<a>x\0y</a>",
    "a NUL in a tag": b"<a\0/>",
    "a NUL in an attribute": b"<a k='\0'/>",
    "not UTF-8": b"<a>\xff</a>",
    "a name that is not UTF-8": b"<\xff\xfe/>",
    "an overlong encoding": b"<a>\xc0\xaf</a>",
    "a surrogate in UTF-8": b"<a>\xed\xa0\x80</a>",
    "an encoding with a line end": b"<?xml version='1.0' encoding='UTF\n8'?><a/>",
    "an entity loop": b"<!DOCTYPE a [<!ENTITY a '&b;'><!ENTITY b '&a;'>]><a>&a;</a>",
    "a parameter entity loop": b"<!DOCTYPE a [<!ENTITY % a '&#37;a;'> %a;]><a",
    "-- in a comment": b"<a><!-- -- --></a>",
    "]]> in text": b"<a>]]></a>",
    "gzip": gzip.compress(b"<a/>"),
    "an ELF header": b"\x7fELF\x02\x01\x01" + bytes(50),
}


@pytest.fixture(params=MALFORMED.values(), ids=MALFORMED.keys())
def malformed(request):
    return request.param


def test_malformed_bytes(malformed, capfd):
    with pytest.raises(ParseError) as caught:
        parse(malformed)
    assert caught.value.message
    assert caught.value.errors
    silent(capfd)


def test_malformed_file(malformed, tmp_path, capfd):
    (tmp_path / "bad.xml").write_bytes(malformed)
    with pytest.raises(ParseError) as caught:
        parse_file(tmp_path / "bad.xml")
    assert caught.value.message
    silent(capfd)


@pytest.mark.parametrize("data", [data for data in MALFORMED.values() if data.isascii()])
def test_malformed_str(data):
    with pytest.raises(ParseError) as caught:
        parse(data.decode())
    assert caught.value.message


def test_an_unknown_encoding(capfd):
    """Which newer versions of libxml2 may warn of only."""
    for data in ("<?xml version='1.0' encoding='nope'?><a>x</a>", b"<?xml version='1.0' encoding='nope'?><a>x</a>"):
        try:
            assert parse(data).root.text == "x"
        except ParseError as error:
            assert error.message
    silent(capfd)


def test_malformed_and_recovered(malformed, capfd):
    """What recovery finds can be used like any document, or not at all."""
    try:
        doc = parse(malformed, recover=True)
    except ParseError as error:
        assert error.message
        return
    finally:
        silent(capfd)
    for read in (
        lambda: [(n.type, n.name, n.text, n.path, n.attributes) for n in walk(doc.xpathEval("/")[0])],
        lambda: doc.xpathEval("string(/)"),
        lambda: doc.xpathEval("//node()"),
        lambda: doc.root and doc.root.to_string(),
    ):
        try:
            read()
        except (xml_safe.Error, UnicodeError) as error:
            assert str(error)
    silent(capfd)


def test_every_truncation():
    data = (
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e "x"><!ATTLIST a k CDATA #IMPLIED>]>'
        '<a xmlns:p="urn:p" p:k="é">&e;<!--c--><?p i?><![CDATA[<]]></a>'
    ).encode()
    for end in range(len(data)):
        with pytest.raises(ParseError):
            parse(data[:end])
        try:
            parse(data[:end], recover=True)
        except ParseError:
            pass
    assert parse(data).root.name == "a"


def test_every_byte_broken():
    data = '<!DOCTYPE a [<!ENTITY e "x">]><a p:k="é">&e;<!--c--><?p i?><![CDATA[<]]></a>'.encode()
    for at in range(len(data)):
        for byte in (b"\0", b"\xff", b"<", b"&", b'"', b"]"):
            try:
                doc = parse(data[:at] + byte + data[at + 1 :], recover=at % 2 == 0)
            except ParseError as error:
                assert error.message
            else:
                assert isinstance(doc, Document)


# What is no file


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        parse_file(tmp_path / "missing.xml")
    assert os.fspath(caught.value.filename) == str(tmp_path / "missing.xml")


def test_an_empty_path():
    with pytest.raises(FileNotFoundError):
        parse_file("")


def test_a_directory(tmp_path):
    for decompress in (False, True):
        with pytest.raises(IsADirectoryError):
            parse_file(tmp_path, decompress=decompress)


def test_a_file_as_directory(tmp_path):
    (tmp_path / "a.xml").write_text("<a/>")
    with pytest.raises(NotADirectoryError):
        parse_file(tmp_path / "a.xml" / "b.xml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path):
    (tmp_path / "a.xml").write_text("<a/>")
    (tmp_path / "a.xml").chmod(0)
    with pytest.raises(PermissionError):
        parse_file(tmp_path / "a.xml")


def test_a_name_too_long():
    with pytest.raises(OSError):
        parse_file("x" * 100_000)


def test_links_in_a_circle(tmp_path):
    (tmp_path / "a.xml").symlink_to(tmp_path / "b.xml")
    (tmp_path / "b.xml").symlink_to(tmp_path / "a.xml")
    with pytest.raises(OSError):
        parse_file(tmp_path / "a.xml")


def test_a_file_that_fails_while_read():
    """Reading this file's first page fails with EIO."""
    with pytest.raises(OSError):
        parse_file("/proc/self/mem")


@pytest.mark.parametrize("path", ["/dev/null", "/proc/self/status"])
def test_a_file_of_unknown_size(path):
    with pytest.raises(ParseError):
        parse_file(path)


def test_a_nul_in_a_path(tmp_path):
    (tmp_path / "a.xml").write_text("<a/>")
    for path in (f"{tmp_path}/a.xml\0", f"{tmp_path}/a.xml\0.txt", os.fsencode(tmp_path) + b"/a.xml\0", "\0"):
        with pytest.raises(ValueError):
            parse_file(path)


def test_gzip_that_is_broken(tmp_path):
    whole = gzip.compress(b"<a>" + os.urandom(5000).hex().encode() + b"</a>")
    for broken in (whole[:20], whole[:-6], whole[:50] + b"\0" * 20 + whole[70:]):
        (tmp_path / "a.gz").write_bytes(broken)
        with pytest.raises((ParseError, OSError)):
            parse_file(tmp_path / "a.gz", decompress=True)


# Wrong types


@pytest.mark.parametrize("data", [None, 1, 1.5, [], {}, object(), parse, ["<a/>"]])
def test_data_of_another_type(data):
    with pytest.raises(TypeError):
        parse(data)


@pytest.mark.parametrize("path", [None, 0, 1, 1.5, [], object(), bytearray(b"a.xml")])
def test_a_path_of_another_type(path):
    with pytest.raises(TypeError):
        parse_file(path)


def test_a_path_that_fails_to_tell():
    class Fails:
        def __fspath__(self):
            raise LookupError("mine")

    class Lies:
        def __fspath__(self):
            return 1

    with pytest.raises(LookupError, match="mine"):
        parse_file(Fails())
    with pytest.raises(TypeError):
        parse_file(Lies())


def test_a_lone_surrogate():
    with pytest.raises((ValueError, ParseError)):
        parse("<a>\ud800</a>")


# Expressions


@pytest.mark.parametrize("where", ["document", "node", "context"])
def test_expressions_of_another_type(doc, where):
    with doc.xpath_new_context() as context:
        evaluate = {"document": doc.xpathEval, "node": doc.root.xpathEval, "context": context.eval}[where]
        for expr in (None, 1, 1.5, b"//b", ["//b"], object(), doc, doc.root):
            with pytest.raises(TypeError):
                evaluate(expr)
        for expr in ("//b\0", "\0", "//b\0[", "\0//b"):
            with pytest.raises(ValueError):
                evaluate(expr)
        with pytest.raises(ValueError):
            evaluate("'\ud800'")
        for wrong in (lambda: evaluate(), lambda: evaluate("//b", "//b"), lambda: evaluate(nope="//b")):
            with pytest.raises(TypeError):
                wrong()
        assert len(evaluate("//b")) == 2


ABSURD = {
    "deep parentheses": "(" * 20_000 + "1" + ")" * 20_000,
    "deep predicates": "//b" + "[b" * 20_000 + "]" * 20_000,
    "deep calls": "not(" * 20_000 + "1" + ")" * 20_000,
    "many minus signs": "-" * 20_000 + "1",
    "a long sum": "1" + "+1" * 100_000,
    "a long union": "//b" + "|//b" * 20_000,
    "a long path": "/r" + "/b" * 100_000,
    "a long name": "n" * 1_000_000,
    "a long number": "9" * 1_000_000,
    "a long literal": "'" + "x" * 12_000_000 + "'",
    "unopened": ")" * 10_000,
    "unclosed": "(" * 10_000,
}


@pytest.mark.parametrize("expr", ABSURD.values(), ids=ABSURD.keys())
def test_absurd_expressions(doc, expr, capfd, watchdog):
    try:
        result = doc.xpathEval(expr)
    except xml_safe.XPathError as error:
        assert error.message
        assert str(error)
    else:
        assert isinstance(result, (list, str, float, bool))
    silent(capfd)


@pytest.mark.parametrize(
    ("refused", "end"),
    [
        (lambda doc: doc.create_element("xml:a"), '. Write "{http://www.w3.org/XML/1998/namespace}a"'),
        (lambda doc: doc.append_element("r").set("xml:a", ""), '. Write "{http://www.w3.org/XML/1998/namespace}a"'),
        (lambda doc: doc.create_element("a:b"), 'by "{uri}name", and put into one by `namespace`'),
        (lambda doc: doc.create_pi("a:b"), "and no colon"),
        (lambda doc: doc.create_pi("xml:b"), "and no colon"),
    ],
)
def test_a_name_with_a_prefix_is_refused_with_what_to_write(refused, end):
    with pytest.raises(ValueError) as caught:
        refused(Document())
    assert str(caught.value).endswith(end)
