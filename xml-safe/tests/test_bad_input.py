"""Input that is broken, hostile or absurd: a typed exception or a documented result, and never a word on stderr."""

import gzip
import os
import socket
import threading

import pytest
import xml_safe
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


def silent(capfd):
    assert capfd.readouterr() == ("", "")


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


def walk(node):
    yield node
    for child in node.children:
        yield from walk(child)


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


@pytest.mark.parametrize("data", [None, 1, 1.5, [], {}, object(), parse, bytearray(b"<a/>"), ["<a/>"]])
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


# Size


HUGE = {
    # Entities between make libxml2 put the text together piece by piece, which is where it counts.
    "text in pieces": ("<a>", "x" * 999 + "&amp;", "</a>"),
    "CDATA": ("<a><![CDATA[", "x" * 1000, "]]></a>"),
    "attribute": ("<a k='", "x" * 1000, "'/>"),
}


@pytest.mark.parametrize("parts", HUGE.values(), ids=HUGE.keys())
@pytest.mark.parametrize("form", [str, str.encode], ids=["str", "bytes"])
def test_huge_text_is_read_with_huge_and_refused_otherwise(parts, form, capfd):
    """Before 2.13, libxml2 calls the text well-formed and keeps its first ten million characters."""
    before, thousand, after = parts
    data = form(before + thousand * 10_100 + after)
    with pytest.raises(ParseError) as caught:
        parse(data)
    assert caught.value.message
    root = parse(data, huge=True).root
    assert len(root.get("k") or root.text) == 10_100_000
    silent(capfd)


@pytest.mark.parametrize(
    "line", ["x" * 1000, "x" * 999 + "\n", "é" * 999 + "\n"], ids=["one run", "lines", "not ASCII"]
)
@pytest.mark.parametrize("form", [str, str.encode], ids=["str", "bytes"])
def test_text_is_never_cut_off(line, form, capfd):
    """Before 2.13, libxml2 takes any length of text that reaches it in one piece."""
    data = form("<a>" + line * 10_100 + "</a>")
    try:
        doc = parse(data)
    except ParseError:
        doc = parse(data, huge=True)
    assert len(doc.root.text) == 10_100_000
    silent(capfd)


@pytest.mark.slow
@pytest.mark.parametrize("line", ["x" * 999 + "\n", "x" * 999 + "&amp;"], ids=["lines", "pieces"])
def test_a_text_node_of_200_mb(line, tmp_path, capfd):
    path = tmp_path / "huge.xml"
    with open(path, "w") as file:
        file.write("<a>")
        file.writelines(line * 1000 for _ in range(200))
        file.write("</a>")
    try:
        assert len(parse_file(path).root.text) == 200_000_000
    except ParseError as error:
        assert error.message
    doc = parse_file(path, huge=True)
    assert doc.xpathEval("string-length(/a)") == 200_000_000
    assert len(doc.root.text) == 200_000_000
    assert len(doc.root.to_string()) == path.stat().st_size
    doc.close()
    silent(capfd)


@pytest.mark.slow
@pytest.mark.parametrize("size", [300_000_000, 2**31 - 1, 2**31, 2**32 + 5])
def test_a_huge_file(size, tmp_path, capfd):
    path = tmp_path / "huge.xml"
    path.write_bytes(b"<a>")
    os.truncate(path, size)
    for options in ({}, {"huge": True}):
        with pytest.raises((ParseError, OverflowError, MemoryError, OSError)):
            parse_file(path, **options)
    silent(capfd)


@pytest.mark.slow
def test_huge_bytes():
    """Lengths are `int` in much of libxml2: 2**32 + 5 bytes must not count as five."""
    data = b"<a/>" + b" " * (2**32 + 1)
    try:
        doc = parse(data, huge=True)
    except (ParseError, OverflowError, MemoryError):
        pass
    else:
        assert doc.root.name == "a"
    with pytest.raises((ParseError, OverflowError, MemoryError)):
        parse(data + b"x", huge=True)


