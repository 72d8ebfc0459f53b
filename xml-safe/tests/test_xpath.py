"""XPath: what comes back for each kind of result, and what is raised for each kind of mistake."""

import math
import threading
from collections import Counter

import pytest
from xml_safe import Node, XPath, XPathError, live_handles, parse

XML = "<r xmlns='urn:d' xmlns:p='urn:p' a='1'><x xmlns='' k='v'>one</x><p:x>two</p:x><!--c--><?do it?></r>"


@pytest.fixture
def rich():
    return parse(XML)


def described(result):
    return [(n.type, n.name or n.text) for n in result]


def test_nodes_of_every_type(rich):
    assert described(rich.xpathEval("//x")) == [("element", "x")]
    assert described(rich.xpathEval("//@k")) == [("attribute", "k")]
    assert [(n.type, n.text) for n in rich.xpathEval("//text()")] == [("text", "one"), ("text", "two")]
    assert [(n.type, n.text) for n in rich.xpathEval("//comment()")] == [("comment", "c")]
    assert [(n.type, n.name, n.text) for n in rich.xpathEval("//processing-instruction()")] == [("pi", "do", "it")]
    assert [n.type for n in rich.xpathEval("/")] == ["document"]


def test_cdata_is_found_as_text():
    assert [n.text for n in parse("<a><![CDATA[<x>]]></a>").xpathEval("//text()")] == ["<x>"]


def test_mixed_types_in_document_order(rich):
    result = rich.xpathEval("//comment() | //@* | //x | /")
    assert [n.type for n in result] == ["document", "attribute", "element", "attribute", "comment"]


def test_a_node_is_found_once(rich):
    assert len(rich.xpathEval("//x | //x | /*/x")) == 1


def test_found_nodes_equal_those_walked_to(rich):
    assert rich.xpathEval("/*") == [rich.root]
    assert rich.xpathEval("/*/*") == list(rich.root)
    assert rich.xpathEval("/*/node()") == rich.root.children
    assert all(isinstance(n, Node) and n.document is rich for n in rich.xpathEval("//node()"))


def test_an_empty_match(rich):
    for expr in ("//zz", "/..", "//x[false()]", "//@zz", "id('zz')", "//x/x/x | //y"):
        assert rich.xpathEval(expr) == []


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        ("'é€𝄞'", "é€𝄞"),
        ("''", ""),
        ("string(//x)", "one"),
        ("name(/*/*[2])", "p:x"),
        ("concat('a', 1, true())", "a1true"),
        ("translate('abc', 'b', '')", "ac"),
    ],
)
def test_strings(rich, expr, value):
    assert rich.xpathEval(expr) == value


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        ("1", 1.0),
        ("1.5", 1.5),
        ("-0.25", -0.25),
        ("count(//*)", 3.0),
        ("1 div 0", math.inf),
        ("-1 div 0", -math.inf),
        ("string-length('é𝄞')", 2.0),
        ("9007199254740992", 2.0**53),
        ("sum(//zz)", 0.0),
    ],
)
def test_numbers(rich, expr, value):
    result = rich.xpathEval(expr)
    assert type(result) is float
    assert result == value


def test_special_numbers(rich):
    assert math.isnan(rich.xpathEval("number('x')"))
    assert math.isnan(rich.xpathEval("0 div 0"))
    assert math.copysign(1, rich.xpathEval("-0")) in (1, -1)


@pytest.mark.parametrize("expr", ["true()", "1 = 1", "//x = 'one'", "not(//zz)", "1 < 2", "boolean(//x)"])
def test_booleans(rich, expr):
    assert rich.xpathEval(expr) is True
    assert rich.xpathEval(f"not({expr})") is False


def test_namespace_nodes():
    doc = parse("<a xmlns='urn:d' xmlns:p='urn:p'/>")
    xml = ("xml", "http://www.w3.org/XML/1998/namespace")
    assert sorted(doc.xpathEval("/*/namespace::*"), key=str) == sorted([(None, "urn:d"), ("p", "urn:p"), xml], key=str)
    assert doc.xpathEval("/*/namespace::p") == [("p", "urn:p")]
    assert all(type(found) is tuple for found in doc.xpathEval("//namespace::*"))


