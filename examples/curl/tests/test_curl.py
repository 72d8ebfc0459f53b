"""libcurl: transfers with a server on the loopback interface, each way to fail, and that nothing is left."""

import gc
import io
import os
import signal
import threading
import time
import weakref

import pytest
from curl_safe import BusyError, ClosedError, CurlError, CurlTimeoutError, Easy, Error, live_handles
from curl_server import Server

CURLE_UNSUPPORTED_PROTOCOL = 1
CURLE_COULDNT_CONNECT = 7
CURLE_PARTIAL_FILE = 18
CURLE_WRITE_ERROR = 23
CURLE_TOO_MANY_REDIRECTS = 47


@pytest.fixture(autouse=True)
def nothing_is_left():
    yield
    gc.collect()
    assert set(live_handles().values()) == {0}


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.stop()


def get(easy):
    """Performs the transfer and returns the body of the response."""
    body = io.BytesIO()
    easy.set_writer(body.write)
    easy.perform()
    return body.getvalue()


def test_body_comes_in_pieces(server):
    easy = Easy(f"{server.url}/size/100000")
    pieces = []
    easy.set_writer(pieces.append)
    easy.perform()
    assert b"".join(pieces) == b"x" * 100_000
    assert all(type(piece) is bytes for piece in pieces) and len(pieces) > 1
    assert (easy.response_code, easy.content_type, easy.downloaded) == (200, "application/x-test", 100_000)
    assert 0 < easy.total_time < 30


def test_transfer_without_a_writer_prints_nothing(server, capfd):
    easy = Easy(f"{server.url}/size/10")
    easy.perform()
    easy.set_writer(print)
    easy.set_writer(None)
    easy.perform()
    assert easy.downloaded == 10
    assert capfd.readouterr().out == ""


def test_status_is_no_error(server):
    easy = Easy(f"{server.url}/nowhere")
    assert easy.response_code == 0
    assert get(easy) == b"no such path"
    assert easy.response_code == 404


def test_options_are_copied(server):
    easy = Easy("http://nowhere.invalid/")
    easy.set_url(f"{server.url}/header")
    easy.set_user_agent("tester/1")
    easy.set_headers(["X-One: 1", "X-Two: zwei", "Accept:"])
    header = get(easy).decode()
    assert "User-Agent: tester/1\n" in header
    assert "X-One: 1\n" in header and "X-Two: zwei\n" in header
    assert "Accept" not in header
    easy.set_headers(["X-Three: 3"])
    gc.collect()
    header = get(easy).decode()
    assert "X-One" not in header and "X-Three: 3\n" in header
    easy.set_headers([])
    assert "X-Three" not in get(easy).decode()


@pytest.mark.parametrize("line", ["X: 1\r\nY: 2", "X: 1\nY: 2", "X\0"])
def test_line_of_a_header_is_one_line(server, line):
    easy = Easy(f"{server.url}/header")
    easy.set_headers(["X-One: 1"])
    with pytest.raises(ValueError, match="line break|NUL|nul"):
        easy.set_headers(["X-Two: 2", line])
    assert "X-One: 1\n" in get(easy).decode()


def test_header_of_the_response(server):
    easy = Easy(f"{server.url}/size/1")
    lines = []
    easy.set_header_writer(lines.append)
    easy.perform()
    assert lines[0].startswith(b"HTTP/1.1 200") and lines[-1] == b"\r\n"
    assert b"Content-Type: application/x-test\r\n" in lines


def test_redirects_are_followed_up_to_a_limit(server):
    easy = Easy(f"{server.url}/redirect/3")
    easy.perform()
    assert (easy.response_code, easy.redirect_count) == (302, 0)
    easy.follow_redirects(3)
    assert get(easy) == b"there"
    assert (easy.redirect_count, easy.effective_url) == (3, f"{server.url}/redirect/0")
    easy.follow_redirects(2)
    with pytest.raises(CurlError, match="redirects") as caught:
        easy.perform()
    assert caught.value.code == CURLE_TOO_MANY_REDIRECTS


def test_other_protocols_than_http_are_refused(server):
    for url in ["file:///etc/passwd", "gopher://127.0.0.1/", "dict://127.0.0.1/"]:
        with pytest.raises(CurlError) as caught:
            Easy(url).perform()
        assert caught.value.code == CURLE_UNSUPPORTED_PROTOCOL
    easy = Easy(f"{server.url}/elsewhere")
    easy.follow_redirects(5)
    with pytest.raises(CurlError):
        easy.perform()


def test_body_of_a_request(server):
    easy = Easy(server.url)
    easy.set_body(b"a\0b")
    assert get(easy) == b"POST:a\0b"
    easy.set_body(b"")
    assert get(easy) == b"POST:"
    easy.set_method("PUT")
    easy.set_body(b"c")
    assert get(easy) == b"PUT:c"


@pytest.mark.parametrize("size", [None, 100_000])
def test_upload_reads_what_a_callable_returns(server, size):
    content = bytes(range(250)) * 400
    sizes = []

    def read(size):
        sizes.append(size)
        return source.read(min(size, 1000))

    source = io.BytesIO(content)
    easy = Easy(server.url)
    easy.upload(read, size)
    assert get(easy) == b"PUT:" + content
    assert min(sizes) > 0


@pytest.mark.parametrize("result", ["text", None, 1])
def test_upload_of_something_else_than_bytes(server, result):
    easy = Easy(server.url)
    easy.upload(lambda size: result, 10)
    with pytest.raises(TypeError):
        easy.perform()


