"""Paths: expressions that lead to one node, also where prefixes and namespaces are mixed."""

import pytest
from xml_safe import parse

LONG = "n" * 120

PATHS = {
    # Ordinary names stay as they are.
    "<r><a/><a/><b k='v'>t</b></r>": ["/r", "/r/a[1]", "/r/a[2]", "/r/b", "/r/b/@k", "/r/b/text()"],
    "<p:r xmlns:p='u'><p:a/><p:a p:k='v'/><a/></p:r>": [
        "/p:r",
        "/p:r/p:a[1]",
        "/p:r/p:a[2]",
        "/p:r/p:a[2]/@p:k",
        "/p:r/a",
    ],
    "<r xmlns='u'><a/><a xml:lang='x'/></r>": ["/*", "/*/*[1]", "/*/*[2]", "/*/*[2]/@xml:lang"],
    # One prefix with two namespaces.
    "<r><p:a xmlns:p='u'/><p:a xmlns:p='v'/><p:a xmlns:p='v'/></r>": ["/r", "/r/*[1]", "/r/*[2]", "/r/*[3]"],
    "<p:r xmlns:p='u'><p:a xmlns:p='v'><b/></p:a></p:r>": ["/p:r", "/*/p:a", "/*/p:a/b"],
    "<p:r xmlns:p='u'><b xmlns:p='v'><c/></b></p:r>": ["/p:r", "/*/b", "/*/b/c"],
    # Two prefixes with one namespace.
    "<r xmlns:p='u' xmlns:q='u'><p:a/><q:a/><p:b/></r>": ["/r", "/r/*[1]", "/r/*[2]", "/r/p:b"],
    # Names that libxml2 cuts.
    f"<p:{LONG} xmlns:p='u' p:{LONG}='v' k='w'/>": ["/*", "/*/@*[1]", "/*/@k"],
    f"<r><?{LONG} t?><?pi t?></r>": ["/r", "/r/processing-instruction()[1]", "/r/processing-instruction('pi')"],
    # Names without a namespace.
    "<r><p:a/><a/></r>": ["/r", "/r/*[1]", "/r/a"],
    "<r p:k='v' k='w'/>": ["/r", "/r/@*[1]", "/r/@k"],
}


def prefixes(node):
    return {prefix: uri for prefix, uri in node.namespaces.items() if prefix}


@pytest.mark.parametrize(("source", "paths"), PATHS.items())
def test_path_leads_to_one_node(source, paths):
    document = parse(source, recover=True)
    nodes = document.xpathEval("//node() | //@*")
    assert [node.path for node in nodes] == paths
    for node in nodes:
        assert document.xpathEval(node.path, namespaces=prefixes(node)) == [node]


def test_path_after_a_change():
    document = parse("<p:r xmlns:p='u'><p:a/><b/></p:r>")
    moved = parse("<p:a xmlns:p='v'><p:c/></p:a>").root
    document.root.append(moved)
    first, _, second = document.root.children
    assert (first.path, second.path, second.first_child.path) == ("/p:r/*[1]", "/*/*[3]", "/*/*[3]/p:c")
    for node in (first, second, second.first_child):
        assert document.xpathEval(node.path, namespaces=prefixes(node)) == [node]
    second.remove()
    assert first.path == "/p:r/p:a"


def test_every_path_leads_to_its_node():
    """Elements with every mixture of two prefixes, two namespaces and two names."""
    declared = ["", "xmlns:p='u'", "xmlns:p='v'", "xmlns:q='u'", "xmlns='u'", "xmlns=''"]
    names = ["a", "p:a", "q:a", "p:b"]
    inner = "".join(f"<{name} {it} k='1' p:k='2'>t<!--c--></{name}>" for name in names for it in declared)
    outer = "".join(f"<{name} {it}>{inner}</{name}>" for name in names for it in declared)
    document = parse(f"<r xmlns:p='v' xmlns:q='u'>{outer}</r>")
    for node in document.xpathEval("//node() | //@*")[::7]:
        assert document.xpathEval(node.path, namespaces=prefixes(node)) == [node]
