"""A provider of a few lines, for what no twin does: it answers with given bytes and keeps the connection as it is."""

import contextlib
import socket
import threading
from typing import Self


class Answering:
    """Answers every request with `answer`; counts the connections that are open. Ends with its context."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.port = int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for sock in self._open:
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def connections(self) -> int:
        """How many are open now."""
        with self._lock:
            return len(self._open)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                with self._lock:
                    self._open.add(sock)
                threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock:
            waiting = b""
            while data := sock.recv(65536):
                waiting += data
                if waiting.endswith((b"}", b"]")) and b"\r\n\r\n" in waiting:  # a whole JSON body
                    sock.sendall(self._answer)
                    waiting = b""
        with self._lock:
            self._open.discard(sock)
