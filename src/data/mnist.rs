//! MNIST: four IDX files, gzip or not, with either spelling of their names.

use std::path::{Path, PathBuf};

use super::{DataError, Dataset, Split, folders, idx, parts};

const SIDE: usize = 28;
const CLASSES: u8 = 10;

pub(super) fn open(dir: &Path, split: Split) -> Result<Dataset, DataError> {
    parts(split, |split| open_part(dir, split))
}

fn open_part(dir: &Path, split: Split) -> Result<Dataset, DataError> {
    let part = if split == Split::Train { "train" } else { "t10k" };
    let image_path = find(dir, part, "images", 3)?;
    let label_path = find(dir, part, "labels", 1)?;
    let ([count, rows, columns], images) = idx::read::<3>(&image_path)?;
    if rows != SIDE || columns != SIDE || count == 0 {
        let reason = format!("{count} images of {rows}x{columns}; MNIST has images of {SIDE}x{SIDE}");
        return Err(DataError::bad(image_path, "header", reason));
    }
    let ([label_count], labels) = idx::read::<1>(&label_path)?;
    if label_count != count {
        let reason =
            format!("{label_count} labels for the {count} images of {}; fetch both again", image_path.display());
        return Err(DataError::bad(label_path, "header", reason));
    }
    if let Some(at) = labels.iter().position(|l| *l >= CLASSES) {
        let reason = format!("is {}; MNIST has labels 0 to 9; fetch the file again", labels[at]);
        return Err(DataError::bad(label_path, format!("label {at}"), reason));
    }
    let labels = labels.into_iter().map(usize::from).collect();
    Ok(Dataset { name: "mnist".into(), split, shape: vec![SIDE, SIDE], images, labels: Some(labels) })
}

/// `PART-WHAT-idxN-ubyte` or `PART-WHAT.idxN-ubyte`, with or without `.gz`.
fn find(dir: &Path, part: &str, what: &str, axes: usize) -> Result<PathBuf, DataError> {
    let names =
        ["", ".gz"].into_iter().flat_map(|gz| ["-", "."].map(|dot| format!("{part}-{what}{dot}idx{axes}-ubyte{gz}")));
    let names: Vec<String> = names.collect();
    let candidates = folders(dir, "mnist");
    let mut paths = candidates.iter().flat_map(|folder| names.iter().map(move |name| folder.join(name)));
    paths.find(|path| path.is_file()).ok_or_else(|| DataError::NotFound {
        set: "mnist",
        dir: dir.into(),
        looked: format!("{part}-{what}-idx{axes}-ubyte, with or without .gz"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, shape: &[u32], bytes: &[u8]) {
        let mut out = vec![0, 0, 8, shape.len() as u8];
        out.extend(shape.iter().flat_map(|s| s.to_be_bytes()));
        out.extend(bytes);
        std::fs::write(folder.join(name), out).unwrap();
    }

    /// `count` test images whose bytes all equal the image's index, labels counting up.
    fn small(folder: &Path, count: u8) {
        let images: Vec<u8> = (0..count).flat_map(|i| [i; 784]).collect();
        write(folder, "t10k-images.idx3-ubyte", &[count.into(), 28, 28], &images);
        write(folder, "t10k-labels-idx1-ubyte", &[count.into()], &(0..count).collect::<Vec<_>>());
    }

    fn error(folder: &Path) -> String {
        open(folder, Split::Test).unwrap_err().to_string()
    }

    #[test]
    fn opens_the_folder_itself_or_one_above_in_both_spellings() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("mnist");
        std::fs::create_dir(&inner).unwrap();
        small(&inner, 4);
        for dir in [folder.path(), &inner] {
            let set = open(dir, Split::Test).unwrap();
            assert_eq!((set.len(), &set.shape[..]), (4, &[28, 28][..]));
            assert_eq!(set.image(3), [3; 784]);
            assert_eq!(set.labels.unwrap(), [0, 1, 2, 3]);
        }
    }

    #[test]
    fn train_comes_before_test_in_the_whole_set() {
        let folder = tempfile::tempdir().unwrap();
        small(folder.path(), 2);
        write(folder.path(), "train-images-idx3-ubyte", &[1, 28, 28], &[99; 784]);
        write(folder.path(), "train-labels-idx1-ubyte", &[1], &[9]);
        let set = open(folder.path(), Split::All).unwrap();
        assert_eq!((set.len(), set.image(0)[0], set.split), (3, 99, Split::All));
        assert_eq!(set.labels.unwrap(), [9, 0, 1]);
    }

    #[test]
    fn bad_sets_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path();
        assert!(error(dir).contains("t10k-images-idx3-ubyte"), "{}", error(dir));
        small(dir, 3);
        write(dir, "t10k-labels-idx1-ubyte", &[2], &[0, 1]);
        assert!(error(dir).contains("2 labels for the 3 images"), "{}", error(dir));
        write(dir, "t10k-labels-idx1-ubyte", &[3], &[0, 1, 10]);
        assert!(error(dir).contains("label 2: is 10"), "{}", error(dir));
        write(dir, "t10k-images.idx3-ubyte", &[3, 8, 8], &[0; 192]);
        assert!(error(dir).contains("3 images of 8x8"), "{}", error(dir));
        std::fs::remove_file(dir.join("t10k-labels-idx1-ubyte")).unwrap();
        assert!(error(dir).contains("t10k-labels-idx1-ubyte"), "{}", error(dir));
    }
}
