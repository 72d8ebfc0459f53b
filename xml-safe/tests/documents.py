"""Helpers of the tests that read documents."""


def silent(capfd):
    """Asserts that nothing was printed."""
    assert capfd.readouterr() == ("", "")


def walk(node):
    """The node and all nodes below it, in document order."""
    yield node
    for child in node.children:
        yield from walk(child)
