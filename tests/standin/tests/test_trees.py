"""Trees whose parts move: one object of each part, and the release of what is unlinked."""

import concurrent.futures
import gc
import sys
import threading
import time
import weakref

import pytest
from outlines import numbers, tree
from standin_safe import BusyError, ClosedError, Error, at_gate, close_gate, live_handles, open_gate, take_log

NONE = dict.fromkeys(live_handles(), 0)


@pytest.fixture(autouse=True)
def nothing_is_left():
    gc.collect()
    take_log()
    yield
    gc.collect()
    assert live_handles() == NONE


def unlinked() -> int:
    return live_handles()["Topic"]


def test_a_part_has_one_object():
    outline = tree(1)
    one = outline.root.first
    assert one is outline.root.first is outline.root.topics[0] is next(iter(outline.root))
    assert one.up is outline.root
    assert {one: 1}[outline.root.first] == 1
    assert one != outline.root


def test_an_object_that_nobody_keeps_is_dropped():
    outline = tree(1)
    weak = weakref.ref(outline.root.first)
    assert weak() is None
    assert outline.root.first.number == 1


def test_a_new_part_is_released_with_its_object():
    outline = tree()
    part = outline.topic(1)
    assert (unlinked(), outline.released) == (1, 0)
    del part
    assert take_log() == ["topic_new 1", "topic_free 1"]
    assert (unlinked(), outline.released) == (0, 1)


def test_a_part_that_nobody_gets_is_released_at_once():
    outline = tree()
    with pytest.raises(ValueError, match="in vain"):
        outline.topic_in_vain(1)
    assert take_log() == ["topic_new 1", "topic_free 1"]


def test_a_part_that_is_linked_belongs_to_its_outline():
    outline = tree()
    part = outline.topic(1)
    outline.root.add(part)
    assert unlinked() == 0
    assert outline.root.first is part
    del part
    assert outline.released == 0
    assert numbers(outline.root) == [1]


def test_an_unlinked_part_without_an_object_is_released_at_once():
    outline = tree(1, 2)
    outline.root.clear()
    assert outline.root.first is None
    assert outline.released == 2
    assert unlinked() == 0


def test_an_unlinked_part_lives_as_long_as_its_object():
    outline = tree(1, 2)
    one = outline.root.first
    outline.root.clear()
    assert (outline.released, unlinked()) == (1, 1)
    assert (one.number, one.up, one.next) == (1, None, None)
    del one
    assert (outline.released, unlinked()) == (2, 0)


@pytest.mark.parametrize("kept", ["one", "two", "note"])
def test_an_object_anywhere_in_a_subtree_keeps_it(kept):
    outline = tree(1)
    one = outline.root.first
    two, note = one.append(2), outline.note(3)
    two.add(note)
    one.append(4)
    kept = {"one": one, "two": two, "note": note}[kept]
    one.unlink()
    del one, two, note
    assert (outline.released, unlinked()) == (0, 1)
    top = kept
    while top.up is not None:
        top = top.up
    assert numbers(top) == [2, 4]
    assert top.first.first_note.number == 3
    assert (outline.released, unlinked()) == (0, 1)
    del top, kept
    assert (outline.released, unlinked()) == (4, 0)


@pytest.mark.parametrize("order", [1, -1])
def test_objects_of_a_subtree_that_are_dropped_one_by_one(order):
    outline = tree(1)
    one = outline.root.first
    kept = [one, *(one.append(number) for number in range(100))]
    one.unlink()
    del one
    for _ in range(100):
        kept.pop(0 if order == 1 else -1)
        assert unlinked() == 1
    del kept[:]
    assert (outline.released, unlinked()) == (101, 0)


def test_an_object_in_a_list_behind_another_list_keeps_the_subtree():
    outline = tree()
    part = outline.topic(1)
    part.append(2)
    note = outline.note(3)
    part.add(note)
    del part
    assert (unlinked(), outline.released) == (1, 0)
    assert note.up.first.number == 2
    del note
    assert (unlinked(), outline.released) == (0, 3)


