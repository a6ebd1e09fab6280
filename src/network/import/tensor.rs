//! A small tensor of constants: what initializers hold and what folding computes with.

use super::proto::{TensorProto, data_type};

/// Largest number of values in one constant. Every allocation is checked against it first.
pub const MAX_ELEMENTS: usize = 1 << 25;

/// Largest number of axes.
const MAX_RANK: usize = 8;

/// Row-major values with a shape; `shape` multiplies to the number of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub data: Data,
}

/// All integer types and bool are kept as i64.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    F32(Vec<f32>),
    F64(Vec<f64>),
    Int(Vec<i64>),
}

/// Applies an expression to the vector inside, whatever its type, and wraps the result alike.
macro_rules! map_data {
    ($data:expr, $v:ident => $result:expr) => {
        match $data {
            Data::F32($v) => Data::F32($result),
            Data::F64($v) => Data::F64($result),
            Data::Int($v) => Data::Int($result),
        }
    };
}

/// The number of values of a shape, where it is not too large.
pub fn count(shape: &[usize]) -> Result<usize, String> {
    if shape.len() > MAX_RANK {
        return Err(format!("a shape has {} axes; at most {MAX_RANK} are handled", shape.len()));
    }
    // Empty sides count as one here, so that the product of any few sides is bounded too.
    let bound = shape.iter().try_fold(1usize, |n, side| n.checked_mul((*side).max(1)));
    match bound {
        Some(n) if n <= MAX_ELEMENTS => Ok(if shape.contains(&0) { 0 } else { n }),
        _ => Err(format!("a constant of shape {shape:?} is larger than {MAX_ELEMENTS} values")),
    }
}

/// The shape of two broadcast together, by ONNX's rule.
pub fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, String> {
    let rank = a.len().max(b.len());
    let side = |s: &[usize], i: usize| if i + s.len() < rank { 1 } else { s[i + s.len() - rank] };
    (0..rank)
        .map(|i| match (side(a, i), side(b, i)) {
            (x, y) if x == y => Ok(x),
            (1, y) => Ok(y),
            (x, 1) => Ok(x),
            _ => Err(format!("shapes {a:?} and {b:?} do not broadcast")),
        })
        .collect()
}

/// The axis that a possibly negative number means.
pub fn axis(axis: i64, rank: usize) -> Result<usize, String> {
    let wide = if axis < 0 { axis.checked_add(rank as i64) } else { Some(axis) };
    let found = wide.and_then(|a| usize::try_from(a).ok()).filter(|a| *a < rank);
    found.ok_or_else(|| format!("axis {axis} is outside a tensor of {rank} axes"))
}

impl Tensor {
    pub fn new(shape: Vec<usize>, data: Data) -> Result<Self, String> {
        let tensor = Self { shape, data };
        let expected = count(&tensor.shape)?;
        if expected != tensor.len() {
            return Err(format!("shape {:?} has {expected} values, the data {}", tensor.shape, tensor.len()));
        }
        Ok(tensor)
    }

    pub fn vector(values: Vec<i64>) -> Self {
        Self { shape: vec![values.len()], data: Data::Int(values) }
    }

    pub fn len(&self) -> usize {
        match &self.data {
            Data::F32(v) => v.len(),
            Data::F64(v) => v.len(),
            Data::Int(v) => v.len(),
        }
    }

    /// Memory that the values take.
    pub fn bytes(&self) -> usize {
        self.len() * if matches!(self.data, Data::F32(_)) { 4 } else { 8 }
    }

