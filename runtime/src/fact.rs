//! Facts about types, in traits that an author may implement: only the runtime states that one holds.

/// A fact about a type. The constant of a trait is [`Fact::NO`] unless the runtime states something else.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Fact(bool);

impl Fact {
    /// The fact does not hold, or nobody knows.
    pub const NO: Self = Fact(false);
    /// The fact holds.
    pub(crate) const YES: Self = Fact(true);

    /// States the fact, if it holds.
    pub(crate) const fn of(holds: bool) -> Self {
        Fact(holds)
    }

    /// Returns whether the fact holds.
    #[inline(always)]
    pub const fn holds(self) -> bool {
        self.0
    }

    /// Returns the fact of a type that is made of several, for each of which it has to hold.
    pub const fn all(parts: &[Fact]) -> Self {
        let mut index = 0;
        while index < parts.len() {
            if !parts[index].0 {
                return Fact::NO;
            }
            index += 1;
        }
        Fact(index > 0)
    }
}
