"""Take back registrations that were cut off, with the aliases that they took.

A registration counts once DVC has recorded it in ``dvc.lock``. One whose process was killed, or
whose DVC was, is made again by the next ``dvc repro``, from the same files and with the same
``dvc.lock``: what it left is withdrawn first, so that the model is not compared with itself.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from assay.tracking.process import is_gone
from assay.tracking.registry import (
    ALIASES,
    REGISTERED_BY,
    SETTLED,
    Version,
    alone_with,
    give_back_alias,
    reject,
    versions_of,
)

log = logging.getLogger(__name__)


def withdraw_unfinished(name: str, *, origin: Mapping[str, str]) -> None:
    """Delete the versions of a model that ended processes left unsettled, or made of ``origin``.

    Their aliases go back to the versions that had them before.
    """
    with alone_with(name):
        for version in versions_of(name):
            if _is_cut_off(version, origin):
                for alias in ALIASES:
                    give_back_alias(version, alias)
                reject(version)
                log.info("%s, whose registration was cut off, is withdrawn", version.uri)


def _is_cut_off(version: Version, origin: Mapping[str, str]) -> bool:
    process = version.tags.get(REGISTERED_BY)
    if process is None or not is_gone(process):
        return False
    is_same = all(version.tags.get(key) == value for key, value in origin.items())
    return SETTLED not in version.tags or is_same
