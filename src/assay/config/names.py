"""What a single value of the whole configuration may be: a name for the registry, a plain number."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator

_LONGEST = 100
_NAME = re.compile(r"\w[\w .+()-]*")


def _registrable(name: str) -> str:
    if len(name) > _LONGEST or not _NAME.fullmatch(name):
        shown = f"{name[:_LONGEST]}..." if len(name) > _LONGEST else name
        raise ValueError(
            f"expected at most {_LONGEST} letters, digits, blanks and any of . _ + - ( ), "
            f"beginning with a letter or digit; got {shown!r}: folders and addresses are made of it"
        )
    return name


def no_boolean(value: Any) -> Any:
    """Refuse yes and no, which pydantic takes for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError(f"the value should be a number; got {value!r}")
    return value


Name = Annotated[str, AfterValidator(_registrable)]
"""A name under which a model can be registered; no path, and nothing that an address parses."""
