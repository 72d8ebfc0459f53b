"""XInclude: elements are replaced by other documents, by parts of them, and by texts."""

import gc
import os
import threading

import pytest
from documents import silent
from xml_safe import (
    BusyError,
    ClosedError,
    Document,
    Error,
    ParseError,
    XIncludeError,
    live_handles,
    parse,
    parse_file,
)

XI = "xmlns:xi='http://www.w3.org/2001/XInclude'"


@pytest.fixture(autouse=True)
def nothing_is_left(capfd):
    gc.collect()
    before = live_handles()
    yield
    gc.collect()
    assert live_handles() == before
    silent(capfd)


def files(**contents):
    """A resolver of these files, which notes what it was asked for."""

    def resolve(system, public):
        assert public is None
        asked.append(system)
        # libxml2 2.13 and newer leave "./" in an address.
        return contents.get(system.removeprefix("./").replace(".", "_").replace("/", "__"))

    asked = resolve.asked = []
    return resolve


def included(xml, *, count=1, **contents):
    """The text of a document after its inclusions, without the declaration of the prefix."""
    doc = parse(xml)
    resolve = files(**contents)
    assert doc.xinclude(external=resolve) == count
    return doc.to_string().strip().replace(f" {XI}".replace("'", '"'), "")


def test_a_document_is_included():
    assert included(f"<r {XI}>a<xi:include href='b.xml'/>c</r>", b_xml="<b>x<c/></b>") == (
        '<r>a<b xml:base="b.xml">x<c/></b>c</r>'
    )


def test_all_top_level_nodes_but_the_dtd_are_included():
    b = "<!DOCTYPE b [<!ENTITY e 'text'>]><?p i?><!--c--><b>&e;</b><!--d-->"
    assert included(f"<r {XI}><xi:include href='b.xml'/></r>", b_xml=b) == (
        '<r><?p i?><!--c--><b xml:base="b.xml">text</b><!--d--></r>'
    )


def test_a_text_is_included():
    doc = parse(f"<r {XI}>a<xi:include href='b.txt' parse='text'/>c</r>")
    assert doc.xinclude(external=files(b_txt="<b>&amp;\r\n")) == 1
    assert doc.root.text == "a<b>&amp;\r\nc"
    assert len(doc.root.children) == 3


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        ("é", None, "é"),
        ("é".encode(), None, "é"),
        (b"\xef\xbb\xbf\xc3\xa9", None, "é"),
        ("é".encode("utf-16"), None, "é"),
        ("é".encode("latin-1"), "ISO-8859-1", "é"),
        ("é".encode("utf-16-be"), "utf_16_be", "é"),
        (b"<?xml encoding='latin-1'?>", None, "<?xml encoding='latin-1'?>"),
        (b"", None, ""),
    ],
)
def test_encodings_of_texts(data, encoding, text):
    attribute = f"encoding='{encoding}'" if encoding else ""
    doc = parse(f"<r {XI}><xi:include href='b' parse='text' {attribute}/></r>")
    doc.xinclude(external=lambda system, public: data)
    assert doc.root.text == text


@pytest.mark.parametrize(
    ("data", "encoding", "error"),
    [
        (b"\xff", "", ParseError),
        (b"x", "encoding='nope'", ParseError),
        (b"x", "encoding='idna'", ParseError),
        (b"a\0", "", XIncludeError),
        ("a\0", "", XIncludeError),
        ("a\x01", "", XIncludeError),
        ("\uffff", "", XIncludeError),
    ],
)
def test_what_is_no_text_changes_nothing(data, encoding, error):
    doc = parse(f"<r {XI}><xi:include href='b' parse='text' {encoding}><xi:fallback/></xi:include></r>")
    unchanged(doc, error, lambda system, public: data)


def unchanged(doc, error, external=None, match=None, **options):
    before, root = doc.to_string(), doc.root
    with pytest.raises(error, match=match) as caught:
        doc.xinclude(external=external, **options)
    assert doc.to_string() == before
    assert doc.root is root
    return caught.value


