//! Results that are more than one value: walks from part to part, and pairs.

use crate::handle::{Borrowed, Part};

/// The parts that one finds by going from each to the next, such as a node's siblings.
///
/// In Rust it is an iterator. In Python a method that returns it gives an iterator, which keeps the owner alive and
/// raises `ClosedError` once that is closed.
#[derive(Debug)]
pub struct Successors<'o, T: Part> {
    pub(crate) current: Option<Borrowed<'o, T>>,
    pub(crate) next: Next<T>,
}

/// How one goes to the next part.
pub type Next<T> = for<'x> fn(&'x T) -> Option<Borrowed<'x, T>>;

impl<'o, T: Part> Successors<'o, T> {
    /// Start at `first` and go on by `next`.
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
