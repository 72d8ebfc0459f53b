//! The methods of a `#[methods]` block as they are written.

use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Block, Expr, ImplItem, Pat, Path, Signature, Type, Visibility};

use crate::docs::HeaderComment;
use crate::field_path::FieldPath;
use crate::length::Length;
use crate::status::StatusTest;
use crate::text::{Utf8, contains_string};
use crate::types::inspect::{is_named, owned_handles, type_name};
use crate::types::param_kind::ParamKind;

/// A `#[methods]` block.
pub(crate) struct MethodsBlock {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) handle: Type,
    pub(crate) is_unsafe: bool,
    pub(crate) methods: Vec<Method>,
    /// Constants and all other items that are no functions, unchanged.
    pub(crate) others: Vec<ImplItem>,
    pub(crate) runtime: TokenStream,
}

pub(crate) struct Method {
    /// The attributes for Rust. `doc` and `cfg` are for Python, too.
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) comment: HeaderComment,
    /// The attributes of PyO3.
    pub(crate) python_attributes: Vec<Attribute>,
    pub(crate) rust_only: bool,
    /// `#[detach]`: the body runs without the GIL.
    pub(crate) detach: Option<Ident>,
    /// `#[reads_parent]`: the method of a `mut_parent` handle does not change what the parent
    /// lends.
    pub(crate) reads_parent: Option<Ident>,
    /// `#[foreign(…)]`: handle parameters that may live in other ancestors than the receiver.
    pub(crate) foreign: Vec<Ident>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) receiver: Receiver,
    pub(crate) parameters: Vec<Parameter>,
    /// The parameter `py: Python<'py>` of a method that makes a Python object from C's memory. It is not among the
    /// others.
    pub(crate) token: Option<Ident>,
    pub(crate) output: Output,
    pub(crate) source: Source,
    /// `utf8 = …`, on the method or on its block.
    pub(crate) utf8: Utf8,
    /// Set if a mistake was found in the method.
    pub(crate) has_mistakes: bool,
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

/// The return type.
pub(crate) struct Output {
    /// Set if the type is a `Result`.
    pub(crate) fallible: bool,
    /// The type, without its `Result`. For a method with a `token`, the type of the copy: `String` or `Bytes`.
    pub(crate) value: Type,
}

/// The source of a method.
pub(crate) enum Source {
    Calls(Box<Calls>),
    Field(Box<FieldAccess>),
    Body(Block),
    /// No source, or one with mistakes.
    Nothing,
}

/// `#[calls(function, …)]`
pub(crate) struct Calls {
    pub(crate) function: Path,
    /// `args = (…)`. By default the receiver and all parameters in their order.
    pub(crate) arguments: Option<Vec<WrittenArg>>,
    /// `fields(field = value)`: fields of the receiver's struct that are set during the call.
    pub(crate) fields: Vec<(FieldPath, Expr)>,
    pub(crate) fails: Option<StatusTest>,
    /// `none = …`: the test of the returned status for "no result", which is not a failure.
    pub(crate) none: Option<StatusTest>,
    /// `on_failure = …`: the state of the out-parameters after a failing call.
    pub(crate) on_failure: Option<OnFailure>,
    /// `consumes = …`: the owner of `Owned` arguments after a failing call.
    pub(crate) consumes: Option<Consumes>,
    /// `scope = …`: the time for which C keeps the callback.
    pub(crate) scope: Option<Ident>,
    /// `keep_alive = (…)`: the parameters that the result lives in, besides the receiver.
    pub(crate) keep_alive: Vec<Ident>,
    /// `len = …`: the length of the returned memory, or the C function that returns it.
    pub(crate) length: Option<Length<Path>>,
    /// `until = null`: the returned array ends with a NULL or a 0.
    pub(crate) until: Option<Ident>,
    /// `free = f`: the function that frees the returned string or memory.
    pub(crate) free: Option<Expr>,
    /// `borrowed`: the returned memory belongs to C, although its C type is not `const`.
    pub(crate) borrowed: Option<Ident>,
    /// `owned`: the returned object belongs to the caller, although its C type is `const`.
    pub(crate) owned: Option<Ident>,
    /// `utf8 = lossy`
    pub(crate) utf8: Option<Utf8>,
    pub(crate) detach: bool,
    /// `interned`: a name that is returned often.
    pub(crate) interned: Option<Ident>,
    /// `pure`: C only reads.
    pub(crate) pure: Option<Ident>,
    /// `interrupt = Handle::method`: the method that ends the call after a signal handler raised.
    pub(crate) interrupt: Option<Path>,
    /// `retain`: the caller becomes an owner of the returned object, which C only lends.
    pub(crate) retain: Option<Ident>,
    /// `gives_back`: the result is what C had before the call, with all that C keeps in it.
    pub(crate) gives_back: Option<Ident>,
    /// `details = …`: what C writes about a failure.
    pub(crate) details: Option<Details>,
    /// `buffer = N`: the size of the memory that C gets to fill.
    pub(crate) buffer: Option<(Ident, Expr)>,
    /// `too_small = …`: the test of the returned status for memory that was too small.
    pub(crate) too_small: Option<(Ident, StatusTest)>,
}

