import { expect } from 'chai';
import fc from 'fast-check';
import { AckNews } from '../../src/tcp/ack-news.ts';
import { LOST, RETRANSMITTED, SACKED, SENT_AGAIN, type SentRun, SentRuns } from '../../src/tcp/sent-runs.ts';

interface Piece {
  seq: number;
  end: number;
  marks: number;
  sentAt: number;
}

/** The scoreboard piece by piece, written to be obviously right. Numbers count from 0 and do not wrap. */
class Pieces {
  list: Piece[] = [];
  newlyAcked = 0;
  ackedFirstAt = -1;
  ackedLastAt = -1;
  sackedFirstAt = -1;
  sackedLastAt = -1;
  ackedAgain = false;

  push(seq: number, end: number, size: number, fin: number, now: number): void {
    for (let at = seq; at < end; at += size) {
      // The FIN rides on the last data.
      const stop = at + size + fin >= end ? end : at + size;
      this.list.push({ seq: at, end: stop, marks: 0, sentAt: now });
      if (stop === end) break;
    }
  }

  acknowledge(ack: number): void {
    [this.newlyAcked, this.ackedAgain] = [0, false];
    [this.ackedFirstAt, this.ackedLastAt, this.sackedFirstAt, this.sackedLastAt] = [-1, -1, -1, -1];
    for (const piece of this.list) {
      if (piece.end > ack) continue;
      const { marks, sentAt } = piece;
      if ((marks & SACKED) === 0) this.newlyAcked++;
      if ((marks & SENT_AGAIN) !== 0) this.ackedAgain = true;
      else if ((marks & SACKED) === 0) {
        if (this.ackedFirstAt < 0) this.ackedFirstAt = sentAt;
        this.ackedLastAt = sentAt;
      }
    }
    this.list = this.list.filter(({ end }) => end > ack);
    for (const piece of this.list) piece.seq = Math.max(piece.seq, ack);
  }

  sack(left: number, right: number): number {
    const found = this.list.filter(({ seq, end, marks }) => seq >= left && end <= right && (marks & SACKED) === 0);
    for (const piece of found) {
      this.newlyAcked++;
      if ((piece.marks & SENT_AGAIN) === 0) {
        if (this.sackedFirstAt < 0) this.sackedFirstAt = piece.sentAt;
        this.sackedLastAt = piece.sentAt;
      }
      piece.marks &= (piece.marks & LOST) === 0 ? SENT_AGAIN | RETRANSMITTED : SENT_AGAIN;
      piece.marks |= SACKED;
    }
    return found.length;
  }

  count(mark: number): number {
    return this.list.filter(({ marks }) => (marks & mark) !== 0).length;
  }

  within({ seq, end }: { seq: number; end: number }): Piece[] {
    return this.list.filter((piece) => piece.seq >= seq && piece.end <= end);
  }
}

type Action =
  | { do: 'push'; length: number; size: number; fin: number }
  | { do: 'ack'; part: number }
  | { do: 'sack'; from: number; to: number }
  | { do: 'lose'; which: number }
  | { do: 'loseAll' }
  | { do: 'forget' }
  | { do: 'spare' }
  | { do: 'again'; most: number; size: number }
  | { do: 'wait' };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const size = fc.integer({ min: 2, max: 12 });
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('push' as const),
      length: fc.integer({ min: 1, max: 60 }),
      size,
      fin: fc.integer({ min: 0, max: 1 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('ack' as const), part: share }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('sack' as const), from: share, to: share }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('lose' as const), which: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'loseAll' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'forget' as const }) },
  { weight: 1, arbitrary: fc.constant({ do: 'spare' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('again' as const), most: fc.integer({ min: 1, max: 6 }), size }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'wait' as const }) },
);

const FIELDS = ['newlyAcked', 'ackedFirstAt', 'ackedLastAt', 'sackedFirstAt', 'sackedLastAt', 'ackedAgain'] as const;

