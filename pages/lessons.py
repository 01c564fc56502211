"""Lessons: a guided tour through one search, and six short lessons on the reader's photograph."""

from ui import opened
from ui.lessons import show
from ui.lessons.view import View


def main() -> None:
    """Show the page."""
    here = View.here()
    show.show(opened.collection(here.link), here)


main()
