// Update rules as torch.optim computes them, in float64: momentum adds up, every eps stands outside its root.
// A rule is made once per run and remembers what it needs; it changes the weights it is given.

function sgd({ lr }) {
  return (w, g) => { for (let i = 0; i < w.length; i += 1) w[i] -= lr * g[i]; };
}

// Starts undamped: the first velocity is the gradient.
function momentum({ lr, mu }) {
  let v = null;
  return (w, g) => {
    v = v || new Float64Array(w.length);
    for (let i = 0; i < w.length; i += 1) {
      v[i] = mu * v[i] + g[i];
      w[i] -= lr * v[i];
    }
  };
}

function nesterov({ lr, mu }) {
  let v = null;
  return (w, g) => {
    v = v || new Float64Array(w.length);
    for (let i = 0; i < w.length; i += 1) {
      v[i] = mu * v[i] + g[i];
      w[i] -= lr * (g[i] + mu * v[i]);
    }
  };
}

function adagrad({ lr, eps = 1e-10 }) {
  let s = null;
  return (w, g) => {
    s = s || new Float64Array(w.length);
    for (let i = 0; i < w.length; i += 1) {
      s[i] += g[i] * g[i];
      w[i] -= (lr * g[i]) / (Math.sqrt(s[i]) + eps);
    }
  };
}

function rmsprop({ lr, beta = 0.99, eps = 1e-8 }) {
  let s = null;
  return (w, g) => {
    s = s || new Float64Array(w.length);
    for (let i = 0; i < w.length; i += 1) {
      s[i] = beta * s[i] + (1 - beta) * g[i] * g[i];
      w[i] -= (lr * g[i]) / (Math.sqrt(s[i]) + eps);
    }
  };
}

function adam({ lr, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, corrected = true }) {
  let [m, v, k] = [null, null, 0];
  return (w, g) => {
    m = m || new Float64Array(w.length);
    v = v || new Float64Array(w.length);
    k += 1;
    const [first, second] = corrected ? [1 - beta1 ** k, 1 - beta2 ** k] : [1, 1];
    for (let i = 0; i < w.length; i += 1) {
      m[i] = beta1 * m[i] + (1 - beta1) * g[i];
      v[i] = beta2 * v[i] + (1 - beta2) * g[i] * g[i];
      w[i] -= (lr * (m[i] / first)) / (Math.sqrt(v[i] / second) + eps);
    }
  };
}

export const RULES = { sgd, momentum, nesterov, adagrad, rmsprop, adam };

// Pairs of Box and Muller (1958) from a stream of uniform numbers.
export function normals(next, count) {
  const drawn = new Float64Array(count + (count % 2));
  for (let k = 0; k < drawn.length; k += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - next()));
    const angle = 2 * Math.PI * next();
    drawn[k] = radius * Math.cos(angle);
    drawn[k + 1] = radius * Math.sin(angle);
  }
  return drawn.subarray(0, count);
}
