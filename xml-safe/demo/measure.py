"""Measures what evaluating one XPath expression many times costs in one Python binding of libxml2.

    python measure.py {xml_safe|libxml2} FILE EXPRESSION CALLS

prints one line of JSON. It runs under each binding's own Python, so it imports nothing else that isn't Python's own.
"""

import ctypes
import gc
import importlib
import json
import sys
import time
from collections.abc import Callable


class Mallinfo2(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_size_t)
        for name in [
            "arena",
            "ordblks",
            "smblks",
            "hblks",
            "hblkhd",
            "usmblks",
            "fsmblks",
            "uordblks",
            "fordblks",
            "keepcost",
        ]
    ]


mallinfo2 = ctypes.CDLL(None).mallinfo2
mallinfo2.restype = Mallinfo2


def native_bytes() -> int:
    """What the C library's allocator has handed out and not got back."""
    gc.collect()
    info = mallinfo2()
    return int(info.uordblks + info.hblkhd)


def measure(evaluate: Callable[[str], object], error: type[Exception], expression: str, calls: int) -> dict[str, float]:
    # Caches that fill once, in the interpreter and in libxml2, are filled before the measurement begins.
    run(evaluate, error, expression, 1000)
    before = native_bytes()
    start = time.perf_counter()
    run(evaluate, error, expression, calls)
    seconds = time.perf_counter() - start
    return {"calls": calls, "bytes": native_bytes() - before, "seconds": seconds}


def run(evaluate: Callable[[str], object], error: type[Exception], expression: str, calls: int) -> None:
    for _ in range(calls):
        try:  # noqa: SIM105 (a context manager would be measured, too)
            evaluate(expression)
        except error:
            pass


def main(binding: str, path: str, expression: str, calls: int) -> dict[str, float]:
    module = importlib.import_module(binding)
    if binding == "xml_safe":
        with module.parse_file(path) as document:
            result = measure(document.xpathEval, module.XPathError, expression, calls)
        del document
        gc.collect()
        return result | {"live": sum(module.live_handles().values())}
    # Silenced for this process as a whole: the official binding has no other way.
    module.registerErrorHandler(lambda *_: None, None)
    document = module.parseFile(path)
    result = measure(document.xpathEval, module.xpathError, expression, calls)
    document.freeDoc()
    return result


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))))
