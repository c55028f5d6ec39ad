"""Write an audit of shortcuts into a folder: a table, an object, a figure and a page."""

import json
from pathlib import Path

from audit.shortcuts import figure as shortcut_figure
from audit.shortcuts import page as shortcut_page
from audit.shortcuts import words as shortcut_words
from audit.shortcuts.work import Audit
from imageledger.config import Project
from imageledger.spreadsheet import as_csv
from imageledger.store import write_whole


def write(project: Project, audit: Audit, folder: Path) -> dict[str, Path]:
    """Write shortcuts.csv, .json, .png and .html and return their paths by kind; equal audits give equal bytes."""
    files = {kind: folder / f"shortcuts.{kind}" for kind in ("csv", "json", "png", "html")}
    figure = shortcut_figure.png(audit)
    cards = shortcut_page.cards_of(project, audit)
    contents = {
        "csv": as_csv(shortcut_words.CSV_FIELDS, shortcut_words.csv_rows(audit)),
        "json": json.dumps(shortcut_words.plain(audit), ensure_ascii=False, indent=2) + "\n",
        "html": shortcut_page.html_text(audit, cards, figure),
    }
    write_whole(files["png"], figure)
    for kind, text in contents.items():
        write_whole(files[kind], text.encode("utf-8", errors="backslashreplace"))
    return files
