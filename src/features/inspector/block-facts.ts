import type { MoeBlock } from '../../core/inspector/proposal.ts';
import type { Fact } from '../../ui/Facts.tsx';

function biasWords({ correctionBias, router }: MoeBlock): string {
  if (correctionBias === null) return 'none found';
  return `${correctionBias.name}, on the ${correctionBias.on === 'block' ? 'block' : `router (${router})`}`;
}

/** The MoE block in the words of a modelling source. */
export function blockFacts(block: MoeBlock): Fact[] {
  const { gate, up, down } = block.projections;
  return [
    ['Model class', block.className],
    ['Model type', block.modelType],
    ['MoE block', block.classes.block === undefined ? block.block : `${block.block} (${block.classes.block})`],
    ['Experts', `${block.experts}, ${block.expertCount} a layer, ${block.fused ? 'fused' : 'one tensor each'}`],
    ['Experts a token', block.topK === undefined ? 'not found' : String(block.topK)],
    ['Router', block.router],
    ['Projections', `${gate === null ? 'no gate' : `gate ${gate}`}, up ${up}, down ${down}`],
    ['Shared experts', block.sharedExperts ? 'yes' : 'none'],
    ['Bias for the choice', biasWords(block)],
  ];
}
