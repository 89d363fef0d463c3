"""Processes that die with the test which started them, and free ports for them."""
import ctypes
import os
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1


def die_with_parent(sig=signal.SIGKILL):
    """Ask the kernel to kill this process when the thread that started it ends."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(sig), 0, 0, 0)


def argv(cmd, user=None):
    """`cmd` as a list that survives neither its parent nor a change of user id."""
    out = ["setpriv", "--pdeathsig", "KILL"]
    if user and os.geteuid() == 0:
        out += ["--reuid", user, "--regid", "nogroup", "--clear-groups"]
    return out + [str(a) for a in cmd]


def spawn(cmd, log, user=None, **kw):
    """Start `cmd` with both outputs appended to the file `log`."""
    with open(log, "ab") as out:
        return subprocess.Popen(argv(cmd, user), stdin=subprocess.DEVNULL, stdout=out,
                                stderr=subprocess.STDOUT, **kw)


def reap(proc, grace=5):
    """End a process we started; return its status."""
    if proc.poll() is None:
        proc.terminate()
        try:
            proc.wait(grace)
        except subprocess.TimeoutExpired:
            proc.kill()
            proc.wait()
    return proc.returncode


def free_ports(n, address="127.0.0.1"):
    """`n` ports nobody listens on now; held together while choosing, so they differ."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    held = [socket.socket(family) for _ in range(n)]
    try:
        for s in held:
            s.bind((address, 0))
        return [s.getsockname()[1] for s in held]
    finally:
        for s in held:
            s.close()


def wait_until(true, limit=30, proc=None, what="what was waited for"):
    """Wait until `true()` is, or raise; a process that ends meanwhile ends the wait, too."""
    end = time.monotonic() + limit
    while not true():
        if proc is not None and proc.poll() is not None:
            raise RuntimeError(f"{proc.args[:6]} ended with {proc.returncode}")
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come in {limit} s")
        time.sleep(0.005)


def wait_port(address, port, proc=None, limit=30):
    """Wait until something accepts on address:port, or raise."""
    def accepts():
        try:
            socket.create_connection((address, port), 1).close()
        except OSError:
            return False
        return True
    wait_until(accepts, limit, proc, f"a listener on {address}:{port}")
