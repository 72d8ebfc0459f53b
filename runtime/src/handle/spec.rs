//! The compile-time facts of a handle type: what it lives in, what it is bound to, and the state that it shares.

/// The facts of a handle type and of what it lives in.
#[doc(hidden)]
#[derive(Debug)]
pub struct HandleSpec {
    /// The parent of a resource, the owner of a part.
    pub parent: Option<&'static HandleSpec>,
    /// The other parents.
    pub extra_parents: &'static [&'static HandleSpec],
    /// Set if the handle keeps values, such as callbacks: `attachments`.
    pub attachments: bool,
    /// Set if only the thread that made the handle may use it: `thread_bound`.
    pub thread_bound: bool,
    /// Set if the handle is only memory, so that a forked child may use and release its copy: `fork_safe`.
    pub fork_safe: bool,
    /// The way to the handle whose release also ends this one.
    pub home: Home,
    /// Set if the handle's errors ask the handle what went wrong: `errors(E, asks_handle)`.
    pub asks: bool,
    /// Set if the library's own lock is held until the errors have asked: `lock(…)`.
    pub locks: bool,
    /// Set if the handle may still be there after a failed release: `on_failure = kept`.
    pub may_be_kept: bool,
    /// Set if the handle owns parts that move: `tree`.
    pub owns_tree: bool,
    /// Set if Python classes may derive from the handle's class: `subclass`.
    pub subclass: bool,
    /// The state that the handle shares with its parent.
    pub sharing: Sharing,
}

/// The way from a handle to the handle whose release also ends the first.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// The handle has a release of its own.
    Itself,
    /// A field of the C struct names the owner: `owner_field = …`.
    Owner,
    /// Only C knows that handle.
    Unknown,
}

/// The state that a handle shares with its parent, as its annotation says.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Sharing {
    /// `parent = &mut P`: the handle borrows its parent exclusively for as long as the handle lives.
    pub holds_parent: bool,
    /// `mut_parent`: a call that borrows the handle exclusively borrows the parent exclusively, too.
    pub mut_parent: bool,
    /// `reads_parent`: no call on the handle changes memory that its parent lends.
    pub reads_parent: bool,
    /// `lends`: methods of the handle return references to its memory.
    pub lends: bool,
    /// `part_of`: the handle is borrowed with its owner.
    pub part: bool,
    /// `retain`: C counts the owners.
    pub counted: bool,
    /// `until_mut`: the part ends with the next exclusive borrow of its owner.
    pub until_mut: bool,
    /// `tree(…)`: the part moves.
    pub tree: bool,
}

impl Sharing {
    /// A handle without any of the words.
    pub const NONE: Sharing = Sharing {
        holds_parent: false,
        mut_parent: false,
        reads_parent: false,
        lends: false,
        part: false,
        counted: false,
        until_mut: false,
        tree: false,
    };
}

impl HandleSpec {
    /// Returns whether C may call back during a call on the handle.
    pub const fn calls_back(&self) -> bool {
        let mut here = Some(self);
        while let Some(spec) = here {
            if spec.attachments {
                return true;
            }
            here = spec.parent;
        }
        false
    }

    /// Returns whether the handle, or one that it lives in, is bound to a thread.
    pub const fn is_thread_bound(&self) -> bool {
        let mut here = Some(self);
        while let Some(spec) = here {
            if spec.thread_bound {
                return true;
            }
            here = spec.parent;
        }
        false
    }

    /// Returns whether only the process that made the handle may use it. This is the default, unless the handle, or the
    /// handle that it lives in, is `fork_safe`. A handle in a bound parent is bound, because its release reaches into
    /// the parent. A handle in a free parent is free, because the parent cannot be released while the handle lives.
    pub const fn is_process_bound(&self) -> bool {
        !self.lives_in_memory() || !(self.fork_safe || self.parent.is_some())
    }

