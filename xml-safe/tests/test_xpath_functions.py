"""Functions of Python code in expressions."""

import gc
import signal
import threading
import weakref

import pytest
from xml_safe import BusyError, ClosedError, Node, XPath, XPathError, live_handles, parse

XML = "<r a='1'><b k='v'>one</b><b>two</b><c xmlns:p='urn:p'/></r>"


@pytest.fixture
def document():
    return parse(XML)


def test_arguments_are_python_values(document):
    seen = []

    def function(*arguments):
        seen.append(arguments)
        return "done"

    for evaluate in (document.xpathEval, document.root.xpathEval):
        assert evaluate("f(//b, 1, 'x', true(), //zz)", functions={"f": function}) == "done"
        assert evaluate("f()", functions={"f": function}) == "done"
    b = document.xpathEval("//b")
    assert seen == [(b, 1.0, "x", True, []), ()] * 2
    assert [type(argument) for argument in seen[0]] == [list, float, str, bool, list]


def test_namespace_nodes_are_tuples(document):
    seen = []
    document.xpathEval("f(//c/namespace::p)", functions={"f": lambda nodes: seen.append(nodes) or 1})
    assert seen == [[("p", "urn:p")]]


@pytest.mark.parametrize("value", ["", "é𝄞", 1.5, True, False, 0.0])
def test_plain_result_comes_back(document, value):
    result = document.xpathEval("f()", functions={"f": lambda: value})
    assert (type(result), result) == (type(value), value)


def test_nodes_are_results(document):
    b = document.xpathEval("//b")
    for value in (b, tuple(b), b[::-1], b + b):
        assert document.xpathEval("f()", functions={"f": lambda value=value: value}) == b
    assert document.xpathEval("f()/@k", functions={"f": lambda: b[0]}) == document.xpathEval("//@k")
    assert document.xpathEval("f()", functions={"f": list}) == []
    assert document.xpathEval("name(f()/*)", functions={"f": lambda: document}) == "r"


def test_function_in_a_predicate_is_called_for_each_node(document):
    texts = []

    def chosen(nodes):
        texts.append(nodes[0].text)
        return nodes[0].text == "two"

    assert [node.text for node in document.xpathEval("//b[f(.)]", functions={"f": chosen})] == ["two"]
    assert texts == ["one", "two"]


def test_functions_in_namespaces(document):
    functions = {
        "p:f": lambda: 1,
        "{urn:q}f": lambda: 2,
        ("urn:r", "f"): lambda: 3,
        "f": lambda: 4,
        (None, "g"): lambda: 5,
    }
    namespaces = {"p": "urn:p", "q": "urn:q", "r": "urn:r"}
    options = {"functions": functions, "namespaces": namespaces}
    for _ in range(3):
        assert document.xpathEval("concat(p:f(), q:f(), r:f(), f(), g())", **options) == "12345"
        evaluate = XPath("concat(p:f(), q:f(), r:f(), f(), g())", **options)
        assert [evaluate(document), evaluate(document.root), evaluate(parse("<a/>"))] == ["12345"] * 3


def test_functions_reach_no_other_evaluation(document):
    functions = {"f": lambda: 1}
    for _ in range(3):
        assert document.xpathEval("f()", functions=functions) == 1
        assert document.xpathEval("f()", functions={"f": lambda: 2}) == 2
        for other in (None, {}, {"g": len}):
            with pytest.raises(XPathError) as caught:
                document.xpathEval("f()", functions=other)
            assert (caught.value.code, caught.value.name) == (1209, "f")


def test_functions_with_variables_and_limits(document):
    options = {"functions": {"f": lambda nodes, text: len(nodes) * text}, "variables": {"v": list(document.root)}}
    assert document.xpathEval("f($v, 'x')", max_operations=1000, max_depth=10, **options) == "xxx"
    assert document.xpathEval("f($v, 'x')", **options) == "xxx"


# Mistakes


@pytest.mark.parametrize("function", [None, 1, "f", []])
def test_function_that_is_not_callable_is_named(document, function):
    for make in (document.xpathEval, XPath):
        with pytest.raises(TypeError, match="the function f is a callable"):
            make("1", functions={"f": function})


def test_functions_of_xpath_are_not_replaced(document):
    for name in ("count", "string-length", "id", "last"):
        with pytest.raises(ValueError, match=f"{name}\\(\\) is a function of XPath itself"):
            document.xpathEval("1", functions={name: len})
    assert document.xpathEval("p:count()", functions={"p:count": lambda: 7}, namespaces={"p": "urn:p"}) == 7


