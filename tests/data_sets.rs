//! The real data sets, where `HAFNIA_DATA` has them: numbers of images, order, and every byte.

mod common;

use hafnia::data::{Dataset, Split, open, open_for, open_split};
use sha2::{Digest, Sha256};

fn counts(set: &Dataset) -> Vec<usize> {
    let labels = set.labels.as_ref().unwrap();
    assert_eq!(labels.len(), set.len());
    let mut counts = vec![0; labels.iter().max().unwrap() + 1];
    labels.iter().for_each(|l| counts[*l] += 1);
    counts
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn mean(set: &Dataset) -> f64 {
    set.images.iter().map(|b| f64::from(*b)).sum::<f64>() / set.images.len() as f64 / 255.0
}

#[test]
fn mnist() {
    let Some(folder) = common::data("mnist") else { return };
    let test = open("mnist", Some(&folder)).unwrap();
    assert_eq!((test.len(), &test.shape[..]), (10_000, &[28, 28][..]));
    assert_eq!(counts(&test), [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    assert_eq!(test.labels.as_ref().unwrap()[..5], [7, 2, 1, 0, 4]);
    let all = open_split("mnist", folder.parent(), Split::All).unwrap();
    assert_eq!(all.len(), 70_000);
    assert_eq!(all.image(60_000), test.image(0));
    let train = open_split("mnist", Some(&folder), Split::Train).unwrap();
    assert!((mean(&train) - 0.1307).abs() < 1e-4);
}

#[test]
fn cifar10() {
    let Some(folder) = common::data("cifar10") else { return };
    let test = open("cifar10", Some(&folder)).unwrap();
    assert_eq!((test.len(), &test.shape[..]), (10_000, &[3, 32, 32][..]));
    assert_eq!(counts(&test), [1000; 10]);
    assert!(test.labels.as_ref().unwrap().is_sorted(), "class by class");
    assert_eq!(hash(&test.images), "9165c1d143a683d4922593d4f60185b58b31fe2bc38dd2db672c1aa23f9be049");
    let train = open_split("cifar10", Some(&folder), Split::Train).unwrap();
    assert_eq!(counts(&train), [5000; 10]);
}

#[test]
fn omniglot() {
    let Some(folder) = common::data("omniglot") else { return };
    let test = open("omniglot", Some(&folder)).unwrap();
    assert_eq!((test.len(), &test.shape[..]), (13_180, &[105, 105][..]));
    assert_eq!(counts(&test), [20; 659]);
    assert!(test.images.iter().all(|ink| [0, 255].contains(ink)));
    assert!(mean(&test) < 0.2, "drawings are mostly paper, and paper is 0");
    assert_eq!(hash(&test.images), "2f8abf420f25346ce14179a52fd9cf287b35442f55259ce414af4e022e124b15");
    let small = open_for("omniglot", Some(&folder), &[1, 32, 32]).unwrap();
    assert_eq!((small.len(), &small.shape[..]), (13_180, &[32, 32][..]));
    assert_eq!(hash(&small.images), "4889805f32d53f40a9171dd44eb246c0f70d905606d63ce560179b79608f82f8");
    let train = open_split("omniglot", Some(&folder), Split::Train).unwrap();
    assert_eq!(counts(&train), [20; 964]);
}
