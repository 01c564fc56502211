"""Models: fetched, converted, taken from files, refused, listed, removed; and what they compute."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from engine import (
    cli,
    cnn,
    convert,
    download,
    images,
    installing,
    model_store,
    models,
    preprocess,
)
from engine.errors import CancelledError, DownloadError, ModelError
from engine.models import DECLARED, KERAS_VGG, Declared, Download
from tests import keras_file
from tests.server import serving

NAME, FILE = "vgg16-fc1", "vgg.h5"


def declare(monkeypatch, data, *urls, name=NAME):
    """Let a declared model be what `data` holds."""
    told = Download(urls, hashlib.md5(data).hexdigest(), len(data), KERAS_VGG)
    monkeypatch.setitem(DECLARED, name, Declared(DECLARED[name].model, told))


@pytest.fixture(scope="module")
def keras(tmp_path_factory):
    path = tmp_path_factory.mktemp("keras") / FILE
    made = keras_file.weights()
    keras_file.write(path, made)
    return path, made


@pytest.fixture
def server(keras, monkeypatch, empty_artifacts):
    monkeypatch.setattr(download, "_pause", lambda _failures: 0.0)
    monkeypatch.setattr(download, "_PIECE", 1000)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    data = keras[0].read_bytes()
    with serving({FILE: data}) as running:
        declare(monkeypatch, data, f"{running.url}/a/{FILE}", f"{running.url}/b/{FILE}")
        yield running


def picture(seed=0, height=90, width=140):
    rgb = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return images.Image(rgb, images.to_gray(rgb), f"{seed}", "p")


def naive_fc1(made, image):
    """The original's features, written down once more and from the start."""
    from PIL import Image as Pillow

    pixels = Pillow.fromarray(image.rgb).resize((224, 224)).convert("RGB")
    given = np.asarray(pixels).astype(np.float64)[:, :, ::-1] - [103.939, 116.779, 123.68]
    vector = keras_file.forward(made, given, "fc1")
    return vector / np.linalg.norm(vector)


# --- VGG-16 ---------------------------------------------------------------------------------


@pytest.mark.parametrize("nested", [False, True])
def test_fc1_is_what_a_naive_forward_pass_gives(tmp_path, empty_artifacts, monkeypatch, nested):
    # As many maps as take more than one piece when fc1 is turned around.
    made = keras_file.weights((2, 3, 4, 5, 50), seed=3)
    path = tmp_path / FILE
    keras_file.write(path, made, nested)
    declare(monkeypatch, path.read_bytes(), "http://nowhere/" + FILE)
    got = installing.get(NAME, path)
    assert got.n_dimensions == 8 and got.origin["published"]
    network = cnn.open_network(got)
    pictures = [picture(1), picture(2), picture(3)]
    found = network.embed(pictures)
    for vector, one in zip(found, pictures):
        assert vector == pytest.approx(naive_fc1(made, one), abs=2e-6)
    assert found[1] == pytest.approx(network.embed(pictures[1:2])[0], abs=1e-6)
    # The test would see rows in the wrong order.
    kernel, bias = made["fc1"]
    wrong = kernel.reshape(7, 7, 50, 8).transpose(2, 0, 1, 3).reshape(kernel.shape)
    other = naive_fc1({**made, "fc1": (wrong, bias)}, pictures[0])
    assert np.abs(found[0] - other).max() > 0.01
    onnx.checker.check_model(onnx.load(got.path), full_check=True)


def test_weights_in_half_the_bytes_move_vectors_little(keras, empty_artifacts, monkeypatch):
    declare(monkeypatch, keras[0].read_bytes(), "http://nowhere/" + FILE)
    whole = installing.get(NAME, keras[0])
    full, n_bytes = cnn.open_network(whole).embed([picture()])[0], whole.n_bytes
    half = installing.get(NAME, keras[0], half=True)
    assert half.n_bytes < n_bytes
    kinds = {array.data_type for array in onnx.load(half.path).graph.initializer}
    assert kinds == {TensorProto.FLOAT16}
    assert np.linalg.norm(cnn.open_network(half).embed([picture()])[0] - full) < 2e-3
    assert len(list(half.path.parent.glob("*.onnx"))) == 1, "the other is gone"
    onnx.checker.check_model(onnx.load(half.path), full_check=True)


