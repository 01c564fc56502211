"""Sentences and small formats that several pages use."""

import re
from collections.abc import Container

from engine import embeddings, methods, models
from engine.answer import Answer, Timings
from engine.features import ExtractionParams
from engine.index import Index
from engine.language import mark, sentences, tr
from engine.methods import AGGREGATED, VECTORS

METHODS = {
    "expanded": mark(
        "Expanded: from what is verified on to what that matches, along the collection's graph, "
        "with the keypoints of the pictures on the way."
    ),
    "averaged": mark(
        "Averaged: pictures also count by what the query's sure matches match, as the collection's"
        " graph knows it. Average query expansion."
    ),
    "verified": mark(
        "Verified: the best matches keypoint by keypoint, kept where they agree on one shift, turn"
        " and stretch of the picture."
    ),
    "signatures": mark(
        "Signatures: keypoint with keypoint; each match counts by how alike the two are and how "
        "rare."
    ),
    "asmk": mark(
        "ASMK: what the keypoints of each word add up to, as signs; words that agree well count "
        "far more than others."
    ),
    "vlad": mark(
        "VLAD: for each word, where its keypoints lie around it and how they point, added up."
    ),
    "vlad-codes": mark("VLAD in product codes: the same in a tenth of the room."),
    "distance": mark(
        "Summed distances: for each word, how far its keypoints lie from it. The original."
    ),
    "squared-distance": mark("Summed squared distances, as the original's program added them."),
    "count": mark("Counts: how many keypoints each word has."),
    "tf-idf": mark("Counts, with rare words weighing more (tf-idf)."),
    "tf-idf-stop": mark("tf-idf without the commonest twentieth of the words."),
    "tf-idf-root": mark(
        "tf-idf of the square roots of counts: what repeats in one picture says less each time."
    ),
    "tf-idf-l1": mark("tf-idf, compared by how much of the two histograms overlaps."),
}
FINDS = {
    models.OBJECT: mark("Finds the same object, also from elsewhere."),
    models.KIND: mark("Finds pictures of the same kind, be it the same object or not."),
}
_COMMAND = re.compile(
    r"'(?P<quoted>python -m engine [^']*)'|(?P<bare>python -m engine .*?)(?=[.。]?$|\s*[(（])", re.S
)
# In ASCII: Chinese follows without a space, and ends it.
_ADDRESS = re.compile(r"https?://[!-_a-~]*[A-Za-z0-9/]")
_COSINE = mark("How alike the two histograms of words are: 1 is the same, 0.5 nothing in common.")
SCORES = dict.fromkeys(METHODS, _COSINE) | {
    "tf-idf-l1": mark(
        "The share of the two histograms of words that overlaps: 1 is the same, 0 nothing in "
        "common."
    ),
    "verified": mark(
        "How much agrees on one map of the picture: more matches, better and rarer ones, wider "
        "spread give more. 0 where nothing agrees."
    ),
    "expanded": mark(
        "The verified score of what the query surely matches. What comes after is verified with "
        "the keypoints of the pictures on the way, brought down below these: that orders only."
    ),
    "averaged": mark(
        "The verified score, and half of the weaker step of every way over a sure match. It "
        "orders; how sure a match is, the verified score tells."
    ),
    "asmk": mark("How well the common words agree: 1 is the most, 0 nothing in common."),
    "vlad": mark("How alike the two sums are (cosine): 1 is the same, 0 nothing in common."),
    "vlad-codes": mark("How alike the two sums are (cosine): 1 is the same, 0 nothing in common."),
    "signatures": mark(
        "The sum of what the matches count, over the square root of the picture's number of "
        "keypoints."
    ),
}
_JOINED = mark(
    "{words} and {model} together: each adds how surprising its score would be for a picture of "
    "something else."
)
_JOINED_BY_RANK = mark(
    "{words} and {model} together, by their places alone: first places count most."
)
_JOINED_FINDS = mark("Finds the same object, and after it pictures of the same kind.")
_DISTANCE = mark(
    "How far the network's numbers for the two pictures lie apart (Euclidean distance): 0 is the "
    "same, 1.41 nothing in common."
)
_VECTORS = mark(
    "How alike the network's numbers for the two pictures are (cosine): 1 is the same, 0 nothing "
    "in common."
)
_FUSED = mark(
    "Two parts added up: how surprising what the words say, and what the network says, would be "
    "for a picture of something else. A part of 2 means one in a hundred."
)
_BY_RANK = mark(
    "Two parts added up: 1 / (60 + place) for the place by words, and for that by the network."
)
NO_SLIDERS = mark(
    "This collection was built with RootSIFT. Threshold and octaves are settings of SURF, so there "
    "is nothing to move here."
)
TERMS = {
    "keypoint": mark(
        "A small spot that can be found again in another photograph: a corner or a blob, with a "
        "size and a direction."
    ),
    "word": mark(
        "A visual word stands for keypoints that look alike. The vocabulary was learned from the "
        "collection's own pictures."
    ),
    "histogram": mark("For each visual word, what the picture's keypoints add up to."),
    "idf": mark(
        "Inverse document frequency: the rarer a word is among the pictures, the more it tells."
    ),
    "response": mark("How strongly a spot stands out: the determinant of the Hessian."),
    "threshold": mark(
        "Spots that stand out less than this are left out. Lower finds more keypoints."
    ),
    "octaves": mark("How often the size of what is looked for doubles."),
    "descriptor": mark(
        "128 numbers that say how brightness changes around a keypoint: 4 × 4 cells, eight sums "
        "each."
    ),
}


