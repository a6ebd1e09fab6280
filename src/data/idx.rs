//! IDX, the format of MNIST: two zero bytes, a type, a number of axes, each side as a big-endian u32, then bytes.

use std::{io::Read, path::Path};

use super::{DataError, file};

/// Reads an array of unsigned bytes with `N` axes.
pub(super) fn read<const N: usize>(path: &Path) -> Result<([usize; N], Vec<u8>), DataError> {
    let mut reader = file::maybe_gzip(path)?;
    let header_cut = |e: std::io::Error| DataError::bad(path, "header", format!("{}; fetch the file again", cut(&e)));
    let mut magic = [0; 4];
    reader.read_exact(&mut magic).map_err(header_cut)?;
    let want = [0, 0, 8, N as u8];
    if magic != want {
        let reason = format!(
            "magic number {:#010x} where an IDX file of bytes with {N} axes has {:#010x}; is it another file under this name?",
            u32::from_be_bytes(magic),
            u32::from_be_bytes(want),
        );
        return Err(DataError::bad(path, "header", reason));
    }
    let mut shape = [0; N];
    for side in &mut shape {
        let mut bytes = [0; 4];
        reader.read_exact(&mut bytes).map_err(header_cut)?;
        *side = u32::from_be_bytes(bytes) as usize;
    }
    let Some(size) = shape.iter().try_fold(1usize, |a, b| a.checked_mul(*b)).filter(|s| *s <= isize::MAX as usize)
    else {
        return Err(DataError::bad(path, "header", format!("sides {shape:?} cannot be; fetch the file again")));
    };
    // grows with what is really there, whatever the header announces
    let mut bytes = Vec::new();
    let read = reader.take(size as u64 + 1).read_to_end(&mut bytes);
    if let Err(e) = read {
        let reason = format!("{} after {} of {size} bytes; fetch the file again", cut(&e), bytes.len());
        return Err(DataError::bad(path, "data", reason));
    }
    if bytes.len() != size {
        let holds = if bytes.len() > size { "more".into() } else { format!("only {}", bytes.len()) };
        let reason =
            format!("the header announces {shape:?}, {size} bytes, but there are {holds}; fetch the file again");
        return Err(DataError::bad(path, "data", reason));
    }
    Ok((shape, bytes))
}

fn cut(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => "the file is cut short".into(),
        _ => format!("the file is damaged ({error})"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    fn idx(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![0, 0, 8, shape.len() as u8];
        out.extend(shape.iter().flat_map(|s| s.to_be_bytes()));
        out.extend(bytes);
        out
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn read_bytes<const N: usize>(bytes: &[u8]) -> Result<([usize; N], Vec<u8>), String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("array");
        std::fs::write(&path, bytes).unwrap();
        read(&path).map_err(|e| e.to_string())
    }

    #[test]
    fn reads_plain_and_gzip() {
        let plain = idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6]);
        let want = ([2, 1, 3], vec![1, 2, 3, 4, 5, 6]);
        assert_eq!(read_bytes::<3>(&plain).unwrap(), want);
        assert_eq!(read_bytes::<3>(&gzip(&plain)).unwrap(), want);
    }

    #[test]
    fn every_truncation_is_an_error_with_a_remedy() {
        let bytes: Vec<u8> = (0..40).collect();
        for whole in [idx(&[5, 8], &bytes), gzip(&idx(&[5, 8], &bytes))] {
            for length in 0..whole.len() {
                let error = read_bytes::<2>(&whole[..length]).unwrap_err();
                assert!(error.contains("array: ") && error.contains("again"), "{length}: {error}");
            }
        }
    }

    #[test]
    fn damage_inside_gzip_is_found() {
        let mut bytes = gzip(&idx(&[2000], &[7; 2000]));
        let end = bytes.len();
        bytes[end - 6] ^= 1; // the checksum
        let error = read_bytes::<1>(&bytes).unwrap_err();
        assert!(error.contains("damaged"), "{error}");
    }

    #[test]
    fn a_lying_header_is_refused_without_the_memory_it_asks_for() {
        let error = read_bytes::<3>(&idx(&[u32::MAX, 1 << 15, 1 << 14], &[1; 8])).unwrap_err();
        assert!(error.contains("only 8"), "{error}");
        let error = read_bytes::<3>(&idx(&[u32::MAX, u32::MAX, u32::MAX], &[1; 8])).unwrap_err();
        assert!(error.contains("cannot be"), "{error}");
        let error = read_bytes::<1>(&idx(&[2], &[1; 3])).unwrap_err();
        assert!(error.contains("more"), "{error}");
    }

    #[test]
    fn another_magic_number_is_named() {
        let error = read_bytes::<3>(&idx(&[2], &[1, 2])).unwrap_err();
        assert!(error.contains("0x00000801") && error.contains("0x00000803"), "{error}");
    }
}