def test_inclusions_within_inclusions():
    assert (
        included(
            f"<r {XI}><xi:include href='d/b.xml'/></r>",
            count=3,
            d__b_xml=f"<b {XI}><xi:include href='c.xml'/><xi:include href='e.txt' parse='text'/></b>",
            d__c_xml="<c/>",
            d__e_txt="text",
        )
        == '<r><b xml:base="d/b.xml"><c xml:base="c.xml"/>text</b></r>'
    )


def test_an_inclusion_as_the_root_of_an_included_document():
    assert (
        included(
            f"<r {XI}><xi:include href='d/b.xml'/></r>",
            count=2,
            d__b_xml=f"<xi:include {XI} href='e/c.xml'/>",
            d__e__c_xml="<c/>",
        )
        == '<r><c xml:base="d/e/c.xml"/></r>'
    )


def test_bases_are_those_of_the_sources():
    doc = parse(
        f"<r {XI} xml:base='http://h/a/'><xi:include href='b/b.xml'/><s xml:base='s/'><xi:include href='t'/></s></r>"
    )
    found = {"http://h/a/b/b.xml": "<b xml:base='c/'><d/></b>", "http://h/a/s/t": "<t/>"}
    assert doc.xinclude(external=lambda system, public: found[system]) == 2
    b, s = doc.root
    assert (b.base, b.first_child.base) == ("http://h/a/b/c/", "http://h/a/b/c/")
    assert s.first_child.base == "http://h/a/s/t"
    assert b.get("{http://www.w3.org/XML/1998/namespace}base") == "b/c/"


def test_the_root_is_replaced():
    assert included(f"<xi:include {XI} href='b.xml'/>", b_xml="<!--c--><b/>") == '<!--c-->\n<b xml:base="b.xml"/>'


@pytest.mark.parametrize("b", ["text", "<!--c-->", "<b/><b/>"])
def test_a_root_is_replaced_by_one_element(b):
    doc = parse(f"<xi:include {XI} href='x'><xi:fallback>{b}</xi:fallback></xi:include>")
    unchanged(doc, XIncludeError)


POINTED = f"""<!DOCTYPE r [<!ATTLIST a key ID #IMPLIED>]>
<r {XI} xmlns:p='urn:p'><a key='k'>one<b>two</b><c/></a><p:a xml:id='x'>three</p:a><!--c--></r>"""


@pytest.mark.parametrize(
    ("pointer", "found"),
    [
        ("k", "<a>"),
        ("x", "<p:a>"),
        ("element(/1/1/2)", "<c>"),
        ("element(k)", "<a>"),
        ("element(k/1)", "<b>"),
        ("element(/1)", "<r>"),
        ("xpointer(//b)", "<b>"),
        ("xpointer(//b | //c)", "<b><c>"),
        ("xpointer(id('k')/b/text())", "two"),
        ("xpointer(//comment())", "<!--"),
        ("xpointer(/)", "<r>"),
        ("xmlns(q=urn:p)xpointer(//q:a)", "<p:a>"),
        ("xmlns( q = urn:p ) element(/1/2)", "<p:a>"),
        ("xpointer(//nothing)xpointer(//b)", "<b>"),
        ("unknown(x^^^)^(y)xpointer(//b)", "<b>"),
        ("p:own(x)element(k)", "<a>"),
        ("xpointer(//b[string() != '^)'])", "<b>"),
    ],
)
def test_an_xpointer_includes_the_nodes_that_it_names(pointer, found):
    pointer = pointer.replace("'", "&apos;")
    doc = parse(f"<d {XI}><xi:include href='r.xml' xpointer='{pointer}'/></d>")
    assert doc.xinclude(external=files(r_xml=POINTED)) == 1
    seen = ""
    for child in doc.root.children:
        seen += {"element": f"<{child.xpathEval('name(.)')}>", "comment": "<!--"}.get(child.type, child.text)
    assert seen == found