    /// Returns whether all parents of the handle are fork-safe.
    pub const fn lives_in_memory(&self) -> bool {
        if let Some(parent) = self.parent
            && parent.is_process_bound()
        {
            return false;
        }
        let mut index = 0;
        while index < self.extra_parents.len() {
            if self.extra_parents[index].is_process_bound() {
                return false;
            }
            index += 1;
        }
        true
    }

    /// Returns whether the handle has one owner and lives in no other, and any thread may use it.
    #[cfg(feature = "python")]
    pub const fn is_made_alone(&self) -> bool {
        let is_alone = self.parent.is_none() && self.extra_parents.is_empty();
        is_alone && !self.sharing.counted && !self.thread_bound
    }

    /// Returns whether the handle is part of its owner's resource.
    #[cfg(feature = "python")]
    pub const fn is_view(&self) -> bool {
        matches!(self.home, Home::Owner)
    }

    /// Returns whether a Python object of the handle's own class may be part of a reference cycle: the handle, or one
    /// that it lives in, keeps values; or one that it lives in may be an object of a derived class, with attributes.
    #[cfg(feature = "python")]
    pub const fn may_be_in_cycle(&self) -> bool {
        let mut index = 0;
        while index < self.extra_parents.len() {
            if self.extra_parents[index].leads_to_cycle() {
                return true;
            }
            index += 1;
        }
        match self.parent {
            Some(parent) => self.attachments || parent.leads_to_cycle(),
            None => self.attachments,
        }
    }

    /// Returns whether what lives in the handle may be part of a reference cycle.
    #[cfg(feature = "python")]
    const fn leads_to_cycle(&self) -> bool {
        self.subclass || self.may_be_in_cycle()
    }

    /// Returns whether C lends the handle to callbacks only.
    pub const fn is_callback_only(&self) -> bool {
        matches!(self.home, Home::Unknown) && self.parent.is_none()
    }

    /// Returns whether the runtime finds the handle whose release also ends this one, and that handle has a single
    /// owner.
    pub const fn has_home(&self) -> bool {
        let mut here = self;
        loop {
            match (here.home, here.parent) {
                (Home::Itself, _) => return !here.sharing.counted,
                (Home::Owner, Some(parent)) => here = parent,
                _ => return false,
            }
        }
    }

    /// Returns whether C may keep it in a handle `keeper`, or in what that is part of: calls on that one use it, so
    /// they borrow its parent by `&mut` where its own calls do.
    pub const fn may_be_kept_in(&self, keeper: &HandleSpec) -> bool {
        let mut home = keeper;
        while let Some(parent) = home.parent
            && !matches!(home.home, Home::Itself)
        {
            home = parent;
        }
        !self.sharing.mut_parent || home.sharing.mut_parent || home.sharing.holds_parent
    }

    /// Returns whether calls on `keeper`, in which C keeps it, use handles that others use, too: it lives in others, or
    /// it has other owners and the keeper has none.
    pub const fn is_reached_by_keeper(&self, keeper: &HandleSpec) -> bool {
        self.parent.is_some() || self.sharing.counted && !keeper.sharing.counted
    }

    /// Returns whether the release is unknown that ends what this part lends: the part does not know its owner.
    pub const fn loses_home(&self) -> bool {
        let mut here = self;
        let mut is_lost = false;
        while let Some(parent) = here.parent
            && !matches!(here.home, Home::Itself)
        {
            is_lost = is_lost || matches!(here.home, Home::Unknown);
            here = parent;
        }
        is_lost && !here.is_callback_only()
    }

    /// Returns whether nothing leads from the handle to one that it is part of: the handle is a part, or a part of a
    /// part, that does not know its owner.
    pub const fn hides_owner(&self) -> bool {
        let mut here = self;
        while let Some(parent) = here.parent
            && !matches!(here.home, Home::Itself)
        {
            if matches!(here.home, Home::Unknown) {
                return true;
            }
            here = parent;
        }
        false
    }

