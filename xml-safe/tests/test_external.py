"""What stands outside of a document is read by one policy that the caller gives, and by nothing else."""

import ctypes
import os
import socket
import threading

import pytest
from xml_safe import ParseError, parse, parse_file

ENTITY = "<!DOCTYPE a [<!ENTITY e SYSTEM '{}'>]><a>&e;</a>"
DTD = "<!DOCTYPE a SYSTEM '{}'><a>&e;</a>"
BOTH = {"resolve_entities": True, "load_dtd": True}


def whole(doc):
    return doc.xpathEval("/")[0].to_string()


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "e.xml").write_text("<?xml version='1.0' encoding='UTF-8'?>read <b>e</b>")
    (inside / "a.dtd").write_text("<!ENTITY e 'from the DTD'>")
    (tmp_path / "secret").write_text("TOP SECRET")
    return inside


# Off


@pytest.mark.parametrize("options", [{}, {"recover": True}, {"huge": True}])
@pytest.mark.parametrize("xml", [ENTITY, "<!DOCTYPE a [<!ENTITY % p SYSTEM '{}'>%p;]><a/>"])
def test_by_default_an_entity_outside_is_refused(folder, xml, options):
    with pytest.raises(ParseError, match="is not read") as caught:
        parse(xml.format(folder / "e.xml"), resolve_entities=True, **options)
    assert caught.value.code == 1549


def test_by_default_a_dtd_outside_is_refused_if_asked_for(folder):
    with pytest.raises(ParseError, match="the external DTD is not read"):
        parse(DTD.format(folder / "a.dtd"), load_dtd=True)
    assert parse("<!DOCTYPE a SYSTEM 'nowhere'><a/>").root.name == "a"


def test_entity_that_is_declared_and_not_used_is_not_read():
    doc = parse("<!DOCTYPE a [<!ENTITY e SYSTEM 'nowhere'><!ENTITY f 'text'>]><a>&f;</a>", resolve_entities=True)
    assert doc.root.text == "text"
    assert 'SYSTEM "nowhere"' in whole(doc)


# A folder


def test_a_folder_gives_entities_and_dtds(folder):
    doc = parse(ENTITY.format("e.xml"), resolve_entities=True, external=folder)
    assert doc.root.to_string() == "<a>read <b>e</b></a>"
    assert '<!ENTITY e SYSTEM "e.xml">' in whole(doc)
    assert parse(DTD.format("a.dtd"), **BOTH, external=str(folder)).root.text == "from the DTD"
    assert parse(DTD.format((folder / "a.dtd").as_uri()), **BOTH, external=folder).root.text == "from the DTD"
    without_substitution = parse(DTD.format("a.dtd"), load_dtd=True, external=folder)
    assert [node.type for node in without_substitution.root.children] == ["entity_ref"]
    assert without_substitution.root.text == "from the DTD"


def test_a_file_refers_to_its_own_folder(folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "x.dtd").write_text("<!ENTITY % y SYSTEM 'y.ent'>%y;<!ENTITY z SYSTEM '../e.xml'>")
    (folder / "sub" / "y.ent").write_text("<!ENTITY e 'nested'>")
    (folder / "a.xml").write_text("<!DOCTYPE a SYSTEM 'sub/x.dtd'><a>&e;&z;</a>")
    assert parse_file(folder / "a.xml", **BOTH, external=folder).root.text == "nestedread e"


@pytest.mark.parametrize(
    "address",
    ["../secret", "{}/secret", "file://{}/secret", "file://localhost{}/secret", "%2e%2e/secret", "link", "dangling"],
)
def test_nothing_outside_of_the_folder_is_read(folder, address):
    (folder / "link").symlink_to(folder.parent / "secret")
    (folder / "dangling").symlink_to(folder.parent / "nothing")
    for xml in (ENTITY, DTD):
        with pytest.raises(ParseError) as caught:
            parse(xml.format(address.format(folder.parent)), **BOTH, external=folder)
        assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["-", "/dev/stdin", "/dev/zero", "http://127.0.0.1:9/x", "ftp://127.0.0.1/x", "file:x"]
)
def test_only_files_are_read(folder, address):
    with pytest.raises(ParseError):
        parse(DTD.format(address), **BOTH, external=folder)
    if address.startswith("/dev"):
        with pytest.raises(ParseError, match="no regular file|not in the folder"):
            parse(DTD.format(address), **BOTH, external="/dev")


def test_a_fifo_does_not_hang(folder):
    os.mkfifo(folder / "fifo")
    with pytest.raises(ParseError, match="no regular file"):
        parse(DTD.format("fifo"), **BOTH, external=folder)


def test_a_local_dtd_with_a_hook_reads_nothing(folder):
    (folder / "hook.dtd").write_text("<!ENTITY % hook ''> %hook;")
    xml = f"""<!DOCTYPE a SYSTEM "hook.dtd" [
        <!ENTITY % file SYSTEM "file://{folder.parent}/secret">
        <!ENTITY % hook '<!ENTITY &#37; eval "<!ENTITY g &#39;&#37;file;&#39;>">&#37;eval;'>
        ]><a>&g;</a>"""
    for options in ({"load_dtd": True}, BOTH):
        with pytest.raises(ParseError) as caught:
            parse(xml, **options, external=folder)
        assert "SECRET" not in str(caught.value) + str(caught.value.errors)


