import { expect, it } from 'vitest';
import { qwen3Moe } from '../core/architectures/qwen3-moe.ts';
import { correctLine, descriptorLines } from '../core/inspector/descriptor-lines.ts';
import type { Proposal } from '../core/inspector/proposal.ts';
import { inspectorLines, needsLook } from './inspector-lines.ts';

const GUESS = 'router.scoring';

function proposal(): Proposal {
  return {
    descriptor: qwen3Moe,
    block: {
      modelType: 'mystery',
      className: 'Mystery',
      block: 'mlp',
      router: 'gate',
      experts: 'experts',
      fused: false,
      expertCount: 8,
      topK: 2,
      projections: { gate: 'w1', up: 'w3', down: 'w2' },
      sharedExperts: false,
      correctionBias: null,
      classes: {},
    },
    findings: descriptorLines(qwen3Moe).map(({ field, value }) => ({
      field,
      value,
      confidence: field === GUESS ? 'uncertain' : 'certain',
      evidence: [{ kind: 'tensor', text: `seen for ${field}` }],
      ...(field === GUESS ? { alternatives: ['sigmoid'] } : {}),
    })),
    questions: [GUESS],
    unexplained: [],
    unreadKeys: [],
  };
}

function line(descriptor: typeof qwen3Moe, field: string) {
  const found = inspectorLines(descriptor, proposal()).find((one) => one.field === field);
  if (found === undefined) throw new Error(`no line ${field}`);
  return found;
}

it('carries confidence and evidence to each line, and puts guesses before a person', () => {
  const lines = inspectorLines(qwen3Moe, proposal());
  expect(lines).toHaveLength(descriptorLines(qwen3Moe).length);
  expect(lines.filter(needsLook).map(({ field }) => field)).toEqual([GUESS]);
  expect(line(qwen3Moe, GUESS)).toEqual({
    field: GUESS,
    text: '"softmax"',
    standing: 'uncertain',
    evidence: [{ kind: 'tensor', text: `seen for ${GUESS}` }],
    choices: ['"sigmoid"'],
  });
});

it('marks a corrected line as differing, with the proposed value to go back to', () => {
  const corrected = line(correctLine(qwen3Moe, GUESS, 'sigmoid'), GUESS);
  expect(corrected).toMatchObject({ text: '"sigmoid"', standing: 'differs', choices: ['"softmax"'] });
  expect(needsLook(corrected)).toBe(true);
});

it('holds values equal whatever the order of their keys', () => {
  const moved = { ...qwen3Moe, router: { ...qwen3Moe.router, scale: { fallback: 1, key: null } } };
  expect(line(moved, 'router.scale').standing).toBe('certain');
});

it('shows a line that nothing was found for, and every line without a proposal, as differing', () => {
  const split = {
    ...qwen3Moe,
    shared: { names: { gate: null, up: 'u', down: 'd' }, width: { key: ['w'] as [string] }, gated: false },
  };
  expect(line(split, 'shared.names.up')).toMatchObject({ standing: 'differs', evidence: [], choices: [] });
  expect(inspectorLines(qwen3Moe, null).every(({ standing }) => standing === 'differs')).toBe(true);
});
