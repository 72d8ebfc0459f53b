"""Namespaces and variables of one evaluation: what they may be, and that no other evaluation knows of them."""

import gc
import math
import threading

import pytest
from xml_safe import ClosedError, Node, XPath, XPathError, live_handles, parse

XML = "<r xmlns='urn:d' xmlns:p='urn:p'><p:x k='v'>one</p:x><p:x>two</p:x><y xmlns=''/></r>"


@pytest.fixture
def rich():
    return parse(XML)


def evaluators(document):
    return document.xpathEval, document.root.xpathEval


# Namespaces


def test_prefixes_of_namespaces_are_bound(rich):
    for evaluate in evaluators(rich):
        assert evaluate("count(//a:x)", namespaces={"a": "urn:p"}) == 2
        assert evaluate("/b:r/a:x/text()", namespaces={"a": "urn:p", "b": "urn:d"})[1].text == "two"
        assert evaluate("count(//y)", namespaces={}) == 1


def test_prefixes_reach_no_other_evaluation(rich):
    for evaluate in evaluators(rich):
        for _ in range(3):
            assert len(evaluate("//a:x", namespaces={"a": "urn:p"})) == 2
            assert evaluate("//a:x", namespaces={"a": "urn:d"}) == []
            with pytest.raises(XPathError):
                evaluate("//a:x")
            with pytest.raises(XPathError):
                evaluate("//a:x", namespaces={"b": "urn:p"})


def test_prefix_xml_needs_no_binding():
    document = parse("<a xml:lang='en'/>")
    assert document.xpathEval("string(/a/@xml:lang)", namespaces={"p": "urn:p"}) == "en"
    xml = "http://www.w3.org/XML/1998/namespace"
    assert document.xpathEval("string(/a/@xml:lang)", namespaces={"xml": xml}) == "en"


def test_any_mapping_has_namespaces(rich):
    class Mapping:
        def items(self):
            yield "a", "urn:p"

    assert rich.xpathEval("count(//a:x)", namespaces=Mapping()) == 2


@pytest.mark.parametrize(
    ("namespaces", "error", "words"),
    [
        ({None: "urn:p"}, ValueError, "no default namespace"),
        ({"": "urn:p"}, ValueError, "no default namespace"),
        ({"a b": "urn:p"}, ValueError, "'?a b"),
        ({"a:b": "urn:p"}, ValueError, "a:b"),
        ({"1": "urn:p"}, ValueError, "1"),
        ({"a": ""}, ValueError, "empty"),
        ({"xml": "urn:p"}, ValueError, "xml"),
        ({"a\0": "urn:p"}, ValueError, "NUL"),
        ({"a": "urn:\0"}, ValueError, "NUL"),
        ({"a": "\ud800"}, ValueError, "surrogate"),
        ({1: "urn:p"}, TypeError, "int"),
        ({"a": None}, TypeError, "NoneType"),
        ({"a": b"urn:p"}, TypeError, "bytes"),
        (["a"], TypeError, "namespaces"),
        ("a", TypeError, "namespaces"),
    ],
)
def test_wrong_namespaces_are_named(rich, namespaces, error, words):
    with pytest.raises(error, match=words):
        rich.xpathEval("1", namespaces=namespaces)
    assert rich.xpathEval("1") == 1


# Variables


@pytest.mark.parametrize("value", ["", "é€𝄞", "'quoted\"", 0.0, -1.5, math.inf, -math.inf, True, False, 2.0**60])
def test_plain_variable_comes_back(rich, value):
    for evaluate in evaluators(rich):
        result = evaluate("$v", variables={"v": value})
        assert (type(result), result) == (type(value), value)


def test_int_is_a_number(rich):
    assert rich.xpathEval("$v + 1", variables={"v": 41}) == 42
    assert math.isnan(rich.xpathEval("$v", variables={"v": math.nan}))


def test_bool_is_no_number(rich):
    assert rich.xpathEval("$v", variables={"v": True}) is True
    assert rich.xpathEval("string($v)", variables={"v": True}) == "true"


def test_subclasses_of_plain_types_are_values(rich):
    class Text(str):
        pass

    class Number(float):
        pass

    assert rich.xpathEval("concat($a, $b)", variables={"a": Text("x"), "b": Number(1)}) == "x1"


def test_variable_is_data_not_an_expression(rich):
    hostile = "x' or '1'='1"
    assert rich.xpathEval("//*[@k = $v]", variables={"v": hostile}) == []
    assert len(rich.xpathEval("//*[@k = $v]", variables={"v": "v"})) == 1


