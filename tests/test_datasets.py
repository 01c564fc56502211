import csv
import gzip
import http.server
import io
import os
import re
import socket
import tarfile
import threading

import pytest

from engine import datasets, download, unpack
from engine.errors import BuildError, DownloadError

PICTURES = {f"all_souls_{i:06d}.jpg": bytes([i]) * 5000 for i in range(8)}
LABELS = {
    "all_souls_1_query.txt": b"oxc1_all_souls_000000 136.5 34.1 648.5 955.7\n",
    "all_souls_1_good.txt": b"all_souls_000000\nall_souls_000001\n",
    "all_souls_1_ok.txt": b"all_souls_000002\nall_souls_999999\n",
    "all_souls_1_junk.txt": b"all_souls_000003\n",
    "balliol_2_query.txt": b"oxc1_all_souls_000004 1 2 3 4\n",
    "balliol_2_good.txt": b"all_souls_000005\n",
    "balliol_2_ok.txt": b"",
    "balliol_2_junk.txt": b"",
}
ROWS = [
    ["query", "relevant", "label"],
    ["all_souls_000000.jpg", "all_souls_000000.jpg", "good"],
    ["all_souls_000000.jpg", "all_souls_000001.jpg", "good"],
    ["all_souls_000000.jpg", "all_souls_000002.jpg", "ok"],
    ["all_souls_000000.jpg", "all_souls_000003.jpg", "junk"],
    ["all_souls_000004.jpg", "all_souls_000005.jpg", "good"],
]


