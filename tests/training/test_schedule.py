from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.training.knobs import ScheduleName
from assay.training.schedule import factor

NAMES = get_args(ScheduleName)


@given(name=st.sampled_from(NAMES), steps=st.integers(1, 500), warmup=st.floats(0, 0.9))
def test_the_factor_is_above_zero_and_at_most_one(name, steps, warmup):
    values = [factor(name, step=step, steps=steps, warmup=warmup) for step in range(steps)]
    assert all(0 < value <= 1 for value in values)


@pytest.mark.parametrize("name", [n for n in NAMES if n != "onecycle"])
def test_it_rises_during_the_warm_up_and_never_after(name):
    values = [factor(name, step=step, steps=200, warmup=0.1) for step in range(200)]
    assert values[:20] == sorted(values[:20])
    assert values[20] == 1
    assert values[20:] == sorted(values[20:], reverse=True)


def test_one_cycle_rises_and_falls():
    values = [factor("onecycle", step=step, steps=100, warmup=0) for step in range(100)]
    top = values.index(max(values))
    assert 28 <= top <= 31
    assert values[:top] == sorted(values[:top])
    assert values[top:] == sorted(values[top:], reverse=True)


def test_steps_fall_by_tenths():
    values = [factor("step", step=step, steps=100, warmup=0) for step in (0, 49, 50, 74, 75, 99)]
    assert values == [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]
