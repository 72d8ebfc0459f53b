"""A model of documents that change, in plain Python, and random operations on both.

The model checks content, order, identity, closed states, and how many removed nodes libxml2 still has. One document lives
as long as the world, so nothing may pile up in it.

    python random_operations.py --model tree_model.py --steps 1000000
"""

import gc
import sys
from xml.sax.saxutils import escape

import xml_safe
from xml_safe import ClosedError, Document, live_handles

SLOTS = 12
# An element with so many nodes below it is cleared.
MANY = 200
# Whether nodes move to other documents.
MOVES = not hasattr(sys, "_is_gil_enabled") or sys._is_gil_enabled()
NAMES = ["a", "b", "c", "d"]


class Twin:
    """What a node should be."""

    def __init__(self, kind, document, name=None, text=None):
        self.kind = kind
        self.document = document
        self.name = name
        self.text = text
        self.attributes = {}
        self.children = []
        self.parent = None
        self.in_slots = 0

    @property
    def top(self):
        here = self
        while here.parent is not None:
            here = here.parent
        return here

    def all(self):
        """The nodes of the subtree, in document order."""
        found, todo = [], [self]
        while todo:
            here = todo.pop()
            found.append(here)
            todo.extend(reversed(here.children))
        return found

    def markup(self):
        if self.kind == "text":
            return escape(self.text)
        if self.kind == "comment":
            return f"<!--{self.text}-->"
        attributes = "".join(
            f' {name}="{escape(value, {chr(34): "&quot;"})}"' for name, value in self.attributes.items()
        )
        inner = "".join(child.markup() for child in self.children)
        return f"<{self.name}{attributes}>{inner}</{self.name}>" if self.children else f"<{self.name}{attributes}/>"

    def content(self):
        return self.text if self.kind != "element" else "".join(node.text for node in self.all() if node.kind == "text")

    def unlink(self):
        if self.parent is not None:
            self.parent.children.remove(self)
            self.parent = None

    def belong_to(self, document):
        for twin in self.all():
            twin.document = document

    def copy(self):
        made = Twin(self.kind, self.document, self.name, self.text)
        made.attributes = dict(self.attributes)
        for child in self.children:
            below = child.copy()
            below.parent = made
            made.children.append(below)
        return made


class Tree:
    """A document and its root, which stays."""

    def __init__(self):
        self.value = Document()
        self.open = True
        self.root = Twin("element", self, "r")
        node = self.value.create_element("r")
        self.value.xpathEval("/")[0].append(node)


class Slot:
    def __init__(self, twin, node):
        self.twin = twin
        self.node = node


