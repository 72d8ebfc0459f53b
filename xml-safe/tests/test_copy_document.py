"""Copies of whole documents."""

import copy
import gc
import subprocess
import sys
import threading

import pytest
from documents import deep
from xml_safe import BusyError, ClosedError, Document, ParseError, parse, parse_file

FULL = """<?xml version="1.1" encoding="UTF-8" standalone="yes"?>
<!-- before --><?style sheet?>
<!DOCTYPE r [
<!ENTITY e "text<b/>">
<?first pi?>
<!-- in the DTD -->
<!ENTITY f "&e;more">
<!ENTITY unused "unused">
<!ENTITY % p "parameter">
<!ENTITY picture SYSTEM "a.png" NDATA png>
<!NOTATION png SYSTEM "png">
<!ELEMENT r ANY>
<!ATTLIST r key ID #IMPLIED kind (one|two) "one">
<?last pi?>
]>
<r key="k" xmlns="urn:d" xmlns:p="urn:p" xml:lang="en" a="&e2;">one&f;<p:c p:a="1" xml:id="x"><b xmlns=""/></p:c>
<![CDATA[<data>]]>&e;<?do it?><!--c--></r>
<!-- after -->
""".replace(' a="&e2;"', "")


pytestmark = pytest.mark.usefixtures("nothing_is_left")


@pytest.mark.parametrize("how", [Document.copy, copy.copy, copy.deepcopy])
def test_a_document_is_copied(how):
    doc = parse(FULL.encode())
    written = doc.to_bytes()
    again = how(doc)
    assert again is not doc and again != doc
    assert again.to_bytes() == written
    assert again.root.document is again
    doc.root.text = "changed"
    assert again.to_bytes() == written
    again.root.append(again.create_element("new"))
    assert "new" not in doc.to_string()


def test_a_copy_outlives_its_source():
    doc = parse(FULL)
    written, text = doc.to_string(), doc.root.text
    again = doc.copy()
    doc.close()
    assert (again.to_string(), again.root.text) == (written, text)
    with pytest.raises(ClosedError):
        doc.copy()
    again.close()
    with pytest.raises(ClosedError):
        again.root


def test_the_dtd_is_copied_with_its_processing_instructions():
    again = parse(FULL).copy()
    (dtd,) = (child for child in again.xpathEval("/")[0].children if child.type == "dtd")
    assert [child.type for child in dtd.children].count("pi") == 2
    places = [(child.type, child.name) for child in dtd.children]
    source = parse(FULL)
    (dtd,) = (child for child in source.xpathEval("/")[0].children if child.type == "dtd")
    assert places == [(child.type, child.name) for child in dtd.children]
    assert all(child.document is source for child in dtd.children)


def test_entities_have_their_text_in_a_copy():
    """xmlCopyDoc leaves entities without content, so references had no text."""
    for source in (parse(FULL), parse(FULL).copy(), parse(FULL).copy().copy()):
        again = source.copy()
        for document in (source, again):
            references = [child for child in document.root.children if child.type == "entity_ref"]
            assert [(child.name, child.text) for child in references] == [("f", "textmore"), ("e", "text")]
            assert document.root.text.startswith("onetextmore")
            assert document.xpathEval("string(/*)") == document.root.text
            assert document.xpathEval("count(//text()/following::node())", max_operations=10_000) > 1


def test_ids_are_found_in_a_copy():
    again = parse(FULL).copy()
    assert again.xpathEval("id('k')") == [again.root]
    assert again.xpathEval("id('x')[1]/@xml:id")[0].text == "x"
    again.root.attributes["key"] = "other"
    assert again.xpathEval("id('k')") == []
    assert again.xpathEval("id('other')") == [again.root]


@pytest.mark.parametrize("values", [["&m;"], ["x", "&e;"], ["&e;", "x"], ["&e;", "x&m;"], ["&amp;", "&#38;#38;"]])
def test_ids_with_references_are_copied(values):
    """The parser takes the text of the source as an ID, so two may have the same text, or an empty one."""
    dtd = "<!DOCTYPE r [<!ENTITY m ''><!ENTITY e 'x'><!ATTLIST b key ID #IMPLIED>]>"
    doc = parse(dtd + "<r>" + "".join(f"<b key='{value}'/>" for value in values) + "</r>")
    copy = doc.copy()
    texts = [b.get("key") for b in doc.root]
    assert [b.get("key") for b in copy.root] == texts
    for text in filter(None, texts):
        found, again = doc.get_by_id(text), copy.get_by_id(text)
        assert (found and doc.root.index(found)) == (again and copy.root.index(again))
    assert copy.copy().equals(doc)


