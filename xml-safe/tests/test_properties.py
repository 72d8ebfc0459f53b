"""Laws that hold for any input at all."""

import pytest
import xml_safe
from documents import walk
from xml_safe import Document, ParseError, XPathError, parse

pytest.importorskip("hypothesis")
from hypothesis import given
from hypothesis import strategies as st

# XML 1.0's characters, without the carriage return that parsing normalizes.
text = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n<>&'\"]")
)
MARKUP = (
    "<a> </a> <a/> <b k='v'> </b> <p:c xmlns:p='urn:p'> </p:c> <!--x--> <![CDATA[x]]> <?p i?> &amp; &e; &#65; &#0; "
    "x é <!DOCTYPE\ta\t[ <!ENTITY\te\t'x'> <!ENTITY\te\t'&f;'> <!ENTITY\tf\t'&e;'> "
    "<!ATTLIST\ta\tk\tCDATA\t'd'> ]> <?xml\tversion='1.0'?> < > ' \0"
).split(" ")
XPATH = (
    "/ // . .. * @ b r @k @* ( ) [ ] | , $ :: : + - = != < <= and or div mod 1 0.5 'x' \" p: q:b text() "
    "node() comment() position() last() count( string( id( concat( sum( number( name( f( q:f( "
    "ancestor:: namespace:: following:: self:: preceding-sibling:: é \0"
).split(" ")


def escaped(value):
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


@given(text)
def test_text_round_trips(value):
    doc = parse(f"<a>{escaped(value)}</a>")
    assert doc.root.text == value
    assert doc.xpathEval("string(/a)") == value
    assert parse(doc.root.to_string()).root.text == value


@given(text)
def test_attributes_round_trip(value):
    data = escaped(value).replace("\n", "&#10;").replace("\t", "&#9;")
    root = parse(f'<a k="{data}"/>').root
    assert root.get("k") == value
    assert root.attributes == {"k": value}
    assert root.xpathEval("string(@k)") == value


@given(text)
def test_bytes_and_str_agree(value):
    data = f"<a>{escaped(value)}</a>"
    for encoded in (data.encode(), data.encode("utf-16")):
        assert parse(encoded).root.text == parse(data).root.text


@given(st.binary())
def test_any_bytes(data):
    for options in ({}, {"recover": True}):
        try:
            assert isinstance(parse(data, **options), Document)
        except ParseError as error:
            assert error.message


@given(st.text())
def test_any_str(data):
    try:
        assert isinstance(parse(data), Document)
    except (ParseError, UnicodeEncodeError) as error:
        assert str(error)


@given(st.lists(st.sampled_from(MARKUP)).map("".join), st.booleans(), st.booleans())
def test_any_markup(data, recover, resolve_entities):
    try:
        doc = parse(data, recover=recover, resolve_entities=resolve_entities)
    except ParseError as error:
        assert error.message
        return
    for node in walk(doc.xpathEval("/")[0]):
        try:
            node.type, node.name, node.text, node.path, node.line, node.attributes, node.parent, list(node)
            node.to_string()
        except (xml_safe.Error, UnicodeError) as error:
            assert str(error)


@given(st.lists(st.sampled_from(XPATH), max_size=12).map("".join) | st.text(max_size=20))
def test_any_expression(expr):
    doc = parse("<r xmlns:p='urn:p' k='v'><b k='1'>x</b><p:b/><!--c--></r>")
    context = doc.xpath_new_context()
    context.register_ns("p", "urn:p")
    for evaluate in (doc.xpathEval, doc.root.xpathEval, context.eval):
        try:
            assert isinstance(evaluate(expr), (list, str, float, bool))
        except XPathError as error:
            assert error.message and str(error)
            assert isinstance(error.code, int)
        except ValueError:
            assert "\0" in expr or any("\ud800" <= c <= "\udfff" for c in expr)


@given(st.data())
def test_equality_and_hash(data):
    doc = parse("<r k='v'><b k='1'>x</b><b/><!--c--><?p i?></r>")
    other = parse("<r k='v'><b k='1'>x</b><b/><!--c--><?p i?></r>")
    index = st.integers(0, len(doc.xpathEval("//node()|//@*|/")) - 1)

    def node(of):
        return of.xpathEval("//node()|//@*|/")[data.draw(index)]

    a, b, c = node(doc), node(doc), node(doc)
    assert a == a
    assert (a == b) == (b == a) == (not a != b) == (a.path == b.path and a.type == b.type)
    assert not (a == b and b == c) or a == c
    assert a != b or hash(a) == hash(b)
    assert a != node(other)
