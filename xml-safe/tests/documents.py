"""Helpers of the tests that read documents."""

import xml_safe


def silent(capfd):
    """Asserts that nothing was printed."""
    assert capfd.readouterr() == ("", "")


def walk(node):
    """The node and all nodes below it, in document order."""
    yield node
    for child in node.children:
        yield from walk(child)


def deep(depth, element="a", attributes=""):
    """A document of so many levels, or of as many as the parser takes, and their number."""
    text = f"<{element} {attributes}>" + f"<{element}>" * (depth - 1) + "x" + f"</{element}>" * depth
    try:
        return xml_safe.parse(text, huge=True), depth
    except xml_safe.ParseError:
        return deep(2_000, element, attributes)
