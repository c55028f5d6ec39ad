"""Every number that a family measures has words that a person understands."""

from dataclasses import replace

import numpy as np
import pytest
from drawn import encoded
from PIL import Image

from curate.manifest.matching.balance_table import title
from curate.nuisance import ASIDE, FAMILIES, TOGETHER, family, in_words
from curate.nuisance.seen import Seen
from curate.testing.families import check_family


def measured(name):
    image = Image.fromarray(np.random.default_rng(1).integers(0, 255, (96, 96, 3), dtype=np.uint8))
    alpha = np.zeros((96, 96), np.uint8)
    alpha[20:, 20:70] = 255
    seen = Seen(content=encoded(image, "JPEG"), image=image, name="real/1.jpg", alpha=alpha, box=(20, 20, 70, 70))
    return set(family(name).measure(seen))


@pytest.mark.parametrize("name", [*FAMILIES.builtin, *ASIDE])
def test_every_number_of_a_family_has_words_of_its_own(name):
    words = family(name).words
    assert set(words) == measured(name)
    assert len(set(words.values())) == len(words)
    assert not any("_" in said or said == key.replace("_", " ") for key, said in words.items() if " " not in key)


def test_a_number_without_words_is_called_by_its_key():
    plain = replace(family("tone"), words={})
    assert plain.feature_in_words("luma_50") == "luma 50"


def test_a_number_of_all_families_together_comes_with_its_family():
    assert in_words(TOGETHER, "tone.contrast") == "tone: contrast: spread of brightness (0 to 128)"


def test_a_family_that_is_no_longer_installed_keeps_the_keys_of_its_numbers():
    assert in_words("of_a_plug_in", "odd_one") == "odd one"


def test_the_table_of_balance_says_what_a_number_is_and_whether_there_is_any():
    assert title("matte", "holes") == "matte: holes in the cut-out"
    assert title("matte", "holes applies") == "matte: whether there is any: holes in the cut-out"


def test_words_for_a_number_that_is_not_measured_are_refused_by_the_check():
    strange = replace(family("geometry"), words={"depth": "depth (m)"})
    with pytest.raises(AssertionError, match="has words for numbers that it does not measure: depth"):
        check_family(strange)
