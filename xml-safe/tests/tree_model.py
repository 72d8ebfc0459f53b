"""A model of documents that change, in plain Python, and random operations on both.

The model checks content, order, identity, closed states, and how many removed nodes libxml2 still has. One document lives
as long as the world, so nothing may pile up in it.

    python random_operations.py --model tree_model.py --steps 1000000
"""

import gc
import sys

import xml_safe
from handle_model import Worker
from xml_safe import ClosedError, Document, live_handles, parse

SLOTS = 12
# An element with so many nodes below it is cleared.
MANY = 200
# Whether nodes move to other documents.
MOVES = not hasattr(sys, "_is_gil_enabled") or sys._is_gil_enabled()
NAMES = ["a", "b", "c", "d"]
URIS = [None, "urn:one", "urn:two", "urn:three<&"]
PREFIXES = [None, "p", "q", "ns0"]
ID = "{http://www.w3.org/XML/1998/namespace}id"


def written(uri, name):
    """The name as the package takes it."""
    return f"{{{uri}}}{name}" if uri else name


class Twin:
    """What a node should be."""

    def __init__(self, kind, document, name=None, text=None):
        self.kind = kind
        self.document = document
        self.name = name
        self.uri = None
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

    def described(self):
        """What is in the node, by names with their URIs. Texts beside each other are one, as after parsing."""
        described = []
        for twin in self.all():
            if twin.kind == "text":
                if described and described[-1][0] == "text" and described[-1][2] == id(twin.parent):
                    described[-1][1] += twin.text
                else:
                    described.append(["text", twin.text, id(twin.parent)])
            elif twin.kind == "comment":
                described.append(["comment", twin.text])
            else:
                described.append([twin.kind, twin.uri, twin.name, twin.attributes, len(twin.children) > 0])
        return [entry[:2] if entry[0] == "text" else entry for entry in described]

    def content(self):
        return self.text if not self.has_children else "".join(node.text for node in self.all() if node.kind == "text")

    @property
    def has_children(self):
        return self.kind in ("element", "fragment")

    def unlink(self):
        if self.parent is not None:
            self.parent.children.remove(self)
            self.parent = None

    def belong_to(self, document):
        for twin in self.all():
            twin.document = document

    def copy(self):
        made = Twin(self.kind, self.document, self.name, self.text)
        made.uri = self.uri
        made.attributes = dict(self.attributes)
        for child in self.children:
            below = child.copy()
            below.parent = made
            made.children.append(below)
        return made


def described(top):
    """What the model says by `Twin.described`, as libxml2 has it."""
    found, todo = [], [top]
    while todo:
        node = todo.pop()
        if node.type == "text":
            parent = node.parent
            if found and found[-1][0] == "text" and found[-1][2] is parent:
                found[-1][1] += node.text
            else:
                found.append(["text", node.text, parent])
            continue
        if node.type == "comment":
            found.append(["comment", node.text])
            continue
        children = node.children
        kind = "fragment" if node.type == "document_fragment" else node.type
        found.append([kind, node.namespace, node.name, dict(node.attributes), len(children) > 0])
        todo.extend(reversed(children))
    return [entry[:2] if entry[0] == "text" else entry for entry in found]


