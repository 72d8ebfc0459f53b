//! The body of a method that calls a C function.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

use crate::c_expr::expand_c_expr;
use crate::field_path::FieldPath;
use crate::length::{Length, expand_computed};
use crate::methods::ast::{Calls, Method, MethodsBlock, Parameter, Receiver, WrittenArg};
use crate::methods::c_args::{CArg, span_of};
use crate::methods::expand::ancestors::expand_same_ancestor;
use crate::methods::expand::arguments::{
    expand_arguments_for_message, expand_memory_arguments, expand_owned_argument, is_name, pass,
    prepare, runs_code,
};
use crate::methods::expand::buffer::{expand_attempts, expand_buffer, expand_buffer_error};
use crate::methods::expand::checks::{
    expand_gives_back_check, expand_helper_thread_checks, expand_keep_alive_check,
    expand_kept_checks, expand_result_checks,
};
use crate::methods::expand::copies::{decoded, undecoded};
use crate::methods::expand::details::expand_details;
use crate::methods::expand::moving::expand_moving;
use crate::methods::expand::outcome::{
    constructs_receiver, expand_callback_holders, expand_result_policy, expand_settling,
    expand_status,
};
use crate::methods::expand::parents::{
    expand_gives_back, expand_with_parent, result_keeps_arguments,
};
use crate::methods::expand::result::{
    expand_into_owner, expand_length_error, expand_measured, expand_out_params,
};
use crate::methods::expand::sharing::expand_detach_checks;
use crate::methods::expand::site::expand_site;
use crate::methods::expand::variables::{
    callback_variable, free_details_variable, free_variable, given_variable, here_variable,
    lifetime_variable, passed_variable, place_variable, result_variable, site_variable,
    transfer_variable, type_variable, unplaced_variable,
};
use crate::span::respanned;
use crate::types::inspect::is_call_data;
use crate::types::param_kind::ParamKind;

