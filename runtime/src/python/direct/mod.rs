//! Direct entries: the C functions by which CPython calls generated methods, in place of PyO3's.
//!
//! PyO3's wrapper of a method does its work for every call: it counts the attachment of the thread, collects keywords,
//! and converts arguments through `FromPyObject`. A direct entry does none of that. It makes the common call only: all
//! arguments by position and of the exact Python type, on a handle that nothing bars. Any other call goes to PyO3's
//! function, before anything has happened. So signatures, keywords, defaults and error messages are PyO3's, and the
//! classes, their stubs and their docs do not change.
//!
//! An entry borrows the handle as [`call`](super::call) does. It is installed in the method table of the class when the
//! module is initialized. The methods whose arguments and results are plain values have one, static methods too; a view
//! that the garbage collector does not track is a plain result: see [`PlainArgument`] and [`PlainResult`].
//! Free-threaded Python always calls PyO3's function, as does a thread with an armed failpoint.

mod entries;
mod method;
mod select;
mod values;

pub use self::entries::{DirectEntries, DirectEntry, ExportHandle};
pub use self::method::{
    Argument, Arguments, DirectBorrow, DirectMethod, Nothing, Receiver, Replaced, Reply,
};
pub use self::select::{
    ArgumentConversion, IsOther, Probe, ReadOther, ReadPlain, ReplyOther, ReplyPlain,
    ResultConversion,
};
pub use self::values::{PlainArgument, PlainResult};

/// The direct entry of a method: its kind, the handle, the borrow, the name in Python, and the call. The result of the
/// call is of the type that stands behind the arrow, or the Python object that such a result becomes.
#[doc(hidden)]
#[macro_export]
macro_rules! __direct {
    ($kind:ident, $handle:ty, $borrow:ident, $name:expr, |$this:ident, $py:ident $(, $argument:ident: $type:ty)*| -> $result:ty $call:block) => {{
        struct Method;

        // SAFETY: annotation `methods`: the expansion exports the method of this handle by this name.
        unsafe impl $crate::__private::python::direct::DirectMethod for Method {
            type Handle = $handle;
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
                    let argument = unsafe { arguments.next() };
                    let $argument = (&&$crate::__private::python::direct::ArgumentConversion::<$type>::new()).read_argument(argument)?;
                )*
                let $py = receiver.py();
                let mut entered = receiver.$borrow::<$handle>()?;
                let $this = entered.get();
                let result = $call;
                (&&$crate::__private::python::direct::ResultConversion::of(result)).reply(&receiver)
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
