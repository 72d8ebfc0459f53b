"""A simple model of what handles do, and every operation on xml_safe checked against it.

A `World` keeps Python objects in slots. For each it knows which document it belongs to and whether it is closed, so it
can foretell every value and every exception, and how many native handles live. Operations are methods that take a
`Choice`; random runs pick them, here or in Hypothesis.

The collector is switched off while a world exists: what is in a cycle lives until the world itself collects.
"""

import gc
import math
import os
import sys
import tempfile
import threading
import weakref
from dataclasses import dataclass, field
from queue import SimpleQueue

import xml_safe
from xml_safe import BusyError, ClosedError, ParseError, XPathError, live_handles

SLOTS = 16
WEAK = 24
XML_PREFIX = ("xml", "http://www.w3.org/XML/1998/namespace")


def document_of(value):
    """The document that a handle or an iterator keeps, as the collector sees it."""
    while not isinstance(value, xml_safe.Document):
        # An iterator also keeps the nodes around its place, which keep the document, too.
        value = next(kept for kept in gc.get_referents(value) if isinstance(kept, xml_safe.Handle))
    return value


@dataclass(frozen=True)
class Choice:
    """What an operation works on: two slots, and a number for whatever else there is to choose."""

    a: int
    b: int
    n: int

    def of(self, options):
        return options[self.n % len(options)]


@dataclass
class Facts:
    """What should be true of one node."""

    type: str
    name: str | None
    text: str
    parent: str | None
    children: list[str] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    markup: str | None = None


def xml_of(number, count):
    elements = "".join(f'<b k="{i}">t{i}</b>' for i in range(count))
    return f'<r xmlns:p="urn:p" n="{number}">{elements}<p:c/></r>'


def nodes_of(number, count):
    """The nodes of `xml_of` by their paths, in document order."""
    texts = [f"t{i}" for i in range(count)]
    elements = [f"/r/b[{i + 1}]" if count > 1 else "/r/b" for i in range(count)]
    nodes = {
        "/": Facts("document", None, "".join(texts), None, ["/r"]),
        "/r": Facts(
            "element", "r", "".join(texts), "/", [*elements, "/r/p:c"], {"n": str(number)}, xml_of(number, count)
        ),
        "/r/@n": Facts("attribute", "n", str(number), "/r", ["/r/@n/text()"], {}, f'n="{number}"'),
        "/r/@n/text()": Facts("text", "text", str(number), "/r/@n", [], {}, str(number)),
    }
    for i, (path, text) in enumerate(zip(elements, texts, strict=True)):
        markup = f'<b xmlns:p="urn:p" k="{i}">{text}</b>'
        nodes[path] = Facts("element", "b", text, "/r", [f"{path}/text()"], {"k": str(i)}, markup)
        nodes[f"{path}/@k"] = Facts("attribute", "k", str(i), path, [f"{path}/@k/text()"], {}, f'k="{i}"')
        nodes[f"{path}/@k/text()"] = Facts("text", "text", str(i), f"{path}/@k", [], {}, str(i))
        nodes[f"{path}/text()"] = Facts("text", "text", text, path, [], {}, text)
    nodes["/r/p:c"] = Facts("element", "c", "", "/r", [], {}, '<p:c xmlns:p="urn:p"/>')
    return nodes


class Tree:
    """One document: native while it is open and something keeps it."""

    def __init__(self, number, count):
        self.count = count
        self.number = number
        self.nodes = nodes_of(number, count)
        self.open = True
        self.keepers = 0
        self.contexts = 0
        self.document = None
        self.reference = None
        # The last object of each node.
        self.objects = {}

    def object_of(self, path):
        """The one object of a node, which may be there already."""
        found = self.objects.get(path)
        if found is None or found.gone or not found.left_open:
            found = self.objects[path] = Kept("node", self, None, path)
        return found

    def elements_in(self, path):
        return [child for child in self.nodes[path].children if self.nodes[child].type == "element"]

    def where(self, wanted):
        """The paths of the nodes that are `wanted`; XPath doesn't reach the text nodes inside attributes."""
        return [
            path for path, facts in self.nodes.items() if "@" not in path.rpartition("/text()")[0] and wanted(facts)
        ]


