"""Nuisances to plant: ways in which a picture may reach a collection that have nothing to do with what it shows.

A delivery turns a sitter into a file; a plant sets one delivery against another. Both classes of a planted set hold
the same kind of pictures, so that whatever separates them is the plant. Strengths are those that users meet; what
they do to real collections stands in docs/shortcuts.md.
"""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from audit.self_test.portraits import Sitter
from curate.matting.compositing import white_composite
from curate.nuisance.seen import Seen
from curate.pictures.pixels import decode

Chance = np.random.Generator
Alpha = NDArray[np.uint8]

SHRUNK = 2 / 3
"""Side of what is delivered, as a share of the sitter's: every delivery has been resized once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The bytes of a file, what it is called and where it stands in its source (0..1), and its matte."""

    content: bytes
    name: str
    place: float
    alpha: Alpha | None = None

    def seen(self) -> Seen:
        """Decode it, for the families to measure."""
        image = decode(self.content).image
        return Seen(content=self.content, image=image, name=self.name, place=self.place, alpha=self.alpha)


Delivery = Callable[[Sitter, Chance], Delivered]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """One nuisance: the class that has it is delivered as `touched`, the other as `plain`.

    `families` may rightly name it: all that it changes by its nature. A tighter crop is shrunk less, which moves the
    traces of its pixels as well as the face, and grey pixels take fewer bytes. `small` plants belong to the short
    self-test.
    """

    name: str
    plain: str
    touched: str
    families: tuple[str, ...]
    small: bool = False

    @property
    def needs_mattes(self) -> bool:
        """Whether it is planted in pictures that were cut out."""
        return self.plain == WHITE


def small(sitter: Sitter) -> Image.Image:
    """Shrink a sitter's picture, as every delivery does."""
    return sitter.image.resize((_side(sitter),) * 2, Image.Resampling.LANCZOS)


def _side(sitter: Sitter) -> int:
    return round(SHRUNK * sitter.image.width)


def _named(content: bytes, suffix: str, chance: Chance, alpha: Alpha | None = None) -> Delivered:
    """Give a file a name that says nothing and a place anywhere."""
    name = f"folder:portraits#{chance.bytes(8).hex()}.{suffix}"
    return Delivered(content=content, name=name, place=float(chance.random()), alpha=alpha)


def png(image: Image.Image, chance: Chance, alpha: Alpha | None = None) -> Delivered:
    """Save a picture without loss."""
    target = io.BytesIO()
    image.save(target, "PNG", compress_level=1)
    return _named(target.getvalue(), "png", chance, alpha)


def jpeg(image: Image.Image, chance: Chance, quality: int = 95, subsampling: str = "4:2:0", **more: Any) -> Delivered:
    """Save a picture as a JPEG."""
    target = io.BytesIO()
    image.save(target, "JPEG", quality=quality, subsampling=subsampling, **more)
    return _named(target.getvalue(), "jpg", chance)


def laundered(file: Delivered, chance: Chance) -> Delivered:
    """Decode a file and save it without loss: the header is gone, the history stays in the pixels."""
    return png(decode(file.content).image, chance)


def _with_exif(sitter: Sitter, chance: Chance) -> Delivered:
    tags = Image.Exif()
    make, model, taken = 0x010F, 0x0110, 0x0132
    tags[make], tags[model], tags[taken] = "Lumen", "L-20", f"2024:05:{chance.integers(1, 29):02} 10:15:00"
    return jpeg(small(sitter), chance, exif=tags.tobytes())


def _with_profile(sitter: Sitter, chance: Chance) -> Delivered:
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return jpeg(small(sitter), chance, icc_profile=profile)


def larger(sitter: Sitter, chance: Chance, times: float = 5 / 4) -> Delivered:
    """Deliver a picture with more pixels."""
    side = int(_side(sitter) * times)
    return png(sitter.image.resize((side, side), Image.Resampling.LANCZOS), chance)


