"""One XML package doing the operations of times.py. usage: subjects.py SUBJECT FOLDER

FOLDER has the documents. Reads lines of an operation, a number of runs and an XPath expression, separated by tabs, and
answers each with the seconds per run (for `memory`, with bytes per node), or with "-" for an operation that the subject
doesn't have. Runs on every Python, without packages other than the subject's.
"""

import gc
import importlib
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any

# The elements of the tree that is built, and changed.
BUILT = 100_000

Action = Callable[[], object]


def timed(action: Action, count: int) -> float:
    """Returns the processor's seconds per run: unlike the wall clock, they hardly depend on other processes."""
    start = time.process_time()
    for _ in repeat(None, count):
        action()
    return (time.process_time() - start) / count


class Subject:
    """A package whose elements have the interface of ElementTree: `get`, iteration over children."""

    module_name: str

    def __init__(self, folder: Path) -> None:
        self.module: Any = importlib.import_module(self.module_name)
        self.big = self.source((folder / "big.xml").read_bytes())
        self.rows, self.flat, self.table = (
            self.parse(self.source((folder / f"{name}.xml").read_bytes())) for name in ("rows", "flat", "table")
        )
        self.elements = list(self.children(self.root(self.table)))
        self.node_count = sum(1 for _ in self.children(self.root(self.flat)))

    def version(self) -> str:
        raise NotImplementedError

    def source(self, data: bytes) -> Any:
        """Returns a document as `parse` takes it."""
        return data

    def parse(self, source: Any) -> Any:
        raise NotImplementedError

    def parse_and_release(self) -> None:
        self.parse(self.big)

    def root(self, document: Any) -> Any:
        raise NotImplementedError

    def children(self, element: Any) -> Iterable[Any]:
        children: Iterable[Any] = element
        return children

    def iterate(self, element: Any) -> None:
        for _ in element:
            pass

    def xpath(self, document: Any, expression: str) -> Action | None:
        """Returns what evaluates an expression with the document as context node."""
        raise NotImplementedError

    def read_attributes(self) -> None:
        for element in self.elements:
            element.get("id")

    def read_names(self) -> None:
        raise NotImplementedError

    def serialize(self) -> object:
        return self.serialize_element(self.root(self.table))

    def serialize_element(self, element: Any) -> object:
        raise NotImplementedError

    def build(self) -> Any:
        """Returns a new document with many elements below its root."""
        raise NotImplementedError

    def set_attributes(self, elements: list[Any]) -> None:
        for element in elements:
            element.set("key", "value")

    def set_texts(self, elements: list[Any]) -> None:
        for element in elements:
            element.text = "text"

    def move(self, root: Any, elements: list[Any]) -> None:
        """Takes each element out, and puts it at the end."""
        for element in elements:
            root.remove(element)
            root.append(element)

    def release(self, document: Any) -> None:
        """Releases a document, where the last reference to it does not."""

    def build_and_release(self) -> None:
        self.release(self.build())

    def edit(self, operation: str, count: int) -> float:
        if operation == "build":
            return timed(self.build_and_release, count) / BUILT
        document = self.build()
        root = self.root(document)
        elements = list(self.children(root))
        actions: dict[str, Action] = {
            "set_attribute": partial(self.set_attributes, elements),
            "set_text": partial(self.set_texts, elements),
            "move": partial(self.move, root, elements),
            "serialize_built": partial(self.serialize_element, root),
        }
        if operation == "serialize_built":
            self.set_attributes(elements)
        seconds = timed(actions[operation], count) / BUILT
        self.release(document)
        return seconds

    def memory(self) -> float | None:
        """Returns the bytes that a node takes while Python refers to it, without the pointer to it."""
        root = self.root(self.flat)
        # Everything that is made once is made before, also the pointers: a list that grows leaves holes in the memory,
        # and only lxml tells `list` how many nodes there are.
        self.iterate(root)
        nodes: list[Any] = [None] * self.node_count
        gc.collect()
        before = resident()
        for index, node in enumerate(self.children(root)):
            nodes[index] = node
        return (resident() - before) / len(nodes)

    def measure(self, operation: str, expression: str, count: int) -> float | None:
        if operation.startswith("xpath_"):
            document = self.flat if operation == "xpath_many" else self.rows
            action = self.xpath(document, expression)
            return None if action is None else timed(action, count)
        if operation == "parse":
            return timed(self.parse_and_release, count)
        if operation in ("one_thread", "two_threads"):
            return self.in_threads(1 if operation == "one_thread" else 2, count)
        if operation == "iterate":
            return timed(partial(self.iterate, self.root(self.flat)), count) / self.node_count
        if operation == "attribute":
            return timed(self.read_attributes, count) / len(self.elements)
        if operation == "name":
            return timed(self.read_names, count) / len(self.elements)
        if operation == "serialize":
            return timed(self.serialize, count)
        if operation in ("build", "set_attribute", "set_text", "move", "serialize_built"):
            return self.edit(operation, count)
        assert operation == "memory", operation
        return self.memory()

    def in_threads(self, threads: int, count: int) -> float:
        """Returns the wall-clock time in which each thread parses and releases the large document once."""

        def work() -> None:
            ready.wait()
            for _ in repeat(None, count):
                self.parse_and_release()

        ready = threading.Barrier(threads + 1)
        workers = [threading.Thread(target=work) for _ in range(threads)]
        for worker in workers:
            worker.start()
        ready.wait()
        start = time.perf_counter()
        for worker in workers:
            worker.join()
        return (time.perf_counter() - start) / count


