#!/usr/bin/env bash
# Runs the operations of a package's sweep.py with failing allocations: those of Python, then those of the C library.
# tools/fault-sweep.sh has built the package before. usage: tools/out-of-memory.sh FOLDER [DENSITY [ALLOCATOR]]
#
# A C program tests/out_of_memory.c, if there is one, makes the calls of the package without it. Where the C library
# itself misbehaves, the package is excused. The first line of the program names the pkg-config package.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=$1
density=${2:-30}
bin=$PWD/.venv/bin
place=target/sweep/$folder
program=$folder/tests/out_of_memory.c
excuses=()

if [ -f "$program" ]; then
    package=$(sed -n '1s/.*pkg-config: \([^ ]*\).*/\1/p' "$program")
    # shellcheck disable=SC2046
    "${CC:-cc}" -O1 -Wall -Wextra -Werror $(pkg-config --cflags "$package") "$program" -o "$place/out_of_memory" \
        $(pkg-config --libs "$package") -ldl
    excuses=(--c-program "$place/out_of_memory")
fi
for allocator in ${3:-python library}; do
    [ "$allocator" = library ] || "$bin/python" -c "import _testcapi" 2>/dev/null || continue
    echo "== $folder, failing allocations: $allocator"
    chosen=()
    [ "$allocator" = library ] && chosen=("${excuses[@]}")
    PYTHONPATH=$place/site "$bin/python" -m pytest_leakproof.sweep "$folder/sweep.py" \
        --allocations "$allocator" --density "$density" "${chosen[@]}"
done
