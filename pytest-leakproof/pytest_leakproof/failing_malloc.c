/* A malloc that fails when it is told to. Loaded before the C library, by LD_PRELOAD, on systems with glibc.

   Only calls from watched code fail: from the address ranges that `failing_malloc_watch` was given. The place of the
   first failure is written to the file that the environment variable LEAKPROOF_FAILED_AT names: the innermost frames of
   watched code, each as the library and the offset in it. A crash leaves the file behind. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

enum { MOST_RANGES = 256, MOST_FRAMES = 8, PLACE_SIZE = 4096 };
static struct { uintptr_t from, to; } ranges[MOST_RANGES];
static int number_of_ranges;

/* How many more calls succeed; negative while nothing is to fail. */
static atomic_long left = -1;
static atomic_int persistent;
static atomic_long failures;

/* Where the place is written; negative if nowhere. */
static int place_file = -1;

__attribute__((constructor)) static void open_place_file(void)
{
    const char *path = getenv("LEAKPROOF_FAILED_AT");
    void *frames[2];
    /* The first call loads a library. */
    backtrace(frames, 2);
    if (path)
        place_file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

/* Watches the code from `from` up to `to`. Returns 0, or -1 if there are too many ranges. */
int failing_malloc_watch(uintptr_t from, uintptr_t to)
{
    if (number_of_ranges == MOST_RANGES)
        return -1;
    ranges[number_of_ranges].from = from;
    ranges[number_of_ranges++].to = to;
    return 0;
}

/* Lets the `n`-th call from now on fail, and all later ones if `also_later` is not 0. */
void failing_malloc_arm(long n, int also_later)
{
    atomic_store(&failures, 0);
    atomic_store(&persistent, also_later);
    atomic_store(&left, n - 1);
}

/* Lets all calls succeed again. Returns how many failed. */
long failing_malloc_disarm(void)
{
    atomic_store(&left, -1);
    atomic_store(&persistent, 0);
    return atomic_exchange(&failures, 0);
}

static int is_watched(const void *caller)
{
    uintptr_t address = (uintptr_t)caller;
    for (int index = 0; index < number_of_ranges; index++)
        if (ranges[index].from <= address && address < ranges[index].to)
            return 1;
    return 0;
}

/* Writes where this call comes from. Allocates nothing. */
static void write_place(void)
{
    void *frames[MOST_FRAMES + 3];
    char text[PLACE_SIZE] = "";
    size_t length = 0;
    int found = 0, count = backtrace(frames, MOST_FRAMES + 3);
    for (int index = 0; index < count; index++) {
        Dl_info info;
        if (!is_watched(frames[index])) {
            if (found)
                break;
            continue;
        }
        found = 1;
        if (!dladdr(frames[index], &info) || !info.dli_fname)
            continue;
        const char *name = strrchr(info.dli_fname, '/');
        int written = snprintf(text + length, PLACE_SIZE - 1 - length, "%s+0x%lx ", name ? name + 1 : info.dli_fname,
                               (unsigned long)((char *)frames[index] - (char *)info.dli_fbase));
        if (written < 0 || (size_t)written >= PLACE_SIZE - 1 - length)
            break;
        length += (size_t)written;
    }
    memset(text + length, ' ', PLACE_SIZE - 1 - length);
    text[PLACE_SIZE - 1] = '\n';
    if (pwrite(place_file, text, PLACE_SIZE, 0) < 0)
        return;
}

static int fails(const void *caller)
{
    if (atomic_load_explicit(&left, memory_order_relaxed) < 0 && !atomic_load(&failures))
        return 0;
    if (!is_watched(caller))
        return 0;
    int now = atomic_load(&left) >= 0 ? atomic_fetch_sub(&left, 1) == 0 : atomic_load(&persistent);
    if (now) {
        if (atomic_fetch_add(&failures, 1) == 0 && place_file >= 0)
            write_place();
        errno = ENOMEM;
    }
    return now;
}

void *malloc(size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    return fails(__builtin_return_address(0)) ? NULL : __libc_realloc(memory, size);
}
