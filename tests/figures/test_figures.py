"""Every picture is drawn, says what it should, and bears what data can be like."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from assay.figures import classification, comparison, curves, regression, search
from assay.metrics import curves as points
from assay.metrics.scores import score


def _png(figure, tmp_path):
    figure.savefig(tmp_path / "figure.png")
    return (tmp_path / "figure.png").stat().st_size


def _texts(figure):
    found = []
    for axes in figure.axes:
        found += [t.get_text() for t in axes.texts]
        found += [axes.get_title(loc="left"), axes.get_xlabel(), axes.get_ylabel()]
        found += [t.get_text() for t in axes.get_yticklabels()]
    return found


def _outputs(classes, rows=200):
    rng = np.random.default_rng(0)
    target = rng.integers(classes, size=rows)
    output = rng.dirichlet(np.ones(classes), size=rows) + np.eye(classes)[target] * 0.5
    return target, output / output.sum(1, keepdims=True)


def _history(epochs):
    loss = np.exp(-np.arange(epochs, dtype=float))
    columns = {"train_loss": loss, "valid_loss": loss + 0.01, "valid_accuracy": 1 - loss}
    return pd.DataFrame({"epoch": range(1, epochs + 1), **columns})


@pytest.mark.parametrize("epochs", [1, 2, 30])
def test_learning_curves(epochs, tmp_path):
    figure = curves.learning_curves(_history(epochs), kept=epochs, objective="log_loss")
    assert _png(figure, tmp_path) > 5000
    assert {"training", "validation"} <= set(_texts(figure))
    assert f"Loss (weights kept: epoch {epochs})" in _texts(figure)
    assert any(text.startswith("Accuracy, kept ") for text in _texts(figure))


def test_learning_curves_mark_the_weights_kept_and_not_the_lowest_loss(tmp_path):
    history = _history(9)[["epoch", "train_loss", "valid_loss"]].assign(
        valid_frechet=range(9, 0, -1)
    )
    figure = curves.learning_curves(history, kept=4, objective="frechet")
    assert {"Loss (weights kept: epoch 4)", "Fréchet distance, kept 6"} <= set(_texts(figure))
    for axes, name in zip(figure.axes, ("valid_loss", "valid_frechet"), strict=True):
        (marked,) = [line for line in axes.lines if line.get_marker() == "o"]
        assert (*marked.get_xdata(), *marked.get_ydata()) == (4, history[name][3])


def test_learning_curves_without_a_metric(tmp_path):
    history = _history(3)[["epoch", "train_loss", "valid_loss"]]
    same = history.assign(valid_reconstruction_mse=history["valid_loss"])
    figure = curves.learning_curves(same, kept=3, objective="reconstruction_mse")
    assert len(figure.axes) == 1 and _png(figure, tmp_path)


@pytest.mark.parametrize("classes", [2, 7, 30])
def test_pictures_of_a_classifier(classes, tmp_path):
    target, output = _outputs(classes)
    names = [f"class {i}" for i in range(classes)]
    known = {"target": target, "output": output, "classes": names}
    table = points.confusion(**known)
    figure = classification.confusion_matrix(table, classes=names)
    right = int((output.argmax(1) == target).sum())
    assert f"{right} of 200 rows right" in _texts(figure) and _png(figure, tmp_path)
    assert _png(classification.roc_curve(points.roc(**known), area=0.9), tmp_path)
    curve = classification.precision_recall_curve(points.precision_recall(**known), share=None)
    assert _png(curve, tmp_path)
    bins = points.calibration(target=target, output=output, bins=15)
    error = score("classification", target=target, output=output)["ece"]
    figure = classification.reliability(bins, error=error)
    assert f"Calibration, error {error:.3f}" in _texts(figure) and _png(figure, tmp_path)


def test_dollar_signs_are_no_formula(tmp_path):
    names = ["$price ${x}", "rev_$ and x_$"]
    table = pd.DataFrame({"actual": names, "predicted": names})
    figure = classification.confusion_matrix(table, classes=names)
    _png(figure, tmp_path)
    figure.axes[0].set_title("$a_$")
    assert _png(figure, tmp_path)
    assert not any(text.get_parse_math() for text in figure.findobj(Text))


def test_a_loss_over_decades_has_plain_numbers(tmp_path):
    history = _history(30)
    figure = curves.learning_curves(history, kept=30, objective="log_loss")
    _png(figure, tmp_path)
    (axes,) = (a for a in figure.axes if a.get_yscale() == "log")
    labels = [t.get_text() for t in axes.get_yticklabels(which="both")]
    assert any(labels) and not any("$" in text for text in labels)


def test_names_of_many_classes_stay_apart(tmp_path):
    names = [f"L{i:03d}" for i in range(200)]
    table = pd.DataFrame({"actual": names, "predicted": names})
    figure = classification.confusion_matrix(table, classes=names)
    figure.draw_without_rendering()
    labels = figure.axes[0].get_yticklabels()
    assert [label.get_text() for label in labels[:2]] == ["L000", "L004"]
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.y0)
    assert all(low.y1 <= high.y0 + 1 for low, high in pairwise(boxes))


def test_a_class_has_one_colour_in_both_curves():
    target, output = _outputs(3)
    known = {"target": target, "output": output, "classes": ("a", "b", "c")}
    drawn = [
        classification.roc_curve(points.roc(**known), area=0.9),
        classification.precision_recall_curve(points.precision_recall(**known), share=None),
    ]
    colors = [
        {line.get_label()[0]: line.get_color() for line in figure.axes[0].get_lines()}
        for figure in drawn
    ]
    assert all(colors[0][name] == colors[1][name] for name in "abc")
    assert len({colors[0][name] for name in "abc"}) == 3


def test_pictures_of_one_class_are_empty_but_drawn(tmp_path):
    known = {"target": np.zeros(3, int), "output": np.full((3, 2), 0.5), "classes": ("a", "b")}
    assert _png(classification.roc_curve(points.roc(**known), area=None), tmp_path)
    recall = points.precision_recall(**known)
    assert _png(classification.precision_recall_curve(recall, share=0.0), tmp_path)


@pytest.mark.parametrize("rows", [1, 5, 100, 5000])
def test_residuals(rows, tmp_path):
    rng = np.random.default_rng(0)
    table = points.residuals(target=rng.normal(size=rows), output=rng.normal(size=rows))
    figure = regression.residual_plots(table, target="price")
    assert "predicted price" in _texts(figure) and _png(figure, tmp_path)


def test_forest_names_every_model_and_what_is_undefined(tmp_path):
    known = {"value": 0.8, "low": 0.7, "high": 0.9}
    none = {"value": None, "low": None, "high": None, "reason": "one class"}
    scores = {"model": {"accuracy": known, "roc_auc": none}, "linear": {"accuracy": known}}
    figure = comparison.forest(scores, metrics={"accuracy": "more", "roc_auc": "more"})
    assert {"model", "linear", "undefined", "more is better"} <= set(_texts(figure))
    assert _png(figure, tmp_path)


@pytest.mark.parametrize("direction", ["minimize", "maximize"])
def test_search_history_marks_the_best_and_cuts_off_the_hopeless(direction, tmp_path):
    sign = 1 if direction == "minimize" else -1
    value = sign * np.array([0.5, 0.4, 900.0, 0.3, 0.45, np.nan])
    state = ["complete", "complete", "complete", "complete", "pruned", "failed"]
    trials = pd.DataFrame({"number": range(6), "value": value, "state": state})
    figure = search.history(trials, objective="log_loss", direction=direction)
    assert any("(trial 3)" in text for text in _texts(figure))
    low, high = figure.axes[0].get_ylim()
    assert low < sign * 0.3 < high and high - low < 10
    assert _png(figure, tmp_path)


def test_search_history_of_no_finished_trial(tmp_path):
    trials = pd.DataFrame({"number": [0], "value": [np.nan], "state": ["failed"]})
    assert _png(search.history(trials, objective="rmse", direction="minimize"), tmp_path)


def test_pyplot_is_not_imported():
    code = (
        "import sys, assay.figures.classification, assay.figures.regression, assay.figures.search,"
        "assay.figures.comparison, assay.figures.curves; print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert "matplotlib.figure" in loaded.split()
    assert not {"matplotlib.pyplot", "torch"} & set(loaded.split())
