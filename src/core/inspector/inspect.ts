import type { Architecture, ExpertSpec } from '../architectures/descriptor.ts';
import type { LayerRule } from '../architectures/settings.ts';
import { PART_NAMES, type PartName } from '../architectures/tensor-parts.ts';
import { readQuantisation } from '../quantisation/quantisation-config.ts';
import { ConfigFacts } from './config-facts.ts';
import { descriptorLines } from './descriptor-lines.ts';
import { type ExpertsFound, findActivation, findExperts } from './find-experts.ts';
import { findKeys, hiddenSizeOf, layerCountOf } from './find-keys.ts';
import { findMixers } from './find-mixers.ts';
import { findOtherMlps, type MlpsFound } from './find-mlps.ts';
import { findRouter, type RouterFound, settingOf } from './find-router.ts';
import { findIgnored, findNextToken, findTrunk, type NextTokenFound } from './find-trunk.ts';
import { furtherExperts } from './further-experts.ts';
import { mixerLayerRule, moeLayerRule } from './layer-rule.ts';
import { missingRouter, moeBlockOf } from './moe-block.ts';
import { Notebook } from './notebook.ts';
import { findMixerModules } from './part-names.ts';
import type { Evidence, Finding, InspectorInput, Proposal } from './proposal.ts';
import { noteRelatives } from './relatives.ts';
import { readSourceFacts, type SourceFacts } from './source-facts.ts';
import { type ModuleGroup, TensorModules, tensorEvidence } from './tensor-modules.ts';
import { unreadKeys } from './unread-keys.ts';

interface Site {
  readonly config: ConfigFacts;
  readonly modules: TensorModules;
  readonly notes: Notebook;
  readonly source: SourceFacts | undefined;
  readonly hidden: number;
  readonly layers: number;
}

function identity({
  config,
  notes,
}: Site): Pick<Architecture, 'id' | 'label' | 'modelTypes' | 'className' | 'section'> {
  const { json, section } = config;
  const inner = section === null ? undefined : json[section];
  const innerType =
    typeof inner === 'object' && inner !== null && 'model_type' in inner ? inner['model_type'] : undefined;
  const types = [json.model_type, innerType].filter((type) => typeof type === 'string' && type !== '');
  const modelTypes = [...new Set(types.map(String))];
  const classes = json.architectures;
  const className = Array.isArray(classes) && typeof classes[0] === 'string' ? classes[0] : '';
  const typeSeen = config.evidence('model_type');
  const classSeen = config.evidence('architectures');
  const id = modelTypes[0] ?? 'unknown';
  notes.note('id', id, modelTypes.length > 0 ? 'certain' : 'uncertain', typeSeen);
  notes.note('label', className, 'certain', classSeen);
  notes.note('modelTypes', modelTypes, modelTypes.length > 0 ? 'certain' : 'uncertain', typeSeen);
  notes.note('className', className, className === '' ? 'uncertain' : 'certain', classSeen);
  notes.note('section', section, 'certain', {
    kind: 'config',
    text: section === null ? 'the keys lie at the top of config.json' : `the keys lie under "${section}"`,
  });
  const label = className.replace(/For(?:CausalLM|ConditionalGeneration)$/, '') || id;
  return { id, label, modelTypes: modelTypes.length > 0 ? modelTypes : [id], className: className || id, section };
}

/** `null`: every layer without experts is dense; else the rule of those that are. */
function denseRule(
  { config, notes, layers }: Site,
  experts: ExpertsFound,
  mlps: MlpsFound,
  moe: LayerRule,
): LayerRule | null {
  const field = 'denseLayers';
  const others = Array.from({ length: layers }, (_, layer) => layer).filter((layer) => !experts.layers.has(layer));
  const bare = others.filter((layer) => !mlps.denseLayers.has(layer));
  if (mlps.shortcut || bare.length === 0) {
    return notes.note(field, null, 'certain', { kind: 'tensor', text: 'every layer without experts has a plain MLP' });
  }
  const seen: Evidence = { kind: 'tensor', text: `layers ${bare.join(', ')} have neither experts nor an MLP` };
  const dense = new Set([...mlps.denseLayers].filter((layer) => layer < layers));
  const found = dense.size > 0 ? mixerLayerRule(config, dense, layers) : undefined;
  if (found !== undefined) return notes.note(field, found.rule, found.confidence, [seen, ...found.evidence]);
  const types = moe.types ?? { key: ['layer_types'] as const, values: [] };
  const none: LayerRule = { types: { key: types.key, values: [] } };
  return notes.note(field, none, dense.size === 0 && moe.types !== undefined ? 'certain' : 'uncertain', [
    seen,
    config.evidence(types.key[0]),
  ]);
}