def test_parts_of_an_unlinked_subtree_get_objects():
    outline = tree(1)
    one = outline.root.first
    two = one.append(2)
    one.append(3)
    one.unlink()
    del one
    three = two.next
    del two
    assert outline.released == 0
    assert numbers(three.up) == [2, 3]
    del three
    assert (outline.released, unlinked()) == (3, 0)


def test_a_part_of_an_unlinked_subtree_is_unlinked():
    outline = tree(1)
    one = outline.root.first
    two = one.append(2)
    one.unlink()
    two.unlink()
    assert unlinked() == 2
    del one
    assert (outline.released, unlinked()) == (1, 1)
    assert two.up is None
    del two
    assert (outline.released, unlinked()) == (2, 0)


def test_the_witness_of_a_subtree_is_unlinked_from_it():
    outline = tree(1)
    one = outline.root.first
    two = one.append(2)
    one.unlink()
    del one
    # `two` is the only object of the subtree.
    two.unlink()
    assert (outline.released, unlinked()) == (1, 1)
    del two
    assert (outline.released, unlinked()) == (2, 0)


def test_the_witness_of_a_subtree_moves_to_another_tree():
    outline = tree(1, 3)
    one, three = outline.root.topics
    two = one.append(2)
    one.unlink()
    del one
    # `two` is the only object of the subtree, which it leaves in one call.
    three.add(two)
    assert (outline.released, unlinked()) == (1, 0)
    assert numbers(three) == [2]


def test_a_subtree_is_linked_again():
    outline = tree(1, 2)
    one, two = outline.root.topics
    one.unlink()
    two.add(one)
    assert unlinked() == 0
    del one
    assert (numbers(outline.root), numbers(two), outline.released) == ([2], [1], 0)


def test_a_subtree_is_linked_below_an_unlinked_one():
    outline = tree(1, 2)
    one, two = outline.root.topics
    one.unlink()
    two.unlink()
    two.add(one)
    assert unlinked() == 1
    del two
    assert numbers(one.up) == [1]
    assert outline.released == 0
    del one
    assert (outline.released, unlinked()) == (2, 0)


def test_a_wrong_argument_changes_nothing():
    outline = tree(1)
    one = outline.root.first
    with pytest.raises(TypeError):
        outline.root.add(None)
    assert outline.root.first is one


def test_closing_the_owner_releases_what_is_unlinked_first():
    outline = tree(1)
    one, new = outline.root.first, outline.topic(2)
    one.unlink()
    take_log()
    outline.close()
    assert take_log() == ["topic_free 1", "topic_free 2", "outline_free 3"]
    assert unlinked() == 0
    for part in (one, new):
        assert part.closed
        with pytest.raises(ClosedError):
            part.number


def test_an_unlinked_part_keeps_the_owner():
    outline = tree(1)
    one = outline.root.first
    one.unlink()
    weak = weakref.ref(outline)
    del outline
    gc.collect()
    assert weak() is not None
    assert one.number == 1
    take_log()
    del one
    gc.collect()
    assert weak() is None
    assert sorted(take_log()) == ["outline_free 2", "topic_free 1"]


def test_the_topmost_part_is_replaced():
    outline = tree(1)
    root, new = outline.root, outline.topic(5)
    assert outline.set_root(new) is root
    assert outline.root is new
    assert unlinked() == 1
    assert numbers(root) == [1]
    del root
    assert outline.released == 2
    assert outline.set_root(None) is new
    assert outline.root is None
    del new
    assert (outline.released, unlinked()) == (3, 0)


def test_parts_are_unlinked_while_they_are_iterated():
    outline = tree(1, 2, 3, 4)
    seen = []
    for topic in outline.root:
        seen.append(topic.number)
        topic.unlink()
    assert seen == [1, 2, 3, 4]
    del topic
    assert outline.released == 4


def test_the_next_part_of_an_iterator_is_unlinked():
    outline = tree(1, 2, 3)
    steps = iter(outline.root)
    assert next(steps).number == 1
    outline.root.topics[1].unlink()
    assert [topic.number for topic in steps] == [3]
    steps = iter(outline.root)
    assert next(steps).number == 1
    outline.root.clear()
    assert list(steps) == []
    del steps
    assert (outline.released, unlinked()) == (3, 0)


