"""Namespaces: those in scope, declarations, and the namespace of an element or attribute."""

import time

import pytest
from documents import deep
from xml_safe import ClosedError, Document, parse

XML_URI = "http://www.w3.org/XML/1998/namespace"
XMLNS_URI = "http://www.w3.org/2000/xmlns/"


pytestmark = pytest.mark.usefixtures("nothing_is_left")


def expanded(node):
    """The names of all elements and attributes, with their namespaces."""
    found = []
    for element in node.iter():
        found.append((element.namespace, element.name, sorted(element.attributes.items())))
    return found


def check(root):
    """A tree means the same after it was written and parsed again."""
    assert expanded(parse(root.to_string()).root) == expanded(root)


# ---- reading


def test_the_namespace_and_the_prefix():
    doc = parse("<r xmlns='urn:d' xmlns:p='urn:p' k='1' p:k='2' xml:lang='en'><p:a/><b xmlns=''/>t</r>")
    found = [(node.name, node.namespace, node.prefix) for node in doc.root.iter(type="node")]
    assert found == [
        ("r", "urn:d", None),
        ("a", "urn:p", "p"),
        ("b", None, None),
        ("text", None, None),
    ]
    attributes = [(node.name, node.namespace, node.prefix) for node in doc.root.xpathEval("@*")]
    assert attributes == [("k", None, None), ("k", "urn:p", "p"), ("lang", XML_URI, "xml")]
    (whole,) = doc.xpathEval("/")
    assert (whole.namespace, whole.prefix) == (None, None)


def test_namespaces_in_scope():
    doc = parse(
        "<r xmlns='urn:d' xmlns:p='urn:p'><a xmlns:q='urn:q' xmlns:p='urn:other'><b xmlns='' k='1'>t</b></a></r>"
    )
    a = doc.root.children[0]
    b = a.children[0]
    assert doc.root.namespaces == {None: "urn:d", "p": "urn:p"}
    assert a.namespaces == {"q": "urn:q", "p": "urn:other", None: "urn:d"}
    assert b.namespaces == b.children[0].namespaces == b.xpathEval("@k")[0].namespaces
    assert b.namespaces == {"q": "urn:q", "p": "urn:other"}
    (whole,) = doc.xpathEval("/")
    assert whole.namespaces == {}
    a.remove()
    assert doc.create_element("x").namespaces == doc.create_text("t").namespaces == {}
    assert doc.create_element("{urn:x}x", prefix="x").namespaces == {"x": "urn:x"}


def test_namespaces_in_scope_are_arguments_of_xpath():
    doc = parse("<p:r xmlns:p='urn:p'><p:a/></p:r>")
    assert len(doc.xpathEval("//p:a", namespaces=doc.root.namespaces)) == 1


# ---- declaring


def test_a_namespace_is_declared():
    doc = parse("<r><a/></r>")
    doc.root.declare_namespace("p", "urn:p")
    assert doc.root.to_string() == '<r xmlns:p="urn:p"><a/></r>'
    doc.root.declare_namespace("p", "urn:p")
    assert doc.root.to_string() == '<r xmlns:p="urn:p"><a/></r>'
    a = doc.root.children[0]
    a.attributes["{urn:p}k"] = "1"
    assert a.to_string() == '<a xmlns:p="urn:p" p:k="1"/>'
    check(doc.root)


def test_a_prefix_that_is_in_use_is_refused():
    doc = parse("<r xmlns:p='urn:p'><a><p:b/></a><c><d p:k='1'/></c><e xmlns:p='urn:q'><p:f/></e><g/></r>")
    before = doc.root.to_string()
    a, c, e, g = doc.root.children
    for element in (doc.root, a, c, c.children[0], e):
        with pytest.raises(ValueError, match="'p'|\"p\""):
            element.declare_namespace("p", "urn:other")
    assert doc.root.to_string() == before
    g.declare_namespace("p", "urn:other")
    a.declare_namespace("p", "urn:p")
    assert expanded(doc.root) == expanded(parse(before).root)
    check(doc.root)


