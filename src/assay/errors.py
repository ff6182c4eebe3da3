"""Everything that Assay raises on purpose.

AssayError                 one message for the user: what was expected, what came, how to mend it
├── ConfigError            configuration: every problem of it at once
├── DataError              the user's data cannot be used as it is
├── ArtifactError          a file of the pipeline is missing, damaged or cannot be written
├── TrackingError          the tracking store or the registry cannot be used
├── TrainingError          a fit ended without a usable model
└── ExportError            the exported graph is not what was trained
Terminated                 SIGTERM or SIGHUP arrived (a BaseException, like KeyboardInterrupt)
"""

from __future__ import annotations

import difflib
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from assay.secrets import masked
from assay.signals import AGAIN_SECONDS

EXIT_FAILED = 1
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143
_LISTED = 20


class AssayError(Exception):
    """A problem that the user can mend; its text is all that is shown."""


class ConfigError(AssayError):
    """One or more problems of the configuration, each a line that names its key."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        head = "1 problem" if count == 1 else f"{count} problems"
        super().__init__(
            "\n".join([f"the configuration has {head}:", *map("  - {}".format, self.problems)])
        )


class DataError(AssayError):
    """The data cannot be used as it is."""


class ArtifactError(AssayError):
    """A file of the pipeline is missing, damaged or cannot be written."""


class TrackingError(AssayError):
    """The tracking store or the model registry cannot be used."""


class TrainingError(AssayError):
    """A fit ended without a usable model."""


class ExportError(AssayError):
    """The exported graph is not what was trained."""


class Terminated(BaseException):
    """SIGTERM or SIGHUP arrived: unwind, say KILLED, and exit with 143."""


def nearest(name: object, valid: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest valid name, else the names there are.

    Capitals and blanks at the ends do not count; of many names only the first are listed.
    """
    names = sorted(map(str, valid))
    plain = {valid_name.strip().casefold(): valid_name for valid_name in reversed(names)}
    close = difflib.get_close_matches(str(name).strip().casefold(), plain, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{plain[close[0]]}'?"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"; there is: {', '.join(names[:_LISTED])}{more}" if names else ""


@contextmanager
def exit_plainly(name: str) -> Iterator[None]:
    """Turn what ends a command into its message and exit status.

    An AssayError is one message and status 1, Ctrl-C 130, SIGTERM and SIGHUP 143 (delivered to the
    block as Terminated, so that it can unwind). Anything else is a defect and keeps its traceback,
    as every error does where ``ASSAY_TRACEBACK`` is set.
    """
    end_on_signals()
    try:
        yield
    except AssayError as error:
        if os.environ.get("ASSAY_TRACEBACK"):
            raise
        sys.exit(_said(f"{name}: {error}", EXIT_FAILED))
    except KeyboardInterrupt:
        sys.exit(_said(f"{name}: interrupted", EXIT_INTERRUPTED))
    except Terminated:
        sys.exit(_said(f"{name}: terminated", EXIT_TERMINATED))


def end_on_signals() -> None:
    """Have SIGTERM, and SIGHUP of a closed terminal, raise Terminated in the main thread from now on.

    SIGHUP stays ignored where it is, as ``nohup`` has it.
    """
    _terminated_at.clear()
    signal.signal(signal.SIGTERM, _raise_terminated)
    hang_up = getattr(signal, "SIGHUP", None)  # Windows has none
    if hang_up is not None and signal.getsignal(hang_up) == signal.SIG_DFL:
        signal.signal(hang_up, _raise_terminated)


_terminated_at: list[float] = []


def _raise_terminated(_number: int, _frame: object) -> None:
    """Raise, unless it did so this very moment: one end comes as several signals (``HeldSignals``)."""
    now = time.monotonic()
    if _terminated_at and now - _terminated_at[-1] < AGAIN_SECONDS:
        return
    _terminated_at[:] = [now]
    raise Terminated


def _said(message: str, status: int) -> int:
    with suppress(OSError):  # a terminal that was closed
        sys.stderr.write(f"\n{masked(message)}\n")
    return status