/** Both side by side, from sequence number `base` on. */
class Twins {
  readonly runs = new SentRuns();
  readonly pieces = new Pieces();
  readonly news = new AckNews();
  readonly base: number;
  una = 0;
  next = 0;
  now = 1;
  ended = false;

  constructor(base: number) {
    this.base = base;
  }

  act(action: Action): void {
    const { runs, pieces } = this;
    if (action.do === 'push') this.push(action.length, action.size, action.fin);
    if (action.do === 'ack') {
      const ack = this.una + Math.floor(action.part * (this.next - this.una));
      this.news.reset();
      runs.acknowledge(this.wire(ack), this.news);
      pieces.acknowledge(ack);
      this.una = ack;
    }
    if (action.do === 'sack') {
      const [a, b] = [action.from, action.to].map((part) => this.una + Math.floor(part * (this.next - this.una))) as [
        number,
        number,
      ];
      const marked = runs.sack(this.wire(Math.min(a, b)), this.wire(Math.max(a, b)), this.news);
      expect(marked).to.equal(pieces.sack(Math.min(a, b), Math.max(a, b)));
    }
    if (action.do === 'lose') this.lose(action.which);
    if (action.do === 'loseAll') this.loseAll();
    if (action.do === 'forget') {
      runs.forgetSacks();
      for (const piece of pieces.list) piece.marks &= ~SACKED;
    }
    if (action.do === 'spare') {
      runs.unmarkLost();
      for (const piece of pieces.list) piece.marks &= ~LOST;
    }
    if (action.do === 'again') this.again(action.most, action.size);
    if (action.do === 'wait') this.now++;
  }

  push(asked: number, size: number, wish: number): void {
    if (this.ended) return;
    // A FIN behind a last piece that is full may be cut off and is then one more piece: that case has a test of its own.
    const fin = asked % size === 0 ? 0 : wish;
    this.ended = fin === 1;
    const end = this.next + asked + fin;
    this.runs.push(this.wire(this.next), this.wire(end), size, fin, this.now);
    this.pieces.push(this.next, end, size, fin, this.now);
    this.next = end;
  }

  lose(which: number): void {
    let run = this.runs.first;
    for (let i = 0; i < which && run?.next !== undefined; i++) run = run.next;
    if (run === undefined) return;
    const pieces = this.of(run);
    this.runs.markLost(run);
    for (const piece of pieces) if ((piece.marks & SACKED) === 0) piece.marks = (piece.marks & ~RETRANSMITTED) | LOST;
  }

  loseAll(): void {
    for (let run = this.runs.first; run !== undefined; run = run.next) this.runs.markLost(run);
    for (const piece of this.pieces.list) {
      if ((piece.marks & SACKED) === 0) piece.marks = (piece.marks & ~RETRANSMITTED) | LOST;
    }
  }

  again(most: number, size: number): void {
    const { runs, pieces } = this;
    const run = runs.nextLost();
    const lost = pieces.list.find(({ marks }) => (marks & (LOST | RETRANSMITTED | SACKED)) === LOST);
    expect(run === undefined).to.equal(lost === undefined);
    if (run === undefined || lost === undefined) return;
    expect(run.seq).to.equal(this.wire(lost.seq));
    if (size < run.size && run.fin === 0) this.resize(run, size);
    runs.cutBehind(run, most);
    const sent = this.of(run);
    expect(sent.length).to.equal(run.pieces()).and.to.be.at.most(most);
    runs.markRetransmitted(run, this.now);
    for (const piece of sent) {
      piece.marks |= RETRANSMITTED | SENT_AGAIN;
      piece.sentAt = this.now;
    }
  }

  resize(run: SentRun, size: number): void {
    const old = this.of(run);
    const [first, last] = [old[0] as Piece, old.at(-1) as Piece];
    const index = this.pieces.list.indexOf(first);
    const cut: Piece[] = [];
    for (let at = first.seq; at < last.end; at += size)
      cut.push({ ...first, seq: at, end: Math.min(at + size, last.end) });
    this.pieces.list.splice(index, old.length, ...cut);
    this.runs.resize(run, size);
  }

