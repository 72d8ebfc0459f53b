//! Direct entries: the C functions by which CPython calls generated methods, in place of PyO3's.
//!
//! PyO3's wrapper of a method does its work for every call: it counts the attachment of the thread, collects keywords,
//! and converts arguments through `FromPyObject`. A direct entry does none of that. It makes the common call only: all
//! arguments by position and of the exact Python type, on a handle that nothing bars. Any other call goes to PyO3's
//! function, before anything has happened. So signatures, keywords, defaults and error messages are PyO3's, and the
//! classes, their stubs and their docs do not change.
//!
//! A method with a body, and one with handles among its arguments, has an entry that only reads the arguments in this
//! way, and then calls the generated wrapper, which PyO3's function would have called. Arguments with the default
//! `None` may be left out, and all that are passed by keyword only. So have functions of a module, and constructors,
//! where the class has no `__init__` of its own. Of the special methods only those of sequences and text have entries,
//! where they call C or read a field (`slots`): for all others PyO3's function is the faster one.
//!
//! A method whose signature ends with a `/` takes its arguments by position only, and CPython calls it faster: without
//! keywords, and with one argument as it calls most functions of C with one (`METH_O`). CPython reads the convention
//! from the method's object, so the class gets another one with the same name and docs. CPython itself refuses keywords
//! then, and any other number of arguments than one, so these messages are CPython's.
//!
//! Any other entry borrows the handle as [`call`](super::call) does. It is installed in the method table of the class
//! when the module is initialized. The methods whose arguments and results are plain values have one, static methods
//! too, and so have those that return views: see [`PlainArgument`] and [`PlainResult`].
//! Free-threaded Python always calls PyO3's function, as does a thread with an armed failpoint.

mod calling;
mod entries;
mod method;
mod select;
mod slots;
mod values;

pub(super) use self::entries::install_functions;
pub use self::entries::{DirectEntries, DirectEntry, DirectFunction, ExportHandle};
pub use self::method::{
    Argument, Arguments, DirectBorrow, DirectMethod, Nothing, Receiver, Replaced, Reply,
};
pub use self::select::{
    ArgumentConversion, IsOther, Probe, ReadOther, ReadPlain, ReplyOther, ReplyPlain,
    ResultConversion,
};
pub(super) use self::slots::{Slot, unary};
pub use self::values::{PlainArgument, PlainResult, WrappedResult};

/// The direct entry of a method: its kind, the handle, the borrow, the name in Python, and the call. The result of the
/// call is of the type that stands behind the arrow, or the Python object that such a result becomes.
#[doc(hidden)]
#[macro_export]
macro_rules! __direct {
    ($kind:ident, $handle:ty, $borrow:ident, $name:expr, |$this:ident, $py:ident $(, $argument:ident: $type:ty)*| -> $result:ty $call:block) => {{
        struct Method;

        // SAFETY: annotation `methods`: the expansion exports the method of this handle by this name.
        unsafe impl $crate::__private::python::direct::DirectMethod for Method {
            const NAME: &'static ::core::ffi::CStr = $name;
            const ARGUMENTS: usize = 0 $(+ { _ = ::core::stringify!($argument); 1 })*;

            fn replaced() -> &'static $crate::__private::python::direct::Replaced {
                static REPLACED: $crate::__private::python::direct::Replaced =
                    $crate::__private::python::direct::Replaced::new();
                &REPLACED
            }

            #[inline(always)]
            #[allow(unused_imports, unused_mut, unused_variables, reason = "not each is needed for each method")]
            fn call(
                receiver: $crate::__private::python::direct::Receiver<'_>,
                mut arguments: $crate::__private::python::direct::Arguments<'_>,
            ) -> ::core::option::Option<$crate::__private::python::direct::Reply> {
                use $crate::__private::python::direct::{ReplyOther as _, ReplyPlain as _, ReadOther as _, ReadPlain as _};
                $(
                    // SAFETY: CPython: it passes `ARGUMENTS` arguments.
                    let argument = unsafe { (&mut arguments).next() };
                    let $argument = (&&$crate::__private::python::direct::ArgumentConversion::<$type>::new()).read_argument(argument)?;
                )*
                let $py = (&receiver).py();
                let mut entered = (&receiver).$borrow::<$handle>()?;
                let $this = (&mut entered).get();
                let result = $call;
                ::core::option::Option::Some((&&$crate::__private::python::direct::ResultConversion::of(&result)).reply(result, &receiver))
            }
        }

        const fn is_plain() -> bool {
            #[allow(unused_imports, reason = "not needed where all are plain")]
            use $crate::__private::python::direct::IsOther as _;
            $crate::__private::python::direct::Probe::<$result>::IS_MADE
                $(&& $crate::__private::python::direct::Probe::<$type>::IS_READ)*
        }

        $crate::__private::python::direct::DirectEntry::$kind::<Method>(is_plain())
    }};
}

