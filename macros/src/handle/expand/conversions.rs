//! Conversions between a handle and its pointer or integer in C.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, Type};

use crate::handle::model::{Handle, Ownership};

/// Conversions from and to the pointer.
pub(crate) fn expand_pointer_conversions(handle: &Handle) -> TokenStream {
    let (runtime, ident, raw) = (&handle.runtime, &handle.item.ident, &handle.raw);
    let is_untyped = matches!(raw, Type::Path(path)
        if path.path.segments.last().is_some_and(|last| last.ident == "c_void"));
    let is_lent = matches!(handle.ownership, Ownership::CallbackOnly);
    let untyped = (is_lent && !is_untyped).then(|| {
        quote! {
            // SAFETY: guarantee 3: a reference to a handle is a valid handle, and the pointer is
            // C's own.
            unsafe impl #runtime::__private::to_c::IntoC<*mut ::core::ffi::c_void> for &#ident {
                const IS_HANDLE: ::core::primitive::bool = true;

                fn into_c(self) -> *mut ::core::ffi::c_void {
                    #runtime::__private::handle::Handle::as_raw(self).cast()
                }
            }

            // SAFETY: annotation `callback_only`: C passes the handle as a `void *`, and the
            // pointer stays what it is.
            unsafe impl #runtime::__private::from_c::PointedAt<*mut ::core::ffi::c_void> for #ident {
                #[inline]
                fn pointer(c: *mut ::core::ffi::c_void) -> *mut #raw {
                    c.cast()
                }
            }
        }
    });
    quote! {
        // SAFETY: guarantee 3: a reference to a handle is a valid handle, and the pointer is C's
        // own.
        unsafe impl #runtime::__private::to_c::IntoC<*mut #raw> for &#ident {
            const IS_HANDLE: ::core::primitive::bool = true;

            fn into_c(self) -> *mut #raw {
                #runtime::__private::handle::Handle::as_raw(self)
            }
        }

        // SAFETY: guarantee 3: a reference to a handle is a valid handle, and the pointer is C's
        // own.
        unsafe impl #runtime::__private::to_c::IntoC<*const #raw> for &#ident {
            const IS_HANDLE: ::core::primitive::bool = true;

            fn into_c(self) -> *const #raw {
                #runtime::__private::handle::Handle::as_raw(self)
            }
        }

        // SAFETY: Rust: the pointer stays what it is.
        unsafe impl #runtime::__private::from_c::PointedAt<*mut #raw> for #ident {
            #[inline]
            fn pointer(c: *mut #raw) -> *mut #raw {
                c
            }
        }

        // SAFETY: Rust: the pointer stays what it is.
        unsafe impl #runtime::__private::from_c::PointedAt<*const #raw> for #ident {
            #[inline]
            fn pointer(c: *const #raw) -> *mut #raw {
                c.cast_mut()
            }
        }
        #untyped
    }
}

/// Conversions from and to the integer.
pub(crate) fn expand_integer_conversions(
    handle: &Handle,
    ty: &Type,
    invalid: &Expr,
) -> TokenStream {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    quote! {
        // SAFETY: annotation `integer`: the handle is a number, which nothing follows as a pointer.
        unsafe impl #runtime::__private::handle::IntegerHandle for #ident {
            type Number = #ty;
            const INVALID: #ty = #invalid;
        }

        // SAFETY: guarantee 3: a reference to a handle is a valid handle, and so is its number.
        unsafe impl #runtime::__private::to_c::IntoC<#ty> for &#ident {
            const IS_HANDLE: ::core::primitive::bool = true;

            #[inline]
            fn into_c(self) -> #ty {
                #runtime::__private::handle::IntegerHandle::number(self)
            }
        }

        // SAFETY: Rust: `Never` has no values.
        unsafe impl #runtime::__private::to_c::IntoC<#runtime::__private::to_c::Never> for &#ident {
            const IS_HANDLE: ::core::primitive::bool = true;

            fn into_c(self) -> #runtime::__private::to_c::Never {
                ::core::unreachable!()
            }
        }

        // SAFETY: Rust: `number_to_raw` is what `IntegerHandle` keeps a number as.
        unsafe impl #runtime::__private::from_c::PointedAt<#ty> for #ident {
            #[inline]
            fn pointer(c: #ty) -> *mut () {
                #runtime::__private::handle::number_to_raw::<#ident>(c)
            }
        }
    }
}

/// The conversion from an out-parameter.
pub(crate) fn expand_from_out_param(handle: &Handle, caller_allocates: bool) -> TokenStream {
    let (runtime, ident, raw) = (&handle.runtime, &handle.item.ident, &handle.raw);
    if caller_allocates {
        return quote! {
            // SAFETY: annotation `caller_allocates`: C made the handle in the box, whose pointer is
            // the handle's.
            unsafe impl #runtime::__private::out_param::FromOutPtr<#raw> for #ident {
                type Storage = #runtime::__private::out_param::Boxed<#raw>;

                unsafe fn from_out_ptr(storage: Self::Storage) -> *mut #raw {
                    storage.into_raw()
                }
            }
        };
    }
    if let Some((ty, _)) = &handle.integer {
        return quote! {
            // SAFETY: annotation `out`: C wrote the handle's number.
            unsafe impl #runtime::__private::out_param::FromOutPtr<#ty> for #ident {
                type Storage = #runtime::__private::out_param::Inline<#ty>;

                unsafe fn from_out_ptr(storage: Self::Storage) -> *mut () {
                    // SAFETY: Rust: the slot holds a number that C wrote, or the zeros that were
                    // there.
                    #runtime::__private::handle::number_to_raw::<#ident>(unsafe { storage.value() })
                }
            }
        };
    }
    quote! {
        // SAFETY: annotation `out`: C wrote the handle's pointer.
        unsafe impl #runtime::__private::out_param::FromOutPtr<*mut #raw> for #ident {
            type Storage = #runtime::__private::out_param::Inline<*mut #raw>;

            unsafe fn from_out_ptr(storage: Self::Storage) -> *mut #raw {
                // SAFETY: Rust: the slot holds a pointer that C wrote, or the zeros that were
                // there, which are null.
                unsafe { storage.value() }
            }
        }
    }
}
