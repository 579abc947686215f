import type { Architecture } from '../core/architectures/descriptor.ts';
import { descriptorLines } from '../core/inspector/descriptor-lines.ts';
import type { Confidence, Evidence, Finding, Proposal } from '../core/inspector/proposal.ts';

/** How sure a line is. `differs`: it says something else than the files were found to show, or they show nothing. */
export type Standing = Confidence | 'differs';

export interface InspectorLine {
  readonly field: string;
  /** The value in JSON. */
  readonly text: string;
  readonly standing: Standing;
  readonly evidence: readonly Evidence[];
  /** Other values worth choosing, in JSON: the proposed one, and those that the evidence leaves open. */
  readonly choices: readonly string[];
}

/** A descriptor's lines, each held against what the inspector found. */
export function inspectorLines(descriptor: Architecture, proposal: Proposal | null): InspectorLine[] {
  const findings = new Map(proposal?.findings.map((finding) => [finding.field, finding]));
  return descriptorLines(descriptor).map(({ field, value }) =>
    lineOf(field, JSON.stringify(value), findings.get(field)),
  );
}

function lineOf(field: string, text: string, finding: Finding | undefined): InspectorLine {
  if (finding === undefined) return { field, text, standing: 'differs', evidence: [], choices: [] };
  const { value, confidence, evidence, alternatives = [] } = finding;
  const all = [value, ...alternatives].map((choice) => JSON.stringify(choice));
  return {
    field,
    text,
    standing: sameJson(text, JSON.stringify(value)) ? confidence : 'differs',
    evidence,
    choices: [...new Set(all)].filter((choice) => !sameJson(choice, text)),
  };
}

/** Equal up to the order of keys. */
function sameJson(left: string, right: string): boolean {
  return left === right || ordered(JSON.parse(left)) === ordered(JSON.parse(right));
}

function ordered(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(ordered).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${ordered(member)}`);
  return `{${members.sort().join()}}`;
}

/** True for lines that a person should see: guesses, and what differs from the evidence. */
export function needsLook({ standing }: InspectorLine): boolean {
  return standing === 'uncertain' || standing === 'differs';
}
