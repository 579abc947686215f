import { expect, it } from 'vitest';
import { qwen3Moe } from '../architectures/qwen3-moe.ts';
import { openCheckpoint } from '../checkpoint/open-checkpoint.ts';
import { tinyCheckpoint } from '../checkpoint/tiny-checkpoint.fixture.ts';
import { calibrationRunKey } from './run-key.ts';

const DOMAINS = [{ name: 'python', hash: 'h' }];

it('tells two readings of the same files apart, though shapes and numbers agree', async () => {
  const { perExpert } = qwen3Moe.experts;
  if (perExpert === null || perExpert.gate === null) throw new Error('the row names a gate');
  const swapped = {
    ...qwen3Moe,
    experts: { ...qwen3Moe.experts, perExpert: { ...perExpert, gate: perExpert.up, up: perExpert.gate } },
  };
  const row = await openCheckpoint(tinyCheckpoint());
  const own = await openCheckpoint(tinyCheckpoint(), { architecture: swapped });
  expect(own.fingerprint).toBe(row.fingerprint);
  expect(await calibrationRunKey(own, DOMAINS, 'model')).not.toBe(await calibrationRunKey(row, DOMAINS, 'model'));
  const again = await openCheckpoint(tinyCheckpoint(), { architecture: qwen3Moe });
  expect(await calibrationRunKey(again, DOMAINS, 'model')).toBe(await calibrationRunKey(row, DOMAINS, 'model'));
});
