#!/usr/bin/env bash
# Runs the tests under sanitizers: no native block may be lost, freed twice or used after it was freed.
# usage: tools/sanitize.sh [ARGUMENT OF PYTEST...], or tools/sanitize.sh rust for the first part alone
#
# First the runtime's tests without Python: under AddressSanitizer and LeakSanitizer, and under Miri with both of its
# aliasing models. Both need a nightly toolchain; a line of output says what is skipped.
#
# Then the Python tests of xml-safe, of the examples and of the stand-in library, with the sanitizers preloaded. They see
# every allocation of the process. They see a read of freed memory only inside the C library's own functions, because
# neither Python nor the libraries are built with AddressSanitizer.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

rust_tests=(test --package leakproof --no-default-features --test core --test kept --test soundness)

# sanitize_rust: runs the runtime's tests under AddressSanitizer and Miri.
sanitize_rust() {
    local host model
    if ! cargo +nightly --version >/dev/null 2>&1; then
        echo "sanitize: SKIPPED the Rust tests under AddressSanitizer and Miri: install a nightly toolchain (rustup toolchain install nightly --component miri,rust-src)"
        return 0
    fi
    host=$(rustc +nightly -vV | sed -n 's/^host: //p')
    echo "sanitize: the Rust tests under AddressSanitizer"
    RUSTFLAGS=-Zsanitizer=address ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1 CARGO_TARGET_DIR=target/sanitize \
        cargo +nightly "${rust_tests[@]}" --target "$host"
    if ! cargo +nightly miri --version >/dev/null 2>&1; then
        echo "sanitize: SKIPPED the Rust tests under Miri: rustup component add --toolchain nightly miri rust-src"
        return 0
    fi
    # A handle is zero-sized: its pointer is exposed when the reference is made, and recovered from the address.
    for model in "" -Zmiri-tree-borrows; do
        echo "sanitize: the Rust tests under Miri ${model:-with stacked borrows}"
        MIRIFLAGS="-Zmiri-permissive-provenance $model" CARGO_TARGET_DIR=target/miri cargo +nightly miri "${rust_tests[@]}"
    done
}

sanitize_rust
if [[ ${1:-} == rust ]]; then
    exit 0
fi
python=${LEAKPROOF_PYTHON:-$PWD/.venv/bin/python}
tests=xml-safe/tests
found=23

library=$(gcc -print-file-name=libasan.so)
if [[ $library != /* ]]; then
    echo "sanitize: gcc has no libasan.so" >&2
    exit 2
fi

# Python's own allocator would hide its blocks in large ones.
sanitized() {
    env LD_PRELOAD="$library" PYTHONMALLOC=malloc \
        ASAN_OPTIONS="detect_leaks=1:exitcode=$found:allocator_may_return_null=1" \
        LSAN_OPTIONS="suppressions=$PWD/tools/sanitize.supp:print_suppressions=0" \
        "$python" "$@"
}

# check NAME STATUS TEXT PROGRAM: checks that the sanitizers report TEXT for PROGRAM, or nothing if TEXT is empty.
check() {
    local name=$1 expected=$2 text=$3 output status=0
    output=$(sanitized -c "$4" 2>&1) || status=$?
    if [[ $status != "$expected" || $output != *"$text"* || (-z $text && -n $output) ]]; then
        echo "sanitize: the check of the sanitizers themselves failed ($name): status $status" >&2
        echo "$output" >&2
        exit 2
    fi
    echo "sanitize: $name: as it should be"
}

read -r -d '' libxml2 <<'EOF' || true
import ctypes, ctypes.util
lib = ctypes.CDLL(ctypes.util.find_library("xml2"))
lib.xmlNewDoc.restype = ctypes.c_void_p
lib.xmlFreeDoc.argtypes = [ctypes.c_void_p]
EOF
check "a program that loses nothing" 0 "" "$libxml2
for _ in range(10): lib.xmlFreeDoc(lib.xmlNewDoc(b'1.0'))
import xml_safe
doc = xml_safe.parse('<a/>')
doc.xpathEval('//a')"
check "a document that is not freed" $found "in xmlNewDoc" "$libxml2
for _ in range(10): lib.xmlNewDoc(b'1.0')"
check "a document that is freed twice" $found "attempting double-free" "$libxml2
doc = lib.xmlNewDoc(b'1.0')
lib.xmlFreeDoc(doc)
lib.xmlFreeDoc(doc)"
check "memory that is read after it was freed" $found "heap-use-after-free" "
import ctypes
c = ctypes.CDLL(None)
c.malloc.restype = ctypes.c_void_p
c.free.argtypes = [ctypes.c_void_p]
block = c.malloc(99)
c.free(block)
ctypes.string_at(block, 99)"

skipped=(
    # LeakSanitizer stops all threads to find leaks, which it can't do in a forked child.
    "fork" "test_the_parents_handles_are_unaffected_by_a_child"
    # A call that is running in a daemon thread when the process ends leaks, and has to.
    "test_daemon_threads_in_a_call_at_exit"
    # These tests leak handles on purpose.
    "test_a_leak_is" "test_the_report_names" "report_each_its_own"
    # The official binding leaks.
    "test_beside_the_official_binding"
    # This test leaks a handle on purpose in a process of its own, which inherits these options.
    "test_a_dropped_handle_that_c_keeps_is_lost"
    # These tests ask how much memory glibc's allocator has, which is not in use here.
    "test_a_large_document_is_given_back" "test_names_in_a_new_document_are_there_once"
    # These tests limit the address space, of which AddressSanitizer maps terabytes.
    "test_text_that_does_not_fit_is_a_memory_error" "test_a_wrong_value_of_a_function_is_a_memory_error"
    "test_result_under_any_memory_limit_is_whole"
)
deselected=(
    --deselect "$tests/test_closing.py::test_the_end_of_the_process[in a daemon thread]"
    --deselect "$tests/test_closing.py::test_the_end_of_the_process[in a forked child]"
    # Valgrind is a sanitizer of its own.
    --ignore "$tests/test_valgrind.py"
)
printf -v expression " or %s" "${skipped[@]}"

status=0
for folder in "$tests" examples/*/tests tests/*/tests; do
    echo "sanitize: $folder"
    ended=0
    sanitized -m pytest -p no:cacheprovider "$folder" "${deselected[@]}" -k "not (${expression# or })" "$@" || ended=$?
    # A finding of the sanitizers takes precedence over a failed test.
    if [[ $ended == "$found" || $status == 0 ]]; then
        status=$ended
    fi
done
case $status in
    0) echo "sanitize: nothing was lost or misused" ;;
    "$found") echo "sanitize: FOUND something: see above" >&2 ;;
    *) echo "sanitize: tests failed (status $status), which may be a finding" >&2 ;;
esac
exit "$status"
