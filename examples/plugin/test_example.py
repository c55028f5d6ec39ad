"""The tests of the example: each calls the check for its kind of plug-in."""

import io
import tarfile

from imageledger_example.coarse import RECIPE
from imageledger_example.oval import BACKEND
from imageledger_example.saturation import FAMILY
from imageledger_example.tar import open_tar

from imageledger.testing import check_family, check_matting, check_recipe, check_source


def test_the_family_keeps_its_promises():
    check_family(FAMILY)


def test_the_source_keeps_its_promises(tmp_path):
    with tarfile.open(tmp_path / "faces.tar", "w") as target:
        for number in range(3):
            info = tarfile.TarInfo(f"real/{number}.jpg")
            info.size = 100
            target.addfile(info, io.BytesIO(bytes([number]) * info.size))
    check_source(open_tar, f"tar:{tmp_path / 'faces.tar'}")


def test_the_matting_backend_keeps_its_promises():
    check_matting(BACKEND)


def test_the_recipe_keeps_its_promises():
    check_recipe(RECIPE)
