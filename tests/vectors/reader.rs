// Reads and writes the vectors of `backproof vectors` line by line: each tensor of a header stands on a line of its
// own, so that no crate is needed. Numbers are read as f64, whatever they are stored as.
use std::collections::HashMap;
use std::fs;
use std::io::{Error, ErrorKind, Result};

pub struct Tensor {
    pub shape: Vec<usize>,
    pub data: Vec<f64>,
}

pub struct Problem {
    pub activation: String,
    pub loss: String,
    pub dtype: String,
    pub n_layers: usize,
    pub given: HashMap<String, Tensor>,
}

// What follows "key": on this line, up to its end.
fn after<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let quoted = format!("\"{key}\":");
    line.find(&quoted).map(|at| line[at + quoted.len()..].trim_start())
}

fn text(line: &str, key: &str) -> Option<String> {
    after(line, key)?.strip_prefix('"')?.split('"').next().map(str::to_string)
}

fn numbers(line: &str, key: &str) -> Option<Vec<usize>> {
    let inside = after(line, key)?.strip_prefix('[')?.split(']').next()?;
    inside.split(',').map(str::trim).filter(|one| !one.is_empty()).map(|one| one.parse().ok()).collect()
}

fn offset(line: &str) -> Option<usize> {
    after(line, "offset")?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn read_numbers(bytes: &[u8], dtype: &str, start: usize, count: usize) -> Option<Vec<f64>> {
    let size = if dtype == "float32" { 4 } else { 8 };
    let part = bytes.get(start..start + count * size)?;
    Some(part.chunks_exact(size).map(|chunk| match dtype {
        "float32" => f32::from_le_bytes(chunk.try_into().unwrap()) as f64,
        "int64" => i64::from_le_bytes(chunk.try_into().unwrap()) as f64,
        _ => f64::from_le_bytes(chunk.try_into().unwrap()),
    }).collect())
}

fn given(line: &str, bytes: &[u8]) -> Option<(String, Tensor)> {
    let shape = numbers(line, "shape")?;
    let count = shape.iter().product();
    let data = read_numbers(bytes, &text(line, "dtype")?, offset(line)?, count)?;
    Some((text(line, "name")?, Tensor { shape, data }))
}

pub fn read_problem(folder: &str, name: &str) -> Result<Problem> {
    let header = fs::read_to_string(format!("{folder}/{name}.json"))?;
    let bytes = fs::read(format!("{folder}/{name}.bin"))?;
    let wrong = || Error::new(ErrorKind::InvalidData, format!("{name}: not in the format"));
    let fact = |key: &str| header.lines().find_map(|line| text(line, key)).ok_or_else(wrong);
    let sizes = header.lines().find_map(|line| numbers(line, "layer_sizes")).ok_or_else(wrong)?;
    let lines = header.lines().filter(|line| text(line, "role").as_deref() == Some("given"));
    let tensors = lines.map(|line| given(line, &bytes).ok_or_else(wrong)).collect::<Result<_>>()?;
    Ok(Problem {
        activation: fact("activation")?,
        loss: fact("loss")?,
        dtype: fact("dtype")?,
        n_layers: sizes.len() - 1,
        given: tensors,
    })
}

pub fn write_answer(folder: &str, name: &str, dtype: &str, tensors: &[(String, Tensor)]) -> Result<()> {
    let (mut lines, mut bytes) = (Vec::new(), Vec::new());
    for (tensor, Tensor { shape, data }) in tensors {
        let start = bytes.len();
        lines.push(format!("{{\"name\": \"{tensor}\", \"dtype\": \"{dtype}\", \"shape\": {shape:?}, \"offset\": {start}}}"));
        for &value in data {
            match dtype {
                "float32" => bytes.extend((value as f32).to_le_bytes()),
                _ => bytes.extend(value.to_le_bytes()),
            }
        }
    }
    fs::create_dir_all(folder)?;
    fs::write(format!("{folder}/{name}.json"), format!("{{\"tensors\": [\n{}\n]}}\n", lines.join(",\n")))?;
    fs::write(format!("{folder}/{name}.bin"), bytes)
}
