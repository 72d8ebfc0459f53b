"""Python classes that derive from the classes of handles."""

import abc
import gc
import pickle
import struct
import sys
import sysconfig
import weakref
from typing import Generic, TypeVar

import pytest
import standin_safe
from standin_safe import (
    Album,
    BusyError,
    Casket,
    ClosedError,
    Error,
    Figure,
    Folder,
    Handle,
    Lease,
    Page,
    Ring,
    Store,
    live_handles,
)

NONE = dict.fromkeys(live_handles(), 0)
T = TypeVar("T")
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


@pytest.fixture(autouse=True)
def nothing_is_left():
    yield
    gc.collect()
    assert live_handles() == NONE


class Diary(Album):
    """An album with attributes, an argument of its own and an overridden method."""

    def __new__(cls, number, owner="nobody"):
        return super().__new__(cls, number)

    def __init__(self, number, owner="nobody"):
        self.owner = owner

    def peek(self, other):
        return -super().peek(other)


def test_instance_has_the_methods_of_both_classes():
    diary = Diary(3, owner="Anne")
    assert type(diary) is Diary and isinstance(diary, Album) and isinstance(diary, Handle)
    assert (diary.owner, diary.page.number, [page.number for page in diary]) == ("Anne", 3, [3])
    assert diary.__dict__ == {"owner": "Anne"}
    assert diary.peek(Album(4)) == -4 and Album(4).peek(diary) == 3
    assert diary == diary and diary != Diary(3) and len({diary, diary}) == 1
    assert "Diary at 0x" in repr(diary)
    assert live_handles()["Album"] == 1


def test_class_without_additions_takes_the_arguments_of_its_base():
    class Plain(Album):
        pass

    class PlainLease(Lease):
        pass

    class PlainCasket(Casket):
        pass

    assert Plain(number=2).page.number == 2 and PlainCasket().weight == 1
    with PlainLease(0) as lease:
        assert type(lease) is PlainLease
    for wrong in [Plain, lambda: Plain(1, 2), lambda: Plain("1"), lambda: Plain.__new__(Plain)]:
        with pytest.raises(TypeError, match=r"Album|argument|int"):
            wrong()
    with pytest.raises(Error):
        PlainLease(-1)
    with pytest.raises(ValueError, match="it weighs nothing"):
        PlainCasket(weight=0)


def test_constructor_fails_before_and_after_the_object_exists():
    class Failing(Album):
        def __init__(self, number):
            assert live_handles()["Album"] == 1
            raise LookupError(number)

    class Abstract(Album, abc.ABC):
        @abc.abstractmethod
        def write(self): ...

    with pytest.raises(LookupError):
        Failing(3)
    with pytest.raises(TypeError, match="abstract"):
        Abstract(3)
    assert live_handles() == NONE
    assert type("Concrete", (Abstract,), {"write": lambda self: 1})(3).write() == 1


def test_init_that_does_not_call_its_base_leaves_a_whole_handle():
    class Silent(Album):
        def __init__(self, number):
            pass

    assert Silent(3).page.number == 3
    assert Album.__new__(Silent, 4).page.number == 4


def test_class_hooks_and_slots():
    seen = []

    class Base(Album):
        __slots__ = ("pages",)

        def __init_subclass__(cls, /, word=None, **kwargs):
            seen.append((cls.__name__, word))
            super().__init_subclass__(**kwargs)

    class Derived(Base, word=1):
        __slots__ = ()

    derived = Derived(3)
    derived.pages = [derived.page]
    assert seen == [("Derived", 1)]
    assert not hasattr(derived, "__dict__")
    with pytest.raises(AttributeError):
        derived.other = 1
    reference = weakref.ref(derived)
    del derived
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize(
    "bases", [(Album, "Mixin"), ("Mixin", Album), (Album, Generic[T]), (Generic[T], Album)], ids=str
)
def test_other_bases_are_mixed_in(bases):
    class Mixin:
        def __init__(self, number):
            super().__init__()
            self.mixed = number

    class Mixed(*(Mixin if base == "Mixin" else base for base in bases)):
        pass

    mixed = Mixed(3)
    assert mixed.page.number == 3 and getattr(mixed, "mixed", 3) == 3


def test_weak_reference_ends_with_the_object():
    diary, ended = Diary(3), []
    weakref.finalize(diary, ended.append, 1)
    reference = weakref.ref(diary, ended.append)
    assert reference() is diary
    del diary
    assert ended == [reference, 1] or ended == [1, reference]


