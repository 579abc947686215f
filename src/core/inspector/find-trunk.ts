import type { Architecture, NextTokenSpec } from '../architectures/descriptor.ts';
import type { Flag } from '../architectures/settings.ts';
import type { PartName } from '../architectures/tensor-parts.ts';
import type { ConfigFacts } from './config-facts.ts';
import { KEYS } from './key-vocabulary.ts';
import type { Notebook } from './notebook.ts';
import type { Evidence } from './proposal.ts';
import type { SourceFacts } from './source-facts.ts';
import { type ModuleGroup, type TensorModules, tensorEvidence } from './tensor-modules.ts';

export interface TrunkSite {
  readonly modules: TensorModules;
  readonly config: ConfigFacts;
  readonly hidden: number;
  readonly layers: number;
  readonly notes: Notebook;
  readonly source: SourceFacts | undefined;
  /** Paths that other parts of the inspector account for. */
  readonly taken: ReadonlySet<string>;
  /** Whether a mixer of the kind Mamba or gated DeltaNet is there. */
  readonly recurrent: 'delta' | 'scan' | undefined;
}

export interface TrunkFound {
  readonly parts: ReadonlyMap<PartName, ModuleGroup>;
  readonly norm: Architecture['norm'];
  readonly tied: Flag;
}

