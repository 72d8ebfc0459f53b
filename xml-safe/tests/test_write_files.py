"""Writing to paths, descriptors and file objects: nothing is lost, and each failure is an exception."""

import errno
import gzip
import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
import xml_safe
from xml_safe import BusyError, ClosedError, parse

LARGE = "<r>" + "<b k='v'>text &lt; é</b>" * 20_000 + "</r>"
WRITERS = {
    "document": lambda doc: (doc.write, doc.to_bytes),
    "root": lambda doc: (doc.root.write, doc.root.to_bytes),
    "utf-16": lambda doc: (
        lambda target: doc.write(target, encoding="utf-16"),
        lambda: doc.to_bytes(encoding="utf-16"),
    ),
    "ascii": lambda doc: (
        lambda target: doc.write(target, encoding="ascii"),
        lambda: doc.to_bytes(encoding="ascii"),
    ),
    "html": lambda doc: (lambda target: doc.write(target, method="html"), lambda: doc.to_bytes(method="html")),
    "c14n": lambda doc: (doc.write_c14n, doc.to_c14n),
    "c14n of the root": lambda doc: (doc.root.write_c14n, doc.root.to_c14n),
}
every_writer = pytest.mark.parametrize("writer", WRITERS.values(), ids=WRITERS)
every_size = pytest.mark.parametrize("xml", ["<a>é</a>", LARGE], ids=["small", "large"])


class File:
    """An object with a method `write`, and nothing else."""

    def __init__(self, write):
        self.write = write


@every_writer
@every_size
def test_targets(tmp_path, writer, xml):
    write, whole = writer(parse(xml))
    path = tmp_path / "a b%20c.xml.gz"
    for target in (path, str(path), os.fsencode(path)):
        path.write_bytes(b"before" * 1_000_000)
        assert write(target) is None
        assert path.read_bytes() == whole()
    with path.open("wb") as file:
        file.write(b"start")
        write(file)
        file.write(b"end")
    assert path.read_bytes() == b"start" + whole() + b"end"
    with path.open("wb", buffering=0) as raw:
        write(raw)
        write(raw.fileno())
        os.fstat(raw.fileno())
    assert path.read_bytes() == whole() * 2
    with gzip.open(path, "wb") as file:
        write(file)
    assert gzip.decompress(path.read_bytes()) == whole()
    parts = []
    write(File(parts.append))
    assert b"".join(parts) == whole()
    assert all(isinstance(part, bytes) for part in parts)


def test_a_path_is_exactly_that_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    doc = parse("<a/>")
    for name in ("-", "http:", "a%20b.xml", "file:x", "ü\udcff"):
        doc.write(name)
        assert Path(name).read_bytes() == doc.to_bytes()
    assert len(list(tmp_path.iterdir())) == 5


def test_a_large_document_is_written_in_parts():
    doc = parse(LARGE)
    for write, whole in (writer(doc) for writer in WRITERS.values()):
        sizes = []
        write(File(lambda part, sizes=sizes: sizes.append(len(part))))
        assert sum(sizes) == len(whole())
        assert max(sizes) < 200_000 < sum(sizes)


@every_writer
def test_no_more_memory_for_a_large_document(writer, native_bytes):
    write, _ = writer(parse(LARGE))
    before, most = native_bytes(), []
    write(File(lambda part: most.append(native_bytes())))
    assert max(most) - before < 1_000_000


# Failures of the operating system


@every_writer
@every_size
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="has no full disk")
def test_a_full_disk(writer, xml):
    write, _ = writer(parse(xml))
    for target in ("/dev/full", Path("/dev/full"), b"/dev/full"):
        with pytest.raises(OSError) as caught:
            write(target)
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, target)
    with open("/dev/full", "wb", buffering=0) as raw:
        for target in (raw, raw.fileno()):
            with pytest.raises(OSError) as caught:
                write(target)
            assert caught.value.errno == errno.ENOSPC
    file = open("/dev/full", "wb")
    with pytest.raises(OSError), file:
        write(file)


