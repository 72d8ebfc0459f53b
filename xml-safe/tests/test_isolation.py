"""Nothing process-wide of libxml2 is changed: another binding may live in the same process."""

import ctypes
import locale
import os
import signal
import sys

import pytest
from xml_safe import Error, parse, parse_file

POINTERS = """
xmlGenericError xmlGenericErrorContext xmlStructuredError xmlStructuredErrorContext xmlTreeIndentString
xmlRegisterNodeDefaultValue xmlDeregisterNodeDefaultValue
xmlParserInputBufferCreateFilenameValue xmlOutputBufferCreateFilenameValue
""".split()
NUMBERS = """
xmlGetWarningsDefaultValue xmlDoValidityCheckingDefaultValue xmlSubstituteEntitiesDefaultValue xmlLoadExtDtdDefaultValue
xmlPedanticParserDefaultValue xmlKeepBlanksDefaultValue xmlLineNumbersDefaultValue xmlParserDebugEntities
xmlIndentTreeOutput xmlSaveNoEmptyTags xmlBufferAllocScheme xmlDefaultBufferSize
""".split()
ALLOCATORS = ["xmlFree", "xmlMalloc", "xmlMallocAtomic", "xmlRealloc", "xmlMemStrdup"]


def variable(lib, name, ctype):
    """A global variable, which may be one per thread behind a function; None where this version hasn't got it."""
    if hasattr(lib, f"__{name}"):
        function = getattr(lib, f"__{name}")
        function.restype = ctypes.POINTER(ctype)
        return function()[0]
    try:
        return ctype.in_dll(lib, name).value
    except ValueError:
        return None


def process_state(lib):
    state = {name: variable(lib, name, ctypes.c_void_p) for name in POINTERS + ALLOCATORS}
    state |= {name: variable(lib, name, ctypes.c_int) for name in NUMBERS}
    lib.xmlGetExternalEntityLoader.restype = ctypes.c_void_p
    state["external entity loader"] = lib.xmlGetExternalEntityLoader()
    state["locale"] = locale.setlocale(locale.LC_ALL)
    state["working directory"] = os.getcwd()
    state["signals"] = [signal.getsignal(number) for number in signal.valid_signals()]
    state["environment"] = dict(os.environ)
    return state


def use_everything(folder):
    (folder / "a.xml").write_text("<a xmlns:p='urn:p'>x<b k='1'/></a>")
    (folder / "bad.xml").write_text("<a>\n&x;</b>")
    for read in (
        lambda: parse("<a/>"),
        lambda: parse("<a><b></a>"),
        lambda: parse("<a><b></a>", recover=True, huge=True, no_blanks=True, resolve_entities=True, no_cdata=True),
        lambda: parse("<!DOCTYPE a SYSTEM 'missing.dtd'><a>&x;</a>", load_dtd=True, external=folder),
        lambda: parse("<!DOCTYPE a SYSTEM 'http://localhost/x.dtd'><a/>", load_dtd=True),
        lambda: parse("<!DOCTYPE a [<!ENTITY e SYSTEM 'missing.xml'>]><a>&e;</a>", resolve_entities=True),
        lambda: parse(b"<?xml version='1.0' encoding='nope'?><a/>"),
        lambda: parse("<a xmlns='relative'/>"),
        lambda: parse("<p:a/>"),
        lambda: parse("<a xml:id='1'/>"),
        lambda: parse_file(folder / "a.xml"),
        lambda: parse_file(folder / "a.xml", decompress=True),
        lambda: parse_file(folder / "bad.xml"),
        lambda: parse_file(folder / "missing.xml"),
    ):
        try:
            read().close()
        except (Error, OSError):
            pass
    doc = parse_file(folder / "a.xml")
    with doc.xpath_new_context() as context:
        context.register_ns("p", "urn:p")
        for expr in (
            "//b",
            "//b[",
            "foo()",
            "//q:b",
            "q:foo()",
            "$v",
            "$q:v",
            "count(1)",
            "'x",
            "",
            "(" * 20_000 + "1",
        ):
            for evaluate in (doc.xpathEval, doc.root.xpathEval, context.eval):
                try:
                    evaluate(expr)
                except Error:
                    pass
    for node in doc.xpathEval("//node()|//@*|/"):
        node.text, node.path, node.to_string(), node.to_bytes(method="xhtml", encoding="UTF-16"), node.attributes
    doc.to_c14n(), doc.root.to_c14n(exclusive=True, inclusive_prefixes=["p"]), doc.write(os.devnull)
    doc.close()


