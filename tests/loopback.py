"""A server on loopback that serves small data sets of the true format, well or badly."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]


def whole(request: BaseHTTPRequestHandler, content: bytes) -> None:
    """Send everything, or what a Range header asks for."""
    start = int((request.headers["Range"] or "bytes=0-").removeprefix("bytes=").removesuffix("-"))
    request.send_response(206 if start else 200)
    request.send_header("Content-Length", str(len(content) - start))
    request.end_headers()
    request.wfile.write(content[start:])


def without_ranges(request: BaseHTTPRequestHandler, content: bytes) -> None:
    """Send everything, whatever was asked for."""
    del request.headers["Range"]
    whole(request, content)


def half(request: BaseHTTPRequestHandler, content: bytes) -> None:
    """Announce everything, send half of it, and hang up."""
    request.send_response(200)
    request.send_header("Content-Length", str(len(content)))
    request.end_headers()
    request.wfile.write(content[: len(content) // 2])


def cut(request: BaseHTTPRequestHandler, content: bytes) -> None:
    """Send half of it and announce no more, as a proxy that kept a broken copy does."""
    without_ranges(request, content[: len(content) // 2])


def changed(request: BaseHTTPRequestHandler, content: bytes) -> None:
    """Send another file of the same length."""
    without_ranges(request, bytes(len(content)))


def declared_as_transfer(request: BaseHTTPRequestHandler, content: bytes) -> None:
    """Send a .gz file as if its compression belonged to the transfer."""
    request.send_response(200)
    request.send_header("Content-Length", str(len(content)))
    request.send_header("Content-Encoding", "x-gzip")
    request.end_headers()
    request.wfile.write(content)


def status(code: int) -> Answer:
    """An answer with nothing but an error code."""

    def answer(request: BaseHTTPRequestHandler, _content: bytes) -> None:
        request.send_error(code)

    return answer


def moved(request: BaseHTTPRequestHandler, _content: bytes) -> None:
    """Point to the same file under `/moved`."""
    request.send_response(302)
    request.send_header("Location", f"/moved{request.path}")
    request.send_header("Content-Length", "0")
    request.end_headers()


class Mirror(ThreadingHTTPServer):
    """The server: what it has, how it behaves, and what it was asked.

    Args:
        files: path, such as `/mnist/t10k-labels-idx1-ubyte.gz`, to content.
    """

    daemon_threads = True

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, str | None]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:  # noqa: N802 - the name that http.server calls
        """Answer as the next of the given answers says; after the last, as one should."""
        self.server.asked.append((self.path, self.headers["Range"]))
        content = self.server.files.get(self.path.removeprefix("/moved"))
        if content is None:
            self.send_error(404)
        else:
            answer = self.server.answers.pop(0) if self.server.answers else whole
            answer(self, content)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@contextmanager
def serve(files: dict[str, bytes]) -> Iterator[Mirror]:
    """Serve files until the block ends."""
    with Mirror(files) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def sha256(content: bytes) -> str:
    """The checksum that the table of sources holds."""
    return hashlib.sha256(content).hexdigest()


def idx(array: np.ndarray) -> bytes:
    """A gzipped idx file of bytes."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(head + array.astype(np.uint8).tobytes(), mtime=0)


def cifar_batch(images: np.ndarray, labels: np.ndarray) -> bytes:
    """One batch of CIFAR-10's binary version: a byte for the label, then the image."""
    return np.hstack([labels[:, None], images.reshape(len(labels), -1)]).astype(np.uint8).tobytes()


def tar_gz(members: dict[str, bytes]) -> bytes:
    """A gzipped tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()
