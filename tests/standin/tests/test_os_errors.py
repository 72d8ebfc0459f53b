"""Exceptions that are an `OSError`, and exceptions with notes and causes."""

import copy
import errno
import pickle
import traceback

import pytest
import standin_safe
from standin_safe import (
    Error,
    GoneError,
    LoadError,
    NoFileError,
    SlowError,
    fail_deep,
    fail_with,
    miss_file,
    raise_with_note,
)


def raised(call, *args):
    with pytest.raises(Error) as caught:
        call(*args)
    return caught.value


def test_exception_is_an_os_error_with_its_number_and_file():
    with pytest.raises(FileNotFoundError) as caught:
        miss_file(0)
    error = caught.value
    assert type(error) is NoFileError and isinstance(error, Error) and isinstance(error, OSError)
    assert (error.errno, error.filename, error.strerror) == (errno.ENOENT, "a.txt", "no such file of ours")
    assert str(error) == "no such file of ours" and error.args == ("no such file of ours",)
    assert error.filename2 is None
    assert NoFileError.__module__ == "standin_safe" and NoFileError.__doc__ == "A file of the library is not there."


def test_exception_below_an_os_error_is_one_too():
    error = raised(miss_file, 3)
    assert type(error) is GoneError and isinstance(error, NoFileError) and isinstance(error, FileNotFoundError)
    assert (error.errno, error.tries, str(error)) == (2, 3, "no such file of ours")
    assert issubclass(SlowError, LoadError) and issubclass(SlowError, KeyError) and issubclass(SlowError, TimeoutError)


def test_os_errors_are_made_in_python():
    error = NoFileError("gone", errno=errno.EACCES, filename="b.txt")
    assert (str(error), error.errno, error.filename, error.strerror) == ("gone", errno.EACCES, "b.txt", "gone")
    assert NoFileError("gone").errno == 0 and NoFileError("gone").filename is None
    error = GoneError("gone", tries=4, errno=5)
    assert (error.errno, error.tries, error.args) == (5, 4, ("gone",))
    error = SlowError("slow", errno=errno.ETIMEDOUT, line=3)
    assert (error.errno, error.line, error.strerror) == (errno.ETIMEDOUT, 3, "slow")
    with pytest.raises(TypeError):
        NoFileError()
    with pytest.raises(TypeError):
        NoFileError("gone", other=1)


def test_os_errors_can_be_subclassed_copied_and_pickled():
    class Ours(GoneError):
        def __init__(self, tries):
            super().__init__("ours", tries=tries, errno=7)

    error = Ours(9)
    assert (error.tries, error.errno, str(error)) == (9, 7, "ours")
    assert isinstance(error, FileNotFoundError)
    for error in (raised(miss_file, 0), raised(miss_file, 3), SlowError("slow", errno=1)):
        for twin in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
            assert type(twin) is type(error) and str(twin) == str(error)
            assert vars(twin) == vars(error) and twin.errno == error.errno and twin.strerror == error.strerror


def test_os_error_without_init_has_no_fields():
    error = NoFileError.__new__(NoFileError)
    assert error.strerror is None
    with pytest.raises(AttributeError, match="__init__ was not called"):
        _ = error.errno


def test_notes_are_those_of_the_exception():
    error = raised(fail_with, ["first", "second"], None)
    assert error.__notes__ == ["first", "second"]
    assert str(error) == "noted" and error.__cause__ is None
    assert not hasattr(raised(fail_with, [], None), "__notes__")
    lines = "".join(traceback.format_exception(type(error), error, None))
    assert "noted\nfirst\nsecond" in lines or not hasattr(error, "add_note")


def test_causes_are_those_of_the_exception():
    original = ValueError("the first of all")
    error = raised(fail_with, ["a note"], original)
    assert error.__notes__ == ["a note"]
    cause = error.__cause__
    assert type(cause) is LoadError and cause.line == 7 and cause.__notes__ == ["a note of the cause"]
    assert cause.__cause__ is original
    assert error.__suppress_context__


def test_a_long_chain_of_causes_needs_no_stack():
    causes = 50_000
    with pytest.raises(ValueError) as caught:
        fail_deep(causes)
    error = caught.value
    # The chain is taken apart here: older Pythons need the stack to drop it.
    for number in range(causes, -1, -1):
        assert type(error) is ValueError and str(error) == str(number)
        cause = error.__cause__
        error.__cause__ = None
        error.__traceback__ = None
        error = cause
    assert error is None


def test_note_on_an_exception_of_python_is_added_to_it():
    original = KeyError("x")
    original.__notes__ = ["before"]
    with pytest.raises(KeyError) as caught:
        raise_with_note(original)
    assert caught.value is original and original.__notes__ == ["before", "from Rust"]


def test_class_of_an_os_error_is_the_exported_one():
    assert standin_safe.NoFileError is type(raised(miss_file, 0))
    assert [cls.__name__ for cls in NoFileError.__mro__[:4]] == [
        "NoFileError",
        "NoFileError",
        "Error",
        "FileNotFoundError",
    ]
