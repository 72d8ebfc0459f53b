"""Runs the operations of one wrapper under callgrind, for instructions.py. usage: operations.py MODULE N M OPERATION...

Each operation runs N and then M times. A call of getppid before and after each run makes callgrind write the counts.
"""

import importlib
import itertools
import os
import sys
from collections.abc import Callable

EMPTY_LOOP = "empty loop"
# The statement of each operation. All ints are among those that CPython caches, so that their memory is not counted.
STATEMENTS = {
    EMPTY_LOOP: "pass",
    "method, no argument, int result": "counter.get()",
    "property, int": "counter.value",
    "method, one int": "counter.plus(7)",
    "method, two ints": "counter.scaled(2, 7)",
    "method, one str": "counter.matches('text')",
    "method, one int by position only": "counter.plus_by_position(7)",
    "method, two ints by position only": "counter.scaled_by_position(2, 7)",
    "method, one str by position only": "counter.matches_by_position('text')",
    "result str from C memory": "counter.name()",
    "method that changes, one int": "counter.add(0)",
    "static method, two ints": "Counter.sum(2, 7)",
    "part, made and dropped": "counter.dial()",
    "method of a part, int result": "dial.get()",
    "create and destroy": "Counter(7)",
    "create and destroy, tuple parsing": "ParsedCounter(7)",
}
START = 100
WARM_UP = 100

Loop = Callable[[int], None]


def loop_of(statement: str, module: object) -> Loop:
    classes = {name: getattr(module, name) for name in ("Counter", "ParsedCounter") if hasattr(module, name)}
    header = f"def loop(count, counter=counter, dial=dial, {', '.join(f'{name}={name}' for name in classes)}):"
    counter = classes["Counter"](START)
    namespace: dict[str, object] = {**classes, "repeat": itertools.repeat, "counter": counter, "dial": counter.dial()}
    exec(f"{header}\n for _ in repeat(None, count):\n  {statement}", namespace)
    loop = namespace["loop"]
    assert callable(loop)
    return loop


def main() -> None:
    module = importlib.import_module(sys.argv[1])
    counts = list(map(int, sys.argv[2:4]))
    for name in sys.argv[4:]:
        loop = loop_of(STATEMENTS[name], module)
        loop(WARM_UP)
        for count in counts:
            os.getppid()
            loop(count)
            os.getppid()


if __name__ == "__main__":
    main()
