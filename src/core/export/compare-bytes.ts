/** Index of the first byte in which two equally long pieces differ, or -1. */
export function firstDifference(left: Uint8Array, right: Uint8Array): number {
  const whole = left.byteOffset % 4 === 0 && right.byteOffset % 4 === 0 ? left.byteLength >>> 2 : 0;
  const [leftWords, rightWords] = [wordsOf(left, whole), wordsOf(right, whole)];
  let word = 0;
  while (word < whole && leftWords[word] === rightWords[word]) word++;
  for (let index = word * 4; index < left.byteLength; index++) if (left[index] !== right[index]) return index;
  return -1;
}

/** Four bytes at once where both lie on such a border: a quarter of the comparisons. */
function wordsOf(bytes: Uint8Array, count: number): Uint32Array {
  return count === 0 ? new Uint32Array() : new Uint32Array(bytes.buffer, bytes.byteOffset, count);
}
