"""Text and bytes of C as results: the same values and errors as Rust's, and each copy is freed once."""

import gc
import os
import subprocess
import sys

import pytest
from standin_safe import ClosedError, Error, Letter, take_log

TEXTS = ["", "x", "xy", "text", "seven77", "eight888", "x" * 33, "x" * 100_000, "ü", "€", "😀", "aü€😀" * 50, "é" * 70]
BROKEN = {
    b"\xff": (0, 1),
    b"ab\xc3": (2, 3),
    b"ab\xc3d": (2, 3),
    b"\xed\xa0\x80": (0, 1),
    b"\xc0\x80": (0, 1),
    b"x" * 40 + b"\xf5\x80\x80\x80": (40, 41),
}


def texts(letter):
    """Returns the text by each method that gives all of it."""
    methods = [letter.text, letter.perhaps_text, letter.lossy_text, letter.data, letter.whole_text, letter.copy]
    methods += [letter.lossy_copy, lambda: letter.body, lambda: Letter.text_of(letter)]
    methods += [letter.interned_text, lambda: letter.interned_body]
    methods += [letter.object_of_text, letter.object_of_copy, letter.object_of_body]
    return [method() for method in methods]


@pytest.mark.parametrize("text", TEXTS)
def test_text_is_decoded_as_python_decodes_it(text):
    letter = Letter(text.encode())
    for _ in range(2):  # The first call of each method is PyO3's.
        for result in texts(letter):
            assert type(result) is str
            assert result == text
            assert hash(result) == hash(text)
            assert result.isascii() == text.isascii()
            assert sys.getsizeof(result) == sys.getsizeof("".join(list(text)))
            assert result is text.encode().decode() or len(text) > 1 or text > "\xff"


@pytest.mark.parametrize("text", [text for text in TEXTS if len(text.encode()) <= 8])
def test_text_in_an_array_is_decoded_as_python_decodes_it(text):
    letter = Letter(text.encode())
    for _ in range(2):
        assert letter.title == letter.title_data == text


@pytest.mark.parametrize("length", range(1, 36))
def test_character_that_is_not_ascii_is_found_at_each_place(length):
    for place in range(length):
        text = "x" * place + "é" + "x" * (length - place - 1)
        letter = Letter(text.encode())
        for _ in range(2):
            assert letter.text() == letter.copy() == letter.body == text
        broken = b"x" * place + b"\xff" + b"x" * (length - place - 1)
        with pytest.raises(UnicodeDecodeError) as raised:
            Letter(broken).text()
        assert raised.value.start == place


@pytest.mark.parametrize("content", [b"", b"x", b"a\0b", b"\0", b"\xff", bytes(range(256)) * 10])
def test_bytes_are_copied_at_their_length(content):
    letter = Letter(content)
    for _ in range(2):
        assert letter.content() == letter.copied_bytes() == letter.object_of_bytes() == content
        assert type(letter.content()) is bytes


def test_c_string_ends_at_the_first_nul_and_counted_text_does_not():
    letter = Letter(b"a\0b")
    for _ in range(2):
        assert texts(letter) == ["a"] * 4 + ["a\0b"] + ["a"] * 9
        assert letter.title == "a"


@pytest.mark.parametrize(("content", "place"), BROKEN.items())
def test_text_that_is_not_utf8_is_an_error_that_names_the_function(content, place):
    letter = Letter(content)
    calls = {
        "letter_text": [letter.text, letter.perhaps_text, lambda: Letter.text_of(letter), letter.object_of_text],
        "letter_bytes": [letter.whole_text],
        "letter_copy": [letter.copy, letter.object_of_copy],
        "Letter.body": [lambda: letter.body],
    }
    for name, call in [(name, call) for name, calls in calls.items() for call in calls * 2]:
        with pytest.raises(UnicodeDecodeError) as raised:
            call()
        error = raised.value
        assert (error.encoding, error.object, error.reason) == ("utf-8", content, f"text of {name} is not UTF-8")
        assert (error.start, error.end) == place
    for _ in range(2):
        assert letter.lossy_text() == letter.lossy_copy() == letter.object_of_body() == content.decode(errors="replace")
        assert letter.data() == os.fsdecode(content) == content.decode(errors="surrogateescape")


def test_null_is_none_or_an_error():
    letter = Letter(None)
    for _ in range(2):
        assert [letter.perhaps_text(), letter.lossy_text(), letter.data(), letter.content(), letter.whole_text()] == [
            None
        ] * 5
        assert [letter.copy(), letter.lossy_copy(), letter.copied_bytes(), letter.body] == [None] * 4
        assert [letter.object_of_text(), letter.object_of_bytes(), letter.object_of_body()] == [None] * 3
        assert (Letter.nowhere(), Letter.nowhere(1)) == ("nowhere", None)
        for call in [letter.text, letter.object_of_copy]:
            with pytest.raises(Error):
                call()


