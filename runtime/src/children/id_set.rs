//! Sets of handles that mostly are empty.

use std::collections::BTreeSet;
use std::iter::Flatten;
use std::option;

use crate::handle::kind::Id;

/// A set of handles. While it is empty, it takes one pointer, and its drop one look at that.
#[derive(Debug, Default, Clone)]
#[expect(
    clippy::box_collection,
    reason = "an empty `BTreeSet` takes three words, and its drop dozens of instructions"
)]
pub(super) struct IdSet(Option<Box<BTreeSet<Id>>>);

impl IdSet {
    pub(super) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|ids| ids.is_empty())
    }

    pub(super) fn iter(&self) -> Flatten<option::IntoIter<&BTreeSet<Id>>> {
        self.0.as_deref().into_iter().flatten()
    }

    pub(super) fn insert(&mut self, id: Id) {
        self.0.get_or_insert_default().insert(id);
    }

    pub(super) fn remove(&mut self, id: &Id) {
        if let Some(ids) = &mut self.0 {
            ids.remove(id);
        }
    }

    /// Moves all handles of `other` to this set.
    pub(super) fn append(&mut self, other: &mut IdSet) {
        match (&mut self.0, &mut other.0) {
            (_, None) => {}
            (Some(ids), Some(others)) => ids.append(others),
            (ids @ None, others) => *ids = others.take(),
        }
    }
}

impl Extend<Id> for IdSet {
    fn extend<I: IntoIterator<Item = Id>>(&mut self, ids: I) {
        ids.into_iter().for_each(|id| self.insert(id));
    }
}

impl<'a> IntoIterator for &'a IdSet {
    type Item = &'a Id;
    type IntoIter = Flatten<option::IntoIter<&'a BTreeSet<Id>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for IdSet {
    type Item = Id;
    type IntoIter = Flatten<option::IntoIter<BTreeSet<Id>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.map(|ids| *ids).into_iter().flatten()
    }
}
