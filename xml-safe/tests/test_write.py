"""Writing XML to text and bytes: declarations, encodings, indentation."""

import codecs
import os
import pickle
import xml.etree.ElementTree as ElementTree

import pytest
from programs import TESTS
from xml_safe import parse

TEXT = "<a k='é日&#10;&quot;'>é&lt;&amp;日<b/><!--c--><?p i?></a>"


def everything(node):
    """The whole of a tree, as values that can be compared."""
    return node.type, node.name, node.text, node.attributes, [everything(child) for child in node.children]


# Declarations


def test_a_document_in_bytes_has_a_declaration():
    doc = parse("<?xml version='1.0' encoding='ISO-8859-1'?><a/>")
    assert doc.to_bytes() == b'<?xml version="1.0" encoding="UTF-8"?>\n<a/>\n'
    assert doc.to_bytes(declaration=False) == b"<a/>\n"
    assert doc.root.to_bytes() == b"<a/>"
    assert doc.root.to_bytes(declaration=True) == b'<?xml version="1.0" encoding="UTF-8"?>\n<a/>'


@pytest.mark.parametrize("declared", ["ISO-8859-1", "utf-16", "Shift_JIS", "UTF-8"])
@pytest.mark.parametrize("options", [{}, {"declaration": True}, {"standalone": True}, {"declaration": False}])
def test_text_names_no_encoding(declared, options):
    data = f"<?xml version='1.0' encoding='{declared}'?><a>x</a>"
    for doc in (parse(data), parse(data.encode(declared))):
        text = doc.to_string(**options)
        assert "encoding" not in text
        assert text.startswith("<?xml") == bool(options.get("declaration") or options.get("standalone"))
        assert ElementTree.fromstring(text).text == "x"


@pytest.mark.parametrize(
    ("xml", "standalone", "declared"),
    [
        ("<a/>", None, ""),
        ("<a/>", True, ' standalone="yes"'),
        ("<a/>", False, ' standalone="no"'),
        ("<?xml version='1.0' standalone='yes'?><a/>", None, ' standalone="yes"'),
        ("<?xml version='1.0' standalone='no'?><a/>", None, ' standalone="no"'),
        ("<?xml version='1.0' standalone='yes'?><a/>", False, ' standalone="no"'),
    ],
)
def test_standalone_is_that_of_the_call_or_else_of_the_document(xml, standalone, declared):
    for write in (parse(xml).to_bytes, parse(xml).xpathEval("/")[0].to_bytes):
        expected = f'<?xml version="1.0" encoding="UTF-8"{declared}?>\n<a/>\n'
        assert write(standalone=standalone).decode() == expected
        assert write(standalone=standalone, method="xhtml").decode() == expected.replace("<a/>", "<a></a>")


def test_text_of_a_newer_version_says_so():
    doc = parse("<?xml version='1.1'?><a/>")
    assert doc.to_string() == '<?xml version="1.1"?>\n<a/>\n'
    assert doc.root.to_string() == "<a/>"


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "UTF-16", "cp037"])
def test_an_element_in_another_encoding_has_a_declaration(encoding):
    root = parse("<a>é</a>").root
    data = root.to_bytes(encoding=encoding)
    assert "encoding=" in data.decode(encoding)
    assert parse(data).root.text == "é"
    assert root.children[0].to_bytes(encoding=encoding) == "é".encode(encoding)


# Encodings

ENCODINGS = (
    "UTF-8 UTF-16 UTF-16LE UTF-16BE UTF-32 UTF-8-SIG ISO-8859-1 Shift_JIS ASCII cp037 iso2022_jp gb18030".split()
)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("indent", [False, True])
def test_round_trip(encoding, indent):
    doc = parse(TEXT)
    data = doc.to_bytes(encoding=encoding, indent=indent)
    assert isinstance(data, bytes)
    again = parse(data)
    assert everything(again.root) == everything(doc.root)
    assert again.to_bytes(encoding=encoding, indent=indent) == data


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf8", "UTF-8"),
        ("latin1", "ISO-8859-1"),
        ("iso8859_15", "ISO-8859-15"),
        ("cp1252", "windows-1252"),
        ("sjis", "Shift_JIS"),
        ("us-ascii", "US-ASCII"),
        ("koi8_r", "KOI8-R"),
        ("UTF-8-SIG", "UTF-8"),
        ("IBM850", "IBM850"),
        ("mac roman", "mac-roman"),
    ],
)
def test_the_registered_name_is_declared(encoding, declared):
    data = parse("<a/>").to_bytes(encoding=encoding)
    assert f'encoding="{declared}"' in data.decode(encoding)
    assert parse(data).root.name == "a"


