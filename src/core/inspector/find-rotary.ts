import type { RotarySpec } from '../architectures/mixers.ts';
import { fixed, type NumberSetting } from '../architectures/settings.ts';
import { lineageOf } from './lineages.ts';
import type { MixerSite } from './mixer-site.ts';
import type { Evidence } from './proposal.ts';

/** A base of their own for layers with a window, which no descriptor can say. */
const LOCAL_BASES = ['rope_local_base_freq', 'local_rope_theta', 'swa_rope_theta'] as const;

function theta(site: MixerSite): NumberSetting {
  const [key] = site.config.present('theta');
  const field = `${site.field}.rotary.theta`;
  if (key === undefined)
    return site.notes.guess(field, fixed(10_000), 'config.json has no base of the rotation; 10,000 is the habit');
  const local = LOCAL_BASES.find((name) => site.config.value(name) !== undefined);
  const said = [key, local].filter((name) => name !== undefined).map((name) => site.config.evidence(name));
  const confidence = local === undefined ? 'certain' : 'uncertain';
  return site.notes.note(field, { key: [key] as const, fallback: 10_000 }, confidence, said);
}

function rotaryPart(site: MixerSite): RotarySpec['part'] {
  const { config, notes } = site;
  const [fraction] = config.present('rotaryFraction');
  const [dimensions] = config.present('rotaryDimensions');
  const said = [fraction, dimensions].filter((name) => name !== undefined).map((name) => config.evidence(name));
  const whole: Evidence = {
    kind: 'config',
    text: 'no key limits the rotation; code may turn only a part of each head',
  };
  return notes.note(
    `${site.field}.rotary.part`,
    {
      fraction: fraction === undefined ? fixed(1) : { key: [fraction], fallback: 1 },
      dimensions: dimensions === undefined ? null : [dimensions],
    },
    said.length > 0 ? 'certain' : 'uncertain',
    said.length > 0 ? said : whole,
  );
}

function rotaryStyle(site: MixerSite, habit: RotarySpec['style'], why: string): RotarySpec['style'] {
  const { config, notes, source } = site;
  const field = `${site.field}.rotary.style`;
  const both = ['halves', 'interleaved'];
  if (source?.rotary !== undefined)
    return notes.note(field, source.rotary.value, 'likely', source.rotary.evidence, both);
  const lineage = lineageOf(config, 'rotary.style');
  if (lineage !== undefined) return notes.note(field, lineage.value, 'uncertain', lineage.evidence, both);
  const reason = site.besideScan ? `${why}; attention beside Mamba layers is known without any rotation too` : why;
  return notes.guess(field, habit, reason, both);
}

/** Whether config.json names some layers' attention by a window: code may then turn only those. */
function mixedWindows({ config }: MixerSite): boolean {
  const kinds = config.reader.list(['layer_types']) ?? [];
  return kinds.includes('sliding_attention') && kinds.includes('full_attention');
}

/** The rotation of a head's queries and keys; null where config.json speaks of none. */
export function findRotary(site: MixerSite): RotarySpec | null {
  const { config, notes } = site;
  const spoken = [
    ...config.present('theta'),
    ...['rope_parameters', 'rope_scaling'].filter((name) => config.has(name)),
  ];
  if (spoken.length === 0) {
    return notes.guess(
      `${site.field}.rotary`,
      null,
      'config.json has no key of a rotation: positions may be unknown to it',
    );
  }
  const [list] = config.present('withoutRotation');
  const [interval] = config.present('withoutRotationInterval');
  const without =
    list === undefined
      ? null
      : {
          key: [list] as const,
          interval: interval === undefined ? fixed(0) : { key: [interval] as const, fallback: 4 },
        };
  return {
    theta: theta(site),
    part: rotaryPart(site),
    style: rotaryStyle(site, 'halves', 'component against component half a head on is the commonest'),
    without: notes.note(
      `${site.field}.rotary.without`,
      without,
      list !== undefined ? 'certain' : mixedWindows(site) ? 'uncertain' : 'likely',
      list === undefined ? { kind: 'config', text: 'no key names layers without rotation' } : config.evidence(list),
    ),
  };
}

/** The rotation of latent attention's rotary part. */
export function latentRotary(site: MixerSite): RotarySpec {
  return {
    theta: theta(site),
    part: rotaryPart(site),
    style: rotaryStyle(site, 'interleaved', 'latent attention is known with neighbours turning against each other'),
    without: site.notes.note(`${site.field}.rotary.without`, null, 'likely', {
      kind: 'rule',
      text: 'every layer of latent attention turns',
    }),
  };
}
