"""What is compared when a registered version is verified."""

import hashlib
import json

import pytest
from tests.stages import test_register as made

from assay.artifacts.files import write_yaml
from assay.errors import ArtifactError
from assay.pipeline.registering.verification import (
    compared,
    of_cache,
    of_metrics,
    of_tags,
    recorded_outputs,
    restored_test,
)
from assay.tracking import registry


@pytest.fixture
def fetched(tmp_path, monkeypatch):
    """A registered version, its files, and the folder of a project."""
    made.settle_in(tmp_path, monkeypatch)
    made.go()
    version = registry.resolve("models:/flowers@champion")
    return version, registry.fetch(version, tmp_path / "fetched")


def states(checked):
    return {c.what: c.state for c in checked}


def test_a_version_is_what_it_was_and_a_changed_one_is_named(fetched, tmp_path):
    version, folder = fetched
    assert states(of_tags(version, folder))["graph"] == "same"
    test = restored_test(version, folder / "origin", cache=tmp_path / "none", scratch=tmp_path)
    assert set(states(of_metrics(folder, test)).values()) == {"same"}
    made.pipeline(weight=-1.0)
    (folder / "model.onnx").write_bytes((tmp_path / "artifacts/export/model.onnx").read_bytes())
    assert states(of_tags(version, folder))["graph"] == "differs"
    assert states(of_metrics(folder, test))["accuracy"] == "differs"


def test_a_test_split_that_is_nowhere_is_one_message(fetched, tmp_path):
    version, folder = fetched
    (tmp_path / "artifacts/prepare/test/target.npy").write_bytes(b"")
    with pytest.raises(ArtifactError, match=r"is neither in .* --level hashes"):
        restored_test(version, folder / "origin", cache=tmp_path / "none", scratch=tmp_path)


def test_a_metric_within_its_interval_is_well_and_one_beyond_is_not():
    wanted = {"value": 0.9, "low": 0.85, "high": 0.95}
    for value, state in ((0.9, "same"), (0.94, "within"), (0.96, "differs")):
        (found,) = compared({"accuracy": value}, {"accuracy": wanted})
        assert found.state == state
        assert found.is_well is (state != "differs")


def _of(content):
    return hashlib.md5(content).hexdigest()


def _keep(cache, content):
    md5 = _of(content)
    place = cache / "files/md5" / md5[:2] / md5[2:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return md5, place


def test_a_file_of_the_cache_that_was_changed_or_is_gone_is_found(tmp_path):
    inner, place = _keep(tmp_path, b"rows")
    listed = json.dumps([{"md5": inner, "relpath": "rows.npy"}]).encode()
    whole, folder = _keep(tmp_path, listed)
    folder.rename(f"{folder}.dir")
    outputs = {"artifacts/prepare/test": f"{whole}.dir"}
    assert of_cache(outputs, cache=tmp_path, root=tmp_path) is None
    place.write_bytes(b"rowz")
    assert of_cache(outputs, cache=tmp_path, root=tmp_path).state == "differs"
    place.unlink()
    assert of_cache(outputs, cache=tmp_path, root=tmp_path).state == "missing"


def test_what_dvc_only_read_is_hashed_where_it_lies(tmp_path):
    folder = tmp_path / "data/flowers"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("From a package.\n")
    listed = json.dumps([{"md5": _of(b"From a package.\n"), "relpath": "README.md"}])
    read = {"data/flowers": f"{_of(listed.encode())}.dir"}
    assert of_cache(read, cache=tmp_path / "cache", root=tmp_path) is None
    (folder / "README.md").write_text("Of one's own.\n")
    assert of_cache(read, cache=tmp_path / "cache", root=tmp_path).state == "missing"


def test_what_changes_from_run_to_run_is_not_compared(tmp_path):
    outs = [{"path": f"artifacts/train/{n}", "md5": "0"} for n in ("run.json", "weights")]
    write_yaml(tmp_path / "dvc.lock", {"stages": {"train": {"outs": outs}}})
    assert recorded_outputs(tmp_path / "dvc.lock") == {"train": {"artifacts/train/weights": "0"}}
