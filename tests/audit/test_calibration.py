"""Temperature, unsure band and reliability: a planted fault is found and mended, and damaged files are refused."""

import json
import math

import numpy as np
import pytest

from audit.calibration.bins import bins_of
from imageledger.errors import RunError
from train.evaluation import temperature as calibration
from train.evaluation.temperature import Calibration, calibrated, cross_fitted, fit_temperature, unsure_band

GOOD = Calibration(
    temperature=1.5, interval=(1.1, 2.0), low=0.2, high=0.8, n=200, fewest=100, kind="cross-validation"
)  # fmt: skip


def drawn(n, heat, apart=3.0, seed=0):
    """P(positive) of a model whose logits are `heat` times too large, and the true labels."""
    rng = np.random.default_rng(seed)
    positive = np.arange(n) % 2 == 0
    logits = apart * rng.normal(np.where(positive, apart / 2, -apart / 2), 1)  # the exact log odds of two normals
    return 1 / (1 + np.exp(-heat * logits)), positive


def names(n):
    return [str(number) for number in range(n)]


@pytest.mark.parametrize("heat", [0.5, 1.0, 3.0])
def test_a_planted_temperature_is_found(heat):
    assert fit_temperature(*drawn(4000, heat)) == pytest.approx(heat, rel=0.1)


def interval(shares, positive, groups):
    return calibration.temperature_interval(shares, positive, groups, fit_temperature(shares, positive))


@pytest.mark.parametrize("heat", [0.7, 1.0, 2.0])
def test_its_interval_holds_the_truth_about_as_often_as_it_says(heat):
    held = 0
    for seed in range(200):
        low, high = interval(*drawn(120, heat, apart=1.5, seed=seed), np.arange(120))
        held += low <= heat <= high
    assert 180 <= held <= 198, held


def test_copies_of_a_picture_in_one_group_do_not_narrow_the_interval():
    shares, positive = drawn(60, 2.0, apart=1.5)
    four = np.tile(shares, 4), np.tile(positive, 4)
    alone = np.ptp(np.log(interval(shares, positive, np.arange(60))))
    whole, torn = (np.ptp(np.log(interval(*four, groups))) for groups in (np.tile(np.arange(60), 4), np.arange(240)))
    assert whole > 0.9 * alone
    assert torn < 0.75 * alone


def test_calibration_changes_no_verdict_and_no_ranking():
    shares, _ = drawn(500, 3.0)
    mended = calibrated(shares, 3.0)
    assert ((mended >= 0.5) == (shares >= 0.5)).all()
    assert (np.diff(mended[np.argsort(shares)]) >= 0).all()


def test_a_model_that_is_right_on_every_picture_does_not_become_certain():
    positive = np.arange(40) % 2 == 0
    temperature = fit_temperature(np.where(positive, 0.95, 0.05), positive)
    assert 0.3 < temperature < 1
    assert math.isfinite(fit_temperature(np.where(positive, 1.0, 0.0), positive))


def test_one_class_alone_is_refused():
    with pytest.raises(ValueError, match="both classes"):
        fit_temperature(np.array([0.2, 0.4]), np.array([False, False]))


def test_out_of_the_fit_an_overconfident_model_gets_better():
    shares, positive = drawn(400, 4.0, apart=1.5)
    after = cross_fitted(shares, positive, names(400)).shares
    assert np.isfinite(after).all()
    assert calibration.log_loss(after, positive).mean() < calibration.log_loss(shares, positive).mean() - 0.1
    assert calibration.brier(after, positive).mean() < calibration.brier(shares, positive).mean()


def test_no_group_takes_part_in_the_temperature_that_it_gets():
    shares, positive = drawn(60, 2.0)
    groups = [f"{number // 4}" for number in range(60)]
    found = cross_fitted(shares, positive, groups)
    used = np.round(calibration.logit(shares) / calibration.logit(found.shares), 6)
    assert len(set(used)) == len(found.temperatures) == 5
    for temperature in set(used):
        held = used == temperature
        assert not {groups[n] for n in np.flatnonzero(held)} & {groups[n] for n in np.flatnonzero(~held)}
        assert fit_temperature(shares[~held], positive[~held]) == pytest.approx(temperature, rel=1e-4)


def test_the_band_keeps_wrong_verdicts_rare_in_both_classes_even_for_a_model_that_is_sure_and_wrong():
    wrong = []
    for seed in range(40):
        shares, positive = drawn(80, 6.0, apart=1.0, seed=seed)
        low, high = unsure_band(shares, positive)  # not calibrated at all
        new, truth = drawn(400, 6.0, apart=1.0, seed=1000 + seed)
        wrong.append(((new > high)[~truth].mean(), (new < low)[truth].mean()))
    assert np.mean(wrong) < calibration.MISSED
    assert np.mean(wrong) > 0.05