def test_byte_order_marks():
    doc = parse("<a/>")
    assert doc.to_bytes(encoding="UTF-16").startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    assert doc.to_bytes(encoding="UTF-16LE").startswith("<".encode("utf-16-le"))
    assert doc.to_bytes(encoding="UTF-8-SIG").startswith(codecs.BOM_UTF8 + b"<?xml")
    assert doc.to_bytes(encoding="UTF-16").count(b"\xff\xfe") <= 1


def test_characters_that_the_encoding_has_not_become_references():
    doc = parse("<a k='€'>é€𝄞</a>")
    assert doc.root.to_bytes(encoding="ASCII") == b'<a k="&#8364;">&#233;&#8364;&#119070;</a>'
    latin = doc.to_bytes(encoding="ISO-8859-1", declaration=False)
    assert latin == '<a k="&#8364;">é&#8364;&#119070;</a>\n'.encode("latin-1")


def test_values_in_a_dtd_become_references():
    doc = parse("<!DOCTYPE a [<!ENTITY e 'é'><!ENTITY % p 'é'><!ATTLIST a k CDATA 'é'>]><a>&e;</a>")
    data = doc.to_bytes(encoding="ASCII")
    assert data.count(b"&#233;") == 3
    assert parse(data, resolve_entities=True).root.text == "é"


def test_a_cdata_section_ends_around_a_reference():
    doc = parse("<a><![CDATA[<é€>]]></a>")
    data = doc.root.to_bytes(encoding="ISO-8859-1", declaration=False)
    assert data == "<a><![CDATA[<é]]>&#8364;<![CDATA[>]]></a>".encode("latin-1")
    assert parse(data.decode("latin-1")).root.text == "<é€>"


@pytest.mark.parametrize(
    ("xml", "place"),
    [
        ("<a><!-- é --></a>", "a comment"),
        ("<!-- é --><a/>", "a comment"),
        ("<a><?p é?></a>", "a processing instruction"),
        ("<a><?é p?></a>", "a processing instruction"),
        ("<é/>", "a name"),
        ("<a><é>b</é></a>", "a name"),
        ("<a é='b'/>", "a name"),
        ("<a xmlns:é='b'/>", "a name"),
        ("<!DOCTYPE a [<!ENTITY é 'b'>]><a/>", "a DTD"),
        ("<!DOCTYPE a [<!ELEMENT é ANY>]><a/>", "a DTD"),
        ("<!DOCTYPE a SYSTEM 'é.dtd'><a/>", "a DTD"),
        ("<!DOCTYPE a [<!ENTITY e SYSTEM 'é'>]><a/>", "a DTD"),
        ("<!DOCTYPE a [<!ENTITY e 'x'><!-- é -->]><a/>", "a comment"),
    ],
)
def test_characters_elsewhere_are_an_error(xml, place):
    doc = parse(xml)
    with pytest.raises(UnicodeEncodeError, match=f"; {place} can have no character references") as caught:
        doc.to_bytes(encoding="ascii")
    assert caught.value.object[caught.value.start] == "é"
    for encoding in ("UTF-8", "UTF-16", "ISO-8859-1"):
        assert "é" in doc.to_bytes(encoding=encoding).decode(encoding)


TRICKY = """<!DOCTYPE a [<!ENTITY e "é<!-- -->'>"><!-- ]> " ' --><?p ]> " ' ?><!ENTITY % p '"]>é'>
<!ATTLIST a k CDATA "]>'">]>
<a k="'>" l='"&gt;é'><!-->- > " 'x--><?p > " ' ??><b>"'é]]&gt;</b><![CDATA[]] ]> ]]]]><![CDATA[>]]>é</a>"""


def test_text_is_told_from_markup_in_every_place():
    doc = parse(TRICKY)
    data = doc.to_bytes(encoding="ASCII")
    assert data.isascii()
    assert everything(parse(data).root) == everything(doc.root)
    with pytest.raises(UnicodeEncodeError):
        parse(TRICKY.replace("x-->", "é-->")).to_bytes(encoding="ASCII")


