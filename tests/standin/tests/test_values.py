"""Values: several results of one call, flags, records, and an enum that borrows, as Python sees them."""

import math
import signal
import subprocess
import sys

import pytest
from standin_safe import (
    Caption,
    ClosedError,
    Corner,
    Error,
    Finish,
    Inscription,
    Marks,
    OpenFinish,
    OpenMarks,
    Pin,
    Point,
    Segment,
    Sheet,
    Stamp,
    StrictFinish,
    StrictMarks,
    finish,
    live_handles,
    marks_of_number,
    number_of_marks,
    number_of_open_marks,
    open_finish,
    strict_finish,
    strict_marks,
)

NONE = dict.fromkeys(live_handles(), 0)


# ---- several results


def test_four_out_parameters_are_a_tuple():
    assert Sheet().extents() == (0.0, 0.0, 3.0, 4.0)


def test_handles_among_three_out_parameters_are_released_like_others():
    sheet = Sheet()
    first, second, total = sheet.pins(4)
    assert (type(first), first.number, second.number, total) == (Pin, 4, 5, 9)
    assert live_handles()["Pin"] == 2
    first.close()
    del second
    assert live_handles()["Pin"] == 0


def test_handle_that_a_failing_call_left_in_one_of_three_results_is_released():
    sheet = Sheet()
    with pytest.raises(Error):
        sheet.pins(-1)
    sheet.close()
    assert live_handles() == NONE


FINALIZED = """
import gc, signal
from standin_safe import BusyError, ClosedError, Sheet
# A call that waits for itself ends here.
signal.alarm(20)
results = []
class Garbage:
    def __init__(self, sheet):
        self.itself, self.sheet = self, sheet
    def __del__(self):
        try:
            self.sheet.close()
        except BusyError:
            results.append("busy")
        else:
            results.append("closed")
for _ in range(5):
    sheet = Sheet()
    gc.disable()
    gc.collect()
    Garbage(sheet)
    gc.set_threshold(1)
    gc.enable()
    try:
        sheet.extents()
    except ClosedError:
        pass
    gc.disable()
    gc.collect()
print(*results)
"""


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="there is no alarm")
def test_finalizer_that_runs_while_a_tuple_is_made_finds_the_handle_busy():
    """Making a container may run the garbage collector, within the call that uses the handle."""
    ended = subprocess.run([sys.executable, "-c", FINALIZED], capture_output=True, text=True, timeout=100)
    assert (ended.returncode, ended.stderr) == (0, "")
    results = ended.stdout.split()
    assert len(results) == 5
    # Later versions run the collector between instructions of Python.
    if sys.version_info < (3, 12):
        assert "busy" in results


def test_a_dozen_values_are_a_tuple():
    assert Sheet().dozen() == (1, 2, 3, 4, 5, 6, 7, 8, 9.0, 10.0, True, "12")


# ---- an enum that borrows


def test_an_enum_with_a_lifetime_becomes_its_value():
    sheet = Sheet()
    corner = sheet.at(0)
    assert type(corner) is Corner and corner.point == Point(3.0, 4.0)
    assert sheet.at(7) == 7
    sheet.close()
    with pytest.raises(ClosedError):
        corner.point


# ---- flags


def test_listed_flags_reach_c():
    assert number_of_marks(Marks.FINE) == 1
    assert number_of_marks(Marks.FINE | Marks.BOLD) == 5
    assert number_of_marks(5) == 5
    assert number_of_marks(Marks(0)) == number_of_marks(0) == 0


def test_the_other_flags_reach_c():
    assert ~Marks.BOLD == Marks.FINE | Marks.LAST
    assert ~(Marks.BOLD | 2) == Marks.FINE | Marks.LAST
    assert ~~Marks.BOLD == Marks.BOLD
    assert number_of_marks(~Marks.BOLD) == number_of_marks(~4) == number_of_marks(Marks.FINE | Marks.LAST)
    assert number_of_open_marks(~OpenMarks.FINE) == 4


def test_the_sign_bit_is_a_flag_like_others():
    assert Marks.LAST == 1 << 31
    assert number_of_marks(Marks.LAST | Marks.FINE) == 1 - (1 << 31)
    assert marks_of_number(1 - (1 << 31)) == Marks.LAST | Marks.FINE


@pytest.mark.parametrize("number", [2, 7, 1 << 20, Marks.FINE | 2, OpenMarks(8), ~2])
def test_flags_that_are_not_listed_are_refused(number):
    with pytest.raises(ValueError, match="is not a valid Marks"):
        number_of_marks(number)


@pytest.mark.parametrize("number", [1 << 40, 1 << 200, -(1 << 200)])
def test_numbers_beyond_c_are_refused(number):
    with pytest.raises((ValueError, OverflowError)):
        number_of_marks(number)
    with pytest.raises((ValueError, OverflowError)):
        number_of_open_marks(number)