def test_namespace_nodes_outlive_everything():
    doc = parse("<a xmlns:p='urn:p'/>")
    with doc.xpath_new_context() as context:
        found = context.eval("//namespace::p")
    doc.close()
    assert found == [("p", "urn:p")]


def test_nodes_and_namespace_nodes_together():
    doc = parse("<a xmlns:p='urn:p' k='v'><b/></a>")
    result = doc.xpathEval("//namespace::p | //@* | //*")
    assert sum(type(found) is tuple for found in result) == 2
    assert sorted(found.name for found in result if isinstance(found, Node)) == ["a", "b", "k"]


def test_many_namespace_nodes():
    doc = parse("<a xmlns:p='urn:p'>" + "<b/>" * 5000 + "</a>")
    assert len(doc.xpathEval("//namespace::*")) == 10_002


def test_a_large_result():
    doc = parse("<a>" + "<b/>" * 100_000 + "</a>")
    result = doc.xpathEval("//b")
    assert len(result) == 100_000
    doc.close()
    assert len(set(result)) == 100_000


# The context node


def test_relative_to_the_document(doc):
    assert doc.xpathEval("r") == [doc.root]
    assert doc.xpathEval("b") == []
    assert [n.type for n in doc.xpathEval(".")] == ["document"]


def test_relative_to_a_node(doc):
    b = doc.xpathEval("//b")[0]
    assert b.xpathEval("text()")[0].text == "one"
    assert b.xpathEval("..") == [doc.root]
    assert b.xpathEval("string(@k)") == "v"
    assert b.xpathEval("/r") == [doc.root]
    assert b.xpathEval("//b")[1].text == "two"


def test_relative_to_an_attribute_and_a_text(doc):
    for node in (doc.xpathEval("//@k")[0], doc.xpathEval("//text()")[0]):
        assert node.xpathEval("string(.)") == node.text
        assert node.xpathEval("name(..)") == "b"
        assert node.xpathEval(".") == [node]


def test_ids():
    doc = parse("<!DOCTYPE a [<!ATTLIST b i ID #IMPLIED>]><a><b i='x'/><b xml:id='y'/></a>")
    assert [n.path for n in doc.xpathEval("id('x')")] == ["/a/b[1]"]
    assert [n.path for n in doc.xpathEval("id('x y')")] == ["/a/b[1]", "/a/b[2]"]


# Mistakes

SYNTAX = ["//b[", "", " ", "//b/", "1 +", "@@", "count(//b", "a b", "//b]", "//b[position()=", "*:b", "!", "b//"]
MISTAKES = {
    **{expr: {1207} for expr in SYNTAX},
    "'unfinished": {1202},
    "$": {1204},
    "foo()": {1209},
    "//b[foo()]": {1209},
    "concat('a', foo(1, //b))": {1209},
    "key('a', 'b')": {1209},
    "//q:b": {1219},
    "q:b": {1219},
    "//b/@q:k": {1219},
    "$v": {1205},
    "//b[$v]": {1205},
    "count(1)": {1211},
    "sum('x')": {1211},
    "//b | 1": {1211},
    "'x'/b": {1211, 1207},
    "count()": {1212},
    "count(//b, //b)": {1212},
    "substring('x')": {1212},
    "not()": {1212},
    "position(1)": {1212},
    "id(1, 2)": {1212},
}


@pytest.mark.parametrize(("expr", "codes"), MISTAKES.items(), ids=MISTAKES.keys())
def test_mistakes(doc, expr, codes, capfd):
    with doc.xpath_new_context() as context:
        for evaluate in (doc.xpathEval, doc.root.xpathEval, context.eval):
            with pytest.raises(XPathError) as caught:
                evaluate(expr)
            assert caught.value.code in codes
            assert caught.value.message
            assert caught.value.message in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("expr", ["q:foo()", "$q:v", "//b[q:foo()]", "q:foo(q:foo(//b))"])
