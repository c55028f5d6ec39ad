"""A burst whose kept picture cannot be cut out loses that picture, not all of its copies."""

from dataclasses import replace

import pytest
from drawn import encoded, fetched, portrait
from PIL import Image
from whiten_world import project_at

from curate.matting.judge import Judged
from curate.normalize.settings import NormalizeSettings
from curate.normalize.work import normalize
from curate.whiten import work as stage
from curate.whiten.siblings import Families, brought_in
from curate.whiten.work import WhitenSettings, whiten
from imageledger import manifest
from imageledger.manifest import Card
from imageledger.record import Record

GRABCUT = WhitenSettings(matting="grabcut")


def row(name, status="ok", of="", side=10, label="real"):
    return Record(
        source="s", member=name, file=f"{name}.png", label=label, status=status, width=side, height=side,
        duplicate_of=of,
    )  # fmt: skip


def test_the_next_best_copy_is_tried_only_where_all_better_ones_failed():
    kept, small, large = row("a"), row("b", "duplicate", "s#a", 5), row("c", "duplicate", "s#a", 9)
    other = row("d", "duplicate", "s#a", 20, "ai")
    assert (kept.name, other.duplicate_of) == ("s#a", "s#a")
    families = Families(lambda: [kept, small, large, other])
    assert families.promoted({}) == set()
    assert families.promoted({kept.key: kept}) == set()
    bad = replace(kept, status="rejected")
    assert families.promoted({kept.key: bad}) == {large.key}
    assert families.promoted({kept.key: bad, large.key: replace(large, status="ok")}) == {large.key}
    assert families.promoted({kept.key: bad, large.key: replace(large, status="rejected")}) == {large.key, small.key}
    same = replace(large, member="e", file=kept.file)
    assert Families(lambda: [kept, same]).promoted({kept.key: bad}) == set()
    tried = brought_in(large, {large.key})
    assert (tried.status, tried.duplicate_of, tried.reason) == ("ok", "", "")
    assert brought_in(small, {large.key}) is small


@pytest.fixture
def burst(tmp_path, monkeypatch):
    """A burst: the kept picture shows a wall alone, its two copies a person; and a person of the other class."""
    monkeypatch.chdir(tmp_path)
    project = project_at(tmp_path)
    wall = encoded(Image.linear_gradient("L").resize((200, 200)).convert("RGB"))
    people = [encoded(portrait(n, 200)[0]) for n in range(3)]
    fetched(project, {"real/a": wall, "real/b": people[0], "real/c": people[1], "ai/d": people[2]})
    path = normalize(project, NormalizeSettings(detector="cascade", size=96), workers=1).path
    rows = list(manifest.read(path))
    kept = next(one for one in rows if one.member.endswith("real/a"))
    copy = {"status": "duplicate", "duplicate_of": kept.name, "reason": "a copy"}
    changed = [replace(one, **copy) if one.member.endswith(("real/b", "real/c")) else one for one in rows]
    manifest.write(path, changed)
    card = Card.read(manifest.card_path(path))
    manifest.card_path(path).write_text(replace(card, digest=manifest.digest(path)).to_json(), encoding="utf-8")
    return project


def statuses(path):
    return {one.member.rpartition("real/")[2] or one.member: one.status for one in manifest.read(path)}


@pytest.mark.long
def test_a_sound_copy_takes_the_place_of_the_kept_picture(burst, caplog):
    caplog.set_level("INFO")
    first = whiten(burst, GRABCUT, workers=1)
    rows = {one.member[-1]: one for one in manifest.read(first.path)}
    assert rows["a"].status == "rejected"
    assert (rows["b"].status, rows["b"].duplicate_of) == ("ok", "")
    assert (rows["c"].status, rows["c"].duplicate_of) == ("duplicate", rows["a"].name)
    assert rows["b"].matte
    assert "1 copies were tried" in caplog.text
    before = first.path.read_bytes()
    again = whiten(burst, GRABCUT, workers=1)
    assert again.worked == 0
    assert again.path.read_bytes() == before


@pytest.mark.long
def test_the_card_still_names_the_manifest_it_was_made_from(burst):
    path = whiten(burst, GRABCUT, workers=1).path
    assert Card.read(manifest.card_path(path)).input.startswith(manifest.digest(burst.before("whiten")))


@pytest.mark.long
def test_another_way_of_cutting_judges_the_kept_picture_anew(burst, monkeypatch):
    path = whiten(burst, GRABCUT, workers=1).path
    monkeypatch.setattr(stage, "VERSION", stage.VERSION + 1)
    monkeypatch.setattr(stage, "judged", lambda *_: Judged(fault="", kept=1.0, contrast=9.0))
    whiten(burst, GRABCUT, workers=1)
    rows = {one.member[-1]: one for one in manifest.read(path)}
    assert (rows["a"].status, rows["b"].status) == ("ok", "duplicate")
