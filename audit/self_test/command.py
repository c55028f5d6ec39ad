"""The command `audit self-test`: it parses, calls one function and prints."""

from pathlib import Path

import click

from imageledger import console


@click.command("self-test")
@click.option("--quick", is_flag=True, help="Fewer pictures, plants and empty sets.")
@click.option("--seed", type=int, default=42, show_default=True, help="Fixes pictures, plants and permutations.")
@console.json_option
@console.everywhere
def self_test(quick: bool, seed: int, as_json: bool, project: Path | None) -> None:
    """Plant known shortcuts, and none, and count what `audit shortcuts` finds.

    Inside a project the plants go into its own pictures; outside one, into drawn portraits. Exits with 3 when the
    audit misses a plant, or finds one that is not there, more often than it may.

    \b
    audit self-test --quick
    audit self-test --json | jq .passed
    """
    import json

    from audit.self_test import work
    from imageledger.config import find_root, open_project
    from imageledger.engines.local import cores
    from imageledger.errors import ConfigError, GateFailed

    try:
        root = find_root((project or Path.cwd()).resolve())
    except ConfigError:
        if project:
            raise
        opened = None  # outside a project the test draws its own portraits
    else:
        opened = open_project(root)
    report = work.run(
        opened, quick=quick, seed=seed, workers=cores(),
        track=lambda rows, total: console.track(rows, total, "self-test"),
    )  # fmt: skip
    if as_json:
        told = {"plants": report.rows(), "sentences": report.sentences, "passed": report.passed}
        console.result(json.dumps(told, ensure_ascii=False, indent=2))
    else:
        console.table(report.rows())
        for sentence in report.sentences:
            console.result(sentence)
    if not report.passed:
        raise GateFailed("the audit of shortcuts was not right about itself", "the lines above say where")
