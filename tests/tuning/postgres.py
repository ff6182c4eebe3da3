"""A PostgreSQL server of the tests' own: its data in a temporary folder, its port on 127.0.0.1."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_LONGEST_SECONDS = 60


def programs() -> Path | None:
    """Return the folder of the server's programs, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found and (on_path := shutil.which("initdb")):
        found.append(Path(on_path).resolve())
    return found[-1].parent if found else None


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """Run a server from the programs in ``folder`` during the block; yield its URL."""
    # Root may not run a server, and pytest's folders are closed to others.
    who: dict[str, Any] = {"user": "postgres", "group": "postgres"} if os.getuid() == 0 else {}
    home = Path(tempfile.mkdtemp(prefix="postgres-"))
    if who:
        shutil.chown(home, "postgres", "postgres")
    data, port = str(home / "data"), _free_port()
    settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": home}
    told = [f"-c{name}={value}" for name, value in {**settings, "fsync": "off"}.items()]
    process = None
    try:
        made = [folder / "initdb", "-D", data, "-A", "trust", "-U", "assay", "--no-sync"]
        subprocess.run(made, check=True, capture_output=True, cwd=home, **who)
        process = subprocess.Popen(
            [folder / "postgres", "-D", data, *told],
            cwd=home,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **who,
        )
        _wait(folder, port, process)
        yield f"postgresql+pg8000://assay@127.0.0.1:{port}/postgres"
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # SIGTERM would wait for idle connections
            process.wait()
        shutil.rmtree(home, ignore_errors=True)


def _wait(folder: Path, port: int, process: subprocess.Popen[bytes]) -> None:
    asked = [folder / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    end = time.monotonic() + _LONGEST_SECONDS
    while subprocess.run(asked).returncode:
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"the PostgreSQL server does not answer (status {process.poll()})")
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
