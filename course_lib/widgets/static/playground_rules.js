// The optimisers of the playground: those of the race with Torch's usual constants, and AdamW.
import { RULES } from "./update_rules.js";

const MU = 0.9;
const DECAY = 0.01;

// Loshchilov and Hutter (2019), as in torch.optim: every weight shrinks first, then Adam steps.
function adamw({ lr }) {
  const step = RULES.adam({ lr });
  return (w, g) => {
    for (let i = 0; i < w.length; i += 1) w[i] *= 1 - lr * DECAY;
    step(w, g);
  };
}

export const OPTIMISERS = {
  sgd: RULES.sgd, momentum: ({ lr }) => RULES.momentum({ lr, mu: MU }), rmsprop: RULES.rmsprop, adam: ({ lr }) => RULES.adam({ lr }), adamw,
};
