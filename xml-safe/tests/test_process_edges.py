"""Where a process begins, forks, is interrupted and ends: nothing crashes, hangs, is printed or is lost."""

import gc
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import weakref
from pathlib import Path

import pytest
import xml_safe
from xml_safe import ClosedError, live_handles, parse

# A large document, on which LONG works for a while, with the GIL released.
PRELUDE = """
import faulthandler, gc, os, signal, sys, threading, time
import xml_safe
from xml_safe import BusyError, ClosedError
from meanwhile import in_thread, on_wait

LONG = "count(//b[count(//b) > 0])"

def large(size=8000):
    return xml_safe.parse("<a>" + "<b/>" * size + "</a>")

def outcome(call):
    try:
        return call()
    except Exception as error:
        return type(error).__name__
"""
QUIET = {
    name: value
    for name, value in os.environ.items()
    if name not in ("LEAKPROOF_TRACE", "PYTHONDEVMODE", "PYTHONWARNINGS")
}
HANG = 300
TESTS = str(Path(__file__).parent)


@pytest.fixture
def run(run_python):
    """A function that runs a program after the prelude."""

    def run(program, *options, **environment):
        code = PRELUDE + textwrap.dedent(program)
        options = ("-X", "faulthandler", "-W", "ignore::DeprecationWarning", *options)
        return run_python(*options, "-c", code, timeout=HANG, env=QUIET | {"PYTHONPATH": TESTS} | environment)

    return run


@pytest.fixture
def ends_well(run):
    """A function that runs a program, which has to end with status 0 and print nothing."""

    def ends_well(program, *options, **environment):
        ended = run(program, *options, **environment)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")

    return ends_well


# ---- the interpreter's end

ALIVE = {
    "module globals": "doc = large(9); context = doc.xpath_new_context(); node = doc.root; elements = iter(node)",
    "a cycle": "cycle = [large(9).root]; cycle.append(cycle)",
    "sys.modules": "sys.modules['kept'] = large(9).xpath_new_context()",
    "builtins": "import builtins; builtins.kept = iter(large(9).root)",
    "sys": "sys.kept = large(9).xpath_new_context(), large(9)",
    "a class": "class Owner:\n    doc = large(9)\n    nodes = doc.xpathEval('//b')",
    "a default argument": "def use(doc=large(9)): pass",
    "a thread-local variable": "local = threading.local(); local.doc = large(9)",
    "a context variable": "import contextvars; contextvars.ContextVar('v').set(large(9))",
    "a cache": "import functools\n@functools.lru_cache\ndef get(): return large(9)\nget().root",
    "a suspended generator": """
        def generator():
            with large(9) as doc, doc.xpath_new_context() as context:
                for node in doc.root:
                    yield context.eval("//b")
        running = generator()
        next(running)
    """,
    "an exit handler": """
        import atexit
        doc = large(9)
        atexit.register(lambda: (doc.root.name, doc.close(), outcome(lambda: doc.root)))
    """,
    "an exit handler that parses": "import atexit; atexit.register(lambda: sys.modules.setdefault('kept', large(9)))",
    "weakref.finalize": "import weakref; doc = large(9); weakref.finalize(doc, doc.root.document.xpathEval, '//b')",
    "a finalizer": """
        class Owner:
            def __init__(self):
                self.doc = large(9)
            def __del__(self):
                self.doc.xpathEval("//b")
                self.doc.close()
        owner = Owner()
        owner.itself = owner
    """,
    "a finalizer of sys.modules": """
        class Owner:
            doc = large(9)
            def __del__(self):
                self.doc.root.text
        sys.modules["owner"] = Owner()
    """,
    "a waiting daemon thread": """
        def wait(doc, context):
            threading.Event().wait()
        doc = large(9)
        in_thread(wait, doc, doc.xpath_new_context(), daemon=True)
    """,
    "many forgotten contexts": "docs = [large(9) for _ in range(100)]; [doc.xpath_new_context() for doc in docs]",
    "a failed exit": "doc = large(9)\nwith doc:\n    sys.exit(0)",
    "no finalization": "doc = large(9); context = doc.xpath_new_context(); os._exit(0)",
}
DAEMONS = {
    "evaluating": "doc = large(); in_thread(doc.xpathEval, LONG, daemon=True)",
    "evaluating in a context": "context = large().xpath_new_context(); in_thread(context.eval, LONG, daemon=True)",
    "parsing": """
        data = "<a>" + "<b k='v'>text</b>" * 200_000 + "</a>"
        in_thread(lambda: [xml_safe.parse(data) for _ in range(100)], daemon=True)
    """,
    "closing": "doc = large(); in_thread(doc.xpathEval, LONG, daemon=True); in_thread(doc.close, daemon=True)",
    "waiting for a context": """
        context = large().xpath_new_context()
        in_thread(context.eval, LONG, daemon=True)
        in_thread(context.register_ns, "p", "urn:p", daemon=True)
    """,
    "doing everything": """
        def work():
            while True:
                doc = large(100)
                for node in doc.root:
                    node.text, node.path
                doc.xpath_new_context().eval("//b")
        for _ in range(4):
            in_thread(work, daemon=True)
    """,
}
# Other threads run on while this sleeps, and come back to an interpreter that is going.
SLOW_END = """
class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(0.7)
slow = Slow()
"""