def test_names_of_any_length():
    for n in (49_000, 51_000, 11_000_000):
        for options in ({}, {"huge": True}):
            try:
                doc = parse(f"<{'n' * n}/>", **options)
            except ParseError as error:
                assert error.message
            else:
                assert len(doc.root.name) == n


def test_deep_nesting_is_refused():
    with pytest.raises(ParseError):
        parse("<a>" * 3000 + "</a>" * 3000)
    assert parse("<a>" * 200 + "</a>" * 200).root.path == "/a"


def test_deep_nesting_is_read_if_asked():
    root = parse("<a>" * 2000 + "</a>" * 2000, huge=True).root
    deepest = root.xpathEval("//a[not(a)]")[0]
    assert deepest.path == "/a" * 2000
    assert root.to_string().count("<a") == 2000


def test_very_deep_nesting():
    """Newer versions of libxml2 have a limit here even for the huge."""
    data = "<a>" * 20_000 + "x" + "</a>" * 20_000
    try:
        doc = parse(data, huge=True)
    except ParseError:
        return
    assert doc.root.text == "x"
    assert doc.xpathEval("count(//a)") == 20_000
    assert len(doc.root.to_string()) == len(data)
    assert len(doc.xpathEval("//text()")[0].path) > 40_000


def test_many_attributes_and_namespaces():
    data = "<a " + " ".join(f"xmlns:n{i}='urn:{i}' n{i}:k='{i}'" for i in range(3000)) + "/>"
    doc = parse(data)
    assert len(doc.root.attributes) == 3000
    assert len(doc.xpathEval("/a/namespace::*")) == 3001


# Entities


def bomb(levels, width=10, use="<b>&e{0};</b>"):
    entities = (f"<!ENTITY e{i} '{f'&e{i - 1};' * width}'>" for i in range(1, levels + 1))
    return f"<!DOCTYPE b [<!ENTITY e0 '{'x' * 10}'>{''.join(entities)}]>{use.format(levels)}"


@pytest.mark.parametrize("options", [{}, {"resolve_entities": True}], ids=["kept", "resolved"])
@pytest.mark.parametrize("use", ["<b>&e{0};</b>", "<b k='&e{0};'/>"], ids=["in text", "in an attribute"])
def test_billion_laughs(use, options, watchdog, capfd):
    with pytest.raises(ParseError) as caught:
        parse(bomb(10, use=use), **options)
    assert caught.value.message
    assert len(caught.value.errors) < 1000
    silent(capfd)


def test_billion_laughs_recovered(watchdog):
    """What is left of it after recovery is no bomb any more."""
    for options in ({}, {"resolve_entities": True}):
        try:
            doc = parse(bomb(10), recover=True, **options)
        except ParseError:
            continue
        assert len(doc.root.text) < 10_000_000
        assert doc.xpathEval("string-length(/)") < 10_000_000


def test_billion_laughs_that_nobody_lit(watchdog):
    """Declared and never used in the content: each entity's own properties are safe to read."""
    doc = parse(bomb(10, use="<b/><!--{0}-->"))
    for node in walk(doc.xpathEval("/")[0]):
        assert len(node.text or "") < 10_000_000
        assert len(node.to_string()) < 10_000


def test_the_same_entity_over_and_over(watchdog, capfd):
    """Quadratic growth: 250 kB of XML for 2 GB of text."""
    data = f"<!DOCTYPE b [<!ENTITY e '{'x' * 50_000}'>]><b>{'&e;' * 40_000}</b>"
    with pytest.raises(ParseError):
        parse(data, resolve_entities=True)
    try:
        parse(data).root.to_string()
    except ParseError as error:
        assert error.message
    silent(capfd)