def test_of_two_elements_with_an_id_the_same_one_has_it():
    """xmlCopyDoc gives an ID to the first element in the document."""
    doc = parse("<r><a/><b xml:id='x'/></r>")
    a, b = doc.root
    a.attributes["{http://www.w3.org/XML/1998/namespace}id"] = "x"
    for document in (doc, doc.copy(), doc.copy().copy()):
        assert [found.name for found in document.xpathEval("id('x')")] == ["b"]
    b.remove()
    assert doc.xpathEval("id('x')") == doc.copy().xpathEval("id('x')") == []


def test_namespaces_are_those_of_the_copy():
    doc = parse(FULL)
    again = doc.copy()
    doc.close()
    (c,) = again.root.descendants("{urn:p}c")
    c.remove()
    assert parse(c.to_string()).root.attributes["{urn:p}a"] == "1"


def test_an_external_subset_is_copied(tmp_path):
    (tmp_path / "x.dtd").write_text(
        "<!ENTITY e 'far'><!ENTITY i 'hidden'><!ATTLIST r key ID #IMPLIED kind (a|b) 'a'><!ELEMENT r ANY>"
    )
    path = tmp_path / "x.xml"
    path.write_text("<!DOCTYPE r SYSTEM 'x.dtd' [<!ENTITY i 'near'>]><r key='k'>&e;&i;</r>")
    doc = parse_file(path, load_dtd=True, external=tmp_path)
    again = doc.copy().copy()
    assert doc.root.text == again.root.text == "farnear"
    doc.close()
    assert again.root.text == "farnear"
    assert again.xpathEval("id('k')") == [again.root]
    del again.root.attributes["key"]
    new = again.create_element("r")
    new.attributes["key"] = "l"
    again.root.append(new)
    assert again.xpathEval("id('l')") == [new]


def test_lines_are_copied():
    doc = parse("<a>\n\n<b/>text\n<!--c-->\n<?p i?>\n<![CDATA[x]]></a>" + "\n<!-- -->")
    again = doc.copy()
    for one, other in zip(doc.xpathEval("//node()"), again.xpathEval("//node()"), strict=True):
        assert (one.type, one.line) == (other.type, other.line)
    far = parse("<a>" + "\n" * 70_000 + "<b/><!--c--></a>").copy()
    assert [child.line for child in far.root.children if child.type != "text"] == [70_001, 70_001]


def test_errors_of_parsing_are_copied():
    doc = parse("<a><b></a>", recover=True)
    assert doc.errors
    assert [error.message for error in doc.copy().errors] == [error.message for error in doc.errors]
    assert parse("<a/>").copy().errors == []


def test_a_document_without_nodes_is_copied():
    again = Document().copy()
    assert again.root is None
    again.xpathEval("/")[0].append(again.create_element("r"))
    assert again.to_string() == "<r/>\n"


def test_limits_go_with_a_copy():
    bomb = f"<!DOCTYPE b [<!ENTITY e '{'x' * 100_000}'>]><b>{'&e;' * 101}</b>"
    for huge in (True, False):
        try:
            doc = parse(bomb, huge=huge)
        except ParseError:
            # libxml2 2.13 and newer refuse it.
            continue
        again = doc.copy()
        if huge:
            assert len(again.root.text) == 10_100_000
        else:
            with pytest.raises(OverflowError):
                again.root.text


@pytest.mark.parametrize("levels", [1000, 100_000])
@pytest.mark.parametrize("size", [0, 1 << 18], ids=["main thread", "little stack"])
def test_a_deep_document_is_copied(levels, size):
    doc, levels = deep(levels)
    copies = []
    if size == 0:
        copies.append(doc.copy())
    else:
        former = threading.stack_size(size)
        try:
            thread = threading.Thread(target=lambda: copies.append(doc.copy()))
            thread.start()
        finally:
            threading.stack_size(former)
        thread.join()
    (again,) = copies
    assert len(again.root.descendants()) == levels - 1


