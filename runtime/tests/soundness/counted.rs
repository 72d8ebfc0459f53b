//! Objects whose owners C counts, and that hold each other: one object has several guards, so the borrow checker does
//! not see that they meet.

use std::cell::RefCell;

use leakproof::prelude::*;

use crate::native::{self, Native};

#[allow(non_camel_case_types, reason = "as bindgen names C types")]
mod ffi {
    use std::ffi::{c_int, c_void};

    use crate::native;

    pub(super) struct value {
        owners: usize,
        items: Vec<*mut value>,
    }

    pub(super) type visit_t = Option<unsafe extern "C" fn(*mut value, *mut c_void) -> c_int>;

    pub(super) unsafe extern "C" fn value_new() -> *mut value {
        let items = Vec::new();
        native::acquire("Value", value { owners: 1, items })
    }

    pub(super) unsafe extern "C" fn value_ref(this: *mut value) -> *mut value {
        native::touch(this);
        // SAFETY: the test passes a live value.
        unsafe { (*this).owners += 1 };
        this
    }

    pub(super) unsafe extern "C" fn value_unref(this: *mut value) {
        native::touch(this);
        // SAFETY: the test passes a live value.
        unsafe {
            (*this).owners -= 1;
            if (*this).owners == 0 {
                native::release(this);
                value_clear(this);
            }
        }
    }

    pub(super) unsafe extern "C" fn value_add(this: *mut value, item: *mut value) -> c_int {
        native::touch(this);
        // SAFETY: the test passes live values.
        unsafe { (*this).items.push(value_ref(item)) };
        0
    }

    pub(super) unsafe extern "C" fn value_clear(this: *mut value) -> c_int {
        // SAFETY: the test passes a live value, or one that is being released.
        let items = unsafe { std::mem::take(&mut (*this).items) };
        for item in items {
            // SAFETY: the value was an owner of each item.
            unsafe { value_unref(item) };
        }
        0
    }

    pub(super) unsafe extern "C" fn value_first(this: *mut value) -> *mut value {
        native::touch(this);
        // SAFETY: the test passes a live value.
        unsafe { (*this).items.first() }.map_or(std::ptr::null_mut(), |item| *item)
    }

    pub(super) unsafe extern "C" fn value_count(this: *mut value) -> c_int {
        native::touch(this);
        // SAFETY: the test passes a live value.
        unsafe { (*this).items.len() as c_int }
    }

    pub(super) struct walk {
        value: *mut value,
    }

    pub(super) unsafe extern "C" fn value_walk(this: *mut value) -> *mut walk {
        native::acquire("Walk", walk { value: this })
    }

    pub(super) unsafe extern "C" fn walk_free(this: *mut walk) {
        native::release(this);
    }

    pub(super) struct bowl {
        value: *mut value,
    }

    pub(super) unsafe extern "C" fn bowl_new() -> *mut bowl {
        let value = std::ptr::null_mut();
        native::acquire("Bowl", bowl { value })
    }

    pub(super) unsafe extern "C" fn bowl_put(this: *mut bowl, value: *mut value) {
        // SAFETY: the test passes a live bowl.
        unsafe { (*this).value = value };
    }

    pub(super) unsafe extern "C" fn bowl_count(this: *mut bowl) -> c_int {
        // SAFETY: the test passes a live bowl, with a value.
        unsafe { value_count((*this).value) }
    }

    pub(super) unsafe extern "C" fn bowl_walk(this: *mut bowl) -> *mut walk {
        // SAFETY: the test passes a live bowl, with a value.
        unsafe { value_walk((*this).value) }
    }

    pub(super) unsafe extern "C" fn bowl_free(this: *mut bowl) {
        // SAFETY: the test passes a live bowl, with a value.
        unsafe { value_unref((*this).value) };
        native::release(this);
    }

    pub(super) unsafe extern "C" fn walk_visit(
        this: *mut walk,
        visit: visit_t,
        data: *mut c_void,
    ) -> c_int {
        // SAFETY: the test passes a live walk, and the caller the callback's data.
        unsafe { value_visit((*this).value, visit, data) }
    }

    /// Visits the items of the first item, as an iteration over a nested object does.
    pub(super) unsafe extern "C" fn value_visit(
        this: *mut value,
        visit: visit_t,
        data: *mut c_void,
    ) -> c_int {
        // SAFETY: the test passes a live value, and the caller the callback's data.
        unsafe {
            let inner = value_first(this);
            let visit = visit.unwrap();
            for index in 0..value_count(inner) {
                let item = (&raw const (*inner).items).as_ref().unwrap()[index as usize];
                let stopped = visit(item, data);
                native::touch(inner);
                if stopped != 0 {
                    return stopped;
                }
            }
        }
        0
    }
}

#[handle(raw = ffi::value, retain = ffi::value_ref, release = ffi::value_unref, borrowed_with = Self, fork_safe)]
struct Value;

/// A value that holds no others.
#[handle(raw = ffi::value, retain = ffi::value_ref, release = ffi::value_unref, independent, fork_safe)]
struct Leaf;

