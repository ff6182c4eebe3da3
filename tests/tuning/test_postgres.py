"""Searches on a real PostgreSQL server, as several machines share one."""

import multiprocessing
from datetime import datetime, timedelta

import optuna
import pytest
import sqlalchemy
from tests.sweeper.apps import sphere, start, trials
from tests.tuning.postgres import programs, server
from tests.tuning.workers import PROBLEM, Noted

from assay.errors import ArtifactError, ConfigError
from assay.tuning.knobs import Search
from assay.tuning.storage import open_storage, place_of, refusals, storage_of
from assay.tuning.study import search

KNOBS = Search(trials=8, pruner="none", workers=2, repeats=0)


@pytest.fixture(scope="module")
def url():
    folder = programs()
    if folder is None:
        pytest.skip("no PostgreSQL server is installed (apt-get install postgresql)")
    with server(folder) as url:
        yield url


@pytest.fixture
def empty(url):
    """The server's URL, once every table of earlier tests is gone."""
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DROP SCHEMA public CASCADE"))
        connection.execute(sqlalchemy.text("CREATE SCHEMA public"))
    engine.dispose()
    return url


def states(url, study="s"):
    found = optuna.load_study(study_name=study, storage=url)
    return sorted(t.state.name for t in found.trials)


def test_workers_run_each_trial_once_and_a_killed_one_again(empty, tmp_path):
    work = Noted(folder=tmp_path, deadly=(2,))
    result = search(work, problem=PROBLEM, knobs=KNOBS, storage=empty)
    assert [(t.number, t.state) for t in result.trials] == [(n, "complete") for n in range(8)]
    drawn = [(line["number"], line["x"]) for line in work.lines()]
    assert len(drawn) == 9
    assert len(set(drawn)) == 8
    assert states(empty) == ["COMPLETE"] * 8 + ["FAIL"]


def _search(work, url):
    search(work, problem=PROBLEM, knobs=KNOBS, storage=url)


def test_two_searches_share_a_study_and_a_later_one_goes_on(empty, tmp_path):
    work = Noted(folder=tmp_path, seconds=0.1)
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_search, args=(work, empty)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert [one.exitcode for one in both] == [0, 0]
    assert sorted(line["number"] for line in work.lines()) == list(range(8))
    assert states(empty) == ["COMPLETE"] * 8
    later = Search(trials=10, pruner="none", repeats=0)
    assert search(work, problem=PROBLEM, knobs=later, storage=empty).fresh == 2


def test_the_trial_of_a_lost_machine_is_begun_again_with_its_values(empty, tmp_path):
    work, one = Noted(folder=tmp_path), Search(trials=1, pruner="none", repeats=0)
    search(work, problem=PROBLEM, knobs=one, storage=empty)
    engine, long_ago = sqlalchemy.create_engine(empty), datetime.now() - timedelta(days=1)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE trials SET state = 'RUNNING'"))
        connection.execute(
            sqlalchemy.text("UPDATE trial_heartbeats SET heartbeat = :t"), {"t": long_ago}
        )
        connection.execute(
            sqlalchemy.text(
                "UPDATE trial_user_attributes SET value_json = :v WHERE key = 'process'"
            ),
            {"v": '"elsewhere:1:1.00"'},
        )
    engine.dispose()
    search(work, problem=PROBLEM, knobs=one, storage=empty)
    first, second = work.lines()
    assert first["x"] == second["x"]
    assert states(empty) == ["COMPLETE", "FAIL"]


def test_a_sweep_keeps_its_trials_there_and_goes_on_with_workers(empty, tmp_path, capfd):
    url = empty.replace("assay@", "assay:secret@")
    words = [f"hydra.sweeper.storage={url}", "hydra.sweeper.study_name=swept"]
    first = trials(start(sphere, tmp_path, *words, "hydra.sweeper.n_trials=2"))
    folder = start(sphere, tmp_path, *words, "hydra.sweeper.n_trials=5", "hydra.sweeper.n_jobs=2")
    assert trials(folder)[:2] == first
    assert len(trials(folder)) == 5
    assert states(empty, "swept") == ["COMPLETE"] * 5
    assert "secret" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql+pg8000://me:secret@127.0.0.1:1/studies", "start the server, or correct"),
        ("postgresql+psycopg3://me@127.0.0.1/studies", r"pip install 'assay\[postgres\]'"),
    ],
)
def test_a_server_out_of_reach_is_one_message_before_any_trial(tmp_path, url, says):
    work = Noted(folder=tmp_path)
    with pytest.raises(ArtifactError, match=says) as error:
        search(work, problem=PROBLEM, knobs=KNOBS, storage=url)
    assert "secret" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_what_the_server_itself_refuses_is_told_in_its_words(url):
    other = url.rpartition("/")[0] + "/elsewhere"
    with (
        pytest.raises(ArtifactError, match='used: database "elsewhere" does not exist; start'),
        refusals(place_of(other)),
    ):
        open_storage(place_of(other))


def test_another_database_and_an_unset_variable_are_told(tmp_path):
    for url in (
        "mysql://me:secret@host/studies",
        "postgresql+pg8000://host/studies",
        "postgresql+pg8000://me@host:port/studies",
    ):
        with pytest.raises(ConfigError, match="expected sqlite:///FILE, or postgresql"):
            place_of(url)
    with pytest.raises(ConfigError, match="variable STUDIES_URL holds no URL"):
        storage_of(Search(storage_env="STUDIES_URL"), default=tmp_path)
