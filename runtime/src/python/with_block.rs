//! The special methods of `with` that a class has of its own.

use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::types::PyBool;

use super::call::CallContext;
use super::handle_class::HandleClass;
use super::into_py::{IntoPython, IntoResult, TypedResult};

/// A result of `__exit__`.
#[diagnostic::on_unimplemented(
    message = "`__exit__` cannot return `{Self}`",
    label = "no result of `__exit__`",
    note = "return nothing, or `bool`: `true` says that the exception of the `with` block is handled; or a `Result` of these"
)]
pub trait ExitResult: IntoPython {
    /// Returns what says that no exception is handled.
    #[doc(hidden)]
    fn of_closed(py: Python<'_>) -> Bound<'_, PyAny>;
}

impl ExitResult for () {
    fn of_closed(py: Python<'_>) -> Bound<'_, PyAny> {
        py.None().into_bound(py)
    }
}

impl ExitResult for bool {
    fn of_closed(py: Python<'_>) -> Bound<'_, PyAny> {
        PyBool::new(py, false).to_owned().into_any()
    }
}

/// Returns the result of `__exit__` on a handle that the block has closed. `None` if the handle is open.
#[doc(hidden)]
pub fn exit_of_closed<
    'py,
    R: ExitResult,
    C: PyClass<BaseType = HandleClass, Frozen = pyo3::pyclass::boolean_struct::True>,
>(
    slf: &Bound<'py, C>,
) -> Option<TypedResult<'py, R>> {
    let is_closed = slf.as_super().get().state().is_closed();
    is_closed.then(|| R::of_closed(slf.py()).into())
}

impl<'py> CallContext<'_, 'py> {
    /// Returns the handle that a `with` block enters: the result of an `__enter__` that returns nothing.
    #[doc(hidden)]
    pub fn convert_entered<R: IntoResult<Value = ()>>(
        &self,
        result: R,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.check_result(result)?;
        let receiver = self.receiver().cloned().map(Bound::into_any);
        Ok(receiver.unwrap_or_else(|| unreachable!("`__enter__` has a receiver")))
    }
}
