"""The server. Start it with: streamlit run streamlit_app.py"""

import sys
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from ui import routes, startup  # noqa: E402

app = st.App(
    str(ROOT / "ui" / "frame.py"),
    routes=routes.all_routes(),
    middleware=routes.all_middleware(),
    lifespan=startup.lifespan,
)
