//! A set of one's own: `train.npy` and `test.npy`, each with its labels beside it.

use std::path::Path;

use super::{DataError, Dataset, Split, folders, npy, parts};

pub(super) fn open(dir: &Path, split: Split) -> Result<Dataset, DataError> {
    parts(split, |split| open_part(dir, split))
}

fn open_part(dir: &Path, split: Split) -> Result<Dataset, DataError> {
    let part = if split == Split::Train { "train" } else { "test" };
    let mut paths = folders(dir, "arrays").into_iter().map(|folder| folder.join(format!("{part}.npy")));
    let Some(path) = paths.find(|path| path.is_file()) else {
        let looked = format!("{part}.npy, and its labels in {part}.labels.npy");
        return Err(DataError::NotFound { set: "arrays", dir: dir.into(), looked });
    };
    let set = npy::open(&path)?;
    if set.labels.is_none() {
        return Err(DataError::bad(
            path,
            "labels",
            format!("there are none; save them beside it as {part}.labels.npy"),
        ));
    }
    Ok(Dataset { name: "arrays".into(), split, ..set })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2, Array3};
    use ndarray_npy::WriteNpyExt;
    use tempfile::TempDir;

    use super::*;

    fn save(folder: &Path, name: &str, array: &impl WriteNpyExt) {
        let mut bytes = Vec::new();
        array.write_npy(&mut bytes).unwrap();
        std::fs::write(folder.join(name), bytes).unwrap();
    }

    fn error(folder: &TempDir, split: Split) -> String {
        open(folder.path(), split).unwrap_err().to_string()
    }

    #[test]
    fn both_parts_come_with_their_labels() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("arrays");
        std::fs::create_dir(&inner).unwrap();
        save(&inner, "train.npy", &Array3::from_shape_fn((3, 2, 2), |(i, r, c)| (4 * i + 2 * r + c) as u8));
        save(&inner, "train.labels.npy", &Array1::from(vec![2u8, 0, 1]));
        save(&inner, "test.npy", &Array3::from_elem((1, 2, 2), 7u8));
        save(&inner, "test.labels.npy", &Array1::from(vec![2i64]));
        for dir in [folder.path(), &inner] {
            let train = open(dir, Split::Train).unwrap();
            assert_eq!((train.name.as_str(), train.shape.as_slice(), train.len()), ("arrays", &[2, 2][..], 3));
            assert_eq!((train.image(1), train.labels.as_deref()), (&[4, 5, 6, 7][..], Some(&[2, 0, 1][..])));
            let all = open(dir, Split::All).unwrap();
            assert_eq!((all.image(3), all.labels.as_deref()), (&[7; 4][..], Some(&[2, 0, 1, 2][..])));
            assert_eq!((all.split, open(dir, Split::Test).unwrap().split), (Split::All, Split::Test));
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let message = error(&folder, Split::Train);
        assert!(message.contains("no arrays there or in `arrays/`") && message.contains("train.npy"), "{message}");
        save(folder.path(), "train.npy", &Array2::from_elem((2, 3), 1u8));
        let message = error(&folder, Split::Train);
        assert!(message.contains("train.npy: labels: there are none") && message.contains("train.labels.npy"));
        save(folder.path(), "train.labels.npy", &Array1::from(vec![0u8, 1]));
        save(folder.path(), "test.npy", &Array2::from_elem((2, 4), 1u8));
        save(folder.path(), "test.labels.npy", &Array1::from(vec![0u8, 1]));
        assert_eq!(open(folder.path(), Split::Test).unwrap().shape, [4]);
        let message = error(&folder, Split::All);
        assert!(message.contains("[4]") && message.contains("[3]"), "{message}");
    }
}
