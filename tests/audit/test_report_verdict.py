"""The first lines of a report and its next step: what they say follows from intervals, and from what has been done."""

from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from audit.cli import main
from audit.report import verdict
from audit.report.next_step import Done, needed, next_step
from audit.top_losses.judge import Confusion
from imageledger.counted import Counted
from train.runs import Run


def judged(real_right, ai_right, n=100, **changes):
    """A run that got so many of n pictures of each class right."""
    flags = {label: np.arange(n) >= right for label, right in (("real", real_right), ("ai", ai_right))}
    wrong = {label: Counted(flag, range(n)) for label, flag in flags.items()}
    right = Counted(~np.concatenate([flags["real"], flags["ai"]]), range(2 * n))
    usual = {"name": "r", "labels": ("real", "ai"), "kind": "cross-validation"}
    run = Run(**(usual | {"metrics": {"valid": {"accuracy": right.as_json()}}} | changes))
    return verdict.Judged(run=run, confusion=Confusion(labels=("real", "ai"), mistakes=wrong), right=right)


def alone(hits, n=200, **changes):
    """What the file alone reaches."""
    low, high = Counted(np.arange(n) < hits, range(n)).interval
    return {"all": {"hits": hits, "n": n, "low": low, "high": high}, **changes}


def said(found):
    return verdict.beyond_coin_and_file(found)


def test_a_model_whose_interval_holds_a_half_is_not_shown_to_be_better_than_a_coin():
    assert "not shown to be better than a coin" in said(judged(52, 55, file_alone=alone(100)))
    assert "is better than a coin" in said(judged(80, 80, file_alone=alone(100)))
    assert "worse than a coin" in said(judged(30, 30, file_alone=alone(100)))


def test_better_than_the_file_is_judged_picture_by_picture():
    assert "not shown to be better than the file" in said(judged(80, 80, file_alone=alone(150)))
    shown = {"difference": 0.05, "low": 0.01, "high": 0.09, "p": 0.01}
    better = said(judged(80, 80, file_alone=alone(150, beside=shown)))
    assert "and better than the file" in better
    assert "+5 [+1 to +9] points, p = 0.010" in better
    open_ = {"difference": 0.2, "low": -0.01, "high": 0.4, "p": 0.06}
    assert "not shown" in said(judged(80, 80, file_alone=alone(100, beside=open_)))


def test_without_a_probe_of_the_file_nothing_is_claimed_about_it():
    assert "has not been measured" in said(judged(90, 90, file_alone={}))


def test_what_fails_most_is_named_only_where_it_is_more_than_chance():
    assert verdict.fails_most(judged(72, 90)).startswith("It fails most on real portraits: 28 of 100 real")
    assert "chance alone can make" in verdict.fails_most(judged(80, 82))
    assert verdict.fails_most(judged(100, 100)) == "It mistook no portrait of either class."


def test_folds_widen_the_interval_that_is_quoted():
    folded = judged(80, 80, evaluation={"accuracy": {"value": 0.8, "low": 0.7, "high": 0.87}})
    assert "80 % [70–87]" in verdict.how_often(folded)
    assert "80 % [74–85]" in verdict.how_often(judged(80, 80))


ALL = Done(
    counts={"real": 200, "ai": 200}, run="r", kind="cross-validation", accuracy=(0.8, 0.75, 0.85), file_verdict="CLEAN",
    recipe="forensic", whitened=True, matched=True, generators=2, mistakes=5, decided=1,
    audits=frozenset({"shortcuts", "reliance", "robustness", "calibration"}),
)  # fmt: skip
SHORT = replace(ALL, file_verdict="SHORTCUT")


@pytest.mark.parametrize(("done", "command"), [
    (Done(stage="fetch"), "curate fetch --help"),
    (replace(ALL, stage="whiten"), "curate run"),
    (replace(ALL, counts={"real": 40, "ai": 90}), "curate fetch SOURCE --label real"),
    (replace(ALL, run="", kind=""), "train cross-validate --recipe frozen"),
    (replace(ALL, audits=frozenset()), "audit shortcuts --stage all"),
    (replace(ALL, accuracy=(0.55, 0.45, 0.65)), "curate fetch SOURCE --label LABEL"),
    (replace(SHORT, recipe="plain"), "curate normalize --recipe forensic --save"),
    (replace(SHORT, whitened=False), "curate whiten"),
    (replace(SHORT, matched=False), "curate manifest --match all"),
    (replace(SHORT, one_sided=True), "curate fetch SOURCE --labels 'GLOB=LABEL,GLOB=LABEL'"),
    (replace(SHORT, audits=frozenset({"shortcuts"})), "audit reliance r"),
    (replace(ALL, kind="split"), "train cross-validate"),
    (replace(ALL, decided=0), "audit review r"),
    (replace(ALL, audits=frozenset({"shortcuts", "reliance"})), "audit robustness r"),
    (replace(ALL, generators=1), "curate fetch SOURCE --label ai --generator NAME"),
    (ALL, "train hold-out"),
    (replace(ALL, kind="hold-out"), "train export r"),
])  # fmt: skip
def test_the_next_step_is_the_first_that_was_not_done(done, command):
    assert next_step(done).command == command


def test_after_everything_was_done_none_of_it_is_advised_again():
    said = next_step(replace(SHORT, one_sided=True))
    assert not {"whiten", "--match", "--recipe"} & set(said.command.split())


def test_the_pictures_that_would_show_an_accuracy_are_as_many_as_a_simulation_says():
    n = 2 * needed(0.6)
    drawn = np.random.default_rng(0).binomial(n, 0.6, 4000)
    shown = [Counted(np.arange(n) < hits, range(n)).interval[0] > 0.5 for hits in drawn]
    assert 0.75 <= np.mean(shown) <= 0.87


def test_a_report_before_any_picture_says_how_to_get_some(tmp_path):
    from imageledger.project import init

    init(tmp_path, "empty")
    done = CliRunner().invoke(main, ["report", "--project", str(tmp_path)])
    assert done.exit_code == 1
    assert "curate fetch" in done.output