def test_function_of_libxml2_reaches_no_evaluation_without_its_prefix(document):
    uri = "http://www.w3.org/2002/08/xquery-functions"
    expression = "q:escape-uri('a b', true())"
    try:
        assert document.xpathEval(expression, namespaces={"q": uri}) == "a%20b"
    except XPathError:
        pytest.skip("this libxml2 has no escape-uri()")
    for namespaces in (None, {}, {"q": "urn:q"}):
        with pytest.raises(XPathError):
            document.xpathEval(expression, namespaces=namespaces)
    with pytest.raises(ValueError, match="function of XPath itself"):
        document.xpathEval("1", namespaces={"q": uri}, functions={"q:escape-uri": len})


def test_context_is_used_again_without_what_it_had(document):
    """The document keeps a context, which has the names of one evaluation at a time."""
    every = {"namespaces": {"p": "urn:p"}, "variables": {"p:v": document.root}, "functions": {"f": len, "p:f": len}}
    for _ in range(3):
        assert document.xpathEval("count($p:v) + f($p:v) + p:f($p:v)", **every) == 3
        for expression in ("$p:v", "f(.)", "p:f(.)", "p:b"):
            with pytest.raises(XPathError):
                document.xpathEval(expression)
            with pytest.raises(XPathError):
                document.xpathEval(expression, variables={"w": 1}, functions={"g": len})
        assert document.xpathEval("f(.)", functions={"f": lambda _: "another"}) == "another"
        assert document.xpathEval("count($v)", variables={"v": []}) == 0


class Mine(Exception):
    pass


@pytest.mark.parametrize("expression", ["f()", "//b[f()]", "f() + f()", "count(f())", "f(f())", "string(//b[f(.)])"])
def test_exception_of_a_function_is_the_same_object(document, expression):
    error = Mine("text")
    calls = []

    def function(*_):
        calls.append(1)
        raise error

    for evaluate in (document.xpathEval, document.root.xpathEval):
        with pytest.raises(Mine) as caught:
            evaluate(expression, functions={"f": function})
        assert caught.value is error
    assert len(calls) == 2
    assert document.xpathEval("count(//b)") == 2


def test_exception_of_a_nested_evaluation_comes_out(document):
    error = Mine()

    def inner():
        raise error

    def outer():
        return document.xpathEval("inner()", functions={"inner": inner})

    with pytest.raises(Mine) as caught:
        document.xpathEval("outer()", functions={"outer": outer})
    assert caught.value is error


def test_caught_exception_of_a_nested_evaluation_does_not_end_the_outer_one(document):
    def outer():
        with pytest.raises(XPathError):
            document.xpathEval("unknown()")
        with pytest.raises(ZeroDivisionError):
            document.xpathEval("f()", functions={"f": lambda: 1 / 0})
        return "went on"

    assert document.xpathEval("outer()", functions={"outer": outer}) == "went on"


def test_end_of_an_iteration_does_not_end_the_callers(document):
    def function():
        raise StopIteration

    with pytest.raises(RuntimeError):
        document.xpathEval("f()", functions={"f": function})


def test_exit_and_interrupts_come_out(document):
    for error in (KeyboardInterrupt, SystemExit, GeneratorExit):

        def function(error=error):
            raise error

        with pytest.raises(error):
            document.xpathEval("f()", functions={"f": function})


def test_wrong_number_of_arguments_is_a_type_error(document):
    with pytest.raises(TypeError, match="argument"):
        document.xpathEval("f(1)", functions={"f": lambda: 1})


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (None, TypeError, "the result of the function f is a NoneType"),
        (object(), TypeError, "the result of the function f is a object"),
        (["x"], TypeError, "the result of the function f contains a str"),
        (b"x", TypeError, "bytes"),
        (10**400, OverflowError, "too large"),
        ("x\0", ValueError, "NUL"),
        ("\ud800", ValueError, "surrogate"),
    ],
)
def test_wrong_result_is_named(document, value, error, words):
    for expression in ("f()", "//b[f()]", "concat('x', f())"):
        with pytest.raises(error, match=words):
            document.xpathEval(expression, functions={"f": lambda: value})
    assert document.xpathEval("count(//b)") == 2


def test_node_of_another_document_as_result_is_refused(document):
    other = parse(XML)
    for value in (other.root, [document.root, other.root], other):
        with pytest.raises(ValueError, match="the result of the function f is or contains a node of another document"):
            document.xpathEval("f()", functions={"f": lambda value=value: value})
    other.close()
    with pytest.raises(ClosedError):
        document.xpathEval("f()", functions={"f": lambda: other})


# What a function does meanwhile


def test_function_that_closes_the_document_is_refused(document):
    with pytest.raises(BusyError):
        document.xpathEval("f(//b)", functions={"f": lambda _: document.close()})
    assert not document.closed
    assert len(document.xpathEval("//b")) == 2