def test_nodes_are_node_sets(rich):
    x, other = rich.xpathEval("//a:x", namespaces={"a": "urn:p"})
    for value in (x, [x], (x,), [x, x]):
        assert rich.xpathEval("$v", variables={"v": value}) == [x]
        assert rich.xpathEval("string($v/@k)", variables={"v": value}) == "v"
    assert rich.xpathEval("$v | $w", variables={"v": x, "w": other}) == [x, other]
    assert rich.xpathEval("count($v)", variables={"v": []}) == 0
    assert rich.xpathEval("count($v)", variables={"v": ()}) == 0


def test_node_set_is_in_document_order(rich):
    x, other = rich.xpathEval("//a:x", namespaces={"a": "urn:p"})
    assert rich.xpathEval("$v", variables={"v": [other, x, other]}) == [x, other]
    assert rich.xpathEval("string($v)", variables={"v": [other, x]}) == "one"


def test_document_is_its_document_node(rich):
    assert [node.type for node in rich.xpathEval("$v", variables={"v": rich})] == ["document"]
    assert rich.root.xpathEval("count($v/*)", variables={"v": rich}) == 1


def test_attributes_and_texts_are_nodes(rich):
    for expression in ("//@k", "//text()"):
        nodes = rich.xpathEval(expression)
        assert rich.xpathEval("$v", variables={"v": nodes}) == nodes


def test_large_node_set(rich):
    document = parse("<a>" + "<b/>" * 20_000 + "</a>")
    nodes = document.xpathEval("//b")
    assert document.xpathEval("count($v)", variables={"v": nodes}) == 20_000


def test_variables_in_namespaces(rich):
    for name in ("{urn:p}v", "a:v", ("urn:p", "v")):
        options = {"namespaces": {"a": "urn:p", "b": "urn:d"}, "variables": {name: 1, "v": 2, "{urn:d}v": 3}}
        assert rich.xpathEval("$a:v + 10 * $v + 100 * $b:v", **options) == 321
    assert rich.xpathEval("$v", variables={(None, "v"): "x"}) == "x"


def test_variables_reach_no_other_evaluation(rich):
    for evaluate in evaluators(rich):
        for value in (1, "x", rich.root):
            evaluate("$v", variables={"v": value})
            for variables in ({}, None, {"w": 1}):
                with pytest.raises(XPathError) as caught:
                    evaluate("$v", variables=variables)
                assert caught.value.name == "v"


def test_failed_evaluation_leaves_no_variables(rich):
    for expression in ("$v + foo()", "$v[", "$v | 1"):
        with pytest.raises(XPathError):
            rich.xpathEval(expression, variables={"v": rich.root}, namespaces={"a": "urn:p"})
        with pytest.raises(XPathError):
            rich.xpathEval("$v")
        with pytest.raises(XPathError):
            rich.xpathEval("//a:x")


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("a b", ValueError),
        ("", ValueError),
        ("1", ValueError),
        ("$v", ValueError),
        ("a:", ValueError),
        ("{urn:p}", ValueError),
        ("{urn:p", ValueError),
        ("a\0", ValueError),
        ("\ud800", ValueError),
        ("unbound:v", ValueError),
        ("a:b:c", ValueError),
        (1, TypeError),
        (None, TypeError),
        (("u", "v", "w"), TypeError),
        (("u", 1), TypeError),
    ],
)
def test_wrong_name_of_a_variable_is_refused(rich, name, error):
    for key in ("variables", "functions"):
        with pytest.raises(error):
            rich.xpathEval("1", **{key: {name: len}, "namespaces": {"a": "urn:p"}})
    assert rich.xpathEval("1") == 1


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (None, TypeError, "the variable v is a NoneType"),
        (b"x", TypeError, "the variable v is a bytes"),
        ({}, TypeError, "the variable v is a dict"),
        (object(), TypeError, "the variable v is a object"),
        (1j, TypeError, "the variable v is a complex"),
        (["x"], TypeError, "the variable v contains a str"),
        ([[]], TypeError, "the variable v contains a list"),
        ([("p", "urn:p")], TypeError, "the variable v contains a tuple"),
        ("x\0", ValueError, "the variable v contains a NUL"),
        ("\ud800", ValueError, "surrogate"),
        (10**400, OverflowError, "too large"),
        (-(10**400), OverflowError, "too large"),
    ],
)
def test_wrong_value_of_a_variable_is_named(rich, value, error, words):
    for variables in ({"v": value}, {"a": 1, "v": value}):
        with pytest.raises(error, match=words):
            rich.xpathEval("1", variables=variables)
    assert rich.xpathEval("1") == 1


def test_node_of_another_document_is_refused(rich):
    other = parse(XML)
    for value in (other.root, [other.root], [rich.root, other.root], [other.root, rich.root], other):
        with pytest.raises(ValueError, match="the variable v is or contains a node of another document") as caught:
            rich.xpathEval("$v", variables={"v": value})
        assert not isinstance(caught.value, ClosedError)
    assert rich.xpathEval("$v", variables={"v": rich.root}) == [rich.root]