/// How C says how much of the buffer it has filled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum BufferLength {
    /// `&mut buffer.len`: C writes the number of bytes.
    Written,
    /// `len = |n| …`: C returns the number of bytes.
    Returned,
    /// `until = null`: the text ends with NUL.
    Text,
}

/// An argument in `args = (…)`.
pub(crate) struct WrittenArg {
    pub(crate) value: Expr,
    /// Set if it stands behind `...`: C's declaration has no type for it.
    pub(crate) is_variable: bool,
}

impl WrittenArg {
    /// The value without its `as`.
    pub(crate) fn uncast(&self) -> &Expr {
        match &self.value {
            Expr::Cast(cast) => &cast.expr,
            value => value,
        }
    }

    /// The C type in `value as T`.
    pub(crate) fn c_type(&self) -> Option<&Type> {
        match &self.value {
            Expr::Cast(cast) => Some(&cast.ty),
            _ => None,
        }
    }

    /// Returns `true` for a pointer to what C's declaration has another pointer for, such as a `void *`.
    pub(crate) fn is_behind_void(&self) -> bool {
        !self.is_variable && matches!(self.c_type(), Some(Type::Ptr(_)))
    }
}

/// `details = T` or `details(T, free = f)`
pub(crate) struct Details {
    pub(crate) keyword: Ident,
    /// The type: a tuple for several parameters.
    pub(crate) ty: Type,
    /// The function that frees text that C allocates.
    pub(crate) free: Option<Expr>,
}

impl Details {
    /// The types in the order of the parameters, which are `count`. `None` if their number differs.
    pub(crate) fn types(&self, count: usize) -> Option<Vec<&Type>> {
        match (&self.ty, count) {
            (ty, 1) => Some(vec![ty]),
            (Type::Tuple(tuple), _) if tuple.elems.len() == count => {
                Some(tuple.elems.iter().collect())
            }
            _ => None,
        }
    }
}

/// `on_failure = …`
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnFailure {
    /// A handle that the caller has to release, as after success.
    Owned,
    /// NULL, or the value from before the call.
    Null,
    /// Garbage, which is not read.
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
    /// `len = …`: the number of elements of the array, or the field that has it.
    pub(crate) length: Option<Length<FieldPath>>,
    /// `until = null`: the array ends with a NULL or a 0.
    pub(crate) until: Option<Ident>,
    /// `when(tag, values)`: the tag of a union, and its values for which the field is valid.
    pub(crate) when: Option<(FieldPath, Pat)>,
    /// `utf8 = lossy`
    pub(crate) utf8: Option<Utf8>,
    /// `retain`: the caller becomes an owner of the object that the field points to.
    pub(crate) retain: Option<Ident>,
    /// `atomic`: the field is read and written atomically, because C uses it during calls.
    pub(crate) atomic: Option<Ident>,
    /// `interned`: a name that is read often.
    pub(crate) interned: Option<Ident>,
}

