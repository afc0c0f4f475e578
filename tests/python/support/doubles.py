"""A registry that answers as a test wants, on a port of 127.0.0.1."""

import email.message
import http.server
import socket
import ssl
import threading
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional


@dataclass
class Request:
    method: str
    path: str
    headers: email.message.Message
    body: bytes


@dataclass
class Reply:
    status: int
    headers: Dict[str, str] = field(default_factory=dict)
    body: bytes = b""


Answer = Callable[[Request], Optional[Reply]]


def usual(request: Request) -> Reply:
    """A registry that has nothing and takes everything."""
    if request.method == "POST":
        return Reply(202, {"Location": "/session?state=secret"})
    return Reply({"DELETE": 204, "HEAD": 404}.get(request.method, 201))


class Double:
    """Answers with what `answer` gives, or as usual where that is None; keeps every request. A context manager."""

    def __init__(self, answer: Answer = lambda request: None, tls: Optional[ssl.SSLContext] = None) -> None:
        self.requests: List[Request] = []
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, ssl.SSLError):
                    # The client has gone away in the middle of a request.
                    self.close_connection = True

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = Request(self.command, self.path, self.headers, body)
                double.requests.append(request)
                reply = answer(request) or usual(request)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                if reply.status != 204:
                    self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(reply.body)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

            def log_message(self, *arguments: object) -> None:
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: object, client_address: object) -> None:
                # Handshakes that the client breaks off are part of the tests.
                pass

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.scheme = "http"
        if tls is not None:
            self.scheme = "https"
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def methods(self) -> List[str]:
        return [request.method for request in self.requests]

    def __enter__(self) -> "Double":
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def closed_port() -> int:
    """A port of 127.0.0.1 on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