def test_nodes_that_are_in_no_tree_are_not_copied():
    doc = parse("<r><a/></r>")
    (a,) = doc.root
    a.remove()
    again = doc.copy()
    assert again.to_string() == "<r/>\n"
    again.close()
    assert a.name == "a"


def test_copies_within_a_callback():
    doc = parse("<r><a/></r>")
    copies = []
    doc.xpathEval("f()", functions={"f": lambda: bool(copies.append(doc.copy())) or True})
    assert copies[0].to_string() == doc.to_string()

    class Closing:
        def write(self, data):
            with pytest.raises(BusyError):
                doc.close()
            copies.append(doc.copy())
            return len(data)

    doc.write(Closing())
    assert len(copies) >= 2


def test_copies_on_several_threads():
    doc = parse("<!DOCTYPE r [<!ENTITY e 'x'>]><r>" + "<a id='1'>&e;text</a>" * 2000 + "</r>")
    written = doc.to_string()
    found = []

    def work():
        for _ in range(5):
            found.append(doc.copy().to_string() == written)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 20


def test_nodes_are_copied_by_the_copy_module():
    doc = parse("<r><a k='1'>x<b/></a></r>")
    (a,) = doc.root
    for how in (copy.copy, copy.deepcopy):
        again = how(a)
        assert again is not a
        assert (again.parent, again.document) == (None, doc)
        assert again.to_string() == a.to_string()
    attribute = copy.copy(doc.xpathEval("//@k")[0])
    assert (attribute.text, attribute.parent) == ("1", None)
    with pytest.raises(ValueError, match="cannot be copied"):
        copy.copy(doc.xpathEval("/")[0])
    one, other = copy.deepcopy([doc, doc])
    assert one is other and one is not doc
    with pytest.raises(TypeError, match="cannot pickle or copy"):
        copy.copy(a.attributes)


def test_copies_leave_nothing_behind(native_bytes):
    doc = parse(FULL)

    def work():
        for _ in range(200):
            doc.copy().copy()
        gc.collect()
        return native_bytes()

    work()
    before = work()
    assert abs(work() - before) < 20_000


def test_no_memory_is_a_memory_error():
    """Each allocation of libxml2's fails once. The source stays as it is."""
    program = """
import ctypes, ctypes.util
libxml2 = ctypes.CDLL(ctypes.util.find_library("xml2"))
libc = ctypes.CDLL(None)
libc.malloc.restype = libc.realloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
left = [-1]
def fails():
    left[0] -= 1
    return left[0] == 0
MALLOC = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_size_t)
REALLOC = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
STRDUP = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)
FREE = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
malloc = MALLOC(lambda size: None if fails() else libc.malloc(size))
realloc = REALLOC(lambda old, size: None if fails() else libc.realloc(old, size))
libc.strdup.restype = ctypes.c_void_p
strdup = STRDUP(lambda text: None if fails() else libc.strdup(text))
free = FREE(ctypes.cast(libc.free, ctypes.c_void_p).value)
assert libxml2.xmlMemSetup(free, malloc, realloc, strdup) == 0
import sys
from xml_safe import Error, parse
doc = parse(sys.stdin.read())
written, text = doc.to_string(), doc.root.text
blocks, kinds = [], set()
for n in range(1, 100_000):
    left[0] = n
    try:
        again = doc.copy()
    except (MemoryError, Error) as error:
        kinds.add(type(error))
        # libxml2 2.13 and newer do not report what failed.
        assert isinstance(error, MemoryError) or str(error) in ("xmlCopyDoc failed", "xmlDocCopyNode failed"), error
        continue
    finally:
        reached, left[0] = left[0] <= 0, -1
    assert (again.to_string(), again.root.text) == (written, text), n
    if not reached:
        break
version = int(ctypes.c_char_p.in_dll(libxml2, "xmlParserVersion").value)
assert kinds == {MemoryError} if version < 21300 else kinds <= {MemoryError, Error} and kinds, kinds
assert (doc.to_string(), doc.root.text) == (written, text)
print("done", n)
"""
    ended = subprocess.run([sys.executable, "-c", program], input=FULL, capture_output=True, text=True, timeout=120)
    assert ended.stdout.startswith("done"), (ended.returncode, ended.stdout, ended.stderr[-2000:])
