"""`iter()`: nodes in document order, while the tree changes."""

import gc
import random
import threading
import tracemalloc
import weakref

import pytest
from documents import deep, walk
from xml_safe import ClosedError, Document, live_handles, parse

XML = """<!DOCTYPE r [<!ENTITY e "x">]><r xmlns:p="urn:p"><a><b/>t<!--c--><?d e?></a>&e;<p:a/><c><a>u<![CDATA[v]]></a></c></r>"""


pytestmark = pytest.mark.usefixtures("nothing_is_left")


def names(nodes) -> list[str | None]:
    return [node.name for node in nodes]


# ---- what is given


def test_elements_in_document_order():
    root = parse(XML).root
    assert names(root.iter()) == ["r", "a", "b", "a", "c", "a"]
    assert list(root.iter())[1:] == root.descendants()


def test_all_nodes_in_document_order():
    doc = parse(XML)
    for top in (doc.root, *doc.xpathEval("/"), doc.root.children[0], doc.root.children[1]):
        declared = [node for node in walk(top) if node.type.endswith("_decl")]
        assert list(top.iter(type="node")) == list(walk(top))
        assert list(top.iter()) == [node for node in walk(top) if node.type == "element"]
        assert len(declared) == (1 if top.type == "document" else 0)


def test_nodes_by_name():
    root = parse(XML).root
    assert names(root.iter("a")) == ["a", "a"]
    assert [node.path for node in root.iter("{urn:p}a")] == ["/r/p:a"]
    assert [list(root.iter(name)) for name in ("p:a", "{urn:q}a", "zz", "text", "comment")] == [[]] * 5
    assert list(root.iter("r")) == [root]
    for name in ("a", "{urn:p}a", "zz"):
        assert list(root.iter(name)) == root.descendants(name)


def test_nodes_by_type():
    root = parse(XML).root
    for type in ("element", "text", "cdata", "comment", "pi", "entity_ref"):
        expected = [node for node in walk(root) if node.type == type]
        assert expected and list(root.iter(type=type)) == expected
    assert [node.text for node in root.iter(type=("text", "cdata"))] == ["t", "u", "v"]
    assert [node.text for node in root.iter(type=iter(["text", "cdata"]))] == ["t", "u", "v"]
    assert list(root.iter(type=[])) == []
    assert names(root.iter("d", type="node")) == names(root.iter("d", type="pi")) == ["d"]
    assert names(root.iter("e", type="node")) == ["e"]
    assert list(root.iter("text", type="node")) == []
    assert [node.type for node in parse(XML).xpathEval("/")[0].iter(type="dtd")] == ["dtd"]


def test_arguments_that_are_refused():
    root = parse(XML).root
    for type in ("attribute", "document", "", "Element", ("text", "nope")):
        with pytest.raises(ValueError, match="choose from"):
            root.iter(type=type)
    for type in (1, (1,), b"text"):
        with pytest.raises(TypeError):
            root.iter(type=type)
    for name in (1, b"a"):
        with pytest.raises(TypeError):
            root.iter(name)
    for name in ("\0", "\ud800"):
        with pytest.raises(ValueError):
            root.iter(name)
    with pytest.raises(TypeError):
        root.iter("a", "element")


def test_an_iterator_is_one():
    iterator = parse(XML).root.iter()
    assert iter(iterator) is iterator
    assert names(iterator) == ["r", "a", "b", "a", "c", "a"]
    for _ in range(3):
        with pytest.raises(StopIteration):
            next(iterator)


def test_the_top_ends_the_iteration():
    root = parse(XML).root
    assert names(root.children[0].iter()) == ["a", "b"]
    assert list(root.children[0].children[1].iter(type="node")) == [root.children[0].children[1]]
    assert list(root.children[0].children[1].iter()) == []


