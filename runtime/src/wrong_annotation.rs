//! Checks of annotations during each call, in debug builds and with the feature `fault-injection`. A call whose
//! annotation cannot be true fails with an error that names it.

use crate::error::Error;
use crate::failpoint::CallSite;
#[cfg(feature = "python")]
use crate::lent_memory;
use crate::single_owner::{self, NOTES};

/// What a call did that its annotation, or that of another call, excludes. The result is then released.
#[derive(Debug)]
pub(crate) enum WrongAnnotation {
    /// The result has a handle of this type that another owner has.
    OwnedTwice(&'static str),
    /// C changed memory that this method lends.
    #[cfg_attr(
        not(feature = "python"),
        expect(dead_code, reason = "only Python views are watched")
    )]
    LentChanged(&'static str),
    /// C called back, or reported something, in a call that is `pure`.
    NotPure,
}

impl WrongAnnotation {
    /// Returns the error of the call at `site`.
    #[cold]
    pub(crate) fn error(self, site: &'static CallSite) -> Error {
        match self {
            WrongAnnotation::OwnedTwice(name) => {
                Error::OwnedTwice(name, site.method, site.function)
            }
            WrongAnnotation::LentChanged(lender) => {
                Error::LentChanged(lender, site.method, site.function)
            }
            WrongAnnotation::NotPure => Error::NotPure(site.method, site.function),
        }
    }
}

/// Begins the check of a call, before C's results get their owners.
#[inline(always)]
pub(crate) fn begin() {
    if NOTES {
        single_owner::begin();
    }
}

/// Ends the check of a call. Returns what the call did that is excluded.
#[inline(always)]
pub(crate) fn end() -> Option<WrongAnnotation> {
    if !NOTES {
        return None;
    }
    if let Some(name) = single_owner::refused() {
        return Some(WrongAnnotation::OwnedTwice(name));
    }
    #[cfg(feature = "python")]
    if let Some(lender) = lent_memory::changed() {
        return Some(WrongAnnotation::LentChanged(lender));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::WrongAnnotation;
    use crate::error::Error;
    use crate::failpoint::CallSite;
    use crate::single_owner::{NOTES, own};

    static SITE: CallSite = CallSite::new("Thing.make", "thing_new");

    fn check<R>(own: impl FnOnce() -> R) -> Result<R, WrongAnnotation> {
        super::begin();
        let owned = own();
        super::end().map_or(Ok(owned), Err)
    }

    /// One test: memory is compared after each call of the process.
    #[test]
    fn call_that_contradicts_an_annotation_is_the_only_one_that_fails() {
        let make = || own("Thing", (3, 32)).then_some(());
        assert!(matches!(check(make), Ok(Some(()))));
        if NOTES {
            let twice = check(make).unwrap_err();
            assert!(matches!(
                twice.error(&SITE),
                Error::OwnedTwice("Thing", "Thing.make", "thing_new")
            ));
        }
        assert!(matches!(check(|| Some(())), Ok(Some(()))));

        #[cfg(feature = "python")]
        {
            use std::cell::Cell;

            use crate::lent_memory::Watch;

            let memory = [Cell::new(1_u8), Cell::new(2)];
            let start: *const u8 = memory.as_ptr().cast();
            // SAFETY: Rust: the memory outlives the watch, and nothing writes to it while a check reads it.
            let watch = unsafe { Watch::new(std::slice::from_raw_parts(start, 2), "Thing.memory") };
            let write = |byte| check(|| Some(memory[1].replace(byte)));
            assert!(write(2).is_ok());
            if NOTES {
                assert!(matches!(
                    write(3).unwrap_err().error(&SITE),
                    Error::LentChanged("Thing.memory", "Thing.make", "thing_new")
                ));
            }
            assert!(write(3).is_ok());
            drop(watch);
            assert!(write(4).is_ok());
        }
    }
}
