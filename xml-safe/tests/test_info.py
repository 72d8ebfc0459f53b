"""What a document says of itself."""

import copy
import pickle

import pytest
from xml_safe import ClosedError, Document, Dtd, parse, parse_file


@pytest.mark.parametrize(
    ("declaration", "version", "standalone"),
    [
        ("", "1.0", None),
        ("<?xml version='1.0'?>", "1.0", None),
        ("<?xml version='1.1' standalone='yes'?>", "1.1", True),
        ("<?xml version='1.0' encoding='UTF-8' standalone='no'?>", "1.0", False),
    ],
)
def test_the_declaration(declaration, version, standalone):
    for doc in (parse(declaration + "<r/>"), parse((declaration + "<r/>").encode())):
        for each in (doc, doc.copy(), pickle.loads(pickle.dumps(doc))):
            assert (each.version, each.standalone) == (version, standalone)
    assert (Document().version, Document().standalone) == ("1.0", None)


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"<r/>", "UTF-8"),
        (b"\xef\xbb\xbf<r/>", "UTF-8"),
        (b"<?xml version='1.0' encoding='utf-8'?><r/>", "UTF-8"),
        ("<?xml version='1.0' encoding='ISO-8859-1'?><r>é</r>".encode("latin-1"), "ISO-8859-1"),
        ("<?xml version='1.0' encoding='windows-1252'?><r>€</r>".encode("cp1252"), "windows-1252"),
        ("<r/>".encode("utf-16"), "UTF-16"),
        ("<?xml version='1.0' encoding='UTF-16'?><r/>".encode("utf-16-be"), "UTF-16"),
        ("<r/>".encode("utf-32"), "UTF-32"),
        ("<r/>", None),
        ("<?xml version='1.0' encoding='latin-1'?><r/>", None),
    ],
)
def test_the_encoding(data, encoding):
    doc = parse(data)
    for each in (doc, doc.copy(), copy.deepcopy(doc), pickle.loads(pickle.dumps(doc))):
        assert each.encoding == encoding
    assert "encoding='UTF-8'" in doc.to_bytes().decode().replace('"', "'")


def test_the_encoding_of_a_file_and_of_a_new_document(tmp_path):
    path = tmp_path / "x.xml"
    path.write_bytes("<?xml version='1.0' encoding='ISO-8859-15'?><r>€</r>".encode("iso-8859-15"))
    assert parse_file(path).encoding == "ISO-8859-15"
    assert Document().encoding is None


def test_the_url(tmp_path):
    path = tmp_path / "a b.xml"
    path.write_text("<r/>")
    doc = parse_file(path)
    # libxml2 2.13 and newer do not escape a path.
    assert doc.url in (str(path).replace(" ", "%20"), str(path))
    assert doc.copy().url == doc.url
    # The setter escapes it.
    assert pickle.loads(pickle.dumps(doc)).url == str(path).replace(" ", "%20")
    doc = parse("<r/>")
    assert doc.url is None
    for url in ("http://example.com/a?b#c", "/a/b.xml", "b.xml", "file:///a", "urn:x:y", "", None, "x%20y"):
        doc.url = url
        assert doc.url == url
        assert doc.copy().url == pickle.loads(pickle.dumps(doc)).url == url
    doc.url = "a b/é.xml"
    assert doc.url == "a%20b/%C3%A9.xml"


@pytest.mark.parametrize("url", ["http://[", "%zz", "http://x:y/", "1a:b", ":"])
def test_what_is_no_url_changes_nothing(url):
    doc = parse("<r/>")
    doc.url = "before"
    try:
        doc.url = url
    except ValueError as error:
        assert "is no URI" in str(error)
        assert doc.url == "before"
    else:
        assert doc.url == url
    for wrong in ("a\0", 1, b"x"):
        with pytest.raises((ValueError, TypeError)):
            doc.url = wrong


def test_the_doctype():
    doc = parse("<!DOCTYPE r PUBLIC '-//x' 'x.dtd' [<!ENTITY e 'x'>]><r/>")
    dtd = doc.dtd
    assert isinstance(dtd, Dtd)
    assert (dtd.name, dtd.public_id, dtd.system_id) == ("r", "-//x", "x.dtd")
    assert doc.dtd == dtd
    dtd = parse("<!DOCTYPE s SYSTEM 'y.dtd'><r/>").dtd
    assert (dtd.name, dtd.public_id, dtd.system_id) == ("s", None, "y.dtd")
    dtd = parse("<!DOCTYPE r><r/>").copy().dtd
    assert (dtd.name, dtd.public_id, dtd.system_id) == ("r", None, None)
    assert parse("<r/>").dtd is None
    assert Document().dtd is None
    for name in ("name", "public_id", "system_id"):
        with pytest.raises(AttributeError):
            setattr(dtd, name, "x")
    with pytest.raises(AttributeError):
        doc.dtd = None


def test_the_doctype_keeps_its_document():
    dtd = parse("<!DOCTYPE r><r/>").dtd
    assert dtd.name == "r"
    doc = parse("<!DOCTYPE r><r/>")
    dtd = doc.dtd
    doc.close()
    with pytest.raises(ClosedError):
        dtd.name


def test_base_addresses():
    doc = parse("<r xml:base='http://h/a/'><b xml:base='c/'>x<!--c--></b><d k='v'/></r>")
    root = doc.root
    b, d = root
    assert (root.base, b.base, d.base) == ("http://h/a/", "http://h/a/c/", "http://h/a/")
    assert [child.base for child in b.children] == ["http://h/a/c/"] * 2
    assert d.xpathEval("@k")[0].base == "http://h/a/"
    assert doc.xpathEval("/")[0].base is None
    doc.url = "http://other/x.xml"
    assert doc.xpathEval("/")[0].base == "http://other/x.xml"
    d.attributes["{http://www.w3.org/XML/1998/namespace}base"] = "/e"
    assert d.base == "http://h/e"
    d.remove()
    assert d.base == "http://other/e"
    assert parse("<r/>").root.base is None
    assert parse("<r xml:base='x y'/>").root.base is not None


def test_a_deep_base():
    levels = 200
    doc = parse("<a xml:base='b/'>" * levels + "</a>" * levels)
    node = doc.xpathEval("//a[not(*)]")[0]
    assert node.base == "b/" * levels


@pytest.mark.parametrize("name", ["version", "encoding", "standalone", "url", "dtd"])
def test_a_closed_document_says_nothing(name):
    doc = parse("<r/>")
    root = doc.root
    doc.close()
    with pytest.raises(ClosedError):
        getattr(doc, name)
    with pytest.raises(ClosedError):
        root.base
    with pytest.raises(ClosedError):
        doc.url = "x"
