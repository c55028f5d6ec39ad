"""The desk in a real browser: decide by key, move, undo, two tabs, no script, phone, dark, and killed at random."""

import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from audit_world import HOSTILE, curated, run_on_eight, train
from browser import chrome, opened, serious_faults  # noqa: F401
from desk_world import ask, desk_of, process, served

from imageledger import decisions
from imageledger.config import open_project

pytestmark = pytest.mark.long


def project_at(root):
    root.mkdir(exist_ok=True)
    (root / "imageledger.toml").write_text('dataset = "drawn"\n', encoding="utf-8")
    return open_project(root)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    project = project_at(tmp_path_factory.mktemp("desk"))
    run_on_eight(project)
    return project


@pytest.fixture
def desk(trained):
    """The project and the address of a desk at which nothing has been decided yet."""
    (trained.folder / decisions.FILE).unlink(missing_ok=True)
    with served(trained) as address:
        yield trained, address


def made(project):
    return [(line.member, line.decision) for line in decisions.lines(project.folder / decisions.FILE)]


def shows(page, text):
    page.wait_for_function("text => document.querySelector('#status').textContent.includes(text)", arg=text)


def at(page, number):
    page.wait_for_function("n => document.querySelector('main').dataset.here.endsWith('/' + n)", arg=str(number))


def test_pictures_are_decided_by_key_and_the_desk_says_saved_once_the_line_is_there(chrome, desk):  # noqa: F811
    project, address = desk
    with opened(chrome, f"{address}everything/") as page:
        for key, number in (("1", 2), ("3", 3), ("8", 4)):
            page.keyboard.press(key)
            at(page, number)
        shows(page, "Saved: unsure")
        assert [kind for _, kind in made(project)] == ["keep", "leave-out", "unsure"]
        assert page.inner_text("#done") == "3"
        page.keyboard.press("n")
        page.keyboard.type("hair 1 u?")
        page.keyboard.press("Escape")
        page.keyboard.press("2")
        shows(page, "Saved: label")
        assert decisions.lines(project.folder / decisions.FILE)[-1].why == "hair 1 u?"
        assert page.troubles == []


def test_a_reload_and_a_new_visit_go_on_at_the_first_undecided_picture(chrome, desk):  # noqa: F811
    _, address = desk
    with opened(chrome, f"{address}everything/") as page:
        page.keyboard.press("1")
        at(page, 2)
        page.keyboard.press("1")
        at(page, 3)
        page.wait_for_function("() => document.querySelector('#done').textContent === '2'")
        page.reload()
        assert page.url.endswith("everything/3")
    with opened(chrome, f"{address}everything/") as page:
        assert page.url.endswith("everything/3")


def test_keys_move_go_to_filter_help_and_show_the_views(chrome, desk):  # noqa: F811
    _, address = desk
    with opened(chrome, f"{address}everything/") as page:
        for key, number in (("j", 2), ("ArrowRight", 3), ("k", 2), ("ArrowLeft", 1)):
            page.keyboard.press(key)
            at(page, number)
        page.keyboard.press("o")
        original = page.get_attribute("main img", "src")
        page.keyboard.press("m")
        assert page.get_attribute("main img", "src") != original
        assert page.inner_text(".views [aria-current]").startswith("matte")
        page.keyboard.press("j")
        at(page, 2)
        assert page.inner_text(".views [aria-current]").startswith("matte")  # the view stays from picture to picture
        page.keyboard.press("Space")
        assert page.inner_text(".views [aria-current]").startswith("original")
        page.keyboard.press("?")
        assert page.get_attribute("#help", "open") is not None
        page.keyboard.press("g")
        page.keyboard.type("7")
        page.keyboard.press("Enter")
        page.wait_for_url("**/everything/7*")
        page.keyboard.press("/")
        page.keyboard.type("ai/3")
        page.keyboard.press("Enter")
        page.wait_for_url("**find=ai%2F3")
        assert page.inner_text("figcaption b") == "ai/3.jpg"
        page.keyboard.press("7")
        shows(page, "about two pictures")
        assert page.troubles == []


def test_u_takes_the_last_decision_back_and_returns_to_its_picture(chrome, desk):  # noqa: F811
    project, address = desk
    with opened(chrome, f"{address}everything/") as page:
        page.keyboard.press("3")
        at(page, 2)
        page.keyboard.press("3")
        at(page, 3)
        page.keyboard.press("u")
        at(page, 2)
        shows(page, "Taken back: leave-out")
        page.keyboard.press("u")
        at(page, 1)
        shows(page, "Taken back: leave-out")
        assert [kind for _, kind in made(project)] == ["leave-out", "leave-out", "undo", "undo"]
        assert decisions.read(project.folder / decisions.FILE) == {}
        assert "taken back" in page.inner_text(".history")


def test_of_two_tabs_the_later_decision_holds_both_stay_and_the_other_tab_shows_it(chrome, desk):  # noqa: F811
    project, address = desk
    with opened(chrome, f"{address}everything/1") as page:
        other = page.context.new_page()
        other.goto(f"{address}everything/1")
        other.keyboard.press("3")
        at(other, 2)
        shows(other, "Saved: leave-out")
        page.bring_to_front()
        page.keyboard.press("1")
        shows(page, "Ada had decided 'leave-out' meanwhile")
        assert [kind for _, kind in made(project)] == ["leave-out", "keep"]
        assert decisions.read(project.folder / decisions.FILE)[made_key(project)][-1].decision == "keep"
        other.bring_to_front()
        other.keyboard.press("k")
        at(other, 1)
        other.wait_for_selector(".history .overruled")
        page.bring_to_front()
        page.keyboard.press("k")
        at(page, 1)
        other.evaluate("Object.defineProperty(document, 'hidden', {value: false})")
        ask(address, "everything/1/decide", {"decision": "unsure"})
        shows(page, "Somebody has decided about this picture elsewhere")
        assert "unsure" in page.inner_text(".history li:first-child")


