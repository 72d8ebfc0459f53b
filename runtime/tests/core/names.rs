//! The author's names are the author's, also those that generated code uses itself.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_int;

    pub(super) struct Sum {
        pub(super) total: c_int,
    }

    pub(super) unsafe extern "C" fn sum_new(total: c_int) -> *mut Sum {
        Box::into_raw(Box::new(Sum { total }))
    }

    pub(super) unsafe extern "C" fn sum_add(sum: *mut Sum, a: c_int, b: c_int, c: c_int) -> c_int {
        // SAFETY: a valid sum.
        unsafe { (*sum).total + a + b + c }
    }

    pub(super) unsafe extern "C" fn sum_join(sum: *mut Sum, a: *mut Sum, b: *mut Sum) -> c_int {
        let total = |sum: *mut Sum| {
            // SAFETY: a valid sum or null.
            unsafe { sum.as_ref() }.map_or(0, |sum| sum.total)
        };
        total(sum) + total(a) + total(b)
    }

    pub(super) unsafe extern "C" fn sum_text(_: *mut Sum, len: *mut usize) -> *const u8 {
        // SAFETY: the caller's variable.
        unsafe { len.write(2) };
        c"ab".as_ptr().cast()
    }

    pub(super) unsafe extern "C" fn sum_free(sum: *mut Sum) {
        // SAFETY: what `sum_new` gave, once.
        drop(unsafe { Box::from_raw(sum) });
    }
}

/// A sum.
#[handle(raw = ffi::Sum, release = ffi::sum_free, fork_safe)]
struct Sum;

/// Handle types with the names of type parameters.
mod letters {
    use leakproof::prelude::*;

    use super::ffi;

    #[handle(raw = ffi::Sum, release = ffi::sum_free, fork_safe)]
    pub(super) struct R;

    #[handle(raw = ffi::Sum, release = ffi::sum_free, fork_safe)]
    pub(super) struct T;

    #[methods(unsafe, rust_only)]
    impl R {
        #[calls(ffi::sum_new, fails = null)]
        pub(super) fn new(total: i32) -> Result<Owned<R>>;
        #[calls(ffi::sum_join, args = (self, t, null))]
        pub(super) fn join(&self, t: &T) -> i32;
    }

    #[methods(unsafe, rust_only)]
    impl T {
        #[calls(ffi::sum_new, fails = null)]
        pub(super) fn new(total: i32) -> Result<Owned<T>>;
    }
}

#[methods(unsafe)]
impl Sum {
    #[new]
    #[calls(ffi::sum_new, fails = null)]
    fn new(py: i32) -> Result<Owned<Sum>>;

    #[calls(ffi::sum_add)]
    fn add(&self, own: i32, ret: i32, raw: i32) -> i32;

    #[calls(ffi::sum_add, fails = negative)]
    fn add_checked(&self, errors: i32, call: i32, left: i32) -> Result<i32>;

    #[calls(ffi::sum_join)]
    fn join(&self, context: &Sum, this: Option<&Sum>) -> i32;

    #[calls(ffi::sum_join)]
    fn join_alone(&mut self, slf: &mut Sum, it: Option<&mut Sum>) -> i32;

    #[field(total)]
    fn put(&mut self, raw: i32);

    fn twice(&self, context: i32) -> i32 {
        context * 2
    }
}

#[test]
fn parameters_may_have_any_name() {
    let _library = crate::wrapper::Library::start();
    let mut sum = Sum::new(1).unwrap();
    let (mut other, mut third) = (Sum::new(10).unwrap(), Sum::new(100).unwrap());
    assert_eq!(sum.add(2, 3, 4), 10);
    assert_eq!(sum.add_checked(2, 3, 4).unwrap(), 10);
    assert_eq!(sum.join(&other, Some(&third)), 111);
    assert_eq!(sum.join_alone(&mut other, Some(&mut third)), 111);
    assert_eq!(sum.join_alone(&mut other, None), 11);
    sum.put(5);
    assert_eq!(sum.twice(sum.add(0, 0, 0)), 10);
}

