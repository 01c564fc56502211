"""Every point of every score is accounted for, and no part is made up to fit."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from engine import (
    account,
    aggregate,
    asmk,
    build,
    explain,
    graph,
    images,
    index,
    methods,
    pipeline,
    residuals,
    tuning,
    vlad,
)
from engine.answer import Answer
from engine.explanation import (
    BASE,
    BEYOND,
    COUNTS,
    DOUBLE,
    LIMIT,
    OFF,
    TURNED,
    WAY,
    Explanation,
    by_word,
    to_json,
)
from engine.index import Index
from engine.residuals import WordSums
from engine.search import Ranking
from tests.conftest import tiny_params

ROUNDING = 1e-6


@pytest.fixture(scope="module")
def places(
    built: Path, photographs: dict[str, Pillow.Image], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Artifacts with "tiny", and with "row": one thing, seen more and more from the side."""
    place = tmp_path_factory.mktemp("explained")
    shutil.copytree(built, place / "artifacts")
    (place / "row").mkdir()
    whole = photographs["china"].resize((480, 320))
    for width in (480, 400, 330, 270, 220, 180, 150, 125, 105, 88):
        whole.resize((width, 320)).save(place / "row" / f"{width}.png")
    for name in ("astronaut", "chelsea"):
        photographs[name].save(place / "row" / f"{name}.png")
    photographs["rocket"].save(place / "row" / "other.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISWORD_ARTIFACTS", str(place / "artifacts"))
        build.build(place / "row", "row", tiny_params(), n_workers=1)
        for name in ("tiny", "row"):
            aggregate.make_residuals(name)
            graph.make_graph(name)
    return place / "artifacts"


@pytest.fixture
def tiny(places: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(places))
    return index.open_index("tiny")


@pytest.fixture
def row(tiny: Index) -> Index:
    return index.open_index("row")


def _id(of: Index, name: str) -> int:
    found = of.find_image(name)
    assert found is not None
    return found


def _search(of: Index, name: str, method: str, *settings: str) -> Answer:
    described = pipeline.describe_query(of, images.read(of.root / name))
    return pipeline.search_query(of, described, method, None, tuning=tuning.tune(settings))


def _all(of: Index, answer: Answer) -> list[Explanation]:
    return [explain.explain(of, answer, i) for i in answer.ranking.image_ids.tolist()]


def _adds_up(explained: Explanation) -> None:
    assert explained.total == pytest.approx(explained.score, rel=ROUNDING, abs=ROUNDING)


@pytest.mark.parametrize("method", methods.METHODS)
@pytest.mark.parametrize("collection", ["tiny", "row"])
def test_the_parts_of_every_score_add_up(tiny: Index, collection: str, method: str) -> None:
    of, n_scored = index.open_index(collection), 0
    for entry in of.images:
        answer = _search(of, entry.path, method)
        for place, explained in enumerate(_all(of, answer)):
            _adds_up(explained)
            assert explained.score == answer.ranking.scores[place]
            assert explained.rank == place + 1
            n_scored += explained.score > 0
    assert n_scored > of.n_images


@pytest.mark.parametrize("method", methods.METHODS)
def test_parts_of_stored_pictures_add_up_too(tiny: Index, method: str) -> None:
    """Without its file a query has one word a keypoint, and half the matches."""
    answer = pipeline.search_stored(tiny, _id(tiny, "china.jpg"), method, None)
    for explained in _all(tiny, answer):
        _adds_up(explained)


@pytest.mark.parametrize(
    ("method", "setting"),
    [
        ("vlad", "turn.own=1"),
        ("asmk", "asmk.power=3"),
        ("asmk", "asmk.turn.own=1"),
        ("signatures", "shortlist.vote.own_turn=1"),
        ("signatures", "shortlist.vote.half_window=180"),
        ("signatures", "shortlist.vote.spread=7"),
        ("verified", "rerank.verify.n_matches=9"),
        ("averaged", "average.step=2"),
        ("expanded", "expand.n_views=2"),
    ],
)
def test_parts_follow_the_settings(row: Index, method: str, setting: str) -> None:
    answer, usual = _search(row, "270.png", method, setting), _search(row, "270.png", method)
    assert answer.ranking.scores.tolist() != usual.ranking.scores.tolist()
    for explained in _all(row, answer):
        _adds_up(explained)


def test_words_add_what_the_formula_says(tiny: Index) -> None:
    answer = _search(tiny, "china.jpg", "distance")
    ours, image_id = answer.working.vector, _id(tiny, "turned/china.png")
    assert ours is not None
    explained = explain.explain(tiny, answer, image_id)
    theirs = tiny.vector(image_id, "distance").astype(float)
    words = explained.words
    assert words is not None
    assert [term.kind for term in explained.terms] == [BASE]
    lengths = np.linalg.norm(ours.astype(float)) * np.linalg.norm(theirs)
    for word, value in zip(words.word_ids.tolist(), words.values.tolist()):
        assert value == pytest.approx(0.5 * float(ours[word]) * theirs[word] / lengths)
    assert set(words.word_ids.tolist()) == set(np.flatnonzero((ours > 0) & (theirs > 0)).tolist())
    assert (np.diff(words.values) <= 0).all()