def made_key(project):
    return decisions.lines(project.folder / decisions.FILE)[0].key


def test_without_script_every_decision_undo_and_filter_works_by_forms_and_links(chrome, desk):  # noqa: F811
    project, address = desk
    with opened(chrome, f"{address}everything/", script=False) as page:
        page.fill("input[name=note]", "seen without script")
        page.click("button[value=leave-out]")
        assert "everything/2" in page.url
        assert page.inner_text(".saved") == "Saved: 1 decision."
        page.click("a[rel=prev]")
        page.click("text=matte")
        assert "view=matte" in page.url
        page.click("text=Take back")
        page.fill("input[type=search]", "ai/3")
        page.click("form.go button")
        assert page.inner_text("figcaption b") == "ai/3.jpg"
        page.goto(f"{address}everything/grid")
        for box in page.query_selector_all("input[name=item]")[:2]:
            box.check()
        page.click("button[value=same-person]")
        assert page.inner_text(".saved") == "Saved: 1 decision."
        assert [kind for _, kind in made(project)] == ["leave-out", "undo", "same-person"]


def test_several_are_decided_at_once_in_the_grid_by_key(chrome, desk):  # noqa: F811
    project, address = desk
    with opened(chrome, f"{address}misclassified/grid") as page:
        page.keyboard.press("j")
        page.keyboard.press("x")
        page.keyboard.press("j")
        page.keyboard.press("Space")
        page.keyboard.press("2")
        page.wait_for_selector(".saved")
        assert made(project) == [(HOSTILE, "label"), ("real/1.jpg", "label")]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_has_a_serious_fault_or_is_wider_than_the_window(chrome, desk, dark, width):  # noqa: F811
    _, address = desk
    ask(address, "everything/1/decide", {"decision": "leave-out"})
    ask(address, "everything/decide", {"decision": "pair", "item": ["1", "2"]})
    with opened(chrome, address, dark=dark, width=width) as page:
        for path in ("", "everything/1", "everything/grid", "labels/"):
            page.goto(f"{address}{path}")
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert serious_faults(page) == [], path
        assert page.troubles == []


def test_hostile_names_are_only_words_in_the_browser(chrome, desk):  # noqa: F811
    _, address = desk
    with opened(chrome, f"{address}misclassified/1") as page:
        page.on("dialog", lambda dialog: pytest.fail("a name was run"))
        assert "<script>alert(1)</script>" in page.inner_text("figcaption b")
        assert page.query_selector_all("main script") == []
        page.keyboard.press("1")
        shows(page, "Saved")
        assert page.troubles == []


def test_two_pictures_are_seen_side_by_side_and_keys_mean_the_marked_one(chrome, desk):  # noqa: F811
    project, address = desk
    record = desk_of(project).queues["everything"].items
    for who, kind in (("Ada", "pair"), ("Bo", "not-duplicate")):
        one, other = record[0].records[0], record[1].records[0]
        line = decisions.Decision(source=one.source, member=one.member, decision=kind, other_source=other.source,
                                  other_member=other.member, who=who, why="seen")  # fmt: skip
        decisions.append(project.folder / decisions.FILE, [line])
    with opened(chrome, address) as page:
        page.goto(f"{address}disagreements/")
        assert len(page.query_selector_all("main figure img")) == 2
        page.keyboard.press("x")
        page.keyboard.press("3")
        shows(page, "Saved: leave-out")
        page.keyboard.press("7")
        shows(page, "Saved: same-person")
    assert made(project)[-2:] == [
        (record[0].records[0].member, "leave-out"),
        (record[0].records[0].member, "same-person"),
    ]


KILLS, ALL, SPREAD = 3, 1000, 25


def test_nothing_that_was_said_to_be_saved_is_lost_when_the_server_is_killed_at_random(tmp_path):
    project = project_at(tmp_path / "killed")
    records = [curated(project, f"real/{number}.jpg", "real", number) for number in range(SPREAD)]
    train(project, records, {record.member: 0.3 for record in records})
    rng, said, numbers, lock = random.Random(4), [], iter(range(ALL)), threading.Lock()

    def decide(at, until):
        while True:
            with lock:
                number = next(numbers, None) if len(said) < until else None
            if number is None:
                return
            form = {"decision": rng.choice(["keep", "unsure", "leave-out"]), "note": f"decision {number}"}
            try:
                status, text, _ = ask(at, f"everything/{1 + number % SPREAD}/decide", form, Accept="application/json")
            except (OSError, ValueError):
                return  # killed before it answered: nothing was said
            if status == 200 and json.loads(text)["said"].startswith("Saved"):
                said.append(number)

    for kill in range(KILLS + 1):
        with process(project.root, "--who", f"tab {kill}") as (at, running), ThreadPoolExecutor(3) as pool:
            last = kill == KILLS
            for _ in range(3):
                pool.submit(decide, at, ALL if last else (kill + 1) * ALL // (KILLS + 1))
            if not last:
                while len(said) < (kill + 0.5) * ALL // (KILLS + 1):
                    time.sleep(rng.uniform(0.001, 0.02))
                running.kill()
    there = {line.why for line in decisions.lines(project.folder / decisions.FILE)}
    assert len(said) > ALL * 0.9
    assert {f"decision {number}" for number in said} <= there
