"""Tasks are done once each, follow-ups after what they stand on, on any number of threads."""

import threading
from functools import partial

import pytest

from engine import language, threads


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_all_that_follows_is_done_once(n_threads):
    done = []

    def split(low, high):
        if high - low == 1:
            done.append(low)
            return None
        middle = (low + high) // 2
        return [partial(split, low, middle), partial(split, middle, high)]

    threads.run([partial(split, 0, 100)], n_threads)
    assert sorted(done) == list(range(100))


@pytest.mark.parametrize("n_threads", [1, 3])
def test_all_threads_speak_the_callers_language(n_threads):
    spoken, met = [], threading.Barrier(n_threads)

    def say():
        met.wait(10)  # each thread takes one
        spoken.append(language.spoken())

    with language.speaking("zh"):
        threads.run([say] * n_threads, n_threads)
    assert spoken == ["zh"] * n_threads


@pytest.mark.parametrize("n_threads", [1, 3])
def test_what_stands_on_several_begins_after_the_last(n_threads):
    done = []
    first = [partial(done.append, n) for n in range(20)]
    threads.run(threads.together(first, lambda: [lambda: done.append("then")]), n_threads)
    assert done[-1] == "then"
    assert sorted(done[:-1]) == list(range(20))


@pytest.mark.parametrize("n_threads", [1, 2, 4])
def test_a_failure_ends_the_job_and_reaches_the_caller(n_threads):
    done = []

    def fail():
        raise ZeroDivisionError("task 3")

    with pytest.raises(ZeroDivisionError, match="task 3"):
        threads.run([fail, *(partial(done.append, n) for n in range(1000))], n_threads)
    assert n_threads > 1 or not done
    threads.run([partial(done.append, "later")], n_threads)
    assert done[-1] == "later"


def test_a_job_ends_while_all_other_threads_are_busy():
    """The pool of two threads is held by one job; another one of the same size still ends."""
    held, release = threading.Event(), threading.Event()

    def hold():
        held.set()
        assert release.wait(60)

    busy = threading.Thread(target=threads.run, args=([hold, hold], 2))
    busy.start()
    assert held.wait(60)
    done = []
    threads.run([partial(done.append, n) for n in range(5)], 2)
    assert sorted(done) == list(range(5))
    release.set()
    busy.join(60)
    assert not busy.is_alive()


def test_no_tasks_are_no_work():
    threads.run([], 3)
