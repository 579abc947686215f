import type { Standing } from '../../stores/inspector-lines.ts';

interface Words {
  readonly icon: string;
  readonly word: string;
  readonly meaning: string;
}

/** How sure a line is, in a word, a sign and a sentence. */
export const STANDING: Readonly<Record<Standing, Words>> = {
  certain: { icon: '✓', word: 'Certain', meaning: 'The files say so.' },
  likely: { icon: '≈', word: 'Likely', meaning: 'Names say so, and nothing speaks against it.' },
  uncertain: { icon: '?', word: 'Uncertain', meaning: 'A guess: hold it against the modelling source.' },
  differs: { icon: '≠', word: 'Differs', meaning: 'It says something else than what the files show.' },
};
