"""The demo's sample queries: which there are, and their files."""

from pathlib import Path

from engine import demo
from engine.errors import ImageError
from engine.language import tr


def path(place: int) -> Path:
    """Return the file of a sample query.

    Raises
    ------
    ImageError
        If there is no such sample, or the demo has not been made.
    """
    if not 0 <= place < len(demo.SAMPLE_QUERIES):
        raise ImageError(tr("There is no sample query {place}.", place=place))
    found = demo.demo_folder() / "queries" / demo.SAMPLE_QUERIES[place].file
    if not found.is_file():
        raise ImageError(
            tr(
                "The sample query {name} is not there. Make the demo again with: "
                "python -m engine demo",
                name=found.name,
            )
        )
    return found


def are_there() -> bool:
    """Tell whether every sample query can be opened."""
    try:
        return all(path(place).is_file() for place in range(len(demo.SAMPLE_QUERIES)))
    except ImageError:
        return False
