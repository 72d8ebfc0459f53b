//! Arguments of a C call, and the parameters that they stand for.

use proc_macro2::{Ident, Span};
use syn::spanned::Spanned;
use syn::{Expr, ExprField, Member, Type};

use crate::field_path::FieldPath;
use crate::length::Length;
use crate::methods::ast::{BufferLength, Calls, Method, Parameter, Receiver, WrittenArg};
use crate::types::inspect::{argument_of, is_named, is_text, type_name};
use crate::types::param_kind::ParamKind;

/// An argument of the C function.
pub(crate) enum CArg<'a> {
    Receiver(Span),
    Parameter(&'a Parameter, Span),
    /// `name.ptr`
    Start(&'a Parameter, Span),
    /// `name.len`
    Length(&'a Parameter, Span),
    Null(Span),
    /// The out-parameter with this index.
    Out(usize, Span),
    /// `name.data`
    Data(&'a Parameter, Span),
    /// `name.destroy`
    Destroy(&'a Parameter, Span),
    /// `name.method`: the function pointer of a callback.
    Function(&'a Parameter, &'a Ident, Span),
    /// `len`: the out-parameter for the length of the returned memory.
    OutLength(Span),
    /// `details`: the parameter with this index in which C explains a failure.
    Details(usize, Span),
    /// `buffer.ptr`: the memory that C gets to fill.
    BufferStart(Span),
    /// `buffer.len`: its size.
    BufferSize(Span),
    /// `&mut buffer.len`: its size, which C replaces by the number of bytes that it has filled.
    BufferLength(Span),
    /// Any other expression.
    Constant(&'a Expr),
}

/// The results of a call with `buffer`.
pub(crate) struct FilledResults<'a> {
    /// The type of the value that C returns, if the method returns it, too.
    pub(crate) returned: Option<&'a Type>,
    /// The type of what C has filled.
    pub(crate) filled: &'a Type,
    /// The types of the out-parameters.
    pub(crate) outs: Vec<&'a Type>,
    /// The number of out-parameters that stand before the memory in `args`.
    pub(crate) outs_before: usize,
}

impl Method {
    /// The arguments in the order of the C function.
    pub(crate) fn c_arguments<'a>(&'a self, calls: &'a Calls) -> Vec<CArg<'a>> {
        match &calls.arguments {
            Some(arguments) => {
                let (mut out_params, mut details) = (0.., 0..);
                let mut read = |argument: &'a WrittenArg| {
                    let written = argument.uncast();
                    let is_word = |word: &str| {
                        matches!(written, Expr::Path(path) if path.path.is_ident(word))
                            && self.parameter_named(word).is_none()
                    };
                    if is_word("out") {
                        return CArg::Out(out_params.next().unwrap_or_default(), written.span());
                    }
                    if is_word("len") {
                        return CArg::OutLength(written.span());
                    }
                    if is_word("details") {
                        return CArg::Details(details.next().unwrap_or_default(), written.span());
                    }
                    if let Some(argument) = self.buffer_argument(written) {
                        return argument;
                    }
                    match self.argument(written) {
                        CArg::Constant(_) => CArg::Constant(&argument.value),
                        CArg::Parameter(Parameter { ty, .. }, _)
                            if is_cast_number(ty, argument.c_type()) =>
                        {
                            CArg::Constant(&argument.value)
                        }
                        argument => argument,
                    }
                };
                arguments.iter().map(&mut read).collect()
            }
            None => {
                let receiver = (self.receiver != Receiver::None)
                    .then(|| CArg::Receiver(calls.function.span()));
                let parameters = self
                    .parameters
                    .iter()
                    .map(|parameter| CArg::Parameter(parameter, parameter.name.span()));
                receiver.into_iter().chain(parameters).collect()
            }
        }
    }

    /// The argument that `buffer.ptr`, `buffer.len` or `&mut buffer.len` stands for.
    fn buffer_argument(&self, argument: &Expr) -> Option<CArg<'static>> {
        let part = |expression: &Expr| {
            let Expr::Field(ExprField {
                base,
                member: Member::Named(part),
                ..
            }) = expression
            else {
                return None;
            };
            let is_buffer = matches!(&**base, Expr::Path(path) if path.path.is_ident("buffer"));
            (is_buffer && self.parameter_named("buffer").is_none()).then(|| part.to_string())
        };
        let span = argument.span();
        let referent = match argument {
            Expr::Reference(reference) if reference.mutability.is_some() => Some(&*reference.expr),
            _ => None,
        };
        match (
            part(argument).as_deref(),
            referent.and_then(part).as_deref(),
        ) {
            (Some("ptr"), _) => Some(CArg::BufferStart(span)),
            (Some("len"), _) => Some(CArg::BufferSize(span)),
            (_, Some("len")) => Some(CArg::BufferLength(span)),
            _ => None,
        }
    }

    /// Returns how C says how much of the buffer it has filled; `None` for a method without one.
    pub(crate) fn buffer_length(&self, calls: &Calls) -> Option<BufferLength> {
        calls.buffer.as_ref()?;
        let arguments = self.c_arguments(calls);
        let is_written = |argument: &CArg<'_>| matches!(argument, CArg::BufferLength(_));
        Some(match arguments.iter().any(is_written) {
            true => BufferLength::Written,
            false if calls.until.is_some() => BufferLength::Text,
            false => BufferLength::Returned,
        })
    }

    /// Returns the results of a call with `buffer`: the memory and each `out` in the order of `args`, in front of them
    /// the value that C returns, if there is one result more than these. `None` if their number is another one.
    pub(crate) fn filled_results(&self, calls: &Calls) -> Option<FilledResults<'_>> {
        let arguments = self.c_arguments(calls);
        let is_out = |argument: &&CArg<'_>| matches!(argument, CArg::Out(..));
        let before = arguments
            .iter()
            .take_while(|argument| !matches!(argument, CArg::BufferStart(_)));
        let (outs, outs_before) = (
            arguments.iter().filter(is_out).count(),
            before.filter(is_out).count(),
        );
        let value = &self.output.value;
        let Type::Tuple(tuple) = argument_of(value, "Option").unwrap_or(value) else {
            return (outs == 0).then(|| FilledResults {
                returned: None,
                filled: value,
                outs: Vec::new(),
                outs_before,
            });
        };
        let mut types: Vec<&Type> = tuple.elems.iter().collect();
        let returned = (types.len() == outs + 2).then(|| types.remove(0));
        (types.len() == outs + 1).then(|| FilledResults {
            returned,
            filled: types.remove(outs_before),
            outs: types,
            outs_before,
        })
    }

    /// Returns `true` if C explains a failure by the number that it writes to the length of the buffer.
    pub(crate) fn has_details_in_length(&self, calls: &Calls) -> bool {
        calls.details.is_some()
            && self.details_count(calls) == 0
            && self.buffer_length(calls) == Some(BufferLength::Written)
    }

    /// The values that `fields(…)` sets.
    pub(crate) fn field_arguments<'a>(
        &'a self,
        calls: &'a Calls,
    ) -> Vec<(&'a FieldPath, CArg<'a>)> {
        let fields = calls.fields.iter();
        fields
            .map(|(place, value)| (place, self.argument(value)))
            .collect()
    }

    fn argument<'a>(&'a self, argument: &'a Expr) -> CArg<'a> {
        if let Expr::Path(path) = argument {
            if path.path.is_ident("self") {
                return CArg::Receiver(argument.span());
            }
            if path.path.is_ident("null") {
                return CArg::Null(argument.span());
            }
            if let Some(parameter) = path.path.get_ident().and_then(|name| self.parameter(name)) {
                return CArg::Parameter(parameter, argument.span());
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
                return CArg::Start(parameter, argument.span());
            }
            if part == "len" {
                return CArg::Length(parameter, argument.span());
            }
            if part == "data" {
                return CArg::Data(parameter, argument.span());
            }
            if part == "destroy" {
                return CArg::Destroy(parameter, argument.span());
            }
            return CArg::Function(parameter, part, argument.span());
        }
        CArg::Constant(argument)
    }

    /// The parameters that are callbacks.
    pub(crate) fn callbacks<'a>(&'a self, calls: &'a Calls) -> Vec<&'a Parameter> {
        let mut found: Vec<&Parameter> = Vec::new();
        let fields = self.field_arguments(calls).into_iter();
        let arguments = self.c_arguments(calls).into_iter();
        for argument in arguments.chain(fields.map(|(_, argument)| argument)) {
            if let CArg::Data(parameter, _)
            | CArg::Destroy(parameter, _)
            | CArg::Function(parameter, ..) = argument
                && !found.iter().any(|other| other.name == parameter.name)
            {
                found.push(parameter);
            }
        }
        found
    }

    /// The callbacks that C keeps after the call.
    pub(crate) fn stored_callbacks<'a>(&'a self, calls: &'a Calls) -> Vec<&'a Parameter> {
        let mut callbacks = self.callbacks(calls);
        callbacks.retain(|parameter| matches!(ParamKind::of(&parameter.ty), ParamKind::Value));
        callbacks
    }

    /// The handles that C keeps as long as `scope` says, and that the caller releases: there is no callback that
    /// `scope` is about.
    pub(crate) fn kept_handles<'a>(&'a self, calls: &'a Calls) -> Vec<&'a Parameter> {
        if calls.scope.is_none()
            || self.receiver == Receiver::None
            || !self.stored_callbacks(calls).is_empty()
        {
            return Vec::new();
        }
        let is_owned = |ty: &Type| {
            matches!(
                ParamKind::of(ty),
                ParamKind::Owned(_) | ParamKind::OptionOwned(_)
            )
        };
        let parameters = self.parameters.iter();
        parameters
            .filter(|parameter| is_owned(&parameter.ty))
            .collect()
    }

    /// The callbacks and handles that C keeps after the call.
    pub(crate) fn stored<'a>(&'a self, calls: &'a Calls) -> Vec<&'a Parameter> {
        let mut stored = self.stored_callbacks(calls);
        stored.extend(self.kept_handles(calls));
        stored
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

    /// The result types of the out-parameters in their order. `None` if their number is not that of
    /// the results.
    pub(crate) fn out_types(&self, calls: &Calls) -> Option<Vec<Type>> {
        let count = self.out_count(calls);
        if calls.buffer.is_some() {
            let results = self.filled_results(calls)?;
            return Some(results.outs.into_iter().cloned().collect());
        }
        match (self.out_value(calls), count) {
            (_, 0) => Some(Vec::new()),
            (_, 1) => Some(vec![self.output.value.clone()]),
            (Type::Tuple(tuple), _) if tuple.elems.len() == count => {
                Some(tuple.elems.iter().cloned().collect())
            }
            _ => None,
        }
    }

    /// The type of all out-parameters together: the tuple, for an optional tuple.
    pub(crate) fn out_value<'a>(&'a self, calls: &Calls) -> &'a Type {
        let value = &self.output.value;
        match argument_of(value, "Option") {
            Some(tuple @ Type::Tuple(_)) if calls.none.is_some() => tuple,
            _ => value,
        }
    }

    /// The position of `len` in `args`.
    pub(crate) fn out_length(&self, calls: &Calls) -> Option<Span> {
        let arguments = self.c_arguments(calls);
        arguments.iter().find_map(|argument| match argument {
            CArg::OutLength(span) => Some(*span),
            _ => None,
        })
    }

    /// The length that is found right after the call, and returned with C's result.
    pub(crate) fn paired_length<'a>(&self, calls: &'a Calls) -> Option<&'a Length<syn::Path>> {
        let length = calls.length.as_ref()?;
        let is_constant = matches!(length, Length::Computed(_)) && length.closure().is_none();
        let is_written =
            self.out_length(calls).is_some() || is_constant && self.out_count(calls) > 0;
        let is_filled = calls.buffer.is_some();
        (!is_written && !is_filled).then_some(length)
    }

    /// The number of parameters in which C explains a failure.
    pub(crate) fn details_count(&self, calls: &Calls) -> usize {
        let arguments = self.c_arguments(calls);
        arguments
            .iter()
            .filter(|argument| matches!(argument, CArg::Details(..)))
            .count()
    }

    pub(crate) fn out_count(&self, calls: &Calls) -> usize {
        let arguments = self.c_arguments(calls);
        arguments
            .iter()
            .filter(|argument| matches!(argument, CArg::Out(..)))
            .count()
    }
}

