//! Names of C's constants: how the types of `#[int_enum]` and `#[int_flag]` are printed.

use std::fmt::{Formatter, Result};

/// A listed constant, with its number as in Python: flags of a signed C type have the numbers of the unsigned type.
pub type Member = (&'static str, i128);

/// Returns the name of the number.
pub fn name_of(members: &[Member], number: i128) -> Option<&'static str> {
    let named = members.iter().find(|(_, member)| *member == number);
    named.map(|(name, _)| *name)
}

/// Prints the name of the number, or `Mode(7)` if it has none.
#[doc(hidden)]
pub fn fmt_member(f: &mut Formatter<'_>, ty: &str, members: &[Member], number: i128) -> Result {
    match name_of(members, number) {
        Some(name) => f.write_str(name),
        None => write!(f, "{ty}({number})"),
    }
}

/// Prints the flags of the number as the crate `bitflags` does: `Access(READ | 0x8)`, with the flags without a name in
/// hexadecimal digits, and `Access(0x0)` without flags.
#[doc(hidden)]
pub fn fmt_flags(f: &mut Formatter<'_>, ty: &str, members: &[Member], number: i128) -> Result {
    let mut rest = number;
    let mut separator = "";
    write!(f, "{ty}(")?;
    for (name, flag) in members {
        if number & flag == *flag && rest & flag != 0 {
            write!(f, "{separator}{name}")?;
            rest &= !flag;
            separator = " | ";
        }
    }
    if rest != 0 || number == 0 {
        write!(f, "{separator}{rest:#x}")?;
    }
    f.write_str(")")
}
