import { expect, test } from 'vitest';
import { StageMeter } from './stage-meter.ts';

function metered(): { readonly meter: StageMeter; at(time: number): StageMeter } {
  let time = 0;
  const meter = new StageMeter(() => time);
  return {
    meter,
    at(next) {
      time = next;
      return meter;
    },
  };
}

test('time of a stage counts once, however much of it overlaps, and the rest of the run is its wait', () => {
  const { at } = metered();
  at(100).begin('read');
  at(110).begin('read');
  at(120).end('read');
  at(130).end('read');
  at(130).begin('compute');
  at(140).begin('read');
  at(150).end('read');
  at(180).end('compute');
  at(180).add('convert', 20);
  expect(at(500).report()).toEqual({
    elapsed: 80,
    busy: { read: 40, convert: 20, compute: 50 },
    wait: { read: 40, convert: 60, compute: 30 },
  });
});

test('work that fails ends as well, and before any work there is no time', async () => {
  const { meter, at } = metered();
  expect(meter.report().elapsed).toBe(0);
  at(5);
  const failing = meter.during('convert', async () => {
    at(9);
    throw new Error('broken');
  });
  await expect(failing).rejects.toThrow('broken');
  expect(meter.report()).toMatchObject({ elapsed: 4, busy: { convert: 4 } });
});
