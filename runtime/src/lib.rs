//! Turn annotated C handle types into safe Rust types and Python classes that release on every path.
//!
//! A C library hands out pointers that someone has to give back. Here a type stands for each kind of pointer, methods
//! stand for the C functions on it, and guards own what was handed out from the instruction after C returned. What a
//! wrapper's author writes is what rustc cannot know: who owns, what may be NULL, what may run beside what.
//!
//! ```
//! use leakproof::prelude::*;
//!
//! // What bindgen would write.
//! mod ffi {
//!     use std::ffi::c_int;
//!     pub struct counter(c_int);
//!     pub unsafe extern "C" fn counter_new(start: c_int) -> *mut counter {
//!         if start < 0 { std::ptr::null_mut() } else { Box::into_raw(Box::new(counter(start))) }
//!     }
//!     pub unsafe extern "C" fn counter_add(c: *mut counter, n: c_int) -> c_int {
//!         unsafe { (*c).0 += n; (*c).0 }
//!     }
//!     pub unsafe extern "C" fn counter_free(c: *mut counter) {
//!         drop(unsafe { Box::from_raw(c) });
//!     }
//! }
//!
//! /// Counts.
//! #[handle(raw = ffi::counter, release = ffi::counter_free, fork_safe)]
//! pub struct Counter;
//!
//! #[methods(unsafe)]
//! impl Counter {
//!     /// A counter that starts at `start`.
//!     #[new]
//!     #[calls(ffi::counter_new, fails = null)]
//!     fn new(start: i32) -> Result<Owned<Counter>>;
//!
//!     /// Add `n`, and say what it is now.
//!     #[calls(ffi::counter_add)]
//!     fn add(&mut self, n: i32) -> i32;
//!
//!     /// Add `n` twice.
//!     fn add_twice(&mut self, n: i32) -> i32 {
//!         self.add(n);
//!         self.add(n)
//!     }
//! }
//!
//! # fn main() -> Result<()> {
//! let mut counter = Counter::new(1)?;
//! assert_eq!(counter.add_twice(2), 5);
//! assert_eq!(leakproof::live_handles()["Counter"], 1);
//! drop(counter);
//! assert_eq!(leakproof::live_handles()["Counter"], 0);
//! assert!(Counter::new(-1).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! The same code is a Python class with `add`, `add_twice`, `close()`, `closed` and `with`; [`module`] makes the extension
//! module that exports it.
//!
//! # Finding wrong annotations
//!
//! An annotation says who owns what, and C's manual is the only other place that says it. Three checks find what is wrong:
//!
//! - Where C's own types contradict an annotation, the method is not compiled: text and memory are copied from `const`
//!   pointers, unless `free` or `borrowed` is said, and what C returns as `const` is no `Owned`, unless `owned` is said.
//! - A debug build, or one with the feature `fault-injection`, knows which handles are owned. A handle that C gives out as
//!   `Owned` while it has another owner is an error of the call ([`Error::OwnedTwice`]): the function only lends the handle,
//!   or another function, to which the handle was passed as `&T`, released it or took it over.
//! - The fault-injection sweep of `pytest-leakproof` finds the rest: it injects a fault at each fail point of each call, and
//!   counts live handles, open files, and the blocks or bytes that the C library has allocated. A `free` that is missing, or
//!   an `Owned<T>` parameter that C does not keep, leaves some each time. Write its table with the first handle; under
//!   AddressSanitizer it also shows what is released twice.
//!
//! # Words
//!
//! ## `#[handle(…)]` on `struct Name;`
//!
//! | word | meaning |
//! |---|---|
//! | `raw = ffi::thing` | The C type that the handle points at. |
//! | `release = ffi::f` | Whoever holds the handle releases it, by this function. A status that it returns is ignored. |
//! | `release(ffi::f, fails = …)` | The same, where the status says that something went wrong: `close()` raises what the handle's `errors` makes of it; what is dropped goes to `sys.unraisablehook`. |
//! | `release(…, on_failure = kept)` | After such a failure the handle is still there: it stays open, and so does what it lives in. By default, `on_failure = released`, it is gone. |
//! | `release(…, args = (parent, self))` | C's release function needs the parent, too. What is released so is made by a method of its parent. |
//! | `release(…, detach)` | The GIL is released meanwhile, as with `detach` of a call. |
//! | `retain = ffi::f` | C counts the owners, and this adds one. Each Python handle is one owner; `==` says whether two are of the same object, and for exclusive use all of them count as one. [`Borrowed::retain`] makes an owner in Rust. Another owner can change or end what such an object lends, so its methods return copies, or owners by `retain` in `#[calls(…)]`. One of the next two words is needed. |
//! | `borrowed_with = Handle` | With `retain`: objects of this type can contain, or otherwise reach, objects of the type `Handle` (`Self` for objects of one type), as values of JSON do. All handles of the types that name the same `Handle` are borrowed as one: while a call uses one of them by `&`, no other call may use one of them by `&mut`. A callback that tries hears `BusyError`. |
//! | `independent` | With `retain`: no call on one such object reads or changes memory of another. Each object is borrowed alone. |
//! | `caller_allocates = ffi::thing` | Instead of `raw`: a struct that C initialises in memory of ours, by an `out` argument. It starts as zeros and is never moved. |
//! | `integer = c_int` | Instead of `raw`: the handle is a number, such as a file descriptor; [`number()`](IntegerHandle::number) says which. |
//! | `invalid = …` | With `integer`: the number that is no handle; by default -1. |
//! | `interrupt = Handle::method` | What `close()` calls, from its own thread and perhaps again and again, to wake the C functions that block in others. |
//! | `parent = Handle` | What must outlive it: the receiver that it was got from, or that one's nearest ancestor of this type. Closing the parent closes it first. |
//! | `parent = (Handle, Other)` | It lives in several: the first is as above, the others are arguments of the call that makes it, which `keep_alive` names. Closing one of them closes it first. |
//! | `parent = &mut Handle` | Nothing else uses the parent while the handle lives, as with a backup into a database: made by a method with `&mut self`, so that Rust's borrow says it; in Python every other use of the parent raises `BusyError` until the handle is closed. |
//! | `lends` | Methods return references to memory of the handle (`-> &[u8]`, `until_mut` parts). Every handle that lives in it then has to say what its own calls do to that memory: one of the next two words, or `parent = &mut …`. |
//! | `mut_parent` | Calls by `&mut` on the handle change memory that the first parent lends, as writing through a cursor does. They borrow that parent exclusively, too: a `memoryview` of the parent's memory is a `BufferError`, `until_mut` views of the parent end. Made by a method with `&mut self`. |
//! | `reads_parent` | No call on the handle changes memory that a parent lends. |
//! | `attachments` | It keeps values, which live exactly as long as C's handle: callbacks that C keeps, and what [`attach`] adds and [`attached`] finds again. The garbage collector sees what Python objects they hold. |
//! | `thread_bound` | Only the thread that made it may use it and what lives in it: elsewhere using and closing it raise `AffinityError`. What is dropped elsewhere is released at the next call of that thread, or when it ends; a thread that ends closes what it still has. |
//! | `fork_safe` | It is memory alone: it has no file, lock, socket or thread, so a forked child may use and release its copy of it. What lives in it is `fork_safe`, too. Without the word a handle is bound to the process that made it: in a forked child, using it raises `AffinityError`, and closing or dropping it does not call C. |
//! | `part_of = Handle` | Instead of `release`: it lives inside another handle and is only looked at ([`Borrowed`]). |
//! | `until_mut` | With `part_of`: it is gone as soon as its owner is used alone (`&mut`), as what a cursor points at is when the cursor moves on. In Rust that is what borrowing says; in Python such a view is closed from then on. |
//! | `owner_field = field` | With `part_of`: the field by which a part knows its owner; makes [`Borrowed::with_owner`] possible. |
//! | `callback_only` | Instead of `release`: C lends it to a callback, as `&T`, or as `&mut T` where nothing else uses it meanwhile; also through a `void *`. It has no Python class. |
//! | `errors = Type` | What words the failures of its calls: an [`ErrorSource`], by default [`NoErrors`]. |
//! | `errors(Type, asks_handle)` | The same, and `Type` asks the handle, or what that lives in, what went wrong: [`CallInfo::handle`](error_source::CallInfo::handle). Another call could change the answer before. So a call marked `detach` on or with the handle, on what lives in it, or a detached release of that, is not compiled unless it has the handle by `&mut` (from a child: `mut_parent`), or `lock(…)` is said. The words may be given together. |
//! | `errors(Type, callback = place)` | The same, and where C looks for the function that it reports to: `Type` is also a [`ErrorSink`]. |
//! | `errors(Type, thread_callback = ffi::f)` | As `callback`, where C looks for that function in a variable of the calling thread, whose address `f` returns: where a library reports also what belongs to no handle. Both words may be given. |
//! | `errors(Type, thread_messages = ffi::f)` | The same for a function as `printf`: the format reaches [`ErrorSink::record_format`]. The words may be given together. |
//! | `thread_locals(ffi::f = value, …)` | Variables that C keeps per thread, such as defaults: `f` returns the address. Each has this value while a call on the handle runs, and its previous value afterwards and in callbacks, so that no other binding of the library changes what the calls do. |
//! | `lock(of = ffi::f, enter = ffi::g, leave = ffi::h)` | The library's own recursive lock of the handle: `of` is a function, or a closure, that gets the C pointer and returns the lock. It is held while a call that can fail, or that is marked `detach`, runs, and until its `errors` have asked what went wrong, so that no other thread's call on a shared handle changes the message before. A handle with `asks_handle` needs it for `&self` calls with `detach`. [`locked`] holds it for several calls. A thread waits for it without the GIL; so whatever takes it in C needs `detach`. |
//! | `warn_unclosed` | A Python handle that is dropped unclosed emits a `ResourceWarning`. |
//! | `name = "…"`, `module = "…"` | The class's name and module in Python; by default the struct's and the crate's. |
//!
//! A handle without a doc comment takes that of the C type in the headers, if `build` made the bindings; so does a method
//! that `#[calls]` a C function, and a record.
//!
//! A *place* is written as from inside the C struct: `field`, `field.member`, `(*field).member` through a pointer.
//!
//! ## `#[methods(…)]` on `impl Name { … }`
//!
//! | word | meaning |
//! |---|---|
//! | `unsafe` | The author vouches for `#[calls]` and `#[field]`; needed where there are any. |
//! | `rust_only` | None of the methods reaches Python. On one method: `#[rust_only]`. |
//! | `utf8 = lossy` | As on each `#[calls]` and `#[field]` of the block. |
//!
//! `#[reads_parent]` on a `&mut self` method of a handle with `mut_parent`: this method leaves the parent as it is, and borrows
//! it shared.
//!
//! Handles of one call belong together. Where the types of two of them have a common ancestor, as a transaction and a database
//! have their environment, both must live in the same one: anything else is a `ValueError` in Python. `#[foreign(name, …)]`
//! exempts the parameters for which C does not mind. Rust code that calls the method checks that itself.
//!
//! A method with a body may be marked `#[detach]`: it runs without the GIL, so it takes no Python objects.
//!
//! A handle may have several blocks. A method `__next__` returns an `Option`, of which `None` is the end; it makes the handle its own iterator.
//!
//! A method whose first parameter is `this: Owned<Self>` ends its handle, as committing a transaction does; in Python it is
//! a method like others.
//!
//! PyO3's attributes `new`, `getter`, `setter`, `staticmethod` and `pyo3(name = …, signature = …)` mean what they mean there.
//!
//! ## `#[calls(ffi::f, …)]` on a method without a body
//!
//! | word | meaning |
//! |---|---|
//! | `args = (…)` | What C gets, in its order: parameters by name, `self`, `null`, `out`, `len`, `name.ptr` and `name.len` of bytes and strings, `name.method`, `name.data` and `name.destroy` of callbacks, and constants or other expressions of the parameters. By default `self`, then all parameters. |
//! | `fields(place = …)` | Fields of the receiver's struct that are set before the call, to what may also stand in `args`, as zlib wants its buffers. Pointers to memory are NULL again afterwards, callbacks and their data as they were before; numbers stay as C leaves them. |
//! | `out` in `args` | C writes a result there, which the method returns; with several `out`, up to 12, a tuple of them in their order. What C itself returns is then only looked at by `fails`. |
//! | `on_failure = owned` | A failing call leaves a handle, or memory for `free`, in `out` all the same: it is asked what went wrong, then released. |
//! | `on_failure = null`, `undefined` | It leaves nothing there, or something that must not be looked at. What has to be released needs one of the three words; nothing else is looked at where C failed. |
//! | `consumes = always` | C has what is passed as [`Owned<T>`](Owned), whether it fails or not. |
//! | `consumes = on_success` | It has that unless it fails; then the Python object is open as before, and in Rust the handle is released. A call that can fail needs one of the two words. |
//! | `scope = notified` | C keeps the callback that it is passed by value until it calls the destroy function, before or after the handle's release. A call that can fail needs `consumes`: whether a failing one has called it. |
//! | `scope = until_replaced` | It keeps it until this method is called again, with another one for the same parameter or with `None`. |
//! | `scope = handle` | It keeps it as long as the handle. |
//! | `keep_alive = (name, …)` | The result lives in these parameters, too. |
//! | `fails = null` | C returns NULL when it fails. The method returns a [`Result`]. |
//! | `fails = nonzero`, `negative` | C returns such a status when it fails. |
//! | `fails = sticky` | What C returns says nothing: a failure stays in the handle, where its [`ErrorSource::failed_silently`] finds it. |
//! | `fails = when(\|ret\| …)` | C failed if this says so. It is asked once. If it panics, what C may have is leaked and reported, so that nothing is released twice: see SAFETY.md. |
//! | `none = when(\|ret\| …)`, `nonzero`, `negative` | If this says so there is no result, and that is no failure, whatever `fails` says: the method returns `None`, and `out` is not looked at. |
//! | `retain` | C lends a reference-counted object: the caller becomes one owner more at once, so that the method returns [`Owned`]. Also in `#[field(…, retain)]`. |
//! | `len = ffi::f` | C returns the start of some memory or of an array; this function, with the same arguments, says how long it is. |
//! | `len` in `args` | C writes to there how long the memory is that it returns, or that it gives through `out`. |
//! | `until = null` | The array ends with its first NULL or 0. |
//! | `free = ffi::f` | What C gives is ours: a string, memory or an array. It is copied, then freed by this function. |
//! | `borrowed` | What is copied of C's memory stays C's, although C's type is not `const`. A `String`, `CString`, `Bytes` or `Vec` is made from a `const` pointer, or has `free` or this word; with neither, the method is not compiled. Fields and arguments of callbacks are C's in any case. |
//! | `owned` | What C returns as `const` is the caller's all the same: an [`Owned<T>`](Owned), or what `free` frees. |
//! | `utf8 = lossy` | In a `String`, U+FFFD stands for bytes that are not UTF-8: where C's manual promises UTF-8, or for messages. By default they are an error. |
//! | `detach` | The GIL is released meanwhile: for C functions that work for tens of microseconds. |
//! | `interrupt = Handle::method` | With `detach`: signals are handled while C works; see [Signals](#signals). The method, with `&self`, ends the running call from another thread. |
//!
//! ## `#[callbacks(unsafe)]` on `impl State { … }`
//!
//! A value whose methods C calls. It is passed to C as `&State` for the length of one call, and as `State` or
//! `Option<State>` where C keeps it; for that it derives [`Attachment`]. A [`Callable`] in it is a Python callable.
//!
//! ```
//! use leakproof::prelude::*;
//!
//! # mod ffi {
//! #     use std::ffi::{c_int, c_void};
//! #     pub type visit_t = Option<unsafe extern "C" fn(c_int, *mut c_void) -> c_int>;
//! #     pub struct set { pub size: c_int }
//! #     pub unsafe extern "C" fn set_new() -> *mut set { Box::into_raw(Box::new(set { size: 3 })) }
//! #     pub unsafe extern "C" fn set_free(set: *mut set) { drop(unsafe { Box::from_raw(set) }); }
//! #     pub unsafe extern "C" fn set_visit(set: *mut set, visit: visit_t, data: *mut c_void) -> c_int {
//! #         let visit = visit.unwrap();
//! #         (0..unsafe { (*set).size }).map(|n| unsafe { visit(n, data) }).find(|s| *s != 0).unwrap_or(0)
//! #     }
//! # }
//! # #[handle(raw = ffi::set, release = ffi::set_free, fork_safe)]
//! # pub struct Set;
//! #[derive(Default, Attachment)]
//! pub struct Numbers(std::sync::Mutex<Vec<i32>>);
//!
//! #[callbacks(unsafe)]
//! impl Numbers {
//!     #[callback(ffi::visit_t, args = (number, data), on_error = 1)]
//!     fn add(&self, number: i32) -> Result<()> {
//!         self.0.lock().unwrap().push(number);
//!         Ok(())
//!     }
//! }
//!
//! #[methods(unsafe, rust_only)]
//! impl Set {
//! #   #[calls(ffi::set_new, fails = null)]
//! #   fn new() -> Result<Owned<Set>>;
//!     #[calls(ffi::set_visit, args = (self, numbers.add, numbers.data), fails = nonzero)]
//!     fn visit(&self, numbers: &Numbers) -> Result<()>;
//! }
//! # fn main() -> Result<()> {
//! let numbers = Numbers::default();
//! Set::new()?.visit(&numbers)?;
//! assert_eq!(*numbers.0.lock().unwrap(), [0, 1, 2]);
//! # Ok(())
//! # }
//! ```
//!
//! `#[callback(ffi::callback_type, …)]` stands on each method that C calls:
//!
//! | word | meaning |
//! |---|---|
//! | `args = (…)` | What C passes, in its order: parameters by name, `name.ptr` and `name.len` of memory, strings and arrays, `data` for the user data, `_` or another name for the rest. |
//! | `data = …` | Where the user data is, if it is no argument: an expression of the arguments' names. Here, in `on_error` and in `free` a C function may be called by its name, and a pointer followed by `*`; nothing else in an annotation's expressions may be `unsafe`. |
//! | `on_error = …` | What C is told, and what is returned, when the method raised an error or panicked: an expression of the arguments' names. By default 0, or nothing, as where the expression itself panics. |
//! | `until = null` | The array that C passes ends with its first NULL or 0. |
//! | `utf8 = lossy` | As on `#[calls]`. By default, text that is not UTF-8 is an error of the call. |
//! | `before = ffi::f` | C's own function of this type is called first, with all of C's arguments; C gets what that function returned, and the method returns nothing. For libraries whose default handlers do the work. |
//! | `exclusive` | Nobody may use the handle meanwhile, the method included: `BusyError`. |
//! | `even_after_error` | It is called also after another callback of the same call raised something. |
//!
//! Neither an error nor a panic crosses C: it is kept, C is told to stop, no other callback of that call runs, and it
//! comes out of the method that called C. On a thread that runs no such call it goes to `sys.unraisablehook`. Closing,
//! consuming or using alone a handle that the running call uses raises `BusyError` there; using it beside the call is
//! allowed, unless the callback is `exclusive`. A handle that the running call has by `&mut` is refused as a parameter of the
//! callback, in Rust too, by [`Error::Busy`]: name what may be called on it meanwhile in a handle of its own, with `callback_only`.
//!
//! A method that C wants a new handle from returns `Option<Owned<T>>`: C has the handle from then on.
//!
//! `State::METHOD`, the method's name in capitals, is C's function pointer, where that is passed without the state.
//!
//! A C library that holds a lock of its own while it calls back needs `detach` on every function that takes that lock:
//! whoever has the lock may be waiting for the GIL.
//!
//! ## `#[field(place, …)]` on a method without a body
//!
//! | word | meaning |
//! |---|---|
//! | `len = place` | The field is an array of that many elements; the method returns a `Vec`. |
//! | `utf8 = lossy` | As on `#[calls]`. |
//! | `when(place, A \| B)` | The field is only there while the tag has one of these values; the method returns an `Option`. |
//! | `atomic` | The field, an integer or `bool`, is read and written in one step, so a method with `&self` may write it while C reads it, as a flag that ends a call. |
//!
//! A method with a parameter writes the field. `#[field(self)]` is the handle itself, as another type of handle.
//!
//! ## `#[exception]`, `#[int_enum]`, `#[int_flag]`, `#[record]`
//!
//! | form | what it makes |
//! |---|---|
//! | `#[exception] struct E { message: String, … }` | An error of the package: in Python an exception below the package's `Error`, with the fields as read-only attributes. Python code makes one by `E(message, field, …)` or by keywords; a field that is left out has its type's default, or is required where the type has none. |
//! | `#[exception(extends = E)] struct F { base: E, … }` | One below that, with its fields and more. Python code makes one by the arguments of `E`, and its own fields by keyword. |
//! | `#[int_enum(ffi::t)] enum E { A = ffi::A, … }` | C's constants as a type for parameters and results: in Python an `enum.IntEnum`. A value that is not listed is a plain `int` there. |
//! | `#[int_flag(ffi::t)] enum F { A = ffi::A, … }` | C's flags, with `\|`, `&` and `contains`: in Python an `enum.IntFlag`, of which `~` gives the other listed flags. A parameter with a flag that is not listed is a `ValueError`; a result keeps what C set. |
//! | `#[int_flag(ffi::t, boundary = keep)]` | The same, where parameters may have flags that are not listed: for a library that gets new ones often. |
//! | `#[record(ffi::t)] struct R { x: f64, … }` | A C struct of plain values, for parameters (`R`, `&R`), results, `out` and arrays: in Python an immutable object, whose hash is that of its values. `#[field(place)]` on a field says where it is, if it has another name in C. C's type has to be `Copy` and `Default`, as bindings made by `build` are. |
//!
//! All take `module = "…"`, those but the first `name = "…"`, and are exported by their name like handles.
//!
//! ## `#[module(…)]` on `mod name { … }`
//!
//! | word | meaning |
//! |---|---|
//! | `gil_used` | On free-threaded Python, importing the module switches the GIL on: for a C library that is not known to work without it. |
//!
//! Every package has base classes of its own, such as `xml_safe.Handle` and `xml_safe.Error`, also where several packages
//! are loaded into one process. Handle classes and their base are immutable: nothing in Python replaces a method of them.
//!
//! It is PyO3's declarative module: what stands under `#[pymodule_export]`, a `use` or a `const`, is exported.
//!
//! ## Which word for which way of owning
//!
//! In the terms of GObject-Introspection, with one whole form each, and the example that shows it.
//!
//! | C's way | in its terms | form | shown by |
//! |---|---|---|---|
//! | a function makes it, another frees it | *transfer full* | `#[handle(raw = T, release = f)]`, `-> Result<Owned<T>>` with `fails = null` | xml-safe, `magic` |
//! | it needs another one as long as it lives | *transfer full*, and a reference to its parent | `#[handle(raw = T, release = f, parent = P)]` | xml-safe, `sqlite` |
//! | it lives inside another one | *transfer none* | `#[handle(raw = T, part_of = P)]`, `-> Option<Borrowed<T>>` | xml-safe |
//! | its owners are counted, and no call on one object reaches another | *ref-func*, *unref-func* | `#[handle(raw = T, retain = g, release = f, independent)]`, `-> Owned<T>` for *transfer full*, `-> Owned<T>` with `retain` for *transfer none* | |
//! | its owners are counted, and objects contain or use each other | the same | `#[handle(raw = T, retain = g, release = f, borrowed_with = Self)]`; another type of the group says `borrowed_with = T` | `cairo` |
//! | the caller gives the memory | *caller-allocates* | `#[handle(caller_allocates = T, release = f)]`, `args = (out, …)`, `on_failure = null` | `zlib` |
//! | it is a number | | `#[handle(integer = c_int, release = f)]`, `-> Result<Owned<T>>` with `fails = negative` | `inotify` |
//! | it is a number within another handle | | `#[handle(integer = c_uint, part_of = P)]`, [`Borrowed::from_integer`] | `lmdb` |
//! | C calls back while a call runs | *scope call* | `#[callbacks]`, `fn each(&self, visitor: &V)`, `args = (self, visitor.visit, visitor.data)` | `lmdb` |
//! | C calls back until it is told otherwise | *scope forever* | `#[handle(…, attachments)]`, `fn on(&mut self, handler: Option<H>)`, `args = (self, handler.call, handler.data)`, `scope = until_replaced` | `expat`, `sqlite` |
//! | C says when it needs the callback no more | *scope notified*, *destroy* | `args = (self, f.call, f.data, f.destroy)`, `scope = notified`, `consumes = always` | `sqlite` |
//! | a thread owns it | | `#[handle(raw = T, release = f, thread_bound)]` | `lmdb` |
//! | it has a file, a lock, a socket or a thread, which a forked child must leave alone | | `#[handle(raw = T, release = f)]` | `sqlite`, `lmdb`, `inotify` |
//! | it is memory alone, which a forked child has a copy of | | `#[handle(raw = T, release = f, fork_safe)]` | xml-safe, `expat` |
//! | something has to end with it | | `#[handle(…, attachments)]`, `attach(&*handle, value)` | `lmdb` |
//! | a struct is a pointer and a length | *array length* | [`byte_slice!`]`(unsafe ffi::val { ptr: data, len: size })`, `args = (self, out)`, `-> Option<&[u8]>` | `lmdb` |
//! | a call on it blocks until something happens | | `interrupt = T::wake`, `detach` | `inotify` |
//! | a call on it works for long, and can be told to stop | | `#[calls(…, detach, interrupt = T::stop)]` | xml-safe |
//! | it comes through a pointer to a pointer | *out*, *transfer full* | `args = (…, out)`, `fails = nonzero`, `on_failure = owned` | `sqlite` |
//! | several results come so | *out* | `args = (self, out, out)`, `-> (f64, f64)` | `cairo` |
//! | freeing it can be refused | | `release(f, fails = nonzero, on_failure = kept)` | `sqlite` |
//! | two steps make it | *transfer full*, then a call that *throws* | a body: `let mut it = T::create()?; it.load()?; Ok(it)` | `magic` |
//! | a string is the caller's | *transfer full* of `utf8` | `-> Option<String>`, `free = f` | xml-safe |
//! | memory of known length is lent | *array length* | `-> Option<Bytes>`, `len = f` | `sqlite` |
//! | the same, and it is looked at where it is | *transfer none* | `-> Option<&[u8]>`, `len = f` | `sqlite` |
//! | memory is the caller's | *transfer full*, *array length* | `-> Result<Bytes>`, `args = (self, len)`, `free = f` | `sqlite` |
//! | an array ends with NULL | *array zero-terminated* | `-> Vec<String>`, `until = null`, `free = f` | |
//! | it needs two others as long as it lives | *transfer full*, and references to its parents | `#[handle(raw = T, release = f, parent = (P, Q))]`, `fn make(&self, q: &Q) -> Result<Owned<T>>` with `keep_alive = (q)` | `sqlite`, `lmdb` |
//! | nobody else may use another one meanwhile | *transfer full*, and a reference to its parent | `#[handle(raw = T, release = f, parent = &mut P)]`, `fn begin(&mut self) -> Result<Owned<T>>` | `sqlite` |
//! | it writes memory that another one has lent | | `#[handle(raw = P, release = f, lends)]`, `#[handle(raw = T, release = g, parent = P, mut_parent)]` | `lmdb` |
//! | its release needs its parent | | `#[handle(raw = T, release(f, args = (parent, self)), parent = P)]` | |
//! | C takes a handle over, and keeps it in the receiver or in the result | *transfer full* of a parameter | `fn add(&mut self, child: Owned<T>) -> Result<()>`, `consumes = on_success`; the parent of `child` is released after the receiver | |
//! | another function than the release ends it | *transfer full* of the instance | `fn commit(this: Owned<Self>) -> Result<()>`, `consumes = always` | `lmdb` |
//! | the next call moves what was lent | | `#[handle(raw = T, part_of = P, until_mut)]` | |
//! | a struct is filled in | *out caller-allocates* | `#[record(T)]`, `args = (self, out)` | `cairo` |
//! | the handle knows its last error, and threads share it | | `errors(E, asks_handle)`, with `lock(of = f, enter = g, leave = h)` or `&mut self` where calls are marked `detach` | `sqlite`, `magic` |
//! | errors have a number and kinds | | `#[exception(extends = E)]` | `sqlite` |
//! | errors are in `errno` | *throws* | `errors = leakproof::errors::Errno` | `inotify` |
//! | the struct holds buffers for a call | *scope call* of the data | `fields(next_in = data.ptr, avail_in = data.len)` | `zlib` |
//! | errors stay in the object | *throws*, by asking | `fails = sticky`, `errors = E` with `failed_silently` | `cairo` |
//! | errors come through a callback | *throws*, *scope call* | `errors(E, callback = place)` | xml-safe |
//! | one asks for the next until there is none | | `fn __next__(&mut self) -> Result<Option<T>>` | `sqlite` |
//! | and a status says that there is none | *nullable* | `args = (self, out)`, `fails = negative`, `none = when(\|ret\| ret == END)` | |
//!
//! # Types
//!
//! | written | who owns | C |
//! |---|---|---|
//! | `-> Owned<T>` | the caller (*transfer full*) | a pointer to `T`'s raw type |
//! | `-> Borrowed<T>` | the receiver, or its ancestor that `T` is part of (*transfer none*); without a receiver, all arguments but text and memory | the same |
//! | `-> String` | the caller, a copy of UTF-8; for text that is not, `Error::NotUtf8`, in Python `UnicodeDecodeError`, so that such a method returns a `Result`, or says `utf8 = lossy` | `char *` |
//! | `-> CString` | the caller, a copy of every byte; in Python a `str` as of `os.fsdecode` | `char *` |
//! | `-> Bytes` | the caller, a copy; in Python `bytes` | `void *`, with `len` |
//! | `-> &[u8]` | the receiver; in Python a read-only `memoryview`, which holds the receiver: until it is released, closing that, consuming it or using it alone raises `BufferError` | `void *`, with `len` |
//! | `-> Vec<T>` | the caller: of each element what `T` says | an array, with `len` or `until` |
//! | `-> Option<…>` | | NULL is `None` (*nullable*) |
//! | `-> ()` | | any status |
//! | `Owned<T>` | C, from then on; what lives in it is closed first | a pointer to `T`'s raw type |
//! | `&T`, `&mut T` | lent for the call; exclusively | a pointer to `T`'s raw type |
//! | `&CStr` | lent; from `str`, in which a NUL is a `ValueError` | `char *` |
//! | `&str` | lent; a NUL is an error where C wants a string, so that such a method returns `Result` | `char *`, or `.ptr` and `.len` |
//! | `&FsPath` | lent; from `str`, `bytes` or `os.PathLike` | `char *` |
//! | `&[u8]` | lent; from `bytes` | `.ptr` and `.len` |
//! | `Buffer` | lent; from any contiguous buffer | `.ptr` and `.len` |
//! | `i32`, `f64`, `bool` … | | the same type; from Python with a range check |
//! | `usize` | | also a number that stands in a `void *` |
//! | `Option<&T>` … | | `None` is NULL |
//!
//! How long a result of `#[calls]` or `#[field]` lives is not written but follows from the receiver; an argument of a
//! callback is valid until the callback returns. A signature that promises more, also by an alias, is not compiled; nor is an
//! alias that hides a handle, text, memory or an `Option` of these, since the rules for results and arguments go by the names. Such
//! methods have no type parameters, since the types say who owns what: a method with a body may have some.
//!
//! A type that is taken by value may be any that PyO3 can extract; a body may return whatever implements
//! `python::IntoPython`, which is derived for enums, also for those that borrow.
//!
//! # Waiting
//!
//! A Python call borrows its handles: shared for `&T`, exclusively for `&mut T`, and shared every handle that they live in.
//! A call that finds a handle borrowed in another way waits, with the GIL released, until that borrow has ended.
//!
//! - Waiting calls take turns in the order in which they came. A waiting exclusive call bars new shared ones, a waiting
//!   shared call bars new exclusive ones; so none starves, however often other threads call again.
//! - `close()` and drops do not queue: `close()` refuses every new call at once, with `ClosedError`, and so ends the waiting
//!   of those in the queue.
//! - Nothing waits inside a call that may run Python code: a callback, a method with a body, a finalizer. Such a thread
//!   passes the queue, which may be waiting for its own call. Where the handle itself is borrowed in another way, it
//!   raises `BusyError`.
//! - A signal handler that raises ends the waiting, and the call gives up its turn.
//! - Nothing waits once the interpreter has begun to end: other threads never run Python code again, and leave nothing.
//! - A C function that blocks until another call is made on the same handle needs that other call to be possible: declare
//!   no `&mut self` method beside it, since a call of that, waiting for the first one, would bar the other.
//!
//! # Signals
//!
//! Python runs the handlers of signals on its main thread, between two steps of Python code. A C function that works for long
//! on that thread makes Ctrl-C wait until it has returned. There are two ways to avoid that, by what the library has:
//!
//! - A progress hook: C calls a function while it works. A callback that calls [`check_signals`] there lets Ctrl-C end the
//!   call. `sqlite` shows it.
//! - An interrupt function, or a flag in a struct, by which another thread ends a running call:
//!   `#[calls(…, detach, interrupt = Handle::method)]`. On Python's main thread, C then runs on a helper thread, while
//!   the main thread waits without the GIL and runs the handlers. When a handler raises, the main thread calls the method every
//!   millisecond until C has returned; then the call raises the exception. On other threads, which run no handlers,
//!   C runs on the thread of the call. xml-safe shows it.
//!
//! A call with `interrupt` costs some tens of microseconds for the thread. Where that is too much, call C first with a limit
//! on its work, and again with `interrupt` where the limit was reached and [`handles_signals`] says that it matters.
//!
//! ```
//! # use leakproof::prelude::*;
//! # mod ffi {
//! #     use std::ffi::c_int;
//! #     pub struct search(pub c_int);
//! #     pub unsafe extern "C" fn search_new() -> *mut search { Box::into_raw(Box::new(search(0))) }
//! #     pub unsafe extern "C" fn search_run(it: *mut search) -> c_int { unsafe { (*it).0 } }
//! #     pub unsafe extern "C" fn search_stop(it: *mut search) { unsafe { (*it).0 = -1 } }
//! #     pub unsafe extern "C" fn search_free(it: *mut search) { drop(unsafe { Box::from_raw(it) }); }
//! # }
//! #[handle(raw = ffi::search, release = ffi::search_free, fork_safe)]
//! pub struct Search;
//!
//! #[methods(unsafe, rust_only)]
//! impl Search {
//! #   #[calls(ffi::search_new, fails = null)]
//! #   fn new() -> Result<Owned<Search>>;
//!     /// Searches; a signal handler that raises ends the search.
//!     #[calls(ffi::search_run, fails = negative, detach, interrupt = Search::stop)]
//!     fn run(&self) -> Result<i32>;
//!
//!     #[calls(ffi::search_stop)]
//!     fn stop(&self);
//! }
//! # fn main() -> Result<()> {
//! # assert_eq!(Search::new()?.run()?, 0);
//! # Ok(())
//! # }
//! ```
//!
//! The method may be called before C has begun, and while C returns. What C reports to the handle's `errors` is collected on the
//! helper thread, so their type is `Send`, and must not wait for Python. Refused are callbacks, `fields(…)`, handles that
//! belong to a thread (`thread_bound`, `lock(…)`) and reference-counted ones. The helper thread has a stack of 8 MiB.
//!
//! A handler may use the handles of the running call as a callback may: beside the call, or `BusyError` is raised. A handler
//! that forks interrupts the call first, since the child would have no helper thread: in both processes the call ends as C
//! says, so a method that can begin again does.
//!
//! # Failing
//!
//! What a call can end with is an [`Error`]: the handle was closed or busy, an argument did not fit, or C failed and the
//! handle's `errors` worded it, or it belongs to another thread or process. A copy of C's data that finds no memory ends
//! the call by a panic, which releases as any other; Python gets `MemoryError`. [`exception`] makes a struct an exception of the package, with its fields. Every package
//! has its own hierarchy below `Error`, since every extension module links its own copy of this crate.
//!
//! In Python all of these can be made, subclassed, copied and pickled, so they cross processes. `args` is the message.
//! Handles can be neither copied nor pickled: that raises `TypeError`.
//!
//! An exception of Python code that passes through is the same object on the other side. A `StopIteration` or
//! `StopAsyncIteration` is replaced by a `RuntimeError` where it leaves a callback or `__next__`, as in a generator
//! (PEP 479): it would end the iteration of whoever called.
//!
//! # Interpreters, and their end
//!
//! A module can be imported in the main interpreter alone; in a sub-interpreter the import raises `ImportError`.
//!
//! When the interpreter ends while threads are inside of calls, these threads hang, and their handles stay as they are:
//! nothing of them is released, and what would have to wait for them raises `BusyError`. Python 3.14 does so for every
//! thread; in older ones the runtime sees to it on Linux.
//!
//! # Building
//!
//! With the feature `build` there is a module `build` that a wrapper's `build.rs` needs: it finds the library by
//! `pkg-config` and runs bindgen, or says which package is missing.
//!
//! # Without Python
//!
//! With `default-features = false` there are the guards and no classes, and no dependency on PyO3.

