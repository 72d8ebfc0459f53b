"""Values behind `void *`, whose C type each method states, and an array that no memory holds."""

import pytest
from standin_safe import Config, Error, live_handles, take_log

NONE = dict.fromkeys(live_handles(), 0)


def test_each_method_reads_and_writes_the_type_that_it_states():
    config = Config()
    config.level = -7
    assert (config.level, config.ratio) == (-7, -3.5)
    config.title = "a title"
    assert config.title == "a title"
    with pytest.raises(OverflowError):
        config.level = 1 << 31
    with pytest.raises(ValueError, match="NUL"):
        config.title = "a\0b"
    assert (config.level, config.title) == (-7, "a title")
    with pytest.raises(Error, match="config_get failed"):
        config.missing()


def test_what_c_makes_behind_a_pointer_is_released():
    config = Config()
    config.level = 5
    take_log()
    assert config.label() == "label"
    with config.duplicate() as copy:
        assert copy.level == 5
    config.close()
    assert take_log() == ["label", "label_free", "config_copy", "config_free", "config_free"]
    assert live_handles() == NONE


def test_array_that_no_memory_holds_is_a_memory_error():
    config = Config()
    with pytest.raises(MemoryError):
        config.numbers()
    assert config.level == 3
