//! Safe Rust over true annotations cannot break memory: each file takes one subject, wraps a small C library written in
//! Rust, and does in safe code what an author or a user may do.
//!
//! The libraries count what they give out and take back ([`native`]), so each test fails by itself where a resource is
//! released twice, used after its release, or lost. `tools/sanitize.sh` runs the same tests under AddressSanitizer and
//! Miri, which also see the memory of the runtime:
//!
//! ```sh
//! cargo test -p leakproof --test soundness
//! cargo test -p leakproof --no-default-features --test soundness
//! tools/sanitize.sh rust
//! ```

#[allow(dead_code, reason = "each subject counts something else")]
mod native;

#[path = "../kept/forked.rs"]
mod forked;

mod addresses;
mod aliasing;
mod alone;
mod alone_beside;
mod alone_locked;
mod alone_owners;
mod alone_reached;
mod alone_ways;
mod author_code;
mod auto_traits;
mod borrowed_views;
mod bound;
mod callbacks;
mod captured;
mod children;
mod code_on_the_way_to_a_lock;
mod copied_structs;
mod counted;
mod cursors;
mod drops;
mod edited;
mod edited_by_code;
mod exclusive;
mod expressions;
mod for_good;
mod former;
mod gifts;
mod given;
mod given_back;
mod given_owners;
mod kept_nodes;
mod kept_owners;
mod left_behind;
mod lent_again;
mod lent_beside;
mod lent_parents;
mod lent_values;
mod lent_views;
mod owners;
mod panic_of;
mod parents;
mod places;
mod pools;
mod raising;
mod reached;
mod replaced;
mod reuse;
mod scope;
mod several;
mod shared;
mod stray_makers;
mod stray_types;
mod strays;
mod temporaries;
mod trees;
mod uses;
mod viewed;
mod viewed_elsewhere;
mod waits;

use panic_of::panic_of;
