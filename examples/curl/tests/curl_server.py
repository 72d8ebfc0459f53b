"""An HTTP server on the loopback interface, for the tests and the fault-injection sweep.

As a program it prints its URL, and serves until its standard input ends.
"""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers by the path of the request."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def respond(self, status: int, body: bytes, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self) -> None:
        match self.path.split("/")[1:]:
            case ["size", size]:
                self.respond(200, b"x" * int(size), ("Content-Type", "application/x-test"))
            case ["header"]:
                self.respond(200, str(self.headers).encode())
            case ["redirect", "0"]:
                self.respond(200, b"there")
            case ["redirect", count]:
                self.respond(302, b"", ("Location", f"/redirect/{int(count) - 1}"))
            case ["elsewhere"]:
                self.respond(302, b"", ("Location", "file:///etc/passwd"))
            case ["cookie"]:
                self.respond(200, b"", ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"))
            case ["silence"]:
                self.server.silent.wait(30)
                self.respond(200, b"")
            case ["broken"]:
                self.send_response(200)
                self.send_header("Content-Length", "10")
                self.end_headers()
                self.wfile.write(b"half")
                self.close_connection = True
            case _:
                self.respond(404, b"no such path")

    do_DELETE = do_GET
    do_HEAD = do_GET

    def do_POST(self) -> None:
        size = self.headers["Content-Length"]
        body = self.chunks() if size is None else self.rfile.read(int(size))
        self.respond(200, self.command.encode() + b":" + body)

    do_PUT = do_POST

    def chunks(self) -> bytes:
        """The body of a request that came in chunks."""
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body


class Server(ThreadingHTTPServer):
    """A server on a free port. It serves on a thread of its own until `stop`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.silent = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no error of the server's."""

    def stop(self) -> None:
        self.silent.set()
        self.shutdown()
        self.server_close()


if __name__ == "__main__":
    server = Server()
    print(server.url, flush=True)
    sys.stdin.read()
    server.stop()
