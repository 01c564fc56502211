"""Small collections with every part that an index can have, built anew for each run."""

import os
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

from engine import aggregate, build, codebook, graph, index, models, upkeep
from engine.codebook import CodebookParams
from tests.golden.make_index import discs

N_WORDS = {"small": 8, "large": 24}  # a large vocabulary is kept in another way
QUERY = "query.png"


def make(place: Path) -> None:
    """Build the indexes "small" and "large" below `place`."""
    os.environ["VISWORD_ARTIFACTS"] = str(place)
    pictures = place / "pictures"
    pictures.mkdir(parents=True)
    for name, pixels in (("a", discs(1)), ("b", np.rot90(discs(1))), ("c", discs(2))):
        Image.fromarray(pixels).save(pictures / f"{name}.png")
    Image.fromarray(discs(1)[5:110, 7:150]).save(place / QUERY)
    for name, n_words in N_WORDS.items():
        limit = codebook.LARGE if name == "small" else n_words - 1
        algorithm = "lloyd" if name == "small" else "approximate"
        words = CodebookParams(n_words, algorithm, n_samples=1000)
        with mock.patch.object(codebook, "LARGE", limit):
            build.build(pictures, name, build.BuildParams(codebook=words), n_workers=1)
        graph.make_graph(name)
        aggregate.make_residuals(name)
        _add_parts(name)


def _add_parts(name: str) -> None:
    """Add what takes long to make in earnest: a calibration, a model's vectors."""
    random = np.random.default_rng(0)
    scores = np.sort(random.random(40).astype(np.float32))
    told = {"least_score": 1.5, "rate": 0.01, "measured": []}
    upkeep.add_part(name, "calibration", told, {"scores_0": scores})
    model = next(iter(models.DECLARED.values())).model
    vectors = random.standard_normal((index.open_index(name).n_images, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    told = {"model": model.to_json(), "digest": "0" * 64, "weights": "0" * 64, "skipped": []}
    told["orientation"] = "upright"
    upkeep.add_part(name, f"embedding-{model.name}", told, {"vectors": vectors})
