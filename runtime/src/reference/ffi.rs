// The C library of the examples in this reference, as bindgen would declare it. The examples are compiled and not run,
// so each function only has a body for the linker.

use std::ffi::{c_char, c_double, c_int, c_long, c_longlong, c_uint, c_void};

macro_rules! c {
    ($(fn $name:ident($($argument:ident: $ty:ty),* $(,)?) $(-> $output:ty)?;)*) => {
        $(pub unsafe extern "C" fn $name($(_: $ty),*) $(-> $output)? { std::process::abort() })*
    };
}

pub type c_status = c_int;
pub const OK: c_int = 0;
pub const LABEL: c_int = 1;
pub const LIMIT: c_int = 2;
pub const END: c_int = -1;
pub const TOO_SMALL: c_int = -2;
pub const NO_MEMORY: c_int = -3;

c! {
    fn store_print(it: *mut store, memory: *mut c_char, size: usize) -> c_int;
    fn store_export(it: *mut store, memory: *mut c_void, size: *mut usize) -> c_int;
    fn store_replace(
        it: *mut store, pattern: *const c_char, replacement: *const c_char, memory: *mut c_char, size: *mut usize
    ) -> c_int;
    fn store_property(
        it: *mut store, index: c_int, memory: *mut c_void, size: *mut usize, critical: *mut c_uint
    ) -> c_int;
    fn store_explain(it: *mut store, memory: *mut c_char, size: usize) -> c_int;
}

// A key-value store, its entries, and cursors over them.
pub struct store {
    pub size: c_int,
    pub name: *const c_char,
    pub keys: *mut *mut c_char,
    pub key_count: c_int,
    pub aliases: *mut *mut c_char,
    pub first: *mut entry,
    pub stop: c_int,
    pub report: report_t,
}
pub union entry_value {
    pub number: c_double,
    pub text: *const c_char,
}
pub struct entry {
    pub key: *const c_char,
    pub owner: *mut store,
    pub kind: c_int,
    pub value: entry_value,
    pub next: *mut entry,
}
pub const NUMBER: c_int = 1;
pub const TEXT: c_int = 2;
pub struct cursor(c_int);
pub struct transaction(c_int);
pub struct copy(c_int);
pub struct mutex(c_int);
c! {
    fn store_open(path: *const c_char) -> *mut store;
    fn store_open_into(path: *const c_char, result: *mut *mut store) -> c_int;
    fn store_close(it: *mut store);
    fn store_try_close(it: *mut store) -> c_int;
    fn store_size(it: *mut store) -> c_int;
    fn store_range(it: *mut store, first: *mut c_int, last: *mut c_int) -> c_int;
    fn store_sync(it: *mut store) -> c_int;
    fn store_put(it: *mut store, key: *const c_char, value: *const c_void, length: usize) -> c_int;
    fn store_get(it: *mut store, key: *const c_char) -> *const c_void;
    fn store_get_length(it: *mut store, key: *const c_char) -> usize;
    fn store_read(it: *mut store, key: *const c_char, length: *mut usize) -> *mut c_void;
    fn store_name(it: *mut store) -> *const c_char;
    fn store_describe(it: *mut store) -> *mut c_char;
    fn store_last_error(it: *mut store) -> *const c_char;
    fn store_failed(it: *mut store) -> c_int;
    fn store_comment(it: *mut store) -> *mut c_char;
    fn store_title(it: *mut store) -> *const c_char;
    fn store_keys(it: *mut store) -> *mut *mut c_char;
    fn store_entry(it: *mut store, key: *const c_char) -> *mut entry;
    fn store_next(it: *mut store) -> *mut entry;
    fn store_clear(it: *mut store);
    fn store_search(it: *mut store, pattern: *const c_char) -> c_int;
    fn store_stop(it: *mut store);
    fn store_flags(it: *mut store, flags: c_uint) -> c_int;
    fn store_mutex(it: *mut store) -> *mut mutex;
    fn store_clone(it: *mut store) -> *const store;
    fn mutex_enter(it: *mut mutex);
    fn mutex_leave(it: *mut mutex);
    fn keys_free(keys: *mut *mut c_char);
    fn memory_free(memory: *mut c_void);
    fn cursor_open(it: *mut store) -> *mut cursor;
    fn cursor_next(it: *mut cursor, value: *mut c_int) -> c_int;
    fn cursor_put(it: *mut cursor, value: c_int) -> c_int;
    fn cursor_rewind(it: *mut cursor);
    fn cursor_close(it: *mut cursor);
    fn cursor_close_in(of: *mut store, it: *mut cursor);
    fn transaction_begin(it: *mut store) -> *mut transaction;
    fn transaction_cursor(it: *mut transaction, of: *mut store) -> *mut cursor;
    fn transaction_commit(it: *mut transaction) -> c_int;
    fn transaction_abort(it: *mut transaction);
    fn copy_begin(to: *mut store, from: *mut store) -> *mut copy;
    fn copy_step(it: *mut copy) -> c_int;
    fn copy_end(it: *mut copy);
}