@pytest.mark.parametrize("program", ALIVE.values(), ids=ALIVE.keys())
def test_handles_alive_at_exit(program, ends_well):
    ends_well(program)


@pytest.mark.parametrize("end", ["", SLOW_END], ids=["at once", "slowly"])
@pytest.mark.parametrize("program", DAEMONS.values(), ids=DAEMONS.keys())
def test_daemon_threads_in_a_call_at_exit(program, end, ends_well):
    ends_well(end + textwrap.dedent(program))


def test_a_thread_that_is_no_daemon_ends_first(run):
    ended = run("doc = large(); in_thread(lambda: print(doc.xpathEval(LONG)))")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "8000.0\n", "")


LEAVING = {
    "in a with block": "with doc: sys.exit(3)",
    "in a loop over a node": "for node in doc.root: sys.exit(3)",
    "while handling an error": "try: doc.xpathEval('//b[')\nexcept xml_safe.XPathError: sys.exit(3)",
    "in an argument": "class Path:\n    def __fspath__(self): sys.exit(3)\nxml_safe.parse_file(Path())",
    "in a default": "doc.root.get('zz', sys.exit(3))",
    "in a signal handler": "signal.signal(signal.SIGALRM, lambda *_: sys.exit(3)); signal.alarm(1)\n"
    "while True: doc.xpathEval('//b')",
    "in a generator": "def nodes():\n    yield doc.root\n    sys.exit(3)\nfor node in nodes(): node.text",
}


@pytest.mark.parametrize("program", LEAVING.values(), ids=LEAVING.keys())
def test_leaving(program, run):
    ended = run(f"doc = large(9); context = doc.xpath_new_context()\n{program}", LEAKPROOF_TRACE="1")
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "", "")


NOT_LEAVING = {
    "a finalizer": "class Owner:\n    doc = large(9)\n    def __del__(self): sys.exit(3)\nOwner()",
    "a weak reference's callback": "import weakref; doc = large(9); r = weakref.ref(doc, lambda _: sys.exit(3)); del doc",
}


@pytest.mark.parametrize("program", NOT_LEAVING.values(), ids=NOT_LEAVING.keys())
def test_where_python_ignores_that_one_leaves(program, run):
    ended = run(f"{program}\nassert xml_safe.live_handles()['Document'] == ('Owner' in globals())\nprint('on')")
    assert (ended.returncode, ended.stdout) == (0, "on\n")
    assert "SystemExit" in ended.stderr


# ---- what is reported at exit

LEAK = """
import ctypes

def make():
    return large(9)

kept = {kept}
ctypes.pythonapi.Py_IncRef(ctypes.py_object(kept))
"""
LEAKED = {
    "Document": ("make()", ["1 Document"], ["Document"]),
    "XPathContext": ("make().xpath_new_context()", ["1 Document", "1 XPathContext"], ["Document", "XPathContext"]),
    "Node": ("make().root", ["1 Document"], ["Document"]),
    "iterator": ("iter(make().root)", ["1 Document"], ["Document"]),
}