@pytest.mark.parametrize("name", ["vgg16-gem", "vgg16-rmac"])
def test_pooled_convolutions_of_any_proportions(name, tmp_path, empty_artifacts, monkeypatch):
    from tests import naive_cnn

    made = keras_file.weights(top=False)
    path = tmp_path / FILE
    keras_file.write(path, made)
    declare(monkeypatch, path.read_bytes(), "http://nowhere/" + FILE, name=name)
    got = installing.get(name, path)
    model = got.model
    tall, wide = picture(4, 130, 70), picture(5, 64, 200)
    found = cnn.open_network(got).embed([tall, wide])
    for vector, one in zip(found, (tall, wide)):
        given = preprocess.prepare(one, model).transpose(1, 2, 0)
        maps = keras_file.forward(made, given, model.output).transpose(2, 0, 1)
        pooled = naive_cnn.gem(maps, 3) if name == "vgg16-gem" else naive_cnn.rmac(maps)
        assert vector == pytest.approx(pooled / np.linalg.norm(pooled), abs=1e-5)


def test_a_file_without_the_top_is_no_fc1(tmp_path, empty_artifacts):
    path = tmp_path / "notop.h5"
    keras_file.write(path, keras_file.weights(top=False))
    with pytest.raises(ModelError, match=r"fc1 is missing"):
        convert.convert_vgg(path, tmp_path / "x.onnx", "fc1")
    assert not list(tmp_path.glob("*.onnx")) and not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("cut", "HDF5"),
        ("text", "no HDF5"),
        ("other", "block3_conv2"),
        ("shape", "fc1"),
        ("ints", "block1_conv1"),
    ],
)
def test_what_is_no_vgg_is_refused(what, told, keras, tmp_path):
    import h5py

    path = tmp_path / FILE
    shutil.copy(keras[0], path)
    if what == "cut":
        path.write_bytes(path.read_bytes()[:5000])
    elif what == "text":
        path.write_text("not found")
    else:
        with h5py.File(path, "a") as file:
            if what == "other":
                del file["block3_conv2"]
            elif what == "ints":
                del file["block1_conv1/block1_conv1_b_1:0"]
                file["block1_conv1/block1_conv1_b_1:0"] = np.arange(2)
            else:
                del file["fc1/fc1_W_1:0"]
                file["fc1/fc1_W_1:0"] = np.zeros((50, 8), np.float32)
    with pytest.raises(ModelError, match=told):
        convert.convert_vgg(path, tmp_path / "x.onnx", "fc1")
    assert not (tmp_path / "x.onnx").exists()


# --- fetching -------------------------------------------------------------------------------


def test_fetched_converted_listed_and_tidied(server, capsys):
    told = []
    got = installing.get(NAME, progress=lambda *args: told.append(args))
    assert [name for name, _ in server.asked] == [FILE]
    assert {what for what, _, _ in told} == {f"Downloading {FILE}", f"Converting {FILE}"}
    assert all(done <= total for _, done, total in told)
    assert got.origin["url"] == f"{server.url}/a/{FILE}" and got.origin["published"]
    installing.get(NAME)
    assert len(server.asked) == 1, "what is installed is not fetched again"
    installing.get(NAME, half=True)
    assert len(server.asked) == 1, "what was fetched is converted again"
    assert model_store.download_bytes(NAME) >= len(server.files[FILE])
    assert cli.main(["models", "get", NAME, "--float16", "--tidy"]) == 0
    assert not model_store.download_folder(NAME).exists()
    assert cnn.open_network(model_store.open_model(NAME)).embed([picture()]).any()
    capsys.readouterr()
    assert cli.main(["models", "list", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)["models"]}
    assert rows[NAME]["installed"] and not rows["dinov2-small"]["installed"]


def test_a_download_that_breaks_off_goes_on(server):
    server.break_after = [4000, 5000]
    installing.get(NAME)
    assert [asked for _, asked in server.asked] == [None, "bytes=4000-", "bytes=9000-"]


