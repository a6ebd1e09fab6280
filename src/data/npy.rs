//! Arrays in NumPy's `.npy` files: images in, predictions and scores out.

use std::{io::Read, path::Path};

use ndarray::{Array1, ArrayView2, ArrayViewD};
use ndarray_npy::{ViewElement, ViewNpyError, ViewNpyExt, WriteNpyExt};

use super::{DataError, Dataset, Split, file};

/// Longest header that is read; NumPy's own limit is 10,000.
const LONGEST_HEADER: usize = 4096;

/// Images `[n, ...]` of one byte a value, with labels from `FILE.labels.npy` where that exists.
pub(super) fn open(path: &Path) -> Result<Dataset, DataError> {
    let array = Array::read(path)?;
    let (shape, images) = array
        .all(|v: &u8| *v)
        .or_else(|| array.all(|v: &i8| *v as u8))
        .or_else(|| array.all(|v: &bool| u8::from(*v)))
        .unwrap_or_else(|| Err(array.bad("its values must be bytes; save it with `.astype(np.uint8)` or `np.int8`")))?;
    let (count, shape) = match shape.split_first() {
        Some((count, shape)) if !shape.is_empty() && !images.is_empty() => (*count, shape.to_vec()),
        _ => return Err(array.bad(format!("shape {shape:?} has no images; it must be [images, values, ...]"))),
    };
    let label_path = path.with_extension("labels.npy");
    let labels = label_path.is_file().then(|| labels(&label_path, path, count)).transpose()?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Dataset { name, split: Split::All, shape, images, labels })
}

fn labels(path: &Path, images: &Path, count: usize) -> Result<Vec<usize>, DataError> {
    let array = Array::read(path)?;
    let (shape, labels) = array
        .all(|v: &u8| i64::from(*v))
        .or_else(|| array.all(|v: &i16| i64::from(*v)))
        .or_else(|| array.all(|v: &i32| i64::from(*v)))
        .or_else(|| array.all(|v: &i64| *v))
        .unwrap_or_else(|| {
            Err(array.bad("labels must be whole numbers; save them with `.astype(np.uint8)` or `np.int64`"))
        })?;
    if shape != [count] {
        let reason = format!("has shape {shape:?}; the {count} images of {} need [{count}]", images.display());
        return Err(array.bad(reason));
    }
    let label = |(at, label): (usize, i64)| {
        usize::try_from(label)
            .map_err(|_| DataError::bad(path, format!("label {at}"), format!("is {label}; labels count from 0")))
    };
    labels.into_iter().enumerate().map(label).collect()
}

/// Shape, and values in row-major order.
type Values<V> = Result<(Vec<usize>, Vec<V>), DataError>;

/// A file that is known to be `.npy`, at an address where any element type may be viewed in place.
struct Array<'a> {
    path: &'a Path,
    bytes: Vec<u8>,
    start: usize,
}

impl<'a> Array<'a> {
    fn read(path: &'a Path) -> Result<Self, DataError> {
        let io = |source| DataError::Io { path: path.into(), action: "read the array", source };
        let mut bytes = Vec::new();
        file::open(path)?.read_to_end(&mut bytes).map_err(io)?;
        let length = bytes.len();
        bytes.resize(length + 8, 0);
        let start = bytes.as_ptr().align_offset(8).min(8);
        bytes.copy_within(..length, start);
        bytes.truncate(start + length);
        let array = Self { path, bytes, start };
        array.check_header()?;
        Ok(array)
    }

    /// What the parser of the header takes on trust: a length that is in the file, and no nesting.
    fn check_header(&self) -> Result<(), DataError> {
        let bytes = &self.bytes[self.start..];
        if !bytes.starts_with(b"\x93NUMPY") {
            return Err(self.bad("it is no .npy file; write it with `np.save`"));
        }
        let (length, at) = match bytes.get(6..12) {
            Some(&[1, _, a, b, ..]) => (u16::from_le_bytes([a, b]).into(), 10),
            Some(&[_, _, a, b, c, d]) => (u32::from_le_bytes([a, b, c, d]) as usize, 12),
            _ => return Err(self.bad("the file is cut short; write it again")),
        };
        let Some(header) = bytes[at.min(bytes.len())..].get(..length) else {
            return Err(self.bad("the file is cut short in its header; write it again"));
        };
        let count = |c: u8| header.iter().filter(|b| **b == c).count();
        if length > LONGEST_HEADER || count(b'(') > 1 || count(b'{') > 1 || count(b'[') > 0 {
            return Err(self.bad("its header is not that of a plain array; save one array of one number type"));
        }
        Ok(())
    }

