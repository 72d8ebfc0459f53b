//! The handles that a handle lives in, and what holds them.

use std::collections::BTreeSet;
use std::{iter, ptr};

use smallvec::SmallVec;

use crate::children::table::{End, HandleEntry, Table, all_kept, all_within, with_table};
use crate::handle::kind::{HandleKind, Id};
use crate::uses::strays::may_hold;

/// A list of handles, which has room for four without memory of its own: most handles live in few others.
pub(crate) type Ids = SmallVec<[Id; 4]>;

/// Returns the first parent of `id`. For a part, returns the owner, if the part knows it.
pub(super) fn above(id: Id) -> Option<Id> {
    match id.kind.is_view() {
        // SAFETY: guarantee 3: the handle that the call starts from is borrowed, so all that it lives in is valid.
        true => unsafe { id.kind.owner(id.raw) },
        false => with_table(|table| {
            let entry = table.get(&id)?;
            entry.parents.first.or_else(|| entry.keepers().next())
        }),
    }
}

/// Returns the resource of `id`: `id` itself, or the handle with a release that `id` is part of.
pub(crate) fn resource_of(id: Id) -> Option<Id> {
    let mut here = id;
    while here.kind.is_view() {
        here = above(here)?;
    }
    Some(here)
}

/// Returns the possible resources of `id`. A part that does not know its owner may be part of any handle of the owner's
/// kind. Of these, returns the ones that C keeps, and that C keeps something in. The borrow checker sees the others.
fn possible_resources(table: &Table, id: Id) -> Ids {
    linked_resources(table, id, |other, owner| ptr::eq(other, owner))
}

/// Returns the possible resources of `id`, and, for a part that does not know its owner, what the owner may live in:
/// those handles that C keeps, and that C keeps something in.
fn possible_ancestors(table: &Table, id: Id) -> Ids {
    linked_resources(table, id, |other, owner| {
        ptr::eq(other, owner) || may_hold(ptr::from_ref(other).addr(), ptr::from_ref(owner).addr())
    })
}

/// Returns the resource of `id`, or what it may be, as `may_be` says of other kinds and the owner's, where C keeps it
/// or keeps something in it.
fn linked_resources(
    table: &Table,
    id: Id,
    may_be: impl Fn(&'static HandleKind, &'static HandleKind) -> bool,
) -> Ids {
    let here = known_owner(id);
    match here.kind.is_view() {
        true => linked_of_kinds(table, |kind| may_be(kind, here.kind.resource_kind())),
        false => Ids::from_slice(&[here]),
    }
}

