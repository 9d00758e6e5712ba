// The playground's training on a thread of its own. It works in pieces and listens in between, so a stop is heard at once.
import { Trainer } from "./playground_trainer.js";

const PIECE = 8;
const turns = new MessageChannel();
let trainer = null;
let waiting = false;

function turn() {
  if (waiting || !trainer.working) return;
  waiting = true;
  turns.port2.postMessage(0);
}

turns.port1.onmessage = () => {
  waiting = false;
  if (trainer.slice(PIECE)) turn();
};

const ORDERS = {
  open: ({ digits }) => {
    trainer = new Trainer(digits, (news) => self.postMessage(news));
    self.postMessage({ ready: true });
  },
  begin: (order) => trainer.begin(order),
  go: (order) => { trainer.go(order); turn(); },
  pause: (order) => { trainer.pause(order); setTimeout(() => trainer.paint()); },
};

self.onmessage = ({ data }) => ORDERS[data.name](data);
