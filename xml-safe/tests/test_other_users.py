"""Other users of libxml2 in the process change no result, and hear nothing of our calls."""

import ctypes
import gc
import pickle
import threading

import pytest
from xml_safe import Document, Error, ParseError, XPath, parse

NUMBERS = {
    "xmlKeepBlanksDefaultValue": 0,
    "xmlSubstituteEntitiesDefaultValue": 1,
    "xmlLineNumbersDefaultValue": 0,
    "xmlPedanticParserDefaultValue": 1,
    "xmlLoadExtDtdDefaultValue": 6,
    "xmlDoValidityCheckingDefaultValue": 1,
    "xmlSaveNoEmptyTags": 1,
    "xmlIndentTreeOutput": 0,
    "xmlGetWarningsDefaultValue": 0,
    "xmlParserDebugEntities": 1,
}


def variable(lib, name):
    if not hasattr(lib, f"__{name}"):
        pytest.skip(f"this libxml2 has no {name}")
    function = getattr(lib, f"__{name}")
    function.restype = ctypes.POINTER(ctypes.c_int)
    return function()


def results(folder):
    (folder / "secret").write_text("TOP SECRET")
    (folder / "x.dtd").write_text("<!ELEMENT a EMPTY><!ATTLIST a k CDATA 'default'><!ENTITY z 'FROM DTD'>")
    entity = parse(f"<!DOCTYPE a [<!ENTITY e SYSTEM 'file://{folder}/secret'><!ENTITY f 'x'>]><a>&e;&f;</a>")
    with_dtd = parse(f"<!DOCTYPE a SYSTEM 'file://{folder}/x.dtd'><a>&z;</a>")
    blanks = parse("<a> <b></b>\n<c>  <d/></c></a>")
    return [
        [node.type for node in entity.root.children],
        entity.root.text,
        (with_dtd.xpathEval("string(/a/@k)"), with_dtd.root.text),
        blanks.root.to_string(),
        [node.line for node in blanks.root],
        len(parse("<a> <b/> </a>", no_blanks=True).root.children),
        parse("<!DOCTYPE a [<!ELEMENT a EMPTY>]><a><b/></a>").root.to_string(),
        [report.message for report in parse("<a xmlns='relative'/>").errors],
        written(blanks),
        written(parse("<html><p><b/></p><br/><a k='é'>é</a></html>".encode())),
    ]


def written(document):
    """The document in each way of writing it."""
    return [
        *(document.to_string(method=method, indent=True) for method in ("xml", "html", "xhtml")),
        *(document.to_bytes(encoding=encoding) for encoding in ("UTF-8", "UTF-16", "ISO-8859-1", "ascii")),
        *(document.to_c14n(version=version) for version in ("1.0", "1.1")),
        document.root.to_c14n(exclusive=True),
    ]


def test_switched_off_optimizer_of_xpath_changes_nothing(lib):
    """The switch is one variable of the process."""
    try:
        switch = ctypes.c_int.in_dll(lib, "xmlXPathDisableOptimizer")
    except ValueError:
        pytest.skip("this libxml2 has no such switch")

    def evaluate():
        document = parse("<a><b><c/></b><c/></a>")
        limited = [document.xpathEval(text, max_operations=1000) for text in ("count(//c)", "count(//b//c[1])")]
        called = document.xpathEval("f(//c[f(.) > 0])", functions={"f": len}, variables={"v": document.root})
        return limited, called, XPath("count(//c[last()])")(document)

    before = evaluate()
    switch.value = 1
    try:
        assert evaluate() == before
    finally:
        switch.value = 0


@pytest.mark.parametrize("name", NUMBERS)
def test_a_default_of_the_thread_changes_nothing(lib, tmp_path, capfd, name):
    before = results(tmp_path)
    place = variable(lib, name)
    old, place[0] = place[0], NUMBERS[name]
    try:
        assert results(tmp_path) == before
        assert place[0] == NUMBERS[name]
    finally:
        place[0] = old
    assert capfd.readouterr() == ("", "")


def test_defaults_of_new_threads_change_nothing(lib, tmp_path):
    before, seen, undo = results(tmp_path), [], []
    for name, value in NUMBERS.items():
        setter = getattr(
            lib, f"xmlThrDef{name[0].upper()}{name[1:]}".replace("XmlSave", "Save").replace("Xml", ""), None
        )
        if setter is not None:
            undo.append((setter, setter(value)))
    try:
        thread = threading.Thread(target=lambda: seen.append(results(tmp_path)))
        thread.start()
        thread.join()
    finally:
        for setter, value in undo:
            setter(value)
    assert seen == [before]


