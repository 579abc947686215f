import type { VerifyProblem, VerifyReport } from '../../core/protocol/export-protocol.ts';

/** Problems of one file, as sentences, each once. */
export interface ProblemGroup {
  /** '' for the folder as a whole. */
  readonly file: string;
  readonly messages: readonly string[];
  /** Sentences that are not shown. */
  readonly more: number;
}

/** A damaged header names every tensor of its shard: the first of them show what is the matter. */
const SHOWN_A_FILE = 12;

export function problemGroups(problems: readonly VerifyProblem[]): ProblemGroup[] {
  const byFile = new Map<string, Set<string>>();
  for (const { file, message } of problems) {
    const messages = byFile.get(file ?? '') ?? new Set();
    messages.add(message);
    byFile.set(file ?? '', messages);
  }
  return [...byFile].map(([file, messages]) => ({
    file,
    messages: [...messages].slice(0, SHOWN_A_FILE),
    more: Math.max(0, messages.size - SHOWN_A_FILE),
  }));
}

/** The report in one sentence. */
export function verdict({ problems, comparedWithSource }: VerifyReport, folder: string, source: string | null): string {
  if (problems.length > 0) {
    const count = problems.length === 1 ? 'One thing is' : `${problems.length} things are`;
    return `${count} wrong with "${folder}". Do not use it before you know why; export the model again if in doubt.`;
  }
  if (comparedWithSource && source !== null)
    return `Every byte of "${folder}" is the byte that the export of "${source}" by its plan has there.`;
  return `Every byte of "${folder}" is the one that was exported, by the hashes in the folder itself.`;
}
