/** Experts that run as one batch [G, C, ·], each padded to the rows of the busiest. */
export interface ExpertGroup {
  readonly experts: readonly number[];
  /** Rows of the busiest expert of the group. */
  readonly capacity: number;
}

export interface GroupLimits {
  /** Most experts of a group, by the memory of their weights. */
  readonly maxExperts: number;
  /** Most padded rows of a group of several experts; a single expert may have more. */
  readonly maxRows: number;
}

/** Share of a group's rows that may be padding. A bound on wasted work; which backends group at all is in their limits. */
const MAX_PADDING = 0.2;

/**
 * Packs the experts in use into groups of like load: busiest first, each group filled until its weights, rows or padding
 * reach their limit. Experts without tokens are in no group: their weights are never read.
 */
export function groupExperts(counts: ArrayLike<number>, limits: GroupLimits): ExpertGroup[] {
  const used = Array.from(counts, (count, expert) => ({ count, expert })).filter(({ count }) => count > 0);
  used.sort((a, b) => b.count - a.count || a.expert - b.expert);
  const groups: { experts: number[]; capacity: number; rows: number }[] = [];
  for (const { count, expert } of used) {
    const open = groups.at(-1);
    const padded = open === undefined ? 0 : (open.experts.length + 1) * open.capacity;
    const fits =
      open !== undefined &&
      open.experts.length < limits.maxExperts &&
      padded <= limits.maxRows &&
      padded - (open.rows + count) <= MAX_PADDING * padded;
    if (fits) {
      open.experts.push(expert);
      open.rows += count;
    } else {
      groups.push({ experts: [expert], capacity: count, rows: count });
    }
  }
  return groups.map(({ experts, capacity }) => ({ experts, capacity }));
}
