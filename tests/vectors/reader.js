// Reads and writes the vectors of `backproof vectors`: a header NAME.json and its numbers NAME.bin.
"use strict";
const fs = require("fs");
const path = require("path");

const KINDS = { float32: [Float32Array, 4], float64: [Float64Array, 8], int64: [BigInt64Array, 8] };

// The tensors of a problem: {header, given: {name: {shape, data}}}; data is an array of numbers.
function readProblem(folder, name) {
  const header = JSON.parse(fs.readFileSync(path.join(folder, `${name}.json`), "utf8"));
  const bytes = fs.readFileSync(path.join(folder, `${name}.bin`));
  const given = {};
  const expected = {};
  const numbers = (entry, offset) => {
    const [Kind, size] = KINDS[entry.dtype];
    const count = entry.shape.reduce((a, b) => a * b, 1);
    const copy = new Uint8Array(bytes.subarray(offset, offset + count * size)).buffer;
    return Array.from(new Kind(copy), Number);
  };
  for (const entry of header.tensors) {
    if (entry.role === "given") {
      given[entry.name] = { shape: entry.shape, data: numbers(entry, entry.offset) };
    } else {
      expected[entry.name] = {
        low: numbers(entry, entry.low),
        high: numbers(entry, entry.high),
        bound: numbers(entry, entry.bound),
      };
    }
  }
  return { header, given, expected };
}

// tensors: {name: {shape, data}}, written in the problem's dtype.
function writeAnswer(folder, name, dtype, tensors) {
  const [Kind, size] = KINDS[dtype];
  const lines = [];
  const parts = [];
  let offset = 0;
  for (const [tensor, { shape, data }] of Object.entries(tensors)) {
    lines.push(JSON.stringify({ name: tensor, dtype, shape, offset }));
    parts.push(Buffer.from(Kind.from(data).buffer));
    offset += data.length * size;
  }
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `${name}.json`), `{"tensors": [\n${lines.join(",\n")}\n]}\n`);
  fs.writeFileSync(path.join(folder, `${name}.bin`), Buffer.concat(parts));
}

function problemNames(folder) {
  return JSON.parse(fs.readFileSync(path.join(folder, "vectors.json"), "utf8")).problems;
}

module.exports = { readProblem, writeAnswer, problemNames };