def test_the_state_of_the_process_is_unchanged(lib, tmp_path):
    before = process_state(lib)
    assert before["xmlGenericError"]
    use_everything(tmp_path)
    assert process_state(lib) == before


def test_nothing_is_printed(tmp_path, capfd):
    use_everything(tmp_path)
    assert capfd.readouterr() == ("", "")


def test_importing_changes_nothing(lib, run_python):
    """A binding that was there first finds its handlers and its loader as they were."""
    code = f"""if True:
        import ctypes
        lib = ctypes.CDLL({lib._name!r})
        lib.__getattr__("__xmlGenericError").restype = ctypes.POINTER(ctypes.c_void_p)
        lib.__getattr__("__xmlStructuredError").restype = ctypes.POINTER(ctypes.c_void_p)
        lib.xmlGetExternalEntityLoader.restype = ctypes.c_void_p
        lib.xmlInitParser()
        def state():
            names = "__xmlGenericError", "__xmlStructuredError"
            return [getattr(lib, name)()[0] for name in names], lib.xmlGetExternalEntityLoader()
        before = state()
        import xml_safe
        assert state() == before
        xml_safe.parse("<a/>").close()
        assert state() == before
    """
    ended = run_python("-c", code)
    assert (ended.returncode, ended.stderr) == (0, "")


STRUCTURED = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
LOADER = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p)


def test_the_handlers_of_another_binding_stay(lib, tmp_path):
    handlers = lib.__getattr__("__xmlStructuredError")
    handlers.restype = ctypes.POINTER(ctypes.c_void_p)
    lib.xmlSetStructuredErrorFunc.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    calls = []
    theirs = STRUCTURED(lambda context, error: calls.append(error))
    lib.xmlSetStructuredErrorFunc(None, ctypes.cast(theirs, ctypes.c_void_p))
    try:
        use_everything(tmp_path)
        assert handlers()[0] == ctypes.cast(theirs, ctypes.c_void_p).value
        with pytest.raises(Error) as caught:
            parse("<a></b>")
        assert caught.value.errors[0].code == 76
    finally:
        lib.xmlSetStructuredErrorFunc(None, None)


def test_the_loader_of_another_binding_stays(lib, tmp_path):
    lib.xmlGetExternalEntityLoader.restype = ctypes.c_void_p
    lib.xmlSetExternalEntityLoader.argtypes = [ctypes.c_void_p]
    before = lib.xmlGetExternalEntityLoader()
    theirs = LOADER(lambda url, id, context: None)
    lib.xmlSetExternalEntityLoader(ctypes.cast(theirs, ctypes.c_void_p))
    try:
        use_everything(tmp_path)
        assert lib.xmlGetExternalEntityLoader() == ctypes.cast(theirs, ctypes.c_void_p).value
        assert parse_file(tmp_path / "a.xml").root.text == "x"
    finally:
        lib.xmlSetExternalEntityLoader(before)


def test_a_document_of_another_binding_survives(lib, tmp_path):
    """What cleaning up the library would pull from under it: dictionaries, encodings, catalogs."""
    lib.xmlReadMemory.restype = ctypes.c_void_p
    lib.xmlReadMemory.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_int]
    lib.xmlDocGetRootElement.restype = ctypes.c_void_p
    lib.xmlDocGetRootElement.argtypes = lib.xmlFreeDoc.argtypes = lib.xmlGetNodePath.argtypes = [ctypes.c_void_p]
    lib.xmlGetNodePath.restype = ctypes.c_void_p
    data = b"<a><b k='v'>text</b></a>"
    theirs = lib.xmlReadMemory(data, len(data), None, None, 0)
    use_everything(tmp_path)
    path = lib.xmlGetNodePath(lib.xmlDocGetRootElement(theirs))
    assert ctypes.string_at(path) == b"/a"
    free = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(ctypes.c_void_p.in_dll(lib, "xmlFree").value)
    free(path)
    lib.xmlFreeDoc(theirs)


