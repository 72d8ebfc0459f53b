//! The methods of a `#[methods]` block as they are written.

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Block, Expr, ImplItem, Pat, Path, Signature, Type, Visibility};

use crate::docs::HeaderComment;
use crate::field_path::FieldPath;
use crate::status::StatusTest;
use crate::text::{Utf8, contains_string};
use crate::types::inspect::{is_named, type_name};
use crate::types::param_kind::ParamKind;

/// A block of methods of one handle.
pub(crate) struct MethodsBlock {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) handle: Type,
    pub(crate) is_unsafe: bool,
    pub(crate) methods: Vec<Method>,
    /// Constants and whatever else an `impl` may hold, as they are.
    pub(crate) others: Vec<ImplItem>,
    pub(crate) runtime: TokenStream,
}

pub(crate) struct Method {
    /// For Rust and, the documentation, for Python.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) comment: HeaderComment,
    /// PyO3's, for Python alone.
    pub(crate) python_attributes: Vec<Attribute>,
    pub(crate) rust_only: bool,
    /// Whether Python's lock is released while the body runs.
    pub(crate) detach: Option<Ident>,
    /// `#[reads_parent]`: the method of a `mut_parent` leaves what the parent lends as it is.
    pub(crate) reads_parent: Option<Ident>,
    /// `#[foreign(…)]`: the handle parameters that may live in other ancestors than the receiver.
    pub(crate) foreign: Vec<Ident>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) receiver: Receiver,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) output: Output,
    pub(crate) source: Source,
    /// `utf8 = …`, on the method or on its block.
    pub(crate) utf8: Utf8,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receiver {
    None,
    Shared,
    Exclusive,
}

pub(crate) struct Parameter {
    pub(crate) name: Ident,
    pub(crate) ty: Type,
}

/// The written return type.
pub(crate) struct Output {
    /// Whether it is a `Result`.
    pub(crate) fallible: bool,
    /// The type, or that within the `Result`.
    pub(crate) value: Type,
}

/// Where a method comes from.
pub(crate) enum Source {
    Calls(Box<Calls>),
    Field(Box<FieldAccess>),
    Body(Block),
    /// Nothing valid was written.
    Nothing,
}

/// `#[calls(function, …)]`
pub(crate) struct Calls {
    pub(crate) function: Path,
    /// `args = (…)`; all of them in their order if it is not given.
    pub(crate) arguments: Option<Vec<Expr>>,
    /// `fields(place = …)`: what stands in the receiver's struct for the length of the call.
    pub(crate) fields: Vec<(FieldPath, Expr)>,
    pub(crate) fails: Option<StatusTest>,
    /// How one sees from what C returned that there is no result, which is no failure.
    pub(crate) none: Option<StatusTest>,
    /// What a failing call leaves in its out-parameters.
    pub(crate) on_failure: Option<OnFailure>,
    /// Whether C has what is passed as `Owned` also after a failing call.
    pub(crate) consumes: Option<Consumes>,
    /// How long C keeps the callback that it is passed.
    pub(crate) scope: Option<Ident>,
    /// The parameters that the result lives in, besides the receiver.
    pub(crate) keep_alive: Vec<Ident>,
    /// What tells the length of the memory that C gives.
    pub(crate) length: Option<Path>,
    /// `until = null`: the array that C gives ends with a NULL or a 0.
    pub(crate) until: Option<Ident>,
    /// What frees the string or the memory that C gives.
    pub(crate) free: Option<Expr>,
    /// `borrowed`: what is copied is C's, although C's type is not `const`.
    pub(crate) borrowed: Option<Ident>,
    /// `owned`: what C returns is the caller's, although C's type is `const`.
    pub(crate) owned: Option<Ident>,
    /// `utf8 = lossy`
    pub(crate) utf8: Option<Utf8>,
    pub(crate) detach: bool,
    /// `interrupt = Handle::method`: what ends the call when a signal handler raises.
    pub(crate) interrupt: Option<Path>,
    /// `retain`: what C lends becomes one owner more of its object at once.
    pub(crate) retain: Option<Ident>,
}

/// `on_failure = …`
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// What it would leave when it succeeds; it has to be released.
    Owned,
    /// NULL, or what was there before.
    Null,
    /// Something that must not be looked at.
    Undefined,
}

/// `consumes = …`
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Consumes {
    Always,
    OnSuccess,
}

/// `#[field(place, …)]`
pub(crate) struct FieldAccess {
    pub(crate) place: FieldPath,
    /// The field that counts the elements of the array.
    pub(crate) length: Option<FieldPath>,
    /// The tag, and its values with which the field is valid.
    pub(crate) when: Option<(FieldPath, Pat)>,
    /// `utf8 = lossy`
    pub(crate) utf8: Option<Utf8>,
    /// `retain`: what the field lends becomes one owner more of its object at once.
    pub(crate) retain: Option<Ident>,
    /// `atomic`: C may read it meanwhile.
    pub(crate) atomic: Option<Ident>,
}

impl Method {
    /// Whether the result has text of C in it that has to be UTF-8.
    pub(crate) fn has_strict_text(&self) -> bool {
        self.utf8 == Utf8::Strict && contains_string(&self.output.value)
    }

    /// The parameters that C keeps.
    pub(crate) fn consumed(&self) -> impl Iterator<Item = &Parameter> {
        let parameters = self.parameters.iter();
        parameters.filter(|parameter| matches!(ParamKind::of(&parameter.ty), ParamKind::Owned(_)))
    }

    /// The types of the parameters that the result lives in, besides the receiver.
    pub(crate) fn parents<'a>(
        &'a self,
        calls: &'a Calls,
    ) -> impl Iterator<Item = (&'a Ident, Type)> {
        calls.keep_alive.iter().filter_map(|name| {
            let parameter = self.parameter(name)?;
            match ParamKind::of(&parameter.ty) {
                ParamKind::Ref(target) => Some((name, target)),
                _ => None,
            }
        })
    }

    /// The parameter by which a method without `self` takes its own handle for good: in Python it is a method all the same.
    pub(crate) fn consumed_receiver(&self, handle: &Type) -> Option<&Parameter> {
        let first = self.parameters.first()?;
        let ParamKind::Owned(target) = ParamKind::of(&first.ty) else {
            return None;
        };
        let elsewhere = self.receiver != Receiver::None
            || self.has_python_attribute("new")
            || self.has_python_attribute("staticmethod");
        let itself = is_named(&target, "Self") || type_name(&target) == type_name(handle);
        (itself && !elsewhere).then_some(first)
    }

    pub(crate) fn has_python_attribute(&self, name: &str) -> bool {
        self.python_attributes
            .iter()
            .any(|attribute| attribute.path().is_ident(name))
    }
}
