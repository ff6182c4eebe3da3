"""MLflow's own servers, of the project's store and of one model, for this machine alone by default."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from assay.artifacts.paths import home
from assay.errors import TrackingError
from assay.signals import HeldSignals
from assay.tracking.address import artifact_root
from assay.tracking.environment import get_cmd
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
    command, environment = _command(host, port), _environment(store)
    with _running(command, environment, host=host, port=port, log=home() / "ui.log") as process:
        yield process


@contextmanager
def scoring(
    folder: Path, *, port: int, host: str = HOST, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run MLflow's scoring server on a model's folder until the block ends.

    It serves these very files, and asks no store. Raises TrackingError as ``serving`` does.
    """
    command, environment = _scoring_command(folder, host, port)
    with _running(command, environment, host=host, port=port, log=log) as process:
        yield process


def watch(process: subprocess.Popen[bytes], *, log: Path) -> None:
    """Wait for a server that nobody ends: raises TrackingError when it ended by itself."""
    process.wait()
    raise _ended(process, log)


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


def _scoring_command(folder: Path, host: str, port: int) -> tuple[list[str], dict[str, str]]:
    """Return MLflow's own command, run by this Python; ``mlflow models serve`` may copy the files.

    The server is told of no store: the address may hold a password.
    """
    command, environment = get_cmd(str(folder), port=port, nworkers=1)
    kept = {k: v for k, v in environment.items() if not k.startswith("MLFLOW_TRACKING_")}
    words = [*shlex.split(command), "--host", host, "--no-access-log"]
    return [sys.executable, "-m", *words], kept


@contextmanager
def _running(
    command: Sequence[str], environment: Mapping[str, str], *, host: str, port: int, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a process group of its own, its output in ``log``, until the block ends."""
    _refuse_busy(host, port)
    log.parent.mkdir(parents=True, exist_ok=True)
    process = None
    try:
        with log.open("wb") as output, HeldSignals():  # else a signal may leave it unknown to us
            process = subprocess.Popen(
                command,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        _await(process, reached(host), port, log=log)
        yield process
    finally:
        if process:
            _stop(process)


def _refuse_busy(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, UnicodeError) as error:
            raise TrackingError(_refusal(host, port, error)) from error


def _refusal(host: str, port: int, error: OSError | UnicodeError) -> str:
    if isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES):
        return (
            f"port {port} of {host} cannot be used ({error.strerror}): "
            f"choose another one, for example --port {free_port()}"
        )
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    return (
        f"this machine cannot listen on the host '{host}' ({reason}): "
        f"expected {HOST}, 0.0.0.0 or an IPv4 address of its own"
    )


def _await(process: subprocess.Popen[bytes], host: str, port: int, *, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise _ended(process, log)
        try:
            with urllib.request.urlopen(f"http://{host}:{port}/health", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise TrackingError(f"MLflow's server did not answer within {START_SECONDS} s: see {log}")


def _ended(process: subprocess.Popen[bytes], log: Path) -> TrackingError:
    return TrackingError(f"MLflow's server ended with status {process.returncode}: see {log}")


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