@pytest.mark.parametrize("size", [-1, 1 << 63, 1 << 64])
def test_size_of_an_upload_that_libcurl_does_not_know(server, size):
    easy = Easy(f"{server.url}/size/3")
    with pytest.raises(OverflowError):
        easy.upload(lambda size: b"", size)
    # The transfer is still none.
    assert get(easy) == b"xxx"


def test_upload_of_more_than_was_asked_for(server):
    easy = Easy(server.url)
    easy.upload(lambda size: bytes(size + 1))
    with pytest.raises(ValueError):
        easy.perform()


def test_cookies(server):
    easy = Easy(f"{server.url}/cookie")
    assert easy.cookies == []
    easy.remember_cookies()
    easy.perform()
    assert [cookie.split("\t")[-2:] for cookie in easy.cookies] == [["a", "1"], ["b", "2"]]
    easy.set_url(f"{server.url}/header")
    assert "Cookie: b=2; a=1\n" in get(easy).decode() or "Cookie: a=1; b=2\n" in easy.cookies


def test_failure_has_the_message_of_the_transfer(server):
    with pytest.raises(CurlError, match="Failed to connect to 127.0.0.1|Connection refused") as caught:
        Easy("http://127.0.0.1:1/").perform()
    assert caught.value.code == CURLE_COULDNT_CONNECT
    easy = Easy(f"{server.url}/broken")
    with pytest.raises(CurlError, match="6 bytes|outstanding read data") as caught:
        easy.perform()
    assert caught.value.code == CURLE_PARTIAL_FILE
    # The message of one transfer is not that of the next.
    easy.set_url("nonsense://x")
    with pytest.raises(CurlError, match="nonsense"):
        easy.perform()


def test_timeout(server):
    easy = Easy(f"{server.url}/silence")
    easy.set_timeout(0.2)
    with pytest.raises(CurlTimeoutError, match="timed out") as caught:
        easy.perform()
    assert isinstance(caught.value, CurlError)
    easy.set_timeout(None)
    easy.set_url(f"{server.url}/size/3")
    assert get(easy) == b"xxx"


@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf"), 1e300])
def test_timeout_that_is_none(seconds):
    with pytest.raises(ValueError, match="seconds"):
        Easy("http://127.0.0.1/").set_timeout(seconds)


@pytest.mark.parametrize("name", ["set_writer", "set_header_writer", "set_progress", "upload"])
def test_exception_of_a_callback_ends_the_transfer(server, name):
    def fail(*_):
        raise KeyError("mine")

    easy = Easy(f"{server.url}/size/100000")
    getattr(easy, name)(fail)
    with pytest.raises(KeyError, match="mine"):
        easy.perform()
    easy = Easy(f"{server.url}/size/3")
    assert get(easy) == b"xxx"


def test_writer_that_takes_less_than_it_gets(server):
    easy = Easy(f"{server.url}/size/3")
    easy.set_writer(lambda piece: 1)
    with pytest.raises(CurlError) as caught:
        easy.perform()
    assert caught.value.code == CURLE_WRITE_ERROR
    easy.set_writer(lambda piece: 4)
    with pytest.raises(ValueError, match="4 bytes of 3"):
        easy.perform()
    easy.set_writer(lambda piece: "3")
    with pytest.raises(TypeError):
        easy.perform()


def test_progress_is_reported(server):
    easy = Easy(f"{server.url}/size/100000")
    seen = []
    easy.set_progress(lambda *numbers: seen.append(numbers))
    easy.perform()
    assert seen[-1] == (100_000, 100_000, 0, 0)


@pytest.mark.parametrize(
    "use", [Easy.perform, Easy.close, lambda easy: easy.response_code, lambda easy: easy.set_writer(None)]
)
def test_transfer_is_busy_in_its_callbacks(server, use):
    easy = Easy(f"{server.url}/size/3")
    easy.set_writer(lambda piece: use(easy))
    with pytest.raises(BusyError):
        easy.perform()


def test_transfer_in_a_callback_of_another_one(server):
    outer, inner = Easy(f"{server.url}/size/3"), Easy(f"{server.url}/size/4")
    pieces = []
    outer.set_writer(lambda piece: pieces.append(get(inner)))
    outer.perform()
    assert pieces == [b"xxxx"]


def test_cycle_through_a_callback_is_collected():
    class Body:
        def __init__(self):
            self.easy = Easy("http://127.0.0.1/")
            self.easy.set_writer(self.write)
            self.easy.set_progress(self.write)

        def write(self, *_):
            pass

    body = weakref.ref(Body())
    gc.collect()
    assert body() is None


def test_closed_transfer():
    easy = Easy("http://127.0.0.1/")
    easy.close()
    with pytest.raises(ClosedError):
        easy.perform()
    with pytest.raises(ClosedError):
        easy.set_headers(["A: b"])


def test_threads_transfer_beside_each_other(server):
    bodies = []

    def run():
        easy = Easy(f"{server.url}/size/5000")
        bodies.extend(get(easy) for _ in range(5))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies == [b"x" * 5000] * 20


def test_ctrl_c_ends_a_transfer(server):
    # A shell that starts Python in the background has it ignore the signal.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    easy = Easy(f"{server.url}/silence")
    timer = threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        easy.perform()
    assert time.monotonic() - begin < 10
    timer.join()
    signal.signal(signal.SIGINT, before)


def test_errors_are_of_the_package():
    assert issubclass(CurlError, Error) and issubclass(CurlTimeoutError, CurlError)
