"""A run while it is open: metrics, parameters, tags, artifacts, data sets, and its true status."""

from __future__ import annotations

import getpass
import json
import logging
import socket
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from assay.errors import EXIT_INTERRUPTED, EXIT_TERMINATED, AssayError, Terminated
from assay.secrets import masked, masked_lines, shown
from assay.signals import HeldSignals, ending
from assay.tracking.buffer import Outbox
from assay.tracking.delivery import Change
from assay.tracking.limits import DIGEST_LENGTH, PARAM_LENGTH, TAG_LENGTH, cut, finite, key
from assay.tracking.process import own_key

log = logging.getLogger(__name__)
KIND = "assay.kind"
PROCESS = "assay.process"
PARENT = "mlflow.parentRunId"
TRIAL = "assay.trial"
ERROR_LENGTH = 1000
_STRUCTURED = (".yaml", ".yml", ".json")


class Tracked:
    """An open run. Its methods never raise for a store that went away: they keep and send later."""

    def __init__(
        self,
        outbox: Outbox,
        run_id: str,
        *,
        above: Tracked | None = None,
        known: set[tuple[str, int]] | None = None,
    ) -> None:
        """Hold a run of that id; ``known`` is key and step of what a reopened one has already."""
        self.run_id = run_id
        self.shared: Shared = Shared()
        self.outbox = outbox
        self._above = above
        self._known = known

    @property
    def is_resumed(self) -> bool:
        """Tell whether the run was begun by an earlier process and goes on in this one."""
        return self._known is not None

    def log_metrics(self, values: Mapping[str, float], *, step: int | None = None) -> None:
        """Log metrics of a step (default 0). NaN stays NaN, infinity becomes the largest float.

        A resumed run sends only what the store does not have of that name and step.
        """
        numbers = {key(name): finite(value) for name, value in values.items()}
        place = 0 if step is None else int(step)
        if self._known is not None:
            numbers = {k: v for k, v in numbers.items() if (k, place) not in self._known}
            self._known |= {(name, place) for name in numbers}
        self.outbox.metrics(self.run_id, numbers, step=place)

    def log_params(self, values: Mapping[str, object]) -> None:
        """Log parameters, nested ones under dotted names; each at most 6000 characters."""
        texts = {key(k): cut(shown(k, v), PARAM_LENGTH) for k, v in flat(values).items()}
        if texts:
            self._post("params", values=texts)

    def set_tags(self, values: Mapping[str, str]) -> None:
        """Set tags; each at most 5000 characters."""
        texts = {key(k): cut(shown(k, v), TAG_LENGTH) for k, v in values.items()}
        if texts:
            self._post("tags", values=texts)

    def log_artifact(self, path: Path, folder: str | None = None) -> None:
        """Log a file, or a folder with what is in it. FileNotFoundError when it is not there."""
        if not path.exists():
            raise FileNotFoundError(path)
        if path.suffix in _STRUCTURED and path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            if masked_lines(text) != text:
                self.log_text(text, "/".join(filter(None, (folder, path.name))))
                return
        self._post("artifact", path=str(path.resolve()), folder=folder)

    def log_text(self, text: str, file: str) -> None:
        """Log a text as an artifact of that name; secrets in YAML and JSON are blotted out."""
        text = masked_lines(text) if file.endswith(_STRUCTURED) else text
        self._post("text", text=text, file=file)

    def log_dataset(
        self,
        *,
        name: str,
        digest: str,
        source: str,
        context: str,
        rows: int,
        columns: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Log a data set as an input of this run and of its pipeline's parent row.

        ``context`` is training, validation or testing; ``columns`` are pairs of name and type.
        MLflow holds 36 characters of a digest; the whole one is a tag of the input.
        """
        schema = {"mlflow_colspec": [{"name": n, "type": t} for n, t in columns]}
        dataset: dict[str, str | None] = {
            "name": cut(name, 500),
            "digest": digest[:DIGEST_LENGTH],
            "full_digest": digest[:500],
            "source_type": "local",
            "source": json.dumps({"uri": masked(source)}),
            "schema": json.dumps(schema) if columns else None,
            "profile": json.dumps({"num_rows": rows}),
            "context": context,
        }
        self.log_input(dataset)
        self.shared.datasets.append(dataset)
        if self._above is not None:
            self._above.log_input(dataset)

    def log_input(self, dataset: Mapping[str, str | None]) -> None:
        """Log a data set as ``log_dataset`` recorded it."""
        self._post("inputs", dataset=dict(dataset))

    def log_parent(
        self,
        *,
        metrics: Mapping[str, float] | None = None,
        tags: Mapping[str, str] | None = None,
        artifacts: Iterable[Path] = (),
        folder: str | None = None,
    ) -> None:
        """Log onto the parent row of the pipeline what a reviewer compares there.

        Metrics and tags are also kept in ``run.json``: when a later invocation skips this stage,
        its parent row gets them all the same.
        """
        self.shared.metrics |= {k: float(v) for k, v in (metrics or {}).items()}
        self.shared.tags |= {k: str(v) for k, v in (tags or {}).items()}
        if self._above is None:
            return
        self._above.log_metrics(metrics or {})
        self._above.set_tags(tags or {})
        for path in artifacts:
            self._above.log_artifact(path, folder)

    def new_child(self, name: str, *, tags: Mapping[str, str] | None = None) -> Tracked:
        """Open a run below this one, for example a trial, for ``opened`` to close."""
        marks = {KIND: "trial", PROCESS: own_key(), PARENT: self.run_id, **(tags or {})}
        return Tracked(self.outbox, self.outbox.create(name, identity(marks)))

    def closing(
        self, *, pruned_by: tuple[type[BaseException], ...] = ()
    ) -> AbstractContextManager[None]:
        """Give the run its true status when the block ends.

        An exception of the types ``pruned_by`` ends it FINISHED with the tag ``pruned``.
        """
        return ending(partial(self._end, pruned_by=pruned_by))

    def close(self, status: str) -> None:
        """Set the status, with the present time as the end."""
        self._post("status", status=status, end=int(time.time() * 1000))

    def reopen(self) -> None:
        """Set the status back to RUNNING."""
        self._post("status", status="RUNNING", end=None)

    def _end(
        self, error: BaseException | None, *, pruned_by: tuple[type[BaseException], ...]
    ) -> None:
        if error is None:
            self.close("FINISHED")
        elif isinstance(error, pruned_by):
            self.set_tags({"pruned": "true"})
            self.close("FINISHED")
        else:
            self._close_failed(error)

    def _close_failed(self, error: BaseException) -> None:
        status = status_of(error)
        if status != "FINISHED":
            text = cut(str(error), ERROR_LENGTH)
            self.set_tags({"error": f"{type(error).__name__}: {text}".removesuffix(": ")})
        if status == "FAILED" and not isinstance(error, AssayError):
            self.log_text(masked("".join(traceback.format_exception(error))), "traceback.txt")
        self.close(status)

    def _post(self, op: str, **fields: Any) -> None:
        change: Change = {"op": op, "run": self.run_id, **fields}
        self.outbox.post(change)


@contextmanager
def opened(
    open_run: Callable[[], Tracked], *, pruned_by: tuple[type[BaseException], ...] = ()
) -> Iterator[Tracked]:
    """Open a run and close it when the block ends, also when a signal comes while it is opened."""
    with ExitStack() as end:
        with HeldSignals():
            run = open_run()
            end.enter_context(run.closing(pruned_by=pruned_by))
        yield run


class Shared:
    """What a stage has put onto its pipeline's parent row."""

    def __init__(self) -> None:
        self.metrics: dict[str, float] = {}
        self.tags: dict[str, str] = {}
        self.datasets: list[dict[str, str | None]] = []


def status_of(error: BaseException | None) -> str:
    """Return the MLflow status of a run that an exception ended, or none."""
    if error is None:
        return "FINISHED"
    if isinstance(error, (KeyboardInterrupt, Terminated)):
        return "KILLED"
    if isinstance(error, SystemExit):
        if error.code in (None, 0):
            return "FINISHED"
        return "KILLED" if error.code in (EXIT_INTERRUPTED, EXIT_TERMINATED) else "FAILED"
    return "FAILED"


def identity(tags: Mapping[str, str]) -> dict[str, str]:
    """Return tags with who runs it and where."""
    who = {"mlflow.source.name": "assay", "mlflow.source.type": "LOCAL"}
    return {**who, "mlflow.user": _user(), "host": socket.gethostname(), **tags}


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def flat(values: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Return nested mappings as one, under dotted names."""
    result: dict[str, object] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            result |= flat(value, f"{prefix}{name}.")
        else:
            result[f"{prefix}{name}"] = value
    return result
