//! `#[callbacks]`: the methods of a value that C calls, by function pointers of ours.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Expr, FnArg, ImplItem, ImplItemFn, ItemImpl, Member, Meta, Pat, Path, ReceiverKind,
    ReturnType, Token, Type,
};

use crate::diagnostics::Diagnostics;
use crate::in_c::in_c;
use crate::methods::{detached, owned_handles, written};
use crate::text::{Utf8, decode, has_text, text_type};
use crate::words::{
    Headed, Word, argument_of, is_slice, named_lifetime, parse_item, parse_words, report_renamed,
    respanned, runtime_path,
};

/// One method that C calls.
struct CallbackMethod {
    method: ImplItemFn,
    /// C's function pointer type.
    function: Type,
    arguments: Vec<Passed>,
    /// Where the user data is.
    data: Option<Expr>,
    /// C's own function of this type, which is called first.
    before: Option<Path>,
    /// What C is told when something was raised.
    on_error: Option<Expr>,
    until_null: bool,
    exclusive: bool,
    even_after_error: bool,
    utf8: Utf8,
}

/// One argument that C passes.
enum Passed {
    /// A parameter, the user data, or what only has a name.
    Named(Ident),
    /// `name.ptr`
    Start(Ident, Span),
    /// `name.len`
    Length(Ident, Span),
    Ignored,
}

pub(crate) fn callbacks(words: TokenStream, item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let form = "callbacks stand in an `impl` block: write `impl State { … }`";
    let parsed: Option<ItemImpl> = parse_item(item, form, &diagnostics);
    let Some(mut item) = parsed else {
        return diagnostics.into_tokens();
    };
    let mut is_unsafe = false;
    let mut runtime: Option<Path> = None;
    for word in parse_words(words, &["unsafe", "crate"], &diagnostics) {
        match word.name.to_string().as_str() {
            "unsafe" => is_unsafe = word.flag(&diagnostics),
            _ => runtime = word.value("crate = path", &diagnostics),
        }
    }
    if let Some((path, _)) = &item.trait_ {
        diagnostics.at(
            path,
            "`#[callbacks]` makes C's functions of a value's own methods: write `impl State { … }`",
        );
    }
    let mut callbacks = Vec::new();
    for item in &mut item.items {
        let ImplItem::Fn(method) = item else { continue };
        method.attrs.retain(|attribute| {
            let ident = attribute.path().get_ident();
            !ident.is_some_and(|ident| report_renamed("attribute", ident, &diagnostics))
        });
        let marked = |attribute: &Attribute| attribute.path().is_ident("callback");
        let Some(index) = method.attrs.iter().position(marked) else {
            continue;
        };
        let attribute = method.attrs.remove(index);
        callbacks.extend(parse(method.clone(), &attribute, &diagnostics));
    }
    if let (false, Some(first)) = (is_unsafe, callbacks.first()) {
        diagnostics.at(
            &first.method.sig.ident,
            "what C passes to a callback is its author's word about C: write `#[callbacks(unsafe)]` on this block",
        );
    }
    for one in &callbacks {
        check(one, &diagnostics);
    }
    let mut tokens = item.to_token_stream();
    if diagnostics.is_empty() {
        let runtime = runtime_path(runtime);
        let state = &item.self_ty;
        tokens.extend(quote!(impl #runtime::callbacks::IsState for #state {}));
        tokens.extend(callbacks.iter().map(|one| expand(state, one, &runtime)));
    }
    tokens.extend(diagnostics.into_tokens());
    tokens
}

fn parse(
    method: ImplItemFn,
    attribute: &Attribute,
    diagnostics: &Diagnostics,
) -> Option<CallbackMethod> {
    let form = "#[callback(ffi::callback_type, args = (data, …))]";
    let tokens = match &attribute.meta {
        Meta::List(list) if !list.tokens.is_empty() => list.tokens.clone(),
        _ => {
            diagnostics.at(
                attribute.path(),
                format!("something is missing: write `{form}`"),
            );
            return None;
        }
    };
    let headed: Headed<Type> = Headed::of(tokens, form, diagnostics)?;
    let mut callback = CallbackMethod {
        method,
        function: headed.head,
        arguments: Vec::new(),
        data: None,
        before: None,
        on_error: None,
        until_null: false,
        exclusive: false,
        even_after_error: false,
        utf8: Utf8::Strict,
    };
    let known = [
        "args",
        "before",
        "data",
        "on_error",
        "until",
        "utf8",
        "exclusive",
        "even_after_error",
    ];
    let mut has_arguments = false;
    for word in parse_words(headed.words, &known, diagnostics) {
        match word.name.to_string().as_str() {
            "args" => {
                has_arguments = true;
                callback.arguments = parse_arguments(word, diagnostics);
            }
            "data" => callback.data = word.value("data = ffi::user_data(context)", diagnostics),
            "before" => callback.before = word.value("before = ffi::default_of_it", diagnostics),
            "on_error" => callback.on_error = word.value("on_error = 1", diagnostics),
            "until" => {
                let null: Option<Ident> = word.value("until = null", diagnostics);
                callback.until_null = null.is_some_and(|null| null == "null");
            }
            "utf8" => callback.utf8 = word.value(Utf8::FORM, diagnostics).unwrap_or(Utf8::Lossy),
            "exclusive" => callback.exclusive = word.flag(diagnostics),
            _ => callback.even_after_error = word.flag(diagnostics),
        }
    }
    if !has_arguments && diagnostics.is_empty() {
        diagnostics.at(
            attribute.path(),
            "nothing says what C passes: add `args = (…)`, with `data` for the user data",
        );
    }
    Some(callback)
}

fn parse_arguments(word: Word, diagnostics: &Diagnostics) -> Vec<Passed> {
    struct Arguments(Vec<Passed>);
    impl Parse for Arguments {
        fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
            if !input.peek(syn::token::Paren) {
                return Err(input.error("`args` lists what C passes: write `args = (data, …)`"));
            }
            let content;
            syn::parenthesized!(content in input);
            let arguments = Punctuated::<Passed, Token![,]>::parse_terminated(&content)?;
            Ok(Arguments(arguments.into_iter().collect()))
        }
    }
    let arguments: Option<Arguments> = word.value("args = (data, …)", diagnostics);
    arguments.map_or_else(Vec::new, |arguments| arguments.0)
}

impl Parse for Passed {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Token![_]) {
            input.parse::<Token![_]>()?;
            return Ok(Passed::Ignored);
        }
        let argument: Expr = input.parse()?;
        let named = |path: &syn::ExprPath| path.path.get_ident().cloned();
        match &argument {
            Expr::Path(path) => {
                if let Some(name) = named(path) {
                    return Ok(Passed::Named(name));
                }
            }
            Expr::Field(field) => {
                if let (Expr::Path(path), Member::Named(part)) = (&*field.base, &field.member)
                    && let Some(name) = named(path)
                {
                    if part == "ptr" {
                        return Ok(Passed::Start(name, argument.span()));
                    }
                    if part == "len" {
                        return Ok(Passed::Length(name, argument.span()));
                    }
                }
            }
            _ => {}
        }
        Err(syn::Error::new_spanned(
            &argument,
            "what C passes is a parameter's name, `name.ptr`, `name.len`, `data`, or `_`",
        ))
    }
}

