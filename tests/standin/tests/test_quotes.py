"""Memory that a method gives C to fill."""

import pytest
from standin_safe import Error, Motto, MottoError, Quote, live_handles, take_log

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


def test_value_that_c_returns_stands_before_what_it_has_filled():
    with Motto("a-b-c") as motto:
        assert motto.replace(ord("-"), "") == (2, "abc")
        assert motto.replace(ord("-"), " and ") == (2, "a and b and c")
        assert motto.replace(ord("x"), "") == (0, "a-b-c")
    with Quote("abc") as short, Quote("defghi") as long, Quote("") as empty:
        assert short.peek() == (3, False, b"abc", ord("a"))
        assert long.peek() == (6, False, b"defghi", ord("d"))
        with pytest.raises(Error, match="quote_peek failed"):
            empty.peek()
    assert live_handles() == NONE


def test_number_in_the_length_explains_a_failure():
    with Motto("a-b-c") as motto, Motto("thirteen char") as unlucky:
        with pytest.raises(MottoError, match="quote_replace failed") as caught:
            motto.replace(ord("-"), "12$4")
        assert (caught.value.position, caught.value.code) == (2, None)
        with pytest.raises(MottoError) as caught:
            unlucky.replace(ord("-"), "")
        assert (caught.value.position, caught.value.code) == (None, None)


def test_details_are_those_of_the_last_call():
    with Motto("a text") as motto, Motto("") as empty, Motto("thirteen char") as unlucky:
        assert motto.check() == "a text"
        for failing, code in (empty, 7), (unlucky, 0):
            with pytest.raises(MottoError, match="quote_check failed") as caught:
                failing.check()
            assert caught.value.code == code
