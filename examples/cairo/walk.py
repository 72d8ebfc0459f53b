"""What the walk goes along: every function of cairo_safe, succeeding and failing."""

import tempfile
from pathlib import Path

import cairo_safe as MODULE
from pytest_leakproof.walk import Operation

folder = tempfile.TemporaryDirectory()
PNG = Path(folder.name, "picture.png")
MODULE.Surface.image(2, 2).write_png(PNG)


def surface():
    return MODULE.Surface.image(10, 10)


def context():
    return MODULE.Context(surface())


def closed():
    it = context()
    it.close()
    return it


def finished():
    it = surface()
    it.finish()
    return it


def svg():
    with MODULE.Surface.svg(Path(folder.name, "drawing.svg"), 10, 10) as drawing:
        drawing.finish()


def path(it):
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


def write(it):
    it.colour(0, 0, 0)
    it.font_size(5)
    it.move_to(1, 1)
    it.text("x")
    it.rectangle(0, 0, 1, 1)
    it.fill()
    it.paint()


def gradient(it):
    pattern = MODULE.Pattern.radial(0, 0, 1, 0, 0, 5)
    pattern.add_colour(0, 1, 1, 1)
    it.source = pattern
    return it.source


def line_cap(it):
    it.line_cap = MODULE.LineCap.ROUND
    return it.line_cap


def matrix(it):
    it.matrix = MODULE.Matrix(1, 0, 0, 1, 0, 0)
    return it.matrix


OPERATIONS = [
    Operation("image", lambda: MODULE.Surface.image(5, 5)),
    Operation("image of no size", lambda: MODULE.Surface.image(-5, 5), fails=MODULE.CairoError),
    Operation("png", lambda: MODULE.Surface.png(PNG)),
    Operation("png that is missing", lambda: MODULE.Surface.png("/no/such"), fails=MODULE.CairoError),
    Operation("svg", svg),
    Operation("format", lambda it: it.format, prepare=surface),
    Operation("image of a format", lambda: MODULE.Surface.image(5, 5, MODULE.Format.A8)),
    Operation("line cap", line_cap, prepare=context),
    Operation("matrix", matrix, prepare=context),
    Operation("extents", lambda it: it.extents("x"), prepare=context),
    Operation("size", lambda it: (it.width, it.height, it.owners), prepare=surface),
    Operation("write", lambda it: it.write_png(PNG), prepare=surface),
    Operation("write nowhere", lambda it: it.write_png("/no/such"), prepare=surface, fails=MODULE.CairoError),
    Operation("finish", lambda it: it.finish(), prepare=surface),
    Operation("context", MODULE.Context, prepare=surface),
    Operation("context of what is finished", MODULE.Context, prepare=finished, fails=MODULE.CairoError),
    Operation("target", lambda it: it.target, prepare=context),
    Operation("point", lambda it: it.point, prepare=context),
    Operation("path", path, prepare=context),
    Operation("text", write, prepare=context),
    Operation("restore", lambda it: it.restore(), prepare=context, fails=MODULE.CairoError),
    Operation("paint when closed", lambda it: it.paint(), prepare=closed, fails=MODULE.ClosedError),
    Operation("gradient", gradient, prepare=context),
    Operation("linear", lambda: MODULE.Pattern.linear(0, 0, 1, 1)),
    Operation("pattern of a surface", lambda it: MODULE.Pattern.of(it), prepare=surface),
]
