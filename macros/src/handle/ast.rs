//! The arguments of `#[handle(…)]` as they are written.

use proc_macro2::Ident;
use syn::{Expr, Pat, Path, Type};

use crate::attr::CommonArgs;
use crate::field_path::FieldPath;
use crate::handle::lock_place::LockPlace;
use crate::status::StatusTest;

/// The arguments as they are written; a name without a value has a value that could not be parsed.
#[derive(Default)]
pub(crate) struct HandleArgs {
    /// Set if every argument has a known name. If not, a missing argument may be the misspelled
    /// one.
    pub(crate) understood: bool,
    pub(crate) has_c_type: bool,
    pub(crate) common: CommonArgs,
    pub(crate) raw: Option<Type>,
    pub(crate) caller_allocates: Option<Ident>,
    pub(crate) integer: Option<(Ident, Option<Type>)>,
    pub(crate) invalid: Option<(Ident, Option<Expr>)>,
    pub(crate) interrupt: Option<(Ident, Option<Path>)>,
    pub(crate) retain: Option<(Ident, Option<Path>)>,
    pub(crate) borrowed_with: Option<(Ident, Option<Type>)>,
    pub(crate) independent: Option<Ident>,
    pub(crate) release: Option<(Ident, Option<Release>)>,
    pub(crate) parent: Option<(Ident, Option<Type>)>,
    pub(crate) part_of: Option<(Ident, Option<Type>)>,
    pub(crate) owner_field: Option<(Ident, Option<FieldPath>)>,
    pub(crate) until_mut: Option<Ident>,
    /// `tree` without values: the handle owns parts that move.
    pub(crate) owns_tree: Option<Ident>,
    pub(crate) tree: Option<(Ident, Option<TreeArg>)>,
    pub(crate) callback_only: Option<Ident>,
    pub(crate) attachments: Option<Ident>,
    pub(crate) thread_bound: Option<Ident>,
    pub(crate) fork_safe: Option<Ident>,
    pub(crate) process_bound: Option<Ident>,
    pub(crate) sharing: Sharing,
    pub(crate) warn_unclosed: Option<Ident>,
    pub(crate) subclass: Option<Ident>,
    pub(crate) errors: Option<ErrorsArg>,
    pub(crate) lock: Option<LockArg>,
    pub(crate) thread_locals: Vec<ThreadLocal>,
}

/// The state that the handle shares with its parent.
#[derive(Default)]
pub(crate) struct Sharing {
    /// `parent = &mut P`.
    pub(crate) holds_parent: bool,
    /// The arguments of these names.
    pub(crate) mut_parent: Option<Ident>,
    pub(crate) reads_parent: Option<Ident>,
    pub(crate) lends: Option<Ident>,
    /// `borrowed_with = T`: a type of the group of reference-counted handles that are borrowed
    /// together.
    pub(crate) borrowed_with: Option<Type>,
}

/// `release = function` or `release(function, fails = …, on_failure = …)`.
pub(crate) struct Release {
    pub(crate) function: Path,
    pub(crate) fails: Option<StatusTest>,
    /// `on_failure = kept`: the handle is still open after a failed release.
    pub(crate) kept_on_failure: bool,
    /// `args = (…)`: the release function gets the parent, too.
    pub(crate) c_args: Option<ReleaseCArgs>,
    /// `detach`: the function is called without the GIL.
    pub(crate) detach: bool,
}

impl Release {
    /// The last segment of the function's path.
    pub(crate) fn name(&self) -> String {
        let last = self.function.segments.last();
        last.map(|segment| segment.ident.to_string())
            .unwrap_or_default()
    }
}

/// `args = (…)` of a release: `self` and `parent`, in the order of the C function.
pub(crate) struct ReleaseCArgs(pub(crate) Vec<Ident>);

/// `errors = Type` or `errors(Type, asks_handle, callback = place, thread_callback = function,
/// thread_messages = function)`.
pub(crate) struct ErrorsArg {
    pub(crate) collector: Type,
    /// `asks_handle`: the handle is asked for the error after a failed call.
    pub(crate) asks_handle: bool,
    pub(crate) callback: Option<FieldPath>,
    /// The function that returns the address of the thread-local variable with the error callback.
    pub(crate) thread_callback: Option<Path>,
    /// The function that returns the address of the thread-local variable with a function that
    /// prints.
    pub(crate) thread_messages: Option<Path>,
}

/// `tree(parent = …, children = …, next = …, object = …, release = …)`
pub(crate) struct TreeArg {
    /// The field that points to the part above.
    pub(crate) parent: FieldPath,
    /// The fields that point to the first part of a list of children.
    pub(crate) children: Vec<ChildList>,
    /// The field that points to the next part of a list.
    pub(crate) next: FieldPath,
    /// The field that C reserves for the application.
    pub(crate) object: FieldPath,
    /// The function that releases an unlinked part with all parts below it.
    pub(crate) release: Path,
    /// The field of the owner that points to the part without a parent.
    pub(crate) root: Option<FieldPath>,
}

/// `children = field` or `children(field, when(tag, values))`
pub(crate) struct ChildList {
    pub(crate) first: FieldPath,
    /// The tag of the part, and its values for which there is such a list.
    pub(crate) when: Option<(FieldPath, Pat)>,
}

/// `lock(of = …, enter = …, leave = …)`
pub(crate) struct LockArg {
    /// The place of the lock of a handle.
    pub(crate) of: LockPlace,
    pub(crate) enter: Path,
    pub(crate) leave: Path,
}

/// A thread-local variable of the library with its value during calls: `ffi::address_of_it =
/// value`.
pub(crate) struct ThreadLocal {
    pub(crate) place: Path,
    pub(crate) value: Expr,
}