#[cfg(panic = "abort")]
compile_error!(
    "leakproof releases while a panic unwinds: remove `panic = \"abort\"` from the profile"
);

mod asks_handle;
mod atomic;
mod attachment;
#[cfg_attr(
    not(feature = "python"),
    allow(dead_code, reason = "only Python shares handles")
)]
mod borrow_state;
#[cfg(feature = "build")]
pub mod build;
mod call;
mod callback;
mod children;
mod convert;
mod error;
mod error_source;
mod exclusive_use;
mod failpoint;
mod fallible_copy;
mod fork;
mod handle;
mod helper_thread;
mod iter;
mod panics;
#[cfg(feature = "python")]
mod python;
mod ref_counted;
mod single_owner;
mod thread_locals;

pub use attachment::{Attachment, attach, attached};
pub use call::{check_signals, detach, handles_signals, locked};
pub use convert::from_c::Bytes;
pub use convert::to_c::{Buffer, FsPath};
pub use error::{Error, LibraryError, Owner, Result};
pub use error_source::{CallInfo, Errno, ErrorSink, ErrorSource, NoErrors};
pub use handle::kind::{HandleKind, live_handles};
pub use handle::{
    Borrowed, Handle, HasAttachments, HasOwnerField, IntegerHandle, Owned, Part, PointerHandle,
    RefCounted, Resource,
};
pub use iter::{Dict, Successors};
pub use leakproof_macros::{
    Attachment, IntoPython, callbacks, exception, function, handle, int_enum, int_flag, methods,
    module, record,
};
#[cfg(feature = "python")]
pub use pyo3;
#[cfg(feature = "python")]
pub use python::{CallContext, Callable, IntoPython};

