"""LAPACK on middling matrices runs on one thread, and the process keeps its own setting."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from threadpoolctl import threadpool_limits

from lamina.engines.linear_algebra import MIDDLING, allowed_threads, serial


def test_serial_limits_and_leaves_as_found():
    """Within, the libraries have one thread; after it, what they had, also after an error."""
    with threadpool_limits(2, user_api="blas"):
        with serial(MIDDLING):
            assert set(allowed_threads()) == {1}
        assert set(allowed_threads()) == {2}
        with pytest.raises(ZeroDivisionError), serial(3):
            raise ZeroDivisionError
        assert set(allowed_threads()) == {2}


def test_serial_leaves_large_matrices_alone():
    """Where a second thread pays, nothing is limited."""
    with threadpool_limits(2, user_api="blas"), serial(MIDDLING + 1):
        assert set(allowed_threads()) == {2}


def test_serial_in_many_threads_ends_as_it_began():
    """Threads that enter and leave at odd times leave the setting as the first one found it."""
    barrier = Barrier(4)

    def work(_):
        barrier.wait()
        for _ in range(200):
            with serial(1):
                pass

    with threadpool_limits(2, user_api="blas"):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        assert set(allowed_threads()) == {2}
