"""Claim: a cut-out made as whiten makes it reveals less about the origin of a picture than rembg's own ways.

    python benchmarks/mattes.py [--set ffhq-vs-stylegan2 ...] [--testdata DIR] [--count 120] [--workers 2]

Prints a table for each set of portraits. The rows are ways to put a person on white, all with the same alphas, and the
inner face, which has neither white nor alpha. The columns are what a probe sees: the rim (luma and colour within ten
pixels of the edge), the alpha alone (silhouette, contour, softness), the border, and all of these together. A cell is
an AUC with its 95 % interval; the level of chance is the 95th percentile of the AUC under permuted labels.

Three more tables have the SAME people in both classes, so that a clean composite scores 0.5. `walls`: one class stands
before a plain pale wall, the other before other photographs (what shines through soft edges reveals the wall). `sizes`:
one class has 1024 px, the other 512 px and JPEG quality 90; both are cut out at these sizes and shrunk to 256 px
afterwards, as when rembg is called on the files (edges scale with the native size); the last row shrinks first, as
curate does. `delivered`: people from both classes stand before real backgrounds and are saved as the real pictures of a
set came, and stand before AI backgrounds and are saved as the AI pictures came, each time cut out anew.

The claim rests on these three. Between real and AI portraits, the rim also shows what hair and skin people have: a
linear composite shows them as they are. The border of an inner face shows face.
"""

import argparse
import io
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from same_people import Alpha, Job, at_two_sizes, before_walls, delivered, first

from curate.evidence.permuted import auc
from curate.evidence.probe import probe
from curate.evidence.verdict import Probe
from curate.matting import compositing
from curate.matting.models import find_model
from curate.normalize.settings import NormalizeSettings
from curate.normalize.work import normalize
from curate.nuisance import family
from curate.nuisance.rim import RIM, UNMIXED
from curate.nuisance.seen import Seen
from curate.pictures import pixels
from curate.whiten.work import VERSION, WhitenSettings, face_record, face_size, whiten
from imageledger import manifest
from imageledger.config import Project, open_project
from imageledger.engines.local import ordered_map
from imageledger.intervals import with_interval
from imageledger.record import OK, Record
from imageledger.stage import Stage, run_seeds

Row = dict[str, dict[str, float]]
Composite = Callable[[Image.Image, Alpha], tuple[Image.Image, Alpha]]

SETS = ("ffhq-vs-stylegan2", "unsplash-vs-stylegan2", "stock-vs-diffusion")
SAME = {
    "walls": "the same people before two kinds of wall",
    "sizes": "the same people at two native sizes",
    "delivered": "the same people, delivered as real and as AI pictures",
}
COLUMNS = ("rim", "alpha", "border", "all")
TEST_DATA = Path(os.environ.get("IMAGELEDGER_TESTDATA", Path(__file__).resolve().parents[2] / "shared" / "testdata"))


def on_white(cutout: Image.Image) -> Image.Image:
    """Lay an RGBA cut-out on white."""
    return Image.alpha_composite(Image.new("RGBA", cutout.size, "white"), cutout).convert("RGB")


def naive(image: Image.Image, alpha: Alpha) -> tuple[Image.Image, Alpha]:
    """Composite as rembg does by default."""
    from rembg.bg import naive_cutout

    return on_white(naive_cutout(image, Image.fromarray(alpha))), alpha


def hard(image: Image.Image, alpha: Alpha) -> tuple[Image.Image, Alpha]:
    """Composite as rembg does with post_process_mask."""
    from rembg.bg import naive_cutout, post_process

    mask = post_process(alpha)
    return on_white(naive_cutout(image, Image.fromarray(mask))), mask


def putalpha(image: Image.Image, alpha: Alpha) -> tuple[Image.Image, Alpha]:
    """Composite as rembg does with putalpha."""
    from rembg.bg import putalpha_cutout

    return on_white(putalpha_cutout(image.copy(), Image.fromarray(alpha))), alpha


def decontaminate(image: Image.Image, alpha: Alpha) -> tuple[Image.Image, Alpha]:
    """Composite as rembg does with decontaminate (pymatting's multi-level foreground estimation)."""
    from rembg.bg import decontaminate_cutout

    return on_white(decontaminate_cutout(image, Image.fromarray(alpha))), alpha


