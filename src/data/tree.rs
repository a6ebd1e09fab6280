//! Pictures in a tree of folders, or in a zip that holds one, in sorted path order.

use std::{
    fs::File,
    io::{BufReader, Cursor, Read},
    path::{Path, PathBuf},
};

use image::{DynamicImage, ImageDecoder, Limits, codecs::png::PngDecoder};
use rayon::prelude::*;
use zip::ZipArchive;

use super::{DataError, file};

/// Largest PNG that is read; those of the sets have less than 4 KiB.
const LARGEST_PNG: u64 = 1 << 18;

/// Pictures that are in memory as PNG at one time.
const BATCH: usize = 1024;

/// Pictures of one size, decoded.
pub(super) struct Pictures {
    /// Names below the part's folder, sorted as bytes, name by name.
    pub paths: Vec<Vec<String>>,
    pub bytes: Vec<u8>,
}

struct Entry {
    path: Vec<String>,
    at: At,
}

enum At {
    Zip(usize),
    File(PathBuf),
}

/// Reads every PNG that lies `depth` names below the folder `part` of `root`, which is a folder or a zip.
/// `decode` turns one into bytes.
pub(super) fn read(
    root: &Path,
    part: &str,
    depth: usize,
    decode: impl Fn(&[u8]) -> Result<Vec<u8>, String> + Sync,
) -> Result<Pictures, DataError> {
    let mut archive = if root.is_dir() { None } else { Some(open_zip(root)?) };
    let mut entries = match &archive {
        Some(archive) => zip_entries(archive, part, depth),
        None => {
            let mut found = Vec::new();
            walk(&root.join(part), depth, &mut Vec::new(), &mut found)?;
            found
        }
    };
    if entries.is_empty() {
        let form = ["*"].repeat(depth - 1).join("/");
        let reason = format!("has no pictures {part}/{form}/*.png; unpack or fetch the set again");
        return Err(DataError::bad(root, part, reason));
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let mut bytes = Vec::new();
    for batch in entries.chunks(BATCH) {
        let pngs = batch.iter().map(|e| fetch(e, &mut archive, root, part)).collect::<Result<Vec<_>, _>>()?;
        let pictures: Vec<_> = pngs.par_iter().map(|png| decode(png)).collect();
        for (entry, picture) in batch.iter().zip(pictures) {
            bytes.extend(picture.map_err(|reason| bad(entry, root, part, reason))?);
        }
    }
    Ok(Pictures { paths: entries.into_iter().map(|e| e.path).collect(), bytes })
}

fn bad(entry: &Entry, root: &Path, part: &str, reason: String) -> DataError {
    DataError::bad(root, format!("{part}/{}", entry.path.join("/")), format!("{reason}; fetch the set again"))
}

fn open_zip(path: &Path) -> Result<ZipArchive<BufReader<File>>, DataError> {
    ZipArchive::new(file::open(path)?)
        .map_err(|e| DataError::bad(path, "zip", format!("{e}; the file is cut short or damaged, fetch it again")))
}

fn zip_entries(archive: &ZipArchive<BufReader<File>>, part: &str, depth: usize) -> Vec<Entry> {
    let entry = |index| {
        let mut names = archive.name_for_index(index)?.split('/');
        names.by_ref().find(|name| *name == part)?;
        let path: Vec<String> = names.map(String::from).collect();
        (path.len() == depth && is_png(&path[depth - 1])).then_some(Entry { path, at: At::Zip(index) })
    };
    (0..archive.len()).filter_map(entry).collect()
}

fn walk(folder: &Path, depth: usize, above: &mut Vec<String>, found: &mut Vec<Entry>) -> Result<(), DataError> {
    let io = |source| DataError::Io { path: folder.into(), action: "list the folder", source };
    for item in std::fs::read_dir(folder).map_err(io)? {
        let path = item.map_err(io)?.path();
        above.push(path.file_name().unwrap_or_default().to_string_lossy().into_owned());
        if depth > 1 && path.is_dir() {
            walk(&path, depth - 1, above, found)?;
        } else if depth == 1 && is_png(&above[above.len() - 1]) {
            found.push(Entry { path: above.clone(), at: At::File(path) });
        }
        above.pop();
    }
    Ok(())
}

/// Whether a name is that of a picture, not of the hidden companions that some systems put beside it.
fn is_png(name: &str) -> bool {
    name.ends_with(".png") && !name.starts_with('.')
}

/// The bytes of one PNG.
fn fetch(
    entry: &Entry,
    archive: &mut Option<ZipArchive<BufReader<File>>>,
    root: &Path,
    part: &str,
) -> Result<Vec<u8>, DataError> {
    let bad = |reason: String| bad(entry, root, part, reason);
    let mut png = Vec::new();
    match (&entry.at, archive) {
        (At::Zip(index), Some(archive)) => {
            let inner = archive.by_index(*index).map_err(|e| bad(e.to_string()))?;
            inner.take(LARGEST_PNG + 1).read_to_end(&mut png).map_err(|e| bad(format!("cannot be unpacked ({e})")))?;
        }
        (At::File(path), _) => {
            let read = file::open(path)?.take(LARGEST_PNG + 1).read_to_end(&mut png);
            read.map_err(|source| DataError::Io { path: path.clone(), action: "read the picture", source })?;
        }
        (At::Zip(_), None) => unreachable!("entries of a zip come from an open one"),
    }
    match png.len() as u64 > LARGEST_PNG {
        true => Err(bad(format!("is larger than {LARGEST_PNG} bytes, which no picture of the set is"))),
        false => Ok(png),
    }
}

/// Decodes a PNG whose sides and depth must be the set's.
pub(super) fn png(bytes: &[u8], side: u32) -> Result<DynamicImage, String> {
    let damaged = |e: image::ImageError| format!("is no usable PNG ({e})");
    let mut limits = Limits::default();
    limits.max_alloc = Some(1 << 24);
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits).map_err(damaged)?;
    let (columns, rows) = decoder.dimensions();
    if (columns, rows) != (side, side) {
        return Err(format!("has {rows}x{columns} pixels; those of the set have {side}x{side}"));
    }
    let picture = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    match picture {
        DynamicImage::ImageLuma8(_)
        | DynamicImage::ImageLumaA8(_)
        | DynamicImage::ImageRgb8(_)
        | DynamicImage::ImageRgba8(_) => Ok(picture),
        _ => Err("has more than 8 bits a channel".into()),
    }
}

