//! Results of several values: iterators over parts, and pairs.

use crate::handle::{Borrowed, Part};

/// An iterator over parts, each found from the one before, such as a node's siblings.
///
/// In Python a method that returns a `Successors` returns an iterator. That iterator keeps the owner alive and raises
/// `ClosedError` once the owner is closed.
#[derive(Debug)]
pub struct Successors<'o, T: Part> {
    pub(crate) current: Option<Borrowed<'o, T>>,
    pub(crate) next: Next<T>,
}

/// The function that finds the next part.
pub type Next<T> = for<'x> fn(&'x T) -> Option<Borrowed<'x, T>>;

impl<'o, T: Part> Successors<'o, T> {
    /// Returns the parts from `first` on, each found by `next`.
    pub fn new(first: Option<Borrowed<'o, T>>, next: Next<T>) -> Self {
        Successors {
            current: first,
            next,
        }
    }
}

impl<'o, T: Part> Iterator for Successors<'o, T> {
    type Item = Borrowed<'o, T>;

    fn next(&mut self) -> Option<Self::Item> {
        let current = self.current?;
        self.current = (self.next)(current.get());
        Some(current)
    }
}

/// Pairs that Python gets as a dict, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dict<K, V>(pub Vec<(K, V)>);
