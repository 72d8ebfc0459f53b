//! Handles that C makes in others, or lends.

use crate::children::ancestors::{
    ancestor, ancestors, lives_in, ours_by_other_type, resource_of, stray,
};
use crate::children::table::{
    End, Parents, add_end, all_keepers, record, record_only_child, with_table,
};
use crate::children::transfer;
use crate::handle::kind::{HandleKind, Id};
use crate::side_table::{add_once, hold_for_good, hold_in_callback, lend_values};

/// Records that C made `child` by a call on `maker`. `maker` is a handle of the kind `parent`, or lives in one. The
/// child lives in that handle and in `extra_parents`.
pub(crate) fn born(child: Id, maker: Id, parent: &'static HandleKind, extra_parents: &[Id]) {
    // Of a handle that C lends to a callback nobody knows what it lives in. C may release it at any time.
    let first = ancestor(maker, parent);
    // Then the handle itself stands for what it lives in: the child ends before it.
    let in_its_place = match first {
        Some(_) => None,
        None => stray(maker),
    };
    child.kind.note_relatives();
    if let Some(parent) = first
        && extra_parents.is_empty()
        && with_table(|table| record_only_child(table, child, parent))
    {
        return;
    }
    let mut parents = Parents {
        first,
        others: extra_parents.iter().copied().chain(in_its_place).collect(),
        inherited: Vec::new(),
        held: first
            .filter(|_| child.kind.sharing().holds_parent)
            .into_iter()
            .collect(),
        values: Vec::new(),
    };
    let counted = with_table(|table| {
        // A parent that C has goes with the handles that C keeps it in, or that it was lent from.
        parents.others.extend(all_keepers(table, parents.iter()));
        record(table, child, parents)
    });
    for parent in counted {
        // SAFETY: guarantee 3: the call that made the child borrows its parents.
        unsafe { parent.kind.retain(parent.raw) };
    }
}

/// A hook for handles that C lends, in a callback, through a handle that it passed to that callback.
pub(crate) struct LentInCallback(pub(crate) fn(Id));

inventory::collect!(LentInCallback);

/// Records that a call on `lenders` returned `lent`, a handle with a release, as `Borrowed`. If C owns it, it ends with
/// the lenders.
pub(crate) fn lent(lent: Id, lenders: impl Iterator<Item = Id>) {
    let lenders: Vec<Id> = lenders.collect();
    // One that a lender is or lives in was known before.
    if lenders.iter().any(|lender| lives_in(*lender, lent)) {
        return;
    }
    if lent.kind.calls_back() {
        keep_values(lent, lenders.first().copied());
    }
    // Without a lender it is there for ever. One that C lends to a callback is in no resource that is known.
    let for_ever = lenders.is_empty().then_some(End::Never);
    let resources = lenders.into_iter().filter_map(resource_of).map(End::With);
    let ends: Vec<End> = resources.chain(for_ever).collect();
    if ends.is_empty() {
        let is_ours = with_table(|table| {
            let entry = table.get_mut(&lent);
            let is_ours = entry.as_ref().is_some_and(|entry| entry.is_ours);
            // Here may have been one that C was given, and has freed.
            let former = entry.filter(|entry| !entry.is_ours && entry.is_owned_by_c());
            former
                .into_iter()
                .for_each(|former| former.is_unknown = true);
            is_ours
        });
        if !is_ours {
            for hook in inventory::iter::<LentInCallback> {
                (hook.0)(lent);
            }
        }
        return;
    }
    lent.kind.note_relatives();
    transfer::expect();
    let is_new = with_table(|table| {
        // By another type it may be a handle of ours.
        let ours = ours_by_other_type(table, lent).map(End::With);
        let ends = match ours {
            Some(end) => vec![end],
            None => ends,
        };
        let entry = table.entry(lent).or_default();
        if entry.is_ours || entry.parents.first.is_some() && !entry.is_owned_by_c() {
            // It is not C's own. One that C was given it may have freed, and then this is another one.
            return false;
        }
        entry.is_lent = true;
        let is_new = ends.into_iter().map(|end| add_end(table, lent, end));
        is_new.filter(|is_new| *is_new).count() != 0
    });
    if is_new {
        transfer::note_kept(lent);
    }
}

/// Keeps the values of `lent` and of its ancestors alive until the lender ends, or until the callback that got the
/// lender returns. If that is unknown, keeps them for good.
pub(crate) fn keep_values(lent: Id, lender: Option<Id>) {
    let resource = lender.and_then(resource_of);
    let is_of_callback = resource.map_or(lender.is_some(), |resource| stray(resource).is_some());
    let until = resource.filter(|resource| !resource.kind.is_counted() && !is_of_callback);
    let lives_in = ancestors(lent).into_iter().chain([lent]);
    for values in lives_in.filter_map(|id| lend_values(id.kind, id.raw)) {
        match until {
            Some(until) => {
                until.kind.note_relatives();
                let left = with_table(|table| {
                    let kept = &mut table.entry(until).or_default().parents.values;
                    add_once(kept, values)
                });
                drop(left);
            }
            None if is_of_callback => hold_in_callback(values),
            None => hold_for_good(values),
        }
    }
}
