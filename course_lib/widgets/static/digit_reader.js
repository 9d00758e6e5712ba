// The forward pass of a small convolutional network in float64: what Python sent, layer by layer, and a softmax.
// A tensor is {shape, data}: one image (channels, rows, columns) or a row of numbers, without a batch axis.

// Weights travel as little-endian float64 in base64.
export function unpacked({ shape, data }) {
  const text = atob(data);
  const bytes = Uint8Array.from(text, (sign) => sign.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return { shape, data: Float64Array.from({ length: bytes.length / 8 }, (_, k) => view.getFloat64(8 * k, true)) };
}

function convolve({ shape: [channels, rows, columns], data }, { w, b, padding }) {
  const [filters, , high, wide] = w.shape;
  const [height, width] = [rows + 2 * padding - high + 1, columns + 2 * padding - wide + 1];
  const out = new Float64Array(filters * height * width);
  const window = (filter, i, j) => {
    let sum = b ? b.data[filter] : 0;
    for (let c = 0; c < channels; c += 1) {
      for (let u = Math.max(0, padding - i); u < Math.min(high, rows + padding - i); u += 1) {
        const [from, weights] = [(c * rows + i + u - padding) * columns + j - padding, ((filter * channels + c) * high + u) * wide];
        for (let v = Math.max(0, padding - j); v < Math.min(wide, columns + padding - j); v += 1) sum += w.data[weights + v] * data[from + v];
      }
    }
    return sum;
  };
  for (let place = 0; place < out.length; place += 1) {
    const [i, j] = [Math.floor(place / width) % height, place % width];
    out[place] = window(Math.floor(place / (height * width)), i, j);
  }
  return { shape: [filters, height, width], data: out };
}

function pool({ shape: [channels, rows, columns], data }, { kernel, stride }) {
  const step = stride || kernel;
  const [height, width] = [Math.floor((rows - kernel) / step) + 1, Math.floor((columns - kernel) / step) + 1];
  const out = new Float64Array(channels * height * width).fill(-Infinity);
  for (let place = 0; place < out.length; place += 1) {
    const [c, i, j] = [Math.floor(place / (height * width)), Math.floor(place / width) % height, place % width];
    for (let u = 0; u < kernel; u += 1) {
      for (let v = 0; v < kernel; v += 1) out[place] = Math.max(out[place], data[(c * rows + step * i + u) * columns + step * j + v]);
    }
  }
  return { shape: [channels, height, width], data: out };
}

function dense({ data }, { w, b }) {
  const [units, inputs] = w.shape;
  const out = Float64Array.from({ length: units }, (_, unit) => {
    let sum = b ? b.data[unit] : 0;
    for (let k = 0; k < inputs; k += 1) sum += w.data[unit * inputs + k] * data[k];
    return sum;
  });
  return { shape: [units], data: out };
}

const STEPS_OF = {
  conv: convolve,
  relu: ({ shape, data }) => ({ shape, data: data.map((value) => Math.max(0, value)) }),
  maxpool: pool,
  flatten: ({ data }) => ({ shape: [data.length], data }),
  dense,
};

function probable(scores) {
  const top = Math.max(...scores);
  const powers = Array.from(scores, (score) => Math.exp(score - top));
  const total = powers.reduce((sum, value) => sum + value, 0);
  return powers.map((value) => value / total);
}

// Returns a function from the 64 pixels of an 8x8 picture to one probability per class.
export function digitReader(packed, side) {
  const layers = packed.map((layer) => ({
    ...layer, padding: layer.padding || 0, w: layer.w && unpacked(layer.w), b: layer.b && unpacked(layer.b),
  }));
  return (pixels) => {
    const image = { shape: [1, side, side], data: Float64Array.from(pixels) };
    return probable(layers.reduce((at, layer) => STEPS_OF[layer.kind](at, layer), image).data);
  };
}
