"""Parsing what is well-formed: from memory and from files, in every encoding, with every option."""

import gzip
import inspect
import os
import pathlib
import subprocess
import sys

import pytest
from xml_safe import Document, ParseError, parse, parse_file

OPTIONS = ["recover", "huge", "no_blanks", "resolve_entities", "load_dtd", "no_cdata"]


def test_parse_bytes_and_str():
    for data in (b"<a>text</a>", "<a>text</a>"):
        doc = parse(data)
        assert isinstance(doc, Document)
        assert doc.root.name == "a"
        assert doc.root.text == "text"


def test_parse_of_str_and_bytes_subclasses():
    class Text(str):
        pass

    class Data(bytes):
        pass

    assert parse(Text("<a/>")).root.name == "a"
    assert parse(Data(b"<a/>")).root.name == "a"


def test_the_data_may_be_gone_after_the_call():
    data = bytearray(b"<a>" + b"x" * 1000 + b"</a>")
    doc = parse(bytes(data))
    data[:] = b"y" * len(data)
    assert doc.root.text == "x" * 1000


ENCODED = [
    "<a>é€</a>".encode(),
    "<a>é€</a>".encode("utf-8-sig"),
    "<a>é€</a>".encode("utf-16"),
    '<?xml version="1.0" encoding="UTF-8"?><a>é€</a>'.encode(),
    '<?xml version="1.0" encoding="UTF-8"?><a>é€</a>'.encode("utf-8-sig"),
    '<?xml version="1.0" encoding="UTF-16"?><a>é€</a>'.encode("utf-16"),
    '<?xml version="1.0" encoding="UTF-16LE"?><a>é€</a>'.encode("utf-16-le"),
    '<?xml version="1.0" encoding="UTF-16BE"?><a>é€</a>'.encode("utf-16-be"),
    '<?xml version="1.0" encoding="windows-1252"?><a>é€</a>'.encode("cp1252"),
    '<?xml version="1.0" encoding="ISO-8859-15"?><a>é€</a>'.encode("iso-8859-15"),
]


@pytest.mark.parametrize("data", ENCODED)
def test_bytes_are_decoded_as_they_declare(data, tmp_path):
    assert parse(data).root.text == "é€"
    (tmp_path / "a.xml").write_bytes(data)
    assert parse_file(tmp_path / "a.xml").root.text == "é€"


def test_latin_1():
    text = '<?xml version="1.0" encoding="ISO-8859-1"?><a k="ü">é</a>'
    for data in (text, text.encode("latin-1")):
        root = parse(data).root
        assert (root.text, root.get("k")) == ("é", "ü")