def counted(count: int, what: str) -> str:
    """Return "1 picture", "1,214 pictures"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def plain(text: str) -> str:
    """Return a text so that Markdown shows it as it is: names of files are not ours."""
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)


def without_paths(text: str, folder: str) -> str:
    """Return a message without the server's own paths.

    Parameters
    ----------
    text : str
        What went wrong, for whoever runs the server.
    folder : str
        Where the collections lie; what lies below it is named from there on.

    Returns
    -------
    str
        The same for a visitor: of any other path only the last name is left.
    """
    text = text.replace(f"{folder.rstrip('/')}/", "")
    return re.sub(r"(?<![\w./~:-])/(?:[^\s/'\"]+/)*([^\s/'\"]+)", r"\1", text)


def _with_addresses(text: str) -> str:
    """Return a text for Markdown; addresses are set as code, else what follows may join them."""
    told, end = "", 0
    for found in _ADDRESS.finditer(text):
        told += f"{plain(text[end : found.start()])}`{found[0]}`"
        end = found.end()
    return told + plain(text[end:])


def with_command(text: str) -> str:
    """Return a message for Markdown; the command that mends it, and addresses, are set as code.

    The command is quoted, or ends the message, before a full stop or what stands in brackets.
    """
    found = _COMMAND.search(text)
    if found is None or "`" in text[found.start() :]:
        return _with_addresses(text)
    before, after = text[: found.start()], text[found.end() :]
    command = found["quoted"] or found["bare"]
    return f"{_with_addresses(before)}`{command}`{after if after == '.' else plain(after)}"


def seconds(value: float) -> str:
    """Return a time with two figures: "0.21 s"; below a millisecond, that it is."""
    if value < 0.001:
        return tr("under 0.001 s")
    return f"{value:.2g} s" if value < 9.95 else f"{value:.0f} s"


def no_keypoints(extraction: ExtractionParams, where: str) -> str:
    """Say that there are no keypoints and what can be done; `where` a threshold can be moved."""
    if extraction.uses_surf:
        return tr(
            "No keypoints were found: the picture is very smooth or dark. Lower the threshold "
            "{where}, or try another picture.",
            where=where,
        )
    return tr("No keypoints were found: the picture is very smooth or dark. Try another picture.")


def steps(timings: Timings, features: str = "SURF") -> str:
    """Say how long each step took; `features` is what the first is called."""
    parts = [(features, timings.surf), (tr("words"), timings.words)]
    parts += [(tr("search"), timings.search), (tr("verification"), timings.verify)]
    parts += [(tr("expansion"), timings.expand)]
    return " · ".join(f"{name} {seconds(value)}" for name, value in parts if value > 0)


def lacking(parts: Container[str], name: str) -> list[str]:
    """Say for which methods an index of these parts lacks something, and the commands."""
    told = []
    for part in methods.OPTIONAL:
        others = [m for m in methods.METHODS if part in methods.lacking(m, parts)]
        if others:
            command = methods.adding(part, name)
            told.append(
                tr("For {methods}, run `{command}`.", methods=", ".join(others), command=command)
            )
    return told


def about(shown: Index, method: str) -> str:
    """Say in a line or two what a method compares, and what it is good at finding."""
    if method in METHODS:
        return sentences(tr(METHODS[method]), tr(FINDS[models.OBJECT]))
    if (both := methods.fused_of(method)) is not None:
        told = tr(
            _JOINED_BY_RANK if both.by_rank else _JOINED, words=both.words, model=both.vectors
        )
        return sentences(told, tr(_JOINED_FINDS))
    model = embeddings.open_embeddings(shown, method).model
    told = tr("{model}: the numbers that a neural network makes of a picture.", model=method)
    return sentences(told, tr(FINDS[model.good_at]))


def score_means(found: Answer) -> str:
    """Say what the scores of an answer tell."""
    if (both := methods.fused_of(found.method)) is not None:
        return tr(_BY_RANK if both.by_rank else _FUSED)
    if methods.is_embedding(found.method):
        return tr(_VECTORS if found.distances is None else _DISTANCE)
    return tr(SCORES[found.method])


def shown_score(found: Answer, image_id: int, value: float) -> str:
    """Return what a result is shown with: its distance where a model's record says so."""
    if found.distances is not None:
        return f"{found.distances[image_id]:.3f}"
    return score(found.method, value)


def score(method: str, value: float) -> str:
    """Return a score as precise as it is meaningful."""
    both = methods.fused_of(method)
    if both is not None and both.by_rank:
        return f"{value:.4f}"
    if both is None and methods.is_embedding(method):
        return f"{value:.3f}"
    return f"{value:.3f}" if method in (*VECTORS, *AGGREGATED) else f"{value:.1f}"


def csv_cell(value: object) -> str:
    """Return a cell that a spreadsheet takes as text: names must not become formulas."""
    text = str(value)
    if isinstance(value, str):  # where a comma is decimal, spreadsheets cut at semicolons
        text = re.sub(r"((?:[;\n]|(?<!^)[\t\r])\s*)(?=[=+@-])", r"\1'", text)
        if text.startswith(("=", "+", "-", "@", "\t", "\r")):
            text = "'" + text
    if any(c in text for c in ',"\n\r'):
        text = '"' + text.replace('"', '""') + '"'
    return text


def csv(header: list[str], rows: list[list[object]]) -> str:
    """Return a table as csv, safe for spreadsheets."""
    table: list[list[object]] = [[*header], *rows]
    return "\n".join(",".join(csv_cell(cell) for cell in row) for row in table) + "\n"
