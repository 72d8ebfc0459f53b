//! The arguments of a C call: which expression stands for which parameter.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;
use syn::{Expr, ExprField, Member, Type};

use super::model::{Calls, Method, Parameter, Receiver};
use super::types::{Taken, is_text};
use crate::callbacks::function_constant;
use crate::words::{Place, argument_of, respanned};

/// One argument of the C function.
pub(crate) enum Argument<'a> {
    Receiver(Span),
    Parameter(&'a Parameter, Span),
    /// `name.ptr`
    Start(&'a Parameter, Span),
    /// `name.len`
    Length(&'a Parameter, Span),
    Null(Span),
    /// The `n`-th out-parameter.
    Out(usize, Span),
    /// `name.data`
    Data(&'a Parameter, Span),
    /// `name.destroy`
    Destroy(&'a Parameter, Span),
    /// `name.method`: the function pointer to that.
    Function(&'a Parameter, &'a Ident, Span),
    /// Where C writes the length of the memory that it gives.
    OutLength(Span),
    /// A constant, as it is.
    Constant(&'a Expr),
}

impl Method {
    /// The arguments in C's order.
    pub(crate) fn c_arguments<'a>(&'a self, calls: &'a Calls) -> Vec<Argument<'a>> {
        match &calls.arguments {
            Some(arguments) => {
                let mut outs = 0..;
                let mut read = |argument: &'a Expr| match argument {
                    Expr::Path(path)
                        if path.path.is_ident("out") && self.parameter_named("out").is_none() =>
                    {
                        Argument::Out(outs.next().unwrap_or_default(), argument.span())
                    }
                    Expr::Path(path)
                        if path.path.is_ident("len") && self.parameter_named("len").is_none() =>
                    {
                        Argument::OutLength(argument.span())
                    }
                    _ => self.argument(argument),
                };
                arguments.iter().map(&mut read).collect()
            }
            None => {
                let receiver = (self.receiver != Receiver::None)
                    .then(|| Argument::Receiver(calls.function.span()));
                let parameters = self
                    .parameters
                    .iter()
                    .map(|parameter| Argument::Parameter(parameter, parameter.name.span()));
                receiver.into_iter().chain(parameters).collect()
            }
        }
    }

    /// What the receiver's fields are set to.
    pub(crate) fn field_arguments<'a>(
        &'a self,
        calls: &'a Calls,
    ) -> Vec<(&'a Place, Argument<'a>)> {
        let fields = calls.fields.iter();
        fields
            .map(|(place, value)| (place, self.argument(value)))
            .collect()
    }

    fn argument<'a>(&'a self, argument: &'a Expr) -> Argument<'a> {
        if let Expr::Path(path) = argument {
            if path.path.is_ident("self") {
                return Argument::Receiver(argument.span());
            }
            if path.path.is_ident("null") {
                return Argument::Null(argument.span());
            }
            if let Some(parameter) = path.path.get_ident().and_then(|name| self.parameter(name)) {
                return Argument::Parameter(parameter, argument.span());
            }
        }
        if let Expr::Field(ExprField {
            base,
            member: Member::Named(part),
            ..
        }) = argument
            && let Expr::Path(path) = &**base
            && let Some(parameter) = path.path.get_ident().and_then(|name| self.parameter(name))
        {
            if part == "ptr" {
                return Argument::Start(parameter, argument.span());
            }
            if part == "len" {
                return Argument::Length(parameter, argument.span());
            }
            if part == "data" {
                return Argument::Data(parameter, argument.span());
            }
            if part == "destroy" {
                return Argument::Destroy(parameter, argument.span());
            }
            return Argument::Function(parameter, part, argument.span());
        }
        Argument::Constant(argument)
    }

    /// The parameters that C calls back.
    pub(crate) fn callbacks<'a>(&'a self, calls: &'a Calls) -> Vec<&'a Parameter> {
        let mut found: Vec<&Parameter> = Vec::new();
        let fields = self.field_arguments(calls).into_iter();
        let arguments = self.c_arguments(calls).into_iter();
        for argument in arguments.chain(fields.map(|(_, argument)| argument)) {
            if let Argument::Data(parameter, _)
            | Argument::Destroy(parameter, _)
            | Argument::Function(parameter, ..) = argument
                && !found.iter().any(|other| other.name == parameter.name)
            {
                found.push(parameter);
            }
        }
        found
    }

    /// The parameters that C calls back after the call has ended.
    pub(crate) fn stored<'a>(&'a self, calls: &'a Calls) -> Vec<&'a Parameter> {
        let mut callbacks = self.callbacks(calls);
        callbacks.retain(|parameter| matches!(Taken::of(&parameter.ty), Taken::Value));
        callbacks
    }

    pub(crate) fn parameter(&self, name: &Ident) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == *name)
    }

    fn parameter_named(&self, name: &str) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == name)
    }

    /// The types of what the out-parameters become, in their order; none if their number is not that of the results.
    pub(crate) fn out_types(&self, calls: &Calls) -> Option<Vec<Type>> {
        let count = self.out_count(calls);
        match (self.out_value(calls), count) {
            (_, 0) => Some(Vec::new()),
            (_, 1) => Some(vec![self.output.value.clone()]),
            (Type::Tuple(tuple), _) if tuple.elems.len() == count => {
                Some(tuple.elems.iter().cloned().collect())
            }
            _ => None,
        }
    }

    /// What the out-parameters become together: of a tuple that may be missing, the tuple.
    pub(crate) fn out_value<'a>(&'a self, calls: &Calls) -> &'a Type {
        let value = &self.output.value;
        match argument_of(value, "Option") {
            Some(tuple @ Type::Tuple(_)) if calls.none.is_some() => tuple,
            _ => value,
        }
    }

    /// Where in `args` C gets to know where to write a length.
    pub(crate) fn out_length(&self, calls: &Calls) -> Option<Span> {
        let arguments = self.c_arguments(calls);
        arguments.iter().find_map(|argument| match argument {
            Argument::OutLength(span) => Some(*span),
            _ => None,
        })
    }

    pub(crate) fn out_count(&self, calls: &Calls) -> usize {
        let arguments = self.c_arguments(calls);
        arguments
            .iter()
            .filter(|argument| matches!(argument, Argument::Out(..)))
            .count()
    }
}

