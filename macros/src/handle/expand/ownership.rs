//! The trait for the ownership of a handle: `Resource` with its release, or `Part`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Path, Type};

use crate::field_path::FieldPath;
use crate::handle::ast::{Release, ReleaseCArgs};
use crate::handle::expand::conversions::expand_from_out_param;
use crate::handle::model::{Handle, Ownership};
use crate::span::respanned;

pub(crate) fn expand_ownership(handle: &Handle) -> TokenStream {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let ownership = match &handle.ownership {
        Ownership::Resource { .. } => expand_resource(handle),
        Ownership::Part {
            owner, owner_field, ..
        } => expand_part(handle, owner, owner_field.as_ref()),
        Ownership::CallbackOnly => quote! {
            // SAFETY: annotation `callback_only`: `SPEC` says so, too.
            unsafe impl #runtime::__private::handle::CallbackOnly for #ident {}
        },
    };
    let by_pointer = (!handle.is_caller_allocated()).then(|| {
        quote! {
            // SAFETY: annotation `raw`: the handle is not made in place, so nothing but its release
            // has to free it.
            unsafe impl #runtime::__private::handle::PointerHandle for #ident {}
        }
    });
    let keeps = handle.attachments.then(|| {
        quote! {
            // SAFETY: guarantee 8: `SPEC` says so, too, so `HandleKind::on_acquire` makes an entry,
            // which keeps the values.
            unsafe impl #runtime::__private::handle::HasAttachments for #ident {}
        }
    });
    quote! {
        #ownership
        #by_pointer
        #keeps
    }
}

