import type { Architecture } from '../architectures/descriptor.ts';
import type { GatedDeltaNet, MixerSpec, SelectiveScan, ShortConvolution } from '../architectures/mixers.ts';
import { fixed, type LayerRule } from '../architectures/settings.ts';
import { groupedQueryOf, latentOf } from './find-attention.ts';
import { layerRanges, mixerLayerRule } from './layer-rule.ts';
import { type MixerSite, plainKey, shownFlag } from './mixer-site.ts';
import type { MixerModules } from './part-names.ts';
import { tensorEvidence } from './tensor-modules.ts';

function kindNote<Kind extends MixerSpec['kind']>(
  { notes, field }: MixerSite,
  kind: Kind,
  { parts }: MixerModules,
): Kind {
  return notes.note(`${field}.kind`, kind, 'certain', [...parts.values()].slice(0, 3).map(tensorEvidence));
}

function deltaNetOf(site: MixerSite, mixer: MixerModules): GatedDeltaNet {
  const { parts } = mixer;
  const convolution = parts.get('delta-convolution');
  const decay = parts.get('delta-decay');
  const joint = parts.has('delta-qkvz');
  return {
    kind: kindNote(site, 'gated-delta-net', mixer),
    keyHeads: plainKey(site, 'keyHeads', 'deltaKeyHeads'),
    valueHeads: plainKey(
      site,
      'valueHeads',
      'deltaValueHeads',
      (heads) => decay?.shape[0] === heads,
      decay && tensorEvidence(decay),
    ),
    keyDim: plainKey(site, 'keyDim', 'deltaKeyDim'),
    valueDim: plainKey(site, 'valueDim', 'deltaValueDim'),
    kernel: plainKey(
      site,
      'kernel',
      'deltaKernel',
      (size) => convolution?.shape.at(-1) === size,
      convolution && tensorEvidence(convolution),
    ),
    projections: site.notes.note(`${site.field}.projections`, joint ? 'joint' : 'separate', 'certain', {
      kind: 'tensor',
      text: joint ? 'in_proj_qkvz and in_proj_ba' : 'in_proj_qkv, _z, _b and _a',
    }),
  };
}

function convolutionOf(site: MixerSite, mixer: MixerModules): ShortConvolution {
  const convolution = mixer.parts.get('convolution');
  return {
    kind: kindNote(site, 'short-convolution', mixer),
    kernel: plainKey(
      site,
      'kernel',
      'convolutionKernel',
      (size) => convolution?.shape.at(-1) === size,
      convolution && tensorEvidence(convolution),
    ),
    bias: shownFlag(site, 'bias', 'convolutionBias', convolution?.parts.has('bias') === true, convolution),
  };
}

function scanOf(site: MixerSite, mixer: MixerModules): SelectiveScan {
  const { parts } = mixer;
  const decay = parts.get('scan-decay');
  const convolution = parts.get('scan-convolution');
  const [step] = site.config.present('scanLeastStep');
  const leastStep = step === undefined ? fixed(0) : { key: [step] as const, fallback: 0 };
  return {
    kind: kindNote(site, 'selective-scan', mixer),
    heads: plainKey(site, 'heads', 'scanHeads', (heads) => decay?.shape[0] === heads, decay && tensorEvidence(decay)),
    headDim: plainKey(site, 'headDim', 'scanHeadDim'),
    groups: plainKey(site, 'groups', 'scanGroups'),
    state: plainKey(site, 'state', 'scanState'),
    kernel: plainKey(
      site,
      'kernel',
      'scanKernel',
      (size) => convolution?.shape.at(-1) === size,
      convolution && tensorEvidence(convolution),
    ),
    convolutionBias: shownFlag(
      site,
      'convolutionBias',
      'scanConvolutionBias',
      convolution?.parts.has('bias') === true,
      convolution,
    ),
    projectionBias: shownFlag(
      site,
      'projectionBias',
      'scanProjectionBias',
      parts.get('scan-in')?.parts.has('bias') === true,
      parts.get('scan-in'),
    ),
    leastStep: site.notes.note(
      `${site.field}.leastStep`,
      leastStep,
      'uncertain',
      step === undefined ? { kind: 'rule', text: 'no key sets a least step' } : site.config.evidence(step),
      [fixed(0)],
    ),
  };
}

function specOf(site: MixerSite, mixer: MixerModules): MixerSpec {
  switch (mixer.kind) {
    case 'grouped-query':
      return groupedQueryOf(site, mixer);
    case 'latent':
      return latentOf(site, mixer);
    case 'gated-delta-net':
      return deltaNetOf(site, mixer);
    case 'short-convolution':
      return convolutionOf(site, mixer);
    case 'selective-scan':
      return scanOf(site, mixer);
  }
}

/**
 * The mixers with the layers of each: those that config.json has a rule for first, and the one without a rule last, for
 * all layers that are left.
 */
export function findMixers(
  site: Omit<MixerSite, 'field' | 'besideScan'>,
  mixers: readonly MixerModules[],
  layers: number,
): Architecture['mixers'] {
  const besideScan = mixers.some(({ kind }) => kind === 'selective-scan');
  const ruled = mixers.map((mixer) => ({
    mixer,
    found: mixerLayerRule(site.config, new Set([...mixer.layers].filter((layer) => layer < layers)), layers),
  }));
  const ordered = [
    ...ruled.filter(({ found }) => found !== undefined),
    ...ruled.filter(({ found }) => found === undefined),
  ];
  const all = new Set(mixers.flatMap((mixer) => [...mixer.layers].filter((layer) => layer < layers)));
  return ordered.map(({ mixer, found }, index) => {
    const { notes } = site;
    const covers = all.size === layers && ordered.filter((one) => one.found === undefined).length === 1;
    const seen = { kind: 'tensor', text: `layers ${layerRanges(mixer.layers)}` } as const;
    const rest = {
      kind: 'rule',
      text: covers ? 'all layers that are left' : 'no key of config.json gives these layers',
    } as const;
    const rule: LayerRule = notes.note(
      `mixers.${index}.layers`,
      found?.rule ?? {},
      found?.confidence ?? (covers ? 'certain' : 'uncertain'),
      found?.evidence ?? [seen, rest],
    );
    return { layers: rule, mixer: specOf({ ...site, besideScan, field: `mixers.${index}.mixer` }, mixer) };
  });
}
