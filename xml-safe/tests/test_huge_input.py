"""Huge documents: long texts, many nodes, deep nesting."""

import os

import pytest
from documents import silent
from xml_safe import ParseError, XPathLimitError, parse, parse_file

HUGE = {
    # Entities between make libxml2 put the text together piece by piece, which is where it counts.
    "text in pieces": ("<a>", "x" * 999 + "&amp;", "</a>"),
    "CDATA": ("<a><![CDATA[", "x" * 1000, "]]></a>"),
    "attribute": ("<a k='", "x" * 1000, "'/>"),
}


@pytest.mark.parametrize("parts", HUGE.values(), ids=HUGE.keys())
@pytest.mark.parametrize("form", [str, str.encode], ids=["str", "bytes"])
def test_huge_text_is_read_with_huge_and_refused_otherwise(parts, form, capfd):
    """Before 2.13, libxml2 calls the text well-formed and keeps its first ten million characters."""
    before, thousand, after = parts
    data = form(before + thousand * 10_100 + after)
    with pytest.raises(ParseError) as caught:
        parse(data)
    assert caught.value.message
    root = parse(data, huge=True).root
    assert len(root.get("k") or root.text) == 10_100_000
    silent(capfd)


@pytest.mark.parametrize(
    "line", ["x" * 1000, "x" * 999 + "\n", "é" * 999 + "\n"], ids=["one run", "lines", "not ASCII"]
)
@pytest.mark.parametrize("form", [str, str.encode], ids=["str", "bytes"])
def test_text_is_never_cut_off(line, form, capfd):
    """Before 2.13, libxml2 takes any length of text that reaches it in one piece."""
    data = form("<a>" + line * 10_100 + "</a>")
    try:
        doc = parse(data)
    except ParseError:
        doc = parse(data, huge=True)
    assert len(doc.root.text) == 10_100_000
    silent(capfd)


@pytest.mark.slow
@pytest.mark.parametrize("line", ["x" * 999 + "\n", "x" * 999 + "&amp;"], ids=["lines", "pieces"])
def test_a_text_node_of_200_mb(line, tmp_path, capfd):
    path = tmp_path / "huge.xml"
    with open(path, "w") as file:
        file.write("<a>")
        file.writelines(line * 1000 for _ in range(200))
        file.write("</a>")
    try:
        assert len(parse_file(path).root.text) == 200_000_000
    except ParseError as error:
        assert error.message
    doc = parse_file(path, huge=True)
    assert doc.xpathEval("string-length(/a)") == 200_000_000
    assert len(doc.root.text) == 200_000_000
    assert len(doc.root.to_string()) == path.stat().st_size
    doc.close()
    silent(capfd)


@pytest.mark.slow
@pytest.mark.parametrize("size", [300_000_000, 2**31 - 1, 2**31, 2**32 + 5])
def test_a_huge_file(size, tmp_path, capfd):
    path = tmp_path / "huge.xml"
    path.write_bytes(b"<a>")
    os.truncate(path, size)
    for options in ({}, {"huge": True}):
        with pytest.raises((ParseError, OverflowError, MemoryError, OSError)):
            parse_file(path, **options)
    silent(capfd)


@pytest.mark.slow
def test_huge_bytes():
    """Lengths are `int` in much of libxml2: 2**32 + 5 bytes must not count as five."""
    data = b"<a/>" + b" " * (2**32 + 1)
    try:
        doc = parse(data, huge=True)
    except (ParseError, OverflowError, MemoryError):
        pass
    else:
        assert doc.root.name == "a"
    with pytest.raises((ParseError, OverflowError, MemoryError)):
        parse(data + b"x", huge=True)


def test_names_of_any_length():
    for n in (49_000, 51_000, 11_000_000):
        for options in ({}, {"huge": True}):
            try:
                doc = parse(f"<{'n' * n}/>", **options)
            except ParseError as error:
                assert error.message
            else:
                assert len(doc.root.name) == n


def test_deep_nesting_is_refused():
    with pytest.raises(ParseError):
        parse("<a>" * 3000 + "</a>" * 3000)
    assert parse("<a>" * 200 + "</a>" * 200).root.path == "/a"


def test_deep_nesting_is_read_if_asked():
    root = parse("<a>" * 2000 + "</a>" * 2000, huge=True).root
    deepest = root.xpathEval("//a[not(a)]")[0]
    assert deepest.path == "/a" * 2000
    assert root.to_string().count("<a") == 2000


def test_very_deep_nesting():
    """Newer versions of libxml2 have a limit here even for the huge."""
    data = "<a>" * 20_000 + "x" + "</a>" * 20_000
    try:
        doc = parse(data, huge=True)
    except ParseError:
        return
    assert doc.root.text == "x"
    assert doc.xpathEval("count(//a)") == 20_000
    assert len(doc.root.to_string()) == len(data)
    assert len(doc.xpathEval("//text()")[0].path) > 40_000


def test_many_attributes_and_namespaces():
    data = "<a " + " ".join(f"xmlns:n{i}='urn:{i}' n{i}:k='{i}'" for i in range(3000)) + "/>"
    doc = parse(data)
    assert len(doc.root.attributes) == 3000
    assert len(doc.xpathEval("/a/namespace::*")) == 3001


@pytest.mark.slow
@pytest.mark.parametrize("expression", ["//a", "count(//a)", "//a | //b"])
def test_node_set_beyond_the_limit_of_libxml2(expression):
    document = parse("<r>" + "<a/>" * 10_600_000 + "</r>", huge=True)
    with pytest.raises(XPathLimitError, match="node set") as caught:
        document.xpathEval(expression)
    assert caught.value.expression == expression
    assert len(document.xpathEval("/r/a[1]")) == 1
