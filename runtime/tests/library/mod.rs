//! A fake C library, written in Rust so that it runs anywhere, Miri included. The Rust tests `core` and `kept` and the
//! extension module `tests/standin` include this file, and each wraps the types that its tests are about.
//!
//! `control` is the side that tests use: it sets the outcome of the next calls, counts live objects, logs each acquire
//! and release, and has a gate at which calls wait.

#![allow(
    dead_code,
    unused_imports,
    reason = "each user wraps a part of the library"
)]
#![allow(
    non_camel_case_types,
    unreachable_pub,
    reason = "named as bindgen names C"
)]

mod bells;
mod configs;
mod control;
mod cursors;
mod feeds;
mod folders;
mod intakes;
mod items;
mod letters;
mod lists;
mod loaders;
mod measures;
mod numbers;
mod outlines;
mod parcels;
mod pictures;
mod players;
mod ponds;
mod quotes;
mod searches;
mod sessions;
mod shapes;
mod sheets;
mod stores;
mod tallies;

pub(crate) use bells::*;
pub(crate) use configs::*;
pub(crate) use control::*;
pub(crate) use cursors::*;
pub(crate) use feeds::*;
pub(crate) use folders::*;
pub(crate) use intakes::*;
pub(crate) use items::*;
pub(crate) use letters::*;
pub(crate) use lists::*;
pub(crate) use loaders::*;
pub(crate) use measures::*;
pub(crate) use numbers::*;
pub(crate) use outlines::*;
pub(crate) use parcels::*;
pub(crate) use pictures::*;
pub(crate) use players::*;
pub(crate) use ponds::*;
pub(crate) use quotes::*;
pub(crate) use searches::*;
pub(crate) use sessions::*;
pub(crate) use shapes::*;
pub(crate) use sheets::*;
pub(crate) use stores::*;
pub(crate) use tallies::*;
