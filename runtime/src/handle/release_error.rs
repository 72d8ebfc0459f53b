//! The failure of a release function.

use crate::error::Error;
use crate::interpreter::report;
use crate::panics::{Caught, Payload, discard};

/// The failure of a release function, by its status: `release(f, fails = …)`.
#[derive(Debug)]
pub struct ReleaseError {
    /// The error.
    pub error: Error,
    /// Set if the resource is still there.
    pub kept: bool,
    /// Set if the handle is neither used nor released again. Either it is unknown whether the resource is still there,
    /// because the check of the status panicked, or other handles still live in it.
    pub lost: bool,
}

impl ReleaseError {
    /// Returns the failure of a release after which the resource is gone.
    pub(crate) fn gone(error: Error) -> Self {
        ReleaseError {
            error,
            kept: false,
            lost: false,
        }
    }

    /// Returns the failure of a release with an unknown status: the panic in `caught` came before the status was
    /// checked.
    pub(crate) fn lost(caught: &Caught) -> Self {
        ReleaseError {
            error: caught
                .take()
                .map_or(Error::Failed("a release"), Error::panic),
            kept: false,
            lost: true,
        }
    }

    /// Adds a later panic. The panic takes the place of an error, which is reported. After an earlier panic the later
    /// one is discarded.
    pub(crate) fn panicked(mut self, panic: Payload) -> Self {
        if self.error.is_panic() {
            discard(panic);
        } else {
            report(std::mem::replace(&mut self.error, Error::panic(panic)));
        }
        self
    }
}
