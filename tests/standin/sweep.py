"""The operations of the fault-injection sweep: every kind of handle, each function succeeding and failing."""

import copy
import io
import pickle
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import standin_safe as MODULE
from pytest_leakproof.sweep import Operation

H = TypeVar("H", bound=MODULE.Handle)
Pair = tuple[MODULE.Session, MODULE.Parcel]


def closed(make: Callable[[], H]) -> H:
    handle = make()
    handle.close()
    return handle


class Diary(MODULE.Album):
    """An album with attributes, one of which makes a cycle."""

    def __new__(cls, number: int, kept: object = None) -> "Diary":
        return super().__new__(cls, number)  # type: ignore[return-value]

    def __init__(self, number: int, kept: object = None) -> None:
        self.kept = [kept, self.page, self.ring(number), self]


class CarefulLease(MODULE.Lease):
    def close(self) -> None:
        super().close()


def read_diary(diary: Diary) -> object:
    other = Diary(4, diary)
    diary.kept.append(other)
    return diary.peek(MODULE.Album.blank()), diary.tell_alone(list), [page.number for page in other]


def use_casket() -> tuple[int, object]:
    class Plain(MODULE.Casket):
        pass

    casket = Plain(weight=3)
    casket.weight += 1
    return casket.weight, casket.memory


def use_lease(busy: int) -> object:
    with CarefulLease(busy) as lease:
        lease.busy = lease.busy
    return lease.closed


def commit_lease() -> int:
    lease = CarefulLease(3)
    try:
        return lease.commit()
    finally:
        lease.close()


def figures() -> object:
    class Linked(MODULE.Figure):
        pass

    inner = Linked()
    return Linked(inner).child


def intake() -> MODULE.Intake:
    return MODULE.Intake(4)


def play_tunes(player: MODULE.Player) -> None:
    player.set_tune(MODULE.Tune(3))
    player.set_tune(MODULE.Tune(4))
    player.set_encore(MODULE.Tune(5))
    player.repeat(MODULE.Tune(6))
    player.set_tune(None)
    player.play()


def rehearse(player: MODULE.Player) -> None:
    player.set_tune(MODULE.Tune(3))
    player.rehearse(lambda tune: tune.together_with(tune))
    player.rehearse_detached(lambda tune: tune.beat.count)
    player.rework(lambda tune: setattr(tune, "notes", tune.notes + 1))


def export(player: MODULE.Player) -> None:
    player.set_tune(MODULE.Tune(3))
    player.rehearse(lambda tune: tune.sheet())


def stumble(player: MODULE.Player) -> None:
    player.set_tune(MODULE.Tune(3))
    player.stumble(lambda tune: tune.notes)


def read_quote(quote: MODULE.Quote) -> None:
    assert quote.get() == b"a quote" == quote.copy() == quote.print().encode()
    assert quote.print_or_none() == "a quote" == quote.explain()
    assert quote.peek() == (7, False, b"a quote", ord("a"))


def read_motto(motto: MODULE.Motto) -> None:
    assert motto.replace(ord("-"), ", ") == (2, "a, b, c")
    assert motto.check() == "a-b-c"


def overwrite(item: MODULE.Item) -> None:
    """A call whose wrong annotation the build for the sweep finds."""
    view = item.memory
    item.overwrite_beside(view is not None)


def parents_of_ribbons(board: MODULE.Board) -> tuple[int, bool]:
    first, second = (board.ribbon(MODULE.Parcel(3), MODULE.Parcel(4)) for _ in range(2))
    return first.weight_of_parcel(), first.is_beside(second)


def weight_of_tag_and_ribbon(board: MODULE.Board) -> int:
    parcel = MODULE.Parcel(4)
    return board.weight_of(parcel.tag(), board.ribbon(MODULE.Parcel(3), parcel))


def load_whole(intake: MODULE.Intake) -> bytes | None:
    intake.load(io.BytesIO(b"abcdef").read)
    return intake.taken


def load(name: str, number: int, loader: MODULE.Loader) -> None:
    getattr(loader, name)(number)


def close_of_busy(session: MODULE.Session) -> None:
    try:
        session.close()
    finally:
        try:
            session.busy = 0
        except BaseException:
            session.busy = 0
            raise


def close_with_cursor(session: MODULE.Session) -> None:
    cursor = session.cursor()
    session.close()
    assert cursor.closed


def cursor_busy(session: MODULE.Session) -> int:
    cursor = session.cursor()
    cursor.busy = 0
    return cursor.busy


def commit_seven(session: MODULE.Session) -> None:
    try:
        session.commit()
    finally:
        assert not session.closed


def session_and_parcel(weight: int) -> Callable[[], Pair]:
    return lambda: (MODULE.Session(), MODULE.Parcel(weight))


def send(pair: Pair) -> None:
    session, parcel = pair
    parcel.tag()
    session.send(parcel)
    assert parcel.closed


