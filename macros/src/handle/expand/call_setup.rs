//! The setup of every call on a handle: the library's lock, the error callback, thread-local
//! variables. Besides these, the call that interrupts another one.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Path;
use syn::spanned::Spanned;

use crate::field_path::FieldPath;
use crate::handle::ast::{LockArg, ThreadLocal};
use crate::handle::model::Handle;
use crate::span::respanned;

/// Expands `lock(…)`.
pub(crate) fn expand_lock(handle: &Handle) -> Option<TokenStream> {
    let LockArg { of, enter, leave } = handle.lock.as_ref()?;
    let lock = respanned(of.expand(&quote!(raw)), of.span());
    let check = of.expand_direct_check(&handle.item.ident, &handle.runtime);
    let entered = quote_spanned!(enter.span()=> #enter(lock));
    let left = quote_spanned!(leave.span()=> #leave(lock.cast()));
    Some(quote! {
        const LOCKS: bool = true;

        unsafe fn enter_lock(raw: *mut Self::Raw) -> *mut () {
            #check
            let lock = #lock;
            // SAFETY: annotation `lock`: `of` returned a lock of the library, which lives as long as
            // the handle.
            unsafe { #entered };
            lock.cast()
        }

        unsafe fn leave_lock(lock: *mut ()) {
            // SAFETY: the caller's promise: this thread entered the lock, of a handle that is still
            // valid. annotation `lock`: the function leaves it.
            unsafe { #left };
        }
    })
}

pub(crate) fn expand_error_callback(handle: &Handle) -> Option<TokenStream> {
    let runtime = &handle.runtime;
    let callback = handle.errors.as_ref()?.callback.as_ref()?;
    let raw = Ident::new("raw", Span::mixed_site());
    let base = quote!((*#raw));
    let place = callback.within(&base);
    let pointers = callback.pointers(&base).into_iter();
    let pointers = pointers.map(|pointer| respanned(pointer, callback.span()));
    let ident = &handle.item.ident;
    let raw_type = quote!(<#ident as #runtime::__private::handle::Handle>::Raw);
    let check = FieldPath::expand_direct_check([callback], &raw_type, runtime);
    let report_place = quote!(#runtime::__private::error_source::ReportPlace);
    let place = quote!(#report_place::of::<Self::Errors, _>(&raw mut #place));
    let place = respanned(place, callback.span());
    Some(quote! {
        const REPORTS: ::core::primitive::bool = true;

        unsafe fn report_place(#raw: *mut Self::Raw) -> ::core::option::Option<#report_place> {
            #check
            // SAFETY: the caller's promise; annotation `errors`: the pointers on the way to the
            // place are valid, or NULL where there is no place.
            unsafe {
                #(if <*const _>::is_null(#pointers) { return ::core::option::Option::None; })*
                ::core::option::Option::Some(#place)
            }
        }
    })
}

/// Notes that C lends the records of `errors` to a callback.
pub(crate) fn expand_lent_record(handle: &Handle) -> Option<TokenStream> {
    let errors = handle.errors.as_ref()?;
    if errors.callback.is_none() && errors.thread_callback.is_none() {
        return None;
    }
    let (runtime, ident, errors) = (&handle.runtime, &handle.item.ident, handle.errors_type());
    Some(quote! {
        #runtime::__private::inventory::submit! {{
            #[allow(unused_imports, reason = "for errors that collect nothing")]
            use #runtime::__private::error_source::CollectsNothing as _;
            #runtime::__private::error_source::Collector::<#ident, #errors>::LENT
        }}
    })
}

/// The variable with the value of the thread-local `n`.
pub(crate) fn value_variable(n: usize) -> Ident {
    format_ident!("__value_{n}", span = Span::mixed_site())
}

/// Expands the thread-local variables that are set during calls.
pub(crate) fn expand_thread_locals(handle: &Handle) -> Option<TokenStream> {
    let runtime = &handle.runtime;
    let errors = handle.errors.iter();
    let reports: Vec<&Path> = errors
        .flat_map(|errors| [&errors.thread_callback, &errors.thread_messages])
        .flatten()
        .collect();
    if reports.is_empty() && handle.thread_locals.is_empty() {
        return None;
    }
    let listens = !reports.is_empty();
    let reports = reports.into_iter().map(|place| {
        let setting = quote!(#runtime::__private::thread_locals::Setting::report::<Self::Errors, _>(#place()));
        respanned(setting, place.span())
    });
    let settings = handle
        .thread_locals
        .iter()
        .enumerate()
        .map(|(n, ThreadLocal { place, .. })| {
            let value = value_variable(n);
            let address = quote_spanned!(place.span()=> #place());
            quote!(#runtime::__private::thread_locals::Setting::to(#address, #value))
        });
    let settings = reports.chain(settings);
    let names = (0..handle.thread_locals.len()).map(value_variable);
    let own = |name| Ident::new(name, Span::mixed_site());
    let (c, settings_name) = (own("c"), own("settings"));
    // Constants: code would run when the uses of the call have begun.
    let values = handle.thread_locals.iter().map(|local| {
        let value = &local.value;
        respanned(quote!((const { #value },)), value.span())
    });
    Some(quote! {
        const LISTENS: ::core::primitive::bool = #listens;

        #[inline]
        fn with_thread_locals<__R>(
            _: #runtime::__private::thread_locals::PerThread,
            #c: impl ::core::ops::FnOnce() -> __R,
        ) -> __R {
            #(let #names = #values;)*
            // SAFETY: annotation `thread_locals`: each function returns the address of a variable
            // of this thread, also those that `errors` names.
            let mut #settings_name = unsafe { [#(#settings),*] };
            #runtime::__private::thread_locals::during(&mut #settings_name, #c)
        }
    })
}

/// Expands `interrupt`: the function that `close()` calls while a C function blocks.
pub(crate) fn expand_interrupt(handle: &Handle) -> (Option<TokenStream>, Option<TokenStream>) {
    let Some(path) = &handle.interrupt else {
        return (None, None);
    };
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let wake = respanned(quote!(let wake: fn(&#ident) -> _ = #path;), path.span());
    let function = quote! {
        unsafe fn interrupt(raw: ::core::ptr::NonNull<()>) {
            #wake
            // SAFETY: the caller's promise: `raw` is a valid handle of this type
            // (`HandleKind::interrupt`).
            let _ = wake(unsafe { <#ident as #runtime::__private::handle::Handle>::from_raw(raw.cast()) });
        }
    };
    (Some(function), Some(quote!(.with_interrupt(interrupt))))
}