  of(run: SentRun): Piece[] {
    return this.pieces.within({ seq: (run.seq - this.base) | 0, end: (run.end - this.base) | 0 });
  }

  wire(number: number): number {
    return (this.base + number) | 0;
  }

  compare(): void {
    const { runs, pieces } = this;
    expect(runs.packetsOut, 'packetsOut').to.equal(pieces.list.length);
    expect(runs.sackedOut, 'sackedOut').to.equal(pieces.count(SACKED));
    expect(runs.lostOut, 'lostOut').to.equal(pieces.count(LOST));
    expect(runs.retransOut, 'retransOut').to.equal(pieces.count(RETRANSMITTED));
    const spared = pieces.list.filter(({ marks }) => (marks & (RETRANSMITTED | LOST)) === RETRANSMITTED);
    expect(runs.sparedOut, 'sparedOut').to.equal(spared.length);
    for (const field of FIELDS) expect(this.news[field], field).to.equal(pieces[field]);
    if (runs.sackedOut > 0) {
      const highest = Math.max(...pieces.list.filter(({ marks }) => (marks & SACKED) !== 0).map(({ end }) => end));
      expect(runs.highestSacked, 'highestSacked').to.equal(this.wire(highest));
    }
    let at = this.una;
    for (let run = runs.first; run !== undefined; run = run.next) {
      expect(run.seq).to.equal(this.wire(at));
      for (const piece of this.of(run)) expect([piece.marks, piece.sentAt]).to.deep.equal([run.marks, run.sentAt]);
      at = (run.end - this.base) | 0;
    }
    expect(at).to.equal(this.next);
  }
}

describe('SentRuns', () => {
  it('knows of every piece what a list of pieces knows, where numbers wrap too', () => {
    const base = fc.oneof(fc.constantFrom(0x7fff_ffe0, -40, -1, 0), fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }));
    fc.assert(
      fc.property(base, fc.array(action, { maxLength: 40 }), (start, actions) => {
        const twins = new Twins(start);
        for (const each of actions) {
          twins.act(each);
          twins.compare();
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('a FIN behind full pieces is one more piece once it is told apart', () => {
    const runs = new SentRuns();
    runs.push(0, 31, 10, 1, 0);
    expect(runs.packetsOut).to.equal(3);
    const news = new AckNews();
    expect(runs.sack(10, 30, news)).to.equal(2);
    expect([runs.packetsOut, runs.sackedOut, runs.inFlight()]).to.deep.equal([4, 2, 2]);
    runs.acknowledge(30, news);
    expect([runs.packetsOut, runs.sackedOut]).to.deep.equal([1, 0]);
    runs.acknowledge(31, news);
    expect([runs.packetsOut, runs.first]).to.deep.equal([0, undefined]);
  });

  it('what is sent at one time in equal pieces is one run', () => {
    const runs = new SentRuns();
    runs.push(0, 20, 10, 0, 5);
    runs.push(20, 45, 10, 0, 5);
    expect(runs.first).to.equal(runs.last);
    // Behind a short piece, at another time, or in other sizes, a run of its own starts.
    runs.push(45, 55, 10, 0, 5);
    runs.push(55, 65, 10, 0, 6);
    runs.push(65, 75, 5, 0, 6);
    let count = 0;
    for (let run = runs.first; run !== undefined; run = run.next) count++;
    expect([count, runs.packetsOut]).to.deep.equal([4, 9]);
  });

  it('clear forgets all', () => {
    const runs = new SentRuns();
    runs.push(0, 20, 10, 0, 5);
    runs.markLost(runs.first as SentRun);
    runs.clear();
    expect([runs.packetsOut, runs.lostOut, runs.inFlight(), runs.first, runs.last]).to.deep.equal([
      0,
      0,
      0,
      undefined,
      undefined,
    ]);
  });
});