def test_a_prefix_is_free_below_another_declaration_of_it():
    doc = parse("<r xmlns:p='urn:p'><a><b xmlns:p='urn:q'><p:c/></b></a></r>")
    a = doc.root.children[0]
    a.declare_namespace("p", "urn:other")
    assert a.children[0].children[0].namespace == "urn:q"
    check(doc.root)


def test_the_default_namespace():
    doc = parse("<r xmlns='urn:d'><p:a xmlns:p='urn:p'><p:b/></p:a><c/></r>")
    a, c = doc.root.children
    a.declare_namespace(None, "urn:other")
    assert a.namespaces[None] == "urn:other"
    check(doc.root)
    for element in (doc.root, c):
        with pytest.raises(ValueError, match="default namespace"):
            element.declare_namespace(None, "urn:other")
    plain = parse("<r><a/></r>").root
    with pytest.raises(ValueError, match="default namespace"):
        plain.declare_namespace(None, "urn:d")


@pytest.mark.parametrize(
    ("prefix", "uri"),
    [
        ("xml", "urn:x"),
        ("xmlns", "urn:x"),
        ("p", XML_URI),
        ("xml", XML_URI),
        ("p", XMLNS_URI),
        (None, XMLNS_URI),
        ("p", ""),
        (None, ""),
        ("", "urn:x"),
        ("a b", "urn:x"),
        ("a:b", "urn:x"),
        ("1", "urn:x"),
        ("p", "\x01"),
        ("p", "a\0"),
        ("p\0", "urn:x"),
    ],
)
def test_declarations_that_xml_does_not_allow(prefix, uri):
    doc = parse("<r/>")
    with pytest.raises(ValueError):
        doc.root.declare_namespace(prefix, uri)
    assert doc.root.to_string() == "<r/>"


def test_what_cannot_declare_a_namespace():
    doc = parse("<r k='1'>t<!--c--></r>")
    for node in (*doc.root.children, *doc.root.xpathEval("@k"), *doc.xpathEval("/"), doc.create_fragment()):
        with pytest.raises(ValueError, match="cannot declare"):
            node.declare_namespace("p", "urn:p")
    for arguments in ((1, "u"), ("p", 1), ("p", None)):
        with pytest.raises(TypeError):
            doc.root.declare_namespace(*arguments)


# ---- setting


def test_an_element_is_put_into_a_namespace():
    doc = parse("<r xmlns:p='urn:p'><a/><b><c/></b><d/></r>")
    a, b, d = doc.root.children
    a.namespace = "urn:p"
    assert a.to_string() == "<p:a/>" or 'p:a xmlns:p="urn:p"' in a.to_string()
    assert (a.prefix, a.namespace) == ("p", "urn:p")
    d.namespace = "urn:new"
    assert (d.prefix, d.namespaces[None]) == (None, "urn:new")
    b.namespace = "urn:new"
    assert (b.namespace, b.children[0].namespace, b.prefix) == ("urn:new", None, "ns0")
    check(doc.root)


def test_the_prefix_is_chosen_by_a_declaration():
    doc = parse("<r><a><b/></a></r>")
    a = doc.root.children[0]
    doc.root.declare_namespace("q", "urn:x")
    a.declare_namespace("mine", "urn:x")
    a.namespace = "urn:x"
    a.children[0].namespace = "urn:x"
    assert [node.prefix for node in a.iter()] == ["mine", "mine"]
    check(doc.root)


