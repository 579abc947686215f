import type { Confidence, Evidence } from './proposal.ts';
import type { SourceFacts } from './source-facts.ts';

/** Names of an MLP's projections, by habit of the field: `down(act(gate x) · up x)`. */
const HABITS: readonly { readonly gate: string; readonly up: string; readonly down: string }[] = [
  { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' },
  { gate: 'w1', up: 'w3', down: 'w2' },
  { gate: 'gate', up: 'up', down: 'down' },
  { gate: 'wi_0', up: 'wi_1', down: 'wo' },
  { gate: 'linear', up: 'linear_v', down: 'linear_1' },
];

export interface Projections {
  readonly gate: string | null;
  readonly up: string;
  readonly down: string;
}

export interface ProjectionsFound {
  readonly names: Projections;
  readonly confidence: { readonly gate: Confidence; readonly up: Confidence; readonly down: Confidence };
  readonly evidence: {
    readonly gate: readonly Evidence[];
    readonly up: readonly Evidence[];
    readonly down: readonly Evidence[];
  };
  /** Inner width of the MLP. */
  readonly width: number;
}

/** Whether a module of this name could be a projection of an MLP. */
export function isProjectionName(name: string): boolean {
  return HABITS.some(({ gate, up, down }) => [gate, up, down].includes(name));
}

function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}

function isDown([rows, columns]: readonly number[], hidden: number): boolean {
  return rows === hidden && columns !== hidden;
}

function isInner([rows, columns]: readonly number[], hidden: number): boolean {
  return columns === hidden && rows !== hidden;
}

/**
 * Which of an MLP's modules is gate, up and down. Shapes tell down from the others where the width differs from the
 * hidden size; gate and up have the same shape, so names tell them apart, or a line of source such as
 * `act(self.a(x)) * self.b(x)`.
 * @param shapes Name of each module → its logical shape [out, in].
 */
export function findProjections(
  shapes: ReadonlyMap<string, readonly number[]>,
  hidden: number,
  source: SourceFacts | undefined,
): ProjectionsFound | undefined {
  const names = [...shapes.keys()];
  if (names.length < 2 || names.length > 3 || [...shapes.values()].some((shape) => shape.length !== 2))
    return undefined;
  const habit = HABITS.find((row) => names.every((name) => [row.gate, row.up, row.down].includes(name)));
  const byShape = names.filter((name) => isDown(shapes.get(name) ?? [], hidden));
  const inner = names.filter((name) => isInner(shapes.get(name) ?? [], hidden));
  const shaped = byShape.length === 1 && inner.length === names.length - 1 ? byShape[0] : undefined;
  const product = source?.products.find(({ gate, up }) => names.includes(gate) && names.includes(up));
  const down = shaped ?? product?.down ?? habit?.down;
  if (down === undefined || !names.includes(down)) return undefined;
  const others = names.filter((name) => name !== down).sort();
  const width = shapes.get(down)?.[1] ?? 0;

  const downEvidence: Evidence[] = [
    shaped === undefined
      ? {
          kind: 'rule',
          text: `${down} is the name of a down projection; shapes cannot tell, the width equals the hidden size`,
        }
      : { kind: 'tensor', text: `${down} is ${shapeText(shapes.get(down) ?? [])}, into the hidden size ${hidden}` },
    ...(product?.down === down ? [product.evidence] : []),
  ];
  const sure: Confidence = shaped !== undefined || product?.down === down ? 'certain' : 'likely';
  const [first, second] = others;
  if (second === undefined || first === undefined) {
    const only = first ?? down;
    const evidence: Evidence = { kind: 'tensor', text: `${down} and ${only} alone: no gate` };
    return {
      names: { gate: null, up: only, down },
      confidence: { gate: 'certain', up: sure, down: sure },
      evidence: { gate: [evidence], up: [evidence], down: downEvidence },
      width,
    };
  }
  const pair =
    product !== undefined && others.includes(product.gate) && others.includes(product.up)
      ? { gate: product.gate, up: product.up }
      : habit !== undefined && habit.down === down
        ? { gate: habit.gate, up: habit.up }
        : { gate: first, up: second };
  const fromSource = product !== undefined && pair.gate === product.gate;
  const confidence: Confidence = fromSource
    ? 'certain'
    : habit !== undefined && habit.down === down
      ? 'likely'
      : 'uncertain';
  const told = (role: 'gate' | 'up', name: string): Evidence[] => [
    { kind: 'tensor', text: `${name} is ${shapeText(shapes.get(name) ?? [])}, from the hidden size ${hidden}` },
    fromSource
      ? product.evidence
      : {
          kind: 'rule',
          text:
            confidence === 'likely'
              ? `among ${others.join(' and ')}, ${name} is the ${role} projection by the names' habit`
              : `nothing tells gate from up among ${others.join(' and ')}`,
        },
  ];
  return {
    names: { ...pair, down },
    confidence: { gate: confidence, up: confidence, down: sure },
    evidence: { gate: told('gate', pair.gate), up: told('up', pair.up), down: downEvidence },
    width,
  };
}
