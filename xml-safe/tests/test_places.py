"""Places among the children: `insert` and `index`, and what a node is not."""

import pytest
from xml_safe import ClosedError, Document, live_handles, parse

pytestmark = pytest.mark.usefixtures("nothing_is_left")


def written(node) -> str:
    return node.to_string()


MIXED = "<r>t<a/><!--c--><b/>u</r>"


@pytest.mark.parametrize("index", [*range(-8, 9), 2**40, -(2**40)])
def test_insert_is_that_of_a_list_of_children(index):
    doc = parse(MIXED)
    expected = list(doc.root.children)
    new = doc.create_element("new")
    expected.insert(index, new)
    doc.root.insert(index, new)
    assert doc.root.children == expected
    assert doc.root.index(new) == expected.index(new)
    assert doc.root.children[doc.root.index(new)] is new


@pytest.mark.parametrize("index", [0, 1, -1, 10, -10])
def test_insert_into_an_empty_element(index):
    doc = parse("<r/>")
    doc.root.insert(index, doc.create_text("t"))
    assert written(doc.root) == "<r>t</r>"


def test_insert_counts_the_children_before_the_node_is_moved():
    """As the place before the child that has the index now."""
    for old in range(5):
        for index in range(-6, 7):
            doc = parse(MIXED)
            children = doc.root.children
            moved = children[old]
            marked = [*children]
            marked.insert(index, None)
            expected = [moved if child is None else child for child in marked if child is not moved]
            doc.root.insert(index, moved)
            assert doc.root.children == expected
            assert live_handles()["Node"] == 0


def test_insert_of_a_fragment_keeps_the_order():
    doc = parse("<r><a/><b/></r>")
    fragment = doc.create_fragment()
    for name in "xyz":
        fragment.append(doc.create_element(name))
    doc.root.insert(-1, fragment)
    assert [child.name for child in doc.root.children] == ["a", "x", "y", "z", "b"]
    fragment.insert(0, doc.root.children[1])
    assert [child.name for child in fragment.children] == ["x"]


def test_insert_between_texts_merges_nothing():
    doc = parse("<r>one</r>")
    one = doc.root.children[0]
    two, three = doc.create_text("two"), doc.create_text("three")
    doc.root.insert(0, two)
    doc.root.insert(1, three)
    assert doc.root.children == [two, three, one]
    assert written(doc.root) == "<r>twothreeone</r>"


def test_insert_refuses_what_append_refuses():
    doc = parse("<r k='1'><a><b/></a>t</r>")
    root = doc.root
    a, text = root.children
    (whole,) = doc.xpathEval("/")
    for parent, node in (
        (a, root),
        (a, a),
        (text, a),
        (root.xpathEval("@k")[0], text),
        (root, root.xpathEval("@k")[0]),
        (whole, doc.create_element("second")),
        (whole, doc.create_text("outside")),
    ):
        with pytest.raises(ValueError):
            parent.insert(0, node)
    for index in ("0", 1.0, None):
        with pytest.raises(TypeError):
            root.insert(index, a)
    assert written(root) == '<r k="1"><a><b/></a>t</r>'


def test_insert_into_the_document():
    doc = parse("<r/>")
    (whole,) = doc.xpathEval("/")
    whole.insert(0, doc.create_comment("first"))
    whole.insert(5, doc.create_comment("last"))
    assert [child.type for child in whole.children] == ["comment", "element", "comment"]


def test_index_counts_all_children():
    doc = parse(f"<!DOCTYPE r [<!ELEMENT r ANY><!ENTITY e 'x'>]>{MIXED}")
    for parent in (doc.root, *doc.xpathEval("/"), doc.xpathEval("/")[0].children[0]):
        children = parent.children
        assert [parent.index(child) for child in children] == list(range(len(children)))


def test_index_of_what_is_no_child():
    doc = parse("<r k='1'><a><b/></a></r>")
    root = doc.root
    a = root.children[0]
    for node in (root, a.children[0], root.xpathEval("@k")[0], doc.create_element("x"), *doc.xpathEval("/")):
        with pytest.raises(ValueError, match="no child"):
            root.index(node)
    with pytest.raises(ValueError):
        root.index(parse("<o/>").root)
    with pytest.raises(TypeError):
        root.index("a")
    a.remove()
    with pytest.raises(ValueError, match="no child"):
        root.index(a)


def test_places_of_a_closed_document():
    doc = parse("<r><a/></r>")
    root, a = doc.root, doc.root.children[0]
    doc.close()
    for call in (lambda: root.insert(0, a), lambda: root.index(a)):
        with pytest.raises(ClosedError):
            call()


def test_a_node_is_true():
    """Also without children: ElementTree's elements are false then."""
    doc = parse("<r><a/>t</r>")
    for node in (doc.root, *doc.root.children, doc.create_fragment(), doc.create_text("")):
        assert bool(node) is True


def test_a_node_is_no_list():
    """Its children are: positions among elements and among all nodes would differ."""
    root = parse(MIXED).root
    with pytest.raises(TypeError):
        len(root)
    with pytest.raises(TypeError):
        root[0]
    with pytest.raises(TypeError):
        root[0:1]
    with pytest.raises(TypeError):
        del root[0]
    assert (len(root.children), len(list(root))) == (5, 2)


def test_membership_is_that_of_iteration():
    doc = parse(MIXED)
    root = doc.root
    assert [child in root for child in root.children] == [child in list(root) for child in root.children]
    for other in (root, doc.create_element("a"), parse(MIXED).root.children[1], "a", None, 0):
        assert other not in root


@pytest.mark.parametrize("make", ["create_element", "create_comment"])
def test_places_are_found_without_looking_at_all_nodes(make):
    """Putting a node beside others takes no time by their number, or by the depth of the tree."""
    import time

    def seconds(count):
        doc = Document()
        (whole,) = doc.xpathEval("/")
        whole.append(doc.create_element("r"))
        started = time.perf_counter()
        kept = [doc.root]
        for _ in range(count):
            below = getattr(doc, make)("x")
            if make == "create_element":
                kept[-1].append(below)
            else:
                whole.prepend(below)
            kept.append(below)
        return time.perf_counter() - started

    seconds(100)
    quick = min(seconds(1000) for _ in range(3))
    assert seconds(16_000) < 16 * 6 * quick + 0.05