/// The names that a wrapper's source files use.
///
/// PyO3's prelude has a [`Borrowed`], too. In signatures below `#[methods]`, `#[callbacks]` and `#[function]` the name is
/// always this crate's, so both preludes can be imported; elsewhere say which one is meant: `use leakproof::Borrowed;`.
pub mod prelude {
    pub use std::ffi::{CStr, CString};

    #[cfg(feature = "python")]
    pub use crate::Callable;
    pub use crate::{
        Attachment, Borrowed, Buffer, Bytes, CallInfo, Dict, Error, ErrorSink, ErrorSource, FsPath,
        IntoPython, Owned, Result, Successors, attach, attached, callbacks, exception, function,
        handle, int_enum, int_flag, methods, record,
    };
}

/// The items that generated code names. They are no part of the public interface and change without notice.
#[doc(hidden)]
pub mod __private {
    pub use inventory;

    pub mod asks_handle {
        pub use crate::asks_handle::*;
    }
    pub mod atomic {
        pub use crate::atomic::*;
    }
    pub mod attachment {
        pub use crate::attachment::*;
    }
    pub mod borrow_state {
        pub use crate::borrow_state::*;
    }
    pub mod call {
        pub use crate::call::*;
    }
    pub mod callback {
        pub use crate::callback::*;
    }
    pub mod children {
        pub use crate::children::*;
    }
    pub mod error {
        pub use crate::error::*;
    }
    pub mod error_source {
        pub use crate::error_source::*;
    }
    pub mod exclusive_use {
        pub use crate::exclusive_use::*;
    }
    pub mod failpoint {
        pub use crate::failpoint::*;
    }
    pub mod from_c {
        pub use crate::convert::from_c::*;
    }
    pub mod handle {
        pub use crate::handle::*;
    }
    pub mod helper_thread {
        pub use crate::helper_thread::*;
    }
    pub mod iter {
        pub use crate::iter::*;
    }
    pub mod kind {
        pub use crate::handle::kind::*;
    }
    pub mod lifetime {
        pub use crate::convert::lifetime::*;
    }
    pub mod out_param {
        pub use crate::convert::out_param::*;
    }
    #[cfg(feature = "python")]
    pub mod python {
        pub use crate::python::*;
    }
    pub mod ref_counted {
        pub use crate::ref_counted::*;
    }
    pub mod shape {
        pub use crate::convert::shape::*;
    }
    pub mod status {
        pub use crate::convert::status::*;
    }
    pub mod thread_locals {
        pub use crate::thread_locals::*;
    }
    pub mod to_c {
        pub use crate::convert::to_c::*;
    }
}

