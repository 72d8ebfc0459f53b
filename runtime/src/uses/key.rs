//! The identities of objects in the table of uses.

use std::any::TypeId;
use std::ptr;

use crate::handle::kind::Id;

/// The identity of a C object among those of all types, or of a group of objects that are borrowed as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) among: Among,
    address: usize,
}

/// The handles that a handle is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Among {
    /// The handles of all types.
    All,
    /// The handles of one kind, or the group of one kind, whose address this is.
    Kind(usize),
    /// The handles that C lends to callbacks only: all types of one C type.
    CallbackOnly(TypeId),
}

impl Key {
    /// The object. One C object may have several types. A number means something else for each type. What C lends to
    /// callbacks only may be the first field of another handle, and have its address.
    pub(super) fn object(id: Id) -> Self {
        let kind = id.kind();
        let among = match () {
            () if kind.is_integer() => Among::Kind(ptr::from_ref(kind).addr()),
            () if kind.is_callback_only() => Among::CallbackOnly(kind.c_type()),
            () => Among::All,
        };
        Key {
            among,
            address: id.address(),
        }
    }

    /// Returns the key of the group that the object is borrowed with, or of the object.
    pub(super) fn borrowed(id: Id) -> Self {
        let group = id.kind().group().map(|group| Key {
            among: Among::Kind(ptr::from_ref(group).addr()),
            address: 0,
        });
        group.unwrap_or_else(|| Key::object(id))
    }
}

/// Returns the bucket of an address among those of the handles that a number stands for: 0 for all types.
#[inline(always)]
fn bucket(among: usize, address: usize) -> u8 {
    /// 2 to the power of 64, divided by the golden ratio: spreads neighbors.
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = (address ^ among.rotate_left(16)) as u64;
    (mixed.wrapping_mul(SPREAD) >> 56) as u8
}

/// Returns the buckets of the key and of the object: two claims that meet have one in common.
#[inline]
pub(super) fn buckets(id: Id) -> [u8; 2] {
    let kind = id.kind();
    let among = match kind.is_integer() {
        true => ptr::from_ref(kind).addr(),
        false => 0,
    };
    let object = bucket(among, id.address());
    let key = kind
        .group()
        .map(|group| bucket(ptr::from_ref(group).addr(), 0));
    [key.unwrap_or(object), object]
}