@pytest.mark.parametrize(
    "encoding",
    ["UTF-8", "utf-8", "ISO-8859-1", "US-ASCII", "windows-1252", "UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "UCS-4"],
)
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_the_encoding_a_str_declares_is_not_its_encoding(encoding, bom):
    """A `str` is decoded already, whatever was declared when it still was bytes."""
    doc = parse(f"{bom}<?xml version='1.0' encoding='{encoding}'?><a k='é€𝄞'>é€𝄞</a>")
    assert doc.root.text == "é€𝄞"
    assert doc.root.get("k") == "é€𝄞"


def test_str_outside_the_basic_plane():
    root = parse("<𐐀 k='𝄞'>🐍</𐐀>").root
    assert (root.name, root.get("k"), root.text) == ("𐐀", "𝄞", "🐍")


def test_line_ends_are_normalized():
    assert parse("<a>1\r\n2\r3\n</a>").root.text == "1\n2\n3\n"


# Options


def test_options_are_keywords_with_documented_defaults():
    for function in (parse, parse_file):
        parameters = inspect.signature(function).parameters
        for option in OPTIONS:
            assert parameters[option].kind is inspect.Parameter.KEYWORD_ONLY
            assert parameters[option].default is False
    assert inspect.signature(parse_file).parameters["decompress"].default is False


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_by_name(option, tmp_path):
    (tmp_path / "a.xml").write_text("<a>x</a>")
    for value in (True, False):
        assert parse("<a>x</a>", **{option: value}).root.text == "x"
        assert parse_file(tmp_path / "a.xml", **{option: value}).root.text == "x"


def test_all_options_together():
    assert parse("<a>x</a>", **dict.fromkeys(OPTIONS, True)).root.text == "x"


@pytest.mark.parametrize("call", [lambda: parse("<a/>", True), lambda: parse("<a/>", nope=True), lambda: parse()])
def test_wrong_calls(call):
    with pytest.raises(TypeError):
        call()


@pytest.mark.parametrize("option", OPTIONS)
def test_options_are_bool(option):
    with pytest.raises(TypeError):
        parse("<a/>", **{option: "yes"})


def test_recover():
    with pytest.raises(ParseError):
        parse("<a><b>x</a>")
    doc = parse("<a><b>x</a>", recover=True)
    assert doc.root.name == "a"
    assert doc.root.text == "x"


def test_no_blanks():
    data = "<a>\n  <b/>\n  <c/>\n</a>"
    assert [n.type for n in parse(data).root.children] == ["text", "element", "text", "element", "text"]
    assert [n.type for n in parse(data, no_blanks=True).root.children] == ["element", "element"]


def test_no_cdata():
    data = "<a>x<![CDATA[<y>]]>z</a>"
    assert [n.type for n in parse(data).root.children] == ["text", "cdata", "text"]
    plain = parse(data, no_cdata=True)
    assert {n.type for n in plain.root.children} == {"text"}
    assert parse(data).root.text == plain.root.text == "x<y>z"


def test_resolve_entities():
    data = '<!DOCTYPE a [<!ENTITY e "x<b/>y">]><a>1&e;2</a>'
    assert [n.type for n in parse(data).root.children] == ["text", "entity_ref", "text"]
    resolved = parse(data, resolve_entities=True).root
    assert [n.name for n in resolved] == ["b"]
    assert "entity_ref" not in [n.type for n in resolved.children]
    assert parse(data).root.text == resolved.text == "1xy2"


def test_predefined_entities_are_always_resolved():
    root = parse("<a k='&lt;&#xe9;'>&amp;&lt;&gt;&quot;&apos;&#233;&#x1D11E;</a>").root
    assert root.text == "&<>\"'é𝄞"
    assert root.get("k") == "<é"


def test_load_dtd(tmp_path):
    (tmp_path / "a.dtd").write_text('<!ENTITY e "from the DTD">')
    (tmp_path / "a.xml").write_text('<!DOCTYPE a SYSTEM "a.dtd"><a>&e;</a>')
    with_dtd = parse_file(tmp_path / "a.xml", load_dtd=True, resolve_entities=True, external=tmp_path)
    assert with_dtd.root.text == "from the DTD"


def test_the_dtd_is_not_loaded_unless_asked(tmp_path):
    (tmp_path / "a.dtd").write_text('<!ENTITY e "from the DTD">')
    (tmp_path / "a.xml").write_text('<!DOCTYPE a SYSTEM "a.dtd"><a>x</a>')
    for options in ({}, {"resolve_entities": True}):
        doc = parse_file(tmp_path / "a.xml", **options)
        assert "from the DTD" not in doc.xpathEval("/")[0].to_string()


# Files


def test_parse_file_by_every_kind_of_path(tmp_path):
    path = tmp_path / "a.xml"
    path.write_text("<a>x</a>")

    class Path:
        def __fspath__(self):
            return str(path)

    class BytesPath:
        def __fspath__(self):
            return os.fsencode(path)

    for name in (path, str(path), os.fsencode(path), Path(), BytesPath()):
        assert parse_file(name).root.text == "x"


def test_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("a.xml").write_text("<a/>")
    assert parse_file("a.xml").root.name == "a"
    assert parse_file("./a.xml").root.name == "a"


STRANGE_NAMES = [
    "-",
    "--",
    "a b.xml",
    "a%20b.xml",
    "%",
    "%00",
    "a%2Fb.xml",
    "http:x.xml",
    "ftp:x.xml",
    "file:x.xml",
    "file:%2Fx",
    "a?b#c.xml",
    "a\\b.xml",
    "a.xml.gz",
    "<&>.xml",
    "é€🐍.xml",
    "new\nline.xml",
    "~",
    "$HOME",
]


@pytest.mark.parametrize("name", STRANGE_NAMES)
def test_a_path_names_exactly_that_file(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for decoy in ("a b.xml", "x", "x.xml", "b.xml", "a"):
        pathlib.Path(decoy).write_text("<decoy/>")
    pathlib.Path(name).write_text("<right/>")
    assert parse_file(name).root.name == "right"
    assert parse_file(os.fsencode(name)).root.name == "right"
    assert parse_file(tmp_path / name).root.name == "right"


@pytest.mark.parametrize("name", ["-", "a%20b.xml", "file:a b.xml", "file:///{0}/a b.xml", "http://localhost/x.xml"])
def test_no_other_file_is_read_instead(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pathlib.Path("a b.xml").write_text("<decoy/>")
    with pytest.raises(FileNotFoundError):
        parse_file(name.format(tmp_path))


def test_a_dash_is_not_standard_input(tmp_path, run_python):
    code = "import xml_safe; xml_safe.parse_file('-')"
    ended = run_python("-c", code, input="<a/>", cwd=tmp_path)
    assert ended.returncode == 1
    assert "FileNotFoundError" in ended.stderr


def test_a_name_that_is_not_utf_8(tmp_path):
    name = os.fsencode(tmp_path) + b"/\xff\xe9.xml"
    try:
        with open(name, "w") as file:
            file.write("<a/>")
    except OSError:
        pytest.skip("the file system wants UTF-8")
    assert parse_file(name).root.name == "a"
    assert parse_file(os.fsdecode(name)).root.name == "a"
    with open(name, "w") as file:
        file.write("<a>")
    with pytest.raises(ParseError) as caught:
        parse_file(name)
    str(caught.value), repr(caught.value)


def test_catalogs_do_not_apply(tmp_path, run_python):
    (tmp_path / "right.xml").write_text("<right/>")
    (tmp_path / "decoy.xml").write_text("<decoy/>")
    (tmp_path / "catalog.xml").write_text(
        '<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">'
        f'<system systemId="right.xml" uri="{tmp_path}/decoy.xml"/><uri name="right.xml" uri="{tmp_path}/decoy.xml"/>'
        f'<system systemId="{tmp_path}/right.xml" uri="{tmp_path}/decoy.xml"/>'
        f'<uri name="{tmp_path}/right.xml" uri="{tmp_path}/decoy.xml"/></catalog>'
    )
    code = "import sys, xml_safe; print(*(xml_safe.parse_file(p).root.name for p in sys.argv[1:]))"
    env = {**os.environ, "XML_CATALOG_FILES": str(tmp_path / "catalog.xml")}
    ended = run_python("-c", code, "right.xml", tmp_path / "right.xml", cwd=tmp_path, env=env)
    assert ended.stdout.split() == ["right", "right"], ended.stderr


def test_nothing_is_decompressed_unless_asked(tmp_path):
    path = tmp_path / "a.xml.gz"
    path.write_bytes(gzip.compress(b"<a>x</a>"))
    with pytest.raises(ParseError):
        parse_file(path)
    assert parse_file(path, decompress=True).root.text == "x"


def test_decompressing_does_not_go_by_the_name(tmp_path):
    (tmp_path / "a.xml").write_bytes(gzip.compress(b"<a>x</a>"))
    assert parse_file(tmp_path / "a.xml", decompress=True).root.text == "x"
    (tmp_path / "b.gz").write_text("<b>x</b>")
    assert parse_file(tmp_path / "b.gz").root.text == "x"
    assert parse_file(tmp_path / "b.gz", decompress=True).root.text == "x"


def test_decompressing_more_than_one_buffer(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"<a>" + b"<b>text</b>" * 100_000 + b"</a>"))
    assert parse_file(tmp_path / "a.gz", decompress=True).xpathEval("count(//b)") == 100_000


def test_a_named_pipe_is_read_to_its_end(tmp_path, watchdog):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    code = "import sys; f = open(sys.argv[1], 'w'); f.write('<a>' + 'x' * 200_000); f.flush(); f.write('</a>')"
    writer = subprocess.Popen([sys.executable, "-c", code, str(path)])
    try:
        assert parse_file(path).root.text == "x" * 200_000
    finally:
        writer.kill()
        writer.wait()


def test_a_large_file(tmp_path):
    path = tmp_path / "large.xml"
    path.write_text("<a>" + "<b k='v'>text</b>\n" * 200_000 + "</a>")
    doc = parse_file(path)
    assert doc.xpathEval("count(//b)") == 200_000
    assert doc.root.children[-2].get("k") == "v"


def test_a_file_that_changes_after_the_call(tmp_path):
    path = tmp_path / "a.xml"
    path.write_text("<a>" + "x" * 100_000 + "</a>")
    doc = parse_file(path)
    os.truncate(path, 0)
    assert doc.root.text == "x" * 100_000


def test_no_file_descriptor_is_left_open(tmp_path):
    (tmp_path / "good.xml").write_text("<a/>")
    (tmp_path / "bad.xml").write_text("<a>")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(50):
        parse_file(tmp_path / "good.xml")
        with pytest.raises(ParseError):
            parse_file(tmp_path / "bad.xml")
        with pytest.raises(ParseError):
            parse_file(tmp_path / "bad.xml", decompress=True)
        with pytest.raises(OSError):
            parse_file(tmp_path)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_memory_of_other_types(kind):
    source = "<r>é</r>".encode("utf-16")
    assert parse(kind(source)).root.text == "é"
    with pytest.raises(ParseError):
        parse(kind(b""))


def test_memory_with_gaps():
    assert parse(memoryview(b"<-r-/->")[::2]).to_string() == "<r/>\n"


def test_a_file_is_no_source(tmp_path):
    (tmp_path / "a.xml").write_text("<r/>")
    with open(tmp_path / "a.xml", "rb") as file:
        for source in (file, tmp_path / "a.xml"):
            with pytest.raises(TypeError, match="bytes or a str expected, not .*parse_file"):
                parse(source)
    with pytest.raises(TypeError, match="bytes or a str expected, not int"):
        parse(5)