@pytest.mark.parametrize(
    "pointer", ["nothing", "element(/1/9)", "element(nothing/1)", "xpointer(//nothing)", "unknown(x)", ""]
)
def test_a_pointer_that_finds_nothing_is_for_the_fallback(pointer):
    xml = f"<d {XI}><xi:include href='r.xml' xpointer='{pointer}'><xi:fallback>f</xi:fallback></xi:include></d>"
    assert included(xml, r_xml=POINTED) == "<d>f</d>"
    doc = parse(xml.replace("<xi:fallback>f</xi:fallback>", ""))
    unchanged(doc, XIncludeError, files(r_xml=POINTED), match="finds nothing")


@pytest.mark.parametrize(
    "pointer",
    [
        "a b", "1", "xpointer(", "xpointer(a", "xpointer(a))", "xpointer(^x)", "(a)", "xmlns(a)x", "xmlns(a)",
        "element()", "element(/)", "element(/0)", "element(/x)", "element(/1/)", "element(1)", "element(k//1)",
        "xpointer(//b[)", "xpointer(f())", "xpointer(q:b)", "xpointer($v)", "xpointer(1)", "xpointer(&apos;x&apos;)",
        "xpointer(//@key)", "xpointer(//namespace::*)", "xpointer(true())", "xpointer(here())", "xpointer(1 to 2)",
    ],
)  # fmt: skip
def test_wrong_pointers_change_nothing(pointer):
    doc = parse(f"<d {XI}><xi:include href='r.xml' xpointer='{pointer}'><xi:fallback/></xi:include></d>")
    error = unchanged(doc, XIncludeError, files(r_xml=POINTED))
    assert error.href == "r.xml"


def test_parts_of_the_same_document():
    doc = parse(
        f"<r {XI}><a xml:id='x'>one<b/></a><xi:include xpointer='x'/><xi:include href='' xpointer='element(/1/1/1)'/></r>"
    )
    a = doc.root.first_child
    assert doc.xinclude() == 2
    assert [child.name for child in doc.root] == ["a", "a", "b"]
    assert doc.root.first_child is a
    assert doc.xpathEval("id('x')") == [a]


def test_a_part_is_included_as_it_was_before():
    xml = f"<r {XI}><a xml:id='x'><xi:include xpointer='y'/></a><b xml:id='y'>text</b><xi:include xpointer='x'/></r>"
    doc = parse(xml)
    assert doc.xinclude() == 3
    assert [child.text for child in doc.root] == ["text"] * 3
    assert doc.xpathEval("count(//b)") == 3


def test_a_fallback_is_included_where_a_document_is_missing():
    xml = f"""<r {XI}><xi:include href='a.xml'><x/><xi:fallback>one<xi:include href='b.xml'/></xi:fallback>y</xi:include></r>"""
    assert included(xml, count=2, b_xml="<b/>") == '<r>one<b xml:base="b.xml"/></r>'
    assert included(xml, a_xml="<a/>") == '<r><a xml:base="a.xml"/></r>'
    doc = parse(xml)
    error = unchanged(doc, XIncludeError, files(), match="b.xml is not read: the resolver returned None")
    assert error.href == "b.xml"
    doc = parse(f"<r {XI}>a<xi:include href='a.xml'><xi:fallback/></xi:include>b</r>")
    assert doc.xinclude() == 1
    assert doc.root.text == "ab"


def test_a_malformed_document_is_no_case_for_a_fallback():
    doc = parse(f"<r {XI}><xi:include href='b.xml'><xi:fallback/></xi:include></r>")
    error = unchanged(doc, ParseError, files(b_xml="<b>\n<c></b>"))
    assert (error.line, error.file) == (2, "b.xml")


