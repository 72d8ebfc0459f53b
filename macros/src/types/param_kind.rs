//! The kinds of parameters, by the form of their type.

use syn::Type;

use crate::types::inspect::argument_of;

/// The kind of a parameter. It decides how the argument is extracted from Python and passed to C.
pub(crate) enum ParamKind {
    /// `&T`
    Ref(Type),
    /// `&mut T`
    Mut(Type),
    /// `Option<&T>`
    OptionRef(Type),
    /// `Option<&mut T>`
    OptionMut(Type),
    /// `Owned<T>`
    Owned(Type),
    /// `Option<Owned<T>>`
    OptionOwned(Type),
    /// `Python<'_>`, the token of the interpreter.
    Python,
    /// Any other type: a value that PyO3 extracts.
    Value,
}

impl ParamKind {
    pub(crate) fn of(ty: &Type) -> ParamKind {
        if let Type::Reference(reference) = ty {
            let target = (*reference.elem).clone();
            return if reference.mutability.is_some() {
                ParamKind::Mut(target)
            } else {
                ParamKind::Ref(target)
            };
        }
        if let Some(Type::Reference(reference)) = argument_of(ty, "Option") {
            let target = (*reference.elem).clone();
            return if reference.mutability.is_some() {
                ParamKind::OptionMut(target)
            } else {
                ParamKind::OptionRef(target)
            };
        }
        if let Some(target) = argument_of(ty, "Owned") {
            return ParamKind::Owned(target.clone());
        }
        let optional = argument_of(ty, "Option");
        if let Some(target) = optional.and_then(|owned| argument_of(owned, "Owned")) {
            return ParamKind::OptionOwned(target.clone());
        }
        match ty {
            Type::Path(path)
                if path
                    .path
                    .segments
                    .last()
                    .is_some_and(|segment| segment.ident == "Python") =>
            {
                ParamKind::Python
            }
            _ => ParamKind::Value,
        }
    }
}
