/* A library without pkg-config: its archive is built by build.rs. */
#define TRUNK_RINGS(years) ((years) * 2)

int trunk_age(int rings);

/* A function of the wrapper's own, for a macro with an argument. */
static inline int trunk_rings(int years) {
    return TRUNK_RINGS(years);
}
