//! Players, which keep a pointer to a tune that stays the caller's, and use it until they have another one.

use std::ffi::{c_int, c_void};
use std::ptr;

use super::control::{acquire, fails, note, release};

pub struct tune {
    pub notes: c_int,
}

/// A player with two places for a tune.
pub struct player {
    tune: *mut tune,
    encore: *mut tune,
}

pub type listen_t = Option<unsafe extern "C" fn(data: *mut c_void, tune: *mut tune)>;

pub unsafe extern "C" fn tune_new(notes: c_int) -> *mut tune {
    acquire("tune_new", tune { notes })
}

pub unsafe extern "C" fn tune_free(it: *mut tune) {
    // SAFETY: a valid tune, released once.
    let notes = unsafe { (*it).notes };
    release(&format!("tune_free {notes}"), it);
}

pub unsafe extern "C" fn tune_notes(it: *const tune) -> c_int {
    // SAFETY: a valid tune.
    unsafe { (*it).notes }
}

/// Made from a tune, and used as long as that.
pub struct variation {
    tune: *const tune,
}

pub unsafe extern "C" fn tune_copy(it: *const tune) -> *mut variation {
    acquire("tune_copy", variation { tune: it })
}

/// Looks at its tune for the last time.
pub unsafe extern "C" fn variation_free(it: *mut variation) {
    // SAFETY: a valid variation, released once, and its tune.
    unsafe { tune_notes((*it).tune) };
    release("variation_free", it);
}

pub unsafe extern "C" fn player_new() -> *mut player {
    acquire(
        "player_new",
        player {
            tune: ptr::null_mut(),
            encore: ptr::null_mut(),
        },
    )
}

/// Looks at its tunes for the last time.
pub unsafe extern "C" fn player_free(it: *mut player) {
    // SAFETY: a valid player, released once, and its tunes.
    let notes = unsafe { player_play(it) };
    release(&format!("player_free {notes}"), it);
}

/// Keeps the tune, which may be NULL, in place of the one before. -1 if the player can't play it.
pub unsafe extern "C" fn player_set_tune(it: *mut player, tune: *mut tune) -> c_int {
    note("player_set_tune");
    // SAFETY: a valid player, and no report.
    unsafe {
        if fails(&raw const NOBODY) {
            return -1;
        }
        (*it).tune = tune;
    }
    0
}

/// Keeps the tune in place of the one before, and returns `notes`.
pub unsafe extern "C" fn player_set_many(it: *mut player, tune: *mut tune, notes: c_int) -> c_int {
    // SAFETY: a valid player.
    unsafe { (*it).tune = tune };
    notes
}

/// Keeps the tune as long as the player lives.
pub unsafe extern "C" fn player_set_encore(it: *mut player, tune: *mut tune) {
    note("player_set_encore");
    // SAFETY: a valid player.
    unsafe { (*it).encore = tune };
}

/// Returns the number of notes in both tunes.
pub unsafe extern "C" fn player_play(it: *const player) -> c_int {
    // SAFETY: a valid player, whose tunes are valid or NULL.
    unsafe {
        [(*it).tune, (*it).encore]
            .iter()
            .filter(|tune| !tune.is_null())
            .map(|tune| (**tune).notes)
            .sum()
    }
}

/// Calls back with the tune, and then plays it.
pub unsafe extern "C" fn player_rehearse(
    it: *mut player,
    listen: listen_t,
    data: *mut c_void,
) -> c_int {
    // SAFETY: a valid player, and a function that may be called with the tune.
    unsafe {
        if let (Some(listen), false) = (listen, (*it).tune.is_null()) {
            listen(data, (*it).tune);
        }
        player_play(it)
    }
}

static NOBODY: super::control::report = None;