def test_beside_the_official_binding(run_python):
    """In one process with Debian's `libxml2`, where that imports."""
    code = """if True:
        import sys
        sys.path.append("/usr/lib/python3/dist-packages")
        try:
            import libxml2
        except ImportError:
            print("missing")
            raise SystemExit
        import xml_safe
        seen = []
        libxml2.registerErrorHandler(lambda context, message: seen.append(message), None)
        theirs, ours = libxml2.parseDoc("<a>1</a>"), xml_safe.parse("<a>2</a>")
        for _ in range(100):
            for evaluate, error in ((theirs.xpathEval, libxml2.xpathError), (ours.xpathEval, xml_safe.XPathError)):
                try:
                    evaluate("//a[")
                except error:
                    pass
        assert seen
        ours.close()
        assert theirs.getRootElement().content == "1"
        theirs.freeDoc()
        del seen[:]
        try:
            libxml2.parseDoc("<a>")
        except libxml2.parserError:
            pass
        assert seen
    """
    ended = run_python("-c", code)
    if ended.stdout:
        pytest.skip("no official binding for this Python")
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_locale_does_not_matter(doc):
    before = locale.setlocale(locale.LC_NUMERIC)
    for name in ("de_DE.UTF-8", "fr_FR.UTF-8"):
        try:
            locale.setlocale(locale.LC_NUMERIC, name)
        except locale.Error:
            continue
    try:
        assert doc.xpathEval("1.5 + 1") == 2.5
        assert doc.xpathEval("string(1.5)") == "1.5"
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_threads_are_started(tmp_path):
    before = len(os.listdir("/proc/self/task"))
    use_everything(tmp_path)
    assert len(os.listdir("/proc/self/task")) == before


STRUCTURED = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
GENERIC = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)


@pytest.fixture
def foreign_reports(lib):
    """What reaches the error handlers that another binding has set."""
    reports = []
    structured = STRUCTURED(lambda context, error: reports.append("structured"))
    generic = GENERIC(lambda context, text: reports.append(text))
    before = [variable(lib, name, ctypes.c_void_p) for name in POINTERS[:4]]
    lib.xmlSetStructuredErrorFunc.argtypes = lib.xmlSetGenericErrorFunc.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
    try:
        yield (
            reports,
            lambda: lib.xmlSetGenericErrorFunc(None, ctypes.cast(generic, ctypes.c_void_p)),
            lambda: lib.xmlSetStructuredErrorFunc(None, ctypes.cast(structured, ctypes.c_void_p)),
        )
    finally:
        lib.xmlSetGenericErrorFunc(before[1], before[0])
        lib.xmlSetStructuredErrorFunc(before[3], before[2])


def everything_of_xpath():
    doc = parse("<a xmlns:p='urn:p'>x<b k='1'/></a>")
    exprs = (
        "//b",
        "//b[",
        "foo()",
        "1-foo()",
        "or()",
        "//q:b",
        "q:foo()",
        "$v",
        "$q:v",
        "count(1)",
        "'x",
        "",
        "(" * 20_000,
    )
    for expr in exprs:
        with doc.xpath_new_context() as context:
            for evaluate in (doc.xpathEval, doc.root.xpathEval, context.eval):
                try:
                    evaluate(expr)
                except Error:
                    pass
    for node in doc.xpathEval("//node()|//@*|/"):
        node.text, node.path, node.to_string(), node.attributes
    recovered = parse("<a k='&#1;'>&#1;</a>", recover=True)
    recovered.root.to_string(), recovered.root.attributes
    doc.close()


@pytest.mark.parametrize("which", [1, 2], ids=["generic", "structured"])
def test_no_report_reaches_the_handlers_of_another_binding(foreign_reports, lib, which, capfd):
    reports, *install = foreign_reports
    doc = parse("<a/>")
    install[which - 1]()
    before = process_state(lib)
    everything_of_xpath()
    assert doc.xpathEval("/a")
    assert reports == []
    assert process_state(lib) == before
    assert capfd.readouterr() == ("", "")