@pytest.mark.parametrize("kept", LEAKED)
def test_a_leak_is_reported_with_its_stack(kept, run):
    made, counts, stacks = LEAKED[kept]
    ended = run(LEAK.format(kept=made), LEAKPROOF_TRACE="1")
    assert (ended.returncode, ended.stdout) == (0, "")
    first, *rest = ended.stderr.splitlines()
    assert first.startswith(f"leakproof: xml_safe: still alive at exit: {', '.join(counts)} ")
    assert re.findall(r"leakproof: an? (\w+) was made here:", ended.stderr) == stacks
    assert sum("in make" in line for line in rest) == 1
    assert sum("in large" in line for line in rest) == 1


@pytest.mark.parametrize("kept", LEAKED)
def test_a_leak_is_counted_in_development_mode(kept, run):
    made, counts, _ = LEAKED[kept]
    ended = run(LEAK.format(kept=made), "-X", "dev")
    assert (ended.returncode, ended.stdout) == (0, "")
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith(f"leakproof: xml_safe: still alive at exit: {', '.join(counts)} ")


def test_report_at_exit_names_a_page_of_the_installed_package(run):
    ended = run(LEAK.format(kept="make()"), "-X", "dev")
    command = re.search(r"`python -m pydoc (\S+)`", ended.stderr)
    assert command
    page = subprocess.run([sys.executable, "-m", "pydoc", command[1]], capture_output=True, text=True, check=True)
    assert "LEAKPROOF_TRACE=1" in page.stdout


@pytest.mark.parametrize("environment", [{}, {"LEAKPROOF_TRACE": ""}, {"LEAKPROOF_TRACE": "0"}], ids=str)
def test_a_leak_is_not_reported_unasked(environment, ends_well):
    ends_well(LEAK.format(kept="make()"), **environment)


def test_a_daemon_threads_handles_are_reported(run):
    ended = run("in_thread(lambda doc: threading.Event().wait(), large(9), daemon=True)", "-X", "dev")
    assert ended.returncode == 0
    assert "1 Document" in ended.stderr or not ended.stderr


@pytest.mark.parametrize("asked", [["-X", "dev"], []], ids=["dev", "trace"])
@pytest.mark.parametrize("program", [name for name in ALIVE if "daemon" not in name and "no final" not in name])
def test_a_program_that_leaks_nothing_reports_nothing(program, asked, ends_well):
    ends_well(ALIVE[program], *asked, **({} if asked else {"LEAKPROOF_TRACE": "1"}))


def test_warnings_as_errors_find_nothing(ends_well):
    ends_well("doc = large(9); context = doc.xpath_new_context(); del doc, context", "-W", "error", "-X", "dev")


def test_tracing_is_switched_at_run_time(ends_well):
    ends_well("""
        registry = xml_safe.__leakproof__
        untraced = large(9)
        registry.trace(True)
        doc = large(9)
        registry.trace(False)
        [(name, age, stack)] = registry.live_report()
        assert (name, age < 60) == ("Document", True) and "in large" in stack
        doc.close()
        assert registry.live_report() == []
    """)


# ---- fork

in_forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
# The child has half a minute.
FORK = """
def forked(child):
    pid = os.fork()
    if not pid:
        signal.alarm(30)
        child()
        sys.exit(0)
    status = os.waitpid(pid, 0)[1]
    assert status == 0, status
"""
CHILDREN = {
    "using": "forked(lambda: (doc.root.text, context.eval('//b'), list(elements), doc.xpathEval('//b')))",
    "closing": "forked(lambda: (doc.close(), outcome(lambda: doc.root)))",
    "closing a context": "forked(context.close)",
    "dropping": "forked(lambda: (globals().pop('doc'), globals().pop('context'), globals().pop('elements')))",
    "collecting": "cycle = [large(9)]; cycle.append(cycle); forked(gc.collect)",
    "parsing": "forked(lambda: sys.modules.setdefault('kept', large(9)))",
    "doing nothing": "forked(lambda: None)",
    "leaving at once": "forked(lambda: os._exit(0))",
    "forking again": "forked(lambda: forked(lambda: (doc.root.text, doc.close())))",
    "working with threads": "forked(lambda: [in_thread(doc.xpathEval, '//b').join() for _ in range(9)] + [doc.close()])",
}


