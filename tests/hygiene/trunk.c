#include "trunk.h"

int trunk_age(int rings) {
    return rings / 2;
}