/// Whether converting this argument can fail, so that the method must return a `Result`.
pub(crate) fn can_fail(argument: &Argument<'_>) -> bool {
    match argument {
        Argument::Length(..) => true,
        Argument::Parameter(parameter, _) => is_text(&parameter.ty),
        _ => false,
    }
}

/// What has to be converted before the call, because it can fail or has to stay alive.
pub(crate) fn prepare(argument: &Argument<'_>, runtime: &TokenStream) -> Option<TokenStream> {
    match argument {
        Argument::Start(Parameter { name, .. }, span) => {
            let variable = start_variable(name);
            let start = quote!(#runtime::arguments::Memory::start(&mut #name));
            let start = respanned(start, *span);
            Some(quote! {
                let mut #name = #name;
                let #variable = #start;
            })
        }
        Argument::Length(Parameter { name, .. }, span) => {
            let (variable, text) = (length_variable(name), name.to_string());
            let converted = quote!(#runtime::call::length(&__SITE, #text, &#name)?);
            let converted = respanned(converted, *span);
            Some(quote!(let #variable = #converted;))
        }
        Argument::Data(parameter, span) => {
            let (variable, state) = (
                data_variable(&parameter.name),
                state_variable(&parameter.name),
            );
            let data = respanned(quote!(#state.data()), *span);
            Some(quote!(let #variable = #data;))
        }
        Argument::Destroy(parameter, span) => {
            let (variable, state) = (
                destroy_variable(&parameter.name),
                state_variable(&parameter.name),
            );
            let destroy = respanned(quote!(#state.destroy()), *span);
            Some(quote!(let #variable = #destroy;))
        }
        Argument::Function(Parameter { name, ty }, method, span) => {
            let (variable, state) = (function_variable(name, method), state_variable(name));
            let ty = match ty {
                Type::Reference(reference) => &*reference.elem,
                ty => argument_of(ty, "Option").unwrap_or(ty),
            };
            let constant = function_constant(method);
            let function = respanned(quote!(#state.function(<#ty>::#constant)), *span);
            Some(quote!(let #variable = #function;))
        }
        Argument::Parameter(Parameter { name, ty }, _) if is_text(ty) => {
            let (variable, text) = (text_variable(name), name.to_string());
            Some(quote!(let #variable = #runtime::call::text(&__SITE, #text, #name)?;))
        }
        _ => None,
    }
}

/// What holds a callback while C is called.
pub(crate) fn state_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_state", span = Span::mixed_site())
}

fn data_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_data", span = Span::mixed_site())
}

fn destroy_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_destroy", span = Span::mixed_site())
}

fn function_variable(name: &Ident, method: &Ident) -> Ident {
    format_ident!("__{name}_function_{method}", span = Span::mixed_site())
}

fn length_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_length")
}

/// The start of memory, taken before anything else is done with the parameter: of `&mut [u8]` C writes to it.
fn start_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_start", span = Span::mixed_site())
}

/// What C gives lives no longer than this.
pub(crate) fn life_variable() -> Ident {
    Ident::new("__life", Span::mixed_site())
}

/// What frees what C gives.
pub(crate) fn free_variable() -> Ident {
    Ident::new("__free", Span::mixed_site())
}

/// The memory of the out-parameter for a length.
pub(crate) fn out_length_variable() -> Ident {
    Ident::new("__out_length", Span::mixed_site())
}

/// The memory of the `n`-th out-parameter.
pub(crate) fn out_variable(n: usize) -> Ident {
    format_ident!("__out_{n}", span = Span::mixed_site())
}

/// The `n`-th value that C gets, or that a field is set to.
pub(crate) fn passed_variable(n: usize, span: Span) -> Ident {
    format_ident!("__passed_{n}", span = span.resolved_at(Span::mixed_site()))
}

/// What a consumed handle kept, until the call has ended.
pub(crate) fn passed_on_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_passed_on", span = Span::mixed_site())
}

/// What C gets of a parameter that it keeps.
pub(crate) fn lent_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_lent", span = Span::mixed_site())
}

/// Where an argument is written.
pub(crate) fn span_of(argument: &Argument<'_>) -> Span {
    match argument {
        Argument::Receiver(span)
        | Argument::Parameter(_, span)
        | Argument::Start(_, span)
        | Argument::Length(_, span)
        | Argument::Null(span)
        | Argument::Out(_, span)
        | Argument::Data(_, span)
        | Argument::Destroy(_, span)
        | Argument::Function(_, _, span)
        | Argument::OutLength(span) => *span,
        Argument::Constant(constant) => constant.span(),
    }
}

fn text_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_text")
}

/// The argument as the C function takes it. It stands in safe code, and is evaluated before C is called.
pub(crate) fn pass(argument: &Argument<'_>, runtime: &TokenStream) -> TokenStream {
    let into_c = quote!(#runtime::arguments::IntoC::into_c);
    let (passed, span) = match argument {
        Argument::Receiver(span) => (quote!(#into_c(&*self)), span),
        Argument::Parameter(Parameter { name, ty }, span) if is_text(ty) => {
            let variable = text_variable(name);
            (quote!(#into_c(#variable.as_deref())), span)
        }
        // A reference that is not moved: the call's errors may still look at it.
        Argument::Parameter(Parameter { name, ty }, span) => match Taken::of(ty) {
            Taken::Ref(_) | Taken::Mut(_) => (quote!(#into_c(&*#name)), span),
            Taken::Owned(_) => {
                let lent = lent_variable(name);
                (quote!(#into_c(#lent)), span)
            }
            Taken::OptionMut(_) => (quote!(#into_c(#name.as_deref())), span),
            _ => (quote!(#into_c(#name)), span),
        },
        Argument::Start(Parameter { name, .. }, span) => {
            let start = start_variable(name);
            let start = quote! {
                // SAFETY: Rust: the parameter is borrowed by this method until C has returned.
                unsafe { #runtime::arguments::Start::new(#start) }
            };
            (quote!(#into_c(#start)), span)
        }
        Argument::Length(Parameter { name, .. }, span) => {
            (length_variable(name).to_token_stream(), span)
        }
        Argument::Data(parameter, span) => (data_variable(&parameter.name).to_token_stream(), span),
        Argument::Destroy(parameter, span) => {
            (destroy_variable(&parameter.name).to_token_stream(), span)
        }
        Argument::Function(parameter, method, span) => (
            function_variable(&parameter.name, method).to_token_stream(),
            span,
        ),
        Argument::Out(n, span) => {
            let slot = out_variable(*n);
            (quote!(#slot.pointer()), span)
        }
        Argument::OutLength(span) => {
            let slot = out_length_variable();
            (quote!(#slot.pointer()), span)
        }
        Argument::Null(span) => (quote!(#into_c(#runtime::arguments::Null)), span),
        Argument::Constant(constant) => return quote!(#constant),
    };
    respanned(passed, *span)
}
