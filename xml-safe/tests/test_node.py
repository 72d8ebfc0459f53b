"""Nodes: every property of every node type, equality, and what keeps what alive."""

import copy
import gc
import pickle
import re
import weakref
from collections.abc import Sequence

import pytest
import xml_safe
from xml_safe import Document, Node, parse

XML = """<?xml version="1.0"?>
<!DOCTYPE root [
<!ELEMENT root ANY>
<!ATTLIST root d CDATA "default">
<!ENTITY e "entity text">
<!ENTITY ext SYSTEM "missing.txt">
<!NOTATION n SYSTEM "n">
<!-- inside -->
<?inside the DTD?>
]>
<!-- before -->
<?top instruction?>
<root xmlns:p="urn:p" a="1" p:b="2"><p:kid>text</p:kid><![CDATA[<raw>]]><!--note--><?do it?>&e;<p:kid/></root>
"""


def child(node, type):
    return next(n for n in node.children if n.type == type)


def document_node(doc):
    return doc.xpathEval("/")[0]


FIND = {
    "element": lambda doc: doc.root,
    "attribute": lambda doc: doc.root.xpathEval("@a")[0],
    "text": lambda doc: doc.xpathEval("//text()")[0],
    "cdata": lambda doc: child(doc.root, "cdata"),
    "comment": lambda doc: child(doc.root, "comment"),
    "pi": lambda doc: child(doc.root, "pi"),
    "entity_ref": lambda doc: child(doc.root, "entity_ref"),
    "document": document_node,
    "dtd": lambda doc: child(document_node(doc), "dtd"),
}
NAME = {"element": "root", "attribute": "a", "pi": "do", "entity_ref": "e", "dtd": "root"}
TEXT = {
    "element": "text<raw>entity text",
    "attribute": "1",
    "text": "text",
    "cdata": "<raw>",
    "comment": "note",
    "pi": "it",
    "entity_ref": "entity text",
    "document": "text<raw>entity text",
}
PATH = {
    "element": "/root",
    "attribute": "/root/@a",
    "text": "/root/p:kid[1]/text()",
    "cdata": "/root/text()",
    "comment": "/root/comment()",
    "pi": "/root/processing-instruction('do')",
    "document": "/",
}
PARENT = {
    "element": "document",
    "attribute": "element",
    "text": "element",
    "cdata": "element",
    "comment": "element",
    "pi": "element",
    "entity_ref": "element",
    "dtd": "document",
}
AS_STRING = {
    "attribute": 'a="1"',
    "text": "text",
    "cdata": "<![CDATA[<raw>]]>",
    "comment": "<!--note-->",
    "pi": "<?do it?>",
    "entity_ref": "&e;",
}
every_type = pytest.mark.parametrize("type", FIND)


@pytest.fixture
def rich():
    return parse(XML)


@pytest.fixture
def find(rich):
    return lambda type: FIND[type](rich)


@every_type
def test_type(find, type):
    assert find(type).type == type


@pytest.mark.parametrize("type", NAME)
def test_name(find, type):
    assert find(type).name == NAME[type]


@pytest.mark.parametrize("type", FIND.keys() - NAME.keys())
def test_name_of_a_node_without_one(find, type):
    """libxml2 has constants like "text" and "comment" here."""
    name = find(type).name
    assert name is None or isinstance(name, str)


@pytest.mark.parametrize("type", TEXT)
def test_text(find, type):
    assert find(type).text == TEXT[type]


def test_text_of_a_dtd(find):
    assert find("dtd").text in ("", None)


@pytest.mark.parametrize("type", PATH)
def test_path(find, type, rich):
    path = find(type).path
    assert path == PATH[type]
    if ":" not in path:
        assert find(type) in rich.xpathEval(path)


@pytest.mark.parametrize("type", FIND.keys() - PATH.keys())
def test_path_of_a_node_without_one(find, type):
    assert find(type).path is None