// Options behind `void *` and variable arguments.
// SAFETY: Rust: nothing calls it, and nobody defines it, because Rust has no functions with variable arguments of its
// own.
unsafe extern "C" {
    pub fn store_set(it: *mut store, option: c_int, ...) -> c_int;
}
c! {
    fn store_add(it: *mut store, values: *const c_double, count: c_int) -> c_int;
    fn store_select(it: *mut store, names: *mut *const c_char) -> c_int;
    fn store_option(it: *mut store, option: c_int, value: *mut c_void, size: *mut c_uint) -> c_int;
    fn store_info(it: *mut store, option: c_int, value: *mut c_void) -> c_int;
    fn store_configure(it: *mut store, option: c_int, value: *const c_void) -> c_int;
}

// Text in a struct that the caller frees, names of entries, and the state of the library.
pub struct buf {
    pub ptr: *mut c_char,
    pub size: usize,
}
#[derive(Clone, Copy, Default)]
pub struct id {
    pub bytes: [u8; 20],
}
c! {
    fn store_report(it: *mut store, result: *mut buf) -> c_int;
    fn buf_dispose(it: *mut buf);
    fn store_id(it: *mut store) -> *const id;
    fn store_first_id(it: *mut store, result: *mut id) -> c_int;
    fn library_init() -> c_int;
    fn thread_message() -> *const c_char;
    fn status_text(status: c_int, memory: *mut c_char, size: usize) -> c_int;
    fn entry_is_text(it: *mut entry) -> c_int;
    fn store_load(it: *mut store, path: *const c_char, error: *mut position) -> c_int;
    fn store_import(it: *mut store, path: *const c_char, message: *mut *mut c_char) -> c_int;
    fn store_compile(query: *const c_char, code: *mut c_int, offset: *mut usize) -> *mut store;
    fn store_connect(it: *mut store, address: *const c_char, message: *mut c_char) -> c_int;
}
#[derive(Clone, Copy, Default)]
pub struct position {
    pub line: c_int,
    pub column: c_int,
}

// Values whose owners are counted.
pub struct value(c_int);
pub struct list {
    pub first: *mut value,
}
pub struct jar(c_int);
c! {
    fn value_new(number: c_double) -> *mut value;
    fn value_ref(it: *mut value) -> *mut value;
    fn value_unref(it: *mut value);
    fn value_number(it: *const value) -> c_int;
    fn value_sum(it: *const value, other: *const value) -> *mut value;
    fn value_add(it: *mut value, other: *const value);
    fn jar_free(it: *mut jar);
    fn shim_jar_put(it: *mut jar, content: *mut value);
    fn list_new() -> *mut list;
    fn list_ref(it: *mut list) -> *mut list;
    fn list_unref(it: *mut list);
    fn list_get(it: *mut list, index: usize) -> *mut value;
    fn list_append(it: *mut list, item: *mut value) -> c_int;
}

