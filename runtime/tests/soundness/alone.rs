//! Callbacks that are `exclusive`: while one runs, C has the handle in pieces, and nothing uses it.

use std::cell::{Cell, RefCell};

use leakproof::prelude::*;

use crate::native::{Native, leaks, live};
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

    pub type look = Option<unsafe extern "C" fn(*mut jar, *mut c_void)>;

    pub struct jar {
        pub size: c_int,
        /// The content, which is not there while the jar is poured.
        content: *mut c_int,
        kept: look,
        data: *mut c_void,
        label: *mut label,
    }
    pub struct lid {
        jar: *mut jar,
    }
    pub struct label {
        jar: *mut jar,
    }

    pub unsafe extern "C" fn jar_new() -> *mut jar {
        let (content, label) = (
            acquire("Content", 7),
            acquire("Label", label { jar: null_mut() }),
        );
        let jar = acquire(
            "Jar",
            jar {
                size: 2,
                content,
                kept: None,
                data: null_mut(),
                label,
            },
        );
        unsafe { (*label).jar = jar };
        jar
    }

    pub unsafe extern "C" fn jar_free(jar: *mut jar) {
        unsafe {
            release((*jar).content);
            release((*jar).label);
        }
        release(jar);
    }

    pub unsafe extern "C" fn jar_content(jar: *const jar) -> c_int {
        touch(jar.cast_mut());
        unsafe {
            touch((*jar).content);
            *(*jar).content
        }
    }

    /// Puts other content into the jar. Between the two it calls back.
    pub unsafe extern "C" fn jar_pour(jar: *mut jar, look: look, data: *mut c_void) {
        touch(jar);
        unsafe {
            release((*jar).content);
            look.unwrap()(jar, data);
            (*jar).content = acquire("Content", 8);
        }
    }

    pub unsafe extern "C" fn jar_keep(jar: *mut jar, look: look, data: *mut c_void) {
        touch(jar);
        unsafe { ((*jar).kept, (*jar).data) = (look, data) };
    }

    pub unsafe extern "C" fn jar_pour_kept(jar: *mut jar) {
        unsafe { jar_pour(jar, (*jar).kept, (*jar).data) };
    }

    pub unsafe extern "C" fn jar_label(jar: *mut jar) -> *mut label {
        touch(jar);
        unsafe { (*jar).label }
    }

    pub unsafe extern "C" fn label_content(label: *mut label) -> c_int {
        touch(label);
        unsafe { jar_content((*label).jar) }
    }

    /// Pours the jar of the label.
    pub unsafe extern "C" fn label_pour(label: *mut label, look: look, data: *mut c_void) {
        touch(label);
        unsafe { jar_pour((*label).jar, look, data) };
    }

    pub unsafe extern "C" fn lid_new(jar: *mut jar) -> *mut lid {
        touch(jar);
        acquire("Lid", lid { jar })
    }

    /// Takes the lid off its jar.
    pub unsafe extern "C" fn lid_free(lid: *mut lid) {
        unsafe { jar_content((*lid).jar) };
        release(lid);
    }

    pub unsafe extern "C" fn lid_content(lid: *mut lid) -> c_int {
        touch(lid);
        unsafe { jar_content((*lid).jar) }
    }
}

#[handle(raw = ffi::jar, release = ffi::jar_free, attachments, fork_safe)]
struct Jar;

#[methods(unsafe, rust_only)]
impl Jar {
    #[calls(ffi::jar_new, fails = null)]
    fn new() -> Result<Owned<Jar>>;

    #[calls(ffi::jar_content, fails = negative)]
    fn content(&self) -> Result<i32>;

    #[calls(ffi::jar_content, pure)]
    fn content_purely(&self) -> i32;

    #[field(size)]
    fn size(&self) -> i32;

    #[calls(ffi::jar_pour, args = (self, look.look, look.data))]
    fn pour(&self, look: &Look);

    #[calls(ffi::jar_pour, args = (jar, look.look, look.data))]
    fn pour_another(jar: &Jar, look: &Look);

    #[calls(ffi::jar_keep, args = (self, look.look, look.data), scope = until_replaced)]
    fn keep(&mut self, look: Look);

    #[calls(ffi::jar_pour_kept)]
    fn pour_kept(&self);

    #[calls(ffi::jar_label)]
    fn label(&self) -> Option<Borrowed<Label>>;

    #[calls(ffi::lid_new, fails = null)]
    fn lid(&self) -> Result<Owned<Lid>>;
}

#[handle(raw = ffi::lid, release = ffi::lid_free, parent = Jar)]
struct Lid;

#[methods(unsafe, rust_only)]
impl Lid {
    #[calls(ffi::lid_content, fails = negative)]
    fn content(&self) -> Result<i32>;
}

/// What is written on a jar, which does not know its jar.
#[handle(raw = ffi::label, part_of = Jar)]
struct Label;

#[methods(unsafe, rust_only)]
impl Label {
    #[calls(ffi::label_content, fails = negative)]
    fn content(&self) -> Result<i32>;

    #[calls(ffi::label_pour, args = (self, look.look, look.data))]
    fn pour(&self, look: &Look);
}

thread_local! {
    static LABEL: Cell<Option<Borrowed<'static, Label>>> = const { Cell::new(None) };
    static JAR: RefCell<Option<Owned<'static, Jar>>> = const { RefCell::new(None) };
    static LID: RefCell<Option<Owned<'static, Lid>>> = const { RefCell::new(None) };
    static LOOKS: Cell<usize> = const { Cell::new(0) };
}

/// Does something while C pours a jar, which it may also reach as the jar of the thread.
struct Look(fn(&Jar));

