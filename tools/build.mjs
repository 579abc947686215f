import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';
import { ROOT } from './setup.mjs';

const COMMAND_LINE = join(ROOT, 'src/cli/main.ts');
/** Its thread that decodes weights: a file beside it, which it starts by name. */
const CONVERT_THREAD = join(ROOT, 'src/cli/convert-thread.ts');

await build({ root: ROOT });

if (existsSync(COMMAND_LINE)) {
  const target = join(ROOT, 'dist/cli');
  await build({
    root: ROOT,
    configFile: false,
    publicDir: false,
    build: {
      ssr: true,
      outDir: target,
      target: 'node20',
      // Dependencies stay imports: onnxruntime-node loads a native library beside itself.
      rolldownOptions: {
        input: { 'reap-studio': COMMAND_LINE, 'convert-thread': CONVERT_THREAD },
        output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
      },
    },
  });
  const command = join(target, 'reap-studio.mjs');
  // The bundler keeps the first line of the source: a second one would not parse, none would not run.
  if (!readFileSync(command, 'utf8').startsWith('#!'))
    throw new Error(`${COMMAND_LINE} must begin with "#!/usr/bin/env node".`);
  chmodSync(command, 0o755);
}
