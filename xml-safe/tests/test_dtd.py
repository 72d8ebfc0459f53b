"""Document types: what a DTD declares, as values."""

import gc

import pytest
import xml_safe
from xml_safe import ClosedError, Document, Dtd, parse

XML = """<!DOCTYPE p:root PUBLIC "-//X//Y" "x.dtd" [
<!ELEMENT p:root (a|b)*><!ELEMENT a EMPTY><!ELEMENT b (#PCDATA|a)*><!ELEMENT c ANY>
<!ATTLIST p:root d CDATA "default" p:e (one|two) #REQUIRED f ID #IMPLIED g CDATA #FIXED "fix" n NOTATION (gif|png) #IMPLIED>
<!ATTLIST b x NMTOKENS "a b">
<!ENTITY z "z&#65;&lt;"><!ENTITY ext PUBLIC "pub" "missing.txt"><!ENTITY pic SYSTEM "pic.gif" NDATA gif>
<!ENTITY z "second"><!ENTITY empty "">
<!ENTITY % par "<!-- -->"><!ENTITY % expar SYSTEM "par.ent">
<!NOTATION png PUBLIC "png-public"><!NOTATION gif SYSTEM "gif-viewer"><!NOTATION both PUBLIC "p" "s">
<!-- inside --><?inside it?>
]>
<p:root xmlns:p="urn:p" p:e="one"/>"""


@pytest.fixture
def dtd():
    return parse(XML).dtd


def entity(found):
    return found.name, found.kind, found.content, found.public_id, found.system_id, found.notation


def test_the_declaration(dtd):
    assert isinstance(dtd, Dtd)
    assert (dtd.name, dtd.public_id, dtd.system_id, dtd.external) == ("p:root", "-//X//Y", "x.dtd", None)


def test_a_declaration_of_a_name_alone():
    dtd = parse("<!DOCTYPE a><a/>").dtd
    assert (dtd.name, dtd.public_id, dtd.system_id, dtd.external) == ("a", None, None, None)
    assert dtd.entities == dtd.parameter_entities == dtd.notations == dtd.elements == {}
    assert dtd.attributes == []
    assert parse("<!DOCTYPE a SYSTEM 's'><a/>").dtd.system_id == "s"


def test_a_document_without_one():
    assert Document().dtd is None
    assert parse("<a/>").dtd is None


def test_general_entities(dtd):
    assert [entity(found) for found in dtd.entities.values()] == [
        ("z", "internal", "zA&lt;", None, None, None),
        ("ext", "external", None, "pub", "missing.txt", None),
        ("pic", "unparsed", None, None, "pic.gif", "gif"),
        ("empty", "internal", "", None, None, None),
    ]
    assert all(found.name == name for name, found in dtd.entities.items())


def test_parameter_entities(dtd):
    assert [entity(found) for found in dtd.parameter_entities.values()] == [
        ("par", "internal", "<!-- -->", None, None, None),
        ("expar", "external", None, None, "par.ent", None),
    ]


def test_notations(dtd):
    found = [(name, it.name, it.public_id, it.system_id) for name, it in dtd.notations.items()]
    assert found == [
        ("both", "both", "p", "s"),
        ("gif", "gif", None, "gif-viewer"),
        ("png", "png", "png-public", None),
    ]


def test_many_notations():
    names = [f"n{i}" for i in range(500)]
    declared = "".join(f"<!NOTATION {name} SYSTEM '{name}.x'>" for name in names)
    notations = parse(f"<!DOCTYPE a [{declared}]><a/>").dtd.notations
    assert list(notations) == sorted(names)
    assert all(found.system_id == f"{name}.x" for name, found in notations.items())


def test_elements(dtd):
    assert list(dtd.elements.items()) == [("p:root", "children"), ("a", "empty"), ("b", "mixed"), ("c", "any")]


