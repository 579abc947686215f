import type { ExpertAssignment } from './expert-assignment.ts';
import { assignedCounts } from './expert-assignment.ts';
import { type ExpertGroup, groupExperts } from './expert-groups.ts';
import { disposeInputs, type ExpertInputs, type ExpertWeightReader } from './expert-weights.ts';
import type { BackendGraph, BackendLimits, BackendTensor, InferenceBackend } from './inference-backend.ts';

const FLOAT_BYTES = 4;

/** What an expert's run over some of its tokens showed; all arrays are parallel. */
export interface ExpertObservation {
  readonly expert: number;
  /** Row of each token in its block. */
  readonly rows: Int32Array;
  /** Place of each token in the routing's arrays. */
  readonly places: Int32Array;
  /** L2 norm of the expert's output for each token, before the gate. */
  readonly norms: Float32Array;
  /** Largest |component| of that output. */
  readonly maxAbs: Float32Array;
}

export interface ExpertPass {
  readonly backend: InferenceBackend;
  /** The backend's own limits, or closer ones that the run's memory budget asks for. */
  readonly limits: BackendLimits;
  readonly graph: BackendGraph;
  readonly weights: ExpertWeightReader;
  /** [T, H] input of the experts. */
  readonly normed: BackendTensor;
  /** [T, H] residual stream; gate × output of every expert is added into it. */
  readonly hidden: BackendTensor;
  readonly assignment: ExpertAssignment;
  /** Factor of each (token, expert) pair's output, by its place. */
  readonly gates: Float32Array;
  /** Factor of each pair's input, by its place, for experts whose graph takes `scale`. */
  readonly inputFactors?: Float32Array;
  /** f32 bytes of one expert's weights: 3 · H · I · 4. */
  readonly expertBytes: number;
  readonly observe?: (observation: ExpertObservation) => void;
  /** Called after each run with the number of (token, expert) pairs it computed. */
  readonly afterRun: (pairs: number) => Promise<void>;
}

interface Chunk {
  readonly rows: Int32Array<ArrayBuffer>;
  readonly factors: Float32Array<ArrayBuffer>;
  readonly inputFactors: Float32Array<ArrayBuffer> | undefined;
  readonly capacity: number;
  readonly pairs: number;
}

/** Entries [from, from + capacity) of each expert of the group, padded with −1. */
function chunkOf(pass: ExpertPass, group: ExpertGroup, from: number, capacity: number): Chunk {
  const { assignment, gates } = pass;
  const rows = new Int32Array(group.experts.length * capacity).fill(-1);
  const factors = new Float32Array(rows.length);
  const inputFactors = pass.inputFactors === undefined ? undefined : new Float32Array(rows.length);
  let pairs = 0;
  group.experts.forEach((expert, slot) => {
    const begin = (assignment.offsets[expert] ?? 0) + from;
    const end = Math.min(begin + capacity, assignment.offsets[expert + 1] ?? 0);
    for (let at = begin, to = slot * capacity; at < end; at++, to++) {
      rows[to] = assignment.rows[at] ?? -1;
      const place = assignment.places[at] ?? 0;
      factors[to] = gates[place] ?? 0;
      if (inputFactors !== undefined) inputFactors[to] = pass.inputFactors?.[place] ?? 0;
    }
    pairs += Math.max(0, end - begin);
  });
  return { rows, factors, inputFactors, capacity, pairs };
}

async function report(
  pass: ExpertPass,
  group: ExpertGroup,
  from: number,
  chunk: Chunk,
  norm: BackendTensor,
  maxAbs: BackendTensor,
): Promise<void> {
  const { observe, assignment, backend } = pass;
  if (observe === undefined) return;
  const norms = await backend.read(norm);
  const maxima = await backend.read(maxAbs);
  group.experts.forEach((expert, slot) => {
    const begin = (assignment.offsets[expert] ?? 0) + from;
    const end = Math.min(begin + chunk.capacity, assignment.offsets[expert + 1] ?? 0);
    if (end <= begin) return;
    const at = slot * chunk.capacity;
    observe({
      expert,
      rows: assignment.rows.subarray(begin, end),
      places: assignment.places.subarray(begin, end),
      norms: norms.subarray(at, at + end - begin),
      maxAbs: maxima.subarray(at, at + end - begin),
    });
  });
}

async function runGroup(pass: ExpertPass, group: ExpertGroup, inputs: ExpertInputs, maxRows: number): Promise<void> {
  const { backend, graph } = pass;
  const width = pass.normed.dims[1] ?? 0;
  const experts = group.experts.length;
  const step = Math.max(1, Math.min(group.capacity, Math.floor(maxRows / experts)));
  for (let from = 0; from < group.capacity; from += step) {
    const chunk = chunkOf(pass, group, from, Math.min(step, group.capacity - from));
    const x = backend.gatherRows(pass.normed, chunk.rows, [experts, chunk.capacity, width]);
    const scale =
      chunk.inputFactors === undefined
        ? {}
        : { scale: backend.upload('float32', chunk.inputFactors, [experts, chunk.capacity, 1]) };
    const result = await graph.run({ x, ...scale, ...inputs }, ['y', 'norm', 'max_abs']);
    for (const tensor of [x, ...Object.values(scale)]) tensor.dispose();
    backend.scatterAddRows(pass.hidden, chunk.rows, chunk.factors, result.y);
    await report(pass, group, from, chunk, result.norm, result.max_abs);
    for (const tensor of Object.values(result)) tensor.dispose();
    await pass.afterRun(chunk.pairs);
  }
}

/** Rows of a run at most: a tensor of a run is as wide as the hidden or the inner size, whichever is wider. */
function rowsOfRun({ limits, expertBytes, normed }: ExpertPass): number {
  const hidden = Math.max(1, normed.dims[1] ?? 1);
  const widest = Math.max(hidden, expertBytes / (3 * FLOAT_BYTES * hidden));
  return Math.max(1, Math.min(limits.groupRows, Math.floor(limits.tensorBytes / (FLOAT_BYTES * widest))));
}

/** Starts loading the groups behind the present one, and sees to it that a run does not hold the next one's loading up. */
async function loadAhead(
  { backend, limits, weights }: ExpertPass,
  next: ExpertGroup,
  last?: ExpertGroup,
): Promise<void> {
  weights.prefetch(backend, next.experts);
  if (!limits.runsBlock) return;
  const read = weights.read(backend, next.experts);
  if (last !== undefined) weights.read(backend, last.experts).catch(() => undefined);
  // What failed is reported when the group is taken.
  await read.catch(() => undefined);
}

/**
 * Second half of a layer for one block: hidden[t] += Σ gate · expert(normed[t]) over the experts of each token. Experts
 * are the outer loop, so each weight is read once; only the pairs that the router chose are computed.
 */
export async function runExperts(pass: ExpertPass): Promise<void> {
  const { backend, limits, weights } = pass;
  const maxRows = rowsOfRun(pass);
  const groups = groupExperts(assignedCounts(pass.assignment), {
    maxExperts: Math.max(1, Math.floor(limits.groupWeightBytes / pass.expertBytes)),
    maxRows,
  });
  weights.prepare(
    backend,
    groups.flatMap((group) => [...group.experts]),
  );
  try {
    for (const [index, group] of groups.entries()) {
      const inputs = await weights.take(backend, group.experts);
      try {
        const next = groups[index + 1];
        if (next !== undefined && limits.groupsAhead > 0) await loadAhead(pass, next, groups[index + 2]);
        await runGroup(pass, group, inputs, maxRows);
      } finally {
        disposeInputs(inputs);
      }
    }
  } finally {
    await weights.discard();
  }
}
