"""What tests of real clients share: nothing leaves this machine, and one MLflow server for all."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

pytest.register_assert_rewrite("callsheet.testing")

QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "WANDB_ERROR_REPORTING": "false",
    "CLEARML_NO_DEFAULT_SERVER": "1",
    "CLEARML_SUPPRESS_UPDATE_MESSAGE": "1",
}
os.environ.update(QUIET)


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory):
    """Clients keep what they keep elsewhere; what they warn of is theirs."""
    patch = pytest.MonkeyPatch()
    folder = tmp_path_factory.mktemp("home")
    patch.setenv("HOME", str(folder))
    patch.setenv("CLEARML_CACHE_DIR", str(folder / "clearml"))
    yield folder
    patch.undo()


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
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--backend-store-uri", f"sqlite:///{self.folder}/m.db", "--workers", "1", "--serve-artifacts"]
        command += ["--artifacts-destination", str(self.folder / "artifacts")]
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, start_new_session=True, env={**os.environ, **QUIET}
            )
        for _ in range(1200):
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=5).close()
                return self
            except OSError:
                assert self.process.poll() is None, (self.folder / "server.log").read_text()
                time.sleep(0.1)
        raise AssertionError("the server does not come up")

    def stop(self):
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
            while self.answers():  # its children take a moment to go
                time.sleep(0.05)

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
        except OSError:
            return False
        return True


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("mlflow"))
    yield server.start()
    server.stop()
