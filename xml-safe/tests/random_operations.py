"""Runs random operations of a package against a model of it, and measures what stays behind.

    python random_operations.py --steps 1000000
    python random_operations.py --model ../../examples/sqlite/tests/sqlite_model.py --steps 100000
    python random_operations.py --seconds 3600 --slope 0.01

Every few thousand operations all handles are dropped: then no handle may live, and the allocator's blocks have to be freed. The exit status is 1
if something is lost or wrong. The same seed runs the same operations. The model is that of xml_safe, `handle_model`, or a file
with a `World`, its `OPERATIONS` with their weights, `SLOTS`, and the package's `live_handles`.
"""

import argparse
import faulthandler
import gc
import importlib.util
import os
import random
import sys
import threading
import time
from array import array
from collections import deque

import handle_model
from handle_model import Choice
from pytest_leakproof.memory import malloc_counter

ROUND = 5_000
WARM_UP = 20_000
FEW_BYTES = 32 * 1024
# Freed blocks that glibc keeps per thread count as given out.
PLAIN_MALLOC = "glibc.malloc.tcache_count=0"
# What the allocator and Python may take from the system once, however long the run is.
NOISE = 512 * 1024
EVERY = 0.5
PAGE = os.sysconf("SC_PAGE_SIZE")


# Counts the bytes that the C library's allocator has given out: none where it can't be asked.
native_bytes = malloc_counter() or (lambda: 0)


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE


def file_descriptors():
    return len(os.listdir("/proc/self/fd"))


def slope(points):
    """The slope of the straight line that fits best."""
    n = len(points)
    if n < 2:
        return 0.0
    mean_x, mean_y = (sum(values) / n for values in zip(*points, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


class RandomRun:
    """One world and one sequence of random operations, which only depends on the seed."""

    def __init__(self, seed, model=handle_model):
        self.random = random.Random(seed)
        self.names = list(model.OPERATIONS)
        self.weights = list(model.OPERATIONS.values())
        self.slots = model.SLOTS
        self.world = model.World()
        self.latest = deque(maxlen=30)
        self.steps = 0

    def go(self, steps):
        draw = self.random.random
        for name in self.random.choices(self.names, self.weights, k=steps):
            choice = Choice(int(draw() * self.slots), int(draw() * self.slots), int(draw() * 3600))
            elsewhere = draw() < 0.05
            self.latest.append((name, choice, elsewhere))
            self.world.apply(name, choice, elsewhere)
            self.steps += 1

    def settle(self):
        self.world.drop_all()
        self.world.check()
        gc.collect()


class Measured:
    """What the process uses, while nothing is kept."""

    def __init__(self, model):
        self.live = sum(model.live_handles().values())
        self.native = native_bytes()
        self.resident = resident_bytes()
        self.threads = threading.active_count()
        self.descriptors = file_descriptors()


def problems(first, last, live, steps, per_step, limit):
    if live:
        yield f"{live} handles live"
    if last.native - first.native >= FEW_BYTES:
        yield f"{last.native - first.native} native bytes are left"
    if last.threads != first.threads:
        yield f"{first.threads} threads became {last.threads}"
    if last.descriptors != first.descriptors:
        yield f"{first.descriptors} file descriptors became {last.descriptors}"
    if limit is not None and per_step >= limit and per_step * steps > NOISE:
        yield f"{per_step:.4f} bytes stay resident per operation"


def summary(steps, seed, first, last, live, per_step):
    return (
        f"random operations: steps={steps} seed={seed} live={live} native={last.native - first.native:+d} "
        f"slope={per_step:+.4f} threads={first.threads}->{last.threads} fds={first.descriptors}->{last.descriptors}"
    )


class Samples:
    """How much was resident after how many steps, in memory that never grows: else it would count itself."""

    def __init__(self, room=1024):
        self.room = room
        self.steps, self.resident = array("q", bytes(8 * room)), array("q", bytes(8 * room))
        self.count = 0
        self.every = EVERY
        self.taken = time.monotonic()

    def take(self, steps):
        now = time.monotonic()
        if now - self.taken < self.every:
            return
        self.taken = now
        self.steps[self.count], self.resident[self.count] = steps, resident_bytes()
        self.count += 1
        if self.count == self.room:
            self.thin_out()

    def thin_out(self):
        """Keep every other one, and take them half as often from now on."""
        self.count //= 2
        for index in range(self.count):
            self.steps[index], self.resident[index] = self.steps[2 * index], self.resident[2 * index]
        self.every *= 2

    def slope(self):
        """Bytes per step after the first third."""
        taken = list(zip(self.steps[: self.count], self.resident[: self.count], strict=True))
        third = taken[-1][0] / 3 if taken else 0
        return slope([point for point in taken if point[0] > third])


def continue_run(running, samples, steps, seconds, progress):
    start = shown = time.monotonic()
    while running.steps < steps and time.monotonic() - start < seconds:
        running.go(min(ROUND, steps - running.steps))
        running.settle()
        samples.take(running.steps)
        now = time.monotonic()
        if progress and now - shown >= progress:
            shown = now
            print(
                f"{now - start:6.0f} s: {running.steps} steps, {running.steps / (now - start):.0f} per second",
                flush=True,
            )


def run(steps, seconds, seed, limit=None, progress=0, model=handle_model):
    """Runs until either limit is reached. Returns the summary and the problems."""
    running = RandomRun(seed, model)
    try:
        running.go(min(WARM_UP, steps))
        running.settle()
        samples = Samples()
        first = Measured(model)
        continue_run(running, samples, steps, seconds, progress)
        last = Measured(model)
    except BaseException:
        for step in running.latest:
            print(*step, file=sys.stderr)
        print(f"random operations: step {running.steps} of seed {seed} went wrong", file=sys.stderr)
        raise
    per_step = samples.slope()
    running.world.close()
    live = sum(model.live_handles().values())
    line = summary(running.steps, seed, first, last, live, per_step)
    return line, list(problems(first, last, live, running.steps, per_step, limit))


def load(path):
    """The model in a file."""
    spec = importlib.util.spec_from_file_location(os.path.basename(path).removesuffix(".py"), path)
    model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model)
    return model


def without_caches():
    """Start anew where the allocator counts exactly."""
    if "GLIBC_TUNABLES" not in os.environ:
        os.environ["GLIBC_TUNABLES"] = PLAIN_MALLOC
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def main():
    without_caches()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, help="how many operations (100000 if there are no --seconds)")
    parser.add_argument("--seconds", type=float, help="how long")
    parser.add_argument("--model", metavar="FILE", help="the model, by default that of xml_safe")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--slope", type=float, metavar="BYTES", help="how much may stay resident per operation")
    parser.add_argument("--progress", type=float, default=30, metavar="SECONDS", help="how often to say how far it is")
    options = parser.parse_args()
    faulthandler.enable()
    steps = options.steps or (sys.maxsize if options.seconds else 100_000)
    seconds = options.seconds or float("inf")
    line, wrong = run(
        steps,
        seconds,
        options.seed,
        options.slope,
        options.progress,
        load(options.model) if options.model else handle_model,
    )
    for problem in wrong:
        print(f"random operations: {problem}", file=sys.stderr)
    print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
