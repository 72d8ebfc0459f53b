"""The operations of the fault-injection sweep: every function of curl_safe, succeeding and failing."""

import subprocess
import sys
from pathlib import Path

import curl_safe as MODULE
from curl_safe import CurlError, Easy
from pytest_leakproof.sweep import Operation

# In a process of its own, whose open files are not counted.
SERVER = subprocess.Popen(
    [sys.executable, Path(__file__).parent / "tests" / "curl_server.py"],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    text=True,
)
URL = SERVER.stdout.readline().strip()
HEADERS = ["X-One: 1", "X-Two: 2"]


def easy() -> Easy:
    return Easy(f"{URL}/size/3000")


def nothing(*_: object) -> None:
    pass


def fail(*_: object) -> None:
    raise KeyError


def closed() -> Easy:
    it = easy()
    it.close()
    return it


def whole(it: Easy) -> None:
    it.set_user_agent("tester")
    it.set_method("GET")
    it.set_timeout(20)
    it.follow_redirects(1)
    it.set_headers(HEADERS)
    it.set_headers([])
    it.set_writer(nothing)
    it.set_header_writer(nothing)
    it.set_progress(nothing)
    it.perform()


def cookies(it: Easy) -> list[str]:
    it.remember_cookies()
    it.set_url(f"{URL}/cookie")
    it.perform()
    return it.cookies


def post(it: Easy) -> None:
    it.set_body(b"body")
    it.perform()


def upload(it: Easy, piece: object) -> None:
    it.upload(lambda size: piece, 4)
    it.perform()


OPERATIONS = [
    Operation("make", easy),
    Operation("close", lambda it: it.close(), setup=easy),
    Operation("perform", whole, setup=easy),
    Operation("perform after the close", lambda it: it.perform(), setup=closed, raises=MODULE.ClosedError),
    Operation("info", lambda it: (it.response_code, it.redirect_count, it.total_time, it.downloaded), setup=easy),
    Operation("texts", lambda it: (it.effective_url, it.content_type), setup=easy),
    Operation("cookies", cookies, setup=easy),
    Operation("post", post, setup=easy),
    Operation("upload", lambda it: upload(it, b"body"), setup=easy),
    Operation("upload of text", lambda it: upload(it, "body"), setup=easy, raises=TypeError),
    Operation("refused", lambda: Easy("http://127.0.0.1:1/").perform(), raises=CurlError),
    Operation("two lines", lambda it: it.set_headers(["A: b\nC: d"]), setup=easy, raises=ValueError),
    Operation("no time", lambda it: it.set_timeout(0), setup=easy, raises=ValueError),
    Operation("timeout", lambda: MODULE.CurlTimeoutError("message", 28)),
] + [
    Operation(
        f"fail in {name}", lambda it, name=name: (getattr(it, name)(fail), it.perform()), setup=easy, raises=KeyError
    )
    for name in ["set_writer", "set_header_writer", "set_progress", "upload"]
]