def _enlarged(sitter: Sitter, chance: Chance) -> Delivered:
    side = _side(sitter)
    tiny = sitter.image.resize((side // 2, side // 2), Image.Resampling.LANCZOS)
    return png(tiny.resize((side, side), Image.Resampling.BICUBIC), chance)


def _aliased(sitter: Sitter, chance: Chance) -> Delivered:
    """Shrink as OpenCV and torch do by default: bilinear, without a filter against aliasing."""
    shrunk = cv2.resize(np.asarray(sitter.image), (_side(sitter),) * 2, interpolation=cv2.INTER_LINEAR)
    return png(Image.fromarray(shrunk), chance)


def _framed(sitter: Sitter, chance: Chance) -> Delivered:
    image = small(sitter)
    ImageDraw.Draw(image).rectangle((0, 0, image.width - 1, image.height - 1), outline=(200, 200, 200))
    return png(image, chance)


def _watermarked(sitter: Sitter, chance: Chance) -> Delivered:
    image = small(sitter)
    strip = Image.new("L", image.size)
    draw, at = ImageDraw.Draw(strip), (image.width * 66 // 100, image.height * 94 // 100)
    draw.text(at, "imagined.example", fill=150, font=ImageFont.load_default(image.height // 24))
    image.paste((255, 255, 255), mask=strip)
    return png(image, chance)


def cropped(sitter: Sitter, chance: Chance, share: float = 1 / 10) -> Delivered:
    """Cut this share of the width off each side."""
    edge = int(sitter.image.width * share)
    box = (edge, edge, sitter.image.width - edge, sitter.image.height - edge)
    return png(sitter.image.resize((_side(sitter),) * 2, Image.Resampling.LANCZOS, box=box), chance)


def toned(change: Callable[[Image.Image], Image.Image], share: float = 1.0) -> Delivery:
    """Change the pixels of a share of the pictures."""

    def deliver(sitter: Sitter, chance: Chance) -> Delivered:
        image = small(sitter)
        return png(change(image) if chance.random() < share else image, chance)

    return deliver


def _cut_out(sitter: Sitter) -> tuple[Image.Image, Alpha]:
    """Return the small picture and its matte."""
    if sitter.alpha is None:
        raise ValueError("a sitter without a matte cannot be laid on white")
    return small(sitter), np.asarray(Image.fromarray(sitter.alpha).resize((_side(sitter),) * 2, Image.Resampling.BOX))


def _white(sitter: Sitter, chance: Chance) -> Delivered:
    image, alpha = _cut_out(sitter)
    return png(white_composite(image, alpha), chance, alpha)


def _off_white(sitter: Sitter, chance: Chance) -> Delivered:
    """Lay the person on grey level 250, which looks white."""
    image, alpha = _cut_out(sitter)
    behind = 1 - alpha[..., None] / 255
    return png(_rounded(np.asarray(white_composite(image, alpha)) - 5 * behind), chance, alpha)


def _haloed(sitter: Sitter, chance: Chance) -> Delivered:
    """Multiply by alpha twice, as rembg's default cut-out does: soft edges come out too dark."""
    image, alpha = _cut_out(sitter)
    share = alpha[..., None] / 255
    behind = 255 * (1 - share)
    return png(_rounded(np.asarray(image) * share * share + behind), chance, alpha)


def _stepped(sitter: Sitter, chance: Chance) -> Delivered:
    """Cut out with a matte of zeros and ones."""
    image, alpha = _cut_out(sitter)
    hard = np.where(alpha >= 128, np.uint8(255), np.uint8(0))
    return png(Image.fromarray(np.where(hard[..., None] > 0, np.asarray(image), np.uint8(255))), chance, hard)


def _rounded(values: NDArray[np.float64]) -> Image.Image:
    return Image.fromarray(np.rint(np.clip(values, 0, 255)).astype(np.uint8))


def _called(pattern: str) -> Delivery:
    def deliver(sitter: Sitter, chance: Chance) -> Delivered:
        file = png(small(sitter), chance)
        return replace(file, name="folder:portraits#" + pattern.format(int(chance.integers(10_000))))

    return deliver


def placed(low: float, high: float) -> Delivery:
    """Put a file into one part of its archive, with a name that counts."""

    def deliver(sitter: Sitter, chance: Chance) -> Delivered:
        file, place = png(small(sitter), chance), float(chance.uniform(low, high))
        return replace(file, name=f"folder:portraits#{round(10_000 * place):05}.png", place=place)

    return deliver


AS_IT_IS, JPEG, WHITE = "as it is", "JPEG q95", "cut out on white"

DELIVERIES: Mapping[str, Delivery] = {
    AS_IT_IS: lambda sitter, chance: png(small(sitter), chance),
    JPEG: lambda sitter, chance: jpeg(small(sitter), chance),
    WHITE: _white,
    "through JPEG q90": lambda sitter, chance: laundered(jpeg(small(sitter), chance, quality=90), chance),
    "JPEG q85": lambda sitter, chance: jpeg(small(sitter), chance, quality=85),
    "through 4:4:4": lambda sitter, chance: laundered(jpeg(small(sitter), chance, subsampling="4:4:4"), chance),
    "through 4:2:0": lambda sitter, chance: laundered(jpeg(small(sitter), chance), chance),
    "larger": larger,
    "enlarged": _enlarged,
    "aliased": _aliased,
    "with EXIF": _with_exif,
    "with ICC": _with_profile,
    "progressive": lambda sitter, chance: jpeg(small(sitter), chance, progressive=True),
    "framed": _framed,
    "off-white": _off_white,
    "haloed": _haloed,
    "stepped": _stepped,
    "brighter": toned(lambda image: ImageEnhance.Brightness(image).enhance(1.08)),
    "more colourful": toned(lambda image: ImageEnhance.Color(image).enhance(1.35)),
    "often grey": toned(lambda image: image.convert("L").convert("RGB"), share=1 / 3),
    "cropped": cropped,
    "as a camera names it": _called("DSC_{:04}.png"),
    "as a generator names it": _called("seed{:05}.png"),
    "watermarked": _watermarked,
    "first half": placed(0.0, 0.5),
    "second half": placed(0.5, 1.0),
}
"""Ways in which a sitter may be delivered. The first three are those of null sets: nothing is planted there."""

UNTOUCHED = (AS_IT_IS, JPEG, WHITE)

PLANTS = (
    Plant(name="JPEG q90 against lossless, then both saved alike", plain=AS_IT_IS, touched="through JPEG q90",
          families=("jpeg_history",), small=True),
    Plant(name="JPEG q85 against q95", plain=JPEG, touched="JPEG q85", families=("container", "jpeg_history")),
    Plant(name="4:2:0 against 4:4:4, then both saved alike", plain="through 4:4:4", touched="through 4:2:0",
          families=("chroma", "jpeg_history")),
    Plant(name="native size", plain=AS_IT_IS, touched="larger", families=("geometry",)),
    Plant(name="enlarged against native", plain=AS_IT_IS, touched="enlarged", families=("resampling",), small=True),
    Plant(name="kernel: aliased against filtered", plain=AS_IT_IS, touched="aliased", families=("resampling",)),
    Plant(name="EXIF in one class", plain=JPEG, touched="with EXIF", families=("metadata",), small=True),
    Plant(name="ICC profile in one class", plain=JPEG, touched="with ICC", families=("metadata",)),
    Plant(name="progressive JPEG", plain=JPEG, touched="progressive", families=("container",)),
    Plant(name="border line of one pixel", plain=AS_IT_IS, touched="framed", families=("border",), small=True),
    Plant(name="background grey level 250", plain=WHITE, touched="off-white", families=("border",)),
    Plant(name="halo of a double cut-out", plain=WHITE, touched="haloed", families=("matte",), small=True),
    Plant(name="staircase matte", plain=WHITE, touched="stepped", families=("matte",)),
    Plant(name="brightness +8 %", plain=AS_IT_IS, touched="brighter", families=("tone",), small=True),
    Plant(name="saturation +35 %", plain=AS_IT_IS, touched="more colourful", families=("tone",)),
    Plant(name="a third of the pictures grey", plain=AS_IT_IS, touched="often grey",
          families=("tone", "chroma", "container")),
    Plant(name="crop a fifth tighter", plain=AS_IT_IS, touched="cropped",
          families=("face_geometry", "resampling", "jpeg_history")),
    Plant(name="file name", plain="as a camera names it", touched="as a generator names it", families=("naming",),
          small=True),
    Plant(name="watermark in a corner", plain=AS_IT_IS, touched="watermarked", families=("border",)),
    Plant(name="order in the archive", plain="first half", touched="second half", families=("naming",)),
)  # fmt: skip