def test_an_iterator_goes_on_behind_the_last_part():
    outline = tree(1, 2)
    steps = iter(outline.root)
    assert [next(steps).number, next(steps).number] == [1, 2]
    outline.root.add(outline.topic(3))
    assert next(steps).number == 3
    outline.root.topics[2].unlink()
    assert list(steps) == []
    # As a list's iterator: one that has ended stays so.
    outline.root.add(outline.topic(4))
    assert list(steps) == []


def test_an_iterator_stays_among_the_parts_that_it_was_made_for():
    outline = tree(1, 2, 3)
    one, two, three = outline.root.topics
    steps = iter(outline.root)
    assert next(steps) is one
    three.add(two)
    assert next(steps) is three
    one.add(three)
    assert list(steps) == []


def test_the_first_part_of_an_iterator_is_unlinked():
    outline = tree(1, 2)
    steps = iter(outline.root)
    outline.root.first.unlink()
    assert list(steps) == []


def test_a_closed_object_of_the_next_part_does_not_end_an_iterator():
    outline = tree(1, 2, 3)
    steps = iter(outline.root)
    one = next(steps)
    outline.root.topics[1].close()
    for _ in range(2):
        with pytest.raises(ClosedError):
            next(steps)
    steps = iter(outline.root)
    assert next(steps) is one
    one.close()
    outline.root.topics[1].unlink()
    with pytest.raises(ClosedError):
        next(steps)
    assert [topic.close() for topic in outline.root] == [None, None]


def test_a_loop_takes_out_what_follows():
    outline = tree(1, 2, 2, 3, 3, 3, 4)
    for topic in outline.root:
        following = topic.next
        while following is not None and following.number == topic.number:
            following.unlink()
            following = topic.next
    assert [topic.number for topic in outline.root] == [1, 2, 3, 4]


def test_an_iterator_over_a_closed_part_raises():
    outline = tree(1, 2)
    steps = iter(outline.root)
    outline.root.first.close()
    with pytest.raises(ClosedError):
        next(steps)


def test_a_closed_object_is_not_given_again():
    outline = tree(1)
    one = outline.root.first
    one.close()
    again = outline.root.first
    assert again is not one
    assert again != one
    assert (one.closed, again.closed) == (True, False)
    again.unlink()
    del one
    assert again.number == 1
    again.close()
    assert (outline.released, unlinked()) == (1, 0)
    with pytest.raises(ClosedError):
        again.number


def test_a_part_that_dies_during_a_call_is_released_after_it():
    outline = tree(1)
    parts = [outline.root.first]
    parts[0].unlink()
    seen = []

    def drop():
        parts.clear()
        seen.append((outline.released, unlinked()))

    outline.during(drop)
    assert seen == [(0, 1)]
    assert (outline.released, unlinked()) == (1, 0)


def test_a_part_that_dies_during_an_exclusive_call_is_released_after_it():
    outline = tree(1)
    parts = [outline.root.first]
    parts[0].unlink()
    seen = []

    def drop():
        parts.clear()
        seen.append(unlinked())

    outline.during_mut(drop)
    assert seen == [1]
    assert (outline.released, unlinked()) == (1, 0)


def test_a_part_that_dies_while_another_thread_reads_is_released_after_that():
    outline = tree(1, 2)
    one, two = outline.root.topics
    one.unlink()
    close_gate()
    try:
        reader = threading.Thread(target=two.wait)
        reader.start()
        while not at_gate():
            time.sleep(0.001)
        del one
        assert (outline.released, unlinked()) == (0, 1)
    finally:
        open_gate()
        reader.join()
    assert (outline.released, unlinked()) == (1, 0)