def test_references_to_entities_are_not_entered():
    doc = parse("<!DOCTYPE r [<!ENTITY e '<x>y</x>'>]><r>&e;<a/></r>")
    assert [node.type for node in doc.root.iter(type="node")] == ["element", "entity_ref", "element"]


def test_memory_is_that_of_the_depth():
    doc = parse("<r>" + "<a><b/>t</a>" * 20_000 + "</r>")
    for options in ({}, {"type": "node"}, {"name": "b"}):
        root = doc.root
        tracemalloc.start()
        assert sum(1 for _ in root.iter(**options)) >= 20_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20_000


def test_a_deep_tree():
    doc, levels = deep(20_000)
    assert sum(1 for _ in doc.root.iter()) == levels


# ---- while the tree changes


def test_each_node_is_removed():
    doc = parse("<r><a/><b><c/></b><d/></r>")
    for node in doc.root.iter():
        if node is not doc.root:
            node.remove()
    assert doc.root.to_string() == "<r/>"


def test_the_next_node_is_removed():
    doc = parse("<r><a/><b/><c/><d/></r>")
    seen = []
    for node in doc.root.iter():
        seen.append(node.name)
        if node.next is not None and node.name == "a":
            node.next.remove()
    assert seen == ["r", "a", "c", "d"]


def test_the_node_and_the_next_one_are_removed():
    doc = parse("<r><s><a/><b/><c/></s><d/></r>")
    seen = []
    for node in doc.root.iter():
        seen.append(node.name)
        if node.name == "a":
            node.next.remove()
            node.remove()
    assert seen == ["r", "s", "a", "d"]


def test_a_node_above_is_removed():
    doc = parse("<r><s><t><a/><b/></t><c/></s><d/></r>")
    seen = []
    for node in doc.root.iter():
        seen.append(node.name)
        if node.name == "a":
            node.parent.parent.remove()
    assert seen == ["r", "s", "t", "a", "b", "c", "d"]


def test_a_node_above_is_cleared():
    doc = parse("<r><s><t><a/><b/></t><c/></s><d/></r>")
    seen = []
    for node in doc.root.iter():
        seen.append(node.name)
        if node.name == "a":
            doc.root.children[0].clear()
    assert seen == ["r", "s", "t", "a", "b", "d"]


def test_the_top_is_removed():
    doc = parse("<r><s><a/><b/></s><c/></r>")
    seen = []
    for node in doc.root.children[0].iter():
        seen.append(node.name)
        if node.name == "a":
            node.parent.remove()
    assert seen == ["s", "a", "b"]


def test_each_node_is_wrapped():
    doc = parse("<r><a/><b><a/></b><a/></r>")
    for node in doc.root.iter("a"):
        wrapper = doc.create_element("w")
        node.before(wrapper)
        wrapper.append(node)
    assert doc.root.to_string() == "<r><w><a/></w><b><w><a/></w></b><w><a/></w></r>"


def test_each_node_is_replaced():
    doc = parse("<r><a/><b><a/></b><a/></r>")
    for node in doc.root.iter("a"):
        node.replace_with(doc.create_element("z"))
    assert doc.root.to_string() == "<r><z/><b><z/></b><z/></r>"


def test_each_node_gets_a_neighbor():
    doc = parse("<r><a/><a/></r>")
    for node in doc.root.iter("a"):
        node.after(doc.create_element("a"))
        node.before(doc.create_element("a"))
    assert len(doc.root.children) == 6


def test_nodes_further_on_are_given():
    doc = parse("<r><a/><b/></r>")
    seen = []
    for node in doc.root.iter():
        seen.append(node.name)
        if node.name == "a":
            node.append(doc.create_element("below"))
            doc.root.append(doc.create_element("last"))
    assert seen == ["r", "a", "below", "b", "last"]


def test_the_last_node_is_moved_to_the_front():
    doc = parse("<r><a/><b/><c/></r>")
    seen = []
    for node in doc.root.iter():
        seen.append(node.name)
        if node is not doc.root:
            doc.root.prepend(node)
    assert seen == ["r", "a", "b", "c"]


