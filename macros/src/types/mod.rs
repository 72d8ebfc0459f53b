//! The types that the author wrote: what they are by their names, and the same types with other lifetimes.

pub(crate) mod inspect;
pub(crate) mod lifetimes;
pub(crate) mod param_kind;
