import { describe, expect, it } from 'vitest';
import { architectures } from '../architectures/registry.ts';
import { correctLine, descriptorLines } from './descriptor-lines.ts';

describe('a descriptor line by line', () => {
  it('shows a row whole: putting each line back changes nothing', () => {
    const kinds = ['minimax_m2', 'deepseek_v3', 'qwen3_next', 'nemotron_h'];
    const rows = architectures.all().filter(({ id }) => kinds.includes(id));
    expect(rows.length).toBe(kinds.length);
    for (const row of rows) {
      for (const { field, value } of descriptorLines(row)) expect(correctLine(row, field, value), field).toEqual(row);
    }
  });

  it('is corrected in one line alone', () => {
    const [row] = architectures.all();
    if (row === undefined) throw new Error('the registry is empty');
    const corrected = correctLine(row, 'mixers.0.mixer.rotary.style', 'interleaved');
    const before = new Map(descriptorLines(row).map(({ field, value }) => [field, JSON.stringify(value)]));
    const changed = descriptorLines(corrected).filter(
      ({ field, value }) => JSON.stringify(value) !== before.get(field),
    );
    expect(changed).toEqual([{ field: 'mixers.0.mixer.rotary.style', value: 'interleaved' }]);
  });

  it('refuses a value that does not fit, and a line that is not there', () => {
    const [row] = architectures.all();
    if (row === undefined) throw new Error('the registry is empty');
    expect(() => correctLine(row, 'router.scoring', 'argmax')).toThrow(
      expect.objectContaining({ code: 'invalid-descriptor', details: { path: 'router.scoring' } }),
    );
    expect(() => correctLine(row, 'tensors.router', '.*')).toThrow(
      expect.objectContaining({ code: 'invalid-descriptor' }),
    );
    expect(() => correctLine(row, 'router.nothing.at', 1)).toThrow('router.nothing.at');
  });
});
