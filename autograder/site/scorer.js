// What search puts first: a lesson before the documentation, and that before the records of decisions.
const FIRST = [["lessons/", 40], ["gallery", 20], ["docs/decisions/", -20]];

var Scorer = {
  score: ([name, , , , score]) => score + (FIRST.find(([start]) => name.startsWith(start)) ?? ["", 0])[1],
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
