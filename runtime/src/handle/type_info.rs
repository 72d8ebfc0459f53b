//! The facts of a handle type, collected from its traits.

use std::any::TypeId;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU8};

use crate::failpoint::CallSite;
use crate::handle::integer::{IntegerHandle, Number, raw_to_number};
use crate::handle::kind::{HandleKind, Id, Interrupt};
use crate::handle::release_error::ReleaseError;
use crate::handle::traits::{Handle, HasOwnerField, Parent, Part, RefCounted, Resource};
use crate::tree::{TreePart, ops_of};

unsafe fn retain_erased<T: RefCounted>(raw: *mut ()) {
    // SAFETY: the caller's promise: a valid pointer of the kind's own type (`HandleKind::retain`).
    unsafe { T::retain(raw.cast()) };
}

unsafe fn owner_erased<T: HasOwnerField>(raw: *mut ()) -> Option<Id> {
    // SAFETY: the caller's promise: a valid pointer of the kind's own type (`HandleKind::owner`).
    let owner = unsafe { T::owner_of(raw.cast()) };
    (!owner.is_null()).then(|| Id::new(T::Owner::kind(), owner.cast()))
}

unsafe fn release_erased<T: Resource>(raw: *mut ()) -> Result<(), ReleaseError> {
    // SAFETY: the caller's promise: `HandleKind::release_once` passes a pointer of the kind's own type, once.
    unsafe { T::release(raw.cast()) }
}

impl HandleKind {
    /// Returns the kind of a type that is released.
    pub const fn resource<T: Resource>() -> Self {
        let spec = T::SPEC;
        HandleKind {
            release: Some(release_erased::<T>),
            attachments: spec.attachments,
            parent: <T::Parent as Parent>::kind,
            extra_parents: T::EXTRA_PARENTS,
            ..Self::view::<T>()
        }
    }

    /// Returns the kind of a type that lives inside another one, or that C only lends.
    pub const fn view<T: Handle>() -> Self {
        let spec = T::SPEC;
        HandleKind {
            name: T::NAME,
            spec,
            c_type: TypeId::of::<T::Raw>,
            release: None,
            warns_unclosed: false,
            ref_counted: false,
            group: None,
            fallible_release: None,
            detached_release: false,
            number: None,
            interrupt: None,
            attachments: false,
            retain: None,
            owner: None,
            tree: None,
            parent: || None,
            written_by_callbacks: AtomicU8::new(0),
            left_to_c: AtomicU8::new(0),
            lent_to_callbacks: AtomicU8::new(0),
            lent_to_calls: AtomicU8::new(0),
            has_relatives: AtomicBool::new(false),
            reaches_others: AtomicBool::new(false),
            thread_bound: spec.is_thread_bound(),
            process_bound: spec.is_process_bound(),
            extra_parents: &[],
            live: AtomicIsize::new(0),
            idle: AtomicIsize::new(0),
        }
    }

    /// Makes Python emit a `ResourceWarning` when it drops an unclosed handle.
    pub const fn warn_unclosed(mut self) -> Self {
        self.warns_unclosed = true;
        self
    }

    /// Makes the kind one whose owners C counts. `group` is the type that names the handles which are borrowed as one;
    /// `None` for objects that are borrowed with no others.
    pub const fn ref_counted<T: RefCounted>(
        mut self,
        group: Option<fn() -> &'static HandleKind>,
    ) -> Self {
        self.ref_counted = true;
        self.retain = Some(retain_erased::<T>);
        self.group = group;
        self
    }

    /// Makes the release one that may fail. `kept` says that the resource is still there after a failure.
    pub const fn fallible_release(mut self, site: &'static CallSite, kept: bool) -> Self {
        self.fallible_release = Some((site, kept));
        self
    }

    /// Makes the release one that runs without the GIL.
    pub const fn detached_release(mut self) -> Self {
        self.detached_release = true;
        self
    }

    /// Makes the kind one of parts of other handles.
    pub const fn part<T: Part>(mut self) -> Self {
        self.parent = || Some(T::Owner::kind());
        self
    }

    /// Makes the kind one whose handles know their owner.
    pub const fn with_owner_field<T: HasOwnerField>(mut self) -> Self {
        self.owner = Some(owner_erased::<T>);
        self
    }

    /// Makes the kind one of parts that move.
    pub const fn with_tree<T: TreePart>(mut self) -> Self {
        self.tree = Some(ops_of::<T>());
        self
    }

    /// Makes the kind one whose handles are numbers.
    pub const fn integer<T: IntegerHandle>(mut self) -> Self {
        self.number = Some(|raw| raw_to_number::<T>(raw).widen().cast_signed());
        self
    }

    /// Sets `interrupt`, which wakes the C functions that block on a handle.
    pub const fn with_interrupt(mut self, interrupt: Interrupt) -> Self {
        self.interrupt = Some(interrupt);
        self
    }
}
