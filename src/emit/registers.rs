//! Addresses of the registers that the benches use; the blocks' headers say what they mean.

/// hf_array_access.
pub const BANK: u8 = 0x84;
pub const ARRAY: u8 = 0x90;
pub const LINE: u8 = 0x94;
pub const WORD: u8 = 0x98;
pub const DATA: u8 = 0x9C;
pub const MASK: u8 = 0xA0;
pub const WRONG: u8 = 0xA4;
pub const COMMAND: u8 = 0xA8;
pub const STATE: u8 = 0xAC;
pub const ATTEMPTS: u8 = 0xC0;
pub const TRIM: u8 = 0xC4;

/// Commands: verify of every cell; RESET, SET and verify.
pub const READ: u32 = 4;
pub const PROGRAM: u32 = 5;
/// Of STATE: a command is carried out; the last PROGRAM failed.
pub const BUSY: u32 = 1;
pub const FAILED_BIT: u8 = 1;
