import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyDomainStatistics, STATISTIC_FIELDS } from './layer-statistics.ts';
import { fakeHash, oneLayer, wholeNumberStatistics } from './statistics.fixture.ts';
import { parseStatistics, serialiseStatistics } from './statistics-file.ts';

const statistics = wholeNumberStatistics([1, 3], { name: 'python', tokens: 6, hash: fakeHash('a') });
const text = serialiseStatistics(statistics);

/** The file with one place changed: a path of keys, then the new value. */
function changed(path: readonly (string | number)[], value: unknown): string {
  const file: unknown = JSON.parse(text);
  let place = file;
  for (const key of path.slice(0, -1)) place = Reflect.get(Object(place), key);
  Reflect.set(Object(place), path.at(-1) ?? '', value);
  return JSON.stringify(file);
}

const COUNT = ['layers', 0, 'domains', 0, 'count'] as const;

describe('statistics file', () => {
  it('comes back as it went, to the same bytes', () => {
    const parsed = parseStatistics(text);
    expect(parsed).toEqual(statistics);
    expect(serialiseStatistics(parsed)).toBe(text);
    expect(text.endsWith('\n')).toBe(true);
  });

  it('writes the documented fields in the documented order', () => {
    const file = JSON.parse(text);
    expect(Object.keys(file)).toEqual(['format', 'version', 'model', 'gate', 'domains', 'layers']);
    expect(file.format).toBe('reap-studio/statistics');
    expect(file.version).toBe(1);
    expect(Object.keys(file.layers[0])).toEqual(['layer', 'experts', 'topK', 'domains']);
    expect(Object.keys(file.layers[0].domains[0])).toEqual(['tokens', ...STATISTIC_FIELDS]);
  });

  it('keeps every f64 exactly', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }), { minLength: 5, maxLength: 5 }),
        (values) => {
          const one = emptyDomainStatistics(1);
          one.tokens = 1;
          one.count.set([1]);
          for (const [index, field] of STATISTIC_FIELDS.slice(1).entries()) one[field].set([values[index] ?? 0]);
          const back = parseStatistics(serialiseStatistics(oneLayer(one, 1))).layers[0]?.domains[0];
          expect(back).toEqual(one);
        },
      ),
    );
  });

  it.each([
    ['not-json', '{"format":"reap-studio/stat'],
    ['not-json', ''],
    ['wrong-format', '[]'],
    ['wrong-format', 'null'],
    ['wrong-format', changed(['format'], 'reap-studio/plan')],
    ['newer-version', changed(['version'], 2)],
    ['invalid-statistics', changed(['version'], 0)],
    ['count-mismatch', changed([...COUNT, 0], 4)],
    ['count-mismatch', changed(['layers', 0, 'domains', 0, 'tokens'], 7)],
    ['count-mismatch', changed(['domains', 0, 'tokens'], 7)],
  ])('refuses with %s: %.40s', (code, bad) => {
    expect(() => parseStatistics(bad)).toThrow(
      expect.objectContaining({ family: 'calibration', code, nextStep: expect.stringMatching(/\.$/) }),
    );
  });

  it.each([
    ['gate', changed(['gate'], 'softmax')],
    ['model', changed(['model', 'colour'], 'red')],
    ['model.fingerprint', changed(['model', 'fingerprint'], 'abc')],
    ['domains', changed(['domains'], [])],
    ['domains', changed(['domains'], [...statistics.domains, ...statistics.domains])],
    ['domains[0].name', changed(['domains', 0, 'name'], '')],
    ['layers[0].layer', changed(['layers', 0, 'layer'], 1.5)],
    ['layers[1].layer', changed(['layers', 1, 'layer'], 1)],
    ['layers[0].topK', changed(['layers', 0, 'topK'], 5)],
    ['layers[1].domains', changed(['layers', 1, 'domains'], [])],
    ['layers[0].domains[0].count', changed(COUNT, [3, 3, 6])],
    ['layers[0].domains[0].count[2]', changed([...COUNT, 2], -3)],
    ['layers[0].domains[0].count[2]', changed([...COUNT, 2], 2.5)],
    ['layers[0].domains[0].normSum[1]', changed(['layers', 0, 'domains', 0, 'normSum', 1], null)],
    ['layers[0].domains[0].normSum[1]', text.replace(/("normSum":\[\d+,)\d+/, '$11e999')],
    ['layers[0].domains[0].normSum[1]', changed([...COUNT], [6, 0, 3, 3])],
    ['layers[0].domains[0]', changed(['layers', 0, 'domains', 0, 'variance'], [])],
  ])('names the path %s', (path, bad) => {
    expect(() => parseStatistics(bad)).toThrow(
      expect.objectContaining({
        code: 'invalid-statistics',
        details: { path },
        message: expect.stringContaining(path),
      }),
    );
  });

  it('says what is wrong in words', () => {
    expect(() => parseStatistics(changed([...COUNT, 2], 2.5))).toThrow(
      'In this statistics file, layers[0].domains[0].count[2] must be a whole number.',
    );
    expect(() => parseStatistics(changed(['gate'], 1))).toThrow('gate must be "model" or "reference".');
    expect(() => parseStatistics(changed(['extra'], 1))).toThrow('the top level has the unknown key "extra".');
  });

  it('does not write a number that JSON cannot hold, and names it', () => {
    const broken = wholeNumberStatistics([4], { name: 'c', tokens: 2, hash: fakeHash('a') });
    broken.layers[0]?.domains[0]?.gateNormSum.set([Number.NaN], 2);
    expect(() => serialiseStatistics(broken)).toThrow(
      expect.objectContaining({
        code: 'non-finite-statistics',
        details: { layer: 4, domain: 'c', field: 'gateNormSum', expert: 2 },
      }),
    );
  });

  it('takes names of object members for plain text', () => {
    const named = wholeNumberStatistics([0], { name: '__proto__', tokens: 2, hash: fakeHash('a') });
    expect(parseStatistics(serialiseStatistics(named)).domains[0]?.name).toBe('__proto__');
    expect(() => parseStatistics(text.replace('{', '{"__proto__":{"polluted":1},'))).toThrow('unknown key "__proto__"');
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });
});
