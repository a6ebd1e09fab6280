//! Where the channels, rows and columns of a feature map lie in a tensor of the graph.

use crate::network::Shape;

/// The order of a tensor's values: image, channel, row, column, or image, row, column, channel. Axes of one value do
/// not count, and neighbouring axes may be joined, as `Flatten` does; a vector is a map of one position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub images: usize,
    pub map: Shape,
    pub channels_last: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Axis {
    Image,
    Channel,
    Row,
    Column,
}

/// The channels of a tensor, as constants that differ from one to the next are lined up with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channels {
    pub count: usize,
    /// Axes that follow that of the channels; `None` where they have no axis of their own.
    pub behind: Option<usize>,
}

impl Channels {
    /// A row of neurons.
    pub fn vector(count: usize) -> Self {
        Self { count, behind: Some(0) }
    }
}

impl Layout {
    pub fn vector(images: usize, channels: usize) -> Self {
        Self { images, map: Shape { channels, rows: 1, columns: 1 }, channels_last: false }
    }

    /// The map of a tensor of four axes.
    pub fn of(shape: &[usize], channels_last: bool) -> Option<Self> {
        let (images, channels, rows, columns) = match (shape, channels_last) {
            (&[n, c, h, w], false) | (&[n, h, w, c], true) => (n, c, h, w),
            _ => return None,
        };
        Some(Self { images, map: Shape { channels, rows, columns }, channels_last })
    }

    /// Shape with four axes.
    pub fn shape(&self) -> Vec<usize> {
        let Shape { channels, rows, columns } = self.map;
        match self.channels_last {
            false => vec![self.images, channels, rows, columns],
            true => vec![self.images, rows, columns, channels],
        }
    }

    /// Whether both orders are the same.
    pub fn is_either(&self) -> bool {
        self.map.channels == 1 || self.map.positions() == 1
    }

    /// Whether values lie as `other` has them.
    pub fn agrees(&self, other: &Self) -> bool {
        let order = self.channels_last == other.channels_last || self.is_either();
        (self.images, self.map) == (other.images, other.map) && order
    }

    /// The axes of more than one value, in order.
    fn long(&self) -> Vec<(Axis, usize)> {
        let Shape { channels, rows, columns } = self.map;
        let mut axes =
            vec![(Axis::Image, self.images), (Axis::Channel, channels), (Axis::Row, rows), (Axis::Column, columns)];
        if self.channels_last {
            axes[1..].rotate_left(1);
        }
        axes.retain(|(_, side)| *side != 1);
        axes
    }

    /// Which axes each side of `shape` is made of; `None` where it cuts one.
    fn groups(&self, shape: &[usize]) -> Option<Vec<Vec<Axis>>> {
        let mut axes = self.long().into_iter();
        let mut groups = Vec::new();
        for side in shape {
            let (mut n, mut group) = (1usize, Vec::new());
            while n < *side {
                let (axis, own) = axes.next()?;
                n = n.checked_mul(own)?;
                group.push(axis);
            }
            if n != *side {
                return None;
            }
            groups.push(group);
        }
        axes.next().is_none().then_some(groups)
    }

    /// Whether a tensor of this shape, row-major, leaves every axis whole.
    pub fn fits(&self, shape: &[usize]) -> bool {
        self.groups(shape).is_some()
    }

    /// The axis that holds the channels and nothing else; `None` for a single channel, too.
    pub fn channel_axis(&self, shape: &[usize]) -> Option<usize> {
        self.groups(shape)?.iter().position(|g| *g == [Axis::Channel])
    }

    pub fn channels(&self, shape: &[usize]) -> Channels {
        let behind = self.channel_axis(shape).map(|axis| shape.len() - 1 - axis);
        Channels { count: self.map.channels, behind }
    }

    /// The layout after the axes of a tensor of this shape were reordered.
    pub fn transposed(&self, shape: &[usize], perm: &[usize]) -> Option<Self> {
        let groups = self.groups(shape)?;
        let axes: Vec<Axis> = perm.iter().flat_map(|p| groups[*p].iter().copied()).collect();
        let other = Self { channels_last: !self.channels_last, ..*self };
        [*self, other].into_iter().find(|l| l.long().iter().map(|(axis, _)| *axis).eq(axes.iter().copied()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: Layout = Layout { images: 1, map: Shape { channels: 3, rows: 4, columns: 5 }, channels_last: false };
    const LAST: Layout = Layout { channels_last: true, ..MAP };

    #[test]
    fn shapes_may_join_axes_but_not_cut_them() {
        for shape in [&[1, 3, 4, 5][..], &[3, 4, 5], &[1, 60], &[60], &[1, 3, 20], &[12, 5], &[1, 3, 1, 4, 5, 1]] {
            assert!(MAP.fits(shape), "{shape:?}");
        }
        for shape in [&[1, 4, 5, 3][..], &[1, 6, 10], &[60, 2], &[1, 3, 2, 2, 5], &[0], &[]] {
            assert!(!MAP.fits(shape), "{shape:?}");
        }
        assert!(LAST.fits(&[1, 20, 3]) && !LAST.fits(&[1, 3, 20]));
        assert!(Layout { images: 2, ..MAP }.fits(&[2, 60]));
    }

    #[test]
    fn channels_have_an_axis_until_they_are_joined() {
        assert_eq!(MAP.channels(&[1, 3, 4, 5]), Channels { count: 3, behind: Some(2) });
        assert_eq!(MAP.channels(&[1, 3, 20]).behind, Some(1));
        assert_eq!(LAST.channels(&[1, 4, 5, 3]).behind, Some(0));
        assert_eq!(MAP.channels(&[1, 60]).behind, None);
        assert_eq!(Layout::vector(1, 3).channels(&[1, 3, 1, 1]).behind, Some(2));
    }

    #[test]
    fn transposing_moves_channels_only() {
        assert_eq!(MAP.transposed(&[1, 3, 4, 5], &[0, 2, 3, 1]), Some(LAST));
        assert_eq!(LAST.transposed(&[1, 4, 5, 3], &[0, 3, 1, 2]), Some(MAP));
        assert_eq!(MAP.transposed(&[1, 3, 20], &[0, 2, 1]), Some(LAST));
        assert_eq!(MAP.transposed(&[1, 3, 4, 5], &[0, 1, 3, 2]), None);
        let flat = Layout { map: Shape { rows: 1, columns: 1, ..MAP.map }, ..MAP };
        assert_eq!(flat.transposed(&[1, 3, 1, 1], &[0, 2, 3, 1]), Some(flat));
        let two = Layout { images: 2, ..flat };
        assert_eq!(two.transposed(&[2, 3], &[1, 0]), None);
    }
}
