//! A store, its pages, and functions of every signature.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;
use std::time::Duration;

use super::control::{acquire, fails, note, pass_gate, record, release, report};
use super::cursors::{cursor, cursor_new};

#[repr(C)]
pub struct stats {
    pub reads: c_int,
}

#[repr(C)]
pub union value {
    pub number: f64,
    pub text: *const c_char,
}

pub const NUMBER: c_int = 1;

pub const TEXT: c_int = 2;

/// A store, which pages, cursors and items live in.
#[repr(C)]
pub struct store {
    pub report: report,
    pub status: c_int,
    pub limit: c_int,
    pub open: c_int,
    pub title: *mut c_char,
    pub stats: stats,
    pub item_count: c_int,
    pub items: *mut *mut page,
    pub size_count: u32,
    pub sizes: *mut u16,
    pub first: *mut page,
    pub tag: c_int,
    pub value: value,
    pub label: [c_char; 4],
}

/// A page, which is part of its store.
#[repr(C)]
pub struct page {
    pub store: *mut store,
    pub next: *mut page,
    pub size: c_int,
}

impl Drop for store {
    fn drop(&mut self) {
        // SAFETY: `store_open` made all of it, as it is taken apart here.
        unsafe {
            drop((!self.title.is_null()).then(|| CString::from_raw(self.title)));
            for item in *Box::from_raw(self.items.cast::<[*mut page; 3]>()) {
                drop((!item.is_null()).then(|| Box::from_raw(item)));
            }
            drop(Box::from_raw(self.sizes.cast::<[u16; 2]>()));
        }
    }
}

/// A store of two pages; NULL on failure.
pub unsafe extern "C" fn store_open(title: *const c_char) -> *mut store {
    // SAFETY: there is no callback before there is a store.
    if unsafe { fails(ptr::null()) } {
        return ptr::null_mut();
    }
    let title = match title.is_null() {
        true => ptr::null_mut(),
        // SAFETY: a C string, as the manual asks for.
        false => unsafe { CStr::from_ptr(title) }.to_owned().into_raw(),
    };
    make_store("store_open", title)
}

/// A store without a title. The call never fails.
pub unsafe extern "C" fn store_new() -> *mut store {
    make_store("store_new", ptr::null_mut())
}

fn make_store(event: &str, title: *mut c_char) -> *mut store {
    let store = acquire(
        event,
        store {
            report: None,
            status: 0,
            limit: 10,
            open: 1,
            title,
            stats: stats { reads: 7 },
            item_count: 3,
            items: ptr::null_mut(),
            size_count: 2,
            sizes: Box::into_raw(Box::new([10_u16, 20])).cast(),
            first: ptr::null_mut(),
            tag: NUMBER,
            value: value { number: 1.5 },
            label: [b'a' as c_char, b'b' as c_char, 0, 0],
        },
    );
    let item = |next, size| Box::into_raw(Box::new(page { store, next, size }));
    let last = item(ptr::null_mut(), 20);
    let first = item(last, 10);
    // SAFETY: the store was just made.
    unsafe {
        (*store).items = Box::into_raw(Box::new([first, ptr::null_mut(), last])).cast();
        (*store).first = first;
    }
    store
}

pub unsafe extern "C" fn store_free(store: *mut store) {
    release("store_free", store);
}

/// The last page, which belongs to the store.
pub unsafe extern "C" fn store_last(store: *const store) -> *const page {
    // SAFETY: a valid store, as for every function here; its third slot holds the last item.
    unsafe { *(*store).items.add(2) }
}

/// Zero, or 3 on failure.
pub unsafe extern "C" fn store_check(store: *mut store) -> c_int {
    // SAFETY: as above.
    if unsafe { fails(&raw const (*store).report) } {
        3
    } else {
        0
    }
}

