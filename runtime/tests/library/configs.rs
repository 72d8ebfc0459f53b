//! Settings behind `void *`, whose types are chosen by another argument, and C functions with variable arguments.

use std::ffi::{c_char, c_double, c_int, c_void};

use super::control::{acquire, release};

pub const LEVEL: c_int = 1;
pub const RATIO: c_int = 2;
pub const TITLE: c_int = 3;
pub const LABEL: c_int = 4;
pub const COPY: c_int = 5;

pub struct config {
    level: c_int,
    title: [c_char; 16],
}

pub unsafe extern "C" fn config_new() -> *mut config {
    acquire(
        "config_new",
        config {
            level: 3,
            title: [0; 16],
        },
    )
}

pub unsafe extern "C" fn config_free(it: *mut config) {
    release("config_free", it);
}

/// Writes the setting to `value`: an `int`, a `double`, a `const char *`, a `char *` that `label_free` frees, or a
/// `config *` that `config_free` releases. -1 for another setting.
pub unsafe extern "C" fn config_get(it: *mut config, setting: c_int, value: *mut c_void) -> c_int {
    // SAFETY: as C: there is room for the setting.
    unsafe {
        match setting {
            LEVEL => *value.cast::<c_int>() = (*it).level,
            RATIO => *value.cast::<c_double>() = f64::from((*it).level) / 2.0,
            TITLE => *value.cast::<*const c_char>() = (*it).title.as_ptr(),
            LABEL => *value.cast::<*mut c_char>() = acquire("label", *b"label\0").cast(),
            COPY => {
                let (level, title) = ((*it).level, (*it).title);
                *value.cast::<*mut config>() = acquire("config_copy", config { level, title });
            }
            _ => return -1,
        }
    }
    0
}

pub unsafe extern "C" fn label_free(label: *mut c_char) {
    release("label_free", label.cast::<[u8; 6]>());
}

/// Reads the setting from `value`: an `int`, or a `const char *`.
pub unsafe extern "C" fn config_set(
    it: *mut config,
    setting: c_int,
    value: *const c_void,
) -> c_int {
    // SAFETY: as C: the setting is there.
    unsafe {
        match setting {
            LEVEL => (*it).level = *value.cast::<c_int>(),
            TITLE => {
                snprintf((&raw mut (*it).title).cast(), 16, c"%s".as_ptr(), value);
            }
            _ => return -1,
        }
    }
    0
}

/// Says that there are more numbers than memory can hold.
pub unsafe extern "C" fn config_numbers(it: *const config, length: *mut usize) -> *const c_int {
    // SAFETY: as C: there is room for the length, and the configuration is valid.
    unsafe {
        *length = 1 << 60;
        &raw const (*it).level
    }
}

// SAFETY: the C library has functions of these types.
unsafe extern "C" {
    /// The C library's.
    pub fn snprintf(text: *mut c_char, size: usize, format: *const c_char, ...) -> c_int;
    /// The C library's.
    pub fn sscanf(text: *const c_char, format: *const c_char, ...) -> c_int;
}
