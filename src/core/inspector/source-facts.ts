import type { Evidence } from './proposal.ts';
import { type PythonClass, readPython } from './python-source.ts';

/** A product `act(self.gate(x)) * self.up(x)`, and `self.down(…)` around or after it. */
export interface ProductFound {
  readonly gate: string;
  readonly up: string;
  readonly down: string | undefined;
  readonly evidence: Evidence;
}

export interface ValueFound<T> {
  readonly value: T;
  readonly evidence: Evidence;
}

/** What the modelling source says, each with the line that says it; undefined where it is silent or contradicts itself. */
export interface SourceFacts {
  readonly classes: { readonly block?: string; readonly experts?: string; readonly mlp?: string };
  readonly products: readonly ProductFound[];
  readonly scoring: ValueFound<'softmax' | 'sigmoid'> | undefined;
  readonly renormalise: ValueFound<boolean> | undefined;
  readonly sumEpsilon: ValueFound<number> | undefined;
  readonly rotary: ValueFound<'halves' | 'interleaved'> | undefined;
  readonly norm: ValueFound<'rms' | 'rms-plus-one'> | undefined;
  readonly interleavedExperts: ValueFound<boolean> | undefined;
  /** Lines that make a buffer or parameter for the choice of experts, with the class that holds it. */
  readonly correctionBias: ValueFound<{ readonly name: string; readonly owner: string }> | undefined;
}

interface Place {
  readonly file: string;
  readonly line: number;
  readonly text: string;
}

function quote({ file, line, text }: Place): Evidence {
  const shown = text.length > 160 ? `${text.slice(0, 157)}…` : text;
  return { kind: 'source', text: `${file}:${line}: ${shown}` };
}

interface ReadClass extends PythonClass {
  readonly file: string;
}

const ROUTER = /MoE|Moe|MOE|Router|Gate|TopK/;