def test_the_indentation_of_the_thread_changes_nothing(lib):
    function = getattr(lib, "__xmlTreeIndentString")
    function.restype = ctypes.POINTER(ctypes.c_char_p)
    place, document = function(), parse("<a><b><c/></b></a>")
    before, old, place[0] = written(document), place[0], b"\t\t\t"
    try:
        assert written(document) == before
        assert document.root.to_string(indent=True) == "<a>\n  <b>\n    <c/>\n  </b>\n</a>"
        assert place[0] == b"\t\t\t"
    finally:
        place[0] = old


def test_encodings_of_other_users_change_nothing(lib):
    document = parse("<a k='é'>é€</a>")
    before = written(document)
    aliases = [(b"ISO-8859-1", name) for name in (b"UTF-8", b"UTF-16", b"ASCII")]
    for name, alias in aliases:
        assert lib.xmlAddEncodingAlias(name, alias) == 0
    try:
        assert written(document) == before
    finally:
        lib.xmlCleanupEncodingAliases()


def test_callbacks_for_files_of_other_users_are_not_called(lib, tmp_path):
    seen = []
    match = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p)(lambda name: seen.append(name) or 1)
    opened = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p)(lambda name: None)
    if lib.xmlRegisterOutputCallbacks(match, opened, None, None) < 0:
        pytest.skip("this libxml2 registers no callbacks")
    try:
        document = parse("<a/>")
        document.write(tmp_path / "a.xml")
        document.write_c14n(tmp_path / "b.xml")
    finally:
        assert lib.xmlPopOutputCallbacks() >= 0
    assert seen == []
    assert (tmp_path / "b.xml").read_bytes() == b"<a></a>"


def documents_by_each_way(folder):
    """Documents that were parsed, made, changed, copied and written in each way that makes or frees nodes."""
    (folder / "x.xml").write_text("<x>read</x>")
    long = "<a>" + "\n" * 70_000 + "<b/><!--c--><?p?></a>"
    entity = "<!DOCTYPE a [<!ENTITY e '<i>x</i>'><!ENTITY f SYSTEM 'x.xml'>]><a k='&e;'>&e;&f;</a>"
    made = Document()
    root = made.append_element("r", "text", {"k": "v", "{urn:p}l": "w"})
    for node in (
        made.create_element("{urn:q}a", prefix="q"),
        made.create_text("t"),
        made.create_cdata("c"),
        made.create_comment("c"),
        made.create_pi("p"),
        made.create_fragment(),
        root.copy(),
        made.import_node(parse("<a><b/></a>").root),
    ):
        root.append(node)
    root.append(parse("<a>adopted</a>").root)
    root.children[0].remove()
    root.text = "new"
    root.attributes.clear()
    included = parse("<a xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='x.xml'/></a>")
    included.xinclude(external=folder)
    texts = [
        parse(long).root.line,
        parse(entity.replace(" k='&e;'", ""), resolve_entities=True, external=folder).root.text,
        parse("<a><b></a>", recover=True).root.to_string(),
        made.copy().to_string(),
        pickle.loads(pickle.dumps(made)).to_string(),
        included.root.text,
        written(made),
        parse("<a/>").xpathEval("f(//a)", functions={"f": lambda nodes: parse("<b>x</b>").root.text}),
    ]
    made.close()
    return texts


def test_hooks_for_nodes_of_other_users_are_not_called(lib, tmp_path):
    before, seen = documents_by_each_way(tmp_path), []
    Hook = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
    # A node that is in no tree is freed without the shield.
    hook, deaf = Hook(lambda node: seen.append(node)), Hook(lambda node: None)
    if not hasattr(lib, "xmlRegisterNodeDefault"):
        pytest.skip("this libxml2 has no such hooks")
    setters = lib.xmlRegisterNodeDefault, lib.xmlDeregisterNodeDefault
    for setter in setters:
        setter.argtypes, setter.restype = [ctypes.c_void_p], ctypes.c_void_p
    old = [setter(ctypes.cast(each, ctypes.c_void_p)) for setter, each in zip(setters, (hook, deaf), strict=True)]
    try:
        assert documents_by_each_way(tmp_path) == before
        gc.collect()
        setters[1](ctypes.cast(hook, ctypes.c_void_p))
        with parse("<a k='v'>t<b/></a>") as document:
            document.copy().close()
        assert seen == []
        # The hook works.
        lib.xmlNewComment.restype, lib.xmlFreeNode.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
        lib.xmlFreeNode(lib.xmlNewComment(b"x"))
        assert len(seen) == 2
    finally:
        for setter, value in zip(setters, old, strict=True):
            setter(value)


