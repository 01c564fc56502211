"""Average precision beside VGG's program, laws, ground truth line by line, the whole measured."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine import evaluate, groundtruth
from engine.errors import GroundTruthError
from engine.index import Index
from tests import naive

RANKINGS = st.permutations(range(12))


@given(ranked=RANKINGS, positives=st.sets(st.integers(0, 11)), junk=st.sets(st.integers(0, 11)))
def test_average_precision_equals_vggs(
    ranked: list[int], positives: set[int], junk: set[int]
) -> None:
    positives = positives - junk
    assume(positives)
    expected = naive.compute_ap(
        {str(i) for i in positives}, {str(i) for i in junk}, [str(i) for i in ranked]
    )
    assert evaluate.average_precision(ranked, positives, junk) == pytest.approx(expected)


@given(ranked=RANKINGS, positives=st.sets(st.integers(0, 11), min_size=1))
def test_junk_changes_nothing(ranked: list[int], positives: set[int]) -> None:
    plain = evaluate.average_precision(ranked, positives)
    mixed = [x for i in ranked for x in (100 + i, i)]
    assert evaluate.average_precision(mixed, positives, set(range(100, 112))) == plain


@given(positives=st.integers(1, 12))
def test_a_perfect_order_is_one(positives: int) -> None:
    assert evaluate.average_precision(range(12), range(positives)) == pytest.approx(1.0)


def test_right_answers_that_cannot_be_found_count() -> None:
    assert evaluate.average_precision([0, 1], [0, 1]) == pytest.approx(1.0)
    assert evaluate.average_precision([0, 1], [0, 1], n_missing=2) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="at least one right answer"):
        evaluate.average_precision([0], [])


def test_precision_passes_over_junk() -> None:
    assert evaluate.precision_at([9, 0, 1, 2, 3], {0, 1, 3}, 4, {9}) == 0.75
    assert evaluate.precision_at([9, 0], {0}, 1, {9}) == 1
    assert evaluate.precision_at([0], {0}, 4) == 0.25


def _write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("query,relevant,label", *lines)) + "\n")
    return path


def test_a_ground_truth_is_read(tiny: Index, tmp_path: Path) -> None:
    path = _write(
        tmp_path / "gt.csv",
        "china.jpg,turned/china.png,good",
        "china.jpg,china.jpg,good",
        "china.jpg,rocket.jpg,junk",
        "coffee.jpg,turned/coffee.png,ok",
    )
    china, coffee = groundtruth.read(path, tiny)
    assert china.positives == {tiny.find_image("turned/china.png")}
    assert china.junk == {tiny.find_image("rocket.jpg")}
    assert coffee.positives == {tiny.find_image("turned/coffee.png")}
    assert china.landmark != coffee.landmark


def test_names_beside_the_csv_are_found(tiny: Index) -> None:
    beside = tiny.root / "turned" / "gt.csv"
    _write(beside, "china.png,../china.jpg,same")
    try:
        (query,) = groundtruth.read(beside, tiny)
    finally:
        beside.unlink()
    assert query.image_id == tiny.find_image("turned/china.png")
    assert query.positives == {tiny.find_image("china.jpg")}


def test_queries_that_share_answers_share_a_landmark(tiny: Index, tmp_path: Path) -> None:
    path = _write(
        tmp_path / "gt.csv",
        "china.jpg,turned/china.png,same",
        "coffee.jpg,turned/coffee.png,same",
        "turned/china.png,china.jpg,same",
    )
    a, b, c = groundtruth.read(path, tiny)
    assert a.landmark == c.landmark != b.landmark


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["china.jpg,nowhere.jpg,good"], "line 2: 'nowhere.jpg' is not in index 'tiny'"),
        (["china.jpg,coffee.jpg,great"], "line 2: label 'great'"),
        (["china.jpg,coffee.jpg,ok"] * 2, "line 3: 'coffee.jpg' stands twice for 'china.jpg'"),
        (["china.jpg,coffee.jpg,junk"], "the query 'china.jpg' has no right answer"),
        (["china.jpg,china.jpg,good"], "the query 'china.jpg' has no right answer"),
        (["gone.jpg,coffee.jpg,good"], "'gone.jpg' is neither in the index nor beside gt.csv"),
        ([], "holds no line"),
    ],
)
def test_a_ground_truth_that_cannot_be_used_says_where(
    tiny: Index, tmp_path: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(GroundTruthError) as caught:
        groundtruth.read(_write(tmp_path / "gt.csv", *lines), tiny)
    assert message in str(caught.value)


def test_a_missing_column_or_file_is_named(tiny: Index, tmp_path: Path) -> None:
    with pytest.raises(GroundTruthError, match="cannot be read"):
        groundtruth.read(tmp_path / "none.csv", tiny)
    path = tmp_path / "gt.csv"
    path.write_text("query,relevant\na,b\n")
    with pytest.raises(GroundTruthError, match="lacks the column label"):
        groundtruth.read(path, tiny)


def test_a_skipped_right_answer_counts_as_missed(tiny: Index, tmp_path: Path) -> None:
    path = _write(
        tmp_path / "gt.csv", "china.jpg,turned/china.png,good", "china.jpg,broken.jpg,good"
    )
    (query,) = groundtruth.read(path, tiny)
    assert query.n_missing == 1
    (result,) = evaluate.evaluate(tiny, [query]).results
    assert result.n_positives == 2
    assert result.average_precision <= 0.5


def test_an_evaluation_measures_what_the_rankings_give(tiny: Index, tmp_path: Path) -> None:
    names = ["china", "coffee", "rocket", "astronaut", "chelsea", "flower"]
    path = _write(tmp_path / "gt.csv", *(f"{n}.jpg,turned/{n}.png,same" for n in names))
    queries = groundtruth.read(path, tiny)
    told: list[tuple[int, int]] = []
    result = evaluate.evaluate(tiny, queries, "count", lambda *p: told.append(p))
    figures = result.to_json()
    assert told[-1] == (6, 6)
    assert figures["n_queries"] == 6
    assert figures["by_landmark"]["n_landmarks"] == 6
    assert figures["mAP"] == pytest.approx(np.mean([r.average_precision for r in result.results]))
    assert figures["P@1"] == np.mean(
        [r.first[0] == f"turned/{n}.png" for r, n in zip(result.results, names)]
    )
    assert figures["top4_all_right"] == 0, "one right answer cannot fill four places"
    # A view turned by 30 degrees is easy even for 24 words: at chance P@1 would be 1/12.
    assert figures["P@1"] >= 0.5


def test_an_outside_query_is_ranked_by_its_pixels(tiny: Index, tmp_path: Path) -> None:
    data = tiny.picture_path(tiny.find_image("china.jpg") or 0).read_bytes()
    (tmp_path / "outside.jpg").write_bytes(data)
    path = _write(tmp_path / "gt.csv", "outside.jpg,turned/china.png,same")
    inside = _write(tmp_path / "in.csv", "china.jpg,turned/china.png,same")
    (outer,) = evaluate.evaluate(tiny, groundtruth.read(path, tiny)).results
    (inner,) = evaluate.evaluate(tiny, groundtruth.read(inside, tiny)).results
    assert outer.first == inner.first, "the same content is left out by its digest"


def test_claims_count_queries_by_their_own_label(tiny: Index, tmp_path: Path) -> None:
    path = _write(
        tmp_path / "gt.csv",
        "china.jpg,turned/china.png,good",
        "china.jpg,rocket.jpg,ok",
        "china.jpg,coffee.jpg,junk",
    )
    claims = evaluate.check_claims(tiny, groundtruth.read(path, tiny))
    assert [(c.text.split()[0], c.labelled_set, c.n_queries) for c in claims] == [
        ("good", "good+ok", 2),
        ("good", "good+ok+junk", 2),
        ("ok", "good+ok", 1),
        ("ok", "good+ok+junk", 1),
        ("junk", "good+ok", 1),
        ("junk", "good+ok+junk", 1),
    ]
    # Two or three pictures are inside, the query left out: four places can never all be right.
    assert [c.measured for c in claims[:4]] == [0, 0, 0, 0]
    assert all(c.measured in (0.0, 1.0) for c in claims[4:])
