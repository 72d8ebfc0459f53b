"""Copies of nodes, and the ways through a tree."""

import pytest
from documents import deep
from xml_safe import ClosedError, Document, live_handles, parse

XML = '<r xmlns="urn:d" xmlns:p="urn:p" k="1"><a p:k="2">one<b/></a><p:c><!--x--><b xmlns="">two</b></p:c></r>'


pytestmark = pytest.mark.usefixtures("nothing_is_left")


def test_a_node_is_copied():
    doc = parse(XML)
    a = doc.root.children[0]
    copy = a.copy()
    assert (copy.parent, copy.document) == (None, doc)
    assert copy is not a
    copy.children[0].text = "changed"
    assert (a.text, copy.text) == ("one", "changed")
    assert parse(copy.to_string()).root.attributes == {"{urn:p}k": "2"}
    assert [child.xpathEval("namespace-uri(.)") for child in copy] == ["urn:d"]
    doc.root.append(copy)
    assert [child.name for child in doc.root] == ["a", "c", "a"]


def test_a_copy_without_children():
    doc = parse(XML)
    copy = doc.root.copy(deep=False)
    assert (copy.children, copy.attributes) == ([], {"k": "1"})
    assert copy.xpathEval("namespace-uri(.)") == "urn:d"


@pytest.mark.parametrize("type", ["text", "cdata", "comment", "pi", "entity_ref"])
def test_each_type_is_copied(type):
    doc = parse("<!DOCTYPE r [<!ENTITY e 'x'>]><r>t<![CDATA[c]]><!--c--><?p i?>&e;</r>")
    (node,) = (child for child in doc.root.children if child.type == type)
    copy = node.copy()
    assert (copy.type, copy.name, copy.text) == (node.type, node.name, node.text)


def test_what_is_not_copied():
    doc = parse("<!DOCTYPE r [<!ENTITY e 'x'>]><r k='1'/>")
    whole = doc.xpathEval("/")[0]
    for node in (whole, whole.children[0], whole.children[0].children[0]):
        with pytest.raises(ValueError, match="cannot be copied"):
            node.copy()


def test_a_node_is_copied_to_another_document():
    doc, other = parse(XML), Document()
    copy = other.import_node(doc.root.children[0])
    assert copy.document is other
    doc.close()
    other.xpathEval("/")[0].append(copy)
    assert parse(other.root.to_string()).root.attributes == {"{urn:p}k": "2"}
    assert other.import_node(copy) is not copy
    with pytest.raises(ClosedError):
        other.import_node(doc.root)


@pytest.mark.parametrize("levels", [1000, 100_000])
def test_a_deep_tree_is_copied(levels):
    doc, levels = deep(levels)
    copy = doc.root.copy()
    assert len(copy.descendants()) == levels - 1
    del copy
    assert live_handles()["Node"] == 0


def test_ways_through_a_tree():
    doc = parse(XML)
    root = doc.root
    a, c = root
    assert (a.next, c.previous, a.previous, c.next) == (c, a, None, None)
    assert (root.first_child, root.last_child) == (a, c)
    assert (a.first_child.text, a.last_child.name) == ("one", "b")
    assert [node.name for node in c.last_child.ancestors] == ["c", "r", None]
    assert [node.name for node in root.descendants()] == ["a", "b", "c", "b"]
    assert root.descendants("{urn:d}b") == [a.last_child]
    assert root.descendants("b") == [c.last_child]
    assert root.descendants("{urn:p}c") == [c]
    assert root.descendants("r") == root.descendants("{urn:q}b") == []
    assert a.last_child.descendants() == []
    whole = doc.xpathEval("/")[0]
    assert (whole.next, whole.previous, whole.ancestors) == (None, None, [])
    key = root.xpathEval("@k")[0]
    assert (key.next, key.previous, key.ancestors) == (None, None, [root, whole])


ENTITY = "<!DOCTYPE r [<!ENTITY e 'x<b/>'>]><r>t<a>&e;</a>&e;<z/></r>"


@pytest.mark.parametrize("how", ["created", "copied", "imported", "below an imported one"])
def test_xpath_ends_behind_a_new_entity_reference(how):
    doc, other = parse(ENTITY), parse(ENTITY)
    reference = {
        "created": lambda: doc.create_entity_ref("e"),
        "copied": lambda: doc.root.children[2].copy(),
        "imported": lambda: doc.import_node(other.root.children[2]),
        "below an imported one": lambda: doc.import_node(other.root.children[1]),
    }[how]()
    doc.root.append(reference)
    # libxml2 makes the declaration of the entity the child of the reference, and goes back through the DTD to the root.
    expression = "count(//text()/following::node())"
    expected = parse(doc.to_string()).xpathEval(expression)
    assert doc.xpathEval(expression, max_operations=10_000) == expected
    if how == "below an imported one":
        (reference,) = reference.children
    assert (reference.children, reference.text) == ([], "x")
    assert doc.root.text == "txxx"


def test_siblings_are_the_other_nodes_with_the_same_parent():
    doc = parse("<!--before--><r a='1' b='2'>text<b/><!--c--></r>")
    text, b, comment = doc.root.children
    assert text.siblings == [b, comment]
    assert b.siblings == [text, comment]
    assert [node.type for node in doc.root.siblings] == ["comment"]
    first, second = doc.root.xpathEval("@*")
    assert (first.siblings, second.siblings) == ([second], [first])
    assert doc.xpathEval("/")[0].siblings == []
    b.remove()
    assert (b.siblings, text.siblings) == ([], [comment])
