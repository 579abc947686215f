import { beforeAll, describe, expect, it } from 'vitest';
import { architectures } from '../architectures/registry.ts';
import { readModelConfig } from '../checkpoint/model-config.ts';
import { roleClassifier } from '../checkpoint/tensor-roles.ts';
import { inspect } from './inspect.ts';
import { minimaxConfig, minimaxModelling, minimaxTensors } from './minimax-m2.fixture.ts';
import type { Finding, Proposal } from './proposal.ts';

function finding({ findings }: Proposal, field: string): Finding {
  const found = findings.find((one) => one.field === field);
  if (found === undefined) throw new Error(`no finding about ${field}`);
  return found;
}

describe('MiniMax-M2.5', () => {
  let proposal: Proposal;
  beforeAll(() => {
    proposal = inspect({
      configJson: minimaxConfig,
      tensors: minimaxTensors(),
      modellingSources: new Map([['modeling_minimax_m2.py', minimaxModelling]]),
      knownRows: architectures.all().filter(({ id }) => id !== 'minimax_m2'),
    });
  });

  it('is found whole', () => {
    expect(proposal.block).toEqual({
      modelType: 'minimax_m2',
      className: 'MiniMaxM2ForCausalLM',
      block: 'block_sparse_moe',
      router: 'gate',
      experts: 'experts',
      fused: false,
      expertCount: 256,
      topK: 8,
      projections: { gate: 'w1', up: 'w3', down: 'w2' },
      sharedExperts: false,
      correctionBias: { on: 'block', name: 'e_score_correction_bias' },
      classes: { block: 'MiniMaxM2SparseMoeBlock', experts: 'MiniMaxM2Experts', mlp: 'MiniMaxM2MLP' },
    });
    expect(proposal.unexplained).toEqual([]);
    expect(proposal.descriptor.config.experts).toEqual(['num_local_experts']);
    expect(proposal.descriptor.router).toMatchObject({
      scoring: 'sigmoid',
      correctionBias: { key: ['use_routing_bias'] },
      renormalise: true,
    });
  });

  it('names the key, the tensors and the lines that say so', () => {
    const texts = (field: string): string[] =>
      finding(proposal, field).evidence.map(({ kind, text }) => `${kind} ${text}`);
    expect(texts('config.experts')).toEqual([
      'tensor model.layers.#.block_sparse_moe.experts holds 256 experts a layer',
      'config config.json: num_local_experts = 256',
    ]);
    expect(texts('experts.perExpert.gate')).toContain(
      'source modeling_minimax_m2.py:19: middle = self.act_fn(self.w1(states)) * self.w3(states)',
    );
    expect(texts('experts.perExpert.down')[0]).toBe('tensor w2 is [3072, 1536], into the hidden size 3072');
    expect(texts('tensors.correction-bias')[0]).toContain('block_sparse_moe.e_score_correction_bias [256], 62 layers');
    expect(texts('router.renormalise')[0]).toContain('weights / weights.sum(');
  });

  it('is certain where the source speaks, and asks only where nothing does', () => {
    const confidence = (field: string): string => finding(proposal, field).confidence;
    expect(['experts.perExpert.gate', 'router.scoring', 'router.renormalise', 'norm'].map(confidence)).toEqual(
      Array(4).fill('certain'),
    );
    expect(proposal.questions).toEqual(
      expect.arrayContaining(['router.gateOn', 'router.sumEpsilon', 'mixers.0.mixer.queryKeyNorm.place']),
    );
    expect(proposal.questions).not.toContain('mixers.0.mixer.rotary.style');
  });

  it('gives every tensor the role and every number that the hand-written row gives', () => {
    const row = architectures.get('minimax_m2');
    if (row === undefined) throw new Error('no row');
    expect(readModelConfig(minimaxConfig, proposal.descriptor)).toEqual(readModelConfig(minimaxConfig, row));
    const [one, two] = [roleClassifier(proposal.descriptor, 62), roleClassifier(row, 62)];
    const unlike = [...minimaxTensors()]
      .filter(({ name }) => !/layers\.(?!0\.|61\.)|experts\.\d\d?\./.test(name))
      .filter(({ name, shape }) => JSON.stringify(one(name, shape)) !== JSON.stringify(two(name, shape)));
    expect(unlike).toEqual([]);
  });
});
