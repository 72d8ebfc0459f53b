"""Under valgrind: nothing is definitely lost beyond what importing costs, and no memory is misused."""

import os
import re
import shutil
import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.valgrind,
    pytest.mark.skipif(not shutil.which("valgrind"), reason="no valgrind here"),
]

BASE = """
import gc
import threading
import xml_safe
from xml_safe import parse, parse_file

XML = "<r xmlns:p='urn:p' a='1'><b k='v'>one</b><b>two</b><p:c/><!--c--><?do it?></r>"
FAILURES = xml_safe.Error, TypeError, ValueError, OSError

def swallow(call, *arguments, **options):
    try:
        return call(*arguments, **options)
    except FAILURES:
        pass
"""
PROGRAMS = {
    "evaluating": """
doc = parse(XML)
context = doc.xpath_new_context()
for _ in range(200):
    for expr in (
        "//b", "//zz", "//namespace::*", "string(//b)", "count(//b)", "//b[", "", "//b[foo()]", "//q:b", "q:f()",
        "count('x')", 1, "\\0",
    ):
        for evaluate in (doc.xpathEval, doc.root.xpathEval, context.eval):
            swallow(evaluate, expr)
""",
    "parsing": """
for _ in range(50):
    for data in (
        XML, b"", b"<a", b"<a>\\xff</a>", b"<a></b>", "<a>&x;&y;</b>", "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
        None, "\\ud800",
    ):
        swallow(parse, data)
        swallow(parse, data, recover=True)
        swallow(parse, data, resolve_entities=True)
    swallow(parse_file, "/nowhere")
    swallow(parse_file, "/")
    swallow(parse_file, "/dev/null")
""",
    "closing": """
for i in range(200):
    doc = parse(XML)
    contexts = [doc.xpath_new_context() for _ in range(3)]
    contexts[0].set_node(doc.root)
    nodes, elements = doc.xpathEval("//node()|//@*|/"), iter(doc.root)
    next(elements)
    if i % 4 == 0:
        contexts[1].close()
        doc.close()
        doc.close()
    elif i % 4 == 1:
        del doc
        contexts.clear()
        nodes[-1].text
    elif i % 4 == 2:
        cycle = [doc, nodes, elements, contexts]
        cycle.append(cycle)
        del doc, cycle
    for node in nodes:
        for name in ("name", "text", "path", "line", "type", "attributes", "children", "parent", "document"):
            swallow(getattr, node, name)
        swallow(node.get, "k")
        swallow(node.to_string)
        swallow(node.to_bytes, encoding="ascii", indent=True)
        swallow(node.to_bytes, encoding="utf-16", method="xhtml")
        swallow(node.to_c14n, exclusive=True, inclusive_prefixes=["p"])
        swallow(node.write, "/dev/full")
        swallow(node.xpathEval, "ancestor::*")
        hash(node), repr(node), node == nodes[0]
    for context in contexts:
        swallow(context.register_ns, "p", "urn:p")
        swallow(context.eval, "//b")
    swallow(lambda: next(elements))
""",
    "threads": """
for i in range(30):
    doc = parse("<a>" + "<b>x</b>" * 20 + "</a>")
    expressions = "//b", "//b[foo()]", "count(//b)"
    threads = [threading.Thread(target=swallow, args=(doc.xpathEval, expr)) for expr in expressions]
    threads.append(threading.Thread(target=doc.close))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
""",
}
END = """
for name in list(globals()):
    if name in ("doc", "context", "contexts", "nodes", "node", "elements", "evaluate", "threads", "thread", "cycle"):
        del globals()[name]
gc.collect()
assert set(xml_safe.live_handles().values()) == {0}, xml_safe.live_handles()
"""


def run(program):
    command = ["valgrind", "--leak-check=full", "--error-exitcode=0", sys.executable, "-c", BASE + program + END]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=1800, env={**os.environ, "PYTHONMALLOC": "malloc"}
    )
    assert ended.returncode == 0, ended.stderr
    lost = re.search(r"definitely lost: ([\d,]+) bytes", ended.stderr)
    bytes_lost = int(lost[1].replace(",", "")) if lost else 0
    misuses = re.findall(
        r"(?:Invalid (?:read|write|free)|uninitialised|Mismatched free|Jump to the invalid).*", ended.stderr
    )
    return bytes_lost, len(misuses), ended.stderr


@pytest.fixture(scope="module")
def baseline():
    return run("")


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_is_lost_or_misused(program, baseline):
    lost, misused, report = run(PROGRAMS[program])
    assert lost <= baseline[0], report
    assert misused <= baseline[1], report
