"""Texts as ElementTree has them: `head` and `tail`."""

import xml.etree.ElementTree as ElementTree

import pytest
from xml_safe import ClosedError, Document, live_handles, parse

pytestmark = pytest.mark.usefixtures("nothing_is_left")


DOCUMENTS = [
    "<r/>",
    "<r>a</r>",
    "<r>a<b/>c</r>",
    "<r><b>1</b><c/>2<d>3<e/>4</d>5</r>",
    "<r> <b/>\n<c>&lt;&amp;</c> </r>",
]


def pairs(element):
    yield element.text or "", element.tail or ""
    for child in element:
        yield from pairs(child)


@pytest.mark.parametrize("text", DOCUMENTS)
def test_texts_are_those_of_elementtree(text):
    found = [(node.head, node.tail) for node in parse(text).root.iter()]
    assert found == list(pairs(ElementTree.fromstring(text)))


@pytest.mark.parametrize("text", DOCUMENTS)
def test_texts_are_set_as_in_elementtree(text):
    root, other = parse(text).root, ElementTree.fromstring(text)
    for index, (node, element) in enumerate(zip(root.iter(), list(other.iter()), strict=True)):
        node.head = element.text = f"h{index}<"
        if node.parent.type == "element":
            node.tail = element.tail = f"t{index}&"
    assert root.to_string() == ElementTree.tostring(other, encoding="unicode")
    for node in root.iter():
        node.head = ""
        node.tail = ""
    assert root.text == ""


def test_each_text_is_in_one_head_or_tail():
    doc = parse("<!DOCTYPE r [<!ENTITY e 'x'>]><r>1<a/>2<!--c-->3<?p?>4<![CDATA[5]]>6&e;7<b>8</b>9</r>")
    root = doc.root
    assert root.head == "1"
    tails = {child.type: child.tail for child in root.children if child.type not in ("text", "cdata")}
    assert tails == {"element": "9", "comment": "3", "pi": "456", "entity_ref": "7"}
    others = [node for node in root.iter(type="node") if node.type not in ("text", "cdata")]
    assert sorted(root.head + "".join(node.tail for node in others) + others[-1].head) == list("123456789")


def test_texts_of_other_nodes():
    doc = parse("<!DOCTYPE r><r k='1' l='2'>a<![CDATA[b]]>c<!--d--></r>")
    a, b, c, d = doc.root.children
    assert (a.tail, b.tail, c.tail, d.tail) == ("bc", "c", "", "")
    assert [node.head for node in (a, b, d)] == ["", "", ""]
    (k,) = doc.root.xpathEval("@k")
    (whole,) = doc.xpathEval("/")
    assert [(node.head, node.tail) for node in (k, whole, *whole.children[:1])] == [("", "")] * 3
    for node in (a, d, k, whole, whole.children[0]):
        with pytest.raises(ValueError, match="no head"):
            node.head = "x"
    for node in (k, whole, doc.create_element("e")):
        with pytest.raises(ValueError, match="no parent"):
            node.tail = "x"
    for node in (doc.root, whole.children[0]):
        node.tail = ""
        with pytest.raises(ValueError, match="no tail"):
            node.tail = "x"
    fragment = doc.create_fragment()
    fragment.head = "f"
    fragment.append(doc.create_element("e"))
    fragment.children[1].tail = "g"
    assert [child.text for child in fragment.children] == ["f", "", "g"]
    b.tail = "C"
    assert doc.root.to_string() == '<r k="1" l="2">a<![CDATA[b]]>C<!--d--></r>'


def test_former_texts_stay_usable():
    doc = parse("<r>a<![CDATA[b]]>c<x/>d<y/></r>")
    root = doc.root
    a, b, c, x, d, _ = root.children
    root.head = "H"
    x.tail = "T"
    assert [(node.text, node.parent) for node in (a, b, c, d)] == [(text, None) for text in "abcd"]
    assert live_handles()["Node"] == 4
    assert root.to_string() == "<r>H<x/>T<y/></r>"
    root.head, x.tail = "", ""
    assert root.children == [x, root.last_child]
    root.insert(0, a)
    assert root.head == "a"
    head = root.children[0]
    root.head = "a"
    assert root.children[0] is not head


def test_texts_are_checked_before_anything_is_taken_out():
    doc = parse("<r>a<x/>b</r>")
    a, x, b = doc.root.children
    for bad in ("\0", "\x01", "\ud800"):
        with pytest.raises(ValueError):
            doc.root.head = bad
        with pytest.raises(ValueError):
            x.tail = bad
    for bad in (None, 1, b"x"):
        with pytest.raises(TypeError):
            doc.root.head = bad
        with pytest.raises(TypeError):
            x.tail = bad
    with pytest.raises((AttributeError, TypeError)):
        del x.tail
    assert doc.root.children == [a, x, b]


def test_texts_of_a_closed_document():
    doc = Document()
    node = doc.create_element("a")
    doc.close()
    for use in (
        lambda: node.head,
        lambda: node.tail,
        lambda: setattr(node, "head", "x"),
        lambda: setattr(node, "tail", "x"),
    ):
        with pytest.raises(ClosedError):
            use()