def test_parts_of_every_length():
    """libxml2 passes its text in parts of 4,000 bytes, which may begin inside a character."""
    for length in range(3990, 4002):
        doc = parse("<a>" + "x" * length + "日é𝄞<b k='日é'/><!--x--></a>")
        for encoding in ("utf-16", "latin-1", "ascii", "utf-8"):
            assert everything(parse(doc.to_bytes(encoding=encoding)).root) == everything(doc.root)


def test_values_of_attributes_are_not_escaped_without_need():
    assert parse("<a k='é'/>".encode()).to_string() == '<a k="é"/>\n'
    assert parse("<a k='é&amp;#xE9;&#x85;'/>".encode()).root.get("k") == "é&#xE9;\x85"
    again = parse(parse("<a k='é&amp;#xE9;&#x85;'/>".encode()).to_bytes())
    assert again.root.get("k") == "é&#xE9;\x85"
    assert parse("<!DOCTYPE a [<!ENTITY é 'x'>]><a k='&é;é'/>".encode()).root.to_string() == '<a k="&é;é"/>'


def test_only_values_have_references_that_become_characters():
    """libxml2 writes the values of a document without an encoding with references, in parts of 4,000 bytes."""
    inside = (
        "<b k='é!?&lt;&amp;#xE9;'>! ? &amp;#xE9; é&lt;</b><!--é &#xE9; <b k='&#xE9;'- -> <? ! --><?p é &#xE9; <!-- ?>"
        "<![CDATA[é &#xE9; <!-- <b k=\"&#xE9;\"> ]]><c l='é'/>?!<d m='é'/>"
    )
    subset = "<!DOCTYPE a [<!ENTITY e 'é&#xE9;'><!--&#xE9; --><?q &#xE9;?><!ATTLIST a z CDATA 'é'>]>"
    for length in range(3790, 4002):
        text = f"{subset}<a y='é'>{'x' * length}{inside}</a>"
        assert parse(text.encode()).to_string() == parse(text).to_string()
        assert parse(text.encode()).to_bytes() == parse(text).to_bytes()


# Indentation


def test_indentation():
    doc = parse("<a><b><c/><!--d--></b><e>text<f/></e><g><![CDATA[x]]><h/></g></a>")
    expected = "<a>\n  <b>\n    <c/>\n    <!--d-->\n  </b>\n  <e>text<f/></e>\n  <g><![CDATA[x]]><h/></g>\n</a>"
    assert doc.root.to_string(indent=True) == expected
    assert doc.to_string(indent=True) == f"{expected}\n"
    assert doc.root.to_string() == expected.replace("\n", "").replace("  ", "")


def test_indentation_changes_no_text():
    doc = parse("<a> <b>c<d/></b></a>")
    assert doc.root.to_string(indent=True) == doc.root.to_string()


# Options

BAD = [
    ({"method": "XML"}, ValueError, 'method must be one of "xml", "html", "xhtml", not "XML"'),
    ({"method": ""}, ValueError, "method must be"),
    ({"method": None}, TypeError, "must be a str, not NoneType"),
    ({"method": b"xml"}, TypeError, "must be a str, not bytes"),
    ({"declaration": 1}, TypeError, "declaration"),
    ({"indent": "  "}, TypeError, "indent"),
    ({"standalone": "yes"}, TypeError, "standalone"),
    ({"standalone": True, "declaration": False}, ValueError, "standalone is part of the XML declaration"),
    ({"method": "html", "declaration": True}, ValueError, "HTML has no XML declaration"),
    ({"method": "html", "standalone": False}, ValueError, "HTML has no XML declaration"),
]
BAD_ENCODINGS = [
    ("nope", LookupError, "unknown encoding: nope"),
    ("", LookupError, "unknown encoding"),
    ("hex", LookupError, "no encoding of documents"),
    ("rot13", LookupError, "no encoding of documents"),
    ("unicode_escape", LookupError, "no encoding of documents"),
    ("idna", LookupError, "no encoding of documents"),
    ("UTF\0-8", (ValueError, LookupError), None),
    ("\ud800", (UnicodeEncodeError, LookupError), None),
    (None, TypeError, "must be a str, not NoneType"),
    (str, TypeError, "must be a str, not type"),
]


@pytest.mark.parametrize(("options", "error", "message"), BAD, ids=map(str, BAD))
def test_bad_options(tmp_path, options, error, message):
    doc, path = parse("<a/>"), tmp_path / "a.xml"
    for place in (doc, doc.xpathEval("/")[0]):
        for write in (place.to_string, place.to_bytes, lambda place=place, **options: place.write(path, **options)):
            with pytest.raises(error, match=message):
                write(**options)
    assert not path.exists()


