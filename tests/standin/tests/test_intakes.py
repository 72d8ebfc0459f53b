"""Memory that C asks a callback to fill, filled by Python callables."""

import array
import gc
import io
from collections.abc import Callable
from typing import Any

import pytest
from standin_safe import BusyError, Intake, live_handles

MEBIBYTE = 1 << 20


def each(*results: Any) -> Callable[..., Any]:
    """Returns a callable that returns these, one after the other."""
    them = iter(results)
    return lambda *_: next(them)


def test_c_reads_what_the_callable_returns() -> None:
    intake = Intake(4)
    intake.load(io.BytesIO(b"abcdefghij").read)
    assert intake.taken == b"abcdefghij"
    # Less than C asked for is fine.
    intake.load(each(b"k", b"lm", b""))
    assert intake.taken == b"abcdefghijklm"


def test_callable_gets_the_number_of_bytes() -> None:
    asked = []
    Intake(7).load(lambda *arguments: asked.append(arguments) or b"")
    Intake(6).items(2, 3, lambda *arguments: asked.append(arguments) or b"")
    assert asked == [(7,), (2, 3)]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, lambda text: array.array("H", text)])
def test_anything_with_bytes_is_read(kind: Callable[[bytes], Any]) -> None:
    intake = Intake(8)
    intake.load(each(kind(b"abcdef"), b""))
    assert intake.taken == b"abcdef"


def test_length_is_a_product() -> None:
    intake = Intake(6)
    intake.items(3, 2, each(b"abcdef", b""))
    with pytest.raises(ValueError, match="^a callback has 7 bytes, where C has asked for at most 6$"):
        intake.items(3, 2, each(b"ghijklm"))
    with pytest.raises(ValueError, match="^the length of buffer that C passed to a callback is negative, or more"):
        intake.items(2**63, 3, each(b""))
    assert intake.taken == b"abcdef"


def test_too_much_is_an_error() -> None:
    intake = Intake(4)
    with pytest.raises(ValueError, match="^a callback has 5 bytes, where C has asked for at most 4$"):
        intake.load(each(b"abcd", b"efghi"))
    assert intake.taken == b"abcd"


@pytest.mark.parametrize(("result", "name"), [("text", "str"), (None, "NoneType"), (3, "int"), ([1], "list")])
def test_what_has_no_bytes_is_a_type_error(result: object, name: str) -> None:
    with pytest.raises(TypeError, match=f"bytes-like.*'{name}'"):
        Intake(4).load(each(result))


def test_scattered_bytes_are_refused() -> None:
    with pytest.raises(BufferError, match="^contiguous bytes are needed"):
        Intake(4).load(each(memoryview(b"abcd")[::2]))


@pytest.mark.parametrize("method", ["load", "input"])
def test_exception_comes_out(method: str) -> None:
    def fail(_: object) -> bytes:
        raise KeyError("key")

    intake = Intake(4)
    with pytest.raises(KeyError, match="key"):
        getattr(intake, method)(fail)
    assert intake.taken == b""
    getattr(intake, method)({"load": io.BytesIO(b"a").read, "input": io.BytesIO(b"a").readinto}[method])
    assert intake.taken == b"a"


def test_readinto_fills_a_memoryview() -> None:
    intake = Intake(4)
    intake.input(io.BytesIO(b"abcdefghij").readinto)
    assert intake.taken == b"abcdefghij"


def test_memoryview_is_zeros_that_may_be_written() -> None:
    seen = []

    def readinto(view: memoryview) -> int:
        seen.append((bytes(view), view.readonly, view.format, len(view)))
        view[:] = b"abcd"
        return 0 if len(seen) == 2 else 3

    intake = Intake(4)
    intake.input(readinto)
    assert seen == [(bytes(4), False, "B", 4)] * 2
    # Only what was counted is read.
    assert intake.taken == b"abc"