def test_refused_closing_may_be_caught(document):
    def function():
        with pytest.raises(BusyError):
            document.close()
        return len(document.root.children)

    assert document.xpathEval("f() + f()", functions={"f": function}) == 6
    document.close()


def test_function_that_evaluates_on_the_same_document(document):
    def function(nodes):
        inner = document.xpathEval("g($v)", functions={"g": len}, variables={"v": nodes})
        return inner + document.xpathEval("count(//b)") + nodes[0].xpathEval("count(..)")

    assert document.xpathEval("f(//b)", functions={"f": function}) == 5


def test_function_that_evaluates_its_own_expression(document):
    def function(number):
        return 0 if number == 0 else number + evaluate(document, variables={"n": number - 1})

    evaluate = XPath("f($n)", functions={"f": function})
    assert evaluate(document, variables={"n": 10}) == 55


def test_function_that_closes_other_handles(document):
    other = parse(XML)
    contexts = [document.xpath_new_context()]

    def function():
        other.close()
        contexts.pop().close()
        return "closed"

    assert document.xpathEval("f()", functions={"f": function}) == "closed"


def test_endless_recursion_is_a_recursion_error(document):
    def function():
        return document.xpathEval("f()", functions={"f": function})

    with pytest.raises(RecursionError):
        function()
    assert document.xpathEval("count(//b)") == 2


def test_nodes_of_a_call_may_be_kept(document):
    kept = []
    document.xpathEval("f(//b)", functions={"f": lambda nodes: bool(kept.append(nodes))})
    gc.collect()
    assert [node.text for node in kept[0]] == ["one", "two"]
    assert all(isinstance(node, Node) and node.document is document for node in kept[0])
    document.close()
    with pytest.raises(ClosedError):
        _ = kept[0][0].text


def test_function_that_collects_garbage(document):
    assert document.xpathEval("f(//b)", functions={"f": lambda nodes: bool(gc.collect() or nodes)}) is True


