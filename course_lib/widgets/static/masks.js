// Masks of dropout as in the course: p is the probability to drop, an entry is kept where its draw is at least p.

export const FORMS = ["inverted", "classic"];

// The factor of every entry. In evaluation all are alike; `forgets` leaves the scaling of classic dropout out.
export function factors(draws, { p, form, training, forgets }) {
  if (training) return draws.map((u) => (u < p ? 0 : form === "inverted" ? 1 / (1 - p) : 1));
  return draws.map(() => (form === "classic" && !forgets ? 1 - p : 1));
}

export function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

// Mean of y after each mask so far: one number per mask, the average of all means up to it.
export function running(means) {
  let sum = 0;
  return means.map((value, k) => {
    sum += value;
    return sum / (k + 1);
  });
}
