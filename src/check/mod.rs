//! Checks of a build directory beyond co-simulation.
//!
//! * [`prove`]: every block, at every parameter set that the build uses, is equal to a plain reference.

pub mod prove;
