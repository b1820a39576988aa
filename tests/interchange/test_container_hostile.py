"""Whatever a file holds, reading it ends soon, in an error, and in little memory."""

import hashlib
import io
import json
import os
import pickle
import random
import socket
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import safetensors.numpy

from lamina.exceptions import ModelFileError
from lamina.interchange.container import Document, read, write

HUGE = 2**62
MIB = 2**20
SEED = 5
DIGEST = slice(35, 99)  # where every model file has the digest of its header


def seal(header, payload=b""):
    """Return a file with this header, its digest right: what a forger can do."""
    text = header if isinstance(header, bytes) else json.dumps(header, separators=(",", ":"))
    text = text.encode() if isinstance(text, str) else text
    head = bytearray(len(text).to_bytes(8, "little") + text)
    head[DIGEST] = b"0" * 64
    head[DIGEST] = hashlib.sha256(head).hexdigest().encode()
    return bytes(head) + payload


def forge(payload=b"abcd", specs=None, drop=(), **fields):
    """Return a sound file of one tensor "W" except for what is given; digests are right."""
    if specs is None:
        specs = {"W": spec()}
    digests = dict.fromkeys(specs, hashlib.sha256(payload).hexdigest())
    metadata = {"sha256": "0" * 64, "format": "lamina", "format_version": "1", "kind": "network"}
    metadata |= {"metadata": "{}", "tensor_sha256": json.dumps(digests)} | fields
    metadata = {name: value for name, value in metadata.items() if name not in drop}
    return seal({"__metadata__": metadata} | specs, payload)


def spec(dtype="U8", shape=(4,), data_offsets=(0, 4), **more):
    """Return a tensor's entry in the header."""
    return {"dtype": dtype, "shape": shape, "data_offsets": data_offsets} | more


def pair(first, second, payload=b"abcd"):
    """Return a file of two tensors "V" and "W" with these offsets."""
    specs = {
        name: spec(shape=[end - begin], data_offsets=[begin, end])
        for name, (begin, end) in {"V": first, "W": second}.items()
    }
    digests = {
        name: hashlib.sha256(payload[slice(*entry["data_offsets"])]).hexdigest()
        for name, entry in specs.items()
    }
    return forge(payload, specs, tensor_sha256=json.dumps(digests))


def zipped():
    """Return a zip archive."""
    with zipfile.ZipFile(buffer := io.BytesIO(), "w") as archive:
        archive.writestr("data.pkl", b"x" * 100)
    return buffer.getvalue()


def edit(old, new):
    """Return a sound file, something in its header's text replaced and the digest renewed."""
    data = forge()
    end = 8 + int.from_bytes(data[:8], "little")
    assert old in data[8:end]
    return seal(data[8:end].replace(old, new), data[end:])


class Bomb:
    """An object whose unpickling would end the process."""

    def __reduce__(self):
        """Ask the unpickler to leave."""
        return os._exit, (99,)


