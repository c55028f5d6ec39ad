"""Claim: dedupe finds turned, cropped and framed copies and screenshots, and merges no two photographs.

    python benchmarks/near_duplicates.py [TESTDATA]

Prints for the portraits in TESTDATA (default: ../shared/testdata): for each kind of copy, halved and saved as JPEG at
q60, how many are found by perceptual hash alone and with keypoints; which of all portraits are merged; how many of the
same portraits in one frame or on one screen are; and the time of keypoints beside that of decoding. The limits were
chosen on other portraits of the same sets than those that are counted here.
"""

import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from curate.dedupe.parts import parts
from curate.pictures import hashers, keypoints, likeness, pixels
from curate.pictures.keypoints import Print
from imageledger.intervals import share_in_words, wilson

EVERY, FIRST = 24, 9
DISTANCE = 6
TURN = Image.Transpose
Edit = Callable[[Image.Image], Image.Image]


def turned(way: Image.Transpose) -> Edit:
    """Return the edit that turns or mirrors a picture."""
    return lambda image: image.transpose(way)


def cropped(left: float, top: float, right: float, bottom: float) -> Edit:
    """Return the edit that takes these shares off the edges."""

    def edit(image: Image.Image) -> Image.Image:
        wide, high = image.size
        box = left * wide, top * high, wide * (1 - right), high * (1 - bottom)
        return image.crop(tuple(round(edge) for edge in box))  # type: ignore[arg-type]

    return edit


def framed(share: float, colour: str) -> Edit:
    """Return the edit that lays a border of this share of the longer side around a picture."""
    return lambda image: ImageOps.expand(image, round(share * max(image.size)), colour)


def on_a_screen(share: float) -> Edit:
    """Return the edit that shows a picture in a program on a screen of 1280 × 800, at this share of its height."""

    def edit(image: Image.Image) -> Image.Image:
        screen = Image.new("RGB", (1280, 800), (246, 246, 248))
        drawn = ImageDraw.Draw(screen)
        drawn.rectangle((0, 0, 1280, 56), fill=(32, 40, 60))
        for n in range(14):
            drawn.text((940, 90 + 40 * n), f"entry {n * 7919 % 1000}: the quick brown fox", fill=(20, 20, 20))
            drawn.rectangle((16, 90 + 40 * n, 80 + n * 37 % 90, 108 + 40 * n), fill=(90, 96, 110))
        high = round(800 * share)
        screen.paste(image.resize((round(image.width * high / image.height), high)), (210, 70 if share < 0.9 else 40))
        return screen

    return edit


KINDS: dict[str, Edit] = {
    **{name.lower().replace("_", " "): turned(TURN[name]) for name in TURN.__members__},
    **{f"crop {s} % of each edge": cropped(s / 100, s / 100, s / 100, s / 100) for s in (5, 10, 15, 20)},
    "crop 15 % of two edges": cropped(0.15, 0.15, 0, 0),
    "crop 2, 14, 11, 5 %": cropped(0.02, 0.14, 0.11, 0.05),
    "crop 10 %, turned": lambda image: cropped(0.1, 0.1, 0.1, 0.1)(image).transpose(TURN.ROTATE_90),
    "frame 5 %, black": framed(0.05, "black"),
    "frame 15 %, white": framed(0.15, "white"),
    "frame 25 %, red": framed(0.25, "firebrick"),
    **{f"screenshot, {s} % of height": on_a_screen(s / 100) for s in (90, 70, 50, 40, 30)},
}


def main(testdata: Path) -> None:
    """Measure and print."""
    start = time.perf_counter()
    paths = sorted((testdata / "portraits").glob("*/*/*.*"))
    images = [pixels.decode(path.read_bytes()).image for path in paths]
    decoded = time.perf_counter() - start
    start = time.perf_counter()
    prints = [keypoints.print_of(image) for image in images]
    looked = time.perf_counter() - start
    some = images[FIRST::EVERY]
    print(f"kind | by hash | with keypoints, of {len(some)} portraits")
    for kind, edit in KINDS.items():
        hash_alone, both = found(some, edit)
        print(f"{kind} | {hash_alone} | {share_in_words(both, len(some), wilson(both, len(some)))}", flush=True)
    start = time.perf_counter()
    merged(paths, images, prints)
    compared = time.perf_counter() - start
    print(
        f"decoding {decoded:.1f} s; keypoints {looked / decoded:.1f} and comparing {compared / decoded:.1f} times that"
    )
    for kind in ("frame 25 %, red", "screenshot, 70 % of height", "screenshot, 50 % of height"):
        copies = [halved(KINDS[kind](image)) for image in some]
        pairs = same([keypoints.print_of(copy) for copy in copies], copies)
        print(
            f"different portraits in the same {kind}: {len(pairs)} of {len(some) * (len(some) - 1) // 2} pairs merged"
        )


def found(images: list[Image.Image], edit: Edit) -> tuple[int, int]:
    """Count the copies that are found by hash, and by hash or keypoints."""
    hash_alone = both = 0
    for image in images:
        copy = halved(edit(image))
        by_hash = alike(image, copy)
        hash_alone += by_hash
        both += by_hash or bool(same([keypoints.print_of(image), keypoints.print_of(copy)], [image, copy]))
    return hash_alone, both


def halved(image: Image.Image) -> Image.Image:
    """Return a picture at half its size after a JPEG at q60."""
    target = BytesIO()
    image.resize((image.width // 2, image.height // 2), Image.Resampling.LANCZOS).save(target, "JPEG", quality=60)
    return Image.open(target).convert("RGB")


def alike(image: Image.Image, copy: Image.Image) -> bool:
    """Tell whether the hash proposes a copy, straight or mirrored, and the pixels agree."""
    ours = hashers.to_int(hashers.phash(image))
    views = likeness.view(image), likeness.view(copy)
    for theirs, second in ((hashers.phash(copy), views[1]), (hashers.mirrored(copy), views[1].mirrored())):
        near = (ours ^ hashers.to_int(theirs)).bit_count() <= DISTANCE
        if near and likeness.likeness(views[0], second) >= likeness.ALIKE:
            return True
    return False


def same(prints: list[Print], images: list[Image.Image]) -> list[tuple[int, int, str]]:
    """Return the pairs that share a part, and how."""
    found = parts(prints, lambda n: keypoints.reduced(images[n]), lambda i, j: True)
    return [(each.one, each.other, each.overlap.words) for each in found]


def merged(paths: list[Path], images: list[Image.Image], prints: list[Print]) -> None:
    """Print every pair of portraits that keypoints would merge."""
    pairs = same(prints, images)
    print(f"portraits merged by keypoints: {len(pairs)} of {len(paths) * (len(paths) - 1) // 2:,} pairs")
    for one, other, words in pairs:
        print(f"  {paths[one].parent.parent.name}: {paths[one].name} and {paths[other].name}, {words}")


if __name__ == "__main__":
    given = sys.argv[1:]
    main(Path(given[0]) if given else Path(__file__).resolve().parent.parent.parent / "shared" / "testdata")