@pytest.mark.parametrize(
    "element",
    [
        "<xi:include/>",
        "<xi:include href=''/>",
        "<xi:include href='b.xml#x'/>",
        "<xi:include href='b.xml' parse='html'/>",
        "<xi:include href='b.xml' parse='text' xpointer='x'/>",
        "<xi:include parse='text'/>",
        "<xi:include href='http://['/>",
        "<xi:include href='b.xml'><xi:fallback/><xi:fallback/></xi:include>",
        "<xi:include href='b.xml'><xi:include href='c.xml'/></xi:include>",
        "<xi:include href='b.xml'><xi:other/></xi:include>",
        "<xi:fallback/>",
        "<a><xi:fallback/></a>",
    ],
)
def test_wrong_elements_change_nothing(element):
    doc = parse(f"<r {XI}>\n<xi:include href='b.xml'/>{element}</r>")
    error = unchanged(doc, XIncludeError, files(b_xml="<b/>"))
    assert error.line == 2
    assert error.file is None
    assert "line 2" in str(error)


def test_errors_say_where_the_element_is():
    doc = parse(f"<r {XI}>\n\n<xi:include href='b.xml'/></r>")
    error = unchanged(doc, XIncludeError, files(b_xml=f"<b {XI}>\n<xi:include href='c.xml'/></b>"))
    assert (error.file, error.line, error.href) == ("b.xml", 2, "c.xml")
    assert isinstance(error, Error)


def test_other_elements_stay():
    xml = f"<r {XI}><include href='b.xml'/><xi:other/><x:include xmlns:x='urn:x' href='b.xml'/></r>"
    doc = parse(xml)
    before = doc.to_string()
    assert doc.xinclude() == 0
    assert doc.to_string() == before
    assert Document().xinclude() == 0


@pytest.mark.parametrize(
    "contents",
    [
        {"b_xml": f"<b {XI}><xi:include href='b.xml'/></b>"},
        {"b_xml": f"<b {XI}><xi:include href='c.xml'/></b>", "c_xml": f"<c {XI}><xi:include href='b.xml'/></c>"},
        {"b_xml": f"<xi:include {XI} href='./b.xml'/>"},
        {"b_xml": f"<b {XI}><a xml:id='x'><xi:include xpointer='x'/></a></b>"},
        {"b_xml": f"<b {XI}><xi:include xpointer='element(/1)'/></b>"},
        {
            "b_xml": f"<b {XI}><xi:include href='z'><xi:fallback><xi:include href='b.xml'/></xi:fallback></xi:include></b>"
        },
    ],
)
def test_loops_are_errors(contents):
    doc = parse(f"<r {XI}><xi:include href='b.xml'/></r>")
    unchanged(doc, XIncludeError, files(**contents), match="includes itself|deeper")


def test_a_document_that_includes_itself():
    doc = parse(f"<r {XI}><xi:include href='a.xml'/></r>")
    doc.url = "a.xml"
    unchanged(doc, XIncludeError, files(), match="includes itself")
    doc = parse(f"<r {XI}><xi:include xpointer='element(/1)'/></r>")
    unchanged(doc, XIncludeError, match="includes itself")
    doc = parse(f"<r {XI}><xi:include href='b.xml'/></r>")
    doc.url = "d/a.xml"
    unchanged(doc, XIncludeError, files(d__b_xml=f"<xi:include {XI} href='a.xml'/>"), match="includes itself")


def test_inclusions_beyond_the_limits_are_refused():
    doc = parse(f"<r {XI}><xi:include href='1'/></r>")

    def next_one(system, public):
        return f"<b {XI}><xi:include href='{int(system) + 1}'/></b>"

    unchanged(doc, XIncludeError, next_one, match="nested deeper than 40")
    unchanged(doc, XIncludeError, next_one, match="nested deeper than 3", max_depth=3)
    unchanged(doc, XIncludeError, next_one, match="more than 1000 inclusions", max_depth=100_000)
    unchanged(doc, XIncludeError, next_one, match="nested deeper than 0", max_depth=0)

    def ten_more(system, public):
        return f"<b {XI}>" + f"<xi:include href='{int(system) + 1}'/>" * (10 if int(system) < 5 else 0) + "</b>"

    unchanged(doc, XIncludeError, ten_more, match="more than 1000 inclusions")
    unchanged(doc, XIncludeError, ten_more, match="more than 5 inclusions", max_inclusions=5)
    for wrong in ({"max_depth": -1}, {"max_inclusions": "x"}, {"external": 1}):
        with pytest.raises((TypeError, ValueError)):
            doc.xinclude(**wrong)
    for name in ("max_depth", "max_inclusions"):
        for wrong in (-1, 2**64, -(10**5000)):
            with pytest.raises(ValueError, match=f"{name} is an integer from 0 to"):
                doc.xinclude(**{name: wrong})