/// Expands the body: first the function that frees the result, and the lifetime of the result. The
/// expression for `free` is evaluated before anything else, in safe code.
pub(crate) fn expand_calls(block: &MethodsBlock, method: &Method, calls: &Calls) -> TokenStream {
    let life = expand_lifetime(method, Some(calls), &block.runtime);
    let free = calls.free.as_ref().map(|free| {
        let (variable, value) = (free_variable(), expand_c_expr(free));
        quote! {
            #[allow(unused_unsafe, reason = "the expression may be safe")]
            let #variable = #value;
        }
    });
    let free_details = calls.details.as_ref().and_then(|details| {
        let (variable, value) = (
            free_details_variable(),
            expand_c_expr(details.free.as_ref()?),
        );
        Some(quote! {
            #[allow(unused_unsafe, reason = "the expression may be safe")]
            let #variable = #value;
        })
    });
    let body = expand_call(block, method, calls);
    quote!({ #free #free_details #life #body })
}

/// Declares the lifetime of the result: that of the receiver and the `keep_alive` parameters, or of
/// all parameters if there is no receiver.
pub(crate) fn expand_lifetime(
    method: &Method,
    calls: Option<&Calls>,
    runtime: &TokenStream,
) -> TokenStream {
    let life = lifetime_variable();
    let keep_alive_check = calls.map_or(&[][..], |calls| &calls.keep_alive);
    let limits = match method.receiver {
        Receiver::None => method
            .parameters
            .iter()
            .map(|Parameter { name, ty }| {
                let name = match ParamKind::of(ty) {
                    ParamKind::Owned(_) if calls.is_some() => &place_variable(name),
                    _ => name,
                };
                let limit = match is_call_data(ty) {
                    true => quote!(.unlimited_by(&#name)),
                    false => quote!(.limited_by(&#name)),
                };
                respanned(limit, ty.span())
            })
            .collect::<TokenStream>(),
        _ => keep_alive_check
            .iter()
            .map(|name| quote!(.limited_by(&#name)))
            .collect(),
    };
    let start = match method.receiver {
        Receiver::None => quote!(any()),
        _ => quote!(of(&*self)),
    };
    quote!(let #life = #runtime::__private::lifetime::Life::#start #limits;)
}

pub(crate) fn expand_call(block: &MethodsBlock, method: &Method, calls: &Calls) -> TokenStream {
    let runtime = &block.runtime;
    let function = &calls.function;
    let name = function
        .segments
        .last()
        .map(|segment| segment.ident.to_string())
        .unwrap_or_default();
    let calls_back = !method.callbacks(calls).is_empty();
    let site_name = site_variable();
    let is_handle = |ty| {
        let is_reference = !matches!(ParamKind::of(ty), ParamKind::Value | ParamKind::Python);
        is_reference && !is_call_data(ty)
    };
    let has_other_handles = method
        .parameters
        .iter()
        .any(|parameter| is_handle(&parameter.ty));
    let pure = calls.pure.as_ref().map(|_| match has_other_handles {
        false => "pure",
        true => "pure_with_others",
    });
    let marks = [
        calls_back.then_some("calling_back"),
        calls.detach.then_some("detached"),
        pure,
    ];
    let site = expand_site(block, method, &name, marks.into_iter().flatten());
    let callback_holders = expand_callback_holders(method, calls, runtime);
    let arguments = method.c_arguments(calls);
    let fields = method.field_arguments(calls);
    let all: Vec<&CArg<'_>> = arguments
        .iter()
        .chain(fields.iter().map(|(_, argument)| argument))
        .collect();
    let memory = expand_memory_arguments(&all, runtime);
    let prepared = all.iter().filter_map(|argument| prepare(argument, runtime));
    let here = here_variable();
    let here = method.consumed().next().map(|_| quote!(let #here = ();));
    let c = expand_c_closure(method, calls, (&arguments, &fields), runtime);
    let slots = expand_out_params(method, calls, runtime);
    let buffer = expand_buffer(calls, runtime);
    let raise_buffer_error = expand_buffer_error(calls);
    let (length_error, raise_length_error) = expand_length_error(method, calls, runtime).unzip();
    let (details_slots, details) = expand_details(method, calls, &site_name, runtime);
    let owned_arguments = method
        .consumed()
        .map(|parameter| expand_owned_argument(parameter, runtime));
    let into_owner = expand_into_owner(method, calls, runtime);
    let into_owner = expand_gives_back(calls, into_owner, runtime);
    let into_owner = expand_with_parent(method, calls, into_owner, runtime);
    let status = expand_status(method, calls, runtime);
    let settling = expand_settling(method, calls, runtime);
    let interruptible = expand_interrupt(block, calls);
    let helper_checks = expand_helper_thread_checks(block, method, calls);
    let policy = expand_result_policy(method, calls, runtime);
    let nothing = match &calls.none {
        None => quote!(|| ::core::option::Option::None),
        Some(_) => quote!(|| ::core::option::Option::Some(::core::option::Option::None)),
    };
    let result_checks = expand_result_checks(block, method);
    let keep_alive_check = expand_keep_alive_check(block, method, calls);
    let gives_back_check = expand_gives_back_check(block, method, calls);
    let kept_checks = expand_kept_checks(block, method, calls);
    let detach_checks = calls
        .detach
        .then(|| expand_detach_checks(&block.handle, method, function.span(), runtime));
    let direct_checks = {
        let (handle, places) = (&block.handle, fields.iter().map(|(place, _)| *place));
        let raw = quote!(<#handle as #runtime::__private::handle::Handle>::Raw);
        FieldPath::expand_direct_check(places, &raw, runtime)
    };
    let handle = match method.receiver {
        Receiver::None => quote!(::core::option::Option::<&Self>::None),
        _ => quote!(::core::option::Option::Some(&*self)),
    };
    let finish = match method.output.fallible {
        false => {
            // A detached call waits for the library's lock without the GIL.
            let call = match calls.detach {
                true => quote!(call_infallible_locked),
                false => quote!(call_infallible),
            };
            quote!(.#call(#site_name, #handle, #policy, #nothing, #into_owner))
        }
        true => {
            let shown = expand_arguments_for_message(method, calls);
            let made = match constructs_receiver(block, method) {
                None => quote!(|_| ::core::option::Option::None),
                Some(false) => quote!(|made| ::core::option::Option::Some(&**made)),
                Some(true) => quote!(|made| ::core::option::Option::as_deref(made)),
            };
            quote!(.call_fallible(#site_name, #handle, #runtime::__named!(#(#shown),*), #policy, #nothing, #into_owner, #made))
        }
    };
    let (value, result_name) = (&method.output.value, result_variable());
    let result = match method.output.fallible {
        false => decoded(method, result_name.to_token_stream(), &site_name, runtime),
        true if undecoded(method, value, runtime).is_some() => {
            let decoded = decoded(method, quote!(#result_name?), &site_name, runtime);
            quote!({ let __decoded = #decoded; ::core::result::Result::Ok(__decoded) })
        }
        true => result_name.to_token_stream(),
    };
    // Values with a `Drop` of the author are dropped last: if it panics, the result is a variable
    // and is released.
    let stored = method
        .stored(calls)
        .into_iter()
        .map(|Parameter { name, .. }| callback_variable(name));
    let transfers = method
        .consumed()
        .map(|Parameter { name, .. }| transfer_variable(name));
    let transfers: Vec<_> = transfers.collect();
    let (watched, moved) = expand_moving(block, method).unzip();
    let same_ancestor = expand_same_ancestor(method, calls, runtime);
    let unplaced = unplaced_variable();
    let unplaced = result_keeps_arguments(method)
        .then(|| quote!(let #unplaced: #runtime::__private::children::Unplaced = ::core::default::Default::default();));
    let CClosure {
        uses,
        closure,
        called,
        using,
        ..
    } = &c;
    let called = quote! {
        #runtime::__private::call::c_call(#called) #using #interruptible #status #settling #details #finish
    };
    let result_of_call = c.expand_result(&called, moved);
    quote! {
        #site
        #result_checks
        #keep_alive_check
        #gives_back_check
        #kept_checks
        #helper_checks
        #detach_checks
        #direct_checks
        #callback_holders
        #memory
        #(#prepared)*
        #buffer
        #slots
        #length_error
        #details_slots
        #(#owned_arguments)*
        #here
        #(let mut #transfers = #runtime::__private::handle::TransferredData::nothing();)*
        #unplaced
        #same_ancestor
        #watched
        #uses
        #closure
        #result_of_call
        #(::core::mem::drop(#stored);)*
        #(::core::mem::drop(#transfers);)*
        #raise_length_error
        #raise_buffer_error
        #result
    }
}

/// The parts of a call of C.
pub(crate) struct CClosure {
    /// The uses of the handles.
    uses: TokenStream,
    /// The closure that calls C.
    closure: TokenStream,
    /// The expression that calls the closure.
    called: TokenStream,
    /// The setting that passes the uses to the call.
    using: TokenStream,
    /// The arguments that are evaluated before the call.
    evaluated: Vec<Evaluated>,
    runtime: TokenStream,
}

/// An argument that is evaluated before the call.
struct Evaluated {
    variable: Ident,
    value: TokenStream,
    is_name: bool,
}

impl CClosure {
    /// Expands to the statement that declares the result, the value of `call`.
    ///
    /// The author's expressions run before the call looks whether C may call back, and before its uses begin. What they
    /// make stays until everything has its owner, and the result is a variable then: a panic in a `Drop` releases it.
    fn expand_result(&self, call: &TokenStream, moved: Option<TokenStream>) -> TokenStream {
        let result = result_variable();
        let names = self.evaluated.iter().filter(|one| one.is_name);
        let names = names.map(
            |Evaluated {
                 variable, value, ..
             }| quote!(let #variable = #value;),
        );
        let others = self.evaluated.iter().filter(|one| !one.is_name);
        let others = others.map(|one| (&one.variable, &one.value));
        let (variables, values): (Vec<_>, Vec<_>) = others.unzip();
        if variables.is_empty() {
            return quote!(#(#names)* let #result = #call; #moved);
        }
        let runtime = &self.runtime;
        let code = Ident::new("code", Span::mixed_site());
        quote! {
            #(#names)*
            let #result;
            #[allow(dangling_pointers_from_temporaries, reason = "they live until this statement ends")]
            match (#runtime::__private::uses::AuthorCode::beside_uses(), #(#values,)*) {
                (#code, #(#variables,)*) => {
                    ::core::mem::drop(#code);
                    #result = #call;
                    #moved
                }
            }
        }
    }
}

/// Expands to the parts of the call of C. The arguments are evaluated in safe code.
pub(crate) fn expand_c_closure(
    method: &Method,
    calls: &Calls,
    (arguments, fields): (&[CArg<'_>], &[(&FieldPath, CArg<'_>)]),
    runtime: &TokenStream,
) -> CClosure {
    let variable = |(n, argument): (usize, &CArg<'_>)| passed_variable(n, span_of(argument));
    let all: Vec<&CArg<'_>> = arguments
        .iter()
        .chain(fields.iter().map(|(_, argument)| argument))
        .collect();
    let variables: Vec<Ident> = all.iter().copied().enumerate().map(variable).collect();
    let values: Vec<TokenStream> = all
        .iter()
        .map(|argument| pass(method, argument, runtime))
        .collect();
    let (passed, set) = variables.split_at(arguments.len());
    let function = &calls.function;
    let written = calls.arguments.as_deref().unwrap_or_default();
    let c_types = written.iter().map(WrittenArg::c_type);
    let c_types = c_types.chain(std::iter::repeat(None));
    // No declaration of C's tells the type of these as parameters of the closure.
    let is_captured = |n: usize| {
        let is_callback = matches!(
            all[n],
            CArg::Function(..) | CArg::Data(..) | CArg::Destroy(..)
        );
        let is_untyped = is_callback && written.get(n).is_some_and(|argument| argument.is_variable);
        // Each call of C gets the memory anew.
        let is_buffer = matches!(
            all[n],
            CArg::BufferStart(_) | CArg::BufferSize(_) | CArg::BufferLength(_)
        );
        is_untyped || is_buffer
    };
    let declared = variables.iter().zip(c_types).enumerate();
    let declared = declared.filter(|(n, _)| !is_captured(*n));
    let declared = declared.map(|(_, (variable, ty))| match ty {
        Some(ty) => quote!(#variable: #ty),
        None => quote!(#variable),
    });
    let declared: Vec<TokenStream> = declared.collect();
    let expressions = (0..all.len()).filter(|n| runs_code(all[*n]));
    let expressions = expressions.map(|n| (type_variable(n), &variables[n]));
    let (types, typed): (Vec<_>, Vec<_>) = expressions.unzip();
    let argument_type = quote!(#runtime::__private::call::ArgumentType);
    let passed = passed.iter().enumerate();
    let passed = passed.map(|(n, variable)| match written.get(n) {
        _ if is_captured(n) => values[n].clone(),
        Some(argument) if argument.is_behind_void() => quote!(#variable.cast()),
        _ => variable.to_token_stream(),
    });
    let passed: Vec<TokenStream> = passed.collect();
    let caught = Ident::new("__caught", Span::mixed_site());
    let call = quote_spanned!(function.span()=> #function(#(#passed),*));
    let given = method
        .consumed()
        .map(|Parameter { name, .. }| given_variable(name));
    let still_unchanged: Vec<_> = given
        .map(|given| quote!(#runtime::__private::call::check_unchanged(#given);))
        .collect();
    let call = quote! {
        // SAFETY: annotation `calls`: the call is right as long as each handle in it is valid;
        // guarantee 3: each is borrowed until C has returned.
        unsafe { #call }
    };
    let call = expand_attempts(method, calls, call, runtime);
    let call = match still_unchanged.is_empty() {
        true => quote!(#caught.run(|| #call)),
        false => quote!(#caught.run(|| { #(#still_unchanged)* #call })),
    };
    // The arguments without the place that C has written to.
    let is_out = |n: usize| matches!(arguments[n], CArg::Out(..));
    let read = passed.iter().enumerate().filter(|(n, _)| !is_out(*n));
    let read: Vec<TokenStream> = read.map(|(_, argument)| argument.clone()).collect();
    let measured = method.paired_length(calls).map(|length| match length {
        Length::Of(function) => {
            let length = quote_spanned!(function.span()=> #function(#(#read),*));
            quote! {
                // SAFETY: annotation `len`: the function may be called with the same arguments; guarantee 3: the
                // handles are still borrowed.
                unsafe { #length }
            }
        }
        Length::Computed(expression) => {
            let size = expand_computed(expression, &read, runtime);
            expand_measured(method, calls, size, runtime)
        }
    });
    let measured = measured.map(|length| match (0..arguments.len()).find(|n| is_out(*n)) {
        None => length,
        Some(n) => {
            let place = &variables[n];
            let has_memory = quote!(#runtime::__private::out_param::has_memory(#place));
            let has_memory = respanned(has_memory, method.output.value.span());
            quote! {
                // SAFETY: annotation `out`: C has returned, and wrote the start of the memory there, or nothing.
                match unsafe { #has_memory } {
                    true => #length,
                    false => ::core::default::Default::default(),
                }
            }
        }
    });
    let call = match measured {
        None => call,
        Some(length) => quote! {
            match #call {
                ::core::option::Option::Some(memory) => {
                    ::core::option::Option::Some((memory, #caught.run(|| #length)))
                }
                ::core::option::Option::None => ::core::option::Option::None,
            }
        },
    };
    let call = expand_with_fields(fields, set, call, runtime);
    let c = Ident::new("__c", Span::mixed_site());
    let returned = Ident::new("__returned", Span::mixed_site());
    let closure = quote! {
        #(let #types = #argument_type::unknown();)*
        let #c = |#caught: &#runtime::__private::call::Caught, #(#declared),*| {
            #((&#types).is_of(&#typed);)*
            let #returned = #call;
            // SAFETY: Rust: it is what C returned; guarantee 18: no expression of the author stands in this closure but
            // in a closure of its own.
            unsafe { #runtime::__private::call::Returned::of(#returned) }
        };
    };
    // The helper thread of `interrupt` gets the values of all arguments.
    let is_evaluated = |n: usize| calls.interrupt.is_some() || runs_code(all[n]);
    let given = (0..all.len()).filter(|n| !is_captured(*n));
    let given = given.map(|n| match is_evaluated(n) {
        true => variables[n].to_token_stream(),
        false => values[n].clone(),
    });
    let mut called = quote!(#c(#caught, #(#given),*));
    if calls.detach {
        called = quote! {
            // SAFETY: annotation `detach`: the C function uses no Python.
            #runtime::__private::call::detach_unchecked(unsafe { #runtime::__private::call::WithoutPython::promised() }, || #called)
        };
    }
    let (uses, using) = expand_uses(method, calls, runtime);
    let evaluated = (0..all.len()).filter(|n| is_evaluated(*n));
    let evaluated = evaluated.map(|n| {
        let value = &values[n];
        let value = match runs_code(all[n]) {
            true => {
                let ty = type_variable(n);
                let of = respanned(quote!((&#ty).of), span_of(all[n]));
                quote!(#of(#value))
            }
            false => value.clone(),
        };
        Evaluated {
            variable: variables[n].clone(),
            value,
            is_name: is_name(all[n]),
        }
    });
    CClosure {
        uses,
        closure,
        called: quote!(|#caught| #called),
        using,
        evaluated: evaluated.collect(),
        runtime: runtime.clone(),
    }
}

/// Sets `fields` before the call. Clears the pointers in them afterwards.
pub(crate) fn expand_with_fields(
    fields: &[(&FieldPath, CArg<'_>)],
    variables: &[Ident],
    call: TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    if fields.is_empty() {
        return call;
    }
    let raw_pointer = Ident::new("raw", Span::mixed_site());
    let raw = quote!((*#raw_pointer));
    let returned = Ident::new("ret", Span::mixed_site());
    let before = |index: usize| format_ident!("__before_{index}", span = Span::mixed_site());
    let calls_back = |argument: &CArg<'_>| matches!(argument, CArg::Data(..) | CArg::Function(..));
    let set = fields
        .iter()
        .zip(variables)
        .map(|((result_checks, _), variable)| {
            let field = result_checks.within(&raw);
            let value = quote!(#runtime::__private::to_c::set_field(#variable));
            respanned(quote!(#field = #value;), result_checks.span())
        });
    let save = fields
        .iter()
        .enumerate()
        .filter_map(|(index, (result_checks, argument))| {
            let (field, before) = (result_checks.within(&raw), before(index));
            let save = quote! {
                // SAFETY: annotation `fields`: the field may be read; guarantee 4: the receiver is
                // borrowed exclusively.
                let #before = unsafe { #field };
            };
            calls_back(argument).then(|| respanned(save, result_checks.span()))
        });
    let clear = fields
        .iter()
        .enumerate()
        .filter_map(|(index, (result_checks, argument))| {
            let field = respanned(result_checks.within(&raw), result_checks.span());
            let before = match argument {
                // Converted like the pointer before, so that rustc reports a field of the wrong
                // type once.
                CArg::Start(..) => {
                    let null = quote!(#runtime::__private::to_c::Start::null());
                    let null = quote!(#runtime::__private::to_c::IntoC::into_c(#null));
                    respanned(null, span_of(argument))
                }
                argument if calls_back(argument) => before(index).to_token_stream(),
                _ => return None,
            };
            Some(quote!(#field = #before;))
        });
    quote!({
        let #raw_pointer = #runtime::__private::handle::Handle::as_raw(&*self);
        #(#save)*
        // SAFETY: annotation `fields`: C reads the fields during the call; guarantee 4: the
        // receiver is borrowed exclusively.
        unsafe { #(#set)* }
        let #returned = #call;
        // SAFETY: annotation `fields`: the fields may be written; guarantee 4: the receiver is
        // still borrowed, as a panic of C was caught.
        unsafe { #(#clear)* }
        #returned
    })
}

/// Runs the call on a helper thread, if `interrupt` is given.
pub(crate) fn expand_interrupt(block: &MethodsBlock, calls: &Calls) -> Option<TokenStream> {
    let path = calls.interrupt.as_ref()?;
    let (runtime, handle) = (&block.runtime, &block.handle);
    let [wake, this] = ["wake", "this"].map(|name| Ident::new(name, Span::mixed_site()));
    let typed = respanned(quote!(let #wake: fn(&#handle) -> _ = #path;), path.span());
    Some(quote! {
        .interruptible({
            #typed
            let #this = &*self;
            let interrupt = move || {
                let _ = #wake(#this);
            };
            // SAFETY: annotation `interrupt`: C may run on another thread, and be interrupted so.
            // Guarantee 22: what C gets was evaluated before.
            unsafe { #runtime::__private::helper_thread::Aside::interrupted_by(interrupt) }
        })
    })
}

/// Expands to the uses of the handles, and to the setting that passes them to the call. They end
/// when the result has its owner: `errors` may use the handles after it.
pub(crate) fn expand_uses(
    method: &Method,
    calls: &Calls,
    runtime: &TokenStream,
) -> (TokenStream, TokenStream) {
    let receiver = match method.receiver {
        Receiver::None => None,
        Receiver::Shared => Some((quote!(&*self), false)),
        Receiver::Exclusive => Some((quote!(&*self), true)),
    };
    let reads_parent = method
        .reads_parent
        .is_some()
        .then(|| quote!(, reads_parent));
    let receiver = receiver.map(|(handle, exclusive)| quote!(#handle, #exclusive #reads_parent));
    let kept_handles = method.kept_handles(calls);
    let kept = |name: &Ident| kept_handles.iter().any(|kept| kept.name == *name);
    let parameters = method
        .parameters
        .iter()
        .filter_map(|Parameter { name, ty }| {
            let (optional, exclusive) = match ParamKind::of(ty) {
                ParamKind::Ref(_) => (false, false),
                ParamKind::Mut(_) => (false, true),
                ParamKind::OptionRef(_) => (true, false),
                ParamKind::OptionMut(_) => (true, true),
                ParamKind::Owned(_) | ParamKind::OptionOwned(_) if kept(name) => {
                    let state = callback_variable(name);
                    return Some(quote!((&#state).optional(), true, optional));
                }
                ParamKind::Owned(_) => {
                    let place = place_variable(name);
                    let keeper = method.receiver != Receiver::None;
                    let keeper = keeper.then(|| quote!(, &*self));
                    return Some(quote!(&*#place, transferred #keeper));
                }
                _ => return None,
            };
            Some(match optional {
                false => quote!(&*#name, #exclusive),
                true => quote!(#runtime::__private::shape::optional(&#name), #exclusive, optional),
            })
        });
    let receiver = receiver.map(|argument| quote!((#argument)));
    let parameters = parameters.map(|argument| quote!((#argument)));
    let uses: Vec<_> = receiver.into_iter().chain(parameters).collect();
    let calls_back = !method.callbacks(calls).is_empty();
    let noting = Ident::new("__noting", Span::mixed_site());
    let noting =
        calls_back.then(|| quote!(let #noting = #runtime::__private::uses::Noting::begin();));
    let expect = match calls.pure {
        Some(_) => TokenStream::new(),
        None => quote!(#runtime::__private::uses::expect::<Self>(#calls_back); #noting),
    };
    if uses.is_empty() {
        return (TokenStream::new(), TokenStream::new());
    }
    let name = Ident::new("uses", Span::mixed_site());
    let list = match method.consumed().next() {
        None => quote!(__uses),
        Some(_) => quote!(__uses_with_transfer),
    };
    let uses = quote!(#expect let #name = #runtime::#list!(#(#uses),*););
    (uses, quote!(.using(#name)))
}
