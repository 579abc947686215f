import * as z from 'zod/mini';
import { StudioError } from '../base/errors.ts';
import {
  domainIdentitySchema,
  gateSchema,
  modelIdentitySchema,
  readVersionedFile,
  refusal,
  sha256Schema,
  type VersionedFileKind,
  versionedFileText,
  wholeNumberSchema,
} from '../base/versioned-file.ts';
import type { CheckpointSummary } from '../checkpoint/summary.ts';
import { checkGroups } from './expert-groups.ts';
import type { ExpertReason, LayerPlan, PruningPlan } from './pruning-plan.ts';

const KIND: VersionedFileKind = {
  family: 'plan',
  format: 'reap-studio/plan',
  version: 1,
  noun: 'plan',
  invalidCode: 'invalid-plan',
  nextStep: 'Choose a *.plan.json that the studio wrote, or make the plan again.',
};

const expertIndices = z.array(wholeNumberSchema);

const schema = z.strictObject({
  format: z.literal(KIND.format),
  version: z.literal(KIND.version),
  model: modelIdentitySchema,
  metric: z.string().check(z.minLength(1)),
  policy: z.literal('uniform'),
  ratio: z.number().check(z.minimum(0), z.maximum(1)),
  calibration: z.strictObject({
    domains: z.array(domainIdentitySchema),
    gate: gateSchema,
    statisticsHash: z.nullable(sha256Schema),
  }),
  // Plans of earlier releases do not say it.
  nextToken: z.optional(z.enum(['prune', 'drop'])),
  layers: z
    .array(
      z.strictObject({
        layer: wholeNumberSchema,
        experts: z.int().check(z.positive()),
        keep: expertIndices.check(z.minLength(1)),
        drop: expertIndices,
        scores: z.array(z.number()),
        reasons: z.record(
          z.string().check(z.regex(/^(0|[1-9][0-9]*)$/)),
          z.enum(['pinned', 'forced-out', 'super-expert', 'tie']),
        ),
      }),
    )
    .check(z.minLength(1)),
});

/**
 * Reads a plan file: docs/formats.md. It opens without the statistics that it was made from.
 *
 * @throws StudioError of family plan: not-json, wrong-format, newer-version, invalid-plan (naming the path).
 */
export function parsePlan(text: string): PruningPlan {
  const { format: _format, version: _version, ...content } = readVersionedFile(text, KIND, schema);
  const plan = {
    ...content,
    nextToken: content.nextToken ?? ('prune' as const),
    layers: content.layers.map((layer) => ({ ...layer, reasons: toReasons(layer.reasons) })),
  };
  checkPlan(plan);
  return plan;
}

/**
 * The file's text: keys in a fixed order, so equal plans give equal bytes.
 *
 * @throws StudioError plan/invalid-plan for a plan that parsePlan would refuse.
 */
export function serialisePlan(plan: PruningPlan): string {
  checkPlan(plan);
  const { model, calibration } = plan;
  return versionedFileText(
    {
      format: KIND.format,
      version: KIND.version,
      model: { architecture: model.architecture, fingerprint: model.fingerprint, source: model.source },
      metric: plan.metric,
      policy: plan.policy,
      ratio: plan.ratio,
      calibration: {
        domains: calibration.domains.map(({ name, tokens, sequences, hash }) => ({ name, tokens, sequences, hash })),
        gate: calibration.gate,
        statisticsHash: calibration.statisticsHash,
      },
      ...(plan.nextToken === 'drop' ? { nextToken: plan.nextToken } : {}),
    },
    plan.layers.map(({ layer, experts, keep, drop, scores, reasons }) => ({
      layer,
      experts,
      keep,
      drop,
      scores,
      // Integer keys of an object are always enumerated ascending.
      reasons: Object.fromEntries(reasons),
    })),
  );
}

function toReasons(record: Readonly<Record<string, ExpertReason>>): ReadonlyMap<number, ExpertReason> {
  return new Map(Object.entries(record).map(([expert, reason]) => [Number(expert), reason]));
}

/** What the schema cannot say: order, completeness, and that keep and drop share nothing. */
function checkPlan({ layers, ratio }: PruningPlan): void {
  if (!Number.isFinite(ratio)) throw refusal(KIND, 'ratio', 'must be a finite number');
  let previous = -1;
  for (const [row, plan] of layers.entries()) {
    const path = `layers[${row}]`;
    if (plan.layer <= previous) throw refusal(KIND, `${path}.layer`, 'must be above the layer before it');
    previous = plan.layer;
    checkSplit(plan, path);
    if (plan.scores.length !== 0 && plan.scores.length !== plan.experts) {
      throw refusal(KIND, `${path}.scores`, `must be empty or hold ${plan.experts} numbers, one an expert`);
    }
    const stray = plan.scores.findIndex((score) => !Number.isFinite(score));
    if (stray >= 0) throw refusal(KIND, `${path}.scores[${stray}]`, 'must be a finite number');
    checkReasons(plan, path);
  }
}

