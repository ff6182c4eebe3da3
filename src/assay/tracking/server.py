"""MLflow's own server on the project's store, for this machine alone unless told otherwise."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from assay.artifacts.paths import home
from assay.errors import TrackingError
from assay.tracking.address import artifact_root
from assay.tracking.store import Store
from assay.tracking.switches import PICKLE

HOST = "127.0.0.1"
START_SECONDS = 120
STOP_SECONDS = 10


@contextmanager
def serving(store: Store, *, port: int, host: str = HOST) -> Iterator[subprocess.Popen[bytes]]:
    """Run MLflow's server on a store until the block ends, for this machine alone or on ``host``.

    ``port`` 0 is not taken: use ``free_port``. Raises TrackingError when the port is in use or
    the server does not come up; its output is in ``ui.log`` in the project's home.
    """
    _refuse_busy(host, port)
    log = home() / "ui.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command(host, port),
            env=_environment(store),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _await(process, reached(host), port, log=str(log))
            yield process
        finally:
            _stop(process)


def free_port() -> int:
    """Return a port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def reached(host: str) -> str:
    """Return the host by which this machine reaches a server that listens on ``host``."""
    return HOST if host in ("0.0.0.0", "::", "") else host


def _command(host: str, port: int) -> list[str]:
    words = ["server", "--host", host, "--port", str(port), "--workers", "1"]
    return [sys.executable, "-m", "mlflow", *words]


def _environment(store: Store) -> dict[str, str]:
    """Hand the store over in the environment: an address may hold a password."""
    root = artifact_root(store.uri) or str(home() / "mlartifacts")
    return {
        **os.environ,
        "MLFLOW_BACKEND_STORE_URI": store.uri,
        "MLFLOW_DEFAULT_ARTIFACT_ROOT": root,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        PICKLE: "false",
    }


def _refuse_busy(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise TrackingError(
                f"port {port} of {host} cannot be used ({error.strerror}): "
                f"choose another one, for example --port {free_port()}"
            ) from error


def _await(process: subprocess.Popen[bytes], host: str, port: int, *, log: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise TrackingError(
                f"MLflow's server ended with status {process.returncode}: see {log}"
            )
        try:
            with urllib.request.urlopen(f"http://{host}:{port}/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise TrackingError(f"MLflow's server did not answer within {START_SECONDS} s: see {log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server with the workers that it started: its process group, not it alone."""
    _signal(process, signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _signal(process, signal.SIGKILL)
        process.wait()


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
