import type { StudioError } from '../core/base/errors.ts';
import { referenceTexts } from '../core/inspector/copy-as.ts';
import type { Proposal } from '../core/inspector/proposal.ts';

/** A proposal as JSON, with the entries for the reference implementation. */
export function proposalJson({
  block,
  findings,
  questions,
  unexplained,
  unreadKeys,
  descriptor,
}: Proposal): Readonly<Record<string, unknown>> {
  return { block, findings, questions, unexplained, unreadKeys, reference: referenceTexts(descriptor, block.classes) };
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A proposal line by line: field, value, confidence, and what it rests on. */
export function proposalText(
  label: string,
  refusal: StudioError,
  { findings, questions, unexplained, unreadKeys, block }: Proposal,
): string {
  const width = Math.max(...findings.map(({ field }) => field.length)) + 2;
  const lines = findings.flatMap(({ field, value, confidence, evidence }) => [
    `${confidence === 'uncertain' ? '?' : ' '} ${field.padEnd(width)}${shown(value)}`,
    ...evidence.map(({ kind, text }) => `      ${confidence}, ${kind}: ${text}`),
  ]);
  return [
    `${label}: unknown architecture: proposed descriptor`,
    refusal.message,
    `${block.expertCount} experts a layer in "${block.block}", ${block.topK ?? 'an unknown number'} a token`,
    '',
    ...lines,
    '',
    ...(unexplained.length > 0 ? [`Tensors that nothing explains: ${unexplained.join(', ')}`] : []),
    ...(unreadKeys.length > 0 ? [`Members of config.json that no line reads: ${unreadKeys.join(', ')}`] : []),
    questions.length > 0
      ? `${questions.length} lines marked ? are guesses. Save the descriptor with --write-descriptor FILE, check them, and give the file back with --descriptor FILE.`
      : 'Save the descriptor with --write-descriptor FILE and give it back with --descriptor FILE.',
    '',
  ].join('\n');
}