/// A child of a value.
#[handle(raw = ffi::walk, release = ffi::walk_free, parent = Value, fork_safe)]
struct Walk;

#[methods(unsafe, rust_only)]
impl Walk {
    #[calls(ffi::walk_visit, args = (self, visitor.visit, visitor.data), fails = nonzero)]
    fn visit(&self, visitor: &Visitor) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Leaf {
    #[calls(ffi::value_new, fails = null)]
    fn new() -> Result<Owned<Leaf>>;
}

#[methods(unsafe, rust_only)]
impl Value {
    #[calls(ffi::value_new, fails = null)]
    fn new() -> Result<Owned<Value>>;

    #[calls(ffi::value_add, fails = nonzero)]
    fn add(&mut self, item: &Value) -> Result<()>;

    #[calls(ffi::value_clear, fails = nonzero)]
    fn clear(&mut self) -> Result<()>;

    #[calls(ffi::value_clear)]
    fn clear_infallibly(&mut self);

    #[calls(ffi::value_first, retain)]
    fn first(&self) -> Option<Owned<Value>>;

    #[calls(ffi::value_count)]
    fn count(&self) -> i32;

    #[calls(ffi::value_walk, fails = null)]
    fn walk(&self) -> Result<Owned<Walk>>;

    #[calls(ffi::value_visit, args = (self, visitor.visit, visitor.data), fails = nonzero)]
    fn visit(&self, visitor: &Visitor) -> Result<()>;
}

type OnVisit = Box<dyn FnMut() -> Result<()>>;

thread_local! {
    static ON_VISIT: RefCell<Option<OnVisit>> = const { RefCell::new(None) };
}

#[derive(Attachment)]
struct Visitor;

#[callbacks(unsafe)]
impl Visitor {
    #[callback(ffi::visit_t, args = (_item, data), on_error = 1)]
    fn visit(&self) -> Result<()> {
        ON_VISIT.with_borrow_mut(|call| call.as_mut().map_or(Ok(()), |call| call()))
    }
}

fn visit(outer: &Value, call: impl FnMut() -> Result<()> + 'static) -> Result<()> {
    ON_VISIT.set(Some(Box::new(call)));
    let visited = outer.visit(&Visitor);
    ON_VISIT.set(None);
    visited
}

/// An outer value, the inner one that it holds, and an item of that.
fn nested() -> Result<(Owned<'static, Value>, Owned<'static, Value>)> {
    let (mut outer, mut inner) = (Value::new()?, Value::new()?);
    inner.add(&*Value::new()?)?;
    outer.add(&inner)?;
    Ok((outer, inner))
}

#[test]
fn item_outlives_its_removal_by_another_owner() {
    let _native = Native::start();
    let (outer, inner) = nested().unwrap();
    let mut other = outer.clone();
    drop(inner);
    let item = outer.first().unwrap();
    other.clear().unwrap();
    assert_eq!(native::live("Value"), 3);
    assert_eq!(item.count(), 1);
    drop(item);
    assert_eq!(native::live("Value"), 1);
}

#[test]
fn callback_that_changes_what_is_iterated_over_is_refused() {
    let _native = Native::start();
    let (outer, inner) = nested().unwrap();
    let mut same = inner.clone();
    let refused = visit(&outer, move || same.clear());
    assert!(matches!(refused, Err(Error::Busy("Value"))), "{refused:?}");
    assert_eq!(inner.count(), 1);
    // Nobody is in the way afterwards.
    inner.clone().clear().unwrap();
    assert_eq!(inner.count(), 0);
}

#[test]
fn callback_may_read_what_is_iterated_over() {
    let _native = Native::start();
    let (outer, inner) = nested().unwrap();
    let same = inner.clone();
    visit(&outer, move || match same.count() {
        1 => Ok(()),
        _ => Err(Error::Failed("count")),
    })
    .unwrap();
}

#[test]
fn infallible_call_that_is_refused_panics() {
    let _native = Native::start();
    let (outer, inner) = nested().unwrap();
    let mut same = inner.clone();
    let message = crate::panic_of(|| {
        visit(&outer, move || {
            same.clear_infallibly();
            Ok(())
        })
    });
    assert!(message.contains("Value is in use"), "{message}");
    ON_VISIT.set(None);
    assert_eq!(inner.count(), 1);
}

#[test]
fn object_cannot_be_added_to_itself() {
    let _native = Native::start();
    let mut one = Value::new().unwrap();
    let same = one.clone();
    assert!(matches!(one.add(&same), Err(Error::Busy("Value"))));
    assert_eq!(one.count(), 0);
}

#[test]
fn borrows_of_a_call_do_not_end_with_those_of_another_one() {
    use leakproof::__private::uses::{Argument, OfHandle, begin};
    let _native = Native::start();
    let (outer, inner) = nested().unwrap();
    let leaf = Leaf::new().unwrap();
    // Ends during the call, as no borrow of generated code does.
    let mut early = begin([Argument(&*leaf).in_use(false)]).unwrap();
    let mut same = inner.clone();
    let refused = visit(&outer, move || {
        drop(early.take());
        same.clear()
    });
    assert!(matches!(refused, Err(Error::Busy("Value"))), "{refused:?}");
    assert_eq!(inner.count(), 1);
}

#[test]
fn call_on_a_child_uses_the_counted_parent() {
    let _native = Native::start();
    let (outer, inner) = nested().unwrap();
    let walk = outer.walk().unwrap();
    let mut same = inner.clone();
    ON_VISIT.set(Some(Box::new(move || same.clear())));
    let refused = walk.visit(&Visitor);
    ON_VISIT.set(None);
    assert!(matches!(refused, Err(Error::Busy("Value"))), "{refused:?}");
    assert_eq!(inner.count(), 1);
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no processes")]
fn forked_child_uses_objects_that_another_thread_used() {
    let _native = Native::start();
    let (started, has_started) = std::sync::mpsc::channel();
    let (stop, stopped) = std::sync::mpsc::channel();
    let other = std::thread::spawn(move || {
        let (outer, _inner) = nested().unwrap();
        visit(&outer, move || {
            started.send(()).unwrap();
            stopped.recv().unwrap();
            Ok(())
        })
        .unwrap();
    });
    has_started.recv().unwrap();
    let mut value = Value::new().unwrap();
    // Here the other thread's call excludes this one, as the objects are borrowed as one. The child has no such thread.
    assert!(matches!(value.clear(), Err(Error::Busy("Value"))));
    crate::forked::in_forked_child(|| value.clear().is_ok());
    stop.send(()).unwrap();
    other.join().unwrap();
    value.clear().unwrap();
}

/// A child that holds its counted parent.
#[handle(raw = ffi::walk, release = ffi::walk_free, parent = &mut Value, fork_safe)]
struct Tour;

#[methods(unsafe, rust_only)]
impl Value {
    #[calls(ffi::value_walk, fails = null)]
    fn tour(&mut self) -> Result<Owned<Tour>>;

    #[calls(ffi::value_clear, args = (self), fails = nonzero)]
    fn try_count(&self) -> Result<()>;
}

#[test]
fn object_that_a_child_holds_is_refused_to_its_other_owners() {
    let _native = Native::start();
    let mut value = Value::new().unwrap();
    let same = value.clone();
    let tour = value.tour().unwrap();
    assert!(matches!(
        same.try_count(),
        Err(Error::Held("Value", "Tour"))
    ));
    drop(tour);
    same.try_count().unwrap();
}

#[test]
fn object_is_refused_while_a_child_holds_another_one_of_its_group() {
    let _native = Native::start();
    let (mut value, other) = (Value::new().unwrap(), Value::new().unwrap());
    let mut third = other.clone();
    let walk = other.walk().unwrap();
    let tour = value.tour().unwrap();
    assert!(matches!(
        other.try_count(),
        Err(Error::Held("Value", "Tour"))
    ));
    assert!(matches!(third.tour(), Err(Error::Held("Value", "Tour"))));
    // The release of a child may reach what the other one holds.
    drop(walk);
    assert_eq!(native::log(), [""; 0]);
    drop(tour);
    other.try_count().unwrap();
    drop(third.tour().unwrap());
}

/// Has an owner of a value.
#[handle(raw = ffi::bowl, release = ffi::bowl_free, fork_safe)]
struct Bowl;

#[methods(unsafe, rust_only)]
impl Bowl {
    #[calls(ffi::bowl_new, fails = null)]
    fn new() -> Result<Owned<Bowl>>;

    #[calls(ffi::bowl_put)]
    fn put(&self, value: Owned<Value>);

    #[calls(ffi::bowl_count, fails = negative)]
    fn count(&self) -> Result<i32>;

    #[calls(ffi::bowl_walk, fails = null)]
    fn tour(&mut self) -> Result<Owned<BowlTour>>;
}

/// Holds a bowl.
#[handle(raw = ffi::walk, release = ffi::walk_free, parent = &mut Bowl, fork_safe)]
struct BowlTour;

#[test]
fn keeper_is_refused_while_a_child_holds_another_object_of_the_group() {
    let _native = Native::start();
    let (mut value, other) = (Value::new().unwrap(), Value::new().unwrap());
    let bowl = Bowl::new().unwrap();
    bowl.put(other);
    let tour = value.tour().unwrap();
    assert!(matches!(bowl.count(), Err(Error::Held("Bowl", "Tour"))));
    drop(tour);
    assert_eq!(bowl.count().unwrap(), 0);
}

#[test]
fn object_is_refused_while_a_child_holds_what_c_keeps_another_one_of_the_group_in() {
    let _native = Native::start();
    let (value, other) = (Value::new().unwrap(), Value::new().unwrap());
    let mut bowl = Bowl::new().unwrap();
    bowl.put(other);
    let tour = bowl.tour().unwrap();
    assert!(matches!(
        value.try_count(),
        Err(Error::Held("Value", "BowlTour"))
    ));
    drop(tour);
    value.try_count().unwrap();
}