def test_attributes(dtd):
    found = [(it.element, it.name, it.type, it.presence, it.default, it.values) for it in dtd.attributes]
    assert found == [
        ("p:root", "d", "CDATA", "default", "default", []),
        ("p:root", "p:e", "enumeration", "required", None, ["one", "two"]),
        ("p:root", "f", "ID", "implied", None, []),
        ("p:root", "g", "CDATA", "fixed", "fix", []),
        ("p:root", "n", "NOTATION", "implied", None, ["gif", "png"]),
        ("b", "x", "NMTOKENS", "default", "a b", []),
    ]


@pytest.mark.parametrize("type", ["CDATA", "ID", "IDREF", "IDREFS", "ENTITY", "ENTITIES", "NMTOKEN", "NMTOKENS"])
def test_types_of_attributes(type):
    (found,) = parse(f"<!DOCTYPE a [<!ATTLIST a k {type} #IMPLIED>]><a/>").dtd.attributes
    assert (found.type, found.presence) == (type, "implied")


def test_the_external_subset(tmp_path):
    tmp_path.joinpath("x.dtd").write_text("<!ENTITY e 'read'><!ENTITY f SYSTEM 'x.xml'><!ELEMENT r ANY>")
    tmp_path.joinpath("x.xml").write_text("hello")
    text = "<!DOCTYPE r SYSTEM 'x.dtd' [<!ENTITY e 'mine'>]><r>&e;&f;</r>"
    doc = parse(text, load_dtd=True, external=tmp_path)
    inside, outside = doc.dtd, doc.dtd.external
    assert entity(inside.entities["e"]) == ("e", "internal", "mine", None, None, None)
    assert list(inside.entities) == ["e"]
    assert entity(outside.entities["e"]) == ("e", "internal", "read", None, None, None)
    assert entity(outside.entities["f"])[:5] == ("f", "external", "hello", None, "x.xml")
    assert (outside.elements, outside.system_id, outside.external) == ({"r": "any"}, "x.dtd", None)
    # libxml2 2.13 and newer read an external entity for its text only where entities are resolved.
    assert doc.root.text in ("minehello", "mine")
    assert parse(text).dtd.external is None


def test_values_are_compared(dtd):
    again = parse(XML).dtd
    assert dtd.entities == again.entities
    assert dtd.notations == again.notations
    assert dtd.attributes == again.attributes
    assert dtd.entities["z"] != dtd.entities["pic"]
    assert repr(dtd.entities["z"]) == '<Entity "z">'
    assert dtd == parse(XML).dtd or dtd != again
    assert dtd != again


def test_nothing_can_be_changed(dtd):
    for found, name in (
        (dtd, "name"),
        (dtd, "system_id"),
        (dtd.entities["z"], "content"),
        (dtd.notations["gif"], "system_id"),
        (dtd.attributes[0], "default"),
        (parse(XML), "dtd"),
    ):
        with pytest.raises(AttributeError):
            setattr(found, name, "x")
    for name in ("Dtd", "Entity", "Notation", "AttributeDeclaration"):
        with pytest.raises(TypeError):
            getattr(xml_safe, name)()


# XPath finds the content of an entity that is declared first.
IN_DTD = """<!DOCTYPE r [<!ENTITY e "v<i k='1'>t</i>w<!--d-->"><!--c--><?pi x?><!ELEMENT r ANY><!ATTLIST r a ID #IMPLIED>
]><r a='1'>&e;<b/>s</r>"""


def nodes_in_the_dtd(doc):
    """All nodes in the DTD that can be reached, by their types, and those in the content of an entity."""
    dtd = doc.root.previous
    content = dtd.xpathEval("descendant::node()|descendant::*/@*|descendant::*/@*/..")
    found = {node.type: node for node in dtd.children}
    found |= {f"{node.type} in an entity": node for node in content if node not in dtd.children}
    return found