function multipliers(site: Site): Architecture['multipliers'] {
  const at = (
    name: 'embedding' | 'residual' | 'logitsDivisor',
    topic: 'embeddingMultiplier' | 'residualMultiplier' | 'logitsDivisor',
  ) =>
    settingOf(
      site,
      `multipliers.${name}`,
      topic,
      1,
      'no key of config.json sets one; a constant in the code would not show',
    );
  return {
    embedding: at('embedding', 'embeddingMultiplier'),
    residual: at('residual', 'residualMultiplier'),
    logitsDivisor: at('logitsDivisor', 'logitsDivisor'),
  };
}

function tensorNames(site: Site, parts: ReadonlyMap<PartName, ModuleGroup>): Architecture['tensors'] {
  const named = PART_NAMES.flatMap((part): [PartName, string][] => {
    const group = parts.get(part);
    if (group === undefined) return [];
    const name = group.rest === undefined ? group.path : site.modules.pattern(group.rest);
    const clear = part === 'head' || part === 'embedding' || group.count > 0;
    return [[part, site.notes.note(`tensors.${part}`, name, clear ? 'certain' : 'likely', tensorEvidence(group))]];
  });
  return Object.fromEntries(named);
}

function unexplained(
  { modules }: Site,
  explained: ReadonlySet<string>,
  ignored: readonly string[],
  next: NextTokenFound,
): string[] {
  const prefixes = ignored.filter((glob) => glob.endsWith('.*')).map((glob) => glob.slice(0, -1));
  return modules.groups
    .map(({ path }) => path)
    .filter(
      (path) =>
        !explained.has(path) &&
        !path.endsWith('.rotary_emb.inv_freq') &&
        !prefixes.some((prefix) => path.startsWith(prefix)) &&
        !(next.prefix !== undefined && path.startsWith(next.prefix)),
    );
}

/** Modules of layers beyond the last that have no counterpart before it: a further-token layer's own parts. */
function beyondLast({ modules, layers }: Site): string[] {
  return modules.groups
    .filter((group) => group.rest !== undefined && [...group.layers].every((layer) => layer >= layers))
    .map(({ path }) => path);
}

function linesFound(descriptor: Architecture, notes: Notebook): Finding[] {
  return descriptorLines(descriptor).map(({ field, value }) => {
    const found = notes.covering(field);
    if (found === undefined) throw new RangeError(`the inspector wrote nothing down about "${field}"`);
    return { ...found, field, value };
  });
}

/** Parts that every model has and that no tensor was found for: lines to be filled in. */
function partsMissing({ tensors, tiedEmbeddings, mixers }: Architecture): Finding[] {
  const needed: readonly PartName[] = [
    'embedding',
    'final-norm',
    'input-norm',
    ...(tiedEmbeddings === false ? (['head'] as const) : []),
  ];
  const missing = needed.filter((part) => tensors[part] === undefined).map((part) => `tensors.${part}`);
  return [...missing, ...(mixers.length === 0 ? ['mixers'] : [])].map((field) => ({
    field,
    value: field === 'mixers' ? [] : null,
    confidence: 'uncertain',
    evidence: [{ kind: 'tensor', text: 'no tensor of a name known for it' }],
  }));
}

/**
 * Works out how a model is built from config.json, tensor names and shapes, and its modelling source where it is given.
 * Every line of the proposed descriptor comes with its evidence; what nothing shows is a guess and marked `uncertain`.
 * @throws StudioError family `checkpoint`: `no-experts`, `no-router`.
 */
