"""Memory that a method gives C to fill."""

import pytest
from standin_safe import Error, Quote, live_handles

NONE = dict.fromkeys(live_handles(), 0)


@pytest.mark.parametrize("text", ["", "abc", "abcd", "a text of many letters", "ä" * 5000])
def test_result_is_whole_whatever_its_length(text):
    with Quote(text) as quote:
        assert quote.get() == text.encode()
        assert quote.print() == quote.print_or_none() == quote.explain() == text
    assert live_handles() == NONE


def test_failing_call_raises():
    with Quote("thirteen char") as quote:
        with pytest.raises(Error, match="quote_get failed"):
            quote.get()
        with pytest.raises(Error, match="quote_print failed"):
            quote.print()
        assert quote.print_or_none() is None
        assert quote.explain() == "thirteen char"


def test_c_that_always_wants_more_is_an_overflow_error():
    with Quote("") as quote, pytest.raises(OverflowError, match="quote_grow needs more memory than it can be given"):
        quote.grow()
