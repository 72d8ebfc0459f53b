"""Parts that another owner adopts, with their Python objects."""

import gc
import random
import sys
import threading
import time
import weakref

import pytest
from outlines import numbers, tree
from standin_safe import ClosedError, Outline, live_handles, take_log

pytestmark = pytest.mark.skipif(
    hasattr(sys, "_is_gil_enabled") and not sys._is_gil_enabled(), reason="no objects are adopted without a GIL"
)
NONE = dict.fromkeys(live_handles(), 0)


@pytest.fixture(autouse=True)
def nothing_is_left():
    gc.collect()
    take_log()
    yield
    gc.collect()
    assert live_handles() == NONE


def test_an_object_moves_with_its_part():
    here, there = tree(), tree(1, 2)
    one = there.root.first
    kept = {one: "kept"}
    assert here.adopt(one) is one
    assert (one.number, one.up, one.next) == (1, None, None)
    assert numbers(there.root) == [2]
    assert there.released == 1
    assert kept[one] == "kept"
    here.root.add(one)
    assert here.root.first is one
    assert one.up is here.root


def test_the_objects_below_move_too():
    here, there = tree(), tree(1)
    one = there.root.first
    two, three = one.append(2), one.append(3)
    four = two.append(4)
    note = there.note(5)
    three.add(note)
    here.adopt(one)
    assert one.topics == [two, three]
    assert two.first is four
    assert four.up is two
    assert three.first_note is note
    there.close()
    assert [topic.number for topic in (one, two, three, four, note)] == [1, 2, 3, 4, 5]
    here.close()
    assert all(topic.closed for topic in (one, two, three, four, note))


def test_an_object_of_a_part_below_alone_moves():
    here, there = tree(), tree(1)
    two = there.root.first.append(2)
    here.adopt(there.root.first)
    assert two.number == 2
    assert live_handles()["Topic"] == 1
    assert there.released == 2
    up = two.up
    del two
    assert up.number == 1
    assert live_handles()["Topic"] == 1
    del up
    assert here.released == 2


def test_a_moved_part_keeps_its_new_owner():
    there = tree(1)
    one = there.root.first
    Outline().adopt(one)
    log = take_log()
    assert [entry for entry in log if entry.startswith("outline_free")] == []
    del there
    assert [entry for entry in take_log() if entry.startswith("outline_free")] == ["outline_free 2"]
    assert one.number == 1
    del one
    assert [entry for entry in take_log() if entry.startswith("outline_free")] == ["outline_free 2"]


def test_the_former_owner_is_dropped_with_the_call():
    here = tree()
    one = tree(1).root.first
    assert live_handles()["Outline"] == 2
    here.adopt(one)
    assert live_handles()["Outline"] == 1
    assert one.number == 1


def test_an_unlinked_part_moves():
    here, there = tree(), tree()
    part = there.topic(1)
    below = part.append(2)
    here.adopt(part)
    assert (there.released, live_handles()["Topic"]) == (2, 1)
    del part
    assert below.number == 2
    del below
    assert (here.released, live_handles()["Topic"]) == (2, 0)


def test_an_original_without_objects_is_released_if_it_is_unlinked():
    here, there = tree(), tree(1)
    linked, part = there.root.first, there.topic(2)
    assert here.take(part) is part
    assert there.released == 1
    assert here.take(linked) is linked
    assert there.released == 1
    assert there.root.first is not linked
    del part, linked
    assert (here.released, live_handles()["Topic"]) == (2, 0)


def test_a_closed_owner_of_a_moved_part_closes_it():
    here, there = tree(), tree(1)
    one = there.root.first
    here.adopt(one)
    here.close()
    assert one.closed
    with pytest.raises(ClosedError):
        one.number
    assert numbers(there.root) == []


def test_a_copy_of_another_shape_gets_nothing():
    here, there = tree(), tree(1)
    one = there.root.first
    two = one.append(2)
    with pytest.raises(ValueError, match="the copy of this Topic has another shape"):
        here.adopt_alone(one)
    assert there.root.first is one
    assert one.first is two
    assert (here.released, there.released) == (1, 0)
    assert here.adopt_alone(two) is two


def test_shapes_are_compared_list_by_list():
    here, there = tree(1, 2), tree(1, 2)
    topics, notes = here.root.first, there.root.first
    topics.append(3)
    notes.add(there.note(3))
    for one, other in ((topics, notes), (notes, topics), (topics, there.root), (topics, topics.next)):
        with pytest.raises(ValueError, match="another shape|belong to the same Outline"):
            here.exchange(one, other)
    assert (topics.first.number, notes.first_note.number) == (3, 3)
    assert (here.root.first, there.root.first) == (topics, notes)


def test_a_part_does_not_move_to_its_own_owner():
    here = tree(1)
    one = here.root.first
    with pytest.raises(ValueError, match="the original and the copy belong to the same Outline"):
        here.adopt(one)
    assert here.root.first is one
    assert here.released == 1


