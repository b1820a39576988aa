"""What is written is read back exactly, by us and by others; what cannot be written is refused."""

import json
from enum import IntEnum
from pathlib import Path

import numpy as np
import pytest
import safetensors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lamina.exceptions import InvalidTypeError, InvalidValueError, ModelExistsError
from lamina.interchange import container
from lamina.interchange.container import Document, read, write

DTYPES = "b1 i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8 c8".split()

same_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])

names = st.text(min_size=1).filter(lambda name: name != "__metadata__")
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**130), 2**130)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda items: st.lists(items) | st.dictionaries(st.text(), items),
    max_leaves=20,
)


@st.composite
def arrays(draw):
    """Draw an array of any dtype, shape, byte order and layout, its elements any bits."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES))).newbyteorder(draw(st.sampled_from("<>")))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    size = int(np.prod(shape)) * dtype.itemsize
    octets = np.frombuffer(draw(st.binary(min_size=size, max_size=size)), np.uint8)
    array = (octets % 2 if dtype.kind == "b" else octets).view(dtype).reshape(shape)
    match draw(st.sampled_from(["C", "Fortran", "reversed"])):
        case "Fortran":
            return np.asfortranarray(array).reshape(shape)
        case "reversed":
            return array[(..., *(slice(None, None, -1) for _ in shape))]
    return array


def elements(array):
    """Return the bits of an array's elements in the order of their indices."""
    return array.astype(array.dtype.newbyteorder("<"), order="C").tobytes()


def small_document():
    """Return a document with a bit of everything."""
    tensors = {"W1": np.arange(6.0).reshape(2, 3), "b1": np.zeros(2, np.float32)}
    return Document("network", {"layers": [{"units": 2, "name": "tanh"}]}, tensors)


@same_folder
@given(tensors=st.dictionaries(names, arrays(), max_size=4))
def test_tensors_come_back_bit_for_bit(tmp_path, tensors):
    """Any dtype, shape, byte order, layout and bit pattern, NaN payloads too, is read as given."""
    write(tmp_path / "m", Document("network", {}, tensors), overwrite=True)
    result = read(tmp_path / "m").tensors
    assert list(result) == sorted(tensors)
    for name, array in tensors.items():
        assert result[name].dtype == array.dtype.newbyteorder("=")
        assert result[name].shape == array.shape
        assert elements(result[name]) == elements(array)


@same_folder
@given(metadata=st.dictionaries(st.text(), json_values), kind=names)
def test_metadata_come_back_exactly(tmp_path, metadata, kind):
    """Every float, integer and text, 1, 1.0, True and -0.0 apart, is read as given."""
    write(tmp_path / "m", Document(kind, metadata, {}), overwrite=True)
    result = read(tmp_path / "m")
    assert result.kind == kind
    assert result.metadata == metadata
    assert json.dumps(result.metadata, sort_keys=True) == json.dumps(metadata, sort_keys=True)


def test_signaling_nan_keeps_its_payload(tmp_path):
    """A signaling NaN with a payload is neither quieted nor changed."""
    bits = np.array([0x7FF0_0000_DEAD_BEEF, 0xFFF8_0000_0000_0001, 0x8000_0000_0000_0000], "u8")
    write(tmp_path / "m", Document("network", {}, {"W": bits.view("f8")}))
    assert np.array_equal(read(tmp_path / "m").tensors["W"].view("u8"), bits)


def test_arrays_belong_to_caller(tmp_path):
    """An array that was read is contiguous, aligned and writable, and shares memory with none."""
    write(tmp_path / "m", small_document())
    tensors = list(read(tmp_path / "m").tensors.values())
    assert all(t.flags.c_contiguous and t.flags.writeable and t.flags.aligned for t in tensors)
    assert not np.shares_memory(*tensors)
    tensors[0][:] = 7
    assert read(tmp_path / "m").tensors["W1"][1, 2] == 5


def test_caller_may_change_arrays_during_writing():
    """The chunks to write share no memory with the caller's arrays: no thread can tear the file."""
    document = small_document()
    chunks = [np.frombuffer(chunk, np.uint8) for chunk in container._encode(document)]
    assert sum(chunk.size for chunk in chunks[1:]) == 6 * 8 + 2 * 4
    for array in document.tensors.values():
        assert not any(np.shares_memory(chunk, array) for chunk in chunks)


def test_equal_documents_give_equal_bytes(tmp_path):
    """The order in which tensors and keys were inserted does not reach the file."""
    tensors = {f"W{k}": np.full(k, k, ["f4", "f8", "u1"][k % 3]) for k in range(9)}
    metadata = {"a": 1, "b": {"c": 2, "d": 3}}
    backward = {"b": {"d": 3, "c": 2}, "a": 1}
    write(tmp_path / "one", Document("network", metadata, tensors))
    write(tmp_path / "two", Document("network", backward, dict(reversed(tensors.items()))))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_file_is_safetensors(tmp_path):
    """Any safetensors reader finds the tensors, and our six strings as its metadata."""
    document = small_document()
    write(tmp_path / "m", document)
    with safetensors.safe_open(tmp_path / "m", framework="np") as file:
        fields = file.metadata()
        assert all(np.array_equal(file.get_tensor(n), t) for n, t in document.tensors.items())
    assert fields["format"] == "lamina"
    assert fields["format_version"] == "1"
    assert fields["kind"] == "network"
    assert json.loads(fields["metadata"]) == document.metadata
    assert set(json.loads(fields["tensor_sha256"])) == {"W1", "b1"}
    assert len(fields["sha256"]) == 64