/// The number of bytes written, or -1 on failure.
pub unsafe extern "C" fn store_write(store: *mut store, bytes: *const c_void, count: u8) -> c_int {
    // SAFETY: as above.
    if unsafe { fails(&raw const (*store).report) } {
        return -1;
    }
    let bytes: &[u8] = match bytes.is_null() {
        true => &[],
        // SAFETY: `count` bytes, as the manual asks for.
        false => unsafe { std::slice::from_raw_parts(bytes.cast(), count.into()) },
    };
    note(format!("store_write {bytes:?}"));
    count.into()
}

/// The level of the store in percent; over 100 on failure.
pub unsafe extern "C" fn store_level(store: *mut store) -> u32 {
    // SAFETY: as above.
    if unsafe { fails(&raw const (*store).report) } {
        101
    } else {
        50
    }
}

/// Sets `status` in the store and returns nothing.
pub unsafe extern "C" fn store_sync(store: *mut store) -> c_int {
    // SAFETY: as above.
    unsafe { (*store).status = c_int::from(fails(&raw const (*store).report)) };
    0
}

/// A text that the caller has to free with `text_free`; NULL on failure.
pub unsafe extern "C" fn store_describe(store: *mut store) -> *mut c_char {
    // SAFETY: as above.
    if unsafe { fails(&raw const (*store).report) } {
        return ptr::null_mut();
    }
    acquire("store_describe", *b"text\0").cast()
}

pub unsafe extern "C" fn text_free(text: *mut c_void) {
    release("text_free", text.cast::<[u8; 5]>());
}

pub unsafe extern "C" fn chars_free(text: *mut c_char) {
    release("text_free", text.cast::<[u8; 5]>());
}

/// A constant, in static memory.
pub unsafe extern "C" fn version() -> *const c_char {
    c"1.0".as_ptr()
}

/// Takes an argument of every type, the store in the middle.
pub unsafe extern "C" fn store_mix(
    number: i64,
    name: *const u8,
    store: *mut store,
    nothing: *mut c_void,
    bytes: *const c_char,
    count: usize,
    option: c_int,
    flag: c_int,
) -> c_int {
    // SAFETY: as above, with two C strings and `count` bytes.
    let (title, name, bytes) = unsafe {
        (
            CStr::from_ptr((*store).title),
            CStr::from_ptr(name.cast()),
            std::slice::from_raw_parts(bytes.cast::<u8>(), count),
        )
    };
    note(format!(
        "store_mix {number} {name:?} {title:?} {} {bytes:?} {option} {flag}",
        nothing.is_null()
    ));
    0
}

/// Renames the store; NULL removes the title.
pub unsafe extern "C" fn store_rename(store: *mut store, title: *const c_char) -> c_int {
    // SAFETY: as above, with a C string or NULL.
    unsafe {
        let old = std::mem::replace(
            &mut (*store).title,
            match title.is_null() {
                true => ptr::null_mut(),
                false => CStr::from_ptr(title).to_owned().into_raw(),
            },
        );
        drop((!old.is_null()).then(|| CString::from_raw(old)));
    }
    0
}

/// A store in `out`, which the caller frees. A failing call makes one too, to be asked for the error.
pub unsafe extern "C" fn store_open_at(title: *const c_char, out: *mut *mut store) -> c_int {
    // SAFETY: there is no callback before there is a store.
    let failed = unsafe { fails(ptr::null()) };
    // SAFETY: a C string and a place for the result, as the manual asks for.
    unsafe {
        *out = store_open(title);
        (**out).limit = if failed { 7 } else { 10 };
    }
    if failed { -7 } else { 0 }
}

/// The size and the level of the store. Both pointers are required.
pub unsafe extern "C" fn store_measure(_store: *const store, size: *mut c_int, level: *mut f64) {
    // SAFETY: places for the results, as the manual asks for.
    unsafe {
        *size = 3;
        *level = 0.5;
    }
}

/// `count` bytes; NULL for none.
pub unsafe extern "C" fn store_memory(_store: *const store, count: c_int) -> *const c_void {
    match count {
        0 => ptr::null(),
        _ => b"a\0bc".as_ptr().cast(),
    }
}

