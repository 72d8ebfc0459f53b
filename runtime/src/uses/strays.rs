//! Stray handles: those that C passes to a callback and that are none of ours. Nobody knows what they live in.
//!
//! While a callback has one, its thread releases nothing, and no call changes a handle of a kind in which C may have
//! it: one whose methods give C such handles to keep, return them, or lend them to callbacks, or that they live in.
//! The same is asked of parts that do not know their owner, and of handles that an `exclusive` callback bars.

use std::collections::{BTreeMap, BTreeSet};
use std::ptr;

use once_cell::race::OnceBox;

use crate::handle::kind::{HandleKind, Keeping, LentToCallbacks, Listed, PassesCallback};

/// The kinds of the handles that C may have in handles of a kind, by the addresses of the kinds.
type Held = BTreeMap<usize, BTreeSet<usize>>;

/// Returns whether C may have handles of the kind `held` in those of the kind `keeper`, directly or not: the methods
/// that are linked in say so. The kinds are given by their addresses.
#[cold]
pub(crate) fn may_hold(keeper: usize, held: usize) -> bool {
    let all = held_kinds();
    let (mut seen, mut reached) = (BTreeSet::new(), vec![keeper]);
    while let Some(here) = reached.pop() {
        let inside = all.get(&here);
        if inside.is_some_and(|inside| inside.contains(&held)) {
            return true;
        }
        reached.extend(
            inside
                .into_iter()
                .flatten()
                .filter(|kind| seen.insert(**kind)),
        );
    }
    false
}

/// Returns whether C may have handles of both kinds in those of one kind, which may be one of the two.
#[cold]
pub(super) fn may_be_together(one: usize, other: usize) -> bool {
    let holds = |keeper: usize, held: usize| keeper == held || may_hold(keeper, held);
    let mut keepers = held_kinds().keys();
    one == other || keepers.any(|keeper| holds(*keeper, one) && holds(*keeper, other))
}

fn held_kinds() -> &'static Held {
    static HELD: OnceBox<Held> = OnceBox::new();
    HELD.get_or_init(|| Box::new(find_held()))
}

fn find_held() -> Held {
    let mut all = Held::new();
    let address = |kind: &'static HandleKind| ptr::from_ref(kind.resource_kind()).addr();
    let mut add = |keeper, held| {
        all.entry(address(keeper))
            .or_default()
            .insert(address(held))
    };
    for keeping in inventory::iter::<Keeping> {
        add((keeping.keeper)(), (keeping.given)());
    }
    for lent in inventory::iter::<LentToCallbacks> {
        for lender in lent.lenders.iter().flatten() {
            add(lender(), (lent.kind)());
        }
    }
    for passes in inventory::iter::<PassesCallback> {
        let state = (passes.state)();
        let is_its = |lent: &&LentToCallbacks| lent.state.is_some_and(|it| it() == state);
        for shown in inventory::iter::<LentToCallbacks>
            .into_iter()
            .filter(is_its)
        {
            for lender in passes.lenders.iter().flatten() {
                add(lender(), (shown.kind)());
            }
        }
    }
    for Listed(kind) in inventory::iter::<Listed> {
        for parent in kind.parents() {
            add(parent, kind);
        }
    }
    all
}