WAYS = {
    "text": lambda node, other: setattr(node, "text", "x"),
    "head": lambda node, other: setattr(node, "head", "x"),
    "tail": lambda node, other: setattr(node, "tail", "x"),
    "no tail": lambda node, other: setattr(node, "tail", ""),
    "name": lambda node, other: setattr(node, "name", "x"),
    "namespace": lambda node, other: setattr(node, "namespace", "urn:x"),
    "no namespace": lambda node, other: setattr(node, "namespace", None),
    "declare_namespace": lambda node, other: node.declare_namespace("p", "urn:p"),
    "remove": lambda node, other: node.remove(),
    "clear": lambda node, other: node.clear(),
    "append": lambda node, other: node.append(other),
    "prepend": lambda node, other: node.prepend(other),
    "insert": lambda node, other: node.insert(0, other),
    "before": lambda node, other: node.before(other),
    "after": lambda node, other: node.after(other),
    "replace_with": lambda node, other: node.replace_with(other),
    "append_element": lambda node, other: node.append_element("x"),
    "set": lambda node, other: node.set("k", "2"),
    "attributes": lambda node, other: node.attributes.update(k="2"),
    "no attributes": lambda node, other: node.attributes.clear(),
    "new attribute": lambda node, other: node.attributes.setdefault("n", "2"),
    "put_attribute": lambda node, other: node.put_attribute(other.document.root.attributes.node("a")),
    "is appended": lambda node, other: other.append(node),
    "is put beside": lambda node, other: other.document.root.first_child.after(node),
    "replaces": lambda node, other: other.document.root.first_child.replace_with(node),
    "is an attribute": lambda node, other: other.put_attribute(node),
    "is the root": lambda node, other: setattr(other.document, "root", node),
    "is adopted": lambda node, other: other.document.adopt_node(node),
    "is adopted by another document": lambda node, other: parse("<x/>").adopt_node(node),
    "is appended to another document": lambda node, other: parse("<x/>").root.append(node),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_node_in_a_dtd_cannot_be_changed(way):
    doc = parse(IN_DTD)
    assert doc.root.text == "vtws"
    nodes = nodes_in_the_dtd(doc)
    assert nodes.keys() == {
        "comment", "pi", "entity_decl", "element_decl", "attribute_decl", "text in an entity", "element in an entity",
        "comment in an entity", "attribute in an entity",
    }  # fmt: skip
    before = doc.to_string()
    for node in nodes.values():
        with pytest.raises(ValueError):
            WAYS[way](node, doc.create_element("other"))
        assert doc.to_string() == before
        assert doc.root.text == "vtws"
    for _ in range(3):
        assert doc.copy().root.text == "vtws"


def test_nodes_in_a_dtd_are_copied():
    doc = parse(IN_DTD)
    for type, node in nodes_in_the_dtd(doc).items():
        if not type.endswith("_decl"):
            copy = node.copy()
            assert (copy.type, copy.text, copy.parent) == (node.type, node.text, None)
            copy.text = "new"
            imported = parse("<x/>").import_node(node)
            assert imported.text == node.text != copy.text


def test_values_outlive_the_document():
    doc = parse(XML)
    dtd, found = doc.dtd, doc.dtd.entities["z"]
    doc.close()
    assert found.content == "zA&lt;"
    for name in (
        "name",
        "public_id",
        "system_id",
        "external",
        "entities",
        "parameter_entities",
        "notations",
        "elements",
    ):
        with pytest.raises(ClosedError):
            getattr(dtd, name)
    with pytest.raises(ClosedError):
        doc.dtd


def test_a_dtd_keeps_its_document():
    dtd = parse(XML).dtd
    gc.collect()
    assert dtd.name == "p:root"


def test_entities_that_expand_to_much_are_read_as_they_are():
    entities = "".join(f"<!ENTITY e{i} '{f'&e{i - 1};' * 10}'>" for i in range(1, 20))
    dtd = parse(f"<!DOCTYPE a [<!ENTITY e0 'x'>{entities}]><a/>").dtd
    assert dtd.entities["e19"].content == "&e18;" * 10


def test_the_node_of_the_dtd_is_another_object():
    doc = parse(XML)
    node = doc.xpathEval("/")[0].children[0]
    assert (node.type, node.name) == ("dtd", doc.dtd.name)
    assert node is doc.xpathEval("/")[0].children[0]
    assert node != doc.dtd
