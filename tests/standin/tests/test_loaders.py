"""What C writes about a failure through a parameter is in the exception, and is freed on every path."""

import pickle

import pytest
from standin_safe import Error, Loader, LoadError, NotMadeError, live_handles, take_log

NONE = dict.fromkeys(live_handles(), 0)


def raised(call, *arguments):
    with pytest.raises(LoadError) as caught:
        call(*arguments)
    (message,) = caught.value.args
    return message, caught.value.line


def test_exception_has_what_c_wrote():
    loader = Loader(1)
    assert raised(loader.place, -4) == ("load_place", 4)
    assert raised(loader.text, -1) == ("bad \ufffd thing", None)
    assert raised(loader.failure, -3) == ("failure -3", None)
    assert raised(loader.buffer, -1) == ("too long a mess", None)
    assert raised(Loader, -5) == ("code -5 at 7", None)


def test_exception_is_a_built_in_one_too():
    loader = Loader(1)
    with pytest.raises(KeyError) as missing:
        loader.place(-4)
    assert LoadError.__bases__ == (Error, KeyError)
    assert (type(missing.value), missing.value.args) == (LoadError, ("load_place",))
    with pytest.raises(ValueError, match="code -5 at 7") as wrong:
        Loader(-5)
    assert NotMadeError.__bases__ == (LoadError, ValueError)
    assert isinstance(wrong.value, KeyError)
    copied = pickle.loads(pickle.dumps(wrong.value))
    assert (type(copied), copied.code, copied.args) == (NotMadeError, -5, wrong.value.args)


def test_exception_with_a_built_in_base_is_made_and_subclassed_in_python():
    class Own(NotMadeError):
        pass

    own = Own("text", code=3)
    assert (own.code, own.line, own.args) == (3, None, ("text",))
    assert isinstance(own, ValueError)
    with pytest.raises(LookupError):
        raise own


def test_exception_of_a_failure_that_c_does_not_explain():
    loader = Loader(1)
    assert raised(loader.text, -9) == ("load_text", None)
    assert raised(loader.failure, -9) == ("load_failure", None)


@pytest.mark.parametrize(("method", "made", "freed"), [("text",) * 2 + ("message",), ("failure",) * 3])
@pytest.mark.parametrize("number", [-1, 1])
def test_what_c_made_is_freed_once(method, made, freed, number):
    loader = Loader(1)
    take_log()
    try:
        getattr(loader, method)(number)
        assert number > 0
    except LoadError:
        assert number < 0
    assert take_log() == [f"load_{made}", f"{freed}_free"]
    loader.close()
    assert live_handles() == NONE


def test_closed_loader_is_not_called():
    loader = Loader(1)
    loader.close()
    with pytest.raises(ValueError, match="closed"):
        loader.text(-1)