@in_forks
@pytest.mark.parametrize("child", CHILDREN.values(), ids=CHILDREN.keys())
def test_the_parents_handles_are_unaffected_by_a_child(child, ends_well):
    program = f"""
doc = large(9)
context, elements = doc.xpath_new_context(), iter(doc.root)
before = xml_safe.live_handles()
{child}
assert xml_safe.live_handles()["XPathContext"] == 1
assert context.eval("count(//b)") == len(list(elements)) == 9
doc.close()
assert xml_safe.live_handles()["XPathContext"] == 0
"""
    ends_well(FORK + program, LEAKPROOF_TRACE="1")


@in_forks
def test_fork_while_another_thread_evaluates(ends_well):
    """What that thread uses stays in use in the child, for ever; so nobody waits for it there."""
    ends_well(
        FORK
        + """
doc = large()
evaluating = in_thread(doc.xpathEval, LONG)
def child():
    assert doc.root.name == "a"
    assert doc.xpathEval("count(//b)") == 8000
    assert outcome(doc.close) in (None, "BusyError")
    with large(9) as other:
        other.xpath_new_context().eval("//b")
forked(child)
evaluating.join()
assert doc.xpathEval("count(//b)") == 8000
doc.close()
"""
    )


@in_forks
def test_fork_while_another_thread_has_a_context_alone(ends_well):
    ends_well(
        FORK
        + """
context = large().xpath_new_context()
evaluating = in_thread(context.eval, LONG)
def child():
    assert outcome(lambda: context.eval("1")) == "BusyError"
    assert outcome(context.close) in (None, "BusyError")
    assert outcome(lambda: context.register_ns("p", "urn:p")) in ("BusyError", "ClosedError")
forked(child)
evaluating.join()
assert context.eval("1") == 1
"""
    )


@in_forks
def test_fork_while_another_thread_waits_in_close(ends_well):
    ends_well(
        FORK
        + """
doc = large()
evaluating = in_thread(doc.xpathEval, LONG)
closing = in_thread(doc.close)
def child():
    assert outcome(lambda: doc.root) == "ClosedError"
    assert outcome(doc.close) in (None, "BusyError")
    large(9).close()
forked(child)
evaluating.join(), closing.join()
assert doc.closed
"""
    )


@in_forks
def test_fork_while_many_threads_wait_and_work(ends_well):
    """The child's own waiting works, whatever lock a thread held at the fork."""
    ends_well(
        FORK
        + """
doc = large(400)
context = doc.xpath_new_context()
stop = False
def work():
    while not stop:
        context.eval("count(//b[count(//b) > 0])")
threads = [in_thread(work) for _ in range(3)]
def child():
    other = large(2000)
    evaluating = in_thread(other.xpathEval, LONG)
    other.close()
    evaluating.join()
for _ in range(30):
    forked(child)
stop = True
for thread in threads:
    thread.join()
"""
    )


# ---- cycles, finalizers, weak references


def in_attribute(handle):
    class Owner:
        pass

    owner = Owner()
    owner.handle, owner.itself = handle, owner


def in_closure(handle):
    def function():
        return handle, function


def in_exception(handle):
    try:
        raise ValueError(handle)
    except ValueError as error:
        kept = error
        kept.itself = kept


def in_failed_evaluation(handle):
    try:
        handle.xpathEval("//b[")
    except xml_safe.XPathError as error:
        kept = error
        kept.handle, kept.itself = handle, kept


def in_generator(handle):
    def generator():
        itself = cell
        with handle:
            yield itself

    cell = [generator()]
    next(cell[0])


def in_list(handle):
    cycle = [handle, handle.root, iter(handle.root), handle.xpath_new_context()]
    cycle.append(cycle)


def in_own_callback(handle):
    owner = [handle]
    owner.append(weakref.ref(handle, lambda _: owner))


def in_thread_object(handle):
    thread = threading.Thread(target=lambda: thread)
    thread.handle = handle
    thread.start()
    thread.join()


CYCLES = [
    in_attribute,
    in_closure,
    in_exception,
    in_failed_evaluation,
    in_generator,
    in_list,
    in_own_callback,
    in_thread_object,
]


