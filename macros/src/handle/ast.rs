//! The arguments of `#[handle(…)]` as they are written.

use proc_macro2::Ident;
use syn::{Expr, Path, Type};

use crate::attr::CommonArgs;
use crate::field_path::FieldPath;
use crate::status::StatusTest;

/// The arguments as they are written; a name without a value has a value that could not be parsed.
#[derive(Default)]
pub(crate) struct HandleArgs {
    /// Set if every argument has a known name. If not, a missing argument may be the misspelled one.
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
    pub(crate) callback_only: Option<Ident>,
    pub(crate) attachments: Option<Ident>,
    pub(crate) thread_bound: Option<Ident>,
    pub(crate) fork_safe: Option<Ident>,
    pub(crate) process_bound: Option<Ident>,
    pub(crate) sharing: Sharing,
    pub(crate) warn_unclosed: Option<Ident>,
    pub(crate) errors: Option<ErrorsArg>,
    pub(crate) lock: Option<LockArg>,
    pub(crate) thread_locals: Vec<ThreadLocal>,
}

/// How the handle shares state with its parent.
#[derive(Default)]
pub(crate) struct Sharing {
    /// `parent = &mut P`.
    pub(crate) holds_parent: bool,
    /// The words of these names.
    pub(crate) mut_parent: Option<Ident>,
    pub(crate) reads_parent: Option<Ident>,
    pub(crate) lends: Option<Ident>,
    /// The type that names the group of reference-counted handles which are borrowed as one.
    pub(crate) borrowed_with: Option<Type>,
}

/// `release = function` or `release(function, fails = …, on_failure = …)`.
pub(crate) struct Release {
    pub(crate) function: Path,
    pub(crate) fails: Option<StatusTest>,
    /// Whether the handle is still there when that failed.
    pub(crate) kept: bool,
    /// Whether C gets the parent, too.
    pub(crate) by_parent: Option<ReleaseCArgs>,
    /// Whether the GIL is released meanwhile.
    pub(crate) detach: bool,
}

impl Release {
    /// The function's own name.
    pub(crate) fn name(&self) -> String {
        let last = self.function.segments.last();
        last.map(|segment| segment.ident.to_string())
            .unwrap_or_default()
    }
}

/// The `args = (…)` of a release: `self` and `parent`, in C's order.
pub(crate) struct ReleaseCArgs(pub(crate) Vec<Ident>);

/// `errors = Type` or `errors(Type, asks_handle, callback = place, thread_callback = function, thread_messages = function)`.
pub(crate) struct ErrorsArg {
    pub(crate) collector: Type,
    /// Set where it asks the handle what went wrong.
    pub(crate) asks_handle: bool,
    pub(crate) callback: Option<FieldPath>,
    /// The function that returns the address of the thread's variable.
    pub(crate) thread_callback: Option<Path>,
    /// The same, of the variable for a function that prints.
    pub(crate) thread_messages: Option<Path>,
}

/// `lock(of = …, enter = …, leave = …)`
pub(crate) struct LockArg {
    /// Where the lock of a handle is: a C function, or a closure.
    pub(crate) of: Expr,
    pub(crate) enter: Path,
    pub(crate) leave: Path,
}

/// One variable of the calling thread, and its value during calls: `ffi::function = value`.
pub(crate) struct ThreadLocal {
    pub(crate) place: Path,
    pub(crate) value: Expr,
}