def test_tensors_are_aligned_in_file(tmp_path):
    """Every tensor begins at a multiple of its element size, so the file can be mapped."""
    tensors = {f"{k}{dtype}": np.ones(k, dtype) for k in range(4) for dtype in DTYPES}
    write(tmp_path / "m", Document("network", {}, tensors))
    data = (tmp_path / "m").read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    assert start % 8 == 0
    for name, array in tensors.items():
        assert (start + header[name]["data_offsets"][0]) % array.itemsize == 0


class Color(IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("metadata", "error", "place"),
    [
        ({"layers": [{"units": np.int64(3)}]}, InvalidTypeError, "metadata['layers'][0]['units']"),
        ({"a": {"b": (1, 2)}}, InvalidTypeError, "metadata['a']['b']"),
        ({"a": {1: 2}}, InvalidTypeError, "metadata['a']"),
        ({"a": np.zeros(2)}, InvalidTypeError, "metadata['a']"),
        ({"a": {3, 4}}, InvalidTypeError, "metadata['a']"),
        ({"a": b"bytes"}, InvalidTypeError, "metadata['a']"),
        ([1, 2], InvalidTypeError, "metadata"),
        ({"a": [0.0, float("nan")]}, InvalidValueError, "metadata['a'][1]"),
        ({"a": float("-inf")}, InvalidValueError, "metadata['a']"),
        ({"a": 10**5000}, InvalidValueError, "metadata['a']"),
    ],
)
def test_metadata_refusal_names_place(tmp_path, metadata, error, place):
    """What JSON cannot give back is refused with its key path, and no file appears."""
    with pytest.raises(error) as caught:
        write(tmp_path / "m", Document("network", metadata, {}))
    assert str(caught.value).startswith(f"{place}: ")
    assert list(tmp_path.iterdir()) == []


def test_endless_metadata_are_refused(tmp_path):
    """A list that contains itself ends in an error, not in a recursion."""
    endless = []
    endless.append(endless)
    with pytest.raises(InvalidValueError, match="over 100 levels"):
        write(tmp_path / "m", Document("network", {"a": endless}, {}))


def test_metadata_accept_subclasses_of_json_types(tmp_path):
    """np.float64, np.str_ and an IntEnum are JSON numbers and text, their values exact."""
    metadata = {"a": np.float64(0.1), "b": np.str_("text"), "c": Color.RED}
    write(tmp_path / "m", Document("network", metadata, {}))
    assert read(tmp_path / "m").metadata == {"a": 0.1, "b": "text", "c": 1}


@pytest.mark.parametrize(
    ("array", "error"),
    [
        ([1.0, 2.0], InvalidTypeError),
        (np.float64(1.0), InvalidTypeError),
        (np.ma.masked_array([1.0], [True]), InvalidTypeError),
        (np.zeros(2, complex), InvalidTypeError),
        (np.zeros(2, "M8[s]"), InvalidTypeError),
        (np.array(["text"]), InvalidTypeError),
        (np.array([None]), InvalidTypeError),
        (np.zeros(2, [("a", "f8")]), InvalidTypeError),
        (np.array([2], np.uint8).view(bool), InvalidValueError),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_tensor_refusal_names_tensor(tmp_path, array, error):
    """What safetensors cannot hold is refused, the tensor named, and no file appears."""
    with pytest.raises(error, match="tensor 'W7'"):
        write(tmp_path / "m", Document("network", {}, {"W7": array}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "__metadata__", "\ud800", 5, None])
def test_names_are_checked(tmp_path, text):
    """A kind or a tensor's name that no safetensors header can carry is refused."""
    with pytest.raises((InvalidTypeError, InvalidValueError), match="kind: expected"):
        write(tmp_path / "m", Document(text, {}, {}))
    with pytest.raises((InvalidTypeError, InvalidValueError), match="tensor's name: expected"):
        write(tmp_path / "m", Document("network", {}, {text: np.zeros(1)}))


def test_long_header_is_refused(tmp_path):
    """Metadata that read would refuse for their length are not written either."""
    with pytest.raises(InvalidValueError, match="move long lists from the metadata to tensors"):
        write(tmp_path / "m", Document("network", {"a": "x" * 2**24}, {}))


def test_existing_file_is_kept(tmp_path):
    """Without overwrite=True, what stands there stays, and the message says how to replace it."""
    write(tmp_path / "m", small_document())
    with pytest.raises(ModelExistsError, match="pass overwrite=True"):
        write(tmp_path / "m", Document("network", {}, {}))
    assert "W1" in read(tmp_path / "m").tensors
    write(tmp_path / "m", Document("network", {}, {}), overwrite=True)
    assert read(tmp_path / "m").tensors == {}


@pytest.mark.parametrize("path", [3, b"bytes", None])
def test_path_must_be_text(path):
    """A number (which could be an open file), bytes or None is no path."""
    with pytest.raises(InvalidTypeError, match="path as str or Path"):
        read(path)
    with pytest.raises(InvalidTypeError, match="path as str or Path"):
        write(path, small_document())


def test_path_may_be_relative_text(tmp_path, monkeypatch):
    """A plain name means a file in the working folder, even if it is as long as names can be."""
    monkeypatch.chdir(tmp_path)
    name = "m" * 255
    write(name, small_document())
    assert read(Path(name)).kind == "network"