class Kept:
    """A Python object that the world keeps, and what should be true of it."""

    def __init__(self, kind, tree, value, path=None):
        self.kind = kind
        self.tree = tree
        self.value = value
        self.path = path
        self.left_open = True
        self.in_slots = 0
        self.in_cycles = 0
        self.in_iterators = 0
        self.prefixes = {}
        # Of an iterator: the paths from its place on, the node at its place, and the one that it gave last.
        self.remaining = []
        self.place = None
        self.last = None

    @property
    def open(self):
        return self.left_open and self.tree.open

    @property
    def gone(self):
        if self.kind == "document":
            return self.tree.keepers == 0
        return self.in_slots + self.in_cycles + self.in_iterators == 0


class Holder:
    """What cycles go through. Some have a finalizer that uses, closes or revives what they hold."""

    def __init__(self, members):
        self.members = members
        self.itself = self


class Using(Holder):
    def __del__(self):
        for kept, value in self.members:
            try:
                repr(value) if kept.kind in ("context", "iterator") else value.xpathEval("count(//b)")
            except ClosedError:
                pass


class Closing(Holder):
    def __del__(self):
        for kept, value in self.members:
            if kept.kind != "iterator":
                value.close()


class Reviving(Holder):
    revived = []

    def __del__(self):
        self.revived.extend(self.members)


class ClosingLate:
    def __init__(self, document, seen):
        self.document, self.seen = document, seen
        self.itself = self

    def __del__(self):
        try:
            self.document.close()
            self.seen.append(None)
        except BusyError:
            self.seen.append(BusyError)


def in_generator(members):
    def generator():
        mine = [members, cell]
        yield mine

    cell = []
    cell.append(generator())
    next(cell[0])


def in_traceback(members):
    try:
        raise ValueError(members)
    except ValueError as error:
        kept = error
        kept.itself = kept


HAS_GIL = not hasattr(sys, "_is_gil_enabled") or sys._is_gil_enabled()


class Worker:
    """A thread that makes calls for others, and keeps nothing of them."""

    def __init__(self):
        self.calls, self.done = SimpleQueue(), SimpleQueue()
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while (call := self.calls.get()) is not None:
            outcome = []
            try:
                outcome.append(call())
            except Exception as error:
                outcome.append(error)
                outcome.append(True)
            del call
            self.done.put(outcome)
            del outcome

    def run(self, call):
        self.calls.put(call)
        outcome = self.done.get()
        if len(outcome) == 2:
            outcome.pop()
            raise outcome.pop()
        return outcome.pop()

    def settle(self):
        """Without a GIL, an object that another thread drops ends when the thread that made it enters a function. The
        object may have had the last reference to one of another thread, and so on."""
        if not HAS_GIL:
            for _ in range(4):
                self.run(lambda: None)

    def end(self):
        self.calls.put(None)
        self.thread.join()


CYCLES = [Holder, Using, Closing, Reviving, in_generator, in_traceback]

