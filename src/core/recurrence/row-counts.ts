/** How many rows of `width` an array holds. @throws RangeError when the last one is not whole */
export function rowCount(name: string, rows: Float32Array, width: number): number {
  const count = rows.length / width;
  if (!Number.isInteger(count)) {
    throw new RangeError(`"${name}" has ${rows.length} numbers, which are not rows of ${width}`);
  }
  return count;
}

/** @throws RangeError when an array holds another count of numbers than its shape says */
export function expectLength(name: string, array: Float32Array, ...shape: readonly number[]): void {
  const expected = shape.reduce((product, size) => product * size, 1);
  if (array.length !== expected) {
    throw new RangeError(`"${name}" has ${array.length} numbers, where [${shape.join(', ')}] are needed`);
  }
}
