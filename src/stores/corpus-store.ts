import { createStore } from 'zustand/vanilla';
import type { BackendChoice } from '../core/protocol/calibration-protocol.ts';
import type { DomainSpec, TextSpec } from '../core/protocol/source-spec.ts';
import type { GateMode } from '../core/saliency/statistics-file.ts';

/** A text that the person brought along: a domain of its own. */
export interface OwnText {
  readonly name: string;
  readonly text: TextSpec;
  /** In bytes or characters, for the list. */
  readonly size: number;
}

interface CorpusState {
  /** Bundled domains that are ticked: name → address of the calibration slice. */
  readonly bundled: ReadonlyMap<string, string>;
  readonly own: readonly OwnText[];
  readonly sequenceLength: number;
  readonly maxTokensPerDomain: number;
  readonly gate: GateMode;
  readonly backend: BackendChoice;
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
  startAfresh: false,
}));

export function setBundled(name: string, url: string, chosen: boolean): void {
  const bundled = new Map(corpusStore.getState().bundled);
  if (chosen) bundled.set(name, url);
  else bundled.delete(name);
  corpusStore.setState({ bundled });
}

/** Adds texts; a name that another own text bears gets a number. */
export function addOwnTexts(texts: readonly OwnText[]): void {
  const { own } = corpusStore.getState();
  const taken = new Set(own.map(({ name }) => name));
  const added = texts.map((text) => ({ ...text, name: claimName(text.name, taken) }));
  corpusStore.setState({ own: [...own, ...added] });
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
    ...own.map(({ name, text }): DomainSpec => ({ name: claimName(name, taken), texts: [text] })),
  ];
}

/** The name, or the name with the first number that is free; it is taken from then on. */
function claimName(wanted: string, taken: Set<string>): string {
  let name = wanted;
  for (let number = 2; taken.has(name); number++) name = `${wanted} ${number}`;
  taken.add(name);
  return name;
}
