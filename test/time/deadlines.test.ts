import { expect } from 'chai';
import fc from 'fast-check';
import { Deadlines } from '../../src/time/deadlines.ts';

const KINDS = 3;

/** The same table, written to be obviously right: it looks at everything, always. */
class NaiveDeadlines {
  readonly rows = new Map<number, { at: number[]; order: number }>();
  armed = 0;

  earliest(row: number): number {
    return Math.min(...(this.rows.get(row) as { at: number[] }).at);
  }

  set(row: number, kind: number, at: number): void {
    const entry = this.rows.get(row) as { at: number[]; order: number };
    entry.at[kind] = at;
    if (at !== Infinity && at === this.earliest(row)) entry.order = ++this.armed;
  }

  next(): number {
    return Math.min(Infinity, ...[...this.rows.keys()].map((row) => this.earliest(row)));
  }

  due(now: number): number[] {
    return [...this.rows.entries()]
      .filter(([row]) => this.earliest(row) <= now)
      .sort(([a, x], [b, y]) => this.earliest(a) - this.earliest(b) || x.order - y.order)
      .map(([row]) => row);
  }
}

function drain(table: Deadlines, now: number): number[] {
  const rows: number[] = [];
  for (let row = table.popDue(now); row >= 0; row = table.popDue(now)) {
    rows.push(row);
    for (let kind = 0; kind < KINDS; kind++) table.takeDue(row, kind, now);
  }
  return rows;
}

describe('Deadlines', () => {
  it('knows the earliest of a row and of the table', () => {
    const table = new Deadlines(KINDS);
    const a = table.allocate();
    const b = table.allocate();
    expect(table.next()).to.equal(Infinity);
    table.set(a, 0, 100.5);
    table.set(a, 2, 50);
    table.set(b, 1, 70);
    expect(table.earliest(a)).to.equal(50);
    expect(table.at(a, 0)).to.equal(100.5);
    expect(table.next()).to.equal(50);
    table.clear(a, 2);
    expect(table.earliest(a)).to.equal(100.5);
    expect(table.next()).to.equal(70);
    table.set(b, 1, 200);
    expect(table.next()).to.equal(100.5);
    table.set(a, 0, Infinity);
    expect(table.next()).to.equal(200);
  });

  it('gives ties in arming order, also after a lazy move to the same time', () => {
    const table = new Deadlines(KINDS);
    const [a, b, c] = [table.allocate(), table.allocate(), table.allocate()] as [number, number, number];
    table.set(a, 0, 10);
    table.set(b, 0, 100);
    table.set(c, 0, 100);
    table.set(a, 0, 100);
    expect(drain(table, 99.9)).to.deep.equal([]);
    expect(drain(table, 100)).to.deep.equal([b, c, a]);
  });

  it('gives a row once per round, and what its handler leaves or sets due in the next round', () => {
    const table = new Deadlines(KINDS);
    const row = table.allocate();
    table.set(row, 0, 5);
    expect(table.popDue(5)).to.equal(row);
    expect(table.takeDue(row, 0, 5)).to.equal(true);
    table.set(row, 1, 4);
    expect(table.popDue(5)).to.equal(-1);
    expect(table.next()).to.equal(4);
    expect(table.popDue(5)).to.equal(row);
    expect(table.takeDue(row, 0, 5)).to.equal(false);
    expect(table.popDue(5)).to.equal(-1);
    expect(table.next(), 'kind 1 was never taken').to.equal(4);
  });

  it('a row freed and allocated anew in a round starts clean', () => {
    const table = new Deadlines(KINDS);
    const row = table.allocate();
    table.set(row, 0, 5);
    expect(table.popDue(5)).to.equal(row);
    table.free(row);
    expect(table.allocate()).to.equal(row);
    expect(table.earliest(row)).to.equal(Infinity);
    table.set(row, 2, 8);
    expect(table.popDue(5)).to.equal(-1);
    expect(drain(table, 8)).to.deep.equal([row]);
    expect(drain(table, 8)).to.deep.equal([]);
  });

  it('refuses what would corrupt it', () => {
    const table = new Deadlines(KINDS);
    const row = table.allocate();
    expect(() => table.set(row, 0, Number.NaN)).to.throw(RangeError, 'NaN');
    table.free(row);
    expect(() => table.free(row)).to.throw(Error, 'row 0 is not allocated');
    expect(() => table.free(7)).to.throw(Error, 'row 7 is not allocated');
    expect(() => new Deadlines(0)).to.throw(RangeError, 'kinds');
  });

  it('does what the naive table does, whatever is done to it', () => {
    const row = fc.nat({ max: 40 });
    const kind = fc.nat({ max: KINDS - 1 });
    const time = fc.oneof(
      { weight: 7, arbitrary: fc.nat({ max: 60 }) },
      { weight: 1, arbitrary: fc.constant(Infinity) },
    );
    const step = fc.oneof(
      { weight: 2, arbitrary: fc.record({ do: fc.constant('allocate' as const) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('free' as const), row }) },
      { weight: 8, arbitrary: fc.record({ do: fc.constant('set' as const), row, kind, time }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('clear' as const), row, kind }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('next' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('drain' as const), time: fc.nat({ max: 40 }) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150, size: 'max' }), (steps) => {
        const table = new Deadlines(KINDS);
        const naive = new NaiveDeadlines();
        const rows: number[] = [];
        for (let i = 0; i < 24; i++) {
          rows.push(table.allocate());
          naive.rows.set(i, { at: new Array(KINDS).fill(Infinity), order: 0 });
        }
        const pick = (n: number) => rows[n % rows.length] as number;
        for (const s of steps) {
          if (s.do === 'allocate' || rows.length === 0) {
            const fresh = table.allocate();
            expect(rows).not.to.include(fresh);
            rows.push(fresh);
            naive.rows.set(fresh, { at: new Array(KINDS).fill(Infinity), order: 0 });
          } else if (s.do === 'free') {
            const [gone] = rows.splice(s.row % rows.length, 1) as [number];
            table.free(gone);
            naive.rows.delete(gone);
          } else if (s.do === 'set') {
            table.set(pick(s.row), s.kind, s.time);
            naive.set(pick(s.row), s.kind, s.time);
          } else if (s.do === 'clear') {
            table.clear(pick(s.row), s.kind);
            naive.set(pick(s.row), s.kind, Infinity);
          } else if (s.do === 'next') {
            expect(table.next()).to.equal(naive.next());
          } else {
            const due = naive.due(s.time);
            expect(drain(table, s.time)).to.deep.equal(due);
            for (const r of due)
              for (let k = 0; k < KINDS; k++) if (table.at(r, k) === Infinity) naive.set(r, k, Infinity);
          }
          for (const r of rows) expect(table.earliest(r)).to.equal(naive.earliest(r));
        }
        expect(table.size).to.equal(rows.length);
        expect(table.next()).to.equal(naive.next());
        expect(drain(table, 1e9)).to.deep.equal(naive.due(1e9));
        expect(table.next()).to.equal(Infinity);
      }),
      { numRuns: 200 },
    );
  });
});
