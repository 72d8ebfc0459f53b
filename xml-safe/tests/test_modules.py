"""The package as such: importing it, what it exports, and how tools find it."""

import importlib
import importlib.resources
import inspect
import sys

import pytest
import xml_safe

CLASSES = [
    "Document",
    "Node",
    "XPathContext",
    "Handle",
    "Error",
    "ClosedError",
    "BusyError",
    "ParseError",
    "XPathError",
]
FUNCTIONS = ["parse", "parse_file", "live_handles"]


@pytest.mark.parametrize("name", CLASSES + FUNCTIONS)
def test_exports(name):
    exported = getattr(xml_safe, name)
    assert name in xml_safe.__all__
    assert exported.__name__ == name
    assert exported.__module__.split(".")[0] == "xml_safe"
    assert exported.__doc__


def test_all_is_true():
    assert len(set(xml_safe.__all__)) == len(xml_safe.__all__)
    for name in xml_safe.__all__:
        getattr(xml_safe, name)


def test_bases():
    assert issubclass(xml_safe.Document, xml_safe.Handle)
    assert issubclass(xml_safe.XPathContext, xml_safe.Handle)


WRITING = ["to_string", "to_bytes", "write", "to_c14n", "write_c14n"]
METHODS = {
    "Document": ["root", "xpathEval", "xpath_new_context", "close", "closed", *WRITING],
    "XPathContext": ["register_ns", "set_node", "eval", "close", "closed"],
    "Node": [*"name text get attributes path line parent children type document xpathEval".split(), *WRITING],
}


@pytest.mark.parametrize(("cls", "name"), [(cls, name) for cls, names in METHODS.items() for name in names])
def test_everything_is_documented(cls, name):
    assert inspect.getdoc(getattr(getattr(xml_safe, cls), name))


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (xml_safe.parse, ["data"]),
        (xml_safe.parse_file, ["path"]),
        (xml_safe.Document.xpathEval, ["self", "expr"]),
        (xml_safe.Node.xpathEval, ["self", "expr"]),
        (xml_safe.Node.get, ["self", "name|attr|attribute", "default"]),
        (xml_safe.Document.to_bytes, ["self"]),
        (xml_safe.Document.write, ["self", "target"]),
        (xml_safe.Node.to_string, ["self"]),
        (xml_safe.Node.write_c14n, ["self", "target"]),
        (xml_safe.XPathContext.eval, ["self", "expr"]),
        (xml_safe.XPathContext.register_ns, ["self", "prefix", "uri"]),
        (xml_safe.XPathContext.set_node, ["self", "node"]),
        (xml_safe.live_handles, []),
    ],
)
def test_signatures(function, parameters):
    found = [p.name for p in inspect.signature(function).parameters.values() if p.kind is not p.KEYWORD_ONLY]
    assert len(found) == len(parameters)
    assert all(name in expected.split("|") for name, expected in zip(found, parameters))


def test_types_are_shipped():
    files = importlib.resources.files("xml_safe")
    assert (files / "py.typed").is_file()
    assert any(entry.name.endswith(".pyi") for entry in files.iterdir())


# Importing


def test_a_fresh_import(run_python):
    code = "import xml_safe; print(xml_safe.live_handles())"
    ended = run_python("-W", "error", "-c", code)
    assert (ended.returncode, ended.stderr) == (0, "")
    counts = eval(ended.stdout)
    assert {"Document", "XPathContext"} <= counts.keys()
    assert set(counts.values()) == {0}
    assert counts.keys() == xml_safe.live_handles().keys()


def test_importing_twice():
    assert importlib.import_module("xml_safe") is xml_safe
    again = importlib.reload(xml_safe)
    assert again is xml_safe
    assert again.parse("<a/>").root.name == "a"


def test_importing_anew(run_python):
    """Whether the native module comes back or refuses, nothing crashes and old objects still work."""
    code = """if True:
        import sys
        import xml_safe
        doc = xml_safe.parse("<a/>")
        first = xml_safe.Document
        for name in [name for name in sys.modules if name.split(".")[0] == "xml_safe"]:
            del sys.modules[name]
        try:
            import xml_safe as again
        except ImportError:
            pass
        else:
            assert again.parse("<b/>").root.name == "b"
            if again.Document is first:
                assert again.live_handles()["Document"] == 1
        assert doc.root.name == "a"
        doc.close()
    """
    ended = run_python("-X", "faulthandler", "-c", code)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_importing_in_many_threads(run_python):
    code = """if True:
        import threading
        def work():
            import xml_safe
            for _ in range(50):
                found.append(xml_safe.parse("<a/>").root.name)
        found = []
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert found == ["a"] * 400
    """
    ended = run_python("-X", "faulthandler", "-c", code)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_second_interpreter_is_served_or_refused(run_python):
    code = """if True:
        try:
            import _interpreters as interpreters
        except ImportError:
            try:
                import _xxsubinterpreters as interpreters
            except ImportError:
                raise SystemExit
        import xml_safe
        doc = xml_safe.parse("<a/>")
        other = interpreters.create()
        try:
            interpreters.run_string(other, "import xml_safe; assert xml_safe.parse('<b/>').root.name == 'b'")
        except Exception as error:
            assert "ImportError" in str(error) or "ImportError" in repr(error), error
        interpreters.destroy(other)
        assert doc.root.name == "a"
    """
    ended = run_python("-X", "faulthandler", "-c", code)
    assert ended.returncode == 0, ended.stderr


# __leakproof__


def test_tools_find_the_module():
    assert hasattr(xml_safe, "__leakproof__")
    found = [name for name, module in sys.modules.items() if hasattr(module, "__leakproof__")]
    assert any(name.split(".")[0] == "xml_safe" for name in found)


def test_only_modules_of_the_package_are_marked(run_python):
    code = """if True:
        import sys
        marked = lambda: {name for name, module in list(sys.modules.items()) if hasattr(module, "__leakproof__")}
        assert not marked()
        import xml_safe, xml_safe.libxml2
        assert marked() <= {"xml_safe", "xml_safe._native"} and marked()
    """
    ended = run_python("-c", code)
    assert (ended.returncode, ended.stderr) == (0, "")