def send_too_heavy(pair: Pair) -> None:
    session, parcel = pair
    try:
        session.send(parcel)
    finally:
        assert not parcel.closed


def send_one(session: MODULE.Session) -> None:
    try:
        session.send_one(MODULE.Parcel(3), False)
    finally:
        # The library refuses to close a session that is busy in some ways.
        session.busy = 0


def throw(pair: Pair) -> None:
    session, parcel = pair
    session.throw(parcel)


def return_arguments(session: MODULE.Session) -> None:
    with MODULE.Parcel(3) as parcel, MODULE.Parcel(4) as other:
        assert session.pass_parcel(parcel, []) == (parcel, 0)
        assert session.swap(parcel, other) == (other, parcel)
        assert MODULE.Session.relay(parcel) is parcel
        assert session.pass_parcel(parcel, ["replace"])[0] is not parcel
    with session.cursor() as cursor, MODULE.Shape() as shape:
        assert session.pass_cursor(cursor, 0) is cursor
        assert shape in session.pass_shape(shape, 2)
    assert session.renew(False) is session


def return_in_vain(session: MODULE.Session) -> None:
    with MODULE.Shape() as shape:
        session.pass_in_vain(shape)


def send_both(pair: Pair) -> None:
    session, parcel = pair
    session.send_both(MODULE.Parcel(1), parcel)


def keep(shape: MODULE.Shape) -> None:
    MODULE.Session().keep(shape)
    assert shape.closed


def numbers() -> MODULE.List:
    them = MODULE.List()
    them.push(1)
    them.push(2)
    return them


def nodes(them: MODULE.List) -> object:
    return [node.number for node in them], them.first.next.number, them.first.place.number


def stale_node(them: MODULE.List) -> int:
    node = them.first
    them.push(3)
    return node.number


def wait() -> object:
    number = MODULE.Numeral()
    closing = threading.Timer(0.02, number.close)
    closing.start()
    try:
        return number.wait()
    finally:
        closing.join()


def meet_itself(shape: MODULE.Shape) -> None:
    shape.meet(shape)


def blocks() -> int:
    """Counts nothing: the library writes a log, so the bytes of the process grow with each call."""
    return 0


def edit(them: MODULE.List) -> int:
    editor = them.editor()
    editor.push(3)
    editor.work()
    editor.work_reading()
    return editor.count() + editor.count_beside()


def edit_alone(them: MODULE.List) -> None:
    with them.sole_editor() as editor:
        editor.push(3)
        editor.work_beside()


def keep_editors(them: MODULE.List) -> None:
    editor = them.editor()
    editor.keep(them.editor())
    them.keep(editor)
    them.keep_beside(them.editor())
    them.push_by_editor(4)
    them.keep_sole(them.sole_editor())


def use_held(them: MODULE.List) -> None:
    with them.sole_editor():
        them.push(4)


def outline() -> MODULE.Outline:
    made = MODULE.Outline()
    made.root.append(1)
    return made


def grow(made: MODULE.Outline) -> object:
    one = made.root.first
    one.append(2)
    one.add(made.note(3))
    return [topic.number for topic in made.root], one.first.up.number, one.first_note.number, len(one.topics), one.next


def prune(made: MODULE.Outline) -> None:
    one = made.root.first
    one.append(2)
    one.unlink()
    one.clear()
    made.root.add(one)
    made.root.clear()


def prune_beside(made: MODULE.Outline) -> None:
    made.prune_beside(made.root)


def replant(made: MODULE.Outline) -> int:
    former = made.set_root(made.topic(5))
    made.set_root(None)
    return former.number + made.released


def add_foreign(made: MODULE.Outline) -> None:
    made.root.add(outline().root.first)


def adopt(made: MODULE.Outline) -> object:
    there = outline()
    one = there.root.first
    badge, heading = one.badge, one.heading
    kept = made.adopt(one) is one, heading.number, badge.closed, one.badge.number
    here = made.adopt_alone(there.topic(6))
    return kept, made.take(there.topic(7)).number, here.number


def use_heading(made: MODULE.Outline) -> object:
    one = made.root.first
    one.heading.append(made.topic(8))
    return one.heading.unlink_other(one.first)


def adopt_both(made: MODULE.Outline) -> None:
    there = outline()
    made.adopt_both(there.root.first, there.topic(2))


def adopt_twice(made: MODULE.Outline) -> int:
    there = outline()
    one = there.root.first
    made.adopt_twice(one)
    return one.number


def adopt_another_shape(made: MODULE.Outline) -> None:
    one = outline().root.first
    one.append(2)
    made.adopt_alone(one)


def take_out(made: MODULE.Outline) -> None:
    made.root.take_out(made.root.first)


