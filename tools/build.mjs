import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { ROOT } from './setup.mjs';

const COMMAND_LINE = join(ROOT, 'src/cli/main.ts');

await build({ root: ROOT });

if (existsSync(COMMAND_LINE)) {
  const target = join(ROOT, 'dist/cli');
  await build({
    root: ROOT,
    configFile: false,
    publicDir: false,
    build: {
      ssr: COMMAND_LINE,
      outDir: target,
      target: 'node20',
      // Dependencies stay imports: onnxruntime-node loads a native library beside itself.
      rolldownOptions: {
        output: {
          entryFileNames: 'reap-studio.mjs',
          chunkFileNames: '[name]-[hash].mjs',
          banner: '#!/usr/bin/env node',
        },
      },
    },
  });
  chmodSync(join(target, 'reap-studio.mjs'), 0o755);
}
