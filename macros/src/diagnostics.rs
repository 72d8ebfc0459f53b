//! Collection of all mistakes in an item, so that one compilation shows them all.

use std::cell::RefCell;
use std::fmt::Display;
use std::thread;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

/// The mistakes found so far. Dropping it without reporting them is a bug in the macro, and panics.
pub(crate) struct Diagnostics {
    mistakes: RefCell<Option<Vec<Mistake>>>,
    /// The `cfg` attributes of the method that is looked at.
    cfgs: RefCell<TokenStream>,
}

/// A mistake, with the `cfg` attributes of the method that it is in.
struct Mistake {
    error: syn::Error,
    cfgs: TokenStream,
}

impl Diagnostics {
    pub(crate) fn new() -> Self {
        Diagnostics {
            mistakes: RefCell::new(Some(Vec::new())),
            cfgs: RefCell::new(TokenStream::new()),
        }
    }

    /// Looks at a method with these `cfg` attributes, which decide whether its mistakes are reported. Returns also
    /// whether there are any.
    pub(crate) fn within<R>(&self, cfgs: TokenStream, look: impl FnOnce() -> R) -> (R, bool) {
        let count = || self.mistakes.borrow().as_ref().map_or(0, Vec::len);
        let before = count();
        let outer = self.cfgs.replace(cfgs);
        let seen = look();
        self.cfgs.replace(outer);
        (seen, count() != before)
    }

    /// Returns whether all mistakes are in methods that `cfg` may remove.
    pub(crate) fn are_conditional(&self) -> bool {
        let mistakes = self.mistakes.borrow();
        let mut mistakes = mistakes.iter().flatten();
        mistakes.all(|mistake| !mistake.cfgs.is_empty())
    }

    /// Reports a mistake at `place`. A message states the rule, then the fix.
    pub(crate) fn at(&self, place: impl ToTokens, message: impl Display) {
        self.add(syn::Error::new_spanned(place, message));
    }

    pub(crate) fn add(&self, error: syn::Error) {
        let cfgs = self.cfgs.borrow().clone();
        if let Some(mistakes) = self.mistakes.borrow_mut().as_mut() {
            mistakes.push(Mistake { error, cfgs });
        }
    }

    /// Returns the value of `result`. Reports its error.
    pub(crate) fn ok<T>(&self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        let mistakes = self.mistakes.borrow();
        mistakes.as_ref().is_none_or(Vec::is_empty)
    }

    /// Returns the mistakes as `compile_error!` calls.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let mistakes = self.mistakes.take().unwrap_or_default();
        let errors = mistakes.into_iter().flat_map(|Mistake { error, cfgs }| {
            let errors = error.into_iter().map(|error| error.to_compile_error());
            errors.map(move |error| quote!(#cfgs #error))
        });
        errors.collect()
    }
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        assert!(
            self.mistakes.get_mut().is_none() || thread::panicking(),
            "mistakes were collected and not reported"
        );
    }
}