class XmlSafe(Subject):
    module_name = "xml_safe"

    def version(self) -> str:
        return f"xml-safe {self.module.__leakproof__.version()}"

    def parse(self, source: Any) -> Any:
        return self.module.parse(source)

    def root(self, document: Any) -> Any:
        return document.root

    def xpath(self, document: Any, expression: str) -> Action | None:
        return partial(document.xpathEval, expression)

    def read_names(self) -> None:
        for element in self.elements:
            element.name  # noqa: B018

    def serialize_element(self, element: Any) -> object:
        return element.to_string()

    def build(self) -> Any:
        document = self.module.Document()
        root = document.append_element("root")
        for _ in repeat(None, BUILT):
            root.append_element("element")
        return document

    def move(self, root: Any, elements: list[Any]) -> None:
        for element in elements:
            element.remove()
            root.append(element)


class ElementTree(Subject):
    module_name = "xml.etree.ElementTree"

    def version(self) -> str:
        return f"ElementTree of Python {sys.version.split()[0]}"

    def parse(self, source: Any) -> Any:
        return self.module.fromstring(source)

    def root(self, document: Any) -> Any:
        return document

    def xpath(self, document: Any, expression: str) -> Action | None:
        # ElementTree has a part of XPath only, and the root as context node.
        known = {"/rows/row[@id='7']": "row[@id='7']", "//b": ".//b"}
        return partial(document.findall, known[expression]) if expression in known else None

    def read_names(self) -> None:
        for element in self.elements:
            element.tag  # noqa: B018

    def serialize_element(self, element: Any) -> object:
        return self.module.tostring(element, encoding="unicode")

    def build(self) -> Any:
        root = self.module.Element("root")
        for _ in repeat(None, BUILT):
            self.module.SubElement(root, "element")
        return root

    def memory(self) -> float | None:
        # The nodes are the tree itself.
        return None


class Lxml(ElementTree):
    module_name = "lxml.etree"

    def version(self) -> str:
        library = ".".join(map(str, self.module.LIBXML_VERSION))
        return f"lxml {self.module.__version__} with libxml2 {library}"

    def xpath(self, document: Any, expression: str) -> Action | None:
        return partial(document.xpath, expression)

    def memory(self) -> float | None:
        return Subject.memory(self)


class LxmlCompiled(Lxml):
    """Evaluates with compiled expressions, and leaves out all other operations."""

    def xpath(self, document: Any, expression: str) -> Action | None:
        return partial(self.module.XPath(expression), document)

    def measure(self, operation: str, expression: str, count: int) -> float | None:
        return super().measure(operation, expression, count) if operation.startswith("xpath_") else None


class Official(Subject):
    module_name = "libxml2"

    def version(self) -> str:
        return f"libxml2's binding of Python {sys.version.split()[0]}"

    def source(self, data: bytes) -> Any:
        return data.decode()

    def parse(self, source: Any) -> Any:
        return self.module.readMemory(source, len(source), None, None, self.module.XML_PARSE_NONET)

    def parse_and_release(self) -> None:
        self.parse(self.big).freeDoc()

    def root(self, document: Any) -> Any:
        return document.getRootElement()

    def children(self, element: Any) -> Iterable[Any]:
        node = element.children
        while node is not None:
            yield node
            node = node.next

    def iterate(self, element: Any) -> None:
        node = element.children
        while node is not None:
            node = node.next

    def xpath(self, document: Any, expression: str) -> Action | None:
        return partial(document.xpathEval, expression)

    def read_attributes(self) -> None:
        for element in self.elements:
            element.prop("id")

    def read_names(self) -> None:
        for element in self.elements:
            element.name  # noqa: B018

    def serialize_element(self, element: Any) -> object:
        return element.serialize()

    def build(self) -> Any:
        document = self.module.newDoc("1.0")
        root = document.newChild(None, "root", None)
        for _ in repeat(None, BUILT):
            root.newChild(None, "element", None)
        return document

    def release(self, document: Any) -> None:
        document.freeDoc()

    def set_attributes(self, elements: list[Any]) -> None:
        for element in elements:
            element.setProp("key", "value")

    def set_texts(self, elements: list[Any]) -> None:
        for element in elements:
            element.setContent("text")

    def move(self, root: Any, elements: list[Any]) -> None:
        for element in elements:
            element.unlinkNode()
            root.addChild(element)


SUBJECTS: dict[str, type[Subject]] = {
    "xml-safe": XmlSafe,
    "lxml": Lxml,
    "lxml, compiled": LxmlCompiled,
    "system's lxml": Lxml,
    "ElementTree": ElementTree,
    "libxml2": Official,
}


def resident() -> int:
    """Returns the size in bytes of the process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def main() -> None:
    subject = SUBJECTS[sys.argv[1]](Path(sys.argv[2]))
    print(subject.version(), flush=True)
    for line in sys.stdin:
        operation, count, expression = line.rstrip("\n").split("\t")
        figure = subject.measure(operation, expression, int(count))
        print("-" if figure is None else f"{figure:.12f}", flush=True)


if __name__ == "__main__":
    main()
