//! The tokens of a callback: the trait implementation that the trampoline uses, and constants with
//! the function pointer.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{ImplItemFn, ReturnType, Type};

use crate::c_expr::expand_c_expr;
use crate::callbacks::ast::{CallbackCArg, CallbackMethod, parameters};
use crate::callbacks::memory::{
    expand_count, expand_filled, expand_length, expand_read, expand_rest, expand_zeros,
};
use crate::methods::expand::variables::site_variable;
use crate::span::respanned;
use crate::text::{decode, with_undecoded_text};
use crate::types::inspect::{
    argument_of, borrowed_handles, form, is_out_buffer, is_slice_ref, is_unit, owned_handles,
    type_name,
};
use crate::types::lifetimes::erase_lifetimes;

pub(crate) fn expand(
    state: &Type,
    callback: &CallbackMethod,
    runtime: &TokenStream,
) -> TokenStream {
    let CallbackMethod {
        method,
        function,
        arguments,
        exclusive,
        even_after_error,
        ..
    } = callback;
    let name = &method.sig.ident;
    let variables: Vec<Ident> = arguments.iter().enumerate().map(c_variable).collect();
    let pattern = quote_spanned!(function.span()=> (#(#variables,)*));
    let data = expand_user_data(callback, &variables, runtime);
    let on_error = match &callback.on_error {
        Some(on_error) => expand_c_expr(on_error),
        None => quote!(::core::default::Default::default()),
    };
    // The author may have parameters of these names.
    let own = |name| Ident::new(name, Span::mixed_site());
    let site = site_variable();
    let (this, here, life) = (own("state"), own("here"), own("life"));
    let converted = parameters(method)
        .map(|(name, ty)| expand_parameter_conversion(callback, &variables, name, ty, runtime));
    let adopted: Vec<_> = parameters(method)
        .filter_map(|(name, ty)| expand_adoption(callback, name, ty, runtime))
        .collect();
    let release_arguments = (!adopted.is_empty()).then(|| {
        quote! {
            unsafe fn release_arguments(#pattern: #runtime::__private::callback::Arguments<Self>) {
                let #life = #runtime::__private::lifetime::Life::any();
                #(#adopted)*
            }
        }
    });
    let (find_length, keep_arguments, length) =
        expand_length(callback, (&pattern, &variables), runtime);
    let (find, run, on_error_fn) = (own("__data"), own("__call"), own("__on_error"));
    let before_name = Ident::new("__before", Span::mixed_site());
    let (before_type, before) = match &callback.before {
        None => (quote!(()), quote!()),
        Some(before) => (
            quote!(#runtime::__private::callback::Return<Self>),
            quote_spanned!(before.span()=> #before(#(#variables),*)),
        ),
    };
    let returned = expand_returned(state, callback, (&this, &before_name), runtime);
    let zeros = expand_zeros(callback, &variables, runtime);
    let forms = expand_form_checks(method, runtime);
    let parents = expand_owned_child_checks(state, method, runtime);
    let exclusive_use = expand_exclusive_checks(state, method, runtime);
    let lent = expand_lent_handles(state, method, runtime);
    let owners = expand_owner_checks(state, method, runtime);
    let place = format!("{}.{name}", state.to_token_stream());
    let cfgs = method
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("cfg"));
    let constants = expand_constants(state, callback, runtime);
    quote! {
        #(#cfgs)*
        const _: () = {
            struct __Callback;

            #find_length
            #parents
            #exclusive_use
            #owners
            #lent

            // SAFETY: annotation `data`: the user data is where the author of the block says.
            #[allow(unused_variables, unused_unsafe, non_snake_case, clippy::unused_unit, reason = "a callback need not use all arguments")]
            unsafe impl #runtime::__private::callback::Callback for __Callback {
                type State = #state;
                type Function = #function;
                const EVEN_AFTER_ERROR: bool = #even_after_error;
                const EXCLUSIVE: bool = #exclusive;
                type Before = #before_type;

                unsafe fn before(#pattern: #runtime::__private::callback::Arguments<Self>) -> Self::Before {
                    // SAFETY: annotation `before`: the function may be called with what C passed.
                    // the caller's promise: C passed the arguments.
                    #[allow(unused_unsafe, reason = "there may be no function")]
                    unsafe { #before }
                }

                fn site() -> &'static #runtime::__private::failpoint::CallSite {
                    #runtime::__site!(__SITE, #place, "callback");
                    &__SITE
                }

                // Safe functions, so that the author's expressions need their own `unsafe`.
                unsafe fn data(arguments: #runtime::__private::callback::Arguments<Self>) -> *const ::core::ffi::c_void {
                    fn #find(#pattern: #runtime::__private::callback::Arguments<__Callback>) -> *const ::core::ffi::c_void {
                        #data
                    }
                    #find(arguments)
                }

                unsafe fn call(
                    state: &#state,
                    arguments: #runtime::__private::callback::Arguments<Self>,
                    before: Self::Before,
                ) -> #runtime::Result<#runtime::__private::callback::Return<Self>> {
                    fn #run(
                        #this: &#state,
                        #pattern: #runtime::__private::callback::Arguments<__Callback>,
                        #before_name: <__Callback as #runtime::__private::callback::Callback>::Before,
                    ) -> #runtime::Result<#runtime::__private::callback::Return<__Callback>> {
                        #[allow(unused_imports, reason = "a fallback for types without handles")]
                        use #runtime::__private::uses::HoldsNone as _;
                        // The arguments of C are valid until this function returns.
                        let #site = <__Callback as #runtime::__private::callback::Callback>::site();
                        let #here = 0_u8;
                        let #life = #runtime::__private::lifetime::Life::of(&#here);
                        #forms
                        #keep_arguments
                        #(#adopted)*
                        #length
                        #(#converted)*
                        ::core::result::Result::Ok(#returned)
                    }
                    #run(state, arguments, before)
                }

                #release_arguments

                unsafe fn on_error(
                    arguments: #runtime::__private::callback::Arguments<Self>,
                ) -> #runtime::__private::callback::Return<Self> {
                    fn #on_error_fn(
                        #pattern: #runtime::__private::callback::Arguments<__Callback>,
                    ) -> #runtime::__private::callback::Return<__Callback> {
                        #zeros
                        #on_error
                    }
                    #on_error_fn(arguments)
                }

                fn fallback() -> ::core::option::Option<#runtime::__private::callback::Return<Self>> {
                    #[allow(unused_imports, reason = "a fallback for types without a default")]
                    use #runtime::__private::callback::NoFallback as _;
                    #runtime::__private::callback::Fallback::<#runtime::__private::callback::Return<Self>>::new().value()
                }
            }

            #constants
        };
    }
}

