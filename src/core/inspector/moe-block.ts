import type { Architecture } from '../architectures/descriptor.ts';
import { StudioError } from '../base/errors.ts';
import type { ConfigFacts } from './config-facts.ts';
import type { ExpertsFound } from './find-experts.ts';
import type { RouterFound } from './find-router.ts';
import type { MoeBlock } from './proposal.ts';
import type { SourceFacts } from './source-facts.ts';

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

function within(path: string, block: string): string {
  return block !== '' && path.startsWith(`${block}.`) ? path.slice(block.length + 1) : path;
}

/** @throws StudioError family `checkpoint` code `no-router`: always. */
export function missingRouter(experts: ExpertsFound): never {
  throw new StudioError(
    'checkpoint',
    'no-router',
    `No router was found: the block "${experts.block}" holds no matrix with a row for each of the ${experts.count} experts.`,
    {
      nextStep:
        'Check that the download is complete and that the expert count in config.json belongs to these weights.',
      details: { block: experts.block, experts: experts.count },
    },
  );
}

/** Where the bias lies: on the router, or on the module around the router's matrix where it has one, or on the block. */
function biasPlace({ router, bias }: RouterFound, block: string): MoeBlock['correctionBias'] {
  if (bias === undefined) return null;
  const inner = within(router.rest, block);
  const module = inner.includes('.') ? router.rest.slice(0, router.rest.lastIndexOf('.')) : router.rest;
  return { on: bias.rest.startsWith(`${module}.`) ? 'router' : 'block', name: lastOf(bias.rest) };
}

/** The MoE block in the words of the modelling source. */
export function moeBlockOf(
  { id, className, config: keys, shared }: Architecture,
  experts: ExpertsFound,
  found: RouterFound,
  config: ConfigFacts,
  source: SourceFacts | undefined,
): MoeBlock {
  const names = experts.perExpert ?? {
    gate: experts.fused?.gateUp ?? null,
    up: experts.fused?.gateUp ?? '',
    down: experts.fused?.down ?? '',
  };
  return {
    modelType: id,
    className,
    block: experts.block,
    router: within(found.router.rest, experts.block),
    experts: within(experts.container, experts.block),
    fused: experts.fused !== null,
    expertCount: experts.count,
    topK: config.number(keys.topK[0]),
    projections: {
      gate: names.gate === null ? null : lastOf(names.gate),
      up: lastOf(names.up),
      down: lastOf(names.down),
    },
    sharedExperts: shared !== null,
    correctionBias: biasPlace(found, experts.block),
    classes: source?.classes ?? {},
  };
}
