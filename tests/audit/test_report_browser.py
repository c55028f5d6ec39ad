"""The report in a real browser: it runs its own script and nothing else, sorts, filters, moves by key, and prints."""

import pytest
from audit_world import run_on_eight
from browser import chrome as chrome
from browser import opened, serious_faults
from click.testing import CliRunner

from audit.cli import main

pytestmark = pytest.mark.long

SHOWN = "[...document.querySelectorAll('#pictures ul.grid li')].filter(cell => !cell.hidden)"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """The report of a run on eight pictures, one of them with hostile words in its name."""
    from imageledger.config import open_project
    from imageledger.project import init

    root = tmp_path_factory.mktemp("report")
    init(root, "drawn")
    folder = run_on_eight(open_project(root))
    done = CliRunner().invoke(main, ["report", "--project", str(root)])
    assert done.exit_code == 0, done.output
    return folder / "audit" / "report.html"


def losses(shown):
    return shown.evaluate(f"{SHOWN}.map(cell => Number(cell.dataset.loss))")


def test_the_page_opens_without_a_complaint_and_asks_for_nothing(chrome, page):
    asked = []
    with opened(chrome, "about:blank") as shown:
        shown.on("request", lambda request: asked.append(request.url))
        shown.goto(page.resolve().as_uri())
        assert shown.evaluate(f"{SHOWN}.length") == 8
        assert shown.troubles == []
        broken = "[...document.images].filter(image => image.complete && !image.naturalWidth).length"
        assert shown.evaluate(broken) == 0
    assert [url for url in asked if not url.startswith(("data:", "file:"))] == []
    assert sum(url.startswith("file:") for url in asked) == 1


def test_a_script_that_is_not_ours_cannot_run_on_the_page(chrome, page, tmp_path):
    planted = tmp_path / "planted.html"
    text = page.read_text(encoding="utf-8").replace("</main>", "<script>document.title = 'theirs'</script></main>")
    planted.write_text(text, encoding="utf-8")
    with opened(chrome, planted) as shown:
        assert shown.title() != "theirs"
        assert any("Content Security Policy" in trouble for trouble in shown.troubles)
        assert shown.locator("form.tools").is_visible()  # ours still runs


def test_sorting_and_filtering_show_what_they_say(chrome, page):
    with opened(chrome, page) as shown:
        assert losses(shown) == sorted(losses(shown), reverse=True)
        shown.select_option("select[name=sort]", "-p")
        chances = shown.evaluate(f"{SHOWN}.map(cell => Number(cell.dataset.p))")
        assert chances == sorted(chances)
        shown.select_option("select[name=label]", "real")
        assert shown.evaluate(f"{SHOWN}.map(cell => cell.dataset.label)") == ["real"] * 4
        shown.check("input[name=wrong]")
        assert shown.evaluate(f"{SHOWN}.length") == 2
        assert shown.inner_text("form.tools output") == "2 shown"
        shown.fill("input[name=text]", "1.jpg")
        assert shown.evaluate(f"{SHOWN}.map(cell => cell.dataset.name)") == ["real/1.jpg"]


def test_keys_filter_move_and_clear(chrome, page):
    with opened(chrome, page) as shown:
        shown.keyboard.press("/")
        shown.keyboard.type("nowhere")
        assert shown.evaluate(f"{SHOWN}.length") == 0
        shown.keyboard.press("Escape")
        assert shown.evaluate(f"{SHOWN}.length") == 8
        shown.focus("#pictures ul.grid li")
        shown.keyboard.press("ArrowRight")
        assert shown.evaluate(f"{SHOWN}.indexOf(document.activeElement)") == 1
        shown.keyboard.press("End")
        assert shown.evaluate(f"{SHOWN}.indexOf(document.activeElement)") == 7
        shown.keyboard.press("Home")
        assert shown.evaluate(f"{SHOWN}.indexOf(document.activeElement)") == 0


def test_a_hostile_name_is_inert(chrome, page):
    with opened(chrome, page) as shown:
        assert shown.evaluate("document.querySelectorAll('script').length") == 1
        assert "<script>alert(1)</script>" in shown.inner_text("body")


def test_without_script_everything_is_shown_and_no_tool_that_would_not_work(chrome, page):
    with opened(chrome, page, script=False) as shown:
        assert shown.locator("#pictures ul.grid li").count() == 8
        assert not shown.locator("form.tools").is_visible()


@pytest.mark.parametrize("width", [390, 1280])
def test_no_width_makes_the_page_scroll_sideways(chrome, page, width):
    with opened(chrome, page, width=width) as shown:
        assert shown.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_no_serious_fault(chrome, page, dark):
    with opened(chrome, page, dark=dark) as shown:
        assert serious_faults(shown) == []


def test_dark_mode_is_dark_and_light_mode_light(chrome, page):
    def brightness(dark):
        with opened(chrome, page, dark=dark) as shown:
            colour = shown.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.strip("rgb()").split(","))

    assert brightness(dark=True) < 200 < 600 < brightness(dark=False)


def test_it_prints_with_all_pictures_and_without_the_tools(chrome, page):
    with opened(chrome, page) as shown:
        content = shown.pdf()
        assert content.startswith(b"%PDF")
        shown.emulate_media(media="print")
        assert not shown.locator("form.tools").is_visible()
        assert shown.evaluate(f"{SHOWN}.length") == 8
