"""Compiled expressions as objects, and limits on evaluations."""

import gc
import sys
import threading

import pytest
from xml_safe import ClosedError, Error, Handle, XPath, XPathError, XPathLimitError, live_handles, parse

XML = "<r a='1'><b k='v'>one</b><b>two</b></r>"


@pytest.fixture
def document():
    return parse(XML)


def test_expression_is_evaluated_on_documents_and_nodes(document):
    texts = XPath("//b")
    count = XPath("count(*)")
    assert [node.text for node in texts(document)] == ["one", "two"]
    assert texts(document) == texts(document.root) == document.xpathEval("//b")
    assert [count(document), count(document.root), count(document.root.children[0])] == [1, 2, 0]
    assert XPath("string(.)")(document.xpathEval("//@k")[0]) == "v"


def test_expression_outlives_documents():
    find, count = XPath("//b[@k = 'v']/text()"), XPath("count(//b)")
    for number in range(5):
        document = parse("<r>" + "<b k='v'>x</b>" * number + "</r>")
        assert len(find(document)) == count(document) == number
        document.close()
        with pytest.raises(ClosedError):
            find(document)
        gc.collect()


def test_every_kind_of_result(document):
    for expression in ("//b", "string(//b)", "count(//b)", "//b = 'one'", "//namespace::*", "//b[last()]", "'x'"):
        evaluate = XPath(expression)
        assert [evaluate(document) for _ in range(3)] == [document.xpathEval(expression)] * 3


def test_expression_is_a_handle(document):
    evaluate = XPath("//b")
    assert isinstance(evaluate, Handle)
    assert evaluate.expression == "//b"
    assert live_handles()["XPath"] == 1
    with evaluate:
        assert len(evaluate(document)) == 2
    assert evaluate.closed
    for use in (lambda: evaluate(document), lambda: evaluate.expression):
        with pytest.raises(ClosedError):
            use()
    assert live_handles()["XPath"] == 0


@pytest.mark.parametrize("expression", ["//b[", "", "1 +", "'unfinished", "$", "a b", "!"])
def test_malformed_expression_is_refused_at_once(expression, capfd):
    with pytest.raises(XPathError) as caught:
        XPath(expression)
    assert caught.value.expression == expression
    assert isinstance(caught.value.position, int)
    assert 0 <= caught.value.position <= len(expression)
    assert capfd.readouterr() == ("", "")


def test_undefined_names_are_found_when_the_expression_is_evaluated(document):
    for expression, name in (("foo()", "foo"), ("$v", "v"), ("q:b", "q")):
        evaluate = XPath(expression)
        for _ in range(2):
            with pytest.raises(XPathError) as caught:
                evaluate(document)
            assert (caught.value.expression, caught.value.name) == (expression, name)


@pytest.mark.parametrize("item", [None, "//b", 1, [], object])
def test_something_else_than_a_node_is_refused(item):
    with pytest.raises(TypeError, match="a node or a document is expected"):
        XPath("//b")(item)


@pytest.mark.parametrize("expression", [1, None, b"//b"])
def test_something_else_than_a_str_is_refused(expression):
    with pytest.raises(TypeError):
        XPath(expression)
    with pytest.raises(ValueError):
        XPath("//b\0")


def test_failed_evaluation_does_not_spoil_the_next_one(document):
    evaluate = XPath("$v/b[$w]")
    for _ in range(3):
        with pytest.raises(XPathError):
            evaluate(document)
        assert len(evaluate(document, variables={"v": document.root, "w": True})) == 2
        with pytest.raises(XPathError):
            evaluate(document, variables={"v": 1, "w": True})


