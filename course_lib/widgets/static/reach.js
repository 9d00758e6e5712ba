// Which cells below one cell of the last row reach it, and over how many paths. Layers are [kernel, stride] from the input on.

// Cells of each row, from the input on, and the middle of each cell in cells of the input; ends where no window fits.
export function rowsOf(size, layers) {
  const rows = [Array.from({ length: size }, (_, k) => k)];
  for (const [kernel, stride] of layers) {
    const below = rows[rows.length - 1];
    const above = [];
    for (let start = 0; start + kernel <= below.length; start += stride) above.push((below[start] + below[start + kernel - 1]) / 2);
    if (!above.length) break;
    rows.push(above);
  }
  return rows;
}

// For each row, from the input on, a map from cell to its number of paths to the chosen cell of the last row.
export function pathsTo(cell, layers) {
  const found = [new Map([[cell, 1]])];
  for (const [kernel, stride] of [...layers].reverse()) {
    const below = new Map();
    for (const [place, times] of found[0]) {
      for (let k = 0; k < kernel; k += 1) below.set(place * stride + k, (below.get(place * stride + k) || 0) + times);
    }
    found.unshift(below);
  }
  return found;
}