@pytest.mark.parametrize("tie", CYCLES)
def test_a_cycle_through_python_objects_is_collected(tie):
    before = live_handles()
    for _ in range(10):
        tie(parse("<a><b/></a>"))
    gc.collect()
    assert live_handles() == before


def test_a_finalizer_may_revive_a_handle():
    revived = []

    class Owner:
        def __init__(self):
            self.doc = parse("<a><b/></a>")
            self.context, self.elements = self.doc.xpath_new_context(), iter(self.doc.root)
            self.itself = self

        def __del__(self):
            revived.append((self.doc, self.context, self.elements))

    Owner()
    gc.collect()
    [(doc, context, elements)] = revived
    assert (doc.root.name, context.eval("count(//b)"), len(list(elements))) == ("a", 1.0, 1)
    assert live_handles()["Document"] == live_handles()["XPathContext"] == 1
    doc.close()
    with pytest.raises(ClosedError):
        next(elements)
    assert live_handles()["Document"] == live_handles()["XPathContext"] == 0


def test_a_weak_references_callback_may_revive_the_value_of_the_holder():
    class Owner:
        pass

    owner, revived = Owner(), []
    owner.node = parse("<a><b>x</b></a>").root
    contents = vars(owner)
    reference = weakref.ref(owner, lambda _: revived.append(contents["node"]))
    del owner
    gc.collect()
    assert reference() is None
    assert revived[0].text == "x"
    contents.clear()
    revived[0].document.close()
    with pytest.raises(ClosedError):
        revived[0].text


def test_a_weak_references_callback_may_close_the_parent():
    doc = parse("<a/>")
    context, node = doc.xpath_new_context(), doc.root
    references = [weakref.ref(context, lambda _: doc.close()), weakref.ref(node, lambda _: doc.close())]
    del context
    assert doc.closed
    del node
    assert [reference() for reference in references] == [None, None]
    assert live_handles()["Document"] == live_handles()["XPathContext"] == 0


def test_a_document_lives_for_its_last_child_and_dies_with_it():
    doc = parse("<a/>")
    died = []
    reference = weakref.ref(doc, died.append)
    node = doc.root
    del doc
    assert reference() is not None
    del node
    assert reference() is None
    assert len(died) == 1
    assert live_handles()["Document"] == 0


def test_finalize_of_a_handle_runs_once():
    seen = []
    doc = parse("<a/>")
    finalizer = weakref.finalize(doc, seen.append, "gone")
    doc.close()
    assert finalizer.alive and not seen
    del doc
    assert seen == ["gone"] and not finalizer.alive


def test_a_finalizer_in_another_thread():
    """The last reference may go anywhere, also where the collector runs."""

    class Owner:
        def __init__(self, doc):
            self.context, self.itself = doc.xpath_new_context(), self

        def __del__(self):
            self.context.eval("count(//b)")

    doc = parse("<a><b/></a>")
    for _ in range(20):
        Owner(doc)
    thread = threading.Thread(target=gc.collect)
    thread.start()
    thread.join()
    assert live_handles()["XPathContext"] == 0
    doc.close()


# ---- imported twice, and beside others


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
def test_forked_workers_share_a_parsed_document(ends_well):
    ends_well("""
import multiprocessing
document = large(99)
def count(expression):
    return int(document.xpathEval(expression))
with multiprocessing.get_context("fork").Pool(2) as pool:
    counts = pool.map(count, ["count(//*)"] * 8)
assert counts == [int(document.xpathEval("count(//*)"))] * 8, counts
""")


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


# ---- signals

ALARM = """
def on_alarm(call, seconds=0.1):
    signal.signal(signal.SIGALRM, lambda *_: call())
    signal.setitimer(signal.ITIMER_REAL, seconds)
"""
BUSY = {
    "evaluating": "while True: doc.xpathEval('count(//b)')",
    "evaluating in a context": "while True: doc.xpath_new_context().eval('count(//b)')",
    "listing": "while True: doc.xpathEval('//b')",
    "iterating": "while True: [node.path for node in doc.root]",
}


