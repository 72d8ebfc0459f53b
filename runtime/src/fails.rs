//! What the words of `fails = …` look at.

/// `fails = null`
#[diagnostic::on_unimplemented(
    message = "`fails = null` is for pointers, and C returns `{Self}`",
    label = "C returns `{Self}`",
    note = "write `fails = nonzero`, `negative` or `when(|ret| …)`"
)]
pub trait Null {
    /// Whether it says that C failed.
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

/// `fails = nonzero`
#[diagnostic::on_unimplemented(
    message = "`fails = nonzero` is for integers, and C returns `{Self}`",
    label = "C returns `{Self}`",
    note = "write `fails = null` for a pointer, or `when(|ret| …)`"
)]
pub trait Nonzero {
    /// Whether it says that C failed.
    fn failed(self) -> bool;
}

/// `fails = negative`
#[diagnostic::on_unimplemented(
    message = "`fails = negative` is for signed numbers, and C returns `{Self}`",
    label = "C returns `{Self}`",
    note = "write `fails = null` for a pointer, `nonzero` or `when(|ret| …)`"
)]
pub trait Negative {
    /// Whether it says that C failed.
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

numbers! { Nonzero = |number| number != 0; i8 u8 i16 u16 i32 u32 i64 u64 isize usize }
numbers! { Nonzero = |number| number; bool }
numbers! { Negative = |number| number < 0; i8 i16 i32 i64 isize }
numbers! { Negative = |number| number < 0.0; f32 f64 }
