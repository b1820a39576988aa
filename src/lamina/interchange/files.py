"""Files are saved whole or not at all, and opened only if they are regular files."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from lamina.exceptions import InvalidTypeError, InvalidValueError, ModelExistsError, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

_UNSUPPORTED = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_NO_FOLDER = "its folder does not exist; create it first or correct the path"
_NOT_ALLOWED = "its folder may not be written to; change that or choose another folder"
_DISK_FULL = "the disk is full; free some space or choose another disk"
_ADVICE = {
    errno.ENOENT: _NO_FOLDER,
    errno.ENOTDIR: _NO_FOLDER,
    errno.EACCES: _NOT_ALLOWED,
    errno.EPERM: _NOT_ALLOWED,
    errno.EROFS: _NOT_ALLOWED,
    errno.ENOSPC: _DISK_FULL,
    errno.EDQUOT: _DISK_FULL,
}


def as_path(path: str | os.PathLike[str]) -> Path:
    """Return the path of a file as a Path.

    Raises
    ------
    InvalidTypeError
        If it is not a str or path-like.
    InvalidValueError
        If it holds what no path can: a NUL character, or half of a surrogate pair.
    """
    try:
        made = Path(path)
        usable = b"\0" not in os.fsencode(made)
    except TypeError as error:
        kind = type(path).__name__
        raise InvalidTypeError(f"expected a file's path as str or Path, got {kind}") from error
    except UnicodeEncodeError:
        usable = False
    if not usable:
        message = f"{str(made)!r} holds a character that no path can; name the file without it"
        raise InvalidValueError(message)
    return made


def save(target: Path, chunks: Iterable[bytes | memoryview], *, overwrite: bool) -> None:
    """Write the chunks to a file: afterwards it holds all of them, or what it held before.

    The bytes go to a temporary file in the same folder (`.lamina-*.tmp`), reach the disk, and
    then get their name in one step, which reaches the disk too. A crash can leave a temporary
    file behind, never half a file. Of several writers, the last one wins with `overwrite=True`,
    exactly one without it.

    Two weaker guarantees: where a file system has no hard links and `overwrite` is false, the
    name is first claimed by an empty file, which a crash within that instant leaves behind; and
    where a folder cannot be opened (Windows), its sync is left to the system.

    Parameters
    ----------
    target : Path
        The file; its folder must exist.
    chunks : iterable of bytes-like
        The content.
    overwrite : bool
        Replace an existing regular file; the new one keeps its permission bits.

    Raises
    ------
    ModelExistsError
        If the file exists and `overwrite` is false.
    InvalidValueError
        If the target is a folder or a device or, with `overwrite`, a symbolic link.
    OSError
        If the system refuses: missing folder, no permission, disk full.
    """
    try:
        _save(target, chunks, _replaced_mode(target, overwrite=overwrite), overwrite=overwrite)
    except FileExistsError as error:
        advice = "pass overwrite=True to replace it, or choose another name"
        raise ModelExistsError(f"{str(target)!r} exists already; {advice}") from error
    except OSError as error:
        advice = _ADVICE.get(error.errno or 0, error.strerror or str(error))
        raise OSError(error.errno, f"cannot save the model: {advice}", str(target)) from error


def open_regular(source: os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading; whatever else could block or act when opened is not touched.

    Parameters
    ----------
    source : path-like
        The file, or a symbolic link to it.

    Returns
    -------
    binary file
        To be closed by the caller.

    Raises
    ------
    ModelFileError
        If the path is a folder, device, pipe or socket.
    OSError
        If the system refuses: missing file, no permission.
    """
    if stat.S_ISREG(as_path(source).stat().st_mode):
        file = open(source, "rb", opener=_open_without_waiting)  # noqa: SIM115 - the caller closes it
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # not replaced meanwhile
            return file
        file.close()
    raise ModelFileError("it is a folder, device or pipe; pass the name of a file")


def _open_without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | getattr(os, "O_NONBLOCK", 0))


def _replaced_mode(target: Path, *, overwrite: bool) -> int | None:
    """Return the permission bits of the file to replace, None if there is no file."""
    try:
        mode = target.lstat().st_mode
    except FileNotFoundError:
        return None
    if not overwrite and (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise FileExistsError
    if stat.S_ISLNK(mode):
        raise InvalidValueError(
            f"{str(target)!r} is a symbolic link; save to {os.path.realpath(target)!r} instead, "
            "or remove the link"
        )
    if not stat.S_ISREG(mode):
        raise InvalidValueError(
            f"{str(target)!r} is a folder, device or pipe; pass the name of a file"
        )
    return stat.S_IMODE(mode) & 0o777


def _save(
    target: Path, chunks: Iterable[bytes | memoryview], mode: int | None, *, overwrite: bool
) -> None:
    temporary = target.with_name(f".lamina-{secrets.token_hex(16)}.tmp")
    try:
        with temporary.open("xb") as file:
            if mode is not None and mode != stat.S_IMODE(os.fstat(file.fileno()).st_mode):
                temporary.chmod(mode)
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            temporary.replace(target)
        else:
            _link(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(target.parent)


def _link(temporary: Path, target: Path) -> None:
    """Give the file its name in one step; FileExistsError if the name is taken, however late."""
    try:
        target.hardlink_to(temporary)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
    else:
        return
    target.open("xb").close()  # claims the name: no other writer without overwrite gets it
    try:
        temporary.replace(target)
    except BaseException:
        if target.stat().st_size == 0:  # still the claim
            target.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """Bring a new name to the disk."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows; a folder that may be written but not read
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in {errno.EINVAL, *_UNSUPPORTED}:  # that is: failed, not unsupported
            raise
    finally:
        os.close(handle)
