import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkImports } from './check-imports.mjs';
import { ROOT } from './setup.mjs';

const RULES = createRequire(import.meta.url)('../.dependency-cruiser.cjs');

/** A tree of the studio's layout in which every import is allowed. */
const CLEAN: Readonly<Record<string, string>> = {
  'src/core/base/errors.ts': 'export class Refusal extends Error {}',
  'src/core/architectures/descriptor.ts': 'export interface Descriptor { readonly name: string }',
  'src/core/architectures/first.ts':
    "import type { Descriptor } from './descriptor.ts';\nexport const first: Descriptor = { name: 'first' };",
  'src/core/architectures/second.ts':
    "import type { Descriptor } from './descriptor.ts';\nexport const second: Descriptor = { name: 'second' };",
  'src/core/architectures/registry.ts':
    "import { first } from './first.ts';\nimport { second } from './second.ts';\nexport const all = [first, second];",
  'src/core/corpus/template.ts': "import { Template } from '@huggingface/jinja';\nexport const template = Template;",
  'src/core/saliency/metric.ts': 'export interface Metric { readonly id: string }',
  'src/core/saliency/metric.test.ts':
    "import { readFileSync } from 'node:fs';\nimport { test } from 'vitest';\nimport { sample } from './metric.fixture.ts';\ntest('reads', () => void readFileSync(sample));",
  'src/core/saliency/metric.fixture.ts': "export const sample = 'sample';",
  'src/core/protocol/events.ts': "import type { Metric } from '../saliency/metric.ts';\nexport type Event = Metric;",
  'src/client/handle.ts':
    "import { wrap } from 'comlink';\nexport const open = () => wrap(new Worker(new URL('../../workers/run.worker.ts', import.meta.url)));",
  'src/stores/view-store.ts':
    "import { createStore } from 'zustand/vanilla';\nexport const view = createStore(() => ({ a: 1 }));",
  'src/ui/Button.tsx': "import { useId } from 'react';\nexport const useName = useId;",
  'src/features/one/One.tsx':
    "import { scaleLinear } from 'd3-scale';\nimport { view } from '../../stores/view-store.ts';\nexport const one = [scaleLinear, view];",
  'src/features/two/Two.tsx': "import { useName } from '../../ui/Button.tsx';\nexport const two = useName;",
  'src/app/main.tsx':
    "import { one } from '../features/one/One.tsx';\nimport { two } from '../features/two/Two.tsx';\nexport const app = [one, two];",
  'src/cli/main.ts':
    "import { InferenceSession } from 'onnxruntime-node';\nimport { readFileSync } from 'node:fs';\nimport { all } from '../core/architectures/registry.ts';\nexport const run = [InferenceSession, readFileSync, all];",
  'workers/run.worker.ts': "import { session } from './runtime.ts';\nself.onmessage = session;",
  'workers/runtime.ts':
    "import * as ort from 'onnxruntime-web/jspi';\nimport wasm from 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url';\nexport const session = () => [ort, wasm];",
  'e2e/smoke.spec.ts': "import { test } from '@playwright/test';\ntest('opens', () => undefined);",
};

