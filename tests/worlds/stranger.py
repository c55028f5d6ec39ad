"""A stranger's package on sys.path: modules and entry points, without an installation."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from imageledger import plugins


def install(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    group: str,
    offers: Mapping[str, str],
    name: str = "stranger",
    **modules,
) -> Path:
    """Make a package `name` that announces {entry: "module:attribute"} in a group; modules are given as text."""
    site = folder / f"site-{name}"
    facts = site / f"{name}-1.0.dist-info"
    facts.mkdir(parents=True)
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [f"{entry} = {address}" for entry, address in offers.items()]
    (facts / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
    for module, text in modules.items():
        (site / f"{module}.py").write_text(text)
        monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=":")
    plugins.announced.cache_clear()
    return site
