"""The page while the demo is being made: how far it is, and what happens to a photograph."""

from pathlib import Path

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from engine import (
    artifacts,
    build,
    codebook,
    demo,
    draw,
    encode,
    features,
    images,
    index,
    lookup,
    patches,
    surf,
)
from engine.errors import EngineError
from engine.language import mark, tr
from ui import startup, words

EXAMPLE = "china.jpg"
ALIKE = ("china-left.jpg", "china-turned.jpg", "china-close.jpg", "china-dark.jpg")
SIDE = 320
ADDING_UP = mark("Adding up its words turns a photograph into 500 numbers.")
NEIGHBOURS = mark("Photographs of the same thing get similar numbers.")


@st.fragment(run_every=1.0)
def show() -> None:
    """Say how far the demo is until it can be searched."""
    if index.list_indexes():
        st.rerun()
    st.header(tr("Find the pictures of the same thing, and see why"), anchor=False)
    if startup.DEMO.error is not None:
        told = words.without_paths(startup.DEMO.error, str(artifacts.artifacts_folder()))
        st.error(words.with_command(told))
        _offer(tr("Try again"))
    elif not startup.DEMO.running:
        st.info(
            tr(
                "There is no collection yet. Make the demo here, or index a folder of your own "
                "with: `python -m engine build FOLDER --name NAME`"
            )
        )
        _offer(tr("Make the demo collection"))
    else:
        _progress()
        _explanation()


def _offer(label: str) -> None:
    if st.button(label, key="make-demo"):
        startup.DEMO.start()
        st.rerun()


def _progress() -> None:
    progress = startup.DEMO.progress
    share = progress.done / progress.total if progress.total else 0.0
    stage = progress.stage
    told = tr("Making a demo collection. {stage}", stage=stage)
    if progress.total:
        told = tr(
            "Making a demo collection. {stage}: {done} of {total}",
            stage=stage,
            done=progress.done,
            total=progress.total,
        )
    st.progress(min(share, 1.0), told)


def _explanation() -> None:
    """Show in four steps what happens to a photograph, with pictures as soon as there are any."""
    steps = (
        (tr("Keypoints"), words.TERMS["keypoint"], _keypoints),
        (tr("Words"), words.TERMS["word"], _patches),
        (tr("Histogram"), ADDING_UP, _histogram),
        (tr("Neighbours"), NEIGHBOURS, _neighbours),
    )
    for number, (column, (title, text, picture)) in enumerate(zip(st.columns(4), steps), 1):
        with column, st.container(border=True):
            st.markdown(f"**{number}. {title}**")
            try:
                shown = picture()
            except (EngineError, OSError):
                shown = None
            if shown is not None:
                alt = tr("{title}, from the demo's own pictures", title=title)
                st.image(shown, width="stretch", alt=alt)
            st.write(tr(text))


def _picture(name: str) -> Path:
    return demo.demo_folder() / "pictures" / name


@st.cache_resource(max_entries=1, show_spinner=False)
def _example() -> tuple[images.Image, surf.Features]:
    image = images.read(_picture(EXAMPLE))
    return image, features.extract(image.gray, demo.build_params().extraction)


def _keypoints() -> NDArray[np.uint8] | None:
    if not _picture(EXAMPLE).exists():
        return None
    image, found = _example()
    few = slice(None, 150)
    return draw.keypoints(image.rgb, found.xy[few], found.size[few], found.angle[few])


def _patches() -> NDArray[np.uint8] | None:
    if not _picture(EXAMPLE).exists():
        return None
    image, found = _example()
    kept = slice(4, 124, 10)
    cut = patches.cut(image.rgb, found.xy[kept], found.size[kept], found.angle[kept], 80)
    rows = [np.concatenate(list(cut[i : i + 4]), axis=1) for i in (0, 4, 8)]
    return np.concatenate(rows, axis=0)


def _histogram() -> NDArray[np.uint8] | None:
    """Draw the example's histogram, once the demo's words are learned."""
    learned = build.work_folder(demo.NAME) / build.CODEBOOK
    if not (learned / artifacts.MANIFEST).exists():
        return None
    vocabulary = codebook.read_codebook(learned, "python -m engine demo")
    _, found = _example()
    bag = encode.bag_of_words(
        lookup.assign(found.descriptors, vocabulary.centres), vocabulary.n_words
    )
    return draw.bars(bag.distances, SIDE, SIDE * 3 // 4)


def _neighbours() -> NDArray[np.uint8] | None:
    paths = [_picture(name) for name in ALIKE]
    if not all(path.exists() for path in paths):
        return None
    tiles = []
    for path in paths:
        small = images.shrink(images.read(path).rgb, SIDE // 2)
        tile = np.full((SIDE * 3 // 8, SIDE // 2, 3), 128, np.uint8)
        height, width = min(len(small), len(tile)), min(small.shape[1], tile.shape[1])
        top, left = (len(tile) - height) // 2, (tile.shape[1] - width) // 2
        tile[top : top + height, left : left + width] = small[:height, :width]
        tiles.append(tile)
    return np.concatenate([np.concatenate(tiles[:2], 1), np.concatenate(tiles[2:], 1)], 0)