def test_paths_that_can_not_be_opened(tmp_path):
    doc = parse("<a/>")
    missing = tmp_path / "missing" / "a.xml"
    for target, error in (
        (missing, FileNotFoundError),
        (str(missing), FileNotFoundError),
        (tmp_path, IsADirectoryError),
    ):
        for write in (doc.write, doc.root.write, doc.write_c14n, doc.root.write_c14n):
            with pytest.raises(error) as caught:
                write(target)
            assert os.fspath(caught.value.filename) == os.fspath(target)
    with pytest.raises(ValueError, match="null"):
        doc.write("a\0b")
    with pytest.raises(ValueError, match="null"):
        doc.write(b"a\0b")
    with pytest.raises(UnicodeEncodeError):
        doc.write("\ud800")


def test_a_path_that_raises():
    class Bad:
        def __fspath__(self):
            raise KeyError("no path")

    with pytest.raises(KeyError, match="no path"):
        parse("<a/>").write(Bad())


def test_descriptors_that_can_not_be_written(tmp_path):
    doc = parse(LARGE)
    closed = os.open(tmp_path, os.O_RDONLY)
    os.close(closed)
    with pytest.raises(OSError) as caught:
        doc.write(closed)
    assert caught.value.errno == errno.EBADF
    path = tmp_path / "a.xml"
    path.touch()
    with path.open("rb") as file:
        with pytest.raises(OSError) as caught:
            doc.write(file.fileno())
        assert caught.value.errno == errno.EBADF
        with pytest.raises(io.UnsupportedOperation):
            doc.write(file)
    with pytest.raises(ValueError):
        doc.write(-1)


@every_size
def test_a_broken_pipe(xml):
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb", buffering=0) as file, pytest.raises(BrokenPipeError):
        parse(xml).write(file.fileno())


def test_a_pipe_that_would_block():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with open(reader, "rb"), open(writer, "wb", buffering=0) as file:
        for target in (file, file.fileno()):
            with pytest.raises(BlockingIOError) as caught:
                parse(LARGE).write(target)
            assert caught.value.errno == errno.EAGAIN


def test_a_pipe_that_is_read_slowly():
    """The kernel takes less than it is given."""
    doc, (reader, writer), parts = parse(LARGE), os.pipe(), []

    def read():
        with open(reader, "rb", buffering=0) as file:
            while part := file.read(1000):
                parts.append(part)

    thread = threading.Thread(target=read)
    thread.start()
    with open(writer, "wb", buffering=0) as file:
        doc.write(file)
    thread.join()
    assert b"".join(parts) == doc.to_bytes()


def test_a_socket():
    doc = parse("<a/>")
    left, right = socket.socketpair()
    with left, right:
        doc.write(left.fileno())
        with left.makefile("wb") as file:
            doc.write(file)
        assert right.recv(1000) == doc.to_bytes() * 2


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files")
def test_a_file_that_is_too_large(run_python, tmp_path):
    program = """
import errno, resource, signal, sys
from xml_safe import parse
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    parse("<a>" + "<b/>" * 100_000 + "</a>").write(sys.argv[1])
except OSError as error:
    assert (error.errno, error.filename) == (errno.EFBIG, sys.argv[1])
    print("too large")
"""
    ended = run_python("-c", program, tmp_path / "a.xml")
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "too large\n", "")


def test_an_interrupt_ends_a_write_that_waits(run_python):
    program = """
import os, signal, threading, time
from xml_safe import parse
# Who runs the tests in the background may have SIGINT ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
reader, writer = os.pipe()
doc = parse("<a>" + "<b/>" * 100_000 + "</a>")
threading.Timer(0.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
try:
    doc.write(writer)
except KeyboardInterrupt:
    print("interrupted")
"""
    ended = run_python("-c", program, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "interrupted\n", "")


# File objects


@every_writer
@every_size
@pytest.mark.parametrize("make", [KeyError, lambda: OSError(errno.EIO, "mine"), MemoryError, KeyboardInterrupt])
def test_an_exception_of_the_file_comes_out(writer, xml, make):
    doc, calls, error = parse(xml), [], make()

    def fail(part):
        calls.append(len(part))
        raise error

    write, whole = writer(doc)
    with pytest.raises(type(error)) as caught:
        write(File(fail))
    assert caught.value is error
    assert len(calls) == 1
    assert getattr(error, "filename", None) is None
    error.__traceback__ = None
    parts = []
    write(File(parts.append))
    assert b"".join(parts) == whole()


