"""Exceptions: their family, their fields, and that each tells of its own call."""

import copy
import gc
import pickle
import sys

import pytest
import xml_safe
from xml_safe import BusyError, ClosedError, Error, ParseError, XPathError, live_handles, parse, parse_file


def test_the_family():
    assert issubclass(Error, Exception)
    for cls in (BusyError, ClosedError, ParseError, XPathError):
        assert issubclass(cls, Error)
    assert issubclass(ClosedError, ValueError)
    assert not issubclass(Error, ValueError)


@pytest.mark.parametrize("cls", [Error, BusyError, ClosedError, ParseError, XPathError])
def test_names(cls):
    assert getattr(xml_safe, cls.__name__) is cls
    assert cls.__module__.split(".")[0] == "xml_safe"
    assert cls.__doc__


def parse_error(data, **options):
    with pytest.raises(ParseError) as caught:
        parse(data, **options)
    return caught.value


def xpath_error(doc, expr):
    with pytest.raises(XPathError) as caught:
        doc.xpathEval(expr)
    return caught.value


def test_everything_is_caught_as_error(doc):
    for call in (lambda: parse("<a"), lambda: doc.xpathEval("//b["), lambda: (doc.close(), doc.root)):
        with pytest.raises(xml_safe.Error):
            call()


# ParseError


def test_the_fields_of_a_parse_error():
    error = parse_error("<a>\n  <b>\n  </c>\n</a>")
    assert "b" in error.message
    assert error.line == 3
    assert isinstance(error.column, int) and error.column > 0
    assert error.code == 76
    assert error.file is None
    assert error.errors
    assert error.message in str(error)


def test_messages_have_no_line_end():
    error = parse_error("<a></b>")
    assert error.message == error.message.strip()
    assert all(each.message == each.message.strip() for each in error.errors)


def test_the_file_of_a_parse_error(tmp_path):
    path = tmp_path / "bad é.xml"
    path.write_text("<a>\n<b></a>")
    for name in (path, str(path)):
        with pytest.raises(ParseError) as caught:
            parse_file(name)
        assert caught.value.file == str(path)
        assert caught.value.line == 2


def test_every_error_that_was_reported():
    errors = parse_error("<a>\n&x;\n&y;\n</b>").errors
    assert isinstance(errors, list)
    assert len(errors) >= 3
    assert [each.line for each in errors][:3] == [2, 3, 4]
    assert [each.code for each in errors][:3] == [26, 26, 76]
    for each in errors:
        assert isinstance(each.message, str) and each.message
        assert isinstance(each.line, int)
        assert isinstance(each.column, int)
        assert isinstance(each.code, int)
        assert each.level in (1, 2, 3) or each.level in ("warning", "error", "fatal")
        assert repr(each)


def test_the_error_is_one_of_its_errors():
    for data in ("<a", "<a></b>", "<a>&x;&y;</b>", "x", "", "<a k='1' k='2'/>", "<p:a/"):
        error = parse_error(data)
        assert (error.message, error.line, error.column, error.code) in [
            (each.message, each.line, each.column, each.code) for each in error.errors
        ]


def test_an_early_warning_is_not_the_error():
    error = parse_error('<a xmlns="relative" xmlns:p="also relative">\n</b>')
    assert error.code == 76
    assert error.line == 2


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("<a></b>", 76),
        ("<a>&x;</a>", 26),
        ("<a k='1' k='2'/>", 42),
        ("<a/><b/>", 5),
        ("x", 4),
    ],
)
def test_codes(data, code):
    assert parse_error(data).code == code


def test_error_for_empty_input_has_a_message():
    for data in (b"", "", b" ", b"\0"):
        error = parse_error(data)
        assert error.message
        assert str(error)


def test_one_error_does_not_tell_of_another():
    parse("<a><b></a>", recover=True)
    assert [each.code for each in parse_error("<a k='1' k='2'/>").errors][0] == 42
    assert [each.code for each in parse_error("<a>&x;</a>").errors] == [26]
    assert [each.code for each in parse_error("<a>&x;</a>").errors] == [26]


def test_message_that_quotes_invalid_utf_8(capfd):
    for data in (b"<a>\n\xff\xfe</a>", b"<a k\xff='1'/>", b"<\xe9/>", b"<a></b\xff>", b"<a>&\xff;</a>"):
        for options in ({}, {"recover": True}):
            try:
                parse(data, **options)
            except ParseError as error:
                assert error.message and str(error) and repr(error)
    assert capfd.readouterr() == ("", "")


def test_a_long_message():
    error = parse_error(f"<{'a' * 40_000}></{'b' * 40_000}>")
    assert error.message
    assert error.code == 76


def test_very_many_errors():
    error = parse_error("<a>" + "&x;" * 20_000 + "</b>")
    assert error.errors
    assert len(str(error)) < 10_000


# XPathError


def test_the_fields_of_an_xpath_error(doc):
    for expr, code in (("//b[", 1207), ("foo()", 1209), ("//q:b", 1219)):
        error = xpath_error(doc, expr)
        assert error.code == code
        assert error.message and error.message == error.message.strip()
        assert error.message in str(error)
        assert not hasattr(error, "line") or isinstance(error.line, (int, type(None)))


def test_an_xpath_error_where_libxml2_has_no_message(doc):
    """Such as a limit reached, or an unbound prefix before a function's name."""
    for expr in ("q:foo()", "$q:v", "(" * 20_000 + "1" + ")" * 20_000):
        error = xpath_error(doc, expr)
        assert error.message
        assert str(error)


# All of them


def test_an_exception_keeps_no_handle_alive():
    kept = []
    for _ in range(10):
        kept.append(parse_error("<a><b></a>").with_traceback(None))
        kept.append(xpath_error(parse("<a/>"), "//a[").with_traceback(None))
    gc.collect()
    assert live_handles()["Document"] == live_handles()["XPathContext"] == 0
    assert all(str(error) for error in kept)


def test_exceptions_have_no_context_of_their_own(doc):
    for error in (parse_error("<a"), xpath_error(doc, "//b[")):
        assert error.__context__ is None
        assert error.__cause__ is None


def test_an_exception_raised_while_handling_another(doc):
    try:
        raise KeyError("first")
    except KeyError as first:
        assert xpath_error(doc, "//b[").__context__ is first


def test_exceptions_carry_notes_and_attributes(doc):
    error = xpath_error(doc, "//b[")
    error.mine = 1
    if sys.version_info >= (3, 11):
        error.add_note("a note")
    assert error.mine == 1


def test_exceptions_are_copied_and_pickled_with_all_they_say(doc):
    for error, fields in (
        (parse_error("<a>\n&x;</b>"), ("message", "line", "column", "code", "file")),
        (xpath_error(doc, "//b["), ("message", "code", "expression", "position")),
    ):
        for again in (copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
            assert type(again) is type(error)
            assert (str(again), again.args) == (str(error), error.args)
            assert [getattr(again, name) for name in fields] == [getattr(error, name) for name in fields]
    error = parse_error("<a>\n&x;</b>")
    again = pickle.loads(pickle.dumps(error))
    assert [(each.message, each.line) for each in again.errors] == [(each.message, each.line) for each in error.errors]


def test_exceptions_are_made_by_test_doubles():
    error = ParseError("made", 3, column=4)
    assert (str(error), error.line, error.column, error.file, error.errors) == ("made", 3, 4, None, [])
    with pytest.raises(XPathError, match="made"):
        raise XPathError("made", expression="//a")


def test_errors_can_be_subclassed_and_raised():
    class Mine(Error):
        pass

    with pytest.raises(Error, match="text"):
        raise Mine("text")