@pytest.mark.parametrize("count", [-1, 5, 2**63, 2**100, -(2**100)])
def test_count_beyond_the_memoryview_is_an_error(count: int) -> None:
    intake = Intake(4)
    with pytest.raises(ValueError, match="^the number of bytes that a callable wrote to a memoryview of 4 is negative"):
        intake.input(each(count))
    assert intake.taken == b""


@pytest.mark.parametrize(("result", "name"), [("1", "str"), (None, "NoneType"), (1.0, "float"), (b"a", "bytes")])
def test_count_that_is_no_integer_is_a_type_error(result: object, name: str) -> None:
    with pytest.raises(TypeError, match=f"'{name}' object cannot be interpreted as an integer"):
        Intake(4).input(each(result))


def test_kept_memoryview_is_released() -> None:
    kept = []

    def readinto(view: memoryview) -> int:
        kept.append(view)
        view[0] = 1
        return len(kept) % 2

    intake = Intake(4)
    intake.input(readinto)
    assert intake.taken == b"\1"
    for view in kept:
        with pytest.raises(ValueError, match="released"):
            view[0] = 2


@pytest.mark.parametrize("fails", [False, True])
def test_kept_slice_is_not_of_cs_memory(fails: bool) -> None:
    kept = []

    def readinto(view: memoryview) -> int:
        kept.append(view[:2])
        kept.append(memoryview(view))
        view[:] = b"abcd"
        if fails:
            raise KeyError
        return 4 if len(kept) == 2 else 0

    intake = Intake(4)
    if fails:
        with pytest.raises(KeyError):
            intake.input(readinto)
    else:
        intake.input(readinto)
    taken = intake.taken
    del intake
    gc.collect()
    assert [bytes(view[:2]) for view in kept] == [b"ab"] * len(kept)
    for view in kept:
        view[:2] = b"yz"
    assert taken == (b"" if fails else b"abcd")


def test_memory_below_the_memoryview_cannot_be_shortened() -> None:
    def readinto(view: memoryview) -> int:
        below = view.obj
        assert isinstance(below, bytearray)
        view[:] = b"abcd"
        view.release()
        with pytest.raises(BufferError):
            below.clear()
        return next(counts)

    counts = iter([4, 0])
    intake = Intake(4)
    intake.input(readinto)
    assert intake.taken == b"abcd"


def test_callable_gets_a_mebibyte_at_most() -> None:
    lengths = []

    def readinto(view: memoryview) -> int:
        lengths.append(len(view))
        return len(view) if len(lengths) == 1 else 0

    intake = Intake(MEBIBYTE + 5)
    intake.input(readinto)
    assert lengths == [MEBIBYTE] * 2
    assert intake.taken == bytes(MEBIBYTE)


def test_status_says_nothing_of_the_length() -> None:
    intake = Intake(6)
    assert intake.at(7, io.BytesIO(b"abcde").readinto) == 0
    assert intake.at(12, io.BytesIO(b"a").readinto) == 1
    # C reads all of its memory.
    assert intake.taken == b"7abcde12a\0\0\0"
    with pytest.raises(ValueError, match="memoryview of 5"):
        intake.at(7, each(6))


def test_callable_cannot_use_the_intake_but_another_one() -> None:
    intake, other = Intake(4), Intake(2)

    def read(_: int) -> bytes:
        with pytest.raises(BusyError):
            intake.load(each(b""))
        with pytest.raises(BusyError):
            intake.close()
        other.load(io.BytesIO(b"abc").read)
        return next(results)

    results = iter([b"de", b""])
    intake.load(read)
    assert (intake.taken, other.taken) == (b"de", b"abcabc")


def test_nothing_is_left_alive() -> None:
    before = live_handles()
    intake = Intake(4)
    with pytest.raises(TypeError):
        intake.load(each("text"))
    with pytest.raises(TypeError):
        intake.input(each("text"))
    intake.close()
    assert live_handles() == before
