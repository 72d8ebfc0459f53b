"""All benchmarks in one run: tables, a machine-readable file and a picture.

usage: bench.py BUILT OUTPUT [--repetitions N]

BUILT is the folder that build.py wrote. Writes results.json and results.svg to the folder OUTPUT.
"""

import argparse
import datetime
import json
import os
import platform
import time
from dataclasses import asdict
from pathlib import Path

import instructions
import picture
import times


def processor() -> str:
    """Returns the name of the processor."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def machine() -> dict[str, str | int]:
    return {
        "date": datetime.date.today().isoformat(),
        "processor": processor(),
        "processors": os.cpu_count() or 0,
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def times_as_json(results: times.Times) -> dict[str, object]:
    operations = {}
    for operation in times.OPERATIONS:
        row = results.figures[operation.name]
        ratios = {name: results.ratio(operation.name, name) for name in row}
        operations[operation.name] = {
            "title": operation.title,
            "unit": operation.unit,
            "figures": {name: asdict(figure) for name, figure in row.items()},
            "relative to lxml": ratios if "lxml" in row else {},
        }
    speed_up = {name: results.speed_up(name) for name in results.versions}
    return {"versions": results.versions, "operations": operations, "two threads": speed_up}


def main() -> None:
    parser = argparse.ArgumentParser(description="All benchmarks in one run.")
    parser.add_argument("built", type=Path, help="the folder that build.py wrote")
    parser.add_argument("output", type=Path, help="the folder of the results")
    parser.add_argument("--repetitions", type=int, default=times.REPETITIONS)
    options = parser.parse_args()
    start = time.monotonic()
    costs = instructions.instructions(options.built, instructions.WRAPPERS)
    instructions.print_table(costs)
    print(flush=True)
    measured = times.times(options.built.resolve(), options.repetitions)
    times.print_table(measured)
    results = {"machine": machine(), "instructions": costs, "times": times_as_json(measured)}
    file, drawing = options.output / "results.json", options.output / "results.svg"
    file.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n")
    picture.draw(costs, measured, drawing)
    print(f"\n{file} and {drawing} have these figures; measured in {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
