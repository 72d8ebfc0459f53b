"""Attributes as nodes, and the mapping of attributes as a MutableMapping."""

from collections.abc import Mapping, MutableMapping

import pytest
from xml_safe import ClosedError, Document, live_handles, parse

XML_ID = "{http://www.w3.org/XML/1998/namespace}id"


pytestmark = pytest.mark.usefixtures("nothing_is_left")


def test_an_attribute_is_a_node():
    doc = parse("<r xmlns:p='urn:p' k='v' p:l='w'/>")
    attributes = doc.root.attributes
    node = attributes.node("k")
    assert (node.type, node.name, node.text) == ("attribute", "k", "v")
    assert node is doc.xpathEval("//@k")[0]
    assert attributes.node("{urn:p}l").namespace == "urn:p"
    assert attributes.node("l") is None
    assert attributes.nodes() == doc.xpathEval("//@*")
    assert doc.xpathEval("//r")[0].attributes.nodes()[0].parent is doc.root


def test_a_removed_attribute_is_put_again():
    doc = parse("<r xmlns:p='urn:p' p:k='v' l='w'/>")
    attribute = doc.root.attributes.node("{urn:p}k")
    attribute.remove()
    assert (attribute.parent, attribute.namespace) == (None, None)
    doc.root.put_attribute(attribute)
    assert doc.root.to_string() == '<r xmlns:p="urn:p" l="w" k="v"/>'
    assert doc.root.attributes.node("k") is attribute
    attribute.namespace = "urn:p"
    assert doc.root.to_string() == '<r xmlns:p="urn:p" l="w" p:k="v"/>'


def test_an_attribute_moves_with_its_namespace():
    doc = parse("<r><a xmlns:p='urn:p' p:k='v'/><b k='w'/></r>")
    a, b = doc.root
    attribute = a.attributes.node("{urn:p}k")
    b.put_attribute(attribute)
    assert doc.root.to_string() == '<r><a xmlns:p="urn:p"/><b xmlns:ns0="urn:p" k="w" ns0:k="v"/></r>'
    assert attribute.parent is b
    assert parse(doc.to_string()).equals(doc)


def test_an_attribute_with_the_name_is_taken_out():
    doc = parse("<r><a k='v'/><b l='1' k='w' m='2'/></r>")
    a, b = doc.root
    attribute, former = a.attributes.node("k"), b.attributes.node("k")
    b.put_attribute(attribute)
    assert (dict(b.attributes), dict(a.attributes)) == ({"l": "1", "m": "2", "k": "v"}, {})
    assert (former.parent, former.text) == (None, "w")
    a.put_attribute(former)
    assert a.to_string() == '<a k="w"/>'


def test_putting_an_attribute_where_it_is_changes_nothing():
    doc = parse("<r k='v' l='w'/>")
    doc.root.put_attribute(doc.root.attributes.node("k"))
    assert doc.root.to_string() == '<r k="v" l="w"/>'


def test_an_attribute_of_another_document_moves():
    doc, other = parse("<r k='old'/>"), parse("<o xmlns:p='urn:p' p:k='v'/>")
    attribute = other.root.attributes.node("{urn:p}k")
    doc.root.put_attribute(attribute)
    assert other.root.to_string() == '<o xmlns:p="urn:p"/>'
    other.close()
    assert doc.root.attributes.node("{urn:p}k") is attribute
    assert (attribute.document, attribute.text) == (doc, "v")
    assert doc.root.to_string() == '<r xmlns:ns0="urn:p" k="old" ns0:k="v"/>'


def test_an_attribute_is_adopted_and_copied():
    doc, other = parse("<r/>"), parse("<o k='v'/>")
    attribute = other.root.attributes.node("k")
    copy = attribute.copy()
    imported = doc.import_node(attribute)
    assert doc.adopt_node(attribute) is attribute
    assert (attribute.parent, attribute.document) == (None, doc)
    assert [it.text for it in (copy, imported, attribute)] == ["v"] * 3
    assert dict(other.root.attributes) == {}
    for it in (imported, attribute):
        doc.root.put_attribute(it)
    assert doc.root.to_string() == '<r k="v"/>'
    assert imported.parent is None


def test_a_removed_attribute_of_another_document_moves():
    doc, other = parse("<r/>"), parse("<o k='&lt;v'/>")
    attribute = other.root.attributes.node("k")
    attribute.remove()
    doc.root.put_attribute(attribute)
    other.close()
    assert doc.root.to_string() == '<r k="&lt;v"/>'


