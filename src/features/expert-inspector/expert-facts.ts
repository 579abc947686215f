import { combineDomains, type DomainStatistics, type LayerStatistics } from '../../core/saliency/layer-statistics.ts';

/** What was measured of one expert, over all domains together. */
export interface ExpertFacts {
  readonly tokens: number;
  /** Share of the layer's tokens that chose the expert, 0..1. */
  readonly share: number;
  /** The share that every expert would have if all were chosen alike: topK / E. */
  readonly evenShare: number;
  /** Means over the tokens routed to the expert, null when there were none. */
  readonly meanGate: number | null;
  readonly meanNorm: number | null;
  readonly meanGateNorm: number | null;
  readonly largest: number;
}

/** A domain's part in an expert. */
export interface DomainPart {
  readonly tokens: number;
  /** Share of the domain's tokens that chose the expert, 0..1. */
  readonly share: number;
  readonly meanGateNorm: number | null;
}

export function expertFacts(layer: LayerStatistics, expert: number): ExpertFacts {
  const all = combineDomains(layer);
  const tokens = all.count[expert] ?? 0;
  return {
    tokens,
    share: all.tokens === 0 ? 0 : tokens / all.tokens,
    evenShare: layer.topK / layer.experts,
    meanGate: mean(all, 'gateSum', expert),
    meanNorm: mean(all, 'normSum', expert),
    meanGateNorm: mean(all, 'gateNormSum', expert),
    largest: all.maxAbs[expert] ?? 0,
  };
}

export function domainParts(layer: LayerStatistics, expert: number): readonly DomainPart[] {
  return layer.domains.map((domain) => ({
    tokens: domain.count[expert] ?? 0,
    share: domain.tokens === 0 ? 0 : (domain.count[expert] ?? 0) / domain.tokens,
    meanGateNorm: mean(domain, 'gateNormSum', expert),
  }));
}

function mean(statistics: DomainStatistics, sum: 'gateSum' | 'normSum' | 'gateNormSum', expert: number): number | null {
  const count = statistics.count[expert] ?? 0;
  return count === 0 ? null : (statistics[sum][expert] ?? 0) / count;
}