/// Makes a C struct that is a pointer and a length memory: what C writes to `out` as such a struct can be returned as
/// [`Bytes`], copied, or as `&[u8]`, lent by the receiver.
///
/// `unsafe` is the author's word that the length is that of what the pointer points at.
///
/// ```
/// mod ffi {
///     use std::ffi::c_void;
///     pub struct val { pub size: usize, pub data: *mut c_void }
/// }
/// leakproof::byte_slice!(unsafe ffi::val { ptr: data, len: size });
/// ```
#[macro_export]
macro_rules! byte_slice {
    (unsafe $raw:ty { ptr: $ptr:ident, len: $len:ident }) => {
        const _: () = {
            // SAFETY: annotation `byte_slice!`: the length is that of what the pointer points at. The bytes are copied.
            unsafe impl $crate::__private::from_c::FromC<'_, $raw> for $crate::Bytes {
                unsafe fn from_c(c: $raw) -> ::core::option::Option<Self> {
                    let count = $crate::__private::from_c::Count::count(c.$len);
                    // SAFETY: the caller's promise.
                    unsafe {
                        $crate::__private::from_c::FromMemory::<u8>::from_memory(
                            c.$ptr as *const u8,
                            count,
                        )
                    }
                }
            }

            // SAFETY: annotation `byte_slice!`: the length is that of what the pointer points at; guarantee 14: the bytes
            // are lent within `'o`.
            unsafe impl<'o: 'a, 'a> $crate::__private::from_c::FromC<'o, $raw> for &'a [u8] {
                unsafe fn from_c(c: $raw) -> ::core::option::Option<Self> {
                    let count = $crate::__private::from_c::Count::count(c.$len);
                    // SAFETY: the caller's promise.
                    unsafe {
                        $crate::__private::from_c::FromMemory::<u8>::from_memory(
                            c.$ptr as *const u8,
                            count,
                        )
                    }
                }
            }
        };
    };
}

/// The former name of [`byte_slice!`]. Removed before the first release.
#[doc(hidden)]
#[macro_export]
macro_rules! memory {
    ($($words:tt)*) => {
        ::core::compile_error!(
            "`memory!` was renamed: write `byte_slice!(unsafe T { ptr: field, len: field })`"
        );
    };
}

/// Passes its tokens on if this crate was built with Python.
#[cfg(feature = "python")]
#[doc(hidden)]
#[macro_export]
macro_rules! __python {
    ($($tokens:tt)*) => { $($tokens)* };
}

/// Passes its tokens on if this crate was built with Python.
#[cfg(not(feature = "python"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __python {
    ($($tokens:tt)*) => {};
}

/// Passes the first group on if this crate was built with Python, the second one otherwise.
#[cfg(feature = "python")]
#[doc(hidden)]
#[macro_export]
macro_rules! __either {
    ({ $($with:tt)* } { $($without:tt)* }) => { $($with)* };
}

/// Passes the first group on if this crate was built with Python, the second one otherwise.
#[cfg(not(feature = "python"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __either {
    ({ $($with:tt)* } { $($without:tt)* }) => { $($without)* };
}
