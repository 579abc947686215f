import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { asPlain, checkLines, effectOf, inspectWithoutRow, tinyCheckpoints } from './registry-rows.fixture.ts';

const checkpoints = tinyCheckpoints();
const families = new Set(checkpoints.map(({ row }) => row.id));
const GOLDENS = new URL('../../../../shared/goldens/', import.meta.url);

describe('a family whose row is taken away', () => {
  it.each(checkpoints.map((checkpoint) => [`${checkpoint.name}/${checkpoint.spelling}`, checkpoint] as const))(
    '%s is worked out again, and nothing that it is sure of is wrong',
    (_, checkpoint) => {
      const proposal = inspectWithoutRow(checkpoint);
      expect(proposal.unexplained).toEqual([]);
      const { checked, wrong } = checkLines(checkpoint, proposal);
      expect(wrong).toEqual([]);
      expect(checked).toBeGreaterThan(50);
      // Where the guesses are right too, the whole descriptor comes to what the hand-written one comes to.
      expect(asPlain(effectOf(proposal.descriptor, checkpoint))).toEqual(asPlain(effectOf(checkpoint.row, checkpoint)));
    },
  );

  it('is worked out without the habits of its line as well: nothing that is sure is wrong, the rest is asked about', () => {
    const differing = new Set<string>();
    for (const checkpoint of checkpoints) {
      const proposal = inspectWithoutRow(checkpoint, false);
      expect(checkLines(checkpoint, proposal).wrong, checkpoint.name).toEqual([]);
      const mine = JSON.stringify(asPlain(effectOf(proposal.descriptor, checkpoint)));
      if (mine !== JSON.stringify(asPlain(effectOf(checkpoint.row, checkpoint)))) differing.add(checkpoint.row.id);
    }
    // What these compute stands in no file of theirs but the code: five of twenty-one.
    expect(differing.size).toBeLessThanOrEqual(5);
  });

  it.skipIf(!existsSync(GOLDENS))('covers every family of the registry', () => {
    expect(families.size).toBeGreaterThanOrEqual(21);
  });
});