fn expand_resource(handle: &Handle) -> TokenStream {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let Ownership::Resource {
        release,
        parent,
        extra_parents,
        retain,
        caller_allocates,
        ..
    } = &handle.ownership
    else {
        return TokenStream::new();
    };
    let lifetime = match parent {
        Some(_) => quote!('p),
        None => quote!('static),
    };
    let parent = match parent {
        Some(parent) => quote!(#parent),
        None => quote!(()),
    };
    let released = match release {
        Some(release) => expand_release(handle, release, &parent),
        None => quote!(::core::result::Result::Ok(())),
    };
    let (releasing, raw) = (releasing_variable(), raw_variable());
    let released = match caller_allocates {
        true => quote! {
            let released = { #released };
            // SAFETY: guarantee 2: this is the handle's only release; annotation
            // `caller_allocates`: its memory came from the box of `FromOutPtr`, and nothing is left
            // in it that matters.
            unsafe { #runtime::__private::handle::free_in_place(#raw, released) }
        },
        false => released,
    };
    let kinds = (!extra_parents.is_empty()).then(|| {
        quote! {
            const EXTRA_PARENTS: &'static [fn() -> &'static #runtime::__private::kind::HandleKind] =
                &[#(#runtime::__private::handle::parent_kind::<#extra_parents>),*];
        }
    });
    let made = expand_from_out_param(handle, *caller_allocates);
    let counted = retain
        .as_ref()
        .map(|retain| expand_ref_counted(handle, retain));
    quote! {
        // SAFETY: annotation `release`: the function gives back what one acquisition took.
        unsafe impl #runtime::__private::handle::Resource for #ident {
            type Parent = #parent;
            #kinds
            type In<'p> = #runtime::__private::handle::Owned<#lifetime, #ident>;

            unsafe fn release(
                #raw: *mut Self::Raw,
            ) -> ::core::result::Result<(), #runtime::__private::handle::ReleaseError> {
                // A safe function, so that the author's expressions need their own `unsafe`. None of
                // them can call it, because only unsafe code makes a `Releasing`.
                fn __released(
                    #releasing: #runtime::__private::call::Releasing<#ident>,
                ) -> ::core::result::Result<(), #runtime::__private::handle::ReleaseError> {
                    let #raw = (&#releasing).raw();
                    #released
                }
                // SAFETY: the caller's promise: the handle is valid, and this is its only release;
                // annotation `release`: the function releases it, unless it fails and `kept` says
                // that it is still there.
                __released(unsafe { #runtime::__private::call::Releasing::of(::core::ptr::NonNull::new_unchecked(#raw)) })
            }
        }
        #made
        #counted
    }
}

fn expand_part(handle: &Handle, owner: &Type, owner_field: Option<&FieldPath>) -> TokenStream {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let knows = owner_field.map(|field| {
        let place = match field.is_self() {
            true => quote!(raw.cast()),
            false => field.within(&quote!((*raw))),
        };
        let place = respanned(place, field.span());
        let raw_type = quote!(<#ident as #runtime::__private::handle::Handle>::Raw);
        let check = FieldPath::expand_direct_check([field], &raw_type, runtime);
        quote! {
            #check

            #[allow(unused_unsafe, reason = "for `owner_field = self`")]
            // SAFETY: annotation `owner_field`: the field points at the owner, or is null.
            unsafe impl #runtime::__private::handle::HasOwnerField for #ident {
                unsafe fn owner_of(
                    raw: *mut Self::Raw,
                ) -> *mut <Self::Owner as #runtime::__private::handle::Handle>::Raw {
                    // SAFETY: the caller's promise: `raw` is valid. annotation `owner_field`: so
                    // the field may be read.
                    unsafe { #place }
                }
            }
        }
    });
    quote! {
        // SAFETY: annotation `part_of`: the part is valid as long as its owner.
        unsafe impl #runtime::__private::handle::Part for #ident {
            type Owner = #owner;
        }
        #knows
    }
}

/// The handle that is being released.
fn releasing_variable() -> Ident {
    Ident::new("releasing", Span::mixed_site())
}

/// The pointer of the handle that is being released.
fn raw_variable() -> Ident {
    Ident::new("raw", Span::mixed_site())
}

/// The call of the release function and the test of its status.
pub(crate) fn expand_release(
    handle: &Handle,
    release: &Release,
    parent: &TokenStream,
) -> TokenStream {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let path = &release.function;
    let (releasing, raw) = (releasing_variable(), raw_variable());
    // No expression of the author sees these: the handle is gone when `fails` is asked.
    let own = |name| Ident::new(name, Span::mixed_site());
    let (release_fn, this, above) = (own("release"), own("this"), own("parent"));
    let (function, call) = match &release.c_args {
        None => {
            let (taken, passed) = match &handle.integer {
                None => (
                    quote!(*mut <#ident as #runtime::__private::handle::Handle>::Raw),
                    quote!(#raw),
                ),
                Some((ty, _)) => (
                    quote!(#ty),
                    quote!(#runtime::__private::handle::raw_to_number::<#ident>(#raw)),
                ),
            };
            let function = quote_spanned!(path.span()=> let #release_fn: unsafe extern "C" fn(#taken) -> _ = #path;);
            (function, quote!(#release_fn(#passed)))
        }
        Some(ReleaseCArgs(names)) => {
            let passed = names.iter().map(|name| {
                let argument = match name == "self" {
                    true => quote!(#runtime::__private::to_c::IntoC::into_c(#this)),
                    false => quote!(#runtime::__private::to_c::IntoC::into_c(#above)),
                };
                respanned(argument, name.span())
            });
            let function = quote! {
                // SAFETY: guarantee 2: `HandleKind::release_once` releases a handle that is there,
                // so its pointer is valid and not null.
                let #this = unsafe {
                    <#ident as #runtime::__private::handle::Handle>::from_raw(::core::ptr::NonNull::new_unchecked(#raw))
                };
                let #above = #runtime::__private::children::parent_of_released().cast();
                // SAFETY: guarantee 16: a method of the parent made the handle (`MadeBy`), and
                // noted the parent (`CallOrigin`), which outlives the handle.
                let #above = unsafe { <#parent as #runtime::__private::handle::Handle>::from_raw(#above) };
            };
            (function, quote_spanned!(path.span()=> #path(#(#passed),*)))
        }
    };
    let call = quote! {
        // SAFETY: annotation `release`: C may release the handle so; guarantee 2: this is its only
        // release.
        unsafe { #call }
    };
    let Some(fails) = &release.fails else {
        let call = match release.detach {
            true => quote! {
                #runtime::__private::call::detach_unchecked(
                    // SAFETY: annotation `detach`: the release uses no Python.
                    unsafe { #runtime::__private::call::WithoutPython::promised() },
                    || #call,
                )
            },
            false => call,
        };
        return quote! {
            #function
            // SAFETY: annotation `thread_locals`: C keeps the variables that the handle names for
            // each thread.
            let _ = unsafe { #runtime::__private::call::release_infallible::<#ident, _>(|| #call) };
            ::core::result::Result::Ok(())
        };
    };
    let call = quote!({
        let returned = __caught.run(|| #call);
        // SAFETY: Rust: it is what C returned.
        unsafe { #runtime::__private::call::Returned::of(returned) }
    });
    let call = match release.detach {
        true => quote! {
            #runtime::__private::call::detach_unchecked(
                // SAFETY: annotation `detach`: the release uses no Python.
                unsafe { #runtime::__private::call::WithoutPython::promised() },
                || #call,
            )
        },
        false => call,
    };
    let name = release.name();
    let (failed, kept_on_failure) = (fails.expand(runtime), release.kept_on_failure);
    quote! {
        #function
        #runtime::__private::call::c_call(|__caught| #call)
            .with_status(|_| false, #failed)
            .release(#releasing, #name, #kept_on_failure)
    }
}

/// The fail point of a release that can fail.
pub(crate) fn expand_close_failpoint(
    handle: &Handle,
) -> (Option<TokenStream>, Option<TokenStream>) {
    let Ownership::Resource {
        release: Some(release),
        ..
    } = &handle.ownership
    else {
        return (None, None);
    };
    if release.fails.is_none() {
        return (None, None);
    }
    let (runtime, kept_on_failure) = (&handle.runtime, release.kept_on_failure);
    let (method, function) = (format!("{}.close", handle.item.ident), release.name());
    (
        Some(quote!(#runtime::__site!(CLOSE, #method, #function);)),
        Some(quote!(.fallible_release(&CLOSE, #kept_on_failure))),
    )
}

pub(crate) fn expand_ref_counted(handle: &Handle, retain: &Path) -> TokenStream {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let function = quote_spanned!(retain.span()=> let retain: unsafe extern "C" fn(*mut Self::Raw) -> _ = #retain;);
    quote! {
        // SAFETY: annotation `retain`: the function counts one owner more.
        unsafe impl #runtime::__private::handle::RefCounted for #ident {
            unsafe fn retain(raw: *mut Self::Raw) {
                #function
                // SAFETY: the caller's promise: `raw` is valid. annotation `retain`: C asks for no
                // more.
                let _ = unsafe { retain(raw) };
            }
        }
    }
}
