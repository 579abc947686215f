import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cellAt, columnEdge, fitHeatmap, rowEdge } from './heatmap-geometry.ts';

const shapes = fc.record({
  rows: fc.integer({ min: 1, max: 96 }),
  columns: fc.integer({ min: 1, max: 512 }),
  roomWidth: fc.double({ min: 50, max: 4000, noNaN: true }),
  roomHeight: fc.double({ min: 50, max: 2000, noNaN: true }),
});

describe('heatmap geometry', () => {
  it('tiles the map: edges ascend, start at 0 and end at the size', () => {
    fc.assert(
      fc.property(shapes, ({ rows, columns, roomWidth, roomHeight }) => {
        const geometry = fitHeatmap(rows, columns, roomWidth, roomHeight);
        expect(columnEdge(geometry, 0)).toBe(0);
        expect(columnEdge(geometry, columns)).toBe(geometry.width);
        expect(rowEdge(geometry, rows)).toBe(geometry.height);
        for (let column = 0; column < columns; column++) {
          expect(columnEdge(geometry, column + 1)).toBeGreaterThan(columnEdge(geometry, column));
        }
      }),
    );
  });

  it('finds the cell that any point belongs to: a pointer stands between pixels too', () => {
    fc.assert(
      fc.property(
        shapes,
        fc.nat(),
        fc.nat(),
        fc.constantFrom(0, 0.25, 0.5, 0.75),
        ({ rows, columns, roomWidth, roomHeight }, x, y, part) => {
          const geometry = fitHeatmap(rows, columns, roomWidth, roomHeight);
          const px = (x % geometry.width) + part;
          const py = (y % geometry.height) + part;
          const cell = cellAt(geometry, px, py);
          expect(cell).not.toBeNull();
          if (cell === null) return;
          expect(columnEdge(geometry, cell.column)).toBeLessThanOrEqual(px);
          expect(columnEdge(geometry, cell.column + 1)).toBeGreaterThan(px);
          expect(rowEdge(geometry, cell.row)).toBeLessThanOrEqual(py);
          expect(rowEdge(geometry, cell.row + 1)).toBeGreaterThan(py);
        },
      ),
    );
  });

  it('finds nothing outside', () => {
    const geometry = fitHeatmap(8, 32, 640, 400);
    expect(cellAt(geometry, -1, 5)).toBeNull();
    expect(cellAt(geometry, geometry.width, 5)).toBeNull();
    expect(cellAt(geometry, 5, geometry.height)).toBeNull();
    expect(cellAt(geometry, Number.NaN, 5)).toBeNull();
  });

  it('keeps few layers from growing into bars', () => {
    const geometry = fitHeatmap(2, 32, 640, 900);
    expect(geometry.height / 2).toBeLessThanOrEqual(3.4 * 20);
  });
});
