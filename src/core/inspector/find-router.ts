import type { RouterSpec } from '../architectures/descriptor.ts';
import { type ConfigKey, type Flag, fixed, type NumberSetting } from '../architectures/settings.ts';
import type { ConfigFacts } from './config-facts.ts';
import type { ExpertsFound } from './find-experts.ts';
import type { KeyTopic } from './key-vocabulary.ts';
import { lineageOf } from './lineages.ts';
import type { Notebook } from './notebook.ts';
import type { Evidence } from './proposal.ts';
import type { SourceFacts } from './source-facts.ts';
import { type ModuleGroup, type TensorModules, tensorEvidence } from './tensor-modules.ts';

type LayerGroup = ModuleGroup & { readonly rest: string };

export interface RouterFound {
  readonly spec: RouterSpec;
  readonly router: LayerGroup;
  readonly bias: LayerGroup | undefined;
}

export interface RouterSite {
  readonly modules: TensorModules;
  readonly config: ConfigFacts;
  readonly experts: ExpertsFound;
  readonly hidden: number;
  readonly notes: Notebook;
  readonly source: SourceFacts | undefined;
}

function inBlock({ modules, experts }: RouterSite): LayerGroup[] {
  const start = experts.block === '' ? '' : `${experts.block}.`;
  return modules.inLayers().filter(({ rest }) => rest.startsWith(start) && !rest.includes('#'));
}

/** The matrix of the block with a row an expert, and rows for experts that return their input after them. */
function findMatrix(site: RouterSite): { router: LayerGroup; identity: number; evidence: Evidence[] } | undefined {
  const { experts, hidden, config } = site;
  const extra = config.numbers('identityExperts').filter(({ value }) => value > 0);
  const candidates = inBlock(site).flatMap((router) => {
    const [rows = 0, columns = 0] = router.shape;
    if (router.shape.length !== 2 || columns !== hidden || experts.groups.includes(router)) return [];
    const more = extra.find(({ value }) => rows === experts.count + value);
    if (rows !== experts.count && more === undefined) return [];
    if (/shared/.test(router.rest) || [...router.layers].some((layer) => !experts.layers.has(layer))) return [];
    const named = /(?:^|\.)(?:gate|router|wg|classifier|gating)(?:\.|$)/.test(router.rest);
    const evidence = [tensorEvidence(router), ...(more === undefined ? [] : [config.evidence(more.name)])];
    return [{ router, identity: more?.value ?? 0, key: more?.name, evidence, rank: named ? 1 : 0 }];
  });
  return candidates.sort((a, b) => b.rank - a.rank)[0];
}

/** A vector with an entry an expert, in or beside the router: the bias that counts for the choice alone. */
function findBias(site: RouterSite, router: LayerGroup): LayerGroup | undefined {
  const rows = router.shape[0] ?? 0;
  const vectors = inBlock(site).filter(({ shape, rest, bare, layers }) => {
    if ([...layers].some((layer) => !site.experts.layers.has(layer))) return false;
    const entries = shape.length === 1 || (shape.length === 2 && shape[0] === 1) ? (shape.at(-1) ?? 0) : -1;
    return entries === rows && (bare || /bias/.test(rest));
  });
  return vectors.find(({ rest }) => /bias/.test(rest));
}

/** A number of config.json under a topic's keys, or `fallback`, noted. */
export function settingOf(
  site: Pick<RouterSite, 'config' | 'notes'>,
  field: string,
  topic: KeyTopic,
  fallback: number,
  habit: string,
): NumberSetting {
  const [name] = site.config.present(topic);
  if (name === undefined) return site.notes.guess(field, fixed(fallback), habit);
  return site.notes.note(field, { key: [name], fallback }, 'certain', site.config.evidence(name));
}

