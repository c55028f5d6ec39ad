"""Face geometry: where the face, its eyes and its axis of symmetry lie in the picture.

Generators trained on FFHQ put both eyes on the same pixels in every picture (Karras, Laine and Aila 2019, appendix
C; the alignment alone finds StyleGAN faces). A class that is always aligned varies less, so distances from the
places of that alignment are features as well, and the contrast of the places themselves, which needs no face box.
Eyes lie where the detector has found them; under the cascade, which knows none, at the darkest spots of the box.
"""

import cv2
import numpy as np

from curate.faces.face import Point
from curate.nuisance.seen import Family, Seen
from curate.nuisance.spelling import YES
from curate.pictures.pixels import Box
from imageledger.types import Floats32

EYES = ((0.385, 0.463), (0.615, 0.463))
"""Where aligned faces have their eyes (medians over StyleGAN2): x and y as shares of the picture."""

MOUTH = (0.5, 0.70)
CHEEKS = ((0.36, 0.60), (0.64, 0.60))
FOREHEAD = (0.5, 0.34)

SIDE = 64
"""Side, in pixels, at which the inside of a face box is searched."""

EYE_COLUMNS, EYE_ROWS = ((13, 29), (35, 51)), (15, 33)
"""Where in a face box of SIDE pixels the eyes can be; hair lies outside."""

ALIGNED = ("eye_left_x", "eye_left_y", "eye_right_x", "eye_right_y", "axis")
BOX = ("has_face", "centre_x", "centre_y", "width", "height", "aspect", "room_above", "room_below")
FOUND = ("eye_left_x", "eye_left_y", "eye_right_x", "eye_right_y", "eyes_x", "eyes_y", "eyes_apart", "eyes_tilt")
INSIDE = (*ALIGNED, "eyes_x", "eyes_y", "eyes_apart", "eyes_tilt", "eyes_dark", "symmetry")
PLACES = ("place_eyes", "place_eye_left", "place_eye_right", "place_mouth", "place_symmetry", "place_axis")
OFF = (*(f"{name}_off" for name in ALIGNED), "eyes_off", "centre_off", "width_off")
USUAL = {"eye_left_x": EYES[0][0], "eye_left_y": EYES[0][1], "eye_right_x": EYES[1][0], "eye_right_y": EYES[1][1]}
USUAL |= {"axis": 0.5}
USUAL_WIDTH = 0.67
"""Width of the box of an aligned face."""


def measure(seen: Seen) -> dict[str, float]:
    """Measure the face box, the eyes inside it, and the places where aligned faces have their features."""
    values = dict.fromkeys((*BOX, *INSIDE, *OFF, *PLACES), float("nan"))
    grey = cv2.cvtColor(seen.small, cv2.COLOR_RGB2GRAY).astype(np.float32)
    values |= _places(grey)
    values["has_face"] = float(seen.face is not None)
    if seen.face is None:
        return values
    face = seen.face.box
    if face[2] - face[0] < 2 or face[3] - face[1] < 2:
        return values
    width, height = seen.image.size
    edges = (face[0] / width, face[1] / height, face[2] / width, face[3] / height)
    values |= _box(edges, face)
    values |= _inside(grey, edges)
    if seen.face.eyes:
        values |= _eyes(seen.face.eyes, seen.image.size)
    values |= {f"{name}_off": abs(values[name] - usual) for name, usual in USUAL.items()}
    values["eyes_off"] = sum(values[f"{name}_off"] for name in USUAL if name != "axis")
    values["centre_off"] = abs(values["centre_x"] - 0.5)
    values["width_off"] = abs(values["width"] - USUAL_WIDTH)
    return values


def _box(edges: tuple[float, float, float, float], face: Box) -> dict[str, float]:
    left, top, right, bottom = edges
    return {
        "centre_x": (left + right) / 2,
        "centre_y": (top + bottom) / 2,
        "width": right - left,
        "height": bottom - top,
        "aspect": (face[2] - face[0]) / (face[3] - face[1]),
        "room_above": top,
        "room_below": 1 - bottom,
    }


