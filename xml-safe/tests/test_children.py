"""The children of a node as a sequence, iterators over a tree that changes, and the nodes of a document."""

import copy
import pickle
import random
import re
from collections.abc import Sequence

import pytest
import xml_safe
from xml_safe import BusyError, Children, ClosedError, Document, parse

pytestmark = pytest.mark.usefixtures("nothing_is_left")

XML = "<r k='v'>one<a/><!--two--><b>x</b>three</r>"


def names(nodes):
    return [node.name for node in nodes]


def test_the_children_are_a_sequence():
    root = parse(XML).root
    children = root.children
    assert isinstance(children, Sequence)
    assert type(children) is Children
    assert (len(children), bool(children), names(children)) == (5, True, ["text", "a", "comment", "b", "text"])
    assert children[1] is root.children[-4] is children[True] is root.first_child.next
    assert names(reversed(children)) == names(list(children)[::-1])
    for index in (5, -6, 2**70, -(2**70)):
        with pytest.raises(IndexError):
            children[index]
    for index in ("a", None, 1.0, b"a"):
        with pytest.raises(TypeError, match="cannot be interpreted as an integer"):
            children[index]
    empty = children[1].children
    assert (len(empty), bool(empty), list(empty), list(reversed(empty))) == (0, False, [], [])
    with pytest.raises(IndexError):
        empty[-1]


@pytest.mark.parametrize("start", [None, 0, 2, -2, 9, -9])
@pytest.mark.parametrize("stop", [None, 0, 3, -1, 9, -9])
@pytest.mark.parametrize("step", [None, 1, 2, -1, -3, 100])
def test_slices_are_those_of_a_list(start, stop, step):
    children = parse(XML).root.children
    part = slice(start, stop, step)
    assert children[part] == list(children)[part]


def test_children_are_compared_with_any_sequence():
    doc = parse(XML)
    children = doc.root.children
    same = list(children)
    assert children == same == children
    assert children == tuple(same)
    assert children == doc.root.children
    assert children != same[1:]
    assert children != [*same, same[0]]
    assert children != parse(XML).root.children
    assert (children == None, children == "text", children == 5) == (False, False, False)  # noqa: E711
    assert doc.root.first_child.next.children == []


def test_children_are_found():
    root = parse(XML).root
    children = root.children
    a = children[1]
    assert a in children
    assert root not in children
    assert "a" not in children
    assert root.attributes.node("k") not in children
    assert (children.index(a), children.count(a), children.count(root), children.count(1)) == (1, 1, 0, 0)
    for other in (root, root.attributes.node("k"), children[3].first_child):
        with pytest.raises(ValueError, match="no child"):
            children.index(other)


def test_children_are_put_and_taken_out():
    doc = parse(XML)
    children = doc.root.children
    a = children[1]
    children.append(doc.create_element("c"))
    children.insert(0, doc.create_comment("zero"))
    children[1] = doc.create_element("d")
    assert doc.root.to_string() == '<r k="v"><!--zero--><d/><a/><!--two--><b>x</b>three<c/></r>'
    children[2] = a
    assert children.pop().name == "c"
    assert children.pop(0).text == "zero"
    children.remove(a)
    assert doc.root.to_string() == '<r k="v"><d/><!--two--><b>x</b>three</r>'
    del children[-1]
    del children[::2]
    assert doc.root.to_string() == '<r k="v"><!--two--></r>'
    with pytest.raises(ValueError, match="no child"):
        children.remove(a)
    children.clear()
    assert (len(children), doc.root.to_string()) == (0, '<r k="v"/>')
    with pytest.raises(IndexError):
        children.pop()
    with pytest.raises(IndexError):
        del children[0]
    del children[:]


def test_a_child_of_another_document_is_put_there():
    doc, other = parse("<r><a/></r>"), parse("<s><b/></s>")
    b = other.root.first_child
    doc.root.children[0] = b
    assert (doc.root.to_string(), other.root.to_string(), b.document is doc) == ("<r><b/></r>", "<s/>", True)


def test_a_child_is_not_put_in_the_place_of_another_child():
    doc = parse("<r><a/>t<b/></r>")
    children = doc.root.children
    a, b = children[0], children[2]
    children[0] = a
    for first, second in ((0, 2), (2, 0), (0, -1)):
        with pytest.raises(ValueError, match="cannot be at two places"):
            children[first], children[second] = children[second], children[first]
    with pytest.raises(ValueError, match="cannot be at two places"):
        random.Random(1).shuffle(children)
    assert doc.root.to_string() == "<r><a/>t<b/></r>"
    for child in (b, a):
        child.remove()
        children.append(child)
    assert doc.root.to_string() == "<r>t<b/><a/></r>"
    grandchild = a.append_element("c")
    children[1] = grandchild
    assert doc.root.to_string() == "<r>t<c/><a/></r>"
    around = parse("<!-- c --><r/>")
    with pytest.raises(ValueError, match="cannot be at two places"):
        around.children[0] = around.root
    assert around.to_string() == "<!-- c -->\n<r/>\n"


