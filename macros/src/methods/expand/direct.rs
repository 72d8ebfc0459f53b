//! The direct entries of a class: the methods that CPython may call without PyO3's wrapper.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Attribute, LitCStr, LitStr, Meta, Token, Type};

use crate::methods::ast::{Method, MethodsBlock, Parameter, Receiver, Source};
use crate::methods::expand::copies::{copied, expand_python_name};
use crate::pyo3::class_path;
use crate::types::inspect::{argument_of, is_named};
use crate::types::lifetimes::erase_lifetimes;
use crate::types::param_kind::ParamKind;

/// The list of entries of a block. The runtime leaves out those whose types are not plain.
pub(crate) fn expand_entries(block: &MethodsBlock) -> Option<TokenStream> {
    let (runtime, handle) = (&block.runtime, &block.handle);
    let methods = block.methods.iter();
    let entries: Vec<_> = methods
        .flat_map(|method| match expand_entry(block, method) {
            Some(entry) if !is_surely_plain(method) => {
                let other = expand_wrapped(block, method);
                [Some(entry), other.map(|other| quote!(#other.otherwise()))]
            }
            Some(entry) => [Some(entry), None],
            None => [expand_wrapped(block, method), None],
        })
        .flatten()
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
    let Named {
        kind,
        name,
        signature,
    } = python_name(method).filter(|_| is_simple)?;
    if kind.to_string() == "setter" || signature.is_some_and(|signature| signature.has_keywords()) {
        return None;
    }
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

/// Returns `true` if another entry than that of [`expand_entry`] would not be used, or would make no call faster: where
/// the result is plain, and where there are no arguments that PyO3 would collect.
fn is_surely_plain(method: &Method) -> bool {
    const PLAIN: &[&str] = &["String", "CString", "bool", "f64", "c_int", "usize", "i64"];
    let value = &method.output.value;
    let value = argument_of(value, "Option").unwrap_or(value);
    let is_empty = matches!(value, Type::Tuple(tuple) if tuple.elems.is_empty());
    let is_plain = is_empty || PLAIN.iter().any(|name| is_named(value, name));
    is_plain || (method.parameters.is_empty() && !method.has_python_attribute("new"))
}

/// The entry of a method with a body, or with handles among its arguments; `None` where the signature asks for more
/// than an entry does, and for special methods.
fn expand_wrapped(block: &MethodsBlock, method: &Method) -> Option<TokenStream> {
    let (runtime, handle) = (&block.runtime, &block.handle);
    let is_simple = !matches!(method.source, Source::Nothing)
        && !method.rust_only
        && method.consumed_receiver(handle).is_none();
    let named = python_name(method).filter(|_| is_simple)?;
    if named.name.starts_with("__") && !method.has_python_attribute("new") {
        // PyO3's function of a slot collects no arguments, and makes no object of a number: it is the faster one.
        return None;
    }
    let Type::Path(path) = handle else {
        return None;
    };
    let class = class_path(&path.path);
    let exported = &method.signature.ident;
    expand_call_of_wrapper(
        runtime,
        handle,
        &class,
        &quote!(<#class>::#exported),
        named,
        method,
    )
}

/// The entry of a function of the module, whose wrapper is `callee`.
pub(crate) fn expand_function_entry(
    runtime: &TokenStream,
    callee: &Ident,
    function: &Method,
) -> Option<TokenStream> {
    let name = function.signature.ident.unraw().to_string();
    let mut named = Named {
        kind: quote!(function),
        name,
        signature: None,
    };
    for attribute in &function.python_attributes {
        named.name = renamed(attribute, named.name, &mut named.signature)?;
    }
    let class = quote!(#runtime::__private::python::HandleClass);
    let no_self = syn::parse_quote!(());
    let entry =
        expand_call_of_wrapper(runtime, &no_self, &class, &quote!(#callee), named, function)?;
    Some(quote! {
        #runtime::__private::inventory::submit! {
            #runtime::__private::python::direct::DirectFunction {
                function: |py| #runtime::pyo3::wrap_pyfunction!(#callee, py),
                entry: #entry,
            }
        }
    })
}

/// The entry that calls a generated wrapper.
fn expand_call_of_wrapper(
    runtime: &TokenStream,
    handle: &Type,
    class: &impl ToTokens,
    callee: &TokenStream,
    named: Named,
    method: &Method,
) -> Option<TokenStream> {
    let Named {
        kind,
        name,
        signature,
    } = named;
    if method.cfg_attributes().next().is_some() {
        return None;
    }
    // The author may have parameters of these names.
    let [this, py] = ["this", "py"].map(|name| Ident::new(name, Span::mixed_site()));
    let (mut parameters, mut arguments) = (Vec::new(), Vec::new());
    let mut has_default = false;
    for Parameter { name, ty } in &method.parameters {
        let kind_of = ParamKind::of(ty);
        if let ParamKind::Python = kind_of {
            arguments.push(quote!(#py));
            continue;
        }
        let default = match &signature {
            Some(signature) => signature.default_of(&name.unraw().to_string())?,
            None => Default::Required,
        };
        // What an `Option` is of, where the parameter is one, and whether a holder keeps the value.
        let (inner, is_held) = match kind_of {
            ParamKind::Value => (argument_of(ty, "Option").cloned(), false),
            ParamKind::Ref(_) | ParamKind::Mut(_) => (None, true),
            ParamKind::OptionRef(target) | ParamKind::OptionMut(target) => (Some(target), true),
            ParamKind::Owned(_) | ParamKind::OptionOwned(_) | ParamKind::Python => return None,
        };
        // A default that only PyO3 knows, behind one that the call may leave out.
        if has_default && matches!(default, Default::Required) {
            return None;
        }
        has_default |= matches!(default, Default::None);
        let how = match (default, inner.is_some(), is_held) {
            (Default::None, false, _) => return None,
            (Default::KeywordOnly(tokens), is_option, _) => {
                let is_none = is_path_to_none(&tokens);
                // PyO3 wraps any other value in `Some`, and a reference needs something to refer to.
                if is_none != is_option || (is_held && !is_none) {
                    return None;
                }
                arguments.push(tokens);
                continue;
            }
            (Default::None, true, true) => quote!(default_reference),
            (Default::None, true, false) => quote!(default_value),
            (Default::Required, true, true) => quote!(optional_reference),
            (Default::Required, true, false) => quote!(optional_value),
            (Default::Required, false, true) => quote!(reference),
            (Default::Required, false, false) => quote!(value),
        };
        let python_type = match is_held {
            // The holder that the wrapper takes, which rustc complains of there.
            true => quote!(_),
            false => erase_lifetimes(inner.as_ref().unwrap_or(ty), handle).to_token_stream(),
        };
        parameters.push(quote!(#name: #how #python_type));
        arguments.push(name.to_token_stream());
    }
    let span = method.signature.ident.span();
    let name = LitCStr::new(&std::ffi::CString::new(name).ok()?, span);
    let receiver = match method.receiver {
        Receiver::None if method.has_python_attribute("new") => quote!(&#py.get_type::<#class>()),
        Receiver::None => quote!(#py),
        _ => quote!(&*#this?),
    };
    Some(quote! {
        #runtime::__wrapped!(#kind, #class, #name, |#this, #py #(, #parameters)*| #callee(#receiver #(, #arguments)*))
    })
}

/// The name of a method or property in Python.
struct Named {
    /// The kind of the entry.
    kind: TokenStream,
    name: String,
    signature: Option<PythonSignature>,
}

/// The kind of the entry, and the name of the method or property in Python; `None` where an attribute of PyO3 asks for
/// more than these.
fn python_name(method: &Method) -> Option<Named> {
    let ident = method.signature.ident.to_string();
    let ident = ident.strip_prefix("r#").unwrap_or(&ident);
    let (mut kind, mut name) = (quote!(method), ident.to_owned());
    let mut signature = None;
    for attribute in &method.python_attributes {
        match &attribute.meta {
            Meta::Path(path) if path.is_ident("staticmethod") => kind = quote!(static_method),
            Meta::Path(path) if path.is_ident("new") => kind = quote!(constructor),
            Meta::Path(path) if path.is_ident("getter") => {
                kind = quote!(getter);
                name = ident.strip_prefix("get_").unwrap_or(ident).to_owned();
            }
            Meta::Path(path) if path.is_ident("setter") => {
                kind = quote!(setter);
                name = ident.strip_prefix("set_").unwrap_or(ident).to_owned();
            }
            meta if meta.path().is_ident("pyo3") => {
                name = renamed(attribute, name, &mut signature)?;
            }
            _ => return None,
        }
    }
    if method.has_python_attribute("new") {
        let name = "__new__".to_owned();
        return Some(Named {
            kind,
            name,
            signature,
        });
    }
    let is_static = method.receiver == Receiver::None;
    let is_known = is_static == method.has_python_attribute("staticmethod");
    if name.starts_with("__") {
        kind = slot(&name, method).filter(|_| kind.to_string() == "method")?;
    }
    let takes_no_keyword = |signature: &PythonSignature| signature.is_positional_only;
    if kind.to_string() == "method" && signature.as_ref().is_some_and(takes_no_keyword) {
        kind = quote!(positional_method);
    }
    is_known.then_some(Named {
        kind,
        name,
        signature,
    })
}

/// The kind of the entry of a special method: that of sequences, and of text. `None` for any other one.
fn slot(name: &str, method: &Method) -> Option<TokenStream> {
    let (kind, arguments) = match name {
        "__len__" => (quote!(length), 0),
        "__bool__" => (quote!(truth), 0),
        "__repr__" => (quote!(representation), 0),
        "__str__" => (quote!(text), 0),
        "__contains__" => (quote!(contains), 1),
        "__getitem__" => (quote!(item), 1),
        _ => return None,
    };
    let parameters = method.parameters.iter();
    let given = parameters.filter(|it| !matches!(ParamKind::of(&it.ty), ParamKind::Python));
    (given.count() == arguments && method.receiver != Receiver::None).then_some(kind)
}

/// The name in `#[pyo3(name = "…")]`, or `name`. `None` if an argument of PyO3 asks for more than an entry does.
fn renamed(
    attribute: &Attribute,
    mut name: String,
    signature: &mut Option<PythonSignature>,
) -> Option<String> {
    let parsed = attribute.parse_nested_meta(|meta| {
        if meta.path.is_ident("name") {
            name = meta.value()?.parse::<LitStr>()?.value();
        } else if meta.path.is_ident("text_signature") {
            meta.value()?.parse::<LitStr>()?;
        } else if meta.path.is_ident("signature") {
            let group = meta.value()?.parse::<Group>()?;
            *signature = Some(PythonSignature::of(group.stream()));
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

/// What an entry passes for an argument that the call leaves out.
#[derive(Clone)]
enum Default {
    /// The call has to pass the argument, or has another default, which PyO3 knows.
    Required,
    None,
    /// The argument is passed by keyword only, which an entry leaves to PyO3, and has this default.
    KeywordOnly(TokenStream),
}

/// Returns whether a default is `None`.
fn is_path_to_none(tokens: &TokenStream) -> bool {
    tokens.to_string() == "None"
}

/// The parameters in `#[pyo3(signature = (…))]`.
struct PythonSignature {
    /// The names, with the defaults; `None` for a parameter that an entry cannot leave out.
    parameters: Vec<(String, Option<Default>)>,
    has_keywords: bool,
    /// Set if all parameters stand before a slash.
    is_positional_only: bool,
}

impl PythonSignature {
    fn of(tokens: TokenStream) -> Self {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let is = |token: &TokenTree, text: &str| token.to_string() == text;
        let mut signature = PythonSignature {
            parameters: Vec::new(),
            has_keywords: false,
            is_positional_only: false,
        };
        for parameter in tokens.split(|token| is(token, ",")) {
            match parameter {
                [] => continue,
                [slash] if is(slash, "/") => {
                    signature.is_positional_only = true;
                    continue;
                }
                [star, ..] if is(star, "*") => {
                    signature.has_keywords = true;
                    let names = parameter.iter().filter(|token| !is(token, "*"));
                    // All that are left over.
                    let names = names.take(1).map(|name| (name.to_string(), None));
                    signature.parameters.extend(names);
                }
                [name, ..] => {
                    let value = parameter.iter().position(|token| is(token, "="));
                    let value = value.map(|at| &parameter[at + 1..]);
                    let default = match (value, signature.has_keywords) {
                        (Some([none]), false) if is(none, "None") => Some(Default::None),
                        // A comma in generic arguments is no end of the value.
                        (Some(value), true) if !value.iter().any(|token| is(token, "<")) => {
                            Some(Default::KeywordOnly(value.iter().cloned().collect()))
                        }
                        (_, false) => Some(Default::Required),
                        (_, true) => None,
                    };
                    let name = name.to_string();
                    let name = name.strip_prefix("r#").unwrap_or(&name).to_owned();
                    signature.parameters.push((name, default));
                }
            }
            // A parameter behind the slash.
            signature.is_positional_only = false;
        }
        signature
    }

    /// Returns whether parameters are passed by keyword only, or any number of arguments.
    fn has_keywords(&self) -> bool {
        self.has_keywords
    }

    /// Returns the default of a parameter; `None` if an entry cannot pass it.
    fn default_of(&self, name: &str) -> Option<Default> {
        let mut parameters = self.parameters.iter();
        parameters.find(|(other, _)| other == name)?.1.clone()
    }
}
