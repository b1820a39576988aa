"""θ and its views: one memory, laid out layer by layer."""

import numpy as np
import pytest

from lamina.exceptions import LaminaError, ShapeError
from lamina.network.network import Network
from lamina.network.parameters import blocks, views

SIZES = [2, 3, 1]


@pytest.fixture(name="net")
def small_network():
    """Return a network whose θ is 0, 1, 2, ..."""
    return Network(SIZES, ["tanh"], initialization=np.arange(13.0))


def test_blocks_cover_theta_in_order(net):
    """W_1, b_1, W_2, b_2 follow each other without gap or overlap."""
    places = [place for pair in blocks(net.recipe) for place in pair]
    assert [(p.start, p.stop) for p in places] == [(0, 6), (6, 9), (9, 12), (12, 13)]


def test_weights_are_stored_input_by_input(net):
    """W_l is S_l × S_(l-1) in Fortran order, b_l is S_l × 1, both in θ."""
    np.testing.assert_array_equal(net.W[1], [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(net.b[1], [[6], [7], [8]])
    np.testing.assert_array_equal(net.W[2], [[9, 10, 11]])
    np.testing.assert_array_equal(net.b[2], [[12]])
    assert all(W.flags.f_contiguous for W in net.W)


def test_views_write_to_theta(net):
    """What is written to W or b is in θ, and the other way round."""
    net.W[1][2, 0] = -1.0
    net.b[2][...] = -2.0
    assert net.theta[2] == -1.0
    assert net.theta[12] == -2.0
    net.theta[9] = -3.0
    assert net.W[2][0, 0] == -3.0


def test_assigned_theta_is_copied_into_the_same_memory(net):
    """Assigning θ keeps the views valid and leaves the array given alone."""
    W, theta, given = net.W[1], net.theta, np.ones(13)
    net.theta = given
    assert net.theta is theta
    assert np.all(W == 1.0)
    W[...] = 5.0
    assert np.all(given == 1.0)


def test_layer_zero_has_no_parameters(net):
    """Entry 0 of W and b is empty, so that indices are layers."""
    assert len(net.W) == len(net.b) == 3
    assert net.W[0].size == net.b[0].size == 0


def test_views_serve_complex_and_read_only_vectors(net):
    """A complex θ has complex views; views of a read-only θ are read-only."""
    W, _ = views(net.recipe, net.theta.astype(complex))
    assert W[1].dtype == complex
    frozen = net.theta.copy()
    frozen.flags.writeable = False
    assert not views(net.recipe, frozen)[0][1].flags.writeable


@pytest.mark.parametrize("theta", [np.zeros(12), np.zeros(14), 0.0, np.zeros((13, 2))])
def test_theta_of_another_size_is_refused(net, theta):
    """A θ that does not fit is refused with both sizes, and nothing changes."""
    with pytest.raises(ShapeError, match="13"):
        net.theta = theta
    np.testing.assert_array_equal(net.theta, np.arange(13.0))


@pytest.mark.parametrize("theta", [np.zeros(13) * 1j, ["a"] * 13, [None] * 13])
def test_theta_of_no_real_numbers_is_refused(net, theta):
    """Complex numbers, texts and objects are no parameters."""
    with pytest.raises(LaminaError, match="real numbers"):
        net.theta = theta
    with pytest.raises(LaminaError, match="real numbers"):
        Network(SIZES, ["tanh"], initialization=theta)