def test_node_of_a_closed_document_is_refused(rich):
    other = parse(XML)
    nodes = [other.root]
    other.close()
    for value in (nodes, nodes[0], other, [rich.root, nodes[0]]):
        with pytest.raises(ClosedError):
            rich.xpathEval("$v", variables={"v": value})


class Failing(dict):
    def items(self):
        raise KeyError("mine")


class Strange(list):
    def __iter__(self):
        yield "x"
        raise KeyError("mine")


class Closing(list):
    def __init__(self, document):
        self.document = document

    def __iter__(self):
        self.document.close()
        return iter(())


def test_exceptions_of_conversions_come_out(rich):
    for variables in (Failing(), {"v": Strange()}):
        with pytest.raises(KeyError, match="mine"):
            rich.xpathEval("$v", variables=variables)
    assert rich.xpathEval("1") == 1


def test_conversion_that_closes_the_document_is_refused(rich):
    from xml_safe import BusyError

    with pytest.raises(BusyError):
        rich.xpathEval("$v", variables={"v": Closing(rich)})
    assert not rich.closed


def test_conversion_that_evaluates(rich):
    class Mapping:
        def items(self):
            yield "v", rich.xpathEval("count(//a:x)", namespaces={"a": "urn:p"}, variables={"v": "inner"})

    assert rich.xpathEval("$v", variables=Mapping()) == 2


def test_string_result_keeps_no_tree_alive():
    before = live_handles()
    text = parse(XML).xpathEval("string($v)", variables={"v": "x" * 100})
    gc.collect()
    assert live_handles() == before
    assert text == "x" * 100 and type(text) is str


def test_nothing_is_left_of_variables():
    before = live_handles()
    document = parse(XML)
    for _ in range(3):
        document.xpathEval("$v", variables={"v": [document.root], "w": "x"}, namespaces={"a": "urn:p"})
    assert live_handles() == {**before, "Document": before["Document"] + 1}
    document.close()
    assert live_handles() == before


def test_threads_have_variables_of_their_own():
    document, wrong = parse(XML), []
    nodes = document.xpathEval("//node()")

    def run(number):
        for _ in range(100):
            found = document.xpathEval("$v", variables={"v": nodes[number], "w": number})
            if found != [nodes[number]] or document.xpathEval("$w", variables={"w": number}) != number:
                wrong.append(number)

    threads = [threading.Thread(target=run, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# Contexts


def test_variable_of_a_context_stays(rich):
    context = rich.xpath_new_context()
    context.register_ns("a", "urn:p")
    context.register_variable("v", rich.root)
    context.register_variable("a:w", 2)
    context.register_variable(("urn:d", "w"), 3)
    for _ in range(2):
        assert context.eval("$v") == [rich.root]
        assert context.eval("$a:w") == 2
        with pytest.raises(XPathError):
            rich.xpathEval("$v")
    context.register_variable("v", "again")
    assert context.eval("$v") == "again"
    with pytest.raises(ValueError):
        context.register_variable("v", parse(XML).root)
    with pytest.raises(TypeError):
        context.register_variable("v", None)
    with pytest.raises(ValueError):
        context.register_variable("unbound:v", 1)
    assert context.eval("$v") == "again"
    context.close()
    with pytest.raises(ClosedError):
        context.register_variable("v", 1)


def test_variable_of_a_context_is_replaced_many_times(rich):
    context = rich.xpath_new_context()
    nodes = rich.xpathEval("//node()")
    for number in range(300):
        context.register_variable("v", nodes[: number % 5])
        assert context.eval("count($v)") == number % 5
        context.register_variable("w", str(number))
        assert rich.xpathEval("count($v)", variables={"v": nodes}) == len(nodes)


def test_variable_outlives_its_python_objects():
    document = parse(XML)
    context = document.xpath_new_context()
    context.register_variable("v", list(document.root))
    gc.collect()
    assert all(isinstance(node, Node) for node in context.eval("$v"))
    assert len(context.eval("$v/..")) == 1


def test_compiled_expression_has_variables_and_namespaces(rich):
    find = XPath("//a:x[. = $v]", namespaces={"a": "urn:p"})
    for value, count in (("one", 1), ("two", 1), ("three", 0)):
        assert len(find(rich, variables={"v": value})) == count
    with pytest.raises(XPathError) as caught:
        find(rich)
    assert caught.value.name == "v"
    assert XPath("$a:v", namespaces={"a": "urn:p"})(rich.root, variables={"a:v": 5}) == 5