#[cold]
fn linked_of_kinds(table: &Table, is_kind: impl Fn(&'static HandleKind) -> bool) -> Ids {
    let mut asked: SmallVec<[(&'static HandleKind, bool); 4]> = SmallVec::new();
    let mut is_it = |kind: &'static HandleKind| {
        let known = asked.iter().find(|(other, _)| ptr::eq(*other, kind));
        let answer = known.map_or_else(|| is_kind(kind), |(_, answer)| *answer);
        if known.is_none() {
            asked.push((kind, answer));
        }
        answer
    };
    table.linked().filter(|id| is_it(id.kind)).collect()
}

/// Returns what a call on some handle of these kinds may reach that the borrow checker does not see.
#[cold]
pub(crate) fn reached_from_any(is_kind: impl Fn(&'static HandleKind) -> bool) -> Ids {
    let mut found = Ids::new();
    with_table(|table| {
        let mut reached = Ids::new();
        for id in table.linked().filter(|id| is_kind(id.kind)) {
            add_reached_from(table, id, &mut reached);
        }
        add_ancestors_in(table, reached, &mut found);
    });
    found
}

/// Returns the resource of a handle that C passed to a callback, if this package does not own it. Its parents are
/// unknown. Counted objects are never strays.
pub(crate) fn stray(id: Id) -> Option<Id> {
    let resource = resource_of(id).filter(|resource| resource.kind.is_lent_to_callbacks())?;
    (!is_ours(resource)).then_some(resource)
}

/// Returns the handle of the kind `to` that `from` is, or lives in.
pub(super) fn ancestor(from: Id, to: &'static HandleKind) -> Option<Id> {
    let mut here = Some(from);
    while let Some(id) = here
        && !ptr::eq(id.kind, to)
    {
        here = above(id);
    }
    here
}

/// Returns the ancestors that an exclusive use of the handle uses exclusively.
#[inline]
pub(crate) fn exclusive_parents(id: Id) -> SmallVec<[Id; 2]> {
    let mut found = SmallVec::new();
    let mut here = id;
    let uses_parent = |id: Id| {
        let sharing = id.kind.sharing();
        sharing.holds_parent || sharing.mut_parent || id.kind.tree().is_some()
    };
    while uses_parent(here)
        && let Some(parent) = above(here)
    {
        found.push(parent);
        here = parent;
    }
    found
}

/// Returns the handles, what exclusive uses of them use exclusively, and all that C keeps them in or lends them by. The
/// owners of a part are among the handles: C may have the part in pieces, so it is not asked for them. Where the part
/// does not know its owner, any handle of the owner's kind may be that.
pub(crate) fn used_alone_with(handles: &[Id]) -> SmallVec<[Id; 2]> {
    let mut found: SmallVec<[Id; 2]> = SmallVec::from_slice(handles);
    let hidden = handles
        .iter()
        .filter_map(|id| id.kind.hidden_resource_kind());
    for kind in hidden {
        with_table(|table| add_new(&mut found, all_of_kind(table, kind)));
    }
    let owners = found.len();
    let mut next = 0;
    while let Some(here) = found.get(next).copied() {
        next += 1;
        if here.kind.is_view() {
            continue;
        }
        let parents = match next <= handles.len() {
            true => exclusive_parents(here),
            false => with_table(|table| known_exclusive_parents(table, here)),
        };
        with_table(|table| {
            if next <= owners && here.kind.reaches_others() {
                let uses = iter::once(here).chain(parents.iter().copied());
                add_new(&mut found, owned_within(table, uses));
            }
            add_new(&mut found, parents);
            let keepers = table.get(&here).into_iter().flat_map(HandleEntry::keepers);
            add_new(&mut found, keepers);
        });
    }
    found
}

/// Adds the handles that are not there.
fn add_new(found: &mut SmallVec<[Id; 2]>, ids: impl IntoIterator<Item = Id>) {
    for id in ids {
        if !found.contains(&id) {
            found.push(id);
        }
    }
}

/// Returns the handles of a kind that the table knows: those that live in others, that C keeps, or that C keeps
/// something in. Any other handle of the kind shares nothing with another one.
fn all_of_kind(table: &Table, kind: &'static HandleKind) -> Vec<Id> {
    let all = table.keys().copied();
    all.filter(|id| ptr::eq(kind, id.kind)).collect()
}

/// [`exclusive_parents`] of a handle that may be another thread's: no part is asked for its owner.
fn known_exclusive_parents(table: &Table, id: Id) -> SmallVec<[Id; 2]> {
    let parent = |id: &Id| {
        let sharing = id.kind.sharing();
        let is_used = !id.kind.is_view() && (sharing.holds_parent || sharing.mut_parent);
        table.get(id).filter(|_| is_used)?.parents.first
    };
    iter::successors(parent(&id), parent).collect()
}

/// Returns the counted objects that an exclusive use of the handle uses exclusively: those that C has owners of in the
/// handle, or in the ancestors that are used so.
pub(crate) fn exclusive_owned(id: Id, parents: &[Id]) -> Ids {
    with_table(|table| {
        let sharing = id.kind.resource_kind().sharing();
        let handles = match sharing.holds_parent || sharing.mut_parent {
            true => possible_ancestors(table, id),
            false => possible_resources(table, id),
        };
        owned_within(table, handles.into_iter().chain(parents.iter().copied()))
    })
}

/// Returns the counted objects that C has owners of in the handles, and in what C keeps there.
fn owned_within(table: &Table, handles: impl Iterator<Item = Id>) -> Ids {
    let within = handles.flat_map(|handle| all_within(table, handle));
    within
        .flat_map(|(_, entry)| entry.owned.iter().copied())
        .collect()
}

/// Returns whether exclusive calls on `keeper` use the parent of `given` exclusively: `keeper` is that parent, or
/// borrows it by `&mut`.
pub(crate) fn borrows_parent_of(keeper: Id, given: Id) -> bool {
    let (Some(parent), Some(resource)) = (above(given), resource_of(keeper)) else {
        return false;
    };
    parent == resource || exclusive_parents(resource).contains(&parent)
}

/// The handles that a part is part of, from its owner on.
pub(crate) fn owners(id: Id) -> impl Iterator<Item = Id> {
    let owner = |id: Id| match id.kind.is_view() {
        true => above(id),
        false => None,
    };
    iter::successors(owner(id), move |here| owner(*here))
}

/// The handles that the handle lives in, all of which a call on it may reach.
pub(crate) fn ancestors(id: Id) -> Ids {
    let mut found: Ids = owners(id).collect();
    let here = found.last().copied().unwrap_or(id);
    if here.kind.resource_kind().reaches_others() {
        with_table(|table| {
            let before = found.len();
            if add_only_parents(table, here, |parent| found.push(parent)) {
                return;
            }
            found.truncate(before);
            let mut reached = Ids::new();
            for resource in possible_ancestors(table, here) {
                add_reached_from(table, resource, &mut reached);
            }
            add_ancestors_in(table, reached, &mut found);
        });
        found.retain(|ancestor| *ancestor != id);
    }
    found
}

/// Calls `add` with the ancestors of a handle while each lives in one parent only, and C keeps nothing there. Returns
/// false if that does not hold for all.
fn add_only_parents(table: &Table, id: Id, mut add: impl FnMut(Id)) -> bool {
    let mut here = id;
    loop {
        let entry = table.get(&here);
        if here.kind.is_view() || entry.is_some_and(|entry| !entry.lives_in_first_only()) {
            return false;
        }
        let Some(parent) = entry.and_then(|entry| entry.parents.first) else {
            return true;
        };
        add(parent);
        here = parent;
    }
}

/// Calls `add` with the ancestors of the handle, if that is quick. If it returns false, these are not all.
#[inline]
pub(crate) fn quick_ancestors(id: Id, add: impl FnMut(Id)) -> bool {
    with_table(|table| add_only_parents(table, id, add))
}

/// Returns the handles of the table at this address that C lends not only to callbacks.
pub(crate) fn at_address(raw: *mut ()) -> Vec<Id> {
    let is_object = |id: &Id| !id.kind.is_integer() && !id.kind.is_callback_only();
    with_table(|table| {
        at(table, raw)
            .map(|(id, _)| *id)
            .filter(is_object)
            .collect()
    })
}

/// Returns whether this package owns the handle.
fn is_ours(id: Id) -> bool {
    with_table(|table| table.get(&id).is_some_and(|entry| entry.is_ours))
}

/// Returns whether it is known what the handle is in: this package owns it, or C keeps it in handles that are known.
pub(crate) fn is_placed(id: Id) -> bool {
    let is_kept = |entry: &HandleEntry| {
        let is_known = !entry.is_unknown && !entry.ends.contains(&End::Never);
        is_known && entry.keepers().next().is_some()
    };
    let is_placed = |entry: &HandleEntry| entry.is_ours || is_kept(entry);
    with_table(|table| table.get(&id).is_some_and(is_placed))
}

/// Returns whether C was given the handle, keeps it in no handle that is known, and has not lent it since: no code of
/// ours reaches it.
pub(crate) fn is_out_of_reach(id: Id) -> bool {
    with_table(|table| {
        let entry = table.get(&id);
        entry.is_some_and(|entry| {
            entry.is_transferred && !entry.is_lent && entry.keepers().next().is_none()
        })
    })
}

/// Returns the handle of ours that this one is by another type.
pub(super) fn ours_by_other_type(table: &Table, id: Id) -> Option<Id> {
    let is_same = |other: &Id| {
        *other != id
            && !id.kind.is_integer()
            && !other.kind.is_integer()
            && other.kind.c_type() == id.kind.c_type()
    };
    let mut same = at(table, id.raw).filter(|(other, entry)| entry.is_ours && is_same(other));
    same.next().map(|(other, _)| *other)
}

/// Returns whether each way on which our code gets at the handle leads through one for which `is_used` holds: the
/// handle itself, one of the parents that it was made in, or all that C keeps it in or lends it by.
pub(crate) fn is_covered(id: Id, is_used: &impl Fn(Id) -> bool) -> bool {
    let mut here = id;
    while here.kind.is_view() {
        if is_used(here) {
            return true;
        }
        match above(here) {
            Some(owner) => here = owner,
            None => return false,
        }
    }
    with_table(|table| is_covered_in(table, here, is_used, &mut BTreeSet::new()))
}

fn is_covered_in(
    table: &Table,
    id: Id,
    is_used: &impl Fn(Id) -> bool,
    seen: &mut BTreeSet<Id>,
) -> bool {
    if is_used(id) {
        return true;
    }
    let Some(entry) = table.get(&id).filter(|_| seen.insert(id)) else {
        return false;
    };
    let mut parents = entry.parents.iter();
    if parents.any(|parent| is_covered_in(table, parent, is_used, seen)) {
        return true;
    }
    let is_known = !entry.ends.contains(&End::Never) && entry.keepers().next().is_some();
    is_known
        && entry
            .keepers()
            .all(|keeper| is_covered_in(table, keeper, is_used, seen))
}

/// The entries at this address.
fn at(table: &Table, raw: *mut ()) -> impl Iterator<Item = (&Id, &HandleEntry)> {
    let first = table.first_key_value().filter(|_| !raw.is_null());
    // The order goes by address, and then by kind.
    let before = first.map(|(first, _)| Id::new(first.kind, raw.wrapping_byte_sub(1)));
    let near = before.into_iter().flat_map(|before| table.range(before..));
    let near = near.take_while(move |(id, _)| id.raw <= raw);
    near.filter(move |(id, _)| id.raw == raw)
}

fn add_ancestors_in(table: &Table, mut reached: Ids, found: &mut Ids) {
    while let Some(here) = reached.pop() {
        if !found.contains(&here) {
            found.push(here);
            add_reached_from(table, here, &mut reached);
        }
    }
}

/// Adds the handles that C keeps the handle in, its parents, those of the handles that C keeps in it, and the counted
/// objects that C has owners of there.
fn add_reached_from(table: &Table, id: Id, reached: &mut Ids) {
    // Also what ends with another keeper later: until then it may be in this one.
    for (here, entry) in all_within(table, id) {
        reached.extend(entry.parents.iter().chain(entry.owned.iter().copied()));
        if here == id {
            reached.extend(entry.keepers());
        }
    }
}

/// Returns whether two handles are one object, perhaps by several types, or are borrowed as one (`borrowed_with`).
fn is_borrowed_as_one(one: Id, other: Id) -> bool {
    let group = one.kind.group();
    let is_native = |id: Id| !id.kind.is_integer() && !id.kind.is_callback_only();
    let is_one_object = one.raw == other.raw && is_native(one) && is_native(other);
    one == other
        || is_one_object
        || group.is_some_and(|group| other.kind.group().is_some_and(|it| ptr::eq(group, it)))
}

/// Returns whether a child that holds `held` also holds `id`: both are borrowed as one, or C keeps an owner of such an
/// object in `held`.
fn is_held_with(table: &Table, id: Id, held: Id) -> bool {
    let is_kept = || {
        let is_kept = |owned: &Id| is_borrowed_as_one(id, *owned);
        all_within(table, held).any(|(_, entry)| entry.owned.iter().any(is_kept))
    };
    is_borrowed_as_one(id, held) || id.kind.is_counted() && is_kept()
}

/// Returns the number of children (`parent = &mut P`) that hold the handle, or an object borrowed with it.
fn holders(table: &Table, id: Id) -> usize {
    let of = |(_, entry): (&Id, &HandleEntry)| entry.holders;
    match id.kind.is_counted() {
        // One object may have several types.
        false => at(table, id.raw)
            .filter(|(held, _)| is_borrowed_as_one(id, **held))
            .map(of)
            .sum(),
        true => {
            let held = table.iter().filter(|(_, entry)| entry.holders != 0);
            held.filter(|(held, _)| is_held_with(table, id, **held))
                .map(of)
                .sum()
        }
    }
}

/// Returns whether a child (`parent = &mut P`) holds the handle. That includes a hold on an ancestor, on what C keeps
/// in the handle, or on objects borrowed with these. A child that is the handle, or that the handle lives in, does not
/// count. The borrow checker ensures that no such child exists, unless the guard of the child was forgotten, C refused
/// its release, or C keeps the child.
pub(crate) fn is_held(id: Id) -> bool {
    holder(id, &[]).is_some()
}

/// Returns the child that holds the handle ([`is_held`]) and is none of `given`.
#[cold]
pub(crate) fn holder(id: Id, given: &[Id]) -> Option<Id> {
    let owner = known_owner(id);
    with_table(|table| {
        let resources = match owner.kind.is_view() {
            true => all_of_kind(table, owner.kind.resource_kind()),
            false => vec![owner],
        };
        let mut resources = resources.into_iter();
        resources.find_map(|resource| holder_in(table, resource, given))
    })
}

/// Returns the resource of `id`, or the outermost part that does not know its owner.
fn known_owner(id: Id) -> Id {
    owners(id).last().unwrap_or(id)
}

fn holder_in(table: &Table, id: Id, given: &[Id]) -> Option<Id> {
    let (mut seen, mut reached) = (BTreeSet::from([(id, id)]), vec![(id, id)]);
    while let Some((here, _)) = reached.pop() {
        let holds = |id: &Id| {
            let held = table.get(id).map_or(&[][..], |entry| &entry.parents.held);
            let held = held.iter();
            held.filter(|held| is_held_with(table, here, **held))
                .count()
        };
        let holders = holders(table, here);
        if holders != 0 {
            // What the use comes from uses the handle by right, and what C keeps in the handle itself leaves it to
            // that.
            let mut own: BTreeSet<Id> = seen.iter().map(|(_, from)| *from).collect();
            // Its parent may have its address.
            own.insert(here);
            own.extend(
                all_kept(table, here)
                    .into_iter()
                    .chain(given.iter().copied()),
            );
            if holders > own.iter().map(holds).sum() {
                return any_holder(table, here, &own);
            }
        }
        // The handle uses what C keeps in it, and what C keeps the handle in.
        let steps = all_within(table, here).flat_map(|(kept, entry)| {
            let owned = entry.owned.iter().copied();
            entry
                .parents
                .iter()
                .chain(owned)
                .map(move |one| (one, kept))
        });
        let keepers = table.get(&here).into_iter().flat_map(HandleEntry::keepers);
        let steps = steps.chain(keepers.map(|keeper| (keeper, here)));
        reached.extend(steps.filter(|step| seen.insert(*step)));
    }
    None
}

/// Returns a child that holds the handle, or one that is borrowed with it, and is none of `own`. Returns `of` if the
/// table has no such child.
fn any_holder(table: &Table, of: Id, own: &BTreeSet<Id>) -> Option<Id> {
    let holds = |entry: &HandleEntry| {
        let mut held = entry.parents.held.iter();
        held.any(|held| is_held_with(table, of, *held))
    };
    let mut all = table.iter();
    let found = all.find(|(id, entry)| holds(entry) && !own.contains(id));
    Some(found.map_or(of, |(child, _)| *child))
}

/// Returns whether the handle was made in `parent`, as far as the table knows.
#[cfg_attr(
    not(feature = "python"),
    allow(dead_code, reason = "only Python's objects keep parents")
)]
pub(crate) fn is_made_in(id: Id, parent: Id) -> bool {
    with_table(|table| {
        let parents = table.get(&id).map(|entry| &entry.parents);
        parents.is_none_or(|parents| parents.first.is_none() || parents.names(parent))
    })
}

/// Returns whether the handle was made in `parent` besides its first parent, as far as the table knows.
#[cfg_attr(
    not(feature = "python"),
    allow(dead_code, reason = "only Python's objects keep parents")
)]
pub(crate) fn is_made_beside(id: Id, parent: Id) -> bool {
    with_table(|table| {
        let others = table.get(&id).map(|entry| &entry.parents.others);
        others.is_none_or(|others| others.is_empty() || others.contains(&parent))
    })
}

/// Returns whether the handle lives in `parent` and in no other one, and nothing lives in the handle.
pub(crate) fn is_only_in(id: Id, parent: Id) -> bool {
    with_table(|table| {
        table.get(&id).is_some_and(|entry| {
            let mut parents = entry.parents.iter();
            let is_only = parents.next() == Some(parent) && parents.next().is_none();
            let is_childless = entry.children == 0 && entry.keeps.is_empty();
            is_only && is_childless && entry.owned.is_empty() && entry.parents.values.is_empty()
        })
    })
}

/// Returns whether `id` is the handle `to`, or lives in it.
pub(crate) fn lives_in(id: Id, to: Id) -> bool {
    let mut reached: Vec<Id> = resource_of(id).into_iter().collect();
    let mut seen = BTreeSet::new();
    with_table(|table| {
        while let Some(here) = reached.pop() {
            if here == to {
                return true;
            }
            if !seen.insert(here) {
                continue;
            }
            if let Some(entry) = table.get(&here) {
                reached.extend(entry.parents.iter().chain(entry.keepers()));
            }
        }
        false
    })
}
