"""The model file: named tensors and JSON metadata, verifiable to the last byte.

The file is a safetensors file, so any safetensors reader opens it:

    8 bytes      n, the length of the header (little-endian)
    n bytes      {"__metadata__":{"sha256":"...", ...}, "W1":{"dtype":"F64", ...}, ...}
    the rest     the bytes of the tensors, without gaps

`__metadata__` holds strings: "format" ("lamina"), "format_version" ("1"), "kind", "metadata"
(JSON), "tensor_sha256" (JSON: name → SHA-256 of that tensor's bytes) and, in front, "sha256": the
SHA-256 of the 8 + n leading bytes with its own 64 digits read as zeros. The header vouches for the
tensors, so the chain covers every byte; and as its digest has a fixed place, nothing is parsed
before it is checked. Digests find accidents. A forger computes them too, so whatever they cover
is still checked as if it came from an enemy. Equal documents give equal bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import safetensors

from lamina.exceptions import InvalidTypeError, InvalidValueError, LaminaError, ModelFileError
from lamina.interchange import files, strict_json

_START = b'{"__metadata__":{"sha256":"'
_DIGEST = slice(8 + len(_START), 8 + len(_START) + 64)
_FIELDS = {"sha256", "format", "format_version", "kind", "metadata", "tensor_sha256"}
_HEADER_LIMIT = 2 * 2**20  # bytes; parsed, that takes under 64 MiB; a longer one is not read
_QUOTE_LIMIT = 100  # characters of a name or value in a message
_SIZES = {"F": (2, 4, 8), "I": (1, 2, 4, 8), "U": (1, 2, 4, 8)}  # in bytes
_DTYPES = {f"{k}{8 * size}": f"{k.lower()}{size}" for k, sizes in _SIZES.items() for size in sizes}
_DTYPES |= {"BOOL": "b1", "C64": "c8"}  # name in safetensors → in NumPy, without byte order
_CODES = {name: code for code, name in _DTYPES.items()}
_STRANGERS = {b"PK": "a zip archive", b"\x80": "a pickle", b"\x89HDF": "an HDF5 file"}
_DAMAGED = "the file is damaged: take it from a backup, or copy or save it again"
_FORGED = "Lamina writes no such file: do not trust it, ask its source for another"


@dataclass(frozen=True, eq=False)
class Document:
    """What a model file holds.

    Attributes
    ----------
    kind : str
        What the file describes: "network", "FeedForwardClassifier", ...
    metadata : dict
        JSON values: dict with str keys, list, str, int, finite float, bool, None.
    tensors : dict of str to ndarray
        `read` returns them C-contiguous and writable, each in its own memory, sorted by name.
    """

    kind: str
    metadata: dict[str, Any]
    tensors: dict[str, np.ndarray]


def write(path: str | os.PathLike[str], document: Document, *, overwrite: bool = False) -> None:
    """Save a document: afterwards the path holds all of it, or what it held before.

    No crash, kill or full disk leaves half a model; `files.save` says how.

    Parameters
    ----------
    path : str or path-like
        The file; its folder must exist.
    document : Document
        What to save; arrays are copied first, so that no other thread can tear the file.
    overwrite : bool, default=False
        Replace an existing regular file; the new one keeps its permission bits.

    Raises
    ------
    ModelExistsError
        If the file exists and `overwrite` is false.
    InvalidTypeError, InvalidValueError
        If the document cannot be represented (the message names the place), or the path is a
        folder, a device or, with `overwrite=True`, a symbolic link.
    OSError
        If the system refuses: missing folder, no permission, disk full.
    """
    files.save(files.as_path(path), _encode(document), overwrite=overwrite)


def read(path: str | os.PathLike[str]) -> Document:
    """Read and verify a model file; nothing else is opened, nothing in it is executed.

    It takes the memory of the file and of its arrays. The header, at most 2 MiB of the file,
    can take some 25 times its size while it is parsed.

    Parameters
    ----------
    path : str or path-like
        A file that `write` made.

    Returns
    -------
    Document
        Bit for bit what was written; the caller owns the arrays.

    Raises
    ------
    ModelFileError
        If the file is damaged (the tensor is named), forged, of a newer format or no model file.
    OSError
        If the file is missing (FileNotFoundError) or may not be read (PermissionError).
    """
    source = files.as_path(path)
    try:
        with files.open_regular(source) as file:
            return _decode(file)
    except LaminaError as error:
        known = isinstance(error, ModelFileError)  # the others come from strict_json
        what = str(error) if known else f"{str(error)[:300]}; {_FORGED}"
        message = f"cannot read {str(source)!r} as a Lamina model: {what}"
        raise ModelFileError(message) from error.__cause__


# ---- a document becomes bytes ----


def _encode(document: Document) -> list[bytes | memoryview]:
    """Return the chunks of the file: the header, then the bytes of each tensor."""
    _check_text(document.kind, "kind")
    if not isinstance(document.metadata, dict):
        raise InvalidTypeError(f"metadata: expected a dict, got {type(document.metadata).__name__}")
    strict_json.check(document.metadata, "metadata")
    arrays = {_check_text(n, "a tensor's name"): _pack(n, a) for n, a in document.tensors.items()}
    order = sorted(arrays, key=lambda name: (-arrays[name].itemsize, name))  # keeps all aligned
    octets = {name: arrays[name].reshape(-1).view(np.uint8).data for name in order}
    fields = {
        "sha256": "0" * 64,
        "format": "lamina",
        "format_version": "1",
        "kind": document.kind,
        "metadata": strict_json.dump(document.metadata),
        "tensor_sha256": strict_json.dump({name: _sha256(octets[name]) for name in order}),
    }
    header: dict[str, Any] = {"__metadata__": fields}
    end = 0
    for name in order:
        begin, end = end, end + arrays[name].nbytes
        dtype, shape = _CODES[arrays[name].dtype.str[1:]], list(arrays[name].shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > _HEADER_LIMIT:
        raise InvalidValueError(
            f"kind, metadata and tensor names may take {_HEADER_LIMIT} bytes, got {len(text)}; "
            "move long lists from the metadata to tensors"
        )
    head = bytearray(len(text).to_bytes(8, "little") + text)
    head[_DIGEST] = _sha256(head).encode()
    return [bytes(head), *octets.values()]


def _pack(name: str, array: np.ndarray) -> np.ndarray:
    """Return a copy of the array, little-endian and C-contiguous."""
    if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
        raise InvalidTypeError(
            f"tensor {name!r}: expected a NumPy array, got {type(array).__name__}"
        )
    if array.dtype.str[1:] not in _CODES:
        raise InvalidTypeError(
            f"tensor {name!r}: expected a dtype out of {', '.join(_DTYPES)}, "
            f"got {array.dtype}; convert it with astype"
        )
    copy = np.array(array, dtype=array.dtype.newbyteorder("<"), order="C", copy=True)
    if not _is_sound(copy):
        raise InvalidValueError(f"tensor {name!r} holds bools other than 0 and 1; make them anew")
    return copy


def _is_sound(array: np.ndarray) -> bool:
    return array.dtype != bool or array.view(np.uint8).max(initial=0) <= 1


def _sha256(data: bytes | bytearray | memoryview) -> str:
    return hashlib.sha256(data).hexdigest()


def _quote(value: object) -> str:
    text = repr(value)
    return text if len(text) < _QUOTE_LIMIT else f"{text[:_QUOTE_LIMIT]}..."


def _check_text(text: object, place: str) -> str:
    if not isinstance(text, str):
        raise InvalidTypeError(f"{place}: expected a str, got {type(text).__name__}")
    if not text or text == "__metadata__" or any("\ud800" <= c <= "\udfff" for c in text):
        raise InvalidValueError(
            f"{place}: expected a text that is not empty, not '__metadata__' and has no lone "
            f"surrogates, got {_quote(text)}; choose another"
        )
    return text


# ---- bytes become a document ----


def _read_head(file: BinaryIO, size: int) -> bytes:
    """Return length and header of a file that begins like a model, their digest verified."""
    start = file.read(_DIGEST.stop)
    if not start:
        raise ModelFileError(f"it is empty; {_DAMAGED}")
    if start[8 : _DIGEST.start] != _START:
        kinds = [kind for magic, kind in _STRANGERS.items() if start.startswith(magic)]
        raise ModelFileError(
            f"it begins like {kinds[0] if kinds else 'no model file'}; "
            "pass a file that Lamina saved, no other kind is opened"
        )
    length = int.from_bytes(start[:8], "little")
    if not _DIGEST.stop - 8 < length <= min(_HEADER_LIMIT, size - 8):
        raise ModelFileError(
            f"its header claims {length} bytes, the file has {size}, and a header may "
            f"have {_HEADER_LIMIT}; {_DAMAGED}"
        )
    head = start + file.read(8 + length - len(start))
    blank = head[: _DIGEST.start] + b"0" * 64 + head[_DIGEST.stop :]
    if _sha256(blank).encode() != head[_DIGEST]:
        raise ModelFileError(f"its header does not match its SHA-256; {_DAMAGED}")
    return head


def _decode(file: BinaryIO) -> Document:
    """Verify the header, then what it says, then the tensors."""
    size = os.fstat(file.fileno()).st_size
    head = _read_head(file, size)
    specs = strict_json.parse(head[8:], "header")
    kind, metadata, digests = _fields(specs.pop("__metadata__"))
    if specs.keys() != digests.keys():
        names = _quote(sorted(specs.keys() ^ digests.keys()))
        raise ModelFileError(f"tensor or SHA-256 missing for {names}; {_FORGED}")
    ends = [_checked_end(name, spec) for name, spec in specs.items()]
    if (expected := len(head) + max(ends, default=0)) != size:
        state = "was cut short" if size < expected else "has foreign bytes at its end"
        raise ModelFileError(f"it {state}: expected {expected} bytes, got {size}; {_DAMAGED}")
    file.seek(0)
    data = file.read(size + 1)
    if len(data) != size or not data.startswith(head):
        raise ModelFileError("it changed while it was read; read it again")
    deserialize: Any = safetensors.deserialize  # it has no types
    try:
        parts = dict(deserialize(data))
    except safetensors.SafetensorError as error:
        raise ModelFileError(
            f"its tensors are laid out wrongly: {_quote(str(error))}; {_FORGED}"
        ) from error
    tensors = {name: _unpack(name, parts[name], digests[name]) for name in sorted(parts)}
    return Document(kind, metadata, tensors)


def _fields(fields: Any) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return kind, metadata and the tensors' digests out of the header's `__metadata__`."""
    if not isinstance(fields, dict) or not all(isinstance(v, str) for v in fields.values()):
        raise ModelFileError(f"__metadata__ in its header should hold strings only; {_FORGED}")
    if (name := fields.get("format")) != "lamina":
        raise ModelFileError(f"expected the format 'lamina', got {_quote(name)}; {_FORGED}")
    if (version := fields.get("format_version")) != "1":
        raise ModelFileError(
            f"expected format version '1', got {_quote(version)}: a newer Lamina saved it; update "
            "yours (pip install --upgrade lamina)"
        )
    if fields.keys() != _FIELDS:
        names = _quote(sorted(fields.keys() ^ _FIELDS))
        raise ModelFileError(f"its header lacks these fields or should not: {names}; {_FORGED}")
    metadata = strict_json.parse(fields["metadata"], "metadata")
    strict_json.check(metadata, "metadata")
    digests = strict_json.parse(fields["tensor_sha256"], "tensor_sha256")
    return _check_text(fields["kind"], "kind"), metadata, digests


