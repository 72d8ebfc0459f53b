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


COMES = {
    "append": lambda doc, other: doc.root.append(other),
    "adopt": lambda doc, other: doc.root.append(doc.adopt_node(other)),
    "import": lambda doc, other: doc.root.append(doc.import_node(other)),
    "copy": lambda doc, other: doc.root.append(doc.import_node(other).copy()),
    "in a fragment": lambda doc, other: append_fragment(doc, other),
    "before": lambda doc, other: doc.root.first_child.before(other),
    "in place of": lambda doc, other: doc.root.first_child.replace_with(other),
    "root": lambda doc, other: setattr(doc, "root", other),
}


def append_fragment(doc, other):
    fragment = doc.create_fragment()
    fragment.append(other)
    doc.root.append(fragment)


@pytest.mark.parametrize("come", COMES)
@pytest.mark.parametrize("dtd", ["", DTD])
def test_nodes_that_come_have_the_ids_of_the_document(come, dtd):
    """The DTD of the document that they come from does not matter."""
    other = parse(dtd + "<q><w><b key='x'/><c key='y'/></w></q>")
    doc = parse(DTD + "<r><d/></r>")
    COMES[come](doc, other.root.first_child)
    assert both(doc, "x").name == "b"
    assert both(doc, "y") is None
    assert parse(doc.to_string()).get_by_id("x").name == "b"
    plain = parse("<r><d/></r>")
    COMES[come](plain, parse(DTD + "<q><w><b key='x'/></w></q>").root.first_child)
    assert both(plain, "x") is None


def test_an_element_that_is_included_has_its_id():
    doc = parse(DTD + "<r xmlns:i='http://www.w3.org/2001/XInclude'><i:include href='x'/></r>")
    doc.xinclude(external=lambda url, base: "<b key='x'/>")
    assert both(doc, "x") is doc.root.first_child


def test_a_renamed_element_has_the_ids_of_its_name():
    doc = parse(DTD + "<r><b key='x'/><c key='y'/></r>")
    b, c = doc.root
    b.name, c.name = "c", "b"
    assert both(doc, "x") is None
    assert both(doc, "y") is c
    b.name = "b"
    assert both(doc, "x") is b
    b.remove()
    b.name = "c"
    doc.root.append(b)
    assert both(doc, "x") is None
    b.remove()
    b.name = "b"
    assert both(doc, "x") is None
    doc.root.append(b)
    assert both(doc, "x") is b


def test_a_renamed_element_keeps_its_xml_id():
    doc = parse(f"{DTD}<r><b xml:id='x'/></r>")
    doc.root.first_child.name = "c"
    assert both(doc, "x").name == "c"


def test_a_prefix_is_part_of_a_declared_name():
    doc = parse("<!DOCTYPE r [<!ATTLIST p:b key ID #IMPLIED>]><r xmlns:p='urn:p'><p:b key='x'/></r>")
    b = doc.root.first_child
    b.namespace = "urn:q"
    assert both(doc, "x") is None
    b.namespace = "urn:p"
    assert both(doc, "x") is b
    other = parse("<o:r xmlns:o='urn:p'><o:b key='y'/></o:r>")
    doc.root.append(other.root.first_child)
    assert doc.root.last_child.prefix == "o"
    assert both(doc, "y") is None


def test_an_attribute_is_renamed_outside_of_the_tree():
    doc = parse("<r/>")
    made = doc.create_element("b")
    made.attributes["{http://www.w3.org/XML/1998/namespace}lang"] = "x"
    made.attributes.nodes()[0].name = "id"
    doc.root.append(made)
    assert both(doc, "x") is made


def test_an_attribute_becomes_an_id_outside_of_the_tree():
    doc = parse("<r/>")
    made = doc.create_element("b")
    made.attributes["id"] = "x"
    made.attributes.nodes()[0].namespace = "http://www.w3.org/XML/1998/namespace"
    assert both(doc, "x") is None
    doc.root.append(made)
    assert both(doc, "x") is made


def test_a_removed_attribute_becomes_an_id():
    doc = parse("<r xml:lang='x'/>")
    lang = doc.root.attributes.nodes()[0]
    lang.name = "id"
    other = parse("<r/>")
    made = other.create_element("b")
    made.put_attribute(lang)
    assert both(other, "x") is both(doc, "x") is None
    other.root.append(made)
    assert both(other, "x") is made


