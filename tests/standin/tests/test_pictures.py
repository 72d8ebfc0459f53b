"""Lengths that an annotation computes, and fields that are never NULL, or are after all."""

import pytest
import standin_safe
from standin_safe import Error, Picture


def test_length_is_computed_in_other_units():
    picture = Picture(2, 3)
    assert picture.bytes_from(0) == picture.pixels() == picture.memory == picture.all_bytes() == bytes(range(12))
    assert picture.bytes_from(5) == bytes(range(7))
    assert picture.copied() == bytes(12)
    assert picture.words == [7] * 12


def test_length_that_is_negative_or_too_long_raises_overflow_error():
    picture = Picture(2, 3)
    standin_safe.take_log()
    picture.set_size(-2, 3)
    for use, name in [
        (lambda: picture.bytes_from(0), "the result of picture_bytes"),
        (picture.pixels, "the result of picture_pixels"),
        (picture.copied, "the result of picture_copy"),
        (picture.all_bytes, "the result of picture_info"),
        (lambda: picture.memory, "Picture.memory"),
    ]:
        with pytest.raises(OverflowError, match=f"the length that `len` computes for {name} is negative, or more than"):
            use()
    assert standin_safe.take_log() == ["picture_copy", "picture_free_bytes"]
    picture.set_size(-(1 << 31), -(1 << 31))
    with pytest.raises(OverflowError):
        picture.bytes_from(0)


def test_array_in_a_field_ends_with_its_first_null_or_0():
    picture = Picture(2, 3)
    assert picture.aliases == picture.optional_aliases == ["image", "figure"]
    assert picture.years == [1503, 1911]
    picture.set_size(0, 3)
    assert picture.years is None
    empty = Picture(0, 0)
    assert empty.aliases == [] and empty.optional_aliases is None and empty.years is None


def test_fields_that_are_never_null():
    picture = Picture(2, 3)
    assert picture.name == picture.c_name == "picture"
    assert picture.frame.rows == 2


def test_null_where_the_annotation_has_a_value_raises_an_error():
    picture = Picture(0, 0)
    for name in ("name", "c_name", "frame"):
        with pytest.raises(Error, match=f"Picture.{name}: the C field is NULL, and the annotation says") as caught:
            getattr(picture, name)
        assert type(caught.value) is Error
    with pytest.raises(Error, match="picture_info failed"):
        picture.all_bytes()
    assert picture.memory is None and picture.words is None
    picture.close()
