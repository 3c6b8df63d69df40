// A small network in Rust that answers the vectors: network FOLDER ANSWERS MISTAKE NAME...
// MISTAKE: "labels" takes the next label, "twice" takes the activation's derivative twice, "none" is right.
mod reader;
use reader::{read_problem, write_answer, Problem, Tensor};

type Matrix = Vec<Vec<f64>>;

fn sigmoid(z: f64) -> f64 {
    if z >= 0.0 { 1.0 / (1.0 + (-z).exp()) } else { z.exp() / (1.0 + z.exp()) }
}

fn activation(kind: &str, z: f64) -> f64 {
    match kind {
        "relu" => z.max(0.0),
        "tanh" => z.tanh(),
        "sigmoid" => sigmoid(z),
        _ => z,
    }
}

fn slope(kind: &str, z: f64) -> f64 {
    match kind {
        "relu" => f64::from(z > 0.0),
        "tanh" => 1.0 - z.tanh() * z.tanh(),
        "sigmoid" => sigmoid(z) * sigmoid(-z),
        _ => 1.0,
    }
}

fn rows(tensor: &Tensor) -> Matrix {
    tensor.data.chunks(tensor.shape[1]).map(<[f64]>::to_vec).collect()
}

fn transposed(a: &Matrix) -> Matrix {
    (0..a[0].len()).map(|j| a.iter().map(|row| row[j]).collect()).collect()
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let columns = transposed(b);
    let dot = |row: &Vec<f64>, column: &Vec<f64>| row.iter().zip(column).map(|(x, y)| x * y).sum();
    a.iter().map(|row| columns.iter().map(|column| dot(row, column)).collect()).collect()
}

fn mapped(a: &Matrix, f: impl Fn(usize, usize, f64) -> f64) -> Matrix {
    let row = |i: usize, values: &Vec<f64>| values.iter().enumerate().map(|(j, &v)| f(i, j, v)).collect();
    a.iter().enumerate().map(|(i, values)| row(i, values)).collect()
}

fn loss_and_delta(kind: &str, z: &Matrix, targets: &Tensor, shift: usize) -> (f64, Matrix) {
    let (n, k) = (z.len(), z[0].len());
    let target = |i: usize, j: usize| targets.data[i * k + j];
    let all = |f: &dyn Fn(f64, f64) -> f64| -> f64 {
        z.iter().enumerate().map(|(i, row)| row.iter().enumerate().map(|(j, &v)| f(v, target(i, j))).sum::<f64>()).sum()
    };
    let size = if kind == "sum_of_squares" { 1.0 } else { (n * k) as f64 };
    match kind {
        "cross_entropy" => {
            let label = |i: usize| (targets.data[i] as usize + shift) % k;
            let largest: Vec<f64> = z.iter().map(|row| row.iter().copied().fold(f64::MIN, f64::max)).collect();
            let sums: Vec<f64> = z.iter().zip(&largest).map(|(row, m)| row.iter().map(|v| (v - m).exp()).sum()).collect();
            let loss = (0..n).map(|i| largest[i] + sums[i].ln() - z[i][label(i)]).sum::<f64>() / n as f64;
            let hit = |i: usize, j: usize| f64::from(label(i) == j);
            (loss, mapped(z, |i, j, v| ((v - largest[i]).exp() / sums[i] - hit(i, j)) / n as f64))
        }
        "binary_cross_entropy" => {
            let loss = all(&|v, t| v.max(0.0) - v * t + (-v.abs()).exp().ln_1p()) / size;
            (loss, mapped(z, |i, j, v| (sigmoid(v) - target(i, j)) / size))
        }
        _ => (all(&|v, t| (v - t) * (v - t)) / size, mapped(z, |i, j, v| 2.0 * (v - target(i, j)) / size)),
    }
}

fn answer(problem: &Problem, mistake: &str) -> Vec<(String, Tensor)> {
    let kind = problem.activation.as_str();
    let round = |v: f64| if problem.dtype == "float32" { f64::from(v as f32) } else { v };
    let keep = |a: Matrix| mapped(&a, |_, _, v| round(v));
    let weight = |layer: usize| rows(&problem.given[&format!("W{layer}")]);
    let mut found: Vec<(String, Tensor)> = Vec::new();
    let mut put = |name: String, a: &Matrix| found.push((name, Tensor { shape: vec![a.len(), a[0].len()], data: a.concat() }));
    let (mut inputs, mut zs) = (vec![rows(&problem.given["x"])], Vec::new());
    for layer in 1..=problem.n_layers {
        let bias = &problem.given[&format!("b{layer}")].data;
        let z = keep(mapped(&product(&inputs[layer - 1], &weight(layer)), |_, j, v| v + bias[j]));
        put(if layer == problem.n_layers { "logits".to_string() } else { format!("z{layer}") }, &z);
        if layer < problem.n_layers {
            let a = keep(mapped(&z, |_, _, v| activation(kind, v)));
            put(format!("a{layer}"), &a);
            inputs.push(a);
        }
        zs.push(z);
    }
    let shift = usize::from(mistake == "labels");
    let (loss, delta) = loss_and_delta(&problem.loss, &zs[problem.n_layers - 1], &problem.given["targets"], shift);
    let mut delta = keep(delta);
    let mut flat = vec![("loss".to_string(), Tensor { shape: vec![], data: vec![round(loss)] })];
    for layer in (1..=problem.n_layers).rev() {
        put(format!("delta{layer}"), &delta);
        put(format!("dW{layer}"), &keep(product(&transposed(&inputs[layer - 1]), &delta)));
        let db: Vec<f64> = transposed(&delta).iter().map(|column| round(column.iter().sum())).collect();
        flat.push((format!("db{layer}"), Tensor { shape: vec![db.len()], data: db }));
        if layer > 1 {
            let power = if mistake == "twice" { 2 } else { 1 };
            let back = product(&delta, &transposed(&weight(layer)));
            delta = keep(mapped(&back, |i, j, v| v * slope(kind, zs[layer - 2][i][j]).powi(power)));
        }
    }
    found.extend(flat);
    found
}

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    for name in &arguments[4..] {
        let problem = read_problem(&arguments[1], name)?;
        write_answer(&arguments[2], name, &problem.dtype, &answer(&problem, &arguments[3]))?;
    }
    Ok(())
}
