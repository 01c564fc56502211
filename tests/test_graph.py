"""Pictures of one thing are joined, from both sides, and a stopped run goes on."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from engine import artifacts, expand, graph, images, index, pipeline, upkeep
from engine.errors import ArtifactError
from engine.expand import ExpandParams
from engine.graph import GraphParams
from engine.index import Index
from engine.records import Record


def _pairs(made: graph.Graph) -> set[tuple[int, int]]:
    sources = np.repeat(np.arange(len(made.starts) - 1), np.diff(made.starts))
    return set(zip(sources.tolist(), made.targets.tolist()))


def test_maps_are_undone_and_done_one_after_the_other() -> None:
    first = np.array([[0.8, -0.6, 5.0], [0.6, 0.8, -3.0]])
    second = np.array([[2.0, 0.1, 1.0], [0.0, 1.5, 7.0]])
    place = np.array([11.0, -4.0, 1.0])
    there = second @ np.append(first @ place, 1)
    np.testing.assert_allclose(graph.compose(second, first) @ place, there)
    np.testing.assert_allclose(graph.compose(graph.invert(first), first), np.eye(2, 3), atol=1e-12)


def test_a_photograph_and_its_turned_view_are_joined(joined: Index) -> None:
    made = graph.open_graph(joined)
    pairs = _pairs(made)
    for name in ("astronaut", "chelsea", "china", "coffee"):
        a, b = joined.find_image(f"{name}.jpg"), joined.find_image(f"turned/{name}.png")
        assert (a, b) in pairs and (b, a) in pairs
    others = {
        (a, b)
        for a, b in pairs
        if Path(joined.images[a].path).stem != (Path(joined.images[b].path).stem)
    }
    assert not others
    assert made.scores.min() >= GraphParams().alone_score  # no third picture of each


@pytest.mark.parametrize(
    ("name", "wrong", "told"),
    [
        ("starts", np.zeros(3, np.int64), "does not fit its images"),
        ("targets", np.full(8, 99, np.int32), "does not fit its images"),
        ("starts", np.zeros(14, np.int64), "one piece an image"),
        ("targets", None, "images that are not there"),
    ],
)
def test_a_graph_that_does_not_fit_is_refused(
    joined: Index, name: str, wrong: np.ndarray | None, told: str
) -> None:
    arrays = {key: np.asarray(array) for key, array in joined.parts["graph"].items()}
    arrays[name] = arrays[name] + 99 if wrong is None else wrong
    upkeep.add_part("tiny", "graph", {}, arrays)
    with pytest.raises(ArtifactError, match=told):
        index.open_index("tiny")


def test_an_edge_maps_one_picture_onto_the_other(joined: Index) -> None:
    made = graph.open_graph(joined)
    a, b = joined.find_image("china.jpg"), joined.find_image("turned/china.png")
    assert a is not None and b is not None
    row = next(row for row in made.edges(a) if made.targets[row] == b)
    entry, other = joined.images[a], joined.images[b]
    middle = made.affines[row] @ (entry.width / 2, entry.height / 2, 1)
    np.testing.assert_allclose(middle, (other.width / 2, other.height / 2), atol=5)  # pixels


def test_other_parts_stay_as_they_were(joined: Index, tiny: Index) -> None:
    for part in ("keypoints", "words", "signatures", "vectors"):
        assert joined.manifest["parts"][part] == tiny.manifest["parts"][part]
    assert upkeep.verify("tiny") == []


def test_a_stopped_run_goes_on(joined: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    params = GraphParams(n_candidates=5)
    done: list[int] = []
    search = graph._search

    def until_the_third(index: Index, image_id: int, *rest: object) -> object:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(image_id)
        return search(index, image_id, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(graph, "_search", until_the_third)
    with pytest.raises(KeyboardInterrupt):
        graph.make_graph("tiny", params)
    assert index.open_index("tiny").manifest == joined.manifest

    def again(index: Index, image_id: int, *rest: object) -> object:
        done.append(image_id)
        return search(index, image_id, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(graph, "_search", again)
    made = graph.make_graph("tiny", params)
    assert done == list(range(joined.n_images))
    graph.make_graph("tiny", params)
    assert len(done) == joined.n_images  # nothing is searched twice
    assert _pairs(made) == _pairs(graph.open_graph(joined))


def test_two_runs_at_once_are_refused_and_nothing_is_left(joined: Index) -> None:
    params = GraphParams(n_candidates=4)

    def again(done: int, total: int) -> None:
        with pytest.raises(ArtifactError, match="is being written by process"):
            graph.make_graph("tiny", params)

    graph.make_graph("tiny", params, progress=again)
    assert not (artifacts.artifacts_folder() / "graphs" / "tiny").exists()


def test_ways_never_go_through_the_query_itself(joined: Index) -> None:
    """Its own edges are not what an outside picture of the same thing could know."""
    made = graph.open_graph(joined)
    image_id, twin = joined.find_image("china.jpg"), joined.find_image("turned/china.png")
    assert image_id is not None and twin is not None
    direct = pipeline.search_image(joined, image_id, "verified").verified[twin]
    ways = expand.walk(made, [direct], {twin, image_id}, ExpandParams())
    assert [view.image_id for view in ways] == [twin, image_id]
    ways = expand.walk(made, [direct], {twin}, ExpandParams())
    assert [view.image_id for view in ways] == [twin]


def test_without_a_graph_the_command_that_makes_it_is_named(tiny: Index) -> None:
    with pytest.raises(ArtifactError, match="python -m engine graph tiny"):
        pipeline.search_image(tiny, 0, "expanded")


def _found(index: Index, maps: dict[tuple[int, int], tuple[float, np.ndarray]]) -> list[Record]:
    """What each picture would have found, by pair: a score, and the map one way."""
    sides: list[list[tuple[int, float, np.ndarray]]] = [[] for _ in index.images]
    for (a, b), (score, affine) in maps.items():
        sides[a].append((b, score, affine))
        sides[b].append((a, score, graph.invert(affine)))
    return [
        Record(
            {},
            {
                "targets": np.array([t for t, _, _ in side], np.int32),
                "scores": np.array([s for _, s, _ in side], np.float32),
                "affines": np.array([m for _, _, m in side], np.float32).reshape(-1, 2, 3),
            },
        )
        for side in sides
    ]


SHIFT = np.array([[1.0, 0, 30], [0, 1, -20]])
TURN = np.array([[0.9, -0.3, 80], [0.3, 0.9, 10]])


def test_a_weak_edge_needs_a_way_over_a_third_picture(tiny: Index) -> None:
    params = GraphParams()
    weak, strong = params.best_score, params.alone_score
    pairs = {(0, 1): (weak, SHIFT), (1, 2): (weak, TURN)}
    assert _pairs(graph._join(tiny, _found(tiny, pairs), params)) == set()

    agreeing = pairs | {(0, 2): (weak, graph.compose(TURN, SHIFT))}
    made = graph._join(tiny, _found(tiny, agreeing), params)
    assert _pairs(made) == {(0, 1), (1, 0), (1, 2), (2, 1), (0, 2), (2, 0)}

    elsewhere = np.array([[1.0, 0, 400], [0, 1, 300]])
    other = pairs | {(0, 2): (weak, elsewhere)}
    assert _pairs(graph._join(tiny, _found(tiny, other), params)) == set()

    alone = pairs | {(0, 2): (strong, elsewhere)}
    assert _pairs(graph._join(tiny, _found(tiny, alone), params)) == {(0, 2), (2, 0)}


def test_an_edge_that_one_side_did_not_find_is_none(tiny: Index) -> None:
    params = GraphParams()
    found = _found(tiny, {(0, 1): (9.0, SHIFT)})
    assert _pairs(graph._join(tiny, found, params)) == {(0, 1), (1, 0)}
    found[1] = _found(tiny, {})[1]
    assert _pairs(graph._join(tiny, found, params)) == set()


def test_a_strong_edge_whose_maps_do_not_undo_each_other_is_none(tiny: Index) -> None:
    found = _found(tiny, {(0, 1): (9.0, SHIFT)})
    found[1].arrays["affines"][0, 0, 2] += 0.2 * tiny.images[0].width
    assert _pairs(graph._join(tiny, found, GraphParams())) == set()


def test_the_graph_of_an_empty_collection_is_empty(joined: Index) -> None:
    made = graph._join(joined, [], GraphParams())
    assert len(made.targets) == 0 and made.affines.shape == (0, 2, 3)


def test_expansion_finds_what_is_verified_and_names_its_way(joined: Index) -> None:
    image_id, twin = joined.find_image("china.jpg"), joined.find_image("turned/china.png")
    answer = pipeline.search_image(joined, image_id or 0, "expanded", None)
    assert answer.ranking.image_ids[0] == twin
    assert answer.expansion is not None
    assert [view.path for view in answer.expansion.views] == [(twin,)]
    assert len(answer.ranking) == joined.n_images - 1


def test_an_outside_picture_is_not_expanded(joined: Index) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (200, 240, 3), dtype=np.uint8)
    some = images.read(joined.root / "china.jpg")
    outside = dataclasses.replace(
        some, rgb=noise, gray=images.to_gray(noise), sha256="0" * 64, name="noise"
    )
    query = pipeline.describe_query(joined, outside)
    answer = pipeline.search_query(joined, query, "expanded", None)
    plain = pipeline.search_query(joined, query, "verified", None)
    assert answer.expansion is not None and answer.expansion.views == ()
    np.testing.assert_array_equal(answer.ranking.image_ids, plain.ranking.image_ids)
    np.testing.assert_array_equal(answer.ranking.scores, plain.ranking.scores)
