"""optuna-dashboard opens a search's file of studies as it is."""

import json
from wsgiref.util import setup_testing_defaults

import pytest

dashboard = pytest.importorskip("optuna_dashboard")


def answer(app, path):
    """Return what the dashboard's server answers to a browser."""
    environ, said = {"PATH_INFO": path}, []
    setup_testing_defaults(environ)
    body = b"".join(app(environ, lambda status, *_: said.append(status)))
    assert said == ["200 OK"]
    return json.loads(body)


def test_the_dashboard_shows_the_study_and_its_trials(start, tmp_path):
    result = start(trials=3)
    app = dashboard.wsgi(f"sqlite:///{tmp_path / 'study.db'}")
    studies = answer(app, "/api/studies")["study_summaries"]
    (mine,) = [study for study in studies if study["study_name"] == "s"]
    trials = answer(app, f"/api/studies/{mine['study_id']}")["trials"]
    assert [t["state"] for t in trials] == ["Complete"] * 3
    assert [t["values"][0] for t in trials] == [t.value for t in result.trials]
