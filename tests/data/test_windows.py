"""Windows over time: what they hold, what is left out, and that nothing later leaks into them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.data.axis import on_regular_axis
from assay.data.co2 import Co2
from assay.data.raw import Raw
from assay.data.series_csv import SeriesCsv
from assay.data.spec import required
from assay.data.splitting import Splitting
from assay.data.windows import Windows, cut, filled
from assay.errors import ConfigError, DataError
from assay.split.assign import assign

KNOBS = Windows(window=6, horizon=3, season=2)


def _table(steps: int = 60, **gaps: list[int]) -> pd.DataFrame:
    """Each value says where it is from: the step, and 1000 more for a covariate."""
    times = pd.date_range("2020-01-01", periods=steps, freq="D")
    table = pd.DataFrame({"y": np.arange(steps, dtype=float)}, index=times)
    table["x"] = table["y"] + 1000
    for name, places in gaps.items():
        table.iloc[places, table.columns.get_loc(name)] = np.nan
    return table


def _seen(raw: Raw) -> np.ndarray:
    return required(raw.series).padded(np.arange(len(raw.frame)))


def test_a_window_holds_the_steps_before_a_moment_and_its_target_those_after() -> None:
    raw = cut(_table(), series=("y",), knobs=KNOBS, source="x")
    seen, ahead = _seen(raw), np.asarray(raw.targets)
    assert seen.shape == (52, 6, 2) and ahead.shape == (52, 3, 1)
    np.testing.assert_array_equal(seen[10, :, 0], np.arange(10, 16))
    np.testing.assert_array_equal(seen[10, :, 1], np.arange(1010, 1016))
    np.testing.assert_array_equal(ahead[10, :, 0], [16, 17, 18])
    assert raw.frame.iloc[10].tolist() == ["2020-01-11", "2020-01-16", "2020-01-19"]


def test_short_gaps_take_the_value_before_and_others_leave_windows_out_and_say_so() -> None:
    table = _table(y=[20, 21], x=list(range(40, 46)))
    raw = cut(table, series=("y",), knobs=Windows(window=6, horizon=3, longest_gap=2), source="x")
    starts = required(raw.forecast).starts.tolist()
    is_open = [s for s in range(52) if {20, 21} & set(range(s + 6, s + 9))]
    is_torn = [s for s in range(52) if len({*range(40, 46)} & set(range(s, s + 6))) > 2]
    assert starts == [s for s in range(52) if s not in {*is_open, *is_torn}]
    assert len(raw.notes) == 2 and raw.notes[0].startswith(f"{len(is_open)} of 52 windows")
    row = starts.index(17)
    np.testing.assert_array_equal(_seen(raw)[row, :, 0], [17, 18, 19, 19, 19, 22])


@given(st.lists(st.booleans(), min_size=4, max_size=12))
@settings(max_examples=50, deadline=None)
def test_filling_takes_nothing_from_later_than_the_first_known_value(missing: list[bool]) -> None:
    values = np.where(missing, np.nan, np.arange(len(missing), dtype=float))
    found = filled(values[None, :, None])[0, :, 0]
    known = np.flatnonzero(~np.isnan(values))
    for step, value in enumerate(found):
        before = known[known <= step]
        expected = before[-1] if before.size else known[0] if known.size else np.nan
        np.testing.assert_equal(value, float(expected))


@given(
    st.integers(100, 150),
    st.integers(2, 8),
    st.integers(1, 5),
    st.booleans(),
    st.sampled_from([(0.2, 0.2), (0.15, 0.3)]),
)
@settings(max_examples=40, deadline=None)
def test_no_step_that_is_tested_on_was_seen_in_training(
    steps: int, window: int, horizon: int, look_back: bool, shares: tuple[float, float]
) -> None:
    knobs = Windows(window=window, horizon=horizon, look_back=look_back)
    raw = cut(_table(steps), series=("y",), knobs=knobs, source="x")
    splitting = Splitting(valid=shares[0], test=shares[1])
    labels = assign(raw, splitting=splitting, task="forecasting")
    seen, ahead = _seen(raw)[:, :, 0], np.asarray(raw.targets)[:, :, 0]
    used = {
        name: set(np.concatenate([seen[labels == name], ahead[labels == name]], axis=1).ravel())
        for name in ("train", "valid", "test")
    }
    later = {name: set(ahead[labels == name].ravel()) for name in used}
    assert not used["train"] & later["valid"] and not used["train"] & later["test"]
    assert not used["valid"] & later["test"]
    if not look_back:
        assert not used["train"] & used["valid"] and not used["valid"] & used["test"]
    assert max(used["train"]) < min(later["valid"]) and max(later["valid"]) < min(later["test"])


def test_a_split_without_windows_says_how_to_get_some() -> None:
    raw = cut(_table(40), series=("y",), knobs=KNOBS, source="x")
    with pytest.raises(DataError, match=r"no rows for valid .*data\.windows\.look_back=true"):
        assign(raw, splitting=Splitting(valid=0.1), task="forecasting")
    with pytest.raises(ConfigError, match="divided by time"):
        assign(raw, splitting=Splitting(by="random"), task="forecasting")


def test_windows_that_cannot_be_cut_are_refused_with_the_knob_that_mends_it() -> None:
    with pytest.raises(ConfigError, match=r"data\.windows\.season"):
        Windows(window=10, season=12)
    with pytest.raises(DataError, match="8 steps are fewer"):
        cut(_table(8), series=("y",), knobs=KNOBS, source="x")
    with pytest.raises(DataError, match="none of 52 windows is whole: 52 miss"):
        cut(_table(y=list(range(60))), series=("y",), knobs=KNOBS, source="x")


@pytest.mark.parametrize("step", ["h", "D", "B", "W-SUN", "MS", "ME", "QS"])
def test_the_step_of_times_is_found_across_gaps(step: str) -> None:
    times = pd.date_range("2021-01-01", periods=40, freq=step)
    table = pd.DataFrame({"y": np.arange(40.0)}, index=times)
    found = on_regular_axis(table.drop(times[[5, 6, 20]]), every="auto")
    assert list(found.index) == list(times)
    assert np.flatnonzero(found["y"].isna()).tolist() == [5, 6, 20]


def test_times_that_go_by_no_step_are_refused() -> None:
    days = pd.to_datetime(["2020-01-01", "2020-01-02", "2020-01-05"])
    times = days.insert(2, pd.Timestamp("2020-01-02 07:13"))
    with pytest.raises(DataError, match="no regular step"):
        on_regular_axis(pd.DataFrame({"y": range(4)}, index=times), every="auto")
    with pytest.raises(DataError, match="does not lie on the steps"):
        on_regular_axis(pd.DataFrame({"y": range(4)}, index=times), every="D")


def _long(tmp_path, **lengths: int) -> str:
    lines = ["day,shop,sold,price"]
    for shop, days in lengths.items():
        for day in pd.date_range("2020-01-01", periods=days):
            lines.append(f"{day:%Y-%m-%d},{shop},{len(lines)},{days}")
    (tmp_path / "sales.csv").write_text("\n".join(lines) + "\n")
    return str(tmp_path / "sales.csv")


def _sales(path: str, **knobs) -> SeriesCsv:
    known = {"time": "day", "target": "sold", "series": "shop", "windows": KNOBS}
    return SeriesCsv(path=path, **{**known, **knobs})


def test_a_long_table_becomes_series_side_by_side_with_their_covariates(tmp_path) -> None:
    raw = _sales(_long(tmp_path, east=30, west=30), covariates=("price",)).read()
    assert required(raw.forecast).series == ("east", "west")
    assert raw.channels == ("east", "west", "east price", "west price")
    assert np.asarray(raw.targets).shape == (22, 3, 2)


def test_series_that_are_too_short_are_named_and_refused_or_dropped(tmp_path) -> None:
    path = _long(tmp_path, east=30, west=5)
    with pytest.raises(DataError, match=r"1 of 2 series .* 'west' \(5 steps\).*data\.short=drop"):
        _sales(path).read()
    raw = _sales(path, short="drop").read()
    assert required(raw.forecast).series == ("east",) and "'west' (5 steps)" in raw.notes[0]


def test_a_time_that_comes_twice_is_named(tmp_path) -> None:
    path = _long(tmp_path, east=30, west=30)
    with pytest.raises(DataError, match=r"30 lines repeat a time.*row 31 .*data\.series"):
        _sales(path, series=None).read()


def test_a_wide_table_of_counted_steps(tmp_path) -> None:
    lines = ["t,a,b", *(f"{10 * t},{t},{-t}" for t in range(40) if t != 7)]
    (tmp_path / "w.csv").write_text("\n".join(lines) + "\n")
    data = SeriesCsv(path=str(tmp_path / "w.csv"), time="t", target=("a", "b"), windows=KNOBS)
    raw = data.read()
    assert raw.channels == ("a", "b") and required(raw.forecast).steps == 40
    assert raw.frame["origin"].iloc[0] == 70  # step 7 is in no window's future


def test_co2_is_weekly_with_gaps_and_none_is_forecast() -> None:
    raw = Co2(windows=Windows(window=104, horizon=12, season=52)).read()
    assert required(raw.forecast).steps == 2284
    assert not np.isnan(np.asarray(raw.targets)).any()
    assert len(raw.frame) == 1882 and "170 of 2169" in raw.notes[0]
