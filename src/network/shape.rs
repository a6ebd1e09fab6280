//! Feature maps, kernels and pools.

/// Shape of a feature map; a vector has one row and one column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    pub channels: usize,
    pub rows: usize,
    pub columns: usize,
}

impl Shape {
    /// An image `[channels, rows, columns]` or `[rows, columns]`; any other is a vector, row-major.
    pub fn of_input(sides: &[usize]) -> Self {
        match *sides {
            [channels, rows, columns] => Self { channels, rows, columns },
            [rows, columns] => Self { channels: 1, rows, columns },
            _ => Self { channels: sides.iter().product(), rows: 1, columns: 1 },
        }
    }

    pub fn len(self) -> usize {
        self.channels * self.positions()
    }

    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Positions: rows times columns.
    pub fn positions(self) -> usize {
        self.rows * self.columns
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self.positions() {
            1 => write!(f, "{}", self.channels),
            _ => write!(f, "{}x{}x{}", self.channels, self.rows, self.columns),
        }
    }
}

/// A convolution's kernel, `[rows, columns]` throughout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    /// Padded positions above, left, below, right.
    pub pad: [usize; 4],
    /// Integer that a padded position holds; 0 contributes nothing, in bipolar layers too.
    pub pad_value: i32,
}

impl Conv {
    /// A kernel moved one position at a time, without padding.
    pub fn new(kernel: [usize; 2]) -> Self {
        Self { kernel, stride: [1, 1], pad: [0; 4], pad_value: 0 }
    }

    pub fn is_padded(&self) -> bool {
        self.pad != [0; 4]
    }

    /// Inputs of a neuron.
    pub fn inputs(&self, channels: usize) -> usize {
        channels * self.kernel[0] * self.kernel[1]
    }

    /// `input` with its padding.
    pub fn padded(&self, input: Shape) -> Shape {
        let [above, left, below, right] = self.pad;
        Shape { rows: input.rows + above + below, columns: input.columns + left + right, ..input }
    }

    /// Shape of the sums of `neurons` neurons, or why there are none.
    pub fn output(&self, input: Shape, neurons: usize) -> Result<Shape, String> {
        let [above, left, below, right] = self.pad;
        let [rows, columns] = self.kernel;
        if (rows > 0 && above.max(below) >= rows) || (columns > 0 && left.max(right) >= columns) {
            return Err(format!(
                "its padding {:?} is as wide as its kernel {:?}, so that windows would hold nothing but padding",
                self.pad, self.kernel
            ));
        }
        let shape = moved(self.padded(input), self.kernel, self.stride, "kernel")?;
        Ok(Shape { channels: neurons, ..shape })
    }
}

/// Maximum over windows of positions, `[rows, columns]`; positions that fill no whole window are left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    pub size: [usize; 2],
    pub stride: [usize; 2],
    pub order: PoolOrder,
}

/// Where in the layer the maximum is taken, as the network was trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PoolOrder {
    /// Of `v`, before the normalisation; in a split layer, of each block's `v`.
    BeforeNormalize,
    /// Of the activation's outputs.
    AfterActivation,
}

impl Pool {
    pub fn output(&self, input: Shape) -> Result<Shape, String> {
        moved(input, self.size, self.stride, "pool")
    }
}

/// Positions of a window of `size` moved over `input` by `stride`.
fn moved(input: Shape, size: [usize; 2], stride: [usize; 2], what: &str) -> Result<Shape, String> {
    if size.contains(&0) || stride.contains(&0) {
        return Err(format!("its {what} is {size:?} with stride {stride:?}; every side must be at least 1"));
    }
    if size[0] > input.rows || size[1] > input.columns {
        let [rows, columns] = size;
        return Err(format!(
            "its {what} of {rows} x {columns} does not fit a map of {} x {}",
            input.rows, input.columns
        ));
    }
    let along = |side: usize, size: usize, stride: usize| (side - size) / stride + 1;
    Ok(Shape {
        rows: along(input.rows, size[0], stride[0]),
        columns: along(input.columns, size[1], stride[1]),
        ..input
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: Shape = Shape { channels: 3, rows: 32, columns: 30 };

    #[test]
    fn kernels_shrink_pad_and_skip() {
        let shape = |conv: Conv| conv.output(MAP, 64).map(|s| (s.channels, s.rows, s.columns));
        assert_eq!(shape(Conv::new([3, 3])), Ok((64, 30, 28)));
        assert_eq!(shape(Conv { pad: [1; 4], ..Conv::new([3, 3]) }), Ok((64, 32, 30)));
        // 32 + 1 rows: windows at 0, 2, ..., 30; 30 columns: 0, 3, ..., 27.
        let conv = Conv { pad: [0, 0, 1, 0], stride: [2, 3], ..Conv::new([3, 3]) };
        assert_eq!(shape(conv), Ok((64, 16, 10)));
        assert!(shape(Conv::new([33, 3])).unwrap_err().contains("does not fit"));
        assert!(shape(Conv { pad: [3, 0, 0, 0], ..Conv::new([3, 3]) }).unwrap_err().contains("nothing but padding"));
        assert!(shape(Conv { stride: [0, 1], ..Conv::new([3, 3]) }).is_err());
    }

    #[test]
    fn pools_leave_what_fills_no_window() {
        let pool = Pool { size: [2, 2], stride: [2, 2], order: PoolOrder::AfterActivation };
        assert_eq!(pool.output(Shape { rows: 5, ..MAP }).unwrap(), Shape { channels: 3, rows: 2, columns: 15 });
    }
}
