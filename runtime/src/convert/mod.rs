//! Conversions between Rust's values and C's: arguments, results, out-parameters, statuses.

pub(crate) mod characters;
pub(crate) mod copy;
pub(crate) mod field;
pub(crate) mod from_c;
pub(crate) mod lifetime;
pub(crate) mod memory;
pub(crate) mod out_param;
pub(crate) mod plain;
pub(crate) mod pointer;
pub(crate) mod shape;
pub(crate) mod size;
pub(crate) mod status;
pub(crate) mod text;
pub(crate) mod to_c;
