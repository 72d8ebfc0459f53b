"""Nodes that move to another document with their Python objects."""

import gc
import random
import sys
import threading
import weakref

import pytest
from documents import deep
from xml_safe import BusyError, ClosedError, Document, live_handles, parse

pytestmark = pytest.mark.skipif(
    hasattr(sys, "_is_gil_enabled") and not sys._is_gil_enabled(), reason="objects do not move without a GIL"
)

PLACES = ("append", "prepend", "before", "after", "replace_with", "insert")


def put(place: str, reference, node) -> None:
    match place:
        case "insert":
            reference.insert(0, node)
        case _:
            getattr(reference, place)(node)


def put_below(place: str, doc: Document, node) -> None:
    """Put the node below the root of a document that has an element there."""
    put(place, doc.root if place in ("append", "prepend", "insert") else doc.root.first_child, node)


@pytest.mark.parametrize("place", PLACES)
def test_a_node_is_put_into_another_document(place):
    source, doc = parse("<a><b k='v'>text<c/></b><d/></a>"), parse("<x><y/></x>")
    b = source.root.first_child
    text, c = b.children
    attribute = b.xpathEval("@k")[0]
    held = {b: "b", text: "text", c: "c", attribute: "k"}
    put_below(place, doc, b)
    assert b in doc.root.children
    assert b.parent is doc.root
    assert b.children == [text, c]
    assert c.parent is b
    assert b.xpathEval("@k")[0] is attribute
    assert held == {b: "b", text: "text", c: "c", attribute: "k"}
    assert source.root.to_string() == "<a><d/></a>"
    source.close()
    assert b.to_string() == '<b k="v">text<c/></b>'
    doc.close()
    assert all(node.closed for node in held)


def test_the_source_may_be_dropped():
    doc = parse("<x/>")
    doc.root.append(parse("<averyveryverylongname><b/></averyveryverylongname>").root.first_child)
    name = "a" * 100
    doc.root.append(parse(f"<{name} {name}='{name}'>{name}<!--{name}--></{name}>").root)
    gc.collect()
    assert live_handles()["Document"] == 1
    assert doc.root.last_child.to_string() == f'<{name} {name}="{name}">{name}<!--{name}--></{name}>'


def test_namespaces_come_along():
    source = parse("<a xmlns='urn:d' xmlns:p='urn:p'><p:b p:k='v'><c/></p:b></a>")
    doc = parse("<x xmlns:q='urn:p'/>")
    b = source.root.first_child
    doc.root.append(b)
    source.close()
    again = parse(doc.to_bytes())
    assert again.xpathEval("//n:c", namespaces={"n": "urn:d"})
    (found,) = again.xpathEval("/x/n:b[@n:k = 'v']", namespaces={"n": "urn:p"})
    assert found.name == "b"


def test_ids_change_their_document():
    source = parse("<a><b xml:id='one'/><c xml:id='two'/></a>")
    doc = parse("<x><y xml:id='two'/></x>")
    b, c = source.root.children
    doc.root.append(b)
    doc.root.append(c)
    assert source.xpathEval("id('one') | id('two')") == []
    assert doc.xpathEval("id('one')") == [b]
    assert doc.xpathEval("id('two')") == [doc.root.first_child]
    source.close()
    b.remove()
    assert doc.xpathEval("id('one')") == []


def test_references_are_those_of_the_new_document():
    entity = "<!DOCTYPE a [<!ENTITY e 'old'><!ENTITY only 'only'>]><a><b>&e;&only;</b></a>"
    source, doc = parse(entity), parse("<!DOCTYPE x [<!ENTITY e 'new'><!ENTITY only ''>]><x/>")
    b = source.root.first_child
    reference = b.first_child
    doc.root.append(b)
    source.close()
    assert b.first_child is reference
    assert reference.name == "e"
    assert b.to_string() == "<b>&e;&only;</b>"
    assert b.text == "new"