def test_nodes_that_xpath_does_not_reach_have_no_path():
    doc = parse("<!DOCTYPE r [<!ENTITY e 'v<i/>'>]><r k='1'>&e;<a><b/></a></r>")
    made = doc.create_element("r")
    fragment = doc.create_fragment()
    nodes = [made, made.append_element("a"), fragment, fragment.append_element("r"), doc.create_text("t")]
    nodes += [doc.root.attributes.node("k").copy(), doc.root.attributes.node("k").copy().first_child, doc.root.copy()]
    nodes += doc.root.previous.xpathEval("descendant::node()")
    a = doc.root.last_child
    nodes += [a, a.first_child]
    assert (a.path, a.first_child.path, doc.root.attributes.node("k").path) == ("/r/a", "/r/a/b", "/r/@k")
    text = doc.root.attributes.node("k").first_child
    assert text.path == "/r/@k/text()"
    a.remove()
    assert [node.path for node in nodes] == [None] * len(nodes)


@every_type
def test_line(find, type):
    line = find(type).line
    assert line is None or isinstance(line, int)
    if type in ("element", "comment", "pi", "text"):
        assert line == 13


@pytest.mark.parametrize("type", PARENT)
def test_parent(find, type):
    node = find(type)
    assert node.parent.type == PARENT[type]
    if type != "attribute":
        assert node in node.parent.children


def test_a_document_has_no_parent(find):
    assert find("document").parent is None


@every_type
def test_document(find, type, rich):
    assert find(type).document is rich


@every_type
def test_children(find, type):
    children = find(type).children
    assert isinstance(children, Sequence)
    assert all(isinstance(n, Node) for n in children)
    types = [n.type for n in children]
    if type == "element":
        assert types == ["element", "cdata", "comment", "pi", "entity_ref", "element"]
    elif type == "document":
        assert types == ["dtd", "comment", "pi", "element"]
    elif type == "attribute":
        assert types == ["text"]
    elif type == "dtd":
        assert {"comment", "pi"} < set(types)
        assert len(types) >= 6
    elif type != "entity_ref":
        assert types == []


@every_type
def test_iteration_is_over_elements(find, type):
    elements = {"element": ["kid", "kid"], "document": ["root"]}
    assert [n.name for n in find(type)] == elements.get(type, [])


@every_type
def test_attributes_and_get(find, type):
    node = find(type)
    if type == "element":
        assert "1" in node.attributes.values()
        assert node.get("a") == "1"
    else:
        assert node.attributes == {}
        assert node.get("a") is None
        assert node.get("a", "other") == "other"


@every_type
def test_to_string(find, type):
    string = find(type).to_string()
    assert isinstance(string, str)
    if type in AS_STRING:
        assert string.strip() == AS_STRING[type]
    elif type == "dtd":
        assert string.startswith("<!DOCTYPE root [")
    else:
        assert "<p:kid>text</p:kid><![CDATA[<raw>]]><!--note--><?do it?>&e;<p:kid/></root>" in string


@every_type
def test_evaluating_from(find, type):
    node = find(type)
    assert node.xpathEval("count(/*)") == 1
    assert node.xpathEval("1 + 1") == 2
    if type not in ("dtd", "entity_ref"):
        assert node.xpathEval(".") == [node]


AXES = (
    "ancestor ancestor-or-self attribute child descendant descendant-or-self following following-sibling namespace "
    "parent preceding preceding-sibling self"
).split()


@every_type
@pytest.mark.parametrize("axis", AXES)
def test_every_axis_from(find, type, axis):
    try:
        result = find(type).xpathEval(f"{axis}::node()")
    except xml_safe.Error as error:
        assert str(error)
    else:
        assert isinstance(result, list)


@pytest.mark.parametrize("inner", ["text", "<q/>", "&f;", "&f;<q/>&f;"])
def test_axes_end_at_references_to_entities(inner):
    """Not in the DTD, from which libxml2 would come back to the root element for ever."""
    with parse(f"<!DOCTYPE a [<!ENTITY f 'more'><!ENTITY e '{inner}'>]><a>text<b/>&e;<c>&e;</c>&e;</a>") as doc:
        text = doc.root.children[0]
        following = text.xpathEval("following::node()")
        assert [node.type for node in following] == ["element", "element"]
        assert text.xpathEval("following::other") == []
        assert doc.xpathEval("//b/following::other | //b/descendant::other | //c/preceding::other") == []
        reference = doc.root.children[2]
        assert reference.xpathEval("node()") == reference.children == []
        assert reference.text == {"<q/>": "", "&f;": "more", "&f;<q/>&f;": "moremore"}.get(inner, inner)