    /// Returns whether C lends it, or what it is part of, to callbacks only.
    pub const fn is_within_callback(&self) -> bool {
        let mut here = self;
        while let Some(parent) = here.parent
            && !matches!(here.home, Home::Itself)
        {
            here = parent;
        }
        here.is_callback_only()
    }

    /// Returns whether the handle has a release of its own, and one owner.
    pub const fn is_released(&self) -> bool {
        matches!(self.home, Home::Itself) && !self.sharing.counted
    }

    /// Returns whether a call may return a new handle of this type. A handle that borrows its parent by `&mut`, for a
    /// call or for its life, is made by a method with `&mut self`. The check that `self` is the parent is
    /// [`MadeBy`](crate::convert::lifetime::MadeBy).
    pub const fn may_borrow_parent(&self, exclusive: bool) -> bool {
        exclusive || !(self.sharing.holds_parent || self.sharing.mut_parent)
    }

    /// Returns whether the handle, or one that it lives in, lends memory.
    pub const fn lends_memory(&self) -> bool {
        let mut here = Some(self);
        while let Some(spec) = here {
            if spec.sharing.lends {
                return true;
            }
            here = spec.parent;
        }
        false
    }

    /// Returns whether the handle, or one that it lives in, has counted owners. Another owner may then change or end
    /// the memory that the handle lends.
    pub const fn is_counted(&self) -> bool {
        let mut here = Some(self);
        while let Some(spec) = here {
            if spec.sharing.counted {
                return true;
            }
            here = spec.parent;
        }
        false
    }

    /// Returns whether the handle is a part that moves.
    pub const fn is_tree_part(&self) -> bool {
        self.sharing.tree
    }

    /// Returns whether the handle lives in the owner of a tree, at whatever level, or in a part of one.
    pub const fn lives_in_tree_owner(&self) -> bool {
        let mut index = 0;
        while index < self.extra_parents.len() {
            let parent = self.extra_parents[index];
            if parent.owns_tree || parent.lives_in_tree_owner() {
                return true;
            }
            index += 1;
        }
        match self.parent {
            Some(parent) => parent.owns_tree || parent.lives_in_tree_owner(),
            None => false,
        }
    }

    /// Returns whether a use by `&mut` may edit a tree, which [`Tree`](crate::Tree) gives out several times.
    pub const fn edits_tree(&self) -> bool {
        let changes_parent = self.sharing.mut_parent || self.sharing.holds_parent;
        self.is_tree_part() || self.owns_tree || changes_parent && self.lives_in_tree_owner()
    }

    /// Returns whether the handle may own a tree: it has one owner, lends no memory, and is gone after each release.
    pub const fn may_own_tree(&self) -> bool {
        self.is_released() && !self.lends_memory() && !self.may_be_kept
    }

    /// Returns whether the owners of the handle, or of a handle that it lives in, are counted.
    pub const fn meets_counted(&self) -> bool {
        if self.sharing.counted {
            return true;
        }
        if let Some(parent) = self.parent
            && parent.meets_counted()
        {
            return true;
        }
        let mut index = 0;
        while index < self.extra_parents.len() {
            if self.extra_parents[index].meets_counted() {
                return true;
            }
            index += 1;
        }
        false
    }

    /// Returns whether the annotation says what calls on the handle do to memory that an ancestor lends.
    pub const fn says_what_it_changes(&self) -> bool {
        let sharing = &self.sharing;
        sharing.part || sharing.reads_parent || self.holds_lenders()
    }

    /// Returns whether an exclusive borrow of the handle also borrows exclusively all ancestors that lend memory.
    const fn holds_lenders(&self) -> bool {
        let mut index = 0;
        while index < self.extra_parents.len() {
            if self.extra_parents[index].lends_memory() {
                return false;
            }
            index += 1;
        }
        let holds = self.sharing.holds_parent || self.sharing.mut_parent;
        match self.parent {
            None => true,
            Some(parent) if holds => parent.holds_lenders(),
            Some(parent) => !parent.lends_memory(),
        }
    }
}
