"""The tail of false scores: what it tells of a score, and that it errs on the careful side."""

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import calibration, cli, index, pipeline, statistics, upkeep
from engine.calibration import N_LEAST, TAIL
from engine.errors import ArtifactError
from engine.index import Index

SCORES = st.lists(st.floats(0, 20, width=32), min_size=N_LEAST, max_size=90)


@pytest.mark.parametrize(("share", "below"), [(0.05, 0.25), (0.01, 0.12), (0.001, 0.1)])
def test_the_score_of_a_share_is_near_the_true_one_and_seldom_below(
    share: float, below: float
) -> None:
    """Near the ninth decile its own scatter tells, further out the careful mean of the tail."""
    true, random = 1 - 0.5 * np.log(share), np.random.default_rng(5)
    samples = (1 + random.exponential(0.5, (200, 1000))).astype(np.float32)
    told = np.array([calibration.fit(scores).score_at(share) for scores in samples])
    assert true < told.mean() < 1.2 * true
    assert np.mean(told < true) < below


def test_fewer_pictures_make_a_more_careful_score() -> None:
    places = (np.arange(2000) + 0.5) / 2000
    many = (-np.log(1 - places)).astype(np.float32)
    few = many[::20]
    assert calibration.fit(few).excess > calibration.fit(many).excess > 1


@given(values=SCORES, points=st.lists(st.floats(0, 30), min_size=2, max_size=9))
def test_the_share_that_reaches_a_score_falls_with_it(
    values: list[float], points: list[float]
) -> None:
    tail = calibration.fit(np.array(values, np.float32))
    shares = [tail.reached(point) for point in sorted([*points, tail.start])]
    assert all(0 <= share <= 1 for share in shares)
    assert all(b <= a for a, b in pairwise(shares))


@given(values=SCORES, share=st.floats(1e-6, 0.999 * TAIL))
def test_in_the_tail_the_share_undoes_the_score(values: list[float], share: float) -> None:
    tail = calibration.fit(np.array(values, np.float32))
    if tail.excess > 1e-3:  # else the score's own rounding moves the share
        assert tail.reached(tail.score_at(share)) == pytest.approx(share)
    else:
        assert tail.reached(tail.score_at(share)) <= TAIL


@given(values=SCORES)
def test_below_the_ninth_decile_pictures_are_counted(values: list[float]) -> None:
    scores = np.array(values, np.float32)
    tail = calibration.fit(scores)
    for score in scores[scores <= tail.start].tolist():
        assert tail.reached(score) == np.mean(scores >= score)
    np.testing.assert_array_equal(tail.scores, np.sort(scores))


def test_too_few_scores_are_refused() -> None:
    with pytest.raises(ValueError, match=f"at least {N_LEAST} scores are needed, got 29"):
        calibration.fit(np.zeros(N_LEAST - 1, np.float32))


@pytest.mark.parametrize("value", [0.0, 2.5])
def test_equal_scores_gave_a_score_that_all_of_them_reached(value: float) -> None:
    scores = np.full(40, value, np.float32)
    tail = calibration.fit(scores)
    assert tail.score_at(0.01) == pytest.approx(value, abs=1e-6)
    assert not np.any(scores >= tail.score_at(0.01))
    assert tail.reached(value) == 1 and tail.reached(tail.score_at(0.01)) == 0


def test_a_share_of_pictures_has_its_interval() -> None:
    """Known values of Clopper and Pearson; where nothing or all was counted, by their formula."""
    assert statistics.share_interval(0, 0) == (0, 1)
    assert statistics.share_interval(0, 10) == pytest.approx((0, 1 - 0.025**0.1))
    assert statistics.share_interval(10, 10) == pytest.approx((0.025**0.1, 1))
    assert statistics.share_interval(1, 250) == pytest.approx((0.000101, 0.022083), abs=1e-5)
    assert statistics.share_interval(2, 412) == pytest.approx((0.000588, 0.017429), abs=1e-5)


@given(n=st.integers(1, 60), data=st.data())
def test_ends_of_a_share_are_just_as_unlikely_as_said(n: int, data: st.DataObject) -> None:
    from scipy.stats import binom

    hits = data.draw(st.integers(0, n))
    low, high = statistics.share_interval(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
    if hits > 0:
        assert binom.sf(hits - 1, n, low) == pytest.approx(0.025, rel=1e-3)
    if hits < n:
        assert binom.cdf(hits, n, high) == pytest.approx(0.025, rel=1e-3)


def test_where_nothing_was_measured_the_general_score_counts(tiny: Index) -> None:
    kept = calibration.of(tiny)
    assert kept == calibration.Calibration(calibration.UNMEASURED)
    assert not kept.is_measured and kept.rate is None and kept.reached(9.0) is None


@pytest.fixture
def copied(tiny: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """A copy of the tiny index, to be written to."""
    shutil.copytree(tiny.folder, tmp_path / "indexes" / "tiny")
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path))
    return index.open_index("tiny")


TOLD = {"least_score": 2.75, "rate": 0.01, "measured": []}


