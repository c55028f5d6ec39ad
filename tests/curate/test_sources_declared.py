"""What a project declares of its sources: globs, labels, samples, licences, and how they are written down."""

import pytest

from curate.sources import ledger
from curate.sources.choose import compiled, is_hidden, labeller, matches, parse_labels, sample, wanted
from curate.sources.entries import check, located, named, write
from curate.sources.licences import concern, is_allowed, spdx
from imageledger.config import SourceEntry, open_project
from imageledger.errors import ConfigError, SourceError

TOML = """# our project
dataset = "drawn"  # the name

[[source]]
# bought in May
address = "kaggle:ana/faces@1"
label = "real"  # all of them
include = ["a/**"]

[normalize]
size = 256
"""


@pytest.mark.parametrize(
    ("glob", "name", "expected"),
    [
        ("real/**", "real/1.jpg", True),
        ("real/**", "real/a/b/1.jpg", True),
        ("real/**", "unreal/1.jpg", False),
        ("real/**", "data/real/1.jpg", False),
        ("**/real/**", "data/real/1.jpg", True),
        ("**/real/**", "real/1.jpg", True),
        ("*.jpg", "a/1.jpg", False),
        ("**/*.jpg", "1.jpg", True),
        ("a?.png", "a1.png", True),
        ("a?.png", "a/.png", False),
        ("[ab]*.png", "b2.png", True),
        ("[!ab]*.png", "b2.png", False),
        ("[a-c].png", "b.png", True),
        ("a+(b).jpg", "a+(b).jpg", True),
        ("REAL/*", "real/1.jpg", False),
        ("win/*", "win\\2.jpg", True),
        ("cafe\u0301/*", "caf\u00e9/1.jpg", True),
    ],
)
def test_globs_cover_whole_paths_and_only_two_stars_cross_folders(glob, name, expected):
    assert matches(glob, name) is expected


def test_a_bad_range_in_a_glob_is_an_error_of_the_configuration():
    with pytest.raises(ConfigError, match="is not a pattern"):
        compiled("[z-a].jpg")


def test_the_first_glob_that_matches_gives_the_label():
    table = {"real/odd/**": "ai", "real/**": "real"}
    assert labeller(table)("real/odd/1.jpg") == ("real/odd/**", "ai")
    assert labeller(table)("real/1.jpg") == ("real/**", "real")
    assert labeller(table)("other/1.jpg") == ("", "")


def test_labels_are_read_from_one_option_and_nonsense_is_refused():
    assert parse_labels("real/**=real, a=b/**=ai") == {"real/**": "real", "a=b/**": "ai"}
    for text in ("real", "=real", "real/**=", "", "a=b,"):
        with pytest.raises(ConfigError, match="is not GLOB=LABEL"):
            parse_labels(text)


def test_include_and_exclude_and_hidden_names():
    assert wanted("a/1.jpg", (), ())
    assert wanted("a/1.jpg", ("a/**",), ())
    assert not wanted("a/1.jpg", ("b/**",), ())
    assert not wanted("a/1.jpg", ("a/**",), ("**/1.jpg",))
    assert all(is_hidden(name) for name in (".a", "x/.b/c", "__MACOSX/c", "x\\.b"))
    assert not any(is_hidden(name) for name in ("../x", "./y", "a.b/c"))


def test_a_sample_keeps_most_of_its_names_when_others_are_added():
    old = [f"{n}.jpg" for n in range(1000)]
    first = sample(old, 100, seed=42)
    assert len(first) == 100
    assert first == sample(reversed(old), 100, seed=42)
    assert first != sample(old, 100, seed=43)
    assert len(first & sample([*old, *(f"new{n}.jpg" for n in range(50))], 100, seed=42)) >= 88
    assert sample(old, 0, seed=42) == set(old)
    assert first <= sample(old, 200, seed=42)


@pytest.mark.parametrize(
    ("said", "known", "worry"),
    [
        (["CC0: Public Domain"], "CC0-1.0", False),
        (["CC-BY-SA-4.0"], "CC-BY-SA-4.0", False),
        (["Attribution 4.0 International (CC BY 4.0)"], "CC-BY-4.0", False),
        (["Apache 2.0"], "Apache-2.0", False),
        (["MIT", "MIT"], "MIT", False),
        (["CC BY-NC-SA 4.0"], "CC-BY-NC-SA-4.0", True),
        (["Attribution-NonCommercial-NoDerivatives 4.0 International (CC BY-NC-ND 4.0)"], "CC-BY-NC-ND-4.0", True),
        (["CC-BY-ND-4.0"], "CC-BY-ND-4.0", True),
        (["MIT", "CC BY-NC 4.0"], "MIT AND CC-BY-NC-4.0", True),
        (["other"], "unknown", True),
        (["Other (specified in description)"], "Other (specified in description)", True),
        (["unknown"], "unknown", True),
        ([], "unknown", True),
        ([""], "unknown", True),
    ],
)
def test_licences_get_their_spdx_names_and_restrictive_ones_are_remarked(said, known, worry):
    assert spdx(said) == known
    assert bool(concern(spdx(said))) is worry


