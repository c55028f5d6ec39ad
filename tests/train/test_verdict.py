"""What a training came to: each sentence where the intervals carry it, and none where they do not."""

import pytest

from imageledger.counted import Counted
from train.evaluation.verdict import beats_file, least_learned, sentences, verdict
from train.runs import CROSS_VALIDATION, HOLD_OUT, Run


def share(hits, n):
    import numpy as np

    return Counted(np.arange(n) < hits, [str(row) for row in range(n)]).as_json()


def figures(hits, n, real=None):
    real = n // 2 if real is None else real
    confusion = {"real": {"real": real, "ai": 0}, "ai": {"real": 0, "ai": n - real}}
    return {"accuracy": share(hits, n), "confusion": confusion}


def run(valid, train=None, file=None, kind="split", real=None, **more):
    metrics = {"valid": figures(*valid, real=real)} | ({"train": figures(*train)} if train else {})
    low, high = share(*file)["interval"] if file else (0, 0)
    alone = {"hits": file[0], "n": file[1], "low": low, "high": high} if file else {}
    return Run(
        name="first", labels=("real", "ai"), kind=kind, metrics=metrics,
        file_alone={"valid": alone, "all": alone, **more.pop("beside", {})} if file else {}, **more,
    )  # fmt: skip


def codes(of):
    return [said.code for said in verdict(of)]


def test_few_pictures_do_not_show_that_a_model_is_better_than_a_coin():
    told = verdict(run((24, 40), (150, 160)))
    assert told[0].code == "not-better-than-a-coin"
    assert told[0].sentence == (
        "Not shown to be better than a coin: it is right about 60 % [45–74] of 40 pictures that it had not seen."
    )


def test_what_is_above_the_coin_with_its_whole_interval_is_better():
    assert codes(run((180, 200), (720, 800))) == ["better-than-a-coin"]


def test_what_is_below_the_coin_with_its_whole_interval_is_worse_and_names_where_to_look():
    (told, *_) = verdict(run((10, 60)))
    assert told.code == "worse-than-a-coin"
    assert "audit leaks" in told.sentence


def test_with_unequal_classes_the_larger_class_takes_the_place_of_the_coin():
    (told, *_) = verdict(run((92, 100), real=90))
    assert told.code == "not-better-than-a-coin"
    assert "always answering real, which is right about 90 %" in told.sentence


def test_a_model_that_knows_its_training_pictures_by_heart_is_told_so():
    told = verdict(run((26, 40), (160, 160)))
    assert "learned-by-heart" in [said.code for said in told]
    assert any("100 % [98–100] of its training pictures, and about 65 % [50–78] of others" in s.sentence for s in told)


def test_a_training_accuracy_within_the_interval_is_not_by_heart():
    assert "learned-by-heart" not in codes(run((32, 40), (140, 160)))


def test_a_model_beside_a_file_that_is_as_good_is_not_shown_to_be_better():
    told = codes(run((32, 40), (130, 160), (28, 40)))
    assert told == ["better-than-a-coin", "not-better-than-the-file", "cross-validate"]


@pytest.mark.parametrize(("p", "low", "better"), [(0.001, 0.05, True), (0.2, 0.05, False), (0.001, -0.01, False)])
def test_picture_by_picture_both_the_p_value_and_the_interval_must_say_so(p, low, better):
    beside = {"beside": {"p": p, "low": low, "high": 0.2, "difference": 0.1}}
    assert beats_file(run((32, 40), file=(28, 40), beside=beside)) is better


def test_without_a_probe_of_the_file_nothing_is_said_of_it():
    assert beats_file(run((32, 40))) is None
    assert not any("file" in code for code in codes(run((32, 40))))


def test_a_wide_interval_asks_for_cross_validation_or_names_the_run_that_has_done_it():
    one = run((24, 40), (150, 160))
    assert sentences(one)[-1].startswith("train cross-validate judges all 200 pictures rather than 40")
    assert sentences(one, "crossed")[-1].startswith("Run crossed has judged all 200 pictures")


def test_a_cross_validated_run_is_never_told_to_cross_validate():
    told = codes(run((24, 40), kind=CROSS_VALIDATION))
    assert told == ["not-better-than-a-coin", "more-pictures"]


def test_folds_that_learned_by_heart_are_known_by_the_one_that_learned_least():
    learned = least_learned([figures(160, 160) and {"train": figures(160, 160)}, {"train": figures(150, 160)}, {}])
    assert learned["hits"] == 150
    told = codes(run((120, 200), kind=CROSS_VALIDATION, evaluation={"train_accuracy": learned}))
    assert "learned-by-heart" in told


def part(name, low, high):
    return {"name": name, "auc": {"value": (low + high) / 2, "low": low, "high": high}}


def test_of_held_out_generators_each_must_be_better_than_a_coin():
    fine, poor = part("sd15", 0.7, 0.9), part("flux", 0.4, 0.6)
    one = run((120, 200), kind=HOLD_OUT, evaluation={"by": "generator", "parts": [poor, fine]})
    assert sentences(one)[0] == "Not shown to be better than a coin on 1 of 2 it had not seen, by generator: flux."
    both = run((120, 200), kind=HOLD_OUT, evaluation={"by": "generator", "parts": [fine]})
    assert "AUC 0.80 [0.70–0.90] on the worst, sd15" in sentences(both)[0]


def test_a_run_that_judged_nothing_says_nothing():
    assert verdict(Run(name="empty", labels=("real", "ai"))) == []