function findScoring(site: RouterSite, bias: LayerGroup | undefined): RouterSpec['scoring'] {
  const { config, notes, source } = site;
  const field = 'router.scoring';
  const all = ['softmax', 'sigmoid', 'sparsemixer'];
  const [key] = config.present('scoring');
  const stated = key === undefined ? undefined : String(config.value(key));
  if (key !== undefined && (stated === 'softmax' || stated === 'sigmoid')) {
    const value = notes.note<RouterSpec['scoring']>(field, stated, 'certain', config.evidence(key));
    if (source?.scoring !== undefined) notes.support(field, source.scoring.evidence);
    return value;
  }
  if (source?.scoring !== undefined) return notes.note(field, source.scoring.value, 'certain', source.scoring.evidence);
  const lineage = lineageOf(config, field);
  if (lineage !== undefined) return notes.note(field, lineage.value, 'uncertain', lineage.evidence, all);
  if (bias !== undefined) {
    return notes.guess(field, 'sigmoid', 'a bias for the choice mostly goes with sigmoid scores', all);
  }
  const [renormalise] = config.present('renormalise');
  if (renormalise !== undefined) {
    const habit: Evidence = { kind: 'rule', text: 'without a bias for the choice this key goes with softmax scores' };
    return notes.note(field, 'softmax', 'likely', [config.evidence(renormalise), habit], all);
  }
  return notes.guess(field, 'softmax', 'neither config.json nor a tensor tells; softmax is the commonest', all);
}

function findGroups(site: RouterSite, scoring: RouterSpec['scoring']): RouterSpec['groups'] {
  const { config, notes } = site;
  const [count] = config.present('groups');
  const [chosen] = config.present('groupsChosen');
  if (count === undefined || chosen === undefined) {
    return notes.note('router.groups', null, 'likely', {
      kind: 'config',
      text: 'config.json has no groups of experts',
    });
  }
  notes.note('router.groups', null, 'certain', [config.evidence(count), config.evidence(chosen)]);
  const one = (name: string): ConfigKey => [name];
  const [method] = config.present('groupMethod');
  const limited = method !== undefined && /^(?:greedy|group_limited_greedy)$/.test(String(config.value(method)));
  const score = scoring === 'softmax' ? ('maximum' as const) : ('two-largest' as const);
  const trivial = config.number(count) === 1;
  const habit: Evidence = {
    kind: 'rule',
    text: trivial
      ? 'one group only: this does not count'
      : scoring === 'softmax'
        ? 'groups of softmax scores are ranked by their best expert'
        : 'groups of sigmoid scores are ranked by their two best experts',
  };
  return {
    count: notes.note('router.groups.count', { key: one(count), fallback: 1 }, 'certain', config.evidence(count)),
    chosen: notes.note('router.groups.chosen', { key: one(chosen), fallback: 1 }, 'certain', config.evidence(chosen)),
    score: notes.note('router.groups.score', score, trivial ? 'likely' : 'uncertain', habit, [
      'maximum',
      'two-largest',
    ]),
    when: notes.note(
      'router.groups.when',
      limited ? { key: one(method), equals: 'group_limited_greedy' } : null,
      'likely',
      method === undefined ? { kind: 'rule', text: 'no key switches the groups' } : config.evidence(method),
    ),
  };
}

function findRenormalise(site: RouterSite): Flag {
  const { config, notes, source } = site;
  const field = 'router.renormalise';
  const [key] = config.present('renormalise');
  if (key !== undefined) {
    const flag: Flag = { key: [key], fallback: true };
    const unread: Evidence = { kind: 'rule', text: 'some families have the key and do not read it (DeepSeek-V2)' };
    return notes.note(field, flag, 'likely', [config.evidence(key), unread]);
  }
  if (source?.renormalise !== undefined) {
    return notes.note(field, source.renormalise.value, 'certain', source.renormalise.evidence);
  }
  const lineage = lineageOf(config, field);
  if (lineage !== undefined) return notes.note(field, lineage.value, 'uncertain', lineage.evidence, [true, false]);
  return notes.guess(field, true, 'no key tells; gates that sum to one are the commonest', [true, false]);
}

