"""What tests of real clients share: nothing leaves this machine, and one MLflow server for all."""

import socket
import urllib.request

import pytest

from command import until
from forked import processes, serve

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "WANDB_ERROR_REPORTING": "false",
    "CLEARML_NO_DEFAULT_SERVER": "1",
    "CLEARML_SUPPRESS_UPDATE_MESSAGE": "1",
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="package", autouse=True)
def home(folder):
    """Clients are quiet, which they note when a test imports them, and keep what they keep elsewhere; other tests see nothing of it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**QUIET, "HOME": str(folder), "CLEARML_CACHE_DIR": str(folder / "clearml")}.items():
            patch.setenv(name, value)
        yield folder


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """An MLflow server on loopback, which can be started again at the same port."""

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.uri = f"http://127.0.0.1:{self.port}"
        self.process = None

    def start(self):
        self.process = processes.Process(target=serve, args=(str(self.folder), self.port), daemon=True)
        self.process.start()
        until(lambda: self.answers() or not self.process.is_alive(), limit_s=120)
        assert self.answers(), (self.folder / "server.log").read_text()
        return self

    def stop(self):
        self.process.kill()
        self.process.join()

    def answers(self):
        try:
            urllib.request.urlopen(f"{self.uri}/health", timeout=60).close()
        except OSError:
            return False
        return True


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("mlflow"))
    yield server.start()
    server.stop()