@pytest.mark.parametrize("write", [lambda _, two: two.unlink(), lambda one, two: one.take_out(two)])
def test_a_tree_is_not_changed_while_it_is_read(write):
    outline = tree(1, 2)
    one, two = outline.root.topics
    with pytest.raises(BusyError):
        outline.during(lambda: write(one, two))
    assert numbers(outline.root) == [1, 2]
    close_gate()
    try:
        reader = threading.Thread(target=two.wait)
        reader.start()
        while not at_gate():
            time.sleep(0.001)
        writer = threading.Thread(target=write, args=(one, two))
        writer.start()
        time.sleep(0.05)
        # Nobody can look at the tree: a call would wait behind the writer.
        assert writer.is_alive()
    finally:
        open_gate()
        reader.join()
        writer.join()
    assert numbers(outline.root) == [1]


def test_parts_of_another_owner_are_refused():
    outline, other = tree(1), tree(2)
    foreign = other.root.first
    with pytest.raises(ValueError, match="another Outline|other Outline|different"):
        outline.root.add(foreign)
    assert numbers(other.root) == [2]
    assert numbers(outline.root) == [1]


def test_a_call_gets_one_part_twice():
    outline = tree(1)
    root = outline.root
    assert outline.set_root(root) is None
    assert outline.root is root
    assert numbers(root) == [1]
    with pytest.raises(ClosedError):
        closed = root.first
        closed.close()
        root.add(closed)


def test_a_part_is_not_two_arguments_of_a_call_that_changes_it():
    topic = tree(1).root.first
    for use in (topic.add, topic.take_out):
        with pytest.raises(BusyError, match="Topic"):
            use(topic)
    assert topic.first is None


def test_a_body_that_owns_the_outline_gets_no_part_of_it():
    outline, other = tree(1), tree(2)
    topic = outline.topic(7)
    with pytest.raises(BusyError, match="Outline"):
        outline.prune_beside(topic)
    assert not outline.closed and topic.number == 7
    with pytest.raises(ValueError):
        outline.prune_beside(other.root)


def test_a_deep_tree_is_built_and_dropped():
    outline = tree()
    here = top = outline.topic(0)
    for number in range(1, 20_000):
        here = here.append(number)
    del here
    assert unlinked() == 1
    del top
    assert (outline.released, unlinked()) == (20_000, 0)


def test_many_moves_leave_nothing():
    outline = tree(*range(10))
    for round in range(200):
        first = outline.root.first
        first.unlink()
        if round % 2:
            outline.root.add(first)
        else:
            outline.root.append(round)
    assert len(outline.root.topics) == 10
    del first
    assert unlinked() == 0
    assert outline.released == 100


def test_a_part_that_c_keeps_is_not_released():
    outline = tree(1, 2)
    bookmark = outline.bookmark()
    bookmark.set(outline.root.first)
    outline.root.clear()
    assert (outline.released, unlinked(), bookmark.number()) == (1, 1, 1)
    bookmark.set(outline.root)
    # The next call that has the tree alone releases it.
    outline.root.clear()
    assert (outline.released, unlinked(), bookmark.number()) == (2, 0, 0)


def test_a_part_that_a_closed_handle_kept_is_released():
    outline = tree(1)
    with outline.bookmark() as bookmark:
        bookmark.set(outline.root.first)
        outline.root.clear()
        assert unlinked() == 1
    outline.root.clear()
    assert (outline.released, unlinked()) == (1, 0)


def test_closing_the_owner_of_a_part_that_c_keeps():
    outline = tree(1)
    bookmark = outline.bookmark()
    bookmark.set(outline.root.first)
    outline.root.clear()
    take_log()
    outline.close()
    assert take_log() == ["bookmark_free 1", "topic_free 1", "outline_free 2"]
    assert bookmark.closed


def test_a_new_object_of_the_part_whose_object_kept_the_subtree():
    outline = tree(1)
    kept = [outline.root.first]
    kept[0].unlink()
    below = kept[0].append(2)

    def exchange():
        kept.clear()
        kept.append(below.up)

    outline.during(exchange)
    assert unlinked() == 1
    del below
    kept.clear()
    assert (outline.released, unlinked()) == (2, 0)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="older versions drop an object at once")
