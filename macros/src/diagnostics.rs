//! Collection of all mistakes in an item, so that one compilation shows them all.

use std::cell::RefCell;
use std::fmt::Display;
use std::thread;

use proc_macro2::TokenStream;
use quote::ToTokens;

/// The mistakes found so far. Dropping it without reporting them is a bug in the macro, and panics.
pub(crate) struct Diagnostics(RefCell<Option<Vec<syn::Error>>>);

impl Diagnostics {
    pub(crate) fn new() -> Self {
        Diagnostics(RefCell::new(Some(Vec::new())))
    }

    /// Reports a mistake at `place`. A message states the rule, then the fix.
    pub(crate) fn at(&self, place: impl ToTokens, message: impl Display) {
        self.add(syn::Error::new_spanned(place, message));
    }

    pub(crate) fn add(&self, error: syn::Error) {
        if let Some(errors) = self.0.borrow_mut().as_mut() {
            errors.push(error);
        }
    }

    /// Returns the value of `result`. Reports its error.
    pub(crate) fn ok<T>(&self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().as_ref().is_none_or(Vec::is_empty)
    }

    /// Returns the mistakes as `compile_error!` calls.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0
            .take()
            .unwrap_or_default()
            .iter()
            .map(syn::Error::to_compile_error)
            .collect()
    }
}

impl Drop for Diagnostics {
    fn drop(&mut self) {
        assert!(
            self.0.get_mut().is_none() || thread::panicking(),
            "mistakes were collected and not reported"
        );
    }
}
