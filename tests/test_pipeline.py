"""From a picture to an answer, in order, with the query left out by its identity."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from engine import encode, features, images, lookup, methods, pipeline, signatures
from engine.features import ExtractionParams
from engine.index import Index
from engine.surf import SurfParams
from tests.uncompiled import said

WITHOUT_MORE = methods.available(())


def _image(tiny: Index, name: str) -> images.Image:
    return images.read(tiny.root / name)


@pytest.mark.parametrize("method", ["distance", "squared-distance", "signatures", "verified"])
def test_every_picture_finds_its_turned_view_first(tiny: Index, method: str) -> None:
    """The stated task in small: photographs that differ find their own other view."""
    found = 0
    for name in ("astronaut", "chelsea", "china", "coffee"):
        answer = pipeline.search_query(
            tiny, pipeline.describe_query(tiny, _image(tiny, f"{name}.jpg")), method
        )
        found += tiny.images[answer.ranking.image_ids[0]].path == f"turned/{name}.png"
    assert found == 4


def test_pixels_and_index_give_the_same_answer(tiny: Index) -> None:
    for weighting in WITHOUT_MORE:
        image_id = tiny.find_image("coffee.jpg")
        assert image_id is not None
        inside = pipeline.search_image(tiny, image_id, weighting, None)
        query = pipeline.describe_query(tiny, _image(tiny, "coffee.jpg"))
        outside = pipeline.search_query(tiny, query, weighting, None)
        np.testing.assert_array_equal(inside.ranking.image_ids, outside.ranking.image_ids)
        np.testing.assert_array_equal(inside.ranking.scores, outside.ranking.scores)
        assert inside.excluded == outside.excluded == (image_id,)
        assert inside.n_images == tiny.n_images - 1


def test_an_outside_picture_loses_no_result(tiny: Index) -> None:
    """The original dropped rank 1, the best answer of any outside picture."""
    turned = _image(tiny, "turned/china.png")
    outside = dataclasses.replace(turned, sha256="0" * 64)
    query = pipeline.describe_query(tiny, outside)
    answer = pipeline.search_query(tiny, query, "distance")
    assert tiny.images[answer.ranking.image_ids[0]].path == "turned/china.png"
    assert answer.ranking.scores[0] == 1
    assert answer.excluded == ()


def test_no_keypoints_score_zero_everywhere(tiny: Index) -> None:
    query = pipeline.describe_query(tiny, _image(tiny, "flat.png"))
    assert len(query.features) == 0
    for method in WITHOUT_MORE:
        answer = pipeline.search_query(tiny, query, method)
        assert answer.ranking.scores.tolist() == [0, 0, 0, 0]
        assert answer.ranking.image_ids.tolist() == [0, 1, 2, 3]


def test_only_the_same_thing_is_verified(tiny: Index) -> None:
    """A turned photograph maps onto itself; of another one hardly anything agrees."""
    query = pipeline.describe_query(tiny, _image(tiny, "coffee.jpg"))
    answer = pipeline.search_query(tiny, query, "verified", None)
    first = answer.verified[int(answer.ranking.image_ids[0])]
    assert tiny.images[first.image_id].path == "turned/coffee.png"
    inliers = first.verification.inliers
    assert len(inliers) > 50
    places = query.features.xy[first.query_rows[inliers]]
    mapped = places @ first.verification.affine[:, :2].T + first.verification.affine[:, 2]
    found = tiny.keypoints(first.image_id).xy[first.database_rows[inliers]]
    assert np.median(np.abs(mapped - found)) < 1.0  # pixels
    assert answer.ranking.scores[1] < 0.1 * answer.ranking.scores[0]


def test_a_picture_whose_file_is_gone_searches_with_what_is_stored(
    tiny: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    image_id = tiny.find_image("china.jpg")
    assert image_id is not None
    monkeypatch.setattr(Index, "picture_path", lambda self, i: Path("gone.jpg"))
    for method in ("signatures", "verified"):
        answer = pipeline.search_image(tiny, image_id, method, None)
        assert tiny.images[answer.ranking.image_ids[0]].path == "turned/china.png"
        assert image_id not in answer.ranking.image_ids
        assert len(answer.ranking) == answer.n_images == tiny.n_images - 1


def test_an_unknown_method_is_refused(tiny: Index) -> None:
    with pytest.raises(ValueError, match=r"method must be one of distance, .*got 'bm25'"):
        pipeline.search_image(tiny, 0, "bm25")


def test_another_threshold_is_for_looking(tiny: Index) -> None:
    image = _image(tiny, "coffee.jpg")
    few = pipeline.describe_query(tiny, image, SurfParams(hessian_threshold=3000))
    assert 0 < len(few.features) < len(pipeline.describe_query(tiny, image).features)
    with pytest.raises(ValueError, match="differ in dimensions"):
        pipeline.describe_query(tiny, image, SurfParams(extended=False))


def test_threads_change_nothing(tiny: Index) -> None:
    image = _image(tiny, "china.jpg")
    one = pipeline.describe_query(tiny, image, n_threads=1)
    two = pipeline.describe_query(tiny, image, n_threads=2)
    np.testing.assert_array_equal(one.features.descriptors, two.features.descriptors)
    np.testing.assert_array_equal(one.words.word_ids, two.words.word_ids)
    for method in ("signatures", "verified"):
        alone = pipeline.search_query(tiny, one, method, None, n_threads=1).ranking
        both = pipeline.search_query(tiny, one, method, None, n_threads=2).ranking
        np.testing.assert_array_equal(alone.image_ids, both.image_ids)
        np.testing.assert_array_equal(alone.scores, both.scores)


@pytest.mark.parametrize("method", ["averaged", "expanded"])
@pytest.mark.parametrize("n_results", [None, 4])
def test_a_verified_answer_leads_to_those_that_go_on_from_it(
    joined: Index, method: str, n_results: int | None
) -> None:
    image_id = joined.find_image("chelsea.jpg")
    assert image_id is not None
    query = pipeline.describe_query(joined, _image(joined, "chelsea.jpg"))
    for verified, alone in (
        (
            pipeline.search_query(joined, query, "verified", 1),
            pipeline.search_query(joined, query, method, n_results),
        ),
        (
            pipeline.search_stored(joined, image_id, "verified", 1),
            pipeline.search_stored(joined, image_id, method, n_results),
        ),
    ):
        found = pipeline.expand_answer(joined, verified, method, n_results)
        np.testing.assert_array_equal(found.ranking.image_ids, alone.ranking.image_ids)
        np.testing.assert_array_equal(found.ranking.scores, alone.ranking.scores)
        assert found.method == alone.method == method
        assert found.excluded == alone.excluded == (image_id,)
        assert found.n_images == alone.n_images == joined.n_images - 1
        assert found.expansion is not None and alone.expansion is not None
        assert found.expansion.ways.keys() == alone.expansion.ways.keys()
        assert dataclasses.replace(found.timings, expand=0.0) == verified.timings
        assert verified.expansion is None and len(verified.ranking) == 1


def test_only_a_verified_answer_is_gone_on_from(joined: Index) -> None:
    counted, verified = (
        pipeline.search_stored(joined, 0, method) for method in ("count", "verified")
    )
    with pytest.raises(ValueError, match="expanded cannot go on from an answer by count"):
        pipeline.expand_answer(joined, counted, "expanded")
    with pytest.raises(ValueError, match="count cannot go on from an answer by verified"):
        pipeline.expand_answer(joined, verified, "count")


def test_words_of_the_index_are_those_of_its_pictures(tiny: Index) -> None:
    for image_id, entry in enumerate(tiny.images):
        found = features.extract(images.read(tiny.root / entry.path).gray, tiny.extraction)
        words = lookup.assign(found.descriptors, tiny.codebook.centres)
        order = np.argsort(words.word_ids, kind="stable")
        kept, kept_words = tiny.keypoints(image_id), tiny.words(image_id)
        np.testing.assert_array_equal(words.word_ids[order], kept_words.word_ids)
        np.testing.assert_allclose(words.distances[order], kept_words.distances, atol=1 / 256)
        np.testing.assert_allclose(found.xy[order], kept.xy, atol=0.01)  # pixels
        np.testing.assert_allclose(found.size[order], kept.size, rtol=1e-4)
        np.testing.assert_array_equal(found.octave[order], kept.octave)
        np.testing.assert_array_equal(found.class_id[order], kept.class_id)
        bits = signatures.sign(found.descriptors, words.word_ids, tiny.codebook.signatures)
        rows = slice(tiny.offsets[image_id], tiny.offsets[image_id + 1])
        differing = np.unpackbits((bits[order] ^ tiny.signatures[rows]).view(np.uint8))
        # A median can be one of the numbers themselves, and another order of additions moves it.
        assert differing.sum() <= 1e-3 * len(differing)


def test_a_picture_of_the_collection_has_the_vector_of_its_file(tiny: Index) -> None:
    image_id = tiny.find_image("china.jpg")
    assert image_id is not None
    query = pipeline.describe_query(tiny, _image(tiny, "china.jpg"))
    for weighting in encode.WEIGHTINGS:
        by_file = pipeline.search_query(tiny, query, weighting)
        by_id = pipeline.search_image(tiny, image_id, weighting)
        np.testing.assert_array_equal(by_file.ranking.scores, by_id.ranking.scores)


@pytest.mark.parametrize(
    "wrong",
    [
        {"feature": "sift", "surf": {}},
        {"feature": "surf"},
        {"feature": "surf", "surf": {"hessian": 3}},
        {"feature": "surf", "surf": {}, "size": 3},
        {"surf": {}},
    ],
)
def test_unknown_extraction_parameters_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"unknown feature|do not fit"):
        ExtractionParams.from_json(wrong)


def test_extraction_parameters_come_back() -> None:
    params = ExtractionParams(SurfParams(hessian_threshold=3000, extended=False), 800)
    assert ExtractionParams.from_json(params.to_json()) == params
    with pytest.raises(ValueError, match="max_side must be at least 32"):
        ExtractionParams(max_side=31)


def test_a_warmed_up_process_compiles_nothing_more() -> None:
    """The first patch of a fresh server was waited for: its kernel had not been warmed up."""
    code = """
