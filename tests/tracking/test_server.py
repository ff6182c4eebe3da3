from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import psutil
import pytest
from tests.tracking.recorded import ran, rows, run_stages

from assay.errors import TrackingError
from assay.tracking import buffer, server
from assay.tracking.find import find_run
from assay.tracking.resume import child_run
from assay.tracking.server import free_port, serving
from assay.tracking.store import open_store

_COLUMNS = "selectedColumns"


def test_a_server_that_goes_away_and_comes_back_loses_nothing(home, project, monkeypatch, dvc):
    """Real processes: MLflow's server is started, killed and started again on one port."""
    monkeypatch.setattr(buffer, "FLUSH_SECONDS", 0.0)
    port = free_port()
    local = open_store()
    with serving(local, port=port) as process:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        run_stages("prepare")
        with ran("search") as search:
            search.log_metrics({"loss": 4.0}, step=0)
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)
            search.log_metrics({"loss": 3.0, "bad": float("nan")}, step=1)
            with child_run(search, "trial 0") as trial:
                trial.log_metrics({"loss": 0.5})
            (project / "plot.txt").write_text("a plot")
            search.log_artifact(project / "plot.txt")
            search.log_metrics({"loss": 2.0}, step=2)
    assert list(home.glob("spool/*/*.jsonl"))
    with pytest.raises(TrackingError, match="cannot be reached"):
        run_stages("train")
    with serving(local, port=port):
        run_stages("train")
        found = find_run(search.run_id)
        assert (found.status, found.text("plot.txt")) == ("FINISHED", "a plot")
        history = open_store().client.get_metric_history(search.run_id, "loss")
        assert [(m.step, m.value) for m in history] == [(0, 4.0), (1, 3.0), (2, 2.0)]
        (row,) = rows()
        assert row.data.tags["pipeline"] == "partial: stopped after train"
    assert not list(home.glob("spool/*/*.jsonl"))


def test_assay_ui_serves_the_store_and_ends_with_its_workers(home, monkeypatch):
    """On 127.0.0.1 alone, and without pickle whatever the environment says."""
    port = free_port()
    words = ["ui", "--no-browser", "--port", str(port)]
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
    ui = subprocess.Popen(
        [sys.executable, "-c", "from assay.cli.main import main; main()", *words],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert ui.stdout is not None
        page = next(line for line in ui.stdout if line.startswith("http")).strip()
        assert page.startswith(f"http://127.0.0.1:{port}/#/experiments/1/runs?workflowType=mach")
        view = page.rpartition("viewStateShareKey=")[2]
        tags = open_store().client.get_experiment("1").tags
        assert "metrics.`log_loss`" in json.loads(tags[f"mlflow.sharedViewState.{view}"])[_COLUMNS]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            assert b"MLflow" in answer.read()
        processes = psutil.Process(ui.pid).children(recursive=True)
        bound = {c.laddr.ip for p in processes for c in p.net_connections() if c.status == "LISTEN"}
        assert bound == {"127.0.0.1"}
        switches = {p.environ().get("MLFLOW_ALLOW_PICKLE_DESERIALIZATION") for p in processes}
        assert switches == {"false"}
        with (
            pytest.raises(TrackingError, match=f"port {port} .* --port"),
            serving(open_store(), port=port),
        ):
            pass
    finally:
        ui.send_signal(signal.SIGTERM)
        assert ui.wait(30) == 143
    server._refuse_busy("127.0.0.1", port)
    assert Path(home / "ui.log").exists()
