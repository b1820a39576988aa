"""A file is saved whole, for good and with the right permissions, or nothing has happened."""

import errno
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import lamina
from lamina.exceptions import InvalidValueError, ModelExistsError, ModelFileError
from lamina.interchange import files

pytestmark = pytest.mark.skipif(os.name == "nt", reason="permissions and links as POSIX has them")


def refusal(number):
    """Return a function that fails as the system would, whatever it is called with."""

    def refuse(*_args, **_options):
        raise OSError(number, os.strerror(number))

    return refuse


@pytest.fixture(params=["links", "no links"])
def links(request, monkeypatch):
    """Run a test with hard links and, once more, on a file system without them."""
    if request.param == "no links":
        monkeypatch.setattr(os, "link", refusal(errno.EPERM))
    return request.param


@pytest.fixture
def events(monkeypatch):
    """Return the list in which system calls that make a saving durable appear."""
    calls = []

    def record(name, describe):
        original = getattr(os, name)

        def call(*args, **options):
            calls.append(describe(*args))
            return original(*args, **options)

        monkeypatch.setattr(os, name, call)

    record("replace", lambda *_: "replace")
    record("link", lambda *_: "link")
    record("fsync", lambda fd: f"sync {'folder' if stat.S_ISDIR(os.fstat(fd).st_mode) else 'file'}")
    return calls


def names(folder):
    """Return the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_impossible_name_is_refused_with_advice(tmp_path, name):
    """A name with NUL or half a character is refused by saving and loading alike."""
    for path in (name, tmp_path / name):
        with pytest.raises(InvalidValueError, match="a character that no path can; name the file"):
            lamina.Network([1, 1], ["identity"]).save(path)
        with pytest.raises(InvalidValueError, match="a character that no path can; name the file"):
            lamina.load(path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("overwrite", [False, True])
def test_saving_reaches_disk_in_order(tmp_path, events, overwrite):
    """The bytes reach the disk before they get the name, and the name before save returns."""
    files.save(tmp_path / "m", [b"new"], overwrite=overwrite)
    assert events == ["sync file", "replace" if overwrite else "link", "sync folder"]


@pytest.mark.parametrize("chunks", [[], [b""], [b"a", memoryview(b"bc")], [b"x" * 10**6] * 3])
def test_saved_file_holds_all_chunks(tmp_path, links, chunks):
    """The file holds the chunks in order and nothing else stays in the folder."""
    files.save(tmp_path / "m", chunks, overwrite=False)
    assert (tmp_path / "m").read_bytes() == b"".join(chunks), links
    assert names(tmp_path) == ["m"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("call", ["fsync", "replace", "fstat"])
def test_failed_overwriting_changes_nothing(tmp_path, monkeypatch, call, error):
    """A full disk or Ctrl-C before the new name leaves the old file and no temporary one."""
    (tmp_path / "m").write_bytes(b"old")

    def fail(*_args, **_options):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(type(error)):
            files.save(tmp_path / "m", [b"new"], overwrite=True)
    assert (tmp_path / "m").read_bytes() == b"old"
    assert names(tmp_path) == ["m"]


@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken"), KeyboardInterrupt()], ids=repr)
@pytest.mark.parametrize("call", ["link", "fsync"])
def test_failed_saving_leaves_nothing(tmp_path, monkeypatch, call, error):
    """A failure before the new file has its name leaves an empty folder."""

    def fail(*_args, **_options):
        raise error

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(type(error)):
        files.save(tmp_path / "m", [b"new"], overwrite=False)
    assert names(tmp_path) == []


def test_failure_while_writing_leaves_nothing(tmp_path):
    """If a chunk cannot be produced, neither file nor temporary file stays."""

    def chunks():
        yield b"x" * 10**6
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.save(tmp_path / "m", chunks(), overwrite=False)
    assert names(tmp_path) == []


def test_failed_claim_is_withdrawn(tmp_path, monkeypatch):
    """Without hard links, a failure after the name was claimed leaves no empty file."""
    monkeypatch.setattr(os, "link", refusal(errno.ENOTSUP))
    monkeypatch.setattr(os, "replace", refusal(errno.EIO))
    with pytest.raises(OSError, match="cannot save the model"):
        files.save(tmp_path / "m", [b"new"], overwrite=False)
    assert names(tmp_path) == []


def test_late_file_is_kept(tmp_path, monkeypatch, links):
    """A file that appears after the first look is neither replaced nor changed."""
    (tmp_path / "m").write_bytes(b"late")
    monkeypatch.setattr(files, "_replaced_mode", lambda *_args, **_options: None)
    with pytest.raises(ModelExistsError, match="pass overwrite=True"):
        files.save(tmp_path / "m", [b"new"], overwrite=False)
    assert (tmp_path / "m").read_bytes() == b"late", links
    assert names(tmp_path) == ["m"]


def test_new_file_respects_umask(tmp_path, links):
    """A new file has the permissions of any new file."""
    before = os.umask(0o027)
    try:
        files.save(tmp_path / "m", [b"new"], overwrite=False)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == 0o640, links


@pytest.mark.parametrize("mode", [0o600, 0o444, 0o664])
def test_overwritten_file_keeps_permissions(tmp_path, mode):
    """Who could not read the old model cannot read the new one, and the other way round."""
    (tmp_path / "m").write_bytes(b"old")
    (tmp_path / "m").chmod(mode)
    files.save(tmp_path / "m", [b"new"], overwrite=True)
    assert (tmp_path / "m").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == mode


def test_temporary_file_is_as_private_as_old_one(tmp_path):
    """Nobody can look at the new bytes before they replace a private file."""
    (tmp_path / "m").write_bytes(b"old")
    (tmp_path / "m").chmod(0o600)

    def chunks():
        modes = [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()]
        yield repr(modes).encode()

    files.save(tmp_path / "m", chunks(), overwrite=True)
    assert (tmp_path / "m").read_bytes() == repr([0o600, 0o600]).encode()


def test_link_is_not_replaced(tmp_path):
    """A symbolic link stays, and so does what it points to; the message gives that path."""
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "m").symlink_to("old")
    with pytest.raises(InvalidValueError, match=r"symbolic link; save to '.*old' instead"):
        files.save(tmp_path / "m", [b"new"], overwrite=True)
    with pytest.raises(ModelExistsError, match="exists already"):
        files.save(tmp_path / "m", [b"new"], overwrite=False)
    assert (tmp_path / "m").is_symlink()
    assert (tmp_path / "m").read_bytes() == b"old"


def test_dangling_link_is_not_followed(tmp_path):
    """A link to nowhere counts as existing: nothing appears at its far end."""
    (tmp_path / "m").symlink_to("nowhere")
    with pytest.raises(ModelExistsError, match="exists already"):
        files.save(tmp_path / "m", [b"new"], overwrite=False)
    assert names(tmp_path) == ["m"]


@pytest.mark.parametrize("overwrite", [False, True])
def test_folder_and_pipe_are_not_replaced(tmp_path, overwrite):
    """What is no file is neither replaced nor written to, with or without overwrite."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("folder", "pipe"):
        with pytest.raises(InvalidValueError, match="is a folder, device or pipe"):
            files.save(tmp_path / name, [b"new"], overwrite=overwrite)
    assert names(tmp_path) == ["folder", "pipe"]


