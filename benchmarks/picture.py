"""The picture of the benchmarks: instructions per operation, and times relative to lxml."""

import importlib
from pathlib import Path
from typing import Any

from instructions import Instructions
from operations import EMPTY_LOOP, STATEMENTS
from times import OPERATIONS, Times

OURS = "#c0392b"
REFERENCE = "black"
OTHERS = ["#2e86c1", "#28a745", "#8e6bbf", "#e0912f", "#7f8c8d"]


def draw(instructions: Instructions, times: Times, path: Path) -> None:
    """Writes an SVG with a row for each operation, and a mark for each wrapper or package."""
    matplotlib: Any = importlib.import_module("matplotlib")
    matplotlib.use("svg")
    # Text stays text, and the same figures make the same file.
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "leakproof", "font.size": 9})
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(12, 5), layout="constrained")
    draw_instructions(left, instructions)
    draw_times(right, times)
    figure.savefig(path, metadata={"Date": None})


def draw_instructions(axes: Any, instructions: Instructions) -> None:
    names = {"c": "hand-written C", "pyo3": "PyO3", "cython": "Cython"}
    # Only hand-written C has a constructor that parses a tuple.
    rows = [operation for operation in STATEMENTS if operation in instructions["leakproof"] and operation != EMPTY_LOOP]
    series = {names.get(wrapper, wrapper): costs for wrapper, costs in instructions.items()}
    draw_marks(axes, rows, series, ours="leakproof", reference="hand-written C")
    draw_scale(axes, "instructions per operation, loop included (fewer is better)", [250, 500, 1000, 2000, 4000])


def draw_times(axes: Any, times: Times) -> None:
    # The parallel operations are told apart by their ratio, which the table has.
    operations = [operation for operation in OPERATIONS if "thread" not in operation.name]
    series: dict[str, dict[str, float]] = {}
    for name in times.versions:
        ratios = {operation.title: times.ratio(operation.name, name) for operation in operations}
        series[name] = {title: ratio for title, ratio in ratios.items() if ratio is not None}
    draw_marks(axes, [operation.title for operation in operations], series, ours="xml-safe", reference="lxml")
    draw_scale(axes, "time or memory, relative to lxml (less is better)", [0.1, 0.2, 0.5, 1, 2, 5, 10, 20])


def draw_marks(axes: Any, rows: list[str], series: dict[str, dict[str, float]], *, ours: str, reference: str) -> None:
    """Draws a mark in each row for each series, those of `ours` above all others."""
    colors = iter(OTHERS)
    for name, values in series.items():
        color = OURS if name == ours else REFERENCE if name == reference else next(colors)
        places = [rows.index(row) for row in values if row in rows]
        figures = [value for row, value in values.items() if row in rows]
        size, order = (70, 3) if name == ours else (40, 2)
        axes.scatter(figures, places, s=size, color=color, label=name, zorder=order)
    axes.set_yticks(range(len(rows)), rows)
    axes.invert_yaxis()
    axes.grid(color="#dddddd")
    axes.set_axisbelow(True)
    axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=3, frameon=False)


def draw_scale(axes: Any, label: str, ticks: list[float]) -> None:
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel(label)
