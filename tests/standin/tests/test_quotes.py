"""Memory that a method gives C to fill."""

import pytest
from standin_safe import Error, Quote, live_handles, take_log

NONE = dict.fromkeys(live_handles(), 0)


@pytest.mark.parametrize("text", ["", "abc", "abcd", "a text of many letters", "ä" * 5000])
def test_result_is_whole_whatever_its_length(text):
    with Quote(text) as quote:
        assert quote.get() == quote.copy() == text.encode()
        assert quote.print() == quote.print_or_none() == quote.explain() == text
    assert live_handles() == NONE


def test_failing_call_raises():
    with Quote("thirteen char") as quote:
        with pytest.raises(Error, match="quote_get failed"):
            quote.get()
        with pytest.raises(Error, match="quote_print failed"):
            quote.print()
        assert quote.print_or_none() is None


def test_failing_call_is_not_taken_for_memory_that_is_too_small():
    with Quote("thirteen char") as quote:
        take_log()
        for function in quote.copy, quote.explain:
            name = f"quote_{function.__name__} failed"
            with pytest.raises(Error, match=name):
                function()
            assert take_log() == [name]


def test_c_that_always_wants_more_is_an_overflow_error():
    with Quote("") as quote, pytest.raises(OverflowError, match="quote_grow needs more memory than it can be given"):
        quote.grow()