def test_deep_chains_need_no_stack():
    def next_one(system, public):
        number = int(system) + 1
        return f"<b {XI}>" + (f"<xi:include href='{number}'/>" if number < 3000 else "") + "</b>"

    found = []

    def work():
        doc = parse(f"<r {XI}><xi:include href='1'/></r>")
        doc.xinclude(external=next_one, max_depth=10_000, max_inclusions=10_000)
        found.append(doc.xpathEval("count(//b)"))

    former = threading.stack_size(1 << 18)
    try:
        thread = threading.Thread(target=work)
        thread.start()
    finally:
        threading.stack_size(former)
    thread.join()
    assert found == [2999]


def test_a_document_is_read_once():
    resolve = files(b_xml="<b/>")
    doc = parse(f"<r {XI}>" + "<xi:include href='b.xml'/>" * 3 + "</r>")
    assert doc.xinclude(external=resolve) == 3
    assert resolve.asked == ["b.xml"]


def test_files_in_a_folder(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "a.xml").write_text(f"<r {XI}><xi:include href='d/b c.xml'/></r>")
    (tmp_path / "d" / "b c.xml").write_text(
        f"<!DOCTYPE b [<!ENTITY e SYSTEM 'e.txt'>]><b {XI}>&e;<xi:include href='../t.txt' parse='text'/></b>"
    )
    (tmp_path / "d" / "e.txt").write_text("entity")
    (tmp_path / "t.txt").write_text("text")
    for doc in (parse_file(tmp_path / "a.xml"), parse((tmp_path / "a.xml").read_bytes())):
        assert doc.xinclude(external=tmp_path) == 2
        assert doc.root.text == "entitytext"
        folder = doc.url.removesuffix("a.xml") if doc.url else ""
        # libxml2 2.13 and newer do not escape a path.
        assert doc.root.first_child.base in (f"{folder}d/b%20c.xml", f"{folder}d/b c.xml")


def test_nothing_else_is_read(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "in" / "link.txt").symlink_to(tmp_path / "secret.txt")
    os.mkfifo(tmp_path / "in" / "fifo")
    for href in (
        "../secret.txt", str(tmp_path / "secret.txt"), f"file://{tmp_path}/secret.txt", "link.txt", "fifo", "missing",
        "/etc/passwd", "/dev/zero", "-", "http://localhost:1/x", "ftp://x/y", ".", "..%2Fsecret.txt",
    ):  # fmt: skip
        doc = parse(f"<r {XI}><xi:include href='{href}' parse='text'/></r>")
        unchanged(doc, XIncludeError, tmp_path / "in", match="is not read")
        unchanged(doc, XIncludeError, None, match="xinclude was given no `external`")
    doc = parse(f"<r {XI}><xi:include href='b.xml'/></r>")
    b = "<!DOCTYPE b [<!ENTITY e SYSTEM '../secret.txt'>]><b>&e;</b>"
    (tmp_path / "in" / "b.xml").write_text(b)
    unchanged(doc, ParseError, tmp_path / "in", match="is not read")
    unchanged(doc, ParseError, lambda system, public: b if system == "b.xml" else None, match="is not read")


def test_exceptions_of_the_resolver_come_out():
    doc = parse(f"<r {XI}><xi:include href='b.xml'><xi:fallback/></xi:include></r>")

    def failing(system, public):
        raise KeyError(system)

    assert unchanged(doc, KeyError, failing).args == ("b.xml",)
    unchanged(doc, TypeError, lambda system, public: 1)
    unchanged(doc, UnicodeEncodeError, lambda system, public: "\ud800")