/// The direct entry of a method whose generated wrapper is called: its kind, the class, the name in Python, the
/// arguments with how each is passed, and the call.
#[doc(hidden)]
#[macro_export]
macro_rules! __wrapped {
    ($kind:ident, $class:ty, $name:expr, |$this:ident, $py:ident $(, $argument:ident: $how:ident $type:ty)*| $call:expr) => {{
        struct Method;

        // SAFETY: annotation `methods`: the expansion exports the method of this handle by this name.
        unsafe impl $crate::__private::python::direct::DirectMethod for Method {
            const NAME: &'static ::core::ffi::CStr = $name;
            const ARGUMENTS: usize = 0 $(+ $crate::__wrapped_argument!(count $how))*;
            const REQUIRED: usize = 0 $(+ $crate::__wrapped_argument!(required $how))*;
            const IS_WRAPPED: bool = true;

            fn replaced() -> &'static $crate::__private::python::direct::Replaced {
                static REPLACED: $crate::__private::python::direct::Replaced =
                    $crate::__private::python::direct::Replaced::new();
                &REPLACED
            }

            #[inline]
            #[allow(unused_imports, unused_mut, unused_variables, reason = "not each is needed for each method")]
            fn call(
                receiver: $crate::__private::python::direct::Receiver<'_>,
                mut arguments: $crate::__private::python::direct::Arguments<'_>,
            ) -> ::core::option::Option<$crate::__private::python::direct::Reply> {
                use $crate::__private::python::direct::{ReadOther as _, ReadPlain as _, WrappedResult as _};
                let $py = (&receiver).py();
                // SAFETY: annotation `methods`: CPython calls a method of this class.
                let $this = unsafe { (&receiver).object::<$class>() };
                $(let $argument = $crate::__wrapped_argument!(read arguments $how $type);)*
                // From here on PyO3's function would do everything once more.
                $(let $argument = $crate::__wrapped_argument!(extract $argument $py $how $type);)*
                ::core::option::Option::Some(($call).into_reply())
            }
        }

        const fn is_plain() -> bool {
            #[allow(unused_imports, reason = "not needed where all are plain")]
            use $crate::__private::python::direct::IsOther as _;
            true $(&& $crate::__wrapped_argument!(is_read $how $type))*
        }

        $crate::__private::python::direct::DirectEntry::$kind::<Method>(is_plain())
    }};
}

/// One argument of [`__wrapped!`]: a `value`, a `reference` that a holder keeps, either as an `Option`, or with the
/// default `None`.
#[doc(hidden)]
#[macro_export]
macro_rules! __wrapped_argument {
    (count $how:ident) => { 1 };
    (required default_value) => { 0 };
    (required default_reference) => { 0 };
    (required $how:ident) => { 1 };
    (is_read value $type:ty) => { $crate::__private::python::direct::Probe::<$type>::IS_READ };
    (is_read optional_value $type:ty) => { $crate::__private::python::direct::Probe::<$type>::IS_READ };
    (is_read $how:ident $type:ty) => { true };
    (read $arguments:ident value $type:ty) => {{
        // SAFETY: CPython: it passes at least `REQUIRED` arguments.
        let argument = unsafe { (&mut $arguments).next() };
        (&&$crate::__private::python::direct::ArgumentConversion::<$type>::new()).read_argument(argument)?
    }};
    (read $arguments:ident optional_value $type:ty) => {
        $crate::__wrapped_argument!(read $arguments default_value $type)
    };
    (read $arguments:ident default_value $type:ty) => {
        match (&mut $arguments).next_given() {
            ::core::option::Option::Some(argument) => ::core::option::Option::Some(
                (&&$crate::__private::python::direct::ArgumentConversion::<$type>::new()).read_argument(argument)?
            ),
            ::core::option::Option::None => ::core::option::Option::None,
        }
    };
    // SAFETY: CPython: it passes at least `REQUIRED` arguments.
    (read $arguments:ident reference $type:ty) => { unsafe { (&mut $arguments).next() } };
    (read $arguments:ident $how:ident $type:ty) => { (&mut $arguments).next_given() };
    (extract $argument:ident $py:ident reference $type:ty) => { $argument.extract::<$type>($py)? };
    (extract $argument:ident $py:ident optional_reference $type:ty) => {
        $crate::__wrapped_argument!(extract $argument $py default_reference $type)
    };
    (extract $argument:ident $py:ident default_reference $type:ty) => {
        match $argument {
            ::core::option::Option::Some(argument) => ::core::option::Option::Some(argument.extract::<$type>($py)?),
            ::core::option::Option::None => ::core::option::Option::None,
        }
    };
    (extract $argument:ident $py:ident $how:ident $type:ty) => { $argument };
}
