"""Kubernetes: an API server, its controllers and scheduler, and one node, whose kubelet has a dockerd of its own."""

import contextlib
import json
import os
import secrets
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from _daemon import Daemon
from _docker import PROGRAMS, docker_host, dockerd, dockerd_conf, sweep
from _engine import Engine
from _images import PAUSE, digits_image, import_digits, import_pause, import_python, python_image
from _kubernetes_build import build_kubernetes, kubernetes_folder
from _place import EngineError, Place

# A name of which the API server asks for logs, and which leads to loopback.
NODE = "localhost"
CONTROLLERS = (
    *("job", "cronjob", "garbagecollector", "ttl-after-finished", "podgc", "namespace", "nodelifecycle"),
    *("serviceaccount", "serviceaccount-token"),
)
TTL = "--feature-gates=TTLAfterFinished=true"

# Where root itself may not lower a process's chance to be killed, runc fails on what the kubelet asks for.
RUNTIME = """\
#!/bin/sh
previous=
for word in "$@"; do
    case "$previous" in
        --bundle | -b) sed -i 's/"oomScoreAdj":-[0-9]*/"oomScoreAdj":0/' "$word/config.json" ;;
    esac
    previous=$word
done
exec runc "$@"
"""
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters:
- {{name: callsheet, cluster: {{server: "{url}", certificate-authority: "{folder}/certs/apiserver.crt"}}}}
users:
- {{name: admin, user: {{token: "{token}"}}}}
contexts:
- {{name: callsheet, context: {{cluster: callsheet, user: admin, namespace: default}}}}
current-context: callsheet
"""
KUBELET = """\
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: 127.0.0.1
port: {kubelet}
healthzBindAddress: 127.0.0.1
healthzPort: {healthz}
readOnlyPort: 0
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
cgroupDriver: cgroupfs
cgroupsPerQOS: false
enforceNodeAllocatable: []
failSwapOn: false
evictionHard: {{memory.available: 100Mi, nodefs.available: 1%, nodefs.inodesFree: 1%, imagefs.available: 1%}}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
syncFrequency: 2s
"""


def _url(place: Place) -> str:
    return f"https://127.0.0.1:{place.port('apiserver')}"


def _token(place: Place) -> str:
    path = place.path("token")
    if not path.exists():
        place.write("token", secrets.token_hex(16), 0o600)
    return path.read_text()


def _prepare(place: Place) -> None:
    build_kubernetes()
    runtime = place.write("runtime.sh", RUNTIME, 0o755)
    dockerd_conf(place, **{"default-runtime": "callsheet", "runtimes": {"callsheet": {"path": str(runtime)}}})
    for folder in ("certs", "etcd", "kubelet", "log", "run"):
        place.made(folder).chmod(0o700 if folder == "etcd" else 0o755)
    key, public = place.folder / "certs" / "sa.key", place.folder / "certs" / "sa.pub"
    if not public.exists():
        _openssl("genrsa", "-out", key, "2048")
        _openssl("rsa", "-in", key, "-pubout", "-out", public)
    token = _token(place)
    place.write("certs/tokens.csv", f'{token},admin,admin,"system:masters"\n', 0o600)
    place.write("kubeconfig", KUBECONFIG.format(url=_url(place), folder=place.folder, token=token), 0o600)
    if "SUDO_UID" in os.environ:
        os.chown(place.path("kubeconfig"), int(os.environ["SUDO_UID"]), int(os.environ["SUDO_GID"]))
    place.write("kubelet.yaml", KUBELET.format(kubelet=place.port("kubelet"), healthz=place.port("healthz")))


def _openssl(*words: str | Path) -> None:
    ended = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    if ended.returncode:
        raise EngineError(f"openssl {words[0]} ended with {ended.returncode}:\n{ended.stderr}")


def _daemons(place: Place) -> list[Daemon]:
    return [dockerd(place), _etcd(place), _apiserver(place), *_controllers(place), _kubelet(place)]


def _etcd(place: Place) -> Daemon:
    client, peer = (f"http://127.0.0.1:{place.port(use)}" for use in ("etcd", "etcd-peer"))
    command = (
        *("etcd", "--data-dir", place.folder / "etcd", "--unsafe-no-fsync", f"--listen-client-urls={client}"),
        *(f"--advertise-client-urls={client}", f"--listen-peer-urls={peer}"),
        *(f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}"),
    )
    return Daemon("etcd", command, lambda: _asked(f"{client}/health").get("health") == "true")


def _apiserver(place: Place) -> Daemon:
    certs = place.folder / "certs"
    command = (
        *(_program("kube-apiserver"), f"--etcd-servers=http://127.0.0.1:{place.port('etcd')}"),
        *("--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--insecure-port=0"),
        *(f"--secure-port={place.port('apiserver')}", f"--cert-dir={certs}", f"--token-auth-file={certs}/tokens.csv"),
        *("--authorization-mode=RBAC,Node", "--disable-admission-plugins=ServiceAccount", "--allow-privileged=true"),
        *("--service-cluster-ip-range=10.0.0.0/24", "--service-account-issuer=https://kubernetes.default.svc"),
        *(f"--service-account-key-file={certs}/sa.pub", f"--service-account-signing-key-file={certs}/sa.key"),
        *("--kubelet-preferred-address-types=Hostname", TTL),
    )
    return Daemon("kube-apiserver", command, lambda: bool(_asked(f"{_url(place)}/readyz", place)), patience=120)


def _controllers(place: Place) -> list[Daemon]:
    config, certs = f"--kubeconfig={place.folder}/kubeconfig", f"--cert-dir={place.folder}/certs"
    manager, scheduler = place.port("controller-manager"), place.port("scheduler")
    shared = (config, certs, "--bind-address=127.0.0.1", "--port=0", "--leader-elect=false")
    return [
        Daemon(
            "kube-controller-manager",
            (
                *(_program("kube-controller-manager"), *shared, f"--secure-port={manager}", TTL),
                *(
                    f"--controllers={','.join(CONTROLLERS)}",
                    f"--service-account-private-key-file={place.folder}/certs/sa.key",
                ),
            ),
            lambda: bool(_asked(f"https://127.0.0.1:{manager}/healthz")),
        ),
        Daemon(
            "kube-scheduler",
            (_program("kube-scheduler"), *shared, f"--secure-port={scheduler}"),
            lambda: bool(_asked(f"https://127.0.0.1:{scheduler}/healthz")),
        ),
    ]


def _kubelet(place: Place) -> Daemon:
    command = (
        *(_program("kubelet"), f"--config={place.folder}/kubelet.yaml", f"--kubeconfig={place.folder}/kubeconfig"),
        *(f"--root-dir={place.folder}/kubelet", f"--cert-dir={place.folder}/certs", f"--hostname-override={NODE}"),
        *(f"--docker-endpoint={docker_host(place)}", f"--pod-infra-container-image={PAUSE}", "--network-plugin="),
        *("--register-node=true", "--image-pull-progress-deadline=5s"),
    )
    return Daemon("kubelet", command, lambda: _node_ready(place), {"AWS_EC2_METADATA_DISABLED": "true"}, patience=120)


def _program(name: str) -> Path:
    return kubernetes_folder() / name


def _node_ready(place: Place) -> bool:
    node = _asked(f"{_url(place)}/api/v1/nodes/{NODE}", place)
    conditions = node.get("status", {}).get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _asked(url: str, place: Place | None = None) -> dict[str, Any]:
    """What a server answers: a JSON object, or its bare words under `said`; {} where it does not answer well."""
    asked = Request(url, headers={"Authorization": f"Bearer {_token(place)}"} if place else {})
    unsure = ssl.create_default_context()
    unsure.check_hostname, unsure.verify_mode = False, ssl.CERT_NONE
    with contextlib.suppress(OSError), urlopen(asked, timeout=10, context=unsure) as said:
        text = said.read().decode()
        return dict(json.loads(text)) if text.startswith("{") else {"said": text}
    return {}


def _settle(place: Place) -> None:
    import_pause(docker_host(place))
    import_python(docker_host(place))
    import_digits(docker_host(place))


def _sweep(place: Place) -> None:
    """What is asked of a cluster ends with it: the next start is that of an empty one."""
    sweep(place)
    for folder in ("etcd", "kubelet"):
        shutil.rmtree(place.folder / folder, ignore_errors=True)


def _reach(place: Place) -> dict[str, Any]:
    return {
        "env": {"KUBECONFIG": str(place.folder / "kubeconfig")},
        "url": _url(place),
        "token": _token(place),
        "node": NODE,
        "image": python_image(),
        "digits": digits_image(),
        "docker_host": docker_host(place),
    }


KUBERNETES = Engine(
    "kubernetes",
    first_port=21_300,
    programs={**PROGRAMS, "etcd": "etcd-server", "openssl": "openssl"},
    prepare=_prepare,
    daemons=_daemons,
    reach=_reach,
    settle=_settle,
    sweep=_sweep,
)
