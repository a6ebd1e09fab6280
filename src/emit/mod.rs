//! Plan to Verilog: the block library, a generated top, memory images, simulation and synthesis files.
//!
//! Templates name, size and wire; the numbers come from the plan and the logic stands in `rtl/`.

mod access;
mod blocks;
mod build;
mod cells;
mod images;
mod library;
mod memory;
pub mod registers;
mod spares;
mod stages;
mod views;

pub use build::{BANK_FILES, BuildError, FAULTS, GRID_FILES, Manifest, digest, write};
pub use cells::Cells;
pub use library::{FORMAL, LIBRARY};
pub use stages::bank;
pub use views::{ICARUS_IMAGES, Tap, TapKind, taps};

/// Bits of the sense sequencer's cycle counters.
pub const COUNT_WIDTH: usize = 12;
