"""A file that looks as it did is not read again, and a zip not even hashed."""

import os
import zipfile

from fetching import curate, drawn

from curate.sources import stamps


def test_an_unchanged_zip_is_not_even_hashed_again_and_one_of_another_time_is(runner, project, monkeypatch):
    hashed, digest = [], stamps.digest
    monkeypatch.setattr(stamps, "digest", lambda path: hashed.append(path.name) or digest(path))
    with zipfile.ZipFile(project.root / "z.zip", "w") as made:
        made.writestr("1.jpg", drawn("red"))
    assert curate(runner, "zip:z.zip", "--label", "real").exit_code == 0
    assert hashed == ["z.zip"]
    assert "0 worked on, 1 reused" in curate(runner).stderr
    assert hashed == ["z.zip"]
    os.utime(project.root / "z.zip", (1, 1))
    assert "0 worked on, 1 reused" in curate(runner).stderr
    assert hashed == ["z.zip"] * 2
    with zipfile.ZipFile(project.root / "z.zip", "w") as made:
        made.writestr("1.jpg", drawn("blue"))
    assert "1 worked on, 0 reused" in curate(runner).stderr
