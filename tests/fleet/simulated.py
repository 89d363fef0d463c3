"""EC2's stand-in and hpc-fleet on simulated time: bench_fleet is hpc-fleet with a clock in a file, that moves instead of waiting."""
import mmap
import struct
import time

from fakes.instances import Cloud
from fakes.sigcheck import Refused

BEGIN = 1000                    # seconds: the clock's first
NS = 10**9


class Clock:
    """The file that bench_fleet has as its clock: struct clock_fake."""
    def __init__(self, path):
        path.write_bytes(struct.pack("=QqQ", BEGIN * NS, int(time.time()) - BEGIN, 1))
        self.path = path
        with open(path, "r+b") as f:
            self.map = mmap.mmap(f.fileno(), 0)

    def now(self):
        return struct.unpack_from("=Q", self.map)[0] / NS


class Simulated(Cloud):
    """EC2 by that clock; counts whom it throttled."""
    def __init__(self, keys, now):
        super().__init__(keys)
        self.clock, self.began, self.throttled = now, time.time() - now(), 0

    def _answer(self, req):
        self.skew = self.began + self.clock() - time.time()
        return super()._answer(req)

    def _take(self, bucket, n=1):
        try:
            super()._take(bucket, n)
        except Refused:
            self.throttled += 1
            raise
