/* A trivial C library: its functions cost a few instructions, so what is measured is the call from Python. */
#ifndef COUNTER_H
#define COUNTER_H

#ifdef __cplusplus
extern "C" {
#endif

/* A part of a counter. */
typedef struct dial {
    int position;
} dial;

typedef struct counter {
    int value;
    char name[12];
    dial dial;
} counter;

/* Returns NULL if `start` is negative, or without memory. */
counter *counter_new(int start);
void counter_free(counter *self);

int counter_get(const counter *self);
int counter_plus(const counter *self, int n);
int counter_scaled(const counter *self, int factor, int offset);
/* Compares the first character of `text` with that of the name. */
int counter_matches(const counter *self, const char *text);
/* The string belongs to the counter. */
const char *counter_name(const counter *self);
/* The dial is valid as long as the counter. */
const dial *counter_dial(const counter *self);
int dial_get(const dial *self);
int counter_sum(int a, int b);
int counter_add(counter *self, int n);

#ifdef __cplusplus
}
#endif

#endif