@every_type
def test_repr_equality_and_hash(find, type):
    node, same = find(type), find(type)
    assert "Node" in repr(node)
    assert node == same
    assert hash(node) == hash(same)
    assert not node != same
    assert {node: 1}[same] == 1


def test_all_types_differ(find):
    assert len({find(type) for type in FIND}) == len(FIND)


def walk(node):
    yield node
    for n in node.children:
        yield from walk(n)
    for n in node.xpathEval("@*") if node.type == "element" else ():
        yield from walk(n)


@pytest.mark.parametrize("options", [{}, {"resolve_entities": True}, {"load_dtd": True}, {"no_cdata": True}])
def test_every_property_of_all_that_can_be_reached(options):
    """Declarations inside the DTD, whose C structs are no `xmlNode`, included."""
    seen = set()
    for node in walk(document_node(parse(XML, **options))):
        seen.add(node.type)
        assert node.type
        assert node.name is None or isinstance(node.name, str)
        assert node.text is None or isinstance(node.text, str)
        assert node.path is None or node.path.startswith("/")
        assert node.line is None or isinstance(node.line, int)
        assert node.parent is None or isinstance(node.parent, Node)
        assert isinstance(node.document, Document)
        assert dict(node.attributes) == node.attributes
        assert node.get("k") is None
        assert all(n.type == "element" for n in node)
        assert isinstance(node.to_string(), str)
        assert node == node and hash(node) == hash(node) and repr(node)
        try:
            node.xpathEval("ancestor-or-self::node()")
        except xml_safe.Error as error:
            assert str(error)
    assert len(seen) >= 11


def test_children_of_the_dtd_lead_back_to_it(find):
    dtd = find("dtd")
    for n in dtd.children:
        assert n.parent == dtd
        assert n.document is dtd.document


# Attributes


def test_attributes_in_order():
    assert list(parse("<a z='1' y='2' x='3'/>").root.attributes.items()) == [("z", "1"), ("y", "2"), ("x", "3")]


def test_attributes_of_one_local_name_are_two():
    root = parse("<a p:k='1' k='2' q:k='3' xmlns:p='urn:p' xmlns:q='urn:q'/>").root
    assert sorted(root.attributes.values()) == ["1", "2", "3"]
    assert root.get("k") == "2"


def test_attributes_in_a_namespace():
    root = parse("<a p:k='1' k='2' xmlns:p='urn:p'/>").root
    assert root.attributes == {"{urn:p}k": "1", "k": "2"}
    assert root.get("{urn:p}k") == "1"
    assert root.get("{}k") == "2"
    for name in ("{urn:q}k", "{urn:p}j", "{urn:p", "}k", "p:k", "urn:pk", "{urn:p}", "{"):
        assert root.get(name) is None
    root.set("{}k", "3")
    assert root.attributes == {"{urn:p}k": "1", "k": "3"}


def test_get_agrees_with_attributes():
    root = parse("<!DOCTYPE a [<!ATTLIST a d CDATA 'default'>]><a p:k='1' j='' xmlns:p='urn:p' p:j='2'/>").root
    for name, value in root.attributes.items():
        assert root.get(name) == value
    for name in ("d", "k", "p", "q:k", "xmlns", "xmlns:p", "{http://www.w3.org/2000/xmlns/}p", "", ":", " ", "é"):
        assert root.get(name) == root.attributes.get(name)


def test_namespace_declarations_are_no_attributes():
    assert parse("<a xmlns='urn:a' xmlns:p='urn:p'/>").root.attributes == {}


def test_an_empty_attribute_is_not_a_missing_one():
    root = parse("<a k=''/>").root
    assert root.get("k") == ""
    assert root.get("k", "other") == ""
    assert root.attributes == {"k": ""}


def test_the_default_of_get():
    root = parse("<a k='v'/>").root
    marker = object()
    assert root.get("k", marker) == "v"
    assert root.get("j", marker) is marker
    assert root.get("j", default=marker) is marker
    assert root.get("j") is None


def test_an_attribute_value_with_entities():
    root = parse("<!DOCTYPE a [<!ENTITY e 'x'>]><a k='1&e;2&amp;'/>").root
    assert root.get("k") == root.attributes["k"] == root.xpathEval("@k")[0].text == "1x2&"


