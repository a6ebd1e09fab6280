//! Operators that begin a layer, and those on feature maps that belong to one: paddings and pools.

use super::{Pending, Value, Walk};
use crate::network::import::attributes::Attributes;
use crate::network::import::constant::{Constant, advice};
use crate::network::import::layout::{Channels, Layout};
use crate::network::import::proto::NodeProto;
use crate::network::import::quant::per_channel;
use crate::network::import::sum::{Levels, second_pool};
use crate::network::import::tensor::{axis, count};
use crate::network::import::weights;
use crate::network::import::window::Window;
use crate::network::{Conv, Input, Op, Pool, PoolOrder, Weights};

/// What a refusal says of an operator behind the class.
pub(super) fn after_class() -> String {
    "it computes on the class index; end the network there".into()
}

impl Walk<'_> {
    /// `MatMul` and `Gemm`.
    pub(super) fn product(&mut self, node: &NodeProto, shape: &[usize]) -> Result<Vec<usize>, String> {
        self.takes_weights()?;
        let gemm = node.op_type == "Gemm";
        let attributes = Attributes::of(node, if gemm { &["alpha", "beta", "transA", "transB"] } else { &[] })?;
        if attributes.flag("transA", false)? {
            return Err("it transposes the data (transA); export it without".into());
        }
        let inputs = self.inputs(node);
        let constant = inputs.get(1).copied().flatten().ok_or("its weights (input 1) are not a constant")?;
        if constant.tensor.shape.len() != 2 {
            return Err(format!("its weights have shape {:?}; a dense layer has two axes", constant.tensor.shape));
        }
        // One row a neuron.
        let rows = match attributes.flag("transB", false)? {
            true => constant.clone(),
            false => constant.rearranged(|t| t.transpose(&[1, 0]))?,
        };
        let (neurons, width) = (rows.tensor.shape[0], rows.tensor.shape[1]);
        if neurons == 0 || width == 0 {
            return Err(format!("its weights have shape {:?}", constant.tensor.shape));
        }
        if shape.last() != Some(&width) {
            return Err(format!("its weights take {width} inputs, the data have shape {shape:?}; flatten them first"));
        }
        if gemm && shape.len() != 2 {
            return Err(format!("its input has shape {shape:?}; Gemm takes two axes, so flatten first"));
        }
        let alpha = f64::from(attributes.float("alpha", 1.0)?);
        if alpha == 0.0 {
            return Err("its alpha is 0, so the data do not count".into());
        }
        let beta = f64::from(attributes.float("beta", 1.0)?);
        let bias = match inputs.get(2).copied().flatten() {
            None => vec![0.0; neurons],
            Some(c) => {
                let c = per_channel(&c.tensor, Channels::vector(neurons)).map_err(|e| format!("its bias {e}"))?;
                c.into_iter().map(|c| beta * c).collect()
            }
        };
        let scaled = |mut weights: Weights| {
            weights.scale.iter_mut().for_each(|s| *s *= alpha);
            weights
        };

        if let Some(Pending::Patches { window, value }) = self.pending.take() {
            let layout = self.layout.ok_or("its patches have no map")?;
            let [kernel_rows, kernel_columns] = window.kernel;
            let rows = channels_first(&rows, [kernel_rows, kernel_columns, layout.map.channels])?;
            return self.convolve(layout, window, value, scaled(weights::factor(&rows)?), bias);
        }
        let mut to = shape.to_vec();
        *to.last_mut().expect("compared above") = neurons;
        count(&to)?;
        let Some(layout) = self.layout else {
            let image = self.image_shape(shape, width)?;
            let images = shape.iter().product::<usize>() / width;
            self.begin(Op::Dense, scaled(weights::factor(&rows)?), bias, image)?;
            self.layout = Some(Layout::vector(images, neurons));
            return Ok(to);
        };
        let map = layout.map;
        if layout.fits(shape) && width == map.len() {
            let rows = match layout.channels_last && !layout.is_either() {
                true => channels_first(&rows, [map.rows, map.columns, map.channels])?,
                false => rows,
            };
            let image = self.image_of(layout)?;
            self.begin(Op::Dense, scaled(weights::factor(&rows)?), bias, image)?;
            self.layout = Some(Layout::vector(layout.images, neurons));
            return Ok(to);
        }
        // A product along the channels of every position is a convolution of one position.
        match Layout::of(shape, true) {
            Some(here) if layout.agrees(&here) => {
                let window = Window { kernel: [1, 1], stride: [1, 1], pad: [0; 4] };
                self.convolve(here, window, 0.0, scaled(weights::factor(&rows)?), bias)
            }
            _ => Err(format!(
                "its weights take {width} inputs of data with shape {shape:?}, which is neither a flattened map nor one with \
                 its channels last; flatten the map first"
            )),
        }
    }

    pub(super) fn conv(&mut self, node: &NodeProto, shape: &[usize]) -> Result<Vec<usize>, String> {
        self.takes_weights()?;
        let known = ["auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"];
        let attributes = Attributes::of(node, &known)?;
        let inputs = self.inputs(node);
        let constant = inputs.get(1).copied().flatten().ok_or("its weights (input 1) are not a constant")?;
        let &[neurons, channels, rows, columns] = constant.tensor.shape.as_slice() else {
            return Err(format!(
                "its weights have shape {:?}; convolutions of two axes are imported, [outputs, channels, rows, columns] (write \
                 a 1-D one with one row)",
                constant.tensor.shape
            ));
        };
        let groups = attributes.int("group", 1)?;
        if groups != 1 {
            return Err(format!(
                "it has {groups} groups; depthwise and grouped convolutions are not imported: train with groups=1, or write its \
                 weights over all channels with zeros between (ternary)"
            ));
        }
        let padded = matches!(self.pending, Some(Pending::Pad { .. }));
        let layout = match self.layout {
            Some(layout) if padded => layout,
            _ => self.map(shape, false)?,
        };
        if channels != layout.map.channels {
            let has = layout.map.channels;
            return Err(format!("its weights take {channels} channels, its input has {has}"));
        }
        let bias = match inputs.get(2).copied().flatten() {
            None => vec![0.0; neurons],
            Some(c) => per_channel(&c.tensor, Channels::vector(neurons)).map_err(|e| format!("its bias {e}"))?,
        };
        let flat = constant.rearranged(|t| t.reshape(vec![neurons, t.len() / neurons.max(1)]))?;
        let weights = weights::factor(&flat)?;
        let (window, value) =
            self.padded_window(layout, |map| Window::parse(&attributes, Some([rows, columns]), map))?;
        self.convolve(layout, window, value, weights, bias)
    }

    /// `Im2Col`: the windows of a convolution whose weights follow in a `MatMul`.
    pub(super) fn patches(&mut self, node: &NodeProto, shape: &[usize]) -> Result<Vec<usize>, String> {
        self.takes_weights()?;
        let known = ["stride", "kernel_size", "input_shape", "pad_amount", "pad_value", "depthwise", "dilations"];
        let attributes = Attributes::of(node, &known)?;
        if attributes.flag("depthwise", false)? {
            return Err("it is depthwise; such convolutions are not imported: train with groups=1".into());
        }
        let padded = matches!(self.pending, Some(Pending::Pad { .. }));
        let layout = match self.layout {
            Some(layout) if padded => layout,
            _ => self.map(shape, true)?,
        };
        let own = attributes.int("pad_value", 0)? as f64;
        let (window, value) = match Window::of_patches(&attributes)? {
            window if own == 0.0 || window.pad == [0; 4] => self.padded_window(layout, |_| Ok(window))?,
            _ if padded => return Err("it pads what a Pad has padded; use one of the two".into()),
            window => (window, own),
        };
        let map = conv(window, 0).output(layout.map, 1)?;
        let [rows, columns] = window.kernel;
        let to = vec![layout.images, map.rows, map.columns, rows * columns * layout.map.channels];
        count(&to)?;
        self.layout = Some(layout);
        self.pending = Some(Pending::Patches { window, value });
        Ok(to)
    }

    /// `Pad`: it waits for the convolution that it belongs to.
    pub(super) fn pad(&mut self, node: &NodeProto, shape: &[usize]) -> Result<Vec<usize>, String> {
        let attributes = Attributes::of(node, &["mode", "pads", "value"])?;
        let mode = attributes.string("mode", "constant")?;
        if mode != "constant" {
            return Err("it pads by repeating values; use mode \"constant\"".into());
        }
        let inputs = self.inputs(node);
        let input = |at: usize| inputs.get(at).copied().flatten();
        let pads = match (attributes.ints("pads")?, input(1)) {
            (Some(v), _) => v.to_vec(),
            (None, Some(c)) => c.tensor.ints()?.to_vec(),
            (None, None) => return Err("its pads are missing".into()),
        };
        let value = match input(2) {
            Some(c) => c.tensor.scalar().ok_or("its value is not one number")?,
            None => attributes.float("value", 0.0)?.into(),
        };
        let rank = shape.len();
        let axes = match input(3) {
            None => (0..rank).collect(),
            Some(c) => c.tensor.ints()?.iter().map(|a| axis(*a, rank)).collect::<Result<Vec<_>, _>>()?,
        };
        if pads.len() != 2 * axes.len() || (0..axes.len()).any(|i| axes[..i].contains(&axes[i])) {
            return Err(format!("it has {} pads for {} axes", pads.len(), axes.len()));
        }
        let mut sides = vec![[0usize; 2]; rank];
        for (i, at) in axes.iter().enumerate() {
            for (end, pad) in [pads[i], pads[i + axes.len()]].into_iter().enumerate() {
                sides[*at][end] = usize::try_from(pad)
                    .ok()
                    .filter(|p| *p <= 1 << 16)
                    .ok_or_else(|| format!("it pads by {pad}; only a padding of 0 or more can be imported"))?;
            }
        }
        if sides.iter().all(|s| *s == [0, 0]) {
            return Ok(shape.to_vec());
        }
        if matches!(self.value, Value::Sum(_)) {
            return Err("it pads sums; put it behind the quantizer, before the next convolution".into());
        }
        let last = self.layout.is_some_and(|l| l.channels_last && !l.is_either());
        let layout = self.map(shape, last)?;
        let (rows, columns) = if last { (1, 2) } else { (2, 3) };
        if (0..rank).any(|at| at != rows && at != columns && sides[at] != [0, 0]) {
            return Err(format!("it pads other axes than the rows and columns of {shape:?}"));
        }
        self.pending =
            Some(Pending::Pad { pad: [sides[rows][0], sides[columns][0], sides[rows][1], sides[columns][1]], value });
        self.layout = Some(layout);
        let to: Vec<usize> = shape.iter().zip(&sides).map(|(side, [begin, end])| side + begin + end).collect();
        count(&to)?;
        Ok(to)
    }

    /// `MaxPool` and `GlobalMaxPool`, and FINN's of maps with their channels last.
    pub(super) fn max_pool(&mut self, node: &NodeProto, shape: &[usize], last: bool) -> Result<Vec<usize>, String> {
        let layout = self.map(shape, last)?;
        let map = layout.map;
        let (size, stride) = if node.op_type == "GlobalMaxPool" {
            Attributes::of(node, &[])?;
            let whole = [map.rows, map.columns];
            (whole, whole)
        } else {
            let known = ["auto_pad", "ceil_mode", "dilations", "kernel_shape", "pads", "storage_order", "strides"];
            let attributes = Attributes::of(node, &known)?;
            let window = Window::parse(&attributes, None, map)?;
            if window.pad != [0; 4] {
                return Err(format!(
                    "it pads the map by {:?}; pool without padding (a kernel that fits, or a convolution with padding before)",
                    window.pad
                ));
            }
            let part = |at: usize, side: usize| {
                side >= window.kernel[at] && !(side - window.kernel[at]).is_multiple_of(window.stride[at])
            };
            if attributes.flag("ceil_mode", false)? && (part(0, map.rows) || part(1, map.columns)) {
                return Err("its ceil_mode keeps windows that are only part filled; export with ceil_mode=False".into());
            }
            (window.kernel, window.stride)
        };
        let pool = Pool { size, stride, order: PoolOrder::AfterActivation };
        let to = Layout { map: pool.output(map)?, ..layout };
        if size == [1, 1] && to == layout {
            return Ok(shape.to_vec());
        }
        match &mut self.value {
            Value::Pixels(_) => {
                return Err(
                    "it pools the image, before any layer; begin with a convolution, or shrink the images".into()
                );
            }
            Value::Sum(sum) => sum.pool(size, stride)?,
            // Their scale is positive, so that the largest code is the largest value.
            Value::Levels(_) => {
                let layer = self.layers.last_mut().ok_or("no layer stands before it")?;
                if layer.pool.is_some() {
                    return Err(second_pool());
                }
                layer.pool = Some(pool);
            }
            Value::Class => return Err(after_class()),
        }
        self.layout = Some(to);
        Ok(to.shape())
    }

    /// `AveragePool` and `GlobalAveragePool`: only where they average one value.
    pub(super) fn average_pool(&mut self, node: &NodeProto, shape: &[usize]) -> Result<Vec<usize>, String> {
        let map = self.map(shape, false).map_err(|_| advice(&node.op_type))?.map;
        let single = match node.op_type.as_str() {
            "GlobalAveragePool" => Attributes::of(node, &[]).map(|_| map.positions() == 1)?,
            _ => {
                let known =
                    ["auto_pad", "ceil_mode", "count_include_pad", "dilations", "kernel_shape", "pads", "strides"];
                let window = Window::parse(&Attributes::of(node, &known)?, None, map)?;
                window == Window { kernel: [1, 1], stride: [1, 1], pad: [0; 4] }
            }
        };
        if single { Ok(shape.to_vec()) } else { Err(advice(&node.op_type)) }
    }

    /// The map that a tensor with four axes holds, in the order that the operator takes.
    fn map(&self, shape: &[usize], last: bool) -> Result<Layout, String> {
        let order = |last: bool| if last { "row, column, channel" } else { "channel, row, column" };
        let here = Layout::of(shape, last)
            .ok_or_else(|| format!("its input has shape {shape:?}; a map has four axes: image, {}", order(last)))?;
        match self.layout {
            Some(layout) if !layout.agrees(&here) => {
                let (takes, lies) = (order(last), order(layout.channels_last));
                Err(format!(
                    "it takes {shape:?} as image, {takes}, but a map of {} lies there as {lies}; put a Transpose before it",
                    layout.map
                ))
            }
            _ => Ok(here),
        }
    }

    /// Whether a layer may begin here.
    fn takes_weights(&self) -> Result<(), String> {
        match &self.value {
            Value::Sum(_) => {
                Err("no quantizer stands between it and the layer before; put a BipolarQuant, or a Quant of 2 bits \
                                  (signed, narrow), there"
                    .into())
            }
            Value::Class => Err(after_class()),
            Value::Pixels(_) | Value::Levels(_) => Ok(()),
        }
    }

    /// The window of a layer with the padding of a `Pad` before it, and the value that is padded.
    fn padded_window(
        &mut self,
        layout: Layout,
        window: impl FnOnce(crate::network::Shape) -> Result<Window, String>,
    ) -> Result<(Window, f64), String> {
        let Some(Pending::Pad { pad, value }) = self.pending.take() else { return Ok((window(layout.map)?, 0.0)) };
        let before = Conv { pad, ..Conv::new([1, 1]) };
        let mut window = window(before.padded(layout.map))?;
        if value != 0.0 && window.pad != [0; 4] {
            return Err(format!("it pads with 0 what a Pad has padded with {value}; use one of the two"));
        }
        window.pad.iter_mut().zip(pad).for_each(|(own, more)| *own += more);
        Ok((window, value))
    }

    /// Begins a convolution over `layout`; `weights` are in the order channel, kernel row, kernel column. Gives the new shape.
    fn convolve(
        &mut self,
        layout: Layout,
        window: Window,
        value: f64,
        weights: Weights,
        bias: Vec<f64>,
    ) -> Result<Vec<usize>, String> {
        let map = layout.map;
        let mut conv = conv(window, 0);
        let to = Layout { map: conv.output(map, weights.values.nrows())?, ..layout };
        count(&to.shape())?;
        let image = self.image_of(layout)?;
        // A kernel over the whole map sees it as a dense layer does.
        let op = match conv.kernel == [map.rows, map.columns] && !conv.is_padded() {
            true => Op::Dense,
            false => {
                conv.pad_value = if conv.is_padded() { self.code_of(value)? } else { 0 };
                Op::Conv(conv)
            }
        };
        self.begin(op, weights, bias, image)?;
        self.layout = Some(to);
        Ok(to.shape())
    }

    /// The integer that stands for `value` in what a layer takes.
    fn code_of(&self, value: f64) -> Result<i32, String> {
        match &self.value {
            Value::Pixels(pixels) => pixels.encode()?.code_of(value),
            Value::Levels(levels) => levels.code_of(value),
            Value::Sum(_) | Value::Class => Err(after_class()),
        }
    }

    /// Begins a layer on the value that flows, the first one on an image of shape `image`.
    fn begin(&mut self, op: Op, weights: Weights, bias: Vec<f64>, image: Vec<usize>) -> Result<(), String> {
        let sum = match &self.value {
            Value::Pixels(pixels) => {
                let encoded = pixels.encode()?;
                self.input = Some(Input { shape: image, code: encoded.code });
                Levels::of_input(encoded.scale, encoded.offset).sum(op, weights, bias)
            }
            Value::Levels(levels) => levels.sum(op, weights, bias),
            Value::Sum(_) | Value::Class => return Err(after_class()),
        };
        self.value = Value::Sum(Box::new(sum));
        Ok(())
    }

    /// Shape of one image that the first layer takes as a map.
    fn image_of(&self, layout: Layout) -> Result<Vec<usize>, String> {
        let start = &self.shapes[self.graph.input.name.as_str()];
        let (n, map) = (layout.images, layout.map);
        match matches!(self.value, Value::Pixels(_)) && n != 1 && start.first() != Some(&n) {
            true => {
                Err(format!("it takes the input {start:?} as {n} images; give each image one along the first axis"))
            }
            false => Ok(vec![map.channels, map.rows, map.columns]),
        }
    }

    /// Shape of one image, from that of the graph's input and that before the first layer.
    fn image_shape(&self, shape: &[usize], width: usize) -> Result<Vec<usize>, String> {
        let start = &self.shapes[self.graph.input.name.as_str()];
        let images = shape.iter().product::<usize>() / width;
        match (images, start.as_slice()) {
            (1, [1, rest @ ..]) if !rest.is_empty() => Ok(rest.to_vec()),
            (1, all) => Ok(all.to_vec()),
            (n, [batch, rest @ ..]) if n == *batch && !rest.is_empty() => Ok(rest.to_vec()),
            _ => Err(format!(
                "its weights take {width} inputs, so the input {start:?} would be {images} images; flatten it before the first layer"
            )),
        }
    }
}

fn conv(window: Window, pad_value: i32) -> Conv {
    Conv { kernel: window.kernel, stride: window.stride, pad: window.pad, pad_value }
}

/// Weights `[neurons, rows x columns x channels]` in the order channel, row, column.
fn channels_first(weights: &Constant, [rows, columns, channels]: [usize; 3]) -> Result<Constant, String> {
    let &[neurons, width] = weights.tensor.shape.as_slice() else {
        return Err(format!("its weights have shape {:?}", weights.tensor.shape));
    };
    if rows.checked_mul(columns).and_then(|n| n.checked_mul(channels)) != Some(width) {
        return Err(format!(
            "its weights take {width} inputs; a window of {rows} x {columns} positions of {channels} channels has another number"
        ));
    }
    weights.rearranged(|t| {
        t.reshape(vec![neurons, rows, columns, channels])?.transpose(&[0, 3, 1, 2])?.reshape(vec![neurons, width])
    })
}
