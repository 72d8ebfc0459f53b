//! Values that the words of `fails = …` can check: only numbers and pointers, because the answer decides who owns the
//! result.

mod sealed {
    pub trait Pointer {}
    pub trait Status {}

    impl<T> Pointer for *const T {}
    impl<T> Pointer for *mut T {}
}

/// A pointer that `fails = null` checks.
#[diagnostic::on_unimplemented(
    message = "`fails = null` is for pointers, and C returns `{Self}`",
    label = "C returns `{Self}`",
    note = "write `fails = nonzero`, `negative` or `when(|ret| …)`"
)]
pub trait Null: sealed::Pointer {
    /// Returns whether the value says that C failed.
    fn failed(self) -> bool;
}

impl<T> Null for *const T {
    #[inline]
    fn failed(self) -> bool {
        self.is_null()
    }
}

impl<T> Null for *mut T {
    #[inline]
    fn failed(self) -> bool {
        self.is_null()
    }
}

/// An integer or a `bool` that `fails = nonzero` checks.
#[diagnostic::on_unimplemented(
    message = "`fails = nonzero` is for integers, and C returns `{Self}`",
    label = "C returns `{Self}`",
    note = "write `fails = null` for a pointer, or `when(|ret| …)`"
)]
pub trait Nonzero: sealed::Status {
    /// Returns whether the value says that C failed.
    fn failed(self) -> bool;
}

/// A number that `fails = negative` checks.
#[diagnostic::on_unimplemented(
    message = "`fails = negative` is for signed numbers, and C returns `{Self}`",
    label = "C returns `{Self}`",
    note = "write `fails = null` for a pointer, `nonzero` or `when(|ret| …)`"
)]
pub trait Negative: sealed::Status {
    /// Returns whether the value says that C failed.
    fn failed(self) -> bool;
}

macro_rules! numbers {
    ($trait:ident = |$number:ident| $condition:expr; $($type:ty)+) => {$(
        impl $trait for $type {
            #[inline]
            fn failed(self) -> bool {
                let $number = self;
                $condition
            }
        }
    )+};
}

macro_rules! sealed {
    ($($type:ty)+) => {$(impl sealed::Status for $type {})+};
}

sealed! { i8 u8 i16 u16 i32 u32 i64 u64 isize usize bool f32 f64 }
numbers! { Nonzero = |number| number != 0; i8 u8 i16 u16 i32 u32 i64 u64 isize usize }
numbers! { Nonzero = |number| number; bool }
numbers! { Negative = |number| number < 0; i8 i16 i32 i64 isize }
numbers! { Negative = |number| number < 0.0; f32 f64 }
