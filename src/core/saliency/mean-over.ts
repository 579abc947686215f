/** sums[e] / counts[e], and 0 where nothing was counted: an expert never chosen is the least salient. Both [E]. */
export function meanOver(sums: Float64Array, counts: Float64Array): Float64Array {
  return sums.map((sum, expert) => {
    const count = counts[expert] ?? 0;
    return count > 0 ? sum / count : 0;
  });
}
