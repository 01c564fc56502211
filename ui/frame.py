"""What every page stands in: the bar on top, one page below it, and no traceback ever."""

import logging
from pathlib import Path

import streamlit as st

from engine import artifacts, index
from engine.errors import ArtifactError, EngineError, ImageError
from ui import first_start, link, opened, query, words

log = logging.getLogger(__name__)
PAGES = Path(__file__).resolve().parents[1] / "pages"
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
            return  # the page itself says what is wrong
        st.caption(
            f"{words.plain(shown.name)} · {words.counted(shown.n_images, 'image')} · "
            f"{words.counted(shown.n_words, 'word')}",
            width="content",
        )


def refuse(error: Exception, pages: list[st.Page]) -> None:
    """Say what is wrong and what mends it, and lead on."""
    log.warning("%s", error)
    here = link.here()
    told = words.without_paths(str(error), str(artifacts.artifacts_folder()))
    name = opened.name_of(here)
    if isinstance(error, ArtifactError) and name in index.list_indexes():
        told = told.removeprefix(f"the index {name!r} cannot be opened: ")
        told = f"The collection {name} cannot be opened: {told}"
    st.error(words.with_command(told))
    if isinstance(error, ImageError):
        query.uploader("Drop another photograph")
    st.page_link(pages[0], label="Back to the start", width="content")
    if isinstance(error, ArtifactError):
        for name in opened.others(here)[:8]:
            label = f"Open the collection {words.plain(name)}"
            st.page_link(pages[0], label=label, query_params={"collection": name}, width="content")


def main() -> None:
    """Show the page of this address."""
    st.html(STYLE)
    pages = [
        st.Page(PAGES / "search.py", title="Search", url_path="search", default=True),
        st.Page(PAGES / "vocabulary.py", title="Vocabulary", url_path="vocabulary"),
        st.Page(PAGES / "why.py", title="Why", url_path="why"),
        st.Page(PAGES / "inspect.py", title="Inspect", url_path="inspect"),
        st.Page(PAGES / "evaluation.py", title="Evaluation", url_path="evaluation"),
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
        st.error("Something went wrong on this page. The server's log says what.")
        st.page_link(pages[0], label="Back to the start")


main()
