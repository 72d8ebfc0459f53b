//! The rules of a methods block, one small function each. Mistakes that rustc reports well are left
//! to rustc.

pub(crate) mod arguments;
pub(crate) mod buffer;
pub(crate) mod callbacks;
pub(crate) mod field;
pub(crate) mod interrupt;
pub(crate) mod memory;
pub(crate) mod pure;
pub(crate) mod result;
pub(crate) mod signature;

use crate::diagnostics::Diagnostics;
use crate::methods::ast::{Calls, Method, MethodsBlock, Source};
use crate::methods::check::arguments::{check_arguments, check_consumed};
use crate::methods::check::buffer::check_buffer;
use crate::methods::check::callbacks::check_callbacks;
use crate::methods::check::field::check_field;
use crate::methods::check::interrupt::check_interrupt;
use crate::methods::check::memory::{check_memory, check_owner};
use crate::methods::check::pure::check_pure;
use crate::methods::check::result::{
    check_borrow_of_consumed, check_details, check_gives_back, check_null, check_outs,
    check_parents, check_result,
};
use crate::methods::check::signature::{
    check_detach, check_foreign, check_generics, check_interned, check_lifetimes, check_receiver,
    check_reference_count, check_retain, check_signature, check_text, check_token,
};
use crate::methods::parse::cfg_attributes;
use crate::status::StatusTest;
use crate::types::inspect::argument_of;

pub(crate) fn check(block: &mut MethodsBlock, diagnostics: &Diagnostics) {
    check_unsafe(block, diagnostics);
    let wrong: Vec<bool> = block
        .methods
        .iter()
        .map(|method| {
            let cfgs = cfg_attributes(&method.attributes);
            let (_, is_wrong) =
                diagnostics.within(cfgs, || check_method(block, method, diagnostics));
            is_wrong
        })
        .collect();
    for (method, is_wrong) in block.methods.iter_mut().zip(wrong) {
        method.has_mistakes |= is_wrong;
    }
    check_reserved_names(block, diagnostics);
}

fn check_method(block: &MethodsBlock, method: &Method, diagnostics: &Diagnostics) {
    check_signature(method, diagnostics);
    check_detach(method, diagnostics);
    check_receiver(block, method, diagnostics);
    check_reference_count(method, diagnostics);
    check_foreign(method, diagnostics);
    check_text(method, diagnostics);
    check_interned(method, diagnostics);
    check_retain(method, diagnostics);
    if !check_token(method, diagnostics) {
        return;
    }
    match &method.source {
        Source::Calls(calls) => check_calls(method, calls, diagnostics),
        Source::Field(field) => check_field(method, field, diagnostics),
        Source::Body(_) | Source::Nothing => {}
    }
}

pub(crate) fn check_unsafe(block: &MethodsBlock, diagnostics: &Diagnostics) {
    let generated = |method: &&Method| matches!(method.source, Source::Calls(_) | Source::Field(_));
    if let (false, Some(method)) = (block.is_unsafe, block.methods.iter().find(generated)) {
        diagnostics.at(
            &method.signature.ident,
            "the author vouches for the C calls of generated methods: write `#[methods(unsafe)]` \
             on this block",
        );
    }
}

pub(crate) fn check_calls(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    check_arguments(method, calls, diagnostics);
    check_lifetimes(method, diagnostics);
    check_generics(method, diagnostics);
    check_result(method, calls, diagnostics);
    check_null(method, calls, diagnostics);
    check_outs(method, calls, diagnostics);
    check_details(method, calls, diagnostics);
    check_borrow_of_consumed(method, diagnostics);
    check_buffer(method, calls, diagnostics);
    if calls.buffer.is_none() {
        check_memory(method, calls, diagnostics);
    }
    check_owner(method, calls, diagnostics);
    check_consumed(method, calls, diagnostics);
    check_callbacks(method, calls, diagnostics);
    check_parents(method, calls, diagnostics);
    check_gives_back(method, calls, diagnostics);
    check_interrupt(method, calls, diagnostics);
    check_pure(method, calls, diagnostics);
    if let (Some(none), None) = (&calls.none, argument_of(&method.output.value, "Option")) {
        let message = "`none` tests whether there is no result: return an `Option`";
        match none {
            StatusTest::Sticky | StatusTest::Unknown => {}
            _ => diagnostics.at(&method.output.value, message),
        }
    }
    if matches!(calls.none, Some(StatusTest::Sticky)) {
        diagnostics.at(
            &calls.function,
            "`none` tests the value that C returns: write `nonzero`, `negative` or `when(|ret| …)`",
        );
    }
}

pub(crate) fn check_reserved_names(block: &MethodsBlock, diagnostics: &Diagnostics) {
    const TAKEN: &[&str] = &["close", "closed", "__traverse__", "__clear__"];
    for method in block.methods.iter().filter(|method| !method.rust_only) {
        let name = method.special_name();
        if TAKEN.contains(&name.as_str()) {
            diagnostics.at(
                &method.signature.ident,
                format!("every handle has `{name}` already: choose another name, or mark the method `#[rust_only]`"),
            );
        }
    }
}