def _checked_end(name: str, spec: Any) -> int:
    """Return the offset behind a tensor; safetensors checks the rest of the layout."""
    match spec:
        case {"dtype": dtype, "shape": list(), "data_offsets": [int(), int() as end], **rest}:
            if not rest and dtype in list(_DTYPES) and 0 <= end < 2**63:
                return end
    expected = f"expected a dtype out of {', '.join(_DTYPES)}, a shape and data_offsets"
    raise ModelFileError(f"tensor {_quote(name)}: {expected}, got {_quote(spec)}; {_FORGED}")


def _unpack(name: str, part: dict[str, Any], digest: object) -> np.ndarray:
    """Return a tensor in the memory that safetensors made for it, once its digest agrees."""
    if _sha256(part["data"]) != digest:
        raise ModelFileError(f"tensor {_quote(name)} does not match its SHA-256; {_DAMAGED}")
    dtype = np.dtype(f"<{_DTYPES[part['dtype']]}")
    try:
        array = np.ndarray(tuple(part["shape"]), dtype, buffer=part["data"])
    except (ValueError, OverflowError) as error:
        raise ModelFileError(f"tensor {_quote(name)}: {error}; {_FORGED}") from error
    if not _is_sound(array):
        raise ModelFileError(f"tensor {_quote(name)} holds bools other than 0 and 1; {_FORGED}")
    return array.astype(dtype.newbyteorder("="), copy=False)