export function inspect({
  configJson,
  tensors,
  modellingSources,
  knownRows = [],
  lineHabits,
}: InspectorInput): Proposal {
  const config = new ConfigFacts(configJson, lineHabits);
  const quantisation = readQuantisation(config.reader.object(['quantization_config', 'compression_config']));
  const modules = new TensorModules(tensors, quantisation);
  const notes = new Notebook();
  const source =
    modellingSources === undefined || modellingSources.size === 0 ? undefined : readSourceFacts(modellingSources);
  const hidden = hiddenSizeOf({ modules, config });
  const layers = layerCountOf({ modules, config });
  const site: Site = { config, modules, notes, source, hidden, layers };

  const experts = findExperts(modules, config, hidden, notes, source);
  const inModel = new Set([...experts.layers].filter((layer) => layer < layers));
  const router: RouterFound = findRouter({ ...site, experts }) ?? missingRouter(experts);
  const explained = new Set<string>([...experts.groups, router.router].map(({ path }) => path));
  if (router.bias !== undefined) explained.add(router.bias.path);
  const mlps = findOtherMlps({ ...site, experts, taken: explained });
  for (const { path } of mlps.groups) explained.add(path);

  const mixers = findMixerModules(modules, explained);
  for (const { parts } of mixers) for (const { path } of parts.values()) explained.add(path);
  const recurrent = mixers.some(({ kind }) => kind === 'gated-delta-net') ? 'delta' : undefined;
  const trunk = findTrunk({ ...site, taken: explained, recurrent });
  for (const { path } of trunk.parts.values()) explained.add(path);
  for (const path of beyondLast(site)) explained.add(path);

  const moe = moeLayerRule(config, inModel, layers);
  notes.note('moeLayers', moe.rule, moe.confidence, moe.evidence);
  const nextToken = findNextToken(site);
  const parts = new Map<PartName, ModuleGroup>([
    ...trunk.parts,
    ...mixers.flatMap((mixer) => [...mixer.parts]),
    ['router', router.router],
  ]);
  if (router.bias !== undefined) parts.set('correction-bias', router.bias);
  if (mlps.sharedGate !== undefined) parts.set('shared-expert-gate', mlps.sharedGate);
  const expertSpec: ExpertSpec = {
    ...findActivation(experts, config, notes),
    ...furtherExperts(site, experts, nextToken.prefix),
  };
  const ignored = findIgnored(site, explained);
  const descriptor: Architecture = {
    ...identity(site),
    config: findKeys(site, experts, mlps),
    norm: trunk.norm,
    tiedEmbeddings: trunk.tied,
    multipliers: multipliers(site),
    mixers: findMixers({ ...site, shortcut: mlps.shortcut }, mixers, layers),
    moeLayers: moe.rule,
    denseLayers: denseRule(site, experts, mlps, moe.rule),
    layerOrder: notes.note('layerOrder', mlps.shortcut ? 'shortcut' : 'sequential', 'certain', {
      kind: 'tensor',
      text: mlps.shortcut
        ? 'two mixers and two MLPs a layer beside the experts'
        : 'one mixer a layer, then experts or MLP',
    }),
    router: router.spec,
    experts: expertSpec,
    shared: mlps.shared,
    dense: mlps.dense,
    tensors: tensorNames(site, parts),
    nextTokenLayers: nextToken.spec,
    ignored,
    heldAgainst: notes.note('heldAgainst', 'nothing: proposed by the inspector', 'certain', {
      kind: 'rule',
      text: 'no oracle has seen this descriptor',
    }),
  };
  const strange = unexplained(site, explained, ignored, nextToken);
  if (strange.some((path) => path.startsWith(`${modules.root}.#.`))) {
    notes.doubt('layerOrder', 'uncertain', {
      kind: 'tensor',
      text: `the layers hold what no line explains: ${strange.join(', ')}`,
    });
  } else if (
    mixers.length > 0 &&
    !parts.has('post-attention-norm') &&
    [...inModel].some((layer) => mixers.some((mixer) => mixer.layers.has(layer)))
  ) {
    notes.doubt('layerOrder', 'uncertain', {
      kind: 'tensor',
      text: 'no second norm in layers that have both a mixer and experts',
    });
  }
  noteRelatives(descriptor, knownRows, modules, layers, notes);
  const findings = [...linesFound(descriptor, notes), ...partsMissing(descriptor)];
  return {
    descriptor,
    block: moeBlockOf(descriptor, experts, router, config, source),
    findings,
    questions: findings.filter(({ confidence }) => confidence === 'uncertain').map(({ field }) => field),
    unexplained: strange,
    unreadKeys: unreadKeys(config, descriptor),
  };
}
