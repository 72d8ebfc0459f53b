"""The document type declaration of a document that has none."""

import copy
import pickle

import pytest
from xml_safe import ClosedError, Document, parse

DOCTYPES = {
    "name": ("r", None, None),
    "prefix": ("p:r", None, None),
    "not ASCII": ("é𝄞", None, "ü/𝄞.dtd"),
    "system": ("r", None, "a/b.dtd"),
    "empty system": ("r", None, ""),
    "public": ("html", "-//W3C//DTD XHTML 1.0 Strict//EN", "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd"),
    "empty public": ("r", "", ""),
    "all public": ("r", "aZ09 -'()+,./:=?;!*#@$_%\n", "x"),
    "quote": ("r", "it's", 'a "b" <c> [d] &e; %f; ]]> --'),
    "apostrophe": ("r", None, "a 'b' ?> <!-- \t\n \u0085\u2028"),
    "fragment and no URI": ("r", None, "%%% #x http://["),
    "XML 1.0 allows": ("r", None, "\ufffd\U0010ffff\ue000\ud7ff"),
}


def identified(document):
    return document.dtd.name, document.dtd.public_id, document.dtd.system_id


def made(doctype, root="r"):
    document = Document()
    document.append_element(root, "text")
    document.set_doctype(*doctype)
    return document


@pytest.mark.parametrize("doctype", DOCTYPES.values(), ids=DOCTYPES)
def test_doctype_is_read_again(doctype, capfd):
    document = made(doctype)
    assert identified(document) == doctype
    for again in (
        parse(document.to_string()),
        parse(document.to_bytes()),
        parse(document.to_bytes(encoding="utf-16")),
        parse(document.to_bytes(indent=True)),
        parse(document.to_string(method="xhtml")),
        document.copy(),
        copy.deepcopy(document),
        pickle.loads(pickle.dumps(document)),
        pickle.loads(pickle.dumps(document)).copy(),
    ):
        assert identified(again) == doctype
        assert [child.type for child in again.root.parent.children] == ["dtd", "element"]
        assert again.equals(document) and document.equals(again)
        assert again.root.text == "text"
    dtd = document.dtd
    assert (dtd.entities, dtd.elements, dtd.attributes, dtd.notations, dtd.external) == ({}, {}, [], {}, None)
    assert document.to_c14n() == b"<r>text</r>"
    assert document.equals(parse("<r>text</r>"))
    assert capfd.readouterr() == ("", "")


def test_doctype_is_written():
    for doctype, written in (
        (("r",), "<!DOCTYPE r>"),
        (("r", None, "x.dtd"), '<!DOCTYPE r SYSTEM "x.dtd">'),
        (("r", "p", "x.dtd"), '<!DOCTYPE r PUBLIC "p" "x.dtd">'),
        (("r", "it's", 'x".dtd'), """<!DOCTYPE r PUBLIC "it's" 'x".dtd'>"""),
    ):
        assert made(doctype).to_string() == f"{written}\n<r>text</r>\n"
    assert made(("html",), "html").to_string(method="html") == "<!DOCTYPE html>\n<html>text</html>\n"
    legacy = Document()
    legacy.set_doctype("html", public_id=None, system_id="about:legacy-compat")
    legacy.append_element("html")
    written = '<!DOCTYPE html SYSTEM "about:legacy-compat">\n<html></html>\n'
    assert legacy.to_string(method="html") == written


def test_html_has_no_end_of_a_tag_in_an_identifier():
    document = made(("html", None, "a>b"), "html")
    assert identified(parse(document.to_bytes())) == ("html", None, "a>b")
    with pytest.raises(ValueError, match="a document type can't have `>`"):
        document.to_bytes(method="html")


def test_place_of_the_doctype():
    document = parse("<!--a--><?b?><r/><!--c-->")
    root = document.root
    document.set_doctype("r")
    children = root.parent.children
    assert [child.type for child in children] == ["comment", "pi", "dtd", "element", "comment"]
    assert document.root is root
    assert identified(parse(document.to_string())) == ("r", None, None)
    # The document type is where that of a document that was parsed is.
    root.before(document.create_comment("behind"))
    children[0].before(document.create_comment("before"))
    with pytest.raises(ValueError, match="root element cannot be before the document type"):
        children[0].before(root)
    written = document.to_string().replace("\n", "")
    assert written == "<!--before--><!--a--><?b?><!DOCTYPE r><!--behind--><r/><!--c-->"