def test_the_document_is_closed():
    doc = parse(XML)
    iterators = [doc.root.iter(), doc.root.iter()]
    next(iterators[0])
    next(iterators[0])
    doc.close()
    for iterator in iterators:
        with pytest.raises(ClosedError):
            next(iterator)


def test_an_iterator_keeps_its_document():
    iterator = parse(XML).root.iter("a")
    gc.collect()
    assert names(iterator) == ["a", "a"]


def test_an_iterator_keeps_the_nodes_that_it_needs():
    doc = parse("<r><a/><b/></r>")
    iterator = doc.root.iter()
    next(iterator), next(iterator)
    doc.root.clear()
    gc.collect()
    assert live_handles()["Node"] == 2
    assert list(iterator) == []
    assert live_handles()["Node"] == 0


def test_an_iterator_of_several_threads():
    doc = parse("<r>" + "<a/>" * 2000 + "</r>")
    iterator, seen = doc.root.iter("a"), []

    def read():
        while True:
            try:
                seen.append(next(iterator))
            except StopIteration:
                return
            except ValueError:
                continue

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 2000 == len(set(seen))


def test_random_changes_while_iterating():
    """Whatever is done, the iterator ends, and gives no node twice unless that was moved."""
    for seed in range(150):
        chance = random.Random(seed)
        doc = Document()
        root = doc.create_element("r")
        doc.xpathEval("/")[0].append(root)
        nodes = [root]
        for _ in range(30):
            below = doc.create_element("a") if chance.random() < 0.8 else doc.create_text("t")
            chance.choice([node for node in nodes if node.type == "element"]).append(below)
            nodes.append(below)
        changes = 0
        given = []
        for node in root.iter(type="node"):
            given.append(node)
            assert len(given) < 1000
            if changes < 20 and chance.random() < 0.5:
                changes += 1
                victim, target = chance.choice(nodes), chance.choice(nodes)
                try:
                    if chance.random() < 0.5:
                        victim.remove()
                    else:
                        chance.choice([target.append, target.before, target.after])(victim)
                except ValueError:
                    pass
        assert given[0] is root
        if changes == 0:
            assert len(given) == 31


# ---- names to look for

NAMED = "<r xmlns:p='urn:p'><a/><p:a/><q:a/><?a?><b xmlns='urn:*'><a/></b></r>"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a", 1),
        ("{}a", 1),
        ("{urn:p}a", 1),
        ("{*}a", 3),
        ("*", 5),
        ("{*}*", 5),
        ("{}*", 2),
        ("{urn:*}*", 2),
        ("q:a", 1),
        ("é", 0),
        ("{urn:q}a", 0),
    ],
)
def test_names_to_look_for(name, found):
    root = parse(NAMED, recover=True).root
    assert len(root.descendants(name)) == found
    assert len([node for node in root.iter(name) if node != root]) == found
    assert all(node.type == "element" for node in root.iter(name))
    assert len(list(root.iter("*", type="pi"))) == 1


@pytest.mark.parametrize("name", ["", " ", "a b", "{urn:p}", "{urn:p", "p}a{", "1", "a/b", "**", "a*", "@a", "."])
def test_texts_that_are_no_names(name):
    root = parse(NAMED, recover=True).root
    for look in (root.iter, root.descendants):
        with pytest.raises(ValueError, match="is no name to look for"):
            look(name)


def test_loops_release_the_nodes_that_they_have_passed():
    doc = parse("<r>" + "<e/>" * 1_000 + "</r>")
    for nodes in (doc.root, doc.root.children, reversed(doc.root.children), doc.root.iter(), doc):
        passed = []
        most = 0
        for node in nodes:
            passed.append(weakref.ref(node))
            most = max(most, sum(1 for node in passed[-10:] if node() is not None))
        assert len(passed) in (1, 1_000, 1_001)
        assert most <= 3
