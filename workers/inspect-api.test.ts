import { expect, it } from 'vitest';
import { nodeBackend } from '../src/cli/node-backend.ts';
import { parseDescriptor, serialiseDescriptor } from '../src/core/architectures/descriptor-file.ts';
import { qwen3Moe } from '../src/core/architectures/qwen3-moe.ts';
import { MemoryFolder } from '../src/core/bytes/memory-folder.ts';
import { TINY_SHAPE, tinyCheckpointFiles } from '../src/core/checkpoint/tiny-checkpoint.fixture.ts';
import { correctLine } from '../src/core/inspector/descriptor-lines.ts';
import type { WireResult } from '../src/core/protocol/calibration-protocol.ts';
import { InspectService } from './inspect-api.ts';
import { openModel } from './open-model.ts';

const SOURCE = { kind: 'files', label: 'mystery', files: [] } as const;

/** The tiny checkpoint with `config.json` changed; by default its type is one that no row has. */
function service(change = (config: string): string => config.replace('qwen3_moe', 'mystery')): InspectService {
  const files = tinyCheckpointFiles();
  const config = new TextDecoder().decode(files.get('config.json'));
  files.set('config.json', new TextEncoder().encode(change(config)));
  return new InspectService({
    openSource: () => new MemoryFolder('mystery', files),
    openBackend: async () => nodeBackend(1),
  });
}

function unwrap<Value>(result: WireResult<Value>): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

async function proposed() {
  const { proposal } = unwrap(await service().inspect(SOURCE));
  if (proposal === null) throw new Error('nothing was proposed');
  return proposal.descriptor;
}

it('proposes a descriptor for a type that no row has, fit to cross to the page', async () => {
  const inspection = unwrap(await service().inspect(SOURCE));
  expect(structuredClone(inspection)).toEqual(inspection);
  expect(inspection).toMatchObject({ modelType: 'mystery', known: null, refusal: null });
  expect(inspection.proposal?.block).toMatchObject({ block: 'mlp', router: 'gate', expertCount: TINY_SHAPE.experts });
});

it('names the row that is in use, or the descriptor that came with the source', async () => {
  const plain = service((config) => config);
  expect(unwrap(await plain.inspect(SOURCE)).known).toBe(qwen3Moe);
  const descriptor = serialiseDescriptor({ ...qwen3Moe, label: 'My own' });
  expect(unwrap(await plain.inspect({ ...SOURCE, descriptor })).known?.label).toBe('My own');
});

it('says why nothing can be proposed', async () => {
  const broken = await service(() => '{').inspect(SOURCE);
  expect(broken).toMatchObject({ ok: true, value: { proposal: null, refusal: { code: 'bad-config' } } });
});

it('reads the type alone, and an absent one as nothing', async () => {
  expect(unwrap(await service().modelType(SOURCE))).toBe('mystery');
  expect(unwrap(await service(() => '{}').modelType(SOURCE))).toBe('');
  expect(unwrap(await service(() => 'no JSON').modelType(SOURCE))).toBe('');
});

it('computes the first layer with experts by the proposed descriptor', async () => {
  const descriptor = serialiseDescriptor(await proposed());
  const test = unwrap(await service().testLayer({ ...SOURCE, descriptor }));
  expect(test).toMatchObject({ layer: 0, tokens: 48, experts: TINY_SHAPE.experts, topK: TINY_SHAPE.topK, ignored: 0 });
  // 3 beside the layers, 8 a layer, in two of them a router and 6 experts, in one a dense MLP.
  expect(test.tensors).toBe(3 + 3 * 8 + 2 * (1 + 6 * 3) + 3);
  expect(test.expertsUsed).toBeGreaterThan(TINY_SHAPE.topK);
  expect(test.gateSum).toBeCloseTo(1, 5);
  expect(test.largestOutput).toBeGreaterThan(0);
});

it('says in the engine’s own words what is wrong with a descriptor', async () => {
  const wrong = correctLine(await proposed(), 'tensors.router', 'model.layers.{layer}.mlp.router');
  expect(await service().testLayer({ ...SOURCE, descriptor: serialiseDescriptor(wrong) })).toMatchObject({
    ok: false,
    error: { code: 'unclassified-tensor', details: { tensor: 'model.layers.0.mlp.gate.weight' } },
  });
});

it('opens a model by the descriptor that its source carries, and by the registry without one', async () => {
  const files = tinyCheckpointFiles();
  const config = new TextDecoder().decode(files.get('config.json')).replace('qwen3_moe', 'mystery');
  files.set('config.json', new TextEncoder().encode(config));
  const sources = { openSource: () => new MemoryFolder('mystery', files) };
  await expect(openModel(sources, SOURCE)).rejects.toMatchObject({ code: 'unknown-architecture' });
  const descriptor = serialiseDescriptor(await proposed());
  const checkpoint = await openModel(sources, { ...SOURCE, descriptor });
  expect(checkpoint.architecture).toEqual(parseDescriptor(descriptor));
  await expect(openModel(sources, { ...SOURCE, descriptor: '{}' })).rejects.toMatchObject({ code: 'wrong-format' });
});