def move_about(made: MODULE.Outline) -> object:
    there = outline()
    two = there.topic(2)
    made.adopt_two(there.root.first, two)
    there.topic(3).swap(two)
    two.visit(made)
    return [badge.number for badge in two.badges()], two.badge.clasp.number


def leave(made: MODULE.Outline) -> object:
    return outline().root.first.leave(made)


def exchange(made: MODULE.Outline) -> None:
    made.exchange(outline().root, made.root)


def use_closed_topic(made: MODULE.Outline) -> None:
    topic = made.root.first
    made.close()
    topic.unlink()


def mark(made: MODULE.Outline) -> int:
    bookmark = made.bookmark()
    bookmark.set(made.root.first)
    made.root.clear()
    bookmark.set(made.root)
    made.root.clear()
    return bookmark.number()


def during(made: MODULE.Outline) -> object:
    topics = [made.root.first]
    topics[0].unlink()
    made.during(topics.clear)
    return made.during_mut(int)


def search(end: int) -> Callable[[], MODULE.Search]:
    """Returns a function that makes a search with this end."""

    def search() -> MODULE.Search:
        made = MODULE.Search()
        made.finish(end)
        return made

    return search


def trawl(harbor: MODULE.Harbor) -> tuple[int, int]:
    made = harbor.boat().trawl()
    made.add(MODULE.Pond().fish())
    return made.weight(), made.weigh()


def seine(harbor: MODULE.Harbor) -> None:
    made = harbor.boat().seine()
    made.add(MODULE.Pond().fish())


def gauges(gauge: MODULE.Gauge) -> object:
    return gauge.attached(), gauge.attached_or_failed(), gauge.detached(), gauge.in_body()


def in_callbacks(gauge: MODULE.Gauge) -> object:
    return gauge.in_callback(), gauge.in_callback_in_body(), gauge.in_callback_aside()


def released_gauges() -> int:
    MODULE.Gauge.release_in_body()
    MODULE.Gauge.release_detached_in_body()
    MODULE.Gauge.release_detached_at_the_gate()
    MODULE.Gauge.open_gate_until_release()
    return MODULE.Gauge.retain_in_body() + MODULE.Gauge.counted()


class InterruptedSearch(Exception):
    pass


def interrupted(search: MODULE.Search) -> None:
    def interrupt(*_: object) -> None:
        raise InterruptedSearch

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        search.run()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def marks() -> object:
    rod = MODULE.Rod(2)
    return len(rod), bool(rod), 1 in rod, rod[1], repr(rod), str(rod)


def measure() -> object:
    # The stubs of in-place operators say that these return nothing, and those of a set attribute that there is none.
    one: Any = MODULE.Measure(1)
    two: Any = MODULE.Measure(2)
    one += two
    one *= 2
    one.length = 4
    del one.length
    return (
        repr(one),
        str(two),
        hash(one),
        two < one,
        one == two,
        bool(one),
        1 + two,
        (one + two).length,
        two | one,
        two % "m",
        two.times(2),
    )


def enter_ruler() -> int:
    ruler = MODULE.Ruler(1)
    with ruler:
        pass
    return ruler.length


def deal(fails: bool) -> None:
    with MODULE.Deal(0):
        if fails:
            raise KeyError


def stamped(sheet: MODULE.Sheet) -> object:
    stamp = sheet.stamp_of(MODULE.Inscription("abc", "d"))
    return sheet.inscription(stamp).text, sheet.scribble(stamp).words


def captions(sheet: MODULE.Sheet) -> object:
    caption = sheet.caption(3)
    assert caption is not None and sheet.caption(-1) is None
    return sheet.same_caption(caption).text


def finishes() -> object:
    marks = MODULE.strict_marks(MODULE.StrictMarks.FINE, 4)
    return MODULE.finish(0, 2), MODULE.open_finish(7, 7), MODULE.strict_finish(0, 2), marks


def pictures() -> object:
    picture = MODULE.Picture(2, 3)
    texts = picture.name, picture.c_name, picture.words, picture.memory
    assert picture.aliases == picture.optional_aliases and picture.years == [1503, 1911]
    return picture.bytes_from(0), picture.pixels(), picture.copied(), picture.all_bytes(), picture.frame.rows, texts


def lengths() -> None:
    picture = MODULE.Picture(2, 3)
    picture.set_size(-2, 3)
    picture.copied()


def letter(text: bytes | None) -> Callable[[], MODULE.Letter]:
    return lambda: MODULE.Letter(text)


