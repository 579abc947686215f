import type { ExpertSpec, ProjectionNames } from '../architectures/descriptor.ts';
import type { ExpertsFound } from './find-experts.ts';
import type { Notebook } from './notebook.ts';
import { findProjections } from './projection-names.ts';
import { type ModuleGroup, type TensorModules, tensorEvidence } from './tensor-modules.ts';

/**
 * The two layouts of experts, with that of further-token layers under a prefix of their own where it is not the model's:
 * Qwen3.5 stores its own layers' experts fused and those of `mtp.` one by one.
 */
export function furtherExperts(
  { modules, notes, hidden }: { readonly modules: TensorModules; readonly notes: Notebook; readonly hidden: number },
  experts: ExpertsFound,
  prefix: string | undefined,
): Pick<ExpertSpec, 'perExpert' | 'fused'> {
  const { perExpert, fused } = experts;
  if (prefix === undefined || perExpert !== null) return { perExpert, fused };
  const start = `${prefix}layers.#.`;
  const single = `${experts.container}.#.`;
  const apart = modules.groups.flatMap((group): [string, ModuleGroup][] => {
    const rest = group.path.startsWith(start) ? group.path.slice(start.length) : '';
    return rest.startsWith(single) ? [[rest.slice(single.length), group]] : [];
  });
  const found = findProjections(new Map(apart.map(([name, { shape }]) => [name, shape])), hidden, undefined);
  if (found === undefined) return { perExpert, fused };
  const at = modules.pattern(`${experts.container}.#`, 'expert');
  const { gate, up, down } = found.names;
  const names: ProjectionNames = {
    gate: gate === null ? null : `${at}.${gate}`,
    up: `${at}.${up}`,
    down: `${at}.${down}`,
  };
  notes.note(
    'experts.perExpert',
    names,
    'likely',
    apart.map(([, group]) => tensorEvidence(group)),
  );
  return { perExpert: names, fused };
}
