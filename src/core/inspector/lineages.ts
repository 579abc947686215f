import type { RouterSpec } from '../architectures/descriptor.ts';
import type { ConfigFacts } from './config-facts.ts';
import type { Evidence } from './proposal.ts';

/** What models whose config.json has a peculiar key are known to compute, where nothing in their files shows it. */
interface Habits {
  readonly 'router.scoring': RouterSpec['scoring'];
  readonly 'router.renormalise': boolean;
  readonly 'router.sumEpsilon': number;
  readonly 'router.gateOn': RouterSpec['gateOn'];
  readonly 'rotary.style': 'halves' | 'interleaved';
}

interface Lineage {
  /** All of these keys are there. */
  readonly keys: readonly string[];
  readonly of: string;
  readonly habits: Partial<Habits>;
}

/** Every value is a guess to be checked: a key is no proof. */
const LINEAGES: readonly Lineage[] = [
  {
    keys: ['attn_temperature_tuning', 'floor_scale'],
    of: "Llama-4's line",
    habits: {
      'router.scoring': 'sigmoid',
      'router.renormalise': false,
      'router.gateOn': 'input',
      'rotary.style': 'interleaved',
    },
  },
  {
    keys: ['moe_norm_min'],
    of: 'ERNIE',
    habits: { 'router.scoring': 'softmax', 'rotary.style': 'interleaved' },
  },
  {
    keys: ['zero_expert_num'],
    of: 'LongCat',
    habits: { 'router.scoring': 'softmax', 'router.renormalise': false },
  },
  {
    keys: ['input_jitter_noise', 'router_jitter_noise'],
    of: 'Phi-MoE',
    habits: { 'router.scoring': 'sparsemixer', 'router.renormalise': false },
  },
  { keys: ['use_expert_bias', 'conv_L_cache'], of: 'LFM2', habits: { 'router.sumEpsilon': 1e-6 } },
];

/** The habit of the line of models that config.json's keys speak of, for one field. */
export function lineageOf<Field extends keyof Habits>(
  config: ConfigFacts,
  field: Field,
): { readonly value: Habits[Field]; readonly evidence: readonly Evidence[] } | undefined {
  if (!config.lineHabits) return undefined;
  for (const { keys, of, habits } of LINEAGES) {
    const value = habits[field];
    if (value === undefined || !keys.every((key) => config.has(key))) continue;
    const rule: Evidence = { kind: 'rule', text: `models of ${of}, which have this key, compute it so` };
    return { value, evidence: [...keys.map((key) => config.evidence(key)), rule] };
  }
  return undefined;
}