def test_a_stopped_download_goes_on(server):
    def stop(_what, done, _total):
        if done >= 6000:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        installing.get(NAME, progress=stop)
    assert not model_store.list_models()
    installing.get(NAME)
    assert server.asked[1][1] == "bytes=6000-"


def test_a_download_that_nothing_comes_of_is_stopped_between_two_attempts(server, monkeypatch):
    declare(monkeypatch, server.files[FILE], "http://127.0.0.1:9/" + FILE)
    monkeypatch.setattr(download, "_pause", lambda _failures: 1000.0)
    told = []

    def stop(_what, done, _total):
        told.append(done)
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        installing.get(NAME, progress=stop)
    assert told == [0]
    assert not model_store.download_folder(NAME).exists()


def test_a_download_that_broke_off_is_stopped_while_it_waits(server, monkeypatch):
    server.break_after = [4000]
    monkeypatch.setattr(download, "_pause", lambda _failures: 1000.0)
    told = []

    def stop(_what, done, total):
        if told[-1:] == [(done, total)]:  # nothing has come since
            raise CancelledError("stopped")
        told.append((done, total))

    with pytest.raises(CancelledError):
        installing.get(NAME, progress=stop)
    assert told[-1] == (4000, len(server.files[FILE]))
    assert model_store.download_bytes(NAME) >= 4000
    installing.get(NAME)
    assert server.asked[1][1] == "bytes=4000-"


def test_wrong_bytes_are_deleted_and_the_mirror_is_asked(server):
    right = server.files[FILE]
    wrong = bytes(len(right))
    answers = [wrong, right]
    plain = server.answer

    def answer(request):
        server.files[FILE] = answers.pop(0)
        plain(request)

    server.answer = answer
    got = installing.get(NAME)
    assert got.origin["url"] == f"{server.url}/b/{FILE}"
    assert [asked for _, asked in server.asked] == [None, None]


@pytest.mark.parametrize("lie", ["longer", "shorter", "page"])
def test_lies_about_the_length_are_said_and_nothing_is_left(server, lie):
    right = server.files[FILE]
    if lie == "page":
        server.files[FILE] = b"<html>sign in</html>"
    else:
        server.told_length = len(right) + (700 if lie == "longer" else -700)
    with pytest.raises(DownloadError, match=r"instead of .*sign in"):
        installing.get(NAME)
    assert not model_store.list_models()
    assert model_store.download_bytes(NAME) == 0


def test_always_wrong_bytes_are_said_and_nothing_is_left(server):
    server.files[FILE] = bytes(len(server.files[FILE]))
    with pytest.raises(DownloadError, match=r"another checksum \(MD5\).*another checksum"):
        installing.get(NAME)
    assert not [p for p in model_store.download_folder(NAME).glob("*") if p.name != "lock"]


def test_no_network_and_no_such_file_are_said(server, monkeypatch):
    data = server.files.pop(FILE)
    with pytest.raises(DownloadError, match=r"404.*404"):
        installing.get(NAME)
    declare(monkeypatch, data, "http://127.0.0.1:9/" + FILE)
    with pytest.raises(DownloadError, match=r"cannot reach .*Check the network"):
        installing.get(NAME)
    assert cli.main(["models", "get", NAME]) == 1


def test_a_damaged_download_is_fetched_again(server):
    installing.get(NAME)
    kept = model_store.download_folder(NAME) / FILE
    kept.write_bytes(kept.read_bytes()[:-9])
    installing.get(NAME, half=True)
    assert len(server.asked) == 2


def test_a_damaged_model_is_got_again(server):
    path = installing.get(NAME).path
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    model_store.check_file(installing.get(NAME))
    assert len(server.asked) == 1, "from what was fetched"


# --- files of one's own ---------------------------------------------------------------------


def test_another_checksum_is_refused_unless_that_is_meant(keras, empty_artifacts, capsys):
    argv = ["models", "get", NAME, "--from", str(keras[0])]
    assert cli.main(argv) == 1
    assert "its MD5 is" in (told := capsys.readouterr().err) and "--unchecked" in told
    assert cli.main([*argv, "--unchecked"]) == 0
    assert "not the published file" in capsys.readouterr().out
    assert keras[0].exists() and not model_store.download_folder(NAME).exists()
    assert cli.main(["models", "get", NAME, "--from", "nowhere.h5"]) == 1


