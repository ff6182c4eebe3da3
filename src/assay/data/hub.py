"""Any data set of the Hugging Face hub, from the hub at one commit or from a local copy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from assay.artifacts.paths import home
from assay.data.csv import require_columns
from assay.data.pictures import Pictures, Source, decode_all
from assay.data.raw import Raw, Roles, TaskChoice
from assay.data.spec import Kind
from assay.data.splitting import SPLIT_NAMES, Splitting
from assay.data.target import Target, with_target
from assay.data.text_csv import without_empty
from assay.data.tokenizer import Tokens
from assay.errors import ConfigError, DataError, nearest

try:
    import datasets
except ImportError:
    datasets = None

_SPLIT = "split"
_OF_A_SAVED_SET = ("dataset_dict.json", "dataset_info.json")


@dataclass(frozen=True, kw_only=True)
class Hub:
    """``path`` is a name on the hub, such as ``ylecun/mnist``, or a local folder.

    ``revision`` is the commit, needed for the hub: a name alone may hold other data tomorrow.
    ``image`` or ``text`` names the column that is the input; without, the columns are a table.
    """

    path: str
    name: str | None = None
    revision: str | None = None
    target: str | tuple[str, ...]
    label_separator: str | None = None
    image: str | None = None
    text: str | None = None
    tokens: Tokens = field(default_factory=Tokens)
    empty: Literal["refuse", "drop"] = "refuse"
    id: str | None = None
    group: str | None = None
    sensitive: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    task: TaskChoice = "auto"
    pictures: Pictures = field(default_factory=Pictures)
    split: Splitting = field(default_factory=Splitting)

    @property
    def kind(self) -> Kind:
        """What the inputs are, by the column that is named."""
        return "image" if self.image else "text" if self.text else "table"

    def read(self) -> Raw:
        """Return the rows of all splits; DataError says what cannot be loaded or used.

        Splits of the set are kept where there are train, validation and test.
        """
        parts = _loaded(self)
        whole = datasets.concatenate_datasets(list(parts.values()))
        frame = _frame(whole, without=self.image)
        has_splits = {SPLIT_NAMES[name] for name in parts} == {"train", "valid", "test"}
        if has_splits:
            frame[_SPLIT] = [name for name, part in parts.items() for _ in range(len(part))]
        target = Target(columns=self.target, separator=self.label_separator, task=self.task)
        roles = Roles(
            target=target.column,
            id=self.id,
            group=self.group,
            split=_SPLIT if has_splits else None,
            sensitive=tuple(self.sensitive),
            ignore=tuple(self.ignore),
        )
        needed = {"target": target.names, "text": (self.text,) if self.text else ()}
        require_columns(frame, roles, self.path, others=needed)
        raw = Raw(frame=frame, roles=roles, task=self.task, source=self.path)
        return with_target(self._with_texts(self._with_images(raw, whole)), target)

    def _with_texts(self, raw: Raw) -> Raw:
        if self.text is None:
            return raw
        frame, notes = without_empty(raw.frame, self.text, how=self.empty)
        return replace(raw, frame=frame, text=self.text, tokens=self.tokens, notes=notes)

    def _with_images(self, raw: Raw, whole: Any) -> Raw:
        if self.image is None:
            return raw
        if self.image not in whole.column_names:
            raise DataError(
                f"data.image={self.image}: there is no such column{nearest(self.image, whole.column_names)}"
            )
        decoded = decode_all(_pictures(whole, self.image), knobs=self.pictures)
        frame = raw.frame.iloc[decoded.kept].reset_index(drop=True)
        return replace(raw, frame=frame, images=decoded.images, notes=decoded.notes)


def _loaded(knobs: Hub) -> Mapping[str, Any]:
    """Return the set's splits by name, those that are train, validation or test under any name."""
    if datasets is None:
        raise ConfigError(["data: 'hub' needs the extra datasets: pip install -e '.[datasets]'"])
    try:
        found = _load(knobs, Path(knobs.path))
    except (OSError, ValueError, RuntimeError, LookupError, TypeError) as error:
        text = " ".join(str(error).split())
        raise DataError(f"data.path={knobs.path}: the data set cannot be loaded: {text}") from error
    parts = {"train": found} if isinstance(found, datasets.Dataset) else dict(found)
    known = {name: part for name, part in parts.items() if name in SPLIT_NAMES}
    if not known:
        raise DataError(
            f"data.path={knobs.path}: expected a split called train, validation or test; "
            f"there is: {', '.join(parts)}"
        )
    return known


def _load(knobs: Hub, folder: Path) -> Any:
    if folder.is_dir():
        if any((folder / name).is_file() for name in _OF_A_SAVED_SET):
            return datasets.load_from_disk(str(folder))
        return datasets.load_dataset(str(folder), knobs.name, cache_dir=_cache())
    if knobs.revision is None:
        raise DataError("data.revision: name the commit (or a tag) of the data set on the hub")
    return datasets.load_dataset(
        knobs.path, knobs.name, revision=knobs.revision, cache_dir=_cache()
    )


def _cache() -> str:
    return str(home() / "cache" / "hub")


def _frame(whole: Any, *, without: str | None) -> pd.DataFrame:
    """Return the columns, classes by their names."""
    plain = whole.remove_columns([c for c in whole.column_names if c == without])
    frame: pd.DataFrame = plain.to_pandas()
    for name, feature in plain.features.items():
        if isinstance(feature, datasets.ClassLabel):
            known = frame[name].map(
                lambda code, of=feature: of.int2str(code) if code >= 0 else None
            )
            frame[name] = known
    return frame


def _pictures(whole: Any, column: str) -> Iterator[tuple[str, Source]]:
    encoded = whole.cast_column(column, datasets.Image(decode=False))
    for row, cell in enumerate(encoded.select_columns([column])):
        value = cell[column] or {"bytes": b"", "path": None}
        name = f"row {row + 1} ({value['path']})" if value["path"] else f"row {row + 1}"
        yield name, value["bytes"] if value["bytes"] is not None else Path(value["path"])
