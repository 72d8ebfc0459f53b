"""Checks that a call through leakproof takes no more instructions than it did. usage: check_instructions.py BUILT

BUILT is the folder into which build.py built `c` and `leakproof` with PROFILE=release. The bounds are those of the
difference to hand-written C, which hardly depends on the version of Python. `make bench-instructions` has the figures
of the profile that packages are shipped with, and of other binding tools.
"""

import shutil
import sys
from pathlib import Path

from instructions import Instructions, instructions

# The instructions that an operation may take beyond hand-written C: at least 1.3 times what it took when the bound was
# set.
BOUNDS = {
    "method, no argument, int result": 60,
    "property, int": 70,
    "method, one int": 100,
    "method, two ints": 90,
    "method, one str": 120,
    "method, one int by position only": 60,
    "method, two ints by position only": 60,
    "method, one str by position only": 80,
    "result str from C memory": 20,
    "method that changes, one int": 105,
    "static method, two ints": 90,
    "part, made and dropped": 120,
    "method of a part, int result": 60,
    "create and destroy": 540,
}


def faults(results: Instructions) -> list[str]:
    """Returns a message for each operation that exceeds its bound."""
    messages = []
    for operation, bound in BOUNDS.items():
        extra = results["leakproof"][operation] - results["c"][operation]
        print(f"{operation}: {extra:.0f} instructions beyond hand-written C, of {bound}")
        if extra > bound:
            messages.append(f"{operation}: {extra:.0f} instructions beyond hand-written C, and {bound} are allowed")
    return messages


def main() -> None:
    if shutil.which("valgrind") is None:
        print("check_instructions: skipped, because valgrind is not installed (Debian: valgrind)")
        return
    messages = faults(instructions(Path(sys.argv[1]), ["c", "leakproof"]))
    if messages:
        print("\nA call through leakproof became slower:", *messages, sep="\n", file=sys.stderr)
        print("See where: make bench-instructions ONLY='c leakproof' FUNCTIONS='method, one int'", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
