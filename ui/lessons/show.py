"""The list of all lessons, and one lesson step by step."""

from pathlib import Path
from typing import Literal

import streamlit as st

from engine import demo
from engine.index import Index
from engine.language import mark, tr, trn
from ui import opened, query, samples, words
from ui.components import start_at_top
from ui.lessons import geometry, keypoints, measuring, survives, to_words, tour, weights
from ui.lessons.shared import Bench, Lesson, Step, chooser
from ui.lessons.view import View, go

LESSONS = {
    lesson.name: lesson
    for lesson in (
        tour.LESSON,
        keypoints.LESSON,
        survives.LESSON,
        to_words.LESSON,
        weights.LESSON,
        geometry.LESSON,
        measuring.LESSON,
    )
}
NUMBERS = {name: number for number, name in enumerate(LESSONS)}  # the tour is 0
PAGES = Path(__file__).resolve().parents[2] / "pages"
KEY = "lessons-done"
YARDSTICK = mark(
    "What a classic practical on instance recognition draws with a program, you make here on your "
    "own photograph by hand. Everything you see is computed by the search itself."
)


def show(shown: Index, here: View) -> None:
    """Show what the address asks for."""
    if shown.n_images == 0:
        st.info(tr("This collection is empty. Add pictures to its folder and build it again."))
        return
    lesson = LESSONS.get(here.lesson)
    if lesson is None:
        overview(here)
        return
    if here.result is not None:
        opened.check_image(shown, here.result)
    if here.link.image_id is not None:
        opened.check_image(shown, here.link.image_id)
    one(shown, here.to(step=min(here.step, len(lesson.steps))), lesson)


def done() -> set[tuple[str, int]]:
    """Return the steps that were looked at, and whose task is done, in this session."""
    found: set[tuple[str, int]] = st.session_state.setdefault(KEY, set())
    return found


def overview(here: View) -> None:
    """Show all lessons as cards."""
    st.header(tr("Learn how it works"), anchor=False)
    st.markdown(tr(YARDSTICK))
    _card(here, tour.LESSON)
    lessons = list(LESSONS.values())[1:]
    for start in range(0, len(lessons), 3):
        for column, lesson in zip(st.columns(3), lessons[start : start + 3]):
            with column:
                _card(here, lesson)


def _card(here: View, lesson: Lesson) -> None:
    number = NUMBERS[lesson.name]
    n_done = sum(name == lesson.name for name, _ in done())
    with st.container(border=True, height="stretch"):
        title = f"{number}. {tr(lesson.title)}" if number else tr(lesson.title)
        st.subheader(title, anchor=False)
        st.markdown(tr(lesson.learns))
        facts = [
            trn("{n} minute", "{n} minutes", lesson.minutes),
            trn("{n} step", "{n} steps", len(lesson.steps)),
        ]
        if n_done:
            finished = n_done == len(lesson.steps)
            facts.append(("✓ " if finished else "") + tr("{n} done", n=n_done))
        st.caption(" · ".join(facts))
        label = tr("Begin lesson {n}", n=number) if number else tr("Begin the tour")
        st.button(label, key=f"begin-{lesson.name}", on_click=go, kwargs={"lesson": lesson.name})


def one(shown: Index, here: View, lesson: Lesson) -> None:
    """Show one step of a lesson."""
    step = lesson.steps[here.step - 1]
    number = NUMBERS[lesson.name]
    st.caption(
        (tr("Lesson {n}: {title}", n=number, title=tr(lesson.title)) if number
         else tr(lesson.title))
        + " · " + tr("step {n} of {all}", n=here.step, all=len(lesson.steps))
    )  # fmt: skip
    st.header(tr(step.title), anchor=False)
    _bar(here.step / len(lesson.steps))
    start_at_top(f"{lesson.name} {here.step}")
    _walk(here, lesson, "top")
    if lesson.name == tour.LESSON.name and not here.link.has_query:
        here = here.to(**_example(shown))
    if not here.link.has_query:
        left, right = st.columns([2, 3], gap="large")
        with left:
            _text(step)
        with right:
            st.subheader(tr("First choose a photograph"), anchor=False)
            chooser(shown, here)
        return
    bench = Bench(shown, here)
    left, right = st.columns([2, 3], gap="large")
    with left:
        _text(step)
        below = st.container()
    with right:
        finished = _figure(bench, step)
    with below:
        _task(step, finished)
        if not _lacks(bench, step):
            _photograph(bench)
    if finished is not False:
        done().add((lesson.name, here.step))
    if here.step == len(lesson.steps):
        _end(bench, lesson)
    _walk(here, lesson, "bottom")


