"""What a study remembers beside its trials: words that a later start goes on from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import optuna

from assay.tuning.storage import open_storage, place_of, refusals
from assay.tuning.trial import Direction


@dataclass(frozen=True, kw_only=True)
class Memory:
    """The words that a study remembers; it is made where it is missing."""

    storage: Path | str
    study: str
    directions: Sequence[Direction]

    def recall(self, what: str) -> str | None:
        """Return a word, None where there is none. Raises ArtifactError for a storage out of reach."""
        with refusals(place_of(self.storage)):
            found = self._study.user_attrs.get(what)
        return None if found is None else str(found)

    def keep(self, what: str, word: str) -> None:
        """Remember a word. Raises ArtifactError for a storage out of reach."""
        with refusals(place_of(self.storage)):
            self._study.set_user_attr(what, word)

    @cached_property
    def _study(self) -> optuna.Study:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        return optuna.create_study(
            storage=open_storage(place_of(self.storage)),
            study_name=self.study,
            directions=list(self.directions),
            load_if_exists=True,
        )