fn parameters(method: &ImplItemFn) -> impl Iterator<Item = (&Ident, &Type)> {
    method.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(name) => Some((&name.ident, &*typed.ty)),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    })
}

fn check(callback: &CallbackMethod, diagnostics: &Diagnostics) {
    let signature = &callback.method.sig;
    let shared = signature
        .receiver()
        .is_some_and(|receiver| matches!(receiver.kind, ReceiverKind::Reference(_, _, None)));
    if !shared {
        diagnostics.at(
            &signature.ident,
            "C may call it while it runs already: take `&self`, and put what changes into a `Mutex`",
        );
    }
    for (name, ty) in parameters(&callback.method) {
        if let Some(lifetime) = named_lifetime(ty, None) {
            diagnostics.at(
                lifetime,
                "what C passes is valid until the callback returns: leave the lifetime out, and copy what is to stay",
            );
        }
        let passed = callback.arguments.iter().any(|argument| match argument {
            Passed::Named(other) | Passed::Start(other, _) => other == name,
            _ => false,
        });
        if !passed {
            diagnostics.at(
                name,
                format!("`{name}` is not passed by C: name it in `args = (…)`, or remove it"),
            );
        }
        let measured = callback
            .arguments
            .iter()
            .any(|argument| matches!(argument, Passed::Length(other, _) if other == name));
        let started = callback
            .arguments
            .iter()
            .any(|argument| matches!(argument, Passed::Start(other, _) if other == name));
        if started && !measured && !callback.until_null {
            diagnostics.at(
                ty,
                format!(
                    "memory needs a length: pass `{name}.len` in `args`, or add `until = null`"
                ),
            );
        }
    }
    let value = match &signature.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(argument_of(ty, "Result").unwrap_or(ty)),
    };
    if let (Some(_), Some(value)) = (&callback.before, value)
        && !is_unit(value)
    {
        diagnostics.at(
            value,
            "C gets what the function that is called before returned: return `()` or `Result<()>`, or remove `before`",
        );
    }
    if callback.utf8 == Utf8::Lossy && !parameters(&callback.method).any(|(_, ty)| has_text(ty)) {
        diagnostics.at(
            &signature.ident,
            "`utf8` is about text of C that becomes a `String`: take one, or remove the word",
        );
    }
    let has_data = callback
        .arguments
        .iter()
        .any(|argument| matches!(argument, Passed::Named(name) if name == "data"));
    if callback.data.is_none() && !has_data && !callback.arguments.is_empty() {
        diagnostics.at(
            &signature.ident,
            "nothing says where the user data is: write `data` in `args = (…)`, or add `data = ffi::user_data(context)`",
        );
    }
}