def test_a_fragment_of_another_document_puts_its_nodes():
    source, doc = parse("<a/>"), parse("<x>text</x>")
    fragment = source.create_fragment()
    nodes = [source.create_text("one"), source.create_element("b"), source.create_comment("two")]
    for node in nodes:
        fragment.append(node)
    doc.root.append(fragment)
    assert doc.root.children[1:] == nodes
    assert fragment.children == []
    source.close()
    assert fragment.closed
    assert doc.root.to_string() == "<x>textone<b/><!--two--></x>"


def test_adopt_node_returns_the_node_in_no_tree():
    source, doc = parse("<a><b/><c/></a>"), parse("<x/>")
    b = source.root.first_child
    assert doc.adopt_node(b) is b
    assert (b.parent, doc.root.to_string(), source.root.to_string()) == (None, "<x/>", "<a><c/></a>")
    # Twice: it is taken out of the tree of the document.
    doc.root.append(b)
    assert doc.adopt_node(b) is b
    assert (b.parent, doc.root.to_string()) == (None, "<x/>")
    fragment = source.create_fragment()
    fragment.append(source.create_element("d"))
    d = fragment.first_child
    assert doc.adopt_node(fragment) is fragment
    assert fragment.children == [d]
    source.close()
    assert fragment.to_string() == "<d/>"


def test_the_root_moves():
    source, doc = parse("<a><b/></a>"), Document()
    root = source.root
    doc.xpathEval("/")[0].append(root)
    assert doc.root is root
    assert source.root is None
    with pytest.raises(ValueError, match="a document has one root element: replace that"):
        doc.xpathEval("/")[0].append(parse("<c/>").root)
    other = parse("<d/>").root
    doc.root.replace_with(other)
    assert doc.root is other
    assert root.parent is None
    assert root.to_string() == "<a><b/></a>"


@pytest.mark.parametrize(
    ("find", "message"),
    [
        (lambda source: source.root.xpathEval("@k")[0], "cannot be a child"),
        (lambda source: source.xpathEval("/")[0], "cannot be a child"),
    ],
)
def test_a_node_that_cannot_be_a_child_is_not_adopted(find, message):
    source, doc = parse("<a k='v'><b/></a>"), parse("<x><y/></x>")
    node = find(source)
    for place in PLACES:
        with pytest.raises(ValueError, match=message):
            put_below(place, doc, node)
    if node.type == "document":
        with pytest.raises(ValueError, match='"document" cannot be moved to another document'):
            doc.adopt_node(node)
    assert source.root.to_string() == '<a k="v"><b/></a>'
    assert doc.root.to_string() == "<x><y/></x>"
    assert find(source) is node


def test_errors_of_moves_and_copies_say_which():
    source, doc = parse("<!DOCTYPE a [<!ELEMENT a ANY><!--c-->]><a/>"), parse("<x/>")
    dtd = source.root.previous
    declaration, comment = dtd.children
    for node in (source.xpathEval("/")[0], dtd, declaration):
        with pytest.raises(ValueError, match=f'{node.type}" cannot be moved to another document'):
            doc.adopt_node(node)
        with pytest.raises(ValueError, match="cannot be (taken out of its document|changed in a DTD)"):
            source.adopt_node(node)
        for copy in (doc.import_node, type(node).copy):
            with pytest.raises(ValueError, match=f'{node.type}" cannot be copied'):
                copy(node)
        with pytest.raises(ValueError, match="cannot be a child"):
            doc.root.append(node)
    with pytest.raises(ValueError, match="cannot be changed in a DTD"):
        doc.adopt_node(comment)
    assert [child.type for child in dtd.children] == ["element_decl", "comment"]


def test_a_text_is_put_beside_texts():
    source, doc = parse("<a>one<b/>two</a>"), parse("<x>three</x>")
    one, _, two = source.root.children
    three = doc.root.first_child
    three.before(one)
    three.after(two)
    source.close()
    assert [node.text for node in doc.root.children] == ["one", "three", "two"]
    assert doc.root.children == [one, three, two]


