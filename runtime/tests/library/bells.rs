//! Bells, which call back what was added to them, the ropes of a bell, and knots.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "C code: every function takes valid pointers"
)]

use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_int, c_void};

use super::control::note;

pub type ring = Option<unsafe extern "C" fn(c_int, *mut c_void) -> c_int>;
/// A callback with 16 arguments.
pub type chime = Option<
    unsafe extern "C" fn(
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        *mut c_void,
    ) -> c_int,
>;
/// A callback with a question and a place for the answer.
pub type ask = Option<unsafe extern "C" fn(*mut c_void, *const c_int, *mut c_int) -> c_int>;
pub type destroy = Option<unsafe extern "C" fn(*mut c_void)>;

#[derive(Clone, Copy)]
pub struct pull {
    ring: ring,
    data: *mut c_void,
    destroy: destroy,
}

thread_local! {
    static FORGOTTEN: RefCell<Vec<pull>> = const { RefCell::new(Vec::new()) };
}

/// Destroys the user data that released bells did not destroy.
pub unsafe extern "C" fn remember() {
    for pull in FORGOTTEN.take() {
        if let Some(destroy) = pull.destroy {
            unsafe { destroy(pull.data) };
        }
    }
}

#[derive(Default)]
pub struct bell {
    pub pulls: Vec<pull>,
    pub forgets: bool,
    pub refuses: c_int,
    pub destroys: bool,
}

pub unsafe extern "C" fn bell_new() -> *mut bell {
    Box::into_raw(Box::default())
}

pub unsafe extern "C" fn bell_free(bell: *mut bell) -> c_int {
    unsafe {
        if (*bell).refuses == 99 {
            (*bell).refuses = 0;
            return 1;
        }
        note("free");
        let bell = Box::from_raw(bell);
        for pull in bell.pulls {
            match pull.destroy {
                Some(_) if bell.forgets => FORGOTTEN.with_borrow_mut(|all| all.push(pull)),
                Some(destroy) => destroy(pull.data),
                None => {}
            }
        }
        note("freed");
    }
    0
}

pub unsafe extern "C" fn bell_melt(bell: *mut bell) -> c_int {
    unsafe { bell_free(bell) };
    0
}

pub unsafe extern "C" fn bell_set_refuses(bell: *mut bell, status: c_int, destroys: bool) {
    unsafe {
        (*bell).refuses = status;
        (*bell).destroys = destroys;
    }
}

pub unsafe extern "C" fn bell_set_forgets(bell: *mut bell) {
    unsafe { (*bell).forgets = true };
}

pub unsafe extern "C" fn bell_add(
    bell: *mut bell,
    ring: ring,
    data: *mut c_void,
    destroy: destroy,
) -> c_int {
    let bell = unsafe { &mut *bell };
    if bell.refuses != 0 {
        if let (Some(destroy), true) = (destroy, bell.destroys) {
            unsafe { destroy(data) };
        }
        return bell.refuses;
    }
    bell.pulls.push(pull {
        ring,
        data,
        destroy,
    });
    0
}

pub unsafe extern "C" fn bell_set(bell: *mut bell, ring: ring, data: *mut c_void) -> c_int {
    let bell = unsafe { &mut *bell };
    if bell.refuses != 0 {
        return bell.refuses;
    }
    bell.pulls.clear();
    if ring.is_some() {
        bell.pulls.push(pull {
            ring,
            data,
            destroy: None,
        });
    }
    0
}

pub unsafe extern "C" fn bell_remove(bell: *mut bell) {
    let pull = unsafe { &mut (*bell).pulls }.pop();
    if let Some(destroy) = pull.and_then(|pull| pull.destroy) {
        unsafe { destroy(pull.map_or(std::ptr::null_mut(), |pull| pull.data)) };
    }
}

