"""Where a process ends: nothing crashes, hangs or is lost, and only a leak is reported."""

import re
import subprocess
import sys
import textwrap

import pytest

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
