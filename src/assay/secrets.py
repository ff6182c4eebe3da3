"""What looks like a secret, by its name or in an address, and the same text without it.

A name is read word by word, ``dbPassword`` as ``db-password``: the last word decides, so that
``token_dropout``, ``max_tokens`` and ``password_env`` are names like any other.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any

MASK = "***"
_ALWAYS = {
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "secrets",
    "credential",
    "credentials",
    "apikey",
    "authorization",
}
# A key is one only of these kinds; a token is none of these, which a network reads.
_KEYS = {"api", "access", "secret", "private", "signing", "encryption", "auth", "account", "master"}
_TEXT_TOKENS = {
    *("pad", "cls", "class", "sep", "mask", "unk", "unknown", "oov", "eos", "bos", "sos", "eot"),
    *("start", "end", "begin", "special", "prefix", "suffix", "next", "first", "last", "padding"),
    *("image", "patch", "word", "register", "distillation", "time", "position", "query", "per"),
}
_WHERE = {"env", "file", "path", "folder", "name", "variable"}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PLACEHOLDER = re.compile(r"[<\[({|].*[>\])}|]")
_USER = re.compile(r"(\w+://)[^/@\s]*:[^/@\s]*@")
_NAME = re.compile(r"(\w+://)[^/@\s]+@")
_QUERY = re.compile(r"(?i)([?&][\w-]*(?:pass|token|secret|key|signature|sig)[\w-]*)=[^&\s'\"]+")
_PAIR = re.compile(r"([A-Za-z_][\w.-]*)=('[^']*'|\"[^\"]*\"|[^\s&,;'\"\])}]+)")
_MEMBER = re.compile(r"\"([\w.-]+)\"(\s*:\s*)\"((?:[^\"\\]|\\.)*)\"")
_LINE = re.compile(r"^([ \t-]*[\"']?)([\w.-]+)([\"']?:[ \t]+)(\S.*)$", re.MULTILINE)


def is_secret_name(name: str) -> bool:
    """Tell whether a (dotted) name is one under which a secret would lie."""
    *above, last = name.split(".")
    words = [word.lower() for word in _WORDS.findall(last)]
    if not words or words[-1] in _WHERE:
        return False
    inside = any(set(_words(part)[-1:]) & {"secrets", "credentials"} for part in above)
    return inside or _ends_as_secret([word for word in words if not word.isdigit()])


def is_secret(name: str, value: object) -> bool:
    """Tell whether a value is a secret that must not be kept: by its name, or as an address."""
    if value is None or isinstance(value, (bool, Mapping, list, tuple)) or value == "":
        return False
    is_address = isinstance(value, str) and bool(_USER.search(value) or _in_query(value))
    return is_address or _is_named(name, value)


def shown(name: str, value: object) -> str:
    """Return a value as text, blotted out where its name or the text says that it is secret."""
    text = "" if value is None else str(value)
    return MASK if text and _is_named(name, value) else masked(text)


def secrets_of(node: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the dotted key of each secret in nested mappings and lists."""
    for key, value in node.items():
        yield from _secrets_in(f"{prefix}{key}", value)


def masked(text: str) -> str:
    """Return a text with the secrets of addresses and of ``name=value`` blotted out."""
    text = _QUERY.sub(rf"\1={MASK}", _NAME.sub(rf"\1{MASK}@", text))
    return _PAIR.sub(lambda m: f"{m[1]}={MASK}" if _is_named(m[1], _bare(m[2])) else m[0], text)


def masked_lines(text: str) -> str:
    """Return YAML or JSON with the values under names of secrets blotted out."""

    def line(found: re.Match[str]) -> str:
        before, name, between, value = found.groups()
        comma = "," if value.endswith(",") else ""
        is_mapping = value.rstrip(",") in ("{", "[", "{}", "[]")
        if is_mapping or not _is_named(name, _bare(value.removesuffix(","))):
            return found[0]
        return f"{before}{name}{between}'{MASK}'{comma}".replace(
            "'", '"' if '"' in between else "'"
        )

    def member(found: re.Match[str]) -> str:
        name, between, value = found.groups()
        return f'"{name}"{between}"{MASK}"' if _is_named(name, value) else found[0]

    return masked(_LINE.sub(line, _MEMBER.sub(member, text)))


class Masking(logging.Filter):
    """A filter of a log's handler that blots out secrets in every message."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Put the masked message in the place of the record's own; never drop one."""
        record.msg, record.args = masked(record.getMessage()), None
        return True


def mask_logs() -> None:
    """Mask what the handlers of the root logger write."""
    for handler in logging.getLogger().handlers:
        if not any(isinstance(f, Masking) for f in handler.filters):
            handler.addFilter(Masking())


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORDS.findall(name)]


def _ends_as_secret(words: list[str]) -> bool:
    last, before = words[-1:], words[-2:-1]
    if not last:
        return False
    if last[0] in _ALWAYS or "".join(words[-2:]) in _ALWAYS:
        return True
    if last[0] == "key":
        return bool(set(before) & _KEYS)
    return last[0] in ("token", "bearer") and not set(before) & _TEXT_TOKENS


def _is_named(name: str, value: object) -> bool:
    if isinstance(value, bool) or value in (None, ""):
        return False
    return is_secret_name(name) and not _is_harmless(name, value)


def _is_harmless(name: str, value: object) -> bool:
    """A number under ``token`` and a placeholder such as ``<pad>`` are the vocabulary's."""
    if _words(name.split(".")[-1])[-1:] != ["token"]:
        return False
    return not isinstance(value, str) or bool(_PLACEHOLDER.fullmatch(value)) or value.isdigit()


def _in_query(value: str) -> bool:
    return "://" in value and bool(_QUERY.search(value))


def _bare(value: str) -> str:
    return value.strip().strip("'\"")


def _secrets_in(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from secrets_of(value, f"{key}.")
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _secrets_in(key, item)
    elif is_secret(key, value):
        yield key
