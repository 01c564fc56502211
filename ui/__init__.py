"""The app: what pages share. Streamlit lives here and in pages/, never in engine/."""
