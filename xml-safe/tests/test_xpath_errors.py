"""Errors of XPath name the expression, the place and the name that was not found."""

import pytest
from xml_safe import XPath, XPathError, parse

NAMED = {
    "$v": ("v", 0),
    "1 + $v": ("v", 4),
    "//b[$v]": ("v", 4),
    "'$w' = $v": ("v", 7),
    "foo()": ("foo", 0),
    "//b[foo()]": ("foo", 4),
    "concat('foo()', bar (//b))": ("bar", 16),
    "1-foo()": ("foo", 2),
    "count(//b) - count(//c[key('a', 'b')])": ("key", 23),
    "//q:b": ("q", 2),
    "q:*": ("q", 0),
    "//b/@q:k": ("q", 5),
    "child::q:b": ("q", 7),
    "q:foo()": ("q", 0),
    "$q:v": ("q", 0),
    "é + $é": ("é", 4),
    "'é𝄞' = foo()": ("foo", 7),
    "or()": ("or", 0),
    "0 or foo()": ("foo", 5),
    "3 mod $mod": ("mod", 6),
    "text() | comment() | foo()": ("foo", 21),
    "$v + $v": ("v", 0),
    "3.5e-1 + $v": ("v", 9),
    ".//b[. = $v]": ("v", 9),
    "//b[@k = 'v' and $v]": ("v", 17),
}


@pytest.fixture
def document():
    return parse("<é><b k='v'>one</b><c/></é>")


@pytest.mark.parametrize(("expression", "found"), NAMED.items(), ids=NAMED)
def test_name_that_was_not_found(document, expression, found, capfd):
    name, position = found
    context = document.xpath_new_context()
    evaluators = (document.xpathEval, document.root.xpathEval, context.eval, lambda text: XPath(text)(document))
    for evaluate in evaluators:
        try:
            evaluate(expression)
        except XPathError as error:
            assert (error.expression, error.name, error.position) == (expression, name, position)
            assert name in str(error) and expression in str(error).replace('\\"', '"')
        else:
            # Parts that are not evaluated may name unknown ones.
            assert expression in ("count(//b) - count(//c[key('a', 'b')])", "q:*", "é + $é")
    assert capfd.readouterr() == ("", "")


def test_known_names_are_not_named(document):
    options = {"variables": {"a": 1}, "namespaces": {"p": "urn:p"}, "functions": {"f": lambda: 1, "p:f": lambda: 2}}
    for expression, name in (
        ("$a + $b", "b"),
        ("f() + g()", "g"),
        ("p:f() + p:g()", "p:g"),
        ("$p:a", "p:a"),
        ("count(//p:b) + count(//q:b)", "q"),
    ):
        with pytest.raises(XPathError) as caught:
            document.xpathEval(expression, **options)
        assert caught.value.name == name


def test_several_unknown_names_are_all_told(document):
    for expression, names in (("$b + $c", ("b", "c")), ("f() + g()", ("f", "g")), ("//p:x | //q:x", ("p", "q"))):
        with pytest.raises(XPathError) as caught:
            document.xpathEval(expression)
        assert caught.value.name is None
        assert all(name in str(caught.value) for name in names)


def test_malformed_expression_has_a_position_in_characters(document):
    for expression, position in (("'é' = [", 6), ("//b[", 4), ("1 +", 3)):
        with pytest.raises(XPathError) as caught:
            document.xpathEval(expression)
        assert (caught.value.expression, caught.value.position) == (expression, position)


def test_other_errors_name_the_expression(document):
    for expression in ("count(1)", "//b | 1", "substring('x')", "sum('x')"):
        with pytest.raises(XPathError) as caught:
            document.xpathEval(expression)
        assert (caught.value.expression, caught.value.name) == (expression, None)


def test_long_expression_is_shortened_in_the_message(document):
    expression = "1 + " * 500 + "$unknown" + " + 1" * 500
    with pytest.raises(XPathError) as caught:
        document.xpathEval(expression)
    assert caught.value.expression == expression
    assert caught.value.position == 2000
    assert "$unknown" in str(caught.value) and len(str(caught.value)) < 300
