"""What every part of the report is: a title, a template that shows it, and its content for scripts."""

from collections.abc import Mapping
from typing import Any, Protocol


class Section(Protocol):
    """One part of the report; the template reads the section under the name `section`."""

    @property
    def anchor(self) -> str:
        """The id of its place on the page."""

    @property
    def title(self) -> str:
        """Its heading."""

    @property
    def template(self) -> str:
        """The template, named by its place under audit/."""

    def data(self) -> Mapping[str, Any]:
        """Return its content for report.json: numbers, names and sentences, no pictures."""
