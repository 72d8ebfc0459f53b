"""Instructions per operation of the trivial C library's wrappers, counted by callgrind.

usage: instructions.py BUILT [--only WRAPPER...] [--functions OPERATION]

BUILT is the folder that build.py wrote. Each operation runs in a loop of two lengths. The difference of the two
counts, divided by the difference of the lengths, is the cost of an operation, the loop's own cost included.
`--functions` prints for one operation how many instructions each function takes.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from operations import STATEMENTS

FOLDER = Path(__file__).resolve().parent
WRAPPERS = ["c", "nanobind", "pyo3", "cython", "cffi", "leakproof"]
SHORT, LONG = 400, 2400

# Instructions per operation: of each function if they were asked for, else all of them under the name "".
Cost = dict[str, float]
# Instructions of each operation of each wrapper.
Instructions = dict[str, dict[str, float]]


def counts_of(dump: Path) -> Counter[str]:
    """Instructions of each function in a file of callgrind, those of called functions not included."""
    counts: Counter[str] = Counter()
    function, inclusive = "", False
    for line in dump.read_text().splitlines():
        if line.startswith("fn="):
            function = line.removeprefix("fn=")
        elif line.startswith("calls="):
            inclusive = True
        elif line[:1].isdigit() or line.startswith(("+", "-", "*")):
            if not inclusive:
                # A cost of zero is left out.
                counts[function] += sum(map(int, line.split()[1:]))
            inclusive = False
    return counts


def measure(wrapper: str, folder: Path, operations: list[str]) -> dict[str, Cost]:
    """Counts the instructions of each function per operation."""
    with tempfile.TemporaryDirectory() as output:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={output}/counts", "--dump-before=getppid"]
        command += ["--compress-strings=no", "--compress-pos=no", sys.executable, "-S", str(FOLDER / "operations.py")]
        command += [f"counter_{wrapper}", str(SHORT), str(LONG), *operations]
        environment = os.environ | {"PYTHONPATH": python_path(folder), "PYTHONHASHSEED": "0"}
        process = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if process.returncode != 0:
            raise RuntimeError(f"{wrapper} could not be measured:\n{process.stdout}")
        results = {}
        for number, operation in enumerate(operations):
            # The first file has all that came before the first run, and every second one all between two runs.
            short, long = (counts_of(Path(output, f"counts.{4 * number + run}")) for run in (2, 4))
            results[operation] = {name: (long[name] - short[name]) / (LONG - SHORT) for name in long | short}
        return results


def python_path(folder: Path) -> str:
    """Returns the import path of the wrappers and of what they import. The worker runs without `site`."""
    packages = [path for path in sys.path if path.endswith("site-packages")]
    return os.pathsep.join([str(folder), str(FOLDER), *packages])


def operations_of(wrapper: str) -> list[str]:
    others = ["ParsedCounter"] * (wrapper != "c") + ["by_position"] * (wrapper not in ("c", "leakproof"))
    return [name for name, code in STATEMENTS.items() if not any(other in code for other in others)]


def instructions(folder: Path, wrappers: list[str]) -> Instructions:
    """Returns the instructions of each operation of each wrapper."""
    results = {}
    for wrapper in wrappers:
        costs = measure(wrapper, folder, operations_of(wrapper))
        results[wrapper] = {operation: sum(cost.values()) for operation, cost in costs.items()}
    return results


def print_table(results: Instructions) -> None:
    """Prints a row for each operation, and a column for each wrapper."""
    width = max(map(len, STATEMENTS))
    print(f"{'instructions per operation':<{width}}", *(f"{wrapper:>10}" for wrapper in results))
    for operation in STATEMENTS:
        cells = [f"{cost[operation]:.0f}" if operation in cost else "-" for cost in results.values()]
        print(f"{operation:<{width}}", *(f"{cell:>10}" for cell in cells))


def print_functions(folder: Path, wrappers: list[str], operation: str) -> None:
    """Prints the functions that take at least half an instruction per operation."""
    for wrapper in wrappers:
        print(f"{wrapper}: {operation}, instructions per function")
        cost = measure(wrapper, folder, [operation])[operation]
        for name, count in sorted(cost.items(), key=lambda item: -item[1]):
            if abs(count) >= 0.5:
                print(f"{count:10.1f}  {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Instructions per operation of the wrappers, counted by callgrind.")
    parser.add_argument("built", type=Path, help="the folder that build.py wrote")
    parser.add_argument("--only", nargs="+", choices=WRAPPERS, default=WRAPPERS, metavar="WRAPPER")
    parser.add_argument("--functions", choices=STATEMENTS, metavar="OPERATION")
    options = parser.parse_args()
    if options.functions:
        print_functions(options.built, options.only, options.functions)
        return
    print_table(instructions(options.built, options.only))


if __name__ == "__main__":
    main()