const FIRST_NORM = /^(?:input_layernorm|operator_norm|attention_norm|attn_norm|ln_1|norm1|pre_norm|norm)(?:\.#)?$/;
const SECOND_NORM =
  /^(?:post_attention_layernorm|ffn_norm|mlp_norm|ln_2|norm2|post_attention_norm|pre_mlp_norm)(?:\.#)?$/;

/** Embedding, final norm, head, and the two norms of a layer. */
function findParts({ modules, hidden, taken }: TrunkSite): Map<PartName, ModuleGroup> {
  const parts = new Map<PartName, ModuleGroup>();
  const put = (part: PartName, group: ModuleGroup | undefined): void => {
    if (group !== undefined) parts.set(part, group);
  };
  const outside = modules.groups.filter(
    ({ rest, path }) => rest === undefined && !path.includes('#') && !taken.has(path),
  );
  const tables = outside.filter(({ shape }) => shape.length === 2 && shape[1] === hidden);
  const inTrunk = (path: string): boolean => path.startsWith(modules.trunk === '' ? '' : `${modules.trunk}.`);
  put(
    'embedding',
    tables.find(({ path }) => inTrunk(path) && /(?:embed\w*|wte|tok_embeddings)$/.test(path)),
  );
  put(
    'head',
    tables.find(({ path }) => /(?:^|\.)(?:lm_head|output|embed_out|head)$/.test(path)),
  );
  put(
    'final-norm',
    outside.find(
      ({ path, shape }) => inTrunk(path) && shape.length === 1 && shape[0] === hidden && /norm|ln_f/.test(path),
    ),
  );
  const norms = modules
    .inLayers()
    .filter(
      ({ shape, path, rest }) => shape.length === 1 && shape[0] === hidden && !taken.has(path) && !/\.[^#]/.test(rest),
    );
  put(
    'input-norm',
    norms.find(({ rest }) => FIRST_NORM.test(rest)),
  );
  put(
    'post-attention-norm',
    norms.find(({ rest }) => SECOND_NORM.test(rest)),
  );
  return parts;
}

function findNorm({ notes, source, recurrent }: TrunkSite, norm: ModuleGroup | undefined): Architecture['norm'] {
  if (norm?.parts.has('bias') === true) {
    return notes.note('norm', 'layer', 'certain', { kind: 'tensor', text: `${norm.path} has a bias: LayerNorm` });
  }
  const all = ['rms', 'rms-plus-one'];
  if (source?.norm !== undefined) return notes.note('norm', source.norm.value, 'certain', source.norm.evidence);
  if (recurrent === 'delta') {
    return notes.guess('norm', 'rms-plus-one', 'models with gated DeltaNet are known with scales of 1 + w', all);
  }
  return notes.guess(
    'norm',
    'rms',
    'a norm without bias is an RMS norm; whether its scale is w or 1 + w only source or values show',
    all,
  );
}

function findTied({ notes, config }: TrunkSite, head: ModuleGroup | undefined): Flag {
  const tied = head === undefined;
  const seen: Evidence = head === undefined ? { kind: 'tensor', text: 'no tensor of a head' } : tensorEvidence(head);
  const key = config.present('tied').find((name) => config.reader.flag({ key: [name], fallback: tied }) === tied);
  const flag: Flag = key === undefined ? tied : { key: [key], fallback: tied };
  return notes.note('tiedEmbeddings', flag, 'certain', key === undefined ? seen : [seen, config.evidence(key)]);
}

/** What stands before and after the layers, and each layer's norms. */
export function findTrunk(site: TrunkSite): TrunkFound {
  const parts = findParts(site);
  return {
    parts,
    norm: findNorm(site, parts.get('input-norm')),
    tied: findTied(site, parts.get('head')),
  };
}

export interface NextTokenFound {
  readonly spec: NextTokenSpec | null;
  /** Prefix of tensors that lie apart, e.g. `mtp.`. */
  readonly prefix: string | undefined;
}

/** Layers that predict further tokens: beyond the last layer, or under a prefix of their own. */
export function findNextToken({
  modules,
  config,
  layers,
  notes,
}: Omit<TrunkSite, 'recurrent' | 'taken'>): NextTokenFound {
  const [key] = config.present('nextTokenLayers');
  const beyond = modules.layerIndices().filter((layer) => layer >= layers);
  const apart = modules.groups.find(({ path }) => /^mtp\w*\./.test(path));
  const prefix = apart?.path.slice(0, apart.path.indexOf('.') + 1);
  const field = 'nextTokenLayers';
  if (key === undefined && beyond.length === 0 && prefix === undefined) {
    const spec = notes.note(field, null, 'certain', {
      kind: 'config',
      text: 'no key and no tensor of further-token layers',
    });
    return { spec, prefix };
  }
  const said: Evidence[] = key === undefined ? [] : [config.evidence(key)];
  if (beyond.length > 0)
    said.push({ kind: 'tensor', text: `layer ${beyond.join(', ')} lies beyond the ${layers} layers` });
  if (apart !== undefined) said.push(tensorEvidence(apart));
  const found = beyond.length > 0 || prefix !== undefined;
  if (!found) said.push({ kind: 'rule', text: 'no tensor shows where such layers would lie' });
  const count = [key ?? KEYS.nextTokenLayers[0]] as const;
  const place = prefix !== undefined && beyond.length === 0 ? { prefix } : ('after-last' as const);
  notes.note(`${field}.count`, count, key === undefined ? 'uncertain' : 'certain', said);
  notes.note(`${field}.place`, place, found ? 'certain' : 'uncertain', said);
  return { spec: { count, place }, prefix };
}

/** Names that no forward pass of the language model reads: rotary buffers and whole towers beside the trunk. */
export function findIgnored(
  { modules, notes }: Pick<TrunkSite, 'modules' | 'notes'>,
  known: ReadonlySet<string>,
): readonly string[] {
  const first = (path: string): string => path.split('.').slice(0, 2).join('.');
  const own = new Set(
    modules.groups.filter(({ path, rest }) => rest !== undefined || known.has(path)).map(({ path }) => first(path)),
  );
  const towers = new Map<string, ModuleGroup>();
  for (const group of modules.groups) {
    if (group.rest !== undefined || known.has(group.path) || /^mtp\w*\./.test(group.path)) continue;
    const place =
      /(?:visi|visual|audio|image|video|multi_modal|multimodal|mm_)/.exec(group.path) === null
        ? undefined
        : first(group.path);
    if (place === undefined || own.has(place)) continue;
    const [top = ''] = place.split('.');
    const whole = ![...own].some((path) => path.startsWith(`${top}.`)) ? `${top}.*` : `${place}.*`;
    towers.set(whole, group);
  }
  const globs = ['*.rotary_emb.inv_freq', ...towers.keys()];
  const seen: Evidence[] = [...towers.values()].map(tensorEvidence);
  return notes.note(
    'ignored',
    globs,
    towers.size > 0 ? 'likely' : 'certain',
    seen.length > 0 ? seen : { kind: 'tensor', text: 'every tensor lies in the language model' },
  );
}