def test_the_mapping_of_attributes_is_no_copy():
    root = parse("<a k='v'/>").root
    root.attributes["k"] = "changed"
    assert root.get("k") == "changed"


@pytest.mark.parametrize("name", [None, 1, b"k", object()])
def test_get_takes_str(name):
    with pytest.raises(TypeError):
        parse("<a k='v'/>").root.get(name)


@pytest.mark.parametrize("name", ["k\0", "\0", "\ud800"])
def test_get_of_an_impossible_name(name):
    with pytest.raises(ValueError):
        parse("<a k='v'/>").root.get(name)


# Text, lines, strings


def test_empty_text():
    root = parse("<a k=''><b/><!----><?p?></a>").root
    assert [n.text for n in root.children] == ["", "", ""]
    assert root.text == root.get("k") == root.xpathEval("@k")[0].text == ""


def test_text_of_mixed_content():
    assert parse("<a>1<b>2<!--no--><?no no?><c>3</c></b>4</a>").root.text == "1234"


def test_lines():
    root = parse("<a>\n<b/>\n\n<b\n/></a>").root
    assert root.line == 1
    assert [n.line for n in root] == [2, 5] or [n.line for n in root] == [2, 4]


LINES = """<!DOCTYPE a [<!ENTITY e "x">]><a><b
k='1'/>text
<!--
--><?p
?><![CDATA[
]]>&e;<c>
<![CDATA[x]]></c>
</a>"""


@pytest.mark.parametrize("above", [0, 65_525, 65_531, 65_534, 65_535, 70_000, 140_000])
def test_lines_beyond_16_bits(above):
    """As those of a document that begins further up, for all types of nodes."""
    doc = parse("\n" * above + LINES)
    nodes = [*doc.root.iter(type="node"), *doc.xpathEval("//@*")]
    lines = [(node.type, node.line - above) for node in nodes]
    assert lines == [
        ("element", 1),
        ("element", 2),
        ("text", 3),
        ("comment", 4),
        ("pi", 5),
        ("cdata", 5),
        ("entity_ref", 5),
        ("element", 6),
        ("text", 7),
        ("cdata", 7),
        ("text", 8),
        ("attribute", 2),
    ]


def test_lines_of_nodes_that_were_not_parsed():
    doc = parse("\n\n<a/>")
    made = doc.create_element("b")
    doc.root.append(made)
    assert (doc.root.line, made.line) == (3, 0)
    assert all(node.line in (0, -1, 3) for node in (*doc.xpathEval("/"), doc.create_cdata("x"), doc.create_text("x")))
    with pytest.raises(AttributeError):
        made.line = 5


def test_names_do_not_hold_the_prefix():
    root = parse("<p:a p:k='v' xmlns:p='urn:p'/>").root
    assert root.name == "a"
    assert root.xpathEval("@*")[0].name == "k"
    assert root.path == "/p:a"


def test_to_string_does_not_escape_non_ascii_text():
    root = parse("<?xml version='1.0' encoding='ISO-8859-1'?><a k='ü'>é€𝄞</a>").root
    assert root.to_string() == '<a k="ü">é€𝄞</a>'


def test_a_document_without_root():
    try:
        doc = parse(" ", recover=True)
    except xml_safe.ParseError:
        return
    assert doc.root is None
    assert doc.xpathEval("/*") == []


# Iteration


def test_iterators_are_independent():
    root = parse("<a><b/><c/></a>").root
    one, two = iter(root), iter(root)
    assert [next(one).name, next(one).name, next(two).name] == ["b", "c", "b"]
    with pytest.raises(StopIteration):
        next(one)
    with pytest.raises(StopIteration):
        next(one)


def test_an_iterator_keeps_its_document_alive():
    elements = iter(parse("<a>x<b/>y<c/></a>").root)
    gc.collect()
    assert [n.name for n in elements] == ["b", "c"]


def test_nested_iteration():
    root = parse("<a>" + "<b><c/><c/></b>" * 10 + "</a>").root
    assert sum(1 for b in root for _ in b for _ in root) == 200


# Equality