def test_an_id_moves_with_its_attribute():
    doc = parse("<r><a xml:id='x'/><b/></r>")
    a, b = doc.root
    attribute = a.attributes.node(XML_ID)
    b.put_attribute(attribute)
    assert doc.get_by_id("x") is b
    attribute.remove()
    assert doc.get_by_id("x") is None
    b.put_attribute(attribute)
    assert doc.get_by_id("x") is None
    other = parse("<o xml:id='x'/>")
    doc.root.put_attribute(other.root.attributes.node(XML_ID))
    assert (doc.get_by_id("x"), other.get_by_id("x")) == (doc.root, None)


@pytest.mark.parametrize(
    "make",
    [
        lambda doc: doc.root,
        lambda doc: doc.create_text("t"),
        lambda doc: doc.create_fragment(),
        lambda doc: doc.xpathEval("/")[0],
        lambda doc: parse("<o/>").root,
        lambda doc: parse("<o/>").create_fragment(),
    ],
)
def test_only_an_attribute_is_put(make):
    doc = parse("<r k='v'/>")
    with pytest.raises(ValueError, match="cannot be an attribute"):
        doc.root.put_attribute(make(doc))
    assert doc.root.to_string() == '<r k="v"/>'


def test_only_an_element_has_attributes():
    doc = parse("<r k='v'>t</r>")
    attribute = doc.root.attributes.node("k")
    mapping = doc.root.children[0].attributes
    assert (mapping.node("k"), mapping.nodes()) == (None, [])
    for change in (
        lambda: doc.root.children[0].put_attribute(attribute),
        lambda: mapping.update(k="v"),
        lambda: mapping.setdefault("k", "v"),
    ):
        with pytest.raises(ValueError, match="has no attributes"):
            change()
    with pytest.raises(TypeError):
        doc.root.put_attribute("k")
    assert attribute.parent is doc.root


def test_a_removed_attribute_is_not_renamed_to_a_declaration():
    doc = parse("<r k='v'/>")
    attribute = doc.root.attributes.node("k")
    attribute.remove()
    with pytest.raises(ValueError):
        attribute.name = "xmlns"
    assert attribute.name == "k"


def test_the_mapping_is_a_mutable_mapping():
    mapping = parse("<r/>").root.attributes
    assert isinstance(mapping, MutableMapping) and isinstance(mapping, Mapping)
    missing = [name for name in dir(MutableMapping) if not name.startswith("_") and not hasattr(mapping, name)]
    assert missing == []


def test_update_takes_what_a_dict_takes():
    doc = parse("<r a='1' b='2'/>")
    mapping, expected = doc.root.attributes, {"a": "1", "b": "2"}
    for arguments, keywords in (
        (({"a": "x", "c": "y"},), {}),
        (([("a", "z"), ("a", "last")],), {}),
        ((iter([("d", "")]),), {"e": "5"}),
        ((), {}),
        (({},), {"b": ""}),
        ((parse("<s s='&lt;' k=''/>").root.attributes,), {}),
    ):
        if arguments and not isinstance(arguments[0], dict | list):
            arguments = ([*arguments[0].items()] if hasattr(arguments[0], "items") else [*arguments[0]],)
        mapping.update(*arguments, **keywords)
        expected.update(*arguments, **keywords)
        assert mapping == expected
    assert parse(doc.to_string()).root.attributes == expected


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (({"a": "x", "n": "y", "bad name": "z"},), ValueError),
        (({"a": "x", "n": "\x01"},), ValueError),
        (({"a": "x", "xmlns": "y"},), ValueError),
        (({"a": "x", "{http://www.w3.org/2000/xmlns/}p": "y"},), ValueError),
        (({"a": "x", "n": 1},), TypeError),
        (({"a": "x"}, {}), TypeError),
        ((1,), TypeError),
        ((["abc"],), ValueError),
    ],
)
def test_an_update_that_fails_sets_nothing(arguments, error):
    doc = parse("<r a='1'/>")
    part = doc.root.attributes.node("a").children[0]
    with pytest.raises(error):
        doc.root.attributes.update(*arguments)
    assert doc.root.to_string() == '<r a="1"/>'
    assert doc.root.attributes.node("a").children == [part]
    assert live_handles()["Node"] == 0