def test_mistakes_that_libxml2_leaves_without_message(doc, expr, capfd):
    with pytest.raises(XPathError) as caught:
        doc.xpathEval(expr)
    assert caught.value.message
    assert str(caught.value)
    assert isinstance(caught.value.code, int)
    assert capfd.readouterr() == ("", "")


def test_evaluation_goes_on_after_mistakes(doc):
    for expr in MISTAKES:
        with pytest.raises(XPathError):
            doc.xpathEval(expr)
        assert len(doc.xpathEval("//b")) == 2


def test_a_context_goes_on_after_mistakes(doc):
    with doc.xpath_new_context() as context:
        for expr in MISTAKES:
            with pytest.raises(XPathError):
                context.eval(expr)
            assert len(context.eval("//b")) == 2


def test_one_mistake_does_not_tell_of_another(doc):
    """libxml2 keeps its last error; each exception is about its own call."""
    with doc.xpath_new_context() as context:
        for _ in range(3):
            for expr, codes in MISTAKES.items():
                with pytest.raises(XPathError) as caught:
                    context.eval(expr)
                assert caught.value.code in codes
            with pytest.raises(XPathError) as caught:
                context.eval("q:foo()")
            assert caught.value.code not in (1207, 1209, 1212)


# What libxml2 calls a function, and what not

NO_FUNCTIONS = {
    "-(1 div 0)": -math.inf,
    "-number('1')": -1.0,
    "2-(1)": 1.0,
    "3 mod(2)": 1.0,
    "4div(2)": 2.0,
    "'foo()'": "foo()",
    'string("q:foo()")': "q:foo()",
    "(1)and(1)": True,
    "true()or(foo())": True,
    "count(//text())": 2.0,
    "count(//div)": 0.0,
    "1e3-(1)": 999.0,
}
NOT_THERE = {
    "1-foo()": 1209,
    "or()": 1209,
    "div()": 1209,
    "-foo()": 1209,
    "foo ()": 1209,
    "1and-foo()": 1209,
    "//b[. = foo()]": 1209,
    "1-q:foo()": 1219,
    "-$q:v": 1219,
    "1and$q:v": 1219,
    "xml:f()": 1209,
}


@pytest.mark.parametrize(("expr", "value"), NO_FUNCTIONS.items(), ids=NO_FUNCTIONS)
def test_expression_without_a_function_call_is_evaluated(doc, expr, value, capfd):
    assert doc.xpathEval(expr) == value
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(("expr", "code"), NOT_THERE.items(), ids=NOT_THERE)
def test_undefined_name_is_an_error_that_names_the_expression(doc, expr, code, capfd):
    with pytest.raises(XPathError) as caught:
        doc.xpathEval(expr)
    assert (caught.value.code, caught.value.expression) == (code, expr)
    assert capfd.readouterr() == ("", "")


def test_undefined_function_that_is_not_evaluated_is_no_error(doc):
    assert doc.xpathEval("//zz[foo()]") == []
    assert doc.xpathEval("false() and q:foo()") is False


# The stack of the thread

DEEP = [
    "(" * 4000 + "1" + ")" * 4000,
    "(" * 300 + "1" + ")" * 300,
    "a[" * 300 + "1" + "]" * 300,
    "not(" * 300 + "1" + ")" * 300,
    "+".join(["1"] * 40_000),
    " or ".join(["1=1"] * 20_000),
    "-" * 60_000 + "1",
    "/".join(["a"] * 50_000),
    "/".join(["a[1]"] * 4000),
    "|".join(["a"] * 4000),
]
IN_A_THREAD = """
import sys, threading
import xml_safe

exprs = sys.stdin.read().split("\\n")
doc = xml_safe.parse("<a><a><a/></a></a>")

def outcome(expr):
    try:
        result = doc.xpathEval(expr)
    except xml_safe.XPathError as error:
        return error.code
    return len(result) if isinstance(result, list) else result

def all_of_them(outcomes):
    outcomes.extend(map(outcome, exprs))

small, main = [], []
threading.stack_size(int(sys.argv[1]) << 10)
thread = threading.Thread(target=all_of_them, args=(small,))
thread.start()
thread.join()
all_of_them(main)
assert len(main) == len(exprs) and small == main, (small, main)
"""


