"""Handles that share state: a child that changes its parent, a child that holds its parent, handles of other ancestors."""

import gc
import threading

import pytest
from standin_safe import BusyError, ClosedError, Container, Folder, Lid, List, Shape, live_handles, take_log
from test_fairness import waiting

NONE = dict.fromkeys(live_handles(), 0)


def list_of(*numbers):
    made = List()
    for number in numbers:
        made.push(number)
    return made


def numbers_of(made):
    return [node.number for node in made]


# ---- `mut_parent`


def test_mut_parent_call_ends_views_of_the_parent():
    made = list_of(1, 2)
    editor = made.editor()
    first = made.first
    place = first.place
    editor.push(3)
    for view in (first, place):
        assert view.closed
        with pytest.raises(ClosedError):
            view.number
    assert numbers_of(made) == [1, 2, 3]


def test_reading_call_of_mut_parent_leaves_views_of_the_parent():
    made = list_of(1, 2)
    editor = made.editor()
    first = made.first
    assert editor.count() == editor.count_beside() == 2
    assert first.number == 1


def test_mut_parent_call_ends_iterators_over_the_parent():
    made = list_of(1, 2)
    editor = made.editor()
    walk = iter(made)
    next(walk)
    editor.push(3)
    with pytest.raises(ClosedError):
        next(walk)


def test_two_editors_of_one_list_take_turns(at_the_gate):
    made = list_of(1)
    one, other = made.editor(), made.editor()
    with at_the_gate(one.work) as results:
        pushed = threading.Thread(target=other.push, args=(2,))
        pushed.start()
        pushed.join(0.05)
        assert pushed.is_alive()
    pushed.join()
    assert results == [None]
    assert numbers_of(made) == [1, 2]


def test_mut_parent_call_excludes_the_parent_and_reading_call_does_not(at_the_gate):
    made = list_of(1)
    editor = made.editor()
    with at_the_gate(editor.work_reading):
        assert numbers_of(made) == [1]
    with at_the_gate(editor.work):
        read = threading.Thread(target=numbers_of, args=(made,))
        read.start()
        read.join(0.05)
        assert read.is_alive()
    read.join()


def test_closed_editor_leaves_the_list_free():
    made = list_of(1)
    editor = made.editor()
    editor.push(2)
    editor.close()
    with pytest.raises(ClosedError):
        editor.push(3)
    made.push(3)
    made.close()
    assert live_handles() == NONE


# ---- `parent = &mut P`


def uses_of(made):
    yield lambda: made.push(4)
    yield lambda: made.first
    yield lambda: list(made)
    yield made.editor
    yield made.sole_editor


def test_held_parent_is_busy_until_its_holder_is_closed():
    made = list_of(1)
    editor = made.editor()
    node = made.first
    sole = made.sole_editor()
    for use in (*uses_of(made), lambda: editor.push(5), editor.count, editor.close, lambda: node.next):
        with pytest.raises(
            BusyError, match="List cannot be used while a SoleEditor uses it: close the SoleEditor first"
        ):
            use()
    sole.push(2)
    sole.push(3)
    sole.close()
    assert numbers_of(made) == [1, 2, 3]
    editor.push(4)
    made.push(5)
    assert numbers_of(made) == [1, 2, 3, 4, 5]


def test_held_parent_is_free_once_its_holder_is_dropped():
    made = list_of(1)
    sole = made.sole_editor()
    del sole
    gc.collect()
    made.push(2)
    again = made.sole_editor()
    again.push(3)
    del again
    gc.collect()
    assert numbers_of(made) == [1, 2, 3]


