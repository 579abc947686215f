import { StudioError } from '../base/errors.ts';
import { expertGroupsOf, type Router } from '../routing/router.ts';
import { type DomainStatistics, emptyDomainStatistics, type LayerStatistics } from '../saliency/layer-statistics.ts';
import type { ExpertObservation } from './expert-pass.ts';

/** Adds up what the runs of one layer show: f64 sums a domain, in the order in which the runs come. */
export class StatisticsCollector {
  readonly #layer: number;
  readonly #router: Router;
  readonly #domains: readonly DomainStatistics[];

  constructor(layer: number, router: Router, domains: number) {
    this.#layer = layer;
    this.#router = router;
    this.#domains = Array.from({ length: domains }, () => emptyDomainStatistics(router.experts));
  }

  /** `domains`: domain of each token of a block that passes the layer. */
  addTokens(domains: Uint16Array): void {
    for (const domain of domains) {
      const statistics = this.#domains[domain];
      if (statistics !== undefined) statistics.tokens += 1;
    }
  }

  /**
   * `gates` by place, NaN for pairs that are computed but not observed; `domains` [T] by row.
   * @throws StudioError family `calibration` code `non-finite` naming layer and expert: a NaN is never summed.
   */
  add({ expert, rows, places, norms, maxAbs }: ExpertObservation, gates: Float32Array, domains: Uint16Array): void {
    for (let i = 0; i < rows.length; i++) {
      const statistics = this.#domains[domains[rows[i] ?? 0] ?? 0];
      const norm = norms[i] ?? Number.NaN;
      const gate = gates[places[i] ?? 0] ?? Number.NaN;
      const largest = maxAbs[i] ?? Number.NaN;
      if (statistics === undefined || !Number.isFinite(norm) || !Number.isFinite(largest))
        throw this.#notFinite(expert);
      if (Number.isNaN(gate)) continue;
      const product = gate * norm;
      if (!Number.isFinite(product)) throw this.#notFinite(expert);
      statistics.count[expert] = (statistics.count[expert] ?? 0) + 1;
      statistics.normSum[expert] = (statistics.normSum[expert] ?? 0) + norm;
      statistics.gateSum[expert] = (statistics.gateSum[expert] ?? 0) + gate;
      statistics.gateNormSum[expert] = (statistics.gateNormSum[expert] ?? 0) + product;
      statistics.gateNormSquaredSum[expert] = (statistics.gateNormSquaredSum[expert] ?? 0) + product * product;
      statistics.maxAbs[expert] = Math.max(statistics.maxAbs[expert] ?? 0, largest);
    }
  }

  #notFinite(expert: number): StudioError {
    return new StudioError(
      'calibration',
      'non-finite',
      `Expert ${expert} of layer ${this.#layer} gave an output that is not a finite number.`,
      {
        nextStep:
          'The weights of this expert are damaged or overflow. Check the download against the original file; do not prune on these statistics.',
        details: { layer: this.#layer, expert },
      },
    );
  }

  finish(): LayerStatistics {
    const { experts, topK, identityExperts } = this.#router;
    const groups = expertGroupsOf(this.#router);
    return {
      layer: this.#layer,
      experts,
      topK,
      ...(groups === undefined ? {} : { groups }),
      ...(identityExperts > 0 ? { identityExperts } : {}),
      domains: this.#domains,
    };
  }
}
