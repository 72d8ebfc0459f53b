"""Errors of the conversion of an argument name the argument, in a note as PyO3 adds it."""

import sys

import pytest
from standin_safe import Board, Feed, Letter, Motto, Parcel, Quote, Session, Shape, exists

WRONG = {
    "text": (lambda: Quote(1), TypeError, "text", "str expected, not int"),
    "text with NUL": (lambda: Quote("a\0b"), ValueError, "text", "embedded null character"),
    "text that is no UTF-8": (lambda: Quote("\ud800"), UnicodeEncodeError, "text", "surrogates not allowed"),
    "second text": (lambda: Motto("a").replace(1, 2), TypeError, "after", "str expected, not int"),
    "optional bytes": (lambda: Letter("a"), TypeError, "text", "bytes expected, not str"),
    "path": (lambda: exists(3), TypeError, "path", "expected str, bytes or os.PathLike object, not int"),
    "number": (lambda: Parcel("a"), TypeError, "weight", "'str' object cannot be interpreted as an integer"),
    "small number": (lambda: Motto("a").replace(300, ""), OverflowError, "before", "out of range"),
    "large number": (lambda: Session(2**70), OverflowError, "busy", "too large"),
    "callable": (lambda: Feed(3), TypeError, "source", "a callable is expected, not int"),
    "list": (lambda: Session().pass_parcel(Parcel(1), 3), TypeError, "steps", "'int' object"),
    "optional handle": (lambda: Shape(3), TypeError, "child", "Shape expected, not int"),
    "handle for C": (lambda: Session().send(3), TypeError, "parcel", "Parcel expected, not int"),
    "handle for a body": (lambda: Session.relay(3), TypeError, "parcel", "Parcel expected, not int"),
    "exclusive handle": (lambda: Board().pin(Parcel(1)), TypeError, "tag", "Tag expected, not Parcel"),
}


@pytest.mark.parametrize(("call", "error", "name", "message"), WRONG.values(), ids=WRONG)
def test_error_of_an_argument_names_it(call, error, name, message):
    with pytest.raises(error, match=message) as caught:
        call()
    if sys.version_info >= (3, 11):
        assert caught.value.__notes__ == [f"while processing '{name}'"]


def test_setter_names_the_property():
    with Session() as session, pytest.raises(TypeError) as caught:
        session.busy = "a"
    if sys.version_info >= (3, 11):
        assert caught.value.__notes__ == ["while processing 'busy'"]