#[cfg(test)]
pub(super) mod testing {
    use std::io::Write;

    use image::ImageFormat;
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    pub fn encode(picture: &DynamicImage) -> Vec<u8> {
        let mut png = Cursor::new(Vec::new());
        picture.write_to(&mut png, ImageFormat::Png).unwrap();
        png.into_inner()
    }

    pub fn write_tree(folder: &Path, files: &[(&str, Vec<u8>)]) {
        for (name, bytes) in files {
            let path = folder.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }

    pub fn write_zip(path: &Path, files: &[(&str, Vec<u8>)]) {
        let mut zip = ZipWriter::new(File::create(path).unwrap());
        for (name, bytes) in files {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap();
    }
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, ImageBuffer, Luma};

    use super::{testing::*, *};

    /// A picture of 2x2 whose pixels are `v`.
    fn small(v: u8) -> Vec<u8> {
        encode(&DynamicImage::ImageLuma8(GrayImage::from_pixel(2, 2, Luma([v]))))
    }

    fn gray(png_bytes: &[u8]) -> Result<Vec<u8>, String> {
        Ok(png(png_bytes, 2)?.to_luma8().into_raw())
    }

    fn files() -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("top/part/b/2.png", small(4)),
            ("top/part/a-b/1.png", small(3)),
            ("top/part/a/2.png", small(2)),
            ("top/part/a/10.png", small(1)),
            ("top/part/a/._10.png", vec![1, 2, 3]),
            ("top/part/a/notes.txt", vec![]),
            ("top/part/stray.png", small(9)),
            ("top/other/a/1.png", small(9)),
        ]
    }

    #[test]
    fn zip_and_folder_give_the_same_in_sorted_order() {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("set.zip");
        write_zip(&zip, &files());
        write_tree(folder.path(), &files());
        for root in [zip, folder.path().join("top")] {
            let pictures = read(&root, "part", 2, gray).unwrap();
            let names: Vec<String> = pictures.paths.iter().map(|p| p.join("/")).collect();
            assert_eq!(names, ["a/10.png", "a/2.png", "a-b/1.png", "b/2.png"], "name by name, as bytes");
            assert_eq!(pictures.bytes, [[1; 4], [2; 4], [3; 4], [4; 4]].concat());
        }
    }

    #[test]
    fn damage_is_named_with_its_picture() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let try_png = |bytes: Vec<u8>| {
            write_tree(root, &[("part/a/1.png", bytes)]);
            let Err(error) = read(root, "part", 2, gray) else { panic!("took it") };
            let error = error.to_string();
            assert!(error.contains(": part/a/1.png: ") && error.contains("fetch"), "{error}");
            error
        };
        let whole = small(7);
        for length in 0..whole.len() - 12 {
            try_png(whole[..length].to_vec()); // the last 12 bytes only say that it ends
        }
        assert!(try_png(vec![0; LARGEST_PNG as usize + 1]).contains("larger"));
        let wide = DynamicImage::ImageLuma8(GrayImage::new(3, 2));
        assert!(try_png(encode(&wide)).contains("2x3 pixels; those of the set have 2x2"));
        let deep = DynamicImage::ImageLuma16(ImageBuffer::from_pixel(2, 2, Luma([300])));
        assert!(try_png(encode(&deep)).contains("8 bits"));
        let mut flipped = whole.clone();
        let data = whole.windows(4).position(|w| w == b"IDAT").unwrap() + 8;
        flipped[data] ^= 0x10;
        assert!(try_png(flipped).contains("PNG"));
    }

    #[test]
    fn a_damaged_zip_is_an_error_at_every_length() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.zip");
        write_zip(&path, &files());
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let Err(error) = read(&path, "part", 2, gray) else { panic!("took {length} bytes") };
            assert!(error.to_string().contains("set.zip: "), "{error}");
        }
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x55;
            std::fs::write(&path, &bytes).unwrap();
            let _ = read(&path, "part", 2, gray); // may do no harm, must not panic
        }
    }

    #[test]
    fn an_empty_tree_says_what_it_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("set.zip");
        write_zip(&zip, &[("part/1.png", small(1))]);
        let Err(error) = read(&zip, "part", 2, gray) else { panic!() };
        assert!(error.to_string().contains("no pictures part/*/*.png"), "{error}");
    }
}
