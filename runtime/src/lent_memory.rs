//! Check that C leaves memory as it is while a `memoryview` of it exists.
//!
//! The memoryview is a shared borrow of the lender, so no call that has the lender by `&mut` runs meanwhile. The
//! annotation of a call that changes the memory all the same is not true: its handle needs `mut_parent`, or it takes by
//! `&` what it changes. Such a call fails with [`Error::LentChanged`](crate::Error::LentChanged).
//!
//! The first [`COMPARED`] bytes of each memory are compared after each call, by a hash.

use std::hash::{DefaultHasher, Hasher};
use std::slice;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::fork::Lock;
use crate::single_owner::NOTES;

/// The number of bytes of each memory that are compared.
const COMPARED: usize = 1 << 16;

struct Lent {
    id: u64,
    start: *const u8,
    count: usize,
    hash: u64,
    lender: &'static str,
}

// SAFETY: guarantee 6: any thread may read the memory until its `Watch` is dropped, which removes this value.
unsafe impl Send for Lent {}

impl Lent {
    fn current_hash(&self) -> u64 {
        // SAFETY: guarantee 6: the memory is borrowed until its `Watch` is dropped, which removes this value.
        let memory = unsafe { slice::from_raw_parts(self.start, self.count) };
        hash_of(memory)
    }
}

fn hash_of(memory: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(memory);
    hasher.finish()
}

struct Table {
    next: u64,
    lent: Vec<Lent>,
}

/// The memory that is compared.
static TABLE: Mutex<Table> = Mutex::new(Table {
    next: 0,
    lent: Vec::new(),
});

inventory::submit! { Lock(|| Box::new(table())) }

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Memory that is compared after each call, until this value is dropped.
pub(crate) struct Watch {
    id: u64,
}

impl Watch {
    /// Begins to compare memory that the method `lender` lends. Returns `None` if the build does not check.
    ///
    /// # Safety
    ///
    /// Any thread may read the memory until the value is dropped.
    pub(crate) unsafe fn new(memory: &[u8], lender: &'static str) -> Option<Self> {
        if !NOTES {
            return None;
        }
        let memory = memory.get(..COMPARED).unwrap_or(memory);
        let hash = hash_of(memory);
        let mut table = table();
        let id = table.next;
        table.next += 1;
        table.lent.push(Lent {
            id,
            start: memory.as_ptr(),
            count: memory.len(),
            hash,
            lender,
        });
        Some(Watch { id })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        table().lent.retain(|lent| lent.id != self.id);
    }
}

/// Returns the method that lends memory which has changed since the last call. Each change is returned once.
#[inline]
pub(crate) fn changed() -> Option<&'static str> {
    let mut table = table();
    table.lent.iter_mut().find_map(|lent| {
        let hash = lent.current_hash();
        let before = std::mem::replace(&mut lent.hash, hash);
        (hash != before).then_some(lent.lender)
    })
}
