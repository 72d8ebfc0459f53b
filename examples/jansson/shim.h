/* Functions beside Jansson's own that annotations can describe. */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* json_boolean is a macro. */
static inline json_t *shim_boolean(bool value) {
    return json_boolean(value);
}

/* The name that follows `name`, or the first one. NULL after the last one, and if `name` is not there. An iterator of
 * Jansson must not be used once the member that it is at was deleted. A name can be used always. */
static inline const char *shim_next_name(json_t *object, const char *name) {
    void *at = name ? json_object_iter_next(object, json_object_iter_at(object, name)) : json_object_iter(object);
    return json_object_iter_key(at);
}

/* Tells values apart. */
static inline uintptr_t shim_address(const json_t *value) {
    return (uintptr_t)value;
}

/* Whether values are nested more than `limit` deep. Jansson's functions recurse without a limit. */
static inline bool shim_is_deeper(json_t *value, int limit) {
    const char *key;
    size_t index;
    json_t *child;

    if (!json_is_object(value) && !json_is_array(value))
        return false;
    if (limit == 0)
        return true;
    json_object_foreach(value, key, child) {
        if (shim_is_deeper(child, limit - 1))
            return true;
    }
    json_array_foreach(value, index, child) {
        if (shim_is_deeper(child, limit - 1))
            return true;
    }
    return false;
}

/* As json_decref, which recurses and would overflow the stack with a deep tree. This one keeps a list instead. */
static inline void shim_decref(json_t *value) {
    const char *key;
    size_t index;
    json_t *child, *todo;

    if (value->refcount != 1 || !(todo = json_array())) {
        json_decref(value);
        return;
    }
    json_array_append_new(todo, value);
    while ((index = json_array_size(todo))) {
        value = json_incref(json_array_get(todo, index - 1));
        json_array_remove(todo, index - 1);
        if (value->refcount == 1) {
            json_object_foreach(value, key, child) {
                json_array_append(todo, child);
            }
            json_array_foreach(value, index, child) {
                json_array_append(todo, child);
            }
        }
        json_decref(value);
    }
    json_decref(todo);
}
