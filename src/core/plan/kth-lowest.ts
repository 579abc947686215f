/**
 * The k-th lowest (from 0) of values[0 .. length), which it reorders; linear in time on average, where a sort of 256
 * scores in 62 layers would take a good part of a frame. Hoare's selection.
 */
export function kthLowest(values: Float64Array, length: number, k: number): number {
  let from = 0;
  let to = length - 1;
  while (from < to) {
    const pivot = values[(from + to) >> 1] ?? 0;
    let left = from;
    let right = to;
    while (left <= right) {
      while ((values[left] ?? 0) < pivot) left++;
      while ((values[right] ?? 0) > pivot) right--;
      if (left > right) break;
      const swapped = values[left] ?? 0;
      values[left++] = values[right] ?? 0;
      values[right--] = swapped;
    }
    if (k <= right) to = right;
    else if (k >= left) from = left;
    else break;
  }
  return values[k] ?? 0;
}