def test_two_documents_share_no_node():
    one, two = parse("<a/>"), parse("<a/>")
    assert one.root == one.root
    assert one.root != two.root


def test_a_node_equals_nothing_else(doc):
    for other in (None, 1, "b", doc, [], object(), doc.root.text):
        assert doc.root != other
        assert not doc.root == other


def test_nodes_have_no_order(doc):
    with pytest.raises(TypeError):
        doc.root < doc.root


def test_equality_asks_the_other_side(doc):
    class Anything:
        def __eq__(self, other):
            return True

        __hash__ = None

    assert doc.root == Anything()


def test_equality_and_hash_outlive_the_document():
    doc = parse("<a><b/></a>")
    root, same, b = doc.root, doc.root, next(iter(doc.root))
    before, text = hash(root), {root, b}
    doc.close()
    assert root == same and root != b
    assert hash(root) == before
    assert text == {same, b}
    assert repr(root)


def test_a_node_never_equals_one_of_a_later_document_at_its_address():
    seen = []
    for _ in range(200):
        doc = parse("<a><b/></a>")
        nodes = [doc.root, *doc.root, *doc.xpathEval("/")]
        assert not any(node in seen for node in nodes)
        seen += nodes
        doc.close()
    assert len(set(seen)) == 600


# Lives


def test_a_node_keeps_its_document_alive():
    doc = parse("<a><b>x</b></a>")
    reference = weakref.ref(doc)
    b = next(iter(doc.root))
    del doc
    gc.collect()
    assert b.text == "x"
    assert b.document is reference()
    del b
    gc.collect()
    assert reference() is None


def test_nodes_are_weakly_referable():
    doc = parse("<a/>")
    node = doc.root
    reference = weakref.ref(node)
    assert reference() is node
    del node
    gc.collect()
    assert reference() is None
    assert doc.root.name == "a"


def test_a_cycle_through_python_is_collected():
    class Holder:
        pass

    holder = Holder()
    holder.itself = holder
    holder.node = parse("<a/>").root
    holder.elements = iter(holder.node)
    reference = weakref.ref(holder.node.document)
    del holder
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize("cls", [xml_safe.Handle, xml_safe.XPathContext, Node])
def test_nothing_is_made_from_nothing(cls):
    for make in (cls, lambda: cls.__new__(cls), lambda: object.__new__(cls)):
        with pytest.raises(TypeError):
            make()


@pytest.mark.parametrize("cls", [xml_safe.XPathContext, Node])
def test_a_subclass_makes_nothing_from_nothing_either(cls):
    with pytest.raises(TypeError):
        type("Sub", (cls,), {})()


def test_what_is_neither_copied_nor_pickled(doc):
    with doc.xpath_new_context() as context:
        for value in (doc.root.attributes, iter(doc.root), context, xml_safe.XPath("1")):
            for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
                with pytest.raises(TypeError):
                    duplicate(value)


def test_properties_are_read_only(doc):
    with doc.xpath_new_context() as context:
        for value, name in (
            (doc, "root"),
            (doc, "closed"),
            (doc.root, "name"),
            (doc.root, "text"),
            (context, "closed"),
        ):
            with pytest.raises((AttributeError, TypeError)):
                setattr(value, name, None)


def test_the_repr_says_what_a_node_is():
    doc = parse("<!DOCTYPE r [<!ENTITY e 'x'>]><r xmlns:p='u'><p:é k='v'/>t<!--c--><?p i?><![CDATA[d]]>&e;</r>")
    nodes = [*doc.xpathEval("/")[0].children, *doc.root.children, *doc.root.first_child.attributes.nodes()]
    found = [re.fullmatch(r"<xml_safe\.Node (.*) at 0x[0-9a-f]+>", repr(node))[1] for node in nodes]
    assert found == [
        "dtd 'r'",
        "element 'r'",
        "element 'é'",
        "text",
        "comment",
        "pi 'p'",
        "cdata",
        "entity_ref 'e'",
        "attribute 'k'",
    ]
    assert repr(nodes[1]) == str(nodes[1]) == f"{nodes[1]}"
    assert repr([nodes[1]]) == f"[{nodes[1]!r}]"
    doc.close()
    assert {repr(node) for node in nodes} == {"<xml_safe.Node (closed)>"}