def _bar(share: float) -> None:
    """Draw how far the lesson is; the line above tells it in words."""
    st.html(
        # Streamlit writes white on its light blue of the dark theme too.
        "<style>.st-key-next-top button p { color: light-dark(#fff, #111) }</style>"
        '<div aria-hidden="true" style="height:4px;border-radius:2px;background:#8883">'
        f'<div style="height:4px;border-radius:2px;width:{share:.0%};'
        'background:var(--st-primary-color,#0b66b8)"></div></div>'
    )


def _example(shown: Index) -> dict[str, int]:
    """Return the picture that the tour takes where none lies on the bench."""
    if shown.name == demo.NAME and samples.are_there():
        return {"sample": 0}
    return {"image_id": 0}


def _text(step: Step) -> None:
    for paragraph in step.text:
        st.markdown(tr(paragraph))


def _lacks(bench: Bench, step: Step) -> bool:
    """Tell whether the photograph has no keypoints and the step needs some."""
    return len(bench.query().features) == 0 and step.show not in (tour.photograph, tour.pixels)


def _figure(bench: Bench, step: Step) -> bool | None:
    """Show the figure of a step; say so where the photograph has nothing to show."""
    if _lacks(bench, step):
        told = words.no_keypoints(bench.shown.extraction, tr("in Inspect"))
        st.warning(told)
        st.subheader(tr("Take another photograph"), anchor=False)
        chooser(bench.shown, bench.here)
        return False
    return step.show(bench)


def _task(step: Step, finished: bool | None) -> None:
    """Show what is to be done, and whether it is."""
    if step.task:
        if finished:
            st.success(f"✓ {tr(step.task)}")
        else:
            st.info(f"○ {tr(step.task)}")
    if step.seen:
        with st.expander(tr("What was to be seen")):
            st.markdown(tr(step.seen))


def _photograph(bench: Bench) -> None:
    """Say which photograph the lesson is done on, and let another be taken."""
    name = words.plain(query.name(bench.shown, bench.link).rsplit("/", 1)[-1])
    with st.expander(tr("On the bench: {name}. Take another photograph", name=name)):
        chooser(bench.shown, bench.here)


def _walk(here: View, lesson: Lesson, where: str) -> None:
    """Lead to the steps before and after, and out."""
    n_steps, names = len(lesson.steps), list(LESSONS)
    kind: Literal["primary", "secondary"] = "primary" if where == "top" else "secondary"
    with st.container(horizontal=True, vertical_alignment="center"):
        if here.step > 1:
            kwargs: dict[str, object] = {"step": here.step - 1}
            st.button(tr("Previous step"), key=f"previous-{where}", on_click=go, kwargs=kwargs)
        if here.step < n_steps:
            kwargs = {"step": here.step + 1}
            st.button(tr("Next step"), key=f"next-{where}", on_click=go, kwargs=kwargs, type=kind)
        elif NUMBERS[lesson.name] + 1 < len(names):
            number = NUMBERS[lesson.name] + 1
            label = tr("Go on with lesson {n}", n=number)
            kwargs = {"lesson": names[number]}
            st.button(label, key=f"next-{where}", on_click=go, kwargs=kwargs, type=kind)
        st.button(tr("All lessons"), key=f"all-{where}", on_click=go, kwargs={"lesson": ""})


def _end(bench: Bench, lesson: Lesson) -> None:
    """Show where the app goes on, and where it was first written."""
    st.divider()
    page = str(PAGES / f"{lesson.page}.py")
    params = lesson.choices(bench)
    st.page_link(page, label=tr(lesson.further), query_params=params, width="content")
    if lesson.paper:
        st.caption(tr("To read: {paper}", paper=lesson.paper))
