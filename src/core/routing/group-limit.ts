import { StudioError } from '../base/errors.ts';
import type { Router } from './router.ts';

type Groups = NonNullable<Router['groups']>;

/** Restricts the choice to the best groups of contiguous experts (DeepSeek-V2: by maximum; V3: by the two largest). */
export class GroupLimit {
  readonly #groups: Groups;
  readonly #size: number;
  readonly #scores: Float64Array;

  /**
   * `experts`: how many take part.
   * @throws StudioError plan/uneven-groups when they do not divide, plan/groups-too-small when a token could not find K.
   */
  constructor(groups: Groups, experts: number, topK: number) {
    const size = experts / groups.count;
    if (!Number.isInteger(size)) {
      throw new StudioError(
        'plan',
        'uneven-groups',
        `The router looks at ${groups.count} groups of experts, and ${experts} experts cannot be divided evenly among them.`,
        {
          nextStep: `Keep a multiple of ${groups.count} experts in every layer.`,
          details: { groups: groups.count, experts },
        },
      );
    }
    const least = groups.score === 'two-largest' ? 2 : 1;
    if (size < least || groups.chosen * size < topK) {
      throw new StudioError(
        'plan',
        'groups-too-small',
        `Groups of ${size} experts are too small: each token takes ${topK} experts from ${groups.chosen} groups${least > 1 ? ', whose two best are added' : ''}.`,
        {
          nextStep: 'Choose a smaller compression ratio.',
          details: { groups: groups.count, size, topK },
        },
      );
    }
    this.#groups = groups;
    this.#size = size;
    this.#scores = new Float64Array(groups.count);
  }

  /** Sets the scores of all experts outside the chosen groups to −∞; among equal groups the lower index stays. */
  apply(ranked: Float64Array): void {
    const { count, chosen, score } = this.#groups;
    const scores = this.#scores;
    for (let group = 0; group < count; group++) {
      let first = Number.NEGATIVE_INFINITY;
      let second = Number.NEGATIVE_INFINITY;
      for (let at = group * this.#size; at < (group + 1) * this.#size; at++) {
        const value = ranked[at] ?? 0;
        if (value > first) {
          second = first;
          first = value;
        } else if (value > second) second = value;
      }
      scores[group] = score === 'maximum' ? first : first + second;
    }
    for (let group = 0; group < count; group++) {
      const own = scores[group] ?? 0;
      let better = 0;
      for (let other = 0; other < count; other++) {
        const value = scores[other] ?? 0;
        if (value > own || (value === own && other < group)) better += 1;
      }
      if (better >= chosen) ranked.fill(Number.NEGATIVE_INFINITY, group * this.#size, (group + 1) * this.#size);
    }
  }
}
