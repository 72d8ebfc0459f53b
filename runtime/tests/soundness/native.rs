//! The accounts of the C libraries: each object that a library makes is acquired here, used while it is live, and
//! released once.
//!
//! An object's memory is never freed, so no address is given out twice: a use after the release is seen without a
//! sanitizer, and what the runtime remembers of an object that C freed unseen is taken for no object of another test. A
//! fault is written down where it happens, since a panic cannot cross C, and fails the test at its end.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Default)]
struct Accounts {
    /// Each object's name, and whether it is live.
    objects: BTreeMap<usize, (&'static str, bool)>,
    log: Vec<String>,
    faults: Vec<String>,
}

/// The addresses of memory that tests leak.
static LEAKED: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// Notes memory that a test leaks on purpose, so that a leak checker finds it in use.
pub(crate) fn leaks<T>(memory: *const T) {
    let mut leaked = LEAKED.lock().unwrap_or_else(PoisonError::into_inner);
    leaked.push(memory.expose_provenance());
}

thread_local! {
    static ACCOUNTS: RefCell<Accounts> = RefCell::default();
}

/// The accounts of this thread; of one that ends, and has none any more, those of nobody.
fn with<R>(f: impl FnOnce(&mut Accounts) -> R) -> R {
    let mut f = Some(f);
    let mut run = |accounts: &mut Accounts| f.take().map(|f| f(accounts));
    let done = ACCOUNTS.try_with(|accounts| run(&mut accounts.borrow_mut()));
    let done = done.unwrap_or_else(|_| run(&mut Accounts::default()));
    done.unwrap_or_else(|| unreachable!("it runs once"))
}

/// Writes `event` into the log.
pub(crate) fn note(event: impl Into<String>) {
    with(|accounts| accounts.log.push(event.into()));
}

/// The events since the last call of this function.
pub(crate) fn log() -> Vec<String> {
    with(|accounts| std::mem::take(&mut accounts.log))
}

/// Makes an object named `name`.
pub(crate) fn acquire<T: 'static>(name: &'static str, value: T) -> *mut T {
    let object = Box::into_raw(Box::new(value));
    with(|accounts| {
        accounts.objects.insert(object.addr(), (name, true));
    });
    leaks(object);
    object
}

/// Uses an object: it has to be live.
pub(crate) fn touch<T>(object: *mut T) {
    with(|accounts| match accounts.objects.get(&object.addr()) {
        Some((_, true)) => {}
        Some((name, false)) => accounts
            .faults
            .push(format!("{name} used after its release")),
        None => accounts.faults.push("used what is no object".into()),
    });
}

/// Notes a wrong use of the library.
pub(crate) fn fault(fault: impl Into<String>) {
    with(|accounts| accounts.faults.push(fault.into()));
}

/// Releases an object: it has to be live. Its memory stays readable.
pub(crate) fn release<T>(object: *mut T) {
    with(|accounts| match accounts.objects.get_mut(&object.addr()) {
        Some((name, live @ true)) => {
            *live = false;
            accounts.log.push(format!("release {name}"));
        }
        Some((name, false)) => accounts.faults.push(format!("{name} released twice")),
        None => accounts.faults.push("released what is no object".into()),
    });
}

/// Makes an object again, where a released one was.
pub(crate) fn revive<T>(object: *mut T) {
    with(|accounts| match accounts.objects.get_mut(&object.addr()) {
        Some((_, live @ false)) => *live = true,
        _ => accounts.faults.push("revived what is not released".into()),
    });
}

/// The number of live objects named `name`.
pub(crate) fn live(name: &str) -> usize {
    with(|accounts| {
        let objects = accounts.objects.values();
        objects
            .filter(|(other, live)| *live && *other == name)
            .count()
    })
}

/// One test's time: the tests run one after the other, so that the runtime's own counts can be compared.
pub(crate) struct Native {
    _one: MutexGuard<'static, ()>,
    before: BTreeMap<&'static str, isize>,
    leaks: BTreeMap<&'static str, isize>,
    counted: BTreeMap<&'static str, isize>,
}

impl Native {
    pub(crate) fn start() -> Native {
        static ONE: Mutex<()> = Mutex::new(());
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        with(|accounts| *accounts = Accounts::default());
        Native {
            _one: one,
            before: leakproof::live_handles(),
            leaks: BTreeMap::new(),
            counted: BTreeMap::new(),
        }
    }

    /// Says that the library loses an object named `name`.
    pub(crate) fn loses(&mut self, name: &'static str) {
        *self.leaks.entry(name).or_insert(0) += 1;
    }

    /// Says that the runtime counts a handle of the type `name` as live for ever, because nobody knows who owns it.
    pub(crate) fn counts(&mut self, name: &'static str) {
        *self.counted.entry(name).or_insert(0) += 1;
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        let accounts = with(std::mem::take);
        if std::thread::panicking() {
            eprintln!("log: {:?}, faults: {:?}", accounts.log, accounts.faults);
            return;
        }
        assert!(accounts.faults.is_empty(), "{:?}", accounts.faults);
        let mut live = BTreeMap::new();
        for (name, _) in accounts.objects.values().filter(|(_, live)| *live) {
            *live.entry(*name).or_insert(0) += 1;
        }
        assert_eq!(live, self.leaks, "the library's live objects at the end");
        let mut counted = leakproof::live_handles();
        counted.retain(|name, count| {
            *count -= self.before.get(name).copied().unwrap_or(0);
            *count != 0
        });
        assert_eq!(counted, self.counted, "the runtime's count at the end");
    }
}

#[test]
fn object_released_twice_is_a_fault() {
    let native = Native::start();
    let object = acquire("object", 1);
    touch(object);
    release(object);
    release(object);
    touch(object);
    assert_eq!(log(), ["release object"]);
    let faults = with(|accounts| std::mem::take(&mut accounts.faults));
    assert_eq!(
        faults,
        ["object released twice", "object used after its release"]
    );
    drop(native);
}

#[test]
fn object_that_is_lost_is_counted() {
    let native = Native::start();
    let object = acquire("object", 1);
    assert_eq!(live("object"), 1);
    let message = crate::panic_of(|| drop(native));
    assert!(message.contains("live objects at the end"), "{message}");
    let _ = object;
}