def ours(image: Image.Image, alpha: Alpha) -> tuple[Image.Image, Alpha]:
    """Composite as curate whiten does."""
    edge = compositing.standard_edge(alpha)
    return compositing.white_composite(image, alpha, edge), edge


def own_edge(image: Image.Image, alpha: Alpha) -> tuple[Image.Image, Alpha]:
    """Composite as curate whiten does, but with the edge that the model drew."""
    return compositing.white_composite(image, alpha), alpha


WAYS: Mapping[str, Composite] = {
    "rembg default": naive,
    "rembg putalpha": putalpha,
    "rembg decontaminate": decontaminate,
    "rembg post_process_mask": hard,
    "ours, the model's edge": own_edge,
    "ours": ours,
}


def measured(image: Image.Image, alpha: Alpha | None) -> Row:
    """Measure the rim, the alpha alone and the border of one white picture."""
    seen = Seen(content=b"", image=image, alpha=alpha, box=None)
    matte, border = family("matte").measure(seen), family("border").measure(seen)
    edge = {*RIM, *UNMIXED}
    return {
        "rim": {name: value for name, value in matte.items() if name in edge},
        "alpha": {name: value for name, value in matte.items() if name not in edge},
        "border": dict(border),
    }


def composited(job: Job) -> dict[str, Row]:
    """Composite one picture in all ways and measure each."""
    rows = {}
    for name, way in WAYS.items():
        white, alpha = way(job.image, job.alpha)
        rows[name] = measured(*shrunk(white, alpha, job.side))
    if job.early is not None:
        rows["ours, shrunk first"] = measured(*ours(*job.early))
    if job.truth is not None:
        rows["the truth"] = measured(job.truth, job.alpha)
    if job.face is not None:
        rows["inner face"] = measured(job.face, None)
    return rows


def shrunk(image: Image.Image, alpha: Alpha, side: int) -> tuple[Image.Image, Alpha]:
    """Shrink a white picture and its alpha, where a side is given."""
    if not side or image.size == (side, side):
        return image, alpha
    whole = (0, 0, *image.size)
    small = Image.fromarray(alpha).resize((side, side), Image.Resampling.BOX)
    return pixels.downscale(image, whole, side), np.asarray(small)


def probed(rows: Sequence[Row], positive: Sequence[bool], groups: Sequence[str]) -> dict[str, Probe]:
    """Probe what was measured; a column that applies to no picture is left out."""
    columns = {part: sorted(rows[0][part]) for part in rows[0]}
    values = {part: np.array([[row[part][name] for name in names] for row in rows]) for part, names in columns.items()}
    probes = probe(columns, values, np.array(positive), groups, permutations=200)
    return {each.family: each for each in probes}


def table(title: str, jobs: Sequence[Job], workers: int) -> None:
    """Composite and measure all pictures and print one table."""
    pictures = list(ordered_map(composited, ((job, None) for job in jobs), workers=workers))
    count = sum(job.positive for job in jobs)
    print(f"\n{title}: {len(jobs) - count} against {count} pictures")
    print(f"{'':24}" + "".join(f"{column:>20}" for column in COLUMNS) + f"{'chance':>8}")
    for name in dict.fromkeys(name for picture in pictures for name in picture):
        kept = [(picture[name], job) for picture, job in zip(pictures, jobs, strict=True) if name in picture]
        rows, those = [row for row, _ in kept], [job for _, job in kept]
        positive, who = [job.positive for job in those], [job.who for job in those]
        probes = probed(rows, positive, who)
        cells = [f"{cell(probes.get(column)):>20}" for column in COLUMNS]
        chance = swapped(probes["all"], positive) if len(set(who)) < len(who) else probes["all"].chance
        print(f"{name:24}" + "".join(cells) + f"{chance:8.2f}", flush=True)


