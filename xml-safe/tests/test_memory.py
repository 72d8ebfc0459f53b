"""Too little memory: an exception, never a result that is cut and never the end of the process."""

import sys

import pytest
from xml_safe import parse

# 6 KB of references to an entity of half a megabyte.
MANY = """
import resource, sys
import xml_safe

entity = "0123456789" * 50_000
doc = xml_safe.parse(f"<!DOCTYPE a [<!ENTITY e '{entity}'>]><a k='v'>{'&e;' * 2000}</a>", huge=True)
"""
LIMITED = """
limit = int(sys.argv[1]) << 20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    result = CALL
except MemoryError:
    print("MemoryError", end=" ")
else:
    print(RESULT, end=" ")
assert doc.xpathEval("count(/a)") == 1
assert doc.root.get("k") == "v"
print("and goes on")
"""
needs_limits = pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")


def limited(run_python, call, megabytes, result="len(result)"):
    program = MANY + LIMITED.replace("CALL", call).replace("RESULT", result)
    ended = run_python("-c", program, str(megabytes))
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.strip()


@needs_limits
@pytest.mark.parametrize("call", ["doc.root.text", "doc.xpathEval('string(/a)')", "doc.xpathEval('/')[0].text"])
@pytest.mark.parametrize("megabytes", [600, 1500], ids=["in C", "for the copy"])
def test_text_that_does_not_fit_is_a_memory_error(run_python, call, megabytes):
    assert limited(run_python, call, megabytes) == "MemoryError and goes on"


@needs_limits
def test_a_wrong_value_of_a_function_is_a_memory_error(run_python):
    assert limited(run_python, "doc.xpathEval('string-length(/a)')", 600) == "MemoryError and goes on"


NAMES = """
import resource, xml_safe

size = lambda: int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
doc = xml_safe.Document()
root = doc.append_element("root")
name = "n" * 10_000
before = size()
for _ in range(5_000):
    root.append_element(name).set(name, "value")
print((size() - before) >> 20, len(root.children))
"""


@needs_limits
def test_names_in_a_new_document_are_there_once(run_python):
    megabytes, count = map(int, run_python("-c", NAMES).stdout.split())
    assert count == 5_000
    # Copies of the names would take 100 MB.
    assert megabytes < 20


SERIALIZED = """
import resource, sys
import xml_safe

doc = xml_safe.parse("<a>" + "<b k='v'>text</b>" * 100_000 + "</a>")
right = doc.root.to_string()
assert right.endswith("</a>")
ascii, utf16, texts = right.encode(), right.encode("utf-16"), "text" * 100_000
# A long evaluation would leave memory behind that glibc keeps for the next helper thread.
count = 100_000.0
soft = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
seen = set()
for megabytes in range(0, 30, 2):
    limit = soft + (megabytes << 20)
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    for call, value in (
        (lambda: doc.root.to_string(), right),
        (lambda: doc.root.to_bytes(encoding="utf-16", declaration=False), utf16),
        (lambda: doc.root.to_bytes(encoding="ascii"), ascii),
        (lambda: doc.root.to_string(method="html"), right),
        (lambda: doc.to_c14n(), ascii),
        (lambda: doc.root.text, texts),
        (lambda: doc.xpathEval("count(//b)"), count),
        (lambda: len(doc.xpathEval("/a/b/text()")), 100_000),
        (lambda: doc.xpathEval("string(/a)"), texts),
        (lambda: doc.xpathEval("/a/b = 'other'"), False),
    ):
        try:
            result = call()
        except MemoryError:
            seen.add("MemoryError")
        else:
            assert result == value, (megabytes, len(result) if isinstance(result, (str, bytes)) else result)
            seen.add("result")
        result = None
print(*sorted(seen))
"""


@needs_limits
def test_result_under_any_memory_limit_is_whole(run_python):
    ended = run_python("-c", SERIALIZED)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.split() == ["MemoryError", "result"]


