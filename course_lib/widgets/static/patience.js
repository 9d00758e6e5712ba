// Early stopping as in the course: an epoch is better when its loss is below the best so far minus minDelta.
// A loss that is no number (null in the page) is never better. Epochs count from 0.

export function earlyStopping(losses, patience, minDelta = 0) {
  let [best, lowest, waited] = [0, Infinity, 0];
  for (let epoch = 0; epoch < losses.length; epoch += 1) {
    const better = losses[epoch] !== null && losses[epoch] < lowest - minDelta;
    if (better) [best, lowest, waited] = [epoch, losses[epoch], 0];
    else waited += 1;
    if (waited === patience) return { stop: epoch, best, stopped: true };
  }
  return { stop: losses.length - 1, best, stopped: false };
}

export function lowestEpoch(losses) {
  return losses.reduce((best, loss, k) => (loss !== null && !(losses[best] !== null && losses[best] <= loss) ? k : best), 0);
}

// The smallest patience that keeps the lowest epoch of the whole curve.
export function smallestPatience(losses) {
  const wanted = lowestEpoch(losses);
  let patience = 1;
  while (patience < losses.length && earlyStopping(losses, patience).best !== wanted) patience += 1;
  return patience;
}