def test_an_exception_in_the_middle():
    parts = []

    def fail(part):
        if parts:
            raise KeyError("second")
        parts.append(part)

    doc = parse(LARGE)
    with pytest.raises(KeyError, match="second"):
        doc.write(File(fail))
    assert doc.to_bytes().startswith(parts[0])


@every_writer
@pytest.mark.parametrize("most", [1, 7, 1000, 65_535])
def test_a_file_that_takes_less_is_called_again(writer, most):
    written = bytearray()

    class Short(io.RawIOBase):
        def writable(self):
            return True

        def write(self, part):
            taken = bytes(part)[:most]
            written.extend(taken)
            return len(taken)

    xml = LARGE if most > 10 else "<a>é" + "<b/>" * 1000 + "</a>"
    write, whole = writer(parse(xml))
    for target in (Short(), File(Short().write)):
        written.clear()
        write(target)
        assert written == whole()


class Blocked(io.RawIOBase):
    def write(self, part):
        return None


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (0, OSError, "write.. returned 0 for"),
        (-1, OSError, "returned -1"),
        (1 << 40, OSError, "returned 1099511627776"),
        ("x", TypeError, "returned str, not a number"),
        (1.0, TypeError, "returned float"),
        (True, TypeError, "returned bool"),
    ],
)
def test_an_impossible_answer_of_the_file(answer, error, message):
    for xml in ("<a/>", LARGE):
        for write in (parse(xml).write, parse(xml).write_c14n):
            with pytest.raises(error, match=message):
                write(File(lambda part: answer))
            with pytest.raises(BlockingIOError):
                write(Blocked())


def test_a_file_that_is_open_for_text(tmp_path):
    doc = parse("<a/>")
    with open(tmp_path / "a", "w") as file:
        for target in (file, io.StringIO()):
            with pytest.raises(TypeError, match="open it in binary mode"):
                doc.write(target)
            with pytest.raises(TypeError, match="open it in binary mode"):
                doc.root.write_c14n(target)
    assert (tmp_path / "a").read_bytes() == b""


@pytest.mark.parametrize("target", [None, True, 1.5, [], object()], ids=repr)
def test_no_target(target):
    doc = parse("<a/>")
    for write in (doc.write, doc.root.write, doc.write_c14n, doc.root.write_c14n):
        with pytest.raises(TypeError, match="a path, a file descriptor or a file object"):
            write(target)


def test_a_file_that_is_closed():
    file = io.BytesIO()
    file.close()
    with pytest.raises(ValueError, match="closed file"):
        parse("<a/>").write(file)


def test_temporary_files(tmp_path):
    doc = parse(LARGE)
    with tempfile.NamedTemporaryFile(dir=tmp_path) as file:
        doc.write(file)
        file.flush()
        assert Path(file.name).read_bytes() == doc.to_bytes()


# Re-entry, threads and closing


@every_writer
@every_size
def test_a_file_that_closes_the_document(writer, xml):
    doc = parse(xml)
    root, errors = doc.root, []

    def close(part):
        for handle in (doc, root.document):
            try:
                handle.close()
            except BusyError as error:
                errors.append(error)

    write, whole = writer(doc)
    expected, parts = whole(), []
    write(File(lambda part: (parts.append(part), close(part))[0]))
    assert b"".join(parts) == expected
    assert len(errors) == 2 * len(parts)
    assert not doc.closed
    with pytest.raises(BusyError):
        write(File(lambda part: doc.close()))
    doc.close()
    with pytest.raises(ClosedError):
        write(File(parts.append))


@every_writer
@every_size
def test_a_file_that_uses_the_document(writer, xml):
    doc = parse(xml)
    write, whole = writer(doc)
    expected, parts = whole(), []

    def use(part):
        parts.append(part)
        if len(parts) < 3:
            inner = io.BytesIO()
            write(inner)
            assert inner.getvalue() == whole() == expected
            assert doc.xpathEval("count(/*)") == 1
            with pytest.raises(KeyError):
                write(File(lambda part: {}["inner"]))

    write(File(use))
    assert b"".join(parts) == expected


