"""Drawn portraits with their true mattes, plain colours, their bytes in any format, and a dataset as fetch makes it."""

import io
from functools import partial

import numpy as np
from PIL import Image, ImageCms, ImageDraw, ImageFilter

from imageledger.record import Record
from imageledger.stage import Stage, run_seeds

ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How an upright picture must be turned so that this EXIF orientation turns it upright again."""


def portrait(seed=0, size=256):
    """A head on shoulders before a mottled wall, and its matte (0..255, a soft edge of some pixels)."""
    rng = np.random.default_rng(seed)
    at = partial(_scaled, size)
    matte = Image.new("L", (size, size), 0)
    shape = ImageDraw.Draw(matte)
    x, y = 50 + rng.uniform(-4, 4), 44 + rng.uniform(-3, 3)
    shape.ellipse(at(x - 21, y - 28, x + 21, y + 28), fill=255)
    shape.rectangle(at(x - 9, y + 15, x + 9, y + 45), fill=255)
    shape.ellipse(at(x - 40, y + 34, x + 40, y + 110), fill=255)
    wall = rng.integers(0, 60, (9, 9, 3)) + np.array([60, 110, 130])
    picture = Image.fromarray(wall.astype(np.uint8)).resize((size, size), Image.Resampling.BICUBIC)
    person = _person(x, y, at, size, rng)
    matte = matte.filter(ImageFilter.GaussianBlur(size / 200))
    grain = np.asarray(Image.composite(person, picture, matte)) + rng.normal(0, 3, (size, size, 3))
    return Image.fromarray(np.clip(grain, 0, 255).astype(np.uint8)), np.asarray(matte)


def _scaled(size, *edges):
    return tuple(round(edge * size / 100) for edge in edges)


def _person(x, y, at, size, rng):
    person = Image.new("RGB", (size, size), tuple(int(c) for c in rng.integers(150, 220, 3) * [1, 0.4, 0.3]))
    draw = ImageDraw.Draw(person)
    draw.rectangle(at(x - 9, y + 10, x + 9, y + 38), fill=(205, 160, 130))
    draw.ellipse(at(x - 22, y - 29, x + 22, y + 29), fill=(60, 40, 30))
    draw.ellipse(at(x - 17, y - 18, x + 17, y + 27), fill=(225, 180, 150))
    for side in (-7.5, 7.5):
        draw.ellipse(at(x + side - 4, y - 3, x + side + 4, y + 1.5), fill=(250, 250, 250))
        draw.ellipse(at(x + side - 2, y - 3, x + side + 2, y + 1.5), fill=(40, 30, 30))
        draw.line(at(x + side - 5, y - 7, x + side + 5, y - 7), fill=(60, 40, 30), width=max(1, size // 60))
    draw.polygon(at(x, y - 1, x - 3, y + 10, x + 3, y + 10), fill=(190, 140, 115))
    draw.ellipse(at(x - 7, y + 14, x + 7, y + 18), fill=(150, 60, 60))
    return person.filter(ImageFilter.GaussianBlur(size / 150))


def picture(size=(40, 24), seed=1):
    """Smooth colours without any symmetry."""
    cells = np.random.default_rng(seed).integers(20, 236, (3, 5, 3), dtype=np.uint8)
    return Image.fromarray(cells).resize(size, Image.Resampling.BICUBIC)


def array(image):
    return np.asarray(image, dtype=int)


def differ(one, other):
    """The mean difference of two pictures in grey levels; pictures of two sizes differ by all."""
    return float(np.abs(array(one) - array(other)).mean()) if one.size == other.size else 255.0


def adobe_like(image):
    """A picture whose numbers are in a wide colour space, and the profile that says so."""
    wide = ImageCms.createProfile("sRGB")
    content = bytearray(ImageCms.ImageCmsProfile(wide).tobytes())
    table = {content[132 + 12 * n : 136 + 12 * n].decode(): 132 + 12 * n for n in range(content[131])}
    red, green = table["rXYZ"], table["gXYZ"]
    content[red + 4 : red + 12], content[green + 4 : green + 12] = (
        content[green + 4 : green + 12],
        content[red + 4 : red + 12],
    )
    r, g, b = image.split()
    return Image.merge("RGB", (g, r, b)), bytes(content)


def encoded(image, format="PNG", **options):
    """The bytes of a picture; `orientation=N` writes it turned, with an EXIF tag that says so."""
    orientation = options.pop("orientation", 1)
    if orientation != 1:
        exif = Image.Exif()
        exif[0x0112] = orientation
        options["exif"] = exif
        image = image.transpose(ORIENTATIONS[orientation])
    target = io.BytesIO()
    image.save(target, format, **options)
    return target.getvalue()


def fetched(project, members):
    """Write fetched.jsonl as fetch does, from {"label/name": bytes}; return its path."""
    contents = {f"{number:03} {name}": content for number, (name, content) in enumerate(members.items())}
    rows = [
        Record(source="folder:drawn", member=member, label=name.partition("/")[0])
        for member, name in zip(contents, members, strict=True)
    ]

    def work(record):
        name = project.store.put(contents[record.member], "img")
        return record.after(stage.step(record), origin=name, file=name)

    stage = Stage(name="fetch", version=1)
    output = project.manifest("fetch")
    run_seeds(
        stage, work, lambda: iter(rows), count=len(rows), input_digest="sha256:drawn", output=output,
        dataset=project.dataset, store=project.store, workers=1,
    )  # fmt: skip
    return output


def face_box(image):
    """The box of the face that the cascade finds, or None."""
    from curate.faces import cascade

    faces = cascade.find(image)
    return faces[0].box if faces else None