    /// Reads an initializer. Its size is compared with the bytes in the file before anything is allocated.
    pub fn from_proto(proto: &TensorProto) -> Result<Self, String> {
        if proto.data_location != 0 || !proto.external_data.is_empty() {
            return Err(
                "its data lie in another file; save the model with all tensors inside (`onnx.save_model(model, \
                        path, save_as_external_data=False)`)"
                    .into(),
            );
        }
        let shape = proto.dims.iter().map(|d| usize::try_from(*d).map_err(|_| format!("side {d} is negative")));
        let shape = shape.collect::<Result<Vec<_>, _>>()?;
        let n = count(&shape)?;
        let raw = &proto.raw_data;
        let kind = proto.data_type;
        let data = match kind {
            data_type::FLOAT => Data::F32(typed(raw, &proto.float_data, n, |v| *v, f32::from_le_bytes)?),
            data_type::DOUBLE => Data::F64(typed(raw, &proto.double_data, n, |v| *v, f64::from_le_bytes)?),
            data_type::INT64 => Data::Int(typed(raw, &proto.int64_data, n, |v| *v, i64::from_le_bytes)?),
            _ => {
                let small = &proto.int32_data;
                let wide = |v: &i32| i64::from(*v);
                Data::Int(match kind {
                    data_type::INT32 => typed(raw, small, n, wide, |b| i32::from_le_bytes(b).into())?,
                    data_type::INT16 => typed(raw, small, n, wide, |b| i16::from_le_bytes(b).into())?,
                    data_type::UINT16 => typed(raw, small, n, wide, |b| u16::from_le_bytes(b).into())?,
                    data_type::INT8 => typed(raw, small, n, wide, |b| i8::from_le_bytes(b).into())?,
                    data_type::UINT8 | data_type::BOOL => {
                        typed(raw, small, n, wide, |b: [u8; 1]| u8::from_le_bytes(b).into())?
                    }
                    other => {
                        let name = data_type::name(other);
                        return Err(format!("holds values of type {name}; export the model in float32"));
                    }
                })
            }
        };
        let tensor = Self { shape, data };
        tensor.finite()?;
        Ok(tensor)
    }

    /// Refuses NaN and infinities.
    pub fn finite(&self) -> Result<(), String> {
        let bad = match &self.data {
            Data::F32(v) => v.iter().position(|v| !v.is_finite()).map(|i| (i, f64::from(v[i]))),
            Data::F64(v) => v.iter().position(|v| !v.is_finite()).map(|i| (i, v[i])),
            Data::Int(_) => None,
        };
        match bad {
            Some((i, v)) => {
                Err(format!("value [{i}] is {v}; every constant must be finite (did the training diverge?)"))
            }
            None => Ok(()),
        }
    }

    /// All values as f64; exact, but for integers beyond 2^53.
    pub fn f64s(&self) -> Vec<f64> {
        match &self.data {
            Data::F32(v) => v.iter().map(|v| f64::from(*v)).collect(),
            Data::F64(v) => v.clone(),
            Data::Int(v) => v.iter().map(|v| *v as f64).collect(),
        }
    }

    pub fn f32s(&self) -> Result<&[f32], String> {
        match &self.data {
            Data::F32(v) => Ok(v),
            _ => Err("a float32 constant is needed here; export the model in float32".into()),
        }
    }

    pub fn ints(&self) -> Result<&[i64], String> {
        match &self.data {
            Data::Int(v) => Ok(v),
            _ => Err("a constant of whole numbers (int64) is needed here".into()),
        }
    }

    /// The one value of a tensor that has one.
    pub fn scalar(&self) -> Option<f64> {
        (self.len() == 1).then(|| self.f64s()[0])
    }

    pub fn reshape(&self, shape: Vec<usize>) -> Result<Self, String> {
        Self::new(shape, self.data.clone())
    }

    /// The values at `places`, in that order, under a new shape.
    pub fn pick(&self, shape: Vec<usize>, places: &[usize]) -> Result<Self, String> {
        Self::new(shape, map_data!(&self.data, v => places.iter().map(|p| v[*p]).collect()))
    }

    pub fn transpose(&self, perm: &[usize]) -> Result<Self, String> {
        let shape: Vec<usize> = perm.iter().map(|p| self.shape[*p]).collect();
        let own = strides(&self.shape);
        let steps: Vec<usize> = perm.iter().map(|p| own[*p]).collect();
        self.pick(shape.clone(), &places(&shape, &steps))
    }