def test_python_that_has_no_memory_for_a_result(run_python):
    """Each allocation of Python's own fails once: an exception or the whole result, never a panic."""
    testcapi = pytest.importorskip("_testcapi")
    assert hasattr(testcapi, "set_nomemory")
    program = """
import _testcapi, xml_safe
doc = xml_safe.parse("<a k='v'>text<b/></a>")
class File:
    def write(self, part):
        pass
file = File()
calls = [
    lambda: doc.to_string(),
    lambda: doc.to_bytes(encoding="utf-16"),
    lambda: doc.to_bytes(encoding="ascii", standalone=True),
    lambda: doc.to_string(method="html"),
    lambda: doc.write(file),
    lambda: doc.write("/dev/null"),
    lambda: doc.to_c14n(),
    lambda: doc.root.write_c14n(file, exclusive=True, inclusive_prefixes=["a"]),
    lambda: doc.root.text,
    lambda: doc.root.attributes,
    lambda: doc.root.children,
    lambda: doc.root.line,
    lambda: doc.xpathEval("1.5"),
    lambda: doc.xpathEval("//namespace::*"),
    lambda: doc.xpathEval("string(/a)"),
]
for call in calls:
    call()
    for n in range(1, 60):
        try:
            _testcapi.set_nomemory(n, n + 1)
            call()
        except MemoryError:
            pass
        finally:
            _testcapi.remove_mem_hooks()
print("done")
"""
    ended = run_python("-c", program)
    assert (ended.returncode, ended.stdout) == (0, "done\n"), ended.stderr


# Entities

HALF = "0123456789" * 50_000
# Newer versions of libxml2 also limit how much longer than the document its entities are.
LONG = f"<!--{HALF * 5}-->"


def expanding(references, **options):
    return parse(f"{LONG}<!DOCTYPE a [<!ENTITY e '{HALF}'>]><a k='v'><b/>{'&e;' * references}<c>x</c></a>", **options)


def test_entities_up_to_the_limit_are_written_out():
    with expanding(20) as doc:
        assert doc.root.text == HALF * 20 + "x"
        assert doc.xpathEval("/")[0].text == HALF * 20 + "x"


def test_entities_above_the_limit_are_refused():
    with expanding(21) as doc:
        for node in (doc.root, doc.xpathEval("/")[0]):
            with pytest.raises(OverflowError, match="more than 10000000 bytes.*huge=True"):
                node.text
        assert doc.root.get("k") == "v"
        assert [node.text for node in doc.root] == ["", "x"]
        assert doc.root.to_string().count("&e;") == 21


def test_the_limit_is_lifted_by_huge():
    with expanding(21, huge=True) as doc:
        assert len(doc.root.text) == 10_500_001


def test_the_limit_holds_for_attributes():
    dtd = f"{LONG}<!DOCTYPE a [<!ENTITY e '{HALF[:300_000]}'>]>"
    with parse(f"{dtd}<a k='{'&e;' * 30}'/>") as doc:
        assert len(doc.root.get("k")) == 9_000_000
    with parse(f"{dtd}<a k='{'&e;' * 40}' l='1'/>") as doc:
        with pytest.raises(OverflowError):
            doc.root.get("k")
        with pytest.raises(OverflowError):
            doc.root.attributes.values()
        assert doc.root.get("l") == "1"


def test_entities_in_entities_count():
    dtd = f"{LONG}<!DOCTYPE a [<!ENTITY e0 '{HALF[:99_000]}'><!ENTITY e1 '{'&e0;' * 10}'>]>"
    with parse(f"{dtd}<a><b>{'&e1;' * 9}</b>{'&e1;' * 2}</a>") as doc:
        assert len(doc.root.xpathEval("b")[0].text) == 8_910_000
        with pytest.raises(OverflowError):
            doc.root.text


def test_long_text_without_entities_is_not_limited():
    with parse("<!DOCTYPE a [<!ENTITY e 'x'>]><a>" + f"<b>{HALF}</b>" * 19 + "&e;" * 200_000 + "</a>") as doc:
        assert len(doc.root.text) == 9_700_000
