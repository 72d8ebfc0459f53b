"""Errors of XPath name the expression, the place and the name that was not found."""

import pytest
from xml_safe import XPath, XPathError, XPathLimitError, parse

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


FAILED = {
    # The function, and its place.
    "count(1)": ("count", 0),
    "substring('x')": ("substring", 0),
    "1 + sum('x')": ("sum", 4),
    "concat('count(1)', count (1))": ("count", 19),
    "//b[name('x')]": ("name", 4),
    "sum(//b) + local-name(//b = 1)": ("local-name", 11),
    "translate('é', 'é') = count(//b)": ("translate", 0),
    "count(//b, //b)": ("count", 0),
    "true(1)": ("true", 0),
    "count(//b | //c) = count(- //b)": ("count", 19),
    "count(id('x') | (//b)[1]/..) = concat('x')": ("concat", 31),
    "last()": ("last", 0),
    "//b[last()] = position()": ("position", 14),
    "count($text)": ("count", 0),
    "sum($nodes) + sum($text)": ("sum", 14),
    "count(f())": ("count", 0),
    # An operand that is no node set.
    "//b | 1": (None, 6),
    "string(//b) | //b": (None, 0),
    "'é'/b": (None, 0),
    "//b[. = (1)[1]]": (None, 8),
    "$nodes/b | $text/b": (None, 11),
    "f()/b": (None, 0),
    # One of several.
    "count(1) + count(2)": ("count", None),
    "count(1) + sum(2)": (None, None),
    "count(1) + (//b | 1)": (None, None),
    "f()/b | count(1)/b": (None, None),
}


@pytest.mark.parametrize(("expression", "found"), FAILED.items(), ids=FAILED)
def test_call_that_failed(document, expression, found, capfd):
    name, position = found
    variables = {"text": "x", "nodes": list(document.root)}
    functions = {"f": lambda: "x"}
    context = document.xpath_new_context()
    for variable, value in variables.items():
        context.register_variable(variable, value)
    for evaluate in (
        lambda: document.xpathEval(expression, variables=variables, functions=functions),
        lambda: document.root.xpathEval(expression, variables=variables, functions=functions),
        lambda: context.eval(expression, functions=functions),
        lambda: XPath(expression, functions=functions)(document, variables=variables),
    ):
        with pytest.raises(XPathError) as caught:
            evaluate()
        error = caught.value
        assert (error.expression, error.name, error.position) == (expression, name, position)
        assert name is None or f": {name}()" in str(error)
        assert name or position is None or "an operand of" in str(error)
    assert capfd.readouterr() == ("", "")


def test_all_calls_that_may_have_failed_are_told(document):
    with pytest.raises(XPathError, match=r"Invalid type: count\(\) or sum\(\) or an operand of \"\|\" in"):
        document.xpathEval("count(1) + sum(2) + count(3 | //b)")
    with pytest.raises(XPathError, match="Undefined variable: v0 or .* or v19 or others in"):
        document.xpathEval(" + ".join(f"$v{number}" for number in range(1000)))


@pytest.mark.parametrize(("before", "after"), [("(", ")"), ("//b[", "]"), ("string(", ")"), ("-(", ")")])
def test_deep_expression_that_failed(document, before, after):
    """The deepest that libxml2 compiles has less than 500 levels."""
    evaluated = 0
    for depth in (100, 400, 490, 498, 499, 500, 600):
        with pytest.raises(XPathError) as caught:
            document.xpathEval(before * depth + "count(1)" + after * depth)
        if not isinstance(caught.value, XPathLimitError):
            assert (caught.value.name, caught.value.position) == ("count", len(before) * depth)
            evaluated += 1
    assert 3 <= evaluated < 7


def test_too_many_steps(document):
    expression = "1" + "+1" * 700_000
    for evaluate in (document.xpathEval, document.xpath_new_context().eval, XPath):
        with pytest.raises(XPathLimitError, match="more than 1310720 steps") as caught:
            evaluate(expression)
        assert caught.value.expression == expression


def test_long_expression_is_shortened_in_the_message(document):
    expression = "1 + " * 500 + "$unknown" + " + 1" * 500
    with pytest.raises(XPathError) as caught:
        document.xpathEval(expression)
    assert caught.value.expression == expression
    assert caught.value.position == 2000
    assert "$unknown" in str(caught.value) and len(str(caught.value)) < 300