def test_flag_from_a_value_that_is_no_number_raises():
    for wrong in (1.0, "FINE", None):
        with pytest.raises(TypeError, match="Marks expected"):
            number_of_marks(wrong)


def test_flags_of_a_newer_library_are_kept_in_results():
    marks = marks_of_number(3)
    assert type(marks) is Marks and marks == 3 and Marks.FINE in marks


def test_an_author_may_let_other_flags_pass():
    assert number_of_open_marks(OpenMarks.FINE | 2) == 3
    assert number_of_open_marks(1 << 20) == 1 << 20
    assert number_of_open_marks(1 << 31) == -(1 << 31)


def test_strict_flags_refuse_other_flags_as_parameters_and_results():
    assert strict_marks(StrictMarks.FINE | StrictMarks.BOLD, 4) == (5, StrictMarks.BOLD)
    assert strict_marks(0, 0) == (0, StrictMarks(0))
    with pytest.raises(ValueError, match="2 is not a valid StrictMarks: no flag is 0x2"):
        strict_marks(2, 0)
    with pytest.raises(ValueError, match="C returned 6, which is not a valid StrictMarks"):
        strict_marks(0, 6)


# ---- enumerations


def test_parameters_are_listed_and_results_need_not_be():
    assert finish(Finish.GLOSS, 0) == finish(2, 0) == (2, Finish.MATTE)
    number, result = finish(Finish.MATTE, 7)
    assert (number, result, type(result)) == (0, 7, int)
    with pytest.raises(ValueError, match="7 is not a valid Finish"):
        finish(7, 0)
    for wrong in (1.0, "GLOSS", None):
        with pytest.raises(TypeError, match="Finish expected"):
            finish(wrong, 0)


def test_an_open_enumeration_takes_other_numbers():
    assert open_finish(OpenFinish.GLOSS, 2) == (2, OpenFinish.GLOSS)
    assert type(open_finish(-7, 2)[1]) is OpenFinish
    number, result = open_finish(-7, 7)
    assert (number, result, type(result)) == (-7, 7, int)
    for number in (1 << 31, 1 << 200, -(1 << 200)):
        with pytest.raises(OverflowError, match=f"{number} does not fit C's type of OpenFinish"):
            open_finish(number, 0)
    with pytest.raises(TypeError, match="OpenFinish expected"):
        open_finish(1.0, 0)


def test_a_strict_enumeration_refuses_other_numbers_as_parameters_and_results():
    assert strict_finish(StrictFinish.GLOSS, 0) == (2, StrictFinish.MATTE)
    with pytest.raises(ValueError, match="7 is not a valid StrictFinish"):
        strict_finish(7, 0)
    with pytest.raises(ValueError, match="C returned 7, which is not a valid StrictFinish"):
        strict_finish(0, 7)


def test_members_have_the_comments_of_the_header():
    assert Finish.MATTE.__doc__ == "Without gloss."
    assert Finish.GLOSS.__doc__ == "With gloss.\n\nIt reflects <light>."
    assert Finish.SHINY is Finish.GLOSS
    assert Marks.FINE.__doc__ == "Thin."
    assert Finish.__doc__ == "The finish of a sheet. The header has comments of its members."
    assert OpenFinish.__doc__ == "A finish, of a library that gets new ones often."


# ---- records


def test_equal_records_have_equal_hashes():
    assert Point(1, 2) == Point(1.0, 2.0) and hash(Point(1, 2)) == hash(Point(1.0, 2.0))
    assert Point(0.0, 1.0) == Point(-0.0, 1.0) and hash(Point(0.0, 1.0)) == hash(Point(-0.0, 1.0))
    lines = {Segment(Point(0, 0), Point(1, 1), Marks.BOLD): "a"}
    assert lines[Segment(Point(0, 0), Point(1, 1), Marks(4))] == "a"
    assert Segment(Point(0, 0), Point(1, 1), Marks.FINE) not in lines


def test_different_records_have_different_hashes():
    assert len({hash(Point(x, y)) for x in range(10) for y in range(10)}) == 100


def test_a_record_with_nan_is_found_in_a_dict_by_itself():
    for record in (Point(math.nan, 1.0), Segment(Point(0, math.nan), Point(1, 1), Marks.FINE)):
        before = hash(record)
        # The floats that the first hash made were freed: these take their places.
        floats = [number + 0.5 for number in range(200)]
        assert hash(record) == before and len(floats) == 200
        assert {record: 1}[record] == 1
    assert Point(math.nan, 1.0) != Point(math.nan, 1.0)