def test_attributes_as_a_mapping_move_along():
    source, doc = parse("<a><b k='v'/></a>"), parse("<x/>")
    b = source.root.first_child
    attributes = b.attributes
    doc.root.append(b)
    source.close()
    attributes["l"] = "w"
    assert dict(attributes) == {"k": "v", "l": "w"}
    assert doc.root.to_string() == '<x><b k="v" l="w"/></x>'


def test_an_iterator_ends_after_its_nodes_were_adopted():
    source, doc = parse("<a><b/><c/><d/></a>"), parse("<x/>")
    for node in source.root:
        doc.root.append(node)
    assert [node.name for node in doc.root] == ["b", "c", "d"]
    assert source.root.children == []
    # Into a document that is being iterated.
    target = parse("<y><e/></y>")
    seen = []
    for node in target.root:
        seen.append(node.name)
        if doc.root.first_child is not None:
            node.after(doc.root.first_child)
    assert seen[0] == "e"
    names = [node.name for node in target.root] + [node.name for node in doc.root]
    assert sorted(names) == ["b", "c", "d", "e"]


def test_iter_goes_on_behind_nodes_that_have_moved():
    source, doc = parse("<a><b><c/></b><b/><d><b/></d><b/></a>"), parse("<x/>")
    names = []
    for node in source.root.iter("b"):
        names.append(node.name)
        doc.root.append(node)
    assert names == ["b"] * 4
    assert source.root.to_string() == "<a><d/></a>"
    walk = source.root.iter()
    assert next(walk).name == "a"
    doc.root.append(source.root.first_child)
    assert list(walk) == []


def test_nodes_in_no_tree_have_no_ids():
    source, doc = parse("<a><b xml:id='one'/></a>"), parse("<x/>")
    b = doc.adopt_node(source.root.first_child)
    assert doc.xpathEval("id('one')") == []
    other = doc.create_element("y")
    doc.root.append(other)
    other.attributes["{http://www.w3.org/XML/1998/namespace}id"] = "one"
    assert doc.xpathEval("id('one')") == [other]
    doc.root.append(b)
    assert doc.xpathEval("id('one')") == [other]
    copy = other.copy()
    assert doc.xpathEval("id('one')") == [other]
    other.remove()
    assert doc.import_node(b).get("{http://www.w3.org/XML/1998/namespace}id") == copy.get(
        "{http://www.w3.org/XML/1998/namespace}id"
    )
    assert doc.xpathEval("id('one')") == []


def test_an_id_by_a_dtd_is_none_in_another_document():
    source = parse("<!DOCTYPE a [<!ATTLIST b k ID #IMPLIED>]><a><b k='one'/></a>", load_dtd=True)
    doc = parse("<x/>")
    b = source.root.first_child
    doc.root.append(b)
    assert doc.xpathEval("id('one')") == []
    assert source.xpathEval("id('one')") == []


def test_lines_stay():
    source = parse("<a>\n" + "\n" * 70_000 + "<b>text<!--c--><?p i?></b>\n</a>")
    b = source.root.children[1]
    before = [node.line for node in (b, *b.children)]
    assert before[0] > 70_000
    parse("<x/>").root.append(b)
    assert [node.line for node in (b, *b.children)] == before


def test_an_attribute_of_the_document_itself_is_taken_out():
    doc = parse("<a k='v'/>")
    attribute = doc.root.xpathEval("@k")[0]
    assert doc.adopt_node(attribute) is attribute
    assert doc.root.to_string() == "<a/>"


def test_a_large_fragment_of_another_document():
    source, doc = Document(), parse("<x/>")
    fragment = source.create_fragment()
    for _ in range(20_000):
        fragment.append(source.create_element("e"))
    doc.root.append(fragment)
    assert (len(doc.root.children), fragment.children) == (20_000, [])