impl Attachment for Look {}

#[callbacks(unsafe)]
impl Look {
    #[callback(ffi::look, args = (jar, data), exclusive)]
    fn look(&self, jar: &Jar) {
        LOOKS.set(LOOKS.get() + 1);
        (self.0)(jar);
    }
}

/// The jar of the thread.
fn with_jar<R>(f: impl FnOnce(&Jar) -> R) -> R {
    JAR.with_borrow(|jar| f(jar.as_ref().unwrap()))
}

/// Makes the jar of the thread, which keeps `kept`, lets `pour` pour it once, and empties it.
fn pour(kept: fn(&Jar), pour: impl FnOnce(&Jar)) {
    let _native = Native::start();
    let mut jar = Jar::new().unwrap();
    jar.keep(Look(kept));
    JAR.set(Some(jar));
    LOOKS.set(0);
    with_jar(pour);
    assert_eq!(LOOKS.get(), 1);
    assert_eq!(with_jar(Jar::content).unwrap(), 8);
    assert_eq!(with_jar(Jar::size), 2);
    JAR.set(None);
}

/// Uses the jar in each way, all of which are refused.
fn use_refused(jar: &Jar) {
    assert!(matches!(jar.content(), Err(Error::Busy("Jar"))));
    assert!(matches!(jar.lid(), Err(Error::Busy("Jar"))));
    assert!(panic_of(|| jar.content_purely()).contains("Jar"));
    assert!(panic_of(|| jar.size()).contains("Jar"));
    assert!(panic_of(|| jar.pour(&Look(|_| ()))).contains("Jar"));
}

#[test]
fn handle_is_not_used_beside_an_exclusive_callback_of_its_call() {
    pour(|_| (), |jar| jar.pour(&Look(|_| with_jar(use_refused))));
}

#[test]
fn handle_is_not_used_beside_an_exclusive_callback_that_it_keeps() {
    pour(|_| with_jar(use_refused), Jar::pour_kept);
}

#[test]
fn argument_of_a_call_without_receiver_is_not_used_beside_an_exclusive_callback() {
    let look = Look(|_| with_jar(use_refused));
    pour(|_| (), |jar| Jar::pour_another(jar, &look));
}

#[test]
fn owner_is_not_used_beside_an_exclusive_callback_of_a_part_that_does_not_know_it() {
    let look = Look(|_| with_jar(use_refused));
    pour(|_| (), |jar| jar.label().unwrap().pour(&look));
}

#[test]
fn parameter_of_an_exclusive_callback_is_not_used_by_its_method() {
    pour(use_refused, Jar::pour_kept);
    pour(|_| (), |jar| jar.pour(&Look(use_refused)));
}

#[test]
fn child_and_part_are_not_used_beside_an_exclusive_callback_of_its_parent() {
    let mut native = Native::start();
    // Never released: the child of a thread lives in what lives for ever.
    let jar: &'static Owned<'_, Jar> = Box::leak(Box::new(Jar::new().unwrap()));
    leaks(jar);
    for lost in ["Jar", "Content", "Label"] {
        native.loses(lost);
    }
    native.counts("Jar");
    LID.set(Some(jar.lid().unwrap()));
    LABEL.set(jar.label());
    jar.pour(&Look(|_| {
        let content = LABEL.get().unwrap().content();
        assert!(matches!(content, Err(Error::Busy("Jar"))));
        LID.with_borrow(|lid| {
            let content = lid.as_ref().unwrap().content();
            assert!(matches!(content, Err(Error::Busy("Jar"))));
        });
    }));
    assert_eq!(LABEL.take().unwrap().content().unwrap(), 8);
    assert_eq!(LID.take().unwrap().content().unwrap(), 8);
}

#[test]
fn child_that_an_exclusive_callback_drops_is_released_when_the_call_has_ended() {
    let mut native = Native::start();
    let jar: &'static Owned<'_, Jar> = Box::leak(Box::new(Jar::new().unwrap()));
    leaks(jar);
    for lost in ["Jar", "Content", "Label"] {
        native.loses(lost);
    }
    native.counts("Jar");
    LID.set(Some(jar.lid().unwrap()));
    jar.pour(&Look(|_| drop(LID.take())));
    assert_eq!(live("Lid"), 0);
}

#[test]
fn child_of_what_a_part_may_be_in_is_released_when_an_exclusive_callback_of_the_part_has_ended() {
    let mut native = Native::start();
    let jar: &'static Owned<'_, Jar> = Box::leak(Box::new(Jar::new().unwrap()));
    leaks(jar);
    for lost in ["Jar", "Content", "Label"] {
        native.loses(lost);
    }
    native.counts("Jar");
    LID.set(Some(jar.lid().unwrap()));
    jar.label().unwrap().pour(&Look(|_| {
        drop(LID.take());
        assert_eq!(live("Lid"), 1);
        // Of no other jar is it known that it is not the one that the label is a part of.
        drop(Jar::new().unwrap());
        assert_eq!(live("Jar"), 2);
    }));
    assert_eq!((live("Lid"), live("Jar")), (0, 1));
}

#[test]
fn other_handles_are_used_beside_an_exclusive_callback() {
    pour(
        |_| (),
        |jar| {
            jar.pour(&Look(|_| {
                let other = Jar::new().unwrap();
                assert_eq!(other.content().unwrap(), 7);
                assert_eq!(other.size(), 2);
                other.pour(&Look(|_| with_jar(use_refused)));
                assert_eq!(other.content_purely(), 8);
                LOOKS.set(1);
            }));
        },
    );
}
