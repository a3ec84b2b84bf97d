"""Several processes on one listening socket: started, watched, replaced when they die, and stopped together.

The processes are forks of one that has imported everything and done nothing, so they share what they imported and a new
one is there in the time that its models take. It must have no connection to the store, no thread of ours and no work of
polars behind it when it forks.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing import connection, get_context
from multiprocessing.context import ForkProcess
from multiprocessing.synchronize import Event
from socket import socket
from typing import Any

import uvicorn

from penchant.core.blas import single_blas
from penchant.core.errors import NotReady, PenchantError
from penchant.core.settings import Settings
from penchant.engine.engine import Engine
from penchant.server.app import create_app
from penchant.server.meters import forget_process
from penchant.server.notify import tell
from penchant.server.run import GRACE, keep, listen, server_of, stopping

__all__ = ["Pause", "Worker", "supervise"]

log = logging.getLogger(__name__)

PATIENCE = 60.0
"Seconds that a new worker gets to answer before a worker is replaced by it."

LEAST = 10.0
"Seconds that a worker must have answered for its death to be no failure to start."

TRIES = 3
"Failures to start of every worker after which there is no point in trying on."


class Pause:
    """How long to wait before a worker is started again: twice as long after every failure in a row.

    >>> pause = Pause()
    >>> [pause.after(failed=True) for _ in range(3)], pause.after(failed=False), pause.failures
    ([0.5, 1.0, 2.0], 0.0, 0)
    """

    def __init__(self) -> None:
        self.failures = 0

    def after(self, *, failed: bool) -> float:
        """Return the seconds to wait after a worker died, at most 30."""
        self.failures = self.failures + 1 if failed else 0
        return min(30.0, 0.5 * 2 ** (self.failures - 1)) if failed else 0.0


class Worker:
    """One of the processes, as the one that watches them sees it.

    >>> from threading import Event
    >>> Worker(0, None, Event()).answers
    False
    """

    def __init__(self, place: int, process: Any, started: Any) -> None:
        self.place = place
        self.process = process
        self.began = time.monotonic()
        self._started = started

    @property
    def answers(self) -> bool:
        """Whether it came so far as to take requests."""
        return bool(self._started.is_set())

    @property
    def failed(self) -> bool:
        """Whether it died before it was of use."""
        return not self.answers or time.monotonic() - self.began < LEAST


def supervise(settings: Callable[[], Settings], host: str, port: int, n: int) -> None:
    """Serve from ``n`` processes until SIGTERM or SIGINT; open requests are finished first.

    A process that dies is replaced. On SIGHUP the settings are read again and the processes are replaced one by one,
    each when its successor answers.

    >>> supervise(Settings, "127.0.0.1", 8080, 0)
    Traceback (most recent call last):
        ...
    ValueError: 0 workers cannot serve

    Args:
        settings: returns the settings; called again on SIGHUP.
        host: the address.
        port: the port.
        n: how many processes.

    Raises:
        InputError: the address is taken.
        NotReady: no process could start.
    """
    if n < 1:
        raise ValueError(f"{n} workers cannot serve")
    with listen(host, port) as listener:
        listener.listen(2048)
        _Team(settings, listener, n).run()


class _Team:
    def __init__(self, settings: Callable[[], Settings], listener: socket, n: int) -> None:
        self._read = settings
        self._settings = settings()
        self._listener = listener
        self._context = get_context("fork")
        self._workers: dict[int, Worker] = {}
        self._pauses = {place: Pause() for place in range(n)}
        self._due = dict.fromkeys(range(n), 0.0)
        self._signals: list[int] = []
        self._answered = False

    def run(self) -> None:
        before = {each: signal.signal(each, self._heard) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
        keep()  # what is imported stays where it is, in pages that the processes share
        try:
            while not self._stopping:
                self._start_due()
                self._wait(0.2)
                self._bury()
                if signal.SIGHUP in self._signals:
                    self._signals.remove(signal.SIGHUP)
                    self._renew()
        finally:
            self._stop()
            gc.unfreeze()
            for each, handler in before.items():
                signal.signal(each, handler)

    def _heard(self, number: int, _frame: Any) -> None:
        self._signals.append(number)

    @property
    def _stopping(self) -> bool:
        return signal.SIGTERM in self._signals or signal.SIGINT in self._signals

    def _fork(self, place: int) -> Worker:
        started = self._context.Event()
        arguments = (self._settings, self._listener, started, os.getpid())
        process = self._context.Process(target=_work, args=arguments, name=f"penchant-{place}")
        process.start()
        log.info("worker %d is process %d", place, process.pid)
        return Worker(place, process, started)

    def _start_due(self) -> None:
        for place, due in list(self._due.items()):
            if due <= time.monotonic():
                del self._due[place]
                self._workers[place] = self._fork(place)

    def _wait(self, seconds: float) -> None:
        """Wait until a process ends, a signal comes, or the time is over."""
        alive = [worker.process.sentinel for worker in self._workers.values()]
        connection.wait(alive, timeout=seconds) if alive else time.sleep(seconds)

    def _bury(self) -> None:
        if not self._answered and any(worker.answers for worker in self._workers.values()):
            self._answered = True
            tell("READY=1")
        for place, worker in list(self._workers.items()):
            if worker.process.is_alive():
                continue
            del self._workers[place]
            seconds = self._pauses[place].after(failed=worker.failed)
            self._due[place] = time.monotonic() + seconds
            how = f"worker {place} (process {worker.process.pid}) ended with {worker.process.exitcode}"
            log.error("%s; another starts in %.1f s", how, seconds)
            forget_process(worker.process.pid)
        if not self._answered and all(pause.failures >= TRIES for pause in self._pauses.values()):
            raise NotReady("no worker could start", got=f"{TRIES} tries of each", then="read the log lines above")

    def _renew(self) -> None:
        """Replace every worker when its successor answers; stop at the first successor that does not."""
        try:
            self._settings = self._read()
        except PenchantError as error:
            log.error("the settings cannot be used, so the workers stay: %s", error)
            return
        for place, old in list(self._workers.items()):
            new = self._fork(place)
            until = time.monotonic() + PATIENCE
            while not new.answers and new.process.is_alive() and time.monotonic() < until and not self._stopping:
                time.sleep(0.05)
            if not new.answers:
                log.error("the new worker %d does not answer, so the old one stays", place)
                _end([new.process], 0.0)
                return
            self._workers[place] = new
            _end([old.process], GRACE + 5.0)

    def _stop(self) -> None:
        log.info("stopping %d workers", len(self._workers))
        self._listener.close()  # else connections would queue up that nobody takes any more
        _end([worker.process for worker in self._workers.values()], GRACE + 5.0)


def _end(processes: list[ForkProcess], seconds: float) -> None:
    """Ask processes to finish what they do and end; kill those that are still there after so many seconds."""
    for process in processes:
        process.terminate()
    until = time.monotonic() + seconds
    for process in processes:
        process.join(max(0.0, until - time.monotonic()))
        if process.is_alive():
            log.error("process %d did not end in time and is killed", process.pid)
            process.kill()
            process.join()
        forget_process(process.pid)


def _work(settings: Settings, listener: socket, started: Event, parent: int) -> None:
    """Serve from this process, a fork, until it is told to stop or its parent is gone."""
    for each in (signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)  # the parent hears them too, and decides
    with single_blas(), Engine.open(settings) as engine:
        server = server_of(create_app(engine))
        signal.signal(signal.SIGTERM, stopping(server))
        engine.models.watch()
        threading.Thread(target=_report, args=(server, started, parent), name="penchant-parent", daemon=True).start()
        keep()
        server.run(sockets=[listener])


def _report(server: uvicorn.Server, started: Event, parent: int) -> None:
    """Tell the parent when requests are taken; stop when it is gone, for nobody would replace or stop this one."""
    while not server.started and not server.should_exit:
        time.sleep(0.01)
    started.set()
    while os.getppid() == parent:
        time.sleep(0.5)
    server.should_exit = True