@pytest.mark.parametrize("make, keep", [("editor", "keep"), ("editor", "keep_beside"), ("sole_editor", "keep_sole")])
def test_child_that_borrows_its_parent_exclusively_is_kept_in_the_parent(make, keep):
    made = list_of(1)
    editor = getattr(made, make)()
    getattr(made, keep)(editor)
    assert editor.closed
    made.push_by_editor(2)
    made.push(3)
    assert numbers_of(made) == [1, 2, 3]
    # Another one takes its place.
    getattr(made, keep)(getattr(made, make)())
    assert take_log() == ["editor_free"]
    made.close()
    assert take_log() == ["editor_free"]
    assert live_handles() == NONE


def test_child_that_borrows_its_parent_exclusively_is_kept_in_a_sibling_that_does():
    made = list_of(1)
    one, other = made.editor(), made.editor()
    one.keep(other)
    assert other.closed
    one.push(2)
    made.close()
    assert take_log() == ["editor_free", "editor_free"]
    assert live_handles() == NONE


@pytest.mark.parametrize("keep", ["keep", "keep_beside"])
def test_keeping_a_child_that_changes_its_parent_ends_the_views_of_the_parent(keep):
    made = list_of(1)
    editor = made.editor()
    first = made.first
    assert first.number == 1
    getattr(made, keep)(editor)
    with pytest.raises(ClosedError):
        first.number


def test_child_is_not_kept_beside_a_call_on_its_parent(at_the_gate):
    made = list_of(1)
    editor = made.editor()
    with at_the_gate(made.look) as results:
        kept, _ = waiting(lambda: made.keep_beside(editor), lambda: made.first)
        assert results == [None]
    kept.join()
    assert (results, kept.result, editor.closed) == ([1], None, True)


@pytest.mark.parametrize("make, keep", [("editor", "keep"), ("sole_editor", "keep_sole")])
def test_parent_that_keeps_a_child_is_held_by_another_one_until_that_is_closed(make, keep):
    made = list_of(1)
    getattr(made, keep)(getattr(made, make)())
    sole = made.sole_editor()
    sole.push(2)
    with pytest.raises(BusyError, match="List cannot be used while a SoleEditor uses it"):
        made.push(3)
    sole.close()
    made.push_by_editor(3)
    assert numbers_of(made) == [1, 2, 3]
    made.close()
    assert live_handles() == NONE


def test_child_of_another_parent_is_not_kept():
    made, other = list_of(1), list_of(2)
    editor = other.editor()
    sole = other.sole_editor()
    for keep, child in (made.keep, editor), (made.keep_beside, editor), (made.keep_sole, sole):
        with pytest.raises((ValueError, BusyError)):
            keep(child)
        assert not child.closed


def test_body_does_not_get_a_handle_together_with_a_child_that_changes_it():
    made = list_of(1)
    editor = made.editor()
    with pytest.raises(BusyError):
        made.keep_in_body(editor)
    assert not editor.closed


def test_closing_a_held_parent_closes_its_holder_first():
    made = list_of(1)
    editor = made.editor()
    sole = made.sole_editor()
    made.close()
    assert sole.closed and editor.closed and made.closed
    assert live_handles() == NONE


def test_sibling_dropped_while_the_parent_is_held_is_released_when_the_hold_ends():
    made = list_of(1)
    editor = made.editor()
    sole = made.sole_editor()
    del editor
    gc.collect()
    assert live_handles()["Editor"] == 1
    sole.close()
    assert live_handles()["Editor"] == 0
    made.push(2)


def test_sibling_dropped_while_the_parent_is_held_is_released_with_the_parent():
    made = list_of(1)
    editor = made.editor()
    sole = made.sole_editor()
    del editor, sole, made
    gc.collect()
    assert live_handles() == NONE


def test_failed_creation_of_a_holder_leaves_the_parent_free():
    made = list_of(1)
    with pytest.raises(TypeError):
        made.sole_editor(1)
    made.push(2)


def test_holder_is_waited_for_when_its_parent_is_closed(at_the_gate):
    made = list_of(1)
    sole = made.sole_editor()
    with at_the_gate(sole.work_beside) as results:
        closing = threading.Thread(target=made.close)
        closing.start()
        closing.join(0.05)
        assert closing.is_alive()
    closing.join()
    assert results == [None] and made.closed and sole.closed
    assert live_handles() == NONE