@pytest.mark.parametrize("linked", [True, False])
def test_an_object_whose_drop_is_put_off_is_not_given_out_again(linked):
    """CPython puts the drop of an object off where the stack is nearly full. Until then its part refers to it."""
    outline = tree(1)
    top = outline.root.first if linked else outline.topic(2)
    top.append(3)
    seen = set()

    def deeper(_=None):
        for _ in range(3):
            seen.add(top.first.number)
            seen.add(top.topics[0].number)
        list(map(deeper, [None]))

    def run():
        with pytest.raises(RecursionError):
            deeper()

    size = threading.stack_size(256 << 10)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(size)
    assert seen == {3}
    assert top.first is top.topics[0]
    del top
    assert unlinked() == 0


@pytest.mark.parametrize("number", [0, -1])
def test_an_outline_that_a_body_got_is_not_opened_again(number):
    outline = tree(2)
    part, kept = outline.root.first, outline.root

    def drop_part():
        nonlocal part
        del part

    if number < 0:
        with pytest.raises(ValueError, match="failed"):
            outline.lose(number, drop_part)
    else:
        outline.lose(number, drop_part)
    assert outline.closed and kept.closed
    assert "outline_free 2" in take_log()


def test_a_body_that_takes_an_outline_does_not_return_it():
    outline = tree(1)
    part = outline.root.first
    with pytest.raises(ValueError, match="a body ends a Outline that it takes"):
        outline.as_whole()
    assert outline.closed and part.closed
    assert "outline_free 2" in take_log()


def test_parts_that_a_body_released_are_closed():
    outline = tree(1)
    part = outline.topic(7)
    with pytest.raises(ValueError, match="failed"):
        outline.prune_in_vain()
    assert "topic_free 7" in take_log()
    with pytest.raises(ClosedError):
        part.number


@pytest.mark.parametrize("is_dropped", [True, False])
def test_a_part_that_dies_while_c_refuses_its_outline(is_dropped):
    outline = tree(2)
    part = outline.root.first
    close_gate()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        ending = pool.submit(outline.end, -1)
        while not at_gate():
            time.sleep(0.001)
        if is_dropped:
            # The field of the part still refers to the object, as C may have released the part.
            del part
        open_gate()
        with pytest.raises(Error, match="outline_end"):
            ending.result()
    assert outline.closed is is_dropped
    if not is_dropped:
        assert outline.root.first is part
    outline.close()
    assert "outline_free 2" in take_log()


@pytest.mark.parametrize("number", [1, -1])
def test_parts_that_are_unlinked_are_released_before_c_ends_the_outline(number):
    outline = tree(1)
    part, top = outline.topic(7), outline.root
    take_log()
    if number < 0:
        with pytest.raises(Error, match="outline_end"):
            outline.end(number)
    else:
        outline.end(number)
    assert take_log() == ["topic_free 7", "outline_free 3"]
    assert outline.closed and part.closed and top.closed


# ---- views of parts


def test_a_body_has_a_view_of_a_part_and_other_parts():
    outline = tree(1, 2)
    one, two = outline.root.topics
    heading = one.heading
    heading.append(two)
    heading.append(outline.topic(3))
    assert (numbers(outline.root), numbers(one)) == ([1], [2, 3])
    assert heading.unlink_other(two) == (1, 2)
    assert numbers(one) == [3]


def test_a_part_is_not_put_below_itself_by_a_view():
    outline = tree(1)
    one = outline.root.first
    with pytest.raises(Error):
        one.heading.append(one)
    assert numbers(outline.root) == [1]


def test_a_view_of_a_part_of_another_outline_is_no_part_of_this_one():
    here, there = tree(1), tree(2)
    with pytest.raises(ValueError, match="another Outline"):
        here.root.first.heading.append(there.root.first)
    assert (numbers(here.root), numbers(there.root)) == ([1], [2])


def test_an_iterator_releases_what_it_has_passed():
    outline = tree(*range(1, 30))
    passed = []
    for topic in outline.root:
        passed.append(weakref.ref(topic))
        del topic
        assert sum(1 for topic in passed if topic() is not None) <= 2
    assert len(passed) == 29
