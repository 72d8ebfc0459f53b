# cython: language_level=3
"""The trivial C library of the benchmarks, wrapped with Cython."""

cimport cython

cdef extern from "counter.h":
    ctypedef struct dial:
        pass

    ctypedef struct counter:
        int value

    counter *counter_new(int start)
    void counter_free(counter *self)
    int counter_get(const counter *self)
    int counter_plus(const counter *self, int n)
    int counter_scaled(const counter *self, int factor, int offset)
    int counter_matches(const counter *self, const char *text)
    const char *counter_name(const counter *self)
    const dial *counter_dial(const counter *self)
    int dial_get(const dial *self)
    int counter_sum(int a, int b)
    int counter_add(counter *self, int n)


cdef class Counter:
    cdef counter *raw

    def __cinit__(self, int start):
        self.raw = counter_new(start)
        if self.raw is NULL:
            raise RuntimeError("counter_new failed")

    def __dealloc__(self):
        counter_free(self.raw)

    @property
    def value(self):
        return self.raw.value

    def get(self):
        return counter_get(self.raw)

    def plus(self, int n):
        return counter_plus(self.raw, n)

    def scaled(self, int factor, int offset):
        return counter_scaled(self.raw, factor, offset)

    def matches(self, str text):
        return counter_matches(self.raw, text.encode())

    def name(self):
        return counter_name(self.raw).decode()

    def dial(self):
        cdef Dial result = Dial.__new__(Dial)
        result.raw = counter_dial(self.raw)
        result.owner = self
        return result

    @staticmethod
    def sum(int a, int b):
        return counter_sum(a, b)

    def add(self, int n):
        return counter_add(self.raw, n)


# A dial refers to nothing that could refer to the dial.
@cython.no_gc
cdef class Dial:
    cdef const dial *raw
    cdef Counter owner

    def get(self):
        return dial_get(self.raw)