def test_an_element_is_taken_out_of_its_namespace():
    doc = parse("<r xmlns='urn:d' xmlns:p='urn:p'><a><b/><p:c/></a><p:e><f/></p:e></r>")
    a, e = doc.root.children
    a.namespace = None
    assert [(node.name, node.namespace) for node in a.iter()] == [("a", None), ("b", "urn:d"), ("c", "urn:p")]
    check(doc.root)
    e.namespace = None
    assert [(node.name, node.namespace) for node in e.iter()] == [("e", None), ("f", "urn:d")]
    check(doc.root)
    doc.root.namespace = None
    assert (
        doc.root.to_string()
        == '<r xmlns:p="urn:p"><a xmlns=""><b xmlns="urn:d"/><p:c/></a><e xmlns=""><f xmlns="urn:d"/></e></r>'
    )
    check(doc.root)
    plain = parse("<r/>").root
    plain.namespace = None
    assert plain.to_string() == "<r/>"


def test_an_attribute_changes_its_namespace():
    doc = parse("<r xmlns='urn:d' xmlns:p='urn:p' k='1' p:l='2'/>")
    k, other = doc.root.xpathEval("@*")
    k.namespace = "urn:d"
    assert (k.namespace, k.prefix) == ("urn:d", "ns0")
    k.namespace = "urn:p"
    assert (k.namespace, k.prefix) == ("urn:p", "p")
    other.namespace = None
    assert doc.root.attributes == {"{urn:p}k": "1", "l": "2"}
    other.namespace = XML_URI
    assert other.prefix == "xml"
    check(doc.root)


def test_two_attributes_of_one_name_are_refused():
    doc = parse("<r xmlns:p='urn:p' k='1' p:k='2'/>")
    one, other = doc.root.xpathEval("@*")
    with pytest.raises(ValueError, match="another attribute"):
        one.namespace = "urn:p"
    with pytest.raises(ValueError, match="another attribute"):
        other.namespace = None
    one.namespace = one.namespace
    other.namespace = other.namespace
    assert doc.root.attributes == {"k": "1", "{urn:p}k": "2"}


def test_namespaces_that_are_refused():
    doc = parse("<r k='1'>t</r>")
    (k,) = doc.root.xpathEval("@k")
    for uri in (XMLNS_URI, "", "\x01", "a\0"):
        for node in (doc.root, k):
            with pytest.raises(ValueError):
                node.namespace = uri
    with pytest.raises(ValueError):
        doc.root.namespace = XML_URI
    with pytest.raises(ValueError):
        doc.root.attributes["{" + XMLNS_URI + "}p"] = "urn:p"
    for node in (doc.root.children[0], *doc.xpathEval("/"), doc.create_comment("c")):
        for uri in ("urn:x", None):
            with pytest.raises(ValueError, match="no namespace"):
                node.namespace = uri
    k.remove()
    with pytest.raises(ValueError, match="without an element"):
        k.namespace = "urn:x"
    with pytest.raises(TypeError):
        doc.root.namespace = 1
    assert doc.root.to_string() == "<r>t</r>"


def test_an_id_by_its_namespace():
    doc = parse('<r><a xml:id="x"/><b xmlns:q="urn:q" q:id="y"/></r>')
    a, b = doc.root.children
    a.xpathEval("@*")[0].namespace = None
    assert doc.xpathEval("id('x')") == []
    b.xpathEval("@*")[0].namespace = XML_URI
    assert doc.xpathEval("id('y')") == [b]


def test_new_elements_below_a_new_default_namespace():
    doc = Document()
    root = doc.create_element("r")
    doc.xpathEval("/")[0].append(root)
    root.namespace = "urn:r"
    root.append(doc.create_element("plain"))
    root.append(doc.create_element("{urn:r}same"))
    assert [node.namespace for node in root.iter()] == ["urn:r", None, "urn:r"]
    check(root)


def test_namespaces_of_a_closed_document():
    doc = parse("<r/>")
    root = doc.root
    doc.close()
    for use in (
        lambda: root.namespace,
        lambda: root.prefix,
        lambda: root.namespaces,
        lambda: root.declare_namespace("p", "u"),
        lambda: setattr(root, "namespace", "u"),
    ):
        with pytest.raises(ClosedError):
            use()