/** keep and drop, each ascending, must together name every expert of the layer once. */
function checkSplit({ experts, keep, drop }: LayerPlan, path: string): void {
  if (keep.length === 0) throw refusal(KIND, `${path}.keep`, 'must not be empty');
  const listed = new Uint8Array(experts);
  for (const [name, indices] of [['keep', keep] as const, ['drop', drop] as const]) {
    let previous = -1;
    for (const [at, expert] of indices.entries()) {
      const where = `${path}.${name}[${at}]`;
      if (!(expert >= 0 && expert < experts)) {
        throw refusal(KIND, where, `names expert ${expert}, but the layer's experts are 0 to ${experts - 1}`);
      }
      if (expert <= previous) throw refusal(KIND, where, 'must be above the expert before it: the list ascends');
      if (listed[expert] === 1) throw refusal(KIND, where, `names expert ${expert}, which is in keep as well`);
      listed[expert] = 1;
      previous = expert;
    }
  }
  const missing = listed.indexOf(0);
  if (missing >= 0) throw refusal(KIND, path, `says neither keep nor drop of expert ${missing}`);
}

function checkReasons({ keep, drop, experts, reasons }: LayerPlan, path: string): void {
  for (const [expert, reason] of reasons) {
    const where = `${path}.reasons.${expert}`;
    if (!(expert >= 0 && expert < experts)) throw refusal(KIND, where, `is not among the layer's ${experts} experts`);
    if (reason === 'forced-out' && !drop.includes(expert)) throw refusal(KIND, where, 'is forced-out, yet kept');
    if ((reason === 'pinned' || reason === 'super-expert') && !keep.includes(expert)) {
      throw refusal(KIND, where, `is ${reason}, yet dropped`);
    }
  }
}

/**
 * Refuses a plan that was made for another checkpoint, or that leaves this one fewer experts than a token needs.
 *
 * @throws StudioError plan/other-model; details.differs says in what: architecture, layers, experts or fingerprint.
 * @throws StudioError plan/fewer-than-top-k, plan/uneven-groups, plan/groups-too-small naming the layer.
 */
export function checkPlanFits(plan: PruningPlan, summary: CheckpointSummary): void {
  if (plan.model.architecture !== summary.architecture) {
    const found = `it is for the architecture ${plan.model.architecture}, this model is ${summary.architecture}`;
    throw otherModel(plan, summary, 'architecture', found);
  }
  const planned = plan.layers.map(({ layer }) => layer);
  const present = summary.moeLayers.map(({ layer }) => layer);
  const stray = planned.find((layer) => !present.includes(layer)) ?? present.find((layer) => !planned.includes(layer));
  if (stray !== undefined) {
    const found = present.includes(stray)
      ? `it says nothing about layer ${stray}, which has experts here`
      : `it prunes layer ${stray}, which has no experts here`;
    throw otherModel(plan, summary, 'layers', found);
  }
  for (const [row, layer] of summary.moeLayers.entries()) {
    const experts = plan.layers[row]?.experts ?? 0;
    if (experts === layer.experts) continue;
    throw otherModel(
      plan,
      summary,
      'experts',
      `layer ${layer.layer} has ${experts} experts there and ${layer.experts} here`,
    );
  }
  if (plan.model.fingerprint !== summary.fingerprint) {
    throw otherModel(plan, summary, 'fingerprint', 'the config, or the names, dtypes or shapes of the tensors differ');
  }
  for (const [row, layer] of summary.moeLayers.entries()) {
    const keep = plan.layers[row]?.keep ?? [];
    checkGroups(layer, keep);
    const kept = keep.length;
    if (kept >= layer.topK) continue;
    throw new StudioError(
      'plan',
      'fewer-than-top-k',
      `The plan keeps ${kept} experts in layer ${layer.layer}, but the model sends each token to ${layer.topK}.`,
      {
        nextStep: `Make the plan again with a ratio that keeps ${layer.topK} experts or more in every layer.`,
        details: { layer: layer.layer, keep: kept, topK: layer.topK },
      },
    );
  }
}

function otherModel(plan: PruningPlan, summary: CheckpointSummary, differs: string, found: string): StudioError {
  return new StudioError(
    'plan',
    'other-model',
    `This plan was made for another model ("${plan.model.source}", not "${summary.label}"): ${found}.`,
    { nextStep: 'Open the model that the plan was made for, or make a plan for this one.', details: { differs } },
  );
}
