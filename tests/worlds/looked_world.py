"""A project whose manifests were written by hand: pictures of every status, torn mattes, copies, strange names."""

from drawn import encoded, portrait
from PIL import Image, ImageOps

from curate.history import Normalized, Whitened, noted
from imageledger import manifest
from imageledger.config import open_project
from imageledger.record import Record, Step

SIDE = 96
TORN = "matte: 40 % of the face cut off"
HOSTILE = "real/<script>alert(1)</script>\x1b[31m\u202e \U0001f600 " + "long " * 60 + ".png"


def stepped(record, *, size=0, face=0, contrast=None):
    """The record with what normalize and whiten would have noted of it."""
    found = Normalized(size=(size, size) if size else None, found_face=(0, 0, face, face) if face else None)
    steps = [Step(did="normalize@3", on=record.origin, found=noted(found))]
    if record.matte:
        steps.append(Step(did="whiten@4", on=record.file, found=noted(Whitened(contrast=contrast))))
    return record.after(steps[0]) if len(steps) == 1 else record.after(steps[0]).after(steps[1])


def project_at(folder):
    """Write whitened.jsonl (30 ok, 2 refused mattes, 1 unreadable) and deduped.jsonl (3 copies, 1 conflict twice)."""
    (folder / "imageledger.toml").write_text('dataset = "drawn"\n', encoding="utf-8")
    project = open_project(folder)
    whole = portrait(1, SIDE)[0]
    names = [project.store.put(encoded(portrait(seed, SIDE)[0]), "png") for seed in range(6)]
    matte = project.store.put(encoded(Image.radial_gradient("L").point(lambda v: 255 - v).resize((SIDE, SIDE))), "png")
    known = {"source": "folder:drawn", "width": SIDE, "height": SIDE}

    def row(number, label, **more):
        name = names[number % 6]
        values = {"member": f"{label}/{number:03}.png", "origin": name, "file": name, **known, **more}
        return Record(label=label, **values)

    cut = [
        stepped(row(n, ("real", "ai")[n % 2], matte=matte), size=100 + 10 * n, face=50 + n, contrast=20.0 - n / 2)
        for n in range(30)
    ]
    torn = [stepped(row(n, "real", matte=matte, status="rejected", reason=TORN), contrast=3.0) for n in (40, 42)]
    dead = row(50, "ai", status="unreadable", reason="truncated JPEG", width=0, height=0, file="")
    strange = row(52, "real", member=HOSTILE)
    manifest.write(project.manifest("whiten"), sorted([*cut, *torn, dead, strange], key=lambda record: record.key))
    images = {
        "small": whole.resize((64, 64)), "mirrored": ImageOps.mirror(whole), "turned": whole.rotate(90), "other": whole
    }  # fmt: skip
    copies = {name: project.store.put(encoded(image), "png") for name, image in images.items()}
    kept = row(1, "real")
    reasons = {"small": "near-duplicate: pHash distance 0, correlation 1.00",
               "mirrored": "mirrored near-duplicate: pHash distance 0, correlation 0.97",
               "turned": "near-duplicate: turned by 90°; correlation 0.92"}  # fmt: skip
    duplicates = [
        Record(label="real", member=f"real/copy-{name}.png", origin=copies[name], file=copies[name], status="duplicate",
               reason=reason, duplicate_of=kept.name, similarity=float(f"0.9{number}"), **known)
        for number, (name, reason) in enumerate(reasons.items())
    ]  # fmt: skip
    both = [("ai", "real"), ("real", "ai")]
    conflicts = [
        row(60, one, status="rejected", similarity=1.0,
            reason=f"conflict: the same picture is labelled {other} as folder:drawn#{other}/060.png")
        for one, other in both
    ]  # fmt: skip
    rows = sorted([kept, *duplicates, *conflicts], key=lambda record: record.key)
    manifest.write(project.manifest("dedupe"), rows)
    return project