REPORTS = {
    "bytes that the encoding has not": lambda: parse(b"<?xml version='1.0' encoding='windows-1252'?><a>caf\x81</a>"),
    "the same, recovered": lambda: parse(b"<?xml version='1.0' encoding='windows-1252'?><a>caf\x81</a>", recover=True),
    "an encoding that there is not": lambda: parse(b"<?xml version='1.0' encoding='nope'?><a/>"),
    "a start of four bytes": lambda: parse(b"<\0\0\0"),
    "UTF-32 that is none": lambda: parse(b"\0\0\0<abcd\0\0\0"),
    "bytes that are no UTF-8": lambda: parse(b"<a k='\xff'>\xff</a>", recover=True).root.to_string(),
    "a character that is none": lambda: parse("<a k='&#1;'>&#1;</a>", recover=True).root.to_string(),
    "malformed": lambda: parse("<a><b></a>"),
    "a namespace that is not declared": lambda: parse("<p:a/>"),
    "text": lambda: parse("<a>" + "x" * 100 + "</a>").root.text,
    "a relative namespace in canonical XML": lambda: canonical("<a xmlns='relative'/>"),
    "an entity in canonical XML": lambda: canonical("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"),
    "a file that raises": lambda: write_to_nobody(parse("<a>" + "<b/>" * 50_000 + "</a>")),
    "a comment that the encoding has not": lambda: encode(parse("<a><!--é--></a>")),
    "a malformed expression": lambda: XPath("//b["),
    "an unknown function": lambda: parse("<a/>").xpathEval("f()"),
    "an unknown function beside others": lambda: parse("<a/>").xpathEval("g()", functions={"f": len}),
    "an unknown variable": lambda: parse("<a/>").xpathEval("$v", variables={"w": 1}),
    "an unknown prefix": lambda: XPath("q:f() | $q:v | q:a")(parse("<a/>")),
    "a function that fails": lambda: parse("<a/>").xpathEval("f()", functions={"f": raising}),
    "a limit": lambda: parse("<a/>").xpathEval("//a", max_operations=1),
    "a name that is none": lambda: refused(lambda: Document().append_element("a b")),
    "a root below itself": lambda: refused(lambda: below_itself(parse("<a><b/></a>").root)),
    "an ID that another element has": lambda: same_ids(parse("<a xml:id='x'><b/></a>").root),
    "an entity that there is not": lambda: refused(lambda: Document().create_entity_ref("nope")),
    "an entity that is declared": lambda: parse("<!DOCTYPE a [<!ENTITY e 'x'>]><a/>").create_entity_ref("e").text,
    "namespaces that move": lambda: move_names(parse("<a xmlns:p='relative'><p:b p:k='v'/></a>").root),
    "an address that is none": lambda: refused(lambda: setattr(Document(), "url", "http://[")),
    "a text with markup": lambda: setattr(parse("<a k='v'/>").root, "text", "&nope; <b>"),
    "an attribute with markup": lambda: parse("<a/>").root.set("k", "&nope; <b>"),
    "an inclusion of nothing": lambda: include(
        parse("<a xmlns:xi='http://www.w3.org/2001/XInclude'><xi:include href='x'/></a>")
    ),
    "a function without a result": lambda: parse("<a/>").xpathEval("count(f())", functions={"f": lambda: 1}),
}


def refused(change):
    with pytest.raises(ValueError):
        change()


def below_itself(root):
    root.children[0].append(root)


def same_ids(root):
    root.append_element("c", attributes={"{http://www.w3.org/XML/1998/namespace}id": "x"})
    root.children[0].set("{http://www.w3.org/XML/1998/namespace}id", "x")
    root.append(root.copy())


def move_names(root):
    other = Document()
    other.root = root.children[0]
    other.root.attributes.node("{relative}k").namespace = None
    other.root.namespace = "urn:q"
    return other.copy()


def include(document):
    with pytest.raises(Error):
        document.xinclude(external=lambda address, public: None)


def raising():
    raise Error("mine")


def canonical(xml):
    with pytest.raises(ValueError):
        parse(xml).to_c14n()


def encode(document):
    with pytest.raises(UnicodeEncodeError):
        document.to_bytes(encoding="ascii")


def write_to_nobody(document):
    with pytest.raises(OSError):
        document.write("/dev/full")


