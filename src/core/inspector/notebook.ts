import type { Confidence, Evidence, Finding } from './proposal.ts';

const RANK: Readonly<Record<Confidence, number>> = { uncertain: 0, likely: 1, certain: 2 };

/** What the inspector found so far, by field. A later note on a field takes the place of an earlier one. */
export class Notebook {
  readonly #notes = new Map<string, Finding>();

  /** Writes a finding down and gives its value back. */
  note<T>(
    field: string,
    value: T,
    confidence: Confidence,
    evidence: Evidence | readonly Evidence[],
    alternatives: readonly unknown[] = [],
  ): T {
    const list = 'kind' in evidence ? [evidence] : evidence;
    const others = alternatives.filter((other) => JSON.stringify(other) !== JSON.stringify(value));
    this.#notes.set(field, {
      field,
      value,
      confidence,
      evidence: list,
      ...(others.length > 0 ? { alternatives: others } : {}),
    });
    return value;
  }

  /** A value that nothing in the files shows: the field's habit, for a person to check. */
  guess<T>(field: string, value: T, why: string, alternatives: readonly unknown[] = []): T {
    return this.note(field, value, 'uncertain', { kind: 'rule', text: why }, alternatives);
  }

  /** Makes a finding's confidence no higher than `most`, with the reason. */
  doubt(field: string, most: Confidence, evidence: Evidence): void {
    const found = this.#notes.get(field);
    if (found === undefined) return;
    const confidence = RANK[found.confidence] > RANK[most] ? most : found.confidence;
    this.#notes.set(field, { ...found, confidence, evidence: [...found.evidence, evidence] });
  }

  /** The finding of a field, or of the nearest field that holds it. */
  covering(field: string): Finding | undefined {
    for (let at = field; at !== ''; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
      const found = this.#notes.get(at);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Adds evidence to a field's own finding. */
  support(field: string, evidence: Evidence): void {
    const found = this.#notes.get(field);
    if (found !== undefined) this.#notes.set(field, { ...found, evidence: [...found.evidence, evidence] });
  }
}
