//! The tokens of a handle type: facts and two-line trait implementations; everything that acts is in the runtime.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, Path, Type};

use super::model::{Handle, LockWord, Ownership, Release, ReleaseArguments, ThreadLocal};
use crate::in_c::in_c;
use crate::words::{respanned, verbatim};

pub(crate) fn expand(handle: &Handle) -> TokenStream {
    let Handle {
        item,
        runtime,
        raw,
        name,
        ..
    } = handle;
    let (attributes, visibility, ident) = (&item.attrs, &item.vis, &item.ident);
    let errors = handle.errors_type();
    let hook = expand_hook(handle);
    let lock = expand_lock(handle);
    let thread_locals = expand_thread_locals(handle);
    let up = match &handle.ownership {
        Ownership::Resource { .. } => quote!(<Self as #runtime::handle::Resource>::UP),
        Ownership::Part { .. } => quote!(<Self as #runtime::handle::Part>::UP),
        Ownership::CallbackOnly => quote!(::core::option::Option::None),
    };
    let home = match &handle.ownership {
        Ownership::Resource { .. } => quote!(Itself),
        Ownership::Part {
            owner_field: Some(_),
            ..
        } => quote!(Owner),
        _ => quote!(Unknown),
    };
    let home = quote!(#runtime::handle::Home::#home);
    let (attachments, thread_bound) = (handle.attachments, handle.thread_bound);
    // What C lends to a callback does not last until a fork.
    let fork_safe =
        handle.fork_safe.is_some() || matches!(handle.ownership, Ownership::CallbackOnly);
    let fork_check = expand_fork_check(handle);
    let asks = handle
        .errors
        .as_ref()
        .is_some_and(|errors| errors.asks_handle);
    let (locks, asking) = (handle.lock.is_some(), expand_asking(handle, asks));
    let (beside, by_parent) = match &handle.ownership {
        Ownership::Resource {
            beside, release, ..
        } => {
            let by_parent = release
                .as_ref()
                .is_some_and(|release| release.by_parent.is_some());
            (&beside[..], by_parent)
        }
        _ => (&[][..], false),
    };
    let above = match &handle.ownership {
        Ownership::Resource {
            parent: Some(above),
            ..
        }
        | Ownership::Part { owner: above, .. } => quote!(#runtime::place::In<#above>),
        _ => quote!(#runtime::place::Nowhere),
    };
    let by_parent_alone =
        by_parent || handle.sharing.holds_parent || handle.sharing.mut_parent.is_some();
    let has_parent = matches!(
        handle.ownership,
        Ownership::Resource {
            parent: Some(_),
            ..
        }
    );
    let made_by = match by_parent_alone && has_parent {
        true => quote! {
            // SAFETY: guarantee 16: the type parameter is the parent, and no other type is.
            unsafe impl #runtime::place::MadeBy<#above> for #ident {}
        },
        false => quote! {
            // SAFETY: annotation `release`: neither the release nor a use by `&mut` needs the parent, as no word says
            // so.
            unsafe impl<R> #runtime::place::MadeBy<R> for #ident {}
        },
    };
    let (warns, kind, ownership) = expand_ownership(handle);
    let warning = warns.then(|| quote!(.warning()));
    let counted = matches!(
        handle.ownership,
        Ownership::Resource {
            retain: Some(_),
            ..
        }
    );
    let counted = counted.then(|| match &handle.sharing.borrowed_with {
        None => quote!(.counted::<#ident>(::core::option::Option::None)),
        Some(group) => {
            let kind = quote!(<#group as #runtime::handle::Handle>::kind);
            let kind = replace_self(respanned(kind, group.span()), ident);
            quote!(.counted::<#ident>(::core::option::Option::Some(#kind)))
        }
    });
    let (sharing, lending) = (expand_sharing(handle), check_lending_owner(handle));
    let (site, refusable) = expand_refusable(handle);
    let listed = matches!(handle.ownership, Ownership::Resource { .. }).then(|| {
        quote! {
            #runtime::__private::inventory::submit! { #runtime::ledger::Listed(&KIND) }
        }
    });
    let python = expand_class(handle);
    let comment = handle.comment.as_deref().map(verbatim);
    let comment = comment.map(|comment| quote!(#[doc = #comment]));
    let numbered = handle
        .integer
        .as_ref()
        .map(|(ty, invalid)| expand_numbered(handle, ty, invalid));
    let pointed = handle.integer.is_none().then(|| expand_pointed(handle));
    let (interrupt, interruptible) = expand_interrupt(handle);
    let knows_owner = matches!(
        handle.ownership,
        Ownership::Part {
            owner_field: Some(_),
            ..
        }
    );
    let owned = knows_owner.then(|| quote!(.knowing_owner::<#ident>()));
    let number = handle
        .integer
        .as_ref()
        .map(|_| quote!(.numbered::<#ident>()));
    let caller_allocates = matches!(
        handle.ownership,
        Ownership::Resource {
            caller_allocates: true,
            ..
        }
    );
    let keeps = handle.attachments.then(|| {
        quote! {
            // SAFETY: guarantee 8: `LINEAGE` says so, too, so `Kind::acquired` makes an entry, which keeps the values.
            unsafe impl #runtime::handle::Keeps for #ident {}
        }
    });
    let by_pointer = (!caller_allocates).then(|| {
        quote! {
            // SAFETY: annotation `raw`: the handle is not made in place, so nothing but its release has to free it.
            unsafe impl #runtime::handle::ByPointer for #ident {}
        }
    });
    quote! {
        #(#attributes)*
        #comment
        #[repr(transparent)]
        #visibility struct #ident {
            _opaque: #runtime::handle::Opaque,
        }

        const _: () = {
            #site
            #lending
            static KIND: #runtime::ledger::Kind = #runtime::ledger::Kind::#kind::<#ident>() #warning #counted #owned #refusable #number #interruptible;
            #listed

            // SAFETY: Rust: the type is a transparent wrapper of `Opaque`, which nobody can make: only `from_raw`
            // makes references to it.
            unsafe impl #runtime::handle::Handle for #ident {
                type Raw = #raw;
                type Errors = #errors;
                type Up = #above;
                const LINEAGE: &'static #runtime::handle::Lineage = &#runtime::handle::Lineage {
                    up: #up,
                    beside: &[#(<#beside as #runtime::handle::Handle>::LINEAGE),*],
                    attachments: #attachments,
                    thread_bound: #thread_bound,
                    fork_safe: #fork_safe,
                    home: #home,
                    asks: #asks,
                    locks: #locks,
                    sharing: #sharing,
                };
                const NAME: &'static ::core::primitive::str = #name;

                fn kind() -> &'static #runtime::ledger::Kind {
                    &KIND
                }

                #hook
                #lock
                #thread_locals
            }

            #fork_check
            #asking
            #made_by
            // SAFETY: annotation `parent`: these are all parents besides the first.
            unsafe impl #runtime::place::LivesBeside<(#(#beside,)*)> for #ident {}

            #ownership
            #by_pointer
            #keeps

            #pointed
            #numbered
            #interrupt

            impl ::core::fmt::Debug for #ident {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::write!(f, "{}({:p})", #name, self)
                }
            }
        };

        #python
    }
}

/// Says that the errors ask the handle; and refuses, while compiling, a detached release that changes what others ask for.
fn expand_asking(handle: &Handle, asks: bool) -> TokenStream {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let asks = asks.then(|| {
        quote! {
            // SAFETY: guarantee 23: `LINEAGE.asks` says so, too, so that detached calls are checked.
            unsafe impl #runtime::asking::AsksHandle for #ident {}
        }
    });
    let release = match &handle.ownership {
        Ownership::Resource {
            release: Some(release),
            ..
        } if release.detach => release,
        _ => return quote!(#asks),
    };
    let fallible = release.fails.is_some();
    let message = format!(
        "a detached release of a `{ident}` runs beside other threads' calls on the handle that the `{ident}` lives in, whose \
         errors ask that handle what went wrong: add `lock(of = …, enter = …, leave = …)` where that is annotated, or \
         remove `detach`"
    );
    let check = quote! {
        const _: () = ::core::assert!(
            <#ident as #runtime::handle::Handle>::LINEAGE.release_is_one_step(#fallible),
            #message
        );
    };
    let check = respanned(check, release.function.span());
    quote!(#asks #check)
}

/// Refuses, while compiling, `fork_safe` in a parent that is not.
fn expand_fork_check(handle: &Handle) -> Option<TokenStream> {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let Ownership::Resource {
        parent: Some(_), ..
    } = handle.ownership
    else {
        return None;
    };
    let word = handle.fork_safe.as_ref()?;
    let message = format!(
        "the release of a `{ident}` reaches into its parent, which is bound to its process: remove `fork_safe`, or say it of \
         the parent, if that holds no file, lock, socket or thread either"
    );
    let check = quote! {
        ::core::assert!(<#ident as #runtime::handle::Handle>::LINEAGE.lives_in_memory(), #message)
    };
    let check = respanned(check, word.span());
    Some(quote!(const _: () = #check;))
}

/// The tokens with the handle's name for `Self`, which a `static` does not know.
fn replace_self(tokens: TokenStream, ident: &Ident) -> TokenStream {
    let replace = |tree| match tree {
        TokenTree::Ident(word) if word == "Self" => {
            let mut ident = ident.clone();
            ident.set_span(word.span());
            TokenTree::Ident(ident)
        }
        other => other,
    };
    tokens.into_iter().map(replace).collect()
}

/// How the handle shares state with its parent.
fn expand_sharing(handle: &Handle) -> TokenStream {
    let runtime = &handle.runtime;
    let sharing = &handle.sharing;
    let (holds_parent, lends) = (sharing.holds_parent, sharing.lends.is_some());
    let (mut_parent, reads_parent) = (sharing.mut_parent.is_some(), sharing.reads_parent.is_some());
    let part = matches!(handle.ownership, Ownership::Part { .. });
    let counted = matches!(
        handle.ownership,
        Ownership::Resource {
            retain: Some(_),
            ..
        }
    );
    let until_mut = matches!(
        handle.ownership,
        Ownership::Part {
            until_mut: true,
            ..
        }
    );
    quote! {
        #runtime::handle::Sharing {
            holds_parent: #holds_parent,
            mut_parent: #mut_parent,
            reads_parent: #reads_parent,
            lends: #lends,
            part: #part,
            counted: #counted,
            until_mut: #until_mut,
        }
    }
}

/// Refuses a view that ends with the next exclusive borrow of an owner that does not say that it lends.
fn check_lending_owner(handle: &Handle) -> Option<TokenStream> {
    let Ownership::Part {
        owner,
        until_mut: true,
        ..
    } = &handle.ownership
    else {
        return None;
    };
    let runtime = &handle.runtime;
    let message = format!(
        "`{owner}` lends this view until it is used by `&mut`: write `lends` where `{owner}` is annotated, so that each \
         handle that lives in it says whether it changes what was lent",
        owner = crate::methods::written(owner),
    );
    let check = quote! {
        const _: () = ::core::assert!(<#owner as #runtime::handle::Handle>::LINEAGE.lends_memory(), #message);
    };
    Some(respanned(check, owner.span()))
}

/// How a pointer becomes a handle and back.
fn expand_pointed(handle: &Handle) -> TokenStream {
    let (runtime, ident, raw) = (&handle.runtime, &handle.item.ident, &handle.raw);
    let is_untyped = matches!(raw, Type::Path(path)
        if path.path.segments.last().is_some_and(|last| last.ident == "c_void"));
    let is_lent = matches!(handle.ownership, Ownership::CallbackOnly);
    let untyped = (is_lent && !is_untyped).then(|| {
        quote! {
            // SAFETY: guarantee 3: a reference to a handle is a valid handle, and the pointer is C's own.
            unsafe impl #runtime::arguments::IntoC<*mut ::core::ffi::c_void> for &#ident {
                fn into_c(self) -> *mut ::core::ffi::c_void {
                    #runtime::handle::Handle::as_raw(self).cast()
                }
            }

            // SAFETY: annotation `callback_only`: C passes the handle as a `void *`, and the pointer stays what it is.
            unsafe impl #runtime::returns::PointedAt<*mut ::core::ffi::c_void> for #ident {
                #[inline]
                fn pointer(c: *mut ::core::ffi::c_void) -> *mut #raw {
                    c.cast()
                }
            }
        }
    });
    quote! {
        // SAFETY: guarantee 3: a reference to a handle is a valid handle, and the pointer is C's own.
        unsafe impl #runtime::arguments::IntoC<*mut #raw> for &#ident {
            fn into_c(self) -> *mut #raw {
                #runtime::handle::Handle::as_raw(self)
            }
        }

        // SAFETY: guarantee 3: a reference to a handle is a valid handle, and the pointer is C's own.
        unsafe impl #runtime::arguments::IntoC<*const #raw> for &#ident {
            fn into_c(self) -> *const #raw {
                #runtime::handle::Handle::as_raw(self)
            }
        }

        // SAFETY: Rust: the pointer stays what it is.
        unsafe impl #runtime::returns::PointedAt<*mut #raw> for #ident {
            #[inline]
            fn pointer(c: *mut #raw) -> *mut #raw {
                c
            }
        }

        // SAFETY: Rust: the pointer stays what it is.
        unsafe impl #runtime::returns::PointedAt<*const #raw> for #ident {
            #[inline]
            fn pointer(c: *const #raw) -> *mut #raw {
                c.cast_mut()
            }
        }
        #untyped
    }
}

/// How a number becomes a handle and back.
fn expand_numbered(handle: &Handle, ty: &Type, invalid: &Expr) -> TokenStream {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    quote! {
        // SAFETY: annotation `value`: the handle is a number, which nothing follows as a pointer.
        unsafe impl #runtime::handle::Numbered for #ident {
            type Number = #ty;
            const INVALID: #ty = #invalid;
        }

        // SAFETY: guarantee 3: a reference to a handle is a valid handle, and so is its number.
        unsafe impl #runtime::arguments::IntoC<#ty> for &#ident {
            #[inline]
            fn into_c(self) -> #ty {
                #runtime::handle::Numbered::number(self)
            }
        }

        // SAFETY: Rust: `Never` has no values.
        unsafe impl #runtime::arguments::IntoC<#runtime::arguments::Never> for &#ident {
            fn into_c(self) -> #runtime::arguments::Never {
                ::core::unreachable!()
            }
        }

        // SAFETY: Rust: `number_to_raw` is what `Numbered` keeps a number as.
        unsafe impl #runtime::returns::PointedAt<#ty> for #ident {
            #[inline]
            fn pointer(c: #ty) -> *mut () {
                #runtime::handle::number_to_raw::<#ident>(c)
            }
        }
    }
}