impl FieldAccess {
    /// Returns `true` if the annotation says how long the array in the field is.
    pub(crate) fn is_array(&self) -> bool {
        self.length.is_some() || self.until.is_some()
    }
}

impl Method {
    /// `interned`, which the method may have.
    pub(crate) fn interned(&self) -> Option<&Ident> {
        match &self.source {
            Source::Calls(calls) => calls.interned.as_ref(),
            Source::Field(field) => field.interned.as_ref(),
            Source::Body(_) | Source::Nothing => None,
        }
    }

    /// Returns `true` if the method reads a pointer that the annotation says is never NULL: the result is one and no
    /// `Option`. `#[field(self)]` is the handle itself.
    pub(crate) fn reads_required(&self, field: &FieldAccess) -> bool {
        const POINTERS: &[&str] = &["Borrowed", "Owned", "String", "CString", "Bytes"];
        let value = &self.output.value;
        let is_pointer = POINTERS.iter().any(|name| is_named(value, name));
        is_pointer && !field.place.is_self() && self.parameters.is_empty()
    }

    /// Returns `true` if the length of the array in the field is computed.
    pub(crate) fn computes_length(&self, field: &FieldAccess) -> bool {
        matches!(field.length, Some(Length::Computed(_)))
    }

    /// Returns `true` if the result contains text that has to be UTF-8.
    pub(crate) fn has_strict_text(&self) -> bool {
        self.utf8 == Utf8::Strict && contains_string(&self.output.value)
    }

    /// The parameters that are passed to C as `Owned`, and that C releases.
    pub(crate) fn consumed(&self) -> impl Iterator<Item = &Parameter> {
        let is_owned = |ty: &Type| matches!(ParamKind::of(ty), ParamKind::Owned(_));
        let parameters = self.parameters.iter();
        parameters.filter(move |parameter| is_owned(&parameter.ty) && !self.is_kept(parameter))
    }

    /// Returns `true` for a handle that C keeps as long as `scope` says, and that the caller releases.
    pub(crate) fn is_kept(&self, parameter: &Parameter) -> bool {
        match &self.source {
            Source::Calls(calls) => {
                let mut kept = self.kept_handles(calls).into_iter();
                kept.any(|kept| kept.name == parameter.name)
            }
            _ => false,
        }
    }

    /// Returns whether the method gets `parameter` as `Owned` from Python: a body does, and a call that keeps the
    /// handle, while other calls get a place from which C takes it.
    pub(crate) fn is_given(&self, parameter: &Parameter) -> bool {
        let is_body = matches!(self.source, Source::Body(_));
        match ParamKind::of(&parameter.ty) {
            ParamKind::OptionOwned(_) => true,
            ParamKind::Owned(_) => is_body || self.is_kept(parameter),
            _ => false,
        }
    }

    /// Returns whether a body may return the handle that it gets as `parameter`: `Owned<T>` of the same type.
    pub(crate) fn may_return(&self, parameter: &Parameter) -> bool {
        let (ParamKind::Owned(target) | ParamKind::OptionOwned(target)) =
            ParamKind::of(&parameter.ty)
        else {
            return false;
        };
        // `Self` and the name of the handle are the same type.
        let mut returned = owned_handles(&self.output.value).into_iter();
        matches!(self.source, Source::Body(_))
            && returned.any(|handle| {
                type_name(handle) == type_name(&target)
                    || is_named(handle, "Self")
                    || is_named(&target, "Self")
            })
    }

    /// The `keep_alive` parameters with their handle types.
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

    /// The first parameter of a method without `self`, if it consumes the handle itself. In Python
    /// it is the receiver.
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

    /// The `cfg` attributes.
    pub(crate) fn cfg_attributes(&self) -> impl Iterator<Item = &Attribute> {
        let attributes = self.attributes.iter();
        attributes.filter(|attribute| attribute.path().is_ident("cfg"))
    }

    pub(crate) fn has_python_attribute(&self, name: &str) -> bool {
        self.python_attributes
            .iter()
            .any(|attribute| attribute.path().is_ident(name))
    }
}
