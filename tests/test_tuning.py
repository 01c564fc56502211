"""Parameters set by name: what is set, what is refused, and that nothing else changes."""

import dataclasses

import pytest

from engine import pipeline, tuning
from engine.index import Index
from engine.tuning import USUAL, Tuning


def test_settings_reach_their_parameters_and_no_others() -> None:
    told = ["rerank.n_images=200", "shortlist.vote.spread=18.5", "expand.rerank.verify.n_rounds=2"]
    tuned = tuning.tune(told)
    assert tuned.rerank.n_images == 200
    assert tuned.shortlist.vote.spread == 18.5
    assert tuned.expand.rerank.verify.n_rounds == 2
    assert sorted(tuning.changes(tuned)) == sorted(told)
    assert tuning.tune(tuning.changes(tuned)) == tuned
    fewer = [
        "shortlist.most=20",
        "shortlist.vote.most=20",
        "rerank.most=20",
        "expand.rerank.most=9",
    ]
    assert tuning.tune(fewer) == tuning.tune(fewer[::-1]), "their order does not matter"
    assert dataclasses.replace(tuned, rerank=USUAL.rerank).rerank == Tuning().rerank


@pytest.mark.parametrize("name", tuning.names())
def test_every_name_can_be_set_to_what_it_is(name: str) -> None:
    value = tuning.USUAL
    for one in name.split("."):
        value = getattr(value, one)
    assert tuning.tune([f"{name}={value}"]) == USUAL


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("rerank.n_images", "NAME=VALUE"),
        ("rerank.images=3", "there is no 'rerank.images'"),
        ("rerank=3", "there is no 'rerank'"),
        ("rerank.n_images=3.5", "cannot be '3.5'"),
        ("rerank.n_images=0", "at least 1"),
        ("rerank.spread=nan", "cannot be 'nan'"),
        ("rerank.spread=0", "above 0"),
        ("rerank.turn=-1", "at least 0"),
        ("rerank.most=52", "shortlist.most=52"),
        ("expand.rerank.most=52", "shortlist.most=52"),
        ("shortlist.most=20", "shortlist.vote.most is 40"),
        ("shortlist.most=200", "cannot be '200'"),
        ("shortlist.vote.own_turn=2", "own_turn"),
        ("asmk.least=1", "least"),
        ("turn.own=2", "own"),
        ("expand.least_score=1", "calibrate"),
    ],
)
def test_what_cannot_be_set_is_said(setting: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        tuning.tune([setting])


def test_a_query_follows_its_tuning(tiny: Index) -> None:
    tuned = tuning.tune(["rerank.n_images=3"])
    image_id = tiny.find_image("china.jpg") or 0
    usual = pipeline.search_image(tiny, image_id, "verified", None)
    few = pipeline.search_image(tiny, image_id, "verified", None, tuning=tuned)
    assert len(few.verified) == 3 < len(usual.verified)
    stored = pipeline.search_stored(tiny, image_id, "verified", None, tuning=tuned)
    assert len(stored.verified) == 3