@pytest.mark.parametrize(("encoding", "error", "message"), BAD_ENCODINGS)
def test_bad_encodings(tmp_path, encoding, error, message):
    doc, path = parse("<a/>"), tmp_path / "a.xml"
    with pytest.raises(error, match=message):
        doc.to_bytes(encoding=encoding)
    with pytest.raises(error, match=message):
        doc.root.write(path, encoding=encoding)
    assert not path.exists()


@pytest.mark.parametrize("standalone", [True, False])
def test_only_a_document_is_standalone(standalone):
    root = parse("<a k='v'>x</a>").root
    for node in (root, root.children[0], root.xpathEval("@k")[0]):
        with pytest.raises(ValueError, match="only a document is standalone"):
            node.to_bytes(standalone=standalone)


def test_only_a_document_or_an_element_has_a_declaration():
    for node in parse("<a k='v'>x<!--y--></a>").root.xpathEval("@k | text() | comment()"):
        with pytest.raises(ValueError, match="only a document or an element"):
            node.to_bytes(declaration=True)


def test_options_are_keywords():
    doc = parse("<a/>")
    for call in (lambda: doc.to_string("xml"), lambda: doc.to_bytes("UTF-8"), lambda: doc.root.to_c14n("1.0")):
        with pytest.raises(TypeError):
            call()


# Depth, and other users of libxml2


@pytest.mark.parametrize("method", ["xml", "html", "xhtml"])
def test_deep_trees(run_python, method):
    program = f"""
import threading
from documents import deep
threading.stack_size(256 << 10)
doc, depth = deep(100_000)
written = []
thread = threading.Thread(target=lambda: written.extend(
    [doc.to_string(method={method!r}), doc.to_bytes(method={method!r}, indent=True, encoding="latin-1", declaration=False)]
))
thread.start()
thread.join()
assert written[0] == "<a>" * depth + "x" + "</a>" * depth + "\\n"
assert b"".join(written[1].split()) == written[0].strip().encode()
"""
    ended = run_python("-c", program, env={**os.environ, "PYTHONPATH": TESTS})
    assert (ended.returncode, ended.stderr) == (0, "")


# ---- inherited namespaces

INHERITING = '<r xmlns="urn:u" xmlns:p="urn:p" xmlns:q="urn:q"><b xmlns:q="urn:q2"><p:c p:k="1">q:v</p:c></b></r>'


@pytest.mark.parametrize("method", ["xml", "xhtml"])
@pytest.mark.parametrize("encoding", ["UTF-8", "ascii", "utf-16"])
@pytest.mark.parametrize("indent", [False, True])
def test_an_element_has_the_namespaces_that_are_declared_above_it(method, encoding, indent, tmp_path):
    element = parse(INHERITING).root.first_child
    for part in (element, element.first_child):
        written = part.to_bytes(method=method, encoding=encoding, indent=indent)
        read = parse(written)
        assert read.errors == []
        assert read.root.namespaces == part.namespaces
        assert indent or read.root.equals(part)
        part.write(tmp_path / "part.xml", method=method, encoding=encoding, indent=indent)
        assert (tmp_path / "part.xml").read_bytes() == written


@pytest.mark.parametrize(
    ("source", "path", "written"),
    [
        (INHERITING, "/*/*", '<b xmlns="urn:u" xmlns:p="urn:p" xmlns:q="urn:q2"><p:c p:k="1">q:v</p:c></b>'),
        (INHERITING, "/*/*/*", '<p:c xmlns:q="urn:q2" xmlns="urn:u" xmlns:p="urn:p" p:k="1">q:v</p:c>'),
        ("<r xmlns='u'><a xmlns=''><b/></a></r>", "//b", "<b/>"),
        ("<r xmlns='u'><a xmlns=''><b/></a></r>", "//a", '<a xmlns=""><b/></a>'),
        ("<r xmlns:p='u'><p:a/></r>", "/*/*", '<p:a xmlns:p="u"/>'),
        ("<r xmlns:p='u'>t</r>", "//text()", "t"),
        ("<r xmlns:p='u'><!--c--></r>", "//comment()", "<!--c-->"),
        ("<r xmlns:p='u' xml:lang='en'><a>t</a></r>", "/r/a", '<a xmlns:p="u">t</a>'),
        ("<r xmlns:p='a&amp;&quot;&lt;&#9;b'><p:a/></r>", "/r/*", '<p:a xmlns:p="a&amp;&quot;&lt;&#9;b"/>'),
        ("<r xmlns:é='ü'><é:a>ö</é:a></r>", "/r/*", '<é:a xmlns:é="ü">ö</é:a>'),
    ],
)
def test_declarations_that_an_element_inherits(source, path, written):
    (node,) = parse(source).xpathEval(path)
    assert node.to_string() == written
    assert node.to_string(method="xhtml").replace("<b></b>", "<b/>") == written


