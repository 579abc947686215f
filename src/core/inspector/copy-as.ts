import type { Architecture } from '../architectures/descriptor.ts';
import { StudioError } from '../base/errors.ts';
import type { MoeBlock } from './proposal.ts';

/** Python texts for whoever adds the model to the reference implementation of REAP by hand. */
export interface ReferenceTexts {
  /** Entry of the dictionary `MODEL_ATTRS` in the reference's `model_util.py`. */
  readonly modelAttributes: string;
  /** Subclass of `MoETransformerObserverConfig` in its `observer.py`, and the entry of `OBSERVER_CONFIG_REGISTRY`. */
  readonly observerConfig: string;
}

/** `{a|b}` in its first spelling; places as they are. */
function firstSpelling(pattern: string): string {
  return pattern.replaceAll(/\{([^{}|]*)\|[^{}]*\}/g, '$1');
}

/** What follows the layer in a pattern. */
function inLayer(pattern: string): string {
  const text = firstSpelling(pattern);
  const at = text.indexOf('{layer}.');
  return at < 0 ? text : text.slice(at + '{layer}.'.length);
}

function lastOf(path: string): string {
  return path.slice(path.lastIndexOf('.') + 1);
}

function python(value: string | boolean): string {
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : `"${value}"`;
}

interface BlockNames {
  readonly block: string;
  readonly router: string;
  readonly experts: string;
  readonly fused: boolean;
  readonly gate: string;
  readonly up: string;
  readonly down: string;
}

/** Longest path of modules that both lie under. */
function commonPath(a: string, b: string): string {
  const left = a.split('.');
  const right = b.split('.');
  const differs = left.findIndex((part, index) => part !== right[index]);
  return left.slice(0, differs < 0 ? left.length : differs).join('.');
}

/** @throws StudioError family `checkpoint` code `incomplete-descriptor` when it names no router or no experts. */
function blockNames({ experts, tensors, id }: Architecture): BlockNames {
  const router = tensors.router === undefined ? undefined : inLayer(tensors.router);
  const names =
    experts.perExpert ??
    (experts.fused === null
      ? undefined
      : { gate: experts.fused.gateUp, up: experts.fused.gateUp, down: experts.fused.down });
  if (router === undefined || names === undefined) {
    throw new StudioError(
      'checkpoint',
      'incomplete-descriptor',
      `The descriptor "${id}" names no router or no experts.`,
      {
        nextStep: 'Fill in the lines "tensors.router" and "experts" first.',
        details: { descriptor: id },
      },
    );
  }
  const container = inLayer(names.down).replace(/\.(?:\{expert\}\.)?[^.]+$/, '');
  const block = commonPath(router, container);
  const within = (path: string): string => (block === '' ? path : path.slice(block.length + 1));
  return {
    block,
    router: within(router),
    experts: within(container),
    fused: experts.perExpert === null,
    gate: lastOf(inLayer(names.gate ?? names.up)),
    up: lastOf(inLayer(names.up)),
    down: lastOf(inLayer(names.down)),
  };
}

function attributes({ className, config }: Architecture, names: BlockNames): string {
  const entries: readonly (readonly [string, string | boolean])[] = [
    ['moe_block', names.block],
    ['gate_proj', names.gate],
    ['up_proj', names.up],
    ['down_proj', names.down],
    ['experts', names.experts],
    ['fused', names.fused],
    ['router', names.router],
    ['num_experts', config.experts[0]],
    ['num_experts_per_tok', config.topK[0]],
  ];
  const remark = (key: string, value: string | boolean): string =>
    key === 'experts' && value === '' ? '  # the block holds the tensors of its experts itself' : '';
  const lines = entries.map(([key, value]) => `    ${python(key)}: ${python(value)},${remark(key, value)}\n`);
  return `${python(className)}: {\n${lines.join('')}},\n`;
}

/**
 * The entries of the reference implementation for a model, as Python text in its own spelling. The reference's observer
 * finds blocks by their class, which no tensor names: it is taken from the modelling source where there was one, and
 * otherwise made from the model's class, with a remark.
 * @throws StudioError family `checkpoint` code `incomplete-descriptor`.
 */
export function referenceTexts(architecture: Architecture, classes: MoeBlock['classes'] = {}): ReferenceTexts {
  const names = blockNames(architecture);
  const { className, config } = architecture;
  const stem = className.replace(/For(?:CausalLM|ConditionalGeneration)$/, '');
  const block = classes.block ?? `${stem}SparseMoeBlock`;
  const remark = classes.block === undefined ? '  # not in the files: check the class of the block' : '';
  const observer = `${stem}ObserverHookConfig`;
  return {
    modelAttributes: attributes(architecture, names),
    observerConfig: [
      '@dataclass',
      `class ${observer}(MoETransformerObserverConfig):`,
      `    module_class_name_to_hook_regex: Optional[str] = ${python(block)}${remark}`,
      `    num_experts_attr_name: str = ${python(`config.${config.experts[0]}`)}`,
      `    top_k_attr_name: str = ${python(`config.${config.topK[0]}`)}`,
      `    fused_experts: bool = ${python(names.fused)}`,
      '',
      '',
      `OBSERVER_CONFIG_REGISTRY[${python(className)}] = ${observer}`,
      '',
    ].join('\n'),
  };
}
