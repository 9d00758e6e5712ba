// Several goals in one widget: each is reached once, is told once, and stays reached when the page is drawn again.
import { fill, goal } from "./kit.js";

const TOLD = "Goal reached: {text}";

// `asked` holds the sentences that set the goals, `reached` whether each was reached before.
export function milestones(asked, reached) {
  const goals = asked.map(goal);
  goals.forEach((item, k) => { if (reached[k]) item.reach(asked[k]); });
  // One sentence per goal, empty where it is not reached now; returns the news for screen readers.
  const judge = (sentences) => {
    let news = "";
    sentences.forEach((text, k) => {
      if (!text || reached[k]) return;
      reached[k] = true;
      goals[k].reach(text);
      news = fill(TOLD, { text });
    });
    return news;
  };
  return { boxes: goals.map((item) => item.box), reached, judge };
}

// Sentences and fragments as one text without a full stop at the end: `announce` adds its own.
export function spoken(...parts) {
  return parts.filter(Boolean).map((part) => part.replace(/\.$/, "")).join(". ");
}
