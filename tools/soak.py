#!/usr/bin/env python3
"""Random operations at full rate, on every processor, for an hour. usage: tools/soak.py [SECONDS]

At the end no handle may live, the allocator's blocks have to be back, the process must not have grown by more than a
hundredth of a byte per operation after the first third, and threads and open files have to be as many as before.
"""

import sys

from long_runs import end, random_operations

SLOPE = 0.01

if __name__ == "__main__":
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600
    end("soak", random_operations(seconds, SLOPE))
