"""What a search found, in groups: the same thing, by way of others, probably not the same thing."""

import dataclasses
from collections.abc import Sequence

from engine import calibration, demo, encode, methods
from engine.answer import Answer
from engine.index import Index
from engine.language import mark, tr, trn
from ui import urls, words
from ui.components import Tile
from ui.link import Link
from ui.search.view import View as SearchView
from ui.why.view import View

FULL_BAR = 10.0  # a verified score whose bar is full, unless there is a higher one
UNLIKELY = mark("Probably not the same thing")
BY_WAY = mark("Found by way of these")
NOTHING = mark("Nothing here matches")


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """One picture of an answer.

    Attributes
    ----------
    image_id : int
        The picture.
    score : float
        Its own; of expanded answers the verified one, or the weakest on the way to it.
    same : bool or None
        Whether it shows the same thing; None where the method cannot tell.
    path : tuple of int
        The pictures that led to it; empty where the query itself did.
    """

    image_id: int
    score: float
    same: bool | None = None
    path: tuple[int, ...] = ()


def of(found: Answer) -> list[Result]:
    """Return all results, in the order in which they are shown.

    What the query matches itself stands first, by its verified score; then what was found by way of
    these; then the rest.
    """
    ids, scores = found.ranking.image_ids.tolist(), found.ranking.scores.tolist()
    if found.calibration is None:
        return [Result(i, score) for i, score in zip(ids, scores)]
    least = found.calibration.least_score
    direct = {i: one.score for i, one in found.verified.items()}
    ways = {} if found.expansion is None else found.expansion.ways
    same, led, rest = [], [], []
    for image_id in ids:
        score = direct.get(image_id, 0.0)
        if score >= least:
            same.append(Result(image_id, score, True))
        elif image_id in ways:
            way = ways[image_id]
            led.append(Result(image_id, way.weakest, True, way.path[:-1]))
        else:
            rest.append(Result(image_id, score, False))
    # Sorting is stable: what scores alike, or was not verified, stays as it was ranked.
    same.sort(key=lambda result: -result.score)
    rest.sort(key=lambda result: -result.score)
    return same + led + rest


def headline(found: Answer, results: list[Result], n_shown: int) -> str:
    """Say in one line what was found."""
    if found.calibration is None:
        return most_similar(found, n_shown)
    n_same = sum(bool(result.same) for result in results)
    if n_same == 0:
        return tr(NOTHING)
    if found.n_images == 1:
        return tr("1 of 1 image shows the same thing")
    return trn(
        "{n} of {n_images:,} images shows the same thing",
        "{n} of {n_images:,} images show the same thing",
        n_same,
        n_images=found.n_images,
    )


def most_similar(found: Answer, n_shown: int) -> str:
    """Say that these are the first of all."""
    return trn(
        "{n_shown} most similar of {n:,} image",
        "{n_shown} most similar of {n:,} images",
        found.n_images,
        n_shown=n_shown,
    )


def promise(found: Answer, name: str) -> str | None:
    """Say from which score a result counts as the same thing, and how far that can be trusted."""
    told = found.calibration
    if told is None:
        return None
    again = calibration.again(name)
    least = told.least_score
    if told.is_measured and told.earlier_graph:
        return tr(
            "A verified score of {least:.1f} or more counts as the same thing: {rate:.0%} of "
            "pictures that match nothing here get there, measured in this collection. Its graph "
            "has changed since; to measure again, run `{again}`.",
            least=least,
            rate=told.rate,
            again=again,
        )
    if told.is_measured:
        return tr(
            "A verified score of {least:.1f} or more counts as the same thing: {rate:.0%} of "
            "pictures that match nothing here get there, measured in this collection.",
            least=least,
            rate=told.rate,
        )
    if name == demo.NAME:  # its pictures share too much to tell anything by
        return tr(
            "A verified score of {least:.1f} or more counts as the same thing: a cautious guess.",
            least=least,
        )
    return tr(
        "A verified score of {least:.1f} or more counts as the same thing: a cautious guess. To "
        "measure it in this one, run `{again}`.",
        least=least,
        again=again,
    )


