"""Equality of trees."""

import random

import pytest
from documents import deep
from test_copy_document import FULL
from xml_safe import ClosedError, Document, Node, ParseError, parse

SAME = [
    ("<r/>", "<r></r>"),
    ("<r a='1' b='2'/>", '<r b="2" a="1"/>'),
    ("<r xmlns='urn:a'><b/></r>", "<p:r xmlns:p='urn:a'><q:b xmlns:q='urn:a'/></p:r>"),
    ("<r xmlns:p='urn:a' p:k='1' k='2'/>", "<r xmlns:q='urn:a' k='2' q:k='1'/>"),
    ("<r xmlns:unused='urn:a'/>", "<r/>"),
    ("<r>a<![CDATA[b]]>c</r>", "<r>abc</r>"),
    ("<r><![CDATA[]]></r>", "<r/>"),
    ("<r>&#97;&amp;</r>", "<r>a&#38;</r>"),
    ("<?xml version='1.1' standalone='yes'?><r/>", "<r/>"),
    ("<!DOCTYPE r [<!ENTITY e 'x'>]><r>&e;</r>", "<!DOCTYPE r [<!ENTITY e 'y'><!--c-->]><r>&e;</r>"),
    ("<!DOCTYPE r [<!ENTITY e 'x'>]><r k='&e;'/>", "<r k='x'/>"),
    ("<!--c--><?p i?><r/>", "<!--c--><?p   i?><r/>"),
]

DIFFERENT = [
    ("<r/>", "<s/>"),
    ("<r/>", "<r xmlns='urn:a'/>"),
    ("<r xmlns='urn:b'/>", "<r xmlns='urn:a'/>"),
    ("<r a='1'/>", "<r/>"),
    ("<r a='1'/>", "<r a='2'/>"),
    ("<r a='1'/>", "<r b='1'/>"),
    ("<r xmlns:p='urn:a' p:k='1'/>", "<r k='1'/>"),
    ("<r a='1' b='2'/>", "<r a='2' b='1'/>"),
    ("<r>a</r>", "<r>b</r>"),
    ("<r>a</r>", "<r/>"),
    ("<r>a</r>", "<r>a </r>"),
    ("<r> <a/></r>", "<r><a/></r>"),
    ("<r>a<b/></r>", "<r><b/>a</r>"),
    ("<r><a/><b/></r>", "<r><b/><a/></r>"),
    ("<r><a><b/></a></r>", "<r><a/><b/></r>"),
    ("<r><a/><a/></r>", "<r><a/></r>"),
    ("<r><!--c--></r>", "<r/>"),
    ("<r><!--c--></r>", "<r><!--d--></r>"),
    ("<r>a<!--c-->b</r>", "<r>ab</r>"),
    ("<r><?p i?></r>", "<r><?p j?></r>"),
    ("<r><?p i?></r>", "<r><?q i?></r>"),
    ("<r><?p i?></r>", "<r/>"),
    ("<r/><!--c-->", "<r/>"),
    ("<!--c--><r/>", "<r/><!--c-->"),
    ("<!DOCTYPE r [<!ENTITY e 'x'>]><r>&e;</r>", "<!DOCTYPE r [<!ENTITY f 'x'>]><r>&f;</r>"),
    ("<!DOCTYPE r [<!ENTITY e 'x'>]><r>&e;</r>", "<r>x</r>"),
]


def compare(one, other, **options):
    one, other = parse(one), parse(other)
    (result,) = {one.equals(other, **options), other.equals(one, **options)}
    return result


@pytest.mark.parametrize(("one", "other"), SAME)
def test_equal_documents(one, other):
    assert compare(one, other) is True


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_documents(one, other):
    assert compare(one, other) is False


@pytest.mark.parametrize(
    ("option", "one", "other", "by_default"),
    [
        ({"comments": False}, "<r>a<!--c-->b</r>", "<r>ab</r>", False),
        ({"comments": False}, "<!--c--><r/>", "<r/><!--d-->", False),
        ({"whitespace": False}, "<r>\n <a/>\r\t</r>", "<r><a/></r>", False),
        ({"whitespace": False}, "<r> <![CDATA[ ]]> </r>", "<r/>", False),
        ({"whitespace": False, "comments": False}, "<r> <!--c--> </r>", "<r/>", False),
        ({"prefixes": True}, "<p:r xmlns:p='urn:a'/>", "<p:r xmlns:p='urn:a' xmlns:q='urn:a'/>", True),
    ],
)
def test_options_that_make_equal(option, one, other, by_default):
    assert compare(one, other) is by_default
    assert compare(one, other, **option) is True


