"""The vocabulary page: every word, one word, and the steps between them."""

import base64
import io

import numpy as np
import pytest
from PIL import Image as Pillow

from engine.index import Index
from tests.pages_under_test import component, refused, sentences, visit, well

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")


def test_the_vocabulary_shows_every_word_once(tiny: Index) -> None:
    tiles = component(well(visit("vocabulary")), "words")["items"]
    assert sorted(tile["id"] for tile in tiles) == list(range(tiny.n_words))


def test_a_word_shows_its_patches_images_and_neighbours(tiny: Index) -> None:
    at = well(visit("vocabulary", word="3"))
    assert "Word 3" in sentences(at)
    rows = tiny.patch_keypoints[3]
    patches = component(at, "patches")["items"]
    assert len(patches) == int((rows >= 0).sum())
    for place, tile in enumerate(patches):
        kind, _, coded = tile["url"].partition(",")
        assert kind == "data:image/jpeg;base64"
        with Pillow.open(io.BytesIO(base64.b64decode(coded))) as patch:
            seen = np.asarray(patch, np.int16)
        assert np.abs(seen - tiny.patches(3)[place]).mean() < 8  # of 255, by JPEG
    spread = component(at, "spread")
    assert sum(spread["values"]) == int(tiny.frequency[3])
    assert len(spread["ends"]) == len(spread["values"]) + 1
    assert len(component(at, "near")["items"]) == 8
    assert component(at, "holders")["items"][0]["id"] == tiny.images_of_word(3, 1)[0][0]


@pytest.mark.parametrize("word", [0, 23])
def test_the_first_and_the_last_word_have_one_neighbour_in_number(tiny: Index, word: int) -> None:
    labels = [b.label for b in well(visit("vocabulary", word=str(word))).button]
    assert ("Previous" in labels, "Next" in labels) == (word > 0, word < 23)


def test_stepping_through_words_changes_the_address(tiny: Index) -> None:
    at = visit("vocabulary", word="3")
    well(next(b for b in at.button if b.label == "Next").click().run())
    assert at.query_params == {"word": "4"}
    well(next(b for b in at.button if b.label == "All words").click().run())
    assert at.query_params == {}
    well(at.number_input(key="find").set_value(7).run())
    assert at.query_params == {"word": "7"}


def test_the_query_stays_while_words_are_looked_at(tiny: Index) -> None:
    at = well(visit("vocabulary", query="image-2", word="3"))
    well(next(b for b in at.button if b.label == "All words").click().run())
    assert at.query_params == {"query": "image-2"}


def test_a_word_out_of_range_is_refused(tiny: Index) -> None:
    told = refused(visit("vocabulary", word="24"))
    assert told.startswith("The collection tiny has no word 24: it has 24")