/// Returns `true` for a number that the author casts to a number, as anywhere in Rust. Enums of numbers are converted.
fn is_cast_number(ty: &Type, c_type: Option<&Type>) -> bool {
    const NUMBERS: &[&str] = &[
        "bool", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64", "i128", "u128", "isize",
        "usize", "f32", "f64",
    ];
    let is_number =
        NUMBERS.iter().any(|number| is_named(ty, number)) || type_name(ty).starts_with("c_");
    c_type.is_some_and(|c_type| !matches!(c_type, Type::Ptr(_))) && is_number
}

/// Returns `true` if the conversion of this argument can fail, so that the method has to return a
/// `Result`.
pub(crate) fn can_fail(argument: &CArg<'_>) -> bool {
    match argument {
        CArg::Length(..) => true,
        CArg::Parameter(parameter, _) => is_text(&parameter.ty),
        _ => false,
    }
}

/// The position at which an argument is written.
pub(crate) fn span_of(argument: &CArg<'_>) -> Span {
    match argument {
        CArg::Receiver(span)
        | CArg::Parameter(_, span)
        | CArg::Start(_, span)
        | CArg::Length(_, span)
        | CArg::Null(span)
        | CArg::Out(_, span)
        | CArg::Data(_, span)
        | CArg::Destroy(_, span)
        | CArg::Function(_, _, span)
        | CArg::OutLength(span)
        | CArg::Details(_, span)
        | CArg::BufferStart(span)
        | CArg::BufferSize(span)
        | CArg::BufferLength(span) => *span,
        CArg::Constant(constant) => constant.span(),
    }
}