    /// Repeats the values to a shape that this one broadcasts to.
    pub fn broadcast_to(&self, shape: &[usize]) -> Result<Self, String> {
        if self.shape == shape {
            return Ok(self.clone());
        }
        count(shape)?;
        if broadcast(&self.shape, shape)? != shape {
            return Err(format!("shape {:?} does not broadcast to {shape:?}", self.shape));
        }
        let missing = shape.len() - self.shape.len();
        let own = strides(&self.shape);
        let step = |i: usize| if i < missing || self.shape[i - missing] == 1 { 0 } else { own[i - missing] };
        let steps: Vec<usize> = (0..shape.len()).map(step).collect();
        self.pick(shape.to_vec(), &places(shape, &steps))
    }

    /// The slices numbered by `indices` along an axis; the axis takes the shape `inner`.
    pub fn gather(&self, axis: usize, indices: &[usize], inner: &[usize]) -> Result<Self, String> {
        let (outer, rest) = (&self.shape[..axis], &self.shape[axis + 1..]);
        let shape = [outer, inner, rest].concat();
        let n = count(&shape)?;
        let block: usize = rest.iter().product();
        let blocks: usize = outer.iter().product();
        let mut places = Vec::with_capacity(n);
        for o in 0..blocks {
            for i in indices {
                let start = (o * self.shape[axis] + i) * block;
                places.extend(start..start + block);
            }
        }
        self.pick(shape, &places)
    }

    /// Joins tensors of one type along an axis.
    pub fn concat(parts: &[&Self], axis: usize) -> Result<Self, String> {
        let first = parts.first().ok_or("has nothing to join")?;
        let alike = |p: &&&Self| {
            p.shape.len() == first.shape.len() && (0..p.shape.len()).all(|i| i == axis || p.shape[i] == first.shape[i])
        };
        if let Some(odd) = parts.iter().find(|p| !alike(p)) {
            return Err(format!("shapes {:?} and {:?} cannot be joined along axis {axis}", first.shape, odd.shape));
        }
        let mut shape = first.shape.clone();
        shape[axis] = parts.iter().map(|p| p.shape[axis]).sum();
        count(&shape)?;
        let outer: usize = shape[..axis].iter().product();
        macro_rules! join {
            ($kind:ident) => {{
                let mut all = Vec::new();
                for o in 0..outer {
                    for p in parts {
                        let block: usize = p.shape[axis..].iter().product();
                        let Data::$kind(v) = &p.data else { return Err("joins tensors of different types".into()) };
                        all.extend_from_slice(&v[o * block..(o + 1) * block]);
                    }
                }
                Data::$kind(all)
            }};
        }
        let data = match first.data {
            Data::F32(_) => join!(F32),
            Data::F64(_) => join!(F64),
            Data::Int(_) => join!(Int),
        };
        Self::new(shape, data)
    }
}

