"""Ranking and counting, as pure functions; the order and the counts are fastai's."""

import math
from dataclasses import replace

import pytest

from audit.top_losses.judge import Wanted, rank, verdict, wanted
from audit.words import DRAWN_NOTE
from imageledger.errors import LedgerError, RunError
from imageledger.intervals import fisher
from train.runs import Prediction

LABELS = ("real", "ai")


def said(member: str, label: str, probability: float, split: str = "valid", source: str = "zip:a.zip") -> Prediction:
    """A prediction as training writes it: loss from the probability of the true label."""
    true = probability if label == "ai" else 1 - probability
    return Prediction(
        source=source, member=member, label=label, split=split, probability=probability,
        loss=-math.log(true), predicted="ai" if probability >= 0.5 else "real",
    )  # fmt: skip


def counted(wrong_real: int, wrong_ai: int, each: int = 20) -> list[Prediction]:
    real = [said(f"r{n}", "real", 0.9 if n < wrong_real else 0.1) for n in range(each)]
    return real + [said(f"a{n}", "ai", 0.1 if n < wrong_ai else 0.9) for n in range(each)]


class Labelled(list):
    """Items with the vocabulary that fastai asks a data set for."""

    vocab = LABELS


def members(ranking) -> list[str]:
    return [prediction.member for prediction in ranking.worst]


SIX = [
    said("a", "real", 0.6), said("b", "real", 0.95), said("c", "real", 0.2),
    said("d", "ai", 0.3), said("e", "ai", 0.9), said("f", "real", 0.8, "train"),
]  # fmt: skip


def test_by_default_the_negatives_called_positive_stand_first_by_loss():
    assert members(rank(SIX, LABELS, wanted(LABELS, None, None, "valid"))) == ["b", "a"]


def test_one_label_alone_asks_for_its_mistakes():
    assert wanted(LABELS, "ai", None, "valid") == Wanted(actual="ai", predicted="real")
    assert wanted(LABELS, None, "real", "valid") == Wanted(actual="ai", predicted="real")
    assert wanted(LABELS, "real", "real", "valid") == Wanted(actual="real", predicted="real")
    assert wanted(("photo", "fake"), None, None, "all") == Wanted(actual="photo", predicted="fake", split="all")


def test_everything_is_ranked_when_no_class_is_asked_for():
    assert members(rank(SIX, LABELS, wanted(LABELS, None, None, "valid", everything=True))) == ["b", "d", "a", "c", "e"]


def test_the_split_limits_the_pictures_and_the_counts():
    everywhere = rank(SIX, LABELS, wanted(LABELS, None, None, "all"))
    assert members(everywhere) == ["b", "f", "a"]
    assert everywhere.confusion.total("real") == 4
    assert members(rank(SIX, LABELS, wanted(LABELS, None, None, "train"))) == ["f"]


def test_a_limit_keeps_the_worst_and_remembers_how_many_there_were():
    ranking = rank(iter(SIX), LABELS, Wanted(split="all"), most=2)
    assert members(ranking) == ["b", "f"]
    assert ranking.matched == 6
    assert ranking.confusion.everything == 6


def test_ties_are_broken_by_key_whatever_the_input_order():
    tied = [said(name, "real", 0.7) for name in "dbca"] + [said("a", "real", 0.7, source="folder:z")]
    wanted = Wanted()
    expected = [("folder:z", "a"), *(("zip:a.zip", name) for name in "abcd")]
    for order in (tied, tied[::-1]):
        assert [one.key for one in rank(order, LABELS, wanted).worst] == expected
        assert [one.key for one in rank(order, LABELS, wanted, most=3).worst] == expected[:3]


def test_a_loss_that_is_no_number_stands_first_and_stops_nothing():
    broken = replace(said("n", "real", 0.6), loss=math.nan)
    assert members(rank([*SIX, broken], LABELS, Wanted(split="valid"), most=2)) == ["n", "b"]


@pytest.mark.parametrize("change", [{"label": "cat"}, {"predicted": "cat"}, {"loss": "3"}, {"probability": None}])
def test_predictions_that_do_not_fit_the_run_are_refused(change):
    with pytest.raises(RunError):
        rank([replace(SIX[0], **change)], LABELS, Wanted())


def test_labels_the_run_does_not_have_are_refused_with_those_it_has():
    with pytest.raises(LedgerError) as error:
        wanted(LABELS, "cat", None, "valid")
    assert "real, ai" in error.value.hint
    with pytest.raises(RunError):
        wanted(("a", "b", "c"), None, None, "valid")


