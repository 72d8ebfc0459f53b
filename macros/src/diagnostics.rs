//! Collects every mistake of an item, so that one compile shows them all.

use proc_macro2::TokenStream;
use quote::ToTokens;
use std::cell::RefCell;
use std::fmt::Display;
use std::thread;

/// The mistakes found so far. It has to be read: dropping it unread is a bug of the macro.
pub(crate) struct Diagnostics(RefCell<Option<Vec<syn::Error>>>);

impl Diagnostics {
    pub(crate) fn new() -> Self {
        Diagnostics(RefCell::new(Some(Vec::new())))
    }

    /// Report a mistake at `place`. A message states the rule, then the fix.
    pub(crate) fn at(&self, place: impl ToTokens, message: impl Display) {
        self.add(syn::Error::new_spanned(place, message));
    }

    pub(crate) fn add(&self, error: syn::Error) {
        if let Some(errors) = self.0.borrow_mut().as_mut() {
            errors.push(error);
        }
    }

    /// The value, or none and the mistake that kept it from being parsed.
    pub(crate) fn ok<T>(&self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.add(error)).ok()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().as_ref().is_none_or(Vec::is_empty)
    }

    /// All mistakes as tokens that rustc reports.
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