@pytest.mark.parametrize("method", methods.AGGREGATED)
def test_without_a_word_a_query_lacks_what_that_word_added(tiny: Index, method: str) -> None:
    answer, image_id = _search(tiny, "coffee.jpg", method), _id(tiny, "turned/coffee.png")
    sums, settled = answer.working.sums, answer.working.settled
    words = explain.explain(tiny, answer, image_id).words
    assert sums is not None and settled is not None and words is not None
    collection = residuals.open_residuals(tiny)
    for word, value in list(zip(words.word_ids.tolist(), words.values.tolist()))[::5]:
        left = WordSums(sums.words[sums.words != word], sums.sums[sums.words != word])
        if method == methods.ASMK:
            shrunk = np.sqrt(len(left.words) / len(sums.words))
            scores = asmk.at_turns(collection, left)
        else:
            lengths = [
                np.linalg.norm(residuals.dampen(s.sums, collection.params)) for s in (left, sums)
            ]
            shrunk = lengths[0] / lengths[1]
            at_turns = vlad.vectors_at_turns if method == methods.VLAD else vlad.codes_at_turns
            scores = at_turns(collection, left)
        without = scores[image_id, settled.turns[image_id]] * settled.parts[image_id]
        whole = settled.scores[image_id]
        assert whole - without * shrunk == pytest.approx(value, abs=2e-5)


def test_a_vote_is_its_nearness_times_its_rarity(tiny: Index) -> None:
    answer = _search(tiny, "chelsea.jpg", "signatures")
    image_id = _id(tiny, "turned/chelsea.png")
    explained = explain.explain(tiny, answer, image_id)
    matches, listed = explained.matches, answer.working.listed
    assert matches is not None and listed is not None
    place = listed.matches.image_ids.tolist().index(image_id)
    n_keypoints = int(np.diff(tiny.offsets)[image_id])
    params = answer.working.tuning.shortlist.vote
    turned = (matches.database.angle - matches.query.angle - listed.turns[place]) % 360
    off = np.minimum(turned, 360 - turned)
    counts = matches.fates == COUNTS
    assert 20 < counts.sum() < len(matches), "some turn otherwise"
    for i in np.flatnonzero(counts)[::7]:
        n_pictures = (listed.matches.distances[:, matches.query_rows[i]] <= params.most).sum()
        rarity = np.log(100 / n_pictures)
        signed = answer.working.signed
        assert signed is not None
        strength = signed.weights[matches.query_rows[i]]
        near = np.exp(-((float(matches.distances[i]) / params.spread) ** 2))
        expected = near * rarity * strength / np.sqrt(n_keypoints)
        assert matches.values[i] == pytest.approx(expected, rel=1e-5)
    assert off[counts].max() < params.half_window + 10
    assert (matches.values[~counts] == 0).all()
    assert set(matches.fates[~counts].tolist()) == {TURNED}


def test_a_verified_score_is_its_factors(tiny: Index) -> None:
    answer = _search(tiny, "china.jpg", "verified")
    image_id = _id(tiny, "turned/china.png")
    explained = explain.explain(tiny, answer, image_id)
    matches, told, direct = explained.matches, explained.factors, answer.verified[image_id]
    assert matches is not None and told is not None and explained.affine is not None
    made = np.sqrt(told.weight * told.n_cells * told.weight / told.total)
    assert made == pytest.approx(explained.score, rel=1e-6)
    counts = matches.fates == COUNTS
    assert counts.sum() == len(direct.verification.inliers)
    carried = matches.query.xy @ explained.affine[:, :2].T + explained.affine[:, 2]
    apart = np.hypot(*(carried - matches.database.xy).T)
    np.testing.assert_allclose(
        matches.residuals[matches.fates != TURNED], apart[matches.fates != TURNED]
    )
    reach = 0.5 * 0.04 * np.hypot(320, 213)
    assert apart[counts].max() <= reach * 1.001
    assert {COUNTS, TURNED, OFF, DOUBLE} == set(matches.fates.tolist())
    for i in np.flatnonzero(matches.fates == DOUBLE):
        near = [
            np.hypot(*(side.xy[counts] - side.xy[i]).T).min()
            for side in (matches.query, matches.database)
        ]
        assert min(near) < 0.005 * np.hypot(320, 213) * 1.001
    assert len(np.unique(matches.query_rows)) == len(matches), "each keypoint has one match"


def test_what_was_not_verified_shows_its_matches_and_counts_none(tiny: Index) -> None:
    answer = _search(tiny, "china.jpg", "verified", "rerank.n_images=2")
    last = _all(tiny, answer)[5]
    assert last.score == 0 and last.factors is None and last.affine is None
    assert last.matches is not None and set(last.matches.fates.tolist()) == {BEYOND}


