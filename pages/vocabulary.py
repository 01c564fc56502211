"""Vocabulary: every visual word, on a map and in a grid; what words find, and how good they are."""

from ui import opened
from ui.vocabulary import compare, grid, one_word, quality, search, view
from ui.vocabulary.view import View


def main() -> None:
    """Show the page."""
    here = View.here()
    shown = opened.collection(here.link)
    view.choose_part(here)
    if here.link.word is not None:
        one_word.show(shown, here, here.link.word)
    elif here.part == view.SEARCH:
        search.show(shown, here)
    elif here.part == view.COMPARE:
        compare.show(shown, here)
    elif here.part == view.QUALITY:
        quality.show(shown, here)
    else:
        grid.show(shown, here)


main()
