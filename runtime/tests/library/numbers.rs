//! Integer handles that can block and be woken.

use std::ffi::c_int;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::control::note;

/// The numbers in use, and those that were woken.
static NUMBERS: Mutex<(Vec<c_int>, Vec<c_int>)> = Mutex::new((Vec::new(), Vec::new()));

static WOKEN: Condvar = Condvar::new();

fn numbers() -> MutexGuard<'static, (Vec<c_int>, Vec<c_int>)> {
    NUMBERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lowest number that is free, from -1 on; -2 if there are too many.
pub unsafe extern "C" fn number_open() -> c_int {
    let mut numbers = numbers();
    let free = (-1..3).find(|number| !numbers.0.contains(number));
    numbers.0.extend(free);
    free.unwrap_or(-2)
}

/// Writes the lowest free number to `out`; 1 if there are too many.
pub unsafe extern "C" fn number_open_at(out: *mut c_int) -> c_int {
    // SAFETY: a place for the number, as the manual asks for.
    unsafe {
        *out = number_open();
        if *out == -2 { 1 } else { 0 }
    }
}

pub unsafe extern "C" fn number_close(number: c_int) {
    note(format!("number_close {number}"));
    let mut numbers = numbers();
    assert!(numbers.0.contains(&number), "it is closed once");
    numbers.0.retain(|other| *other != number);
    numbers.1.retain(|other| *other != number);
}

/// Waits until the number is woken.
pub unsafe extern "C" fn number_wait(number: c_int) -> c_int {
    let mut numbers = numbers();
    while !numbers.1.contains(&number) {
        numbers = WOKEN.wait(numbers).unwrap_or_else(PoisonError::into_inner);
    }
    number
}

pub unsafe extern "C" fn number_wake(number: c_int) {
    numbers().1.push(number);
    WOKEN.notify_all();
}
