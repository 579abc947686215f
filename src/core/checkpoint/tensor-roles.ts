import type { Architecture, ProjectionNames } from '../architectures/descriptor.ts';
import { PART_NAMES } from '../architectures/tensor-parts.ts';
import type { MlpKind, Projection, TensorRole } from './checkpoint.ts';
import { matchesGlob, patternExpression, type SuffixStyle } from './tensor-patterns.ts';

interface Found {
  readonly layer: number | undefined;
  readonly step: number;
  readonly expert: number;
  readonly suffix: string;
  readonly expertSpan: readonly [number, number];
  /** The tensor is [1, E] and not [E]. */
  readonly secondAxis: boolean;
}

type RoleOf = (found: Found, nextToken: boolean) => TensorRole;
type Rule = readonly [expression: RegExp, role: RoleOf];

const PROJECTIONS = ['gate', 'up', 'down'] as const satisfies readonly Projection[];

function rule(pattern: string, role: RoleOf, style: SuffixStyle = 'dotted'): Rule {
  return [patternExpression(pattern, style), role];
}

function projectionRules(names: ProjectionNames, role: (projection: Projection) => RoleOf): Rule[] {
  return PROJECTIONS.flatMap((projection) => {
    const pattern = names[projection];
    return pattern === null ? [] : [rule(pattern, role(projection))];
  });
}

function mlpRules(names: ProjectionNames | undefined | null, mlp: MlpKind): Rule[] {
  if (names === undefined || names === null) return [];
  return projectionRules(names, (projection) => ({ layer = 0, step, suffix }, nextToken) => ({
    kind: 'mlp',
    mlp,
    projection,
    layer,
    step,
    suffix,
    nextToken,
  }));
}

function expertRules({ perExpert, fused }: Architecture['experts']): Rule[] {
  const rules: Rule[] = [];
  if (perExpert !== null) {
    rules.push(
      ...projectionRules(perExpert, (projection) => ({ layer = 0, expert, suffix, expertSpan }, nextToken) => ({
        kind: 'expert',
        layer,
        expert,
        projection,
        suffix,
        expertSpan,
        nextToken,
      })),
    );
  }
  if (fused !== null) {
    const fusedRule = (pattern: string, projection: 'gate-up' | 'down'): Rule =>
      rule(
        pattern,
        ({ layer = 0, suffix }, nextToken) => ({
          kind: 'fused-experts',
          layer,
          projection,
          suffix,
          expertAxis: 0,
          nextToken,
        }),
        'dotted-or-underscored',
      );
    rules.push(fusedRule(fused.gateUp, 'gate-up'), fusedRule(fused.down, 'down'));
  }
  return rules;
}

/** The bias comes first: its name may be the router's with a longer ending. */
function routerRules({ tensors }: Architecture): Rule[] {
  return (['correction-bias', 'router'] as const).flatMap((part) => {
    const pattern = tensors[part];
    if (pattern === undefined) return [];
    const role: RoleOf = ({ layer = 0, suffix, secondAxis }, nextToken) => ({
      kind: 'router',
      part,
      layer,
      suffix,
      expertAxis: part === 'correction-bias' && secondAxis ? 1 : 0,
      nextToken,
    });
    return [rule(pattern, role)];
  });
}

function partRules({ tensors }: Architecture): Rule[] {
  return PART_NAMES.flatMap((part) => {
    const pattern = tensors[part];
    if (pattern === undefined || part === 'router' || part === 'correction-bias') return [];
    const role: RoleOf = ({ layer, step, suffix }, nextToken) => ({
      kind: 'part',
      part,
      layer,
      step,
      suffix,
      nextToken,
    });
    return [rule(pattern, role)];
  });
}

function foundIn(match: RegExpExecArray, shift: number, shape: readonly number[]): Found {
  const { layer, step, expert, suffix } = match.groups ?? {};
  const [start, end] = match.indices?.groups?.['expert'] ?? [0, 0];
  return {
    layer: layer === undefined ? undefined : Number(layer),
    step: Number(step ?? 0),
    expert: Number(expert ?? 0),
    suffix: suffix ?? '',
    expertSpan: [start + shift, end + shift],
    secondAxis: shape.length === 2 && shape[0] === 1,
  };
}

/**
 * A function from a tensor's name and shape to its role, or undefined when the family has no such tensor.
 * @param layers Layers of the forward pass; those beyond predict further tokens where the family has such layers.
 */
export function roleClassifier(
  architecture: Architecture,
  layers: number,
): (name: string, shape: readonly number[]) => TensorRole | undefined {
  const rules = [
    ...expertRules(architecture.experts),
    ...routerRules(architecture),
    ...partRules(architecture),
    ...mlpRules(architecture.shared?.names, 'shared'),
    ...mlpRules(architecture.dense, 'dense'),
  ];
  const place = architecture.nextTokenLayers?.place;
  const prefix = typeof place === 'object' ? place.prefix : undefined;
  const furtherLayer = /\.layers\.(\d{1,9})\./;

  const matched = (name: string, shift: number, shape: readonly number[], further: boolean): TensorRole | undefined => {
    for (const [expression, role] of rules) {
      const match = expression.exec(name);
      if (match === null) continue;
      const found = foundIn(match, shift, shape);
      return role(found, further || (place === 'after-last' && found.layer !== undefined && found.layer >= layers));
    }
    return undefined;
  };

  return (name, shape) => {
    if (prefix !== undefined && name.startsWith(prefix)) {
      const asMain = `model.${name.slice(prefix.length)}`;
      return matched(asMain, prefix.length - 'model.'.length, shape, true) ?? { kind: 'ignored', nextToken: true };
    }
    const role = matched(name, 0, shape, false);
    if (role !== undefined) return role;
    if (architecture.ignored.some((glob) => matchesGlob(glob, name))) return { kind: 'ignored', nextToken: false };
    const layer = place === 'after-last' ? furtherLayer.exec(name)?.[1] : undefined;
    return layer !== undefined && Number(layer) >= layers ? { kind: 'ignored', nextToken: true } : undefined;
  };
}
