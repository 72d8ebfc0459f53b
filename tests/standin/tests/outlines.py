"""Outlines for the tests of trees."""

from standin_safe import Outline, take_log


def tree(*numbers: int) -> Outline:
    """An outline with topics below the topmost one."""
    outline = Outline()
    for number in numbers:
        outline.root.append(number)
    take_log()
    return outline


def numbers(topic) -> list[int]:
    return [below.number for below in topic.topics]
