"""cairo: pictures, owners, errors that stay, and that nothing is left."""

import gc
import struct
import threading
import xml.etree.ElementTree
import zlib
from math import pi

import pytest
from cairo_safe import (
    BusyError,
    CairoError,
    ClosedError,
    Context,
    Format,
    LineCap,
    Matrix,
    Pattern,
    Surface,
    live_handles,
)

NONE = {"Context": 0, "Pattern": 0, "Surface": 0}
INVALID_RESTORE, FILE_NOT_FOUND, WRITE_ERROR, SURFACE_FINISHED = 2, 18, 11, 12


def pixels(path):
    """The rows of a PNG file, of three or four bytes a pixel."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, colors = struct.unpack(">IIBB", data[16:26])
    assert depth == 8
    step = {2: 3, 6: 4}[colors]
    packed, position = b"", 8
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position : position + 8])
        if kind == b"IDAT":
            packed += data[position + 8 : position + 8 + length]
        position += 12 + length
    raw = zlib.decompress(packed)
    size = width * step
    rows, above = [], bytes(size)
    for start in range(0, len(raw), size + 1):
        line = bytearray(raw[start + 1 : start + 1 + size])
        for index in range(size):
            left = line[index - step] if index >= step else 0
            corner = above[index - step] if index >= step else 0
            up = above[index]
            nearest = min((left, up, corner), key=lambda value: abs(left + up - corner - value))
            line[index] = (line[index] + [0, left, up, (left + up) // 2, nearest][raw[start]]) & 255
        rows.append([tuple(line[at : at + 3]) for at in range(0, size, step)])
        above = bytes(line)
    assert len(rows) == height
    return rows


def draw(surface):
    with Context(surface) as context:
        context.color(1, 1, 1)
        context.paint()
        with Pattern.linear(0, 0, 100, 0) as pattern:
            pattern.add_color(0, 1, 0, 0)
            pattern.add_color(1, 0, 0, 1)
            context.source = pattern
        context.rectangle(10, 10, 80, 30)
        context.fill()
        context.save()
        context.translate(50, 70)
        context.rotate(pi / 4)
        context.scale(2, 1)
        context.color(0, 0.5, 0, 0.5)
        context.arc(0, 0, 10, 0, 2 * pi)
        context.fill()
        context.restore()
        context.move_to(10, 90)
        context.line_to(50, 50)
        context.curve_to(60, 40, 80, 60, 90, 90)
        assert context.point == (90, 90)
        context.line_width(3)
        context.color(0, 0, 0)
        context.stroke()
        context.move_to(10, 60)
        context.font_size(12)
        context.text("grüße")


def test_a_picture(tmp_path):
    path = tmp_path / "picture.png"
    with Surface.image(100, 100) as surface:
        assert (surface.width, surface.height) == (100, 100)
        draw(surface)
        surface.write_png(path)
    rows = pixels(path)
    assert rows[0][0] == rows[99][99] == (255, 255, 255)
    red, _, blue = rows[20][15]
    assert red > 200 > 60 > blue
    red, _, blue = rows[20][85]
    assert blue > 200 > 60 > red
    with Surface.png(path) as again:
        assert (again.width, again.height) == (100, 100)
        again.write_png(tmp_path / "again.png")
    assert pixels(tmp_path / "again.png") == rows
    assert live_handles() == NONE


def test_a_drawing(tmp_path):
    path = tmp_path / "drawing.svg"
    with Surface.svg(path, 100, 100) as surface:
        draw(surface)
        surface.finish()
    root = xml.etree.ElementTree.parse(path).getroot()
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert list(root.iter("{http://www.w3.org/2000/svg}linearGradient"))
    assert live_handles() == NONE


# ---- owners


def test_owners_of_a_surface_are_counted():
    surface = Surface.image(1, 1)
    assert surface.owners == 1
    context = Context(surface)
    # A context keeps its surface for more than one purpose.
    kept = surface.owners - 1
    assert kept > 0
    pattern = Pattern.of(surface)
    assert surface.owners == kept + 2
    target = context.target
    assert target == surface and target is not surface and target.owners == kept + 3
    surface.close()
    assert target.owners == kept + 2
    with pytest.raises(ClosedError):
        surface.owners
    context.paint()
    context.close()
    assert target.owners == 2
    pattern.close()
    assert target.owners == 1
    target.close()
    assert live_handles() == NONE


def test_source_and_target_outlive_their_handles():
    context = Context(Surface.image(5, 5))
    context.source = Pattern.linear(0, 0, 1, 1)
    gc.collect()
    assert live_handles() == {"Context": 1, "Pattern": 0, "Surface": 0}
    context.paint()
    context.source.add_color(0, 1, 1, 1)
    assert context.target.width == 5
    assert context.source == context.source
    del context
    gc.collect()
    assert live_handles() == NONE


def test_many_handles_of_one_object():
    context = Context(Surface.image(5, 5))
    targets = [context.target for _ in range(1000)]
    assert len(set(targets)) == 1
    owners = targets[0].owners
    for target in targets[1:]:
        target.close()
    assert targets[0].owners == owners - 999
    targets[0].close()
    context.close()


# ---- errors


@pytest.mark.parametrize(("width", "height"), [(-1, 1), (1, 1_000_000)])
def test_a_surface_of_no_size(width, height):
    """cairo gives an object that only holds the error; it is released like any other."""
    for _ in range(100):
        with pytest.raises(CairoError, match="invalid value") as caught:
            Surface.image(width, height)
        assert caught.value.status
    assert live_handles() == NONE


def test_files_that_are_missing(tmp_path):
    with pytest.raises(CairoError, match="file not found") as caught:
        Surface.png(tmp_path / "nothing")
    assert caught.value.status == FILE_NOT_FOUND
    with Surface.image(1, 1) as surface:
        with pytest.raises(CairoError) as caught:
            surface.write_png(tmp_path / "no" / "folder")
        assert caught.value.status == WRITE_ERROR
        surface.write_png(tmp_path / "picture")
    path = tmp_path / "text"
    path.write_bytes(b"no picture")
    with pytest.raises(CairoError):
        Surface.png(path)
    assert live_handles() == NONE


def test_an_error_that_stays():
    with Context(Surface.image(5, 5)) as context:
        for use in (context.restore, context.paint, lambda: context.color(0, 0, 0), context.save):
            with pytest.raises(CairoError, match="cairo_restore.. without matching") as caught:
                use()
            assert caught.value.status == INVALID_RESTORE
        with pytest.raises(CairoError):
            context.source = Pattern.linear(0, 0, 1, 1)
        assert context.target.width in (0, 5)
    assert live_handles() == NONE


def test_a_finished_surface():
    with Surface.image(5, 5) as surface:
        surface.finish()
        with pytest.raises(CairoError, match="finished") as caught:
            Context(surface)
        assert caught.value.status == SURFACE_FINISHED
    assert live_handles() == NONE


def test_letters_that_c_has_not():
    with Context(Surface.image(5, 5)) as context:
        with pytest.raises(ValueError):
            context.text("a\0b")
        with pytest.raises(TypeError):
            context.text(b"a")
        context.text("a")


def test_closed():
    context = Context(Surface.image(5, 5))
    context.close()
    context.close()
    for use in (context.paint, lambda: context.target, lambda: context.point):
        with pytest.raises(ClosedError):
            use()
    assert issubclass(BusyError, Exception)
    assert live_handles() == NONE


def test_constants_are_pythons_own(tmp_path):
    with Surface.image(3, 4, Format.A8) as surface:
        assert surface.format is Format.A8
        with Context(surface) as context:
            assert context.line_cap is LineCap.BUTT
            context.line_cap = LineCap.ROUND
            assert context.line_cap is LineCap.ROUND
            with pytest.raises(ValueError, match="99 is not a valid LineCap"):
                context.line_cap = 99
            with pytest.raises(TypeError, match="LineCap expected, not str"):
                context.line_cap = "round"
    with Surface.svg(tmp_path / "x.svg", 1, 1) as drawing:
        # CAIRO_FORMAT_INVALID is not listed, and no reason to fail.
        assert drawing.format == -1 and type(drawing.format) is int


def test_structs_are_values():
    with Surface.image(10, 10) as surface, Context(surface) as context:
        identity = Matrix(1, 0, 0, 1, 0, 0)
        assert context.matrix == identity != Matrix(1, 0, 0, 1, 0, 2)
        context.translate(3, 4)
        moved = context.matrix
        assert (moved.x0, moved.y0) == (3, 4)
        assert repr(moved) == "Matrix(xx=1.0, yx=0.0, xy=0.0, yy=1.0, x0=3.0, y0=4.0)"
        context.matrix = identity
        assert context.matrix == identity
        # What was got is a copy.
        assert moved.x0 == 3
        with pytest.raises(CairoError, match="invalid matrix"):
            context.matrix = Matrix(0, 0, 0, 0, 0, 0)
        with pytest.raises(TypeError, match="Matrix expected, not int"):
            context.matrix = 1
        with pytest.raises(TypeError):
            Matrix(1, 2)
        with pytest.raises(AttributeError):
            identity.xx = 2


def test_the_room_of_a_text():
    with Surface.image(10, 10) as surface, Context(surface) as context:
        context.font_size(10)
        one, two = context.extents("m"), context.extents("mm")
        assert 0 < one.width < two.width
        assert two.advance == pytest.approx(2 * one.advance, rel=0.1)
        assert one.top < 0 < one.height


def test_threads_draw_on_one_surface():
    surface = Surface.image(64, 64)
    unexpected = []

    def draw():
        context = Context(surface)
        pattern = Pattern.of(surface)
        for column in range(200):
            try:
                context.rectangle(column % 64, 0, 1, 64)
                context.source = pattern if column % 3 else Pattern.linear(0, 0, 64, 64)
                context.fill()
            except BusyError:
                pass
            except BaseException as error:
                unexpected.append(error)

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not unexpected