    /// The whole array, or nothing where the elements are of another type.
    fn all<T: ViewElement, V>(&self, value: impl Fn(&T) -> V) -> Option<Values<V>> {
        match ArrayViewD::<T>::view_npy(&self.bytes[self.start..]) {
            Ok(view) => Some(Ok((view.shape().to_vec(), view.iter().map(value).collect()))),
            Err(ViewNpyError::WrongDescriptor(_)) => None,
            Err(ViewNpyError::MissingBytes(n)) => Some(Err(self.bad(format!("{n} bytes are missing; write it again")))),
            Err(ViewNpyError::ExtraBytes(n)) => Some(Err(self.bad(format!("{n} bytes too many; write it again")))),
            Err(ViewNpyError::NonNativeEndian) => {
                Some(Err(self.bad("its bytes are in the other order; save little-endian numbers")))
            }
            Err(e) => Some(Err(self.bad(format!("{e}; write it again with `np.save`")))),
        }
    }

    fn bad(&self, reason: impl Into<String>) -> DataError {
        DataError::bad(self.path, "array", reason)
    }
}

/// Writes the class of each image as int64, `[images]`.
pub fn write_predictions(path: &Path, classes: &[usize]) -> Result<(), DataError> {
    write(path, &Array1::from_iter(classes.iter().map(|c| *c as i64)))
}

/// Writes the integer scores of each image as int32, `[images, classes]`.
pub fn write_scores(path: &Path, scores: ArrayView2<i32>) -> Result<(), DataError> {
    write(path, &scores)
}