FORMS = [
    lambda xml: xml_safe.parse(xml),
    lambda xml: xml_safe.parse(xml.encode()),
    lambda xml: xml_safe.parse(xml.encode("utf-16")),
    lambda xml: xml_safe.parse(xml, recover=True, huge=True, resolve_entities=True, no_blanks=True),
]
UNPARSABLE = [
    (lambda: xml_safe.parse("<a><b></a>"), ParseError),
    (lambda: xml_safe.parse(b""), ParseError),
    (lambda: xml_safe.parse(b"<a>\xff</a>"), ParseError),
    (lambda: xml_safe.parse("<a>&x;</a>", resolve_entities=True), ParseError),
    (lambda: xml_safe.parse("<!DOCTYPE a [<!ENTITY e SYSTEM 'x'>]><a>&e;</a>", resolve_entities=True), ParseError),
    (lambda: xml_safe.parse(b"<?xml version='1.0' encoding='nope'?><a/>"), ParseError),
    (lambda: xml_safe.parse(b"<a>\0</a>"), ParseError),
    (lambda: xml_safe.parse(None), TypeError),
    (lambda: xml_safe.parse("<a/>", huge=1), TypeError),
    (lambda: xml_safe.parse("\ud800"), UnicodeEncodeError),
    (lambda: xml_safe.parse_file("/nowhere/at/all"), FileNotFoundError),
    (lambda: xml_safe.parse_file("/"), IsADirectoryError),
    (lambda: xml_safe.parse_file("\0"), ValueError),
]
# What each should give, from the tree and the path of the context node.
GOOD = [
    ("count(//b)", lambda tree, path: float(tree.count)),
    ("string(/r/@n)", lambda tree, path: str(tree.number)),
    ("//b = 't0'", lambda tree, path: tree.count > 0),
    ("1 div 0", lambda tree, path: math.inf),
    ("//zz", lambda tree, path: []),
    ("/", lambda tree, path: ["/"]),
    (".", lambda tree, path: [path]),
    ("..", lambda tree, path: [parent] if (parent := tree.nodes[path].parent) else []),
    ("//b", lambda tree, path: tree.where(lambda facts: facts.name == "b")),
    ("//@* | //text()", lambda tree, path: tree.where(lambda facts: facts.type in ("attribute", "text"))),
    ("//node()", lambda tree, path: tree.where(lambda facts: facts.type in ("element", "text"))),
    ("//namespace::*", lambda tree, path: [XML_PREFIX, ("p", "urn:p")] * (tree.count + 2)),
]
BAD = {
    "//b[": 1207,
    "": 1207,
    "'x": 1202,
    "$v": 1205,
    "foo()": 1209,
    "/*[foo(//b)]": 1209,
    "count(1)": 1211,
    "//z:b": 1219,
    "count(//b, //b)": 1212,
    1: TypeError,
    b"//b": TypeError,
    "//b\0": ValueError,
    "'\ud800'": UnicodeEncodeError,
}