def archive(files, member_of=tarfile.TarInfo):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for name, content in files.items():
            member = member_of(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    # No compression: the small archive then has bytes enough to break off in the middle.
    return gzip.compress(raw.getvalue(), compresslevel=0, mtime=0)


class Server:
    """Serves archives and can break off, forget ranges, or send other things."""

    def __init__(self):
        self.files = {
            "oxbuild_images-v1.tgz": archive(PICTURES),
            "gt_files_170407.tgz": archive(LABELS),
        }
        self.ranges = True
        self.etag = '"one"'
        self.break_after = []  # bytes of a body after which the next connections end
        self.statuses = []  # answered before anything else
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.answer(self)

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/data/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def answer(self, request):
        name = request.path.rpartition("/")[2]
        asked = request.headers.get("Range")
        self.asked.append((name, asked))
        if self.statuses:
            request.send_error(self.statuses.pop(0))
            return
        if name not in self.files:
            request.send_error(404)
            return
        body, start = self.files[name], 0
        same = request.headers.get("If-Range", self.etag) == self.etag
        if asked and self.ranges and same:
            start = int(re.fullmatch(r"bytes=(\d+)-", asked)[1])
            if start >= len(body):
                request.send_error(416)
                return
            request.send_response(206)
            request.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        else:
            request.send_response(200)
        request.send_header("Content-Length", str(len(body) - start))
        if self.etag:
            request.send_header("ETag", self.etag)
        request.end_headers()
        part = body[start:]
        if name.startswith("oxbuild") and self.break_after:
            part = part[: self.break_after.pop(0)]
        request.wfile.write(part)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(download, "_pause", lambda _failures: 0.0)
    monkeypatch.setattr(download, "_PIECE", 1000)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "VISWORD_OXFORD5K_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = Server()
    yield running
    running.close()


def assert_whole(folder):
    assert {p.name: p.read_bytes() for p in folder.glob("*.jpg")} == PICTURES
    with (folder / "groundtruth.csv").open(newline="") as file:
        assert list(csv.reader(file)) == ROWS
    assert sorted(p.name for p in folder.iterdir() if p.suffix != ".jpg") == [
        "groundtruth.csv",
        "oxford5k.json",
    ]


def assert_nothing_taken_for_complete(folder):
    assert not (folder / "groundtruth.csv").exists()
    assert not (folder / "oxford5k.json").exists()
    assert not list(folder.glob("*.jpg"))


# --- Oxford


def test_download_unpack_and_ground_truth(server, tmp_path):
    told = []
    folder = datasets.oxford5k(
        tmp_path / "new" / "oxford", server.url, lambda *args: told.append(args)
    )
    assert folder == tmp_path / "new" / "oxford"
    assert_whole(folder)
    whats = {what for what, _, _ in told}
    assert whats == {
        f"{verb} {name}" for verb in ("Downloading", "Unpacking") for name in server.files
    }
    for what in whats:
        of_it = [(done, total) for told_what, done, total in told if told_what == what]
        assert of_it == sorted(of_it)
        assert of_it[-1][0] == of_it[-1][1] == len(server.files[what.split()[1]])


def test_a_second_call_asks_for_nothing(server, tmp_path):
    datasets.oxford5k(tmp_path, server.url)
    n_asked = len(server.asked)
    datasets.oxford5k(tmp_path, server.url)
    assert len(server.asked) == n_asked


def test_a_lost_picture_brings_the_download_back_and_checks_its_digest(server, tmp_path):
    datasets.oxford5k(tmp_path, server.url)
    (tmp_path / "all_souls_000003.jpg").unlink()
    datasets.oxford5k(tmp_path, server.url)
    assert_whole(tmp_path)
    (tmp_path / "all_souls_000003.jpg").write_bytes(b"cut")
    server.files["oxbuild_images-v1.tgz"] = archive({**PICTURES, "extra.jpg": b"new"})
    with pytest.raises(DownloadError, match="SHA-256 differs"):
        datasets.oxford5k(tmp_path, server.url)


def test_the_address_may_come_from_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("VISWORD_OXFORD5K_URL", server.url.rstrip("/"))
    assert_whole(datasets.oxford5k(tmp_path))


def test_the_old_name_of_the_archive_is_tried(server, tmp_path):
    server.files["oxbuild_images.tgz"] = server.files.pop("oxbuild_images-v1.tgz")
    assert_whole(datasets.oxford5k(tmp_path, server.url))


def test_a_broken_off_download_goes_on_by_itself(server, tmp_path):
    server.break_after = [10_000, 7_000]
    assert_whole(datasets.oxford5k(tmp_path, server.url))
    ranges = [asked for name, asked in server.asked if name.startswith("oxbuild")]
    assert ranges == [None, "bytes=10000-", "bytes=17000-"]


def test_a_download_broken_off_for_good_goes_on_with_the_next_run(server, tmp_path):
    server.break_after = [10_000, *[0] * 20]
    with pytest.raises(DownloadError, match=r"broke off after 0 MB.*goes on where it stopped"):
        datasets.oxford5k(tmp_path, server.url)
    assert_nothing_taken_for_complete(tmp_path)
    server.break_after, server.asked = [], []
    assert_whole(datasets.oxford5k(tmp_path, server.url))
    assert server.asked == [("oxbuild_images-v1.tgz", "bytes=10000-")]


def test_a_server_without_marks_can_resume_too(server, tmp_path):
    server.etag, server.break_after = "", [10_000]
    assert_whole(datasets.oxford5k(tmp_path, server.url))
    assert server.asked[-1][1] == "bytes=10000-"


def test_a_server_without_ranges_starts_anew(server, tmp_path):
    server.ranges, server.break_after = False, [10_000]
    assert_whole(datasets.oxford5k(tmp_path, server.url))


def test_a_part_of_another_version_is_not_continued(server, tmp_path):
    server.break_after = [10_000, *[0] * 20]
    with pytest.raises(DownloadError):
        datasets.oxford5k(tmp_path, server.url)
    server.break_after, server.etag = [], '"two"'
    assert_whole(datasets.oxford5k(tmp_path, server.url))


def test_a_part_longer_than_the_file_is_dropped(server, tmp_path):
    work = tmp_path / ".oxford5k-download"
    work.mkdir()
    (work / "oxbuild_images-v1.tgz.part").write_bytes(b"x" * 10**6)
    (work / "oxbuild_images-v1.tgz.part.json").write_text('{"mark": "\\"one\\""}')
    assert_whole(datasets.oxford5k(tmp_path, server.url))


def test_a_busy_server_is_asked_again(server, tmp_path):
    server.statuses = [503]
    assert_whole(datasets.oxford5k(tmp_path, server.url))


@pytest.mark.parametrize(
    ("status", "words"), [(404, "is not there"), (410, "is not there"), (403, "answers 403")]
)
def test_a_missing_or_forbidden_archive(server, tmp_path, status, words):
    server.statuses = [status] * 3
    with pytest.raises(DownloadError, match=words):
        datasets.oxford5k(tmp_path, server.url)
    assert_nothing_taken_for_complete(tmp_path)


def test_no_network(server, tmp_path):
    url = server.url
    server.server.server_close()
    with pytest.raises(DownloadError, match=r"cannot reach .* Check the network connection"):
        datasets.oxford5k(tmp_path, url)


@pytest.mark.parametrize("url", ["no address", "ftp://127.0.0.1/", "http://"])
def test_no_address(tmp_path, url):
    with pytest.raises(DownloadError, match="is no web address"):
        datasets.oxford5k(tmp_path, url)


def test_a_sign_in_page_instead_of_the_archive(server, tmp_path):
    good = dict(server.files)
    server.files["oxbuild_images-v1.tgz"] = b"<html>Please sign in</html>"
    with pytest.raises(DownloadError, match="no gzip archive"):
        datasets.oxford5k(tmp_path, server.url)
    assert_nothing_taken_for_complete(tmp_path)
    server.files = good
    assert_whole(datasets.oxford5k(tmp_path, server.url))


def damage_middle(data):
    return data[:20_000] + bytes(b ^ 1 for b in data[20_000:20_100]) + data[20_100:]


def damage_crc(data):
    return data[:-8] + b"\x00" * 4 + data[-4:]


@pytest.mark.parametrize(
    "spoil", [damage_middle, damage_crc, lambda data: data[:-5], lambda data: data[:20_000]]
)
def test_a_damaged_archive_is_fetched_anew(server, tmp_path, spoil):
    good = dict(server.files)
    server.files["oxbuild_images-v1.tgz"] = spoil(good["oxbuild_images-v1.tgz"])
    with pytest.raises(DownloadError, match="cannot be used"):
        datasets.oxford5k(tmp_path, server.url)
    assert_nothing_taken_for_complete(tmp_path)
    server.files = good
    assert_whole(datasets.oxford5k(tmp_path, server.url))


@pytest.mark.parametrize("evil", ["../evil.jpg", "/tmp/evil.jpg", "a/../../evil.jpg"])
def test_a_member_that_would_leave_the_folder_is_refused(server, tmp_path, evil):
    server.files["oxbuild_images-v1.tgz"] = archive({**PICTURES, evil: b"evil"})
    folder = tmp_path / "deep" / "down"
    if evil.startswith("/"):
        # tarfile's filter makes absolute names relative: the file stays in the folder.
        datasets.oxford5k(folder, server.url)
        assert (folder / "evil.jpg").exists()
    else:
        with pytest.raises(DownloadError, match="cannot be used"):
            datasets.oxford5k(folder, server.url)
        assert_nothing_taken_for_complete(folder)
    outside = [p for p in tmp_path.rglob("evil*") if not p.is_relative_to(folder)]
    assert not outside
    assert not os.path.lexists("/tmp/evil.jpg")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_a_link_out_of_the_archive_is_refused(server, tmp_path, kind):
    def member_of(name):
        member = tarfile.TarInfo(name)
        if name == "link.jpg":
            member.type, member.linkname = kind, "../../../etc/passwd"
        return member

    server.files["oxbuild_images-v1.tgz"] = archive({"link.jpg": b"", **PICTURES}, member_of)
    with pytest.raises(DownloadError, match="cannot be used"):
        datasets.oxford5k(tmp_path, server.url)
    assert_nothing_taken_for_complete(tmp_path)


def test_folders_in_the_archive_are_flattened_and_other_files_left_out(server, tmp_path):
    nested = {f"oxbuild/{name}": content for name, content in PICTURES.items()}
    nested |= {"oxbuild/readme.txt": b"hello", "oxbuild/._all_souls_000000.jpg": b"mac"}
    server.files["oxbuild_images-v1.tgz"] = archive(nested)
    assert_whole(datasets.oxford5k(tmp_path, server.url))


def test_archives_that_hold_too_much_too_little_or_twice(server, tmp_path, monkeypatch):
    for spoiled, words in [
        ({"readme.txt": b""}, "holds no .jpg"),
        ({"a/x.jpg": b"", "b/x.jpg": b""}, "twice"),
    ]:
        server.files["oxbuild_images-v1.tgz"] = archive(spoiled)
        with pytest.raises(DownloadError, match=words):
            datasets.oxford5k(tmp_path, server.url)
    server.files["oxbuild_images-v1.tgz"] = archive(PICTURES)
    for limits in (unpack.Limits(3, 10**9), unpack.Limits(8, 1000)):
        monkeypatch.setattr(datasets, "_PICTURE_LIMITS", limits)
        with pytest.raises(DownloadError, match=r"more than"):
            datasets.oxford5k(tmp_path, server.url)
    assert_nothing_taken_for_complete(tmp_path)


def test_too_little_space(server, tmp_path, monkeypatch):
    class Usage:
        free = 1000

    monkeypatch.setattr(download.shutil, "disk_usage", lambda _folder: Usage)
    with pytest.raises(DownloadError, match=r"0\.0 GB free"):
        datasets.oxford5k(tmp_path, server.url)


def test_labels_laid_out_otherwise(server, tmp_path):
    for spoiled, words in [
        ({"readme.txt": b"none"}, "no queries"),
        ({"a_1_query.txt": b""}, "not laid out"),
        ({"a_1_query.txt": b"oxc1_all_souls_000000 1 2 3 4"}, "not laid out"),
        ({"a_1_query.txt": b"oxc1_unknown 1 2 3 4"}, r"lacks the query unknown\.jpg"),
    ]:
        server.files["gt_files_170407.tgz"] = archive(spoiled)
        folder = tmp_path / words[:5]
        with pytest.raises(DownloadError, match=words):
            datasets.oxford5k(folder, server.url)
        assert_nothing_taken_for_complete(folder)


def test_two_queries_of_one_picture_keep_the_better_label(server, tmp_path):
    more = {
        "other_1_query.txt": b"oxc1_all_souls_000000 1 2 3 4",
        "other_1_good.txt": b"all_souls_000002",
        "other_1_ok.txt": b"all_souls_000001",
        "other_1_junk.txt": b"",
    }
    server.files["gt_files_170407.tgz"] = archive(LABELS | more)
    datasets.oxford5k(tmp_path, server.url)
    with (tmp_path / "groundtruth.csv").open(newline="") as file:
        labels = {(q, r): label for q, r, label in csv.reader(file)}
    assert labels["all_souls_000000.jpg", "all_souls_000001.jpg"] == "good"
    assert labels["all_souls_000000.jpg", "all_souls_000002.jpg"] == "good"


def test_a_folder_with_other_things_is_left_alone(server, tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(DownloadError, match="not empty"):
        datasets.oxford5k(tmp_path, server.url)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
    assert not server.asked


def test_a_folder_that_is_a_file(server, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match="cannot write to"):
        datasets.oxford5k(tmp_path / "file", server.url)


def test_a_broken_record_is_no_record(server, tmp_path):
    datasets.oxford5k(tmp_path, server.url)
    (tmp_path / "oxford5k.json").write_text("[1, 2")
    with pytest.raises(DownloadError, match="not empty"):
        datasets.oxford5k(tmp_path, server.url)


def test_two_downloads_at_once(server, tmp_path):
    fcntl = pytest.importorskip("fcntl")
    work = tmp_path / ".oxford5k-download"
    work.mkdir()
    with (work / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(DownloadError, match="another download"):
            datasets.oxford5k(tmp_path, server.url)
    assert_whole(datasets.oxford5k(tmp_path, server.url))


# --- walk


def test_walk_lists_regular_files_in_the_order_of_their_paths(tmp_path):
    for name in ["b.jpg", "a/z.jpg", "a-b.jpg", "a/b/c.txt", "A.jpg", ".hidden.jpg", ".git/x.jpg"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link.jpg").symlink_to(tmp_path / "b.jpg")
    (tmp_path / "linked").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere")
    (tmp_path / "null").symlink_to("/dev/null")
    told = []
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "socket"))
        files = list(datasets.walk(tmp_path, lambda *args: told.append(args)))
    paths = [file.path for file in files]
    assert paths == ["A.jpg", "a-b.jpg", "a/b/c.txt", "a/z.jpg", "b.jpg", "link.jpg"]
    assert paths == sorted(paths)
    for file in files:
        status = (tmp_path / file.path).stat()
        assert (file.n_bytes, file.mtime_ns) == (status.st_size, status.st_mtime_ns)
    assert sorted(path for path, _ in told) == ["lost", "null", "pipe", "self", "socket"]
    assert list(datasets.walk(tmp_path)) == files


def test_walk_reports_what_it_cannot_read(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir()
    (tmp_path / "a.jpg").write_bytes(b"")
    real = os.scandir

    def refuse(path):
        if str(path).rstrip("/").endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(datasets.os, "scandir", refuse)
    told = []
    files = list(datasets.walk(tmp_path, lambda *args: told.append(args)))
    assert [file.path for file in files] == ["a.jpg"]
    assert told == [("closed", "Permission denied")]
    with pytest.raises(BuildError, match="Permission denied"):
        datasets.walk(tmp_path / "closed")


def test_walk_says_what_is_no_folder(tmp_path):
    with pytest.raises(BuildError, match="does not exist"):
        datasets.walk(tmp_path / "missing")
    (tmp_path / "file").write_text("")
    with pytest.raises(BuildError, match="is a file, not a folder"):
        datasets.walk(tmp_path / "file")
    assert list(datasets.walk(tmp_path)) == [
        datasets.FolderFile("file", 0, (tmp_path / "file").stat().st_mtime_ns)
    ]


def test_walk_of_names_that_are_no_text(tmp_path):
    name = os.fsdecode(b"caf\xe9.jpg")
    (tmp_path / name).write_bytes(b"")
    assert [file.path for file in datasets.walk(tmp_path)] == [name]
