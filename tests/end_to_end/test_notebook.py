"""A notebook as a newcomer writes it, run by nbclient on real portraits: workers start, every value shows itself."""

import re
import sys

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.long

EACH = 12
CELLS = (
    "import imageledger as il\nfaces = il.create('faces')",
    "faces.fetch('folder:photos/real', label='real')\nfaces.fetch('folder:photos/ai', label='ai')",
    "faces.normalize(size=256, detector='cascade', workers=2)",
    "faces.dedupe()",
    "faces.whiten(matting='grabcut', workers=2)",
    f"faces.choose(per_class={EACH - 2}, match='off')",
    "faces.frame('final')",
    "faces[NAME]",
    "faces[NAME].original().size",
    "faces.show_batch(4)",
    "found = faces.audit.shortcuts(stage='fetched', family=['container', 'tone'], permutations=200)",
    "found.verdict, found.sentences",
    "found.frame()",
    "found.figure()",
    "found  # in a notebook this is the page",
    "faces",
)


@pytest.fixture(scope="module")
def outputs(testdata, tmp_path_factory):
    """The outputs of the cells by their source."""
    folder = tmp_path_factory.mktemp("notebook")
    real = testdata / "portraits" / "ffhq-vs-stylegan2"
    if not real.is_dir():
        pytest.skip(f"no real portraits at {real}")
    for label in ("real", "ai"):
        (folder / "photos" / label).mkdir(parents=True)
        for path in sorted((real / label).iterdir())[:EACH]:
            (folder / "photos" / label / path.name).write_bytes(path.read_bytes())
    name = repr(f"real/{min((folder / 'photos' / 'real').iterdir()).name}")
    return run([cell.replace("NAME", name) for cell in CELLS], folder)


def run(cells, folder):
    """Run cells in a kernel of this Python; return the outputs of each, under the number of the cell."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(folder)}})
    client.create_kernel_manager()
    client.km.kernel_spec.argv[0] = sys.executable
    client.execute()
    return [cell.outputs for cell in notebook.cells]


def of(outputs, source):
    return outputs[next(number for number, cell in enumerate(CELLS) if cell.startswith(source))]


def has_result(shown):
    return any(output.output_type == "execute_result" for output in shown)


def html_of(outputs, source):
    shown = [output.data["text/html"] for output in of(outputs, source) if output.output_type == "execute_result"]
    assert shown, f"{source} shows nothing"
    return shown[0]


def test_nothing_is_printed_by_the_import(outputs):
    assert outputs[0] == []


def test_every_cell_shows_its_value(outputs):
    shown = [source for source, output in zip(CELLS, outputs, strict=True) if not has_result(output)]
    assert [source.partition(" = ")[0] for source in shown] == ["import imageledger as il\nfaces", "found"]


@pytest.mark.parametrize("stage", ["faces.normalize", "faces.whiten"])
def test_stages_work_in_a_notebook_with_workers(outputs, stage):
    assert "24 ok" in html_of(outputs, stage) or "23 ok" in html_of(outputs, stage)


def test_progress_is_shown_while_a_stage_works_and_goes(outputs):
    bars = [output for output in of(outputs, "faces.normalize") if output.output_type == "display_data"]
    assert len(bars) == 1
    assert bars[0].data["text/html"] == ""


def test_a_frame_shows_as_pandas_shows_it(outputs):
    assert 'class="dataframe"' in html_of(outputs, "faces.frame")


def test_a_picture_shows_itself_and_its_history(outputs):
    html = html_of(outputs, "faces[NAME]")
    assert "data:image/jpeg;base64," in html
    assert "normalize@" in html


def test_a_batch_and_a_figure_show_as_pictures(outputs):
    for source in ("faces.show_batch", "found.figure"):
        assert any("image/png" in output.data for output in of(outputs, source) if "data" in output)


def test_an_audit_finds_the_planted_difference_and_shows_its_page(outputs):
    verdict = of(outputs, "found.verdict")[-1].data["text/plain"]
    assert "SHORTCUT" in verdict
    html = of(outputs, "found  #")[-1].data["text/html"]
    assert re.match(r'<iframe sandbox srcdoc="[^"]*"', html) or "<table" in html
    assert len(html.encode()) < 300_000


def test_nothing_in_a_notebook_acts(outputs):
    for shown in outputs:
        for output in shown:
            assert "<script" not in output.get("data", {}).get("text/html", "")