function findSum(site: RouterSite, scoring: RouterSpec['scoring']): Pick<RouterSpec, 'sumEpsilon' | 'sumFloor'> {
  const { config, notes, source } = site;
  const field = 'router.sumEpsilon';
  const floor = settingOf(
    site,
    'router.sumFloor',
    'sumFloor',
    0,
    'no key sets a least sum; source alone would show one',
  );
  if (source?.sumEpsilon !== undefined) {
    return {
      sumEpsilon: notes.note(field, source.sumEpsilon.value, 'certain', source.sumEpsilon.evidence),
      sumFloor: floor,
    };
  }
  const lineage = lineageOf(config, field);
  if (lineage !== undefined) {
    return { sumEpsilon: notes.note(field, lineage.value, 'uncertain', lineage.evidence), sumFloor: floor };
  }
  const grouped = scoring === 'sigmoid' && config.present('groups').length > 0;
  const why = grouped ? 'routers with groups of sigmoid scores add 1e-20' : 'only source can show it; most add nothing';
  return { sumEpsilon: notes.guess(field, grouped ? 1e-20 : 0, why, [0, 1e-20, 1e-6]), sumFloor: floor };
}

function findBiasFlag(site: RouterSite, router: LayerGroup, bias: LayerGroup | undefined): Flag {
  const { config, notes, source } = site;
  const [key] = config.present('correctionBias');
  const said = [
    ...(bias === undefined ? [] : [tensorEvidence(bias)]),
    ...(key === undefined ? [] : [config.evidence(key)]),
    ...(source?.correctionBias === undefined ? [] : [source.correctionBias.evidence]),
  ];
  const flag: Flag =
    key !== undefined && config.reader.flag({ key: [key], fallback: false }) === (bias !== undefined)
      ? { key: [key], fallback: bias !== undefined }
      : bias !== undefined;
  const none: Evidence = { kind: 'tensor', text: 'no vector with an entry an expert lies in the block' };
  notes.note('router.correctionBias', flag, 'certain', said.length > 0 ? said : none);
  if (router.parts.has('bias') && source?.correctionBias === undefined) {
    const doubt: Evidence = {
      kind: 'rule',
      text: "the router's own bias is taken as part of the logits; it may count for the choice alone",
    };
    notes.doubt('router.correctionBias', 'uncertain', doubt);
  }
  return flag;
}

/** The threshold of sparsemixer. No other router has one, but which router it is may be a guess. */
function findJitter({ config, notes }: RouterSite, scoring: RouterSpec['scoring']): NumberSetting {
  const field = 'router.jitter';
  const [key] = config.present('jitter');
  const sure = notes.covering('router.scoring')?.confidence !== 'uncertain';
  if (key === undefined || (sure && scoring !== 'sparsemixer')) {
    return notes.note(field, fixed(0), 'certain', {
      kind: 'rule',
      text: 'no threshold: only sparsemixer has one, by a key',
    });
  }
  const setting: NumberSetting = { key: [key], fallback: 0.01 };
  const value = scoring === 'sparsemixer' ? setting : fixed(0);
  const why: Evidence = { kind: 'rule', text: 'the threshold of sparsemixer; other routers do not read it' };
  return notes.note(field, value, sure ? 'certain' : 'uncertain', [config.evidence(key), why], [setting, fixed(0)]);
}

/** The router and its rules; undefined when no matrix of the block has a row an expert. */
export function findRouter(site: RouterSite): RouterFound | undefined {
  const matrix = findMatrix(site);
  if (matrix === undefined) return undefined;
  const { config, notes } = site;
  const { router, identity } = matrix;
  const bias = findBias(site, router);
  const scoring = findScoring(site, bias);
  const gateOn = lineageOf(config, 'router.gateOn');
  const spec: RouterSpec = {
    scoring,
    correctionBias: findBiasFlag(site, router, bias),
    groups: findGroups(site, scoring),
    renormalise: findRenormalise(site),
    ...findSum(site, scoring),
    scale: settingOf(site, 'router.scale', 'scale', 1, 'no key scales the gates'),
    gateOn:
      gateOn === undefined
        ? notes.guess('router.gateOn', 'output', 'the gate nearly always multiplies the output', ['output', 'input'])
        : notes.note('router.gateOn', gateOn.value, 'uncertain', gateOn.evidence, ['output', 'input']),
    identityExperts: notes.note(
      'router.identityExperts',
      identity === 0 ? fixed(0) : { key: [config.present('identityExperts')[0] ?? 'zero_expert_num'], fallback: 0 },
      'certain',
      matrix.evidence,
    ),
    jitter: findJitter(site, scoring),
  };
  return { spec, router, bias };
}
