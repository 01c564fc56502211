"""A file of one's own: on the server by a command, or a small one dropped here."""

import streamlit as st

from engine.language import tr


def show() -> None:
    """Show how a file that is there already becomes a model."""
    st.subheader(tr("A file that you have"), anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(
            tr("The published file of a model above, fetched by other means; it is only read:")
        )
        st.code("python -m engine models get NAME --from FILE", language=None, wrap_lines=True)
        st.markdown(
            tr("Any network as ONNX that takes one picture; `models add --help` tells more:")
        )
        command = "python -m engine models add FILE.onnx --name NAME"
        st.code(command, language=None, wrap_lines=True)
    with right:
        st.empty()