/// What `close()` calls while C blocks.
fn expand_interrupt(handle: &Handle) -> (Option<TokenStream>, Option<TokenStream>) {
    let Some(path) = &handle.interrupt else {
        return (None, None);
    };
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let wake = respanned(quote!(let wake: fn(&#ident) -> _ = #path;), path.span());
    let function = quote! {
        unsafe fn interrupt(raw: ::core::ptr::NonNull<()>) {
            #wake
            // SAFETY: the caller's promise: `raw` is a valid handle of this type (`Kind::interrupt`).
            let _ = wake(unsafe { <#ident as #runtime::handle::Handle>::from_raw(raw.cast()) });
        }
    };
    (Some(function), Some(quote!(.interruptible(interrupt))))
}

/// The failpoint of a release that can fail.
fn expand_refusable(handle: &Handle) -> (Option<TokenStream>, Option<TokenStream>) {
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
    let (runtime, kept) = (&handle.runtime, release.kept);
    let (method, function) = (format!("{}.close", handle.item.ident), release.name());
    (
        Some(quote!(#runtime::__site!(CLOSE, #method, #function);)),
        Some(quote!(.refusable(&CLOSE, #kept))),
    )
}

/// The library's own lock of the handle.
fn expand_lock(handle: &Handle) -> Option<TokenStream> {
    let LockWord { of, enter, leave } = handle.lock.as_ref()?;
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let lock = match of {
        Expr::Path(_) => quote! {
            // SAFETY: the caller's promise: the pointer is valid. annotation `lock`: the function returns the handle's lock.
            unsafe { #of(raw) }
        },
        // A closure of the author's, in which each call of C is `unsafe` by itself.
        _ => {
            let of = in_c(of);
            quote!((#of)(raw))
        }
    };
    let lock = respanned(lock, of.span());
    let entered = quote_spanned!(enter.span()=> #enter(lock));
    let left = quote_spanned!(leave.span()=> #leave(lock.cast()));
    Some(quote! {
        const LOCKS: bool = true;

        unsafe fn enter_lock(raw: *mut Self::Raw) -> *mut () {
            // In a function of its own: what the author wrote is not unsafe where it does not say so.
            #[allow(unused_unsafe, clippy::redundant_closure_call, reason = "the author may write a closure or a function")]
            fn __entered(raw: *mut <#ident as #runtime::handle::Handle>::Raw) -> *mut () {
                let lock = #lock;
                // SAFETY: annotation `lock`: `of` returned a lock of the library, which lives as long as the handle.
                unsafe { #entered };
                lock.cast()
            }
            __entered(raw)
        }

        unsafe fn leave_lock(lock: *mut ()) {
            // SAFETY: the caller's promise: this thread entered the lock, of a handle that is still valid. annotation
            // `lock`: the function leaves it.
            unsafe { #left };
        }
    })
}

fn expand_hook(handle: &Handle) -> Option<TokenStream> {
    let runtime = &handle.runtime;
    let callback = handle.errors.as_ref()?.callback.as_ref()?;
    let slot = callback.within(&quote!((*raw)));
    let install = quote!(#runtime::errors::Hook::install::<Self::Errors, _>(&raw mut #slot));
    let install = respanned(install, callback.span());
    Some(quote! {
        unsafe fn hook(raw: *mut Self::Raw) -> ::core::option::Option<#runtime::errors::Hook> {
            // SAFETY: the caller's promise; the author of the handle says that C calls what is in this place.
            ::core::option::Option::Some(unsafe { #install })
        }
    })
}

/// The value of the `n`-th variable of the calling thread.
fn value_variable(n: usize) -> Ident {
    format_ident!("__value_{n}", span = Span::mixed_site())
}

/// The variables of the calling thread that are set during calls.
fn expand_thread_locals(handle: &Handle) -> Option<TokenStream> {
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
        let setting = quote!(#runtime::thread_locals::Setting::report::<Self::Errors, _>(#place()));
        respanned(setting, place.span())
    });
    let settings = handle
        .thread_locals
        .iter()
        .enumerate()
        .map(|(n, ThreadLocal { place, .. })| {
            let value = value_variable(n);
            let address = quote_spanned!(place.span()=> #place());
            quote!(#runtime::thread_locals::Setting::to(#address, #value))
        });
    let settings = reports.chain(settings);
    let names = (0..handle.thread_locals.len()).map(value_variable);
    let values = handle.thread_locals.iter().map(|local| {
        let value = &local.value;
        respanned(value.to_token_stream(), value.span())
    });
    Some(quote! {
        const LISTENS: ::core::primitive::bool = #listens;

        #[inline]
        fn with_thread_locals<__R>(
            _: #runtime::thread_locals::PerThread,
            c: impl ::core::ops::FnOnce() -> __R,
        ) -> __R {
            #(let #names = #values;)*
            // SAFETY: annotation `thread_locals`: each function returns the address of a variable of this thread,
            // also those that `errors` names.
            let mut settings = unsafe { [#(#settings),*] };
            #runtime::thread_locals::during(&mut settings, c)
        }
    })
}

fn expand_ownership(handle: &Handle) -> (bool, TokenStream, TokenStream) {
    let Handle { item, runtime, .. } = handle;
    let ident = &item.ident;
    match &handle.ownership {
        Ownership::Resource {
            release,
            parent,
            beside,
            retain,
            caller_allocates,
            warn_unclosed,
        } => {
            let lifetime = if parent.is_some() {
                quote!('p)
            } else {
                quote!('static)
            };
            let parent = parent
                .as_ref()
                .map_or_else(|| quote!(()), |parent| quote!(#parent));
            let released = match release {
                Some(release) => expand_release(handle, release, &parent),
                None => quote!(::core::result::Result::Ok(())),
            };
            let released = match caller_allocates {
                true => quote! {
                    let released = { #released };
                    // SAFETY: guarantee 2: this is the handle's only release; annotation `caller_allocates`: its memory came
                    // from the box of `MadeIn`, and nothing is left in it that matters.
                    unsafe { #runtime::handle::free_in_place(raw, released) }
                },
                false => released,
            };
            let kinds = (!beside.is_empty()).then(|| {
                quote! {
                    const BESIDE: &'static [fn() -> &'static #runtime::ledger::Kind] =
                        &[#(<#beside as #runtime::handle::Handle>::kind),*];
                }
            });
            let made = expand_made(handle, *caller_allocates);
            let counted = retain.as_ref().map(|retain| expand_counted(handle, retain));
            let tokens = quote! {
                // SAFETY: annotation `release`: the function gives back what one acquisition took.
                unsafe impl #runtime::handle::Resource for #ident {
                    type Parent = #parent;
                    #kinds
                    type In<'p> = #runtime::handle::Owned<#lifetime, #ident>;

                    unsafe fn release(
                        raw: *mut Self::Raw,
                    ) -> ::core::result::Result<(), #runtime::handle::Unreleased> {
                        // In a function of its own: what the author wrote is not unsafe where it does not say so.
                        fn __released(
                            raw: *mut <#ident as #runtime::handle::Handle>::Raw,
                        ) -> ::core::result::Result<(), #runtime::handle::Unreleased> {
                            let _ = raw;
                            #released
                        }
                        __released(raw)
                    }
                }
                #made
                #counted
            };
            (*warn_unclosed, quote!(resource), tokens)
        }
        Ownership::Part {
            owner, owner_field, ..
        } => {
            let knows = owner_field.as_ref().map(|field| {
                let place = respanned(field.within(&quote!((*raw))), field.span());
                quote! {
                    // SAFETY: annotation `owner`: the field points at the owner, or is null.
                    unsafe impl #runtime::handle::KnowsOwner for #ident {
                        unsafe fn owner_of(
                            raw: *mut Self::Raw,
                        ) -> *mut <Self::Owner as #runtime::handle::Handle>::Raw {
                            // SAFETY: the caller's promise: `raw` is valid. annotation `owner`: so the field may be
                            // read.
                            unsafe { #place }
                        }
                    }
                }
            });
            let tokens = quote! {
                // SAFETY: annotation `part_of`: the part is valid as long as its owner.
                unsafe impl #runtime::handle::Part for #ident {
                    type Owner = #owner;
                }
                #knows
            };
            (false, quote!(view), tokens)
        }
        Ownership::CallbackOnly => (false, quote!(view), TokenStream::new()),
    }
}

/// The call of the release function, and what it ended with.
fn expand_release(handle: &Handle, release: &Release, parent: &TokenStream) -> TokenStream {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let path = &release.function;
    let (function, call) = match &release.by_parent {
        None => {
            let (taken, passed) = match &handle.integer {
                None => (
                    quote!(*mut <#ident as #runtime::handle::Handle>::Raw),
                    quote!(raw),
                ),
                Some((ty, _)) => (
                    quote!(#ty),
                    quote!(#runtime::handle::raw_to_number::<#ident>(raw)),
                ),
            };
            let function = quote_spanned!(path.span()=> let release: unsafe extern "C" fn(#taken) -> _ = #path;);
            (function, quote!(release(#passed)))
        }
        Some(ReleaseArguments(names)) => {
            let passed = names.iter().map(|name| {
                let argument = match name == "self" {
                    true => quote!(#runtime::arguments::IntoC::into_c(this)),
                    false => quote!(#runtime::arguments::IntoC::into_c(parent)),
                };
                respanned(argument, name.span())
            });
            let function = quote! {
                // SAFETY: guarantee 2: `Kind::dispose` releases a handle that is there, so its pointer is valid and
                // not null.
                let this = unsafe {
                    <#ident as #runtime::handle::Handle>::from_raw(::core::ptr::NonNull::new_unchecked(raw))
                };
                let parent = #runtime::children::parent_of_released().cast();
                // SAFETY: guarantee 16: a method of the parent made the handle (`MadeBy`), and noted the parent
                // (`Birth`), which outlives the handle.
                let parent = unsafe { <#parent as #runtime::handle::Handle>::from_raw(parent) };
            };
            (function, quote_spanned!(path.span()=> #path(#(#passed),*)))
        }
    };
    let call = quote! {
        // SAFETY: annotation `release`: C may release the handle so; guarantee 2: this is its only release.
        unsafe { #call }
    };
    let Some(fails) = &release.fails else {
        let call = match release.detach {
            true => quote! {
                #runtime::call::detached(
                    // SAFETY: annotation `detach`: the release uses no Python.
                    unsafe { #runtime::call::WithoutPython::promised() },
                    || #call,
                )
            },
            false => call,
        };
        return quote! {
            #function
            // SAFETY: annotation `thread_locals`: C keeps the variables that the handle names for each thread.
            let _ = unsafe { #runtime::call::unheard::<#ident, _>(|| #call) };
            ::core::result::Result::Ok(())
        };
    };
    let call = quote!(__caught.run(|| #call));
    let call = match release.detach {
        true => quote! {
            #runtime::call::detached(
                // SAFETY: annotation `detach`: the release uses no Python.
                unsafe { #runtime::call::WithoutPython::promised() },
                || #call,
            )
        },
        false => call,
    };
    let name = release.name();
    let (failed, kept) = (fails.expand(runtime), release.kept);
    quote! {
        #function
        // SAFETY: guarantee 2: `Kind::dispose` releases a handle that is there, so its pointer is not null.
        let handle = unsafe { ::core::ptr::NonNull::new_unchecked(raw) };
        let calling = #runtime::call::calling(|__caught| #call).judged(|_| false, #failed);
        // SAFETY: annotation `release`: the call releases the handle, unless it fails and `kept` says that it is
        // still there; guarantee 2: this is its only release.
        let releasing = unsafe { #runtime::call::Releasing::<#ident>::of(handle) };
        calling.release(releasing, #name, #kept)
    }
}

/// How C makes a handle through an out-parameter.
fn expand_made(handle: &Handle, caller_allocates: bool) -> TokenStream {
    let (runtime, ident, raw) = (&handle.runtime, &handle.item.ident, &handle.raw);
    if caller_allocates {
        return quote! {
            // SAFETY: annotation `caller_allocates`: C made the handle in the box, whose pointer is the handle's.
            unsafe impl #runtime::out::MadeIn<#raw> for #ident {
                type Storage = #runtime::out::Boxed<#raw>;

                unsafe fn made(storage: Self::Storage) -> *mut #raw {
                    storage.into_raw()
                }
            }
        };
    }
    if let Some((ty, _)) = &handle.integer {
        return quote! {
            // SAFETY: annotation `out`: C wrote the handle's number.
            unsafe impl #runtime::out::MadeIn<#ty> for #ident {
                type Storage = #runtime::out::Inline<#ty>;

                unsafe fn made(storage: Self::Storage) -> *mut () {
                    // SAFETY: Rust: the slot holds a number that C wrote, or the zeros that were there.
                    #runtime::handle::number_to_raw::<#ident>(unsafe { storage.value() })
                }
            }
        };
    }
    quote! {
        // SAFETY: annotation `out`: C wrote the handle's pointer.
        unsafe impl #runtime::out::MadeIn<*mut #raw> for #ident {
            type Storage = #runtime::out::Inline<*mut #raw>;

            unsafe fn made(storage: Self::Storage) -> *mut #raw {
                // SAFETY: Rust: the slot holds a pointer that C wrote, or the zeros that were there, which are null.
                unsafe { storage.value() }
            }
        }
    }
}

fn expand_counted(handle: &Handle, retain: &Path) -> TokenStream {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let function = quote_spanned!(retain.span()=> let retain: unsafe extern "C" fn(*mut Self::Raw) -> _ = #retain;);
    quote! {
        // SAFETY: annotation `retain`: the function counts one owner more.
        unsafe impl #runtime::handle::Counted for #ident {
            unsafe fn retain(raw: *mut Self::Raw) {
                #function
                // SAFETY: the caller's promise: `raw` is valid. annotation `retain`: C asks for no more.
                let _ = unsafe { retain(raw) };
            }
        }
    }
}

fn expand_class(handle: &Handle) -> TokenStream {
    let Handle {
        item,
        runtime,
        class,
        name,
        module,
        ..
    } = handle;
    let (visibility, ident) = (&item.vis, &item.ident);
    let documentation = item
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"));
    let comment = handle
        .comment
        .as_ref()
        .map(|comment| quote!(#[doc = #comment]));
    let pyo3 = format!("{}::pyo3", quote!(#runtime)).replace(' ', "");
    let lend = match handle.ownership {
        Ownership::Resource {
            retain: Some(_), ..
        } => quote!(lend_counted),
        Ownership::Resource { .. } => quote!(lend_resource),
        Ownership::Part { .. } => quote!(lend_part),
        // A class that no object is of, for `#[methods]` to find: that it has no `PyHandle` is then the one mistake.
        Ownership::CallbackOnly => {
            return quote! {
                #runtime::__python! {
                    #[#runtime::pyo3::pyclass(crate = #pyo3)]
                    #[allow(dead_code, reason = "what is lent does not reach Python")]
                    struct #class;
                }
            };
        }
    };
    quote! {
        #runtime::__python! {
            #(#documentation)*
            #comment
            #[#runtime::pyo3::pyclass(
                extends = #runtime::python::HandleClass, frozen, immutable_type, name = #name, module = #module, crate = #pyo3
            )]
            #[allow(dead_code, reason = "a handle that stays in Rust has a class all the same")]
            #visibility struct #class;

            // SAFETY: guarantee 17: only `new_object` of the runtime makes objects of this class, each with a pointer
            // of this type's kind.
            unsafe impl #runtime::python::PyHandle for #ident {
                type Class = #class;

                fn class() -> #class {
                    #class
                }

                fn lend<'a, 'py>(
                    handle: #runtime::handle::Borrowed<'a, Self>,
                    context: &#runtime::python::Context<'a, 'py>,
                ) -> #runtime::pyo3::PyResult<#runtime::pyo3::Bound<'py, #runtime::pyo3::PyAny>> {
                    #runtime::python::handle::#lend(handle, context)
                }
            }

            #[doc(hidden)]
            #[allow(dead_code, reason = "only read where the type is exported")]
            impl #ident {
                pub const _PYO3_DEF: #runtime::pyo3::impl_::pymodule::AddClassToModule<#class> = #class::_PYO3_DEF;
                pub const _PYO3_INTROSPECTION_ID: &'static ::core::primitive::str = #class::_PYO3_INTROSPECTION_ID;
            }
        }
    }
}
