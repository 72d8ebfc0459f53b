//! The C function pointers that call Rust methods.

use super::enter::enter;
use super::traits::{Callback, FunctionPointer};

/// The C function pointer that calls `K`.
///
/// # Safety
///
/// Implemented here only.
pub unsafe trait Trampoline<K>: FunctionPointer {
    /// The pointer.
    const POINTER: Self::Nullable;
}

macro_rules! function_pointers {
    ($(($($argument:ident: $type:ident),*);)+) => {$(
        // SAFETY: Rust: the type is a C function pointer.
        unsafe impl<$($type: Copy,)* R> FunctionPointer for Option<unsafe extern "C" fn($($type),*) -> R> {
            type Arguments = ($($type,)*);
            type Return = R;
            type Nullable = Self;
        }

        // SAFETY: Rust: the type is a C function pointer.
        unsafe impl<$($type: Copy,)* R> FunctionPointer for unsafe extern "C" fn($($type),*) -> R {
            type Arguments = ($($type,)*);
            type Return = R;
            type Nullable = Option<Self>;
        }

        const _: () = {
            unsafe extern "C" fn called<K, $($type: Copy,)* R>($($argument: $type),*) -> R
            where
                K: Callback,
                K::Function: FunctionPointer<Arguments = ($($type,)*), Return = R>,
            {
                // SAFETY: annotation `callback`: C calls the function with what its type says.
                unsafe { enter::<K>(($($argument,)*)) }
            }

            // SAFETY: Rust: the function takes and returns what the type says.
            unsafe impl<K, $($type: Copy,)* R> Trampoline<K> for Option<unsafe extern "C" fn($($type),*) -> R>
            where
                K: Callback<Function = Self>,
            {
                const POINTER: Self = Some(called::<K, $($type,)* R>);
            }

            // SAFETY: Rust: the function takes and returns what the type says.
            unsafe impl<K, $($type: Copy,)* R> Trampoline<K> for unsafe extern "C" fn($($type),*) -> R
            where
                K: Callback<Function = Self>,
            {
                const POINTER: Option<Self> = Some(called::<K, $($type,)* R>);
            }
        };
    )+};
}

function_pointers! {
    ();
    (a: A);
    (a: A, b: B);
    (a: A, b: B, c: C);
    (a: A, b: B, c: C, d: D);
    (a: A, b: B, c: C, d: D, e: E);
    (a: A, b: B, c: C, d: D, e: E, f: F);
    (a: A, b: B, c: C, d: D, e: E, f: F, g: G);
    (a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H);
    (a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H, i: I);
    (a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H, i: I, j: J);
    (a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H, i: I, j: J, k: A11);
    (a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H, i: I, j: J, k: A11, l: A12);
    (a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H, i: I, j: J, k: A11, l: A12, m: A13);
    (a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H, i: I, j: J, k: A11, l: A12, m: A13, n: A14);
    (a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H, i: I, j: J, k: A11, l: A12, m: A13, n: A14, o: A15);
    (a: A, b: B, c: C, d: D, e: E, f: F, g: G, h: H, i: I, j: J, k: A11, l: A12, m: A13, n: A14, o: A15, p: A16);
}

/// A C function pointer to a method of `S`. Its user data has to lead to an `S`.
#[doc(hidden)]
pub struct Function<S, F> {
    pub(super) pointer: F,
    state: std::marker::PhantomData<fn(&S)>,
}

impl<S, F> Function<S, F> {
    /// Returns the function pointer.
    ///
    /// # Safety
    ///
    /// C may call the function pointer with user data that leads to an `S`.
    pub const unsafe fn new(pointer: F) -> Self {
        Function {
            pointer,
            state: std::marker::PhantomData,
        }
    }
}
