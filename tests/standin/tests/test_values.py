"""Values: several results of one call, flags, records, and an enum that borrows, as Python sees them."""

import math
import signal
import subprocess
import sys

import pytest
from standin_safe import (
    ClosedError,
    Corner,
    Error,
    Marks,
    OpenMarks,
    Pin,
    Point,
    Segment,
    Sheet,
    Stamp,
    live_handles,
    marks_of_number,
    number_of_marks,
    number_of_open_marks,
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
