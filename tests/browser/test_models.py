"""The page Models in a browser: a model is fetched, run over the collection, and searched by."""

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.server import serving as files_served
from tests.test_models import tiny_model

from .conftest import ROOT, Visitor, serving
from .test_accessibility import faults

pytestmark = pytest.mark.browser

# The server runs in a process of its own: there, this declares one model, which lies nearby.
DECLARE = """
import sys
sys.path.insert(0, {root!r})
from engine import models
models.DECLARED.clear()
models.DECLARED["little"] = models.Declared(
    models.Model("little", "A little network", input="picture", height=16, width=16,
                 output="vector", licence="MIT", source="made here"),
    models.Download(({url!r},), {md5!r}, {n_bytes}),
)
"""


def test_a_model_is_fetched_run_and_searched_by(
    built: Path,
    tmp_path: Path,
    visitors: Callable[..., Visitor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place, patches = tmp_path / "artifacts", tmp_path / "patches"
    shutil.copytree(built, place)
    patches.mkdir()
    data = tiny_model(tmp_path / "little.onnx").read_bytes()
    own = tiny_model(tmp_path / "Own net.onnx", out=("n", 7), channels=7)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("PYTHONPATH", str(patches))
    with files_served({"little.onnx": data}) as near:
        md5, url = hashlib.md5(data).hexdigest(), f"{near.url}/little.onnx"
        text = DECLARE.format(root=str(ROOT), url=url, md5=md5, n_bytes=len(data))
        (patches / "sitecustomize.py").write_text(text)
        with serving(place, tmp_path / "log.txt") as running:
            visitor = visitors(running, reduced_motion="reduce")
            page = visitor.open("/models?query=image-0")
            expect(page.get_by_text("No model is installed yet.")).to_be_visible()
            page.get_by_role("button", name="Download").click()
            page.get_by_role("button", name="Make the vectors").click()
            page.get_by_role("link", name="Search by little").wait_for()
            page.get_by_role("link", name="little", exact=True).click()
            expect(page).to_have_url(re.compile(r"[?&]model=little"))
            expect(page.get_by_text("the published ones; the checksum fits")).to_be_visible()
            visitor.settled()
            assert faults(page) == []
            page.go_back()
            expect(page.get_by_role("heading", name="Models to download")).not_to_be_visible()
            page.get_by_role("link", name="Search by little").click()
            expect(page).to_have_url(re.compile(r"/\?query=image-0&method=little"))
            expect(page.get_by_role("list", name=re.compile("most similar of"))).to_be_visible()

            page = visitor.open("/models")
            page.locator("input[type=file]").set_input_files(own)
            page.get_by_role("button", name="Add this model").click()
            expect(page).to_have_url(re.compile(r"model=own-net"))
            expect(page.get_by_role("heading", name="own-net")).to_be_visible()
            page.get_by_role("button", name="Remove this model").click()
            page.get_by_role("button", name="Delete it for good").click()
            expect(page.get_by_text("Removed: the model own-net.")).to_be_visible()
            visitor.settled()
            assert faults(page) == []


def test_the_page_fits_a_phone(visitors: Callable[..., Visitor]) -> None:
    visitor = visitors(viewport={"width": 390, "height": 844})
    for address in ("/models", "/models?model=vgg16-fc1"):
        page = visitor.open(address)
        width = page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth")
        assert width <= 390
