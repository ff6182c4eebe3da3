"""Write docs/licences.md: every package of constraints.txt with its version and licence.

``python scripts/licences.py`` writes it; with ``--check`` it says only whether it is up to date.
"""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"
# What may be used, whatever is made of it; a licence is one of these or names them, joined.
ACCEPTED = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CNRI-Python",
        "EPL-1.0", "EPL-2.0", "GPL-2.0-only", "GPL-2.0-or-later", "ISC", "LLVM-exception", "MIT", "MIT-0",
        "MIT-CMU", "MPL-2.0", "PSF-2.0", "ZPL-2.1", "Zlib",
    }
)  # fmt: skip
# Come with DVC, which Assay runs as a command and never imports; the licence of each leaves a choice
# or, for pygit2, excepts those who only link to it.
COPYLEFT = frozenset({"asyncssh", "dulwich", "grandalf", "pygit2"})
# Whose metadata names no licence, or not all of it; read in the LICENSE files that they bring.
READ = {
    "aeon": "BSD-3-Clause",
    "grandalf": "GPL-2.0-only OR EPL-1.0",
    "huey": "MIT",
    "skops": "MIT",
}
_NAMES = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache 2.0 license": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "bsd license": "BSD",
    "gplv2 with linking exception": "GPL-2.0-only",
    "isc license (iscl)": "ISC",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "new bsd": "BSD-3-Clause",
    "python software foundation license": "PSF-2.0",
    "zope public license": "ZPL-2.1",
}
_PIN = re.compile(r"[\w.-]+==[\w.]+")
_WORDS = re.compile(r"\s+(?:AND|OR|WITH)\s+|[()]|;\s*|/")


def pinned() -> dict[str, str]:
    """Return the version of each package that constraints.txt pins."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if _PIN.fullmatch(line))


def licence_of(name: str) -> str:
    """Return the licence that a package's metadata gives, by its usual short name; "unknown" if none."""
    if name in READ:
        return READ[name]
    try:
        facts = metadata(name)
    except PackageNotFoundError:
        return "not installed"
    given = facts.get("License-Expression") or _classified(facts.get_all("Classifier") or [])
    stated = (facts.get("License") or "").strip()
    if not given and stated and len(stated.splitlines()) == 1 and len(stated) < 80:
        given = stated
    return _NAMES.get(given.strip().lower(), given.strip()) or "unknown"


def _classified(classifiers: list[str]) -> str:
    found = [c.split(" :: ")[-1] for c in classifiers if c.startswith("License :: ")]
    named = [_NAMES.get(c.lower(), c) for c in found if c != "OSI Approved"]
    return " AND ".join(dict.fromkeys(named))


def strange_words(licence: str) -> list[str]:
    """Return the parts of a licence that are not accepted."""
    parts = [part.strip() for part in _WORDS.split(licence) if part and part.strip()]
    return [part for part in parts if _NAMES.get(part.lower(), part) not in ACCEPTED]


def page() -> str:
    """Return the page's text."""
    rows = [f"| {name} | {version} | {licence_of(name)} |" for name, version in pinned().items()]
    head = [
        "# Licences of what Assay installs",
        "",
        "Made by `python scripts/licences.py` from the packages' own metadata and, where that is silent, "
        "from the licence files that they bring.",
        "",
        f"Copyleft: {', '.join(sorted(COPYLEFT))}. They come with DVC, which Assay runs as a command and "
        "never imports.",
        "",
        "| package | version | licence |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows, ""])


def main() -> None:
    """Write the page, or compare it."""
    if "--check" not in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.exit("docs/licences.md is not up to date: run 'python scripts/licences.py'")


if __name__ == "__main__":
    main()
