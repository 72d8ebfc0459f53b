//! Folders with a part that knows its owner, and children with a folder of their own.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::ffi;

/// A folder with a paper.
#[handle(raw = ffi::folder, release = ffi::folder_free, fork_safe)]
pub struct Folder;

#[methods(unsafe)]
impl Folder {
    /// Makes a folder whose paper has this number.
    #[new]
    #[calls(ffi::folder_new, fails = null)]
    fn new(number: c_int) -> Result<Owned<Folder>>;

    /// The paper.
    #[calls(ffi::folder_paper)]
    fn paper(&self) -> Option<Borrowed<Paper>>;

    /// Makes a clip on the folder; the paper of the clip's own folder has this number.
    #[calls(ffi::clip_new, fails = null)]
    fn clip(&self, number: c_int) -> Result<Owned<Clip>>;
}

/// A paper, which knows its folder.
#[handle(raw = ffi::paper, part_of = Folder, owner_field = folder)]
pub struct Paper;

#[methods(unsafe)]
impl Paper {
    /// The number on it.
    #[getter]
    #[field(number)]
    fn number(&self) -> c_int;
}

/// A clip on a folder, with a folder of its own.
#[handle(raw = ffi::clip, release = ffi::clip_free, parent = Folder, fork_safe)]
pub struct Clip;

#[methods(unsafe)]
impl Clip {
    #[rust_only]
    #[calls(ffi::clip_folder)]
    fn own(&self) -> Option<Borrowed<Folder>>;

    /// The paper in the clip's own folder.
    fn paper(&self) -> Option<Borrowed<'_, Paper>> {
        self.own()?.get().paper()
    }

    /// Makes a clip that lives in this clip's own folder.
    fn clip(&self, number: c_int) -> Result<Owned<'_, Clip>> {
        let own = self.own().ok_or(Error::Failed("clip_folder"))?;
        own.get().clip(number)
    }

    /// The papers in the clip's own folder.
    fn papers(&self) -> Successors<'_, Paper> {
        Successors::new(self.paper(), |_| None)
    }
}

/// A folder whose number is passed by name.
#[handle(raw = ffi::folder, release = ffi::folder_free, fork_safe)]
pub struct Binder;

#[methods(unsafe)]
impl Binder {
    /// Makes a folder with a paper of that number.
    #[new]
    #[calls(ffi::folder_new, fails = null)]
    #[pyo3(signature = (*, number))]
    fn new(number: c_int) -> Result<Owned<Binder>>;
}
