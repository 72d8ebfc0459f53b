"""Elements that are made at their place (`append_element`), and attributes that are set by name (`set`)."""

import pytest
from xml_safe import ClosedError, Document, live_handles, parse

pytestmark = pytest.mark.usefixtures("nothing_is_left")


def whole(doc: Document):
    return doc.xpathEval("/")[0]


def test_an_element_is_made_behind_the_last_child():
    doc = parse("<a>t<b/></a>")
    made = doc.root.append_element("c")
    assert doc.root.to_string() == "<a>t<b/><c/></a>"
    assert made is doc.root.children[-1]
    assert (made.name, made.text, dict(made.attributes)) == ("c", "", {})


def test_the_root_of_a_document_is_made_at_its_place():
    doc = Document()
    root = whole(doc).append_element("feed")
    assert doc.root is root
    with pytest.raises(ValueError, match="one root element"):
        whole(doc).append_element("second")
    assert doc.root.to_string() == "<feed/>"


def test_text_and_attributes_are_those_that_are_read_again():
    doc = parse("<a/>")
    attributes = {"id": '1 < 2 & "x"', "{urn:p}k": "v"}
    doc.root.append_element("b", "a < b & c", attributes)
    (again,) = parse(doc.root.to_string()).root
    assert again.text == "a < b & c"
    assert dict(again.attributes) == attributes


@pytest.mark.parametrize("text", [None, ""])
def test_an_element_without_a_text_has_no_child(text):
    doc = parse("<a/>")
    assert doc.root.append_element("b", text).children == []


def test_an_element_is_in_the_namespace_of_its_name_alone():
    doc = parse("<a xmlns='urn:d' xmlns:p='urn:p'/>")
    assert doc.root.append_element("b").namespace is None
    assert doc.root.append_element("{urn:d}c").namespace == "urn:d"
    assert doc.root.append_element("{urn:p}d", prefix="p").prefix == "p"
    assert doc.root.append_element("{urn:q}e", prefix="q").prefix == "q"
    written = doc.root.to_string()
    assert written == ('<a xmlns="urn:d" xmlns:p="urn:p"><b xmlns=""/><c/><p:d/><q:e xmlns:q="urn:q"/></a>')
    assert [child.namespace for child in parse(written).root] == [None, "urn:d", "urn:p", "urn:q"]


def test_an_element_is_what_create_element_and_append_make():
    one, other = (parse("<a xmlns='urn:d' xmlns:p='urn:p'><b/></a>") for _ in range(2))
    for name, prefix in (("x", None), ("{urn:d}x", None), ("{urn:p}x", "p"), ("{urn:p}x", "q"), ("{urn:q}x", None)):
        one.root.append_element(name, prefix=prefix)
        other.root.append(other.create_element(name, prefix=prefix))
    assert one.root.to_string() == other.root.to_string()


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        (("a b",), {}, "name of an element"),
        (("{urn:p}",), {}, "name of an element"),
        (("b", "\x01"), {}, "XML does not allow"),
        (("b", None, {"k v": "w"}), {}, "name of an attribute"),
        (("b", "t", {"k": "v", "l": "\x01"}), {}, "XML does not allow"),
        (("b", "t", {"k": "v", "xmlns": "urn:x"}), {}, "declares a namespace"),
        (("b",), {"prefix": "p"}, "a prefix stands for a namespace"),
        (("{urn:p}b",), {"prefix": "xmlns"}, "their own namespaces"),
        (("b", "t", {"k\0": "v"}), {}, "NUL"),
    ],
)
def test_bad_input_changes_nothing(arguments, keywords, message):
    doc = parse("<a><b/></a>")
    with pytest.raises(ValueError, match=message):
        doc.root.append_element(*arguments, **keywords)
    assert doc.root.to_string() == "<a><b/></a>"
    assert live_handles()["Node"] == 0


@pytest.mark.parametrize("attributes", [1, ["k"], {"k": 1}, {1: "v"}])
def test_attributes_are_a_mapping_of_texts(attributes):
    doc = parse("<a/>")
    with pytest.raises(TypeError):
        doc.root.append_element("b", None, attributes)
    assert doc.root.to_string() == "<a/>"


def test_attributes_of_another_element_of_the_document_are_copied():
    doc = parse("<a k='v' l='w'/>")
    doc.root.append_element("b", attributes=doc.root.attributes)
    assert doc.root.children[0].to_string() == '<b k="v" l="w"/>'


def test_an_attribute_that_is_an_id_is_found():
    doc = parse("<a/>")
    made = doc.root.append_element("b", attributes={"{http://www.w3.org/XML/1998/namespace}id": "x"})
    assert doc.xpathEval("id('x')") == [made]


@pytest.mark.parametrize("expression", ["//text()", "//comment()", "//processing-instruction()", "//@k"])
def test_what_has_no_children_gets_no_element(expression):
    doc = parse("<a k='v'>t<!--c--><?p i?></a>")
    with pytest.raises(ValueError, match="has no children that can be changed"):
        doc.xpathEval(expression)[0].append_element("b")


def test_a_fragment_gets_elements():
    doc = parse("<a/>")
    fragment = doc.create_fragment()
    fragment.append_element("b", "t")
    doc.root.append(fragment)
    assert doc.root.to_string() == "<a><b>t</b></a>"


def test_a_closed_document_gets_no_element():
    doc = parse("<a/>")
    root = doc.root
    doc.close()
    with pytest.raises(ClosedError):
        root.append_element("b")
    with pytest.raises(ClosedError):
        root.set("k", "v")


def test_an_attribute_is_set_by_name():
    doc = parse("<a k='v'/>")
    doc.root.set("k", "w")
    doc.root.set("{urn:p}l", "x")
    assert doc.root.to_string() == '<a xmlns:ns0="urn:p" k="w" ns0:l="x"/>'
    assert (doc.root.get("k"), doc.root.get("{urn:p}l")) == ("w", "x")


@pytest.mark.parametrize(("name", "value"), [("a b", "v"), ("xmlns", "v"), ("k", "\x01"), ("k\0", "v")])
def test_an_attribute_that_xml_does_not_allow_is_not_set(name, value):
    doc = parse("<a/>")
    with pytest.raises(ValueError):
        doc.root.set(name, value)
    assert doc.root.to_string() == "<a/>"


def test_a_text_has_no_attribute_to_set():
    doc = parse("<a>t</a>")
    with pytest.raises(ValueError, match="has no attributes"):
        doc.root.children[0].set("k", "v")


@pytest.mark.parametrize("prefix", [None, "p"])
def test_a_deep_tree_in_a_namespace_is_built_in_a_time_by_its_size(prefix):
    root = Document().append_element("{urn:x}a", prefix=prefix)
    deepest = root
    for _ in range(100_000):
        deepest = deepest.append_element("{urn:x}a", "t", {"k": "v"}, prefix=prefix)
    assert (deepest.namespace, deepest.prefix, deepest.namespaces) == ("urn:x", prefix, {prefix: "urn:x"})
    assert sum(1 for _ in root.iter("{urn:x}a")) == 100_001