def test_doctype_before_there_is_a_root_element():
    document = Document()
    document.append(document.create_comment("a"))
    document.set_doctype("r", None, "x")
    document.append(document.create_comment("b"))
    again = pickle.loads(pickle.dumps(document))
    assert again.root is None and identified(again) == ("r", None, "x")
    document.append_element("r")
    assert document.to_string().replace("\n", "") == '<!--a--><!DOCTYPE r SYSTEM "x"><!--b--><r/>'
    document.root = document.create_element("s")
    assert [child.type for child in document.root.parent.children] == ["comment", "dtd", "comment", "element"]


@pytest.mark.parametrize("source", ["<!DOCTYPE r><r/>", "<!DOCTYPE r SYSTEM 'x' [<!ENTITY e 'f'>]><r>&e;</r>", None])
def test_second_doctype_is_refused(source):
    document = Document() if source is None else parse(source)
    if source is None:
        document.set_doctype("r")
    written, dtd = document.to_string(), document.dtd
    with pytest.raises(ValueError, match="has a document type, which cannot be changed"):
        document.set_doctype("s")
    assert (document.to_string(), document.dtd) == (written, dtd)
    with pytest.raises(ValueError, match="taken out"):
        document.xpathEval("/")[0].first_child.remove()


def test_another_doctype_by_another_document():
    document = parse("<!DOCTYPE r SYSTEM 'x'><r><b/></r>")
    other = Document()
    other.set_doctype("s")
    root = document.root
    other.append(root)
    assert other.to_string() == "<!DOCTYPE s>\n<r><b/></r>\n"
    assert other.root is root


@pytest.mark.parametrize(
    "doctype",
    [
        ("",),
        ("1",),
        ("a b",),
        ("a:",),
        (":a",),
        ("a:b:c",),
        ("{u}a",),
        ("a>",),
        ("a\r",),
        ("r", "é", "x"),
        ("r", 'a"b', "x"),
        ("r", "a<b", "x"),
        ("r", "a&b", "x"),
        ("r", "a\tb", "x"),
        ("r", "a\rb", "x"),
        ("r", "[a]", "x"),
        ("r", "p"),
        ("r", "", None),
        ("r", None, "a\"b'"),
        ("r", None, "a\rb"),
        ("r", None, "a\x01b"),
        ("r", None, "a\uffffb"),
        ("r\0",),
        ("r", None, "\0"),
        ("r", "\0", "x"),
    ],
)
def test_what_xml_does_not_allow_is_refused(doctype):
    document = parse("<r/>")
    with pytest.raises(ValueError):
        document.set_doctype(*doctype)
    assert document.dtd is None
    assert document.to_string() == "<r/>\n"
    document.set_doctype("r")
    assert document.to_string() == "<!DOCTYPE r>\n<r/>\n"


def test_wrong_types_are_refused():
    document = parse("<r/>")
    for wrong in ((), (None,), (b"r",), ("r", 1, "x"), ("r", None, b"x"), ("r", "p", "x", "y")):
        with pytest.raises(TypeError):
            document.set_doctype(*wrong)
    with pytest.raises(UnicodeEncodeError):
        document.set_doctype("\ud800")
    document.close()
    with pytest.raises(ClosedError):
        document.set_doctype("r")


def test_document_type_declares_nothing():
    document = made(("r", None, "x.dtd"))
    # The DTD, which was not read, may declare any entity.
    document.root.append(document.create_entity_ref("e"))
    again = parse(document.to_string())
    assert [child.type for child in again.root.children] == ["text", "entity_ref"]
    inner = made(("r",))
    with pytest.raises(ValueError, match="declares no such entity"):
        inner.create_entity_ref("e")
    inner.root.attributes["id"] = "x"
    assert inner.get_by_id("x") is None


def test_evaluations_on_a_document_with_a_new_doctype():
    document = made(("r", "p", "s"))
    assert document.xpathEval("string(/r)") == "text"
    assert document.xpathEval("f(/r)", functions={"f": len}) == 1
    assert document.root.path == "/r"
    assert [child.type for child in document.xpathEval("/node()")] == ["element"]
    assert document.xinclude() == 0


def test_character_that_the_encoding_lacks():
    document = made(("r", None, "é"))
    with pytest.raises(UnicodeEncodeError):
        document.to_bytes(encoding="ascii")
    assert identified(parse(document.to_bytes(encoding="latin-1"))) == ("r", None, "é")


def test_views_of_the_doctype_end_with_the_document():
    document = made(("r",))
    dtd, node = document.dtd, document.root.parent.first_child
    assert node.type == "dtd" and dtd.closed is False
    document.close()
    for read in (lambda: dtd.name, lambda: node.type):
        with pytest.raises(ClosedError):
            read()
