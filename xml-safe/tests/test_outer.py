"""The nodes that a document has itself: its root element, and comments and processing instructions beside it."""

import pytest
from xml_safe import ClosedError, Document, live_handles, parse


def test_a_document_is_made_from_its_root():
    doc = Document()
    doc.append(doc.create_comment(" before "))
    root = doc.append_element("{urn:feed}feed", attributes={"id": "1"})
    doc.append(doc.create_pi("p", "after"))
    assert doc.root is root
    written = '<!-- before -->\n<feed xmlns="urn:feed" id="1"/>\n<?p after?>\n'
    assert doc.to_string() == written
    assert parse(written).equals(doc)


def test_the_root_can_be_appended():
    doc = Document()
    root = doc.create_element("r")
    doc.append(root)
    assert doc.root is root and root.parent.type == "document"


def test_a_fragment_puts_its_nodes():
    doc = Document()
    fragment = doc.create_fragment()
    for node in (doc.create_comment("c"), doc.create_element("r")):
        fragment.append(node)
    doc.append(fragment)
    assert doc.to_string() == "<!--c-->\n<r/>\n"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda doc: doc.create_element("s"), "one root element"),
        (lambda doc: doc.create_text("t"), "outside of the root element"),
        (lambda doc: doc.create_cdata("t"), "outside of the root element"),
        (lambda doc: doc.xpathEval("/")[0], "cannot be a child"),
        (lambda doc: doc.xpathEval("//@k")[0], "cannot be a child"),
    ],
)
def test_a_node_that_cannot_be_outside_of_the_root_changes_nothing(make, message):
    doc = parse("<r k='v'/>")
    node = make(doc)
    with pytest.raises(ValueError, match=message):
        doc.append(node)
    assert doc.root.to_string() == '<r k="v"/>'


def test_a_second_root_is_not_made():
    doc = parse("<r/>")
    with pytest.raises(ValueError, match="one root element"):
        doc.append_element("s")
    with pytest.raises(ValueError, match="XML does not allow"):
        Document().append_element("s", "\x01")
    assert live_handles()["Node"] == 0


def test_the_root_is_set():
    doc = Document()
    doc.root = doc.create_element("a")
    former, doc.root = doc.root, doc.create_element("b")
    assert (doc.root.name, former.name, former.parent) == ("b", "a", None)
    doc.root = doc.root
    assert doc.root.name == "b"


def test_a_new_root_comes_at_the_place_of_the_former_one():
    doc = parse("<!--1--><r><s/></r><!--2-->")
    doc.root = doc.root.children[0]
    assert doc.to_string() == "<!--1-->\n<s/>\n<!--2-->\n"


def test_the_root_of_another_document_moves():
    doc, other = parse("<a/>"), parse("<o><i/></o>")
    root = other.root
    doc.root = root
    assert (doc.root is root, other.root) == (True, None)
    assert doc.root.to_string() == "<o><i/></o>"


@pytest.mark.parametrize("expression", ["/", "//@k", "//text()", "//comment()"])
def test_only_an_element_is_the_root(expression):
    doc = parse("<r k='v'>t<!--c--></r>")
    before = doc.to_string()
    with pytest.raises(ValueError, match="cannot be the root element"):
        doc.root = doc.xpathEval(expression)[0]
    assert doc.to_string() == before


def test_a_fragment_is_no_root():
    doc = parse("<r/>")
    with pytest.raises(ValueError, match="cannot be the root element"):
        doc.root = doc.create_fragment()


@pytest.mark.parametrize("value", [None, "r", 1])
def test_a_root_is_a_node(value):
    doc = parse("<r/>")
    with pytest.raises(TypeError):
        doc.root = value
    with pytest.raises(TypeError):
        doc.append(value)


def test_a_closed_document_gets_no_nodes():
    doc, other = parse("<r/>"), parse("<s/>")
    doc.close()
    for change in (
        lambda: doc.append(other.root),
        lambda: doc.append_element("a"),
        lambda: setattr(doc, "root", other.root),
    ):
        with pytest.raises(ClosedError):
            change()
    assert other.root.name == "s"
