//! Callbacks that are `exclusive`, of handles that C keeps owners of counted objects in: those objects are not used
//! beside the callback either.

use std::cell::{Cell, RefCell};

use leakproof::prelude::*;

use crate::native::{Native, live};
use crate::panic_of;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};
    use std::ptr::null_mut;

    use crate::native::{acquire, release, touch};

    pub type look = Option<unsafe extern "C" fn(*mut c_void)>;

    /// A page, whose text is not there while it is written again.
    pub struct page {
        owners: usize,
        text: *mut c_int,
    }
    /// A line of a page.
    pub struct line {
        page: *mut page,
    }
    /// A folder with a page.
    pub struct folder {
        page: *mut page,
        tab: *mut tab,
        kept: look,
        data: *mut c_void,
    }
    /// A part of a folder.
    pub struct tab {
        folder: *mut folder,
    }

    pub unsafe extern "C" fn page_new() -> *mut page {
        let text = acquire("Text", 1);
        acquire("Page", page { owners: 1, text })
    }

    pub unsafe extern "C" fn page_ref(page: *mut page) -> *mut page {
        touch(page);
        unsafe { (*page).owners += 1 };
        page
    }

    pub unsafe extern "C" fn page_unref(page: *mut page) {
        touch(page);
        unsafe {
            (*page).owners -= 1;
            if (*page).owners == 0 {
                release((*page).text);
                release(page);
            }
        }
    }

    pub unsafe extern "C" fn page_read(page: *const page) -> c_int {
        touch(page.cast_mut());
        unsafe {
            touch((*page).text);
            *(*page).text
        }
    }

    /// Gives the page another text. Between the two it calls back.
    unsafe fn page_rewrite(page: *mut page, look: look, data: *mut c_void) {
        touch(page);
        unsafe {
            release((*page).text);
            look.unwrap()(data);
            (*page).text = acquire("Text", 2);
        }
    }

    pub unsafe extern "C" fn line_new(page: *mut page) -> *mut line {
        unsafe { page_read(page) };
        acquire("Line", line { page })
    }

    pub unsafe extern "C" fn line_free(line: *mut line) {
        unsafe { page_read((*line).page) };
        release(line);
    }

    pub unsafe extern "C" fn line_read(line: *mut line) -> c_int {
        touch(line);
        unsafe { page_read((*line).page) }
    }

    pub unsafe extern "C" fn folder_new() -> *mut folder {
        let tab = acquire("Tab", tab { folder: null_mut() });
        let folder = acquire(
            "Folder",
            folder {
                page: null_mut(),
                tab,
                kept: None,
                data: null_mut(),
            },
        );
        unsafe { (*tab).folder = folder };
        folder
    }

    pub unsafe extern "C" fn folder_free(folder: *mut folder) {
        unsafe {
            page_unref((*folder).page);
            release((*folder).tab);
        }
        release(folder);
    }

    pub unsafe extern "C" fn folder_put(folder: *mut folder, page: *mut page) {
        touch(folder);
        unsafe { (*folder).page = page };
    }

    pub unsafe extern "C" fn folder_tab(folder: *mut folder) -> *mut tab {
        touch(folder);
        unsafe { (*folder).tab }
    }

    pub unsafe extern "C" fn folder_rewrite(folder: *mut folder, look: look, data: *mut c_void) {
        touch(folder);
        unsafe { page_rewrite((*folder).page, look, data) };
    }

    pub unsafe extern "C" fn folder_keep(folder: *mut folder, look: look, data: *mut c_void) {
        touch(folder);
        unsafe { ((*folder).kept, (*folder).data) = (look, data) };
    }

    pub unsafe extern "C" fn folder_rewrite_kept(folder: *mut folder) {
        unsafe { folder_rewrite(folder, (*folder).kept, (*folder).data) };
    }

    pub unsafe extern "C" fn tab_rewrite(tab: *mut tab, look: look, data: *mut c_void) {
        touch(tab);
        unsafe { folder_rewrite((*tab).folder, look, data) };
    }
}

#[handle(raw = ffi::page, release = ffi::page_unref, retain = ffi::page_ref, independent, fork_safe)]
struct Page;

#[handle(raw = ffi::line, release = ffi::line_free, parent = Page, fork_safe)]
struct Line;

#[handle(raw = ffi::folder, release = ffi::folder_free, attachments, fork_safe)]
struct Folder;

/// A part of a folder. Nothing leads from it to the folder.
#[handle(raw = ffi::tab, part_of = Folder)]
struct Tab;

#[methods(unsafe, rust_only)]
impl Page {
    #[calls(ffi::page_new, fails = null)]
    fn new() -> Result<Owned<Page>>;

