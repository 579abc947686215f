import type { CommandRun } from './cli-io.ts';

interface Command {
  readonly usage: string;
  /** Loaded only when called: `calibrate` brings a native library with it. */
  readonly load: () => Promise<{ readonly run: CommandRun }>;
}

/** Every command in the order of a job. A new one is a file under `commands/` and a row here. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  [
    'inspect',
    {
      usage: 'inspect MODEL [--descriptor FILE] [--write-descriptor FILE] [--force] [--json]',
      load: () => import('./commands/inspect.ts'),
    },
  ],
  [
    'calibrate',
    {
      usage:
        'calibrate MODEL (--tokens ids.json | --corpus FILE[:name] … | --corpus hf:DATASETS …) --out stats.json\n' +
        '       [--corpus-column name=column]\n' +
        '       [--gate model|reference] [--max-tokens n] [--sequence-length n] [--layers a-b] [--shard i/n] [--threads n]\n' +
        '       [--memory 2GiB] [--resume DIR] [--descriptor FILE] [--force] [--json]',
      load: () => import('./commands/calibrate.ts'),
    },
  ],
  [
    'merge',
    {
      usage: 'merge stats.json… --out stats.json [--model MODEL] [--descriptor FILE] [--force] [--json]',
      load: () => import('./commands/merge.ts'),
    },
  ],
  [
    'plan',
    {
      usage:
        'plan (--stats stats.json | --import FILE --model MODEL) (--ratio r | --experts n | --max-bytes size --model MODEL)\n' +
        '       --out plan.json\n' +
        '       [--model MODEL] [--descriptor FILE] [--metric reap] [--policy uniform] [--protect layer:expert,…] [--protect-super-experts]\n' +
        '       [--next-token prune|drop] [--force] [--json]',
      load: () => import('./commands/plan.ts'),
    },
  ],
  [
    'evaluate',
    {
      usage:
        'evaluate MODEL (--tokens ids.json | --corpus FILE[:name] … | --corpus hf:DATASETS …) [--plan plan.json]\n' +
        '       [--corpus-column name=column]\n' +
        '       [--max-tokens n] [--sequence-length n] [--threads n] [--descriptor FILE] [--json]',
      load: () => import('./commands/evaluate.ts'),
    },
  ],
  [
    'export',
    {
      usage: 'export MODEL --plan plan.json --out DIR [--shard-size 5GB] [--descriptor FILE] [--resume] [--json]',
      load: () => import('./commands/export.ts'),
    },
  ],
  [
    'verify',
    {
      usage: 'verify DIR [--source MODEL [--source-hashes]] [--descriptor FILE] [--json]',
      load: () => import('./commands/verify.ts'),
    },
  ],
]);
