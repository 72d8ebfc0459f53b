"""The operations of the fault-injection sweep: every function of cairo_safe, succeeding and failing."""

import tempfile
from pathlib import Path

import cairo_safe as MODULE
from pytest_leakproof.sweep import Operation

folder = tempfile.TemporaryDirectory()
PNG = Path(folder.name, "picture.png")
MODULE.Surface.image(2, 2).write_png(PNG)


def surface() -> MODULE.Surface:
    return MODULE.Surface.image(10, 10)


def context() -> MODULE.Context:
    return MODULE.Context(surface())


def closed() -> MODULE.Context:
    it = context()
    it.close()
    return it


def finished() -> MODULE.Surface:
    it = surface()
    it.finish()
    return it


def svg() -> None:
    with MODULE.Surface.svg(Path(folder.name, "drawing.svg"), 10, 10) as drawing:
        drawing.finish()


def path(it: MODULE.Context) -> None:
    it.save()
    it.translate(1, 1)
    it.scale(1, 2)
    it.rotate(1)
    it.move_to(0, 0)
    it.line_to(1, 1)
    it.curve_to(1, 2, 3, 4, 5, 6)
    it.arc(1, 1, 1, 0, 1)
    it.rectangle(1, 1, 1, 1)
    it.line_width(1)
    it.stroke()
    it.restore()


def write(it: MODULE.Context) -> None:
    it.color(0, 0, 0)
    it.font_size(5)
    it.move_to(1, 1)
    it.text("x")
    it.rectangle(0, 0, 1, 1)
    it.fill()
    it.paint()


def gradient(it: MODULE.Context) -> object:
    pattern = MODULE.Pattern.radial(0, 0, 1, 0, 0, 5)
    pattern.add_color(0, 1, 1, 1)
    it.source = pattern
    return it.source


def line_cap(it: MODULE.Context) -> object:
    it.line_cap = MODULE.LineCap.ROUND
    return it.line_cap


def matrix(it: MODULE.Context) -> object:
    it.matrix = MODULE.Matrix(1, 0, 0, 1, 0, 0)
    return it.matrix


OPERATIONS = [
    Operation("image", lambda: MODULE.Surface.image(5, 5)),
    Operation("image of no size", lambda: MODULE.Surface.image(-5, 5), raises=MODULE.CairoError),
    Operation("png", lambda: MODULE.Surface.png(PNG)),
    Operation("png that is missing", lambda: MODULE.Surface.png("/no/such"), raises=MODULE.CairoError),
    Operation("svg", svg),
    Operation("format", lambda it: it.format, setup=surface),
    Operation("image of a format", lambda: MODULE.Surface.image(5, 5, MODULE.Format.A8)),
    Operation("line cap", line_cap, setup=context),
    Operation("matrix", matrix, setup=context),
    Operation("extents", lambda it: it.extents("x"), setup=context),
    Operation("size", lambda it: (it.width, it.height, it.owners), setup=surface),
    Operation("write", lambda it: it.write_png(PNG), setup=surface),
    Operation("write nowhere", lambda it: it.write_png("/no/such"), setup=surface, raises=MODULE.CairoError),
    Operation("finish", lambda it: it.finish(), setup=surface),
    Operation("context", MODULE.Context, setup=surface),
    Operation("context of what is finished", MODULE.Context, setup=finished, raises=MODULE.CairoError),
    Operation("target", lambda it: it.target, setup=context),
    Operation("point", lambda it: it.point, setup=context),
    Operation("path", path, setup=context),
    Operation("text", write, setup=context),
    Operation("restore", lambda it: it.restore(), setup=context, raises=MODULE.CairoError),
    Operation("paint when closed", lambda it: it.paint(), setup=closed, raises=MODULE.ClosedError),
    Operation("gradient", gradient, setup=context),
    Operation("linear", lambda: MODULE.Pattern.linear(0, 0, 1, 1)),
    Operation("pattern of a surface", lambda it: MODULE.Pattern.of(it), setup=surface),
]
