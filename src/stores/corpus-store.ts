import { createStore } from 'zustand/vanilla';
import { DEFAULT_MEMORY_BUDGET } from '../core/calibration/memory-default.ts';
import type { BackendChoice } from '../core/protocol/calibration-protocol.ts';
import type { DomainSpec, TextSpec } from '../core/protocol/source-spec.ts';
import type { GateMode } from '../core/saliency/statistics-file.ts';

const MIB = 2 ** 20;

/** A text that the person brought along: a domain of its own. */
export interface OwnText {
  /** Its own while the page is open: names come back. */
  readonly id: number;
  readonly name: string;
  readonly text: TextSpec;
  /** In bytes or characters, for the list; of a data set, the documents taken. */
  readonly size: number;
  /** "messages", or several columns of one exchange joined by "+"; left out: as detected. */
  readonly column?: string;
}

interface CorpusState {
  /** Bundled domains that are ticked: name → address of the calibration slice. */
  readonly bundled: ReadonlyMap<string, string>;
  readonly own: readonly OwnText[];
  readonly sequenceLength: number;
  readonly maxTokensPerDomain: number;
  readonly gate: GateMode;
  readonly backend: BackendChoice;
  /** What a run holds to, in MiB. */
  readonly memoryMiB: number;
  /** Leave finished layers of an earlier run aside. */
  readonly startAfresh: boolean;
}

export const corpusStore = createStore<CorpusState>(() => ({
  bundled: new Map(),
  own: [],
  sequenceLength: 512,
  maxTokensPerDomain: 32_768,
  gate: 'model',
  backend: 'auto',
  memoryMiB: DEFAULT_MEMORY_BUDGET / MIB,
  startAfresh: false,
}));

export function setBundled(name: string, url: string, chosen: boolean): void {
  const bundled = new Map(corpusStore.getState().bundled);
  if (chosen) bundled.set(name, url);
  else bundled.delete(name);
  corpusStore.setState({ bundled });
}

let added = 0;

/** Adds texts; a name that another own text bears gets a number. */
export function addOwnTexts(texts: readonly Omit<OwnText, 'id'>[]): void {
  const { own } = corpusStore.getState();
  const taken = new Set(own.map(({ name }) => name));
  const more = texts.map((text) => ({ ...text, id: ++added, name: claimName(text.name, taken) }));
  corpusStore.setState({ own: [...own, ...more] });
}

/** Chooses the column of a text; undefined: as detected. */
export function chooseColumn(name: string, column: string | undefined): void {
  corpusStore.setState(({ own }) => ({
    own: own.map((text) => {
      if (text.name !== name) return text;
      const { column: _, ...rest } = text;
      return column === undefined ? rest : { ...rest, column };
    }),
  }));
}

export function removeOwnText(name: string): void {
  corpusStore.setState(({ own }) => ({ own: own.filter((text) => text.name !== name) }));
}

/** The domains of the next run: bundled ones by name, then the person's own. No two share a name. */
export function chosenDomains({ bundled, own }: Pick<CorpusState, 'bundled' | 'own'>): DomainSpec[] {
  const taken = new Set(bundled.keys());
  const names = [...bundled].sort(([a], [b]) => a.localeCompare(b, 'en'));
  return [
    ...names.map(([name, url]): DomainSpec => ({ name, texts: [{ kind: 'http', url }] })),
    ...own.map(
      ({ name, text, column }): DomainSpec => ({
        name: claimName(name, taken),
        texts: [text],
        ...(column === undefined ? {} : { column }),
      }),
    ),
  ];
}

/** The name, or the name with the first number that is free; it is taken from then on. */
function claimName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted} ${number}`;
  taken.add(name);
  return name;
}
