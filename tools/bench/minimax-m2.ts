import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { minimaxM2 } from '../synthetic/models.ts';
import { tokenIds, writeModel } from '../synthetic/write-model.ts';
import { peakMemory } from './process-memory.ts';

const CLI = new URL('../../dist/cli/reap-studio.mjs', import.meta.url).pathname;
const LAYERS = 2;
const SAMPLE_MS = 50;

/** Runs the built command line; peak memory is that of the process, sampled until it ends. */
async function command(args: readonly string[]): Promise<{ stdout: string; seconds: number; peak: number }> {
  const started = performance.now();
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (piece) => {
    stdout += piece;
  });
  child.stderr.on('data', (piece) => {
    stderr += piece;
  });
  let peak = 0;
  const sampler = setInterval(() => {
    peak = Math.max(peak, child.pid === undefined ? 0 : peakMemory(child.pid));
  }, SAMPLE_MS);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearInterval(sampler);
  if (code !== 0) throw new Error(`"${args[0]}" ended with ${code}: ${stderr.slice(-2000)}`);
  return { stdout, seconds: (performance.now() - started) / 1000, peak };
}

/**
 * A checkpoint in MiniMax-M2's real shapes cut to two layers (FP8, with its whole vocabulary) through the command line:
 * inspected, calibrated on 2,048 tokens, planned at 50 %, exported, verified against its source.
 */
export async function run(): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), 'reap-minimax-'));
  const at = (name: string): string => join(root, name);
  try {
    const model = minimaxM2(LAYERS);
    const bytes = await writeModel(at('model'), model, { shardBytes: 2e9 });
    await writeFile(at('ids.json'), JSON.stringify(tokenIds(4, 512, Number(model.config['vocab_size']))));
    console.log(`  ${(bytes / 1e9).toFixed(2)} GB, ${model.tensors.length} tensors, budget 2 GiB`);
    const steps: readonly (readonly string[])[] = [
      ['inspect', at('model'), '--json'],
      ['calibrate', at('model'), '--tokens', at('ids.json'), '--out', at('stats.json'), '--memory', '2GiB'],
      ['plan', '--stats', at('stats.json'), '--model', at('model'), '--ratio', '0.5', '--out', at('plan.json')],
      ['export', at('model'), '--plan', at('plan.json'), '--out', at('pruned')],
      ['verify', at('pruned'), '--source', at('model')],
    ];
    for (const step of steps) {
      const { seconds, peak, stdout } = await command(step);
      const said = step[0] === 'inspect' ? '' : `: ${stdout.trim().replaceAll(`${root}/`, '')}`;
      console.log(
        `  ${String(step[0]).padEnd(9)} ${seconds.toFixed(1).padStart(6)} s, peak ${(peak / 1e6).toFixed(0)} MB${said}`,
      );
    }
    const kept = JSON.parse(await readFile(at('plan.json'), 'utf8')).layers[0].keep.length;
    console.log(`  ${kept} of 256 experts a layer are left`);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
