"""The main job on a real document, then what failing costs: our package beside libxml2's official binding.

Exits with 1 if our package lost memory or left a handle alive, with 2 if something couldn't be run.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

import xml_safe

DOCUMENT = Path("/usr/share/mime/packages/freedesktop.org.xml")
NAMESPACE = "http://www.freedesktop.org/standards/shared-mime-info"

QUESTIONS = [
    ("How many file types are there?", "count(//m:mime-type)"),
    ("How many rules look into a file's content?", "count(//m:match)"),
    ("What can a *.py file be?", "//m:mime-type[m:glob/@pattern='*.py']/@type"),
    ("What has more than five other names?", "//m:mime-type[count(m:alias) > 5]/@type"),
    ("How many types are ZIP archives in disguise?", "count(//m:mime-type[m:sub-class-of/@type='application/zip'])"),
    ("What is a *.svg in Japanese?", "string(//m:mime-type[m:glob/@pattern='*.svg']/m:comment[@xml:lang='ja'])"),
    ("Does any type lack a description?", "boolean(//m:mime-type[not(m:comment)])"),
]

CASES = [
    ("a match", "/*"),
    ("an empty match", "/nothing"),
    ("bad syntax", "//bar["),
    ("unknown function", "nothing()"),
    ("unbound prefix", "nothing:bar"),
]

# The official binding has the system's own Python, whichever Python runs this.
BINDINGS = [("xml_safe", sys.executable, 100_000), ("libxml2", "/usr/bin/python3", 10_000)]

# Losing anything in a call means at least one block of the allocator, tens of bytes. Less than one byte per call is
# what an interpreter keeps once in the whole run.
LOST = 1.0


def main() -> int:
    try:
        answer_questions()
        results = [
            (binding, case, measure(binding, python, case, expression, calls))
            for binding, python, calls in BINDINGS
            for case, expression in CASES
        ]
    except (OSError, RuntimeError) as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    print_table(results)
    return conclude(results)


def answer_questions() -> None:
    start = time.perf_counter()
    document = xml_safe.parse_file(DOCUMENT)
    print(f"{DOCUMENT} ({DOCUMENT.stat().st_size / 1e6:.1f} MB): parsed in {milliseconds(start)}\n")
    context = document.xpath_new_context()
    with document, context:
        context.register_ns("m", NAMESPACE)
        for question, expression in QUESTIONS:
            start = time.perf_counter()
            result = context.eval(expression)
            duration = milliseconds(start)
            print(f"{question}\n    {expression}\n    {describe(result)}  ({duration})")
    print(flush=True)


def milliseconds(start: float) -> str:
    return f"{(time.perf_counter() - start) * 1000:.1f} ms"


def describe(result: object) -> str:
    if isinstance(result, list):
        return ", ".join(node.text for node in result)
    if isinstance(result, float):
        return f"{result:g}"
    return str(result)


Result = dict[str, float]


def measure(binding: str, python: str, case: str, expression: str, calls: int) -> Result:
    """In a process of its own, so that no case profits or suffers from what another one lost."""
    progress(f"{binding}: {case}, {calls:,} calls of xpathEval({expression!r}) …")
    script = Path(__file__).with_name("measure.py")
    command = [python, str(script), binding, str(DOCUMENT), expression, str(calls)]
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    progress("")
    if process.returncode != 0:
        raise RuntimeError(f"{binding} couldn't be measured with {python}")
    result: Result = json.loads(process.stdout)
    return result


def progress(line: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)
    elif line:
        print(line, file=sys.stderr, flush=True)


def lost(result: Result) -> float:
    """Native bytes lost per call."""
    return result["bytes"] / result["calls"]


def print_table(results: list[tuple[str, str, Result]]) -> None:
    row = "{:<10} {:<18} {:>9} {:>12} {:>24} {:>18}"
    print(row.format("binding", "case", "calls", "µs per call", "native bytes lost/call", "live handles left"))
    for binding, case, result in results:
        live = f"{result['live']:,}" if "live" in result else "can't tell"
        duration = result["seconds"] / result["calls"] * 1e6
        print(row.format(binding, case, f"{result['calls']:,}", f"{duration:.1f}", f"{lost(result):,.1f}", live))
    print()


def conclude(results: list[tuple[str, str, Result]]) -> int:
    ours = [result for binding, _, result in results if binding == "xml_safe"]
    official = [result for binding, _, result in results if binding == "libxml2"]
    total = sum(result["bytes"] for result in official)
    worst = max(map(lost, official))
    print(f"The official binding lost up to {worst:,.0f} bytes per call, {total / 1e6:,.0f} MB in all.")
    if any(lost(result) >= LOST or result["live"] for result in ours):
        print("xml_safe LOST memory, or left handles alive: see the table.")
        return 1
    print("xml_safe lost nothing: less than one byte per call, and no handle is left alive.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