# ---- closing


class Logged(Album):
    def __init__(self, number, log):
        self.log = log

    def __new__(cls, number, log):
        return super().__new__(cls, number)

    def close(self):
        self.log.append("close")
        super().close()


def test_with_calls_an_overridden_close():
    log = []
    with Logged(3, log) as logged:
        assert not logged.closed
    assert log == ["close"] and logged.closed
    with pytest.raises(ClosedError):
        logged.page.number
    with pytest.raises(KeyError), Logged(3, log):
        raise KeyError
    assert log == ["close"] * 2


@pytest.mark.parametrize("kind", [staticmethod, classmethod], ids=lambda kind: kind.__name__)
def test_with_calls_a_close_of_any_kind(kind):
    def close(*arguments):
        seen.append(arguments)

    seen = []
    cls = type("Odd", (Album,), {"close": kind(close)})
    with cls(3) as album:
        pass
    assert seen == [(cls,) if kind is classmethod else ()] and not album.closed


def test_error_of_a_close_gives_way_to_that_of_the_block():
    class Broken(Album):
        error: type[BaseException] = LookupError

        def close(self):
            super().close()
            raise self.error

    with pytest.raises(LookupError), Broken(3):
        pass
    with pytest.raises(KeyError), Broken(3):
        raise KeyError
    Broken.error = SystemExit
    with pytest.raises(SystemExit), Broken(3):
        raise KeyError


def test_close_that_does_not_close_leaves_the_handle_open():
    class Kept(Album):
        def close(self):
            pass

    with Kept(3) as kept:
        pass
    assert kept.page.number == 3
    Album.close(kept)
    assert kept.closed


def test_drop_does_not_call_an_overridden_close():
    log = []
    Logged(3, log)
    assert log == [] and live_handles() == NONE


def test_own_exit_replaces_that_of_the_base():
    class Open(Lease):
        def __enter__(self):
            self.entered = super().__enter__()
            return self.entered

        def __exit__(self, *error):
            return True

    with Open(0) as lease:
        raise KeyError
    assert lease.entered is lease and not lease.closed
    del lease.entered
    lease.close()


def test_refused_close_keeps_the_handle():
    class Plain(Lease):
        pass

    with pytest.raises(Error), Plain(5) as lease:
        pass
    assert not lease.closed
    with pytest.raises(KeyError), lease:
        raise KeyError
    lease.busy = 0
    lease.close()


def test_unclosed_instance_warns():
    class Plain(Lease):
        pass

    with pytest.warns(ResourceWarning, match="Lease"):
        Plain(0)


def test_call_that_consumes_the_handle_closes_the_instance():
    class Plain(Lease):
        pass

    lease = Plain(7)
    lease.note = 1
    with pytest.raises(Error):
        lease.commit()
    assert not lease.closed and lease.note == 1
    lease.busy = 3
    assert lease.commit() == 3 and lease.closed and lease.note == 1


def test_closed_parent_closes_its_children():
    diary = Diary(3)
    diary.ring_of_mine = diary.ring(4)
    ring = diary.ring_of_mine
    diary.close()
    assert ring.closed


# ---- garbage


def test_cycle_through_the_attributes_is_collected():
    diary = Diary(3)
    diary.itself = diary
    reference = weakref.ref(diary)
    del diary
    assert reference() is not None
    gc.collect()
    assert reference() is None and live_handles() == NONE


@pytest.mark.parametrize(
    "keep",
    [
        lambda diary: diary.page,
        lambda diary: diary.ring(1),
        lambda diary: iter(diary),
        lambda diary: (diary.ring(1), diary.page, iter(diary)),
        lambda diary: diary.peek,
        lambda diary: weakref.finalize(diary, print) and diary.page,
    ],
    ids=["part", "child", "iterator", "all", "method", "finalized"],
)
def test_cycle_through_what_lives_in_the_handle_is_collected(keep):
    diary = Diary(3)
    diary.kept = keep(diary)
    del diary
    assert live_handles()["Album"] == 1
    gc.collect()
    assert live_handles() == NONE


def test_cycle_through_lent_memory_is_collected():
    class Plain(Casket):
        pass

    casket = Plain(3)
    casket.view = casket.memory
    with pytest.raises(BufferError):
        casket.weight = 4
    del casket
    assert live_handles()["Casket"] == 1
    gc.collect()


