"""What tells the drawn classes apart: the shortcuts that curation removes, and the trace that it keeps."""

from functools import partial

import numpy as np
import pytest
from PIL import Image

from curate.sources.sample import plan as planned
from curate.sources.sample.blotches import blotches
from curate.sources.sample.figure import portrait
from curate.sources.sample.person import Manner, invent
from curate.sources.sample.pipelines import AI, REAL, manner_of


@pytest.mark.parametrize("seed", [42, 0, 7, 123456789])
def test_sizes_and_formats_tell_the_files_of_the_classes_apart(seed):
    shots = [shot for shot in planned.plan(seed).values() if not shot.problem]
    cells = {how: [all(side % planned.CELL == 0 for side in shot.size) for shot in shots if shot.how == how]
             for how in (REAL, AI)}  # fmt: skip
    assert all(cells[AI])
    assert np.mean(cells[REAL]) < 0.15
    least, most = (planned.QUALITY[how] for how in (REAL, AI))
    assert least[1] <= most[0]


def test_both_classes_come_in_about_the_same_sizes():
    shots = [shot for shot in planned.plan(42).values() if not shot.problem]
    sides = {label: np.median([min(shot.size) for shot in shots if shot.label == label]) for label in (REAL, AI)}
    assert abs(sides[REAL] - sides[AI]) < 40


def test_a_sitter_and_how_they_are_rendered_do_not_depend_on_the_label():
    person = invent(7)
    assert person == invent(7) != invent(8)
    assert isinstance(manner_of(person), Manner)
    assert np.ptp([manner_of(invent(n)).gloss for n in range(60)]) > 0.5


def test_the_trace_lies_in_the_face_alone_and_tells_the_kinds_apart_only_by_how_two_colours_stray_together():
    person, behind = invent(7), Image.new("RGB", (480, 480), (120, 130, 140))
    traces = (None, *(partial(blotches, magenta=kind) for kind in (True, False)))
    plain, *traced = (
        np.asarray(portrait(person, manner_of(person), behind.copy(), trace).convert("YCbCr"), dtype=float)
        for trace in traces
    )
    strays = []
    for changed in (picture - plain for picture in traced):
        rows, columns = np.nonzero(np.abs(changed[..., 1:]).max(axis=2) > 2)
        assert 0.1 < rows.min() / 480 < rows.max() / 480 < 0.9
        assert 0.2 < columns.min() / 480 < columns.max() / 480 < 0.8
        strays.append(changed[rows, columns])
        assert np.abs(strays[-1][:, 0]).mean() < 1
        assert np.abs(strays[-1].mean(axis=0)).max() < 1
    magenta, orange = (np.cov(stray[:, 1:].T) for stray in strays)
    assert np.diag(magenta) == pytest.approx(np.diag(orange), rel=0.15)
    assert magenta[0, 1] > 10
    assert orange[0, 1] < -10