FILES = {  # what the file is: its bytes, what the message says
    "empty": (b"", "it is empty"),
    "one byte": (b"\x00", "begins like no model file"),
    "text": (b"This is no model. " * 20, "begins like no model file"),
    "zeros": (bytes(4096), "begins like no model file"),
    "pickle": (pickle.dumps([Bomb()] * 9), "begins like a pickle"),
    "zip": (zipped(), "begins like a zip archive"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(200), "begins like an HDF5 file"),
    "other safetensors": (safetensors.numpy.save({"W": np.zeros(9)}), "no model file"),
    "header of 2**64 - 1 bytes": (b"\xff" * 8 + forge()[8:], "header claims 18446744073709551615"),
    "header of 3 MiB": (edit(b"}}", b"}}" + b" " * 3 * MIB), "a header may have 2097152"),
    "header longer than file": ((9999).to_bytes(8, "little") + forge()[8:], "header claims 9999"),
    "header of 0 bytes": (bytes(8) + forge()[8:], "header claims 0"),
    "header not UTF-8": (edit(b"network", b"netw\xffrk"), "header: expected strict JSON"),
    "header cut": (seal(forge()[8:120]), "header: expected strict JSON"),
    "header with text behind it": (edit(b"}}", b"}}]"), "header: expected strict JSON"),
    "tensor twice": (edit(b',"W":', b',"W":{},"W":'), "a key occurs twice"),
    "field twice": (edit(b'"kind":', b'"kind":"x","kind":'), "a key occurs twice"),
    "NaN in header": (edit(b"[4]", b"[NaN]"), "NaN is no JSON number"),
    "deep header": (edit(b"[4]", b"[" * 10**6 + b"]" * 10**6), "far over 100 levels"),
    "other format": (forge(format="other"), "expected the format 'lamina', got 'other'"),
    "no format": (forge(drop=["format"]), "expected the format 'lamina', got None"),
    "newer format": (forge(format_version="2", drop=["metadata"]), "newer Lamina.*--upgrade"),
    "field missing": (forge(drop=["kind"]), "lacks these fields.*'kind'"),
    "field too many": (forge(more="x"), "lacks these fields.*'more'"),
    "field not text": (forge(kind=5), "hold strings only"),
    "kind empty": (forge(kind=""), "kind: expected a text"),
    "metadata not JSON": (forge(metadata="{'a': 1}"), "metadata: expected strict JSON"),
    "metadata a list": (forge(metadata="[]"), "metadata: expected a JSON object, got list"),
    "metadata with NaN": (forge(metadata='{"a":NaN}'), "NaN is no JSON number"),
    "metadata with 1e999": (
        forge(metadata='{"a":[1e999]}'),
        r"metadata\['a'\]\[0\]: JSON knows no",
    ),
    "metadata with key twice": (forge(metadata='{"a":{"b":1,"b":2}}'), "a key occurs twice"),
    "metadata of 101 levels": (forge(metadata='{"a":' + "[" * 101 + "]" * 101 + "}"), "100 levels"),
    "metadata of 100,000 levels": (forge(metadata='{"a":' * 100_000), "100 levels"),
    "metadata with 5,000 digits": (forge(metadata='{"a":%s}' % ("9" * 5000)), "strict JSON"),
    "metadata with 1,000 digits": (forge(metadata='{"a":%s}' % ("9" * 1000)), "may have 2048 bits"),
    "metadata all brackets": (forge(metadata='{"a":[%s[]]}' % ("[]," * (MIB // 3))) + b"x", "end"),
    "digests not JSON": (forge(tensor_sha256="W"), "tensor_sha256: expected strict JSON"),
    "digest missing": (forge(tensor_sha256="{}"), "missing for .'W'"),
    "digest too many": (forge(specs={}, tensor_sha256='{"W":""}'), "missing for .'W'"),
    "digest a number": (forge(tensor_sha256='{"W":5}'), "'W' does not match its SHA-256"),
    "digest of other bytes": (forge(tensor_sha256='{"W":"00"}'), "'W' does not match its SHA-256"),
    "bytes too many": (forge() + b"x", "foreign bytes at its end"),
    "bytes too few": (forge()[:-1], "was cut short"),
    "tensor a list": (forge(specs={"W": []}), "'W': expected a dtype"),
    "tensor with reference": (forge(specs={"W": spec(location="/etc/passwd")}), "expected a dtype"),
    "dtype missing": (edit(b'"dtype":"U8",', b""), "'W': expected a dtype"),
    "dtype a list": (forge(specs={"W": spec(dtype=["U8"])}), "'W': expected a dtype"),
    "dtype BF16": (forge(specs={"W": spec(dtype="BF16", shape=[2])}), "'W': expected a dtype"),
    "dtype object": (forge(specs={"W": spec(dtype="O", shape=[1])}), "'W': expected a dtype"),
    "bool of 97": (forge(specs={"W": spec(dtype="BOOL")}), "'W' holds bools other than 0 and 1"),
    "offsets text": (forge(specs={"W": spec(data_offsets="04")}), "'W': expected a dtype"),
    "offsets true": (forge(b"a", {"W": spec(data_offsets=[False, True])}), "laid out wrongly"),
    "offsets floats": (forge(specs={"W": spec(data_offsets=[0.0, 4.0])}), "'W': expected a dtype"),
    "offsets three": (forge(specs={"W": spec(data_offsets=[0, 2, 4])}), "'W': expected a dtype"),
    "offset negative": (forge(specs={"W": spec(data_offsets=[0, -4])}), "'W': expected a dtype"),
    "offset of 4,300 digits": (forge(specs={"W": spec(data_offsets=[0, 10**4299])}), "a dtype"),
    "offset negative begin": (forge(specs={"W": spec(data_offsets=[-4, 4])}), "laid out wrongly"),
    "offset huge": (forge(specs={"W": spec(data_offsets=[0, HUGE])}), "cut short: expected 46116"),
    "offsets backward": (forge(specs={"W": spec(data_offsets=[5, 4])}), "laid out wrongly"),
    "offsets apart": (pair((0, 1), (2, 4)), "laid out wrongly"),
    "offsets overlap": (pair((0, 3), (2, 4)), "laid out wrongly"),
    "offsets the same": (pair((0, 4), (0, 4)), "laid out wrongly"),
    "offsets not from 0": (forge(specs={"W": spec(shape=[3], data_offsets=[1, 4])}), "laid out"),
    "shape too large": (forge(specs={"W": spec(shape=[HUGE])}), "laid out wrongly"),
    "shape too small": (forge(specs={"W": spec(shape=[3])}), "laid out wrongly"),
    "shape negative": (forge(specs={"W": spec(shape=[-2, -2])}), "laid out wrongly"),
    "shape of floats": (forge(specs={"W": spec(shape=[4.0])}), "laid out wrongly"),
    "shape over 64 bits": (forge(specs={"W": spec(shape=[2**64, 4])}), "laid out wrongly"),
    "shape whose product is 4 mod 2**64": (
        forge(specs={"W": spec(shape=[2**32 + 1, 2**32 + 1, 4])}),
        "laid out wrongly",
    ),
    "shape with 0 and huge": (
        forge(b"", {"W": spec("F64", [0, HUGE, 4], [0, 0])}),
        "'W': .*too big",
    ),
    "shape of 65 axes": (forge(specs={"W": spec(shape=[4] + [1] * 64)}), "'W': .*dimension"),
    "name with surrogate": (forge(specs={"\ud800": spec()}), "laid out wrongly"),
    "name of 0.5 MiB": (forge(specs={"W" * (MIB // 2): []}), "tensor 'WWW.*WWW[.]{3}: expected"),
}


def test_forger_is_able():
    """The sound file that all forgeries start from is accepted, so each fails for its own sake."""
    assert len(FILES) >= 70
    assert forge()[: DIGEST.start] == edit(b"U8", b"I8")[: DIGEST.start]


@pytest.mark.parametrize("payload", [b"abcd", b"\0" * 4])
def test_sound_forgery_is_accepted(tmp_path, payload):
    """A file made without our writer, but to the letter of the format, is read."""
    (tmp_path / "m").write_bytes(forge(payload))
    assert read(tmp_path / "m").tensors["W"].tobytes() == payload


@pytest.mark.parametrize("name", FILES)
def test_hostile_file_is_refused(tmp_path, name):
    """A forged, foreign or broken file ends in a ModelFileError that says what is wrong."""
    data, message = FILES[name]
    (tmp_path / "m").write_bytes(data)
    with pytest.raises(ModelFileError, match=message) as caught:
        read(tmp_path / "m")
    assert len(str(caught.value)) < 1000 + len(str(tmp_path))
    assert "\ud800" not in str(caught.value)


def test_refused_file_is_not_executed(tmp_path):
    """A pickle that would end the process when loaded does nothing."""
    test_hostile_file_is_refused(tmp_path, "pickle")


LIMITED = """
import json, resource, sys
from pathlib import Path
from lamina.exceptions import ModelFileError
from lamina.interchange.container import read

pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + 64 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
results = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    try:
        read(path)
        results[path.name] = "accepted"
    except BaseException as error:
        results[path.name] = type(error).__name__
print(json.dumps(results))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="address space is limited and read as on Linux")
def test_hostile_files_take_little_memory_and_never_block(tmp_path):
    """All of them, sparse terabytes and pipes too, are refused within 64 MiB and a minute."""
    for index, (data, _) in enumerate(FILES.values()):
        (tmp_path / f"file {index}").write_bytes(data)
    for name, start in {
        "zeros": b"",
        "start": forge()[:60],
        "long": b"\xff" * 8 + forge()[8:],
    }.items():
        with (tmp_path / f"sparse {name}").open("wb") as file:
            file.write(start)
            file.truncate(10 * 2**30)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "device").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket"))  # a short name: its length is limited
        command = [sys.executable, "-c", LIMITED, tmp_path]
        result = subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    outcomes = json.loads(result.stdout)
    assert len(outcomes) == len(FILES) + 7
    assert {n: outcome for n, outcome in outcomes.items() if outcome != "ModelFileError"} == {}


def test_mutated_headers_are_refused_or_sound(tmp_path):
    """Random changes to a header under a renewed digest give a sound document or our error."""
    numbers = random.Random(SEED)  # noqa: S311 - no secret
    write(
        tmp_path / "m",
        Document("network", {"a": [1, 2.5]}, {"W": np.ones((2, 2)), "b": np.ones(2)}),
    )
    data = (tmp_path / "m").read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    refused = 0
    for _ in range(1000):
        text = bytearray(data[8:end])
        for _ in range(numbers.randint(1, 3)):
            text[numbers.randrange(91, len(text))] = numbers.choice(
                b'0123456789-[]{}":,.eFIU\\\xff '
            )
        (tmp_path / "m").write_bytes(seal(bytes(text), data[end:]))
        try:
            document = read(tmp_path / "m")
        except ModelFileError:
            refused += 1
        else:
            assert sum(array.nbytes for array in document.tensors.values()) == len(data) - end
    assert refused > 500


def test_missing_file_is_reported_as_such(tmp_path):
    """A path where nothing is raises the builtin FileNotFoundError."""
    with pytest.raises(FileNotFoundError, match="no such model"):
        read(tmp_path / "no such model")
