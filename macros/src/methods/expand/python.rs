//! The methods as Python sees them: each borrows its handles, calls the Rust method and converts
//! the result.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Type, Visibility};

use crate::methods::ast::{Method, MethodsBlock, Parameter, Receiver, Source};
use crate::methods::expand::copies::{copied, expand_python_name};
use crate::methods::expand::direct::expand_entries;
use crate::methods::expand::sharing::expand_detach_checks;
use crate::methods::expand::transfer::transfer_method_name;
use crate::pyo3::{class_path, crate_path};
use crate::span::respanned;
use crate::types::inspect::{argument_of, type_name};
use crate::types::lifetimes::erase_lifetimes;
use crate::types::param_kind::ParamKind;

pub(crate) fn expand(block: &MethodsBlock) -> TokenStream {
    let MethodsBlock {
        runtime, handle, ..
    } = block;
    let exported =
        |method: &&Method| !method.rust_only && !matches!(method.source, Source::Nothing);
    let (unconditional, conditional): (Vec<&Method>, Vec<&Method>) = block
        .methods
        .iter()
        .filter(exported)
        .partition(|method| method.cfg_attributes().next().is_none());
    let class = match handle {
        Type::Path(path) => class_path(&path.path),
        other => quote!(#other),
    };
    let pyo3 = crate_path(runtime);
    let expand_block = |methods: &[&Method]| {
        let configuration = methods.iter().flat_map(|method| method.cfg_attributes());
        let exported = methods.iter().map(|method| match method.exports_memory() {
            true => expand_buffer_protocol(method, runtime),
            false => {
                let (method, iter) = (expand_method(block, method), expand_iter(block, method));
                quote!(#method #iter)
            }
        });
        let hidden = methods
            .iter()
            .filter(|method| method.exports_memory())
            .map(|method| {
                let (cfg, hidden) = (method.cfg_attributes(), expand_hidden(block, method));
                quote!(#(#cfg)* impl #class { #hidden })
            });
        let is_constructor = |method: &&&Method| method.has_python_attribute("new");
        let constructed = methods.iter().find(is_constructor).map(|method| {
            let cfg = method.cfg_attributes();
            quote!(#(#cfg)* impl #runtime::__private::python::object::HasConstructor for #handle {})
        });
        quote! {
            #constructed
            #(#configuration)*
            #[#runtime::pyo3::pymethods]
            #[pyo3(crate = #pyo3)]
            impl #class {
                #(#exported)*
            }
            #(#hidden)*
        }
    };
    // PyO3 lists every method of a block in the stubs, so each method under a `cfg` gets a block of
    // its own under that `cfg`.
    let unconditional = (!unconditional.is_empty()).then(|| expand_block(&unconditional));
    let conditional = conditional.iter().map(|method| expand_block(&[method]));
    let entries = expand_entries(block);
    quote! {
        #runtime::__python! {
            #unconditional
            #(#conditional)*
            #entries
        }
    }
}

/// The name of the hidden function that returns the memoryview of `__buffer__`.
fn hidden_buffer_name() -> Ident {
    Ident::new("__exported_memory", Span::mixed_site())
}

/// The function that returns the memoryview of `__buffer__`, and that no Python code sees.
fn expand_hidden(block: &MethodsBlock, method: &Method) -> TokenStream {
    let MethodsBlock {
        runtime, handle, ..
    } = block;
    let name = expand_python_name(method, runtime);
    let (exported, private) = (hidden_buffer_name(), Visibility::Inherited);
    expand_wrapper(
        runtime,
        handle,
        method,
        &exported,
        &private,
        |this| quote!(#this.#name),
    )
}

/// The slot of the buffer protocol, which asks for a memoryview that exports the memory; and the method `__buffer__`,
/// for the stubs and for Pythons before 3.12, which do not make it of the slot.
fn expand_buffer_protocol(method: &Method, runtime: &TokenStream) -> TokenStream {
    let (pyo3, python) = (quote!(#runtime::pyo3), quote!(#runtime::__private::python));
    let hidden = hidden_buffer_name();
    let documentation = method
        .attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"));
    let comment = method.comment.for_python();
    quote! {
        #(#documentation)*
        #comment
        #[pyo3(signature = (flags, /))]
        fn __buffer__<'py>(
            slf: &#pyo3::Bound<'py, Self>,
            flags: ::core::ffi::c_int,
        ) -> #pyo3::PyResult<#pyo3::Bound<'py, #pyo3::types::PyMemoryView>> {
            #python::exported_view((&slf).py(), flags, || Self::#hidden(slf))
        }

        /// # Safety
        ///
        /// CPython passes a buffer to fill.
        unsafe fn __getbuffer__<'py>(
            slf: &#pyo3::Bound<'py, Self>,
            buffer: *mut #pyo3::ffi::Py_buffer,
            flags: ::core::ffi::c_int,
        ) -> #pyo3::PyResult<()> {
            // SAFETY: CPython: the buffer is to be filled.
            unsafe { #python::export_to((&slf).py(), buffer, flags, || Self::#hidden(slf)) }
        }
    }
}

/// Adds `__iter__` to a class with `__next__`, which is its own iterator.
pub(crate) fn expand_iter(block: &MethodsBlock, method: &Method) -> Option<TokenStream> {
    let has_iter = block
        .methods
        .iter()
        .any(|method| !method.rust_only && method.signature.ident == "__iter__");
    let runtime = &block.runtime;
    (method.signature.ident == "__next__" && !has_iter).then(|| {
        quote! {
            fn __iter__<'py>(
                slf: #runtime::pyo3::Bound<'py, Self>,
            ) -> #runtime::__private::python::TypedResult<'py, #runtime::__private::python::into_py::SelfType> {
                slf.into_any().into()
            }
        }
    })
}