def test_matches_beyond_the_number_that_is_looked_at_are_told(tiny: Index) -> None:
    answer = _search(tiny, "china.jpg", "verified", "rerank.verify.n_matches=50")
    image_id = _id(tiny, "turned/china.png")
    matches, found = explain.explain(tiny, answer, image_id).matches, answer.verified[image_id]
    assert matches is not None and len(found.distances) > 60
    beyond = matches.fates == BEYOND
    assert beyond.sum() == len(found.distances) - 50
    assert matches.distances[beyond].min() >= matches.distances[matches.fates == COUNTS].max()


@pytest.mark.parametrize("method", ["verified", "expanded"])
def test_a_picture_beyond_the_short_list_was_said_to_have_no_match(
    tiny: Index, method: str
) -> None:
    few = ("shortlist.n_images=3", "shortlist.n_comparisons=3000")
    answer = _search(tiny, "china.jpg", method, *few)
    for explained in _all(tiny, answer)[3:]:
        assert explained.matches is None
        told = account.made(answer, explained)
        assert told == "It was too far down the short list to be verified."


def test_what_only_the_strongest_keypoints_met_adds_up_and_has_a_limit(tiny: Index) -> None:
    few = ("shortlist.n_images=4", "shortlist.n_comparisons=3000")
    answer = _search(tiny, "coffee.jpg", "signatures", *few)
    listed = answer.working.listed
    assert listed is not None and len(listed.turns) == 4
    last = [one for one in _all(tiny, answer)[4:] if one.score > 0]
    assert len(last) > 2
    for explained in last:
        _adds_up(explained)
        assert explained.terms == ()
    # As if those that all keypoints met had less.
    low = dataclasses.replace(listed, scores=np.minimum(listed.scores, last[1].score))
    lowered = dataclasses.replace(
        answer,
        ranking=Ranking(low.image_ids.astype(np.int32), low.scores),
        working=dataclasses.replace(answer.working, listed=low),
    )
    first, second = _all(tiny, lowered)[4:6]
    assert [term.kind for term in first.terms] == [LIMIT]
    assert first.terms[0].value == pytest.approx(last[1].score - last[0].score, rel=1e-5)
    _adds_up(first)
    _adds_up(second)


def test_expanded_parts_name_the_pictures_that_they_came_by(row: Index) -> None:
    answer = _search(row, "480.png", "expanded")
    far = [one for one in _all(row, answer) if answer.led_by(one.image_id)]
    assert far, "seen from the side it is found by way of what lies between"
    views = {view.image_id for view in answer.expansion.views} if answer.expansion else set()
    for explained in far:
        matches = explained.matches
        assert matches is not None and explained.factors is not None
        counted = matches.sources[matches.fates == COUNTS]
        assert set(counted.tolist()) <= views | {-1}
        assert (counted >= 0).any()
        assert explained.factors.part < 1


def test_averaged_parts_are_ways_over_pictures_that_the_query_matches(row: Index) -> None:
    answer = _search(row, "480.png", "averaged")
    assert answer.expansion is not None
    sure = {view.image_id for view in answer.expansion.views}
    ways = [term for one in _all(row, answer) for term in one.terms]
    assert ways and {term.kind for term in ways} == {WAY}
    assert {term.path[0] for term in ways} <= sure


def test_words_of_matches_add_up_as_matches_do(tiny: Index) -> None:
    answer = _search(tiny, "china.jpg", "verified")
    explained = explain.explain(tiny, answer, _id(tiny, "turned/china.png"))
    assert explained.matches is not None
    words = by_word(explained)
    assert words.values.sum() == pytest.approx(explained.score, rel=ROUNDING)
    first = explained.matches.word_ids == words.word_ids[0]
    assert words.values[0] == pytest.approx(explained.matches.values[first].sum())
    nothing = dataclasses.replace(explained, matches=None)
    assert len(by_word(nothing).values) == 0
    assert nothing.total == 0


def test_the_query_itself_cannot_be_explained(tiny: Index) -> None:
    answer = _search(tiny, "china.jpg", "count")
    with pytest.raises(ValueError, match="the query itself"):
        explain.explain(tiny, answer, _id(tiny, "china.jpg"))
    few = pipeline.search_image(tiny, 0, "count", 1)
    other = next(i for i in range(1, tiny.n_images) if i != few.ranking.image_ids[0])
    with pytest.raises(ValueError, match="left out"):
        explain.explain(tiny, few, other)


@pytest.mark.parametrize("method", ["distance", "vlad", "signatures", "verified", "averaged"])
def test_an_explanation_as_json_adds_up_too(row: Index, method: str) -> None:
    answer = _search(row, "480.png", method)
    for explained in _all(row, answer):
        told = json.loads(json.dumps(to_json(explained, row), allow_nan=False))
        parts = told["matches"] if told["matches"] is not None else told["words"] or []
        total = sum(part["value"] for part in (*parts, *told["parts"]))
        assert total == pytest.approx(told["score"], rel=ROUNDING, abs=ROUNDING)
        assert told["image"] == row.images[explained.image_id].path
        if told["map"] is not None:
            assert np.linalg.det(np.array(told["map"]["affine"])[:, :2]) > 0
    few = to_json(explain.explain(row, answer, _id(row, "400.png")), row, n_matches=3)
    assert few["matches"] is None or len(few["matches"]) == 3