def test_random_namespaces_mean_the_same_when_written():
    import random

    for seed in range(200):
        chance = random.Random(seed)
        doc = Document()
        root = doc.create_element("r")
        doc.xpathEval("/")[0].append(root)
        nodes = [root]
        uris = ["urn:1", "urn:2", "urn:3"]
        for _ in range(40):
            node = chance.choice(nodes)
            uri = chance.choice([*uris, None])
            try:
                match chance.randrange(9):
                    case 0 | 1:
                        made = doc.create_element("e" if uri is None else f"{{{uri}}}e")
                        node.append(made)
                        nodes.append(made)
                    case 2:
                        node.namespace = uri
                    case 3:
                        node.declare_namespace(chance.choice([None, "p", "q"]), uri or "urn:1")
                    case 4:
                        node.attributes["k" if uri is None else f"{{{uri}}}k"] = "v"
                    case 5:
                        target = chance.choice(nodes)
                        if node is not root:
                            target.append(node)
                    case 6:
                        before = expanded(node)
                        node.undeclare_namespace(chance.choice([None, "p", "q", "ns0"]))
                        assert expanded(node) == before
                    case 7:
                        before = expanded(node)
                        node.cleanup_namespaces(keep_prefixes=chance.choice([(), ["p"], [None]]))
                        assert expanded(node) == before
                    case 8:
                        copy = node.copy()
                        copy.undeclare_namespace(chance.choice([None, "p"]))
                        check(copy)
            except ValueError:
                pass
            check(root)


# ---- declarations that go


def test_a_declaration_is_taken_away():
    root = parse("<r xmlns:a='urn:a' xmlns:b='urn:b' xmlns='urn:d'><b:e b:k='1'/></r>").root
    root.undeclare_namespace("a")
    assert root.to_string() == '<r xmlns:b="urn:b" xmlns="urn:d"><b:e b:k="1"/></r>'
    for prefix, words in [("a", "does not declare the prefix"), ("b", "in use"), (None, "default namespace is in use")]:
        with pytest.raises(ValueError, match=words):
            root.undeclare_namespace(prefix)
    with pytest.raises(ValueError, match="does not declare a default namespace"):
        root.first_child.undeclare_namespace()
    assert root.to_string() == '<r xmlns:b="urn:b" xmlns="urn:d"><b:e b:k="1"/></r>'
    assert root.namespaces == {"b": "urn:b", None: "urn:d"}


def test_a_prefix_is_changed():
    root = parse("<a:r xmlns:a='urn:a' a:k='1'><a:e/><e xmlns:b='urn:other'><a:f a:k='2'/></e></a:r>").root
    before = expanded(root)
    held = root.attributes.node("{urn:a}k")
    root.declare_namespace("c", "urn:a")
    root.undeclare_namespace("a")
    assert root.to_string() == ('<c:r xmlns:c="urn:a" c:k="1"><c:e/><e xmlns:b="urn:other"><c:f c:k="2"/></e></c:r>')
    assert expanded(root) == before
    assert (held.prefix, held.namespace) == ("c", "urn:a")


def test_a_prefix_that_is_hidden_further_down_stands_for_nothing_there():
    root = parse("<a:r xmlns:a='urn:a' xmlns:c='urn:a'><e xmlns:c='urn:c'><a:f/></e></a:r>").root
    before = root.to_string()
    with pytest.raises(ValueError, match='prefix "a" is in use'):
        root.undeclare_namespace("a")
    assert root.to_string() == before
    root.first_child.declare_namespace("d", "urn:a")
    root.undeclare_namespace("a")
    assert root.to_string() == '<c:r xmlns:c="urn:a"><e xmlns:c="urn:c" xmlns:d="urn:a"><d:f/></e></c:r>'


