//! The outcome of a C call.

/// The outcome of a call, by the author's annotations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// C did what it was asked to.
    Succeeded,
    /// C says that there is no result: `none`.
    Nothing,
    /// C failed: `fails`.
    Failed,
    /// The expression that says how the call ended panicked.
    Unknown,
    /// C itself panicked: it is a Rust function.
    Unwound,
}

impl Outcome {
    /// Returns whether C returned, and the annotations say how the call ended.
    #[inline]
    pub fn is_known(self) -> bool {
        !matches!(self, Outcome::Unknown | Outcome::Unwound)
    }

    /// Returns whether C has what it was passed to keep; `None` if that is unknown. `left` says that a failing call
    /// leaves it to the caller.
    #[inline]
    pub fn takes(self, left: bool) -> Option<bool> {
        match self {
            Outcome::Succeeded | Outcome::Nothing => Some(true),
            Outcome::Failed => Some(!left),
            Outcome::Unknown => (!left).then_some(true),
            Outcome::Unwound => None,
        }
    }
}