@pytest.mark.parametrize("call", REPORTS.values(), ids=REPORTS)
def test_no_handler_of_another_user_is_called(lib, capfd, call):
    seen = []
    structured = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(lambda context, error: seen.append(error))
    lib.xmlSetStructuredErrorFunc.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    for handler in (ctypes.cast(structured, ctypes.c_void_p), None):
        lib.xmlSetStructuredErrorFunc(None, handler)
        try:
            call()
        except Error as error:
            assert str(error)
        finally:
            lib.xmlSetStructuredErrorFunc(None, None)
    assert seen == []
    assert capfd.readouterr() == ("", "")


# What is recovered, and what is told of it


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"<a>one\0two</a>", "one\ufffdtwo"),
        ("<a>one\0two</a>", "one\ufffdtwo"),
        ("<a>x\0y</a>".encode("utf-16"), "x\ufffdy"),
        ("<a>x\0y</a>".encode("utf-32"), "x\ufffdy"),
        (b"<a>\xff</a>", "\ufffd"),
        (b"<?xml version='1.0' encoding='cp1252'?><a>\x81</a>", "\ufffd"),
    ],
)
def test_invalid_text_is_an_error_or_replaced(data, text):
    with pytest.raises(ParseError):
        parse(data)
    doc = parse(data, recover=True)
    assert doc.root.text == text
    assert doc.errors and doc.errors[0].line == 1 and doc.errors[0].level == "fatal"


def test_nothing_behind_a_nul_is_dropped():
    for encoding in ("utf-8", "utf-16", "utf-32"):
        data = "<a/>\n\0junk".encode(encoding)
        with pytest.raises(ParseError, match="NUL") as caught:
            parse(data)
        assert (caught.value.line, caught.value.column) == (2, 1)


def test_errors_of_a_document_that_was_recovered():
    doc = parse("<a>\n<b></a>", recover=True)
    assert {report.line for report in doc.errors} == {2}
    assert parse("<a/>").errors == []
    assert parse("<p:a/>").errors[0].level == "error"


@pytest.mark.parametrize(
    "encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "iso-8859-15", "shift_jis", "cp037", "koi8-r"]
)
def test_encodings(encoding):
    text = {"shift_jis": "日本", "koi8-r": "да", "iso-8859-15": "€"}.get(encoding, "é")
    name = encoding.removesuffix("-sig").removesuffix("-le")
    doc = parse(f"<?xml version='1.0' encoding='{name}'?><a k='{text}'>{text}</a>".encode(encoding))
    assert (doc.root.text, doc.root.get("k")) == (text, text)


# Lines, and XHTML


def test_lines_beyond_65535():
    xml = "<a>" + "\n" * 70_000 + "<b>t</b><!--c--><?p?><e/>\n\n<f/></a><!--end-->"
    doc = parse(xml)
    nodes = doc.root.xpathEval("b|comment()|processing-instruction()|e|f")
    assert [node.line for node in nodes] == [70_001, 70_001, 70_001, 70_001, 70_003]
    assert nodes[0].children[0].line == 70_001
    assert doc.xpathEval("/comment()")[0].line == 70_003
    assert doc.root.line == 1
    with pytest.raises(ParseError) as caught:
        parse("<a>" + "\n" * 70_000 + "<b></a>")
    assert caught.value.line == 70_001


def test_xhtml_is_not_changed():
    body = '<html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body><p/><br/><a name="q"/></body></html>'
    xml = (
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" '
        f'"http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n{body}'
    )
    doc = parse(xml)
    assert doc.root.to_string() == body
    assert doc.xpathEval("/")[0].to_string() == f"{xml}\n"


def test_entities_expand_up_to_a_limit():
    xml = f"<!DOCTYPE a [<!ENTITY e '{'x' * 100_000}'>]><a>{'&e;' * 101}</a>"
    with pytest.raises((OverflowError, ParseError), match="huge"):  # the parser of newer versions has such a limit, too
        parse(xml).root.text
    assert len(parse(xml, huge=True).root.text) == 10_100_000


# Threads and forks on one document with entities


def test_a_long_evaluation_does_not_block_another_document():
    """There is no lock that documents with a DTD share."""
    xml = "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"
    busy = parse("<!DOCTYPE a [<!ENTITY e 'x'>]><a>" + "<b>y</b>" * 3000 + "</a>")
    thread = threading.Thread(target=lambda: busy.xpathEval("count(//b[count(//b[contains(., 'y')]) > 0])"))
    thread.start()
    documents = [parse(xml) for _ in range(200)]
    assert {doc.root.text for doc in documents} == {"x"}
    thread.join()