def test_a_copy_with_an_object_gets_no_other():
    here, there = tree(1), tree(1)
    one, other = there.root.first, here.root.first
    with pytest.raises(ValueError, match="cannot be adopted by another Outline: the copy has a Python object already"):
        here.exchange(one, other)
    assert (here.root.first, there.root.first) == (other, one)


def test_a_part_of_a_closed_owner_is_not_adopted():
    here, there = tree(), tree(1)
    one = there.root.first
    there.close()
    with pytest.raises(ClosedError):
        here.adopt(one)
    assert here.released == 0


def test_a_view_at_the_address_of_a_part_moves_along():
    here, there = tree(), tree(1, 2)
    one = there.root.first
    heading, table = one.heading, {}
    table[heading] = 1
    here.adopt(one)
    there.close()
    assert heading.number == 1
    assert table[heading] == 1
    assert heading == one.heading
    del one
    assert heading.number == 1
    here.close()
    assert heading.closed


def test_another_view_of_a_part_ends_where_the_part_moves():
    here, there = tree(), tree(1)
    one = there.root.first
    one.append(2)
    badge, unmoved = one.badge, there.root.badge
    here.adopt(one)
    with pytest.raises(ClosedError):
        badge.number
    assert badge.closed
    assert unmoved.number == 0
    after = one.badge
    assert after.number == 1
    there.adopt(one)
    assert after.closed
    assert one.badge.number == 1


def test_two_parts_change_places():
    one, other = tree(1), tree(2)
    mine, yours = one.root.first, other.root.first
    mine.swap(yours)
    assert (mine.number, yours.number) == (1, 2)
    one.root.add(yours)
    other.root.add(mine)
    one.close()
    assert (yours.closed, mine.closed) == (True, False)
    assert mine.number == 1


def test_a_part_moves_there_and_back_in_one_call():
    here, there = tree(), tree(1)
    one = there.root.first
    one.visit(here)
    assert there.root.first is one
    assert one.number == 1
    here.close()
    assert one.number == 1
    there.close()
    assert one.closed


def test_several_parts_move_together_or_not_at_all():
    here, there = tree(), tree(1, 2)
    one, two = there.root.topics
    below = two.append(3)
    with pytest.raises(ValueError, match="another shape"):
        here.adopt_two(one, two)
    assert there.root.topics == [one, two]
    assert two.first is below
    below.unlink()
    here.adopt_two(one, two)
    there.close()
    assert (one.number, two.number, below.closed) == (1, 2, True)


def test_a_copy_gets_the_object_of_one_original():
    here, there = tree(), tree(1, 2)
    one, two = there.root.topics
    take_log()
    with pytest.raises(ValueError, match="has a Python object already"):
        here.adopt_both(one, two)
    # The copy was never linked, and has no object.
    assert take_log() == ["topic_new 1", "topic_free 1"]
    assert there.root.topics == [one, two]
    assert there.root.first is one


def test_an_object_becomes_that_of_one_copy():
    here, there = tree(), tree(1)
    one = there.root.first
    take_log()
    here.adopt_twice(one)
    # The other copy was never linked, and has no object.
    assert take_log() == ["topic_new 1", "topic_new 1", "topic_free 1"]
    assert there.root.first is not one
    del one
    assert take_log() == ["topic_free 1"]


def test_a_result_that_was_found_before_the_move_is_refused():
    here, there = tree(), tree(1)
    one = there.root.first
    with pytest.raises(ValueError, match="this Badge is part of another Topic"):
        one.leave(here)
    there.close()
    assert (one.number, one.badge.number) == (1, 1)


def test_an_iterator_over_parts_of_a_part_ends_where_the_part_moves():
    here, there = tree(), tree(1)
    one = there.root.first
    badges = one.badges()
    here.adopt(one)
    with pytest.raises(ClosedError):
        next(badges)
    assert [badge.number for badge in one.badges()] == [1]


@pytest.mark.parametrize("moves", [True, False])
def test_a_view_of_a_view_ends_with_the_part(moves):
    here, there = tree(), tree(1)
    one = there.root.first
    one.unlink()
    badge = one.badge
    clasp = badge.clasp
    assert clasp.number == 1
    if moves:
        here.adopt(one)
    else:
        one.close()
    for view in (clasp, badge):
        assert view.closed
        with pytest.raises(ClosedError):
            _ = view.number


def test_the_hash_of_a_view_stays():
    here, there = tree(), tree(1)
    one = there.root.first
    views = [one.badge, one.heading, one.badge.clasp]
    assert views == [one.badge, one.heading, one.badge.clasp]
    assert [hash(view) for view in views] == [hash(one.badge), hash(one.heading), hash(one.badge.clasp)]
    table = {view: index for index, view in enumerate(views)}
    here.adopt(one)
    assert [table[view] for view in views] == [0, 1, 2]
    assert views[1] == one.heading
    assert views[0] != one.badge


def test_iterators_go_on_with_what_is_still_there():
    here, there = tree(), tree(1, 2, 3)
    for topic in there.root:
        here.adopt(topic)
        here.root.add(topic)
    assert (numbers(here.root), numbers(there.root)) == ([1, 2, 3], [])