def tiny_model(
    path,
    shape=("n", 3, 16, 16),
    out=("n", 5),
    given=TensorProto.FLOAT,
    kind=TensorProto.FLOAT,
    outputs=1,
    channels=5,
):
    """Write a small network: a convolution, its mean, and further outputs of it."""
    random = np.random.default_rng(0)
    kernel = random.standard_normal((channels, 3, 3, 3)).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["picture"], ["numbers"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["numbers", "kernel"], ["maps"], pads=[1, 1, 1, 1]),
        helper.make_node("GlobalAveragePool", ["maps"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("Cast", ["flat"], ["vector"], to=kind),
        helper.make_node("Identity", ["vector"], ["again"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("picture", given, shape)],
        [helper.make_tensor_value_info(name, kind, out) for name in ("vector", "again")[:outputs]],
        [numpy_helper.from_array(kernel, "kernel")],
    )
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


@pytest.fixture
def own(tmp_path):
    return tiny_model(tmp_path / "own.onnx")


def test_a_model_of_ones_own(own, empty_artifacts, capsys):
    assert cli.main(["models", "add", str(own), "--name", "own", "--values", "signed"]) == 0
    capsys.readouterr()
    assert cli.main(["models", "info", "own", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["input"], told["output"], told["n_dimensions"]) == ("picture", "vector", 5)
    assert (told["height"], told["divisor"], told["pooling"]) == (16, 127.5, "none")
    installed = model_store.open_model("own")
    image = picture()
    found = cnn.open_network(installed, n_threads=2).embed([image, image])
    assert np.linalg.norm(found, axis=1) == pytest.approx([1, 1])
    assert cli.main(["models", "remove", "own"]) == 0
    assert model_store.list_models() == []
    assert cli.main(["models", "remove", "own"]) == 1
    assert cli.main(["models", "info", "own"]) == 1


@pytest.mark.parametrize(
    ("changes", "argv", "told"),
    [
        ({"shape": ("n", 16, 16, 4)}, [], "no image model"),
        ({"given": TensorProto.UINT8}, [], "no picture in float numbers"),
        ({"kind": TensorProto.INT64}, [], "gives vector .* no vector, maps or tokens"),
        ({"shape": (4, 3, 16, 16)}, [], "4 pictures at a time"),
        ({"shape": ("n", 3, "h", "w")}, [], "--size 224"),
        ({}, ["--size", "32"], "leave out --size"),
        ({"outputs": 2}, [], "several outputs. Choose one by --output: vector .*again"),
        ({}, ["--output", "other"], "no output 'other'"),
        ({"channels": 1, "out": ("n", 1)}, [], "a single number"),
    ],
)
def test_models_that_cannot_be_used_say_why(changes, argv, told, tmp_path, empty_artifacts, capsys):
    path = tiny_model(tmp_path / "own.onnx", **changes)
    assert cli.main(["models", "add", str(path), "--name", "own", *argv]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.search(told, captured.err), captured.err
    assert model_store.list_models() == []


@pytest.mark.parametrize("inputs", [("words",), ("words", "mask")])
def test_a_model_of_text_is_refused(inputs, tmp_path, empty_artifacts):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Add", [inputs[0], inputs[-1]], ["vector"])],
        "text",
        [value(name, TensorProto.FLOAT, ("n", 4)) for name in inputs],
        [value("vector", TensorProto.FLOAT, ("n", 4))],
    )
    path = tmp_path / "text.onnx"
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    with pytest.raises(ModelError, match=r"no image model|takes 2 inputs"):
        installing.propose(path, "text")


def test_sizes_left_open_can_be_told(tmp_path, empty_artifacts):
    path = tiny_model(tmp_path / "own.onnx", shape=("n", 3, "h", "w"))
    argv = ["models", "add", str(path), "--name", "own", "--size", "24", "--resize", "crop"]
    assert cli.main(argv) == 0
    model = model_store.open_model("own").model
    assert (model.height, model.width, model.shorter) == (24, 24, 27)


def test_channels_last(tmp_path, empty_artifacts):
    kernel = np.random.default_rng(1).standard_normal((3, 5)).astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["picture", "kernel"], ["maps"]),
            helper.make_node("ReduceMean", ["maps"], ["vector"], axes=[1, 2], keepdims=0),
        ],
        "tiny",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, (1, 8, 8, 3))],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, (1, 5))],
        [numpy_helper.from_array(kernel, "kernel")],
    )
    path = tmp_path / "own.onnx"
    opset = [helper.make_opsetid("", 13)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    model = installing.propose(path, "own", divisor=255.0)
    assert model.layout == "nhwc"
    network = cnn.open_network(installing.add(path, model))
    assert not network.takes_batches
    one, two = picture(1), picture(2)
    found = network.embed([one, two])
    for vector, image in zip(found, (one, two)):
        small = preprocess.resize(image.rgb, model).astype(np.float64) / 255
        expected = small.mean(axis=(0, 1)) @ kernel
        assert vector == pytest.approx(expected / np.linalg.norm(expected), abs=1e-5)


@pytest.mark.parametrize("what", ["empty", "text", "cut", "zeros", "noise", "external", "missing"])
def test_damaged_files_are_refused(what, own, tmp_path, empty_artifacts, capsys):
    data = own.read_bytes()
    if what == "external":
        model = onnx.load(own)
        onnx.save(model, own, save_as_external_data=True, location="weights.bin", size_threshold=0)
    elif what == "missing":
        own.unlink()
    else:
        random = np.random.default_rng(0)
        own.write_bytes(
            {
                "empty": b"",
                "text": b"<html>not found</html>",
                "cut": data[: len(data) // 2],
                "zeros": bytes(500),
                "noise": random.bytes(500),
            }[what]
        )
    assert cli.main(["models", "add", str(own), "--name", "own"]) == 1
    told = capsys.readouterr().err
    expected = {
        "empty": "is empty",
        "external": "keeps its weights (kernel) in another file",
        "missing": "No such file",
    }
    assert expected.get(what, "no ONNX model") in told
    assert "Traceback" not in told and model_store.list_models() == []


def test_numbers_that_are_none_are_refused(own, empty_artifacts):
    model = onnx.load(own)
    kernel = np.full((5, 3, 3, 3), np.nan, np.float32)
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(kernel, "kernel"))
    onnx.save(model, own)
    with pytest.raises(ModelError, match="not finite"):
        installing.add(own, installing.propose(own, "own"))


def test_a_model_on_disk_that_was_damaged(own, empty_artifacts, capsys):
    assert cli.main(["models", "add", str(own), "--name", "own"]) == 0
    path = model_store.open_model("own").path
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    assert cli.main(["models", "info", "own"]) == 1
    assert "checksum does not fit" in capsys.readouterr().err
    path.write_bytes(bytes(data[:-1]))
    with pytest.raises(ModelError, match=r"another length.*models add FILE.onnx --name own"):
        model_store.open_model("own")
    assert cli.main(["models", "list"]) == 0
    assert "damaged" in capsys.readouterr().out


def test_names_that_are_taken(own, empty_artifacts, capsys):
    assert cli.main(["models", "add", str(own), "--name", NAME]) == 1
    assert "can be fetched" in capsys.readouterr().err
    assert cli.main(["models", "get", "dreams"]) == 1
    assert "there is no model 'dreams'" in capsys.readouterr().err
    for argv in (["get", "../x"], ["add", str(own), "--name", "count"]):
        with pytest.raises(SystemExit):
            cli.main(["models", *argv])
    assert not Path(models.__file__).parent.joinpath("x").exists()


def test_shared_mobilenet(empty_artifacts):
    path = Path(__file__).resolve().parents[2] / "shared/models/mobilenet_v2_1.0_224.onnx"
    if not path.is_file():
        pytest.skip("../shared/models is not here")
    model = installing.propose(path, "mobilenet-v2", output="features", divisor=127.5)
    assert (model.height, model.pooling) == (224, "none")
    assert installing.add(path, model).n_dimensions == 1280


def test_a_model_that_is_being_fetched_is_not_removed(empty_artifacts):
    folder = model_store.download_folder("vgg16-gem")
    folder.mkdir(parents=True)
    (folder / "half.h5.part").write_bytes(b"x")
    with (
        download.lock(folder / "lock"),
        pytest.raises(DownloadError, match="is installing the model 'vgg16-gem'"),
    ):
        installing.remove("vgg16-gem")
    assert (folder / "half.h5.part").exists()
    assert installing.remove("vgg16-gem") >= 1
    assert not folder.exists()


def test_weights_that_nobody_published_are_not_taken_for_those_that_were(server, tmp_path):
    path = tmp_path / "mine.h5"
    keras_file.write(path, keras_file.weights(seed=9))
    mine = installing.get(NAME, path, unchecked=True)
    assert not mine.origin["published"]
    fetched = installing.get(NAME)
    assert fetched.origin["published"] and fetched.sha256 != mine.sha256
    assert installing.get(NAME).sha256 == fetched.sha256
    assert cli.main(["models", "get", NAME, "--unchecked"]) == 1


def test_what_one_address_began_wrongly_another_one_gives_whole(server):
    right = server.files[FILE]
    bad = b"\0" * len(right)
    plain = server.answer

    def answer(request):
        server.files[FILE] = bad if request.path.startswith("/a/") else right
        server.break_after = [5000] if request.path.startswith("/a/") else []
        plain(request)

    server.answer = answer
    got = installing.get(NAME)
    assert got.origin["url"] == f"{server.url}/b/{FILE}"
    assert [asked for _, asked in server.asked][-2:] != [None, None], "it was continued at first"
    assert server.asked[-1][1] is None, "and then asked for whole"


def test_a_part_that_was_whole_is_not_thrown_away(server, tmp_path):
    right = server.files[FILE]
    plain = server.answer

    def answer(request):
        asked = request.headers.get("Range")
        if asked == f"bytes={len(right)}-":
            server.asked.append((FILE, asked))
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(right)}")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        plain(request)

    server.answer = answer
    folder = model_store.download_folder(NAME)
    folder.mkdir(parents=True)
    (folder / f"{FILE}.part").write_bytes(right)
    (folder / f"{FILE}.part.json").write_text('{"mark": ""}')
    assert installing.get(NAME).origin["published"]
    assert [asked for _, asked in server.asked] == [f"bytes={len(right)}-"]