@pytest.mark.parametrize(
    ("wrong_real", "wrong_ai", "p"), [(3, 1, 0.605), (4, 0, 0.106), (5, 1, 0.182), (5, 0, 0.047), (0, 0, 1.0)]
)
def test_fishers_test_gives_the_known_numbers(wrong_real, wrong_ai, p):
    confusion = rank(counted(wrong_real, wrong_ai), LABELS, Wanted()).confusion
    assert (confusion.wrong("real"), confusion.wrong("ai")) == (wrong_real, wrong_ai)
    assert confusion.p_value() == pytest.approx(p, abs=0.001)


def test_fishers_test_equals_a_count_of_all_tables():
    def by_hand(a: int, b: int, c: int, d: int) -> float:
        ways = [math.comb(a + b, x) * math.comb(c + d, a + c - x) for x in range(a + c + 1)]
        return sum(way for way in ways if way <= ways[a]) / sum(ways)

    for table in [(3, 17, 1, 19), (9, 2, 4, 7), (0, 5, 5, 0), (12, 30, 1, 60)]:
        assert fisher(*table) == pytest.approx(by_hand(*table))


def test_a_difference_that_chance_would_give_is_called_that_and_says_what_would_tell():
    sentences = verdict(rank(counted(3, 1), LABELS, Wanted()).confusion, "valid")
    assert sentences == [
        "Of the real portraits, 3/20 = 15.0 % [5.2–36.0] were called ai.",
        "Of the ai portraits, 1/20 = 5.0 % [0.9–23.6] were called real.",
        "Chance alone could make such a difference (Fisher's exact test, p = 0.60). With 40 pictures only a "
        "large difference could show (at least 5 mistakes against none), so this does not prove the two equal.",
    ]


def test_a_difference_beyond_chance_names_the_class_and_keeps_the_warning():
    last = verdict(rank(counted(0, 8), LABELS, Wanted()).confusion, "valid")[-1]
    assert "more than chance alone would make" in last
    assert "ai portraits are mistaken more often" in last
    assert "With 40 pictures its size is still uncertain" in last


def test_many_pictures_need_no_warning():
    last = verdict(rank(counted(60, 61, each=300), LABELS, Wanted()).confusion, "valid")[-1]
    assert last == "Chance alone could make such a difference (Fisher's exact test, p = 1.00)."


def test_a_class_without_pictures_is_not_compared():
    confusion = rank([said("a", "real", 0.9)], LABELS, Wanted()).confusion
    assert confusion.p_value() is None
    assert "nothing to compare" in verdict(confusion, "valid")[-1]


def test_the_train_split_comes_with_a_warning():
    assert "has learned the train split" in verdict(rank(SIX, LABELS, Wanted(split="all")).confusion, "all")[-1]


def test_drawn_pictures_are_recognised_by_their_source():
    assert rank([said("a", "real", 0.9, source="sample:42")], LABELS, Wanted()).drawn
    assert not rank(SIX, LABELS, Wanted()).drawn
    assert "sample:" in DRAWN_NOTE


def test_order_losses_and_counts_are_those_of_fastai():
    pytest.importorskip("fastai", reason="fastai is not installed")
    import torch
    from fastai.data.core import DataLoaders
    from fastai.data.load import DataLoader
    from fastai.interpret import ClassificationInterpretation
    from fastai.learner import Learner
    from fastai.losses import CrossEntropyLossFlat

    generator = torch.Generator().manual_seed(7)
    inputs = torch.randn(30, 5, generator=generator)
    targets = torch.randint(0, 2, (30,), generator=generator)
    pictures = Labelled(zip(inputs, targets, strict=True))
    dls = DataLoaders(*(DataLoader(pictures, bs=8, num_workers=0) for _ in range(2)))
    torch.manual_seed(1)
    learner = Learner(dls, torch.nn.Linear(5, 2), loss_func=CrossEntropyLossFlat())
    told = ClassificationInterpretation.from_learner(learner)
    probabilities = torch.softmax(learner.model(inputs).detach(), dim=1)[:, 1]
    losses, places = told.top_losses(30)
    matrix = told.confusion_matrix()

    ours = rank(
        [said(f"{n:03}", LABELS[int(targets[n])], float(probabilities[n])) for n in range(30)], LABELS, Wanted()
    )
    assert [int(member) for member in members(ours)] == [int(place) for place in places]
    assert [one.loss for one in ours.worst] == pytest.approx([float(loss) for loss in losses], abs=1e-5)
    mistakes = [ours.confusion.mistakes[label] for label in LABELS]
    assert [[mistakes[0].total - mistakes[0].hits, mistakes[0].hits],
            [mistakes[1].hits, mistakes[1].total - mistakes[1].hits]] == matrix.tolist()  # fmt: skip
