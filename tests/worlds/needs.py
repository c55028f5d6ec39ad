"""Tests of packages that may be absent."""

from importlib.util import find_spec

import pytest


def needs(*packages: str) -> None:
    """Skip the tests of the file that calls it unless every package is installed.

    Unlike pytest.importorskip it imports none of them: every worker collects all files, and torch takes seconds.
    """
    for package in packages:
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed", allow_module_level=True)
