"""The receipt of the last registration, compared with the registry and the graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assay.artifacts.files import digest, read_json
from assay.artifacts.paths import stage_folder
from assay.doctor.finding import Account, Finding, Place
from assay.errors import ArtifactError, TrackingError
from assay.secrets import masked
from assay.tracking.address import tracking_uri
from assay.tracking.invocation import read_origin
from assay.tracking.leftovers import existing_store
from assay.tracking.registry import Version, resolve, versions_of

NAME = "registry"
_AGAIN = "run 'dvc repro -f -s register'"
_KEYS = ("name", "version", "alias")


def find(place: Place) -> Account:
    """Look at the version that the receipt names, its alias, and the graph it was made of."""
    path = place.root / stage_folder("register") / "receipt.json"
    if not path.is_file():
        return Account(looked_at="nothing is registered yet")
    receipt = read_json(path)
    if not isinstance(receipt, Mapping) or not all(key in receipt for key in _KEYS):
        what = "receipt.json is damaged: it names no version"
        return Account(looked_at="", findings=[Finding(what=what, remedy=_AGAIN)])
    uri = f"models:/{receipt['name']}/{receipt['version']}"
    version = _version(str(receipt["name"]), str(receipt["version"]))
    findings = [_gone(uri)] if version is None else list(_differences(receipt, version))
    return Account(
        looked_at=f"{uri} is @{receipt['alias']}, as the receipt says", findings=findings
    )


def _version(name: str, number: str) -> Version | None:
    if existing_store() is None:
        return None
    return next((version for version in versions_of(name) if version.number == number), None)


def _gone(uri: str) -> Finding:
    """A version that is not there is no harm where the files were made with another store."""
    origin = read_origin("register") or {}
    made_in = origin.get("tracking_uri", masked(tracking_uri()))
    if made_in != masked(tracking_uri()):
        what = f"{uri} was registered in {made_in}, not in {masked(tracking_uri())}"
        return Finding(what=what, remedy=f"to have it here, {_AGAIN}", is_note=True)
    what = f"the receipt names {uri}, which the registry does not have"
    return Finding(what=what, remedy=_AGAIN)


def _differences(receipt: Mapping[str, Any], version: Version) -> Iterator[Finding]:
    registered = version.tags.get("graph_digest", "")
    if (recorded := _recorded_graph()) and recorded != registered:
        what = f"{version.uri} holds another graph than the receipt was written for"
        yield Finding(what=what, remedy=_AGAIN)
    elif (graph := stage_folder("export") / "model.onnx").is_file() and digest(graph) != registered:
        what = f"{version.uri} was made of another graph than lies in {graph}"
        yield Finding(what=what, remedy="'dvc repro' registers the present one", is_note=True)
    yield from _moved(receipt)


def _recorded_graph() -> str:
    """Return the digest of the graph that was loaded when the receipt was written."""
    try:
        manifest = read_json(stage_folder("register") / "manifest" / "receipt.json.json")
        return str(manifest["inputs"]["export/model.onnx"])
    except (ArtifactError, KeyError, TypeError):
        return ""


def _moved(receipt: Mapping[str, Any]) -> Iterator[Finding]:
    """An alias is moved by a decision of someone: it is told, and never moved back."""
    alias, number = str(receipt["alias"]), str(receipt["version"])
    try:
        now = resolve(f"models:/{receipt['name']}@{alias}").number
    except TrackingError:
        now = ""
    if now != number:
        where = f"version {now} now" if now else "no version any more"
        what = f"@{alias} is {where}, the receipt gave it to version {number}"
        remedy = f"if it should be decided again, {_AGAIN}"
        yield Finding(what=what, remedy=remedy, is_note=True)