def test_functions_on_several_threads():
    document, results = parse(XML), []
    evaluate = XPath("f(//b, $n)", functions={"f": lambda nodes, number: len(nodes) * number})

    def run(number):
        for _ in range(50):
            results.append((evaluate(document, variables={"n": number}), number * 2))
            results.append((document.xpathEval("f()", functions={"f": lambda: number}), number))

    threads = [threading.Thread(target=run, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 400
    assert all(result == expected for result, expected in results)


def test_function_runs_on_the_thread_of_the_evaluation(document):
    threads = []
    document.xpathEval("f()", functions={"f": lambda: bool(threads.append(threading.get_ident()))})
    assert threads == [threading.get_ident()]


# What is left


def test_evaluation_keeps_no_function(document):
    class Function:
        def __call__(self):
            return 1

    function = Function()
    reference = weakref.ref(function)
    document.xpathEval("f()", functions={"f": function})
    del function
    gc.collect()
    assert reference() is None


def test_compiled_expression_keeps_its_functions(document):
    class Function:
        def __call__(self):
            return 1

    function = Function()
    reference = weakref.ref(function)
    evaluate = XPath("f()", functions={"f": function})
    del function
    gc.collect()
    assert evaluate(document) == 1
    evaluate.close()
    gc.collect()
    assert reference() is None


def test_cycle_through_a_function_is_collected(document):
    class Function:
        def __call__(self):
            return 1

    for used in (False, True):
        function = Function()
        function.expression = XPath("f()", functions={"f": function})
        if used:
            assert function.expression(document) == 1
        reference = weakref.ref(function)
        del function
        gc.collect()
        assert reference() is None
    assert live_handles()["XPath"] == 0


def test_nothing_is_left_of_functions():
    before = live_handles()
    document = parse(XML)
    for value in (1, "x", list(document.root), None):
        try:
            document.xpathEval("f(//b, 'x')", functions={"f": lambda *_, value=value: value})
        except TypeError:
            pass
    assert live_handles() == {**before, "Document": before["Document"] + 1}
    document.close()
    assert live_handles() == before


def test_memory_stays_the_same(native_bytes):
    document = parse(XML)
    context = document.xpath_new_context()
    compiled = XPath("f($v)[1]/..", functions={"f": lambda nodes: nodes})
    limited = {"max_operations": 5, "functions": {"f": lambda nodes: nodes}}

    def evaluate():
        compiled(document, variables={"v": list(document.root)})
        document.xpathEval("f(//b, $v)", functions={"f": lambda *_: "x" * 100}, variables={"v": "y" * 100})
        document.xpathEval("//q:b", namespaces={"q": "urn:p"})
        context.register_variable("v", list(document.root))
        context.eval("$v")
        for expression, options in (("f(//b)", {}), ("f($v)", limited), ("$w", {"variables": {"v": "x" * 100}})):
            with pytest.raises(XPathError):
                document.xpathEval(expression, **options)
        with pytest.raises(ZeroDivisionError):
            document.xpathEval("f(//b, 'x')", functions={"f": lambda *_: 1 / 0})
        with pytest.raises(TypeError):
            document.xpathEval("f(//b, 'x')", functions={"f": lambda *_: None})

    for _ in range(50):
        evaluate()
    before = native_bytes()
    for _ in range(300):
        evaluate()
    assert abs(native_bytes() - before) < 20_000


def test_signal_handler_that_raises_in_a_function_ends_the_evaluation(document):
    def on_alarm(*_):
        raise Mine

    before = signal.signal(signal.SIGALRM, on_alarm)
    try:
        with pytest.raises(Mine):
            document.xpathEval("//b[f()]", functions={"f": lambda: signal.raise_signal(signal.SIGALRM)})
    finally:
        signal.signal(signal.SIGALRM, before)
    assert document.xpathEval("count(//b)") == 2


def test_a_private_method_takes_any_number(document):
    """What the module's own code calls does no harm when others call it."""
    assert document._take(2**63) is None


def test_private_methods_take_any_owner(document):
    with pytest.raises(TypeError):
        document._evaluate(document, document, "1", (None, None, None, (0, None)))
    assert document._evaluate(None, document.root, "1", (None, None, None, (0, None))) == 1
    with pytest.raises(AttributeError):
        document._evaluate(None, document.root, "f()", (None, None, {"f": len}, (0, None)))
    other = parse(XML)
    with pytest.raises(ValueError, match="the owner is another document"):
        document._evaluate(other, document.root, "f(.)", (None, None, {"f": len}, (0, None)))
    document.root.remove()
    gc.collect()
    document.close()
    other.close()


# Functions that change the tree

CHANGES = {
    "remove": lambda document, nodes: nodes[0].remove(),
    "remove the root": lambda document, nodes: document.root.remove(),
    "clear": lambda document, nodes: document.root.clear(),
    "append": lambda document, nodes: document.root.append(nodes[0]),
    "move": lambda document, nodes: nodes[1].before(nodes[0]),
    "replace": lambda document, nodes: nodes[1].replace_with(nodes[0]),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_function_that_changes_the_tree_is_refused(document, change):
    before = document.root.to_string()
    for expression in ("f(//b)", "//b[f(//b)]", "count(//b[f(//b)]/@k)"):
        with pytest.raises(BusyError, match="such as the one that runs this function"):
            document.xpathEval(expression, functions={"f": lambda nodes: bool(change(document, nodes))})
    assert document.root.to_string() == before
    change(document, document.xpathEval("//b"))


def test_function_that_changes_another_tree(document):
    other = parse(XML)

    def function(nodes):
        other.root.clear()
        return nodes

    assert len(document.xpathEval("f(//b)", functions={"f": function})) == 2
    assert other.root.children == []


def test_unlinked_nodes_are_values(document):
    b = document.xpathEval("//b")[0]
    b.remove()
    assert document.xpathEval("string($v)", variables={"v": b}) == "one"
    assert document.xpathEval("count($v/ancestor::*)", variables={"v": b}) == 0
    assert document.xpathEval("count($v | //b)", variables={"v": b}) == 2
    assert document.xpathEval("f(//b)", functions={"f": lambda nodes: [*nodes, b]}) == [*document.xpathEval("//b"), b]
    assert b.xpathEval("string(@k)") == "v"
    kept = []
    assert b.xpathEval("f(.)", functions={"f": lambda nodes: kept.extend(nodes) or "x"}) == "x"
    assert kept[0] is b


def test_removed_nodes_of_a_context_stay(document):
    context = document.xpath_new_context()
    context.set_node(document.root.children[0])
    context.register_variable("v", list(document.root))
    for node in document.root.children:
        node.remove()
    del node
    gc.collect()
    strings = [parse(f"<a>{number}</a>") for number in range(50)]
    assert context.eval("string(.)") == "one"
    assert [node.text for node in context.eval("$v")][:2] == ["one", "two"]
    context.register_variable("v", 1)
    context.set_node(document.root)
    gc.collect()
    assert context.eval("count(*) + $v") == 1
    assert len(strings) == 50
    context.close()


def test_nodes_that_an_evaluation_found_may_be_removed(document):
    for node in document.xpathEval("//b[f(.)]", functions={"f": lambda nodes: True}):
        node.remove()
    del node
    assert document.xpathEval("count(//b)") == 0
    document.close()