class World:
    def __init__(self):
        self.slots = [None] * SLOTS
        self.cycles = []
        self.weak = []
        self.documents = 0
        self.contexts = 0
        self.parsed = 0
        self.elsewhere = False
        self.worker = Worker()
        self.was_enabled = gc.isenabled()
        gc.disable()
        gc.collect()
        self.before = live_handles()
        handle, self.file = tempfile.mkstemp(suffix=".xml")
        with os.fdopen(handle, "w") as file:
            file.write(xml_of(0, 2))

    def close(self):
        """Forget everything, and see that nothing is left."""
        self.drop_all()
        self.check()
        self.worker.end()
        os.unlink(self.file)
        if self.was_enabled:
            gc.enable()

    def drop_all(self):
        self.elsewhere = False
        for index in range(SLOTS):
            self.put(index, None)
        self.collect(Choice(0, 0, 0))
        for index in range(SLOTS):
            self.put(index, None)
        self.look_at_weak(Choice(0, 0, 0))
        self.weak.clear()

    def apply(self, name, choice, elsewhere=False):
        """Do one operation, perhaps with its native calls on another thread, and look whether all is as it should be."""
        self.elsewhere = elsewhere
        getattr(self, name)(choice)
        self.check()

    def check(self):
        self.worker.settle()
        live = live_handles()
        expected = dict(self.before)
        expected["Document"] += self.documents
        expected["XPathContext"] += self.contexts
        assert live == expected, f"{live} live, {expected} expected"

    # ---- what every operation uses

    def run(self, call):
        return self.worker.run(call) if self.elsewhere else call()

    def expect(self, outcome, call):
        """`call` raises exactly `outcome`."""
        try:
            got = self.run(call)
        except Exception as error:
            assert type(error) is outcome, f"{error!r} instead of {outcome.__name__}"
            return getattr(error, "code", None)
        raise AssertionError(f"{got!r} instead of {outcome.__name__}")

    def use(self, kept, call):
        """The result of `call`, or None where `kept` is closed and it raised as it should."""
        if kept.open:
            return self.run(call)
        self.expect(ClosedError, call)
        return None

    def keep(self, index, kept):
        """Put a new object into a slot."""
        kept.tree.keepers += 1
        self.put(index, kept)

    def put(self, index, kept):
        if kept is not None:
            kept.in_slots += 1
        old, self.slots[index] = self.slots[index], kept
        if old is not None:
            old.in_slots -= 1
            if old.in_slots == 0:
                self.forget_value(old)
            self.settle(old)

    def forget_value(self, kept):
        def forget():
            kept.value = None

        self.run(forget)

    def settle(self, kept):
        """Take note of what has gone with the last reference to `kept`."""
        if kept.in_slots + kept.in_cycles > 0:
            return
        tree = kept.tree
        tree.keepers -= 1
        self.place_iterator(kept, None)
        if kept.kind == "document":
            tree.document = None
        if kept.kind == "context" and kept.open:
            tree.contexts -= 1
            self.contexts -= 1
        if tree.keepers == 0 and tree.open:
            self.documents -= 1

    def closed(self, kept):
        """Take note that `kept` was closed."""
        tree = kept.tree
        if kept.kind == "context" and kept.open:
            tree.contexts -= 1
            self.contexts -= 1
        if kept.kind == "document" and tree.open:
            tree.open = False
            self.documents -= 1
            self.contexts -= tree.contexts
            tree.contexts = 0
        if kept.kind != "document":
            kept.left_open = False

    def kept(self, index, *kinds):
        """What is in the first slot from `index` on that holds one of these kinds, or anything."""
        for kept in (*self.slots[index:], *self.slots[:index]):
            if kept is not None and (not kinds or kept.kind in kinds):
                return kept
        return None

    def place_iterator(self, kept, place, last=None):
        """Take note of the nodes that an iterator keeps: the next one, and the one that it gave last."""
        for node in (kept.place, kept.last):
            if node is not None:
                node.in_iterators -= 1
        for node in (place, last):
            if node is not None:
                node.in_iterators += 1
        kept.place, kept.last = place, last

    def keep_node(self, index, tree, value, path):
        kept = tree.object_of(path)
        assert kept.value is None or kept.value is value, "another object for the same node"
        kept.value = value
        if kept.in_slots + kept.in_cycles == 0:
            tree.keepers += 1
        self.put(index, kept)

    def keep_document(self, index, tree, value):
        """The document's one object, which may be in a slot already, or kept by a node alone."""
        if tree.reference is not None:
            assert tree.reference() is value, "another object for the same document"
        if tree.document is not None:
            tree.document.value = value
            self.put(index, tree.document)
            return
        tree.document = Kept("document", tree, value)
        self.keep(index, tree.document)

    def check_value(self, tree, value, expected):
        if isinstance(expected, list) and expected and isinstance(expected[0], str):
            paths = [node.path for node in value]
            assert paths == expected, f"{paths} instead of {expected}"
            assert all(node.document is tree.reference() for node in value)
        else:
            assert type(value) is type(expected) and value == expected, f"{value!r} instead of {expected!r}"

    # ---- operations: documents

    def parse(self, choice):
        self.parsed += 1
        tree = Tree(self.parsed, choice.n // len(FORMS) % 4)
        value = self.run(lambda: choice.of(FORMS)(xml_of(tree.number, tree.count)))
        self.keep_new(choice.a, tree, value)

    def parse_file(self, choice):
        tree = Tree(0, 2)
        self.keep_new(choice.a, tree, self.run(lambda: xml_safe.parse_file(self.file)))

    def keep_new(self, index, tree, value):
        self.documents += 1
        self.keep_document(index, tree, value)
        tree.reference = weakref.ref(value)

    def parse_wrongly(self, choice):
        call, outcome = choice.of(UNPARSABLE)
        self.expect(outcome, call)

    def root(self, choice):
        if kept := self.kept(choice.a, "document"):
            node = self.use(kept, lambda: kept.value.root)
            if node is not None:
                self.keep_node(choice.b, kept.tree, node, "/r")

    # ---- operations: nodes

    def look(self, choice):
        """Every property of a node."""
        kept = self.kept(choice.a, "node")
        if kept is None:
            return
        node = kept.value
        read = [
            lambda: (node.type, node.name, node.text, node.path),
            lambda: (node.attributes, node.get("k"), node.get("zz", 1), type(node.line)),
            lambda: node.to_string(),
            lambda: [child.path for child in node.children],
            lambda: [child.path for child in node],
            lambda: parent.path if (parent := node.parent) else None,
            lambda: node.document is kept.tree.reference(),
        ]
        facts = kept.tree.nodes[kept.path]
        expected = [
            (facts.type, facts.name, facts.text, kept.path),
            (facts.attributes, facts.attributes.get("k"), 1, int),
            facts.markup,
            facts.children,
            kept.tree.elements_in(kept.path),
            facts.parent,
            True,
        ]
        which = choice.n % len(read)
        value = self.use(kept, read[which])
        if kept.open and expected[which] is not None:
            assert value == expected[which], f"{value!r} instead of {expected[which]!r}"

    def go(self, choice):
        """To a node's parent, one of its children, or the document."""
        kept = self.kept(choice.a, "node")
        if kept is None:
            return
        node, facts = kept.value, kept.tree.nodes[kept.path]
        if choice.n % 3 == 0:
            document = self.use(kept, lambda: node.document)
            if document is not None:
                self.keep_document(choice.b, kept.tree, document)
        elif choice.n % 3 == 1 or not facts.children:
            parent = self.use(kept, lambda: node.parent)
            if parent is not None:
                self.keep_node(choice.b, kept.tree, parent, facts.parent)
        else:
            index = choice.n % len(facts.children)
            child = self.use(kept, lambda: node.children[index])
            if child is not None:
                self.keep_node(choice.b, kept.tree, child, facts.children[index])

    def iterate(self, choice):
        if kept := self.kept(choice.a, "node"):
            iterator = self.use(kept, lambda: iter(kept.value))
            if iterator is not None:
                new = Kept("iterator", kept.tree, iterator)
                new.remaining = kept.tree.elements_in(kept.path)
                if new.remaining:
                    self.place_iterator(new, kept.tree.object_of(new.remaining[0]))
                self.keep(choice.b, new)

    def step(self, choice):
        if kept := self.kept(choice.a, "iterator"):
            end = object()
            if kept.open and kept.place is not None and not kept.place.left_open:
                self.expect(ClosedError, lambda: next(kept.value))
                return
            node = self.use(kept, lambda: next(kept.value, end))
            if not kept.open:
                return
            if not kept.remaining:
                assert node is end
                self.place_iterator(kept, None)
                return
            path = kept.remaining.pop(0)
            assert node.path == path
            place = kept.tree.object_of(kept.remaining[0]) if kept.remaining else None
            # The node is kept before the iterator forgets it.
            self.keep_node(choice.b, kept.tree, node, path)
            if not kept.gone:
                self.place_iterator(kept, place, kept.tree.object_of(path))

    # ---- operations: XPath

    def new_context(self, choice):
        if kept := self.kept(choice.a, "document"):
            context = self.use(kept, kept.value.xpath_new_context)
            if context is not None:
                kept.tree.contexts += 1
                self.contexts += 1
                self.keep(choice.b, Kept("context", kept.tree, context, "/"))

    def evaluator(self, index):
        kept = self.kept(index, "document", "node", "context")
        if kept is None:
            return None, None
        return kept, kept.value.eval if kept.kind == "context" else kept.value.xpathEval

    def evaluate(self, choice):
        kept, evaluate = self.evaluator(choice.a)
        if kept is not None:
            expr, expected = choice.of(GOOD)
            value = self.use(kept, lambda: evaluate(expr))
            if kept.open:
                self.check_value(kept.tree, value, expected(kept.tree, kept.path or "/"))

    def find(self, choice):
        """Keep one of the nodes that an expression gives."""
        kept, evaluate = self.evaluator(choice.a)
        if kept is None:
            return
        expr, expected = GOOD[-7:-1][choice.n % 6]
        found = self.use(kept, lambda: evaluate(expr))
        if found:
            index = choice.n % len(found)
            path = expected(kept.tree, kept.path or "/")[index]
            self.keep_node(choice.b, kept.tree, found[index], path)

    def evaluate_wrongly(self, choice):
        kept, evaluate = self.evaluator(choice.a)
        if kept is None:
            return
        expr = choice.of(list(BAD))
        outcome = BAD[expr]
        if isinstance(outcome, type):
            self.expect(outcome, lambda: evaluate(expr))
        elif kept.open:
            code = self.expect(XPathError, lambda: evaluate(expr))
            assert code == outcome, f"{expr!r}: {code} instead of {outcome}"
        else:
            self.expect(ClosedError, lambda: evaluate(expr))

    def register(self, choice):
        if kept := self.kept(choice.a, "context"):
            uri = choice.of(["urn:p", "urn:other"])
            self.use(kept, lambda: kept.value.register_ns("q", uri))
            if kept.open:
                kept.prefixes["q"] = uri
            self.expect(TypeError, lambda: kept.value.register_ns("q", 1))
            self.expect(ValueError, lambda: kept.value.register_ns("q\0", "urn:p"))

    def use_prefix(self, choice):
        kept = self.kept(choice.a, "context")
        if kept is None:
            return
        if kept.open and "q" not in kept.prefixes:
            assert self.expect(XPathError, lambda: kept.value.eval("//q:c")) == 1219
            return
        found = self.use(kept, lambda: kept.value.eval("//q:c"))
        if kept.open:
            self.check_value(kept.tree, found, ["/r/p:c"] if kept.prefixes["q"] == "urn:p" else [])

    def set_node(self, choice):
        context, node = self.kept(choice.a, "context"), self.kept(choice.b)
        if context is None or node is None:
            return
        if node.kind != "node":
            self.expect(TypeError, lambda: context.value.set_node(node.value))
        elif not (context.open and node.open):
            self.expect(ClosedError, lambda: context.value.set_node(node.value))
        elif context.tree is not node.tree:
            self.expect(ValueError, lambda: context.value.set_node(node.value))
        else:
            self.run(lambda: context.value.set_node(node.value))
            context.path = node.path

    # ---- operations: any handle

    def close_one(self, choice):
        if kept := self.kept(choice.a, "document", "node", "context"):
            for _ in range(1 + choice.n % 2):
                assert self.run(kept.value.close) is None
            self.closed(kept)

    def enter(self, choice):
        """A with block, which may raise or close by itself."""
        kept = self.kept(choice.a, "document", "node", "context")
        if kept is None:
            return

        def block():
            with kept.value as entered:
                assert entered is kept.value
                if choice.n % 3 == 1:
                    entered.close()
                if choice.n % 3 == 2:
                    raise ZeroDivisionError

        if not kept.open:
            self.expect(ClosedError, block)
            return
        if choice.n % 3 == 2:
            self.expect(ZeroDivisionError, block)
        else:
            self.run(block)
        self.closed(kept)

    def look_from_outside(self, choice):
        """What works closed or not: `closed`, `repr()`, `hash()`, `==`."""
        a, b = self.kept(choice.a, "document", "node", "context"), self.kept(choice.b)
        if a is None or b is None:
            return
        assert a.value.closed is not a.open
        assert ("closed" in repr(a.value)) is not a.open
        assert (a.value == b.value) is (a is b)
        assert hash(a.value) == hash(a.value)

    def drop(self, choice):
        self.put(choice.a, None)

    def copy(self, choice):
        if self.slots[choice.a] is not None:
            self.put(choice.b, self.slots[choice.a])

    def watch(self, choice):
        """A weak reference, with a callback."""
        kept = self.kept(choice.a, "document", "node", "context")
        if kept is not None and len(self.weak) < WEAK:
            called = []
            self.weak.append((weakref.ref(kept.value, called.append), called, kept))

    def look_at_weak(self, _):
        for reference, called, kept in self.weak:
            assert (reference() is None) is kept.gone
            assert len(called) == kept.gone
        self.weak = [entry for entry in self.weak if not entry[2].gone]

    def tie(self, choice):
        """Put two objects into a cycle, and forget them otherwise."""
        kept = {id(kept): kept for kept in (self.slots[choice.a], self.slots[choice.b]) if kept is not None}
        form = choice.of(CYCLES)
        form([(each, each.value) for each in kept.values()])
        self.cycles.append((form, list(kept.values())))
        for each in kept.values():
            each.in_cycles += 1
        self.put(choice.a, None)
        self.put(choice.b, None)

    def collect(self, choice):
        self.run(gc.collect)
        self.untie(choice)

    def untie(self, choice):
        """Take note of what a collection did."""
        cycles, self.cycles = self.cycles, []
        revived, Reviving.revived[:] = Reviving.revived[:], []
        members = [(form, kept) for form, members in cycles for kept in members]
        for form, kept in members:
            if form is Closing and kept.kind != "iterator":
                self.closed(kept)
        assert len(revived) == sum(form is Reviving for form, _ in members)
        for index, (kept, value) in enumerate(revived):
            self.revive(kept, value)
            self.put((choice.a + index) % SLOTS, kept)
        for _, kept in members:
            kept.in_cycles -= 1
            self.settle(kept)

    def revive(self, kept, value):
        """What the collector had already found unreachable has lost its weak references."""
        kept.value = value
        if kept.kind == "document":
            kept.tree.reference = weakref.ref(value)
        elif kept.tree.reference() is None:
            # The collector saw the document through what lives in it.
            kept.tree.reference = weakref.ref(document_of(value))
        self.weak = [entry for entry in self.weak if (entry[2].kind, entry[2].tree) != ("document", kept.tree)]
        self.weak = [entry for entry in self.weak if entry[2] not in (kept, kept.place, kept.last)]

    # ---- operations: several things at once

    def race(self, choice):
        """Other threads use a document while it is closed: each gets its result or ClosedError."""
        kept, evaluate = self.evaluator(choice.a)
        if kept is None:
            return
        outcomes = []

        def work():
            try:
                outcomes.append(evaluate("count(//b)"))
            except (ClosedError, BusyError) as error:
                outcomes.append(type(error))

        threads = [threading.Thread(target=work) for _ in range(1 + choice.n % 3)]
        for thread in threads:
            thread.start()
        try:
            self.run(kept.value.close)
        finally:
            for thread in threads:
                thread.join()
        allowed = {float(kept.tree.count), ClosedError, *([BusyError] if kept.kind == "context" else [])}
        assert set(outcomes) <= allowed, f"{outcomes}"
        self.closed(kept)

    def collect_within(self, choice):
        """The collector runs while a call makes its list, and a finalizer closes the document that is in use."""
        kept, evaluate = self.evaluator(choice.a)
        if kept is None or self.cycles:
            return
        document, seen = kept.tree.reference(), []
        was_open = kept.open
        ClosingLate(document, seen)
        thresholds = gc.get_threshold()
        gc.set_threshold(1, 1, 1)
        gc.enable()
        try:
            count = len(evaluate("//node()"))
        except ClosedError:
            count = None
        finally:
            gc.disable()
            gc.set_threshold(*thresholds)
        gc.collect()
        assert seen in ([None], [BusyError])
        assert count is None or was_open
        assert count is not None or not was_open or seen == [None]
        assert document.closed or seen == [BusyError]
        if document.closed:
            self.closed(tree_of_its_own(kept.tree))


def tree_of_its_own(tree):
    """What stands for the document where no slot keeps it."""
    return tree.document or Kept("document", tree, None)


# How often each is picked, of all together.
OPERATIONS = {
    "parse": 6,
    "parse_file": 1,
    "parse_wrongly": 3,
    "root": 6,
    "look": 8,
    "go": 8,
    "iterate": 5,
    "step": 8,
    "new_context": 6,
    "evaluate": 10,
    "find": 8,
    "evaluate_wrongly": 8,
    "register": 3,
    "use_prefix": 4,
    "set_node": 6,
    "close_one": 3,
    "enter": 2,
    "look_from_outside": 6,
    "drop": 5,
    "copy": 4,
    "watch": 2,
    "look_at_weak": 1,
    "tie": 4,
    "collect": 1,
    "race": 1,
    "collect_within": 1,
}