def test_an_allow_list_admits_what_it_names_under_any_spelling():
    assert is_allowed("CC-BY-4.0", ())
    assert is_allowed("CC-BY-4.0", ["cc by 4.0"])
    assert not is_allowed("unknown", ["CC-BY-4.0"])
    assert not is_allowed("MIT AND CC-BY-NC-4.0", ["MIT"])


def test_the_ledger_keeps_the_date_of_the_content_and_refuses_to_read_damage(project, monkeypatch):
    ledger.note(project, "zip:a.zip", sha256="1", licence="MIT")
    path = ledger.path(project)
    path.write_text(path.read_text().replace(ledger.entry(project, "zip:a.zip")["fetched"], "2020-01-01"))
    ledger.note(project, "zip:a.zip", licence="CC0-1.0")
    assert ledger.entry(project, "zip:a.zip") == {"sha256": "1", "licence": "CC0-1.0", "fetched": "2020-01-01"}
    ledger.note(project, "zip:a.zip", sha256="2")
    assert ledger.entry(project, "zip:a.zip")["fetched"] > "2020-01-01"
    assert ledger.entry(project, "zip:b.zip") == {}
    path.write_text("{")
    with pytest.raises(SourceError, match="is damaged"):
        ledger.entry(project, "zip:a.zip")


def test_a_path_on_the_command_line_counts_from_where_it_was_typed(project, tmp_path_factory):
    away = tmp_path_factory.mktemp("away")
    (project.root / "sub").mkdir()
    assert located("folder:pictures", project, project.root / "sub") == "folder:sub/pictures"
    assert located("zip:../z.zip", project, project.root / "sub") == "zip:z.zip"
    assert located(f"folder:{away}", project, project.root) == f"folder:{away}"
    assert located("kaggle:a/b", project, away) == "kaggle:a/b"
    with pytest.raises(SourceError, match="names no path"):
        located("folder:", project, project.root)


def test_a_new_source_is_appended_and_every_comment_stays(project):
    path = project.root / "imageledger.toml"
    path.write_text(TOML)
    write(open_project(), [SourceEntry(address="zip:z.zip", labels={"r/**": "real", "f/**": "ai"}, limit=5)])
    text = path.read_text()

    assert all(piece in text for piece in ("# our project", "# the name", "# bought in May", "# all of them"))
    again = open_project()
    assert [entry.address for entry in again.sources] == ["kaggle:ana/faces@1", "zip:z.zip"]
    assert list(again.sources[1].labels) == ["r/**", "f/**"]
    assert (again.sources[1].limit, again.tables["normalize"]) == (5, {"size": 256})


def test_a_source_that_is_there_is_updated_and_what_fetch_does_not_know_stays(project):
    path = project.root / "imageledger.toml"
    path.write_text(TOML)
    opened = open_project()
    entry = named("kaggle:ana/faces@2", opened, labels={"a/**": "ai"}, generator="sd15")
    write(opened, [entry])
    (known,) = open_project().sources

    assert (known.address, known.label, known.labels) == ("kaggle:ana/faces@2", "", {"a/**": "ai"})
    assert (known.include, known.generator) == (("a/**",), "sd15")
    assert "# bought in May" in path.read_text()
    before = path.read_bytes()
    write(open_project(), [named("kaggle:ana/faces", open_project())])
    assert path.read_bytes() == before


def test_sources_written_as_an_inline_list_are_understood(project):
    path = project.root / "imageledger.toml"
    path.write_text('dataset = "drawn"\nsource = [{address = "folder:a", label = "real"}]\n')
    write(open_project(), [SourceEntry(address="folder:b", labels={"x/**": "ai"})])
    assert [(entry.address, entry.label) for entry in open_project().sources] == [
        ("folder:a", "real"),
        ("folder:b", ""),
    ]


def test_a_source_declared_twice_or_with_an_unknown_label_is_refused(project):
    one = SourceEntry(address="folder:a", label="real")
    with pytest.raises(ConfigError, match="declared twice"):
        check([one, one], project)
    with pytest.raises(ConfigError, match="'reel' is not a label of this project") as error:
        check([SourceEntry(address="folder:a", labels={"**": "reel"})], project)
    assert "real or ai" in error.value.hint
    with pytest.raises(ConfigError, match="both label and labels"):
        check([SourceEntry(address="folder:a", label="ai", labels={"**": "ai"})], project)