def test_threads_share_an_expression():
    evaluate, results = XPath("concat(count(//b), string(//b[$n]))"), []
    documents = [parse(f"<r>{''.join(f'<b>{n}</b>' for n in range(size))}</r>") for size in (3, 30, 300)]

    def run(number):
        for _ in range(100):
            for document in documents:
                count = len(document.root.children)
                results.append(evaluate(document, variables={"n": number + 1.0}) == f"{count}{number}")

    threads = [threading.Thread(target=run, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 900 and all(results)


def test_many_expressions(document):
    expressions = [XPath(f"//b[{number}]") for number in range(200)]
    assert sum(len(evaluate(document)) for evaluate in expressions) == 2
    del expressions
    gc.collect()
    assert live_handles()["XPath"] == 0


# Limits


def nodes(document):
    return document.xpathEval, document.root.xpathEval, document.xpath_new_context().eval


def test_operations_are_limited():
    document = parse("<r>" + "<b/>" * 100 + "</r>")
    for evaluate in nodes(document):
        for expression in ("//b", "count(//b[count(//b) > 0])", "//b | //*", "//b/../b/../b", "descendant::b"):
            with pytest.raises(XPathLimitError) as caught:
                evaluate(expression, max_operations=20)
            assert (caught.value.code, caught.value.expression) == (1225, expression)
            assert isinstance(caught.value, XPathError) and isinstance(caught.value, Error)
            assert evaluate(expression, max_operations=1_000_000) == evaluate(expression)


def test_limit_of_operations_ends_a_long_evaluation():
    document = parse("<r>" + "<b/>" * 3000 + "</r>")
    for most in (1000, 200_000, 200_001, 300_000):
        for evaluate in nodes(document):
            with pytest.raises(XPathLimitError):
                evaluate("count(//b[count(//b[count(//b) > 0]) > 0])", max_operations=most)


def test_limit_of_operations_is_exact_enough():
    """An evaluation of more operations than are evaluated in one go has the whole limit."""
    document = parse("<r>" + "<b/>" * 600 + "</r>")
    expression = "count(//b[count(//b) > 0])"
    with pytest.raises(XPathLimitError):
        document.xpathEval(expression, max_operations=250_000)
    assert document.xpathEval(expression, max_operations=10_000_000) == 600


def test_limit_holds_for_one_evaluation(document):
    for _ in range(3):
        with pytest.raises(XPathLimitError):
            document.xpathEval("//b", max_operations=1)
        assert len(document.xpathEval("//b")) == 2


def test_limited_expression_is_still_one_expression(document):
    for expression in ("b)|(b", "b)", "1)+(1", "b)", "b |", "", " "):
        with pytest.raises(XPathError) as caught:
            document.xpathEval(expression, max_operations=1000)
        assert caught.value.code == 1207
        assert caught.value.expression == expression


def test_depth_is_limited(document):
    for evaluate in (*nodes(document), lambda expression, **options: XPath(expression, **options)(document)):
        for expression, deep in (("((1))", 2), ("//b[count(//b[1]) > 0]", 3), ("'(((' = '((('", 0), ("count(//b)", 1)):
            assert evaluate(expression, max_depth=deep or 1) is not None
            if deep > 1:
                with pytest.raises(XPathLimitError) as caught:
                    evaluate(expression, max_depth=deep - 1)
                assert (caught.value.code, caught.value.expression) == (1226, expression)
                assert expression[caught.value.position] in "(["


@pytest.mark.parametrize("size", [64, 256])
def test_expression_that_would_exhaust_the_stack_is_a_limit_error(size):
    """The same error on a thread with little stack.

    CPython 3.14 and newer keeps 32 KB of it for itself, and drops objects late, or never, where the stack never has 64
    KB more.
    """
    outcomes = []
    deep = ["(" * 100_000 + "1" + ")" * 100_000, "not(" * 3000 + "1" + ")" * 3000, "+".join("1" * 20_000)]

    def run():
        document = parse(XML)
        for expression in deep:
            for make in (document.xpathEval, document.root.xpathEval, lambda text: XPath(text)(document)):
                try:
                    make(expression)
                except XPathLimitError as error:
                    outcomes.append(error.code)
            try:
                document.xpathEval(expression, functions={"f": len}, variables={"v": 1})
            except XPathLimitError as error:
                outcomes.append(error.code)

    reserved = 96 if sys.version_info >= (3, 14) else 0
    old = threading.stack_size(size + reserved << 10)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(old)
    assert outcomes == [1226] * 12


@pytest.mark.parametrize("name", ["max_operations", "max_depth"])
def test_wrong_limit_is_refused(document, name):
    for value, error in (
        (0, ValueError),
        (-1, ValueError),
        (2**70, ValueError),
        (-(10**5000), ValueError),
        ("1", TypeError),
        (1.5, TypeError),
    ):
        for make in (*nodes(document), XPath):
            with pytest.raises(error) as caught:
                make("1", **{name: value})
            if error is ValueError:
                message = f"{name} is an integer from 1 to {2 * sys.maxsize + 1}; None is no limit"
                assert str(caught.value) == message
    assert document.xpathEval("1", **{name: None}) == 1


def test_limits_of_a_compiled_expression():
    document = parse("<r>" + "<b/>" * 100 + "</r>")
    for expression in ("//b", "//b[1]"):
        limited = XPath(expression, max_operations=20)
        for _ in range(2):
            with pytest.raises(XPathLimitError):
                limited(document)
    assert len(XPath("//b", max_operations=10_000)(document)) == 100
