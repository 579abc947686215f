// The architecture as tables: who may import whom. `tools/check-imports.mjs` runs them.

/** Inside core: folder → the folders of core that it may import besides itself. */
const CORE = {
  base: [],
  bytes: ['base'],
  hub: ['base', 'bytes'],
  safetensors: ['base', 'bytes'],
  architectures: ['base'],
  quantisation: ['base', 'safetensors'],
  recurrence: [],
  checkpoint: ['base', 'bytes', 'safetensors', 'architectures', 'quantisation', 'routing'],
  inspector: ['base', 'bytes', 'safetensors', 'architectures', 'quantisation', 'checkpoint'],
  corpus: ['base', 'bytes', 'hub'],
  routing: ['base', 'architectures'],
  onnx: ['base', 'architectures', 'quantisation', 'checkpoint'],
  saliency: ['base'],
  plan: ['base', 'architectures', 'checkpoint', 'saliency'],
  pickle: ['base', 'bytes'],
  imports: ['base', 'bytes', 'architectures', 'checkpoint', 'saliency', 'plan', 'pickle'],
  calibration: [
    'base',
    'bytes',
    'safetensors',
    'architectures',
    'quantisation',
    'checkpoint',
    'corpus',
    'routing',
    'recurrence',
    'onnx',
    'saliency',
  ],
  evaluation: [
    'base',
    'bytes',
    'safetensors',
    'architectures',
    'checkpoint',
    'corpus',
    'routing',
    'onnx',
    'saliency',
    'plan',
    'calibration',
  ],
  export: ['base', 'bytes', 'safetensors', 'architectures', 'checkpoint', 'plan'],
};

/** Realm → the realms that it may import besides itself. */
const REALMS = {
  'src/core': [],
  workers: ['src/core'],
  'src/client': ['src/core'],
  'src/stores': ['src/core', 'src/client'],
  'src/ui': [],
  'src/features': ['src/core', 'src/client', 'src/stores', 'src/ui'],
  'src/app': ['src/core', 'src/client', 'src/stores', 'src/ui', 'src/features'],
  'src/cli': ['src/core'],
  e2e: [],
};

/** Package → the only folders that may import it. */
const PACKAGES = {
  'onnxruntime-web': ['workers'],
  'onnxruntime-node': ['src/cli'],
  react: ['src/ui', 'src/features', 'src/app'],
  'react-dom': ['src/ui', 'src/features', 'src/app'],
  'react-error-boundary': ['src/ui', 'src/features', 'src/app'],
  '@tanstack/react-query': ['src/features', 'src/app'],
  'd3-[a-z-]+': ['src/features', 'src/ui'],
  comlink: ['src/client', 'workers'],
  'idb-keyval': ['src/client', 'src/stores'],
  zustand: ['src/stores', 'src/features', 'src/app'],
};

const CORE_PACKAGES = [
  '@huggingface/hub',
  'hyparquet',
  'hyparquet-compressors',
  '@huggingface/tokenizers',
  '@huggingface/jinja',
  'zod',
  'hash-wasm',
];

/** Tests, and the fixtures that only tests build on. */
const TEST = '\\.(test|fixture)\\.tsx?$';
/** A file of a package taken by its address: Vite resolves it, the checker cannot. */
const PACKAGE_ASSET = '^[^.].*\\.(mjs|wasm)\\?url$';
const OURS = '^(src|workers|e2e)/';
const SHIPPED = '^(src|workers)/';
const NPM = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled', 'npm-no-pkg', 'npm-unknown'];
const anyOf = (names) => names.join('|');
// Where it is installed, or by its bare name where it was not resolved.
const inPackages = (names) => `((^|/)node_modules/(@types/)?|^)(${anyOf(names)})/`;
const error = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const realmRules = Object.entries(REALMS).map(([realm, allowed]) =>
  error(
    `${realm.replace('src/', '')}-imports`,
    `${realm} may import ${allowed.length === 0 ? 'nothing of ours' : allowed.join(', ')}.`,
    { path: `^${realm}/`, pathNot: TEST },
    { path: OURS, pathNot: `^(${anyOf([realm, ...allowed])})/` },
  ),
);