def test_a_page_instead_of_a_model_without_checksum_is_deleted(server, own, monkeypatch):
    told = Download((f"{server.url}/own.onnx",))
    model = installing.propose(own, "free")
    monkeypatch.setitem(DECLARED, "free", Declared(model, told))
    server.files["own.onnx"] = b"<html>sign in</html>"
    with pytest.raises(ModelError, match="is no ONNX model"):
        installing.get("free")
    assert model_store.download_bytes("free") == 0
    server.files["own.onnx"] = own.read_bytes()
    assert installing.get("free").n_dimensions > 1


def test_a_download_of_unknown_length_has_an_end(server, own, monkeypatch):
    told = Download((f"{server.url}/{FILE}",))
    monkeypatch.setitem(DECLARED, "free", Declared(installing.propose(own, "free"), told))
    monkeypatch.setattr(download, "_MOST_UNKNOWN", 4000)
    with pytest.raises(DownloadError, match="the server sends more than"):
        installing.get("free")
    assert model_store.download_bytes("free") == 0


def test_weights_that_two_models_share_are_held(keras, empty_artifacts, monkeypatch):
    data = keras[0].read_bytes()
    for name in ("vgg16-gem", "vgg16-rmac"):
        declare(monkeypatch, data, f"http://nowhere/{FILE}", name=name)
    folder = model_store.download_folder("vgg16-gem")
    folder.mkdir(parents=True)
    (folder / FILE).write_bytes(data)
    (folder / ".converted.onnx.99.tmp").write_bytes(b"left by a killed process")
    assert model_store.download_bytes("vgg16-gem") == len(data)
    with (
        download.lock(folder / "lock"),
        pytest.raises(DownloadError, match="is installing the model"),
    ):
        installing.get("vgg16-rmac")
    assert installing.get("vgg16-rmac").n_dimensions > 1
    assert installing.get("vgg16-gem").n_dimensions > 1
    assert not list(folder.glob(".*.tmp"))
