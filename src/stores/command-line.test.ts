import { beforeEach, describe, expect, it } from 'vitest';
import type { SourceSpec } from '../core/protocol/source-spec.ts';
import { calibrationStore, clearCalibration } from './calibration-store.ts';
import { testLayer, testStatistics, testSummary } from './checkpoint.fixture.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { presentCommand } from './command-line.ts';
import { corpusStore, type OwnText } from './corpus-store.ts';
import { currentSelection } from './derived.ts';
import { exportSettings } from './export-settings.ts';
import { noteStatisticsFile, originStore } from './plan-origin.ts';
import { planStore } from './plan-store.ts';

const corpusAtFirst = corpusStore.getInitialState();
const demo: SourceSpec = { kind: 'http', label: 'reap-demo', baseUrl: 'http://x/demo/model/', names: [] };
const hub = {
  kind: 'model',
  repo: 'org/name',
  commit: 'c'.repeat(40),
  endpoint: 'https://huggingface.co',
  token: 'hf_secret',
} as const;

function open(spec: SourceSpec): void {
  checkpointStore.setState({ source: { id: '1', spec }, summary: { ...testSummary, maxPositions: 4096 } });
}

function text(name: string, rest: Partial<OwnText> = {}): OwnText {
  return { id: 1, name, text: { kind: 'file', file: new File([], name) }, size: 1, ...rest };
}

const lines = (): string[] => presentCommand()?.text.split(' &&\n') ?? [];
const notes = (): string => presentCommand()?.notes.join(' ') ?? '';

beforeEach(() => {
  clearCalibration();
  planStore.setState(planStore.getInitialState(), true);
  corpusStore.setState(corpusAtFirst, true);
  exportSettings.setState(exportSettings.getInitialState(), true);
  originStore.setState({ statisticsFile: null, run: null });
  open(demo);
});

describe('a calibration', () => {
  it('is there once there is text, with what differs from the defaults', () => {
    expect(presentCommand()).toBeNull();
    corpusStore.setState({ bundled: new Map([['python', 'http://x/base/demo/corpora/python.calibration.jsonl']]) });
    expect(lines()).toEqual([
      'reap-studio calibrate public/demo/model --corpus public/demo/corpora/python.calibration.jsonl:python --max-tokens 32768 --sequence-length 512 --out tiny.stats.json',
      'reap-studio plan --stats tiny.stats.json --ratio 0.25 --out tiny.plan.json',
      'reap-studio export public/demo/model --plan tiny.plan.json --out tiny-pruned-25',
    ]);
    corpusStore.setState({ sequenceLength: 2048, maxTokensPerDomain: 1000, gate: 'reference', memoryMiB: 512 });
    planStore.setState({ percent: 29, metric: 'ean-sum', protectSuperExperts: true, nextToken: 'drop' });
    exportSettings.setState({ shardBytes: 5_000_000_000 });
    const [calibrate, plan, exported] = lines();
    expect(calibrate).toContain('--max-tokens 1000 --gate reference --memory 512MiB --out');
    expect(plan).toContain('--ratio 0.29 --metric ean-sum --protect-super-experts --next-token drop --out');
    expect(exported).toContain('--shard-size 5000000000 --out tiny-pruned-29');
  });

  it('is the one that was run, whatever was chosen since', () => {
    corpusStore.setState({ own: [text('a.txt')] });
    calibrationStore.setState({ status: 'starting' });
    corpusStore.setState({ own: [text('b.txt')], maxTokensPerDomain: 7 });
    expect(lines()[0]).toContain('--corpus PATH/TO/a.txt:a.txt --max-tokens 32768');
  });

  it('names files for the person to replace, columns, typed text, data sets and ready token ids', () => {
    corpusStore.setState({
      own: [
        text("it's.parquet", { column: 'messages' }),
        { id: 2, name: 'Pasted', text: { kind: 'text', text: 'hello' }, size: 5 },
        {
          id: 3,
          name: 'org/set(train)',
          text: { kind: 'hub', hub, files: [], subset: 'default', split: 'train', samples: 9 },
          size: 9,
          column: 'text',
        },
      ],
    });
    const commit = hub.commit;
    expect(lines()[0]).toContain(
      `--corpus 'PATH/TO/it'\\''s.parquet:it'\\''s.parquet' --corpus-column 'it'\\''s.parquet=messages' --corpus PATH/TO/Pasted.txt:Pasted --corpus 'hf:org/name@${commit}[default](train):9' --corpus-column 'org/name[default](train)=text'`,
    );
    expect(notes()).toContain('typed in');
    corpusStore.setState({ own: [text('ids.json')] });
    expect(lines()[0]).toBe('reap-studio calibrate public/demo/model --tokens PATH/TO/ids.json --out tiny.stats.json');
  });
});

describe('the model', () => {
  beforeEach(() => corpusStore.setState({ own: [text('a.txt')] }));

  it('of a hub is pinned, never with its token', () => {
    open({ kind: 'hub', label: 'hf:org/name@c', hub, files: [] });
    expect(lines()[0]).toMatch(/^reap-studio calibrate hf:org\/name@c{40} /);
    expect(notes()).toContain('HF_TOKEN');
    expect(JSON.stringify(presentCommand())).not.toContain(hub.token);
    open({ kind: 'hub', label: 'x', hub: { ...hub, endpoint: 'http://mirror.local:8080/a b' }, files: [] });
    expect(lines()[2]).toMatch(/^HF_ENDPOINT='http:\/\/mirror.local:8080\/a b' reap-studio export hf:/);
  });

  it('of a folder leaves the path to the person, and names a descriptor', () => {
    open({ kind: 'files', label: 'my model', files: [], descriptor: '{}' });
    expect(lines()[2]).toBe(
      "reap-studio export 'PATH/TO/my model' --descriptor 'PATH/TO/my model.descriptor.json' --plan tiny.plan.json --out tiny-pruned-25",
    );
    expect(notes()).toContain('a browser does not tell where it lies');
    expect(notes()).toContain('descriptor of your own');
  });
});

describe('what came from a file', () => {
  it('is the plan alone', () => {
    const plan = currentSelection()?.value?.plan;
    if (plan === undefined) throw new Error('no plan');
    planStore.setState({ opened: { name: "o'clock.plan.json", plan, notes: [] }, percent: 70 });
    expect(lines()).toEqual([
      "reap-studio export public/demo/model --plan 'o'\\''clock.plan.json' --out tiny-pruned-25",
    ]);
    planStore.setState({
      opened: { name: 'kept.json', plan: { ...plan, nextToken: 'drop' }, notes: ['from elsewhere'] },
    });
    expect(lines()[0]).toBe(
      'reap-studio plan --import kept.json --model public/demo/model --next-token drop --out tiny.plan.json',
    );
  });

  it('is the statistics, of the studio or of another tool', () => {
    const statistics = testStatistics(testLayer(0, [1, 2, 3, 4]), testLayer(1, [1, 2, 3, 4]));
    calibrationStore.setState({ status: 'done', statistics });
    noteStatisticsFile('a.stats.json');
    expect(lines()[0]).toBe('reap-studio plan --stats a.stats.json --ratio 0.25 --out tiny.plan.json');
    noteStatisticsFile('observer.pt');
    expect(lines()[0]).toBe(
      'reap-studio plan --import observer.pt --model public/demo/model --ratio 0.25 --out tiny.plan.json',
    );
  });
});