def _inside(grey: Floats32, edges: tuple[float, float, float, float]) -> dict[str, float]:
    """Find the eyes, the darkest spots of the upper half left and right, and the axis, by matching the mirror."""
    height, width = grey.shape
    left, top = edges[0] * width, edges[1] * height
    across, down = (edges[2] * width - left) / SIDE, (edges[3] * height - top) / SIDE
    turn = np.array([[across, 0, left + across / 2 - 0.5], [0, down, top + down / 2 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    face = cv2.warpAffine(grey, turn, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    even = face - cv2.GaussianBlur(face, (0, 0), SIDE / 6)
    even /= float(even.std()) + 1.0
    dark: Floats32 = (cv2.GaussianBlur(even, (0, 0), SIDE / 12) - cv2.GaussianBlur(even, (0, 0), SIDE / 32)).astype(
        np.float32, copy=False
    )
    eyes = [_darkest(dark, columns) for columns in EYE_COLUMNS]
    (left_x, left_y, left_dark), (right_x, right_y, right_dark) = eyes
    axis, alike = _axis(even)
    x = [edges[0] + place * (edges[2] - edges[0]) / SIDE for place in (left_x, right_x, axis)]
    y = [edges[1] + place * (edges[3] - edges[1]) / SIDE for place in (left_y, right_y)]
    coordinates = (x[0], y[0], x[1], y[1], x[2], (x[0] + x[1]) / 2, (y[0] + y[1]) / 2, x[1] - x[0], y[1] - y[0])
    return dict(zip(INSIDE, (*coordinates, (left_dark + right_dark) / 2, alike), strict=True))


def _eyes(eyes: tuple[Point, Point], size: tuple[int, int]) -> dict[str, float]:
    """Return where a detector that knows eyes has found them, as shares of a picture of (width, height) pixels."""
    (left, top), (right, bottom) = ((eye.x / size[0], eye.y / size[1]) for eye in eyes)
    coordinates = (left, top, right, bottom, (left + right) / 2, (top + bottom) / 2, right - left, bottom - top)
    return dict(zip(FOUND, coordinates, strict=True))


def _darkest(dark: Floats32, columns: tuple[int, int]) -> tuple[float, float, float]:
    """Return the middle (x, y) of the darkest spot between two columns, to parts of a pixel, and how dark it is."""
    part = dark[EYE_ROWS[0] : EYE_ROWS[1], columns[0] : columns[1]]
    row, column = divmod(int(part.argmax()), part.shape[1])
    best = float(part[row, column])
    spot = np.where(part > 0.7 * best, part, 0) if best > 0 else np.ones_like(part)
    near = spot[max(0, row - 3) : row + 4, max(0, column - 4) : column + 5]
    weights = near / max(float(near.sum()), 1e-6)
    y = float((weights.sum(axis=1) * np.arange(near.shape[0])).sum()) + max(0, row - 3)
    x = float((weights.sum(axis=0) * np.arange(near.shape[1])).sum()) + max(0, column - 4)
    return x + columns[0] + 0.5, y + EYE_ROWS[0] + 0.5, best


def _axis(even: Floats32) -> tuple[float, float]:
    """Return the column about which a picture is most like its mirror image, and how alike the halves are."""
    side = even.shape[1]
    best = (-2.0, side / 2)
    for twice in range(side - side // 4, side + side // 4 + 1):
        reach = min(twice, 2 * side - twice) // 2
        left, right = even[:, twice // 2 - reach : twice // 2], even[:, (twice + 1) // 2 : (twice + 1) // 2 + reach]
        mirrored = right[:, ::-1]
        energy = float(np.vdot(left, left)) + float(np.vdot(mirrored, mirrored)) + 1e-6
        best = max(best, (2 * float(np.vdot(left, mirrored)) / energy, twice / 2))
    return best[1], best[0]


def _places(grey: Floats32) -> dict[str, float]:
    """Compare the places where aligned faces have eyes and mouth with cheeks and forehead, in units of contrast."""
    small = cv2.resize(grey, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    spread = float(small.std()) + 1.0

    def at(place: tuple[float, float], across: float = 0.04, down: float = 0.025) -> float:
        x, y = (share * SIDE for share in place)
        rows = slice(round(y - down * SIDE), round(y + down * SIDE) + 1)
        return float(small[rows, round(x - across * SIDE) : round(x + across * SIDE) + 1].mean())

    skin = (at(CHEEKS[0]) + at(CHEEKS[1]) + at(FOREHEAD)) / 3
    left, right = ((skin - at(eye)) / spread for eye in EYES)
    even = small - cv2.GaussianBlur(small, (0, 0), SIDE / 8)
    axis, alike = _axis(even[SIDE // 4 : SIDE * 7 // 8, SIDE // 8 : SIDE - SIDE // 8])
    numbers = (min(left, right), left, right, (skin - at(MOUTH, 0.06)) / spread, alike, axis / (SIDE * 3 / 4))
    return dict(zip(PLACES, numbers, strict=True))


WHERE = {
    "eye_left_x": "left eye, from the left", "eye_left_y": "left eye, from the top",
    "eye_right_x": "right eye, from the left", "eye_right_y": "right eye, from the top",
    "axis": "middle axis of the face, from the left",
}  # fmt: skip
SHARE = "(share of the picture)"
WORDS = {
    "has_face": f"whether a face was found {YES}",
    "centre_x": f"middle of the face, from the left {SHARE}",
    "centre_y": f"middle of the face, from the top {SHARE}",
    "width": f"width of the face {SHARE}",
    "height": f"height of the face {SHARE}",
    "aspect": "width over height of the face",
    "room_above": f"room above the face {SHARE}",
    "room_below": f"room below the face {SHARE}",
    **{name: f"{words} {SHARE}" for name, words in WHERE.items()},
    "eyes_x": f"middle between the eyes, from the left {SHARE}",
    "eyes_y": f"middle between the eyes, from the top {SHARE}",
    "eyes_apart": f"distance between the eyes {SHARE}",
    "eyes_tilt": f"how far the right eye lies below the left {SHARE}",
    "eyes_dark": "how dark the eyes are (units of contrast)",
    "symmetry": "how alike both halves of the face are (-1 to 1)",
    "axis_off": f"distance of the middle axis from the middle of the picture {SHARE}",
    "eye_left_x_off": f"left eye: distance across from its place in aligned faces {SHARE}",
    "eye_left_y_off": f"left eye: distance down from its place in aligned faces {SHARE}",
    "eye_right_x_off": f"right eye: distance across from its place in aligned faces {SHARE}",
    "eye_right_y_off": f"right eye: distance down from its place in aligned faces {SHARE}",
    "eyes_off": f"distance of both eyes from their places in aligned faces {SHARE}",
    "centre_off": f"distance of the face from the middle {SHARE}",
    "width_off": f"difference of the face's width from that of aligned faces {SHARE}",
    "place_eyes": "how dark both places of aligned eyes are (units of contrast)",
    "place_eye_left": "how dark the place of an aligned left eye is (units of contrast)",
    "place_eye_right": "how dark the place of an aligned right eye is (units of contrast)",
    "place_mouth": "how dark the place of an aligned mouth is (units of contrast)",
    "place_symmetry": "how alike both halves of the picture are (-1 to 1)",
    "place_axis": "where the picture is most like its mirror image (0.5: in the middle)",
}  # fmt: skip

FAMILY = Family(
    name="face_geometry",
    version=2,
    measure=measure,
    words=WORDS,
    goes_by_face=True,
    removed_by=("forensic", "match"),
    advice="Crop both classes by one rule with a seeded offset (curate normalize --recipe forensic), and choose "
    "pictures whose faces lie alike (curate manifest --match face-geometry).",
)
