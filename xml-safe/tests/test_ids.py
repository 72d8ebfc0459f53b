"""Elements by their ID."""

import pytest
from xml_safe import ClosedError, Document, parse

XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
DTD = "<!DOCTYPE r [<!ATTLIST r key ID #IMPLIED><!ATTLIST b key ID #IMPLIED>]>"


def both(doc, name):
    """The element by the method, which is the one that XPath finds."""
    found = doc.get_by_id(name)
    assert doc.xpathEval(f"id('{name}')") == ([] if found is None else [found])
    return found


def test_an_element_is_found_by_its_id():
    doc = parse("<r xml:id='top'><b xml:id='x'/></r>")
    assert both(doc, "x") is doc.root.children[0]
    assert both(doc, "top") is doc.root
    assert both(doc, "y") is None
    assert both(doc, "") is None


def test_a_dtd_declares_ids():
    doc = parse(DTD + "<r key='1'><b key='x'/><c key='y'/></r>")
    assert both(doc, "x").name == "b"
    assert both(doc, "y") is None


def test_a_document_without_ids_finds_nothing():
    assert both(Document(), "x") is None
    assert both(parse("<r id='x'/>"), "x") is None


def test_a_removed_element_is_not_found():
    doc = parse("<r><b><c xml:id='x'/></b></r>")
    inner = doc.root.children[0]
    inner.remove()
    assert both(doc, "x") is None
    doc.root.append(inner)
    assert both(doc, "x") is inner.children[0]


def test_an_id_that_is_set_outside_of_the_tree_is_not_found():
    doc = parse("<r><b xml:id='y'/></r>")
    made = doc.create_element("m")
    made.attributes[XML_ID] = "x"
    assert both(doc, "x") is None
    made.attributes[XML_ID] = "z"
    assert both(doc, "z") is None
    doc.root.append(made)
    assert both(doc, "z") is made


def test_an_element_that_moves_below_a_removed_one_is_not_found():
    doc = parse("<r><b xml:id='x'/><c/></r>")
    inner, other = doc.root
    other.remove()
    other.append(inner)
    assert both(doc, "x") is None
    doc.root.append(other)
    assert both(doc, "x") is inner


def test_an_id_outside_of_the_tree_takes_none_from_the_tree():
    doc = parse("<r><b/></r>")
    made = doc.create_element("m")
    made.set(XML_ID, "x")
    doc.root.children[0].set(XML_ID, "x")
    assert both(doc, "x") is doc.root.children[0]


def test_changes_of_ids_are_followed():
    doc = parse("<r><b xml:id='x'/></r>")
    inner = doc.root.children[0]
    inner.attributes[XML_ID] = "y"
    assert (both(doc, "x"), both(doc, "y")) == (None, inner)
    (attribute,) = inner.xpathEval("@*")
    attribute.name = "other"
    assert both(doc, "y") is None
    attribute.name = "id"
    assert both(doc, "y") is inner
    attribute.namespace = None
    assert both(doc, "y") is None
    attribute.namespace = "http://www.w3.org/XML/1998/namespace"
    assert both(doc, "y") is inner
    del inner.attributes[XML_ID]
    assert both(doc, "y") is None


@pytest.mark.parametrize(
    "change",
    [
        lambda node, name, id: node.set(name, id),
        lambda node, name, id: node.attributes.update({name: id}),
        lambda node, name, id: setattr(node.attributes.node(name), "text", id),
    ],
    ids=["set", "update", "text"],
)
@pytest.mark.parametrize("former", ["x", ""])
@pytest.mark.parametrize("name", [XML_ID, "key"])
def test_an_element_gets_an_id_of_its_own(name, former, change):
    """Before, another element had the same ID, or the text was none."""
    written = "xml:id" if name == XML_ID else name
    doc = parse(f"{DTD}<r {written}='x'><b {written}='{former}'/></r>", recover=True)
    inner = doc.root.children[0]
    assert both(doc, "x") is doc.root
    change(inner, name, "y")
    assert (both(doc, "x"), both(doc, "y")) == (doc.root, inner)
    change(inner, name, former)
    assert (both(doc, "x"), both(doc, "y")) == (doc.root, None)
    inner.remove()
    change(inner, name, "y")
    assert both(doc, "y") is None
    doc.root.append(inner)
    assert both(doc, "y") is inner


def test_a_text_of_an_attribute_is_an_id_of_its_own():
    doc = parse("<r xml:id='x'><b xml:id='x'/></r>", recover=True)
    inner = doc.root.children[0]
    (text,) = inner.attributes.node(XML_ID).children
    text.text = "y"
    assert (both(doc, "x"), both(doc, "y")) == (doc.root, inner)


def test_no_other_element_is_found_by_an_id_that_was_changed():
    doc = parse("<r><a xml:id='x'/><b xml:id='x'/></r>", recover=True)
    first, second = doc.root.children
    assert both(doc, "x") is first
    first.set(XML_ID, "y")
    assert both(doc, "x") is None
    second.set(XML_ID, "x")
    assert both(doc, "x") is second


def test_an_attribute_becomes_an_id_in_a_document_without_ids():
    doc = parse("<r id='x'/>")
    (attribute,) = doc.root.xpathEval("@*")
    attribute.namespace = "http://www.w3.org/XML/1998/namespace"
    assert both(doc, "x") is doc.root


def test_the_content_of_an_entity_is_not_in_the_tree():
    doc = parse("<!DOCTYPE r [<!ENTITY e \"<b xml:id='x'/>\">]><r>&e;</r>")
    assert doc.get_by_id("x") is None


def test_ids_move_to_another_document():
    doc, other = parse("<r/>"), parse("<o><b xml:id='x'/></o>")
    inner = other.get_by_id("x")
    doc.root.append(inner)
    assert (both(doc, "x"), both(other, "x")) == (inner, None)


def test_a_closed_document_finds_nothing():
    doc = parse("<r xml:id='x'/>")
    doc.close()
    with pytest.raises(ClosedError):
        doc.get_by_id("x")
    with pytest.raises(TypeError):
        Document().get_by_id(1)
