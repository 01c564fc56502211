"""Ground truth line by line, the whole measured, the claims."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import claims, evaluate, groundtruth, measures, methods, pipeline
from engine.answer import Answer, Timings
from engine.calibration import Calibration
from engine.errors import ArtifactError, GroundTruthError, ImageError
from engine.expand import Expansion, Way
from engine.index import Index
from engine.rerank import Verified
from engine.search import Ranking
from engine.verify import NOTHING
from tests import naive


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
        (["china.jpg,coffee.jpg,junk"], "line 2: the query 'china.jpg' has no right answer"),
        (["china.jpg,china.jpg,good"], "the query 'china.jpg' has no right answer"),
        (["gone.jpg,coffee.jpg,good"], "'gone.jpg' is neither in the index nor beside gt.csv"),
        (["gone.jpg,coffee.jpg,good"], "line 2: the query 'gone.jpg'"),
        (["china.jpg,broken.jpg,ok"] * 2, "line 3: 'broken.jpg' stands twice for 'china.jpg'"),
        (["china.jpg,coffee.jpg,ok", ",coffee.jpg,ok"], "line 3: the column query is empty"),
        (["china.jpg,,ok"], "line 2: the column relevant is empty"),
        (["china.jpg"], "line 2: the column relevant is empty"),
        (["china.jpg,nowhere.jpg,good"] * 12, "and 2 more"),
        ([], "holds no line"),
    ],
)
def test_a_ground_truth_that_cannot_be_used_says_where(
    tiny: Index, tmp_path: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(GroundTruthError) as caught:
        groundtruth.read(_write(tmp_path / "gt.csv", *lines), tiny)
    assert message in str(caught.value)


def test_faults_stand_in_the_order_of_the_lines_and_each_once(tiny: Index, tmp_path: Path) -> None:
    lines = ["gone.jpg,coffee.jpg,good", "china.jpg,nowhere.jpg,good", "rocket.jpg,coffee.jpg,junk"]
    with pytest.raises(GroundTruthError) as caught:
        groundtruth.read(_write(tmp_path / "gt.csv", *lines), tiny)
    told = str(caught.value).splitlines()[1:]
    assert [line.split(":")[0].strip() for line in told] == ["line 2", "line 3", "line 4"]


def test_a_landmark_that_changes_is_said(tiny: Index, tmp_path: Path) -> None:
    path = tmp_path / "gt.csv"
    rows = [
        "query,relevant,label,landmark",
        "china.jpg,coffee.jpg,ok,a",
        "china.jpg,rocket.jpg,ok,b",
    ]
    path.write_text("\n".join(rows))
    with pytest.raises(
        GroundTruthError, match=r"line 3: landmark 'b' of 'china\.jpg' is 'a' on line 2"
    ):
        groundtruth.read(path, tiny)


def test_a_name_that_two_images_carry_is_no_answer(tiny: Index, tmp_path: Path) -> None:
    twice = dataclasses.replace(
        tiny,
        images=tuple(
            dataclasses.replace(entry, path=f"{i}/same.jpg") if i < 2 else entry
            for i, entry in enumerate(tiny.images)
        ),
    )
    path = _write(tmp_path / "gt.csv", "rocket.jpg,same.jpg,good", "same.jpg,rocket.jpg,good")
    with pytest.raises(GroundTruthError) as caught:
        groundtruth.read(path, twice)
    assert "line 2: 'same.jpg' may be 2 images: write its path" in str(caught.value)
    assert "line 3: the query 'same.jpg' may be 2 images: write its path" in str(caught.value)


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


def test_results_tell_ranks_and_labels(tiny: Index, tmp_path: Path) -> None:
    path = _write(
        tmp_path / "gt.csv",
        "china.jpg,turned/china.png,good",
        "china.jpg,turned/coffee.png,ok",
        "china.jpg,flower.jpg,junk",
        "rocket.jpg,turned/rocket.png,same",
    )
    china, _ = evaluate.evaluate(tiny, groundtruth.read(path, tiny), "count").results
    labels = {tiny.images[place.image_id].path: place.label for place in china.ranked}
    assert len(labels) == tiny.n_images - 1, "the query is left out"
    by_label = {label: {p for p in labels if labels[p] == label} for label in labels.values()}
    assert by_label["right"] == {"turned/china.png", "turned/coffee.png"}
    assert by_label["junk"] == {"flower.jpg"}
    assert by_label["wrong"] == {"rocket.jpg", "turned/rocket.png"}
    assert "chelsea.jpg" in by_label["unlabelled"]
    kept = [place.label for place in china.ranked if place.label != "junk"]
    assert [i for i, label in enumerate(kept, 1) if label == "right"] == list(china.right_ranks)
    again = measures.average_precision_of(china.right_ranks, china.n_positives)
    assert china.average_precision == pytest.approx(again)


LEAST = 3.0
N_IMAGES = 9


def _found(image_id: int, score: float) -> Verified:
    nothing = np.zeros(0, np.int64)
    verification = dataclasses.replace(NOTHING, score=score)
    distances, weights = np.zeros(0, np.uint8), np.zeros(0, np.float32)
    return Verified(image_id, nothing, nothing, distances, weights, verification)


def _answer(direct: dict[int, float], ways: dict[int, Way]) -> Answer:
    """An answer that ranks every picture but the first, by id, with these direct scores."""
    ids = np.arange(1, N_IMAGES, dtype=np.int32)
    return Answer(
        Ranking(ids, np.zeros(len(ids), np.float32)),
        "expanded",
        len(ids),
        (0,),
        Timings(),
        {i: _found(i, score) for i, score in direct.items()},
        Expansion((), [], ways, {}),
        Calibration(LEAST),
    )


@given(data=st.data())
def test_what_is_accepted_directly_or_by_way_of_others_is_counted_apart(
    data: st.DataObject,
) -> None:
    index: Any = SimpleNamespace(images=[SimpleNamespace(path=str(i)) for i in range(N_IMAGES)])
    others = st.integers(1, N_IMAGES - 1)
    score = st.sampled_from((0.0, 2.5, LEAST, 9.0))
    direct = data.draw(st.dictionaries(others, score))
    led = data.draw(st.sets(others))
    labels = data.draw(st.dictionaries(others, st.sampled_from(("good", "ok", "junk"))))
    query = groundtruth.Query("q", 0, Path("q"), {**labels, 1: "good"}, 0, "")
    answer = _answer(direct, {i: Way((1, i), LEAST) for i in led})
    ranker: Any = lambda _: (answer, 0.0, 0.0)  # noqa: E731
    told = evaluate._measure(index, query, ranker, "expanded", {"": frozenset()})

    sure = [i for i in direct if direct[i] >= LEAST]
    added = [i for i in led if i not in sure]
    positives, junk = set(query.positives), set(query.junk)
    assert told.direct is not None and told.added is not None
    for counted, found in ((told.direct, sure), (told.added, added)):
        naively = naive.accepted(found, positives, junk)
        assert (counted.right, counted.wrong, counted.junk) == naively
    named = {place.image_id: place.accepted for place in told.ranked}
    assert {i for i in named if named[i] == "direct"} == set(sure)
    assert {i for i in named if named[i] == "added"} == set(added)
    assert {named[i] for i in set(named) - set(sure) - set(added)} <= {""}
    both = evaluate.Evaluation("tiny", "expanded", (told, told)).accepted()
    assert both is not None
    assert both["direct"]["right"] == 2 * told.direct.right
    assert both["added"]["wrong"] == 2 * told.added.wrong
    assert both["n_queries_without"] == (0 if sure or added else 2)
    assert both["n_positives"] == 2 * len(positives)


def test_methods_tell_only_of_what_they_can_accept(joined: Index, tmp_path: Path) -> None:
    names = ("china", "coffee", "rocket")
    path = _write(tmp_path / "gt.csv", *(f"{n}.jpg,turned/{n}.png,same" for n in names))
    chosen = ("count", "verified", "averaged", "expanded")
    queries = groundtruth.read(path, joined)
    count, verified, *expanding = evaluate.evaluate_all(joined, queries, chosen)
    assert count.accepted() is None
    assert all(r.direct is r.added is None for r in count.results)
    assert {place.accepted for r in count.results for place in r.ranked} == {None}
    for one in (verified, *expanding):
        told = one.accepted()
        assert told is not None and (told["added"] is None) == (one is verified)
        assert told["n_positives"] == 3
        answers = [pipeline.search_image(joined, q.image_id or 0, one.method) for q in queries]
        for result, answer in zip(one.results, answers):
            assert answer.calibration is not None and result.direct is not None
            least = answer.calibration.least_score
            sure = [i for i, found in answer.verified.items() if found.score >= least]
            assert result.direct.total == len(sure)
        assert told["direct"]["right"] + (told["added"] or {"right": 0})["right"] == sum(
            bool(answer.accepts(i))
            for query, answer in zip(queries, answers)
            for i in query.positives
        )


def test_methods_measured_together_reach_what_each_reaches_alone(
    tiny: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(
        tmp_path / "gt.csv", "china.jpg,turned/china.png,same", "rocket.jpg,turned/rocket.png,same"
    )
    queries = groundtruth.read(path, tiny)
    described: list[object] = []
    describe = pipeline.describe_query

    def counted(*args: object, **options: object) -> object:
        described.append(args)
        return describe(*args, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "describe_query", counted)
        together = evaluate.evaluate_all(tiny, queries, methods.available(tiny.parts))
    assert len(described) == len(queries), "each picture once"
    for one in together:
        for query, result in zip(queries, one.results):
            assert query.image_id is not None
            alone = pipeline.search_image(tiny, query.image_id, one.method, None).ranking
            assert [place.image_id for place in result.ranked] == alone.image_ids.tolist()


def test_a_query_whose_file_is_gone_is_ranked_as_stored(tiny: Index, tmp_path: Path) -> None:
    path = _write(tmp_path / "gt.csv", "china.jpg,turned/china.png,same")
    (query,) = groundtruth.read(path, tiny)
    lost = dataclasses.replace(tiny, root=tmp_path / "nowhere")
    gone = dataclasses.replace(query, path=tmp_path / "nowhere" / "china.jpg")
    (result,) = evaluate.evaluate(lost, [gone], "verified").results
    alone = pipeline.search_image(lost, gone.image_id or 0, "verified", None).ranking
    assert [place.image_id for place in result.ranked] == alone.image_ids.tolist()
    outside = dataclasses.replace(gone, image_id=None)
    with pytest.raises(ImageError):
        evaluate.evaluate(lost, [outside], "verified")


def test_a_method_whose_part_is_missing_says_the_command(tiny: Index, tmp_path: Path) -> None:
    path = _write(tmp_path / "gt.csv", "china.jpg,turned/china.png,same")
    queries = groundtruth.read(path, tiny)
    parts = {part: arrays for part, arrays in tiny.parts.items() if part != "signatures"}
    with pytest.raises(ArtifactError, match=r"lacks signatures.*--name tiny --overwrite"):
        evaluate.evaluate(dataclasses.replace(tiny, parts=parts), queries, "verified")


def test_every_method_says_what_it_needs() -> None:
    assert set(methods.READS) == set(methods.METHODS)
    every = set().union(*(methods.parts_read(method) for method in methods.METHODS))
    assert methods.available(every) == list(methods.METHODS)
    for method in methods.METHODS:
        able = not methods.lacking(method, every - set(methods.OPTIONAL))
        assert able == (method in methods.available(()))


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
    found = claims.check_claims(tiny, groundtruth.read(path, tiny))
    assert [(c.text.split()[0], c.labelled_set, c.n_queries) for c in found] == [
        ("good", "good+ok", 2),
        ("good", "good+ok+junk", 2),
        ("ok", "good+ok", 1),
        ("ok", "good+ok+junk", 1),
        ("junk", "good+ok", 1),
        ("junk", "good+ok+junk", 1),
    ]
    # Two or three pictures are inside, the query left out: four places can never all be right.
    assert [c.measured for c in found[:4]] == [0, 0, 0, 0]
    assert all(c.measured in (0.0, 1.0) for c in found[4:])
