"""A package that is imported twice, beside another leakproof package, or in several interpreters."""

import os
import shutil
import sys
from pathlib import Path

import pytest
import xml_safe
from programs import FORK, in_forks


def test_a_reload_keeps_everything(ends_well):
    """The classes are the same objects: what was made before is of them."""
    ends_well("""
        import importlib
        doc, before = large(9), xml_safe.Document
        importlib.reload(xml_safe)
        importlib.reload(sys.modules["xml_safe._native"])
        assert xml_safe.Document is before and isinstance(doc, xml_safe.Handle)
        assert doc.root.name == "a" and xml_safe.live_handles()["Document"] == 1
        doc.close()
        assert outcome(lambda: doc.root) == "ClosedError"
    """)


def test_an_import_after_forgetting_keeps_everything(ends_well):
    """Python loads the native half once: the new modules have the old classes and counts, or the import is refused."""
    ends_well("""
        doc = large(9)
        old = xml_safe
        for name in [name for name in sys.modules if name.split(".")[0] == "xml_safe"]:
            del sys.modules[name]
        try:
            import xml_safe
        except ImportError:
            raise SystemExit
        assert xml_safe is not old
        assert xml_safe.Document is old.Document and xml_safe.ClosedError is old.ClosedError
        assert xml_safe.live_handles()["Document"] == old.live_handles()["Document"] == 1
        doc.close()
        try:
            doc.root
        except xml_safe.ClosedError:
            pass
        assert xml_safe.parse("<a/>").root.name == "a"
    """)


@pytest.fixture
def twin(tmp_path):
    """The package once more, under another name: a second leakproof module."""
    shutil.copytree(Path(xml_safe.__file__).parent, tmp_path / "xml_twin", ignore=shutil.ignore_patterns("__pycache__"))
    return f"sys.path.insert(0, {os.fspath(tmp_path)!r})\nimport xml_twin\n"


def test_two_leakproof_modules_share_nothing(twin, ends_well):
    ends_well(
        twin
        + """
ours, theirs = xml_safe.parse("<a/>"), xml_twin.parse("<b/>")
assert xml_safe.live_handles()["Document"] == xml_twin.live_handles()["Document"] == 1
assert xml_safe.__leakproof__ is not xml_twin.__leakproof__
assert [module.__leakproof__.package() for module in (xml_safe, xml_twin)] == ["xml_safe", "xml_twin"]
assert not issubclass(xml_twin.Error, xml_safe.Error) and not isinstance(theirs, xml_safe.Handle)
assert outcome(lambda: ours.xpath_new_context().set_node(theirs.root)) == "TypeError"
assert ours.root != theirs.root
try:
    theirs.close()
    theirs.root
except xml_twin.ClosedError as error:
    assert not isinstance(error, xml_safe.ClosedError)
assert ours.root.name == "a"
ours.close()
assert xml_safe.live_handles()["Document"] == xml_twin.live_handles()["Document"] == 0
"""
    )


def test_two_leakproof_modules_report_each_its_own(twin, run):
    ended = run(
        twin
        + """
import ctypes
for kept in (xml_safe.parse("<a/>"), xml_twin.parse("<b/>").xpath_new_context()):
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
""",
        "-X",
        "dev",
    )
    assert ended.returncode == 0
    lines = sorted(line.split(" (")[0] for line in ended.stderr.splitlines())
    assert lines == [
        "leakproof: xml_safe: still alive at exit: 1 Document",
        "leakproof: xml_twin: still alive at exit: 1 Document, 1 XPathContext",
    ]


@in_forks
def test_two_leakproof_modules_survive_a_fork(twin, ends_well):
    ends_well(
        FORK
        + twin
        + """
ours, theirs = large(), xml_twin.parse("<b/>")
evaluating = in_thread(ours.xpathEval, LONG)
forked(lambda: (theirs.root.name, theirs.close(), outcome(ours.close)))
evaluating.join()
ours.close(), theirs.close()
"""
    )


SUBINTERPRETER = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

def in_another(code):
    other = interpreters.create()
    try:
        error = interpreters.run_string(other, code)
    except Exception as raised:
        error = raised
    interpreters.destroy(other)
    # Refused, or served without a complaint.
    assert error is None or "ImportError" in repr(error), error

USE = '''
import xml_safe
doc = xml_safe.parse("<a><b/></a>")
kept = doc.xpath_new_context(), doc.root, iter(doc.root)
for wrong in (lambda: doc.xpathEval("//b["), lambda: xml_safe.parse("<a>")):
    try:
        wrong()
    except xml_safe.Error:
        pass
other = xml_safe.parse("<a/>")
other.close()
try:
    other.root
except xml_safe.ClosedError:
    pass
'''
"""


@pytest.mark.skipif(sys.version_info < (3, 10), reason="no module for other interpreters")
@pytest.mark.parametrize("first", ["in_another(USE)", "exec(USE)", "pass"], ids=["there", "here", "neither"])
def test_other_interpreters_are_served_or_refused(first, run):
    ended = run(
        f"{SUBINTERPRETER}\n{first}\nfor _ in range(3): in_another(USE)\nexec(USE)\nassert doc.root.name == 'a'"
    )
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
