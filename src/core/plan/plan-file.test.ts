import { describe, expect, it } from 'vitest';
import { checkPlanFits, parsePlan, serialisePlan } from './plan-file.ts';
import type { LayerPlan, PruningPlan } from './pruning-plan.ts';
import { groupedLayer, moeLayer, select, summaryOf } from './selection.fixture.ts';

const { plan } = select(
  new Map([
    [1, [0.5, 0.25, 0.25, 0.1, 3, 1 / 3]],
    [3, [6, 5, 4, 3, 2, 1]],
  ]),
  { ratio: 0.34 },
  { pinned: new Map([[3, new Set([5, 0])]]), forcedOut: new Map([[3, new Set([1])]]) },
);
const text = serialisePlan(plan);

/** The plan with fields of its first layer replaced. */
function withLayer(fields: Partial<LayerPlan>): PruningPlan {
  return { ...plan, layers: plan.layers.map((layer, row) => (row === 0 ? { ...layer, ...fields } : layer)) };
}

/** The file with fields of the first layer replaced. */
function changed(fields: Readonly<Record<string, unknown>>, head: Readonly<Record<string, unknown>> = {}): string {
  const file = JSON.parse(text);
  Object.assign(file.layers[0], fields);
  return JSON.stringify({ ...file, ...head });
}

describe('plan file', () => {
  it('comes back as it went, to the same bytes', () => {
    expect(parsePlan(text)).toEqual(plan);
    expect(serialisePlan(parsePlan(text))).toBe(text);
  });

  it('has the documented text', () => {
    expect(text).toBe(
      [
        '{"format":"reap-studio/plan",',
        '"version":1,',
        `"model":{"architecture":"qwen3_moe","fingerprint":"${'f'.repeat(64)}","source":"tiny"},`,
        '"metric":"reap",',
        '"policy":"uniform",',
        '"ratio":0.34,',
        '"calibration":{"domains":[],"gate":"model","statisticsHash":null},',
        '"layers":[',
        '{"layer":1,"experts":6,"keep":[0,1,4,5],"drop":[2,3],"scores":[0.5,0.25,0.25,0.1,3,0.3333333333333333],"reasons":{"1":"tie","2":"tie"}},',
        '{"layer":3,"experts":6,"keep":[0,2,3,5],"drop":[1,4],"scores":[6,5,4,3,2,1],"reasons":{"0":"pinned","1":"forced-out","5":"pinned"}}',
        ']}',
        '',
      ].join('\n'),
    );
  });

  it('gives equal plans equal bytes, whatever the order of their keys and reasons', () => {
    const shuffled: PruningPlan = {
      layers: plan.layers.map(({ reasons, ...rest }) => ({ reasons: new Map([...reasons].reverse()), ...rest })),
      nextToken: 'prune',
      calibration: { statisticsHash: null, gate: 'model', domains: [] },
      ratio: plan.ratio,
      policy: plan.policy,
      metric: plan.metric,
      model: { source: 'tiny', fingerprint: plan.model.fingerprint, architecture: 'qwen3_moe' },
    };
    expect(serialisePlan(shuffled)).toBe(text);
  });

  it('says what becomes of further-token layers only where they go', () => {
    expect(text).not.toContain('nextToken');
    expect(parsePlan(text).nextToken).toBe('prune');
    const dropping = serialisePlan({ ...plan, nextToken: 'drop' });
    expect(dropping).toContain('"nextToken":"drop",\n"layers"');
    expect(parsePlan(dropping)).toEqual({ ...plan, nextToken: 'drop' });
    expect(parsePlan(changed({}, { nextToken: 'prune' })).nextToken).toBe('prune');
    expect(() => parsePlan(changed({}, { nextToken: 'keep' }))).toThrow(
      expect.objectContaining({ code: 'invalid-plan' }),
    );
  });

  it('opens without scores', () => {
    expect(parsePlan(changed({ scores: [] })).layers[0]?.scores).toEqual([]);
  });

  it.each([
    ['not-json', text.slice(0, -5)],
    ['wrong-format', '{"format":"reap-studio/statistics","version":1}'],
    ['wrong-format', '{}'],
    ['newer-version', changed({}, { version: 2 })],
    ['invalid-plan', changed({}, { policy: 'global' })],
    ['invalid-plan', changed({}, { layers: [] })],
    ['invalid-plan', changed({}, { comment: 'mine' })],
    ['invalid-plan', changed({}, { ratio: 1.5 })],
  ])('refuses with %s: %.60s', (code, bad) => {
    expect(() => parsePlan(bad)).toThrow(
      expect.objectContaining({ family: 'plan', code, nextStep: expect.stringMatching(/\.$/) }),
    );
  });

  it.each([
    ['layers[0].keep', { keep: [], drop: [0, 1, 2, 3, 4, 5] }],
    ['layers[0].keep[1]', { keep: [1, 0, 4, 5] }],
    ['layers[0].keep[1]', { keep: [0, 0, 4, 5] }],
    ['layers[0].keep[3]', { keep: [0, 1, 4, 6] }],
    ['layers[0].keep[0]', { keep: [-1, 1, 4, 5] }],
    ['layers[0].keep[0]', { keep: [0.5, 1, 4, 5] }],
    ['layers[0].drop[0]', { drop: [1, 2, 3] }],
    ['layers[0]', { drop: [2] }],
    ['layers[0].scores', { scores: [1, 2] }],
    ['layers[0].scores[0]', { scores: [null, 2, 3, 4, 5, 6] }],
    ['layers[0].reasons.6', { reasons: { 6: 'tie' } }],
    ['layers[0].reasons.0', { reasons: { 0: 'forced-out' } }],
    ['layers[0].reasons.2', { reasons: { 2: 'pinned' } }],
    ['layers[0].reasons.3', { reasons: { 3: 'super-expert' } }],
    ['layers[0].reasons.0', { reasons: { 0: 'disliked' } }],
    ['layers[0].reasons.constructor', { reasons: { constructor: 'tie' } }],
    ['layers[0].layer', { layer: -1 }],
    ['layers[1].layer', { layer: 3 }],
  ])('names the path %s of %j', (path, fields) => {
    expect(() => parsePlan(changed(fields))).toThrow(
      expect.objectContaining({ code: 'invalid-plan', details: { path }, message: expect.stringContaining(path) }),
    );
  });

  it('does not write what it would not read', () => {
    expect(() => serialisePlan(withLayer({ keep: [0, 1, 4] }))).toThrow(
      expect.objectContaining({ code: 'invalid-plan' }),
    );
    expect(() => serialisePlan(withLayer({ scores: [1, 2, 3, 4, 5, Number.NaN] }))).toThrow(/scores\[5\]/);
  });
});

