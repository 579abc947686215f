import { StudioError } from '../../src/core/base/errors.ts';

interface Bench {
  readonly about: string;
  /** Takes minutes and many gigabytes of disk: runs only when it is named. */
  readonly heavy?: boolean;
  readonly load: () => Promise<{ run(): Promise<void> }>;
}

/** Every figure in README and docs comes from one of these. */
const BENCHES: ReadonlyMap<string, Bench> = new Map<string, Bench>([
  [
    'first-load',
    { about: 'bytes that cross the wire before a model is opened', load: () => import('./first-load.ts') },
  ],
  ['slider', { about: 'plan + repaint of a 62 × 256 map in Chromium', load: () => import('./slider.ts') }],
  [
    'demo',
    {
      about: "the demo's calibration on 32k tokens, WebAssembly in Chromium",
      load: () => import('./demo-calibration.ts'),
    },
  ],
  [
    'memory',
    {
      about: 'peak memory of the renderer with checkpoints of 1, 4 and 16 GB',
      heavy: true,
      load: () => import('./memory.ts'),
    },
  ],
  [
    'minimax-m2',
    {
      about: "two layers of MiniMax-M2's real shapes, 9.8 GB, through the command line",
      heavy: true,
      load: () => import('./minimax-m2.ts'),
    },
  ],
  [
    'weights',
    {
      about: 'how long reading, converting and computing wait for each other: command line, WebAssembly, WebGPU',
      heavy: true,
      load: () => import('./weights.ts'),
    },
  ],
  [
    'experts',
    { about: 'padded groups of experts against one expert a run, on this CPU', load: () => import('./experts.ts') },
  ],
  ['export', { about: 'an export by the command line beside cp of the same bytes', load: () => import('./export.ts') }],
]);

async function main(names: readonly string[]): Promise<void> {
  const chosen =
    names.length === 0 ? [...BENCHES].filter(([, { heavy }]) => heavy !== true).map(([name]) => name) : names;
  for (const name of chosen) {
    const bench = BENCHES.get(name);
    if (bench === undefined) {
      throw new StudioError('usage', 'unknown-bench', `There is no bench "${name}".`, {
        nextStep: `Choose from: ${[...BENCHES.keys()].join(', ')}.`,
      });
    }
    console.log(`\n${name}: ${bench.about}`);
    await (await bench.load()).run();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof StudioError ? `${error.message} ${error.nextStep}` : error);
  process.exitCode = 1;
});
