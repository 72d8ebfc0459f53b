"""`xml_safe.libxml2`: programs for the official binding run unchanged but for the import line."""

import gc
import subprocess
import weakref

import pytest
import xml_safe
import xml_safe.libxml2 as libxml2

OURS = "import xml_safe.libxml2 as libxml2"
OFFICIAL = "import libxml2"
OFFICIAL_PYTHON = "/usr/bin/python3"

PARSE_A_FILE = """
doc = libxml2.parseFile("test.xml")
res = doc.xpathEval("/foo//bar")
doc.freeDoc()
"""
CATCH_A_MISTAKE = """
doc = libxml2.parseDoc("<foo><x><bar/></x></foo>")
ctxt = doc.xpathNewContext()
ctxt.setContextNode(doc.getRootElement())
try:
    ctxt.xpathEval("//bar[")
except libxml2.xpathError:
    pass
ctxt.xpathFreeContext()
doc.freeDoc()
"""
ANSWERS = """
doc = libxml2.parseFile("test.xml")
for expr in ("/foo//bar", "//@k", "//text()", "//comment()", "/", "//zz"):
    print(expr, [(n.name, n.type, n.content) for n in doc.xpathEval(expr) if n.type != "document_xml"])
for expr in ("count(//bar)", "string(//bar)", "1 div 0", "//bar = 'one'", "//bar = 'three'", "1 = 2"):
    print(expr, doc.xpathEval(expr))
root = doc.getRootElement()
print(root.name, root.content, root.prop("k"), root.children.name, root.children.next.name)
print([n.nodePath() for n in root.xpathEval("x/bar")])
ctxt = doc.xpathNewContext()
print(ctxt.xpathRegisterNs("p", "urn:p"))
ctxt.setContextNode(root)
print([n.name for n in ctxt.xpathEval("x/bar")], [n.name for n in ctxt.xpathEval("//p:y")])
for expr in ("//bar[", "foo()", "//q:b", "count(1)"):
    for evaluate in (doc.xpathEval, ctxt.xpathEval):
        try:
            print(evaluate(expr))
        except libxml2.xpathError:
            print("xpathError")
for parse, source in ((libxml2.parseFile, "missing.xml"), (libxml2.parseDoc, "<a>")):
    try:
        parse(source)
    except libxml2.parserError:
        print("parserError")
ctxt.xpathFreeContext()
doc.freeDoc()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "test.xml").write_text(
        "<foo k='v'><x><bar k='1'>one</bar><bar>two</bar></x><p:y xmlns:p='urn:p'/><!--c--></foo>"
    )
    return tmp_path


@pytest.mark.parametrize("program", [PARSE_A_FILE, CATCH_A_MISTAKE])
def test_programs_run_and_say_nothing(program, folder, run_python):
    ended = run_python("-c", OURS + program, cwd=folder)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_the_same_answers_as_the_official_binding(folder, run_python):
    command = [OFFICIAL_PYTHON, "-c", OFFICIAL + ANSWERS]
    try:
        official = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=60, env={"LC_ALL": "C.UTF-8"}
        )
    except OSError:
        pytest.skip("no official binding here")
    if "ModuleNotFoundError" in official.stderr:
        pytest.skip("no official binding here")
    assert official.returncode == 0, official.stderr
    ours = run_python("-c", OURS + ANSWERS, cwd=folder)
    assert ours.stdout == official.stdout
    assert (ours.returncode, ours.stderr) == (0, "")


def test_first_program_finds_its_nodes(folder, monkeypatch):
    monkeypatch.chdir(folder)
    doc = libxml2.parseFile("test.xml")
    found = doc.xpathEval("/foo//bar")
    assert [(n.name, n.content) for n in found] == [("bar", "one"), ("bar", "two")]
    doc.freeDoc()
    with pytest.raises(ValueError):
        found[0].content


def test_everything_may_be_freed_twice():
    doc = libxml2.parseDoc("<a/>")
    context = doc.xpathNewContext()
    for _ in range(3):
        context.xpathFreeContext()
    for _ in range(3):
        doc.freeDoc()
    context.xpathFreeContext()


def test_everything_may_be_freed_in_the_wrong_order():
    doc = libxml2.parseDoc("<a/>")
    context = doc.xpathNewContext()
    context.setContextNode(doc.getRootElement())
    doc.freeDoc()
    with pytest.raises(xml_safe.ClosedError):
        context.xpathEval("//a")
    context.xpathFreeContext()


def test_nothing_has_to_be_freed():
    doc = libxml2.parseDoc("<a><b/></a>")
    context = doc.xpathNewContext()
    context.setContextNode(doc.getRootElement())
    found = context.xpathEval("b")
    del doc, context
    gc.collect()
    assert xml_safe.live_handles()["XPathContext"] == 0
    assert found[0].name == "b"
    del found
    gc.collect()
    assert xml_safe.live_handles()["Document"] == 0


def test_use_after_free():
    doc = libxml2.parseDoc("<a><b/></a>")
    root, context = doc.getRootElement(), doc.xpathNewContext()
    doc.freeDoc()
    for use in (
        lambda: doc.xpathEval("//b"),
        lambda: doc.getRootElement(),
        lambda: doc.xpathNewContext(),
        lambda: root.name,
        lambda: root.xpathEval("b"),
        lambda: context.setContextNode(root),
    ):
        with pytest.raises(xml_safe.ClosedError):
            use()


def test_mistakes_lose_nothing(native_bytes):
    doc = libxml2.parseDoc("<a/>")

    def make(mistakes):
        for _ in range(mistakes):
            for expr in ("//a[", "foo()", "//q:b"):
                with pytest.raises(libxml2.xpathError):
                    doc.xpathEval(expr)
            with pytest.raises(libxml2.parserError):
                libxml2.parseDoc("<a>")

    make(100)
    before = native_bytes()
    make(1000)
    assert native_bytes() - before < 64 * 1024


def test_errors_tell_more_than_the_official_ones():
    with pytest.raises(libxml2.parserError) as caught:
        libxml2.parseDoc("<a></b>")
    assert isinstance(caught.value.__cause__, xml_safe.ParseError)
    with pytest.raises(libxml2.xpathError) as caught:
        libxml2.parseDoc("<a/>").xpathEval("foo()")
    assert isinstance(caught.value.__cause__, xml_safe.XPathError)
    assert str(caught.value)
    assert issubclass(libxml2.xpathError, libxml2.libxmlError)


def test_wrong_types_and_nuls():
    doc = libxml2.parseDoc("<a/>")
    for expr in (None, 1, b"//a"):
        with pytest.raises(TypeError):
            doc.xpathEval(expr)
    with pytest.raises(ValueError):
        doc.xpathEval("//a\0")


def test_walking():
    doc = libxml2.parseDoc("<a><b>x</b><c/></a>")
    assert [n.name for n in doc.getRootElement().walk_depth_first() if n.type == "element"] == ["a", "b", "c"]
    first = doc.getRootElement().children
    assert (first.name, first.next.name, first.next.next) == ("b", "c", None)
    assert first.parent == doc.getRootElement()


def test_a_node_keeps_its_document():
    doc = libxml2.parseDoc("<a>x</a>")
    reference, root = weakref.ref(doc), doc.getRootElement()
    del doc
    gc.collect()
    assert reference() is None
    assert root.content == "x"
    assert root.doc.getRootElement() == root