def test_what_fails_changes_nothing():
    doc = parse(XML)
    children = doc.root.children
    before = doc.root.to_string()
    inner = children[3].children
    for change in (
        lambda: children.append(doc.root),
        lambda: inner.append(doc.root),
        lambda: inner.__setitem__(0, doc.root),
        lambda: children.insert(1, doc.root.attributes.node("k")),
        lambda: doc.root.first_child.children.append(doc.create_text("t")),
    ):
        with pytest.raises(ValueError):
            change()
    for change in (
        lambda: children.append("text"),
        lambda: children.insert("0", doc.create_text("t")),
        lambda: children.__setitem__(slice(0, 1), doc.create_text("t")),
        lambda: children.pop("0"),
    ):
        with pytest.raises(TypeError):
            change()
    assert doc.root.to_string() == before


def test_children_of_nodes_that_can_have_none():
    doc = parse(XML)
    text = doc.root.first_child
    assert list(text.children) == []
    assert names(doc.root.attributes.node("k").children) == ["text"]


def test_children_follow_their_node():
    doc, other = parse(XML), parse("<s/>")
    a = doc.root.children[1]
    children = a.children
    other.root.append(a)
    doc.close()
    children.append(other.create_element("e"))
    assert other.root.to_string() == "<s><a><e/></a></s>"
    a.remove()
    assert names(children) == ["e"]
    other.close()
    for use in (lambda: len(children), lambda: list(children), lambda: children[0], lambda: children.pop()):
        with pytest.raises(ClosedError):
            use()


def test_children_are_the_value_of_a_variable():
    doc = parse(XML)
    assert doc.xpathEval("count($v)", variables={"v": doc.root.children}) == 5.0
    context = doc.xpath_new_context()
    context.register_variable("v", doc.root.children)
    assert context.eval("$v[2]") == [doc.root.children[1]]


def test_children_are_no_value_for_pickle_or_copy():
    children = parse(XML).root.children
    for use in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError):
            use(children)
    assert re.fullmatch(r"<xml_safe.Children at 0x[0-9a-f]+>", repr(children))


# ---- iterators


def test_taking_out_what_was_given():
    root = parse("<r>" + "<a/>" * 5 + "</r>").root
    for child in root.children:
        child.remove()
    assert len(root.children) == 0


def test_taking_out_what_comes_next():
    for iterate in (iter, lambda root: iter(root.children)):
        root = parse("<r><a/><b/><c/><d/></r>").root
        seen = []
        for child in iterate(root):
            seen.append(child.name)
            if child.name == "a":
                child.next.remove()
                child.next.remove()
        assert seen == ["a", "d"]


def test_what_is_put_behind_the_last_one_comes():
    root = parse("<r><a/></r>").root
    seen = []
    for child in root:
        seen.append(child.name)
        if len(seen) < 4:
            root.append_element(f"e{len(seen)}")
    assert seen == ["a", "e1", "e2", "e3"]


def test_an_iterator_that_ended_stays_so():
    root = parse("<r><a/></r>").root
    steps = iter(root)
    assert names(steps) == ["a"]
    root.append_element("b")
    assert list(steps) == []


def test_merging_elements_that_follow():
    root = parse("<r><p>1</p><p>2</p><q/><p>3</p><p>4</p><p>5</p></r>").root
    for p in root:
        while p.name == "p" and p.next is not None and p.next.name == "p":
            p.text += p.next.text
            p.next.remove()
    assert root.to_string() == "<r><p>12</p><q/><p>345</p></r>"


def test_a_next_element_that_moved_to_another_document_is_passed():
    doc, other = parse("<r><a/><b/><c/></r>"), Document()
    steps = iter(doc.root)
    assert next(steps).name == "a"
    other.append(doc.root.children[1])
    assert names(steps) == ["c"]


# ---- documents


def test_the_nodes_of_a_document():
    doc = parse("<!DOCTYPE r><!--one--><r><a/></r><?two?>")
    assert [node.type for node in doc.children] == ["dtd", "comment", "element", "pi"]
    assert doc.children == doc.xpathEval("/")[0].children
    assert (doc.first_child.type, doc.last_child.type) == ("dtd", "pi")
    assert list(doc) == [doc.root]
    assert names(doc.iter()) == ["r", "a"]
    assert names(doc.iter("a")) == ["a"]
    assert [node.type for node in doc.iter(type=["comment", "pi"])] == ["comment", "pi"]
    with pytest.raises(ValueError, match="no iterator gives"):
        doc.iter(type="unknown")


def test_the_nodes_of_a_document_are_changed():
    doc = Document()
    assert (list(doc.children), list(doc), doc.first_child, doc.last_child, list(doc.iter())) == (
        [],
        [],
        None,
        None,
        [],
    )
    doc.children.append(doc.create_element("r"))
    doc.children.insert(0, doc.create_comment("c"))
    assert doc.to_string(declaration=False).strip() == "<!--c-->\n<r/>"
    with pytest.raises(ValueError):
        doc.children.append(doc.create_element("second"))
    doc.children[-1] = doc.create_element("other")
    del doc.children[0]
    assert doc.to_string(declaration=False).strip() == "<other/>"


def test_the_nodes_of_a_closed_document():
    doc = parse("<r/>")
    doc.close()
    for use in (
        lambda: doc.children,
        lambda: doc.first_child,
        lambda: doc.last_child,
        lambda: list(doc),
        lambda: doc.iter(),
    ):
        with pytest.raises(ClosedError):
            use()


def test_a_function_of_xpath_sees_the_children_but_cannot_change_them():
    doc = parse(XML)

    def change(_):
        assert len(doc.root.children) == 5
        with pytest.raises(BusyError):
            doc.root.children.pop()
        return True

    assert doc.xpathEval("f(.)", functions={"f": change}) is True
    assert "Children" in xml_safe.__all__