def test_modest_entities_are_no_bomb():
    data = bomb(2, width=2)
    assert parse(data).root.text == parse(data, resolve_entities=True).root.text == "x" * 40


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.txt"
    path.write_text("top secret")
    return path


EXTERNAL = {
    "general": '<!DOCTYPE a [<!ENTITY x SYSTEM "{0}">]><a>&x;</a>',
    "public": '<!DOCTYPE a [<!ENTITY x PUBLIC "-//x//y" "{0}">]><a>&x;</a>',
    "nested": '<!DOCTYPE a [<!ENTITY x SYSTEM "{0}"><!ENTITY y "&x;">]><a>&y;</a>',
    "attribute": '<!DOCTYPE a [<!ENTITY x SYSTEM "{0}">]><a k="&x;"/>',
    "parameter": '<!DOCTYPE a [<!ENTITY % x SYSTEM "{0}"> %x;]><a/>',
    "stolen": '<!DOCTYPE a [<!ENTITY % f SYSTEM "{0}"><!ENTITY % d "<!ENTITY x \'%f;\'>"> %d;]><a>&x;</a>',
    "subset": '<!DOCTYPE a SYSTEM "{0}"><a/>',
    "include": '<a xmlns:i="http://www.w3.org/2001/XInclude"><i:include href="{0}" parse="text"/></a>',
    "stylesheet": '<?xml-stylesheet href="{0}"?><a/>',
}


def all_that_can_be_read(doc):
    document = doc.xpathEval("/")[0]
    for node in walk(document):
        yield from (node.text or "", node.to_string(), *node.attributes.values())
    yield doc.xpathEval("string(/)")


@pytest.mark.parametrize("xml", EXTERNAL.values(), ids=EXTERNAL.keys())
@pytest.mark.parametrize(
    "options", [{}, {"resolve_entities": True}, {"resolve_entities": True, "huge": True, "recover": True}]
)
def test_external_entities_are_not_read(xml, options, secret, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    for uri in (secret.as_uri(), str(secret), secret.name, f"file:{secret}"):
        (tmp_path / "a.xml").write_text(xml.format(uri))
        for read in (lambda: parse(xml.format(uri), **options), lambda: parse_file(tmp_path / "a.xml", **options)):
            try:
                doc = read()
            except ParseError as error:
                assert "top secret" not in str(error)
                continue
            for text in all_that_can_be_read(doc):
                assert "top secret" not in text
    silent(capfd)


def test_the_password_file_is_not_read():
    for options in ({}, {"resolve_entities": True}):
        try:
            doc = parse(EXTERNAL["general"].format("file:///etc/passwd"), **options)
        except ParseError:
            continue
        assert "root:" not in doc.root.text


@pytest.fixture
def server():
    """A local server that hangs up, and the list of those that called."""
    calls = []
    listening = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            try:
                connection, address = listening.accept()
            except OSError:
                return
            calls.append(address)
            connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield listening.getsockname()[1], calls
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join()


@pytest.mark.parametrize("scheme", ["http", "ftp"])
@pytest.mark.parametrize("load_dtd", [False, True])
def test_the_network_is_never_used(server, scheme, load_dtd, watchdog, capfd):
    port, calls = server
    for xml in EXTERNAL.values():
        try:
            parse(xml.format(f"{scheme}://127.0.0.1:{port}/x"), resolve_entities=True, load_dtd=load_dtd)
        except ParseError as error:
            assert error.message
    assert calls == []
    silent(capfd)


def test_a_missing_dtd_that_was_asked_for(tmp_path, capfd):
    xml = '<!DOCTYPE a SYSTEM "missing.dtd"><a>x</a>'
    (tmp_path / "a.xml").write_text(xml)
    for read in (lambda: parse(xml, load_dtd=True), lambda: parse_file(tmp_path / "a.xml", load_dtd=True)):
        try:
            doc = read()
        except ParseError as error:
            assert error.message
        else:
            assert doc.root.text == "x"
    silent(capfd)


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
