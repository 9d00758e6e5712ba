// A text CNN in the page: tokens as the course makes them, the forward pass, and what every window answered.

// Python's \w and \s for text: letters, digits of any script and "_"; JavaScript's own \s differs in five signs.
const BLANK = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const TOKEN = new RegExp(`[\\p{L}\\p{N}_']+|[^\\p{L}\\p{N}_'${BLANK}]`, "gu");

const PAD_WORD = "<pad>";

function floats(text) {
  const bytes = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float64Array.from({ length: bytes.length / 4 }, (_, k) => view.getFloat32(4 * k, true));
}

export function readModel(data) {
  const groups = data.groups.map((group) => ({ ...group, w: floats(group.w), b: floats(group.b) }));
  return {
    classes: data.classes, words: data.words, size: data.size, index: new Map(data.words.map((word, k) => [word, k])),
    embedding: floats(data.embedding), groups, w: floats(data.w), b: floats(data.b),
    features: groups.reduce((sum, group) => sum + group.count, 0), widest: Math.max(...groups.map((group) => group.width)),
  };
}

// Words and signs in lower case, each with what stands before it, so that the text can be put together again.
export function tokenize(text) {
  const small = text.toLowerCase();
  let end = 0;
  return [...small.matchAll(TOKEN)].map((found) => {
    const token = { word: found[0], before: small.slice(end, found.index) };
    end = found.index + found[0].length;
    return token;
  });
}

export function encode(model, words, length) {
  return Array.from({ length }, (_, k) => (k < words.length ? model.index.get(words[k]) ?? 1 : 0));
}

// A window counts when its last word is no padding; the first one always.
export function counts(ids, place, width) {
  return place === 0 || ids[place + width - 1] !== 0;
}

// What one filter answers at one place, before the ReLU.
function answerAt(model, group, m, ids, place) {
  const { size, embedding } = model;
  const { width, w } = group;
  let sum = group.b[m];
  for (let t = 0; t < width; t += 1) {
    const word = ids[place + t] * size;
    const start = m * size * width + t;
    for (let d = 0; d < size; d += 1) sum += embedding[word + d] * w[start + d * width];
  }
  return sum;
}

export function answersOf(model, group, m, ids) {
  return Array.from({ length: ids.length - group.width + 1 }, (_, place) => answerAt(model, group, m, ids, place));
}

// Which group and which of its filters a feature is.
export function filterOf(model, feature) {
  let m = feature;
  for (const group of model.groups) {
    if (m < group.count) return { group, m };
    m -= group.count;
  }
  throw new Error(`there is no filter ${feature}`);
}

// Each filter's maximum after the ReLU and the first window that has it.
function maximaOf(model, ids, mask) {
  const found = [];
  for (const group of model.groups) {
    const places = Array.from({ length: ids.length - group.width + 1 }, (_, place) => place).filter((place) => !mask || counts(ids, place, group.width));
    for (let m = 0; m < group.count; m += 1) {
      const best = { width: group.width, place: 0, value: 0 };
      for (const place of places) {
        const answer = answerAt(model, group, m, ids, place);
        if (answer > best.value) Object.assign(best, { place, value: answer });
      }
      found.push(best);
    }
  }
  return found;
}

export function forward(model, ids, mask = true) {
  const maxima = maximaOf(model, ids, mask);
  const scores = model.classes.map((_, c) => maxima.reduce((sum, { value }, k) => sum + model.w[c * model.features + k] * value, model.b[c]));
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const total = powers.reduce((sum, power) => sum + power, 0);
  const chances = powers.map((power) => power / total);
  return { maxima, scores, chances, answer: chances.indexOf(Math.max(...chances)) };
}

// The windows that fired, each with its pull towards a class: what its filters add to the score of this class above
// what they add on average over the classes. Several filters may have the same window.
export function ngramsOf(model, { maxima }, words, chosen) {
  const windows = new Map();
  maxima.forEach(({ width, place, value }, k) => {
    if (!(value > 0)) return;
    const column = model.classes.map((_, c) => model.w[c * model.features + k]);
    const pull = value * (column[chosen] - column.reduce((sum, v) => sum + v, 0) / column.length);
    const key = `${width} ${place}`;
    const text = Array.from({ length: width }, (_, t) => words[place + t] ?? PAD_WORD).join(" ");
    const window = windows.get(key) ?? { key, text, width, place, filters: 0, answer: 0, pull: 0 };
    Object.assign(window, { filters: window.filters + 1, answer: Math.max(window.answer, value), pull: window.pull + pull });
    windows.set(key, window);
  });
  return [...windows.values()].sort((a, b) => Math.abs(b.pull) - Math.abs(a.pull));
}

// Every window shares its pull out among its words.
export function wordPulls(ngrams, count) {
  const pulls = new Array(count).fill(0);
  for (const { width, place, pull } of ngrams) {
    for (let t = 0; t < width; t += 1) if (place + t < count) pulls[place + t] += pull / width;
  }
  return pulls;
}