def test_cycle_of_counted_objects_is_collected():
    class Linked(Figure):
        pass

    inner = Linked()
    outer = Linked(inner)
    inner.outer, outer.inner = outer, inner
    assert type(outer.child) is Figure and outer.child == inner
    del inner, outer
    assert live_handles()["Figure"] == 2
    gc.collect()


def test_class_that_keeps_an_instance_is_collected():
    def make():
        class Lonely(Album):
            pass

        Lonely.only = Lonely(3)
        return weakref.ref(Lonely)

    reference = make()
    gc.collect()
    assert reference() is None


@pytest.mark.skipif(FREE_THREADED, reason="all objects are tracked")
def test_only_instances_of_derived_classes_and_what_lives_in_the_handle_are_tracked():
    album = Album(3)
    assert gc.is_tracked(Diary(3))
    assert not gc.is_tracked(album) and not gc.is_tracked(Figure())
    # The album may be an instance of a derived class.
    assert gc.is_tracked(album.page) and gc.is_tracked(album.ring(1))


def test_many_instances_come_and_go():
    class Slotted(Album):
        __slots__ = ("more",)

    for round in range(3):
        albums = [cls(number) for number in range(200) for cls in (Diary, Album, Slotted)]
        for album in albums:
            if type(album) is not Album:
                album.more = albums
        assert live_handles()["Album"] == 600
        if round == 1:
            albums.clear()
        del albums, album
        gc.collect()
        assert live_handles() == NONE


def test_sizes_of_objects():
    """A class that others derive from has one word more."""
    assert sys.getsizeof(Album(1)) == sys.getsizeof(Folder(1)) + struct.calcsize("P")


# ---- finalizers


class Restless(Album):
    kept: list["Restless"] = []
    seen: list[int] = []

    def __del__(self):
        self.seen.append(self.page.number)
        self.kept.append(self)


@pytest.fixture
def restless():
    yield Restless
    Restless.kept.clear()
    Restless.seen.clear()


def test_finalizer_uses_the_open_handle_and_can_keep_it(restless):
    restless(3)
    (kept,) = restless.kept
    assert restless.seen == [3] and kept.page.number == 3 and live_handles()["Album"] == 1
    del kept
    restless.kept.clear()
    # Python calls a finalizer once.
    assert restless.seen == [3] and live_handles() == NONE


def test_finalizer_in_a_cycle_can_keep_the_handle(restless):
    cycle = restless(3)
    cycle.itself, cycle.ring_of_mine, cycle.page_of_mine = cycle, cycle.ring(4), cycle.page
    del cycle
    gc.collect()
    (kept,) = restless.kept
    assert restless.seen == [3] and kept.page_of_mine.number == 3 and not kept.ring_of_mine.closed
    del kept
    restless.kept.clear()
    gc.collect()
    assert live_handles() == NONE


def test_finalizer_may_close_and_may_raise(monkeypatch):
    raised = []
    monkeypatch.setattr(sys, "unraisablehook", lambda error: raised.append(error.exc_type))

    class Closing(Album):
        def __del__(self):
            self.close()
            raise LookupError

    Closing(3)
    assert raised == [LookupError] and live_handles() == NONE


def test_attributes_that_use_their_handle_while_it_is_dropped():
    class Watcher:
        def __init__(self, diary):
            self.ring = diary.ring(1)

        def __del__(self):
            seen.append(self.ring.closed)

    seen = []
    diary = Diary(3)
    diary.watcher = Watcher(diary)
    del diary
    gc.collect()
    assert seen == [False]


def test_instances_that_end_while_a_call_uses_their_base():
    """The call has the album exclusively; what it drops is another one."""

    def drop():
        diary = Diary(1)
        diary.itself = diary
        del diary
        gc.collect()
        with pytest.raises(BusyError):
            album.page

    album = Diary(3)
    album.tell_alone(drop)
    assert live_handles()["Album"] == 1


# ---- what is refused


def test_classes_without_the_word_are_final():
    for cls in (Store, Page, Ring, standin_safe.Item):
        with pytest.raises(TypeError, match=f"'standin_safe.{cls.__name__}' is not an acceptable base type"):
            type("Derived", (cls,), {})


def test_classes_that_are_derived_from_can_still_not_be_changed():
    for cls in (Album, Casket, Lease, Figure):
        with pytest.raises(TypeError, match="immutable type"):
            cls.close = None
    Diary.more = 1
    assert Diary(3).more == 1
    del Diary.more


