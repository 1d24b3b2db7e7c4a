"""Jobs of a real Ray cluster do what all executors can, and end as what befalls them says."""

import contextlib
import socket
import threading
from urllib.parse import urlsplit

import pytest

from callsheet.run.ray import Ray
from callsheet.testing import EngineSuite

PATIENCE = 240


class Wire:
    """What leads to a dashboard, and can be cut."""

    def __init__(self, url):
        self.there = (urlsplit(url).hostname, urlsplit(url).port)
        self.listener = None
        self.port = 0
        self.mend()

    def mend(self):
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, args=(self.listener,), daemon=True).start()

    def cut(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _serve(self, listener):
        with contextlib.suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.create_connection(self.there)
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source, target):
        with contextlib.suppress(OSError), source:
            while part := source.recv(65536):
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def wire(ray):
    found = Wire(ray.told["url"])
    yield found
    found.cut()


class TestRay(EngineSuite):
    """Of the cluster that is open to whoever reaches it."""

    patience_s = PATIENCE

    @pytest.fixture(autouse=True)
    def _reached(self, wire, monkeypatch):
        self.wire = wire
        monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)

    def make(self, **fields):
        return Ray(self.wire.url, poll_s=0.5, **fields)

    @contextlib.contextmanager
    def away(self):
        self.wire.cut()
        try:
            yield
        finally:
            self.wire.mend()
