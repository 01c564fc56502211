"""What an explanation and its report say, in every language."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from engine import account, embed, explain, images, index, language, methods, pipeline, report
from engine.answer import Answer
from engine.explanation import Explanation
from engine.index import Index
from engine.pose import Pose
from tests.test_embed import add_model

ENGLISH = re.compile(r"[A-Za-z]{2,}(?:[ ,;:]+[A-Za-z]{2,}){2,}")
CHINESE = re.compile("[一-鿿]")


def _search(of: Index, method: str) -> tuple[pipeline.QueryFeatures, Answer]:
    described = pipeline.describe_query(of, images.read(of.root / "china.jpg"))
    return described, pipeline.search_query(of, described, method, None)


def _told(of: Index, answer: Answer, explained: Explanation, word_ids: np.ndarray) -> list[str]:
    """Return all that is said of one result."""
    _, others = account.words(of, explained, word_ids, 3)
    return [
        account.headline(explained),
        account.meaning(of, answer, explained.image_id),
        account.made(answer, explained),
        account.mapped(explained) or "",
        *(what for _, what in account.fates(explained)),
        *(part.told for part in account.parts(of, explained)),
        "" if others is None else others.told,
    ]


@pytest.mark.parametrize("method", methods.METHODS)
def test_an_explanation_is_told_in_chinese(full: Index, method: str) -> None:
    described, answer = _search(full, method)
    word_ids = described.words.word_ids
    for image_id in answer.ranking.image_ids.tolist():
        explained = explain.explain(full, answer, image_id)
        english = _told(full, answer, explained, word_ids)
        with language.speaking("zh"):
            chinese = _told(full, answer, explained, word_ids)
        assert len(chinese) == len(english)
        for one, other in zip(chinese, english):
            assert bool(one) == bool(other)
            if one:
                assert CHINESE.search(one), other
                assert not ENGLISH.search(one), one


@pytest.mark.parametrize(
    "method", ["own", "apart", "verified+own", "verified+own+rank", "tf-idf+apart"]
)
def test_a_networks_part_is_told_in_chinese(scratch: Path, tmp_path: Path, method: str) -> None:
    add_model(tmp_path)
    add_model(tmp_path, "apart", metric="euclidean")
    for model in ("own", "apart"):
        embed.make_embeddings("tiny", model)
    of = index.open_index("tiny")
    described, answer = _search(of, method)
    assert len(answer.ranking) == of.n_images - 1
    for image_id in answer.ranking.image_ids.tolist():
        explained = explain.explain(of, answer, image_id)
        english = _told(of, answer, explained, described.words.word_ids)
        with language.speaking("zh"):
            chinese = _told(of, answer, explained, described.words.word_ids)
        for one, other in zip(chinese, english, strict=True):
            assert bool(one) == bool(other)
            assert not one or CHINESE.search(one), other
            assert not ENGLISH.search(one), one
        parts = account.parts(of, explained)
        assert sum(part.value for part in parts) == pytest.approx(explained.score, abs=1e-5)
    text = " ".join(english)
    assert ("distance is" in text) == (method == "apart")
    shown = report.Shown("china.jpg", (9, 9), None, *(np.zeros((0, 2)), np.zeros(0, np.int32)))
    page = ElementTree.fromstring(report.make(of, shown, answer, explained, None))
    told = " ".join(page.itertext())
    assert "Nothing in the query adds" not in told and parts[0].told in told


def test_what_becomes_of_a_match_has_a_name_in_chinese() -> None:
    with language.speaking("zh"):
        for text in account.OF_MANY.values():
            assert CHINESE.search(language.tr(text))


def test_a_pose_is_one_sentence_in_chinese() -> None:
    with language.speaking("zh"):
        assert Pose(2.0, -30.0, 1.5, 0.0).told() == (
            "放大到 2.0 倍，逆时针旋转 30°，拍摄角度不同（一个方向上拉长到 1.5 倍）"
        )
        assert CHINESE.search(Pose(1.0, 0.0, 1.0, 0.0).told())


def _page(of: Index, method: str, pixels: bool) -> ElementTree.Element:
    described, answer = _search(of, method)
    image_id = int(answer.ranking.image_ids[1])
    explained = explain.explain(of, answer, image_id)
    height, width = described.image.gray.shape
    rgb = described.image.rgb if pixels else None
    of_words = (described.features.xy, described.words.word_ids)
    shown = report.Shown("china.jpg", (width, height), rgb, *of_words)
    result = images.read(of.picture_path(image_id)).rgb if pixels else None
    return ElementTree.fromstring(report.make(of, shown, answer, explained, result))


def _texts(page: ElementTree.Element) -> list[str]:
    """Return all that is read in a page, and by whoever cannot see it."""
    found = []
    for element in page.iter():
        if element.tag != "style":
            found += [element.text or "", element.attrib.get("alt", "")]
            found.append(element.attrib.get("aria-label", ""))
        found.append(element.tail or "")
    return [text for text in found if text.strip()]


@pytest.mark.parametrize("method", ["verified", "expanded", "tf-idf", "vlad"])
@pytest.mark.parametrize("pixels", [True, False])
def test_a_report_is_chinese_to_its_last_word(full: Index, method: str, pixels: bool) -> None:
    assert _page(full, method, pixels).attrib["lang"] == "en"
    with language.speaking("zh"):
        page = _page(full, method, pixels)
    assert page.attrib["lang"] == "zh-Hans"
    for text in _texts(page):
        assert not ENGLISH.search(text), text
        left = re.sub(r"[\w./-]+\.(?:jpg|png)|idf|nat|tiny|[\w-]*" + method, "", text)
        assert not re.search(r"[A-Za-z]{3,}", left), text


def test_every_language_has_a_tag() -> None:
    assert language.TAGS.keys() == language.LANGUAGES.keys()


def test_sentences_follow_each_other_as_the_language_has_it() -> None:
    assert language.sentences("One.", "Two.") == "One. Two."
    with language.speaking("zh"):
        assert language.sentences("一。", "二。") == "一。二。"
