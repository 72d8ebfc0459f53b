"""zlib: byte for byte what Python's own does, each way to fail, and that nothing is left."""

import array
import gc
import random
import threading
import zlib

import pytest
from zlib_safe import ClosedError, Compressor, Decompressor, ZlibError, live_handles

NONE = {"Compressor": 0, "Decompressor": 0}
RANDOM = random.Random(1)
DATA = [
    b"",
    b"a",
    b"text " * 50_000,
    RANDOM.randbytes(300_000),
    bytes(1_000_000),
    b"".join(RANDOM.choice([b"one", b"two", b"three"]) for _ in range(100_000)),
]


@pytest.mark.parametrize("level", range(-1, 10))
@pytest.mark.parametrize("data", DATA, ids=len)
def test_as_pythons_own(data, level):
    with Compressor(level) as compressor:
        ours = compressor.compress(data) + compressor.finish()
    theirs = zlib.compressobj(level)
    # Without compression the lengths of the blocks follow the room for the output.
    assert ours == theirs.compress(data) + theirs.flush() or level == 0
    assert zlib.decompress(ours) == data
    with Decompressor() as decompressor:
        assert decompressor.decompress(ours) == (data, len(ours))


@pytest.mark.parametrize("window", [9, 15, -15, 31])
def test_formats(window):
    data = DATA[2]
    compressor, theirs = Compressor(9, window=window), zlib.compressobj(9, zlib.DEFLATED, window)
    ours = compressor.compress(data) + compressor.finish()
    assert ours == theirs.compress(data) + theirs.flush()
    assert Decompressor(window=window).decompress(ours)[0] == data
    if window > 0:
        assert Decompressor(window=47).decompress(ours)[0] == data


def test_in_pieces():
    data = DATA[5]
    compressor, decompressor = Compressor(), Decompressor()
    result = b""
    for start in range(0, len(data), 10_007):
        packed = compressor.compress(data[start : start + 10_007]) + compressor.flush()
        part, used = decompressor.decompress(packed)
        assert part == data[start : start + 10_007] and used == len(packed)
        result += part
    assert result == data
    assert decompressor.decompress(compressor.finish() + b"more")[0] == b""


def test_bytes_after_the_end_of_the_stream_are_not_consumed():
    packed = zlib.compress(b"text")
    with Decompressor() as decompressor:
        assert decompressor.decompress(packed + b"and more") == (b"text", len(packed))
        decompressor.reset()
        first, used = decompressor.decompress(packed[:5])
        assert used == 5
        second, used = decompressor.decompress(packed[5:])
        assert (first + second, used) == (b"text", len(packed) - 5)


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview, lambda data: array.array("B", data)])
def test_every_buffer(make):
    with Compressor() as compressor:
        assert zlib.decompress(compressor.compress(make(b"text" * 99)) + compressor.finish()) == b"text" * 99


@pytest.mark.parametrize("data", ["text", None, 1, [1]])
def test_argument_that_is_no_buffer_raises(data):
    with Compressor() as compressor, pytest.raises(TypeError):
        compressor.compress(data)


def test_a_buffer_with_gaps():
    with Compressor() as compressor, pytest.raises(BufferError):
        compressor.compress(memoryview(b"text")[::2])


def test_a_buffer_is_let_go():
    data = bytearray(b"text")
    with Compressor() as compressor:
        compressor.compress(data)
        data.append(1)


@pytest.mark.parametrize(("level", "window"), [(10, 15), (-2, 15), (6, 7), (6, 100), (6, 0)])
def test_bad_settings(level, window):
    """Nothing was initialized, so nothing is to be ended."""
    for _ in range(100):
        with pytest.raises(ZlibError, match="stream error") as caught:
            Compressor(level, window=window)
        assert caught.value.code == -2
    with pytest.raises(OverflowError):
        Compressor(2**31)
    assert live_handles() == NONE


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"no stream", "header"), (zlib.compress(b"text")[:-1] + b"\0", "check"), (b"x\x9c\xff\xff", "block type")],
)
def test_no_stream(data, message):
    for _ in range(100):
        with Decompressor() as decompressor:
            with pytest.raises(ZlibError, match=message) as caught:
                decompressor.decompress(data)
            assert caught.value.code == -3
    assert live_handles() == NONE


def test_a_stream_that_needs_a_dictionary():
    theirs = zlib.compressobj(zdict=b"words")
    packed = theirs.compress(b"words words") + theirs.flush()
    with Decompressor() as decompressor, pytest.raises(ZlibError, match="dictionary"):
        decompressor.decompress(packed)


def test_reset_and_copy():
    with Compressor(9) as compressor:
        first = compressor.compress(b"text") + compressor.finish()
        with pytest.raises(ZlibError):
            compressor.compress(b"after the end")
        compressor.reset()
        assert compressor.compress(b"text") + compressor.finish() == first
        compressor.reset()
        start = compressor.compress(b"one ")
        with compressor.copy() as copy:
            assert zlib.decompress(start + copy.compress(b"two") + copy.finish()) == b"one two"
        assert zlib.decompress(start + compressor.compress(b"three") + compressor.finish()) == b"one three"
    assert live_handles() == NONE


def test_closed():
    compressor = Compressor()
    compressor.close()
    compressor.close()
    for use in (compressor.finish, compressor.reset, compressor.copy, lambda: compressor.compress(b"")):
        with pytest.raises(ClosedError):
            use()
    Decompressor()
    gc.collect()
    assert live_handles() == NONE


def test_threads():
    data = DATA[5]
    results = []

    def work():
        with Compressor() as compressor:
            results.append(compressor.compress(data) + compressor.finish())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [zlib.compress(data)] * 4


def test_one_compressor_in_two_threads():
    """Each call borrows the compressor exclusively, so that the stream stays valid."""
    compressor = Compressor(1)
    parts = []
    lock = threading.Lock()

    def work():
        for _ in range(50):
            with lock:
                parts.append(compressor.compress(b"text" * 10_000))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    parts.append(compressor.finish())
    assert zlib.decompress(b"".join(parts)) == b"text" * 1_000_000
    compressor.close()
