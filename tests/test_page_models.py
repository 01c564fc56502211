"""The page Models: what is installed, downloads, vectors of a collection; empty, full, failing."""

import errno
import hashlib
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from engine import build, download, embed, index, installing, methods, model_store, upkeep
from engine.models import DECLARED, OBJECT, VALUES, Declared, Download, Model
from tests import keras_file
from tests.conftest import tiny_params
from tests.pages_under_test import component, sentences, visit, well
from tests.server import Server, serving
from tests.test_embed import add_model
from tests.test_models import declare as declare_vgg
from tests.test_models import tiny_model
from ui import jobs
from ui.jobs import Job, Jobs
from ui.models import own, told, work

pytestmark = pytest.mark.usefixtures("fresh_caches", "no_build")
FILE, NAME = "little.onnx", "little"
VGG = DECLARED["vgg16-fc1"]


@pytest.fixture(autouse=True)
def no_jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made = Jobs()
    monkeypatch.setattr(jobs, "JOBS", made)
    yield
    made.stop()


@pytest.fixture
def place(scratch: Path, tmp_path: Path) -> Path:
    add_model(tmp_path)
    return scratch


@pytest.fixture
def server(scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server with the file of one declared model, and no other model declared."""
    monkeypatch.setattr(download, "_pause", lambda _failures: 0.0)
    monkeypatch.setattr(download, "_PIECE", 64)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    data = tiny_model(tmp_path / FILE).read_bytes()
    with serving({FILE: data}) as running:
        declare(monkeypatch, f"{running.url}/{FILE}", data)
        yield running


def declare(monkeypatch: pytest.MonkeyPatch, url: str, data: bytes) -> None:
    model = Model(
        NAME,
        "A little network",
        OBJECT,
        "picture",
        height=16,
        width=16,
        output="vector",
        licence="MIT",
        source="made here",
    )
    told = Download((url,), hashlib.md5(data).hexdigest(), len(data))
    for name in list(DECLARED):
        monkeypatch.delitem(DECLARED, name)
    monkeypatch.setitem(DECLARED, NAME, Declared(model, told))


class Held:
    """Lets a job go until it tells that so much is done, and then waits until it may go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, n_done: int) -> None:
        self.reached, self.may_go_on = threading.Event(), threading.Event()
        real = Job.tell

        def tell(job: Job, done: int, total: int) -> None:
            if done >= n_done and total:
                job.n_done, job.n_total = done, total
                self.reached.set()
                assert self.may_go_on.wait(30)
            real(job, done, total)

        monkeypatch.setattr(Job, "tell", tell)


