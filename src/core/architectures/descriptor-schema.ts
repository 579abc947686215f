import * as z from 'zod/mini';
import { PART_NAMES } from './tensor-parts.ts';

// Without this zod compiles its checks with `new Function`, which the page's content security policy forbids.
z.config({ jitless: true });

export const DESCRIPTOR_FORMAT = 'reap-studio/descriptor';
export const DESCRIPTOR_VERSION = 1;

const MOST_ENTRIES = 64;

const textSchema = z.string().check(z.maxLength(400));
const nameSchema = z.string().check(z.minLength(1), z.maxLength(200));
const numberSchema = z.number().check(z.gte(-1e15), z.lte(1e15));
/** A member of config.json. `__proto__` is none. */
const configNameSchema = z.string().check(z.maxLength(200), z.regex(/^(?!__proto__$)\w+$/));
const keySchema = z.tuple([configNameSchema], configNameSchema).check(z.refine((key) => key.length <= MOST_ENTRIES));
const settingSchema = z.strictObject({ key: z.nullable(keySchema), fallback: numberSchema });
const flagSchema = z.union([z.boolean(), z.strictObject({ key: keySchema, fallback: z.boolean() })]);
const valuesSchema = z.array(textSchema).check(z.maxLength(MOST_ENTRIES));
const offsetSchema = z.union([z.literal(0), z.literal(1)]);
const layersSchema = z.strictObject({
  from: z.exactOptional(keySchema),
  to: z.exactOptional(keySchema),
  every: z.exactOptional(
    z.strictObject({ step: keySchema, offset: offsetSchema, fallback: z.exactOptional(numberSchema) }),
  ),
  except: z.exactOptional(keySchema),
  only: z.exactOptional(keySchema),
  types: z.exactOptional(z.strictObject({ key: keySchema, values: valuesSchema })),
});

const PLACES: ReadonlySet<string> = new Set(['layer', 'step', 'expert']);
/** Choices of spellings in one pattern; each multiplies the ways in which a name can fail to match. */
const MOST_CHOICES = 4;
const MOST_SPELLINGS = 8;
const WORDS = /^[\w.-]+$/;

/**
 * A pattern of tensor names: words, dots and hyphens; `{layer}`, `{step}`, `{expert}` at most once each; `{a|b}` for
 * spellings. No other sign gets through, so nothing of a file reaches the engine as a regular expression.
 */
function isPattern(text: string): boolean {
  const inner = [...text.matchAll(/\{([^{}]*)\}/g)].map(([, one = '']) => one);
  const outside = text.replaceAll(/\{[^{}]*\}/g, '');
  const places = inner.filter((one) => PLACES.has(one));
  const choices = inner.filter((one) => !PLACES.has(one)).map((one) => one.split('|'));
  return (
    (outside === '' || WORDS.test(outside)) &&
    new Set(places).size === places.length &&
    inner.length - places.length <= MOST_CHOICES &&
    inner.every((one) => PLACES.has(one) || one.includes('|')) &&
    choices.every((spellings) => spellings.length <= MOST_SPELLINGS && spellings.every((one) => WORDS.test(one)))
  );
}

const patternSchema = z.string().check(z.minLength(1), z.maxLength(400), z.refine(isPattern));
const globSchema = z.string().check(z.maxLength(200), z.regex(/^[\w.*-]+$/));
const projectionsSchema = z.strictObject({ gate: z.nullable(patternSchema), up: patternSchema, down: patternSchema });

const rotarySchema = z.strictObject({
  theta: settingSchema,
  part: z.strictObject({ fraction: settingSchema, dimensions: z.nullable(keySchema) }),
  style: z.enum(['halves', 'interleaved']),
  without: z.nullable(z.strictObject({ key: keySchema, interval: settingSchema })),
});

const groupedQuerySchema = z.strictObject({
  kind: z.literal('grouped-query'),
  heads: keySchema,
  keyValueHeads: keySchema,
  headDim: keySchema,
  queryKeyValueBias: flagSchema,
  outputBias: flagSchema,
  queryKeyNorm: z.nullable(
    z.strictObject({
      over: z.enum(['head', 'projection']),
      place: z.enum(['before-rotation', 'after-rotation']),
      unit: z.boolean(),
      enabled: flagSchema,
      rotatedLayersOnly: z.boolean(),
    }),
  ),
  rotary: z.nullable(rotarySchema),
  scale: z.nullable(keySchema),
  clip: z.nullable(keySchema),
  window: z.nullable(z.strictObject({ size: keySchema, enabled: flagSchema, layers: layersSchema })),
  chunk: z.nullable(keySchema),
  sinks: z.boolean(),
  outputGate: z.boolean(),
  temperature: z.nullable(z.strictObject({ enabled: flagSchema, scale: settingSchema, floor: settingSchema })),
});

