// A 3 x 3 kernel over a picture {height, width, values}: no padding, no flip.

export function pictureFrom(rows) {
  return { height: rows.length, width: rows[0].length, values: rows.flat() };
}

// Nine copies of the picture, each moved and weighted by one entry, added up.
export function filtered(picture, kernel) {
  const [height, width] = [picture.height - 2, picture.width - 2];
  const values = new Array(height * width).fill(0);
  kernel.flat().forEach((entry, k) => {
    const shift = Math.floor(k / 3) * picture.width + (k % 3);
    values.forEach((_, place) => {
      values[place] += entry * picture.values[shift + Math.floor(place / width) * picture.width + (place % width)];
    });
  });
  return { height, width, values };
}

export function rangeOf({ values }) {
  return values.reduce(({ low, high }, v) => ({ low: Math.min(low, v), high: Math.max(high, v) }), { low: Infinity, high: -Infinity });
}

export function sums(kernel) {
  const rows = kernel.map((row) => row[0] + row[1] + row[2]);
  const columns = [0, 1, 2].map((k) => kernel[0][k] + kernel[1][k] + kernel[2][k]);
  return { rows, columns, all: rows[0] + rows[1] + rows[2] };
}

export function isZero(value) {
  return Math.abs(value) < 1e-9;
}

// Black and white for an output: 0 in the middle where nothing brightens, else the image's own greys while they nearly fit.
export function greyScale(output, image, kernel) {
  const [found, own] = [rangeOf(output), rangeOf(image)];
  if (sums(kernel).all <= 1e-9) {
    const far = Math.max(Math.abs(found.low), Math.abs(found.high)) || 1;
    return { name: "middle", low: -far, high: far };
  }
  const room = own.high - own.low;
  if (Math.max(own.low - found.low, found.high - own.high) > 0.25 * room + 1e-9) return { name: "whole", ...found };
  const beyond = output.values.filter((v) => v < own.low - 1e-9 * room || v > own.high + 1e-9 * room).length;
  return { name: "image", ...own, beyond };
}

// Goals: the picture moves by one pixel; upright edges count and nothing else does.
export function movesLeft(kernel) {
  return kernel.flat().every((entry, k) => isZero(entry - (k === 5 ? 1 : 0)));
}

export function onlyUpright(kernel) {
  const { rows, columns } = sums(kernel);
  return rows.every(isZero) && columns.some((sum) => Math.abs(sum) >= 1 - 1e-9);
}
