//! Handles that C lends to callbacks alone, and that are the object of another handle: what a callback has by `&mut T`
//! is used by nothing else.

use std::cell::RefCell;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use leakproof::prelude::*;

use crate::native::Native;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};
    use std::ptr::null_mut;

    use crate::native::{acquire, release};

    pub type write = Option<unsafe extern "C" fn(*mut base, *mut c_void) -> c_int>;
    pub type read = Option<unsafe extern "C" fn(*mut event, *mut c_void) -> c_int>;

    pub struct base {
        pub text: [u8; 1],
    }
    #[repr(C)]
    pub struct event {
        pub base: base,
    }
    #[repr(C)]
    pub struct page {
        pub base: base,
        pub event: event,
    }

    pub unsafe extern "C" fn page_new() -> *mut page {
        let (base, event) = (
            base { text: *b"a" },
            event {
                base: base { text: *b"b" },
            },
        );
        LAST.set(acquire("Page", page { base, event }));
        LAST.get()
    }

    thread_local! {
        /// The page that was made last.
        static LAST: Cell<*mut page> = const { Cell::new(null_mut()) };
    }

    pub unsafe extern "C" fn show_last(write: write, data: *mut c_void) -> c_int {
        unsafe { write.unwrap()(LAST.get().cast(), data) }
    }

    pub unsafe extern "C" fn page_free(page: *mut page) {
        release(page);
    }

    pub unsafe extern "C" fn page_text(page: *const page, len: *mut usize) -> *const u8 {
        unsafe { len.write(1) };
        unsafe { (&raw const (*page).base.text).cast() }
    }

    pub unsafe extern "C" fn page_write(page: *mut page) -> c_int {
        unsafe { (*page).base.text = *b"d" };
        0
    }

    pub unsafe extern "C" fn page_parse(page: *mut page, write: write, data: *mut c_void) -> c_int {
        unsafe { write.unwrap()(page.cast(), data) }
    }

    pub unsafe extern "C" fn page_show(page: *mut page, read: read, data: *mut c_void) -> c_int {
        unsafe { read.unwrap()(&raw mut (*page).event, data) }
    }

    pub unsafe extern "C" fn event_change(
        event: *mut event,
        write: write,
        data: *mut c_void,
    ) -> c_int {
        unsafe { write.unwrap()(event.cast(), data) }
    }

    pub unsafe extern "C" fn base_write(base: *mut base) {
        unsafe { (*base).text = *b"c" };
    }
}

#[handle(raw = ffi::page, release = ffi::page_free, lends, fork_safe)]
struct Page;

/// The page, as C lends it to be written.
#[handle(raw = ffi::base, callback_only)]
struct Base;

#[handle(raw = ffi::event, callback_only)]
struct Event;

thread_local! {
    static PAGE: RefCell<Option<Owned<'static, Page>>> = const { RefCell::new(None) };
}

/// Runs a function with the base.
struct Look(fn(&Base));

impl Attachment for Look {}

#[callbacks(unsafe)]
impl Look {
    #[callback(ffi::write, args = (base, data), on_error = -1)]
    fn look(&self, base: &Base) -> i32 {
        (self.0)(base);
        0
    }
}

#[derive(Default)]
struct Writer {
    written: AtomicBool,
}

impl Attachment for Writer {}

#[callbacks(unsafe)]
impl Writer {
    #[callback(ffi::write, args = (base, data), on_error = -1, exclusive)]
    fn write(&self, base: &mut Base) -> Result<i32> {
        base.write();
        self.written.store(true, Ordering::Relaxed);
        Ok(0)
    }
}

#[derive(Default)]
struct Reader {
    changed: Mutex<Option<Result<()>>>,
    writer: Writer,
}

impl Attachment for Reader {}

#[callbacks(unsafe)]
impl Reader {
    #[callback(ffi::read, args = (event, data), on_error = -1)]
    fn read(&self, event: &Event) -> Result<i32> {
        *self.changed.lock().unwrap() = Some(event.change(&self.writer));
        Ok(0)
    }
}

#[methods(unsafe, rust_only)]
impl Page {
    #[calls(ffi::page_new, fails = null)]
    fn new() -> Result<Owned<Page>>;

    #[calls(ffi::show_last, args = (look.look, look.data), fails = nonzero)]
    fn look_at_last(look: &Look) -> Result<()>;

    #[calls(ffi::page_write, fails = nonzero)]
    fn write(&mut self) -> Result<()>;

    #[calls(ffi::page_text, args = (self, len))]
    fn text(&self) -> Option<&[u8]>;

    #[calls(ffi::page_parse, args = (self, writer.write, writer.data), fails = nonzero)]
    fn parse(&self, writer: &Writer) -> Result<()>;

    #[calls(ffi::page_parse, args = (self, writer.write, writer.data), fails = nonzero)]
    fn rewrite(&mut self, writer: &Writer) -> Result<()>;

    #[calls(ffi::page_show, args = (self, reader.read, reader.data), fails = nonzero)]
    fn show(&self, reader: &Reader) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Base {
    #[calls(ffi::base_write)]
    fn write(&mut self);
}

#[methods(unsafe, rust_only)]
impl Event {
    #[calls(ffi::event_change, args = (self, writer.write, writer.data), fails = nonzero)]
    fn change(&self, writer: &Writer) -> Result<()>;
}

#[test]
fn handle_that_is_used_shared_is_not_lent_to_be_written_by_another_type() {
    let _native = Native::start();
    let (page, writer) = (Page::new().unwrap(), Writer::default());
    let text = page.text().unwrap();
    let refused = page.parse(&writer);
    assert!(matches!(refused, Err(Error::Busy("Page"))), "{refused:?}");
    assert!(!writer.written.load(Ordering::Relaxed));
    assert_eq!(text, b"a");
}

#[test]
fn handle_that_a_call_has_alone_is_lent_to_be_written_by_another_type() {
    let _native = Native::start();
    let (mut page, writer) = (Page::new().unwrap(), Writer::default());
    page.rewrite(&writer).unwrap();
    assert_eq!(page.text().unwrap(), b"c");
}

#[test]
fn view_that_a_callback_has_is_not_lent_to_be_written_as_its_first_field() {
    let _native = Native::start();
    let (page, reader) = (Page::new().unwrap(), Reader::default());
    page.show(&reader).unwrap();
    let refused = reader.changed.lock().unwrap().take().unwrap();
    assert!(matches!(refused, Err(Error::Busy("Event"))), "{refused:?}");
}

#[test]
fn handle_that_a_callback_has_as_its_first_field_is_not_changed() {
    let _native = Native::start();
    PAGE.set(Some(Page::new().unwrap()));
    let told = Page::look_at_last(&Look(|_| {
        let refused = PAGE.with_borrow_mut(|page| page.as_mut().unwrap().write());
        assert!(matches!(refused, Err(Error::Busy("Base"))), "{refused:?}");
    }));
    told.unwrap();
    PAGE.set(None);
}
