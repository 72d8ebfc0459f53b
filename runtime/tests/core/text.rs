//! Text that C gives and that is not UTF-8: an error by default, U+FFFD where the author says so; nothing leaks.

use std::cell::Cell;
use std::ffi::{CString, c_int};

use leakproof::prelude::*;

thread_local! {
    /// Pages and texts that were made and not released.
    static ALIVE: Cell<i32> = const { Cell::new(0) };
}

fn alive() -> i32 {
    ALIVE.get()
}

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "what C would do, called as its manual says"
)]
mod ffi {
    use std::ffi::{CString, c_char, c_int, c_void};

    use super::ALIVE;

    pub(crate) struct Page {
        pub(crate) text: *const c_char,
        pub(crate) title: [c_char; 4],
    }

    pub(crate) type ReadFn = unsafe extern "C" fn(*const c_char, c_int, *mut c_void) -> c_int;

    const TEXTS: [&[u8]; 3] = [b"good\0", b"b\xffd\0", b"cut\xc3\0"];

    fn text(which: c_int) -> *const c_char {
        match usize::try_from(which) {
            Ok(which) => TEXTS[which].as_ptr().cast(),
            Err(_) => std::ptr::null(),
        }
    }

    pub(crate) unsafe extern "C" fn page_new(which: c_int) -> *mut Page {
        ALIVE.set(ALIVE.get() + 1);
        let title = match which {
            0 => [103, 0, 0, 0],
            _ => [103, -1, 0, 0],
        };
        Box::into_raw(Box::new(Page {
            text: text(which),
            title,
        }))
    }

    pub(crate) unsafe extern "C" fn page_free(page: *mut Page) {
        ALIVE.set(ALIVE.get() - 1);
        drop(unsafe { Box::from_raw(page) });
    }

    pub(crate) unsafe extern "C" fn page_text(page: *const Page) -> *const c_char {
        unsafe { (*page).text }
    }

    pub(crate) unsafe extern "C" fn page_copy(page: *const Page) -> *mut c_char {
        ALIVE.set(ALIVE.get() + 1);
        let text = unsafe { std::ffi::CStr::from_ptr((*page).text) };
        CString::from(text).into_raw()
    }

    pub(crate) unsafe extern "C" fn text_free(text: *mut c_void) {
        ALIVE.set(ALIVE.get() - 1);
        drop(unsafe { CString::from_raw(text.cast()) });
    }

    pub(crate) unsafe extern "C" fn page_texts(
        page: *const Page,
        count: *mut c_int,
    ) -> *const *const c_char {
        unsafe { *count = 1 };
        unsafe { &raw const (*page).text }
    }

    pub(crate) unsafe extern "C" fn page_turn(
        page: *const Page,
        next: *mut *mut Page,
        text: *mut *const c_char,
    ) -> c_int {
        unsafe {
            *next = page_new(0);
            *text = (*page).text;
        }
        0
    }

    pub(crate) unsafe extern "C" fn page_read(
        page: *const Page,
        read: Option<ReadFn>,
        data: *mut c_void,
    ) -> c_int {
        unsafe { read.unwrap()((*page).text, 3, data) }
    }
}

#[handle(raw = ffi::Page, release = ffi::page_free, fork_safe)]
pub(crate) struct Page;

#[methods(unsafe, rust_only)]
impl Page {
    #[calls(ffi::page_new, fails = null)]
    fn new(which: c_int) -> Result<Owned<Page>>;

    #[calls(ffi::page_text, fails = null)]
    fn text(&self) -> Result<String>;

    #[calls(ffi::page_text)]
    fn perhaps_text(&self) -> Result<Option<String>>;

    #[calls(ffi::page_text, utf8 = lossy)]
    fn lossy_text(&self) -> Option<String>;

    #[calls(ffi::page_text)]
    fn bytes(&self) -> Option<CString>;

    #[calls(ffi::page_copy, free = ffi::text_free)]
    fn copied(&self) -> Result<Option<String>>;

    #[calls(ffi::page_texts, args = (self, len))]
    fn texts(&self) -> Result<Vec<String>>;

    #[calls(ffi::page_turn, args = (self, out, out), fails = nonzero, on_failure = null)]
    fn turn(&self) -> Result<(Owned<Page>, String)>;

    #[calls(ffi::page_turn, args = (self, out, out), fails = nonzero, on_failure = null, utf8 = lossy)]
    fn lossy_turn(&self) -> Result<(Owned<Page>, String)>;

    #[field(text)]
    fn text_field(&self) -> Result<Option<String>>;

    #[field(title)]
    fn title(&self) -> Result<Option<String>>;