pub(crate) fn expand_method(block: &MethodsBlock, method: &Method) -> TokenStream {
    let MethodsBlock {
        runtime, handle, ..
    } = block;
    let consuming = matches!(method.source, Source::Calls(_)) && method.consumed().next().is_some();
    let name = match consuming {
        true => transfer_method_name(method).into_token_stream(),
        false => expand_python_name(method, runtime),
    };
    let callee = |this: &Ident| match method.receiver {
        Receiver::None => quote!(<#handle>::#name),
        _ => quote!(#this.#name),
    };
    let exported = &method.signature.ident;
    expand_wrapper(
        runtime,
        handle,
        method,
        exported,
        &Visibility::Inherited,
        callee,
    )
}

/// The function `exported` that PyO3 exports. It borrows the handles of `method`, calls `callee` and converts
/// the result.
pub(crate) fn expand_wrapper(
    runtime: &TokenStream,
    handle: &Type,
    method: &Method,
    exported: &Ident,
    visibility: &Visibility,
    callee: impl FnOnce(&Ident) -> TokenStream,
) -> TokenStream {
    let python = quote!(#runtime::__private::python);
    let pyo3 = quote!(#runtime::pyo3);
    let name = &method.signature.ident;
    let documentation = method.attributes.iter().filter(|attribute| {
        ["doc", "cfg"]
            .iter()
            .any(|name| attribute.path().is_ident(name))
    });
    let comment = method.comment.for_python();
    let python_attributes = &method.python_attributes;
    let consumed_receiver = method.consumed_receiver(handle);
    let parameters = method
        .parameters
        .iter()
        .skip(usize::from(consumed_receiver.is_some()))
        .map(|parameter| expand_parameter(runtime, handle, method, parameter));
    let borrowed =
        method
            .parameters
            .iter()
            .filter_map(|Parameter { name, ty }| match ParamKind::of(ty) {
                ParamKind::Python | ParamKind::Value => None,
                _ => {
                    let text = name.unraw().to_string();
                    Some(quote!(#python::NamedArgument(&#name, #text)))
                }
            });
    let borrowed = quote!(&[#(#borrowed),*]);
    let place = match handle {
        Type::Tuple(_) => name.to_string(),
        _ => format!("{}.{name}", handle.to_token_stream()),
    };
    // The author may have parameters of these names.
    let own = |name| Ident::new(name, Span::mixed_site());
    let (this, context, slf, py) = (own("this"), own("context"), own("slf"), own("py"));
    let class = own("class");
    // PyO3 passes the class that is to be made to a class method.
    let is_constructor = method.has_python_attribute("new");
    let class_method = is_constructor.then(|| quote!(#[classmethod]));
    let body = matches!(method.source, Source::Body(_));
    let arguments = method
        .parameters
        .iter()
        .map(|parameter| match &method.source {
            Source::Calls(calls) if calls.keep_alive.contains(&parameter.name) => {
                let name = &parameter.name;
                respanned(quote!((&#name).get_in(#context)), name.span())
            }
            _ => expand_argument(parameter, &context, method.is_given(parameter)),
        });
    let given: Vec<&Parameter> = method
        .parameters
        .iter()
        .filter(|parameter| method.is_given(parameter))
        .collect();
    let count = method.parameters.len() - usize::from(consumed_receiver.is_some());
    let info = expand_method_info(method, count, body, &python);
    // Clippy allows seven parameters, including the receiver.
    let allow_many = (method.parameters.len() > 6).then(|| {
        quote!(#[allow(clippy::too_many_arguments, reason = "clippy counts them where the author \
         writes the method")])
    });
    let (convert, returns, finish) = expand_result(runtime, handle, method);
    let callee = callee(&this);
    let token = copied(method).map(|_| quote!(#context.py(),));
    let lifetimes = method
        .signature
        .generics
        .lifetimes()
        .filter(|lifetime| lifetime.lifetime.ident != "py");
    let call = expand_call(method, &quote!(#callee(#token #(#arguments),*)), runtime);
    let detach = method.detach.as_ref();
    let detach_checks =
        detach.map(|keyword| expand_detach_checks(handle, method, keyword.span(), runtime));
    let call = match given.as_slice() {
        [] => quote!(#context.#convert(#call)),
        given => {
            let checks = expand_returned_checks(handle, method, runtime);
            let call = expand_given(method, given, &context, &call, &convert, runtime);
            quote!({ #checks #call })
        }
    };
    let call = respanned(call, method.output.value.span());
    // A block may have closed the handle, as a transaction that was committed.
    let has_receiver = method.receiver != Receiver::None || consumed_receiver.is_some();
    let closed = (method.special_name() == "__exit__" && has_receiver).then(|| {
        let value = erase_lifetimes(&method.output.value, handle);
        let result = respanned(
            quote!(#python::exit_of_closed::<#value, _>(#slf)),
            method.output.value.span(),
        );
        quote! {
            if let ::core::option::Option::Some(result) = #result {
                return ::core::result::Result::Ok(result);
            }
        }
    });
    let bound = quote!(#slf: &#pyo3::Bound<'py, Self>);
    let receiver_conversion = consumed_receiver.map(|Parameter { name, .. }| {
        let give = respanned(quote!(#python::OwnedArg::of(#slf)), name.span());
        quote!(let #name: #python::OwnedArg<'_, 'py, #handle> = #give;)
    });
    let (receiver, enter) = match method.receiver {
        Receiver::None if consumed_receiver.is_some() => (
            bound,
            quote!(call_static((&#slf).py(), __ENTRY, #borrowed, |#context| #call)),
        ),
        Receiver::None if is_constructor => (
            quote!(#class: &#pyo3::Bound<'py, #pyo3::types::PyType>),
            quote!(call_new(#class, __ENTRY, #borrowed, |#context| #call)),
        ),
        Receiver::None => (
            quote!(#py: #pyo3::Python<'py>),
            quote!(call_static(#py, __ENTRY, #borrowed, |#context| #call)),
        ),
        Receiver::Shared => (
            bound,
            quote!(call_method::<#handle, _>(#slf, __ENTRY, #borrowed, |#this, #context| #call)),
        ),
        Receiver::Exclusive => (
            bound,
            quote!(call_method_mut::<#handle, _>(#slf, __ENTRY, #borrowed, |#this, #context| #call)),
        ),
    };
    quote! {
        #(#documentation)*
        #comment
        #(#python_attributes)*
        #class_method
        #allow_many
        #visibility fn #exported<'py, #(#lifetimes),*>(#receiver, #(#parameters),*) -> #pyo3::PyResult<#returns> {
            #runtime::__entry!(__ENTRY, __SITE, #place, #info);
            #detach_checks
            #closed
            #receiver_conversion
            #python::#enter #finish
        }
    }
}

/// The call of the Rust method, without the GIL if `#[detach]` says so.
fn expand_call(method: &Method, call: &TokenStream, runtime: &TokenStream) -> TokenStream {
    if method.detach.is_none() {
        return call.clone();
    }
    let sent = method
        .parameters
        .iter()
        .filter(|parameter| matches!(ParamKind::of(&parameter.ty), ParamKind::Value));
    let sent = sent.map(|Parameter { name, ty }| {
        respanned(
            quote!(#runtime::__private::call::assert_send(&#name);),
            ty.span(),
        )
    });
    quote!({
        #(#sent)*
        // SAFETY: Rust: `sent` refuses values that are not `Send`; the other arguments are handles,
        // and the body has no token of the interpreter.
        let promise = unsafe { #runtime::__private::call::WithoutPython::promised() };
        #runtime::__private::call::detach_unchecked(promise, || #call)
    })
}

/// Refuses to return the owner of a tree, which is another Python object then: those of the parts refer to the old one.
fn expand_returned_checks(handle: &Type, method: &Method, runtime: &TokenStream) -> TokenStream {
    let returned = method.parameters.iter();
    let returned = returned.filter(|parameter| method.may_return(parameter));
    let checks = returned.map(|Parameter { ty, .. }| {
        let (ParamKind::Owned(target) | ParamKind::OptionOwned(target)) = ParamKind::of(ty) else {
            return TokenStream::new();
        };
        let target = erase_lifetimes(&target, handle);
        let name = type_name(&target);
        let message = format!(
            "a body ends a `{name}` that it takes, because Python may have objects of its parts: take `&self` or `&mut {name}`, \
             which leaves the `{name}` open, or return no `Owned<{name}>`"
        );
        let spec = quote!(<#target as #runtime::__private::handle::Handle>::SPEC);
        let check = quote!(const _: () = ::core::assert!(!#spec.owns_tree, #message););
        respanned(check, ty.span())
    });
    checks.collect()
}

/// The call of a method that gets handles as `Owned`, and then decides whether their Python objects
/// are open again.
fn expand_given(
    method: &Method,
    parameters: &[&Parameter],
    context: &Ident,
    call: &TokenStream,
    convert: &TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    let python = quote!(#runtime::__private::python);
    // The type of the result of a body may hide the handle, as an enum does.
    let may_return = matches!(method.source, Source::Body(_));
    let own = |name: &Ident| format_ident!("given_{}", name.unraw(), span = Span::mixed_site());
    let gives = parameters.iter().map(|parameter| {
        let Parameter { name, ty } = parameter;
        let given = own(name);
        let mutable = may_return.then(|| quote!(mut));
        let give = match ParamKind::of(ty) {
            ParamKind::OptionOwned(_) => quote!(#python::give_optional(&#name, #context)),
            _ => quote!((&#name).give(#context)),
        };
        let give = quote! {
            // SAFETY: guarantee 7: the handle goes to the method of this call alone.
            let (#mutable #given, #name) = unsafe { #give }?;
        };
        respanned(give, name.span())
    });
    let settles = parameters.iter().map(|parameter| {
        let given = own(&parameter.name);
        match may_return {
            true => {
                quote!(#python::GivenArgs::settle_before_result(&mut #given, has_failed);)
            }
            false => quote!(#python::GivenArgs::settle(#given, has_failed);),
        }
    });
    let returned = parameters.iter().filter(|_| may_return);
    let returned: Vec<Ident> = returned.map(|parameter| own(&parameter.name)).collect();
    let converted = quote!(#context.#convert(result));
    let converted = match returned.is_empty() {
        true => converted,
        false => quote! {
            let converted = #converted;
            let has_failed = (&converted).is_err();
            #(#python::GivenArgs::settle(#returned, has_failed);)*
            converted
        },
    };
    let result_trait = match convert.to_string().as_str() {
        "convert" => quote!(into_py::IntoPython),
        _ => quote!(into_py::IntoResult),
    };
    quote!({
        #(#gives)*
        let result = #call;
        let has_failed = #python::#result_trait::is_error(&result);
        #(#settles)*
        #converted
    })
}

/// The runtime's description of the method.
pub(crate) fn expand_method_info(
    method: &Method,
    count: usize,
    body: bool,
    python: &TokenStream,
) -> TokenStream {
    let mut info = quote!(#python::MethodInfo::new(&__SITE, #count, #body));
    if method.reads_parent.is_some() {
        info = quote! {
            // SAFETY: annotation `reads_parent`: the method leaves memory as it is that the parent
            // lends.
            unsafe { #info.reading_parent() }
        };
    }
    match foreign_bits(method) {
        0 => info,
        bits => quote! {
            // SAFETY: annotation `foreign`: C takes handles of another ancestor there.
            unsafe { #info.with_foreign(#bits) }
        },
    }
}

/// The `#[foreign(…)]` parameters as bits. Bit 0 is the receiver, the others are the references in
/// their order.
pub(crate) fn foreign_bits(method: &Method) -> u32 {
    let references = method.parameters.iter().filter(|parameter| {
        !matches!(
            ParamKind::of(&parameter.ty),
            ParamKind::Python | ParamKind::Value
        )
    });
    let named = references
        .enumerate()
        .filter(|(_, parameter)| method.foreign.contains(&parameter.name));
    named.fold(0, |bits, (index, _)| bits | 1 << (index + 1))
}

/// Returns the conversion of the result, the return type of the wrapper, and the tokens that
/// convert the one to the other.
pub(crate) fn expand_result(
    runtime: &TokenStream,
    handle: &Type,
    method: &Method,
) -> (TokenStream, TokenStream, TokenStream) {
    let value = erase_lifetimes(&method.output.value, handle);
    let name = &method.signature.ident;
    if method.has_python_attribute("new") {
        let finish = quote! {
            .and_then(|object| object.cast_into::<Self>().map_err(::core::convert::Into::into))
        };
        return (
            quote!(convert),
            quote!(#runtime::pyo3::Bound<'py, Self>),
            finish,
        );
    }
    if name == "__next__"
        && let Some(item) = argument_of(&value, "Option")
    {
        let typed = quote!(#runtime::__private::python::TypedResult<'py, #item>);
        return (
            quote!(convert_next),
            respanned(
                quote!(::core::option::Option<#typed>),
                method.output.value.span(),
            ),
            quote!(.map(|next| next.map(::core::convert::Into::into))),
        );
    }
    if method.enters_itself() {
        let entered = quote!(#runtime::__private::python::into_py::SelfType);
        return (
            quote!(convert_entered),
            quote!(#runtime::__private::python::TypedResult<'py, #entered>),
            quote!(.map(::core::convert::Into::into)),
        );
    }
    if method.has_plain_result() {
        return (quote!(check_result), quote!(#value), TokenStream::new());
    }
    (
        quote!(convert),
        respanned(
            quote!(#runtime::__private::python::TypedResult<'py, #value>),
            method.output.value.span(),
        ),
        quote!(.map(::core::convert::Into::into)),
    )
}

fn expand_parameter(
    runtime: &TokenStream,
    handle: &Type,
    method: &Method,
    Parameter { name, ty }: &Parameter,
) -> TokenStream {
    let python = quote!(#runtime::__private::python);
    let (argument, target, is_optional) = match ParamKind::of(ty) {
        ParamKind::Ref(target) => (quote!(RefArg), target, false),
        ParamKind::Mut(target) => (quote!(MutArg), target, false),
        ParamKind::Owned(target) => (quote!(OwnedArg), target, false),
        ParamKind::OptionRef(target) => (quote!(RefArg), target, true),
        ParamKind::OptionMut(target) => (quote!(MutArg), target, true),
        ParamKind::OptionOwned(target) => (quote!(OwnedArg), target, true),
        ParamKind::Python => return quote!(#name: #runtime::pyo3::Python<'py>),
        ParamKind::Value => return quote!(#name: #ty),
    };
    let target = erase_lifetimes(&target, handle);
    let mut python_type = quote!(#python::#argument<'_, 'py, #target>);
    if method.is_operator() {
        python_type = quote!(#python::Operand<#python_type>);
    }
    if is_optional {
        python_type = quote!(::core::option::Option<#python_type>);
    }
    let python_type = respanned(python_type, name.span());
    quote!(#name: #python_type)
}

pub(crate) fn expand_argument(
    Parameter { name, ty }: &Parameter,
    context: &Ident,
    is_given: bool,
) -> TokenStream {
    let python_type = match ParamKind::of(ty) {
        ParamKind::Ref(_) => quote!((&#name).get(#context)),
        ParamKind::Mut(_) => quote! {
            // SAFETY: guarantee 4: the call has entered the handle exclusively, and this is the
            // only reference that it makes.
            unsafe { (&#name).get(#context) }
        },
        ParamKind::OptionRef(_) => quote!((&#name).as_ref().map(|it| it.get(#context))),
        ParamKind::OptionMut(_) => quote! {
            // SAFETY: guarantee 4: the call has entered the handle exclusively, and this is the
            // only reference that it makes.
            (&#name).as_ref().map(|it| unsafe { it.get(#context) })
        },
        _ if is_given => quote!(#name),
        ParamKind::Owned(_) | ParamKind::OptionOwned(_) => quote! {
            // SAFETY: guarantee 7: the place goes to the method of this call alone, which leaves in
            // it what C left.
            &mut *unsafe { (&#name).take(#context) }?
        },
        ParamKind::Python | ParamKind::Value => quote!(#name),
    };
    respanned(python_type, name.span())
}