#[test]
fn handles_may_have_the_names_of_type_parameters() {
    let _library = crate::wrapper::Library::start();
    let (r, t) = (letters::R::new(1).unwrap(), letters::T::new(2).unwrap());
    assert_eq!(r.join(&t), 3);
}

/// Types that a macro of the author's passes on.
macro_rules! joined {
    ($state:ident, $handle:ty, $result:ty) => {
        #[methods(unsafe, rust_only)]
        impl Sum {
            #[calls(ffi::sum_join, args = (self, one, other))]
            fn join_both(&self, one: $handle, other: Option<$handle>) -> $result;
        }

        #[derive(Attachment)]
        struct $state;

        #[callbacks(unsafe)]
        impl $state {
            #[callback(unsafe extern "C" fn(*mut ffi::Sum, *mut std::ffi::c_void) -> i32, args = (sum, data))]
            fn total(&self, sum: $handle) -> $result {
                sum.add(0, 0, 0)
            }
        }
    };
}

joined!(Totals, &Sum, i32);

/// A type of a copy that a macro of the author's passes on.
macro_rules! copied {
    ($result:ty) => {
        #[methods(unsafe, rust_only)]
        impl Sum {
            #[calls(ffi::sum_text, args = (self, len))]
            fn text(&self) -> $result;
        }
    };
}

copied!(Option<Bytes>);

#[test]
fn types_of_a_macro_are_types() {
    let _library = crate::wrapper::Library::start();
    let (one, other) = (Sum::new(1).unwrap(), Sum::new(2).unwrap());
    assert_eq!(one.join_both(&other, Some(&one)), 4);
    assert_eq!(Totals.total(&other), 2);
    assert_eq!(one.text().unwrap().0, b"ab");
}

#[methods(unsafe, rust_only)]
impl Sum {
    /// A method that is not there, with a mistake.
    #[cfg(target_os = "none")]
    #[calls(ffi::sum_add, free = ffi::sum_free)]
    fn sum_of_nothing(&self) -> i32;

    #[cfg(not(target_os = "none"))]
    #[calls(ffi::sum_add)]
    fn add_these(&self, one: i32, two: i32, three: i32) -> i32;

    /// A method of the same name that gives a handle to C.
    #[cfg(target_os = "none")]
    #[calls(ffi::sum_free)]
    fn end(this: Owned<Self>);

    #[cfg(not(target_os = "none"))]
    #[calls(ffi::sum_free)]
    fn end(this: Owned<Self>);
}

#[test]
fn method_that_consumes_has_the_name_of_one_that_cfg_removes() {
    Sum::end(Sum::new(1).unwrap());
}

#[derive(Attachment)]
struct Twice;

#[callbacks(unsafe)]
impl Twice {
    /// A callback that is not there.
    #[cfg(target_os = "none")]
    #[callback(unsafe extern "C" fn(*mut ffi::Sum, *mut std::ffi::c_void) -> i32, args = (sum, data))]
    fn total(&self, sum: &Nothing) -> i32 {
        sum.add(0, 0, 0)
    }

    #[cfg(not(target_os = "none"))]
    #[callback(unsafe extern "C" fn(*mut ffi::Sum, *mut std::ffi::c_void) -> i32, args = (sum, data))]
    fn total(&self, sum: &Sum) -> i32 {
        sum.add(0, 0, 1)
    }
}

#[test]
fn callback_that_cfg_removes_is_not_there() {
    let _library = crate::wrapper::Library::start();
    assert_eq!(Twice.total(&Sum::new(1).unwrap()), 2);
    let _ = Twice::TOTAL;
}

#[test]
fn mistake_in_a_method_that_cfg_removes_is_none() {
    let _library = crate::wrapper::Library::start();
    assert_eq!(Sum::new(1).unwrap().add_these(1, 2, 3), 7);
}