def test_html_has_no_declarations_that_are_inherited():
    element = parse('<r xmlns="http://www.w3.org/1999/xhtml" xmlns:p="u"><p>t</p></r>').root.first_child
    assert element.to_string(method="html") == "<p>t</p>"


def test_an_element_that_is_in_no_tree_inherits_nothing():
    doc = parse("<r xmlns='u'><a/></r>")
    element = doc.root.first_child
    element.remove()
    assert element.to_string() == '<a xmlns="u"/>'
    assert doc.create_element("a").to_string() == "<a/>"


def test_a_name_that_is_not_encoded_is_refused_where_it_is_inherited():
    element = parse("<r xmlns:é='ü'><a/></r>").root.first_child
    with pytest.raises(UnicodeEncodeError, match="a name can have no character references"):
        element.to_bytes(encoding="ascii")
    element = parse("<r xmlns:e='ü'><a/></r>").root.first_child
    assert element.to_bytes(encoding="ascii") == b'<a xmlns:e="&#252;"/>'


# ---- XML 1.1

LATE = "\x7f\x80\x85\x9f\xa0\u2028\u2029é"
REFERRED = "&#127;&#128;&#133;&#159;\xa0&#8232;\u2029é"


@pytest.mark.parametrize("encoding", ["UTF-8", "utf-16", "latin-1"])
@pytest.mark.parametrize("method", ["xml", "xhtml"])
def test_xml_1_1_refers_to_the_characters_that_it_reads_otherwise(method, encoding):
    doc = parse(f'<?xml version="1.1"?><r k="{LATE}">{LATE}<a/></r>')
    root = doc.root
    written = f'<r k="{REFERRED}">{REFERRED}<a></a></r>'
    assert doc.to_string(method=method).replace("<a/>", "<a></a>") == f'<?xml version="1.1"?>\n{written}\n'
    assert root.to_string(method=method).replace("<a/>", "<a></a>") == written
    read = parse(doc.to_bytes(method=method, encoding=encoding))
    assert read.equals(doc) and read.version == "1.1"
    assert pickle.loads(pickle.dumps(doc)).equals(doc)


def test_xml_1_0_has_these_characters():
    assert parse(f"<r>{LATE}</r>").to_string() == f"<r>{LATE}</r>\n"
    assert parse(f'<?xml version="1.1"?><r>{LATE}</r>').to_string(method="html").startswith("<r>\x7f\x80\x85")


def test_xml_1_1_ends_a_cdata_section_around_these_characters():
    doc = parse('<?xml version="1.1"?><r><![CDATA[a\x85b]]></r>')
    assert doc.root.to_string() == "<r><![CDATA[a]]>&#133;<![CDATA[b]]></r>"


@pytest.mark.parametrize("source", ["<r><!--\x85--></r>", "<r><?p \u2028?></r>"])
def test_xml_1_1_has_no_references_in_comments(source):
    doc = parse(f'<?xml version="1.1"?>{source}')
    with pytest.raises(ValueError, match=r"XML 1\.1 has the character U\+(0085|2028) only as a reference"):
        doc.to_bytes()
    assert doc.to_bytes(method="html")


def test_a_tokenized_attribute_is_read_without_its_spaces():
    doc = parse("<!DOCTYPE r [<!ATTLIST r n NMTOKENS #IMPLIED c CDATA #IMPLIED>]><r/>")
    doc.root.set("n", " a  b\t")
    doc.root.set("c", " a  b\t")
    assert doc.root.get("n") == " a  b\t"
    for read in (parse(doc.to_bytes()), pickle.loads(pickle.dumps(doc))):
        # A reference to another white space is no space.
        assert (read.root.get("n"), read.root.get("c")) == ("a b\t", " a  b\t")