describe('checkPlanFits', () => {
  const summary = summaryOf([moeLayer(1, 6), moeLayer(3, 6)]);

  it('passes the model that the plan was made for', () => {
    expect(() => checkPlanFits(plan, summary)).not.toThrow();
  });

  it.each([
    ['architecture', { ...summary, architecture: 'mixtral' }],
    ['layers', { ...summary, moeLayers: [moeLayer(1, 6)] }],
    ['layers', { ...summary, moeLayers: [moeLayer(1, 6), moeLayer(2, 6), moeLayer(3, 6)] }],
    ['experts', { ...summary, moeLayers: [moeLayer(1, 6), moeLayer(3, 8)] }],
    ['fingerprint', { ...summary, fingerprint: '0'.repeat(64) }],
  ])('says that %s differs', (differs, other) => {
    expect(() => checkPlanFits(plan, other)).toThrow(
      expect.objectContaining({ family: 'plan', code: 'other-model', details: { differs } }),
    );
  });

  it('refuses fewer experts than a token needs', () => {
    const needy = { ...summary, moeLayers: [moeLayer(1, 6, 2), moeLayer(3, 6, 5)] };
    expect(() => checkPlanFits(plan, needy)).toThrow(
      expect.objectContaining({ code: 'fewer-than-top-k', details: { layer: 3, keep: 4, topK: 5 } }),
    );
  });

  it('refuses a keep list that leaves a grouped router uneven groups, and fewer experts than its groups need', () => {
    // Layer 1 keeps 0, 1, 4, 5: two of the first three and two of the last; layer 3 keeps 0, 2, 3, 5.
    const grouped = (count: number, least: number) => ({
      ...summary,
      moeLayers: [1, 3].map((layer) => groupedLayer(layer, 6, { count, chosen: 1, least })),
    });
    expect(() => checkPlanFits(plan, grouped(2, 2))).not.toThrow();
    expect(() => checkPlanFits(plan, grouped(3, 1))).toThrow(
      expect.objectContaining({ code: 'uneven-groups', details: { layer: 1, groups: 3 } }),
    );
    expect(() => checkPlanFits(plan, grouped(2, 3))).toThrow(expect.objectContaining({ code: 'groups-too-small' }));
  });
});
