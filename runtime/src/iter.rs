//! Results of several values: iterators over parts, and pairs.

use crate::handle::{Borrowed, Part};

/// An iterator over parts, each found from the one before, such as a node's siblings.
///
/// In Python a method that returns a `Successors` returns an iterator. That iterator keeps the owner alive and raises
/// `ClosedError` once the owner is closed.
///
/// Parts of a tree may move meanwhile. Python's iterator notes the part that it gave last, and the one behind that. If
/// the noted next part still has the parent that it had, it comes. Otherwise the iterator looks anew behind the last
/// part, if that one has its parent still, and ends if not. So a loop may take out the part that it has, and those that
/// follow, and it reaches what is put behind the last part of all.
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
