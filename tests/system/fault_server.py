"""A web server on this machine that fails as it is told, and remembers what it was asked."""

import contextlib
import http.server
import threading
from collections import defaultdict


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = self.path.lstrip("/")
        kind, _, name = path.rpartition("/")
        with self.server.lock:
            self.server.asked[path].append(dict(self.headers))
            count = len(self.server.asked[path])
            self.server.busy += 1
            self.server.most_busy = max(self.server.most_busy, self.server.busy)
        content = self.server.contents.get(name)
        getattr(self, "on_" + (kind or "plain"), self.on_plain)(path, count, content)

    def send(self, status, body=b"", length=None, **headers):
        with self.server.lock:  # before anybody has the answer and may ask again
            self.server.busy -= 1
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def on_plain(self, path, count, content):
        self.send(404) if content is None else self.send(200, content)

    def on_tardy(self, path, count, content):
        """So late that others may ask meanwhile."""
        self.server.released.wait(0.005)
        self.send(200, content)

    def on_busy(self, path, count, content):
        self.send(503, b"later", Retry_After="0") if count <= 2 else self.send(200, content)

    def on_always_busy(self, path, count, content):
        self.send(503, b"never", Retry_After="0")

    def on_cut(self, path, count, content):
        """The first answer breaks off; whoever comes back with a range gets the rest."""
        begin = self.headers.get("Range", "bytes=0-")[6:].rstrip("-")
        if count == 1:
            self.send(200, content[: len(content) // 2], len(content), ETag='"one"')
            self.close_connection = True
        elif begin != "0" and self.headers.get("If-Range") == '"one"':
            at = int(begin)
            self.send(206, content[at:], ETag='"one"', Content_Range=f"bytes {at}-{len(content) - 1}/{len(content)}")
        else:
            self.send(200, content, ETag='"one"')

    def on_pieces(self, path, count, content):
        """The first answer breaks off, and ranges bring a mebibyte at most."""
        at = int(self.headers.get("Range", "bytes=0-")[6:].rstrip("-"))
        if at == 0:
            self.send(200, content[: len(content) // 2], len(content), ETag='"one"')
            self.close_connection = True
        else:
            piece = content[at : at + (1 << 20)]
            self.send(206, piece, ETag='"one"', Content_Range=f"bytes {at}-{at + len(piece) - 1}/{len(content)}")

    def on_changed(self, path, count, content):
        """Between the two it has become another file."""
        if count == 1:
            other = bytes(len(content))
            self.send(200, other[: len(other) // 2], len(other), ETag='"old"')
            self.close_connection = True
        else:
            self.send(200, content, ETag='"new"')

    def on_part(self, path, count, content):
        """A part of it, which nobody asked for."""
        half = len(content) // 2
        self.send(206, content[half:], ETag='"one"', Content_Range=f"bytes {half}-{len(content) - 1}/{len(content)}")

    def on_slow(self, path, count, content):
        """Piece by piece, each in time, and all of it not."""
        self.send(200, content[:1], len(content))
        for piece in range(5):
            self.server.released.wait(1)
            self.wfile.write(content[1:][piece * len(content) // 5 : (piece + 1) * len(content) // 5])
            self.wfile.flush()

    def on_circle(self, path, count, content):
        self.send(302, Location=f"/{path}")

    def on_moved(self, path, count, content):
        self.send(302, Location="/" + path.rpartition("/")[2])

    def on_home(self, path, count, content):
        """By its whole address, without the password."""
        self.send(302, Location=f"{self.server.url}/{path.rpartition('/')[2]}")

    def on_away(self, path, count, content):
        """To the server that `other` tells."""
        self.send(302, Location=f"{self.server.other}/{path.rpartition('/')[2]}")

    def on_elsewhere(self, path, count, content):
        self.send(302, Location="file:///etc/passwd")

    def on_garbage(self, path, count, content):
        with self.server.lock:
            self.server.busy -= 1
        self.wfile.write(b"\0\1\2 nonsense\r\n\r\n")
        self.wfile.flush()
        self.close_connection = True

    def on_silent(self, path, count, content):
        self.server.released.wait(300)
        self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # a connection that is dropped comes again after a second

    def __init__(self, contents):
        super().__init__(("127.0.0.1", 0), Handler)
        self.contents, self.asked, self.lock, self.released = contents, defaultdict(list), threading.Lock(), threading.Event()
        self.busy = self.most_busy = 0  # with requests

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def serving(contents):
    server = Server(contents)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
