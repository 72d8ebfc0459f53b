"""Methods with bodies that CPython calls directly: arguments by position, by keyword, left out, and of other types."""

import pytest
import xml_safe


class Text(str):
    pass


@pytest.fixture
def root():
    return xml_safe.parse("<r/>").root


@pytest.mark.parametrize(
    ("arguments", "keywords", "written"),
    [
        (("a",), {}, "<r><a/></r>"),
        (("a", None), {}, "<r><a/></r>"),
        (("a", None, None), {}, "<r><a/></r>"),
        (("a", "t"), {}, "<r><a>t</a></r>"),
        (("a", "t", None), {}, "<r><a>t</a></r>"),
        (("a", "t", {"k": "v"}), {}, '<r><a k="v">t</a></r>'),
        (("a", None, {"k": "v"}), {}, '<r><a k="v"/></r>'),
        (("a",), {"text": "t"}, "<r><a>t</a></r>"),
        ((), {"name": "a", "attributes": {"k": "v"}}, '<r><a k="v"/></r>'),
        (("{u}a",), {"prefix": "p"}, '<r><p:a xmlns:p="u"/></r>'),
        ((Text("a"), Text("t")), {}, "<r><a>t</a></r>"),
    ],
)
def test_arguments_of_a_body(root, arguments, keywords, written):
    assert root.append_element(*arguments, **keywords).name == "a"
    assert root.to_string() == written


@pytest.mark.parametrize(
    ("arguments", "keywords", "error"),
    [
        ((), {}, TypeError),
        (("a", "t", None, "p"), {}, TypeError),
        (("a",), {"name": "a"}, TypeError),
        (("a",), {"other": "a"}, TypeError),
        ((1,), {}, TypeError),
        ((None,), {}, TypeError),
        (("a", 1), {}, TypeError),
        (("a", "t", 1), {}, TypeError),
        (("a\0",), {}, ValueError),
        (("\ud800",), {}, UnicodeEncodeError),
        (("a b",), {}, ValueError),
    ],
)
def test_arguments_that_do_not_fit_a_body(root, arguments, keywords, error):
    with pytest.raises(error):
        root.append_element(*arguments, **keywords)
    assert root.to_string() == "<r/>"


def test_error_names_the_argument(root):
    with pytest.raises(TypeError, match="str expected, not int") as raised:
        root.set("k", 1)
    assert getattr(raised.value, "__notes__", ["while processing 'value'"]) == ["while processing 'value'"]


def test_handles_among_the_arguments(root):
    other = xml_safe.parse("<o><x/></o>").root
    node = other.first_child
    root.append(node)
    root.append(node=node)
    assert (root.to_string(), other.to_string()) == ("<r><x/></r>", "<o/>")
    for wrong in [None, 1, "x", root.document]:
        with pytest.raises(TypeError):
            root.append(wrong)
    with pytest.raises(ValueError, match="below itself"):
        root.append(root)
    with pytest.raises(TypeError):
        xml_safe.Node.append(root.document, node)


def test_assignment_to_a_property_with_a_body(root):
    root.text = "t"
    root.name = Text("s")
    assert root.to_string() == "<s>t</s>"
    for wrong in [1, None, b"t"]:
        with pytest.raises(TypeError):
            root.text = wrong
    with pytest.raises(ValueError, match="U\\+0001"):
        root.text = "\x01"
    with pytest.raises(AttributeError):
        del root.text
    assert root.to_string() == "<s>t</s>"


def test_move_to_the_place_behind_the_last_child():
    root = xml_safe.parse("<r>a<b/>c<d/></r>").root
    first, last = root.children[0], root.children[-1]
    root.append(last)
    assert root.to_string() == "<r>a<b/>c<d/></r>"
    root.append(first)
    assert [node.text for node in root.children] == ["", "c", "", "a"]
    root.append(root.children[1])
    assert [node.text for node in root.children] == ["", "", "a", "c"]
    assert root.to_string() == "<r><b/><d/>ac</r>"
    document = xml_safe.parse("<!DOCTYPE r><r/>")
    comment = document.create_comment("c")
    document.root.after(comment)
    assert comment.previous == document.root