class Tree:
    """A document and its root, which stays."""

    def __init__(self):
        self.value = Document()
        self.open = True
        self.root = Twin("element", self, "r")
        self.value.append_element("r")
        # The IDs that several elements may have had: libxml2 knows one of these elements, or none.
        self.ambiguous = set()


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
        self.elsewhere = False
        self.worker = Worker()

    def close(self):
        self.drop_all()
        self.check()
        for tree in self.trees:
            tree.value.close()
        self.trees = []
        self.worker.end()
        if self.was_enabled:
            gc.enable()

    def drop_all(self):
        self.elsewhere = False
        for index in range(SLOTS):
            self.put(index, None)
        for tree in self.trees:
            tree.value.root.clear()
            tree.root.children.clear()

    def apply(self, name, choice, elsewhere=False):
        """Do one operation, perhaps with its changes on another thread, and look whether all is as it should be."""
        self.elsewhere = elsewhere
        getattr(self, name)(choice)
        self.check()

    def run(self, call):
        return self.worker.run(call) if self.elsewhere else call()

    def check(self):
        self.worker.settle()
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
            return self.run(call)
        try:
            self.run(call)
        except ClosedError:
            return None
        raise AssertionError("a node of a closed document was used")

    # ---- operations

    def make(self, choice):
        tree = self.trees[choice.n % 2]
        self.made += 1
        kind = ("element", "text", "comment", "element", "text", "fragment")[choice.n % 6]
        text = f"<{self.made}>&"
        twin = Twin(kind, tree, None, text if kind in ("text", "comment") else None)
        if kind == "element":
            twin.name, twin.uri = NAMES[choice.n % len(NAMES)], URIS[choice.n // 7 % len(URIS)]
            prefix = PREFIXES[choice.n // 29 % len(PREFIXES)] if twin.uri else None
            make = lambda: tree.value.create_element(written(twin.uri, twin.name), prefix=prefix)
        else:
            make = {
                "text": lambda: tree.value.create_text(text),
                "comment": lambda: tree.value.create_comment(text),
                "fragment": tree.value.create_fragment,
            }[kind]
        self.keep(choice.a, twin, self.run(make))

    def make_there(self, choice):
        """An element that is made behind the last child of another one."""
        slot = self.at(choice.a)
        if slot is None:
            return
        made = Twin("element", slot.twin.document, NAMES[choice.n % len(NAMES)])
        made.uri = URIS[choice.n // 7 % len(URIS)]
        text = [None, "", f"{choice.n}<&"][choice.n // 3 % 3]
        made.attributes = {written(URIS[choice.n // 5 % len(URIS)], "k"): f"<{choice.n}"} if choice.n % 2 else {}
        arguments = written(made.uri, made.name), text, dict(made.attributes)
        call = lambda: slot.node.append_element(*arguments)
        if slot.twin.document.open and not slot.twin.has_children:
            self.refused(call)
            return
        node = self.use(slot, call)
        if node is None:
            return
        made.parent = slot.twin
        slot.twin.children.append(made)
        if text:
            below = Twin("text", made.document, None, text)
            below.parent = made
            made.children.append(below)
        self.keep(choice.b, made, node)

    def refused(self, call):
        try:
            self.run(call)
        except ValueError:
            return
        raise AssertionError("a change that cannot be was made")

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
        found = self.use(slot, lambda: (described(node), node.text, node.namespace, dict(node.attributes)))
        if found is None:
            return
        expected = (twin.described(), twin.content(), twin.uri, twin.attributes)
        assert found == expected, f"{found} instead of {expected}"
        if twin.kind == "element":
            for written in (node, node.copy()):
                again = parse(written.to_string(), resolve_entities=True)
                assert described(again.root) == expected[0], written.to_string()
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
        if moved.twin.document is not here.twin.document and not MOVES:
            return
        found = find(here.twin)
        nodes = list(moved.twin.children) if moved.twin.kind == "fragment" else [moved.twin]
        wrong = (
            found is None
            or any(not found[0].has_children or found[0] in node.all() for node in nodes)
            or found[0] in moved.twin.all()
        )
        call = lambda: put(here.node)(moved.node)
        if not here.twin.document.open or not moved.twin.document.open:
            try:
                self.run(call)
            except (ClosedError, ValueError):
                return
            raise AssertionError("a node of a closed document was used")
        if wrong:
            self.refused(call)
            return
        self.note_ids(nodes, here.twin.document)
        self.run(call)
        parent, index = found
        for twin in nodes:
            if twin in parent.children and parent.children.index(twin) < index:
                index -= 1
            twin.unlink()
            parent.children.insert(index, twin)
            twin.parent = parent
            index += 1
        # A fragment stays with its document.
        for twin in nodes:
            twin.belong_to(here.twin.document)

    def replace(self, choice):
        here, moved = self.at(choice.a), self.at(choice.b)
        if here is None or moved is None or here.twin is here.twin.document.root:
            return
        if moved.twin is moved.twin.document.root or here.twin is moved.twin:
            return
        twin, parent = here.twin, here.twin.parent
        index = parent.children.index(twin) if parent else 0
        last = twin.document.open and parent is not None and self.is_allowed(parent, moved.twin, twin.document)
        self.place(choice, lambda node: node.replace_with, lambda twin: self.beside(twin, 0))
        if last:
            # The node that was replaced is behind what came to its place.
            assert index <= len(parent.children)
            twin.unlink()

    def is_allowed(self, parent, moved, document):
        is_here = moved.document is document or MOVES
        return moved.document.open and is_here and parent not in moved.all()

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
                self.run(lambda: tree.value.adopt_node(slot.node))
            except ClosedError:
                return
            raise AssertionError("a node of a closed document was used")
        assert self.run(lambda: tree.value.adopt_node(slot.node)) is slot.node
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
        if slot is None or not slot.twin.has_children:
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
        if not twin.has_children:
            twin.text = f"{choice.n}<"
            self.run(lambda: setattr(node, "text", twin.text))
        elif choice.n % 7 == 0:
            self.set_text(twin, node, f"{choice.n}&" if choice.n % 2 else "")
        elif twin.kind == "fragment":
            self.refused(lambda: setattr(node, "name", "a"))
        elif choice.n % 3 == 0:
            twin.name = NAMES[choice.n % len(NAMES)]
            self.run(lambda: setattr(node, "name", twin.name))
        elif choice.n % 3 == 1:
            self.set_attributes(twin, node, choice.n)
        elif twin.attributes:
            name = list(twin.attributes)[choice.n % len(twin.attributes)]
            del twin.attributes[name]
            self.run(lambda: node.attributes.pop(name))

    def set_text(self, twin, node, text):
        self.run(lambda: setattr(node, "text", text))
        for child in list(twin.children):
            child.unlink()
        if text:
            below = Twin("text", twin.document, None, text)
            below.parent = twin
            twin.children.append(below)

    def set_attributes(self, twin, node, n):
        name, value = written(URIS[n // 3 % len(URIS)], NAMES[n % 4]), f'"{n}&'
        both = {name: value, NAMES[n % 3]: str(n)}
        way = n // 11 % 5
        if way == 4:
            self.run(node.attributes.clear)
            twin.attributes.clear()
        elif way == 3:
            self.run(lambda: node.attributes.update(both))
            twin.attributes.update(both)
        else:
            ways = [
                lambda: node.set(name, value),
                lambda: node.attributes.__setitem__(name, value),
                lambda: node.attributes.update({name: value}),
            ]
            self.run(ways[way])
            twin.attributes[name] = value

    def put_attribute(self, choice):
        """Move an attribute to another element."""
        here, there = self.at(choice.a), self.at(choice.b)
        if here is None or there is None or not here.twin.document.open or not there.twin.document.open:
            return
        if there.twin.kind != "element" or not there.twin.attributes:
            return
        name = list(there.twin.attributes)[choice.n % len(there.twin.attributes)]
        attribute = self.run(lambda: there.node.attributes.node(name))
        call = lambda: here.node.put_attribute(attribute)
        if here.twin.kind != "element" or (here.twin.document is not there.twin.document and not MOVES):
            self.refused(call)
            return
        if name == ID:
            self.trees_note(there.twin.attributes[name])
        self.run(call)
        if here.twin is not there.twin:
            here.twin.attributes.pop(name, None)
            here.twin.attributes[name] = there.twin.attributes.pop(name)
        assert attribute.parent is here.node

    def name_space(self, choice):
        slot = self.at(choice.a)
        if slot is None or not slot.twin.document.open:
            return
        twin, node, uri = slot.twin, slot.node, URIS[choice.n % len(URIS)]
        if twin.kind != "element":
            self.refused(lambda: setattr(node, "namespace", uri))
            return
        if choice.n // 4 % 3 == 0:
            # No name changes, if the prefix is free or not.
            try:
                self.run(lambda: node.declare_namespace(PREFIXES[choice.n // 13 % len(PREFIXES)], uri or "urn:four"))
            except ValueError:
                pass
            return
        try:
            self.run(lambda: setattr(node, "namespace", uri))
        except ValueError:
            # The element declares a default namespace.
            assert uri is None and None in node.namespaces
            return
        twin.uri = uri

    def identify(self, choice):
        slot = self.at(choice.a)
        if slot is None or not slot.twin.document.open or slot.twin.kind != "element":
            return
        name = f"i{choice.n % 5}"
        if any(twin.attributes.get(ID) == name for tree in self.trees for twin in self.known(tree)):
            self.trees_note(name)
        slot.twin.attributes[ID] = name
        self.run(lambda: slot.node.set(ID, name))

    def known(self, tree):
        """The twins in the tree, and those in slots with all around them."""
        tops = {id(slot.twin.top): slot.twin.top for slot in self.slots if slot is not None}
        tops[id(tree.root)] = tree.root
        return [twin for top in tops.values() for twin in top.all()]

    def trees_note(self, name):
        for tree in self.trees:
            tree.ambiguous.add(name)

    def note_ids(self, twins, document):
        """IDs that move to a document that may have them."""
        names = {twin.attributes.get(ID) for top in twins if top.document is not document for twin in top.all()}
        names.discard(None)
        document.ambiguous |= names

    def find_id(self, choice):
        tree, name = self.trees[choice.n % 2], f"i{choice.n // 2 % 5}"
        found = self.run(lambda: tree.value.get_by_id(name))
        there = [twin for twin in tree.root.all() if twin.attributes.get(ID) == name]
        assert found is None or found.get(ID) == name
        assert (found is not None) <= (len(there) > 0)
        if name not in tree.ambiguous:
            assert (found is not None) == (len(there) > 0)
        if found is not None and len(there) == 1:
            self.keep(choice.a, there[0], found)

    def copy(self, choice):
        slot = self.at(choice.a)
        if slot is None or not slot.twin.document.open or len(slot.twin.all()) > MANY:
            return
        for twin in slot.twin.all():
            if ID in twin.attributes:
                self.trees_note(twin.attributes[ID])
        self.keep(choice.b, slot.twin.copy(), self.run(slot.node.copy))

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
    "replace": 4,
    "make_there": 5,
    "put_attribute": 3,
    "name_space": 4,
    "identify": 3,
    "find_id": 3,
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