fn write(path: &Path, array: &impl WriteNpyExt) -> Result<(), DataError> {
    let mut bytes = Vec::new();
    array.write_npy(&mut bytes).expect("memory takes any plain array");
    let io = |source| DataError::Io { path: path.into(), action: "write the array", source };
    crate::whole_file::write(path, &bytes).map_err(io)
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, Array3, ShapeBuilder, arr1, arr2};
    use tempfile::TempDir;

    use super::*;

    fn save(folder: &TempDir, name: &str, array: &impl WriteNpyExt) {
        write(&folder.path().join(name), array).unwrap();
    }

    fn open_in(folder: &TempDir) -> Result<Dataset, String> {
        open(&folder.path().join("x.npy")).map_err(|e| e.to_string())
    }

    #[test]
    fn reads_bytes_of_either_sign_and_bools() {
        let folder = tempfile::tempdir().unwrap();
        save(&folder, "x.npy", &Array3::from_shape_fn((2, 3, 2), |(n, r, c)| (100 * n + 10 * r + c) as u8));
        let set = open_in(&folder).unwrap();
        assert_eq!((set.name.as_str(), set.len(), &set.shape[..], &set.labels), ("x.npy", 2, &[3, 2][..], &None));
        assert_eq!(set.image(1), [100, 101, 110, 111, 120, 121]);
        save(&folder, "x.npy", &arr2(&[[-1i8, 0, 127]]));
        assert_eq!(open_in(&folder).unwrap().image(0), [255, 0, 127]);
        save(&folder, "x.npy", &arr2(&[[true, false]]));
        assert_eq!(open_in(&folder).unwrap().image(0), [1, 0]);
    }

    #[test]
    fn column_order_is_put_right() {
        let folder = tempfile::tempdir().unwrap();
        let mut array = Array2::<u8>::zeros((2, 3).f());
        array.assign(&arr2(&[[1, 2, 3], [4, 5, 6]]));
        save(&folder, "x.npy", &array);
        assert_eq!(open_in(&folder).unwrap().images, [1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn labels_lie_beside_the_images() {
        let folder = tempfile::tempdir().unwrap();
        save(&folder, "x.npy", &arr2(&[[1u8, 2], [3, 4]]));
        save(&folder, "x.labels.npy", &arr1(&[7u8, 8]));
        assert_eq!(open_in(&folder).unwrap().labels.unwrap(), [7, 8]);
        save(&folder, "x.labels.npy", &arr1(&[7i32, 8]));
        assert_eq!(open_in(&folder).unwrap().labels.unwrap(), [7, 8]);
        save(&folder, "x.labels.npy", &arr1(&[7i64, 8]));
        assert_eq!(open_in(&folder).unwrap().labels.unwrap(), [7, 8]);
        save(&folder, "x.labels.npy", &arr1(&[7i64, -8]));
        assert!(open_in(&folder).unwrap_err().contains("label 1: is -8"));
        save(&folder, "x.labels.npy", &arr1(&[7i64]));
        assert!(open_in(&folder).unwrap_err().contains("has shape [1]; the 2 images"));
        save(&folder, "x.labels.npy", &arr1(&[7f64, 8.0]));
        assert!(open_in(&folder).unwrap_err().contains("whole numbers"));
    }

    #[test]
    fn arrays_that_hold_no_images_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        save(&folder, "x.npy", &arr2(&[[0.5f32]]));
        assert!(open_in(&folder).unwrap_err().contains("astype(np.uint8)"));
        save(&folder, "x.npy", &arr1(&[1u8]));
        assert!(open_in(&folder).unwrap_err().contains("shape [1]"));
        for shape in [(0, 5), (5, 0)] {
            save(&folder, "x.npy", &Array2::<u8>::zeros(shape));
            assert!(open_in(&folder).unwrap_err().contains("no images"));
        }
        std::fs::remove_file(folder.path().join("x.npy")).unwrap();
        assert!(open_in(&folder).unwrap_err().contains("cannot open"));
    }

    #[test]
    fn every_truncation_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        save(&folder, "x.npy", &arr2(&[[1u8, 2], [3, 4]]));
        let whole = std::fs::read(&path).unwrap();
        for length in 0..whole.len() {
            std::fs::write(&path, &whole[..length]).unwrap();
            let error = open_in(&folder).unwrap_err();
            assert!(error.contains("x.npy: array: "), "{length}: {error}");
        }
        std::fs::write(&path, [&whole[..], b"x"].concat()).unwrap();
        assert!(open_in(&folder).unwrap_err().contains("1 bytes too many"));
    }

    #[test]
    fn a_lying_header_is_refused_without_the_memory_it_asks_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let file = |version: u8, length: &[u8], header: &str| {
            [b"\x93NUMPY", &[version, 0][..], length, header.as_bytes(), b"\n", &[1; 8]].concat()
        };
        let v1 = |header: &str| file(1, &(header.len() as u16 + 1).to_le_bytes(), header);
        let array = |shape: &str| v1(&format!("{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}"));
        std::fs::write(&path, array("(2, 4)")).unwrap();
        assert_eq!(open_in(&folder).unwrap().len(), 2);
        let bad = [
            array("(1000000000000, 4)"),
            array("(9223372036854775807, 9223372036854775807)"),
            array("(99999999999999999999999999, 1)"),
            array("(0, 9223372036854775807)"),
            array("(-1, 4)"),
            array("()"),
            array(&"(".repeat(60_000)),
            array(&"[".repeat(60_000)),
            v1(&"{".repeat(60_000)),
            v1(""),
            v1("no dictionary"),
            v1("{'descr': '|u1'}"),
            file(2, &u32::MAX.to_le_bytes(), "{}"),
            file(9, &3u32.to_le_bytes(), "{}"),
        ];
        for bytes in bad {
            std::fs::write(&path, bytes).unwrap();
            let error = open_in(&folder).unwrap_err();
            assert!(error.contains("x.npy: array: "), "{error}");
        }
    }

    #[test]
    fn results_are_written_as_numpy_reads_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("p.npy");
        write_predictions(&path, &[3, 1]).unwrap();
        assert_eq!(ndarray_npy::read_npy::<_, Array1<i64>>(&path).unwrap(), arr1(&[3, 1]));
        let scores = arr2(&[[-5, 2], [7, i32::MIN]]);
        write_scores(&path, scores.view()).unwrap();
        assert_eq!(ndarray_npy::read_npy::<_, Array2<i32>>(&path).unwrap(), scores);
        let error = write_predictions(&folder.path().join("none/p.npy"), &[]).unwrap_err().to_string();
        assert!(error.contains("none/p.npy: cannot write"), "{error}");
    }
}