/// The pointer to the user data.
fn expand_user_data(
    callback: &CallbackMethod,
    variables: &[Ident],
    runtime: &TokenStream,
) -> TokenStream {
    let data = match &callback.data {
        Some(data) => expand_c_expr(data),
        None => {
            let data = variables.iter().find(|variable| *variable == "data");
            quote!(#data)
        }
    };
    quote!(#runtime::__private::callback::UserData::pointer(#data))
}

/// The call of the author's method, and the value that C gets.
fn expand_returned(
    state: &Type,
    callback: &CallbackMethod,
    (this, before_name): (&Ident, &Ident),
    runtime: &TokenStream,
) -> TokenStream {
    let method = &callback.method;
    let name = &method.sig.ident;
    let passed = parameters(method).map(|(name, ty)| match &ty {
        Type::Reference(reference) if reference.mutability.is_some() => {
            let exclusive = quote!(#runtime::__private::handle::Handle::from_raw_mut(#name.raw()));
            // SAFETY: annotation `callback`: C lends a `&mut T` to the callback alone; guarantee 4:
            // `Passed::begin` refused a handle that anything else uses.
            quote!(unsafe { #exclusive })
        }
        Type::Reference(_) if !is_slice_ref(ty) => quote!(#name.get()),
        _ => quote!(#name),
    });
    let value = match &method.sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(&**ty),
    };
    let fallible = value.and_then(|ty| argument_of(ty, "Result"));
    let outcome = quote!(#state::#name(#this, #(#passed),*));
    let outcome = match fallible {
        Some(_) => quote!(#outcome?),
        None => outcome,
    };
    match (callback.value(), &callback.before) {
        (_, Some(_)) => quote!({ #outcome; #before_name }),
        (None, None) => {
            let count = expand_count(callback);
            quote!({ #outcome; #count })
        }
        (Some(value), None) => {
            let span = value.span();
            let returned = quote!(#runtime::__private::callback::returned::<_, #runtime::__private::callback::Return<__Callback>>);
            let returned = respanned(returned, span);
            // What the callback had is in no use any more: C may be given the same object.
            let value = Ident::new("value", Span::mixed_site());
            let guards = parameters(method).map(|(name, _)| guard_variable(name));
            let rest = expand_rest(callback);
            quote!({
                let #value = #outcome;
                #rest
                #(#guards.end();)*
                #returned(#value)?
            })
        }
    }
}

/// Refuses types with names that hide handles or memory, because all other checks go by names, and so does what the
/// runtime is told of the callback.
fn expand_form_checks(method: &ImplItemFn, runtime: &TokenStream) -> TokenStream {
    let is_handle = |ty: &Type| matches!(ty, Type::Reference(_)) && !is_slice_ref(ty);
    let passed = parameters(method).map(|(_, ty)| ty);
    let passed = passed.filter(|ty| !is_handle(ty));
    let returned = match &method.sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(argument_of(ty, "Result").unwrap_or(ty)),
    };
    let returned = returned.filter(|ty| !is_unit(ty));
    let checks = passed.chain(returned).map(|ty| {
        let form = form(ty, runtime);
        respanned(
            quote!(#runtime::__private::shape::check::<#ty, #form>();),
            ty.span(),
        )
    });
    checks.collect()
}

/// The constants with the function pointer: one for the author, one for `args` of `#[calls]`.
fn expand_constants(state: &Type, callback: &CallbackMethod, runtime: &TokenStream) -> TokenStream {
    let CallbackMethod {
        method, function, ..
    } = callback;
    let name = &method.sig.ident;
    let constant = name.unraw().to_string().to_uppercase();
    let constant = format_ident!("{constant}", span = name.span());
    let typed = function_constant(name);
    let visibility = &method.vis;
    let doc = format!("The C function pointer to [`{name}`](Self::{name}).");
    let pointer = respanned(
        quote!(<#function as #runtime::__private::callback::Trampoline<__Callback>>::POINTER),
        function.span(),
    );
    quote! {
        impl #state {
            #[doc = #doc]
            #[allow(dead_code, reason = "`args` may name it")]
            #visibility const #constant: <#function as #runtime::__private::callback::FunctionPointer>::Nullable = #pointer;

            #[doc(hidden)]
            #[allow(dead_code, non_upper_case_globals, reason = "`args` of `#[calls]` names it")]
            #visibility const #typed: #runtime::__private::callback::Function<
                Self,
                <#function as #runtime::__private::callback::FunctionPointer>::Nullable,
            > =
                // SAFETY: Rust: the constant is the pointer to a callback whose `State` is this
                // type.
                unsafe { #runtime::__private::callback::Function::new(Self::#constant) };
        }
    }
}

/// Refuses owned handles with a parent among the parameters and the result, and those with `attachments`, and owners of
/// trees, in the result.
pub(crate) fn expand_owned_child_checks(
    state: &Type,
    method: &ImplItemFn,
    runtime: &TokenStream,
) -> TokenStream {
    let output = match &method.sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some((**ty).clone()),
    };
    let kept = output.iter().flat_map(owned_handles).map(|handle| {
        let handle = &erase_lifetimes(handle, state);
        let message = format!(
            "a `{name}` keeps values (`attachments`), and nobody would know when C needs them no more: a callback cannot give \
             it to C, so return a handle type without `attachments`",
            name = type_name(handle),
        );
        let tree = format!(
            "a `{name}` owns parts with `tree`, and C would not release those that are unlinked: a callback cannot give it to \
             C",
            name = type_name(handle),
        );
        let check = quote! {
            const _: () = {
                let spec = <#handle as #runtime::__private::handle::Handle>::SPEC;
                ::core::assert!(!spec.attachments, #message);
                ::core::assert!(!spec.owns_tree, #tree);
            };
            #runtime::__private::inventory::submit! {
                #runtime::__private::kind::GivenByCallbacks(<#handle as #runtime::__private::handle::Handle>::kind)
            }
            // C may have it in the handles whose methods pass the callback.
            #runtime::__private::inventory::submit! {
                #runtime::__private::kind::LentToCallbacks {
                    kind: <#handle as #runtime::__private::handle::Handle>::kind,
                    is_lent: false,
                    is_lent_by_call: false,
                    is_written: false,
                    lenders: &[],
                    state: ::core::option::Option::Some(::core::any::TypeId::of::<#state>),
                }
            }
        };
        respanned(check, handle.span())
    });
    let kept: TokenStream = kept.collect();
    let types: Vec<Type> = parameters(method)
        .map(|(_, ty)| ty.clone())
        .chain(output)
        .collect();
    let checks = types.iter().flat_map(owned_handles).map(|handle| {
        let handle = &erase_lifetimes(handle, state);
        let message = format!(
            "a `{name}` has a parent, and a callback does not know which: take or return a \
             reference, or a handle type without `parent`",
            name = type_name(handle),
        );
        let check = quote! {
            const _: () = ::core::assert!(
                <#handle as #runtime::__private::handle::Handle>::SPEC.parent.is_none(),
                #message
            );
        };
        respanned(check, handle.span())
    });
    let checks: TokenStream = checks.collect();
    quote!(#kept #checks)
}

/// The handle types that C lends to the callback.
fn lent_handles(method: &ImplItemFn) -> impl Iterator<Item = &Type> {
    parameters(method).flat_map(|(_, ty)| {
        let inside = argument_of(ty, "Option").unwrap_or(ty);
        let target = match inside {
            Type::Reference(reference) if !is_slice_ref(ty) => Some(&*reference.elem),
            _ => None,
        };
        target.into_iter().chain(borrowed_handles(ty))
    })
}

/// Refuses parts that do not know their owner: a running call may have the owner exclusively, and other code may
/// release it.
fn expand_owner_checks(state: &Type, method: &ImplItemFn, runtime: &TokenStream) -> TokenStream {
    let checks = lent_handles(method).map(|handle| {
        let handle = erase_lifetimes(handle, state);
        let name = type_name(&handle);
        let message = format!(
            "other code may use the owner of this `{name}` exclusively during the callback, or release it: add \
             `owner_field = …`, the C field that points to the owner of a `{name}`, to the annotation of `{name}`, annotate \
             a handle type `callback_only` for what the callback may call on it, or take a number as such and make the \
             `{name}` by `Borrowed::from_integer`",
        );
        let check = quote! {
            const _: () = ::core::assert!(
                !<#handle as #runtime::__private::handle::Handle>::SPEC.hides_owner(),
                #message
            );
        };
        respanned(check, handle.span())
    });
    checks.collect()
}

/// Lists the handle types that C lends to the callback.
fn expand_lent_handles(state: &Type, method: &ImplItemFn, runtime: &TokenStream) -> TokenStream {
    let written: Vec<&Type> = exclusive_parameters(method).map(|(_, ty)| ty).collect();
    let lent = lent_handles(method).map(|handle| {
        let is_written = written.iter().any(|written| std::ptr::eq(*written, handle));
        let handle = erase_lifetimes(handle, state);
        quote! {
            #runtime::__private::inventory::submit! {
                #runtime::__private::kind::LentToCallbacks {
                    kind: <#handle as #runtime::__private::handle::Handle>::kind,
                    is_lent: true,
                    is_lent_by_call: false,
                    is_written: #is_written,
                    lenders: &[],
                    state: ::core::option::Option::Some(::core::any::TypeId::of::<#state>),
                }
            }
        }
    });
    lent.collect()
}

/// The parameters of type `&mut T`, where `T` is a handle.
pub(crate) fn exclusive_parameters(method: &ImplItemFn) -> impl Iterator<Item = (&Ident, &Type)> {
    parameters(method).filter_map(|(name, ty)| match ty {
        Type::Reference(reference) if reference.mutability.is_some() && !is_slice_ref(ty) => {
            Some((name, &*reference.elem))
        }
        _ => None,
    })
}

/// Refuses `&mut` parameters of handles that other code may use during the callback.
pub(crate) fn expand_exclusive_checks(
    state: &Type,
    method: &ImplItemFn,
    runtime: &TokenStream,
) -> TokenStream {
    let checks = exclusive_parameters(method).map(|(_, handle)| {
        let handle = erase_lifetimes(handle, state);
        let message = format!(
            "other code may use a `{name}` during the callback: take it by `&`, or annotate a \
             `callback_only` handle type for an object that C lends only to this callback",
            name = type_name(&handle),
        );
        let check = quote! {
            const _: () = ::core::assert!(
                <#handle as #runtime::__private::handle::Handle>::SPEC.is_callback_only(),
                #message
            );
        };
        respanned(check, handle.span())
    });
    checks.collect()
}

/// The name of the constant with the function pointer of `method`, for `args` of `#[calls]`.
pub(crate) fn function_constant(method: &Ident) -> Ident {
    format_ident!("__call_{}", method, span = method.span())
}

/// The name of the variable that holds the use of a parameter's handles.
fn guard_variable(parameter: &Ident) -> Ident {
    format_ident!("_used_{}", parameter, span = Span::mixed_site())
}

/// The name of the variable that holds an argument of C.
pub(crate) fn c_variable((index, argument): (usize, &CallbackCArg)) -> Ident {
    match argument {
        CallbackCArg::Named(name) => name.clone(),
        CallbackCArg::Start(name, span) => {
            format_ident!(
                "__{}_ptr",
                name,
                span = span.resolved_at(Span::mixed_site())
            )
        }
        CallbackCArg::Length(name, span) => {
            format_ident!(
                "__{}_len",
                name,
                span = span.resolved_at(Span::mixed_site())
            )
        }
        CallbackCArg::Ignored => format_ident!("__ignored_{index}", span = Span::mixed_site()),
    }
}

/// Expands to the variable that owns what C gives for good by the parameter: before anything that can fail.
pub(crate) fn expand_adoption(
    callback: &CallbackMethod,
    name: &Ident,
    ty: &Type,
    runtime: &TokenStream,
) -> Option<TokenStream> {
    if !is_owned_parameter(callback, name, ty) {
        return None;
    }
    let life = Ident::new("life", Span::mixed_site());
    let value = quote!(<#ty as #runtime::__private::from_c::FromC<_>>::from_c_within(#name, #life));
    let value = respanned(value, ty.span());
    Some(quote! {
        // SAFETY: annotation `callback`: C passed it, and it is what the parameter says until the callback returns.
        let #name = unsafe { #value };
    })
}

/// Returns `true` for a parameter by which C gives a handle.
fn is_owned_parameter(callback: &CallbackMethod, name: &Ident, ty: &Type) -> bool {
    !owned_handles(ty).is_empty() && !callback.has_start(name)
}

pub(crate) fn expand_parameter_conversion(
    callback: &CallbackMethod,
    variables: &[Ident],
    name: &Ident,
    ty: &Type,
    runtime: &TokenStream,
) -> TokenStream {
    if is_out_buffer(ty) {
        let filled = expand_filled(callback, variables, (name, ty), runtime);
        let guard = guard_variable(name);
        return quote! {
            #filled
            let #guard = #runtime::__private::uses::NoUse;
        };
    }
    let (text, written) = (name.unraw().to_string(), ty);
    let mapped = with_undecoded_text(ty, runtime);
    let ty = mapped.as_ref().unwrap_or(ty);
    let value = expand_read(callback, variables, (name, ty), runtime).unwrap_or_else(|| {
        let target = match ty {
            Type::Reference(reference) if !is_slice_ref(ty) => {
                let target = &reference.elem;
                quote!(#runtime::Borrowed<'_, #target>)
            }
            ty => quote!(#ty),
        };
        let life = Ident::new("life", Span::mixed_site());
        quote!(<#target as #runtime::__private::from_c::FromC<_>>::from_c_within(#name, #life))
    });
    let value = respanned(value, ty.span());
    let value = match is_owned_parameter(callback, name, ty) {
        true => quote!(#name),
        false => quote! {
            // SAFETY: annotation `callback`: C passed it, and it is what the parameter says until the callback returns.
            unsafe { #value }
        },
    };
    let passed = quote!(#runtime::__private::callback::passed(#value, #text)?);
    let site = site_variable();
    let decoded = decode(written, passed, callback.utf8, &site, runtime);
    let exclusive = matches!(ty, Type::Reference(reference) if reference.mutability.is_some())
        && !is_slice_ref(ty);
    let used = respanned(
        quote!(#runtime::__private::uses::Passed(&#name).begin(#exclusive)?),
        ty.span(),
    );
    let guard = guard_variable(name);
    quote! {
        let #name = #decoded;
        let #guard = #used;
    }
}