const coreRules = Object.entries(CORE).map(([folder, allowed]) =>
  error(
    `core-${folder}-imports`,
    `core/${folder} may import ${allowed.length === 0 ? 'nothing else of core' : allowed.join(', ')}.`,
    { path: `^src/core/${folder}/`, pathNot: TEST },
    { path: '^src/core/', pathNot: `^src/core/(${anyOf([folder, ...allowed])})/` },
  ),
);

const packageRules = Object.entries(PACKAGES).map(([name, homes]) =>
  error(
    `${name.replace('[a-z-]+', 'modules')}-has-its-place`,
    `Only ${homes.join(', ')} may import ${name}.`,
    { path: SHIPPED, pathNot: [`^(${anyOf(homes)})/`, TEST] },
    { path: inPackages([name]) },
  ),
);

module.exports = {
  forbidden: [
    error('no-circular', 'Modules that import each other cannot be understood apart.', {}, { circular: true }),
    error(
      'resolvable',
      'An import that leads nowhere escapes every other rule.',
      {},
      { couldNotResolve: true, pathNot: PACKAGE_ASSET },
    ),
    error(
      'known-core-folder',
      'A new folder of core gets its row in the table CORE first.',
      { path: '^src/core/', pathNot: `^src/core/(${anyOf([...Object.keys(CORE), 'protocol'])})/` },
      {},
    ),
    error(
      'known-realm',
      'A new realm gets its row in the table REALMS first.',
      { path: '^src/', pathNot: `^(${anyOf(Object.keys(REALMS))})/` },
      {},
    ),
    error(
      'core-packages',
      `core may import ${CORE_PACKAGES.join(', ')} and no other package.`,
      { path: '^src/core/', pathNot: TEST },
      { dependencyTypes: NPM, pathNot: inPackages(CORE_PACKAGES) },
    ),
    error(
      'protocol-is-types',
      'The protocol describes messages: it takes types from the rest of core, and values from base alone.',
      { path: '^src/core/protocol/', pathNot: TEST },
      { path: '^src/core/', pathNot: '^src/core/(protocol|base)/', dependencyTypesNot: ['type-only'] },
    ),
    error(
      'one-architecture-knows-no-other',
      'A family is one file: it imports the vocabulary, shared pieces and itself. Only the registry knows all.',
      {
        path: '^src/core/architectures/([^/]+)\\.ts$',
        pathNot: ['/(registry|descriptor|descriptor-file|mixers|settings|tensor-parts)\\.ts$', TEST],
      },
      {
        path: '^src/core/architectures/',
        pathNot: ['/(descriptor|mixers|settings|tensor-parts)\\.ts$', '/pieces/', '/$1\\.ts$'],
      },
    ),
    error(
      'no-feature-imports-another',
      'Regions of the page talk through stores.',
      { path: '^src/features/([^/]+)/' },
      { path: '^src/features/', pathNot: '^src/features/$1/' },
    ),
    error(
      'no-worker-by-value',
      'A worker is started by its address: importing it would run it on the spot.',
      {},
      { path: '\\.worker\\.ts$', dependencyTypesNot: ['type-only'] },
    ),
    error(
      'no-test-imported',
      'Nothing that is shipped builds on a test or a fixture.',
      { path: SHIPPED, pathNot: TEST },
      { path: TEST },
    ),
    error(
      'node-in-its-place',
      'Builtins of Node: in the command line, tools and tests alone.',
      { path: SHIPPED, pathNot: ['^src/cli/', TEST] },
      { dependencyTypes: ['core'] },
    ),
    error(
      'no-development-package',
      'What is shipped may take types from a development package, never code.',
      { path: SHIPPED, pathNot: TEST },
      { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] },
    ),
    ...realmRules,
    ...coreRules,
    ...packageRules,
  ],
  options: {
    // Without it, type imports are invisible.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'browser', 'default'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.json', '.d.ts', '.css'],
    },
  },
};
