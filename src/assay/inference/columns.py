"""A table's graph, entered where its columns are numbers already: for rows put together from known cells.

Reading texts is most of what a small graph costs. Who asks about many rows whose cells are those
of few known rows has each known cell encoded once, by the graph's own encoders, and puts rows
together from codes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.inference.graph import cut
from assay.inference.session import Session

Known = Mapping[str, np.ndarray]


class Columns(Mapping[str, np.ndarray]):
    """Columns (rows,) of a table, looked up when they are read: cell ``index[name]`` of ``known[name]``."""

    def __init__(self, known: Known, index: Mapping[str, np.ndarray]) -> None:
        self.known, self.index = known, index

    def __getitem__(self, name: str) -> np.ndarray:
        return np.asarray(self.known[name][self.index[name]])

    def __iter__(self) -> Iterator[str]:
        return iter(self.known)

    def __len__(self) -> int:
        return len(self.known)


@dataclass(frozen=True, kw_only=True)
class _Encoder:
    """The graph up to a cut: from the columns ``names`` to (rows, columns)."""

    session: Session
    names: tuple[str, ...]

    def encoded(self, known: Known) -> np.ndarray:
        """Encode known cells, columns of fewer cells filled up with their first."""
        columns = [np.asarray(known[name]) for name in self.names]
        longest = max(map(len, columns))
        filled = [np.concatenate([c, np.repeat(c[:1], longest - len(c))]) for c in columns]
        (found,) = self.session.run(dict(zip(self.names, filled, strict=True))).values()
        return found


class Inner:
    """A graph behind its encoders: the same answers for ``Columns`` as the whole graph's."""

    def __init__(self, encoders: Mapping[str, _Encoder], body: Session) -> None:
        self._encoders, self._body = encoders, body
        self._known: Known = {}
        self._codes: dict[str, np.ndarray] = {}

    def run(self, columns: Columns) -> dict[str, np.ndarray]:
        """Return the asked outputs for rows of known cells, which are encoded at their first use."""
        if columns.known is not self._known:
            self._codes = {n: e.encoded(columns.known) for n, e in self._encoders.items()}
            self._known = columns.known
        return self._body.run({name: self._put_together(name, columns) for name in self._encoders})

    def _put_together(self, cut: str, columns: Columns) -> np.ndarray:
        names, codes = self._encoders[cut].names, self._codes[cut]
        found = np.empty((len(columns.index[names[0]]), len(names)), codes.dtype)
        for place, name in enumerate(names):
            np.take(codes[:, place], columns.index[name], out=found[:, place], mode="clip")
        return found


def inner_of(
    model: bytes, *, columns: Sequence[str], outputs: Sequence[str], batch_size: int
) -> Inner | None:
    """Cut a graph that takes ``columns`` behind its encoders; None where it is not made like that."""
    parts = cut(model, columns=columns, outputs=outputs)
    if parts is None:
        return None
    encoders = {
        name: _Encoder(session=Session(part, batch_size=batch_size), names=parts.columns[name])
        for name, part in parts.encoders.items()
    }
    return Inner(encoders, Session(parts.body, batch_size=batch_size))