def test_records_are_made_by_position_and_by_keyword():
    assert Point(1, 2) == Point(x=1, y=2) == Point(1, y=2)
    assert Segment(marks=Marks.FINE, end=Point(1, 1), start=Point(0, 0)).end == Point(1, 1)
    assert repr(Point(y=2, x=1)) == "Point(x=1.0, y=2.0)"
    for wrong in ({"x": 1}, {"x": 1, "y": 2, "z": 3}):
        with pytest.raises(TypeError):
            Point(**wrong)
    with pytest.raises(TypeError):
        Point(1, 2, x=1)


def test_text_of_a_record_is_that_of_the_array():
    inscription = Inscription("é", "abc")
    assert (inscription.id, inscription.text) == ("é", "abc")
    assert Sheet().stamp_of(inscription) == Stamp(b"\0\0\xa9\xc3", b"\0cba")
    read = Sheet().inscription(Stamp(b"dcba", b"\0\0ba"))
    assert (read.id, read.text) == ("abcd", "ab")
    assert Sheet().inscription(Stamp(b"X\0ba", b"Y\0ba")) == Inscription("ab", "ab")
    assert hash(Sheet().inscription(Stamp(b"X\0ba", b"Y\0ba"))) == hash(Inscription("ab", "ab"))
    assert repr(Inscription("ab", "é")) == "Inscription(id='ab', text='é')"


def test_text_that_is_not_utf_8_in_a_record():
    stamp = Stamp(b"\0\xffba", b"\0\xffba")
    read = Sheet().inscription(stamp)
    assert read.id == "ab\udcff"
    with pytest.raises(UnicodeDecodeError, match="text of Inscription.text is not UTF-8"):
        read.text
    assert repr(read) == "Inscription(id='ab\\udcff', text=<no UTF-8>)"
    assert read == Sheet().inscription(stamp)
    assert Sheet().scribble(stamp).words == "ab\ufffd"


def test_text_without_room_in_a_record_is_refused():
    for wrong, message in [
        ("abcd", "text is too long: C has room for 3 bytes, and the text has 4"),
        ("éé", "text is too long"),
        ("a\0b", "text holds a NUL character"),
    ]:
        with pytest.raises(ValueError, match=message):
            Inscription("", wrong)
    with pytest.raises(ValueError, match="id is too long"):
        Inscription("abcd", "")
    with pytest.raises(ValueError, match="id holds a NUL character"):
        Inscription("a\0b", "")
    with pytest.raises(TypeError):
        Inscription(1, "")


def test_a_partial_record_has_the_listed_fields():
    sheet = Sheet()
    caption = sheet.caption(3)
    assert (caption.size, caption.text, caption.left) == (3, "caption", 1.0)
    assert caption == Caption(3, "caption", 1.0) and hash(caption) == hash(Caption(3, "caption", 1.0))
    assert sheet.same_caption(caption) == caption
    assert sheet.caption(-1) is None


def test_ordered_records_are_ordered_as_tuples():
    values = [(2, "a", 0.0), (1, "b", 0.0), (1, "a", 1.0), (1, "a", 0.0), (1, "", 9.0)]
    captions = sorted(Caption(*value) for value in values)
    assert captions == [Caption(*value) for value in sorted(values)]
    low, high = Caption(1, "a", 0.0), Caption(1, "b", 0.0)
    assert low < high and low <= high and low <= low and not low < low
    assert high > low and high >= low and high >= high and not high > high
    strange = Caption(1, "a", math.nan)
    assert not low < strange and not low >= strange
    assert Caption.__lt__(low, 3) is NotImplemented
    with pytest.raises(TypeError, match="'<' not supported"):
        low < (1, "b", 0.0)
    with pytest.raises(TypeError, match="'<' not supported"):
        Point(1, 2) < Point(2, 3)


# ---- what only another build has


def test_method_that_cfg_removes_has_no_attribute_in_python():
    assert not hasattr(Sheet, "missing")


# ---- arrays of bytes in a record


def test_byte_array_of_a_record_is_bytes():
    stamp = Sheet().stamp(Stamp(b"\x00\xff12", b"abc\xe4"))
    assert (stamp.id, stamp.text) == (b"21\xff\x00", b"\xe4cba")
    assert type(stamp.id) is bytes
    assert stamp == Stamp(b"21\xff\x00", b"\xe4cba")
    assert hash(stamp) == hash(Stamp(b"21\xff\x00", b"\xe4cba"))
    assert repr(stamp) == r"Stamp(id=b'21\xff\x00', text=b'\xe4cba')"


@pytest.mark.parametrize("value", [b"", b"123", b"12345"])
def test_byte_array_of_another_length_raises(value):
    with pytest.raises(ValueError, match="length"):
        Stamp(value, b"1234")
