//! The document order of nodes.

use leakproof::prelude::*;

use crate::node::Node;

/// Returns the node that follows `here` in the tree at `top`, in document order.
pub(crate) fn following<'t>(
    here: Borrowed<'t, Node>,
    top: Borrowed<'t, Node>,
) -> Option<Borrowed<'t, Node>> {
    here.get().first_shown().or_else(|| behind(here, top))
}

/// Returns the node that follows `here` and all below it, in the tree at `top`.
pub(crate) fn behind<'t>(
    here: Borrowed<'t, Node>,
    top: Borrowed<'t, Node>,
) -> Option<Borrowed<'t, Node>> {
    let mut here = here;
    while here != top {
        if let Some(next) = here.get().next_sibling() {
            return Some(next);
        }
        here = here.get().parent()?;
    }
    None
}
