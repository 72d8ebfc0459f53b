//! Folders with one paper, which knows its folder, and clips.

use std::ffi::c_int;

/// A folder with one paper, which knows its folder.
pub struct folder {
    paper: *mut paper,
}

pub struct paper {
    pub folder: *mut folder,
    pub number: c_int,
}

pub unsafe extern "C" fn folder_new(number: c_int) -> *mut folder {
    let folder = Box::into_raw(Box::new(folder {
        paper: std::ptr::null_mut(),
    }));
    let paper = Box::into_raw(Box::new(paper { folder, number }));
    // SAFETY: the folder was just made.
    unsafe { (*folder).paper = paper };
    folder
}

pub unsafe extern "C" fn folder_free(folder: *mut folder) {
    // SAFETY: a valid folder, released once, as its paper is.
    unsafe {
        let folder = Box::from_raw(folder);
        drop(Box::from_raw(folder.paper));
    }
}

pub unsafe extern "C" fn folder_paper(folder: *mut folder) -> *mut paper {
    // SAFETY: a valid folder.
    unsafe { (*folder).paper }
}

/// A clip on a folder, with a folder of its own.
pub struct clip {
    own: *mut folder,
}

pub unsafe extern "C" fn clip_new(_folder: *mut folder, number: c_int) -> *mut clip {
    // SAFETY: it may always be called.
    let own = unsafe { folder_new(number) };
    Box::into_raw(Box::new(clip { own }))
}

pub unsafe extern "C" fn clip_free(clip: *mut clip) {
    // SAFETY: a valid clip, released once, and so is its folder.
    unsafe { folder_free(Box::from_raw(clip).own) };
}

pub unsafe extern "C" fn clip_folder(clip: *mut clip) -> *mut folder {
    // SAFETY: a valid clip.
    unsafe { (*clip).own }
}
