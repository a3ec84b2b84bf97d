"""Work in parts."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, get_ident
from time import sleep

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penchant.core.blas import blas_threads
from penchant.core.executor import LOCAL, LocalExecutor, blocks
from penchant.core.progress import SILENT


@given(st.integers(0, 500), st.integers(1, 60))
def test_blocks_cover_the_range_once_and_in_order(total: int, size: int) -> None:
    parts = blocks(total, size)
    assert [i for start, stop in parts for i in range(start, stop)] == list(range(total))
    assert all(0 < stop - start <= size for start, stop in parts)


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_of_the_parts(workers: int) -> None:
    executor = LocalExecutor(workers)
    assert executor.workers == workers
    assert list(executor.map(str, range(50))) == [str(i) for i in range(50)]
    assert list(executor.map(str, [])) == []


def test_two_workers_work_at_once() -> None:
    gate = Barrier(2, timeout=20)

    def meet(_: int) -> int:
        gate.wait()
        return get_ident()

    assert len(set(LocalExecutor(2).map(meet, range(2)))) == 2


def test_threads_stay_for_the_next_map_and_a_map_at_the_same_time_has_its_own() -> None:
    executor, gate = LocalExecutor(2), Barrier(2, timeout=20)

    def meet(_: int) -> int:
        gate.wait()
        return get_ident()

    first, again = (set(executor.map(meet, range(2))) for _ in range(2))
    assert first == again

    outer = executor.map(meet, range(2))
    one = next(outer)
    assert not first & set(executor.map(meet, range(2)))
    assert {one, *outer} == first


def test_who_stops_early_finds_nothing_of_theirs_still_at_work() -> None:
    begun, done = [], []

    def slow(part: int) -> int:
        begun.append(part)
        sleep(0.02)
        done.append(part)
        return part

    parts = LocalExecutor(2).map(slow, range(50))
    assert next(parts) == 0
    parts.close()
    assert sorted(begun) == sorted(done)
    assert len(done) < 50


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_fork_has_threads_of_its_own() -> None:
    executor = LocalExecutor(2)
    assert list(executor.map(abs, [-1, -2])) == [1, 2]
    child = os.fork()
    if child == 0:
        os._exit(0 if list(executor.map(abs, [-3, -4])) == [3, 4] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_part_reaches_the_caller(workers: int) -> None:
    with pytest.raises(ZeroDivisionError):
        list(LocalExecutor(workers).map(lambda n: 1 // n, [1, 0, 1]))


def test_the_default_uses_the_processors_this_process_may_use() -> None:
    assert LOCAL.workers == len(os.sched_getaffinity(0))


def test_where_the_system_does_not_say_which_processors_all_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")  # as on a Mac
    assert LocalExecutor().workers == os.cpu_count()


def test_silence_takes_every_step() -> None:
    with SILENT.step("counting", 3, "items") as advance:
        assert advance(3) is None


def test_blas_has_one_thread_inside_a_map_and_its_own_again_after_it() -> None:
    before = blas_threads()
    inside = list(LocalExecutor(2).map(lambda _: blas_threads(), range(8)))
    assert inside == [1] * 8
    assert blas_threads() == before


def test_blas_stays_held_until_the_last_of_several_maps_is_over() -> None:
    before, meet, free = blas_threads(), Barrier(2), Event()

    def short(part: int) -> int:
        meet.wait(10)
        return blas_threads()

    def long(part: int) -> int:
        assert free.wait(10)
        return blas_threads()

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(lambda: list(LocalExecutor(2).map(long, range(2))))
        assert list(LocalExecutor(2).map(short, range(2))) == [1, 1]
        free.set()
        assert slow.result(10) == [1, 1]
    assert blas_threads() == before


def test_blas_is_held_whichever_thread_asks() -> None:
    before = blas_threads()
    for _ in range(3):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(lambda: list(LocalExecutor(2).map(lambda _: blas_threads(), range(2)))).result() == [
                1,
                1,
            ]
        assert blas_threads() == before
    assert list(LocalExecutor(1).map(lambda _: blas_threads(), range(2))) == [1, 1]


def test_a_map_within_a_map_takes_no_more_threads() -> None:
    executor = LocalExecutor(2)

    def outer(_: int) -> set[int]:
        return {get_ident(), *executor.map(lambda _: get_ident(), range(4))}

    assert all(len(threads) == 1 for threads in executor.map(outer, range(4)))