def test_objects_are_made_by_the_constructor_only():
    for make in [
        lambda: object.__new__(Diary),
        lambda: object.__new__(Album),
        lambda: Handle.__new__(Diary),
        lambda: Casket.__new__(Diary, 3),
        lambda: Album.__new__(Casket, 3),
        lambda: Album.__new__(int, 3),
        lambda: Album.__new__(Folder, 3),
        lambda: Generic.__new__(type("Typed", (Generic[T], Album), {}), 3),
    ]:
        with pytest.raises(TypeError):
            make()
    assert live_handles() == NONE


def test_other_constructors_return_the_base_class():
    assert type(Diary.blank()) is Album
    assert type(Diary.blank().ring(1)) is Ring


@pytest.mark.parametrize("slots", [{}, {"__slots__": ()}, {"__slots__": ("one",)}], ids=str)
def test_no_object_becomes_one_of_another_handle(slots):
    """Classes with the same attributes have the same layout, but for the data of the handle classes."""

    def derived(base):
        return type("Derived", (base,), dict(slots))

    of_album, of_casket, of_handle = derived(Album), derived(Casket), derived(Handle)
    album = of_album(3)
    for cls in (of_casket, of_handle, Casket, Album, Handle, derived(object)):
        with pytest.raises(TypeError):
            album.__class__ = cls
    with pytest.raises(TypeError):
        Album(3).__class__ = of_album
    album.__class__ = derived(Album)
    assert album.page.number == 3


@pytest.mark.parametrize("slots", [{}, {"__slots__": ()}, {"__slots__": ("one",)}], ids=str)
def test_no_class_derives_from_two_handles(slots):
    def derived(*bases):
        return type("Derived", bases, dict(slots))

    for bases in [(Album, Casket), (derived(Album), Casket), (derived(Album), derived(Lease)), (Figure, Album)]:
        with pytest.raises(TypeError, match="lay-?out conflict"):
            type("Both", bases, {"__slots__": ()})
    for other in (Exception, int, type, Folder, standin_safe.Error):
        with pytest.raises(TypeError):
            type("Both", (Album, other), {})
    of_album = derived(Album)
    for bases in [(Casket,), (derived(Casket),), (Handle,), (derived(Handle),), (object,), (Album, Casket)]:
        with pytest.raises(TypeError):
            of_album.__bases__ = bases
    of_album.__bases__ = (type("Between", (Album,), {"__slots__": ()}),)
    assert of_album(3).page.number == 3


def test_wrong_receivers_and_arguments_are_refused():
    class OfCasket(Casket):
        pass

    casket = OfCasket(3)
    for call in [
        lambda: Album.peek(casket, Album(3)),
        lambda: Diary.peek(casket, Album(3)),
        lambda: Album.page.__get__(casket),
        lambda: Album(3).peek(casket),
        lambda: Album.blank().peek(Folder(3)),
        lambda: Handle.close(object()),
    ]:
        with pytest.raises(TypeError):
            call()


def test_class_that_lies_about_its_type_is_refused():
    class Liar:
        __class__ = Album

    class Meta(type):
        def __instancecheck__(cls, instance):
            return True

        def __subclasscheck__(cls, subclass):
            return True

    class Open(Album, metaclass=Meta):
        pass

    assert isinstance(Liar(), Album) and isinstance(3, Open)
    with pytest.raises(TypeError):
        Album(3).peek(Liar())
    with pytest.raises(TypeError):
        Album.__new__(Liar, 3)
    assert Open(3).page.number == 3


def test_instance_cannot_be_pickled_unless_its_class_says_how():
    with pytest.raises(TypeError, match=r"cannot pickle or copy a .*Diary"):
        pickle.dumps(Diary(3))
    copy = pickle.loads(pickle.dumps(Copied(3)))
    assert type(copy) is Copied and copy.page.number == 3


class Copied(Album):
    def __reduce__(self):
        return Copied, (self.page.number,)


def test_stubs_say_which_classes_are_final(stub):
    assert "@disjoint_base\nclass Album(Handle):" in stub and "@final\nclass Folder(Handle):" in stub


def test_metaclass_call_is_not_passed_over():
    class Counting(type):
        made = 0

        def __call__(cls, *args):
            Counting.made += 1
            return super().__call__(*args)

    class Counted(Album, metaclass=Counting):
        pass

    assert Counted(3).page.number == 3 and Counting.made == 1
