"""What is to be predicted, where it is named by one column or by several."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.data.labels import Labels, labels_of_cells, labels_of_columns
from assay.data.raw import Raw, TaskChoice
from assay.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Target:
    """``columns``: one name, or several of columns with yes and no.

    With a ``separator`` the cells of one column list labels. Raises ConfigError where these
    contradict each other or the ``task``.
    """

    columns: str | tuple[str, ...]
    separator: str | None = None
    task: TaskChoice = "auto"

    def __post_init__(self) -> None:
        several = not isinstance(self.columns, str)
        if several and self.separator is not None:
            raise ConfigError(
                ["data.label_separator: several target columns hold yes and no, not lists"]
            )
        if several and len(set(self.columns)) < 2:
            raise ConfigError([f"data.target: expected two columns or more, got {self.columns!r}"])
        if self.is_multilabel and self.task not in ("auto", "multilabel"):
            raise ConfigError([f"data.task: several labels are multilabel, got {self.task!r}"])
        if self.task == "multilabel" and not self.is_multilabel:
            raise ConfigError(
                [
                    "data.task: multilabel needs several target columns, or data.label_separator "
                    "for one whose cells list labels"
                ]
            )

    @property
    def is_multilabel(self) -> bool:
        """Whether a row may have several labels."""
        return self.separator is not None or not isinstance(self.columns, str)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that are no features, since they say what is predicted."""
        return (self.columns,) if isinstance(self.columns, str) else tuple(self.columns)

    @property
    def column(self) -> str:
        """The one target column, empty where a row may have several labels."""
        return "" if self.is_multilabel else self.names[0]


def with_target(raw: Raw, target: Target) -> Raw:
    """Return the data with several labels taken out of the frame, where there may be several."""
    if not target.is_multilabel:
        return raw
    found = _labels(raw, target)
    return replace(
        raw,
        frame=raw.frame.drop(columns=list(target.names)),
        task="multilabel",
        targets=found.present,
        labels=found.names,
    )


def _labels(raw: Raw, target: Target) -> Labels:
    if target.separator is None:
        return labels_of_columns(raw.frame, target.names)
    return labels_of_cells(raw.frame[target.names[0]], separator=target.separator)