@pytest.mark.parametrize("kilobytes", [64, 128, 256, 512])
def test_deep_expressions_end_as_on_the_main_thread_with_every_stack_size(run_python, kilobytes):
    ended = run_python("-c", IN_A_THREAD, str(kilobytes), input="\n".join(DEEP))
    assert (ended.returncode, ended.stderr) == (0, "")


def test_repeated_expression_gives_the_same_each_time(rich):
    for expr in ("//x", "count(//*)", "string(//x)", "boolean(//x)", "//namespace::*[1]", "//*[position()=last()]"):
        first = rich.xpathEval(expr)
        assert all(rich.xpathEval(expr) == first for _ in range(3))


def test_evaluation_leaves_its_context_node_to_no_other(rich):
    x = rich.xpathEval("//x")[0]
    assert x.xpathEval("string(.)") == "one"
    assert [node.type for node in rich.xpathEval(".")] == ["document"]
    assert rich.root.xpathEval("count(*)") == 2
    assert x.xpathEval("count(*)") == 0


def test_evaluation_leaves_its_position_to_no_other(rich):
    for _ in range(2):
        rich.xpathEval("//*[position()=2]/*[last()]")
        for expr in ("position()", "last()"):
            with pytest.raises(XPathError):
                rich.xpathEval(expr)


def test_namespaces_of_a_context_do_not_reach_other_evaluations(rich):
    context = rich.xpath_new_context()
    context.register_ns("q", "urn:p")
    for _ in range(2):
        assert len(context.eval("//q:x")) == 1
        with pytest.raises(XPathError):
            rich.xpathEval("//q:x")


def test_evaluation_that_fails_does_not_spoil_the_next_one(rich):
    for _ in range(3):
        with pytest.raises(XPathError):
            rich.xpathEval("//x[")
        with pytest.raises(XPathError):
            rich.xpathEval("unknown()")
        assert len(rich.xpathEval("//x")) == 1


def test_handles_that_are_kept_for_reuse_are_not_live():
    before = live_handles()
    document = parse(XML)
    for number in range(40):
        document.xpathEval(f"//x[{number}]")
    assert live_handles() == {**before, "Document": before["Document"] + 1}
    document.close()
    assert live_handles() == before


