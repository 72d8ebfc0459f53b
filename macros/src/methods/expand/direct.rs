//! The direct entries of a class: the methods that CPython may call without PyO3's wrapper.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::quote;
use syn::{Attribute, LitCStr, LitStr, Meta, Token};

use crate::methods::ast::{Method, MethodsBlock, Parameter, Receiver, Source};
use crate::methods::expand::copies::{copied, expand_python_name};
use crate::types::inspect::is_named;
use crate::types::lifetimes::erase_lifetimes;
use crate::types::param_kind::ParamKind;

/// The list of entries of a block. The runtime leaves out those whose types are not plain.
pub(crate) fn expand_entries(block: &MethodsBlock) -> Option<TokenStream> {
    let (runtime, handle) = (&block.runtime, &block.handle);
    let methods = block.methods.iter();
    let entries: Vec<_> = methods
        .filter_map(|method| expand_entry(block, method))
        .collect();
    (!entries.is_empty()).then(|| {
        quote! {
            #runtime::__private::inventory::submit! {
                #runtime::__private::python::direct::DirectEntries {
                    handle: ::core::any::TypeId::of::<#handle>,
                    entries: &[#(#entries),*],
                }
            }
        }
    })
}

/// The entry of a method that takes values, and calls C or reads a field; `None` for any other method.
fn expand_entry(block: &MethodsBlock, method: &Method) -> Option<TokenStream> {
    let (runtime, handle) = (&block.runtime, &block.handle);
    let borrow = match method.receiver {
        Receiver::Shared => quote!(shared),
        Receiver::Exclusive if method.reads_parent.is_none() => quote!(exclusive),
        Receiver::Exclusive => return None,
        Receiver::None => quote!(nothing),
    };
    let is_simple = matches!(method.source, Source::Calls(_) | Source::Field(_))
        && !method.rust_only
        && method.detach.is_none()
        && method.cfg_attributes().next().is_none();
    let (kind, name) = python_name(method).filter(|_| is_simple)?;
    let mut parameters = Vec::new();
    for Parameter { name, ty } in &method.parameters {
        match ParamKind::of(ty) {
            ParamKind::Value => {}
            ParamKind::Ref(target) if is_named(&target, "str") || is_named(&target, "CStr") => {}
            _ => return None,
        }
        parameters.push(quote!(#name: #ty));
    }
    let value = erase_lifetimes(&method.output.value, handle);
    let result = match method.output.fallible {
        true => quote!(#runtime::Result<#value>),
        false => quote!(#value),
    };
    // The author may have parameters of these names.
    let [this, py] = ["this", "py"].map(|name| Ident::new(name, Span::mixed_site()));
    let callee = expand_python_name(method, runtime);
    let token = copied(method).map(|_| quote!(#py,));
    let arguments = method.parameters.iter().map(|Parameter { name, .. }| name);
    let span = method.signature.ident.span();
    let name = LitCStr::new(&std::ffi::CString::new(name).ok()?, span);
    let callee = match method.receiver {
        Receiver::None => quote!(<#handle>::#callee),
        _ => quote!(#this.#callee),
    };
    Some(quote! {
        #runtime::__direct!(#kind, #handle, #borrow, #name, |#this, #py #(, #parameters)*| -> #result { #callee(#token #(#arguments),*) })
    })
}

/// The kind of the entry, and the name of the method or property in Python; `None` where an attribute of PyO3 asks for
/// more than these.
fn python_name(method: &Method) -> Option<(TokenStream, String)> {
    let ident = method.signature.ident.to_string();
    let ident = ident.strip_prefix("r#").unwrap_or(&ident);
    let (mut kind, mut name) = (quote!(method), ident.to_owned());
    for attribute in &method.python_attributes {
        match &attribute.meta {
            Meta::Path(path) if path.is_ident("staticmethod") => kind = quote!(static_method),
            Meta::Path(path) if path.is_ident("new") => kind = quote!(constructor),
            Meta::Path(path) if path.is_ident("getter") => {
                kind = quote!(getter);
                name = ident.strip_prefix("get_").unwrap_or(ident).to_owned();
            }
            meta if meta.path().is_ident("pyo3") => name = renamed(attribute, name)?,
            _ => return None,
        }
    }
    if method.has_python_attribute("new") {
        return Some((kind, "__new__".to_owned()));
    }
    let is_static = method.receiver == Receiver::None;
    let is_known = is_static == method.has_python_attribute("staticmethod");
    (is_known && !name.starts_with("__")).then_some((kind, name))
}

/// The name in `#[pyo3(name = "…")]`, or `name`. `None` if an argument of PyO3 asks for more than an entry does. A
/// signature does not: the entry makes the calls that pass all arguments by position, unless it bars those.
fn renamed(attribute: &Attribute, mut name: String) -> Option<String> {
    let parsed = attribute.parse_nested_meta(|meta| {
        if meta.path.is_ident("name") {
            name = meta.value()?.parse::<LitStr>()?.value();
        } else if meta.path.is_ident("signature") {
            let signature = meta.value()?.parse::<Group>()?;
            let mut tokens = signature.stream().into_iter();
            let has_star = tokens.any(|token| token.to_string() == "*");
            if has_star {
                return Err(meta.error("arguments by keyword only"));
            }
            if meta.input.peek(Token![->]) {
                meta.input.parse::<Token![->]>()?;
                meta.input.parse::<LitStr>()?;
            }
        } else {
            return Err(meta.error("another argument"));
        }
        Ok(())
    });
    parsed.ok().map(|()| name)
}
