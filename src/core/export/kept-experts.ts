import type { TensorRole } from '../checkpoint/checkpoint.ts';
import type { PruningPlan } from '../plan/pruning-plan.ts';

/** Ascending original indices that stay of the experts which a tensor belongs to, or undefined where the plan cuts nothing. */
export type KeepOf = (role: TensorRole) => readonly number[] | undefined;

/** Layers that predict further tokens follow the last layer of the plan. */
export function keptExperts(plan: PruningPlan): KeepOf {
  const byLayer = new Map(plan.layers.map(({ layer, keep }) => [layer, keep]));
  const last = plan.layers.at(-1)?.keep;
  return (role) => {
    if (role.kind !== 'expert' && role.kind !== 'router' && role.kind !== 'fused-experts') return undefined;
    return role.nextToken ? last : byLayer.get(role.layer);
  };
}

/** An expert tensor's name with another index in its place. */
export function renumbered(name: string, [start, end]: readonly [number, number], expert: number): string {
  return `${name.slice(0, start)}${expert}${name.slice(end)}`;
}