def test_update_keeps_attributes_and_ids():
    doc = parse("<r><b xml:id='x' k='1'/></r>")
    inner = doc.root.children[0]
    nodes = inner.attributes.nodes()
    inner.attributes.update({XML_ID: "y", "k": "2", "{urn:p}l": "3"})
    assert inner.attributes.nodes()[:2] == nodes
    assert (doc.get_by_id("x"), doc.get_by_id("y")) == (None, inner)


def test_setdefault_and_popitem():
    doc = parse("<r a='1'/>")
    mapping = doc.root.attributes
    assert (mapping.setdefault("a", "x"), mapping.setdefault("{urn:p}b", "y")) == ("1", "y")
    assert mapping.popitem() == ("{urn:p}b", "y")
    assert mapping.popitem() == ("a", "1")
    with pytest.raises(KeyError):
        mapping.popitem()
    with pytest.raises(ValueError):
        mapping.setdefault("a b", "x")
    with pytest.raises(ValueError):
        mapping.setdefault("a", "\x01")
    assert mapping == {}


def test_an_attribute_that_cannot_be_made_declares_no_namespace():
    doc = parse("<r/>")
    for change in (
        lambda: doc.root.set("{urn:p}k", "\x01"),
        lambda: doc.root.set("{urn:p}k l", "v"),
        lambda: doc.root.attributes.update({"{urn:p}k": "v", "{urn:q}l": "\x01"}),
    ):
        with pytest.raises(ValueError):
            change()
    assert doc.root.to_string() == "<r/>"


def test_an_attribute_beside_one_without_a_namespace():
    doc = parse("<!DOCTYPE r [<!ATTLIST r k ID #IMPLIED>]><r k='x'/>")
    doc.root.set("{urn:p}k", "y")
    assert doc.root.to_string() == '<r xmlns:ns0="urn:p" k="x" ns0:k="y"/>'
    assert (doc.get_by_id("x"), doc.get_by_id("y")) == (doc.root, None)
    doc.root.set("{urn:p}k", "z")
    assert dict(doc.root.attributes) == {"k": "x", "{urn:p}k": "z"}


def test_an_attribute_of_a_closed_document():
    doc = Document()
    root = doc.append_element("r", attributes={"k": "v"})
    mapping = root.attributes
    node = mapping.node("k")
    doc.close()
    for use in (
        mapping.nodes,
        mapping.popitem,
        lambda: mapping.node("k"),
        lambda: root.put_attribute(node),
        mapping.update,
    ):
        with pytest.raises(ClosedError):
            use()


@pytest.mark.parametrize("method", ["xml", "xhtml", "html"])
def test_an_attribute_is_written_without_a_space_before_it(method):
    doc = parse("<!DOCTYPE r [<!ENTITY e 'x'>]><r xmlns:p='urn:p' p:k='é&lt;&quot;&#10;'/>")
    (attribute,) = doc.root.attributes.nodes()
    end = "\n" if method == "html" else "&#10;"
    assert attribute.to_string(method=method) == f'p:k="é&lt;&quot;{end}"'
    assert attribute.to_bytes(method=method, encoding="ascii") == f'p:k="&#233;&lt;&quot;{end}"'.encode()


def test_an_attribute_is_written_with_its_references():
    doc = parse("<!DOCTYPE r [<!ENTITY e 'x'>]><r k='a&e;b'/>")
    assert doc.root.attributes.node("k").to_string() == 'k="a&e;b"'


def test_messages_say_how_a_namespace_is_set():
    doc = parse("<r k='v' xmlns:p='urn:p' p:xmlnz='w'/>")
    attribute, other = doc.root.attributes.nodes()
    for node in (doc.root, attribute):
        for name in ("p:b", "{urn:p}b"):
            with pytest.raises(ValueError, match="by `namespace`"):
                node.name = name
    for make in (doc.create_element, doc.root.append_element):
        with pytest.raises(ValueError, match='by "{uri}name"'):
            make("p:b")
    with pytest.raises(ValueError, match='by "{uri}name"'):
        doc.root.set("p:b", "v")
    other.name = "xmlns"
    for change in (lambda: setattr(attribute, "name", "xmlns"), lambda: setattr(other, "namespace", None)):
        with pytest.raises(ValueError, match='"xmlns" declares a namespace'):
            change()