# ---- handles of other ancestors


def test_argument_of_another_owner_is_refused():
    one, other = list_of(1), list_of(2)
    one.meet(one.first)
    with pytest.raises(ValueError, match="the Node belongs to another List than the List"):
        one.meet(other.first)
    # The node of a node is looked up through all that it lives in.
    one.meet(one.first.place and one.first)


def test_foreign_argument_may_have_another_owner():
    one, other = list_of(1), list_of(2)
    one.meet_any(other.first)
    one.meet_any(one.first)


def test_closed_argument_of_another_owner_is_closed():
    one, other = list_of(1), list_of(2)
    node = other.first
    other.close()
    with pytest.raises(ClosedError):
        one.meet(node)


# ---- groups of counted objects


def test_nested_object_cannot_change_while_its_container_is_in_use():
    inner = Container()
    outer = Container(inner)
    lid = Lid()

    def change():
        for use in (inner.work, outer.child.work, lid.work, lambda: inner.meet(outer)):
            with pytest.raises(BusyError):
                use()
        inner.work_beside()
        assert outer.child == inner
        return True

    assert outer.tell(change)
    inner.work()
    lid.work()


def test_independent_object_is_free_while_another_is_in_use(at_the_gate):
    one, other = Shape(), Shape()
    with at_the_gate(one.work, other.work) as results:
        pass
    assert results == [None, None]


def test_group_is_waited_for_as_one(at_the_gate):
    one, other = Container(), Container()
    with at_the_gate(one.work) as results:
        waiting = threading.Thread(target=other.work_beside)
        waiting.start()
        waiting.join(0.05)
        assert waiting.is_alive()
    waiting.join()
    assert results == [None]


def test_two_objects_of_one_group_in_one_call():
    one, other = Container(), Container()
    one.meet(other)
    outer = Container(one)
    for call in (one.meet, one.owners_of_both):
        with pytest.raises(BusyError):
            call(one)
        with pytest.raises(BusyError):
            call(outer.child)
    one.meet(outer)
    assert one.owners_of_both(outer) == 3


def test_handle_dropped_while_its_group_is_in_use_is_released_afterwards(at_the_gate):
    one, other = Container(), Container()
    with at_the_gate(one.work):
        del other
        gc.collect()
        assert live_handles()["Container"] == 2
    assert live_handles()["Container"] == 1


def test_closing_a_handle_of_a_group_closes_no_other():
    one, other = Container(), Container()
    one.close()
    assert one.closed and not other.closed
    other.work()
    assert Container() != one
    other.close()
    assert live_handles() == NONE


def test_closed_handle_of_a_group_equals_no_newer_object_at_its_address():
    closed = [Container() for _ in range(5000)]
    for container in closed:
        container.close()
    # Some of these are where a released one was.
    fresh = [Container() for _ in range(5000)]
    assert not set(fresh) & set(closed)
    del fresh
    gc.collect()
    assert live_handles() == NONE


def test_part_of_another_owner_than_the_receivers_is_refused():
    folder = Folder(1)
    clip = folder.clip(2)
    assert folder.paper().number == 1
    # Python would keep the paper as long as `folder`; its own folder goes with the clip.
    for lend in (clip.paper, clip.papers):
        with pytest.raises(ValueError, match="Paper"):
            lend()
    folder.close()
    assert live_handles() == NONE


def test_child_of_another_handle_than_the_receivers_parent_is_refused():
    folder = Folder(1)
    clip = folder.clip(2)
    # Python would link the new clip to `folder`; it lives in the own folder of `clip`.
    with pytest.raises(ValueError, match="this Clip lives in another Folder"):
        clip.clip(3)
    assert live_handles()["Clip"] == 1
    folder.close()
    assert live_handles() == NONE
