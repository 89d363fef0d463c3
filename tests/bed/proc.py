"""Processes the bed runs, and waiting for things to happen."""
import ctypes
import os
import subprocess
import threading
import time
from pathlib import Path

from fakes.proc import die_with_parent, reap


class Expired(AssertionError):
    """Something did not happen in time; the text says what, and what was seen instead."""


def run(*argv, timeout=30, check=True, **kwargs):
    """Runs a command to its end; its output is in the exception if it fails."""
    done = subprocess.run([str(arg) for arg in argv], timeout=timeout, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **kwargs)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))}: exit {done.returncode}\n{done.stdout}")
    return done


def wait_until(condition, deadline, what, interval=0.02):
    """Waits until condition() is true and returns what it gave; for state that sends no event."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Expired(f"{what}: not within {deadline} s")
        time.sleep(interval)


class Console:
    """The lines a process writes: kept in memory with their times, streamed to a file, and waited for.

    `echo`, if given, is called with (seconds since the start, line).
    """

    def __init__(self, stream, path, echo=None):
        self.path, self.lines, self.ended = Path(path), [], False
        self._start, self._echo, self._news = time.monotonic(), echo, threading.Condition()
        threading.Thread(target=self._pump, args=(stream,), daemon=True).start()

    def _pump(self, stream):
        with open(self.path, "w") as copy:
            for raw in stream:
                line, now = raw.decode(errors="replace").rstrip(), time.monotonic() - self._start
                copy.write(f"{now:8.3f} {line}\n")
                copy.flush()
                if self._echo:
                    self._echo(now, line)
                with self._news:
                    self.lines.append((now, line))
                    self._news.notify_all()
        with self._news:
            self.ended = True
            self._news.notify_all()

    def mark(self):
        """A position: waiting from it sees only lines that come later."""
        with self._news:
            return len(self.lines)

    def wait(self, text, deadline, since=0):
        """Waits for a line that contains `text`; returns (seconds since the start, line)."""
        end = time.monotonic() + deadline
        with self._news:
            while True:
                for seen in self.lines[since:]:
                    if text in seen[1]:
                        return seen
                left = end - time.monotonic()
                if left <= 0 or self.ended:
                    why = "the process ended" if self.ended else f"not within {deadline} s"
                    raise Expired(f"'{text}' on {self.path}: {why}; its last lines:\n{self.tail()}")
                self._news.wait(left)

    def tail(self, count=25):
        return "\n".join(f"{when:8.3f} {line}" for when, line in self.lines[-count:])

    def text(self):
        return "\n".join(line for _, line in self.lines)


class Service:
    """A long-running process that dies with the bed, its output in `log`.  A context manager."""

    def __init__(self, name, argv, log, netns=None, **kwargs):
        self.name, self.log = name, Path(log)
        prefix = netns.prefix() if netns else []
        with open(self.log, "w") as out:
            self.process = subprocess.Popen([str(arg) for arg in prefix + list(argv)], stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=subprocess.STDOUT, preexec_fn=die_with_parent, **kwargs)

    def alive(self):
        return self.process.poll() is None

    def require(self):
        if not self.alive():
            raise RuntimeError(f"{self.name} ended with {self.process.returncode}:\n{self.log.read_text()[-3000:]}")

    def signal(self, number):
        if self.alive():
            self.process.send_signal(number)

    def stop(self, grace=3):
        """Ends it: SIGTERM, then SIGKILL after `grace` seconds."""
        reap(self.process, grace)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def children(pid):
    """Process ids of the direct children of `pid`."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found += [int(child) for child in task.read_text().split()]
    return found


def mount(source, target, fstype=None, options=None):
    argv = ["mount"] + (["-t", fstype] if fstype else []) + (["-o", options] if options else [])
    run(*argv, source, target)


def unmount(target):
    MNT_DETACH = 2
    ctypes.CDLL(None, use_errno=True).umount2(os.fsencode(str(target)), MNT_DETACH)
