import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '../core/checkpoint/open-checkpoint.ts';
import { fixtureModel } from '../core/export/small-model.fixture.ts';
import type { DomainStatistics } from '../core/saliency/layer-statistics.ts';
import { type CalibrationStatistics, serialiseStatistics } from '../core/saliency/statistics-file.ts';
import { dispatch } from './dispatch.ts';

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line in this process. */
export async function cli(argv: readonly string[]): Promise<Outcome> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await dispatch(argv, {
    stdout: (text) => void out.push(text),
    stderr: (text) => void err.push(text),
    isTerminal: false,
    signal: new AbortController().signal,
  });
  return { code, out: out.join(''), err: err.join('') };
}

/** Statistics of a domain over the fixture: expert e of every layer is used `counts[e]` times with norm e + 1. */
export function deskStatistics(
  fingerprint: string,
  name: string,
  hash: string,
  counts: readonly number[],
): CalibrationStatistics {
  const tokens = counts.reduce((sum, count) => sum + count, 0);
  const times = (factor: (expert: number) => number): Float64Array =>
    Float64Array.from(counts, (count, expert) => count * factor(expert));
  const measured = (): DomainStatistics => ({
    tokens,
    count: times(() => 1),
    normSum: times((expert) => expert + 1),
    gateSum: times(() => 1),
    gateNormSum: times((expert) => expert + 1),
    gateNormSquaredSum: times((expert) => (expert + 1) ** 2),
    maxAbs: Float64Array.from(counts, (count, expert) => (count > 0 ? expert + 1 : 0)),
  });
  return {
    model: { architecture: 'qwen3_moe', fingerprint, source: 'fixture' },
    gate: 'model',
    domains: [{ name, tokens, sequences: 1, hash: hash.repeat(64) }],
    layers: [0, 1].map((layer) => ({ layer, experts: 4, topK: 1, domains: [measured()] })),
  };
}

export interface CliDesk {
  /** A folder of its own, with `model/` and the statistics `a.json` and `b.json`, of two domains. */
  readonly room: string;
  readonly model: string;
  readonly fingerprint: string;
  at(name: string): string;
  close(): Promise<void>;
}

/** Test fixture: a model and statistics on the disk. */
export async function openDesk(): Promise<CliDesk> {
  const source = fixtureModel({ sharded: true });
  const room = await mkdtemp(join(tmpdir(), 'reap-studio-cli-'));
  const at = (name: string): string => join(room, name);
  const model = at('model');
  await mkdir(model);
  for (const [name, bytes] of source.files) await writeFile(join(model, name), bytes);
  const { fingerprint } = await openCheckpoint(source.asSource());
  await writeFile(at('a.json'), serialiseStatistics(deskStatistics(fingerprint, 'code', 'a', [5, 3, 2, 0])));
  await writeFile(at('b.json'), serialiseStatistics(deskStatistics(fingerprint, 'prose', 'b', [1, 1, 1, 7])));
  return { room, model, fingerprint, at, close: () => rm(room, { recursive: true, force: true }) };
}