OPERATIONS = [
    Operation("store", MODULE.Store),
    Operation("work", lambda store: store.work(), setup=MODULE.Store),
    Operation("work twice", lambda store: store.work_twice(), setup=MODULE.Store),
    Operation("work beside", lambda store: store.work_beside(), setup=MODULE.Store),
    Operation("work too long", lambda store: store.work(-1), setup=MODULE.Store, raises=OverflowError),
    Operation("fail", lambda store: store.fail("x"), setup=MODULE.Store, raises=MODULE.StoreError),
    Operation("fail by copy", lambda store: store.fail_by_copy("x"), setup=MODULE.Store, raises=MODULE.StoreError),
    Operation("hooked", lambda store: store.hooked, setup=MODULE.Store),
    Operation("tell", lambda store: store.tell(dict), setup=MODULE.Store),
    Operation("tell named", lambda store: store.tell_named(dict), setup=MODULE.Store),
    Operation("tell alone", lambda store: store.tell_alone(dict), setup=MODULE.Store),
    Operation("sleep", lambda: MODULE.List().sleep(0)),
    Operation("item", lambda store: store.item(), setup=MODULE.Store),
    Operation("item work", lambda store: store.item().work(), setup=MODULE.Store),
    Operation("item work beside", lambda store: store.item().work_beside(), setup=MODULE.Store),
    Operation("overwrite", overwrite, setup=lambda: MODULE.Store().item(), raises=SystemError),
    Operation("item memory", lambda store: bytes(store.item().memory), setup=MODULE.Store),
    Operation("part", lambda store: store.item().part().work(), setup=MODULE.Store),
    Operation("shape", MODULE.Shape),
    Operation("shape in shape", lambda inner: MODULE.Shape(inner).child.owners, setup=MODULE.Shape),
    Operation("shape in none", lambda: MODULE.Shape(1), raises=TypeError),
    Operation("shape work", lambda shape: shape.work(), setup=MODULE.Shape),
    Operation("shape work beside", lambda shape: shape.work_beside(), setup=MODULE.Shape),
    Operation("meet", lambda shape: shape.meet(MODULE.Shape()), setup=MODULE.Shape),
    Operation("meet in a body", MODULE.Gauge.meet_in_body, raises=MODULE.BusyError),
    Operation(
        "meet in a callback", lambda gauge: gauge.meet_in_callback(), setup=MODULE.Gauge, raises=MODULE.BusyError
    ),
    Operation("meet itself", meet_itself, setup=MODULE.Shape, raises=MODULE.BusyError),
    Operation("session", MODULE.Session),
    Operation("session that fails", lambda: MODULE.Session(-1), raises=MODULE.SessionError),
    Operation("session busy", lambda session: session.busy, setup=MODULE.Session),
    Operation("session work", lambda session: session.work(), setup=MODULE.Session),
    Operation("close", lambda session: session.close(), setup=MODULE.Session),
    Operation("close with a cursor", close_with_cursor, setup=MODULE.Session),
    Operation("close journal", lambda journal: journal.close(), setup=lambda: MODULE.Journal(0)),
    Operation("close of busy", close_of_busy, setup=lambda: MODULE.Session(5), raises=MODULE.SessionError, once=True),
    Operation("cursor", lambda session: next(session.cursor()), setup=MODULE.Session),
    Operation("cursor to the end", lambda session: list(session.cursor()), setup=MODULE.Session, raises=ValueError),
    Operation("cursor dropped", lambda session: session.drop_cursor(0), setup=MODULE.Session),
    Operation("cursor busy", cursor_busy, setup=MODULE.Session),
    Operation("journal", lambda: MODULE.Journal(0)),
    Operation("journal that fails", lambda: MODULE.Journal(-1), raises=MODULE.SessionError),
    Operation("commit", lambda session: session.commit(), setup=MODULE.Session, once=True),
    Operation("commit what can't be", commit_seven, setup=lambda: MODULE.Session(7), raises=MODULE.SessionError),
    Operation("abort", lambda session: session.abort(), setup=MODULE.Session, once=True),
    Operation("finish", lambda session: session.finish(True), setup=MODULE.Session, once=True),
    Operation("drop", lambda session: session.take_steps(["drop", "work"]), setup=MODULE.Session, once=True),
    Operation("close in a body", lambda session: session.take_steps(["close"]), setup=MODULE.Session, once=True),
    Operation("drop detached", lambda session: session.drop_detached(False), setup=MODULE.Session, once=True),
    Operation(
        "drop and fail", lambda session: session.take_steps(["drop", "fail"]), setup=MODULE.Session, raises=ValueError
    ),
    Operation("send one", send_one, setup=MODULE.Session),
    Operation("return arguments", return_arguments, setup=MODULE.Session),
    Operation("return in vain", return_in_vain, setup=MODULE.Session, raises=KeyError),
    Operation("keep one", lambda: MODULE.Session().keep_one(MODULE.Shape(), False)),
    Operation("label", lambda: MODULE.Parcel(3).label.weight),
    Operation("board", MODULE.Board),
    Operation("pin", lambda board: board.pin(MODULE.Parcel(3).tag()), setup=MODULE.Board, once=True),
    Operation("bow", lambda board: board.ribbon(MODULE.Parcel(3), MODULE.Parcel(4)).bow.weight(), setup=MODULE.Board),
    Operation("memory of a keepsake", lambda: bytes(MODULE.Keepsake(3).memory)),
    Operation("keepsake as a buffer", lambda: bytes(MODULE.Keepsake(3))),
    Operation("ribbon", lambda board: board.ribbon(MODULE.Parcel(3), MODULE.Parcel(4)).weight(), setup=MODULE.Board),
    Operation("parents of ribbons", parents_of_ribbons, setup=MODULE.Board),
    Operation("tag and ribbon", weight_of_tag_and_ribbon, setup=MODULE.Board),
    Operation("parcel", lambda: MODULE.Parcel(3).weight()),
    Operation("reweigh", lambda: MODULE.Parcel(3).reweigh(4)),
    Operation("send", send, setup=session_and_parcel(3), once=True),
    Operation("send what is too heavy", send_too_heavy, setup=session_and_parcel(30), raises=MODULE.Error),
    Operation("throw", throw, setup=session_and_parcel(3), once=True),
    Operation("throw what is too heavy", throw, setup=session_and_parcel(30), raises=MODULE.Error, once=True),
    Operation("send both", send_both, setup=session_and_parcel(3), once=True),
    Operation("keep", keep, setup=MODULE.Shape, once=True),
    Operation("pond", MODULE.Pond),
    Operation("dredge", lambda pond: pond.dredge(), setup=MODULE.Pond),
    Operation("dredge interruptibly", lambda pond: pond.dredge_interruptibly(), setup=MODULE.Pond),
    Operation("fish", lambda pond: pond.fish().roe(0).close(), setup=MODULE.Pond),
    Operation("stop", lambda pond: pond.stop(), setup=MODULE.Pond),
    Operation("net", MODULE.Net),
    Operation("net with a fish", lambda net: net.add(MODULE.Pond().fish()), setup=MODULE.Net, once=True),
    Operation("net in a net", lambda net: (net.stow(MODULE.Net()), net.haul()), setup=MODULE.Net, once=True),
    Operation("weight", lambda net: (net.weight(), net.weigh(), net.weigh_at_gate()), setup=MODULE.Net),
    Operation("trawl", trawl, setup=MODULE.Harbor),
    Operation("seine", seine, setup=MODULE.Harbor),
    Operation("number", lambda: MODULE.Numeral().value),
    Operation("another number", MODULE.Numeral.another),
    Operation("wait", wait),
    Operation("measure", measure),
    Operation("measure and another type", lambda: MODULE.Measure(1) == 1),
    Operation("measure and text", lambda: MODULE.Measure(1) % "m\0m", raises=ValueError),
    Operation("miss file", lambda: MODULE.miss_file(0), raises=MODULE.NoFileError),
    Operation("miss file again", lambda: MODULE.miss_file(2), raises=MODULE.GoneError),
    Operation("fail with notes", lambda: MODULE.fail_with(["a", "b"], None), raises=MODULE.NoFileError),
    Operation("fail with a cause", lambda: MODULE.fail_with([], ValueError()), raises=MODULE.NoFileError),
    Operation("fail with two causes", lambda: MODULE.fail_deep(2), raises=ValueError),
    Operation("raise with a note", lambda: MODULE.raise_with_note(ValueError()), raises=ValueError),
    Operation("pictures", pictures),
    Operation("lengths", lengths, raises=OverflowError),
    Operation("no name", lambda: MODULE.Picture(0, 0).name, raises=MODULE.Error),
    Operation("no frame", lambda: MODULE.Picture(0, 0).frame, raises=MODULE.Error),
    Operation("stamped", stamped, setup=MODULE.Sheet),
    Operation("captions", captions, setup=MODULE.Sheet),
    Operation("finishes", finishes),
    Operation("ruler", lambda: MODULE.Ruler(1).length),
    Operation("ruler in a block", enter_ruler),
    Operation("deal", lambda: deal(False)),
    Operation("commit of a deal", lambda: MODULE.Deal(0).commit()),
    Operation("deal that fails", lambda: deal(True), raises=KeyError),
    Operation("ruler shorter than nothing", lambda: MODULE.Ruler(-1), raises=ValueError),
    Operation("rod", lambda: MODULE.Rod(1) == MODULE.Rod(1)),
    Operation("marks of a rod", marks),
    Operation("missing mark of a rod", lambda: MODULE.Rod(1)[1], raises=MODULE.Error),
    Operation("rod of a negative length", lambda: len(MODULE.Rod(-1)), raises=OverflowError),
    Operation("list", MODULE.List),
    Operation("look", lambda: MODULE.List().look()),
    Operation("feed", lambda: list(MODULE.Feed(iter([1, 2, -1]).__next__))),
    Operation("feed that is pulled", lambda: MODULE.Feed(iter([1, 2, -1]).__next__).pull()),
    Operation("feed that ends", lambda: next(MODULE.Feed(iter([0]).__next__)), raises=RuntimeError),
    Operation("feed that fails", lambda: MODULE.Feed(dict).number(), raises=TypeError),
    Operation("feed of nothing", lambda: MODULE.Feed(None), raises=TypeError),
    Operation("tell", lambda: MODULE.Feed(dict).tell(lambda has_source: 0)),
    Operation("tell alone", lambda: MODULE.Feed(dict).tell_alone(print), raises=MODULE.BusyError),
    Operation("tell excluding", lambda: MODULE.Feed(dict).tell_excluding(lambda: None)),
    Operation("feed that is fed", lambda: MODULE.Feed(dict).fed),
    Operation("feeds that share", lambda: MODULE.Feed(dict).share(MODULE.Feed(dict), dict)),
    Operation("feed behind a lock", lambda: MODULE.Feed(dict).lock(MODULE.Feed(dict), dict, dict)),
    Operation("dropped under a lock", lambda: MODULE.dropped_locked()),
    Operation("feed that spreads", lambda: MODULE.Feed(dict).spread(lambda *pairs: None, 3)),
    Operation("feed that meddles", lambda: MODULE.Feed(dict).meddle()),
    Operation("keepsake", lambda: MODULE.Keepsake(2).weight),
    Operation("config", MODULE.Config),
    Operation("level", lambda config: (setattr(config, "level", 2), config.level, config.ratio), setup=MODULE.Config),
    Operation("title", lambda config: (setattr(config, "title", "a"), config.title), setup=MODULE.Config),
    Operation("label", lambda config: config.label(), setup=MODULE.Config),
    Operation("duplicate", lambda config: config.duplicate().close(), setup=MODULE.Config),
    Operation("no setting", lambda config: config.missing(), setup=MODULE.Config, raises=MODULE.Error),
    Operation("no memory for numbers", lambda config: config.numbers(), setup=MODULE.Config, raises=MemoryError),
    Operation("tune", lambda: MODULE.Tune(3).notes),
    Operation("play a tune", lambda player: (player.set_tune(MODULE.Tune(3)), player.play()), setup=MODULE.Player),
    Operation("play tunes", play_tunes, setup=MODULE.Player),
    Operation("rehearse", rehearse, setup=MODULE.Player),
    Operation("export what C lends", export, setup=MODULE.Player, raises=ValueError),
    Operation("stumble", stumble, setup=MODULE.Player, raises=BaseException),
    Operation("read a quote", read_quote, setup=lambda: MODULE.Quote("a quote")),
    Operation("results beside memory", read_motto, setup=lambda: MODULE.Motto("a-b-c")),
    Operation("quote that wants more", lambda: MODULE.Quote("").grow(), raises=OverflowError),
    Operation("load", lambda: load_whole(MODULE.Intake(4))),
    Operation("load too much", lambda intake: intake.load(lambda _: b"12345"), setup=intake, raises=ValueError),
    Operation("load text", lambda intake: intake.load(lambda _: "text"), setup=intake, raises=TypeError),
    Operation("input", lambda intake: intake.input(io.BytesIO(b"abcdef").readinto), setup=intake),
    Operation("input of a wrong count", lambda intake: intake.input(lambda _: -1), setup=intake, raises=ValueError),
    Operation("items", lambda intake: intake.items(2, 2, io.BytesIO(b"ab").read1), setup=intake, raises=TypeError),
    Operation("items of nothing", lambda intake: intake.items(2, 2, lambda *_: b""), setup=intake),
    Operation("fill at", lambda intake: intake.at(7, io.BytesIO(b"abc").readinto), setup=intake),
    Operation("failure", lambda: MODULE.Failure(3).code),
    Operation("loader", lambda: MODULE.Loader(1)),
    Operation("loader that fails", lambda: MODULE.Loader(-1), raises=MODULE.LoadError),
    *(
        Operation(f"load {name} {number}", partial(load, name, number), setup=lambda: MODULE.Loader(1), raises=raises)
        for name in ("place", "text", "failure", "buffer")
        for number, raises in ((0, None), (1, None), (-1, MODULE.LoadError))
    ),
    Operation("binder", lambda: MODULE.Binder(number=1)),
    Operation("paper", lambda: MODULE.Folder(1).paper().number),
    Operation("paper of another folder", lambda: MODULE.Folder(1).clip(2).paper(), raises=ValueError),
    Operation("clip on another folder", lambda: MODULE.Folder(1).clip(2).clip(3), raises=ValueError),
    Operation("papers of another folder", lambda: MODULE.Folder(1).clip(2).papers(), raises=ValueError),
    Operation("meddled", lambda: MODULE.meddled()),
    Operation("exists", lambda: MODULE.exists("/")),
    Operation("nodes", nodes, setup=numbers),
    Operation("stale node", stale_node, setup=numbers, raises=MODULE.ClosedError),
    Operation("edit", edit, setup=numbers),
    Operation("edit alone", edit_alone, setup=numbers),
    Operation("keep editors", keep_editors, setup=numbers, once=True),
    Operation("keep in a body", lambda them: them.keep_in_body(numbers().editor()), setup=numbers, raises=ValueError),
    Operation("use of a held list", use_held, setup=numbers, raises=MODULE.BusyError),
    Operation("meet a node", lambda them: them.meet(them.first), setup=numbers),
    Operation("meet a stranger", lambda them: them.meet(numbers().first), setup=numbers, raises=ValueError),
    Operation("meet any", lambda them: them.meet_any(numbers().first), setup=numbers),
    Operation("container", lambda inner: MODULE.Container(inner).child.owners, setup=MODULE.Container),
    Operation("container work", lambda box: [box.work(), box.work_beside()], setup=MODULE.Container),
    Operation("containers meet", lambda box: box.meet(MODULE.Container()), setup=MODULE.Container),
    Operation("owners of both", lambda box: box.owners_of_both(MODULE.Container()), setup=MODULE.Container),
    Operation("container tells", lambda box: box.tell(dict), setup=MODULE.Container),
    Operation(
        "change within a group",
        lambda box: box.tell(MODULE.Lid().work),
        setup=MODULE.Container,
        raises=MODULE.BusyError,
    ),
    Operation("lid", lambda: MODULE.Lid().work()),
    Operation("tally", lambda tally: tally.add(1), setup=lambda: MODULE.Tally(1)),
    Operation("tally by position", lambda tally: tally.add_one(1), setup=lambda: MODULE.Tally(1)),
    Operation("tally, two by position", lambda tally: tally.add_two(1, 2), setup=lambda: MODULE.Tally(1)),
    Operation("tally, one or none by position", lambda tally: tally.add_some(), setup=lambda: MODULE.Tally(1)),
    Operation(
        "tally, the first by position", lambda tally: tally.add_first(1, second=2), setup=lambda: MODULE.Tally(1)
    ),
    Operation("told", lambda told: told.check(), setup=lambda: MODULE.Told(), raises=MODULE.Error),
    Operation("told alone", lambda told: told.check_alone(), setup=lambda: MODULE.Told(), raises=MODULE.Error),
    Operation(
        "told by a condition", lambda told: told.check_condition(), setup=lambda: MODULE.Told(), raises=MODULE.Error
    ),
    Operation("told an argument", lambda told: told.add_told(), setup=lambda: MODULE.Told()),
    Operation("told closes", lambda told: told.close(), setup=lambda: MODULE.Told()),
    Operation("told nobody", lambda: MODULE.Told.tell(None)),
    Operation("Tally: copied", lambda tally: copy.copy(tally).add(0), setup=lambda: MODULE.Tally(1)),
    Operation("Tally: pickled", lambda tally: pickle.loads(pickle.dumps(tally)).add(0), setup=lambda: MODULE.Tally(1)),
    Operation("tally that fails", lambda: MODULE.Tally(-1), raises=MODULE.Error),
    Operation("letter", lambda letter: [letter.text(), letter.content(), letter.data()], setup=letter(b"text")),
    Operation("letter's fields", lambda letter: [letter.title, letter.title_data, letter.body], setup=letter(b"text")),
    Operation(
        "letter that is not ASCII", lambda letter: [letter.whole_text(), letter.title], setup=letter("äö".encode())
    ),
    Operation("name of a letter", lambda letter: [letter.interned_text(), letter.interned_body], setup=letter(b"name")),
    Operation("copy of a letter", lambda letter: [letter.copy(), letter.copied_bytes()], setup=letter(b"text")),
    Operation(
        "lossy copy of a letter", lambda letter: [letter.lossy_copy(), letter.lossy_text()], setup=letter(b"a\xff")
    ),
    Operation(
        "objects of a letter",
        lambda letter: [
            letter.object_of_text(),
            letter.object_of_copy(),
            letter.object_of_bytes(),
            letter.object_of_body(),
        ],
        setup=letter(b"text"),
    ),
    Operation("copy that is not UTF-8", lambda letter: letter.copy(), setup=letter(b"\xff"), raises=UnicodeDecodeError),
    Operation("body that is not UTF-8", lambda letter: letter.body, setup=letter(b"\xff"), raises=UnicodeDecodeError),
    Operation("letter of nothing", lambda letter: [letter.perhaps_text(), letter.content()], setup=letter(None)),
    Operation("text of nothing", lambda letter: letter.text(), setup=letter(None), raises=MODULE.Error),
    Operation(
        "text without a letter",
        lambda: [MODULE.Letter.text_of(letter(b"a")()), MODULE.Letter.nowhere(), MODULE.Letter.places(2)],
    ),
    Operation(
        "places of a letter",
        lambda: MODULE.Letter.places_by_name(2, rows=3),
    ),
    Operation("search", lambda search: [search.run().thread, search.interrupts], setup=search(1)),
    Operation("search in vain", lambda search: search.run(), setup=search(2), raises=MODULE.StoreError),
    Operation("search that is interrupted", interrupted, setup=MODULE.Search, raises=InterruptedSearch),
    Operation("measure", lambda search: search.measure(b"123", 2), setup=search(1)),
    Operation(
        "measure what is not there", lambda search: search.measure(b"", 2), setup=search(2), raises=MODULE.StoreError
    ),
    Operation("gauge", gauges, setup=MODULE.Gauge),
    Operation("gauge in callbacks", in_callbacks, setup=MODULE.Gauge),
    Operation("gauge's field", lambda gauge: gauge.reads_attached(), setup=MODULE.Gauge),
    Operation("released gauges", released_gauges),
    Operation("diary", lambda: read_diary(Diary(3))),
    Operation("casket", use_casket),
    Operation("casket of nothing", lambda: MODULE.Casket(0), raises=ValueError),
    Operation("lease", lambda: use_lease(0)),
    Operation("lease in vain", lambda: use_lease(-1), raises=MODULE.Error),
    Operation("lease: commit", commit_lease),
    Operation("figures", figures),
    Operation("sheet", MODULE.Sheet),
    Operation("extents", lambda sheet: sheet.extents(), setup=MODULE.Sheet),
    Operation("stamp", lambda sheet: sheet.stamp(MODULE.Stamp(b"1234", b"abcd")), setup=MODULE.Sheet),
    Operation("pins", lambda sheet: [pin.number for pin in sheet.pins(1)[:2]], setup=MODULE.Sheet),
    Operation("pins that fail", lambda sheet: sheet.pins(-1), setup=MODULE.Sheet, raises=MODULE.Error),
    Operation("corner", lambda sheet: sheet.at(0).point, setup=MODULE.Sheet),
    Operation("no corner", lambda sheet: sheet.at(1), setup=MODULE.Sheet),
    Operation("dozen", lambda sheet: sheet.dozen(), setup=MODULE.Sheet),
    Operation("marks", lambda: MODULE.number_of_marks(MODULE.marks_of_number(1)) + MODULE.number_of_open_marks(2)),
    Operation("unlisted marks", lambda: MODULE.number_of_marks(2), raises=ValueError),
    Operation("closed", lambda store: store.work(), setup=lambda: closed(MODULE.Store), raises=MODULE.ClosedError),
    Operation("functions", lambda: [MODULE.open_gate(), MODULE.at_gate(), MODULE.take_log()]),
    Operation("gate", lambda: [MODULE.close_gate(), MODULE.open_gate()]),
    Operation("Outline: grow", lambda: grow(outline())),
    Operation("Outline: prune", lambda: prune(outline())),
    Operation("Outline: prune beside", lambda: prune_beside(outline()), raises=MODULE.BusyError),
    Operation("Outline: replant", lambda: replant(outline())),
    Operation("Outline: end", lambda: outline().end(0)),
    Operation("Outline: lose", lambda: outline().lose(0, list)),
    Operation("Outline: prune in vain", lambda: outline().prune_in_vain(), raises=ValueError),
    Operation("editor: lose", lambda made: made.editor().lose(list, False), setup=numbers),
    Operation("editor: lose and fail", lambda made: made.editor().lose(list, True), setup=numbers, raises=ValueError),
    Operation("Outline: a topic of another", lambda: add_foreign(outline()), ValueError),
    Operation("Outline: adopt", lambda: adopt(outline())),
    Operation("Outline: a view and a part", lambda: use_heading(outline())),
    Operation("Outline: adopt both", lambda: adopt_both(outline()), ValueError),
    Operation("Outline: adopt twice", lambda: adopt_twice(outline())),
    Operation("Outline: as whole", lambda: outline().as_whole(), ValueError),
    Operation("Outline: another shape", lambda: adopt_another_shape(outline()), ValueError),
    Operation("Topic.take_out", lambda: take_out(outline())),
    Operation("Outline: move about", lambda: move_about(outline())),
    Operation("Topic.leave", lambda: leave(outline()), ValueError),
    Operation("Outline: exchange", lambda: exchange(outline()), ValueError),
    Operation("Outline: closed", lambda: use_closed_topic(outline()), MODULE.ClosedError),
    Operation("Outline: in vain", lambda: outline().topic_in_vain(1), ValueError),
    Operation("Outline: during", lambda: during(outline())),
    Operation("Outline: mark", lambda: mark(outline())),
    Operation("Topic.wait", lambda made: made.root.wait(), setup=outline),
]
