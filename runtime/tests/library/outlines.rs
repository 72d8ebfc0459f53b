//! Outlines: trees of topics, each with a list of subtopics and a list of notes. The topmost topic has no parent.
//! Topics read their outline until they are released.

use std::ffi::{c_int, c_void};
use std::ptr;

use super::control::{acquire, fails, note, pass_gate, release};

pub struct outline {
    pub root: *mut topic,
    /// The number of topics that were released.
    pub released: c_int,
}

pub const TOPIC: c_int = 0;
pub const NOTE: c_int = 1;

#[repr(C)]
pub struct topic {
    pub number: c_int,
    pub kind: c_int,
    pub outline: *mut outline,
    pub up: *mut topic,
    pub next: *mut topic,
    pub first: *mut topic,
    pub notes: *mut topic,
    /// For the application.
    pub user: *mut c_void,
    /// Belongs to the topic.
    pub badge: *mut badge,
}

#[repr(C)]
pub struct badge {
    pub number: c_int,
}

/// An outline with the topic 0.
pub unsafe extern "C" fn outline_new() -> *mut outline {
    let outline = acquire(
        "outline_new",
        outline {
            root: ptr::null_mut(),
            released: 0,
        },
    );
    // SAFETY: the outline is new.
    unsafe { (*outline).root = new(outline, 0, TOPIC) };
    outline
}

/// Releases the outline and the topics in it, not those that are unlinked.
pub unsafe extern "C" fn outline_free(it: *mut outline) {
    // SAFETY: a valid outline, released once.
    unsafe {
        if !(*it).root.is_null() {
            free((*it).root);
        }
        let released = (*it).released;
        release(&format!("outline_free {released}"), it);
    }
}

/// Waits at the gate, then releases the outline. Fails without an effect for a negative number.
pub unsafe extern "C" fn outline_end(it: *mut outline, number: c_int) -> c_int {
    pass_gate();
    // SAFETY: no report.
    if number < 0 || unsafe { fails(ptr::null()) } {
        return -1;
    }
    // SAFETY: a valid outline, which the caller gives up.
    unsafe { outline_free(it) };
    0
}

unsafe fn new(outline: *mut outline, number: c_int, kind: c_int) -> *mut topic {
    Box::into_raw(Box::new(topic {
        number,
        kind,
        outline,
        up: ptr::null_mut(),
        next: ptr::null_mut(),
        first: ptr::null_mut(),
        notes: ptr::null_mut(),
        user: ptr::null_mut(),
        badge: Box::into_raw(Box::new(badge { number })),
    }))
}

/// Makes a topic that is not linked. NULL if it can't be made.
pub unsafe extern "C" fn topic_new(outline: *mut outline, number: c_int) -> *mut topic {
    // SAFETY: no report.
    if unsafe { fails(ptr::null()) } {
        return ptr::null_mut();
    }
    note(format!("topic_new {number}"));
    // SAFETY: a valid outline.
    unsafe { new(outline, number, TOPIC) }
}

pub unsafe extern "C" fn note_new(outline: *mut outline, number: c_int) -> *mut topic {
    note(format!("note_new {number}"));
    // SAFETY: a valid outline.
    unsafe { new(outline, number, NOTE) }
}

unsafe fn free(it: *mut topic) {
    // From the bottom, without recursion.
    let mut here = it;
    loop {
        // SAFETY: a valid topic with valid topics below it, and its outline.
        unsafe {
            while let Some(list) = [&raw mut (*here).first, &raw mut (*here).notes]
                .into_iter()
                .find(|list| !(**list).is_null())
            {
                let child = *list;
                *list = (*child).next;
                here = child;
            }
            let up = (*here).up;
            (*(*here).outline).released += 1;
            drop(Box::from_raw((*here).badge));
            drop(Box::from_raw(here));
            if here == it {
                return;
            }
            here = up;
        }
    }
}

/// Releases an unlinked topic with all below it.
pub unsafe extern "C" fn topic_free(it: *mut topic) {
    // SAFETY: a valid topic, released once.
    unsafe {
        note(format!("topic_free {}", (*it).number));
        free(it);
    }
}