@pytest.mark.parametrize("content", [b"", b"x", b"text", "ü€".encode(), b"a\0b", None, *BROKEN])
def test_each_copy_is_freed_once(content):
    letter = Letter(content)
    take_log()
    calls = [letter.copy, letter.lossy_copy, letter.copied_bytes, letter.object_of_copy, letter.object_of_bytes]
    for call in calls * 2:
        try:
            call()
        except UnicodeDecodeError:
            assert content in BROKEN
        except Error:
            assert content is None
        assert take_log() == (["letter_copy"] if content is None else ["letter_copy", "copy_free"])


def test_result_does_not_change_with_the_letter():
    letter = Letter(b"text")
    results = texts(letter), letter.content(), letter.title
    letter.close()
    assert results == (["text"] * 14, b"text", "text")
    with pytest.raises(ClosedError):
        letter.text()


def test_results_are_new_references_that_go():
    letter = Letter("ü€".encode() * 20)
    before = sys.getallocatedblocks()
    for _ in range(1000):
        texts(letter)
        letter.content()
        with pytest.raises(AttributeError):
            letter.text().missing
    gc.collect()
    assert sys.getallocatedblocks() - before < 500


def test_lookup_of_an_error_handler_runs_no_code_of_python():
    program = """
import codecs
from standin_safe import Letter
letter = Letter(b"ab\\xff")
def strict(error):
    letter.close()
    return "?", error.end
codecs.register_error("strict", strict)
for call in [letter.text, letter.copy, lambda: letter.body] * 2:
    try:
        call()
    except UnicodeDecodeError:
        continue
    raise SystemExit("decoded by the handler")
assert not letter.closed
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_finalizer_that_runs_while_an_error_is_made_finds_the_handle_busy():
    """Making an exception may run the garbage collector, within the call that uses the handle."""
    program = """
import gc
from standin_safe import BusyError, Letter
letter = Letter(b"ab\\xff")
results = []
class Garbage:
    def __init__(self):
        self.itself = self
    def __del__(self):
        try:
            letter.close()
        except BusyError:
            results.append("busy")
        else:
            results.append("closed")
def fail():
    try:
        letter.text()
    except (UnicodeDecodeError, ValueError):
        pass
gc.disable()
fail()
gc.collect()
for _ in range(5):
    Garbage()
    gc.set_threshold(1)
    gc.enable()
    fail()
    gc.disable()
    gc.collect()
print(*results)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=100)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(ended.stdout.split()) == 5


def test_memory_error_frees_the_result_of_c():
    program = """
import _testcapi
from standin_safe import Letter, take_log
for content in [b"text", "ü€".encode() * 30, b"ab\\xff"]:
    letter = Letter(content)
    calls = [letter.text, letter.lossy_text, letter.data, letter.content, letter.copy, letter.lossy_copy,
             letter.copied_bytes, lambda: letter.body, lambda: letter.title_data, letter.object_of_text,
             letter.object_of_copy, letter.object_of_bytes]
    for call in calls * 2:
        kinds = set()
        for n in range(12):
            take_log()
            try:
                _testcapi.set_nomemory(n, n + 1)
                call()
                kind = "result"
            except MemoryError:
                kind = "MemoryError"
            except UnicodeDecodeError:
                kind = "result"
            finally:
                _testcapi.remove_mem_hooks()
            kinds.add(kind)
            log = take_log()
            assert log in ([], ["letter_copy", "copy_free"]), log
        assert "result" in kinds, kinds
        assert "MemoryError" in kinds, kinds
print("done")
"""
    pytest.importorskip("_testcapi")
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


@pytest.mark.skipif(not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="there is no table of names")
def test_interned_text_is_one_object():
    letter = Letter(b"a name")
    assert letter.interned_text() is letter.interned_text() is letter.interned_body
    assert letter.text() is not letter.text()


def test_interned_text_is_what_c_has_at_the_address_now():
    for number in range(5000):
        text = f"{number:020}"
        letter = Letter(text.encode())
        assert letter.interned_text() == letter.interned_body == text
        letter.close()


@pytest.mark.skipif(not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="there is no table of names")
def test_interned_object_of_a_body_is_one_object():
    letter = Letter(b"another name")
    assert letter.object_of_body() is letter.object_of_body()
    assert letter.object_of_text() is not letter.object_of_text()


@pytest.mark.parametrize("text", ["ü" * 20, "x" * 64, "x" * 65, "", "x"])
def test_interned_text_of_any_kind(text):
    letters = [Letter(text.encode()) for _ in range(1000)]
    for _ in range(2):
        assert {letter.interned_text() for letter in letters} == {text}


def test_interned_text_that_is_not_utf8():
    letter = Letter(b"ab\xff")
    assert letter.interned_text() == "ab\ufffd"
    with pytest.raises(UnicodeDecodeError):
        letter.interned_body


def test_interned_text_is_bounded():
    letters = [Letter(f"{number:064}".encode()) for number in range(3000)]
    for letter in letters:
        letter.interned_text()
    blocks = sys.getallocatedblocks()
    for _ in range(10):
        for letter in letters:
            letter.interned_text()
    assert sys.getallocatedblocks() <= blocks + 10