fn expand(state: &Type, callback: &CallbackMethod, runtime: &TokenStream) -> TokenStream {
    let CallbackMethod {
        method,
        function,
        arguments,
        exclusive,
        even_after_error,
        ..
    } = callback;
    let name = &method.sig.ident;
    let variables: Vec<Ident> = arguments.iter().enumerate().map(variable).collect();
    let pattern = quote_spanned!(function.span()=> (#(#variables,)*));
    let data = match &callback.data {
        Some(data) => {
            let data = in_c(data);
            quote!(#runtime::callbacks::UserData::pointer(#data))
        }
        None => {
            let data = variables.iter().find(|variable| *variable == "data");
            quote!(#runtime::callbacks::UserData::pointer(#data))
        }
    };
    let on_error = match &callback.on_error {
        Some(on_error) => in_c(on_error),
        None => quote!(::core::default::Default::default()),
    };
    let converted =
        parameters(method).map(|(name, ty)| convert(callback, &variables, name, ty, runtime));
    let passed = parameters(method).map(|(name, ty)| match &ty {
        Type::Reference(reference) if reference.mutability.is_some() => {
            let exclusive = quote!(#runtime::handle::Handle::from_raw_mut(#name.raw()));
            // SAFETY: annotation `callback`: C lends a `&mut T` to the callback alone; guarantee 4: `Passed::check`
            // refused a handle that a running call uses exclusively.
            quote!(unsafe { #exclusive })
        }
        Type::Reference(_) if !is_slice(ty) => quote!(#name.get()),
        _ => quote!(#name),
    });
    let value = match &method.sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(&**ty),
    };
    let fallible = value.and_then(|ty| argument_of(ty, "Result"));
    // Apart from the author's names, among which may be a `state`.
    let own = |name| Ident::new(name, Span::mixed_site());
    let (this, here, life) = (own("state"), own("here"), own("life"));
    let (find, run, on_error_fn) = (own("__data"), own("__call"), own("__on_error"));
    let outcome = quote!(#state::#name(#this, #(#passed),*));
    let outcome = match fallible {
        Some(_) => quote!(#outcome?),
        None => outcome,
    };
    let nothing = match fallible.or(value) {
        None => true,
        Some(ty) => is_unit(ty),
    };
    let before_name = Ident::new("__before", Span::mixed_site());
    let (before_type, before) = match &callback.before {
        None => (quote!(()), quote!()),
        Some(before) => (
            quote!(#runtime::callbacks::Return<Self>),
            quote_spanned!(before.span()=> #before(#(#variables),*)),
        ),
    };
    let returned = match (nothing, &callback.before) {
        (_, Some(_)) => quote!({ #outcome; #before_name }),
        (true, None) => quote!({ #outcome; ::core::default::Default::default() }),
        (false, None) => {
            let span = fallible
                .or(value)
                .map_or_else(Span::call_site, Spanned::span);
            let returned = quote!(#runtime::callbacks::returned::<_, #runtime::callbacks::Return<__Callback>>(#outcome));
            respanned(returned, span)
        }
    };
    let parents = parents_check(state, method, runtime);
    let exclusive_use = exclusive_check(state, method, runtime);
    let by_mut: Vec<_> = exclusive_parameters(method).map(|(name, _)| name).collect();
    let noted = (!by_mut.is_empty()).then(|| {
        quote! {
            let __used = [#(#runtime::exclusive::Used::of(#by_mut.get())),*];
            let _noted = #runtime::exclusive::Noted::begin(&__used);
        }
    });
    let constant = format_ident!("{}", name.to_string().to_uppercase(), span = name.span());
    let typed = function_constant(name);
    let visibility = &method.vis;
    let doc = format!("C's function pointer to [`{name}`](Self::{name}).");
    let place = format!("{}.{name}", state.to_token_stream());
    let pointer = respanned(
        quote!(<#function as #runtime::callbacks::Calls<__Callback>>::POINTER),
        function.span(),
    );
    quote! {
        const _: () = {
            struct __Callback;

            #runtime::__site!(__SITE, #place, "callback");
            #parents
            #exclusive_use

            // SAFETY: annotation `data`: the user data is where the author of the block says.
            #[allow(unused_variables, unused_unsafe, non_snake_case, clippy::unused_unit, reason = "not all that C passes is of use")]
            unsafe impl #runtime::callbacks::Callback for __Callback {
                type State = #state;
                type Function = #function;
                const EVEN_AFTER_ERROR: bool = #even_after_error;
                const EXCLUSIVE: bool = #exclusive;
                type Before = #before_type;

                unsafe fn before(#pattern: #runtime::callbacks::Arguments<Self>) -> Self::Before {
                    // SAFETY: annotation `before`: the function may be called with what C passed. the caller's
                    // promise: C passed the arguments.
                    #[allow(unused_unsafe, reason = "there may be none")]
                    unsafe { #before }
                }

                fn site() -> &'static #runtime::site::Site {
                    &__SITE
                }

                // What the author wrote is in functions of its own, where nothing is unsafe that does not say so.
                unsafe fn data(arguments: #runtime::callbacks::Arguments<Self>) -> *const ::core::ffi::c_void {
                    fn #find(#pattern: #runtime::callbacks::Arguments<__Callback>) -> *const ::core::ffi::c_void {
                        #data
                    }
                    #find(arguments)
                }

                unsafe fn call(
                    state: &#state,
                    arguments: #runtime::callbacks::Arguments<Self>,
                    before: Self::Before,
                ) -> #runtime::Result<#runtime::callbacks::Return<Self>> {
                    fn #run(
                        #this: &#state,
                        #pattern: #runtime::callbacks::Arguments<__Callback>,
                        #before_name: <__Callback as #runtime::callbacks::Callback>::Before,
                    ) -> #runtime::Result<#runtime::callbacks::Return<__Callback>> {
                        #[allow(unused_imports, reason = "it answers for what holds no handles")]
                        use #runtime::exclusive::HoldsNone as _;
                        // What C passes is valid until this function returns.
                        let #here = 0_u8;
                        let #life = #runtime::place::Life::of(&#here);
                        #(#converted)*
                        #noted
                        ::core::result::Result::Ok(#returned)
                    }
                    #run(state, arguments, before)
                }

                unsafe fn on_error(
                    arguments: #runtime::callbacks::Arguments<Self>,
                ) -> #runtime::callbacks::Return<Self> {
                    fn #on_error_fn(
                        #pattern: #runtime::callbacks::Arguments<__Callback>,
                    ) -> #runtime::callbacks::Return<__Callback> {
                        #on_error
                    }
                    #on_error_fn(arguments)
                }

                fn fallback() -> ::core::option::Option<#runtime::callbacks::Return<Self>> {
                    #[allow(unused_imports, reason = "it answers for types without a default")]
                    use #runtime::callbacks::NoFallback as _;
                    #runtime::callbacks::Fallback::<#runtime::callbacks::Return<Self>>::new().value()
                }
            }

            impl #state {
                #[doc = #doc]
                #[allow(dead_code, reason = "it is passed to C by its name in `args`")]
                #visibility const #constant: <#function as #runtime::callbacks::FunctionPointer>::Nullable = #pointer;

                #[doc(hidden)]
                #[allow(dead_code, non_upper_case_globals, reason = "`args` of `#[calls]` names it")]
                #visibility const #typed: #runtime::callbacks::Function<
                    Self,
                    <#function as #runtime::callbacks::FunctionPointer>::Nullable,
                > =
                    // SAFETY: Rust: the constant is the pointer to a callback whose `State` is this type.
                    unsafe { #runtime::callbacks::Function::new(Self::#constant) };
            }
        };
    }
}

/// Refuses handles that pass a callback for good and live in a parent. Types that an alias hides are refused by
/// `exclusive::Handles` and by `IntoC`, when the callback is compiled.
fn parents_check(state: &Type, method: &ImplItemFn, runtime: &TokenStream) -> TokenStream {
    let output = match &method.sig.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some((**ty).clone()),
    };
    let types: Vec<Type> = parameters(method)
        .map(|(_, ty)| ty.clone())
        .chain(output)
        .collect();
    let checks = types.iter().flat_map(owned_handles).map(|handle| {
        let handle = &detached(handle, state);
        let message = format!(
            "a `{name}` lives in a parent, and nobody would know in which, nor how long C needs it: let the callback take or \
             give a reference, or a handle without a parent",
            name = written(handle),
        );
        let check = quote! {
            const _: () = ::core::assert!(
                <#handle as #runtime::handle::Handle>::LINEAGE.up.is_none(),
                #message
            );
        };
        respanned(check, handle.span())
    });
    checks.collect()
}

/// The parameters by `&mut` to a handle.
fn exclusive_parameters(method: &ImplItemFn) -> impl Iterator<Item = (&Ident, &Type)> {
    parameters(method).filter_map(|(name, ty)| match ty {
        Type::Reference(reference) if reference.mutability.is_some() && !is_slice(ty) => {
            Some((name, &*reference.elem))
        }
        _ => None,
    })
}

/// Refuses `&mut` to handles that others may use meanwhile.
fn exclusive_check(state: &Type, method: &ImplItemFn, runtime: &TokenStream) -> TokenStream {
    let checks = exclusive_parameters(method).map(|(_, handle)| {
        let handle = detached(handle, state);
        let message = format!(
            "others may use a `{name}` while the callback runs: take it by `&`, or annotate a type that is `callback_only` for what C \
             lends to the callback alone",
            name = written(&handle),
        );
        let check = quote! {
            const _: () = ::core::assert!(
                <#handle as #runtime::handle::Handle>::LINEAGE.is_callback_only(),
                #message
            );
        };
        respanned(check, handle.span())
    });
    checks.collect()
}

fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// The constant by which `args` finds the function pointer to a method.
pub(crate) fn function_constant(method: &Ident) -> Ident {
    format_ident!("__call_{method}", span = method.span())
}

/// What an argument of C is called in the generated code.
fn variable((index, argument): (usize, &Passed)) -> Ident {
    match argument {
        Passed::Named(name) => name.clone(),
        Passed::Start(name, span) => {
            format_ident!("__{name}_ptr", span = span.resolved_at(Span::mixed_site()))
        }
        Passed::Length(name, span) => {
            format_ident!("__{name}_len", span = span.resolved_at(Span::mixed_site()))
        }
        Passed::Ignored => format_ident!("__ignored_{index}", span = Span::mixed_site()),
    }
}

fn convert(
    callback: &CallbackMethod,
    variables: &[Ident],
    name: &Ident,
    ty: &Type,
    runtime: &TokenStream,
) -> TokenStream {
    let (text, written) = (name.to_string(), ty);
    let mapped = text_type(ty, runtime);
    let ty = mapped.as_ref().unwrap_or(ty);
    let at = |wanted: &dyn Fn(&Passed) -> bool| {
        let index = callback.arguments.iter().position(wanted)?;
        variables.get(index)
    };
    let start = at(&|argument| matches!(argument, Passed::Start(other, _) if other == name));
    let length = at(&|argument| matches!(argument, Passed::Length(other, _) if other == name));
    let returns = quote!(#runtime::returns);
    let life = Ident::new("life", Span::mixed_site());
    let value = match (start, length) {
        (Some(start), length) => {
            let count = match length {
                Some(length) => quote!(#returns::Count::count(#length)),
                None => quote!(#returns::until_null(#returns::Start::start(#start))),
            };
            quote! {
                <#ty as #returns::FromMemory<_>>::from_memory_within(#returns::Start::start(#start), #count, #life)
            }
        }
        (None, _) => {
            let target = match ty {
                Type::Reference(reference) if !is_slice(ty) => {
                    let target = &reference.elem;
                    quote!(#runtime::Borrowed<'_, #target>)
                }
                ty => quote!(#ty),
            };
            quote!(<#target as #returns::FromC<_>>::from_c_within(#name, #life))
        }
    };
    let value = respanned(value, ty.span());
    let passed = quote! {
        // SAFETY: annotation `callback`: C passed it, and it is what the parameter says until the callback returns.
        #runtime::callbacks::passed(unsafe { #value }, #text)?
    };
    let decoded = decode(written, passed, callback.utf8, runtime);
    let check = respanned(
        quote!(#runtime::exclusive::Passed(&#name).check()?;),
        ty.span(),
    );
    quote! {
        let #name = #decoded;
        #check
    }
}
