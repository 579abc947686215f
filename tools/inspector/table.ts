import type { Architecture } from '../../src/core/architectures/descriptor.ts';
import {
  asPlain,
  checkLines,
  effectOf,
  inspectWithoutRow,
  tinyCheckpoints,
} from '../../src/core/inspector/registry-rows.fixture.ts';

/** Prints, for every tiny checkpoint that is here, how the inspector does without the family's own row: a Markdown table. */
function main(): void {
  const lines = [
    '| family | config.json | lines | sure | sure and wrong | asked about | whole descriptor | without habits of lines |',
    '| --- | --- | ---: | ---: | ---: | ---: | --- | --- |',
  ];
  for (const checkpoint of tinyCheckpoints()) {
    const proposal = inspectWithoutRow(checkpoint);
    const { wrong } = checkLines(checkpoint, proposal);
    const effect = (architecture: Architecture): string => JSON.stringify(asPlain(effectOf(architecture, checkpoint)));
    const verdict = (descriptor: Architecture): string =>
      effect(descriptor) === effect(checkpoint.row) ? 'equal' : 'differs, asked about';
    const strange = inspectWithoutRow(checkpoint, false);
    const alsoWrong = checkLines(checkpoint, strange).wrong;
    const spelling = checkpoint.spelling === 'config.json' ? 'transformers 5' : 'hub';
    const { length } = proposal.findings;
    const asked = proposal.questions.length;
    lines.push(
      `| ${checkpoint.name} | ${spelling} | ${length} | ${length - asked} | ${wrong.length + alsoWrong.length} | ${asked} | ${verdict(proposal.descriptor)} | ${verdict(strange.descriptor)} |`,
    );
  }
  process.stdout.write(`${lines.join('\n')}\n`);
}

main();
