"""Pictures without a match set the least score; what is told of it was measured apart from it."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw

from engine import artifacts, calibrate, calibration, cli, graph, index, upkeep
from engine.calibrate import CalibrateParams, Measured, Report
from engine.errors import ArtifactError, BuildError, ImageError
from engine.index import Index

N_PAINTED = 8
_OF_THE_FILE = ("kind", "format_version", "sha256")  # of a manifest, see `artifacts`
N_LEAST = 5  # pictures that a calibration takes here; the tiny index has 13


@pytest.fixture
def joined(tiny: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """A copy of the tiny index with its graph, to be calibrated with few pictures."""
    shutil.copytree(tiny.folder, tmp_path / "indexes" / "tiny")
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(tmp_path))
    monkeypatch.setattr(calibration, "N_LEAST", N_LEAST)
    graph.make_graph("tiny")
    return index.open_index("tiny")


def _paint(folder: Path, n: int = N_PAINTED, seed: int = 0) -> Path:
    """Paint pictures of coloured shapes, which show nothing of any photograph."""
    folder.mkdir()
    random = np.random.default_rng(seed)
    for i in range(n):
        picture = Pillow.new("RGB", (200, 160), tuple(random.integers(0, 255, 3).tolist()))
        draw = ImageDraw.Draw(picture)
        for _ in range(40):
            (x, y), size = random.integers(0, 160, 2).tolist(), int(random.integers(4, 40))
            colour = tuple(random.integers(0, 255, 3).tolist())
            draw.rectangle((x, y, x + size, y + size // 2), fill=colour)
        picture.save(folder / f"{i}.png")
    return folder


@pytest.fixture
def painted(tmp_path: Path) -> Path:
    """A folder of distractors."""
    return _paint(tmp_path / "painted")


def _work() -> Path:
    return artifacts.artifacts_folder() / "calibrations" / "tiny"


def test_the_score_is_kept_in_the_index_and_told(joined: Index, painted: Path) -> None:
    report = calibrate.calibrate("tiny", [painted])
    opened = index.open_index("tiny")
    kept = calibration.of(opened)
    assert kept.least_score == report.least_score >= CalibrateParams().least_checked
    assert kept.rate == report.rate == 0.01
    assert [len(tail.scores) for tail in kept.tails] == [joined.n_images, N_PAINTED]
    own, others = report.measured
    assert (own.source, own.n_pictures, own.took_part, own.skipped) == ("", 13, True, ())
    assert (others.source, others.n_pictures) == (str(painted), N_PAINTED)
    for source in report.measured:
        low, high = source.interval
        assert low <= source.n_reached / source.n_pictures <= high
    told = opened.manifest["parts"][calibration.PART]["parameters"]
    assert told == json.loads(json.dumps(dataclasses.asdict(report)))
    assert not _work().exists() and upkeep.verify("tiny") == []


def _with_graph(edges: list[tuple[int, int]]) -> None:
    """Give the tiny index a graph of other edges."""
    opened = index.open_index("tiny")
    rows = sorted({*edges, *((b, a) for a, b in edges)})
    starts = np.searchsorted([a for a, _ in rows], np.arange(opened.n_images + 1))
    arrays = {
        "starts": starts.astype(np.int64),
        "targets": np.array([b for _, b in rows], np.int32),
        "scores": np.full(len(rows), 5, np.float32),
        "affines": np.tile(np.eye(2, 3, dtype=np.float32), (len(rows), 1, 1)),
    }
    upkeep.add_part("tiny", graph.PART, {"another": 1}, arrays)


def test_a_graph_made_anew_left_no_trace_in_what_was_said_of_the_score(
    joined: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(*argv: str) -> tuple[str, str]:
        assert cli.main([*argv]) == 0
        printed = capsys.readouterr()
        return printed.out, printed.err

    again = "python -m engine calibrate tiny"
    query = ("query", "tiny", "china.jpg", "--method", "verified", "--json")
    score = calibrate.calibrate("tiny").least_score
    now = calibration.of(index.open_index("tiny"))
    assert now.earlier_graph is False
    assert (
        f"from a verified score of {score:.2f}, measured with this graph" in said("info", "tiny")[0]
    )
    assert again not in said(*query)[1] + said("graph", "tiny")[1]

    kept = {name: np.array(array) for name, array in joined.parts[graph.PART].items()}
    upkeep.add_part("tiny", graph.PART, {"made": "anew"}, kept)
    assert calibration.of(index.open_index("tiny")).earlier_graph is False, "the edges are the same"

    _with_graph([(0, 1), (2, 3)])
    then = calibration.of(index.open_index("tiny"))
    assert then.earlier_graph is True
    assert (then.least_score, then.rate, then.is_measured) == (score, 0.01, True)
    assert "measured with an earlier graph; again: " + again in said("info", "tiny")[0]
    told = json.loads(said("info", "tiny", "--json")[0])["calibration"]
    assert told == {"least_score": score, "rate": 0.01, "earlier_graph": True, "error": None}
    assert again in said(*query)[1]
    assert json.loads(said(*query)[0])["least_score"] == score
    assert again not in said("query", "tiny", "china.jpg", "--method", "count")[1]
    out, err = said("graph", "tiny", "--json")  # made anew, with the edges that it had at first
    assert again not in err and json.loads(out)["n_edges"] > 0

    _with_graph([(0, 1), (2, 3)])
    calibrate.calibrate("tiny")
    assert calibration.of(index.open_index("tiny")).earlier_graph is False
    assert again in said("graph", "tiny")[1], "now this is the other graph"


def test_other_parts_stay_as_they_were(joined: Index) -> None:
    calibrate.calibrate("tiny")
    parts = dict(index.open_index("tiny").manifest["parts"])
    del parts[calibration.PART]
    assert parts == joined.manifest["parts"]


def test_pictures_that_show_the_same_thing_set_no_score(joined: Index) -> None:
    """Each photograph has its turned twin, which it matches far above anything false."""
    calibrate.calibrate("tiny")
    (tail,) = calibration.of(index.open_index("tiny")).tails
    twins = graph.open_graph(joined).scores
    assert len(twins) and tail.scores.max() < twins.min()


def test_twins_that_no_edge_joins_are_known_by_the_map_back(
    joined: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_edges = calibrate.calibrate("tiny").least_score
    twins = graph.open_graph(joined).scores
    none: dict[str, np.ndarray] = {
        "starts": np.zeros(joined.n_images + 1, np.int64),
        "targets": np.zeros(0, np.int32),
        "scores": np.zeros(0, np.float32),
        "affines": np.zeros((0, 2, 3), np.float32),
    }
    upkeep.add_part("tiny", graph.PART, {}, none)
    calibrate.calibrate("tiny")
    (tail,) = calibration.of(index.open_index("tiny")).tails
    assert tail.scores.max() < twins.min()
    monkeypatch.setattr(calibrate, "_is_undone", lambda *_: False)
    upkeep.add_part("tiny", graph.PART, {"another": 1}, none)
    assert calibrate.calibrate("tiny").least_score > twins.min() > with_edges


def test_what_cannot_count_among_distractors_is_told(joined: Index, painted: Path) -> None:
    (painted / "broken.jpg").write_bytes((joined.root / "broken.jpg").read_bytes())
    shutil.copy(joined.root / "china.jpg", painted / "ours.jpg")
    shutil.copy(painted / "0.png", painted / "again.png")
    (painted / "notes.txt").write_text("no picture")
    others = calibrate.calibrate("tiny", [painted]).measured[1]
    assert others.n_pictures == N_PAINTED
    assert len(others.skipped) == 3
    for name, why in (
        ("broken.jpg", ""),
        ("ours.jpg", "of the collection"),
        ("again.png", "before"),
    ):
        assert any(name in line and why in line for line in others.skipped)


def test_a_folder_that_takes_no_part_sets_nothing(
    joined: Index, painted: Path, tmp_path: Path
) -> None:
    more = _paint(tmp_path / "more", 6, seed=1)
    shutil.copy(painted / "0.png", more / "met.png")
    report = calibrate.calibrate("tiny", [painted], [more])
    assert [source.took_part for source in report.measured] == [True, True, False]
    assert report.measured[2].n_pictures == 6, "one took part in setting the score"
    assert "met.png: it came before" in report.measured[2].skipped[0]
    assert len(calibration.of(index.open_index("tiny")).tails) == 2
    assert calibrate.calibrate("tiny", [painted]).least_score == report.least_score


def test_a_folder_without_pictures_is_named_before_anything_is_searched(
    joined: Index, painted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setattr(calibrate, "_stranger", None)
    for distractors, check in (([empty], []), ([painted, empty], []), ([painted], [empty])):
        with pytest.raises(ImageError, match=f"no pictures in {empty}"):
            calibrate.calibrate("tiny", distractors, check)
    with pytest.raises(BuildError, match="nowhere does not exist"):
        calibrate.calibrate("tiny", [tmp_path / "nowhere"])


def test_without_a_graph_the_command_that_makes_it_is_named(tiny: Index) -> None:
    with pytest.raises(ArtifactError, match="python -m engine graph tiny"):
        calibrate.calibrate("tiny")


def test_too_few_pictures_are_counted_and_told(
    joined: Index, painted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "N_LEAST", 9)
    with pytest.raises(ValueError, match=f"{painted} has 8 pictures .* needs 9"):
        calibrate.calibrate("tiny", [painted])
    monkeypatch.setattr(calibration, "N_LEAST", 30)
    with pytest.raises(ValueError, match=r"the collection has 13 pictures .* needs 30"):
        calibrate.calibrate("tiny")
    assert calibration.PART not in index.open_index("tiny").parts


def test_pictures_that_sufficed_together_but_not_without_a_part_failed_on_an_empty_list(
    joined: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "N_LEAST", 12)
    with pytest.raises(ValueError, match=r"12 are needed\. Name more .* --distractors"):
        calibrate.calibrate("tiny")


def test_pictures_that_match_nothing_at_all_let_every_result_pass(
    joined: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrate, "_stranger", lambda *_: 0.0)
    params = CalibrateParams()
    assert calibrate.calibrate("tiny").least_score == params.least_checked


def test_parameters_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"rate must be above 0 and below 0\.1, got 0\.5"):
        CalibrateParams(rate=0.5)
    with pytest.raises(ValueError, match="n_pictures must be at least 30"):
        CalibrateParams(n_pictures=3)


def test_a_stopped_run_goes_on(
    joined: Index, painted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []
    stranger, best = calibrate._stranger, calibrate._best

    def counted(index: Index, image_id: int, *rest: object) -> float:
        done.append(image_id)
        return stranger(index, image_id, *rest)  # type: ignore[arg-type]

    def until_the_third(index: Index, image: object, *rest: object) -> float:
        if len(done) == joined.n_images + 3:
            raise KeyboardInterrupt
        done.append(image)
        return best(index, image, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(calibrate, "_stranger", counted)
    monkeypatch.setattr(calibrate, "_best", until_the_third)
    with pytest.raises(KeyboardInterrupt):
        calibrate.calibrate("tiny", [painted])
    assert done[: joined.n_images] == list(range(joined.n_images))
    assert index.open_index("tiny").manifest == joined.manifest

    def again(index: Index, image: object, *rest: object) -> float:
        done.append(image)
        return best(index, image, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(calibrate, "_best", again)
    report = calibrate.calibrate("tiny", [painted])
    assert len(done) == joined.n_images + N_PAINTED  # nothing is searched twice
    monkeypatch.undo()
    monkeypatch.setenv("VISWORD_ARTIFACTS", str(joined.folder.parents[1]))
    monkeypatch.setattr(calibration, "N_LEAST", N_LEAST)
    assert calibrate.calibrate("tiny", [painted]) == report


def test_two_runs_at_once_are_refused(joined: Index) -> None:
    def again(source: str, done: int, total: int) -> None:
        assert source == "" and done <= total == joined.n_images
        with pytest.raises(ArtifactError, match="is being written by process"):
            calibrate.calibrate("tiny")

    calibrate.calibrate("tiny", progress=again)
    assert not _work().exists()


def test_an_index_that_was_replaced_meanwhile_is_left_alone(joined: Index) -> None:
    def replace(source: str, done: int, total: int) -> None:
        if done == total:
            bits = np.array(joined.parts["signatures"]["bits"])
            bits[0] ^= np.uint64(1)
            entry = artifacts.write_array(joined.folder, "signatures-bits", bits)
            manifest = artifacts.read_manifest(joined.folder, "index", "")
            manifest["parts"]["signatures"]["arrays"]["bits"] = entry
            version = manifest["format_version"]
            content = {k: v for k, v in manifest.items() if k not in _OF_THE_FILE}
            artifacts.write_manifest(joined.folder, "index", content, version)

    with pytest.raises(ArtifactError, match="replaced meanwhile; calibrate it again"):
        calibrate.calibrate("tiny", progress=replace)
    assert calibration.PART not in index.open_index("tiny").parts


def test_every_part_is_judged_by_a_score_set_without_it() -> None:
    """One part far above the others: it is counted, though it would have raised the score."""
    parts = np.repeat(np.arange(calibrate.N_PARTS), 40)
    scores = np.random.default_rng(0).random(200).astype(np.float32)
    scores[parts == 2] += 50
    sample = calibrate._Sample("", scores, parts)
    params = CalibrateParams()
    assert calibrate._least_score([sample], params) > 50
    counted = calibrate._crossed([sample], sample, params)
    assert (counted.n_pictures, counted.n_reached) == (200, 40)
    assert counted.interval[0] < 0.2 < counted.interval[1]


def test_the_worse_kind_of_pictures_sets_the_score() -> None:
    parts = np.repeat(np.arange(calibrate.N_PARTS), 40)
    random = np.random.default_rng(0)
    low, high = (
        calibrate._Sample(name, (most * random.random(200)).astype(np.float32), parts)
        for name, most in (("", 2), ("more", 4))
    )
    params = CalibrateParams()
    both = calibrate._least_score([low, high], params)
    assert both == calibrate._least_score([high], params) > calibrate._least_score([low], params)


def test_the_command_prints_what_is_stated_and_what_was_measured(
    joined: Index, painted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(joined.root / "china.jpg", painted / "ours.jpg")
    more = _paint(tmp_path / "more", 6, seed=1)
    argv = ["calibrate", "tiny", "--distractors", str(painted), "--check", str(more)]
    argv += ["--rate", "0.02", "--threads", "1"]
    assert cli.main(argv) == 0
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    least = calibration.of(index.open_index("tiny")).least_score
    assert lines[0] == f"tiny: a verified score of {least:.2f} or more is the same thing"
    assert lines[1].split()[:2] == ["stated", "2.00%"]
    assert "of 13 of its own, each part by a score set without it" in lines[2]
    assert f"of {N_PAINTED} in {painted}, each part" in lines[3]
    assert f"of 6 in {more}, took no part" in lines[4]
    assert "Left out:" in printed.err and "ours.jpg" in printed.err

    assert cli.main([*argv, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["index"] == "tiny" and told["least_score"] == pytest.approx(least)
    fields = {field.name for field in dataclasses.fields(Report)}
    assert told.keys() == {"index"} | fields
    fields = {field.name for field in dataclasses.fields(Measured)}
    assert [row.keys() for row in told["measured"]] == [fields] * 3


def test_the_command_makes_a_graph_that_is_missing(
    joined: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = artifacts.read_manifest(joined.folder, "index", "")
    del manifest["parts"][graph.PART]
    content = {k: v for k, v in manifest.items() if k not in _OF_THE_FILE}
    artifacts.write_manifest(joined.folder, "index", content, manifest["format_version"])
    assert cli.main(["calibrate", "tiny", "--threads", "1"]) == 0
    assert {graph.PART, calibration.PART} <= index.open_index("tiny").parts.keys()


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        (["nothing"], 1, "there is no index 'nothing'"),
        (["tiny", "--distractors", "nowhere"], 1, "nowhere does not exist"),
        (["tiny", "--rate", "0.5"], 2, "rate must be above 0"),
    ],
)
def test_the_command_tells_what_is_wrong(
    joined: Index, capsys: pytest.CaptureFixture[str], argv: list[str], code: int, told: str
) -> None:
    assert cli.main(["calibrate", *argv]) == code
    printed = capsys.readouterr()
    assert told in printed.err and printed.out == ""


def test_a_picture_that_everything_is_joined_with_has_no_false_match(joined: Index) -> None:
    everything = tuple(range(joined.n_images))
    assert calibrate._stranger(joined, 0, everything, CalibrateParams(), 1) == 0
    flat = joined.find_image("flat.png")
    assert flat is not None
    assert calibrate._stranger(joined, flat, (flat,), CalibrateParams(), 1) == 0


def test_threads_change_nothing(joined: Index, painted: Path) -> None:
    one = calibrate.calibrate("tiny", [painted], n_threads=1)
    assert calibrate.calibrate("tiny", [painted], n_threads=3) == one


def test_a_picture_whose_file_is_gone_is_searched_for_as_it_is_stored(
    joined: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("engine.pipeline.describe_image", lambda *_, **__: None)
    (source,) = calibrate.calibrate("tiny").measured
    assert source.n_pictures == joined.n_images