pub unsafe extern "C" fn store_memory_size(_store: *const store, count: c_int) -> c_int {
    count
}

/// Two names in an array that ends with NULL, for `names_free`; NULL on failure.
pub unsafe extern "C" fn store_names(store: *mut store) -> *mut *mut c_char {
    // SAFETY: a valid store.
    if unsafe { fails(&raw const (*store).report) } {
        return ptr::null_mut();
    }
    let name = |name: &CStr| name.to_owned().into_raw();
    acquire("store_names", [name(c"one"), name(c"two"), ptr::null_mut()]).cast()
}

/// Frees the names, and their array.
pub unsafe extern "C" fn names_free(names: *mut c_void) {
    let names = names.cast::<[*mut c_char; 3]>();
    // SAFETY: as `store_names` made them.
    unsafe {
        drop(CString::from_raw((*names)[0]));
        drop(CString::from_raw((*names)[1]));
    }
    release("names_free", names);
}

/// Numbers in static memory. The array ends with 0.
pub unsafe extern "C" fn primes() -> *const u16 {
    static PRIMES: [u16; 4] = [2, 3, 5, 0];
    PRIMES.as_ptr()
}

/// Numbers in static memory, with their count.
pub unsafe extern "C" fn counted_primes(count: *mut u32) -> *const u16 {
    // SAFETY: a place for the count.
    unsafe {
        *count = 2;
        primes()
    }
}

/// Memory that the caller frees with `text_free`, and its length. A failing call leaves memory too.
pub unsafe extern "C" fn store_dump(
    store: *mut store,
    start: *mut *mut u8,
    count: *mut usize,
) -> c_int {
    // SAFETY: a valid store, with places for the results.
    unsafe {
        let failed = fails(&raw const (*store).report);
        *start = acquire("store_dump", *b"d\0mp\0").cast();
        *count = 4;
        if failed { -1 } else { 0 }
    }
}

/// A text that belongs to the store. A failing call leaves an invalid pointer.
pub unsafe extern "C" fn store_motto(store: *mut store, text: *mut *const c_char) -> c_int {
    // SAFETY: a valid store, with a place for the result.
    unsafe {
        let failed = fails(&raw const (*store).report);
        *text = match failed {
            true => ptr::without_provenance(8),
            false => c"motto".as_ptr(),
        };
        if failed { -1 } else { 0 }
    }
}

/// The page at `at`; 1 at the end, which is no failure; -1 on failure.
pub unsafe extern "C" fn store_next(store: *mut store, at: c_int, out: *mut *const page) -> c_int {
    // SAFETY: a valid store, with a place for the result.
    unsafe {
        if fails(&raw const (*store).report) {
            return -1;
        }
        *out = ptr::without_provenance(8);
        if at > 0 {
            return 1;
        }
        *out = (*store).first;
    }
    0
}

/// Works for `milliseconds`, then waits at the gate.
pub unsafe extern "C" fn store_work(_store: *mut store, milliseconds: u32) -> c_int {
    std::thread::sleep(Duration::from_millis(milliseconds.into()));
    pass_gate();
    note("worked");
    0
}

/// Reports `text` before the gate and behind it, then fails.
pub unsafe extern "C" fn store_fail(store: *const store, text: *const c_char) -> c_int {
    // SAFETY: a C string, as the manual asks for.
    let text = unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned();
    for place in ["before", "behind"] {
        if let Ok(message) = CString::new(format!("{text} {place}")) {
            let mut record = record {
                message: message.as_ptr(),
            };
            // SAFETY: the store is valid, and its callback may be called with a record.
            unsafe {
                if let Some(report) = (*store).report {
                    report(std::ptr::null_mut(), &raw mut record);
                }
            }
        }
        if place == "before" {
            pass_gate();
        }
    }
    -1
}
