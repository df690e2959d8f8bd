import { expect } from 'chai';
import { race } from '../../src/net/race.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { rejection } from '../support/pair.ts';

describe('net/race', () => {
  let clock: VirtualClock;
  let log: string[];

  /** Takes `ms`, and gives its name, or fails with it; an abort is logged, and rejects unless the runner is deaf. */
  const runner =
    (name: string, ms: number, { fails = false, deaf = false } = {}) =>
    (signal: AbortSignal) =>
      new Promise<string>((resolve, reject) => {
        log.push(`${clock.now()} ${name} starts`);
        if (signal.aborted) return reject(signal.reason);
        const timer = clock.timer(() => (fails ? reject(new Error(name)) : resolve(name)));
        timer.set(clock.now() + ms);
        signal.addEventListener('abort', () => {
          log.push(`${clock.now()} ${name} is aborted`);
          if (deaf) return;
          timer.clear();
          reject(signal.reason);
        });
      });
  const start = (
    first: (signal: AbortSignal) => Promise<string>,
    second: (signal: AbortSignal) => Promise<string>,
    signal?: AbortSignal,
  ) =>
    race({
      clock,
      delay: 300,
      signal,
      first,
      second,
      discard: (late) => void log.push(`${clock.now()} ${late} is discarded`),
    });

  beforeEach(() => {
    clock = new VirtualClock();
    log = [];
  });
  afterEach(async () => {
    await clock.advance(10_000);
    expect(clock.pending).to.include({ foreground: 0, held: 0 });
  });

  it('does without the second when the first is quick', async () => {
    expect(await clock.run({ until: start(runner('first', 299), runner('second', 1)) })).to.equal('first');
    await clock.advance(1000);
    expect(log).to.deep.equal(['0 first starts', '299 first is aborted']);
  });

  it('starts the second after the delay; the winner is taken, the loser aborted', async () => {
    expect(await clock.run({ until: start(runner('first', 9000), runner('second', 50)) })).to.equal('second');
    expect(clock.now()).to.equal(350);
    expect(log).to.deep.equal(['0 first starts', '300 second starts', '350 first is aborted', '350 second is aborted']);
  });

  it('takes the first when it wins after all', async () => {
    expect(await clock.run({ until: start(runner('first', 400), runner('second', 200)) })).to.equal('first');
    expect(clock.now()).to.equal(400);
  });

  it('starts the second at once when the first fails', async () => {
    expect(await clock.run({ until: start(runner('first', 20, { fails: true }), runner('second', 50)) })).to.equal(
      'second',
    );
    expect(clock.now()).to.equal(70);
    expect(log.slice(0, 2)).to.deep.equal(['0 first starts', '20 second starts']);
  });

  it('does not start it twice', async () => {
    expect(await clock.run({ until: start(runner('first', 310, { fails: true }), runner('second', 50)) })).to.equal(
      'second',
    );
    expect(log.filter((line) => line.includes('second starts'))).to.deep.equal(['300 second starts']);
  });

  it('waits for the first when the second fails', async () => {
    expect(await clock.run({ until: start(runner('first', 900), runner('second', 10, { fails: true })) })).to.equal(
      'first',
    );
    expect(clock.now()).to.equal(900);
  });

  for (const [what, one, other] of [
    ['the first before the second', 20, 50],
    ['the second before the first', 900, 50],
  ] as const) {
    it(`reports the first when both fail, ${what}`, async () => {
      const error = await clock.run({
        until: rejection(start(runner('first', one, { fails: true }), runner('second', other, { fails: true }))),
      });
      expect(error.message).to.equal('first');
    });
  }

  it('discards what comes late', async () => {
    expect(await clock.run({ until: start(runner('first', 400, { deaf: true }), runner('second', 50)) })).to.equal(
      'second',
    );
    await clock.advance(1000);
    expect(log.at(-1)).to.equal('400 first is discarded');
  });

  it('says nothing of a failure that comes late', async () => {
    const first = runner('first', 400, { deaf: true, fails: true });
    expect(await clock.run({ until: start(first, runner('second', 50)) })).to.equal('second');
  });

  it('hands an abort on to both, and lets go of the signal in the end', async () => {
    const controller = new AbortController();
    const running = rejection(start(runner('first', 9000), runner('second', 9000), controller.signal));
    await clock.advance(500);
    controller.abort(new Error('enough'));
    expect((await running).message).to.equal('enough');
    expect(log.slice(2)).to.deep.equal(['500 first is aborted', '500 second is aborted']);
    const after = new AbortController();
    await clock.run({ until: start(runner('first', 1), runner('second', 1), after.signal) });
    const lines = log.length;
    after.abort();
    expect(log).to.have.lengthOf(lines);
  });

  it('reports an abort of before as the first does', async () => {
    const error = await clock.run({
      until: rejection(start(runner('first', 1), runner('second', 1), AbortSignal.abort(new Error('no')))),
    });
    expect(error.message).to.equal('no');
  });
});
