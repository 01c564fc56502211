"""What all lessons share: what a lesson is, and the photograph that it is done on."""

import dataclasses
from collections.abc import Callable

import streamlit as st

from engine import demo, explain, methods
from engine.answer import Answer
from engine.explanation import Explanation
from engine.index import Index
from engine.language import tr, trn
from engine.pipeline import QueryFeatures
from ui import opened, query, results, samples, urls, words
from ui.components import Tile, gallery
from ui.lessons.view import View, go
from ui.link import Link

N_OFFERED = 8
N_OTHERS = 3


@dataclasses.dataclass(frozen=True, slots=True)
class Bench:
    """The photograph of a lesson in its collection; every figure is an answer of the engine.

    Attributes
    ----------
    shown : Index
        The collection.
    here : View
        The choices of the page, with a query.
    """

    shown: Index
    here: View

    @property
    def link(self) -> Link:
        """What all pages have in common."""
        return self.here.link

    def query(self) -> QueryFeatures:
        """Return the photograph with its keypoints and words."""
        return opened.describe(self.shown, self.link)

    def answer(self, method: str = methods.VERIFIED) -> Answer:
        """Return the collection ranked for the photograph."""
        return opened.search(self.shown, self.link, method)

    def other(self) -> int | None:
        """Return the picture that the photograph is laid beside; None if there is none."""
        found = self.answer()
        ids = [one.image_id for one in results.of(found)]
        return self.here.result if self.here.result in ids else next(iter(ids), None)

    def described(self, image_id: int) -> QueryFeatures:
        """Return a picture of the collection with its keypoints and words."""
        return opened.describe_unchanged(self.shown, Link(image_id=image_id))

    def explained(self, image_id: int, method: str = methods.VERIFIED) -> Explanation:
        """Return one result's score taken apart."""
        return explain.explain(self.shown, self.answer(method), image_id)

    def keypoint(self) -> int:
        """Return the keypoint that is looked at: the one chosen, else the strongest."""
        chosen, n = self.here.keypoint, len(self.query().features)
        return chosen if chosen is not None and chosen < n else 0

    def name_of(self, image_id: int) -> str:
        """Return what a picture's file is called."""
        return self.shown.images[image_id].shown.rsplit("/", 1)[-1]


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One step of a lesson: a few sentences, and a figure that the reader can change.

    Attributes
    ----------
    title : str
        Marked for translation, as all texts here.
    text : tuple of str
        Paragraphs.
    show : callable
        Shows the figure; returns whether the task is done, None where there is none.
    task : str
        What to do; empty where there is only something to look at.
    seen : str
        What was to be seen, told to whoever asks for it.
    """

    title: str
    text: tuple[str, ...]
    show: Callable[[Bench], bool | None]
    task: str = ""
    seen: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson.

    Attributes
    ----------
    name : str
        In the address.
    title, learns : str
        What it is called, and what one learns; marked for translation.
    minutes : int
        How long it takes.
    steps : tuple of Step
        Its steps, at least one.
    further : str
        Where the app goes on: what the link says, marked for translation.
    page : str
        The page that the link leads to.
    paper : str
        Where it was first written; empty for the tour.
    choices : callable
        Parameters of that page's address.
    """

    name: str
    title: str
    learns: str
    minutes: int
    steps: tuple[Step, ...]
    further: str
    page: str
    paper: str = ""
    choices: Callable[[Bench], dict[str, str]] = lambda bench: bench.link.write()


def n_keypoints(n: int) -> str:
    """Return "1 keypoint", "1,214 keypoints"."""
    return trn("{n:,} keypoint", "{n:,} keypoints", n)


def chooser(shown: Index, here: View) -> None:
    """Offer pictures to do the lesson on: an upload, the samples, some of the collection."""
    query.uploader(tr("Drop your own photograph here"), go)
    tiles = []
    if shown.name == demo.NAME and samples.are_there():
        tiles = [
            Tile(
                id=i,
                url=urls.query(shown, Link(sample=i), 320),
                href=here.href(sample=i),
                alt=tr("Take this one: {name}", name=tr(sample.title)),
                title=tr(sample.title),
                caption=tr(sample.title),
            )
            for i, sample in enumerate(demo.SAMPLE_QUERIES)
        ]
    step = max(1, shown.n_images // N_OFFERED)
    for i in range(0, shown.n_images, step)[: N_OFFERED - len(tiles)]:
        name = shown.images[i].shown.rsplit("/", 1)[-1]
        tiles.append(
            Tile(
                id=1_000_000 + i,
                url=urls.picture(shown, i, 320),
                href=here.href(image_id=i),
                alt=tr("Take this one: {name}", name=name),
                title=name,
                caption=name,
            )
        )
    if tiles:
        st.caption(tr("Or take one of these"))
        gallery(tiles, "offered", tr("Pictures to take"), columns=4, columns_small=2)


def picked_result(bench: Bench) -> int | None:
    """Show which picture lies beside the photograph, and let another be taken."""
    other = bench.other()
    if other is None:
        st.info(tr("This collection holds nothing but this picture."))
        return None
    ids = [one.image_id for one in results.of(bench.answer())]
    offered = list(dict.fromkeys([*ids[:N_OTHERS], ids[-1], other]))
    st.caption(
        tr("Beside it: {name}. Take another: the first results, or the last of all.",
           name=words.plain(bench.name_of(other)))
    )  # fmt: skip
    tiles = [
        Tile(
            id=i,
            url=urls.picture(bench.shown, i, 160),
            href=bench.here.href(result=i),
            alt=tr("Beside {name}, result {place}", name=bench.name_of(i), place=ids.index(i) + 1),
            title=bench.name_of(i),
            rank=("▸ " if i == other else "") + f"{ids.index(i) + 1:,}",
        )
        for i in offered
    ]
    gallery(tiles, "others", tr("Pictures to lay beside it"), columns=6, columns_small=4)
    return other


def ranking_tiles(bench: Bench, found: Answer, n: int = 4) -> list[Tile]:
    """Make tiles of the first results of an answer; a click lays one beside the photograph."""
    tiles = []
    for rank, one in enumerate(results.of(found)[:n], 1):
        told = words.score(found.method, one.score)
        name = bench.name_of(one.image_id)
        tiles.append(
            Tile(
                id=one.image_id,
                url=urls.picture(bench.shown, one.image_id, 320),
                href=urls.page("inspect", bench.link.to(image_id=one.image_id)),
                alt=tr("{name}, place {rank}, score {score}", name=name, rank=rank, score=told),
                title=name,
                caption=name,
                rank=str(rank),
                score=told,
            )
        )
    return tiles
