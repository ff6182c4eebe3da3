"""The temperature is found again where there is one, and left alone where it does not pay."""

import numpy as np
import pytest

from assay.export.calibration import fit_temperature


def _rows(count, *, temperature, seed=0):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (count, 4))
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    target = np.array([rng.choice(4, p=p) for p in probabilities])
    return logits * temperature, target


@pytest.mark.parametrize("temperature", [0.5, 3.0])
def test_the_temperature_is_found_again(temperature):
    found = fit_temperature(*_rows(3000, temperature=temperature))
    assert found.temperature == pytest.approx(temperature, rel=0.1)
    assert found.log_loss_after < found.log_loss_before


def test_nothing_is_fitted_where_it_does_not_pay():
    found = [fit_temperature(*_rows(400, temperature=1.0, seed=s)).temperature for s in range(20)]
    assert sum(temperature == 1.0 for temperature in found) >= 10
    assert all(0.7 < temperature < 1.4 for temperature in found)


def test_rows_that_are_all_right_do_not_make_the_model_bold():
    logits, _ = _rows(200, temperature=1.0)
    assert fit_temperature(logits, logits.argmax(1)).temperature == 1.0


def test_few_rows_are_left_alone():
    assert fit_temperature(*_rows(20, temperature=3.0)).temperature == 1.0