def test_a_context_stays_with_the_former_document():
    source, doc = parse("<a><b><c/></b></a>"), parse("<x/>")
    b = source.root.first_child
    context = source.xpath_new_context()
    context.set_node(b)
    doc.root.append(b)
    (c,) = context.eval("c")
    assert c is not b.first_child
    assert c.to_string() == "<c/>"
    context.close()
    source.close()
    assert b.first_child.name == "c"


def test_a_function_of_an_expression_does_not_move_nodes():
    source, doc = parse("<a><b/></a>"), parse("<x/>")

    def move(nodes) -> bool:
        doc.root.append(nodes[0])
        return True

    with pytest.raises(BusyError):
        source.xpathEval("//b[f(.)]", functions={"f": move})
    with pytest.raises(BusyError):
        doc.xpathEval("/x[f(.)]", functions={"f": lambda _: bool(doc.root.append(source.root.first_child))})
    assert (source.root.to_string(), doc.root.to_string()) == ("<a><b/></a>", "<x/>")


def test_a_closed_document_takes_part_in_no_move():
    source, doc = parse("<a><b/></a>"), parse("<x/>")
    b, x = source.root.first_child, doc.root
    doc.close()
    with pytest.raises(ClosedError):
        x.append(b)
    assert source.root.to_string() == "<a><b/></a>"
    source.close()
    with pytest.raises(ClosedError):
        parse("<y/>").root.append(b)


def test_a_deep_tree_moves():
    (source, levels), doc = deep(100_000), parse("<x/>")
    root = source.root
    middle = source.xpathEval("/" + "/".join("a" for _ in range(1000)))[0]
    doc.root.append(root)
    source.close()
    assert middle.name == "a"
    assert len(doc.root.descendants()) == levels


def test_moved_nodes_are_released():
    source, doc = parse("<a><b><c/></b></a>"), parse("<x/>")
    before = live_handles()["Node"]
    b = source.root.first_child
    weak = weakref.ref(b)
    doc.adopt_node(b)
    c = b.first_child
    assert live_handles()["Node"] == before + 1
    del b
    assert weak() is None
    assert c.parent.name == "b"
    del c
    assert live_handles()["Node"] == before


def test_random_moves_between_documents():
    random.seed(5)
    docs = [parse("<r>" + "".join(f"<e n='{number}'><f/>t</e>" for number in range(5)) + "</r>") for _ in range(3)]
    held = [element for doc in docs for element in doc.root]
    numbers = [element.get("n") for element in held]
    for step in range(2000):
        element = random.choice(held)
        target = random.choice(docs).root
        choice = random.random()
        if choice < 0.6:
            target.append(element)
        elif choice < 0.8 and target.first_child not in (None, element):
            target.first_child.before(element)
        elif choice < 0.9:
            element.remove()
        else:
            random.choice(docs).adopt_node(element)
        if step % 200 == 0:
            assert [one.get("n") for one in held] == numbers
            assert all(one.first_child.name == "f" and one.last_child.text == "t" for one in held)
            for doc in docs:
                assert all(child in held and child.parent is doc.root for child in doc.root)
    expected = sum(one.parent is not None for one in held)
    assert sum(len(doc.root.children) for doc in docs) == expected


def test_threads_move_nodes():
    docs = [parse("<r>" + "<e/>" * 5 + "</r>") for _ in range(3)]
    roots = [doc.root for doc in docs]
    held = [element for root in roots for element in root]
    errors = []

    def move(seed: int) -> None:
        choose = random.Random(seed)
        try:
            for _ in range(500):
                element, root = choose.choice(held), choose.choice(roots)
                root.append(element)
                assert element.name == "e"
                choose.choice(held).xpathEval("..")
        except BaseException as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=move, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert errors == []
    assert (
        sum(len(root.children) for root in roots) == len(held) == len({element for root in roots for element in root})
    )
