#!/usr/bin/env python3
"""Runs random operations at full rate, on every processor, for an hour. usage: tools/soak.py [SECONDS]

At the end no handle may live and all memory of the C library has to be freed. After the first third, the process must
not grow by more than a hundredth of a byte per operation. The numbers of threads and open files have to be as before.
"""

import sys

from long_runs import end, random_operations

SLOPE = 0.01

if __name__ == "__main__":
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600
    end("soak", random_operations(seconds, SLOPE))