def test_an_attribute_does_not_get_the_default_namespace():
    root = parse("<r xmlns='urn:a' xmlns:a='urn:a'><a:e/><e a:k='1'/></r>").root
    with pytest.raises(ValueError, match='prefix "a" is in use'):
        root.undeclare_namespace("a")
    root.children[1].attributes.clear()
    root.undeclare_namespace("a")
    assert root.to_string() == '<r xmlns="urn:a"><e/><e/></r>'


def test_a_declaration_further_up_is_used_instead():
    root = parse("<r xmlns:a='urn:a'><e xmlns:a='urn:a' a:k='1'><a:f/></e><e xmlns:a='urn:x'><a:f/></e></r>").root
    first, second = root.children
    first.undeclare_namespace("a")
    with pytest.raises(ValueError, match="in use"):
        second.undeclare_namespace("a")
    assert root.to_string() == '<r xmlns:a="urn:a"><e a:k="1"><a:f/></e><e xmlns:a="urn:x"><a:f/></e></r>'
    first.remove()
    assert first.to_string() == '<e xmlns:a="urn:a" a:k="1"><a:f/></e>'


def test_the_declaration_of_no_default_namespace():
    root = parse("<r xmlns='urn:d'><e xmlns=''><f/></e><p:g xmlns:p='urn:p' xmlns=''/></r>").root
    e, g = root.children
    with pytest.raises(ValueError, match="in use"):
        e.undeclare_namespace()
    g.undeclare_namespace()
    assert g.to_string() == '<p:g xmlns="urn:d" xmlns:p="urn:p"/>'
    root.cleanup_namespaces()
    assert root.to_string() == '<r xmlns="urn:d"><e xmlns=""><f/></e><p:g xmlns:p="urn:p"/></r>'
    root.namespace = None
    root.cleanup_namespaces()
    assert root.to_string() == '<r><e><f/></e><p:g xmlns:p="urn:p"/></r>'


def test_declarations_that_nothing_uses_are_taken_away():
    root = parse(
        "<r xmlns:a='urn:a' xmlns:b='urn:b' xmlns='urn:d'><b:e xmlns:c='urn:c' xmlns:xsi='urn:x' xsi:type='c:t'>"
        "<f xmlns:a='urn:a' xmlns='urn:b' a:k='1'/></b:e></r>"
    ).root
    before = expanded(root)
    root.cleanup_namespaces(keep_prefixes=["c"])
    assert expanded(root) == before
    assert root.to_string() == (
        '<r xmlns:b="urn:b" xmlns="urn:d"><b:e xmlns:c="urn:c" xmlns:xsi="urn:x" xsi:type="c:t">'
        '<f xmlns:a="urn:a" xmlns="urn:b" a:k="1"/></b:e></r>'
    )
    root.first_child.cleanup_namespaces()
    assert root.first_child.namespaces == {"b": "urn:b", None: "urn:d", "xsi": "urn:x"}
    check(root)
    unused = parse("<p:r xmlns:p='urn:p' xmlns='urn:d'/>").root
    unused.cleanup_namespaces(keep_prefixes=[None])
    assert unused.namespaces == {"p": "urn:p", None: "urn:d"}
    unused.cleanup_namespaces()
    assert unused.namespaces == {"p": "urn:p"}


@pytest.mark.parametrize("prefixes", ["p", 1, [1], [b"p"]])
def test_prefixes_to_keep_are_several_texts(prefixes):
    root = parse("<r xmlns:p='urn:p'/>").root
    with pytest.raises(TypeError):
        root.cleanup_namespaces(keep_prefixes=prefixes)
    assert root.namespaces == {"p": "urn:p"}


def test_declarations_do_not_pile_up():
    root = parse("<r/>").root
    for number in range(300):
        root.namespace = f"urn:{number}"
        root.set(f"{{urn:k{number}}}k", "v")
        root.attributes.clear()
        root.cleanup_namespaces()
        assert len(root.namespaces) == 1
    root.namespace = None
    assert root.to_string() == "<r/>"