def buttons(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def click(at: AppTest, label: str) -> AppTest:
    (button,) = [one for one in at.button if one.label == label]
    return button.click().run()


def finished(at: AppTest) -> AppTest:
    """Wait until nothing is under way, and show the page as it is then."""
    end = time.monotonic() + 60
    while any(one.active for lane in (jobs.DOWNLOADS, jobs.VECTORS) for one in jobs.JOBS.of(lane)):
        assert time.monotonic() < end
        time.sleep(0.01)
    return at.run()


def texts(at: AppTest, key: str) -> list[list[str]]:
    return [[cell["text"] for cell in row["cells"]] for row in component(at, key)["rows"]]


def links(at: AppTest) -> dict[str, str]:
    return {one.label: one.proto.query_string for one in at.get("page_link")}


# What there is


def test_without_a_model_the_page_says_which_can_be_had(tiny: index.Index) -> None:
    at = well(visit("models"))
    text = sentences(at)
    assert "No model is installed yet." in text and "Once a model is installed" in text
    assert "Finds the same kind of picture · 553 MB to download · CC BY 4.0 · not tried" in text
    assert "size not known · Apache-2.0" in text
    assert buttons(at).count("Download") == len(DECLARED)
    assert any("models get NAME --from FILE" in str(one.value) for one in at.code)


def test_what_is_installed_stands_in_a_table_and_leads_to_all_about_it(place: Path) -> None:
    at = well(visit("models"))
    n_bytes = model_store.open_model("own").n_bytes
    expected = ["own", "the same kind of picture", "12", told.size(n_bytes), "not told", "–"]
    assert texts(at, "installed") == [expected]
    (row,) = component(at, "installed")["rows"]
    assert row["cells"][0]["href"].endswith("/models?model=own")
    at = well(visit("models", model="own"))
    text = sentences(at)
    for part in (
        "**Vector**: 12 numbers",
        "**Compared by**: cosine",
        "to exactly 16 × 16 pixels; proportions are not kept (bicubic)",
        "**Channels**: red, green, blue",
        "becomes `v / 255 − 0.4`",
        "**Weights**: a file of one's own",
        "`own.onnx`",
        model_store.open_model("own").sha256,
    ):
        assert part in text, part
    assert any("embed tiny --model own" in str(one.value) for one in at.code)
    assert well(click(at, ":primary[All models]")).query_params == {}


def test_a_model_to_be_had_has_a_page_of_its_own(tiny: index.Index) -> None:
    at = well(visit("models", model="vgg16-rmac"))
    text = sentences(at)
    assert "the longer side to 512 pixels; proportions are kept" in text
    assert "R-MAC" in text and "`v − (103.939, 116.779, 123.68)`" in text
    assert "Not tried on this machine" in text
    assert "6d6bbae143d832006294945121d1f1fc" in text and "https://github.com/fchollet/" in text
    assert "Remove this model" not in buttons(at)


@pytest.mark.parametrize("name", ["nothing", "../x", "", "count", "x" * 99])
def test_names_of_no_model_are_said_or_left_out(tiny: index.Index, name: str) -> None:
    at = visit("models", model=name)
    assert not at.exception and not at.error
    assert len(at.warning) == (name in ("nothing", "count"))


def test_a_damaged_model_is_named_with_what_mends_it(place: Path) -> None:
    path = model_store.open_model("own").path
    path.write_bytes(path.read_bytes()[:-1])
    for at in (visit("models"), visit("models", model="own")):
        (warning,) = at.warning
        assert "`python -m engine models add FILE.onnx --name own`" in str(warning.value)
        assert str(place) not in str(warning.value)
        assert "no vectors; the model is damaged" in sentences(at)
        assert "Make the vectors" not in buttons(at)
    assert texts(visit("models"), "installed")[0][0] == "own"
    assert "Remove this model" in buttons(at)


def test_a_damaged_model_that_can_be_fetched_is_got_again(server: Server) -> None:
    installing.get(NAME)
    path = model_store.open_model(NAME).path
    path.write_bytes(path.read_bytes()[:-1])
    at = visit("models", model=NAME)
    assert f"`python -m engine models get {NAME}`" in str(at.warning[0].value)
    at = well(finished(click(at, "Get it again")))
    assert not at.warning and "Make the vectors" in buttons(at)
    model_store.check_file(model_store.open_model(NAME))


def test_weights_that_are_not_the_published_ones_are_told(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    installing.get(NAME, tmp_path / FILE)
    assert "the published ones; the checksum fits" in sentences(visit("models", model=NAME))
    other = tiny_model(tmp_path / "other.onnx", out=("n", 7), channels=7)
    installing.get(NAME, other, unchecked=True)
    text = sentences(well(visit("models", model=NAME)))
    assert "**not** the published ones" in text and "other.onnx, which is not the" in text
    assert "`other.onnx`" in text and "Not tried" not in text


def test_a_file_that_changed_on_disk_is_found_out_when_asked(place: Path) -> None:
    at = click(visit("models", model="own"), "Compare the file with its checksum")
    assert "as it was installed" in str(well(at).success[0].value)
    path = model_store.open_model("own").path
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    at = click(at, "Compare the file with its checksum")
    assert "checksum does not fit" in str(at.error[0].value)
    at = finished(click(visit("models"), "Make the vectors"))
    assert "checksum does not fit" in str(at.error[0].value)


# Downloads


def test_a_model_is_fetched_and_its_weights_are_told(server: Server) -> None:
    at = well(visit("models"))
    length = told.size(len(server.files[FILE]))
    notes = f"Finds the same object · {length} to download · MIT · not tried on this machine"
    assert notes in sentences(at)
    at = well(finished(click(at, "Download")))
    assert texts(at, "installed")[0][:2] == [NAME, "the same object"]
    note = component(at, "installed")["rows"][0]["cells"][0]["note"]
    assert note == "A little network · not tried on this machine"
    text = sentences(well(visit("models", model=NAME)))
    assert "the published ones; the checksum fits" in text
    assert f"{server.url}/{FILE}" in text
    at = click(visit("models", model=NAME), "Delete what was fetched")
    assert model_store.download_bytes(NAME) == 0 and "Delete what was fetched" not in buttons(at)


def test_a_download_is_seen_by_all_stopped_by_another_and_goes_on_where_it_was(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, length = Held(monkeypatch, 640), told.size(len(server.files[FILE]))
    first = click(well(visit("models")), "Download")
    assert held.reached.wait(30)
    second = visit("models", model=NAME)
    for at in (first.run(), second):
        assert "Stop" in buttons(well(at)) and "Download" not in buttons(at)
        (bar,) = at.get("progress")
        assert bar.proto.text.startswith(f"Downloading {NAME}: 0.6 kB of {length}, ")
    second = click(second, "Stop")
    assert "Stopping: " in str(second.get("progress")[0].proto.text)
    held.may_go_on.set()
    first = finished(first)
    assert f"0.7 kB of {length} are on disk already." in sentences(well(first))
    assert model_store.list_models() == []
    finished(click(first, "Go on with the download"))
    assert server.asked[-1][1] == "bytes=640-"
    assert model_store.list_models() == [NAME]


@pytest.mark.parametrize(
    ("language", "downloading", "converting"),
    [("en", "Downloading vgg16-fc1: ", "Converting vgg16-fc1: "),
     ("zh", "正在下载 vgg16-fc1：", "正在转换 vgg16-fc1：")],
)  # fmt: skip
def test_downloading_and_converting_are_told_apart(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    language: str,
    downloading: str,
    converting: str,
) -> None:
    keras_file.write(tmp_path / "vgg.h5", keras_file.weights())
    data = server.files["vgg.h5"] = (tmp_path / "vgg.h5").read_bytes()
    monkeypatch.setattr(download, "_PIECE", 10_000)
    monkeypatch.setitem(DECLARED, "vgg16-fc1", VGG)
    declare_vgg(monkeypatch, data, f"{server.url}/vgg.h5")
    said: list[str] = []
    real = Job.tell

    def tell(job: Job, done: int, total: int) -> None:
        real(job, done, total)
        if total:
            said.append(work.getting(job))

    monkeypatch.setattr(Job, "tell", tell)
    at = visit("models", lang=language, model="vgg16-fc1")
    finished(at.button(key="get-vgg16-fc1").click().run())
    assert said[0].startswith(downloading) and said[-1].startswith(converting)
    assert model_store.list_models() == ["vgg16-fc1"]


def test_what_has_come_of_a_download_can_be_thrown_away(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.break_after = [300, 0, 0, 0, 0, 0]
    at = finished(click(well(visit("models")), "Download"))
    assert "broke off" in str(at.error[0].value)
    at = click(at, "Throw away what has come")
    assert not model_store.download_folder(NAME).exists()
    at = click(at, "Dismiss")
    assert "Download" in buttons(well(at)) and "Dismiss" not in buttons(at)
    server.break_after = []
    well(finished(click(at, "Download")))
    assert server.asked[-1][1] is None


def test_why_a_download_failed_is_said_without_paths(
    server: Server, monkeypatch: pytest.MonkeyPatch, scratch: Path
) -> None:
    data = server.files[FILE]

    class Full:
        free = 1_000

    def failed() -> str:
        at = finished(click(visit("models"), "Download"))
        assert not at.exception and len(at.error) == 1
        text = str(at.error[0].value).replace("\\", "")
        assert str(scratch) not in text and "Traceback" not in text
        assert model_store.list_models() == []
        return text

    server.files[FILE] = bytes(len(data))
    assert "another checksum (MD5)" in failed()
    server.files[FILE] = b"<html>sign in</html>"
    assert "sign in" in failed()
    del server.files[FILE]
    assert "404" in failed()
    server.files[FILE] = data
    with monkeypatch.context() as patch:
        patch.setattr(download.shutil, "disk_usage", lambda _folder: Full)
        assert "Free some space" in failed()
    declare(monkeypatch, f"http://127.0.0.1:9/{FILE}", data)
    assert "Check the network connection" in failed()


def test_a_fault_of_ours_stays_in_the_log(
    server: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the server")

    monkeypatch.setattr(installing, "get", fail)
    at = finished(click(visit("models"), "Download"))
    assert "log says why" in str(at.error[0].value)
    assert "a secret of the server" in caplog.text


def test_a_download_does_not_wait_for_vectors(server: Server, tmp_path: Path) -> None:
    go = threading.Event()
    jobs.JOBS.start("long", lambda _: go.wait(30), jobs.EVALUATIONS)
    jobs.JOBS.start(work.Embedding("tiny", "other"), lambda _: go.wait(30), jobs.VECTORS)
    at = click(visit("models"), "Download")
    ended = jobs.JOBS.get(work.Getting(NAME))
    end = time.monotonic() + 30
    while ended.active and time.monotonic() < end:
        time.sleep(0.01)
    assert model_store.list_models() == [NAME]
    go.set()
    well(at.run())


# Vectors


def test_vectors_are_made_and_lead_to_the_search(place: Path) -> None:
    before, search = well(visit("models")), well(visit("search", query="image-0"))
    at = well(finished(click(before, "Make the vectors")))
    assert methods.embedded(index.open_index("tiny").parts) == ["own"]
    assert "**own**: 13 pictures have a vector of 12 numbers." in sentences(at)
    assert links(at)["Search by own"] == "method=own"
    assert texts(at, "installed")[0][-1] == "tiny"
    assert "Make the vectors" not in buttons(at)
    well(search.run())
    well(visit("search", query="image-0", method="own"))
    at = well(visit("models", model="own"))
    assert texts(at, "holders") == [["tiny", "own", "13", "0", "12"]]


def test_each_collection_has_vectors_of_its_own(place: Path) -> None:
    shutil.copytree(place / "indexes" / "tiny", place / "indexes" / "twin")
    embed.make_embeddings("tiny", "own")
    at = well(visit("models", collection="tiny"))
    assert "13 pictures have a vector" in sentences(at)
    at.selectbox(key="choose-collection").set_value("twin").run()
    assert well(at).query_params == {"collection": "twin"}
    assert "**own**: no vectors yet." in sentences(at)
    at = well(visit("models", collection="twin", model="own"))
    (row,) = component(at, "holders")["rows"]
    assert row["cells"][0]["href"].endswith("/models?collection=tiny&model=own")


def test_vectors_are_stopped_and_gone_on_with_by_someone_else(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embed, "AT_ONCE", 4)
    held = Held(monkeypatch, 8)
    first = click(visit("models"), "Make the vectors")
    assert held.reached.wait(30)
    second = well(visit("models", model="own"))
    assert "8 of 13 pictures" in str(second.get("progress")[0].proto.text)
    assert "It cannot be removed now" in sentences(second)
    click(first.run(), "Stop")
    held.may_go_on.set()
    second = well(finished(second))
    assert "**own**: 8 pictures are done; it goes on from there." in sentences(second)
    assert methods.embedded(index.open_index("tiny").parts) == []
    read: list[int] = []
    real = embed._picture
    monkeypatch.setattr(embed, "_picture", lambda *of: (read.append(of[1]), real(*of))[1])
    at = well(finished(click(second, "Go on")))
    assert sorted(read) == list(range(8, 13))
    assert "13 pictures have a vector" in sentences(at)


def test_pictures_without_a_vector_are_listed_and_made_anew(
    place: Path, folder: Path, tmp_path: Path
) -> None:
    pictures = tmp_path / "pictures"
    shutil.copytree(folder, pictures)
    build.build(pictures, "tiny", tiny_params(), n_workers=1, overwrite=True)
    (pictures / "coffee.jpg").rename(tmp_path / "away.jpg")
    at = well(finished(click(visit("models"), "Make the vectors")))
    text = sentences(at)
    assert "**own**: 12 pictures have a vector" in text and "- coffee.jpg: " in text
    assert str(tmp_path) not in text
    assert [one.label for one in at.expander] == ["1 picture has no vector"]
    (tmp_path / "away.jpg").rename(pictures / "coffee.jpg")
    at = well(finished(click(at, "Make them anew")))
    assert "13 pictures have a vector" in sentences(at) and not at.expander


def test_vectors_of_another_model_of_the_name_are_made_anew(place: Path, tmp_path: Path) -> None:
    embed.make_embeddings("tiny", "own")
    add_model(tmp_path, divisor=127.5)
    at = visit("models")
    assert "another model of this name" in str(at.warning[0].value)
    at = well(finished(click(at, "Make them anew")))
    assert not at.warning


def test_why_vectors_cannot_be_made_is_said(place: Path) -> None:
    with upkeep.making("tiny", "embeddings"):
        at = finished(click(visit("models"), "Make the vectors"))
    assert "is being written by" in str(at.error[0].value)
    at = click(at, "Dismiss")
    well(finished(click(well(at), "Make the vectors")))


# Removing


def test_removing_says_what_goes_and_what_stays(place: Path) -> None:
    embed.make_embeddings("tiny", "own")
    at = click(visit("models", model="own"), "Remove this model")
    text = sentences(at)
    assert "**Lost** for everyone: its weights, 2." in text
    assert "**Stays**: the vectors of tiny." in text
    assert model_store.list_models() == ["own"], "nothing is deleted yet"
    at = click(at, "Keep it")
    at = click(click(at, "Remove this model"), "Delete it for good")
    assert model_store.list_models() == [] and at.query_params == {}
    assert "Removed: the model own." in str(well(at).success[0].value)
    text = sentences(well(visit("models")))
    assert "13 pictures have a vector" in text and "The model is not installed" in text
    at = visit("models", model="own")
    assert "not installed" in str(at.warning[0].value)
    assert texts(at, "holders") == [["tiny", "own", "13", "0", "12"]]


def test_a_model_that_someone_else_removed_meanwhile(place: Path) -> None:
    at = click(visit("models", model="own"), "Remove this model")
    model_store.remove("own")
    at = click(at, "Delete it for good")
    assert any("someone else removed it" in str(one.value) for one in at.warning)


# A file of one's own


def drop(at: AppTest, path: Path) -> AppTest:
    (place,) = at.file_uploader
    return place.set_value((path.name, path.read_bytes(), "application/octet-stream")).run()


def test_a_file_of_ones_own_is_dropped_named_and_used(scratch: Path, tmp_path: Path) -> None:
    at = drop(well(visit("models")), tiny_model(tmp_path / "My net (2).onnx"))
    assert well(at).text_input(key="own-name").value == "my-net-2"
    at.selectbox(key="own-values").set_value("signed")
    at.selectbox(key="own-good").set_value(OBJECT)
    at = well(click(at, "Add this model"))
    assert at.query_params == {"model": "my-net-2"}
    installed = model_store.open_model("my-net-2")
    assert (installed.model.divisor, installed.model.good_at) == (127.5, OBJECT)
    assert installed.origin["file"] == "My-net-2-.onnx"
    well(finished(click(at, "Make the vectors")))
    assert methods.embedded(index.open_index("tiny").parts) == ["my-net-2"]
    assert not well(visit("models")).text_input, "the file is taken: its fields are gone"


def test_a_file_that_cannot_be_used_says_why_and_what_is_asked_for(
    place: Path, tmp_path: Path
) -> None:
    at = drop(visit("models"), tiny_model(tmp_path / "new.onnx", shape=("n", 3, "h", "w")))

    def refused(expected: str, name: str = "new") -> AppTest:
        at.text_input(key="own-name").set_value(name)
        click(at, "Add this model")
        assert not at.exception and at.query_params == {}
        (error,) = at.error
        text = str(error.value).replace("\\", "")
        assert expected in text and str(tmp_path) not in text and "/tmp" not in text
        assert model_store.list_models() == ["own"]
        return at

    refused("by --size 224")
    assert "“What the file may not say”" in sentences(at)
    refused("already", "own")
    refused("is the name of a method", "count")
    refused("cannot be the name of a model", "../x")
    refused("to be downloaded", "vgg16-fc1")
    at.number_input(key="own-size").set_value(24)
    at.text_input(key="own-output").set_value("nothing")
    refused("no output 'nothing'")
    broken = tmp_path / "broken.onnx"
    broken.write_text("<html>not found</html>")
    assert not drop(at, broken).error, "what was wrong with the other is not said of this one"
    refused("no ONNX model", "new")


def test_a_dropped_file_that_a_full_disk_cannot_hold(
    scratch: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = drop(visit("models"), tiny_model(tmp_path / "new.onnx"))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/secret/place")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        at = click(at, "Add this model")
    (error,) = at.error
    assert "No space left on device" in str(error.value) and "secret" not in str(error.value)


def test_all_values_that_a_command_knows_can_be_chosen() -> None:
    assert set(own.VALUES) == set(VALUES)
