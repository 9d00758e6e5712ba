// A window that walks along one axis of a padded input; in two dimensions rows and columns go the same way.

// The places of every window, from the first to the last one that fits.
export function windowsAlong({ size, kernel, padding, stride, dilation }) {
  const found = [];
  for (let start = 0; ; start += stride) {
    const places = Array.from({ length: kernel }, (_, k) => start + k * dilation);
    if (places[kernel - 1] >= size + 2 * padding) return found;
    found.push(places);
  }
}

// Cells of the input itself, counted from its own edge, that no window touches.
export function neverSeen(settings, windows) {
  const touched = new Set(windows.flat());
  return Array.from({ length: settings.size }, (_, k) => k).filter((k) => !touched.has(k + settings.padding));
}
