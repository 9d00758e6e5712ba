// Digits as they travel: one character per pixel, 0 to 9 and then a to g for 10 to 16; one digit per label.

const INK_LEVELS = 16;

export function readDigits(pixels, labels) {
  const x = Float64Array.from(pixels, (sign) => parseInt(sign, INK_LEVELS + 1) / INK_LEVELS);
  return { x, y: Uint8Array.from(labels, Number), count: labels.length };
}
