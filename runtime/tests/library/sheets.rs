//! Structs and flags that are passed by value, and sheets with several results per call.

use std::ffi::{c_char, c_int};

use super::control::{acquire, release};

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct point {
    pub x: f64,
    pub y: f64,
}

#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct segment {
    pub from: point,
    pub to: point,
    pub marks: c_int,
}

/// Bytes of both kinds that C has.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct stamp {
    pub id: [u8; 4],
    pub text: [c_char; 4],
}

pub struct sheet {
    pub corner: point,
}

pub struct pin {
    pub number: c_int,
}

pub unsafe extern "C" fn sheet_new() -> *mut sheet {
    let corner = point { x: 3.0, y: 4.0 };
    acquire("new sheet", sheet { corner })
}

pub unsafe extern "C" fn sheet_free(sheet: *mut sheet) {
    release("free sheet", sheet);
}

/// Writes the stamp, with its bytes in the reverse order.
pub unsafe extern "C" fn sheet_stamp(_: *const sheet, from: *const stamp, to: *mut stamp) {
    // SAFETY: two valid stamps.
    unsafe {
        *to = *from;
        (*to).id.reverse();
        (*to).text.reverse();
    }
}

/// Writes four numbers.
pub unsafe extern "C" fn sheet_extents(
    sheet: *const sheet,
    left: *mut f64,
    top: *mut f64,
    right: *mut f64,
    bottom: *mut f64,
) {
    // SAFETY: a valid sheet, and places for the numbers.
    unsafe {
        *left = 0.0;
        *top = 0.0;
        *right = (*sheet).corner.x;
        *bottom = (*sheet).corner.y;
    }
}

fn pin_new(number: c_int) -> *mut pin {
    Box::into_raw(Box::new(pin { number }))
}

pub unsafe extern "C" fn pin_free(pin: *mut pin) {
    // SAFETY: a valid pin, released once.
    drop(unsafe { Box::from_raw(pin) });
}

/// Makes pins for the number and its successor, and writes their sum. -1 for a negative number, with the first pin.
pub unsafe extern "C" fn sheet_pins(
    _: *mut sheet,
    number: c_int,
    first: *mut *mut pin,
    second: *mut *mut pin,
    sum: *mut c_int,
) -> c_int {
    // SAFETY: places for the results.
    unsafe {
        *first = pin_new(number);
        if number < 0 {
            return -1;
        }
        *second = pin_new(number + 1);
        *sum = 2 * number + 1;
    }
    0
}

pub const FINE: c_int = 1;
pub const BOLD: c_int = 4;
pub const LAST: c_int = c_int::MIN;

pub type open_finish = c_int;
pub const MATTE: c_int = 0;
pub const GLOSS: c_int = 2;

/// A caption, which belongs to a list.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct caption {
    pub text: [c_char; 8],
    pub size: c_int,
    pub next: *mut caption,
    pub place: point,
}

impl Default for caption {
    fn default() -> Self {
        caption {
            text: [0; 8],
            size: 0,
            next: std::ptr::null_mut(),
            place: point::default(),
        }
    }
}

/// Writes a caption with the size and a pointer to memory that is not there; 0 if the size is negative.
pub unsafe extern "C" fn sheet_caption(_: *const sheet, size: c_int, to: *mut caption) -> c_int {
    let text = b"caption\0".map(u8::cast_signed);
    let next = std::ptr::without_provenance_mut(8);
    let place = point { x: 1.0, y: 2.0 };
    // SAFETY: a place for a caption.
    unsafe {
        *to = caption {
            text,
            size,
            next,
            place,
        }
    };
    c_int::from(size >= 0)
}