import numpy as np
from engine import lookup, patches, pipeline, surf
from engine.kernels import assign, surf_patch
pipeline.warm_up()
before = [len(k.signatures) for k in (assign.nearest_exact, surf_patch.cut_patches)]
colour = np.random.default_rng(0).integers(0, 256, (90, 90, 3)).astype(np.uint8)
found = surf.extract(colour[..., 0].copy())
patches.cut(colour, found.xy, found.size, found.angle, 80)
lookup.assign(found.descriptors, found.descriptors[:7])
after = [len(k.signatures) for k in (assign.nearest_exact, surf_patch.cut_patches)]
assert before == after == [1, 1], (before, after)
"""
    said(code, compiled=True)


def test_a_warmed_up_process_traces_without_compiling() -> None:
    """The first visitor of Step by step would have waited for the kernels of the trace."""
    code = """
import numpy as np
from engine import pipeline, trace, trace_cells
from engine.kernels import surf_detect, surf_describe, surf_orient, surf_window
from engine.surf import SurfParams
pipeline.warm_up()
def signatures():
    modules = surf_detect, surf_describe, surf_orient, surf_window
    kernels = [v for m in modules for v in vars(m).values() if hasattr(v, "signatures")]
    return [len(kernel.signatures) for kernel in kernels]
before = signatures()
gray = np.random.default_rng(0).integers(0, 256, (90, 90)).astype(np.uint8)
for params in (SurfParams(), SurfParams(100.0, 2, 2, extended=False, upright=True)):
    made = trace.prepare(gray, params)
    trace.follow(made, len(made.features) - 1)
    trace_cells.funnel(made.octaves[0], 1, 100.0)
assert before == signatures(), (before, signatures())
"""
    said(code, compiled=True)