@pytest.mark.parametrize(
    ("option", "one", "other"),
    [
        ({"comments": False}, "<r>a<?p?>b</r>", "<r>ab</r>"),
        ({"whitespace": False}, "<r> a</r>", "<r>a</r>"),
        ({"whitespace": False}, "<r>\u00a0</r>", "<r/>"),
        ({"cdata": True}, "<r>a<![CDATA[b]]></r>", "<r>ab</r>"),
        ({"prefixes": True}, "<p:r xmlns:p='urn:a'/>", "<r xmlns='urn:a'/>"),
        ({"prefixes": True}, "<r xmlns:p='urn:a' p:k='1'/>", "<r xmlns:q='urn:a' q:k='1'/>"),
    ],
)
def test_options_that_make_different(option, one, other):
    assert compare(one, other, **option) is False


def test_texts_beside_each_other_are_one():
    doc = parse("<r/>")
    for text in ("a", "", "b"):
        doc.root.append(doc.create_text(text))
    assert doc.equals(parse("<r>ab</r>"))
    assert not doc.root.first_child.equals(parse("<r>ab</r>").root.first_child)


def test_nodes_of_each_type():
    doc, other = parse(FULL), parse(FULL)
    for one, two in zip(doc.xpathEval("//node()|//@*"), other.xpathEval("//node()|//@*"), strict=True):
        assert one.equals(two) and one.equals(one) and one != two
        assert not one.equals(doc.xpathEval("/")[0])
    assert doc.xpathEval("//@key")[0].equals(other.xpathEval("//@key")[0])
    assert not doc.xpathEval("//@key")[0].equals(other.xpathEval("//@xml:id")[0])
    fragment = doc.create_fragment()
    fragment.append(doc.create_text("x"))
    assert fragment.equals(fragment.copy())
    dtd = next(child for child in doc.xpathEval("/")[0].children if child.type == "dtd")
    with pytest.raises(ValueError, match="cannot be compared"):
        dtd.equals(dtd)
    with pytest.raises(ValueError, match="cannot be compared"):
        doc.root.equals(dtd.children[0])


def test_siblings_are_not_compared():
    doc = parse("<r><a>x</a>t<a>x</a>u</r>")
    one, other = doc.root
    assert one.equals(other)
    one.next.text = "changed"
    assert one.equals(other)


def test_wrong_arguments():
    doc = parse("<r/>")
    for wrong in (None, 1, "<r/>", doc):
        with pytest.raises(TypeError):
            doc.root.equals(wrong)
    with pytest.raises(TypeError):
        doc.equals(doc.root)
    closed = parse("<r/>")
    root = closed.root
    closed.close()
    for call in (lambda: doc.equals(closed), lambda: closed.equals(doc), lambda: doc.root.equals(root)):
        with pytest.raises(ClosedError):
            call()


def test_long_entities_are_an_error():
    bomb = f"<!DOCTYPE b [<!ENTITY e '{'x' * 100_000}'>]><b k='{'&e;' * 101}'/>"
    try:
        doc = parse(bomb)
    except ParseError:
        return
    with pytest.raises(OverflowError):
        doc.equals(doc.copy())


@pytest.mark.parametrize("levels", [1000, 100_000])
def test_deep_documents(levels):
    doc, _ = deep(levels)
    again = doc.copy()
    assert doc.equals(again)
    again.xpathEval("//a[not(*)]")[0].text = "y"
    assert not doc.equals(again)


def test_random_changes_are_seen():
    chosen = random.Random(1)

    def build(choose) -> Document:
        doc = parse("<r/>")

        def add(node: Node, depth: int) -> None:
            for _ in range(choose.randrange(4)):
                kind = choose.randrange(4)
                if kind == 0 and depth < 4:
                    child = doc.create_element(choose.choice("ab"))
                    child.attributes["k"] = choose.choice("xy")
                    node.append(child)
                    add(child, depth + 1)
                elif kind == 1:
                    node.append(doc.create_text(choose.choice(["", "t", "u"])))
                elif kind == 2:
                    node.append(doc.create_comment("c"))
                else:
                    node.append(doc.create_cdata("t"))

        add(doc.root, 0)
        return doc

    documents = [build(chosen) for _ in range(60)]
    for one in documents:
        for other in documents:
            expected = one.to_c14n(comments=True) == other.to_c14n(comments=True)
            assert one.equals(other) == expected
            expected = one.to_c14n() == other.to_c14n()
            assert one.equals(other, comments=False) == expected
