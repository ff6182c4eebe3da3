"""Names and texts in which a secret lies, and those that only look so."""

from __future__ import annotations

import io
import logging

import pytest
import yaml

from assay.secrets import Masking, is_secret, is_secret_name, masked, masked_lines, secrets_of


@pytest.mark.parametrize(
    "name",
    [
        *("password", "passwd", "db_password", "dbPassword", "DB-PASSWORD", "data.password", "pwd"),
        *(
            "token",
            "api_token",
            "accessToken",
            "hf-token",
            "GITHUB_TOKEN",
            "secret",
            "clientSecret",
        ),
        *(
            "api_key",
            "apiKey",
            "apikey",
            "API_KEY",
            "access_key",
            "accessKey",
            "AWSSecretAccessKey",
        ),
        *("secret_key", "private-key", "credential", "credentials", "gcp_credentials", "password2"),
        *("credentials.user", "data.secrets.value", "Authorization", "passphrase", "api_key_2"),
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)
    assert is_secret(name, "hunter2")


@pytest.mark.parametrize(
    "name",
    [
        *("token_dropout", "tokens", "max_tokens", "tokenizer", "token_count", "password_env"),
        *("api_key_env", "tokenEnv", "credentials_file", "token_path", "secretary", "keyboard"),
        *("key", "key_size", "foreign_key", "sort_key", "pad_token", "cls_token", "maskToken"),
        *("passes", "bypass", "lr", "compass", "secret_name", "tokens_per_batch", "passenger"),
        *("path", "target", "", "training.lr", "first_token", "credentials.file"),
    ],
)
def test_names_that_hold_none(name: str) -> None:
    assert not is_secret_name(name)
    assert not is_secret(name, "hunter2")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("password", None), ("password", ""), ("secret", True), ("token", 3), ("token", "<pad>")),
        *(("data.url", "https://host/x?a=1"), ("data.url", "ssh://git@host/x"), ("token", "12")),
    ],
)
def test_values_that_are_none(name: str, value: object) -> None:
    assert not is_secret(name, value)


@pytest.mark.parametrize(
    "value", ["https://ann:pw@host/x", "s3://b/x?X-Amz-Signature=ab", "http://h/?api_key=1"]
)
def test_addresses_that_hold_one(value: str) -> None:
    assert is_secret("data.url", value)
    assert "***" in masked(value)


def test_a_tree_tells_the_keys_of_its_secrets() -> None:
    tree = {
        "data": {"url": ["http://a:b@c"], "password": 12, "user": "ann"},
        "credentials": {"user": "x", "file": "y"},
        "model": {"token": 1},
    }
    assert list(secrets_of(tree)) == ["data.url", "data.password", "credentials.user"]


def test_texts_are_masked_and_keep_the_rest() -> None:
    text = "data=csv +data.password='a b' api_key=\"x\" lr=0.1 max_tokens=5 see http://u:p@h/x"
    assert masked(text) == (
        "data=csv +data.password=*** api_key=*** lr=0.1 max_tokens=5 see http://***@h/x"
    )


def test_yaml_is_masked_line_by_line_and_stays_yaml() -> None:
    tree = {
        "data": {"password": "a: b", "url": "http://a:b@c", "n": 3, "api-key": "x" * 100},
        "set": [{"token": "abc"}, {"pad_token": "abc"}],
        "secrets": {},
    }
    shown = yaml.safe_load(masked_lines(yaml.safe_dump(tree, width=1000)))
    assert shown["data"] == {"password": "***", "url": "http://***@c", "n": 3, "api-key": "***"}
    assert shown["set"] == [{"token": "***"}, {"pad_token": "abc"}]
    assert masked_lines('{\n  "password": "x",\n  "lr": 1\n}') == (
        '{\n  "password": "***",\n  "lr": 1\n}'
    )


def test_logs_are_masked() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(Masking())
    log = logging.Logger("x")
    log.addHandler(handler)
    log.warning("cannot reach %s with %s", "http://ann:pw@h", "password=x")
    assert stream.getvalue() == "cannot reach http://***@h with password=***\n"
