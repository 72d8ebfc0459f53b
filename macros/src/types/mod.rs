//! Types as the author wrote them: what their names say, and the same types with other lifetimes.

pub(crate) mod inspect;
pub(crate) mod lifetimes;
pub(crate) mod param_kind;
