"""Words that several audits share."""

DRAWN = "sample:"


DRAWN_NOTE = (
    "The built-in source sample: draws its pictures. No figure here means anything about portraits of real people."
)


def other_label(labels: tuple[str, str], label: str) -> str:
    """Return the label of the other class."""
    return labels[0] if label == labels[1] else labels[1]
