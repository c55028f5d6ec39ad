"""Words that several audits share."""

from curate.nuisance.spelling import spelled

DRAWN = "sample:"
DRAWN_NOTE = (
    "The built-in source sample: draws its pictures. No figure here means anything about portraits of real people."
)


def other_label(labels: tuple[str, str], label: str) -> str:
    """Return the label of the other class."""
    return labels[0] if label == labels[1] else labels[1]


def family_in_words(name: str) -> str:
    """Write the name of a family for people: "jpeg-history"; all families together are "all together"."""
    return "all together" if name == "all" else spelled(name)
