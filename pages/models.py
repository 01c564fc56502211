"""Models: which neural networks there are, how to get more, and whose vectors a collection has."""

from ui import confirm, opened
from ui.models import one, overview
from ui.models.view import View


def main() -> None:
    """Show the page."""
    here = View.here()
    shown = opened.collection(here.link)
    confirm.said()
    if here.model:
        one.show(shown, here)
    else:
        overview.show(shown, here)


main()
