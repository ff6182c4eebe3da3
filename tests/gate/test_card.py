"""The card says what is known of a model, and no more."""

from __future__ import annotations

from dataclasses import replace

from assay.gate.brief import brief
from assay.gate.card import Facts, card
from assay.gate.condition import Condition

ECE = {"value": 0.031, "low": 0.02, "high": 0.05}
SCORES = {
    "against_random": {"gain": 1.5, "low": 1.25, "high": 1.75},
    "completeness": {"relative": 0.0123},
    "infidelity": {"median": 0.25},
    "randomisation": None,
}
FACTS = Facts(
    name="churn",
    version="3",
    verdict="champion, because every condition passed",
    task="classification",
    kind="table",
    target="left",
    classes=["no", "yes"],
    inputs=7,
    choices={"data": "churn", "model": "mlp"},
    rows={"train": 650, "valid": 150, "test": 200},
    split_by="the target's values",
    checks=[{"name": "duplicates", "status": "ok", "found": "none"}],
    training={"lr": 0.001},
    metrics={"accuracy": {"value": 0.9, "low": 0.85, "high": 0.94}, "ece": ECE},
    baselines={"trivial": {"accuracy": {"value": 0.6, "low": 0.5, "high": 0.7}}},
    comparisons=["beats guessing"],
    explanations={
        "shap": {**SCORES, "is_additive": True, "verdict": "trustworthy"},
        "attention_rollout": {**SCORES, "is_additive": False, "verdict": "weak, because it is"},
        "agreement": {"median": 0.9, "verdict": "trustworthy"},
    },
    important=[{"feature": "age", "importance": 0.1234, "low": 0.1, "high": 0.15}],
    conditions=[Condition(name="minimum", wanted="0.8", found="0.9", passed=True)],
    calibration={"temperature": 1.7, "log_loss_before": 0.4, "log_loss_after": 0.33},
)


def section(facts: Facts, name: str) -> str:
    return " ".join(card(facts).partition(f"## {name}\n")[2].partition("\n## ")[0].split())


def test_the_temperature_is_told_with_what_it_gained() -> None:
    told = section(FACTS, "Calibration")
    assert "0.031 (0.02 to 0.05)" in told and "divided by 1.7" in told and "0.4 to 0.33" in told
    plain = section(replace(FACTS, calibration={"temperature": 1.0}), "Calibration")
    assert "no temperature did better" in plain


def test_training_is_told_with_how_it_went() -> None:
    learned = ["no sign of overfitting", "with 200 training rows valid log loss is 0.5"]
    told = section(replace(FACTS, learned=learned), "Training")
    assert told == f"lr 0.001. - {learned[0]} - {learned[1]}"


def test_splits_stand_in_the_order_of_their_use() -> None:
    shuffled = replace(FACTS, rows={"test": 200, "train": 650, "valid": 150})
    assert section(shuffled, "Data").startswith("Rows: train 650, valid 150, test 200;")


def test_what_has_no_probabilities_has_no_calibration() -> None:
    numbers = replace(FACTS, task="regression", metrics={"rmse": {"value": 2.0}}, classes=())
    assert "## Calibration" not in card(numbers)


def test_an_explanation_stands_beside_its_scores() -> None:
    told = section(FACTS, "Explanations")
    assert "mean of |SHAP|: age 0.123 (0.1 to 0.15)" in told
    assert "| shap | +1.5 (+1.25 to +1.75) | 1.2% | 0.25 | not measured | trustworthy |" in told
    assert "| attention rollout | +1.5 (+1.25 to +1.75) | no claim |" in told
    assert "- agreement: trustworthy" in told
    assert "## Explanations" not in card(replace(FACTS, explanations={}))


def test_limits_follow_from_what_was_found() -> None:
    told = section(FACTS, "Limits")
    assert "one test split of 200 rows" in told and "looked at" not in told
    assert "No column was named to slice by" in told
    assert "Do not build on its explanations by attention rollout." in told
    parts = [{"column": "region", "value": "north", "rows": 3, "metrics": {}}]
    checks = [{"name": "leaks", "status": "warning", "found": "age"}]
    told = section(replace(FACTS, looks=4, slices=parts, checks=checks), "Limits")
    assert "looked at 4 times" in told
    assert "Too few rows to say anything of region north." in told
    assert "something to say: leaks." in told and "No column was named" not in told


def test_what_a_model_builds_on_may_have_seen_the_test_rows() -> None:
    told = section(replace(FACTS, built_on=["models:/trunk/1", "models:/gan/2"]), "Limits")
    assert "It builds on models:/trunk/1 and models:/gan/2, trained on rows that are not" in told
    assert "builds on" not in section(FACTS, "Limits")


def test_a_model_of_language_is_no_classifier_of_texts() -> None:
    text = replace(FACTS, task="language_modelling", kind="text", target="text", classes=())
    told = card(text)
    assert "how probable each next token of one text is" in told
    assert "assay continue models:/churn/3" in told and "Predicts" not in told
    tagged = card(replace(FACTS, task="tagging", kind="text", target="entity"))
    assert "each token of one text its `entity`, one of 2" in tagged


def test_of_two_classes_the_one_is_named_that_is_looked_for() -> None:
    heading = "Metrics on the sealed test split, with 95 % intervals"
    assert "Precision, recall and f1 are those of `yes`." in section(FACTS, heading)
    assert "are those of" not in section(replace(FACTS, classes=list("abc")), heading)


def test_it_is_told_what_a_file_for_predict_holds() -> None:
    assert "`in.csv` has the columns of the data" in section(FACTS, "To use it")
    tags = replace(FACTS, task="tagging", kind="text", target="", classes=list("abc"))
    assert "Gives each token of one text one of 3 tags." in card(tags)
    assert "in the column `text`, its tokens with spaces between" in section(tags, "To use it")
    for kind, says in (("image", "`pixel_0`"), ("sequence", "in `row`"), ("text", "a text a line")):
        assert says in section(replace(FACTS, kind=kind), "To use it")


def test_a_card_is_made_short_by_whole_sections_and_keeps_the_gate() -> None:
    metrics = {"accuracy": {"value": 0.9, "low": 0.85, "high": 0.94}}
    slices = [
        {"column": "region", "value": str(n), "rows": 30, "metrics": metrics} for n in range(20)
    ]
    whole = card(replace(FACTS, slices=slices))
    assert brief(whole, length=len(whole)) == whole
    short = brief(whole, length=len(whole) - 10)
    assert len(short) < len(whole) - 10
    assert "## By column" not in short and short.endswith("artifacts, also: By column.\n")
    least = brief(whole, length=0)
    for kept in ("# churn, version 3", "## Limits", "| minimum | 0.8 | 0.9 | passed | yes |"):
        assert kept in least
