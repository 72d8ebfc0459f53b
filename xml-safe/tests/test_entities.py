"""Entities and what documents name: no text grows without bounds, and nothing is read that was not asked for."""

import socket
import threading

import pytest
from documents import silent, walk
from xml_safe import ParseError, parse, parse_file


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