/** One forbidden import each: the rule that must catch it, where it is planted, and the import. */
const PLANTS: readonly (readonly [rule: string, file: string, specifier: string])[] = [
  ['core-packages', 'src/core/plan/a1.ts', 'react'],
  ['react-has-its-place', 'src/core/plan/a1.ts', 'react'],
  ['core-imports', 'src/core/plan/a2.ts', '../../stores/view-store.ts'],
  ['node-in-its-place', 'src/core/plan/a3.ts', 'node:fs'],
  ['core-base-imports', 'src/core/base/a4.ts', '../saliency/metric.ts'],
  ['core-saliency-imports', 'src/core/saliency/a5.ts', '../corpus/template.ts'],
  ['one-architecture-knows-no-other', 'src/core/architectures/a6.ts', './first.ts'],
  ['known-core-folder', 'src/core/helpers/a7.ts', '../base/errors.ts'],
  ['protocol-is-types', 'src/core/protocol/a8.ts', '../corpus/template.ts'],
  ['resolvable', 'src/core/plan/a9.ts', '../base/error.ts'],
  ['no-feature-imports-another', 'src/features/one/a10.ts', '../two/Two.tsx'],
  ['features-imports', 'src/features/one/a11.ts', '../../app/main.tsx'],
  ['ui-imports', 'src/ui/a12.ts', '../core/base/errors.ts'],
  ['stores-imports', 'src/stores/a13.ts', '../features/one/One.tsx'],
  ['react-has-its-place', 'src/stores/a14.ts', 'react'],
  ['onnxruntime-web-has-its-place', 'src/client/a15.ts', 'onnxruntime-web'],
  ['onnxruntime-web-has-its-place', 'src/client/a16.ts', 'onnxruntime-web/ort-wasm-simd-threaded.jspi.wasm?url'],
  ['no-worker-by-value', 'src/client/a17.ts', '../../workers/run.worker.ts'],
  ['client-imports', 'src/client/a18.ts', '../../workers/runtime.ts'],
  ['workers-imports', 'workers/a19.ts', '../src/stores/view-store.ts'],
  ['onnxruntime-node-has-its-place', 'workers/a20.ts', 'onnxruntime-node'],
  ['d3-modules-has-its-place', 'src/stores/a21.ts', 'd3-scale'],
  ['comlink-has-its-place', 'src/features/one/a22.ts', 'comlink'],
  ['zustand-has-its-place', 'src/ui/a23.ts', 'zustand'],
  ['cli-imports', 'src/cli/a24.ts', '../../workers/runtime.ts'],
  ['no-development-package', 'src/features/one/a25.ts', 'fast-check'],
  ['no-test-imported', 'src/core/saliency/a26.ts', './metric.fixture.ts'],
  ['e2e-imports', 'e2e/a27.ts', '../src/core/base/errors.ts'],
  ['known-realm', 'src/shared/a28.ts', '../core/base/errors.ts'],
];

const folders: string[] = [];

function plantTree(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'reap-imports-'));
  folders.push(root);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(root, dirname(name)), { recursive: true });
    writeFileSync(join(root, name), `${text}\n`);
  }
  writeFileSync(join(root, 'package.json'), JSON.stringify(createRequire(import.meta.url)('../package.json')));
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'), 'dir');
  return root;
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

test('a tree of allowed imports passes, wholly read', async () => {
  const { modules, unread, violations } = await checkImports(plantTree(CLEAN));
  expect(violations).toEqual([]);
  expect(unread).toEqual([]);
  expect(modules).toBe(Object.keys(CLEAN).length);
});

test('a module that the checker did not read is named', async () => {
  const blind = { ...RULES, options: { ...RULES.options, exclude: { path: '^src/core/architectures/' } } };
  const { unread } = await checkImports(plantTree(CLEAN), blind);
  expect(unread).toEqual(
    expect.arrayContaining(['src/core/architectures/first.ts', 'src/core/architectures/registry.ts']),
  );
});

describe('each planted import is caught by its rule', () => {
  let found: Set<string>;

  beforeAll(async () => {
    const planted = PLANTS.map(([, file, specifier]) => [
      file,
      `import * as it from '${specifier}';\nexport const used = it;`,
    ]);
    const { violations } = await checkImports(plantTree({ ...CLEAN, ...Object.fromEntries(planted) }));
    found = new Set(violations.map(({ rule, from }) => `${rule}: ${from}`));
  });

  test.each(PLANTS)('%s: %s imports %s', (rule, file) => {
    expect(found).toContain(`${rule}: ${file}`);
  });

  test('and no module without a plant is accused', () => {
    const guilty = new Set(PLANTS.map(([, file]) => file));
    const accused = [...found].map((line) => line.slice(line.indexOf(': ') + 2));
    expect(accused.filter((file) => !guilty.has(file))).toEqual([]);
  });
});

test('modules that import each other are caught, also by type alone', async () => {
  const { violations } = await checkImports(
    plantTree({
      ...CLEAN,
      'src/core/plan/left.ts':
        "import type { Right } from './right.ts';\nexport interface Left { readonly right: Right }",
      'src/core/plan/right.ts':
        "import type { Left } from './left.ts';\nexport interface Right { readonly left: Left }",
    }),
  );
  expect(violations.map(({ rule }) => rule)).toContain('no-circular');
});
