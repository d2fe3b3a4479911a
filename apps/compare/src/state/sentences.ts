// The sentences that come with the page: from Tatoeba (tatoeba.org), CC BY 2.0 FR, out of fixtures/tatoeba-test, which the
// default model has never seen.
export const shippedSentences: readonly string[] = [
  'Paris ist die schönste Stadt der Welt.',
  'Wer hat dieses Bild gemalt?',
  'Als ich aufgewacht bin, war ich traurig.',
  'Tom und Maria warten darauf, dass du ihnen hilfst.',
  'Ich muss einkaufen gehen, ich komme in einer Stunde zurück.',
  'Alles, was man über das Leben wissen muss, habe ich von einem Schneemann gelernt.',
  'Denk nicht mal dran, meine Schokolade zu essen!',
  'Die meisten Leute wollen nur ihre eigene Wahrheit hören.',
  'Du kannst nicht von mir erwarten, dass ich immer an alles denke!',
  'Maria sagte, sie wisse nicht, wo Tom sei.',
  'Wir können wegen des Lärms nicht schlafen.',
  'Nur die Wahrheit ist schön.',
  'Du bist gar kein Millionär, oder?',
  'Du hast mich gefunden, wo sonst niemand gesucht hat.',
  'Es ist nie zu spät zum Lernen.',
  'Wenn du mich nicht so gekannt hast, dann hast du mich einfach gar nicht gekannt.',
  'Ist es weit von hier?',
  'Du bist krank, du musst dich ausruhen.',
  'Warum kommst du uns nicht besuchen?',
  'Tu, was dein Herz dir sagt!',
];

/** One text a line; empty lines do not count. */
export const linesOf = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