def swapped(joint: Probe, positive: Sequence[bool]) -> float:
    """Return the 95th percentile of the AUC when the classes of each pair (neighbours) are swapped at random."""
    pairs = np.array(positive).reshape(-1, 2, 1)
    swap = np.random.default_rng(42).random((len(pairs), 1, 1000)) < 0.5
    labels = np.where(swap, ~pairs, pairs).reshape(len(positive), -1)
    return float(np.quantile(auc(np.broadcast_to(joint.scores[:, None], labels.shape), labels), 0.95))


def cell(result: Probe | None) -> str:
    """Write an AUC with its interval."""
    return "-" if result is None else with_interval(result.auc, result.low, result.high, digits=3, ends=2)


def whitened(project: Project, folder: Path, model: Path, count: int, workers: int) -> list[Record]:
    """Fetch, normalize and whiten the portraits of a folder real/ and a folder ai/ with the defaults."""
    files = {f"{label}/{file.name}": file for label in ("real", "ai") for file in first(folder / label, count)}
    rows = [Record(source="folder:portraits", member=name, label=name.partition("/")[0]) for name in sorted(files)]
    fetch = Stage(name="fetch", version=1)

    def fetched(record: Record) -> Record:
        name = project.store.put(files[record.member].read_bytes(), "jpg")
        return record.after(fetch.step(record), origin=name, file=name)

    run_seeds(
        fetch, fetched, lambda: iter(rows), count=len(rows), input_digest="sha256:bench",
        output=project.manifest("fetch"), dataset=project.dataset, store=project.store, workers=1,
    )  # fmt: skip
    normalize(project, NormalizeSettings(detector="cascade"), workers=workers)
    outcome = whiten(project, WhitenSettings(model_path=str(model)), workers=workers)
    return [record for record in manifest.read(outcome.path) if record.status == OK]


def jobs_of(project: Project, rows: Sequence[Record]) -> Iterator[Job]:
    """Take pictures, alphas and inner faces as whiten has them."""
    store, stage = project.store, Stage(name="whiten", version=VERSION)
    before = [record_before(record) for record in rows]
    size = face_size(before)
    for record, earlier in zip(rows, before, strict=True):
        face = face_record(earlier, stage=stage, size=size, store=store)
        yield Job(
            image=pixels.decode(store.read(earlier.file)).image,
            alpha=np.asarray(Image.open(io.BytesIO(store.read(record.matte)))),
            positive=record.label == "ai",
            who=record.name,
            face=pixels.decode(store.read(face.file)).image if face.status == OK else None,
        )


def record_before(record: Record) -> Record:
    """Return the record as it was before whiten."""
    return replace(record, file=record.steps[-1].on, matte="", steps=record.steps[:-1])


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description="Compare ways to put a person on white by what they give away.")
    parser.add_argument("--set", action="append", dest="sets", choices=[*SETS, *SAME], help="only these sets")
    parser.add_argument("--testdata", type=Path, default=TEST_DATA, help="the folder with portraits/ and models/")
    parser.add_argument("--count", type=int, default=120, help="pictures per class")
    parser.add_argument("--workers", type=int, default=2)
    chosen = parser.parse_args()
    path = chosen.testdata / "models" / "mediapipe_selfie.onnx"
    portraits = chosen.testdata / "portraits"
    for name in chosen.sets or [*SETS, *SAME]:
        if name in SETS:
            with tempfile.TemporaryDirectory() as folder:
                Path(folder, "imageledger.toml").write_text(
                    'dataset = "bench"\norder = ["fetch", "normalize", "whiten", "manifest"]\n', encoding="utf-8"
                )
                project = open_project(Path(folder))
                rows = whitened(project, portraits / name, path, chosen.count, chosen.workers)
                table(name, list(jobs_of(project, rows)), chosen.workers)
            continue
        model, people = find_model("u2net_custom", path), first(portraits / SETS[0] / "real", chosen.count)
        if name == "walls":
            jobs = before_walls(people, first(portraits / SETS[2] / "real", chosen.count), model)
        elif name == "sizes":
            jobs = at_two_sizes(people, model)
        else:
            jobs = delivered(people, first(portraits / SETS[0] / "ai", chosen.count), model)
        table(SAME[name], list(jobs), chosen.workers)


if __name__ == "__main__":
    main()