def test_the_band_is_never_narrower_than_one_wrong_in_five_and_all_there_is_with_too_few():
    shares, positive = drawn(400, 1.0, apart=6.0)
    assert unsure_band(shares, positive) == (0.2, 0.8)
    assert unsure_band(shares[:16], positive[:16]) == (0.0, 1.0)


def test_verdicts_leave_out_the_band_and_its_ends():
    labels = ("real", "ai")
    assert [GOOD.verdict(share, labels) for share in (0.1, 0.2, 0.5, 0.8, 0.81)] == [
        "real", "unsure", "unsure", "unsure", "ai"
    ]  # fmt: skip
    assert GOOD.of(0.9) == pytest.approx(1 / (1 + math.exp(-math.log(9) / 1.5)))


def test_answers_given_four_times_over_have_the_temperature_interval_and_band_of_one():
    shares, positive = drawn(80, 2.0, apart=1.5)
    four, truth = np.tile(shares, 4), np.tile(positive, 4)
    heat = fit_temperature(four, truth, 4)
    assert heat == pytest.approx(fit_temperature(shares, positive), rel=1e-4)
    together = calibration.temperature_interval(four, truth, np.tile(np.arange(80), 4), heat, 4)
    assert together == pytest.approx(interval(shares, positive, np.arange(80)), rel=1e-3)
    assert unsure_band(calibrated(four, heat), truth, 4) == pytest.approx(
        unsure_band(calibrated(shares, heat), positive), abs=1e-4
    )


def test_a_band_from_the_mean_of_four_noisy_models_is_too_narrow_for_one_of_them_and_one_from_each_is_not():
    rng = np.random.default_rng(3)
    positive = np.arange(4000) % 2 == 0
    models = rng.normal(np.where(positive, 1.0, -1.0), 0.4, 4000) + rng.normal(0, 1.2, (4, 4000))
    answers = 1 / (1 + np.exp(-3 * models))
    known, new = np.arange(4000) < 2000, np.arange(4000) >= 2000
    mean = 1 / (1 + np.exp(-3 * models.mean(axis=0)))
    wrong = []
    for shares, truth, rounds in (
        (mean[known], positive[known], 1), (answers[:, known].ravel(), np.tile(positive[known], 4), 4),
    ):  # fmt: skip
        heat = fit_temperature(shares, truth, rounds)
        low, high = unsure_band(calibrated(shares, heat), truth, rounds)
        one = calibrated(answers[0, new], heat)
        wrong.append(float(np.mean(np.where(positive[new], one < low, one > high))))
    assert wrong[0] > 0.11
    assert wrong[1] < 0.11


def test_what_is_saved_is_read_again_and_none_is_none(tmp_path):
    assert calibration.read(tmp_path) is None
    GOOD.save(tmp_path)
    assert calibration.read(tmp_path) == GOOD


@pytest.mark.parametrize(
    "damage",
    [
        {"temperature": 0}, {"temperature": float("nan")}, {"temperature": "1"}, {"temperature": True}, {"low": 0.6},
        {"high": 1.2}, {"n": 0}, {"n": 1.5}, {"fewest": 300}, {"kind": "guess"}, {"interval": [2, 1]},
        {"interval": [1]}, {"interval": 1}, {"figures": []}, {"more": 1},
    ],
)  # fmt: skip
def test_a_damaged_calibration_is_refused_with_a_way_out(tmp_path, damage):
    path = GOOD.save(tmp_path)
    path.write_text(json.dumps({**json.loads(path.read_text()), **damage}))
    with pytest.raises(RunError, match="is damaged") as refused:
        calibration.read(tmp_path)
    assert "audit calibration" in refused.value.hint


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"\xff\xfe", b'{"temperature": 1'])
def test_what_is_no_calibration_at_all_is_refused(tmp_path, content):
    (tmp_path / calibration.FILE).write_bytes(content)
    with pytest.raises(RunError, match="is damaged"):
        calibration.read(tmp_path)


def test_bins_of_a_calibrated_model_lie_in_the_band_and_those_of_another_do_not():
    good = bins_of(*drawn(2000, 1.0, apart=1.5), np.arange(2000))
    bad = bins_of(*drawn(2000, 5.0, apart=1.5), np.arange(2000))
    assert sum(one.off for one in good) <= 2
    assert sum(one.off for one in bad) >= 4
    assert sum(one.n for one in good) == 2000
    assert [one.said for one in good] == sorted(one.said for one in good)


def test_few_pictures_get_few_bins():
    assert [one.n for one in bins_of(*drawn(24, 1.0), np.arange(24))] == [12, 12]
    assert len(bins_of(*drawn(6, 1.0), np.arange(6))) == 1