def test_the_declaration_of_an_own_default_namespace_is_exchanged():
    root = parse("<r xmlns='urn:1'><p:e xmlns:p='urn:p'/></r>").root
    root.namespace = "urn:2"
    assert root.to_string() == '<r xmlns="urn:2"><p:e xmlns:p="urn:p"/></r>'
    root.append_element("{urn:2}f")
    root.namespace = "urn:3"
    assert root.to_string() == '<ns0:r xmlns="urn:2" xmlns:ns0="urn:3"><p:e xmlns:p="urn:p"/><f/></ns0:r>'
    check(root)


def test_what_has_no_declarations_loses_none():
    doc = parse("<r k='1'>t</r>")
    for node in (doc.root.first_child, doc.root.attributes.node("k"), *doc.xpathEval("/")):
        with pytest.raises(ValueError, match="does not declare"):
            node.undeclare_namespace("p")
        node.cleanup_namespaces()
    doc.xpathEval("/")[0].cleanup_namespaces()
    assert doc.root.to_string() == '<r k="1">t</r>'


def test_a_deep_tree_loses_a_declaration_in_a_time_by_its_size():
    document, depth = deep(50_000, "a:e", "xmlns:a='urn:a' xmlns:b='urn:a' xmlns:c='urn:c'")
    root = document.root
    root.undeclare_namespace("a")
    root.cleanup_namespaces()
    assert root.namespaces == {"b": "urn:a"}
    assert [node.prefix for node in root.iter("{urn:a}e")] == ["b"] * depth


# ---- moves, where libxml2's xmlDOMWrapReconcileNamespaces goes wrong


def test_a_new_declaration_hides_no_other():
    """libxml2 declares the second namespace by a prefix that it has just used for the first."""
    doc = parse(
        "<r xmlns:ns0='urn:1'><a xmlns:p='urn:1' xmlns:ns0='urn:2'><e p:k='1' ns0:k='2'><p:f/><ns0:f/></e></a><b/></r>"
    )
    a, b = doc.root.children
    moved = a.children[0]
    before = expanded(moved)
    b.append(moved)
    assert expanded(moved) == before
    check(doc.root)


@pytest.mark.parametrize(
    "below",
    [
        "<p:e ns0:k='1'/>",
        "<e p:j='1' ns0:k='2'/>",
        "<p:e p:j='1' ns0:k='2'><p:f/><ns0:f p:k='3'/></p:e>",
        "<p:e xml:id='i' ns0:k='1'><e xmlns='urn:1' p:k='2' ns0:j='3'/></p:e>",
        "<e xmlns='urn:1'><p:f ns0:k='1'/><f xmlns='urn:2' p:k='1' ns0:j='2'/></e>",
    ],
)
@pytest.mark.parametrize(
    "place", ["<b xmlns:ns0='urn:1'/>", "<b xmlns:ns0='urn:1' xmlns='urn:1'/>", "<b xmlns:p='urn:2'/>"]
)
def test_a_new_declaration_further_down_hides_no_other(below, place):
    """libxml2 declares the second namespace where it is used, by a prefix that the element is given by an ancestor."""
    doc = parse(f"<r><a xmlns:ns0='urn:2' xmlns:p='urn:1'><c>{below}</c></a>{place}</r>")
    other = parse(place)
    a, b = doc.root.children
    moved = a.children[0]
    before = expanded(moved)
    for put in [b.append, other.root.append, b.prepend, lambda node: node.remove(), a.append, other.adopt_node]:
        put(moved)
        assert expanded(moved) == before
        check(doc.root)
        check(other.root)
        copy = moved.copy()
        assert expanded(copy) == before
        check(copy)


