//! CIFAR-10: PNG in a zip or in folders, or the set's own binary batches.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use super::{DataError, Dataset, Split, file, folders, parts, tree};

/// Labels count these.
const CLASSES: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const SIDE: usize = 32;
const PLANE: usize = SIDE * SIDE;
const ZIPS: [&str; 2] = ["cifar10-png.zip", "cifar10.zip"];

enum Source {
    /// A zip or folder with `train/CLASS/NAME.png` and `test/CLASS/NAME.png`.
    Tree(PathBuf),
    /// Files of one label byte and 3,072 pixels an image.
    Batches(Vec<PathBuf>),
}

pub(super) fn open(dir: &Path, split: Split) -> Result<Dataset, DataError> {
    parts(split, |split| {
        let part = if split == Split::Train { "train" } else { "test" };
        let (images, labels) = match find(dir, part)? {
            Source::Tree(root) => read_tree(&root, part)?,
            Source::Batches(paths) => read_batches(&paths)?,
        };
        Ok(Dataset { name: "cifar10".into(), split, shape: vec![3, SIDE, SIDE], images, labels: Some(labels) })
    })
}

fn find(dir: &Path, part: &str) -> Result<Source, DataError> {
    let batches = match part {
        "train" => (1..=5).map(|n| format!("data_batch_{n}.bin")).collect(),
        _ => vec!["test_batch.bin".to_string()],
    };
    for folder in folders(dir, "cifar10") {
        if let Some(zip) = ZIPS.map(|zip| folder.join(zip)).into_iter().find(|zip| zip.is_file()) {
            return Ok(Source::Tree(zip));
        }
        if folder.join(part).is_dir() {
            return Ok(Source::Tree(folder));
        }
        for folder in [folder.join("cifar-10-batches-bin"), folder] {
            let paths: Vec<PathBuf> = batches.iter().map(|name| folder.join(name)).collect();
            if paths.iter().any(|path| path.is_file()) {
                return Ok(Source::Batches(paths)); // one that is missing is an error when it is opened
            }
        }
    }
    let looked = format!("{}, {part}/CLASS/*.png and {}", ZIPS.join(", "), batches.join(", "));
    Err(DataError::NotFound { set: "cifar10", dir: dir.into(), looked })
}

fn read_tree(root: &Path, part: &str) -> Result<(Vec<u8>, Vec<usize>), DataError> {
    let pictures = tree::read(root, part, 2, |png| {
        let picture = tree::png(png, SIDE as u32)?.into_rgb8();
        Ok((0..3).flat_map(|channel| picture.pixels().map(move |pixel| pixel.0[channel])).collect())
    })?;
    let label = |path: &Vec<String>| {
        CLASSES.iter().position(|class| *class == path[0]).ok_or_else(|| {
            let near = crate::suggest::nearest(&path[0], CLASSES);
            let reason = format!("`{}` is no class of CIFAR-10{near}; they are {}", path[0], CLASSES.join(", "));
            DataError::bad(root, format!("{part}/{}", path.join("/")), reason)
        })
    };
    let labels = pictures.paths.iter().map(label).collect::<Result<_, _>>()?;
    Ok((pictures.bytes, labels))
}

fn read_batches(paths: &[PathBuf]) -> Result<(Vec<u8>, Vec<usize>), DataError> {
    let (mut images, mut labels) = (Vec::new(), Vec::new());
    for path in paths {
        let mut bytes = Vec::new();
        let read = file::open(path)?.read_to_end(&mut bytes);
        read.map_err(|source| DataError::Io { path: path.clone(), action: "read the batch", source })?;
        let (records, rest) = bytes.as_chunks::<{ 1 + 3 * PLANE }>();
        if records.is_empty() || !rest.is_empty() {
            let reason = format!(
                "{} bytes are not a whole number of images of {} bytes; the file may be cut short, fetch it again",
                bytes.len(),
                1 + 3 * PLANE
            );
            return Err(DataError::bad(path, "batch", reason));
        }
        for (index, record) in records.iter().enumerate() {
            if usize::from(record[0]) >= CLASSES.len() {
                let reason = format!("is {}; CIFAR-10 has labels 0 to 9; fetch the file again", record[0]);
                return Err(DataError::bad(path, format!("label {index}"), reason));
            }
            labels.push(record[0].into());
            images.extend_from_slice(&record[1..]);
        }
    }
    Ok((images, labels))
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, Rgb, RgbImage};

    use super::{
        super::tree::testing::{encode, write_tree, write_zip},
        *,
    };

    /// Red counts columns, green rows, blue is `v`.
    fn picture(v: u8) -> Vec<u8> {
        encode(&DynamicImage::ImageRgb8(RgbImage::from_fn(32, 32, |x, y| Rgb([x as u8, y as u8, v]))))
    }

    fn check(set: &Dataset) {
        assert_eq!(set.shape, [3, 32, 32]);
        let image = set.image(0);
        assert_eq!(image[..34], [&(0..32).collect::<Vec<u8>>()[..], &[0, 1]].concat());
        assert_eq!((image[PLANE], image[PLANE + 31], image[PLANE + 32]), (0, 0, 1));
        assert_eq!(image[2 * PLANE..], [7; PLANE]);
    }

    fn error(dir: &Path) -> String {
        open(dir, Split::Test).unwrap_err().to_string()
    }

    #[test]
    fn zip_and_folders_are_channel_row_column_in_sorted_order() {
        let files = [
            ("test/truck/a.png", picture(9)),
            ("test/airplane/b.png", picture(8)),
            ("test/airplane/a.png", picture(7)),
            ("train/cat/a.png", picture(1)),
        ];
        let (zipped, loose) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write_zip(&zipped.path().join("cifar10-png.zip"), &files);
        write_tree(&loose.path().join("cifar10"), &files);
        for dir in [zipped.path(), loose.path()] {
            let set = open(dir, Split::Test).unwrap();
            check(&set);
            assert_eq!(set.labels.unwrap(), [0, 0, 9]);
            let all = open(dir, Split::All).unwrap();
            assert_eq!(all.labels.unwrap(), [3, 0, 0, 9]);
        }
    }

    #[test]
    fn batches_keep_their_own_order() {
        let folder = tempfile::tempdir().unwrap();
        let plane = |f: fn(usize) -> usize| (0..PLANE).map(move |i| f(i) as u8);
        let mut record = vec![6];
        record.extend(plane(|i| i % 32).chain(plane(|i| i / 32)).chain(plane(|_| 7)));
        let path = folder.path().join("test_batch.bin");
        std::fs::write(&path, [&record[..], &[2; 3073]].concat()).unwrap();
        let set = open(folder.path(), Split::Test).unwrap();
        check(&set);
        assert_eq!(set.labels.unwrap(), [6, 2]);

        std::fs::write(&path, &record[..3000]).unwrap();
        assert!(error(folder.path()).contains("3000 bytes"));
        record[0] = 10;
        std::fs::write(&path, &record).unwrap();
        assert!(error(folder.path()).contains("label 0: is 10"));
        std::fs::write(folder.path().join("data_batch_1.bin"), [2; 3073]).unwrap();
        let error = open(folder.path(), Split::Train).unwrap_err().to_string();
        assert!(error.contains("data_batch_2.bin"), "{error}");
    }

    #[test]
    fn what_is_missing_or_unknown_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(error(folder.path()).contains("cifar10-png.zip"));
        write_tree(folder.path(), &[("test/aeroplane/a.png", picture(1))]);
        let error = error(folder.path());
        assert!(error.contains("test/aeroplane/a.png") && error.contains("did you mean `airplane`?"), "{error}");
    }
}
