"""What the page Why explains: a query, a method, a result, and the parts of its score."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from engine import explain, methods, whatif
from engine.answer import Answer
from engine.errors import ImageError
from engine.explanation import Explanation, WordShares, by_word
from engine.index import Index
from engine.language import tr
from engine.verify import Geometry
from ui import opened, results
from ui.why.view import View


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One result and its explanation.

    Attributes
    ----------
    shown : Index
        The collection.
    here : View
        The choices of the page.
    answer : Answer
        Of the query, without what is left out of it.
    order : tuple of int
        All results, as the page Search shows them.
    explained : Explanation
        Of the result.
    drawn : Explanation
        Whose matches are drawn: that, or where words and a network rank together the words' own.
    words : WordShares
        What each word adds.
    query : Geometry
        The N keypoints of the query, without what is left out of it.
    query_words : (N,) int32 array
        Their words.
    size : tuple of int
        Width and height of the query.
    """

    shown: Index
    here: View
    answer: Answer
    order: tuple[int, ...]
    explained: Explanation
    drawn: Explanation
    words: WordShares
    query: Geometry
    query_words: NDArray[np.int32]
    size: tuple[int, int]

    @property
    def result(self) -> int:
        """The picture that is explained."""
        return self.explained.image_id

    @property
    def place(self) -> int:
        """Where it stands among all results, from 1."""
        return self.order.index(self.result) + 1

    @property
    def name(self) -> str:
        """What its file is called."""
        return self.name_of(self.result)

    def name_of(self, image_id: int) -> str:
        """Return what a picture's file is called."""
        return self.shown.images[image_id].shown.rsplit("/", 1)[-1]


def ask(shown: Index, here: View) -> Asked | None:
    """Search for the query of this page, and take one result apart.

    Returns
    -------
    Asked or None
        None if the collection has nothing but the query.

    Raises
    ------
    ImageError
        If the query's file is gone, the result is not there, or is the query itself.
    """
    method = opened.method_of(shown, here.link)
    answer = opened.search_without(shown, here.link, method, here.off, here.areas)
    if len(answer.ranking) == 0:
        return None
    order = tuple(one.image_id for one in results.of(answer))
    result = order[0] if here.result is None else here.result
    opened.check_image(shown, result)
    if result in answer.excluded:
        raise ImageError(
            tr(
                "{name} is the query itself, so it is no result. Choose another picture.",
                name=shown.images[result].shown,
            )
        )
    explained = drawn = explain.explain(shown, answer, result)
    if (both := methods.fused_of(method)) is not None:
        of_words = opened.search_without(shown, here.link, both.words, here.off, here.areas)
        drawn = explain.explain(shown, of_words, result)
    geometry, word_ids, size = _keypoints(shown, here)
    words = by_word(explained)
    return Asked(shown, here, answer, order, explained, drawn, words, geometry, word_ids, size)


def _keypoints(shown: Index, here: View) -> tuple[Geometry, NDArray[np.int32], tuple[int, int]]:
    """Return the keypoints of the query and its size, as stored where its file is gone or new."""
    image_id = here.link.image_id
    try:
        query = opened.describe_unchanged(shown, here.link)
    except ImageError:
        if image_id is None:
            raise
        entry, found = shown.images[image_id], shown.keypoints(image_id)
        size = (entry.width, entry.height)
        return Geometry(found.xy, found.size, found.angle), shown.words(image_id).word_ids, size
    height, width = query.image.gray.shape
    if here.is_changed:
        query = whatif.without(query, shown.n_words, here.off, here.areas)
    of = query.features
    return Geometry(of.xy, of.size, of.angle), query.words.word_ids, (width, height)
