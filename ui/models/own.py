"""A file of one's own: on the server by a command, or a small one dropped here."""

import re
import tempfile
from pathlib import Path
from typing import Any

import streamlit as st

from engine import methods, model_store, model_trial, models
from engine.errors import EngineError, ModelError, reason
from engine.language import mark, tr
from ui.dropzone import dropzone
from ui.models import told, view

VALUES = {
    "imagenet": mark("ImageNet's mean and spread (torchvision, timm)"),
    "signed": mark("−1 to 1 (Keras's MobileNet, Inception)"),
    "unsigned": mark("0 to 1"),
    "bytes": mark("0 to 255"),
    "caffe": mark("0 to 255 less a mean (Caffe, Keras's VGG)"),
}
RESIZES = {
    "squash": mark("To exactly its size; proportions are not kept"),
    "crop": mark("The shorter side, then the middle is cut out"),
    "longest": mark("The longer side; proportions are kept"),
}
CHANNELS = {"rgb": mark("red, green, blue"), "bgr": mark("blue, green, red")}
POOLINGS = {
    "": mark("As the output asks for"),
    "mean": mark("Mean"),
    "max": mark("Largest value"),
    "gem": mark("Generalised mean"),
    "rmac": mark("R-MAC"),
    "cls": mark("First token"),
}
_N_FILES, _ERROR = "n-models", "own-model-error"


def show() -> None:
    """Show how a file that is there already becomes a model."""
    st.subheader(tr("A file that you have"), anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        _commands()
    with right:
        _drop()


def _commands() -> None:
    st.markdown(tr("The published file of a model above, fetched by other means; it is only read:"))
    st.code("python -m engine models get NAME --from FILE", language=None, wrap_lines=True)
    st.markdown(tr("Any network as ONNX that takes one picture; `models add --help` tells more:"))
    st.code("python -m engine models add FILE.onnx --name NAME", language=None, wrap_lines=True)


def _drop() -> None:
    """Take a small file of a visitor's own, and what it does not say itself."""
    key = f"onnx-{st.session_state.setdefault(_N_FILES, 0)}"
    note = tr("Any network that takes one picture, all in one file. Larger ones by the command.")
    dropzone(tr("Or drop a small ONNX file"), ["onnx"], key, _forget, note=note)
    file = st.session_state.get(key)
    if file is None:
        return
    _options(_name_of(file.name))
    st.button(tr("Add this model"), on_click=_add, args=(key,))
    if _ERROR in st.session_state:
        text = st.session_state[_ERROR]
        st.error(told.fault(text))
        if "--" in text:
            st.caption(
                tr(
                    "--size, --output and --pooling are the fields under “What the file may not "
                    "say”."
                )
            )


def _forget() -> None:
    st.session_state.pop(_ERROR, None)


def _name_of(file: str) -> str:
    """Return a name for a model, made of what its file is called."""
    stem = re.sub(r"\.onnx$", "", file, flags=re.IGNORECASE).lower()
    return re.sub(r"[^a-z0-9]+", "-", stem).strip("-")[:40].strip("-")


def _options(name: str) -> None:
    """Ask for what a file cannot say."""
    st.text_input(tr("Name"), name, key="own-name", help=tr("Small letters, digits and hyphens."))
    st.selectbox(
        tr("Numbers it was trained with"),
        list(VALUES),
        format_func=lambda one: tr(VALUES[one]),
        key="own-values",
        help=tr(
            "What the values of a picture become before the network sees them. A wrong choice "
            "gives vectors that find little."
        ),
    )
    st.selectbox(
        tr("Good at finding"),
        list(told.GOOD_AT),
        index=1,
        format_func=lambda one: tr(told.GOOD_AT[one]),
        key="own-good",
    )
    with st.expander(tr("What the file may not say")):
        st.number_input(
            tr("Height and width, where the file leaves them open"),
            8,
            4096,
            None,
            key="own-size",
            placeholder="224",
        )
        st.text_input(tr("Output to take, if there are several"), key="own-output")
        label = tr("How an output of maps or tokens is summed up")
        _choose(label, POOLINGS, "own-pooling")
        _choose(tr("How pictures are resized"), RESIZES, "own-resize")
        _choose(tr("Order of the channels"), CHANNELS, "own-channels")


def _choose(label: str, choices: dict[str, str], key: str) -> None:
    st.selectbox(label, list(choices), format_func=lambda one: tr(choices[one]), key=key)


def _add(key: str) -> None:
    """Install the file that was dropped, or say why it cannot be used."""
    state, file = st.session_state, st.session_state.get(key)
    _forget()
    if file is None:
        return
    divisor, mean, std = models.VALUES[state["own-values"]]
    given: dict[str, Any] = {"divisor": divisor, "mean": mean, "std": std}
    given |= {"good_at": state["own-good"], "output": state["own-output"].strip() or None}
    given |= {"pooling": state["own-pooling"] or None, "resize": state["own-resize"]}
    given |= {"channels": state["own-channels"], "resample": "bilinear"}
    name = state["own-name"].strip()
    try:
        install(file.name, file.getvalue(), name, state["own-size"], given)
    except (EngineError, ValueError) as error:
        state[_ERROR] = str(error)
        return
    except OSError as error:
        state[_ERROR] = tr("The file could not be kept: {why}", why=reason(error))
        return
    state[_N_FILES] += 1
    view.go(model=name)


def install(file: str, data: bytes, name: str, size: int | None, given: dict[str, Any]) -> None:
    """Install a file of which only name and bytes are known.

    Raises
    ------
    ModelError
        If it cannot be used so; the message says why.
    ValueError
        If the name cannot be that of a model.
    """
    models.check_name(name)
    if name in methods.METHODS:
        raise ModelError(tr("{name!r} is the name of a method: choose another", name=name))
    if name in models.DECLARED:
        raise ModelError(
            tr("{name!r} is the name of a model to be downloaded: choose another", name=name)
        )
    if name in model_store.list_models():
        raise ModelError(
            tr("there is a model {name!r} already: choose another name, or remove it", name=name)
        )
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", file.replace("\\", "/").rpartition("/")[2])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{plain[-64:].removesuffix('.onnx').lstrip('.') or name}.onnx"
        path.write_bytes(data)
        model_trial.add(path, name, size, given)
