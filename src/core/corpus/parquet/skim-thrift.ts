/** What one structure may hold at most. */
export interface ThriftLimits {
  /** Structures within structures. */
  readonly depth: number;
  /** Fields and list entries, together. */
  readonly entries: number;
}

/** The bytes end before the structure does: with more of them it may be whole. */
export class CutOffError extends Error {}

const BINARY = 8;
const LIST = 9;
const STRUCT = 12;
const MAX_VARINT_BYTES = 10;

/**
 * Walks over one structure of Thrift's compact protocol without building anything, so that what it declares is known to
 * be there before a parser allocates for it.
 *
 * @param start offset of the structure's first byte
 * @returns offset behind its last byte
 * @throws CutOffError when the bytes end first; RangeError when it breaks a limit or is no such structure
 */
export function skimThrift(bytes: Uint8Array, start: number, limits: ThriftLimits): number {
  let at = start;
  let entries = 0;

  const byte = (): number => {
    const value = bytes[at];
    if (value === undefined) throw new CutOffError('its header ends too early');
    at += 1;
    return value;
  };
  const varint = (): number => {
    let value = 0;
    for (let read = 0; ; read++) {
      if (read === MAX_VARINT_BYTES) throw new RangeError('a number in its header is too long');
      const next = byte();
      value += (next & 0x7f) * 2 ** (7 * read);
      if (next < 0x80) return value;
    }
  };
  const advance = (count: number): void => {
    if (count > bytes.length - at) throw new CutOffError('its header ends too early');
    at += count;
  };
  const count = (): void => {
    entries += 1;
    if (entries > limits.entries) throw new RangeError(`its header has more than ${limits.entries} entries`);
  };
  const list = (depth: number): void => {
    const head = byte();
    const type = head & 0x0f;
    const length = head >> 4 === 15 ? varint() : head >> 4;
    if (length > limits.entries) throw new RangeError(`its header has more than ${limits.entries} entries`);
    for (let index = 0; index < length; index++) {
      count();
      if (type === 1 || type === 2) advance(1);
      else value(type, depth);
    }
  };
  const value = (type: number, depth: number): void => {
    if (type === 1 || type === 2) return;
    if (type === 3) advance(1);
    else if (type >= 4 && type <= 6) varint();
    else if (type === 7) advance(8);
    else if (type === BINARY) advance(varint());
    else if (type === LIST) list(depth + 1);
    else if (type === STRUCT) struct(depth + 1);
    else throw new RangeError('its header has a field of an unknown type');
  };
  const struct = (depth: number): void => {
    if (depth > limits.depth) throw new RangeError('its header is nested too deeply');
    for (;;) {
      const head = byte();
      const type = head & 0x0f;
      if (type === 0) return;
      count();
      if (head >> 4 === 0) varint();
      value(type, depth);
    }
  };
  struct(0);
  return at;
}