// Boxes with cursors, and a queue of boxes.
pub struct r#box(c_int);
pub struct queue(c_int);
c! {
    fn box_free(it: *mut r#box);
    fn queue_free(it: *mut queue);
    fn queue_push(it: *mut queue, item: *mut r#box);
    fn queue_pop(it: *mut queue) -> *mut r#box;
    fn queue_set_spare(it: *mut queue, item: *mut r#box);
}

// A struct in the caller's memory, as zlib's.
pub struct stream {
    pub next_in: *const u8,
    pub avail_in: c_uint,
    pub message: *const c_char,
}
c! {
    fn stream_init(it: *mut stream, level: c_int) -> c_int;
    fn stream_run(it: *mut stream, flush: c_int) -> c_int;
    fn stream_end(it: *mut stream) -> c_int;
}

// Numbers as handles.
c! {
    fn watch_open() -> c_int;
    fn watch_wait(it: c_int) -> c_int;
    fn watch_wake(it: c_int) -> c_int;
    fn watch_close(it: c_int) -> c_int;
}

// A parser that calls back.
pub struct parser {
    pub data: *mut c_void,
}
pub struct record {
    pub code: c_int,
    pub message: *const c_char,
}
pub type report_t = Option<unsafe extern "C" fn(*mut c_void, *mut record)>;
pub type print_t = Option<unsafe extern "C" fn(*mut c_void, *const c_char, ...)>;
pub type visit_t = Option<unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int>;
pub type text_t = Option<unsafe extern "C" fn(*mut c_void, *const c_char, c_int)>;
pub type start_t = Option<unsafe extern "C" fn(*mut c_void, *const c_char, *mut *const c_char)>;
pub type open_t = Option<unsafe extern "C" fn(*mut parser, *const c_char) -> c_int>;
pub type event_t = Option<unsafe extern "C" fn(*mut c_void, *mut record) -> c_int>;
pub type read_t = Option<unsafe extern "C" fn(*mut c_char, usize, usize, *mut c_void) -> usize>;
pub type write_t = Option<unsafe extern "C" fn(*mut c_char, usize, usize, *mut c_void) -> usize>;
pub type fill_t = Option<unsafe extern "C" fn(*mut c_void, *mut c_void, c_int) -> c_int>;
pub type position_t = Option<unsafe extern "C" fn(*mut c_void, *const position) -> c_int>;
pub type ask_t = Option<unsafe extern "C" fn(*mut c_void, *mut c_int) -> c_int>;
pub type destroy_t = Option<unsafe extern "C" fn(*mut c_void)>;
c! {
    fn store_each(it: *mut store, visit: visit_t, data: *mut c_void) -> c_int;
    fn store_on_change(it: *mut store, visit: visit_t, data: *mut c_void);
    fn store_on_close(it: *mut store, visit: visit_t, data: *mut c_void);
    fn store_define(it: *mut store, visit: visit_t, data: *mut c_void, destroy: destroy_t) -> c_int;
    fn store_load_from(it: *mut store, read: read_t, data: *mut c_void) -> c_int;
    fn shim_set(place: *mut c_int, value: c_int);
    fn store_set_report(it: *mut store, report: report_t, data: *mut c_void);
    fn report_address() -> *mut report_t;
    fn print_address() -> *mut print_t;
    fn indent_address() -> *mut c_int;
    fn parser_new() -> *mut parser;
    fn parser_parse(it: *mut parser, text: text_t, data: *mut c_void) -> c_int;
    fn parser_data(it: *mut parser) -> *mut c_void;
    fn parser_free(it: *mut parser);
    fn default_text(data: *mut c_void, text: *const c_char, length: c_int);
}

// Images, whose memory has a length in other units.
pub const PALETTE: c_int = 1;
pub struct image {
    pub pixels: *mut u8,
    pub stride: c_int,
    pub height: c_int,
}
c! {
    fn image_free(it: *mut image);
    fn image_data(it: *const image) -> *const u8;
    fn image_stride(it: *const image) -> c_int;
    fn image_height(it: *const image) -> c_int;
    fn image_row(it: *const image, row: c_int, pixels: *mut c_int) -> *const u8;
    fn image_id(it: *const image) -> *const u8;
    fn image_info(it: *const image, what: c_int, value: *mut c_void) -> c_int;
    fn image_colors(it: *const image) -> c_int;
}

// Constants and structs of plain values.
pub type mode = c_uint;
pub const MODE_READ: mode = 1;
pub const MODE_WRITE: mode = 2;
pub type access = c_uint;
pub const ACCESS_READ: access = 1;
pub const ACCESS_WRITE: access = 2;
#[derive(Clone, Copy, Default)]
pub struct extents {
    pub x: c_double,
    pub w: c_double,
    pub reserved: [c_long; 4],
}
#[derive(Clone, Copy)]
pub struct user {
    pub login: [c_char; 32],
    pub host: [c_char; 64],
    pub id: c_int,
}
impl Default for user {
    fn default() -> Self {
        user {
            login: [0; 32],
            host: [0; 64],
            id: 0,
        }
    }
}
#[derive(Clone, Copy)]
pub struct file {
    pub size: c_longlong,
    pub mode: c_int,
    pub next: *mut file,
}
impl Default for file {
    fn default() -> Self {
        file {
            size: 0,
            mode: 0,
            next: core::ptr::null_mut(),
        }
    }
}
#[derive(Clone, Copy, Default)]
pub struct version {
    pub major: c_int,
    pub minor: c_int,
}
c! {
    fn store_file(it: *mut store, result: *mut file) -> c_int;
    fn store_set_mode(it: *mut store, mode: mode) -> c_int;
    fn store_mode(it: *mut store) -> mode;
    fn store_access(it: *mut store) -> access;
    fn store_extents(it: *mut store, result: *mut extents);
}

// Outlines: trees of topics that move.
pub struct outline(c_int);
pub struct topic {
    pub number: c_int,
    pub outline: *mut outline,
    pub up: *mut topic,
    pub first: *mut topic,
    pub next: *mut topic,
    pub user: *mut c_void,
}
pub struct bookmark(c_int);
c! {
    fn outline_new() -> *mut outline;
    fn outline_free(it: *mut outline);
    fn outline_root(it: *mut outline) -> *mut topic;
    fn topic_new(it: *mut outline, number: c_int) -> *mut topic;
    fn topic_add(it: *mut topic, child: *mut topic) -> c_int;
    fn topic_unlink(it: *mut topic);
    fn topic_copy(it: *const topic, outline: *mut outline) -> *mut topic;
    fn topic_free(it: *mut topic);
    fn bookmark_free(it: *mut bookmark);
    fn bookmark_set(it: *mut bookmark, topic: *mut topic);
}