@pytest.mark.parametrize("program", BUSY.values(), ids=BUSY.keys())
def test_a_signal_handler_may_close_a_handle_of_the_main_thread(program, ends_well):
    """Python runs handlers between calls, so each call ends as it would have."""
    ends_well(
        f"{ALARM}\ndoc = large()\non_alarm(doc.close)\ntry:\n    {program}\nexcept ClosedError:\n    pass\nelse: 1 / 0\n"
        "assert xml_safe.live_handles()['Document'] == 0"
    )


def test_a_signal_handler_cannot_close_the_handle_of_a_long_call(ends_well):
    """A long evaluation runs handlers while it works, so what closes its document raises, and ends the evaluation."""
    ends_well(
        f"{ALARM}\ndoc = large()\non_alarm(doc.close)\ntry:\n    doc.xpathEval(LONG)\nexcept BusyError:\n    pass\nelse: 1 / 0\n"
        "assert doc.root.name\ndoc.close()\nassert xml_safe.live_handles()['Document'] == 0"
    )


def test_a_signal_handler_may_close_while_the_main_thread_parses(ends_well):
    ends_well(
        ALARM
        + """
doc = large(9)
on_alarm(doc.close)
while not doc.closed:
    parsed = large()
parsed.close()
assert xml_safe.live_handles()["Document"] == 0
"""
    )


HANDLERS = [
    pytest.param("doc.close", {None, "BusyError"}, id="closes it too"),
    pytest.param("context.close", {None, "BusyError"}, id="closes a context of it"),
    pytest.param("lambda: doc.root", {"ClosedError", "BusyError"}, id="uses it"),
    pytest.param("other.close", {None}, id="closes another"),
]


@pytest.mark.parametrize(("call", "expected"), HANDLERS)
def test_a_signal_handler_while_the_main_thread_waits_in_close(call, expected, ends_well):
    ends_well(f"""
doc, other, seen = large(), large(9), []
context = doc.xpath_new_context()
evaluating = in_thread(doc.xpathEval, LONG)
on_wait(lambda: seen.append(outcome({call})))
faulthandler.dump_traceback_later({HANG - 10}, exit=True)
doc.close()
evaluating.join()
assert seen and set(seen) <= {expected!r}, seen
assert doc.closed and context.closed
""")


INTERRUPTED = {
    "a document": "doc.close()",
    "its context": "context.close()",
    "a call that waits": "context.register_ns('p', 'urn:p')",
    "a with block": "with doc: pass",
}


@pytest.mark.parametrize("waiting", INTERRUPTED)
@pytest.mark.parametrize("raised", ["KeyboardInterrupt", "SystemExit", "ZeroDivisionError"])
def test_waiting_is_interrupted_and_nothing_is_closed(waiting, raised, ends_well):
    """While another thread evaluates: the exception of the handler comes out, and a later close works."""
    ends_well(f"""
doc = large()
context = doc.xpath_new_context()
evaluating = in_thread(context.eval, LONG)
def interrupt():
    raise {raised}
on_wait(interrupt)
try:
    {INTERRUPTED[waiting]}
except {raised}:
    assert evaluating.is_alive(), "it was only noticed at the end"
else:
    1 / 0
assert not doc.closed and not context.closed
assert doc.root.name == "a" and doc.xpathEval("count(//b)") == 8000
evaluating.join()
assert context.eval("1") == 1
doc.close()
assert doc.closed and context.closed and not any(xml_safe.live_handles().values())
""")


def test_control_c_while_close_waits():
    """As it comes from a terminal: the program ends as any program does, and nothing else is printed."""
    # Who runs the tests in the background may have SIGINT ignored.
    program = (
        PRELUDE
        + """
signal.signal(signal.SIGINT, signal.default_int_handler)
doc = large(12000)
in_thread(doc.xpathEval, LONG, daemon=True)
print(flush=True)
doc.close()
"""
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=QUIET | {"PYTHONPATH": TESTS},
    ) as process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=HANG)
    assert process.returncode == -signal.SIGINT
    assert stderr.splitlines()[-1] == "KeyboardInterrupt"


def test_leaving_while_close_waits(run):
    ended = run("doc = large()\nin_thread(doc.xpathEval, LONG, daemon=True)\non_wait(lambda: sys.exit(3))\ndoc.close()")
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "", "")
