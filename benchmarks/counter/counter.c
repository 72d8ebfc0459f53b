#include "counter.h"

#include <stdlib.h>
#include <string.h>

counter *counter_new(int start) {
    counter *self = start < 0 ? NULL : malloc(sizeof *self);
    if (self != NULL) {
        self->value = start;
        memcpy(self->name, "the counter", sizeof self->name);
        self->dial.position = start;
    }
    return self;
}

void counter_free(counter *self) { free(self); }

int counter_get(const counter *self) { return self->value; }

int counter_plus(const counter *self, int n) { return self->value + n; }

int counter_scaled(const counter *self, int factor, int offset) { return self->value * factor + offset; }

int counter_matches(const counter *self, const char *text) { return self->name[0] == text[0]; }

const char *counter_name(const counter *self) { return self->name; }

const dial *counter_dial(const counter *self) { return &self->dial; }

int dial_get(const dial *self) { return self->position; }

int counter_sum(int a, int b) { return a + b; }

int counter_add(counter *self, int n) { return self->value += n; }