    #[calls(ffi::page_read, fails = negative)]
    fn read(&self) -> Result<i32>;

    #[calls(ffi::page_read, pure)]
    fn read_purely(&self) -> i32;

    #[calls(ffi::line_new, fails = null)]
    fn line(&self) -> Result<Owned<Line>>;
}

#[methods(unsafe, rust_only)]
impl Line {
    #[calls(ffi::line_read, fails = negative)]
    fn read(&self) -> Result<i32>;
}

#[methods(unsafe, rust_only)]
impl Folder {
    #[calls(ffi::folder_new, fails = null)]
    fn new() -> Result<Owned<Folder>>;

    #[calls(ffi::folder_put, consumes = always)]
    fn put(&mut self, page: Owned<Page>);

    #[calls(ffi::folder_tab)]
    fn tab(&self) -> Option<Borrowed<Tab>>;

    #[calls(ffi::folder_rewrite, args = (self, look.look, look.data))]
    fn rewrite(&self, look: &Look);

    #[calls(ffi::folder_keep, args = (self, look.look, look.data), scope = until_replaced)]
    fn keep(&mut self, look: Look);

    #[calls(ffi::folder_rewrite_kept)]
    fn rewrite_kept(&self);
}

#[methods(unsafe, rust_only)]
impl Tab {
    #[calls(ffi::tab_rewrite, args = (self, look.look, look.data))]
    fn rewrite(&self, look: &Look);
}

/// Does something while C has a page in pieces.
struct Look(fn());

impl Attachment for Look {}

#[callbacks(unsafe)]
impl Look {
    #[callback(ffi::look, args = (data), exclusive)]
    fn look(&self) {
        (self.0)();
        LOOKS.set(LOOKS.get() + 1);
    }
}

thread_local! {
    static LOOKS: Cell<usize> = const { Cell::new(0) };
    static PAGE: RefCell<Option<Owned<'static, Page>>> = const { RefCell::new(None) };
}

/// Uses the page in each way, all of which are refused.
fn use_refused() {
    PAGE.with_borrow(|page| {
        let page = page.as_ref().unwrap();
        assert!(matches!(page.read(), Err(Error::Busy("Page"))));
        assert!(matches!(page.line(), Err(Error::Busy("Page"))));
        assert!(panic_of(|| page.read_purely()).contains("Page"));
        // The count of owners is no part of what is in pieces.
        drop(page.clone());
    });
}

/// Makes a folder with a page, of which the thread has an owner, too, and lets `rewrite` give the page another text.
fn rewrite(rewrite: impl FnOnce(&Folder)) {
    let _native = Native::start();
    let page = Page::new().unwrap();
    PAGE.set(Some(page.clone()));
    let mut folder = Folder::new().unwrap();
    folder.put(page);
    folder.keep(Look(use_refused));
    LOOKS.set(0);
    rewrite(&folder);
    assert_eq!(LOOKS.get(), 1);
    let page = PAGE.take().unwrap();
    assert_eq!(page.read().unwrap(), 2);
}

#[test]
fn object_that_c_keeps_is_not_used_beside_an_exclusive_callback_of_the_keeper() {
    rewrite(|folder| folder.rewrite(&Look(use_refused)));
    rewrite(Folder::rewrite_kept);
}

#[test]
fn object_is_not_used_beside_an_exclusive_callback_of_a_part_that_does_not_know_the_keeper() {
    rewrite(|folder| folder.tab().unwrap().rewrite(&Look(use_refused)));
}

#[test]
fn child_of_an_object_is_not_used_beside_an_exclusive_callback_of_the_keeper() {
    thread_local! {
        static LINE: RefCell<Option<Owned<'static, Line>>> = const { RefCell::new(None) };
    }
    rewrite(|folder| {
        // Never dropped: the child of a thread lives in what lives for ever.
        let page: &'static Owned<'static, Page> = Box::leak(Box::new(
            PAGE.with_borrow(|page| page.as_ref().unwrap().clone()),
        ));
        LINE.set(Some(page.line().unwrap()));
        folder.rewrite(&Look(|| {
            LINE.with_borrow(|line| {
                let read = line.as_ref().unwrap().read();
                assert!(matches!(read, Err(Error::Busy("Page"))));
            });
            drop(LINE.take());
            assert_eq!(live("Line"), 1);
        }));
        assert_eq!(live("Line"), 0);
        // SAFETY: the reference came from the box above, and nothing else has it.
        drop(unsafe { Box::from_raw(std::ptr::from_ref(page).cast_mut()) });
    });
}
