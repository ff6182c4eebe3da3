"""Moving the champion by hand: the gate is asked, and the reason stays."""

import shutil

import pytest
from click.testing import CliRunner
from tests.sealed import seal
from tests.stages import test_register as made

from assay.artifacts.files import read_yaml, write_yaml
from assay.cli import diff, lineage, promote, rollback
from assay.errors import ArtifactError, TrackingError
from assay.gate.knobs import Gate
from assay.tracking import registry
from assay.tracking.registry import Version
from assay.tracking.store import open_store


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A home in which version 1 is champion, 2 an equal challenger and 3 a better one by hand."""
    folder = tmp_path_factory.mktemp("promote")
    with pytest.MonkeyPatch.context() as patch:
        made.settle_in(folder, patch)
        made.go(weight=0.3)
        made.go(weight=0.3)
        made.go(Gate(alias="manual"), weight=2.0)
        config = read_yaml(folder / "artifacts/config.yaml")
        write_yaml(folder / "artifacts/config.yaml", {**config, "gate": {}})
        seal()
    return folder


@pytest.fixture
def project(store, tmp_path, monkeypatch):
    for name in made.UNSET:
        monkeypatch.delenv(name, raising=False)
    shutil.copytree(store / "artifacts", tmp_path / "artifacts")
    shutil.copy(store / "home/mlflow.db", tmp_path / "mlflow.db")
    (tmp_path / "home").mkdir()
    shutil.copy(store / "home/mlflow.db", tmp_path / "home/mlflow.db")
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(command, *words):
    return CliRunner().invoke(command, words, catch_exceptions=False)


def tags(number):
    return open_store().client.get_model_version("flowers", number).tags


def test_a_better_version_is_promoted_and_taken_back_with_reasons(project):
    done = call(promote.command, "flowers", "3", "--reason", "asked by the team")
    assert "models:/flowers/3 is champion; the gate says yes" in done.output
    assert registry.champion_of("flowers").number == "3"
    assert tags("3")["promoted_because"] == "asked by the team"
    assert tags("3")["promoted_gate"].startswith("yes")
    done = call(rollback.command, "flowers", "--reason", "complaints")
    assert "models:/flowers/1 is champion again" in done.output
    assert registry.champion_of("flowers").number == "1"
    assert tags("3")["rolled_back_because"] == "complaints"
    with pytest.raises(TrackingError, match=r"is the first champion of .flowers."):
        call(rollback.command, "flowers", "--reason", "once more")


def test_where_the_gate_says_no_only_force_moves_the_alias(project):
    with pytest.raises(TrackingError, match=r"the gate says no: better than the champion.*--force"):
        call(promote.command, "flowers", "2", "--reason", "I like it")
    assert registry.champion_of("flowers").number == "1"
    done = call(promote.command, "flowers", "2", "--reason", "I like it", "--force")
    assert "undecided" in done.output
    assert registry.champion_of("flowers").number == "2"
    assert "(forced)" in tags("2")["promoted_gate"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("flower", "1"), "no registered model 'flower'; did you mean 'flowers'"),
        (("flowers", "9"), "has no version 9; it has versions 3, 2, 1"),
        (("flowers", "one"), "expected models:/NAME@champion or models:/NAME/VERSION"),
        (("flowers", "1"), "is champion already"),
    ],
)
def test_what_is_not_there_is_one_message(project, words, says):
    with pytest.raises(TrackingError, match=says):
        call(promote.command, *words, "--reason", "x")


def test_an_address_is_no_name(project):
    for verb, words in ((promote, ("models:/flowers/1", "1")), (rollback, ("models:/flowers",))):
        found = call(verb.command, *words, "--reason", "x")
        assert found.exit_code == 2
        assert "expected the model's name alone" in found.output


def test_without_a_reason_or_a_test_split_nothing_moves(project):
    assert call(promote.command, "flowers", "3", "--reason", " ").exit_code == 2
    assert call(rollback.command, "flowers").exit_code == 2
    shutil.rmtree("artifacts/prepare")
    with pytest.raises(ArtifactError, match=r"run 'dvc repro prepare' to make it"):
        call(promote.command, "flowers", "3", "--reason", "x")
    assert registry.champion_of("flowers").number == "1"


def test_the_lineage_runs_from_the_data_to_the_alias(project):
    said = call(lineage.command, "flowers").output
    version = registry.champion_of("flowers")
    for name in ("data_digest", "config_digest", "test_digest", "graph_digest"):
        assert version.tags[name] in said
    assert "no git repository: the code is not recorded" in said
    assert said.splitlines()[-1].split() == ["alias", "@champion"]


def test_two_versions_are_told_apart_with_a_paired_test(project):
    said = call(diff.command, "models:/flowers/1", "models:/flowers/3").output
    assert "data: the same" in said
    (loss,) = [line for line in said.splitlines() if line.strip().startswith("log_loss:")]
    assert "paired bootstrap" in loss
    (right,) = [line for line in said.splitlines() if line.strip().startswith("accuracy:")]
    assert "McNemar's exact test" in right
    shutil.rmtree("artifacts/prepare")
    said = call(diff.command, "models:/flowers/1", "models:/flowers/3").output
    assert "cannot be compared on the present test rows" in said


def test_uncommitted_changes_are_told_by_the_file_that_they_are_in(tmp_path):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder, added in zip(folders, ("+lr: 1\n", "+lr: 2\n+seed: 3\n"), strict=True):
        folder.mkdir()
        same = "diff --git a/same.py b/same.py\n-x\n+y\n"
        text = f"{same}diff --git a/conf/one.yaml b/conf/one.yaml\n--- a/x\n+++ b/x\n{added}"
        (folder / "changes.diff").write_text(text)
    with (folders[1] / "changes.diff").open("a") as patch:
        patch.write("diff --git a/new.csv b/new.csv\nnew file mode 100644\n+1\n")
    a, b = (Version(name="m", number=n, model_id=n) for n in "12")
    assert list(diff._code(a, b, folders)) == [
        "conf/one.yaml: uncommitted +1 -0 -> uncommitted +2 -0",
        "new.csv: as committed -> uncommitted +1 -0",
    ]
