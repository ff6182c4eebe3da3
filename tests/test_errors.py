"""What ends a command: one message, one status."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from assay.errors import ConfigError, DataError, Terminated, exit_plainly, nearest


@pytest.fixture(autouse=True)
def _handlers_are_put_back() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("name", "valid", "expected"),
    [
        ("digts", ["digits", "diabetes"], "; did you mean 'digits'?"),
        ("TARGET ", ["target", "id"], "; did you mean 'target'?"),
        ("churned", ["Churned "], "; did you mean 'Churned '?"),
        ("zzz", ["b", "a"], "; there is: a, b"),
        ("zzz", [], ""),
        (True, ["data"], "; there is: data"),
    ],
)
def test_the_nearest_name_is_told(name: object, valid: list[str], expected: str) -> None:
    assert nearest(name, valid) == expected


def test_of_many_names_the_first_are_told() -> None:
    said = nearest("zzz", [f"column_{i:03d}" for i in range(500)])
    assert said.endswith("column_019 and 480 more")


def test_several_problems_are_counted_and_listed() -> None:
    error = ConfigError(["a: wrong", "b: wrong"])
    assert str(error) == "the configuration has 2 problems:\n  - a: wrong\n  - b: wrong"
    assert str(ConfigError(["a"])).startswith("the configuration has 1 problem:")


def _raise(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


def _send(number: int) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("act", "status", "message"),
    [
        (_raise(DataError("no rows")), 1, "prepare: no rows"),
        (_raise(KeyboardInterrupt()), 130, "prepare: interrupted"),
        (_raise(Terminated()), 143, "prepare: terminated"),
        (_send(signal.SIGTERM), 143, "prepare: terminated"),
        (_send(signal.SIGHUP), 143, "prepare: terminated"),
    ],
)
def test_what_ends_a_command_is_a_message_and_a_status(
    act: Callable[[], None], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, exit_plainly("prepare"):
        act()
    assert ended.value.code == status
    assert capsys.readouterr().err == f"\n{message}\n"


def test_a_defect_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError), exit_plainly("prepare"):
        _ = 1 / 0
    monkeypatch.setenv("ASSAY_TRACEBACK", "1")
    with pytest.raises(DataError), exit_plainly("prepare"):
        raise DataError("no rows")


def test_an_end_that_comes_as_several_signals_is_raised_once() -> None:
    done = []
    with pytest.raises(SystemExit), exit_plainly("prepare"):
        try:
            os.kill(os.getpid(), signal.SIGHUP)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("unwound")
    assert done == ["unwound"]


def test_a_closed_terminal_is_ignored_where_nohup_has_it_so() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with exit_plainly("prepare"):
        os.kill(os.getpid(), signal.SIGHUP)


def test_a_message_shows_no_password(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), exit_plainly("x"):
        raise DataError("http://ann:hunter2@host does not answer to api_key=hunter2")
    assert capsys.readouterr().err == "\nx: http://***@host does not answer to api_key=***\n"