/** Runs of letters, digits and dots that a call may take its projection from: `self.w1`, `expert.gate_proj`. */
const PRODUCT = /\b\w*act\w*\(\s*self\.(\w+)\([^()]*\)\s*\)\s*\*\s*self\.(\w+)\(/;
const FUNCTIONAL = /(?:F|functional)\.(?:silu|gelu|relu)\(\s*self\.(\w+)\([^()]*\)\s*\)\s*\*\s*self\.(\w+)\(/;

function productsOf(classes: readonly ReadClass[]): ProductFound[] {
  return classes.flatMap(({ file, statements }) => {
    const found: ProductFound[] = [];
    for (const [at, { line, text }] of statements.entries()) {
      const match = PRODUCT.exec(text) ?? FUNCTIONAL.exec(text);
      const [, gate, up] = match ?? [];
      if (match === null || gate === undefined || up === undefined) continue;
      const after = [text.slice(0, match.index), ...statements.slice(at + 1, at + 4).map((one) => one.text)].join('\n');
      const down = [...after.matchAll(/self\.(\w+)\(/g)]
        .map(([, name]) => name)
        .find((name) => name !== gate && name !== up);
      found.push({ gate, up, down, evidence: quote({ file, line, text }) });
    }
    return found;
  });
}

/** The one value that all matching lines agree on. */
function agreed<T>(found: readonly ValueFound<T>[]): ValueFound<T> | undefined {
  const [first] = found;
  return first !== undefined && found.every(({ value }) => value === first.value) ? first : undefined;
}

function matching<T>(classes: readonly ReadClass[], test: (text: string) => T | undefined): ValueFound<T>[] {
  return classes.flatMap(({ file, statements }) =>
    statements.flatMap(({ line, text }) => {
      const value = test(text);
      return value === undefined ? [] : [{ value, evidence: quote({ file, line, text }) }];
    }),
  );
}

const SUM_EPSILON = /\.sum\([^()]*\)\s*\+\s*(\d+(?:\.\d+)?(?:e-?\d+)?)/;

function renormalises(text: string): boolean | undefined {
  if (/\/=?\s*\(?\s*\w+\.sum\(/.test(text)) return true;
  return undefined;
}

function correctionBiasOf(classes: readonly ReadClass[]): SourceFacts['correctionBias'] {
  for (const { file, name: owner, statements } of classes) {
    for (const { line, text } of statements) {
      const match =
        /register_buffer\(\s*["'](\w*(?:correction_bias|expert_bias|routing_bias)\w*)["']/.exec(text) ??
        /self\.(\w*(?:correction_bias|expert_bias|routing_bias)\w*)\s*=\s*nn\.Parameter\(/.exec(text);
      const name = match?.[1];
      if (name !== undefined) return { value: { name, owner }, evidence: quote({ file, line, text }) };
    }
  }
  return undefined;
}

/** The class that makes both a router and experts, the one of a list of experts, and the one of a single MLP. */
function classNames(classes: readonly ReadClass[]): SourceFacts['classes'] {
  const has = (one: ReadClass, pattern: RegExp): boolean => one.statements.some(({ text }) => pattern.test(text));
  const block = classes.find(
    (one) =>
      /MoE|Moe|MOE/.test(one.name) && has(one, /self\.experts\s*=/) && has(one, /self\.(?:gate|router|wg)\w*\s*=/),
  );
  const experts = classes.find(({ name }) => /Experts$/.test(name));
  const mlp =
    classes.find((one) => /MLP|Expert$/.test(one.name) && has(one, /nn\.Linear\(/)) ??
    classes.find((one) => has(one, PRODUCT) || has(one, FUNCTIONAL));
  return {
    ...(block === undefined ? {} : { block: block.name }),
    ...(experts === undefined ? {} : { experts: experts.name }),
    ...(mlp === undefined ? {} : { mlp: mlp.name }),
  };
}

/**
 * Reads modelling files as text for what config.json and tensors cannot show. Nothing of them is run.
 * @param sources File name → text.
 */
export function readSourceFacts(sources: ReadonlyMap<string, string>): SourceFacts {
  const classes = [...sources].flatMap(([file, text]) => readPython(text).map((one): ReadClass => ({ ...one, file })));
  const routing = classes.filter(
    ({ name, statements }) => ROUTER.test(name) && statements.some(({ text }) => /topk|top_k/.test(text)),
  );
  const scoring = matching(routing, (text) => {
    const softmax = /softmax\(/.test(text);
    const sigmoid = /sigmoid\(/.test(text) && !/shared/.test(text);
    return softmax === sigmoid ? undefined : softmax ? ('softmax' as const) : ('sigmoid' as const);
  });
  const rotaryClasses = classes.filter(({ statements }) =>
    statements.some(({ text }) => /rotate|rotary|rope/i.test(text)),
  );
  return {
    classes: classNames(classes),
    products: productsOf(classes),
    scoring: agreed(scoring),
    renormalise: agreed(matching(routing, renormalises)),
    sumEpsilon: agreed(
      matching(routing, (text) => {
        const epsilon = SUM_EPSILON.exec(text)?.[1];
        return epsilon === undefined ? undefined : Number(epsilon);
      }),
    ),
    rotary: agreed(
      matching(rotaryClasses, (text) => {
        if (/\[\.\.\.,\s*(?:0)?::2\]/.test(text)) return 'interleaved' as const;
        return /\[\.\.\.,\s*:\s*\w+\.shape\[-1\]\s*\/\/\s*2\]/.test(text) ? ('halves' as const) : undefined;
      }),
    ),
    norm: agreed(
      matching(classes, (text) => {
        if (/\(\s*1(?:\.0)?\s*\+\s*self\.weight/.test(text)) return 'rms-plus-one' as const;
        return /self\.weight\s*\*/.test(text) ? ('rms' as const) : undefined;
      }),
    ),
    interleavedExperts: agreed(
      matching(classes, (text) => {
        if (/gate_up\[\.\.\.,\s*(?:0)?::2\]/.test(text)) return true;
        return /gate_up\w*\.chunk\(2/.test(text) || /\.chunk\(2,\s*dim=-1\)/.test(text) ? false : undefined;
      }),
    ),
    correctionBias: correctionBiasOf(classes),
  };
}