/// Calls every callback `times` times, until one returns another number than 0.
pub unsafe extern "C" fn bell_ring(bell: *mut bell, times: c_int) -> c_int {
    for time in 0..times {
        let mut index = 0;
        while let Some(pull) = unsafe { &(*bell).pulls }.get(index).copied() {
            index += 1;
            if let Some(ring) = pull.ring {
                let status = unsafe { ring(time, pull.data) };
                if status != 0 {
                    return status;
                }
            }
        }
    }
    0
}

/// Calls every callback `times` times, and ignores the results.
pub unsafe extern "C" fn bell_ring_on(bell: *mut bell, times: c_int) {
    for time in 0..times {
        for pull in unsafe { (&*bell).pulls.clone() } {
            if let Some(ring) = pull.ring {
                unsafe { ring(time, pull.data) };
            }
        }
    }
}

pub unsafe extern "C" fn bell_each(
    _bell: *mut bell,
    ring: ring,
    other: ring,
    data: *mut c_void,
) -> c_int {
    for function in [ring, ring, other].into_iter().flatten() {
        if unsafe { function(7, data) } != 0 {
            return -1;
        }
    }
    0
}

/// Calls the same as `bell_each`, and ignores the results.
pub unsafe extern "C" fn bell_each_on(
    bell: *mut bell,
    ring: ring,
    other: ring,
    data: *mut c_void,
) -> c_int {
    let _ = bell;
    for function in [ring, ring, other].into_iter().flatten() {
        unsafe { function(7, data) };
    }
    0
}

pub unsafe extern "C" fn bell_melt_never(_bell: *mut bell) -> c_int {
    -1
}

pub struct rope {
    number: c_int,
}

pub unsafe extern "C" fn rope_new(_bell: *mut bell, number: c_int) -> *mut rope {
    if number < 0 {
        return std::ptr::null_mut();
    }
    Box::into_raw(Box::new(rope { number }))
}

pub unsafe extern "C" fn rope_free(bell: *mut bell, rope: *mut rope) {
    let pulls = unsafe { (&*bell).pulls.len() };
    let rope = unsafe { Box::from_raw(rope) };
    note(format!("rope {} of {pulls}", rope.number));
}

pub unsafe extern "C" fn tie(_bell: *mut bell, _rope: *mut rope) -> *mut c_int {
    Box::into_raw(Box::new(0))
}

pub unsafe extern "C" fn untie(knot: *mut c_int) {
    note("untied");
    drop(unsafe { Box::from_raw(knot) });
}

/// Calls `chime` with the numbers from 1 on; -2 for NULL.
pub unsafe extern "C" fn bell_chime(_bell: *mut bell, chime: chime, data: *mut c_void) -> c_int {
    match chime {
        Some(chime) => unsafe { chime(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, data) },
        None => -2,
    }
}

/// Asks about 7, and returns the answer; -1 if there is none.
pub unsafe extern "C" fn bell_ask(_bell: *mut bell, ask: ask, data: *mut c_void) -> c_int {
    let mut answer = 0;
    match ask {
        Some(ask) if unsafe { ask(data, &7, &mut answer) } == 1 => answer,
        _ => -1,
    }
}

/// Writes an answer.
pub unsafe extern "C" fn answer_set(place: *mut c_int, answer: c_int) {
    unsafe { *place = answer };
}

/// Returns the sum of the weights.
pub unsafe extern "C" fn bell_weigh(_bell: *mut bell, weights: *const f64, count: c_int) -> f64 {
    (0..count)
        .map(|index| unsafe { *weights.offset(index as isize) })
        .sum()
}

/// Returns the number of letters in the names, of which NULL is the last one.
pub unsafe extern "C" fn bell_spell(_bell: *mut bell, names: *mut *const c_char) -> c_int {
    let names = (0..).map(|index| unsafe { *names.offset(index) });
    let letters = names
        .take_while(|name| !name.is_null())
        .map(|name| unsafe { CStr::from_ptr(name) }.count_bytes());
    letters.sum::<usize>() as c_int
}
