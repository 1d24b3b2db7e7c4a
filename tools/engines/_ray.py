"""Ray: a head that is a whole cluster, open to whoever reaches it, and one that wants a token."""

import contextlib
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from _daemon import Daemon
from _engine import Engine
from _place import EngineError, Place

# 127.0.0.1 would silently be replaced by the machine's own address.
ADDRESS = "127.0.0.2"
MEMORY = 200_000_000  # bytes, for objects that tasks share


def _wants_token(place: Place) -> bool:
    return place.folder.name == "ray-with-token"


def _prepare(place: Place) -> None:
    if not _program().exists():
        raise EngineError(f"{_program()} is missing: install ray[default] where {sys.executable} finds it")
    if _wants_token(place) and not place.path("token").exists():
        place.write("token", secrets.token_hex(32), 0o600)
        if "SUDO_UID" in os.environ:
            os.chown(place.path("token"), int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))


def _program() -> Path:
    return Path(sys.executable).parent / "ray"


def _env(place: Place) -> dict[str, str]:
    address = {"RAY_ADDRESS": f"http://127.0.0.1:{place.port('dashboard')}"}
    if _wants_token(place):
        return {**address, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(place.folder / "token")}
    return {**address, "RAY_AUTH_MODE": "disabled"}


def _daemons(place: Place) -> list[Daemon]:
    ports = {
        "--port": place.port("head"),
        "--dashboard-port": place.port("dashboard"),
        "--dashboard-agent-listen-port": place.port("agent"),
        "--ray-client-server-port": place.port("client"),
    }
    env = {name: value for name, value in _env(place).items() if name != "RAY_ADDRESS"}
    env |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}  # else others keep its workers from starting
    command: list[str | Path] = [
        *(_program(), "start", "--head", "--block", f"--node-ip-address={ADDRESS}", "--num-cpus=2"),
        *(f"--resources={json.dumps({'accel': 2})}", "--dashboard-host=127.0.0.1", "--disable-usage-stats"),
        *(f"--temp-dir={place.folder}", f"--object-store-memory={MEMORY}"),
        *(f"{name}={port}" for name, port in ports.items()),
    ]
    return [Daemon("head", tuple(command), lambda: _ready(place), env, patience=240)]


def _ready(place: Place) -> bool:
    """Whether the dashboard takes jobs: it answers before it does."""
    env = _env(place)
    token = Path(env["RAY_AUTH_TOKEN_PATH"]).read_text() if _wants_token(place) else ""
    asked = Request(f"{env['RAY_ADDRESS']}/api/jobs/", headers={"Authorization": f"Bearer {token}"})
    with contextlib.suppress(OSError), urlopen(asked, timeout=10) as said:
        return bool(said.status == 200)
    return False


def _reach(place: Place) -> dict[str, Any]:
    env = _env(place)
    return {"env": env, "url": env["RAY_ADDRESS"], "resources": {"CPU": 2, "accel": 2}}


RAY = Engine("ray", 21_400, {}, _prepare, _daemons, _reach)
RAY_WITH_TOKEN = Engine("ray-with-token", 21_500, {}, _prepare, _daemons, _reach)
