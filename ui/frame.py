"""What every page stands in: the bar on top, one page below it, and no traceback ever."""

import logging
from pathlib import Path

import streamlit as st

from engine import artifacts, index, language
from engine.errors import ArtifactError, EngineError, ImageError
from engine.language import tr, trn
from ui import first_start, link, opened, query, words
from ui import language as chosen_language
from ui.components import page_language
from ui.link import Link

log = logging.getLogger(__name__)
PAGES = Path(__file__).resolve().parents[1] / "pages"
# What of a page's own address stays with another photograph: where one is, and how one looks.
PLACE = ("lesson", "step", "part", "threshold", "octaves", "layers", "upright", "short")
STYLE = """
<style>
.stMainBlockContainer { max-width: 1400px; }
.st-key-bar { border-bottom: 1px solid var(--st-border-color, #8884); padding-bottom: 0.25rem; }
.st-key-bar [data-testid="stMarkdownContainer"] { margin: 0; }
.st-key-bar [data-testid="stCaptionContainer"] { margin: 0; }
.st-key-bar p { margin: 0; }
[data-testid="stFileUploaderDropzoneInstructions"] * { white-space: normal; }
/* A chart passes over a change of size that comes while it is made. A pixel taken from its place
   once it stands (or this style comes) makes it look again; till then it is cut, not the page. */
[data-testid="stEChartsChart"] { overflow-x: clip; }
[data-testid="stEChartsChart"][aria-busy="false"] { width: calc(100% - 1px); }
@media (max-width: 640px) {
  .stMainBlockContainer { padding-left: 0.75rem; padding-right: 0.75rem; }
  .st-key-query-picture { max-width: 11rem; }
  .stMainBlockContainer [data-testid="stHorizontalBlock"] { row-gap: 1rem; }
  /* Two rankings stand beside each other on a telephone too. */
  .st-key-both [data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"]) {
    flex-wrap: nowrap; gap: 0.5rem;
  }
  .st-key-both [data-testid="stColumn"] { min-width: 0; flex: 1 1 0; width: 50%; }
}
</style>
"""


def bar(pages: list[st.Page]) -> None:
    """Show the name, the pages, and which collection lies on the bench."""
    here = link.here()
    with st.container(horizontal=True, vertical_alignment="center", key="bar", gap="medium"):
        st.markdown("**Visword**", width="content")
        for page in pages:
            st.page_link(page, query_params=here.write())
        try:
            shown = opened.collection(here)
        except (EngineError, OSError):
            shown = None  # the page itself says what is wrong
        if shown is not None:
            n_images = trn("{n:,} image", "{n:,} images", shown.n_images)
            n_words = trn("{n:,} word", "{n:,} words", shown.n_words)
            st.caption(f"{words.plain(shown.name)} · {n_images} · {n_words}", width="content")
        chosen_language.switch()
        page_language(language.TAGS[language.spoken()])


def dropped(**changes: str) -> None:
    """Go on with another photograph where the visitor was."""
    kept = {name: told for name in PLACE if (told := st.query_params.get(name))}
    st.query_params.from_dict(kept | link.here().to(**changes).write())


def refuse(error: Exception, pages: list[st.Page]) -> None:
    """Say what is wrong and what mends it, and lead on."""
    log.warning("%s", error)
    here = link.here()
    told, name = str(error), opened.name_of(here)
    if isinstance(error, ArtifactError) and name in index.list_indexes():
        told = tr("The collection {name} cannot be opened: {why}", name=name, why=error.why)
    told = words.without_paths(told, str(artifacts.artifacts_folder()))
    st.error(words.with_command(told))
    if isinstance(error, ImageError):
        query.uploader(tr("Drop another photograph"), dropped)
    _to_start(pages, here)
    if isinstance(error, ArtifactError):
        for name in opened.others(here)[:8]:
            label = tr("Open the collection {name}", name=words.plain(name))
            to = Link(collection=name, language=here.language)
            st.page_link(pages[0], label=label, query_params=to.write(), width="content")


def _to_start(pages: list[st.Page], here: Link) -> None:
    """Lead to a start without what went wrong, in the language that was chosen."""
    to = Link(language=here.language).write()
    st.page_link(pages[0], label=tr("Back to the start"), query_params=to, width="content")


def main() -> None:
    """Show the page of this address."""
    language.speak(chosen_language.wanted())
    st.html(STYLE)
    pages = [
        st.Page(PAGES / "search.py", title=tr("Search"), url_path="search", default=True),
        st.Page(PAGES / "vocabulary.py", title=tr("Vocabulary"), url_path="vocabulary"),
        st.Page(PAGES / "why.py", title=tr("Why"), url_path="why"),
        st.Page(PAGES / "inspect.py", title=tr("Inspect"), url_path="inspect"),
        st.Page(PAGES / "surf.py", title=tr("Step by step"), url_path="surf"),
        st.Page(PAGES / "evaluation.py", title=tr("Evaluation"), url_path="evaluation"),
        st.Page(PAGES / "models.py", title=tr("Models"), url_path="models"),
        st.Page(PAGES / "lessons.py", title=tr("Lessons"), url_path="lessons"),
    ]
    page = st.navigation(pages, position="hidden")
    st.set_page_config(page_title=f"{page.title} · Visword", page_icon="🔎", layout="wide")
    bar(pages)
    try:
        if index.list_indexes():
            page.run()
        else:
            first_start.show()
    except (EngineError, ValueError) as error:
        refuse(error, pages)
    except Exception:
        log.exception("a page failed")
        st.error(tr("Something went wrong on this page. The server's log says what."))
        _to_start(pages, link.here())


main()
