"""Perceptual hashes and the search for near ones."""

import imagehash
import numpy as np
import pytest
from originals import scene
from PIL import ImageOps

from curate.pictures.hashers import mirrored, near_pairs, phash, reduced, to_int


def brute_force(hashes, within):
    values = [int(value) for value in hashes]
    return sorted(
        (i, j, (values[i] ^ values[j]).bit_count())
        for i in range(len(values))
        for j in range(i + 1, len(values))
        if (values[i] ^ values[j]).bit_count() <= within
    )


def clustered(rng, count, flips):
    """Hashes of which many lie near each other, and some are equal."""
    centres = rng.integers(0, 2**64, max(1, count // 8), dtype=np.uint64)
    hashes = rng.choice(centres, count)
    for _ in range(flips):
        turned = rng.integers(0, 64, count).astype(np.uint64)
        hashes = np.where(rng.random(count) < 0.7, hashes ^ (np.uint64(1) << turned), hashes)
    return hashes


@pytest.mark.parametrize("size", [(320, 320), (200, 333), (640, 97), (32, 32)])
def test_the_hash_is_that_of_imagehash_behind_a_prefix(size):
    picture = scene(1, size)
    assert phash(picture) == f"p:{imagehash.phash(picture)}"
    assert phash(reduced(picture)) == phash(picture)


def test_the_mirrored_hash_is_the_hash_of_the_mirror_image():
    for seed in range(5):
        picture = scene(seed)
        turned = to_int(phash(ImageOps.mirror(picture)))
        assert (to_int(mirrored(picture)) ^ turned).bit_count() <= 2
        assert (to_int(mirrored(picture)) ^ to_int(phash(picture))).bit_count() > 12


def test_a_hash_reads_back_as_its_64_bits():
    assert to_int("p:8f3c00ff12ab9d01") == 0x8F3C00FF12AB9D01


@pytest.mark.parametrize("text", ["", "8f3c00ff12ab9d01", "p:8f3c", "p:8f3c00ff12ab9d01aa", "p:xyzxyzxyzxyzxyzx"])
def test_what_is_no_hash_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011
        to_int(text)


@pytest.mark.parametrize("within", [0, 1, 3, 6, 10, 17])
def test_near_pairs_are_those_that_brute_force_finds(within):
    rng = np.random.default_rng(within)
    for flips in (0, 2, 6):
        hashes = clustered(rng, 200, flips)
        assert sorted(near_pairs(hashes, within)) == brute_force(hashes, within)


@pytest.mark.parametrize("within", [0, 1, 3, 6, 10, 17])
def test_near_pairs_are_found_across_bands_and_blocks_when_there_are_many(within, monkeypatch):
    monkeypatch.setattr("curate.pictures.hashers.BLOCK", 7)
    for flips in (0, 2, 6):
        hashes = clustered(np.random.default_rng(within), 150, flips)
        assert sorted(near_pairs(hashes, within)) == brute_force(hashes, within)


def test_equal_hashes_are_pairs_at_distance_zero():
    assert list(near_pairs(np.array([5, 9, 5, 5], dtype=np.uint64), 0)) == [(0, 2, 0), (0, 3, 0), (2, 3, 0)]


def test_no_hashes_have_no_pairs():
    assert list(near_pairs(np.array([], dtype=np.uint64), 6)) == []


def test_a_distance_that_no_hashes_can_have_is_refused():
    with pytest.raises(ValueError, match="between 0 and 63"):
        next(near_pairs(np.array([1, 2], dtype=np.uint64), 64))
