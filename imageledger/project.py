"""Make a project folder."""

from importlib import resources
from pathlib import Path

from imageledger.config import FILE, open_project
from imageledger.errors import ConfigError
from imageledger.store import write_whole

README_DATA = """# data/
The program makes this folder; git ignores it. `downloads/` holds sealed archives, `objects/` the pictures under the
sha256 of their bytes (read-only), `runs/` the training runs.
"""
README_MANIFESTS = """# manifests/
One folder per dataset: `fetched.jsonl`, `normalized.jsonl`, `deduped.jsonl`, `whitened.jsonl` and `final.jsonl`, each
with its card. Line N is the same picture in all of them, so `diff` shows what a stage did. Commit this folder.
"""


def init(folder: Path, dataset: str) -> Path:
    """Write imageledger.toml, data/ and manifests/ into a folder and return the path of the configuration.

    Raises ConfigError when the folder is a project already. No existing file is overwritten.
    """
    path = folder / FILE
    if path.exists():
        raise ConfigError(f"{path} exists already: {folder} is a project", "imageledger status shows what is in it")
    template = resources.files("imageledger").joinpath("templates/imageledger.toml").read_text(encoding="utf-8")
    write_whole(path, template.replace("@DATASET@", dataset).encode())
    try:
        open_project(folder)
    except ConfigError:
        path.unlink()
        raise
    for name, text in (("data", README_DATA), ("manifests", README_MANIFESTS)):
        readme = folder / name / "README.md"
        if not readme.exists():
            write_whole(readme, text.encode())
    ignore = folder / ".gitignore"
    if not ignore.exists():
        write_whole(ignore, b"/data/*\n!/data/README.md\n.lock\n.decisions.lock\n.lock.holder\n*.part\n")
    return path