def test_an_iterator_does_not_follow_a_part():
    here, there = tree(), tree(1, 2, 3)
    topics = iter(there.root)
    two = there.root.topics[1]
    assert next(topics).number == 1
    here.adopt(two)
    assert next(topics).number == 3
    assert list(topics) == []
    topics = iter(there.root)
    here.adopt(there.root.first)
    for _ in range(2):
        with pytest.raises(ValueError, match="the Topic that the iterator was at was adopted by another Outline"):
            next(topics)


def test_what_c_keeps_stays_behind():
    here, there = tree(), tree(1)
    one = there.root.first
    bookmark = there.bookmark()
    bookmark.set(one)
    here.adopt(one)
    assert (bookmark.number(), there.released) == (1, 0)
    bookmark.close()
    there.root.append(2)
    assert there.released == 1


def test_weak_references_stay():
    here, there = tree(), tree(1)
    one = there.root.first
    weak = weakref.ref(one)
    here.adopt(one)
    assert weak() is one
    del one
    assert weak() is None


def test_a_call_that_waits_for_a_part_finds_it_where_it_is():
    here, there = tree(), tree(1)
    one, found = there.root.first, []

    def read() -> None:
        found.append(one.number)

    thread = threading.Thread(target=read)

    def before() -> None:
        thread.start()
        time.sleep(0.2)

    del there
    here.adopt(one, before)
    # The former owner is gone, unless the thread still waits for it.
    thread.join()
    assert found == [1]
    assert live_handles()["Outline"] == 1


def test_a_call_that_waits_for_two_parts_finds_them_apart():
    here, there = tree(), tree(1, 2)
    one, two = there.root.topics
    found = []

    def add() -> None:
        try:
            one.add(two)
        except ValueError as error:
            found.append(str(error))

    thread = threading.Thread(target=add)

    def before() -> None:
        thread.start()
        time.sleep(0.2)

    here.adopt(two, before)
    thread.join()
    assert found == ["the Topic belongs to another Outline than the Topic"]
    assert (one.topics, two.up) == ([], None)


def test_a_call_that_waited_borrows_the_new_owner():
    here, there, third = tree(), tree(1, 2), tree()
    one, two = there.root.topics
    reached, may_end = threading.Event(), threading.Event()
    found = []

    def add() -> None:
        try:
            third.adopt_two(one, two)
        except ValueError as error:
            found.append(str(error))

    def occupy() -> None:
        here.during_mut(lambda: (reached.set(), may_end.wait()))

    waits_for_there = threading.Thread(target=add)
    waits_for_here = threading.Thread(target=occupy)

    def before() -> None:
        for thread in (waits_for_here, waits_for_there):
            thread.start()
            time.sleep(0.2)

    here.adopt(two, before)
    reached.wait()
    time.sleep(0.3)
    assert found == []
    may_end.set()
    for thread in (waits_for_here, waits_for_there):
        thread.join()
    assert found == ["this Topic belongs to another Outline"]
    assert (one.up, two.up) == (there.root, None)


def test_many_moves_lose_nothing():
    random.seed(3)
    outlines = [tree(*range(5)) for _ in range(4)]
    held = [topic for outline in outlines for topic in outline.root.topics]
    owner = {topic: outline for outline in outlines for topic in outline.root.topics}
    contents = {topic: topic.number for topic in held}
    for step in range(3000):
        topic = random.choice(held)
        here = random.choice(outlines)
        if here is not owner[topic]:
            assert here.adopt(topic) is topic
            owner[topic] = here
        if random.random() < 0.5:
            here.root.add(topic) if owner[topic] is here else owner[topic].root.add(topic)
        if step % 100 == 0:
            gc.collect()
            for one in held:
                assert one.number == contents[one]
                assert one.up is None or one.up is owner[one].root
    total = sum(len(outline.root.topics) for outline in outlines)
    assert total == sum(topic.up is not None for topic in held)


def test_threads_move_and_read():
    outlines = [tree(*range(4)) for _ in range(3)]
    held = [topic for outline in outlines for topic in outline.root.topics]
    stop = threading.Event()
    errors = []

    def read(seed: int) -> None:
        choose = random.Random(seed)
        try:
            while not stop.is_set():
                topic = choose.choice(held)
                assert topic.number in range(4)
                up = topic.up
                assert up is None or up.number == 0
        except BaseException as error:
            errors.append(error)

    def move(seed: int) -> None:
        choose = random.Random(seed)
        try:
            for _ in range(1500):
                topic, outline = choose.choice(held), choose.choice(outlines)
                try:
                    outline.adopt(topic)
                    outline.root.add(topic)
                except ValueError:
                    # It is there already, or another thread was faster.
                    pass
        except BaseException as error:
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        readers = [threading.Thread(target=read, args=(seed,)) for seed in range(2)]
        movers = [threading.Thread(target=move, args=(seed,)) for seed in range(3)]
        for thread in readers + movers:
            thread.start()
        for thread in movers:
            thread.join()
        stop.set()
        for thread in readers:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert errors == []
    assert len(set(held)) == 12
