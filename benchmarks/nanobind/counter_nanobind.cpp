/* The trivial C library of the benchmarks, wrapped with nanobind. */
#include <nanobind/nanobind.h>

#include <new>
#include <stdexcept>

#include "counter.h"

namespace nb = nanobind;

struct Counter {
    counter *raw;

    explicit Counter(int start) : raw(counter_new(start)) {
        if (raw == nullptr) {
            throw std::runtime_error("counter_new failed");
        }
    }
    Counter(const Counter &) = delete;
    Counter &operator=(const Counter &) = delete;
    ~Counter() { counter_free(raw); }
};

NB_MODULE(counter_nanobind, module) {
    nb::class_<dial>(module, "Dial").def("get", [](const dial &self) { return dial_get(&self); });
    nb::class_<Counter>(module, "Counter")
        .def(nb::init<int>())
        .def_prop_ro("value", [](const Counter &self) { return self.raw->value; })
        .def("get", [](const Counter &self) { return counter_get(self.raw); })
        .def("plus", [](const Counter &self, int n) { return counter_plus(self.raw, n); })
        .def("scaled", [](const Counter &self, int factor, int offset) { return counter_scaled(self.raw, factor, offset); })
        .def("matches", [](const Counter &self, const char *text) { return counter_matches(self.raw, text); })
        .def("name", [](const Counter &self) { return counter_name(self.raw); })
        .def("dial", [](const Counter &self) { return counter_dial(self.raw); }, nb::rv_policy::reference_internal)
        .def_static("sum", [](int a, int b) { return counter_sum(a, b); })
        .def("add", [](Counter &self, int n) { return counter_add(self.raw, n); });
}
