//! Call sites, and the failpoints in them.
//!
//! Every step of a generated call that can fail asks its [`CallSite`] whether it should fail. With the feature
//! `fault-injection` a test can make the n-th step of its thread fail, and can list the sites that exist and those that
//! were reached. Without the feature the answer is a constant, so the checks cost nothing.

/// A place where generated code can fail: a method and, if it is generated from C, the C function behind it.
#[derive(Debug)]
pub struct CallSite {
    /// The method, as `Type.method`.
    pub method: &'static str,
    /// The C function; empty where Python enters the method.
    pub function: &'static str,
    /// True if C calls a callback that it is passed.
    pub calls_back: bool,
    /// True if C is called without the GIL: `detach`.
    pub is_detached: bool,
    /// The access of C to the handles: `pure`.
    pub access: Access,
    #[cfg(feature = "fault-injection")]
    reached: std::sync::atomic::AtomicBool,
}

/// The access of a C function to the handles that it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The access that the method's signature allows. The function may call back and report.
    Any,
    /// Reads of the receiver, and nothing else: `pure`.
    ReadsReceiver,
    /// Reads of several handles, and nothing else: `pure`.
    ReadsSeveral,
}

/// A step that can fail at a call site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailPoint {
    /// An argument can't be converted.
    Argument,
    /// A handle can't be entered.
    Enter,
    /// The call of C is left out, and reported as failed.
    NotCalled,
    /// The call of C is made, and then reported as failed.
    Failed,
    /// The result can't be converted.
    Result,
    /// The allocation of a Python object, or of memory for C, fails.
    Object,
    /// The body panics.
    Panic,
    /// The release is refused by C, or reported as failed.
    Release,
}

impl CallSite {
    /// The site of `method`.
    pub const fn new(method: &'static str, function: &'static str) -> Self {
        CallSite {
            method,
            function,
            calls_back: false,
            is_detached: false,
            access: Access::Any,
            #[cfg(feature = "fault-injection")]
            reached: std::sync::atomic::AtomicBool::new(false),
        }
    }

    /// Marks the site as one whose C function calls a callback that it is passed.
    pub const fn calling_back(mut self) -> Self {
        self.calls_back = true;
        self
    }

    /// Marks the site as one whose C function runs without the GIL.
    pub const fn detached(mut self) -> Self {
        self.is_detached = true;
        self
    }

    /// Marks the site as one whose C function only reads the receiver.
    pub const fn pure(mut self) -> Self {
        self.access = Access::ReadsReceiver;
        self
    }

    /// Marks the site as one whose C function only reads the receiver and other handles.
    pub const fn pure_with_others(mut self) -> Self {
        self.access = Access::ReadsSeveral;
        self
    }

    /// Records that the site was reached, where nothing can fail.
    #[inline(always)]
    pub fn reach(&'static self) {
        #[cfg(feature = "fault-injection")]
        self.reached
            .store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// Returns false: without the feature `fault-injection` no step is made to fail.
    #[cfg(not(feature = "fault-injection"))]
    #[inline(always)]
    pub fn should_fail(&'static self, _step: FailPoint) -> bool {
        false
    }
}

#[cfg(feature = "fault-injection")]
pub use injection::{Listed, arm, disarm, is_armed, sites};

#[cfg(feature = "fault-injection")]
mod injection {
    use std::cell::Cell;
    use std::sync::atomic::Ordering;

    use super::{CallSite, FailPoint};

    /// A site that is listed in [`sites`].
    #[derive(Debug)]
    pub struct Listed(pub &'static CallSite);

    inventory::collect!(Listed);

    thread_local! {
        /// The number of steps up to and including the one that fails; 0 if none is to fail.
        static LEFT: Cell<u64> = const { Cell::new(0) };
        static FIRED: Cell<Option<(&'static CallSite, FailPoint)>> = const { Cell::new(None) };
    }

    impl CallSite {
        /// Counts this step, and returns whether it should fail.
        pub fn should_fail(&'static self, step: FailPoint) -> bool {
            self.reached.store(true, Ordering::Relaxed);
            let left = LEFT.get();
            LEFT.set(left.saturating_sub(1));
            let fires = left == 1;
            if fires {
                FIRED.set(Some((self, step)));
            }
            fires
        }

        /// Returns whether any step of the site was taken since the start of the process.
        pub fn reached(&self) -> bool {
            self.reached.load(Ordering::Relaxed)
        }
    }

    /// Makes the `n`-th step that this thread takes from now on fail, once.
    pub fn arm(n: u64) {
        FIRED.set(None);
        LEFT.set(n);
    }

    /// Returns whether a step that this thread takes from now on is to fail.
    pub fn is_armed() -> bool {
        LEFT.get() != 0
    }

    /// Stops counting. Returns the step that failed, if one did.
    pub fn disarm() -> Option<(&'static CallSite, FailPoint)> {
        LEFT.set(0);
        FIRED.take()
    }

    /// Returns every site that is linked in.
    pub fn sites() -> impl Iterator<Item = &'static CallSite> {
        inventory::iter::<Listed>
            .into_iter()
            .map(|Listed(site)| *site)
    }
}

impl FailPoint {
    /// The step's name.
    pub fn name(self) -> &'static str {
        match self {
            FailPoint::Argument => "argument",
            FailPoint::Enter => "enter",
            FailPoint::NotCalled => "not called",
            FailPoint::Failed => "failed",
            FailPoint::Result => "result",
            FailPoint::Object => "object",
            FailPoint::Panic => "panic",
            FailPoint::Release => "release",
        }
    }
}

/// Makes a static [`CallSite`] and, with the feature, lists it.
#[cfg(feature = "fault-injection")]
#[doc(hidden)]
#[macro_export]
macro_rules! __site {
    ($name:ident, $method:expr, $function:expr $(, $more:ident)*) => {
        static $name: $crate::__private::failpoint::CallSite = $crate::__private::failpoint::CallSite::new($method, $function)$(.$more())*;
        $crate::__private::inventory::submit! { $crate::__private::failpoint::Listed(&$name) }
    };
}

/// Makes a static [`CallSite`] and, with the feature, lists it.
#[cfg(not(feature = "fault-injection"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __site {
    ($name:ident, $method:expr, $function:expr $(, $more:ident)*) => {
        static $name: $crate::__private::failpoint::CallSite = $crate::__private::failpoint::CallSite::new($method, $function)$(.$more())*;
    };
}

/// Makes a static [`CallSite`] that only the variable of this name reaches.
#[doc(hidden)]
#[macro_export]
macro_rules! __here {
    ($name:ident, $($site:tt)*) => {
        let $name = {
            $crate::__site!(SITE, $($site)*);
            &SITE
        };
    };
}
