"""No accident with a model file goes unnoticed."""

import io
import random
import re

import numpy as np
import pytest

from lamina.exceptions import ModelFileError
from lamina.interchange import files
from lamina.interchange.container import Document, read, write

FLIPS = 1000
SEED = 20240229


@pytest.fixture
def small(tmp_path):
    """Return the path of a model of some 600 bytes."""
    tensors = {"W1": np.arange(3.0), "b1": np.ones(2, np.float16), "none": np.zeros((0, 2))}
    write(tmp_path / "small", Document("network", {"a": 0.1}, tensors))
    return tmp_path / "small"


@pytest.fixture
def large(tmp_path):
    """Return the path of a model of some 40 kB, nearly all of it tensors."""
    numbers = np.random.default_rng(SEED)
    tensors = {f"W{k}": numbers.normal(size=(10, 100)) for k in range(5)}
    write(tmp_path / "large", Document("network", {"a": 0.1}, tensors))
    return tmp_path / "large"


def flipped(data, bit):
    """Return data with one bit changed."""
    result = bytearray(data)
    result[bit // 8] ^= 1 << bit % 8
    return bytes(result)


def refusal(path, data):
    """Return the message with which a file of these bytes is refused."""
    path.write_bytes(data)
    with pytest.raises(ModelFileError) as caught:
        read(path)
    return str(caught.value)


def test_every_flipped_bit_of_small_file_is_rejected(small):
    """A file with any one bit changed, be it in length, header, digest or tensors, is refused."""
    data = small.read_bytes()
    for bit in range(8 * len(data)):
        assert "damaged" in refusal(small, flipped(data, bit)) or 64 <= bit < 8 * 35


def test_random_flipped_bits_are_rejected_and_tensor_is_named(large):
    """A changed bit in a tensor is refused, and the message names that tensor."""
    data = large.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    for bit in random.Random(SEED).sample(range(8 * len(data)), FLIPS):  # noqa: S311 - no secret
        message = refusal(large, flipped(data, bit))
        if bit >= 8 * start:  # five tensors of 8000 bytes, in order of their names
            assert f"tensor 'W{(bit // 8 - start) // 8000}'" in message


def test_every_truncation_is_rejected(small):
    """A file cut after any number of its bytes is refused."""
    data = small.read_bytes()
    for length in range(len(data)):
        assert re.search("damaged|no model file", refusal(small, data[:length]))


def test_truncated_tensors_are_called_cut_short(large):
    """If the header is whole, the message says how many bytes were expected and how many came."""
    data = large.read_bytes()
    message = refusal(large, data[:-1])
    assert f"cut short: expected {len(data)} bytes, got {len(data) - 1}" in message


@pytest.mark.parametrize("tail", [b"\0", b"x", b" " * 8, b"\0" * 4096])
def test_appended_bytes_are_rejected(small, tail):
    """A file with anything behind its last tensor is refused."""
    assert "foreign bytes" in refusal(small, small.read_bytes() + tail)


def test_appended_copy_is_rejected(small):
    """A file with itself behind it is refused."""
    assert "foreign bytes" in refusal(small, 2 * small.read_bytes())


def test_swapped_tensors_are_rejected(large):
    """Two tensors of one shape, their bytes exchanged, are refused."""
    data = large.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    swapped = data[:start] + data[start + 8000 :][:8000] + data[start:][:8000]
    assert "tensor 'W0'" in refusal(large, swapped + data[start + 16000 :])


def test_zeroed_block_is_rejected(large):
    """A block of zeros, as a crashed file system leaves it, is refused wherever it lies."""
    data = large.read_bytes()
    for begin in range(0, len(data), 4096):
        refusal(large, (data[:begin] + bytes(4096) + data[begin + 4096 :])[: len(data)])


def test_refusal_names_file_and_what_to_do(large):
    """The message begins with the path and ends with a way out."""
    message = refusal(large, large.read_bytes()[:-1])
    assert message.startswith(f"cannot read {str(large)!r} as a Lamina model: ")
    assert message.endswith("take it from a backup, or copy or save it again")


@pytest.mark.parametrize("change", [lambda data: flipped(data, 8 * 200), lambda data: data + b"x"])
def test_change_during_reading_is_noticed(small, monkeypatch, change):
    """A file that another program writes to, after its header was verified, is refused."""

    class Changing(io.FileIO):
        def seek(self, *position):
            small.write_bytes(change(data))
            return super().seek(*position)

    data = small.read_bytes()
    monkeypatch.setattr(files, "open_regular", Changing)
    with pytest.raises(ModelFileError, match="changed while it was read"):
        read(small)