def test_what_is_kept_is_read_and_the_worse_kind_of_pictures_counts(copied: Index) -> None:
    low, high = (np.linspace(0, most, 50).astype(np.float32) for most in (1, 3))
    upkeep.add_part("tiny", calibration.PART, TOLD, {"scores_0": low, "scores_1": high})
    kept = calibration.of(index.open_index("tiny"))
    assert kept.is_measured and (kept.least_score, kept.rate) == (2.75, 0.01)
    assert [len(tail.scores) for tail in kept.tails] == [50, 50]
    assert kept.reached(2.0) == kept.tails[1].reached(2.0) > kept.tails[0].reached(2.0)
    answer = pipeline.search_image(index.open_index("tiny"), 0, "verified")
    assert answer.calibration is not None and answer.calibration.least_score == 2.75
    assert upkeep.verify("tiny") == []


def test_a_calibration_that_does_not_name_its_graph_is_read(
    copied: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    upkeep.add_part("tiny", calibration.PART, TOLD, {"scores_0": RISING})
    kept = calibration.of(index.open_index("tiny"))
    assert kept.least_score == 2.75 and kept.earlier_graph is None
    assert cli.main(["info", "tiny"]) == 0
    assert "2.75, measured; with which graph was not kept" in capsys.readouterr().out
    upkeep.add_part("tiny", calibration.PART, TOLD | {"edges": "0" * 16}, {"scores_0": RISING})
    assert calibration.of(index.open_index("tiny")).earlier_graph, "it has none at all now"
    upkeep.add_part("tiny", calibration.PART, {"rate": 1}, {"scores_0": RISING})
    assert cli.main(["info", "tiny"]) == 0
    assert "cannot be used" in capsys.readouterr().out


def test_an_index_that_was_not_calibrated_says_nothing_of_it(
    tiny: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    assert calibration.of(tiny).earlier_graph is None
    assert cli.main(["info", "tiny"]) == 0
    assert "same thing" not in capsys.readouterr().out


RISING = np.linspace(0, 3, 40).astype(np.float32)


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({}, "scores_0, scores_1"),
        ({"scores_1": RISING}, "scores_0, scores_1"),
        ({"scores_0": RISING, "more": RISING}, "scores_0, scores_1"),
        ({"scores_0": RISING[::-1]}, "scores_0 does not rise"),
        ({"scores_0": RISING[:0]}, "scores_0 does not rise"),
        ({"scores_0": RISING.reshape(4, 10)}, "scores_0 does not hold finite scores"),
        ({"scores_0": RISING * np.float32(np.nan)}, "scores_0 does not hold finite scores"),
        ({"scores_0": RISING.astype(np.int32)}, "scores_0 does not hold finite scores"),
    ],
)
def test_a_damaged_calibration_is_refused_on_opening(
    copied: Index, arrays: dict[str, np.ndarray], told: str
) -> None:
    upkeep.add_part("tiny", calibration.PART, TOLD, arrays)
    with pytest.raises(ArtifactError, match=told):
        index.open_index("tiny")


@pytest.mark.parametrize(
    ("parameters", "scores"),
    [({"rate": 0.01}, RISING), ({**TOLD, "least_score": None}, RISING), (TOLD, RISING[:9])],
)
def test_a_calibration_that_cannot_be_used_names_the_command(
    copied: Index, parameters: dict[str, object], scores: np.ndarray
) -> None:
    upkeep.add_part("tiny", calibration.PART, parameters, {"scores_0": scores})
    with pytest.raises(ArtifactError, match="python -m engine calibrate tiny"):
        calibration.of(index.open_index("tiny"))


def test_surprise_is_what_is_reached_as_a_power_of_ten() -> None:
    scores = np.random.default_rng(0).exponential(0.6, 300).astype(np.float32)
    tail = calibration.fit(scores)
    asked = np.array([tail.start, tail.start + 0.5, 5.0, 9.0])
    expected = [-np.log10(tail.reached(float(score))) for score in asked[1:]]
    assert tail.surprise(asked)[1:].tolist() == pytest.approx(expected)
    assert tail.surprise(np.array([0.0]))[0] == 0
    rising = tail.surprise(np.linspace(0, 3, 200))
    assert (np.diff(rising) >= 0).all()
    far = tail.surprise(np.array([2000.0, 2001.0]))
    assert np.isfinite(far).all() and far[1] > far[0], "what no float can hold still counts"


def test_surprise_is_cautious_where_kinds_differ_or_nothing_was_measured() -> None:
    random = np.random.default_rng(0)
    tails = tuple(calibration.fit(random.exponential(mean, 100)) for mean in (0.3, 0.9))
    both = calibration.Calibration(3.0, 0.01, tails)
    asked = np.array([-np.inf, 0.0, 1.0, 4.0, 40.0])
    found = both.surprise(asked)
    assert found.tolist() == np.minimum(*(t.surprise(np.maximum(asked, 0)) for t in tails)).tolist()
    assert found[:2].tolist() == [0, 0] and (np.diff(found[1:]) > 0).all()
    unmeasured = calibration.Calibration(calibration.UNMEASURED)
    assert unmeasured.surprise(np.array([-1.0, 0.0, 3.3, 6.6])) == pytest.approx([0, 0, 2, 4])
    level = calibration.fit(np.ones(40, np.float32))
    assert level.excess == 0
    assert (np.diff(level.surprise(np.array([1.0, 2.0, 3.0]))) > 0).all()
