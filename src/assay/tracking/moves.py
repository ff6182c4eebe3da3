"""Move the champion's alias by hand: who, when and why stays on the versions as tags."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime

from assay.errors import TrackingError
from assay.tracking.claims import claimed
from assay.tracking.limits import TAG_LENGTH, cut
from assay.tracking.registry import (
    CHAMPION,
    Version,
    alone_with,
    champion_of,
    give_back_alias,
    resolve,
    set_alias,
    tag,
)


def promote(version: Version, *, than: Version | None, reason: str, said: str) -> None:
    """Make a version champion, with the reason and what the gate ``said`` as tags.

    ``than`` is the champion that it was compared with. The caller holds ``alone_with``. Raises
    TrackingError where another one overtakes it.
    """
    with claimed(version, than=than) as is_free:
        if not is_free or not set_alias(version, CHAMPION):
            raise TrackingError(_overtaken(version.name))
    tag(version, {"promoted_because": reason, "promoted_by": _who(), "promoted_gate": said})


def roll_back(name: str, *, reason: str) -> tuple[Version, Version]:
    """Give the champion's alias back to the version before; return both, the newer first.

    Raises TrackingError where there is no champion, or none before it.
    """
    with alone_with(name):
        present = champion_of(name) or resolve(f"models:/{name}@{CHAMPION}")
        before = present.tags.get(f"{CHAMPION}_before", "none")
        if before == "none":
            raise TrackingError(
                f"{present.uri} is the first champion of '{name}': there is none to go back to; "
                f"'assay promote {name} VERSION --reason ...' names another"
            )
        earlier = resolve(f"models:/{name}/{before}")
        with claimed(present, than=present) as is_free:
            if not is_free:
                raise TrackingError(_overtaken(name))
            give_back_alias(present, CHAMPION)
        tag(present, {"rolled_back_because": reason, "rolled_back_by": _who()})
    return present, earlier


def _overtaken(name: str) -> str:
    return (
        f"another version of '{name}' is becoming champion at this moment: nothing was moved; look at "
        f"'assay lineage {name}' and try again"
    )


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "unknown"
    return cut(f"{user}, {datetime.now(UTC).isoformat(timespec='seconds')}", TAG_LENGTH)
