"""Claim: YuNet finds nearly all faces of both classes, in less time than the cascade; all mattes are judged alike.

    python benchmarks/faces.py [--testdata DIR] [--count 120]

Prints two tables for each set and class. Faces: how many pictures show one, several and no face by either detector, and
the milliseconds a picture takes. Mattes: how many each way of cutting out leaves, and why the others are refused, of
the pictures that show a face, shrunk to 224 px; the cut-out models are those of the testdata.
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from curate.faces.detector import Detector, detector
from curate.faces.face import counted
from curate.matting import backend, compositing
from curate.matting.judge import judged
from curate.matting.matte import Asked, Cutter
from curate.pictures import pixels
from imageledger.intervals import wilson

TESTDATA = Path(__file__).resolve().parent.parent.parent / "shared" / "testdata"
SIDE = 224


def faces(name: str, images: Sequence[Image.Image], finder: Detector) -> None:
    """Print a row: pictures with one face, several and none, and the time a picture takes."""
    finder.find(images[0])  # opens the model
    begun = time.process_time()
    counts = Counter(min(counted(finder.find(image)), 2) for image in images)
    took = 1000 * (time.process_time() - begun) / len(images)
    low, high = wilson(counts[1] + counts[2], len(images))
    found = f"{100 * (counts[1] + counts[2]) / len(images):.0f} % [{100 * low:.0f}–{100 * high:.0f}]"
    print(f"| {name} | {finder.name} | {counts[1]} | {counts[2]} | {counts[0]} | {found} | {took:.0f} |")


def mattes(name: str, images: Sequence[Image.Image], finder: Detector, way: str, cutter: Cutter) -> None:
    """Print a row: how many mattes are believed, and why the others are not."""
    told: Counter[str] = Counter()
    for image in images:
        small = image.crop(pixels.middle_square(image.size)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        if (face := finder.largest(small)) is None:
            continue
        matte = cutter.cut(small, face.box)
        why = judged(small, matte, compositing.clean(matte.alpha), face).fault
        told[in_short(why)] += 1
    lost = "; ".join(f"{count} × {why}" for why, count in told.most_common() if why != "kept")
    print(f"| {name} | {way} | {told['kept']} of {told.total()} | {lost or '–'} |")


def in_short(fault: str) -> str:
    """Say why a matte is refused without its numbers, or "kept"."""
    said = fault.removeprefix("matte: ").lstrip("0123456789 %")
    return "covers too much or too little" if said.startswith("covers") else said or "kept"


def ways(testdata: Path) -> list[tuple[str, Cutter]]:
    """Return the ways of cutting out, ready to use."""
    os.environ["U2NET_HOME"] = str(testdata / "models")
    files = {name: testdata / "models" / f"{name}.onnx" for name in ("mediapipe_selfie", "prisma")}
    cutters = [(name, backend("rembg").prepare(Asked(model="u2net_custom", path=file))) for name, file in files.items()]
    return [("grabcut", backend("grabcut").prepare(Asked())), *cutters]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--testdata", type=Path, default=TESTDATA)
    parser.add_argument("--count", type=int, default=120)
    options = parser.parse_args()
    model = options.testdata / "models" / "face_detection_yunet_2026may.onnx"
    finders = [detector("yunet", model), detector("cascade")]
    sets = {
        f"{folder.parent.name} {folder.name}": [
            pixels.decode(file.read_bytes()).image for file in sorted(folder.iterdir())[: options.count]
        ]
        for folder in sorted((options.testdata / "portraits").glob("*/*"))
    }
    print("| set | detector | one face | several | none | found | ms |\n|---|---|---|---|---|---|---|")
    for name, images in sets.items():
        for finder in finders:
            faces(name, images, finder)
    print("\n| set | cut out by | kept | refused |\n|---|---|---|---|")
    for way, cutter in ways(options.testdata):
        for name, images in sets.items():
            mattes(name, images, finders[0], way, cutter)


if __name__ == "__main__":
    main()
