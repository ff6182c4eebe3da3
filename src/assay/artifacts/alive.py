"""Which process wrote something, and whether it still lives."""

from __future__ import annotations

import os
import socket
from functools import cache

import psutil

# A start is told by the system's clock, which may be set while the process runs: by how much at most.
# No system gives a pid again so soon.
_CLOCK_SECONDS = 30.0


def own_key() -> str:
    """Return host, pid and start time of this process: no later process repeats it."""
    return _own_key(os.getpid())


@cache
def _own_key(pid: int) -> str:
    return key_of(psutil.Process(pid))


def key_of(process: psutil.Process) -> str:
    """Return host, pid and start time of a process. Raises what psutil raises."""
    return f"{socket.gethostname()}:{process.pid}:{process.create_time():.2f}"


def is_gone(key: str) -> bool:
    """Tell whether the process of a key has ended; False for another host's, which is unknown."""
    host, pid, started = key.split(":")[:3]
    if host != socket.gethostname():
        return False
    try:
        process = psutil.Process(int(pid))
        is_another = abs(process.create_time() - float(started)) > _CLOCK_SECONDS
        return is_another or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
