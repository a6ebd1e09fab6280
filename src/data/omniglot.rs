//! Omniglot: 20 drawings of each of many characters, 105x105, as ink.

use std::path::{Path, PathBuf};

use super::{DataError, Dataset, Split, folders, parts, tree};

/// Pixels along each side of a drawing.
pub(super) const SIDE: usize = 105;

/// The background set trains, the evaluation set tests; one class a character.
pub(super) fn open(dir: &Path, split: Split) -> Result<Dataset, DataError> {
    let mut before = 0;
    parts(split, |split| {
        let part = if split == Split::Train { "images_background" } else { "images_evaluation" };
        let mut set = open_part(&find(dir, part)?, part, split)?;
        let labels = set.labels.get_or_insert_default();
        labels.iter_mut().for_each(|label| *label += before);
        before = labels.last().map_or(0, |label| label + 1);
        Ok(set)
    })
}

/// `PART.zip`, or the folder that holds `PART/`.
fn find(dir: &Path, part: &str) -> Result<PathBuf, DataError> {
    for folder in folders(dir, "omniglot") {
        let zip = folder.join(format!("{part}.zip"));
        if zip.is_file() {
            return Ok(zip);
        }
        if folder.join(part).is_dir() {
            return Ok(folder);
        }
    }
    let looked = format!("{part}.zip and {part}/ALPHABET/CHARACTER/*.png");
    Err(DataError::NotFound { set: "omniglot", dir: dir.into(), looked })
}

fn open_part(root: &Path, part: &str, split: Split) -> Result<Dataset, DataError> {
    let pictures = tree::read(root, part, 3, ink)?;
    let mut labels = Vec::with_capacity(pictures.paths.len());
    for (index, path) in pictures.paths.iter().enumerate() {
        labels.push(match index.checked_sub(1).map(|i| &pictures.paths[i]) {
            None => 0,
            Some(previous) => labels[index - 1] + usize::from(previous[..2] != path[..2]),
        });
    }
    Ok(Dataset {
        name: "omniglot".into(),
        split,
        shape: vec![SIDE, SIDE],
        images: pictures.bytes,
        labels: Some(labels),
    })
}

/// One byte a pixel: 255 where the drawing is black, 0 where it is white.
fn ink(png: &[u8]) -> Result<Vec<u8>, String> {
    let picture = tree::png(png, SIDE as u32)?.into_luma8();
    Ok(picture.into_raw().into_iter().map(|brightness| 255 - brightness).collect())
}

#[cfg(test)]
mod tests {
    use image::{DynamicImage, GrayImage, Luma};

    use super::{
        super::tree::testing::{encode, write_tree, write_zip},
        *,
    };

    /// White, but for one black pixel in row 1, column `x`.
    fn drawing(x: u32) -> Vec<u8> {
        let mut picture = GrayImage::from_pixel(105, 105, Luma([255]));
        picture.put_pixel(x, 1, Luma([0]));
        encode(&DynamicImage::ImageLuma8(picture))
    }

    #[test]
    fn labels_count_characters_and_black_is_ink() {
        let evaluation = [
            ("images_evaluation/B/character01/0001_01.png", drawing(3)),
            ("images_evaluation/A/character02/0002_01.png", drawing(2)),
            ("images_evaluation/A/character01/0003_02.png", drawing(1)),
            ("images_evaluation/A/character01/0003_01.png", drawing(0)),
        ];
        let background = [
            ("images_background/C/character01/0_1.png", drawing(5)),
            ("images_background/C/character02/1_1.png", drawing(6)),
        ];
        let (zipped, loose) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        write_zip(&zipped.path().join("images_evaluation.zip"), &evaluation);
        write_zip(&zipped.path().join("images_background.zip"), &background);
        write_tree(&loose.path().join("omniglot"), &evaluation);
        write_tree(&loose.path().join("omniglot"), &background);
        for dir in [zipped.path(), loose.path()] {
            let set = open(dir, Split::Test).unwrap();
            assert_eq!((set.len(), &set.shape[..]), (4, &[105, 105][..]));
            assert_eq!(set.labels.as_ref().unwrap()[..], [0, 0, 1, 2]);
            for i in 0..4 {
                let want: Vec<u8> = (0..105 * 105).map(|p| if p == 105 + i { 255 } else { 0 }).collect();
                assert_eq!(set.image(i), want);
            }
            let all = open(dir, Split::All).unwrap();
            assert_eq!(all.labels.unwrap(), [0, 1, 2, 2, 3, 4]);
            assert_eq!(open(dir, Split::Train).unwrap().labels.unwrap(), [0, 1]);
        }
    }

    #[test]
    fn drawings_have_the_size_that_a_network_takes() {
        let folder = tempfile::tempdir().unwrap();
        write_tree(folder.path(), &[("images_evaluation/A/character01/1.png", drawing(50))]);
        let of = |shape: &[usize]| super::super::open_for("omniglot", Some(folder.path()), shape).unwrap();
        for shape in [&[35, 35][..], &[1, 35, 35]] {
            let set = of(shape);
            set.check_fits(shape).unwrap();
            // One pixel of ink in a square of nine: 255 / 9 = 28.3, in row 0, column 16.
            assert_eq!(set.image(0).iter().map(|b| u32::from(*b)).sum::<u32>(), 28);
            assert_eq!(set.image(0)[16], 28);
        }
        for shape in [&[105, 105][..], &[1, 105, 105], &[11025], &[20, 30], &[3, 32, 32], &[0, 0]] {
            assert_eq!(of(shape).shape, [105, 105], "{shape:?}");
        }
    }

    #[test]
    fn what_is_missing_or_of_another_size_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = |dir: &Path| open(dir, Split::Test).unwrap_err().to_string();
        assert!(error(folder.path()).contains("images_evaluation.zip"));
        let wrong = encode(&DynamicImage::ImageLuma8(GrayImage::new(28, 28)));
        write_tree(folder.path(), &[("images_evaluation/A/character01/1.png", wrong)]);
        let error = error(folder.path());
        assert!(error.contains("A/character01/1.png: has 28x28 pixels"), "{error}");
    }
}