def test_missing_folder_is_named(tmp_path):
    """Saving into a folder that does not exist, or into a file, says so and names the path."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="its folder does not exist; create it first"):
        files.save(tmp_path / "none" / "m", [b"new"], overwrite=False)
    with pytest.raises(NotADirectoryError, match=r"its folder does not exist.*file/m"):
        files.save(tmp_path / "file" / "m", [b"new"], overwrite=True)


READ_ONLY = """
import os, sys
from pathlib import Path
from lamina.interchange import files

if os.geteuid() == 0:
    os.setuid(65534)  # nobody: root may write anywhere
try:
    files.save(Path(sys.argv[1], "m"), [b"new"], overwrite=sys.argv[2] == "True")
except PermissionError as error:
    print(error)
"""


@pytest.mark.parametrize("overwrite", [False, True])
def test_read_only_folder_is_reported(overwrite):
    """A folder without write permission gives a PermissionError that says what to do."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        command = [sys.executable, "-c", READ_ONLY, folder, str(overwrite)]
        result = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
        assert names(Path(folder)) == []
    assert result.returncode == 0, result.stderr
    assert "its folder may not be written to; change that or choose another" in result.stdout
    assert f"{folder}/m" in result.stdout


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EIO])
def test_folder_that_cannot_sync_is_told_from_one_that_fails(tmp_path, monkeypatch, number):
    """A file system without folder sync is accepted; a failing one is reported, the file whole."""
    original = os.fsync

    def sync(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(number, os.strerror(number))
        original(handle)

    monkeypatch.setattr(os, "fsync", sync)
    if number == errno.EIO:
        with pytest.raises(OSError, match="cannot save the model: Input/output error"):
            files.save(tmp_path / "m", [b"new"], overwrite=False)
    else:
        files.save(tmp_path / "m", [b"new"], overwrite=False)
    assert (tmp_path / "m").read_bytes() == b"new"


@pytest.mark.timeout(20)
def test_file_replaced_by_pipe_is_not_waited_for(tmp_path, monkeypatch):
    """A pipe that takes the place of a file between look and open does not block the reader."""
    os.mkfifo(tmp_path / "m")
    (tmp_path / "file").write_bytes(b"")
    regular = (tmp_path / "file").stat()
    with monkeypatch.context() as patch:
        patch.setattr(type(tmp_path), "stat", lambda _path: regular)
        with pytest.raises(ModelFileError, match="device or pipe"):
            files.open_regular(tmp_path / "m")
