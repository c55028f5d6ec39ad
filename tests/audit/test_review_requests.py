"""Who is let in at the desk, and what its pages do with hostile names, forms and addresses."""

import json

import pytest
from audit_world import run_on_eight
from desk_world import ask, served

from imageledger.config import open_project


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The address of a desk that is served, for requests that change nothing but decisions."""
    root = tmp_path_factory.mktemp("served")
    (root / "imageledger.toml").write_text('dataset = "drawn"\n', encoding="utf-8")
    project = open_project(root)
    run_on_eight(project)
    with served(project) as at:
        yield at


def test_only_this_host_with_the_token_from_this_page_is_let_in(address):
    assert ask(address)[0] == 200
    assert ask(address, Host="evil.example")[0] == 421
    assert ask(address, Host=f"evil.example:{address.split(':')[2].split('/')[0]}")[0] == 421
    wrong = address.replace(address.rstrip("/").rpartition("/")[2], "guessed")
    assert ask(wrong)[0] == 403
    assert ask(address.rpartition("/")[0].rpartition("/")[0] + "/")[0] == 403
    assert ask(address, Sec_Fetch_Site="cross-site")[0] == 403


def test_a_decision_is_only_taken_from_the_page_itself_and_never_by_reading(address):
    form = {"decision": "keep"}
    assert ask(address, "everything/1/decide", form, Origin="https://evil.example")[0] == 403
    assert ask(address, "everything/1/decide", form, Origin="null")[0] == 403
    assert ask(address, "everything/1/decide", form, Origin="")[0] == 403
    assert ask(address, "everything/1/decide?decision=keep")[0] == 405
    assert ask(address, "everything/1/undo?undoes=abc")[0] == 405
    status, _, headers = ask(address, "everything/1/decide", form)
    assert (status, headers["location"].partition("?")[0].rpartition("/")[2]) == (303, "2")


@pytest.mark.parametrize(
    "names",
    ["object/../../../../etc/passwd", "object/..%2f..%2f..%2fimageledger.toml", "object/abc.jpg", "white/a.png",
     f"heat/{'0' * 64}.png", f"object/{'0' * 64}.jpg", "secret/abc", f"object/{'A' * 64}.jpg"],
)  # fmt: skip
def test_a_picture_is_only_served_by_the_name_of_an_object_that_is_there(address, names):
    status, text, _ = ask(address, f"picture/large/{names}")
    assert status == 404
    assert "root:" not in text
    assert "dataset" not in text


def test_answers_may_not_be_framed_kept_or_run_anything_else(address):
    headers = ask(address, "everything/1")[2]
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert (headers["cache-control"], headers["referrer-policy"]) == ("no-store", "same-origin")
    assert headers["x-frame-options"] == "DENY"
    assert "server" not in headers


def test_hostile_names_and_notes_are_only_words(address):
    place = next(n for n in range(1, 9) if "script" in ask(address, f"everything/{n}")[1].partition("<h1")[2])
    ask(address, f"everything/{place}/decide", {"decision": "unsure", "note": "<img src=x onerror=alert(1)>\x1b[31m"})
    text = ask(address, f"everything/{place}")[1]
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert not {"\x1b", "\u202e"} & set(text)


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("everything/1/decide", {"decision": "delete-everything"}, 400),
        ("everything/1/decide", {"decision": "pair"}, 400),
        ("everything/1/decide", {"decision": "undo"}, 400),
        ("everything/1/decide", {}, 400),
        ("everything/99/decide", {"decision": "keep"}, 404),
        ("everything/decide", {"decision": "keep"}, 400),
        ("everything/decide", {"decision": "keep", "item": ["x", "-3", "99"]}, 400),
        ("nothing/1/decide", {"decision": "keep"}, 404),
        ("everything/1/decide", {"decision": "keep", "note": "x" * 70_000}, 413),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_and_nothing_is_written(address, path, form, status):
    before = ask(address, "everything/1/state")[1]
    assert ask(address, path, form)[0] == status
    assert ask(address, "everything/1/state")[1] == before


@pytest.mark.parametrize("path", ["everything/1?view=../../x", "everything/go?n=999999999999999999999", "everything/0",
                                  "everything/grid?page=-5&find=%00", f"everything/{'9' * 5000}",
                                  "everything/?find=%22%3E%3Cscript%3E"])  # fmt: skip
def test_strange_addresses_are_answered_without_a_fault(address, path):
    status, text, _ = ask(address, path)
    assert status in (200, 303, 404, 414)
    assert "<script>" not in text.replace('<script type="module" src=', "")


def test_one_decision_is_made_about_several_and_two_that_were_selected_are_a_pair(address):
    status, _, headers = ask(address, "everything/decide", {"decision": "keep", "item": ["3", "4"]})
    assert (status, headers["location"].endswith("saved=2")) == (303, True)
    ask(address, "everything/decide", {"decision": "same-person", "item": ["5", "6"], "note": "her sister"})
    text = ask(address, "everything/5")[1]
    assert "same-person" in text
    assert "her sister" in text
    assert ask(address, "everything/decide", {"decision": "pair", "item": ["1", "2", "3"]})[0] == 400


def test_a_page_out_of_date_is_told_that_somebody_decided_meanwhile(address):
    json_too = {"Accept": "application/json"}
    state = json.loads(ask(address, "everything/8/state")[1])
    ask(address, "everything/8/decide", {"decision": "leave-out"})
    said = json.loads(ask(address, "everything/8/decide", {"decision": "keep", "seen": state["seen"]}, **json_too)[1])
    assert said["said"] == "Saved: keep."
    assert said["conflict"].startswith("Ada had decided 'leave-out' meanwhile.")