    #[calls(ffi::page_read, args = (self, reader.read, reader.data), fails = negative)]
    fn read(&self, reader: &Reader) -> Result<c_int>;

    #[calls(ffi::page_read, args = (self, reader.read_lossy, reader.data), fails = negative)]
    fn read_lossy(&self, reader: &Reader) -> Result<c_int>;
}

#[methods(unsafe, rust_only, utf8 = lossy)]
impl Page {
    #[field(title)]
    fn lossy_title(&self) -> Option<String>;
}

#[derive(Default, Attachment)]
pub(crate) struct Reader(std::sync::Mutex<Vec<String>>);

#[callbacks(unsafe)]
impl Reader {
    #[callback(ffi::ReadFn, args = (text.ptr, text.len, data), on_error = -1)]
    fn read(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }

    #[callback(ffi::ReadFn, args = (text, _, data), utf8 = lossy, on_error = -1)]
    fn read_lossy(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }
}

fn page(which: c_int) -> Owned<'static, Page> {
    Page::new(which).unwrap()
}

fn message_of<T>(result: Result<T>) -> String {
    match result {
        Err(error @ Error::NotUtf8(..)) => error.to_string(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it should have failed"),
    }
}

#[test]
fn utf8_becomes_a_string() {
    let _library = crate::wrapper::Library::start();
    let page = page(0);
    assert_eq!(page.text().unwrap(), "good");
    assert_eq!(page.perhaps_text().unwrap().as_deref(), Some("good"));
    assert_eq!(page.lossy_text().as_deref(), Some("good"));
    assert_eq!(page.copied().unwrap().as_deref(), Some("good"));
    assert_eq!(page.texts().unwrap(), ["good"]);
    assert_eq!(page.text_field().unwrap().as_deref(), Some("good"));
    assert_eq!(page.title().unwrap().as_deref(), Some("g"));
    assert_eq!(page.turn().unwrap().1, "good");
}

#[test]
fn null_is_none() {
    let _library = crate::wrapper::Library::start();
    let page = page(-1);
    assert_eq!(page.perhaps_text().unwrap(), None);
    assert_eq!(page.lossy_text(), None);
    assert_eq!(page.text_field().unwrap(), None);
}

#[test]
fn what_is_not_utf8_is_an_error_that_names_the_place() {
    let _library = crate::wrapper::Library::start();
    let page = page(1);
    let error = "invalid utf-8 sequence of 1 bytes from index 1";
    assert_eq!(
        message_of(page.text()),
        format!("text of page_text is not UTF-8: {error}")
    );
    assert_eq!(
        message_of(page.perhaps_text()),
        format!("text of page_text is not UTF-8: {error}")
    );
    assert_eq!(
        message_of(page.text_field()),
        format!("text of Page.text_field is not UTF-8: {error}")
    );
    assert_eq!(
        message_of(page.title()),
        format!("text of Page.title is not UTF-8: {error}")
    );
    assert_eq!(
        message_of(page.texts()),
        format!("text of page_texts is not UTF-8: {error}")
    );
    let error = message_of(self::page(2).text());
    assert_eq!(
        error,
        "text of page_text is not UTF-8: incomplete utf-8 byte sequence from index 3"
    );
    assert_eq!(page.bytes(), Some(CString::new(b"b\xffd").unwrap()));
}

#[test]
fn what_came_with_text_that_is_not_utf8_is_released() {
    let _library = crate::wrapper::Library::start();
    let page = page(1);
    let before = alive();
    message_of(page.copied());
    message_of(page.turn());
    assert_eq!(alive(), before);
    let (next, text) = page.lossy_turn().unwrap();
    assert_eq!((alive(), text.as_str()), (before + 1, "b\u{fffd}d"));
    drop(next);
    drop(page);
    assert_eq!(alive(), before - 1);
}

#[test]
fn lossy_text_has_replacement_characters() {
    let _library = crate::wrapper::Library::start();
    let page = page(1);
    assert_eq!(page.lossy_text().as_deref(), Some("b\u{fffd}d"));
    assert_eq!(page.lossy_title().as_deref(), Some("g\u{fffd}"));
}

#[test]
fn a_callback_with_text_that_is_not_utf8_is_an_error_of_the_call() {
    let _library = crate::wrapper::Library::start();
    let (good, bad, reader) = (page(0), page(1), Reader::default());
    good.read(&reader).unwrap();
    let error = message_of(bad.read(&reader));
    assert_eq!(
        error,
        "text of Reader.read is not UTF-8: invalid utf-8 sequence of 1 bytes from index 1"
    );
    bad.read_lossy(&reader).unwrap();
    assert_eq!(*reader.0.lock().unwrap(), ["goo", "b\u{fffd}d"]);
}
