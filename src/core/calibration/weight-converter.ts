import { decodeStacks, type WeightStack } from './weight-stack.ts';

export interface Converted {
  /** f32 of each stack. */
  readonly arrays: readonly Float32Array<ArrayBuffer>[];
  /** What the decoding took, in milliseconds. */
  readonly milliseconds: number;
}

/** For each stack memory that it may be decoded into, or undefined. */
export type Memory = readonly (ArrayBuffer | undefined)[];

/** Decodes weights for a backend that computes on the CPU. */
export interface WeightConverter {
  /**
   * Takes the weights' bytes and `memory`, which is as decodeStacks takes it: nobody may use them afterwards.
   * @throws StudioError, or RangeError as decodeStacks does.
   */
  convert(stacks: readonly WeightStack[], memory?: Memory): Promise<Converted>;
  close(): void;
}

export function convertHere(stacks: readonly WeightStack[], memory: Memory = []): Converted {
  const start = performance.now();
  const arrays = decodeStacks(stacks, memory);
  return { arrays, milliseconds: performance.now() - start };
}

/** Decodes in the thread that computes, which cannot do both at once. */
export const IN_PLACE: WeightConverter = {
  convert: async (stacks, memory) => convertHere(stacks, memory),
  close() {},
};