/// Takes the topic out of the list that it is in.
pub unsafe extern "C" fn topic_unlink(it: *mut topic) {
    // SAFETY: a valid topic in a valid outline.
    unsafe {
        let (up, outline) = ((*it).up, (*it).outline);
        if up.is_null() {
            if (*outline).root == it {
                (*outline).root = ptr::null_mut();
            }
            return;
        }
        for list in [&raw mut (*up).first, &raw mut (*up).notes] {
            let mut place = list;
            while !(*place).is_null() && *place != it {
                place = &raw mut (**place).next;
            }
            if *place == it {
                *place = (*it).next;
            }
        }
        (*it).up = ptr::null_mut();
        (*it).next = ptr::null_mut();
    }
}

/// Moves `child` to the end of the list below `it` that it belongs to: notes to the notes. -1 if that fails; `child` is
/// then unlinked.
pub unsafe extern "C" fn topic_add(it: *mut topic, child: *mut topic) -> c_int {
    // SAFETY: valid topics of one outline, and no report.
    unsafe {
        topic_unlink(child);
        if fails(ptr::null()) {
            return -1;
        }
        let mut place = match (*child).kind {
            NOTE => &raw mut (*it).notes,
            _ => &raw mut (*it).first,
        };
        while !(*place).is_null() {
            place = &raw mut (**place).next;
        }
        *place = child;
        (*child).up = it;
    }
    0
}

/// Copies a topic with all below it into an outline, where it is not linked. NULL if that fails.
pub unsafe extern "C" fn topic_copy(it: *const topic, outline: *mut outline) -> *mut topic {
    // SAFETY: no report.
    if unsafe { fails(ptr::null()) } {
        return ptr::null_mut();
    }
    // SAFETY: a valid topic with valid topics below it, and a valid outline.
    unsafe {
        note(format!("topic_copy {}", (*it).number));
        let copy = new(outline, (*it).number, (*it).kind);
        let mut lists = vec![(it, copy)];
        while let Some((from, to)) = lists.pop() {
            let both = [
                ((*from).first, &raw mut (*to).first),
                ((*from).notes, &raw mut (*to).notes),
            ];
            for (mut child, mut place) in both {
                while !child.is_null() {
                    *place = new(outline, (*child).number, (*child).kind);
                    (**place).up = to;
                    lists.push((child, *place));
                    place = &raw mut (**place).next;
                    child = (*child).next;
                }
            }
        }
        copy
    }
}

/// Makes an unlinked topic the topmost one. The former one is unlinked, and returned.
pub unsafe extern "C" fn outline_set_root(it: *mut outline, root: *mut topic) -> *mut topic {
    // SAFETY: a valid outline, and a valid topic or NULL.
    unsafe {
        if !root.is_null() {
            topic_unlink(root);
        }
        std::mem::replace(&mut (*it).root, root)
    }
}

pub unsafe extern "C" fn outline_released(it: *const outline) -> c_int {
    // SAFETY: a valid outline.
    unsafe { (*it).released }
}

/// Waits at the gate, then returns the number of the topic.
pub unsafe extern "C" fn topic_wait(it: *const topic) -> c_int {
    pass_gate();
    // SAFETY: a valid topic.
    unsafe { (*it).number }
}

/// A pointer to a topic of an outline, which it reads until it is released.
pub struct bookmark {
    topic: *mut topic,
}

pub unsafe extern "C" fn bookmark_new(_: *mut outline) -> *mut bookmark {
    acquire(
        "bookmark_new",
        bookmark {
            topic: ptr::null_mut(),
        },
    )
}

pub unsafe extern "C" fn bookmark_free(it: *mut bookmark) {
    // SAFETY: a valid bookmark, released once.
    let number = unsafe { bookmark_number(it) };
    release(&format!("bookmark_free {number}"), it);
}

pub unsafe extern "C" fn bookmark_set(it: *mut bookmark, topic: *mut topic) {
    // SAFETY: a valid bookmark.
    unsafe { (*it).topic = topic };
}

/// The number of the topic; -1 without one.
pub unsafe extern "C" fn bookmark_number(it: *const bookmark) -> c_int {
    // SAFETY: a valid bookmark, and a valid topic or NULL.
    unsafe { (*it).topic.as_ref() }.map_or(-1, |topic| topic.number)
}