@every_writer
@every_size
def test_a_file_that_changes_the_document(writer, xml):
    doc = parse(xml)
    write, whole = writer(doc)
    expected, root, parts = whole(), doc.root, []

    def change(part):
        parts.append(part)
        for call in (root.clear, root.remove, lambda: root.append(doc.create_text("x")), lambda: doc.create_text("x")):
            with pytest.raises(BusyError):
                call()

    write(File(change))
    assert b"".join(parts) == expected == whole()
    root.clear()
    assert whole() != expected


def test_a_document_that_is_dropped_meanwhile():
    live = xml_safe.live_handles()["Document"]
    parts = []

    def drop(part):
        nonlocal doc
        parts.append(part)
        doc = None

    doc = parse(LARGE)
    expected = doc.to_bytes()
    doc.write(File(drop))
    assert b"".join(parts) == expected
    assert xml_safe.live_handles()["Document"] == live


def test_closing_on_another_thread_waits():
    doc, parts, started = parse(LARGE), [], threading.Event()

    def write(part):
        parts.append(part)
        started.set()

    def close():
        started.wait()
        doc.close()

    expected, thread = doc.to_bytes(), threading.Thread(target=close)
    thread.start()
    doc.write(File(write))
    thread.join()
    assert doc.closed
    assert b"".join(parts) == expected


def test_threads_write_one_document(tmp_path):
    doc = parse(LARGE)
    expected, results = doc.to_bytes(), []

    def write(number):
        path = tmp_path / str(number)
        for _ in range(5):
            doc.write(path)
            results.append(path.read_bytes() == expected == doc.to_bytes())

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 20


def test_no_descriptor_stays_open(tmp_path):
    doc, folder = parse("<a><!--é--></a>"), "/proc/self/fd"
    if not os.path.isdir(folder):
        pytest.skip("needs /proc")
    before = len(os.listdir(folder))
    for _ in range(10):
        doc.write(tmp_path / "a.xml")
        with pytest.raises(OSError):
            doc.write("/dev/full")
        with pytest.raises(UnicodeEncodeError):
            doc.write(tmp_path / "a.xml", encoding="ascii")
    assert len(os.listdir(folder)) == before


def test_an_error_in_the_middle_of_a_document_comes_out(tmp_path):
    doc = parse("<a>" + "<b/>" * 50_000 + "<!--é--></a>")
    with pytest.raises(UnicodeEncodeError, match="a comment"):
        doc.write(tmp_path / "a.xml", encoding="ascii")
    parts = []
    with pytest.raises(UnicodeEncodeError, match="a comment"):
        doc.write(File(parts.append), encoding="ascii")
    assert b"<!--" not in b"".join(parts)


def test_a_program_that_ends_while_it_writes(tmp_path):
    program = """
import sys, threading, time
from xml_safe import parse
doc = parse("<a>" + "<b/>" * 100_000 + "</a>")
class Slow:
    def write(self, part):
        time.sleep(0.05)
threading.Thread(target=lambda: doc.write(Slow()), daemon=True).start()
time.sleep(0.2)
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ended.returncode in (0, -signal.SIGTERM)
    assert ended.stderr == ""


# Refusals


REFUSED = {
    "a script": ("<html><script>{}&lt;/script></script></html>", lambda doc, path: doc.write(path, method="html")),
    "an encoding": ("<r>{}<é/></r>", lambda doc, path: doc.write(path, encoding="ascii")),
    "XML 1.1": ("<?xml version='1.1'?><r>{}<!--\x85--></r>", lambda doc, path: doc.root.write(path)),
    "an entity": ("<!DOCTYPE r [<!ENTITY e 'x'>]><r>{}&e;</r>", lambda doc, path: doc.write_c14n(path)),
    "a relative URI": ("<r>{}<a xmlns='a/b'/></r>", lambda doc, path: doc.root.write_c14n(path)),
}


@pytest.mark.parametrize("size", [1, 200_000])
@pytest.mark.parametrize(("source", "write"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_leaves_the_file_as_it_is(source, write, size, tmp_path):
    doc = parse(source.format("x" * size))
    path = tmp_path / "kept"
    with pytest.raises(ValueError):
        write(doc, path)
    assert not path.exists()
    path.write_text("precious")
    with pytest.raises(ValueError):
        write(doc, path)
    assert path.read_text() == "precious"
