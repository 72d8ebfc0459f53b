//! The place of a library's own lock, `lock(of = …)`: a C function of the handle, C functions one after the other, or
//! a field of the handle's struct.
//!
//! `#[handle(…)]` has no word `unsafe`, so the place can only be reached from the handle's pointer: no other pointer
//! can be written there.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Path, UnOp};

use crate::span::respanned;

/// `ffi::lock_of`, `ffi::lock_of(ffi::owner_of(self))`, `self.lock` or `(*self.inner).lock`.
pub(crate) enum LockPlace {
    /// A C function that gets the handle.
    Function(Path),
    /// An expression over `self`, the handle's pointer.
    Steps(Expr),
}

const FORMS: &str = "expected a C function that returns the lock of the handle, such as `ffi::lock_of` or \
    `ffi::lock_of(ffi::owner_of(self))`, or a field of the handle's struct, such as `self.lock` or `(*self.inner).lock`";

impl Parse for LockPlace {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let place: Expr = input.parse()?;
        match place {
            Expr::Path(path) if !path.path.is_ident("self") => Ok(LockPlace::Function(path.path)),
            Expr::Path(_) => Err(syn::Error::new_spanned(&place, FORMS)),
            _ => {
                check_step(&place)?;
                Ok(LockPlace::Steps(place))
            }
        }
    }
}

/// Checks that `step` is a value that is found from the pointer `self`.
fn check_step(step: &Expr) -> syn::Result<()> {
    match step {
        Expr::Path(path) if path.path.is_ident("self") => Ok(()),
        Expr::Paren(paren) => check_step(&paren.expr),
        Expr::Field(field) => check_step(&field.base),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => check_step(&unary.expr),
        Expr::Call(call) if matches!(*call.func, Expr::Path(_)) && call.args.len() == 1 => {
            call.args.iter().try_for_each(check_step)
        }
        _ => Err(syn::Error::new_spanned(step, FORMS)),
    }
}

impl LockPlace {
    /// The lock of the handle at the pointer `raw`.
    pub(crate) fn expand(&self, raw: &TokenStream) -> TokenStream {
        match self {
            LockPlace::Function(function) => quote! {
                // SAFETY: the caller's promise: the pointer is valid. annotation `lock`: the function returns the
                // handle's lock.
                unsafe { #function(#raw) }
            },
            LockPlace::Steps(steps) => value(steps, raw),
        }
    }

    /// Expands to the check that none of the author's code runs on the way from the pointer `raw` to the lock. Where a
    /// C function is on the way, only the uses of the call are in its way (`Locked`).
    pub(crate) fn expand_direct_check(
        &self,
        handle: &Ident,
        runtime: &TokenStream,
    ) -> Option<TokenStream> {
        let LockPlace::Steps(steps) = self else {
            return None;
        };
        let raw = Ident::new("raw", Span::mixed_site());
        let handle = quote!(<#handle as #runtime::__private::handle::Handle>::Raw);
        let place = (!calls(steps)).then(|| within(steps, &raw.to_token_stream()))?;
        let check = quote!(#runtime::__runs_no_code!(#raw: #handle => #place););
        Some(respanned(check, self.span()))
    }

    pub(crate) fn span(&self) -> Span {
        match self {
            LockPlace::Function(function) => syn::spanned::Spanned::span(function),
            LockPlace::Steps(steps) => syn::spanned::Spanned::span(steps),
        }
    }
}

/// Returns `true` if a C function is called on the way to the step.
fn calls(step: &Expr) -> bool {
    match step {
        Expr::Call(_) => true,
        Expr::Paren(paren) => calls(&paren.expr),
        Expr::Field(field) => calls(&field.base),
        Expr::Unary(unary) => calls(&unary.expr),
        _ => false,
    }
}

/// The value of a step: a pointer, or what a C function returned.
fn value(step: &Expr, raw: &TokenStream) -> TokenStream {
    match step {
        Expr::Paren(paren) => value(&paren.expr, raw),
        Expr::Call(call) => {
            let function = &call.func;
            let arguments = call.args.iter().map(|argument| value(argument, raw));
            let pointer = crate::c_expr::argument(0);
            quote! {
                match (#(#arguments)*) {
                    // SAFETY: annotation `lock`: the function gets a pointer that was found from the handle, which is
                    // valid by the caller's promise.
                    #pointer => unsafe { #function(#pointer) },
                }
            }
        }
        Expr::Path(_) => raw.clone(),
        place => {
            let place = within(place, raw);
            quote! {
                // SAFETY: annotation `lock`: the field may be read, of a handle that is valid by the caller's promise.
                unsafe { #place }
            }
        }
    }
}

/// The place of a step: a field of the handle's struct, or of a struct that a pointer in it points to.
fn within(step: &Expr, raw: &TokenStream) -> TokenStream {
    match step {
        Expr::Paren(paren) => {
            let inner = within(&paren.expr, raw);
            quote!((#inner))
        }
        Expr::Field(field) => {
            let (base, member) = (within(&field.base, raw), &field.member);
            quote!(#base.#member)
        }
        Expr::Unary(unary) => match &*unary.expr {
            // `*self` is the handle's struct, as `self` before a field is.
            Expr::Path(_) => quote!((*#raw)),
            pointer => {
                let pointer = within(pointer, raw);
                quote!((*#pointer))
            }
        },
        Expr::Path(_) => quote!((*#raw)),
        call => value(call, raw).to_token_stream(),
    }
}