# A function


def test_a_resolver_gets_both_identifiers_and_returns_bytes_or_text():
    calls = []

    def resolver(system, public):
        calls.append((system, public))
        return {"x.dtd": b"<?xml encoding='iso-8859-1'?><!ENTITY e '\xe9'>", "f": "<b>f</b>"}[system]

    xml = "<!DOCTYPE a PUBLIC '-//X' 'x.dtd' [<!ENTITY f SYSTEM 'f'>]><a>&e;&f;&f;</a>"
    doc = parse(xml, **BOTH, external=resolver)
    assert doc.root.to_string() == "<a>é<b>f</b><b>f</b></a>"
    assert calls == [("x.dtd", "-//X"), ("f", None)]


def test_a_resolver_that_refuses_or_raises():
    with pytest.raises(ParseError, match="returned None"):
        parse(ENTITY.format("x"), resolve_entities=True, external=lambda system, public: None)
    with pytest.raises(LookupError, match="mine"):

        def fails(system, public):
            raise LookupError("mine")

        parse(ENTITY.format("x"), resolve_entities=True, external=fails)
    with pytest.raises(TypeError):
        parse(ENTITY.format("x"), resolve_entities=True, external=lambda system, public: 1)
    with pytest.raises(TypeError):
        parse("<a/>", external=1)


def test_a_resolver_may_parse():
    def resolver(system, public):
        return parse(f"<{system}/>").root.to_string()

    assert parse(ENTITY.format("x"), resolve_entities=True, external=resolver).root.to_string() == "<a><x/></a>"


def test_an_endless_chain_ends():
    def resolver(system, public):
        number = int(system) + 1
        return f"<!ENTITY % n{number} SYSTEM '{number}'>%n{number};"

    with pytest.raises(ParseError, match="loop|nesting depth|more than 1000"):
        parse("<!DOCTYPE a SYSTEM '0'><a/>", load_dtd=True, external=resolver)


@pytest.mark.parametrize("xml", ["<a k='&e;'>&e;</a>", "<a>&e;<b k='&e;'/></a>", "<a k='&i;'/>", "<a>&j;</a>"])
@pytest.mark.parametrize("declared", ["", "<!ATTLIST a d CDATA '&e;'>"])
def test_an_attribute_cannot_refer_to_an_external_entity(xml, declared):
    """Neither directly nor through an entity of the document."""
    dtd = f"""<!DOCTYPE a [<!ENTITY e SYSTEM 'x'><!ENTITY i 'i&e;'><!ENTITY j '<b k="&i;"/>'>{declared}]>"""
    with pytest.raises(ParseError, match="attribute|Attribute"):
        parse(dtd + xml, resolve_entities=True, external=lambda system, public: "text")


def test_a_second_text_declaration_is_none():
    for encoding in ("utf-8", "iso-8859-1"):
        once = f"<?xml encoding='{encoding}'?>é".encode(encoding)
        assert parse(ENTITY.format("x"), resolve_entities=True, external=lambda *_: once).root.text == "é"
        for twice in (once.replace(b"?>", b"?>" + once), once.replace(b"?>", b"?>" + b"<?xml encoding='iso-8859-1'?>")):
            with pytest.raises(ParseError):
                parse(ENTITY.format("x"), resolve_entities=True, external=lambda *_: twice)


# libxml2's own ways


def test_a_catalog_of_the_document_is_not_fetched(folder):
    with socket.create_server(("127.0.0.1", 0)) as server:
        seen = []

        def accept():
            try:
                seen.append(server.accept())
            except OSError:
                pass

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        xml = f"<?oasis-xml-catalog catalog='http://127.0.0.1:{port}/c.xml'?>" + DTD.format("a.dtd")
        for options in ({}, {"resolve_entities": True}, {**BOTH, "external": folder}, {**BOTH, "recover": True}):
            try:
                parse(xml, **options)
            except ParseError:
                pass
        assert not seen
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


LOADER = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


def test_the_process_wide_loader_is_never_called(lib, folder):
    calls = []
    theirs = LOADER(lambda url, id, context: calls.append(url))
    lib.xmlGetExternalEntityLoader.restype = ctypes.c_void_p
    lib.xmlSetExternalEntityLoader.argtypes = [ctypes.c_void_p]
    before = lib.xmlGetExternalEntityLoader()
    lib.xmlSetExternalEntityLoader(ctypes.cast(theirs, ctypes.c_void_p))
    try:
        pe = "<!DOCTYPE a [<!ENTITY % p SYSTEM 'a.dtd'>%p;<!ENTITY f '&e;'>]><a>&f;</a>"
        for xml in (ENTITY.format("e.xml"), DTD.format("a.dtd"), pe):
            for options in ({}, {"resolve_entities": True}, BOTH, {"load_dtd": True}, {**BOTH, "recover": True}):
                for external in (None, folder, lambda system, public: ""):
                    try:
                        parse(xml, **options, external=external).close()
                    except ParseError:
                        pass
    finally:
        lib.xmlSetExternalEntityLoader(before)
    assert calls == []
