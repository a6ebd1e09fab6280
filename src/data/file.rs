//! Bytes of a file, unpacked where it is gzip.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;

use super::DataError;

/// Opens a file for reading.
pub(super) fn open(path: &Path) -> Result<BufReader<File>, DataError> {
    let io = |source| DataError::Io { path: path.into(), action: "open the file", source };
    let file = File::open(path).map_err(io)?;
    match file.metadata().map_err(io)?.is_dir() {
        true => Err(io(std::io::Error::other("it is a folder"))),
        false => Ok(BufReader::new(file)),
    }
}

/// A file's bytes, unpacked where its first two say gzip, whatever its name says.
pub(super) fn maybe_gzip(path: &Path) -> Result<Box<dyn Read>, DataError> {
    let mut magic = [0; 2];
    let gzip = open(path)?.read_exact(&mut magic).is_ok() && magic == [0x1f, 0x8b];
    let file = open(path)?;
    Ok(if gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}
