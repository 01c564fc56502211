"""A web server for tests that breaks off, lies about lengths, and sends other things."""

import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Server:
    """Serves files by name.

    Attributes
    ----------
    files : dict of str to bytes
    asked : list of (str, str or None)
        Names, and ranges that were asked for.
    break_after : list of int
        Bytes after which the next connections end.
    told_length : int or None
        What Content-Length says, whatever is true.
    ranges : bool
        Whether it can go on in the middle.
    """

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files, self.asked = files, []
        self.break_after: list[int] = []
        self.told_length: int | None = None
        self.ranges = True
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.answer(self)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        name = request.path.rpartition("/")[2]
        asked = request.headers.get("Range")
        self.asked.append((name, asked))
        if name not in self.files:
            request.send_error(404)
            return
        body, start = self.files[name], 0
        if asked and self.ranges:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            request.send_response(200)
        length = self.told_length if self.told_length is not None else len(body) - start
        request.send_header("Content-Length", str(length))
        request.send_header("ETag", f'"{name}"')
        request.end_headers()
        part = body[start:]
        if self.break_after:
            part = part[: self.break_after.pop(0)]
        request.wfile.write(part)


@contextmanager
def serving(files: dict[str, bytes]) -> Iterator[Server]:
    """Run a server for a while."""
    server = Server(files)
    thread = threading.Thread(target=server.server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.server.shutdown()
        server.server.server_close()
        thread.join()