WITH_ENTITIES = "<!DOCTYPE r [<!ENTITY m '%s'><!ENTITY e ''><!ATTLIST b key ID #IMPLIED>]>"
REFERENCES = ["&m;", "x&m;y", "&m;&amp;&m;", "&e;"]
LEAVES = {
    "clear": lambda doc: doc.root.clear(),
    "clear the attributes": lambda doc: doc.root.first_child.attributes.clear(),
    "set": lambda doc: doc.root.first_child.attributes.update({XML_ID: "n", "key": "o"}),
    "move": lambda doc: parse(WITH_ENTITIES % "w" + "<r/>").root.append(doc.root.first_child),
    "rename": lambda doc: setattr(doc.root.first_child.attributes.nodes()[0], "name", "z"),
    "text": lambda doc: setattr(doc.root.first_child.attributes.nodes()[0], "text", "z"),
}


def ids_of(doc):
    known = [
        "a&b",
        "a&amp;b",
        "a&#38;b",
        "&",
        "&#38;",
        "&#38;#38;",
        "a<b",
        "&m;",
        "&e;",
        "v",
        "w",
        "xvy",
        "x&m;y",
        "v&v",
    ]
    return [id for id in [*known, "&m;&#38;&m;"] if both(doc, id) is not None]


@pytest.mark.parametrize("value", ["a&amp;b", "&amp;", "&#38;", "&#38;#38;", "a&lt;b"])
@pytest.mark.parametrize("name", ["xml:id", "key"])
@pytest.mark.parametrize("leave", LEAVES)
def test_an_id_with_an_escaped_character_is_one_by_its_text(value, name, leave):
    """The parser takes the text of the source, where they are escaped."""
    doc = parse(f"{WITH_ENTITIES % 'v'}<r><b {name}='{value}'/></r>")
    text = doc.root.first_child.attributes.values()[0]
    assert ids_of(doc) == [text][: text in ("a&b", "&", "a<b", "&#38;")]
    assert both(doc, text) is doc.root.first_child
    LEAVES[leave](doc)
    assert ids_of(doc) == []


@pytest.mark.parametrize("value", REFERENCES)
@pytest.mark.parametrize("name", ["xml:id", "key"])
@pytest.mark.parametrize("leave", LEAVES)
def test_an_attribute_with_a_reference_is_no_id(value, name, leave):
    doc = parse(f"{WITH_ENTITIES % 'v'}<r><b {name}='{value}'/><b {name}='a&amp;b'/></r>")
    assert ids_of(doc) == ["a&b"]
    LEAVES[leave](doc)
    assert ids_of(doc) in ([], ["a&b"])
    copy = doc.copy()
    assert ids_of(copy) == ids_of(doc)


@pytest.mark.parametrize("value", REFERENCES)
def test_entities_of_another_document_make_no_ids(value):
    """libxml2 copies the attribute as an ID by the text of the entities there, and removes it by that of those here."""
    there = parse(f"{WITH_ENTITIES % 'v'}<r><b key='{value}'/><b key='z'/></r>")
    doc = parse(WITH_ENTITIES % "w" + "<r><b key='o'/></r>")
    for come in (lambda: doc.import_node(there.root.first_child), lambda: doc.adopt_node(there.root.first_child)):
        copy = come()
        assert ids_of(doc) == []
        doc.root.append(copy)
        assert ids_of(doc) == []
        copy.remove()
        del copy
        assert ids_of(doc) == []
    assert both(doc, "o") is doc.root.first_child
    assert both(there, "z") is there.root.last_child


@pytest.mark.parametrize("content", ["<b xml:id='a&#38;#38;b'/><c>", "<b key='a&#38;#38;b'/></c>", "<b key='&m;'/><c>"])
def test_the_parser_drops_the_content_of_an_entity(content):
    dtd = f"<!DOCTYPE r [<!ENTITY m 'v'><!ATTLIST b key ID #IMPLIED><!ENTITY e \"{content}\">]>"
    doc = parse(dtd + "<r><d xml:id='z'/>&e;</r>", recover=True)
    assert doc.errors
    made = [doc.create_element("m") for _ in range(20)]
    assert ids_of(doc) == []
    assert both(doc, "z") is doc.root.first_child
    assert len(made) == 20


def test_a_closed_document_finds_nothing():
    doc = parse("<r xml:id='x'/>")
    doc.close()
    with pytest.raises(ClosedError):
        doc.get_by_id("x")
    with pytest.raises(TypeError):
        Document().get_by_id(1)
