//! Call sites, and the failpoints in them.
//!
//! Every step of a generated call that can fail asks its [`Site`] whether it should. With the feature
//! `fault-injection` a test can say "the third step that this thread takes from now on fails", and can list the sites
//! that exist and those that were reached. Without the feature the answer is a constant, and nothing is left of it.

/// A place where generated code can fail: a method and, if it is generated from C, the C function behind it.
#[derive(Debug)]
pub struct Site {
    /// The method, as `Type.method`.
    pub method: &'static str,
    /// The C function; empty where Python enters the method.
    pub function: &'static str,
    /// Whether C calls back what it is passed.
    pub calls_back: bool,
    #[cfg(feature = "fault-injection")]
    reached: std::sync::atomic::AtomicBool,
}

/// What can fail at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// An argument can't be converted.
    Argument,
    /// A handle can't be entered.
    Enter,
    /// C is not called, and reported as failed.
    NotCalled,
    /// C is called, and then reported as failed.
    Failed,
    /// The result can't be converted.
    Result,
    /// There is no memory for a Python object.
    Object,
    /// The body panics.
    Panic,
    /// C refuses to release, or reports that it went wrong.
    Release,
}

impl Site {
    /// The site of `method`.
    pub const fn new(method: &'static str, function: &'static str) -> Self {
        Site {
            method,
            function,
            calls_back: false,
            #[cfg(feature = "fault-injection")]
            reached: std::sync::atomic::AtomicBool::new(false),
        }
    }

    /// The same, and C calls back what it is passed.
    pub const fn calling_back(mut self) -> Self {
        self.calls_back = true;
        self
    }

    /// Note that the site was reached, where nothing can fail.
    #[inline(always)]
    pub fn reach(&'static self) {
        #[cfg(feature = "fault-injection")]
        self.reached
            .store(true, std::sync::atomic::Ordering::Relaxed);
    }

    /// Whether this step should fail now.
    #[cfg(not(feature = "fault-injection"))]
    #[inline(always)]
    pub fn fails(&'static self, _step: Step) -> bool {
        false
    }
}

#[cfg(feature = "fault-injection")]
pub use injection::{Listed, arm, disarm, sites};

#[cfg(feature = "fault-injection")]
mod injection {
    use std::cell::Cell;
    use std::sync::atomic::Ordering;

    use super::{Site, Step};

    /// A site that is listed in [`sites`].
    #[derive(Debug)]
    pub struct Listed(pub &'static Site);

    inventory::collect!(Listed);

    thread_local! {
        /// How many steps are left until the one that fails; 0 for none.
        static LEFT: Cell<u64> = const { Cell::new(0) };
        static FIRED: Cell<Option<(&'static Site, Step)>> = const { Cell::new(None) };
    }

    impl Site {
        /// Whether this step should fail now.
        pub fn fails(&'static self, step: Step) -> bool {
            self.reached.store(true, Ordering::Relaxed);
            let left = LEFT.get();
            LEFT.set(left.saturating_sub(1));
            let fires = left == 1;
            if fires {
                FIRED.set(Some((self, step)));
            }
            fires
        }

        /// Whether any of its steps was taken since the start.
        pub fn reached(&self) -> bool {
            self.reached.load(Ordering::Relaxed)
        }
    }

    /// Make the `n`-th step that this thread takes from now on fail, once.
    pub fn arm(n: u64) {
        FIRED.set(None);
        LEFT.set(n);
    }

    /// Stop counting; what failed, if anything did.
    pub fn disarm() -> Option<(&'static Site, Step)> {
        LEFT.set(0);
        FIRED.take()
    }

    /// Every site that is linked in.
    pub fn sites() -> impl Iterator<Item = &'static Site> {
        inventory::iter::<Listed>
            .into_iter()
            .map(|Listed(site)| *site)
    }
}

impl Step {
    /// The step's name.
    pub fn name(self) -> &'static str {
        match self {
            Step::Argument => "argument",
            Step::Enter => "enter",
            Step::NotCalled => "not called",
            Step::Failed => "failed",
            Step::Result => "result",
            Step::Object => "object",
            Step::Panic => "panic",
            Step::Release => "release",
        }
    }
}

/// Makes a static [`Site`] and, with the feature, lists it.
#[cfg(feature = "fault-injection")]
#[doc(hidden)]
#[macro_export]
macro_rules! __site {
    ($name:ident, $method:expr, $function:expr $(, $more:ident)?) => {
        static $name: $crate::site::Site = $crate::site::Site::new($method, $function)$(.$more())?;
        $crate::__private::inventory::submit! { $crate::site::Listed(&$name) }
    };
}

/// Makes a static [`Site`] and, with the feature, lists it.
#[cfg(not(feature = "fault-injection"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __site {
    ($name:ident, $method:expr, $function:expr $(, $more:ident)?) => {
        static $name: $crate::site::Site = $crate::site::Site::new($method, $function)$(.$more())?;
    };
}