class Beside:
    """Another ranking of the same query, beside which results are shown.

    Parameters
    ----------
    view : SearchView
        What the page shows: a click on a picture searches from it by the same two methods.
    n_shown : int
        How many of either ranking are shown.
    listed : sequence of Result
        The other ranking, as it is shown; empty where there is none.
    """

    def __init__(self, view: SearchView, n_shown: int, listed: Sequence[Result]) -> None:
        self.view, self._n_shown, self._is_there = view, n_shown, bool(listed)
        # What scores nothing has a place by chance.
        self._places = {one.image_id: i for i, one in enumerate(listed, 1) if one.score > 0}

    def is_shown(self, image_id: int) -> bool:
        """Tell whether a picture is among those that are shown of the other ranking."""
        return self._places.get(image_id, self._n_shown + 1) <= self._n_shown

    def told(self, image_id: int) -> str | None:
        """Say which place a picture has in the other ranking."""
        if not self._is_there:
            return None
        place = self._places.get(image_id)
        return tr("not found there") if place is None else tr("place {place} there", place=place)


def tiles(
    shown: Index,
    here: Link,
    found: Answer,
    results: list[Result],
    n_shown: int,
    drawn: bool,
    beside: Beside | None = None,
) -> list[Tile]:
    """Make the tiles of the first results; a line above the first of each further group.

    Of two rankings, `here` names the method of this one: pages that a result leads to explain it.
    """
    more = {"keypoints": "all"} if drawn else {}
    full = max((result.score for result in results), default=0.0)
    made: list[Tile] = []
    for rank, result in enumerate(results[:n_shown], 1):
        image_id, path = result.image_id, shown.images[result.image_id].shown
        told = words.shown_score(found, image_id, result.score)
        above, chance = _line_above(results, rank - 1), _chance(found, result)
        there = None if beside is None else beside.told(image_id)
        is_both = beside is not None and beside.is_shown(image_id)
        by_way = " → ".join(shown.images[i].shown.rsplit("/", 1)[-1] for i in result.path)
        made.append(
            Tile(
                id=image_id,
                url=urls.picture(shown, image_id, 640 if drawn else 320, **more),
                href=urls.page("search", (beside.view if beside else here).to(image_id=image_id)),
                alt=tr("{path}, rank {rank}, score {score}", path=path, rank=rank, score=told)
                + "".join(f", {more}" for more in (there, above) if more),
                title="\n".join((tr("{path}: search from here", path=path), *chance)),
                caption=path.rsplit("/", 1)[-1],
                rank=str(rank),
                score=told,
                share=_share(found, result.score, full),
                more=(
                    (tr("Why"), View(here, image_id).href()),
                    (tr("Inspect"), urls.page("inspect", here.to(image_id=image_id))),
                ),
                download=urls.file(shown, image_id),
                above=above,
                mark="both" if is_both else None,
                told=there,
                note=tr("By way of {names}; weakest step {score}", names=by_way, score=told)
                if by_way
                else None,
            )
        )
    return made


def _chance(found: Answer, result: Result) -> tuple[str, ...]:
    """Say how many pictures that match nothing score as much, where that was measured."""
    share = None if found.calibration is None else found.calibration.reached(result.score)
    if share is None or result.path:
        return ()
    if share < 0.001:
        return (tr("under 0.1 % of pictures that match nothing here score as much"),)
    percent = 100 * share
    told = tr("{percent:.1f} % of pictures that match nothing here score as much", percent=percent)
    return (told,)


def _line_above(results: list[Result], place: int) -> str | None:
    """Return the line with which a group begins here, if one does."""
    result, before = results[place], results[place - 1] if place else None
    if result.same is False and (before is None or before.same):
        return tr(UNLIKELY)
    if result.path and (before is None or not before.path):
        return tr(BY_WAY)
    return None


def _share(found: Answer, score: float, full: float) -> float:
    """Return how long a score's bar is, 0 to 1."""
    by_model = methods.is_embedding(found.method)
    if found.method == encode.L1 or found.method in methods.AGGREGATED or by_model:
        return max(score, 0.0)
    if found.working.fused is not None:
        return score / full if full > 0 else 0.0
    if found.method in methods.VECTORS:
        return max(2 * score - 1, 0.0)
    return min(score / max(full, FULL_BAR), 1.0)


def as_csv(shown: Index, results: list[Result]) -> str:
    """Return the whole ranking as a table."""
    rows: list[list[object]] = [
        [
            rank,
            shown.images[result.image_id].shown,
            f"{result.score:.6f}",
            "" if result.same is None else ("yes" if result.same else "no"),
            " > ".join(shown.images[i].shown for i in result.path),
        ]
        for rank, result in enumerate(results, 1)
    ]
    return words.csv(["rank", "image", "score", "same_thing", "by_way_of"], rows)