const latentSchema = z.strictObject({
  kind: z.literal('latent'),
  heads: keySchema,
  queryRank: keySchema,
  keyValueRank: keySchema,
  nopeDim: keySchema,
  ropeDim: keySchema,
  valueDim: keySchema,
  bias: flagSchema,
  normEpsilon: numberSchema,
  rotary: rotarySchema,
  interleave: z.nullable(flagSchema),
  rankScale: z.nullable(z.strictObject({ query: flagSchema, keyValue: flagSchema })),
});

const deltaNetSchema = z.strictObject({
  kind: z.literal('gated-delta-net'),
  keyHeads: keySchema,
  valueHeads: keySchema,
  keyDim: keySchema,
  valueDim: keySchema,
  kernel: keySchema,
  projections: z.enum(['joint', 'separate']),
});

const convolutionSchema = z.strictObject({
  kind: z.literal('short-convolution'),
  kernel: keySchema,
  bias: flagSchema,
});

const scanSchema = z.strictObject({
  kind: z.literal('selective-scan'),
  heads: keySchema,
  headDim: keySchema,
  groups: keySchema,
  state: keySchema,
  kernel: keySchema,
  convolutionBias: flagSchema,
  projectionBias: flagSchema,
  leastStep: settingSchema,
});

const mixerSchema = z.discriminatedUnion('kind', [
  groupedQuerySchema,
  latentSchema,
  deltaNetSchema,
  convolutionSchema,
  scanSchema,
]);

const routerSchema = z.strictObject({
  scoring: z.enum(['softmax', 'sigmoid', 'sparsemixer']),
  correctionBias: flagSchema,
  groups: z.nullable(
    z.strictObject({
      count: settingSchema,
      chosen: settingSchema,
      score: z.enum(['maximum', 'two-largest']),
      when: z.nullable(z.strictObject({ key: keySchema, equals: textSchema })),
    }),
  ),
  renormalise: flagSchema,
  sumEpsilon: numberSchema,
  sumFloor: settingSchema,
  scale: settingSchema,
  gateOn: z.enum(['output', 'input']),
  identityExperts: settingSchema,
  jitter: settingSchema,
});

const expertsSchema = z.strictObject({
  activation: z.enum(['silu', 'clamped-swiglu', 'relu-squared']),
  limit: settingSchema,
  perExpert: z.nullable(projectionsSchema),
  fused: z.nullable(
    z.strictObject({
      gateUp: patternSchema,
      down: patternSchema,
      orientation: z.enum(['out-in', 'in-out']),
      interleaved: z.boolean(),
    }),
  ),
});

const sharedSchema = z.strictObject({
  names: projectionsSchema,
  width: z.union([z.strictObject({ key: keySchema }), z.strictObject({ count: keySchema })]),
  gated: z.boolean(),
});

const nextTokenSchema = z.strictObject({
  count: keySchema,
  place: z.union([
    z.literal('after-last'),
    z.strictObject({ prefix: z.string().check(z.maxLength(100), z.regex(/^[\w.-]+[._]$/)) }),
  ]),
});

const tensorsSchema = z.partialRecord(z.enum(PART_NAMES), patternSchema);

const configSchema = z.strictObject({
  layers: keySchema,
  hiddenSize: keySchema,
  vocabularySize: keySchema,
  maxPositions: keySchema,
  normEpsilon: keySchema,
  experts: keySchema,
  topK: keySchema,
  expertWidth: keySchema,
  denseWidth: keySchema,
});

/** A descriptor file, keys in the order in which it is written. */
export const descriptorSchema = z.strictObject({
  format: z.literal(DESCRIPTOR_FORMAT),
  version: z.literal(DESCRIPTOR_VERSION),
  id: z.string().check(z.minLength(1), z.maxLength(100), z.regex(/^[\w.-]+$/)),
  label: nameSchema,
  modelTypes: z.array(nameSchema).check(z.minLength(1), z.maxLength(MOST_ENTRIES)),
  className: nameSchema,
  section: z.nullable(configNameSchema),
  config: configSchema,
  norm: z.enum(['rms', 'rms-plus-one', 'layer']),
  tiedEmbeddings: flagSchema,
  multipliers: z.strictObject({ embedding: settingSchema, residual: settingSchema, logitsDivisor: settingSchema }),
  mixers: z.array(z.strictObject({ layers: layersSchema, mixer: mixerSchema })).check(z.maxLength(16)),
  moeLayers: layersSchema,
  denseLayers: z.nullable(layersSchema),
  layerOrder: z.enum(['sequential', 'shortcut']),
  router: routerSchema,
  experts: expertsSchema,
  shared: z.nullable(sharedSchema),
  dense: z.nullable(projectionsSchema),
  tensors: tensorsSchema,
  nextTokenLayers: z.nullable(nextTokenSchema),
  ignored: z.array(globSchema).check(z.maxLength(MOST_ENTRIES)),
  heldAgainst: textSchema,
});