/// Values of `raw` little-endian data, or of a typed field.
fn typed<const N: usize, F, T>(
    raw: &[u8],
    field: &[F],
    n: usize,
    from_field: impl Fn(&F) -> T,
    from_raw: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>, String> {
    let found = if raw.is_empty() { field.len() } else { raw.len() / N };
    if found != n || !raw.len().is_multiple_of(N) {
        return Err(format!("its shape has {n} values but the file holds {found}"));
    }
    Ok(match raw.is_empty() {
        true => field.iter().map(from_field).collect(),
        false => raw.chunks_exact(N).map(|c| from_raw(c.try_into().expect("chunk of N"))).collect(),
    })
}

fn strides(shape: &[usize]) -> Vec<usize> {
    let mut steps = vec![1; shape.len()];
    for i in (1..shape.len()).rev() {
        steps[i - 1] = steps[i] * shape[i];
    }
    steps
}

/// Places of all values of a shape when each axis advances by its step.
fn places(shape: &[usize], steps: &[usize]) -> Vec<usize> {
    let mut places = vec![0usize];
    if shape.contains(&0) {
        return Vec::new();
    }
    for (side, step) in shape.iter().zip(steps) {
        places = places.iter().flat_map(|p| (0..*side).map(move |i| p + i * step)).collect();
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ints(shape: &[usize], values: &[i64]) -> Tensor {
        Tensor::new(shape.to_vec(), Data::Int(values.to_vec())).unwrap()
    }

    #[test]
    fn transposes_broadcasts_gathers_and_joins() {
        let t = ints(&[2, 3], &[1, 2, 3, 4, 5, 6]);
        assert_eq!(t.transpose(&[1, 0]).unwrap(), ints(&[3, 2], &[1, 4, 2, 5, 3, 6]));
        assert_eq!(ints(&[2, 1], &[7, 8]).broadcast_to(&[2, 2]).unwrap(), ints(&[2, 2], &[7, 7, 8, 8]));
        assert_eq!(ints(&[2], &[7, 8]).broadcast_to(&[2, 2]).unwrap(), ints(&[2, 2], &[7, 8, 7, 8]));
        assert_eq!(t.gather(1, &[2, 0], &[2]).unwrap(), ints(&[2, 2], &[3, 1, 6, 4]));
        let joined = Tensor::concat(&[&t, &ints(&[2, 1], &[9, 9])], 1).unwrap();
        assert_eq!(joined, ints(&[2, 4], &[1, 2, 3, 9, 4, 5, 6, 9]));
        assert!(Tensor::concat(&[&t, &ints(&[1, 3], &[0, 0, 0])], 1).is_err());
    }

    #[test]
    fn reads_raw_and_typed_data_of_every_type() {
        let raw = |data_type, raw_data: &[u8]| {
            Tensor::from_proto(&TensorProto {
                dims: vec![2],
                data_type,
                raw_data: raw_data.to_vec(),
                ..Default::default()
            })
        };
        assert_eq!(raw(data_type::INT8, &[255, 1]).unwrap().data, Data::Int(vec![-1, 1]));
        assert_eq!(raw(data_type::UINT8, &[255, 1]).unwrap().data, Data::Int(vec![255, 1]));
        assert_eq!(raw(data_type::BOOL, &[0, 1]).unwrap().data, Data::Int(vec![0, 1]));
        assert_eq!(raw(data_type::INT32, &[254, 255, 255, 255, 3, 0, 0, 0]).unwrap().data, Data::Int(vec![-2, 3]));
        assert_eq!(raw(data_type::FLOAT, &[0, 0, 128, 63, 0, 0, 0, 192]).unwrap().data, Data::F32(vec![1.0, -2.0]));
        assert!(raw(data_type::FLOAT, &[0, 0, 192, 127, 0, 0, 0, 0]).unwrap_err().contains("NaN"));
        assert!(raw(data_type::FLOAT, &[0; 9]).unwrap_err().contains("the file holds"));
        assert!(raw(10, &[0; 4]).unwrap_err().contains("float16"));
        let doubles = TensorProto { data_type: data_type::DOUBLE, double_data: vec![0.1], ..Default::default() };
        assert_eq!(Tensor::from_proto(&doubles).unwrap(), Tensor { shape: vec![], data: Data::F64(vec![0.1]) });
        let small =
            TensorProto { dims: vec![2], data_type: data_type::INT8, int32_data: vec![-1, 1], ..Default::default() };
        assert_eq!(Tensor::from_proto(&small).unwrap().data, Data::Int(vec![-1, 1]));
    }

    #[test]
    fn refuses_huge_negative_and_external_tensors() {
        let dims = |dims: &[i64]| {
            Tensor::from_proto(&TensorProto { dims: dims.to_vec(), data_type: 1, ..Default::default() }).unwrap_err()
        };
        assert!(dims(&[1 << 40, 1 << 40]).contains("larger than"));
        assert!(dims(&[i64::MAX, i64::MAX, 0]).contains("larger than"));
        assert!(dims(&[-3]).contains("negative"));
        assert!(dims(&[1 << 20]).contains("the file holds 0"));
        let external = TensorProto { dims: vec![1], data_type: 1, data_location: 1, ..Default::default() };
        assert!(Tensor::from_proto(&external).unwrap_err().contains("another file"));
    }
}