def test_threads_do_not_share_a_context():
    document, results = parse(XML), []

    def run(expr):
        for _ in range(200):
            results.append(document.xpathEval(expr))

    exprs = ["count(//x)", "count(//node())", "count(//x)", "count(//@*)"]
    threads = [threading.Thread(target=run, args=[expr]) for expr in exprs]
    expected = [document.xpathEval(expr) for expr in exprs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(results) == Counter(expected * 200)


def loose():
    """A tree that is in no document: k(a(b)), and its document."""
    doc = parse("<r xml:id='x'><a/><k/>root</r>")
    k = doc.create_element("k")
    k.append_element("a", attributes={"n": "1"}).append_element("b", "t")
    return doc, k


def by_context(node, expr, **options):
    context = node.document.xpath_new_context()
    context.set_node(node)
    return context.eval(expr, **options)


EVALUATE = {
    "at a node": lambda node, expr: node.xpathEval(expr),
    "with options": lambda node, expr: node.xpathEval(expr, namespaces={"p": "urn:p"}),
    "with variables": lambda node, expr: node.xpathEval(expr, variables={"w": node.document.root}),
    "with a limit": lambda node, expr: node.xpathEval(expr, max_operations=1000, max_depth=10),
    "with functions": lambda node, expr: node.xpathEval(expr, functions={"f": lambda nodes: nodes}),
    "compiled": lambda node, expr: XPath(expr)(node),
    "compiled with functions": lambda node, expr: XPath(expr, functions={"f": lambda nodes: nodes})(node),
    "in a context": by_context,
    "in a context with functions": lambda node, expr: by_context(node, expr, functions={"f": lambda nodes: nodes}),
}


@pytest.mark.parametrize("evaluate", EVALUATE.values(), ids=EVALUATE)
def test_nothing_is_above_a_tree_that_is_in_no_document(evaluate):
    _doc, k = loose()
    a = k.first_child
    b, n = a.first_child, a.attributes.node("n")
    for _ in range(2):
        for node, expr, expected in (
            (k, "..", []),
            (k, "../*|../../*", []),
            (k, "../descendant::node()", []),
            (k, "ancestor-or-self::node()", [k]),
            (k, "preceding::node()|following::node()", []),
            (k, "string(..)", ""),
            (a, "..|../..", [k]),
            (b, "ancestor::node()", [k, a]),
            (n, "..", [a]),
            (k, ".//b/..", [a]),
            (k, "a//b|*//b|a/b|(.)//b|self::node()[a]//b", [b]),
            (k, "string(a/b[text()])", "t"),
            (k, "a[@n='/r' or @n='//a' or @n = 1 div 1]", [a]),
            (k, "count(.//node())", 3.0),
            (b.first_child, "..", [b]),
        ):
            assert evaluate(node, expr) == expected


@pytest.mark.parametrize("evaluate", EVALUATE.values(), ids=EVALUATE)
def test_an_absolute_path_has_no_start_outside_of_the_tree(evaluate):
    doc, k = loose()
    for expr in (
        "/",
        "/r",
        "//a",
        ".|/r",
        ".|//a",
        "a[/r]",
        "count(//a)",
        "- //a",
        "id('x')",
        ". and /r",
        "(/)/r",
        "a[id('x')]",
    ):
        for node in (k, k.first_child, doc.create_text("t"), doc.create_fragment()):
            with pytest.raises(ValueError, match="begins at the document"):
                evaluate(node, expr)
        assert evaluate(doc.root, expr) is not None


def test_functions_and_variables_at_a_node_in_no_tree():
    doc, k = loose()
    a = k.first_child
    got = []
    functions = {"f": lambda nodes: got.append(nodes) or nodes, "g": lambda: [k, a], "h": lambda: doc.root}
    assert k.xpathEval("f(..|a)", functions=functions) == [a]
    assert got == [[a]]
    assert k.xpathEval("g()/..", functions=functions) == [k]
    assert k.xpathEval("h()/a", functions=functions) == doc.root.children[:1]
    assert k.xpathEval("$v//b|$w/k", variables={"v": k, "w": doc.root}) == [a.first_child, doc.root.children[1]]
    with pytest.raises(ZeroDivisionError):
        k.xpathEval("f()", functions={"f": lambda: 1 / 0})
    with pytest.raises(XPathError, match="unknown|nope"):
        k.xpathEval("nope()")
    assert doc.xpathEval("//a") == doc.root.children[:1]


def test_xpath_does_not_show_a_fragment():
    doc = parse("<r/>")
    fragment = doc.create_fragment()
    a = fragment.append_element("a")
    assert a.xpathEval("..|../..|ancestor::node()") == []
    assert fragment.xpathEval(".//a") == [a]


def test_a_removed_tree_is_in_no_document():
    doc = parse("<r><k><a/></k><b/></r>")
    k = doc.root.first_child
    context = doc.xpath_new_context()
    context.set_node(k.first_child)
    assert context.eval("//b") == k.xpathEval("../b") == [doc.root.last_child]
    k.remove()
    assert (k.xpathEval("../b"), context.eval("..")) == ([], [k])
    with pytest.raises(ValueError, match="begins at the document"):
        context.eval("//b")
    doc.root.append(k)
    assert context.eval("//b") == k.xpathEval("../b") == [doc.root.first_child]
