"""A provider of a few lines, for what no twin does: it answers with given bytes and keeps the connection as it is."""

import contextlib
import socket
import threading
import time
from typing import Self


class Answering:
    """Answers the requests with these answers in turn, the last one for ever; counts the connections that are open.

    Each answer is `slow` seconds in coming. `asked` are the requests, as they came. Ends with its context.
    """

    def __init__(self, *answers: bytes, slow: float = 0.0) -> None:
        self._slow = slow
        self._answers = list(answers)
        self.asked: list[bytes] = []
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
                    self.asked.append(waiting)
                    time.sleep(self._slow)  # in its own thread: a server that is slow, not a test that waits
                    sock.sendall(self._answers.pop(0) if len(self._answers) > 1 else self._answers[0])
                    waiting = b""
        with self._lock:
            self._open.discard(sock)