class World:
    def __init__(self):
        self.was_enabled = gc.isenabled()
        gc.disable()
        gc.collect()
        self.before = live_handles()
        self.trees = [Tree(), Tree()]
        self.slots = [None] * SLOTS
        self.made = 0

    def close(self):
        self.drop_all()
        self.check()
        for tree in self.trees:
            tree.value.close()
        self.trees = []
        if self.was_enabled:
            gc.enable()

    def drop_all(self):
        for index in range(SLOTS):
            self.put(index, None)
        for tree in self.trees:
            tree.value.root.clear()
            tree.root.children.clear()

    def apply(self, name, choice, elsewhere=False):
        getattr(self, name)(choice)
        self.check()

    def check(self):
        kept = [slot.twin.top for slot in self.slots if slot is not None and slot.twin.document.open]
        unlinked = {id(top) for top in kept if top is not top.document.root}
        live = live_handles()
        assert live["Node"] == self.before["Node"] + len(unlinked), (live["Node"], len(unlinked))
        assert live["Document"] == self.before["Document"] + self.documents()

    def documents(self):
        closed = [slot for slot in self.slots if slot is not None and not slot.twin.document.open]
        assert all(slot.node.closed for slot in closed)
        return len(self.trees)

    def put(self, index, slot):
        old, self.slots[index] = self.slots[index], slot
        if slot is not None:
            slot.twin.in_slots += 1
        if old is not None:
            old.twin.in_slots -= 1

    def keep(self, index, twin, node):
        """Put a node into a slot. There is one object of each node."""
        for other in self.slots:
            if other is not None and other.twin is twin:
                assert other.node is node, "another object for the same node"
        self.put(index, Slot(twin, node))

    def at(self, index):
        """What is in the first slot from `index` on."""
        return next((slot for slot in (*self.slots[index:], *self.slots[:index]) if slot is not None), None)

    def use(self, slot, call):
        if slot.twin.document.open:
            return call()
        try:
            call()
        except ClosedError:
            return None
        raise AssertionError("a node of a closed document was used")

    # ---- operations

    def make(self, choice):
        tree = self.trees[choice.n % 2]
        self.made += 1
        kind = ("element", "text", "comment")[choice.n % 3]
        text = f"<{self.made}>&"
        if kind == "element":
            name = NAMES[choice.n % len(NAMES)]
            self.keep(choice.a, Twin(kind, tree, name), tree.value.create_element(name))
        elif kind == "text":
            self.keep(choice.a, Twin(kind, tree, None, text), tree.value.create_text(text))
        else:
            self.keep(choice.a, Twin(kind, tree, None, text), tree.value.create_comment(text))

    def root(self, choice):
        tree = self.trees[choice.n % 2]
        self.keep(choice.a, tree.root, tree.value.root)

    def go(self, choice):
        slot = self.at(choice.a)
        if slot is None:
            return
        twin, node = slot.twin, slot.node
        children = self.use(slot, lambda: node.children)
        if children is None:
            return
        assert len(children) == len(twin.children)
        if choice.n % 3 == 0 and twin.parent is not None:
            self.keep(choice.b, twin.parent, node.parent)
        elif children:
            index = choice.n % len(children)
            self.keep(choice.b, twin.children[index], children[index])

    def look(self, choice):
        slot = self.at(choice.a)
        if slot is None:
            return
        twin, node = slot.twin, slot.node
        written = self.use(slot, lambda: (node.to_string(), node.text, node.type, dict(node.attributes)))
        if written is None:
            return
        expected = (twin.markup(), twin.content(), twin.kind, twin.attributes)
        assert written == expected, f"{written} instead of {expected}"
        assert (node.parent is None) is (twin.parent is None and twin is not twin.document.root)
        for index, (below, child) in enumerate(zip(twin.children, node.children, strict=True)):
            assert child.parent is node
            assert node.index(child) == index
            for other in self.slots:
                if other is not None and other.twin is below:
                    assert other.node is child

    def place(self, choice, put, find):
        """Move the node of one slot to a place at the node of another."""
        here, moved = self.at(choice.a), self.at(choice.b)
        # The root stays where it is.
        if here is None or moved is None or moved.twin is moved.twin.document.root:
            return
        found = find(here.twin)
        wrong = (
            found is None
            or found[0].kind != "element"
            or (moved.twin.document is not here.twin.document and not MOVES)
            or found[0] in moved.twin.all()
        )
        call = lambda: put(here.node)(moved.node)
        if not here.twin.document.open or not moved.twin.document.open:
            try:
                call()
            except (ClosedError, ValueError):
                return
            raise AssertionError("a node of a closed document was used")
        if wrong:
            try:
                call()
            except ValueError:
                return
            raise AssertionError("a node was put where it cannot be")
        call()
        parent, index = found
        if moved.twin in parent.children and parent.children.index(moved.twin) < index:
            index -= 1
        moved.twin.unlink()
        moved.twin.belong_to(here.twin.document)
        parent.children.insert(index, moved.twin)
        moved.twin.parent = parent

    def append(self, choice):
        self.place(choice, lambda node: node.append, lambda twin: (twin, len(twin.children)))

    def prepend(self, choice):
        self.place(choice, lambda node: node.prepend, lambda twin: (twin, 0))

    def insert(self, choice):
        index = choice.n % 7 - 3
        self.place(
            choice,
            lambda node: lambda moved: node.insert(index, moved),
            lambda twin: (twin, slice(index, None).indices(len(twin.children))[0]),
        )

    def put_before(self, choice):
        if not self.is_at_root(choice):
            self.place(choice, lambda node: node.before, lambda twin: self.beside(twin, 0))

    def put_after(self, choice):
        if not self.is_at_root(choice):
            self.place(choice, lambda node: node.after, lambda twin: self.beside(twin, 1))

    def is_at_root(self, choice):
        """Comments may be beside the root, where the model has no place."""
        slot = self.at(choice.a)
        return slot is not None and slot.twin is slot.twin.document.root

    def beside(self, twin, offset):
        if twin.parent is None:
            return None
        return twin.parent, twin.parent.children.index(twin) + offset

    def adopt(self, choice):
        slot, tree = self.at(choice.a), self.trees[choice.n % 2]
        if slot is None or slot.twin is slot.twin.document.root or not MOVES:
            return
        if not slot.twin.document.open:
            try:
                tree.value.adopt_node(slot.node)
            except ClosedError:
                return
            raise AssertionError("a node of a closed document was used")
        assert tree.value.adopt_node(slot.node) is slot.node
        slot.twin.unlink()
        slot.twin.belong_to(tree)

    def remove(self, choice):
        slot = self.at(choice.a)
        if slot is None or slot.twin is slot.twin.document.root:
            return
        self.use(slot, slot.node.remove)
        if slot.twin.document.open:
            slot.twin.unlink()

    def clear(self, choice):
        slot = self.at(choice.a)
        if slot is None or slot.twin.kind != "element":
            return
        if choice.n % 4 and len(slot.twin.all()) < MANY:
            return
        self.use(slot, slot.node.clear)
        if slot.twin.document.open:
            for child in list(slot.twin.children):
                child.unlink()

    def change(self, choice):
        slot = self.at(choice.a)
        if slot is None or not slot.twin.document.open:
            return
        twin, node = slot.twin, slot.node
        if twin.kind != "element":
            twin.text = node.text = f"{choice.n}<"
        elif choice.n % 3 == 0:
            twin.name = node.name = NAMES[choice.n % len(NAMES)]
        elif choice.n % 3 == 1:
            twin.attributes[NAMES[choice.n % 4]] = node.attributes[NAMES[choice.n % 4]] = f'"{choice.n}&'
        elif twin.attributes:
            name = list(twin.attributes)[choice.n % len(twin.attributes)]
            del twin.attributes[name], node.attributes[name]

    def copy(self, choice):
        slot = self.at(choice.a)
        if slot is None or not slot.twin.document.open or len(slot.twin.all()) > MANY:
            return
        self.keep(choice.b, slot.twin.copy(), slot.node.copy())

    def iterate(self, choice):
        """Remove children while iterating."""
        slot = self.at(choice.a)
        if slot is None or not slot.twin.document.open:
            return
        twins = [child for child in slot.twin.children if child.kind == "element"]
        for index, node in enumerate(slot.node):
            assert node.name == twins[index].name
            if (index + choice.n) % 2:
                node.remove()
                twins[index].unlink()
        # The last object goes with the variable.

    def count(self, choice):
        tree = self.trees[choice.n % 2]
        elements = [twin for twin in tree.root.all() if twin.kind == "element"]
        assert tree.value.xpathEval("count(//*)") == len(elements)

    def drop(self, choice):
        self.put(choice.a, None)

    def close_one(self, choice):
        """The second document is closed, and another one takes its place."""
        tree = self.trees[1]
        tree.value.close()
        tree.open = False
        self.trees[1] = Tree()


# How often each is picked, of all together.
OPERATIONS = {
    "make": 12,
    "root": 4,
    "go": 10,
    "look": 6,
    "append": 12,
    "prepend": 4,
    "insert": 4,
    "put_before": 5,
    "put_after": 5,
    "adopt": 3,
    "remove": 8,
    "clear": 2,
    "change": 8,
    "copy": 4,
    "iterate": 2,
    "count": 2,
    "drop": 10,
    "close_one": 1,
}

__all__ = ["OPERATIONS", "SLOTS", "World", "live_handles", "xml_safe"]
