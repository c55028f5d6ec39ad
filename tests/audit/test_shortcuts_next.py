"""The one next step after an audit of shortcuts: by its verdict, and never what has been done."""

import pytest
from shortcut_world import probe_of, probed_of, stage_of

from audit.leaks.report import remedy
from audit.shortcuts.way_out import CROSSED, RELIED, next_step

FINISHED = frozenset({"normalize", "forensic", "whiten", "final", "match:tone"})


def after(*done, verdict="SHORTCUT", stage="final", sources=("folder:a", "folder:a"), **more):
    return next_step(
        probed_of(stage_of(stage, probe_of("tone", verdict=verdict), sources=sources), done=frozenset(done), **more)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("done", "step"),
    [
        ((), "curate run makes both classes alike"),
        (("normalize",), "curate normalize --recipe forensic"),
        (("normalize", "forensic", "whiten"), "curate run makes"),
        (("normalize", "forensic", "whiten", "final"), "curate manifest without --match off"),
        (FINISHED, "audit reliance tests"),
        ((*FINISHED, RELIED), "audit report sets this beside"),
    ],
)
def test_after_a_shortcut_it_is_the_first_thing_that_has_not_been_done(done, step):
    assert after(*done).startswith(step)


def test_where_each_source_holds_one_class_and_all_has_been_done_only_other_pictures_help():
    assert after(*FINISHED, RELIED, sources=("folder:a", "folder:b")).startswith("fetch both classes from one source")


def test_an_earlier_stage_points_at_the_pictures_that_were_chosen():
    assert after(*FINISHED, stage="fetched").startswith("audit shortcuts --stage final")


def test_without_a_shortcut_it_is_a_model_and_then_the_report():
    assert after(*FINISHED, verdict="CLEAN").startswith("train cross-validate")
    assert after(*FINISHED, CROSSED, verdict="CLEAN").startswith("audit report")


def test_what_is_undecided_asks_for_pictures():
    assert after(*FINISHED, verdict="INCONCLUSIVE").startswith("add pictures")


@pytest.mark.parametrize(
    ("deduped", "said", "unsaid"),
    [
        (None, "curate dedupe and then curate manifest", "--distance"),
        (6, "curate dedupe --distance 12", "curate dedupe and then"),
        (12, "has looked as closely as it can", "--distance"),
    ],
)
def test_advice_on_copies_knows_how_closely_dedupe_has_looked(deduped, said, unsaid):
    assert said in remedy(deduped)
    assert unsaid not in remedy(deduped)
