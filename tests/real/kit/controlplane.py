"""etcd, kube-apiserver and kube-controller-manager on loopback: RBAC, tokens over TLS, everything in one folder."""

import json
import shutil
import signal
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from secrets import token_urlsafe

from scripts.real.binaries import ControlPlane
from scripts.real.errors import NotObtained
from tests.real.kit.program import Program, answers, free_port

READY_SECONDS = 60.0
ATTEMPTS = 3  # a port that was free when asked may be taken when a program binds it
LOOPBACK = "127.0.0.1"
ADMIN = "admin"
AUDIT_POLICY = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"], "rules": [{"level": "Metadata"}]}


class RealCluster:
    """One control plane; `url`, `ca_file`, `token` and `kubeconfig` (of an administrator) are known once started."""

    def __init__(self, programs: ControlPlane, folder: Path, *, admission: Sequence[str] = ()) -> None:
        """`admission` are plugins beyond those that are on by default."""
        self.folder = folder
        self._admission = [f"--enable-admission-plugins={','.join(admission)}"] if admission else []
        self.token = token_urlsafe(24)
        self.url = ""
        self._programs = programs
        self._etcd: Program | None = None
        self._apiserver: Program | None = None
        self._manager: Program | None = None

    @property
    def ca_file(self) -> Path:
        return self.folder / "certificates" / "apiserver.crt"

    @property
    def kubeconfig(self) -> Path:
        return self.folder / "kubeconfig"

    @property
    def audit_log(self) -> Path:
        return self.folder / "audit.log"

    @property
    def has_controllers(self) -> bool:
        """Whether somebody makes pods out of ReplicaSets there."""
        return self._programs.controller_manager is not None

    @property
    def pids(self) -> tuple[int, ...]:
        """Of the programs that run."""
        return tuple(program.pid for program in (self._etcd, self._apiserver, self._manager) if program is not None)

    def start(self) -> None:
        """Up and answering; raises what the last of a few attempts said."""
        self._write_files()
        for attempt in range(ATTEMPTS):
            try:
                self._start()
                return
            except AssertionError:
                self.stop()
                if attempt == ATTEMPTS - 1:
                    raise

    def stop(self) -> None:
        for program in (self._manager, self._apiserver):
            if program is not None:
                program.stop()
        if self._etcd is not None:
            self._etcd.stop()

    def restart_apiserver(self) -> None:
        """Kill the API server and start it again at the same address."""
        assert self._apiserver is not None
        self._apiserver.stop(signal.SIGKILL)
        self._apiserver.start()
        self._apiserver.until(self._ready, READY_SECONDS)

    def compact(self) -> None:
        """Forget all history in etcd, so that old versions are gone (410)."""
        revision = json.loads(self._etcd_call("/v3/kv/range", {"key": "AA=="}))["header"]["revision"]
        self._etcd_call("/v3/kv/compaction", {"revision": revision, "physical": True})

    def _start(self) -> None:
        self._etcd_port, self._port = free_port(), free_port()
        self.url = f"https://{LOOPBACK}:{self._port}"
        self._etcd = Program(self._etcd_words(free_port()), self.folder / "etcd.log")
        self._etcd.start()
        self._etcd.until(lambda: answers(f"http://{LOOPBACK}:{self._etcd_port}/health"), READY_SECONDS)
        self._apiserver = Program(self._apiserver_words(), self.folder / "apiserver.log")
        self._apiserver.start()
        self._apiserver.until(self._ready, READY_SECONDS)
        self.kubeconfig.write_text(self.kubeconfig_of(self.token), encoding="utf-8")
        if self._programs.controller_manager is not None:
            self._manager = Program(self._manager_words(self._programs.controller_manager), self.folder / "controller-manager.log")
            self._manager.start()

    def _write_files(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "tokens.csv").write_text(f"{self.token},{ADMIN},{ADMIN},system:masters\n", encoding="utf-8")
        (self.folder / "audit.json").write_text(json.dumps(AUDIT_POLICY), encoding="utf-8")
        openssl = shutil.which("openssl")
        if openssl is None:
            raise NotObtained("openssl is not installed: it makes the key that service account tokens are signed with")
        words = [openssl, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", str(self.folder / "accounts.key")]
        subprocess.run(words, check=True, capture_output=True)

    def _etcd_words(self, peer_port: int) -> list[str]:
        client, peer = f"http://{LOOPBACK}:{self._etcd_port}", f"http://{LOOPBACK}:{peer_port}"
        return [
            str(self._programs.etcd),
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
        ]

    def _apiserver_words(self) -> list[str]:
        return [
            str(self._programs.apiserver),
            f"--etcd-servers=http://{LOOPBACK}:{self._etcd_port}",
            f"--bind-address={LOOPBACK}",
            f"--advertise-address={LOOPBACK}",
            "--endpoint-reconciler-type=none",
            f"--secure-port={self._port}",
            f"--cert-dir={self.folder / 'certificates'}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={self.folder / 'accounts.key'}",
            f"--service-account-signing-key-file={self.folder / 'accounts.key'}",
            "--service-cluster-ip-range=127.200.0.0/16",  # what is dialled by mistake stays on this machine
            "--allow-privileged=true",
            f"--audit-policy-file={self.folder / 'audit.json'}",
            f"--audit-log-path={self.audit_log}",
            *self._admission,
        ]

    def _manager_words(self, program: Path) -> list[str]:
        return [
            str(program),
            f"--kubeconfig={self.kubeconfig}",
            f"--service-account-private-key-file={self.folder / 'accounts.key'}",
            f"--root-ca-file={self.ca_file}",
            f"--cert-dir={self.folder / 'certificates'}",
            f"--bind-address={LOOPBACK}",
            f"--secure-port={free_port()}",
            "--leader-elect=false",
            "--horizontal-pod-autoscaler-sync-period=1s",
            "--kube-api-qps=300",
            "--kube-api-burst=500",
        ]

    def _ready(self) -> bool:
        """RBAC's own roles included: they are written a moment after the server listens."""
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=2, context=self.tls()) as response:
                return bool(response.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file))

    def kubeconfig_of(self, token: str, namespace: str = "default") -> str:
        """The kubeconfig of who has a token."""
        cluster = {"server": self.url, "certificate-authority": str(self.ca_file)}
        context = {"cluster": "real", "user": "real", "namespace": namespace}
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "real",
                "clusters": [{"name": "real", "cluster": cluster}],
                "contexts": [{"name": "real", "context": context}],
                "users": [{"name": "real", "user": {"token": token}}],
            }
        )

    def _etcd_call(self, path: str, body: dict[str, object]) -> bytes:
        request = urllib.request.Request(f"http://{LOOPBACK}:{self._etcd_port}{path}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as response:
            return bytes(response.read())
