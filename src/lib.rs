//! hafnia turns a trained binary or ternary neural network into verified RTL around RRAM arrays.
//!
//! Data moves one way:
//!
//! ```text
//! network file ─► network ─► plan ─┬─► golden ─► trace ─┐
//!               hardware.toml      │                    ├─► cosim ─► verdict
//!                                  └─► emit ─► build ───┘
//! ```
//!
//! * [`network`]: what was trained; no hardware.
//! * [`hardware`]: reads `hardware.toml`.
//! * [`fault_map`]: faulty cells of a chip's arrays.
//! * [`plan`]: how the network lies on arrays; every number that both sides need.
//! * [`mod@reference`]: hardware-free evaluation, slow and plain; never reads a plan.
//! * [`golden`]: what the hardware of a plan computes, bit for bit; integers only.
//! * [`emit`]: plan to Verilog, memory images and a build directory.
//! * [`cosim`]: runs the simulator and compares every layer with the golden model.
//! * [`check`] and [`synth`]: proofs of the blocks and synthesis, with Yosys.
//! * [`data`]: the data sets.

mod cache;
pub mod check;
pub mod cli;
pub mod cosim;
pub mod data;
pub mod device;
pub mod emit;
pub mod fault_map;
pub mod golden;
pub mod hardware;
mod includes;
pub mod network;
pub mod plan;
pub mod reference;
pub mod suggest;
pub mod synth;
pub mod text;
pub mod tool;
mod whole_file;