def test_an_attribute_keeps_its_prefix_below_a_default_namespace():
    """libxml2 removes the declaration of the prefix, since the default namespace is the same."""
    doc = parse("<ns1:r xmlns:ns0='urn:3' xmlns:ns1='urn:2' xmlns='urn:2'><ns1:e xmlns:ns1='urn:2' ns1:k='v'/></ns1:r>")
    (moved,) = doc.root.children
    doc.root.append(moved)
    assert moved.xpathEval("@*")[0].prefix is not None
    check(doc.root)
    moved.remove()
    check(moved)


@pytest.mark.parametrize(
    "xml",
    [
        "<r xmlns:p='u'><b xmlns:q='u' p:l='1' q:l='2'/></r>",
        "<r xmlns:q='u'><b xmlns:p='u' p:l='1' q:l='2'/></r>",
        "<r xmlns:p='u' xmlns:q='u'><b p:l='1' q:l='2'/></r>",
    ],
)
def test_an_attribute_that_an_element_has_twice_by_two_prefixes(xml):
    """libxml2 reads such an element, and reports an error."""
    doc = parse(xml)
    (b,) = doc.root.children
    b.remove()
    assert [(node.prefix, node.text) for node in b.attributes.nodes()] == [("p", "1"), ("q", "2")]
    assert len(parse(b.to_string()).root.attributes.nodes()) == 2


def attribute_in_a_new_namespace(root, count):
    root.set("{urn:new}k", "v")
    del root.attributes["{urn:new}k"]


def attribute_in_the_last_namespace(root, count):
    root.set(f"{{urn:{count - 1}}}k", "v")


def element_in_the_last_namespace(root, count):
    root.append_element(f"{{urn:{count - 1}}}e", prefix=f"p{count - 1}")


def element_in_a_new_namespace(root, count):
    root.append_element("{urn:new}e")


def element_that_gets_a_namespace(root, count):
    root.append_element("e").namespace = f"urn:{count - 1}"


@pytest.mark.parametrize(
    "use",
    [
        attribute_in_a_new_namespace,
        attribute_in_the_last_namespace,
        element_in_the_last_namespace,
        element_in_a_new_namespace,
        element_that_gets_a_namespace,
        lambda root, count: root.namespaces,
        lambda root, count: root.to_string(),
    ],
)
def test_a_call_takes_no_time_by_the_square_of_the_namespaces(use):
    def seconds(count):
        root = parse("<r " + " ".join(f'xmlns:p{n}="urn:{n}"' for n in range(count)) + "/>").root
        started = time.perf_counter()
        for _ in range(10):
            use(root, count)
        return time.perf_counter() - started

    quick = min(seconds(250) for _ in range(3))
    assert min(seconds(4000) for _ in range(2)) < 16 * 5 * quick + 0.05


def test_a_new_prefix_is_the_first_that_is_free():
    root = parse("<r xmlns:ns0='urn:a' xmlns:ns2='urn:b'><a xmlns:ns0='urn:c' xmlns:ns1='urn:d'/></r>").root
    root.set("{urn:x}k", "v")
    root.set("{urn:y}k", "v")
    assert [node.prefix for node in root.attributes.nodes()] == ["ns1", "ns3"]
    a = root.first_child
    a.set("{urn:a}k", "v")
    assert [node.prefix for node in a.attributes.nodes()] == ["ns4"]
    check(root)


def test_an_element_that_is_appended_repeats_no_declaration():
    root = parse("<r xmlns='urn:d' xmlns:p='urn:p'><q xmlns:p='urn:q' xmlns=''/></r>").root
    q = root.first_child
    for element in (root, q):
        element.append_element("{urn:d}a")
        element.append_element("{urn:p}b", prefix="p")
        element.append_element("c")
    assert [child.to_string() for child in q] == [
        '<a xmlns:p="urn:q" xmlns="urn:d"/>',
        '<p:b xmlns:p="urn:p"/>',
        '<c xmlns:p="urn:q"/>',
    ]
    written = root.to_string()
    assert written.count("xmlns=") == 4 and written.count("xmlns:p=") == 3
    check(root)
