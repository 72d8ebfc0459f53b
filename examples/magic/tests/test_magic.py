"""libmagic: the answers, each way to fail, and that nothing is left."""

import errno
import gzip
import threading

import magic_safe
import pytest
from magic_safe import ClosedError, Magic, MagicError

PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"\0\0\0\x01" * 2 + b"\x08\x02\0\0\0"


@pytest.fixture
def magic():
    with Magic(mime=True) as magic:
        yield magic


def test_files_and_bytes(magic, tmp_path):
    path = tmp_path / "picture"
    path.write_bytes(PNG)
    assert magic.file(path) == magic.file(str(path)) == magic.file(bytes(path)) == magic.buffer(PNG) == "image/png"


def test_words_instead_of_types():
    with Magic() as magic:
        assert magic.buffer(PNG).startswith("PNG image data, 1 x 1")


def test_encoding():
    with Magic(mime=True, encoding=True) as magic:
        assert magic.buffer("é".encode() * 10) == "text/plain; charset=utf-8"


def test_looking_inside():
    with Magic(inside=True) as magic:
        assert "PNG" in magic.buffer(gzip.compress(PNG))


def test_following_links(tmp_path):
    path, link = tmp_path / "picture", tmp_path / "link"
    path.write_bytes(PNG)
    link.symlink_to(path)
    with Magic(mime=True) as plain, Magic(mime=True, follow=True) as following:
        assert plain.file(link) == "inode/symlink"
        assert following.file(link) == "image/png"


def test_a_missing_file(magic, tmp_path):
    with pytest.raises(MagicError, match="nothing") as caught:
        magic.file(tmp_path / "nothing")
    assert caught.value.errno == errno.ENOENT
    assert "nothing" in caught.value.message
    assert magic.buffer(PNG) == "image/png"


def test_the_second_step_fails(tmp_path):
    """The handle of the first step is released although nobody ever saw it."""
    path = tmp_path / "database"
    path.write_bytes(b"no magic in here\xff\n")
    for _ in range(100):
        with pytest.raises(MagicError) as caught:
            Magic(tmp_path / "nothing")
        assert caught.value.message
        with pytest.raises(MagicError):
            Magic(path)
    assert magic_safe.live_handles() == {"Magic": 0}


@pytest.mark.parametrize("data", ["text", bytearray(b"x"), None, 1])
def test_bytes_only(magic, data):
    with pytest.raises(TypeError):
        magic.buffer(data)


@pytest.mark.parametrize("path", [1, None, b"a\0b", "a\0b"])
def test_bad_paths(magic, path):
    with pytest.raises((TypeError, ValueError)):
        magic.file(path)


def test_closed():
    magic = Magic()
    assert magic_safe.live_handles() == {"Magic": 1}
    magic.close()
    magic.close()
    assert magic.closed
    assert magic_safe.live_handles() == {"Magic": 0}
    for use in (lambda: magic.buffer(b""), lambda: magic.file("/"), magic.__enter__):
        with pytest.raises(ClosedError, match="Magic is closed"):
            use()


def test_threads_take_turns(magic):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(magic.buffer(PNG))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["image/png"] * 20


def test_package_has_base_classes_of_its_own():
    xml_safe = pytest.importorskip("xml_safe")
    assert magic_safe.__leakproof__ is not xml_safe.__leakproof__
    assert magic_safe.ClosedError is not xml_safe.ClosedError
    assert not isinstance(Magic(), xml_safe.Handle)
    with xml_safe.parse("<a/>"), Magic():
        assert magic_safe.live_handles() == {"Magic": 1}
        assert xml_safe.live_handles()["Document"] == 1
