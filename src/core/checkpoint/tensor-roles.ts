import type { Architecture, ProjectionNames } from '../architectures/descriptor.ts';
import type { LayerPart, Projection, TensorRole } from './checkpoint.ts';

type Match = (groups: Readonly<Record<string, string>>) => TensorRole;

/** The tensor's name with `{layer}` and `{expert}` filled in. */
export function tensorName(pattern: string, layer: number, expert = 0): string {
  return pattern.replace('{layer}', String(layer)).replace('{expert}', String(expert));
}

/** A pattern as an anchored expression; a module pattern (one without an ending) takes its suffix as a group. */
function expression(pattern: string, withSuffix: boolean): RegExp {
  const source = pattern
    .replace(/[.*+?^$()|[\]\\]/g, '\\$&')
    .replace('{layer}', '(?<layer>0|[1-9]\\d*)')
    .replace('{expert}', '(?<expert>0|[1-9]\\d*)');
  return new RegExp(`^${source}${withSuffix ? '\\.(?<suffix>[A-Za-z_]\\w*)' : ''}$`);
}

const PROJECTIONS = ['gate', 'up', 'down'] as const;

function partRules(architecture: Architecture): readonly (readonly [RegExp, Match])[] {
  const { tensors } = architecture;
  const parts: readonly (readonly [string, LayerPart, boolean])[] = [
    [tensors.inputNorm, 'input-norm', false],
    [tensors.postAttentionNorm, 'post-attention-norm', false],
    [tensors.query, 'query', true],
    [tensors.key, 'key', true],
    [tensors.value, 'value', true],
    [tensors.output, 'output', true],
    [tensors.queryNorm, 'query-norm', false],
    [tensors.keyNorm, 'key-norm', false],
    ...PROJECTIONS.map((name) => [tensors.dense[name], `dense-${name}`, true] as const),
  ];
  return parts.map(([pattern, part, module]) => [
    expression(pattern, module),
    ({ layer, suffix }) => ({ kind: 'layer', layer: Number(layer), part, suffix: suffix ?? 'weight' }),
  ]);
}

function expertRules(names: ProjectionNames): readonly (readonly [RegExp, Match])[] {
  return PROJECTIONS.map((projection: Projection) => [
    expression(names[projection], true),
    ({ layer, expert, suffix }) => ({
      kind: 'expert',
      layer: Number(layer),
      expert: Number(expert),
      projection,
      suffix: suffix ?? 'weight',
    }),
  ]);
}

/** A function from a tensor's name to its role, or undefined when the family has no such tensor. */
export function roleClassifier(architecture: Architecture): (name: string) => TensorRole | undefined {
  const { tensors } = architecture;
  const whole = new Map<string, TensorRole>([
    [tensors.embedding, { kind: 'embedding' }],
    [tensors.finalNorm, { kind: 'final-norm' }],
    [tensors.head, { kind: 'head' }],
  ]);
  const rules: readonly (readonly [RegExp, Match])[] = [
    ...expertRules(tensors.experts),
    [expression(tensors.router, false), ({ layer }) => ({ kind: 'router', layer: Number(layer), expertAxis: 0 })],
    ...partRules(architecture),
    ...tensors.ignored.map((pattern): readonly [RegExp, Match] => [pattern, () => ({ kind: 'ignored' })]),
  ];
  return (name) => {
    const exact = whole.get(name);
    if (exact !== undefined) return exact;
    for (const [pattern, role] of rules) {
      const match = pattern.exec(name);
      if (match !== null) return role(match.groups ?? {});
    }
    return undefined;
  };
}