def test_a_resolver_cannot_use_the_document():
    doc = parse(f"<r {XI}><xi:include href='b.xml'/></r>")
    root = doc.root
    seen = []

    def resolve(system, public):
        for use in (
            lambda: doc.root,
            lambda: root.name,
            lambda: doc.close(),
            lambda: doc.xinclude(),
            lambda: root.remove(),
        ):
            with pytest.raises(BusyError):
                use()
            seen.append(use)
        other = parse(f"<o {XI}><xi:include href='p'/></o>")
        other.xinclude(external=lambda system, public: "<p/>")
        return other.to_bytes()

    assert doc.xinclude(external=resolve) == 1
    assert len(seen) == 5
    assert doc.xpathEval("name(/*/*/*)") == "p"


def test_replaced_nodes_stay_usable():
    doc = parse(f"<r {XI}><xi:include href='b.xml'><xi:fallback>text<c/></xi:fallback></xi:include></r>")
    include = doc.root.first_child
    c = include.first_child.last_child
    assert doc.xinclude(external=files(b_xml="<b/>")) == 1
    assert (include.parent, include.name, c.name, include.text) == (None, "include", "c", "text")
    assert live_handles()["Node"] == 1
    del include
    assert c.parent.name == "fallback"
    doc.root.append(c)
    assert [child.name for child in doc.root] == ["b", "c"]


def test_views_and_iterators_go_on():
    doc = parse(f"<r {XI}><a/><xi:include href='b.xml'/><c/></r>")
    it = iter(doc.root)
    assert next(it).name == "a"
    doc.xinclude(external=files(b_xml="<b/>"))
    assert [child.name for child in doc.root] == ["a", "b", "c"]
    assert all(child.name for child in it)


def test_namespaces_of_what_is_included():
    doc = parse(
        f"<r xmlns='urn:d' {XI}><xi:include href='b.xml'/><xi:include href='b.xml' xpointer='element(/1/1)'/></r>"
    )
    doc.xinclude(external=files(b_xml="<b xmlns:p='urn:p'><p:c p:k='1'/></b>"))
    again = parse(doc.to_string())
    b, c = again.root
    assert b.xpathEval("namespace-uri(.)") == ""
    assert c.attributes["{urn:p}k"] == "1"
    assert doc.equals(again)


def test_ids_of_what_is_included():
    doc = parse(f"<r {XI}><xi:include href='b.xml'/></r>")
    doc.xinclude(external=files(b_xml="<b xml:id='x'/>"))
    assert doc.xpathEval("id('x')") == [doc.root.first_child]


def test_texts_stay_beside_each_other():
    doc = parse(f"<r {XI}>a<xi:include href='t' parse='text'/><xi:include href='t' parse='text'/>b</r>")
    a = doc.root.first_child
    doc.xinclude(external=files(t="t"))
    assert [child.text for child in doc.root.children] == ["a", "t", "t", "b"]
    assert doc.root.first_child is a


def test_a_closed_document_includes_nothing():
    doc = parse(f"<r {XI}/>")
    doc.close()
    with pytest.raises(ClosedError):
        doc.xinclude()


def test_an_error_releases_what_was_read(native_bytes):
    doc = parse(f"<r {XI}><xi:include href='b.xml'/><xi:include href='c.xml'/></r>")
    resolve = files(b_xml="<b xml:id='x'>" + "<c>text</c>" * 1000 + "</b>")

    def work():
        for _ in range(20):
            with pytest.raises(XIncludeError):
                doc.xinclude(external=resolve)
        gc.collect()
        return native_bytes()

    work()
    before = work()
    assert abs(work() - before) < 20_000
    assert doc.xpathEval("id('x')") == []
    assert live_handles()["Document"] == 1
    assert live_handles()["Node"] == 0


def test_an_element_that_was_made_here_has_no_line():
    doc = Document()
    include = doc.create_element("{http://www.w3.org/2001/XInclude}include", prefix="xi")
    doc.append_element("r").append(include)
    include.set("href", "b.xml")
    error = unchanged(doc, XIncludeError, files())
    assert error.line == 0
    assert str(error).startswith("the document: ")
