import { expect } from 'chai';
import { ClosedPipeError, errDeadlineExceeded } from '../../src/net/errors.ts';
import { OpError } from '../../src/net/op-error.ts';
import { type PipeConn, pipe } from '../../src/net/pipe.ts';
import { RealClock } from '../../src/time/real-clock.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { pattern, rejection, thrown } from '../support/pair.ts';

describe('net/pipe', () => {
  let clock: VirtualClock;
  let one: PipeConn;
  let other: PipeConn;

  beforeEach(() => {
    clock = new VirtualClock();
    [one, other] = pipe({ clock });
  });

  afterEach(() => {
    one.close();
    other.close();
    expect(clock.pending.held, 'held').to.equal(0);
    expect(clock.pending.foreground, 'timers').to.equal(0);
  });

  /** Whether a promise is settled. */
  const isSettled = async (promise: Promise<unknown>) => {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    promise.then(settle, settle);
    await clock.advance(0);
    return settled;
  };
  const text = (error: Error) => `${error.constructor.name}: ${error.message}`;
  const closed = 'ClosedPipeError: io: read/write on closed pipe';
  const wall = (ms: number) => clock.wallNow() + ms;

  it('has ends that are called pipe', () => {
    for (const addr of [one.localAddr(), one.remoteAddr()]) {
      expect(addr.network()).to.equal('pipe');
      expect(`${addr}`).to.equal('pipe');
    }
  });

  it('holds nothing: a write is done when all of it is read', async () => {
    const bytes = pattern(10);
    const writing = one.write(bytes);
    expect(await isSettled(writing)).to.equal(false);
    const into = new Uint8Array(4);
    expect(await other.read(into)).to.equal(4);
    expect(into).to.deep.equal(bytes.subarray(0, 4));
    expect(await isSettled(writing)).to.equal(false);
    expect(await other.readChunk()).to.deep.equal(bytes.subarray(4));
    expect(await writing).to.equal(10);
  });

  it('gives a read no more than one write, in the order of both', async () => {
    const reads = [1, 2, 3].map(() => other.readChunk());
    const writes = [pattern(1), pattern(2), pattern(3)].map((bytes) => one.write(bytes));
    expect((await Promise.all(reads)).map((bytes) => bytes?.length)).to.deep.equal([1, 2, 3]);
    expect(await Promise.all(writes)).to.deep.equal([1, 2, 3]);
  });

  it('does not mix writes', async () => {
    const writes = [one.write(pattern(5)), one.write(pattern(5, 100))];
    const got: number[] = [];
    for (let i = 0; i < 4; i++) {
      const into = new Uint8Array(3);
      const count = (await other.read(into)) as number;
      got.push(...into.subarray(0, count));
    }
    expect(got).to.deep.equal([...pattern(5), ...pattern(5, 100)]);
    await Promise.all(writes);
  });

  it('lets a write of no bytes meet a read', async () => {
    const writing = one.write(new Uint8Array(0));
    expect(await isSettled(writing)).to.equal(false);
    expect(await other.read(new Uint8Array(9))).to.equal(0);
    expect(await writing).to.equal(0);
  });

  it('goes both ways', async () => {
    const [, , got, answer] = await Promise.all([
      one.write(pattern(3)),
      other.write(pattern(4)),
      other.readChunk(),
      one.readChunk(),
    ]);
    expect([got?.length, answer?.length]).to.deep.equal([3, 4]);
  });

  it('closed here fails what waits here and comes after, and is closed again without a word', async () => {
    const [reading, writing] = [rejection(one.read(new Uint8Array(1))), rejection(one.write(pattern(5)))];
    await other.read(new Uint8Array(2));
    one.close();
    one.close();
    expect(text(await reading)).to.equal(closed);
    expect(text(await writing)).to.equal(closed);
    expect(await writing).to.include({ bytesWritten: 2, code: 'ERR_CLOSED_PIPE', timeout: false, temporary: false });
    expect(text(await rejection(one.read(new Uint8Array(0))))).to.equal(closed);
    expect(text(await rejection(one.write(new Uint8Array(0))))).to.equal(closed);
  });

  it('closed there is the end of what is read, and breaks what is written', async () => {
    const [reading, writing] = [one.read(new Uint8Array(1)), rejection(one.write(pattern(1)))];
    other.close();
    expect(await reading).to.equal(null);
    expect(text(await writing)).to.equal(closed);
    expect(await one.read(new Uint8Array(1))).to.equal(null);
    expect(await one.readChunk()).to.equal(null);
    expect(text(await rejection(one.write(pattern(1))))).to.equal(closed);
  });

  it('takes no deadlines when either end is closed', () => {
    other.close();
    for (const end of [one, other]) {
      expect(thrown(() => end.setDeadline(null))).to.be.instanceOf(ClosedPipeError);
      expect(thrown(() => end.setReadDeadline(wall(1)))).to.be.instanceOf(ClosedPipeError);
      expect(thrown(() => end.setWriteDeadline(wall(1)))).to.be.instanceOf(ClosedPipeError);
    }
  });

  it('has deadlines, exactly then, of reads and of writes', async () => {
    one.setReadDeadline(wall(100));
    one.setWriteDeadline(wall(50));
    const [reading, writing] = [rejection(one.read(new Uint8Array(1))), rejection(one.write(pattern(5)))];
    await other.read(new Uint8Array(2));
    const started = clock.now();
    const failed = (await clock.run({ until: writing })) as OpError;
    expect(clock.now() - started).to.equal(50);
    expect(failed.message).to.equal('write pipe: i/o timeout');
    expect(failed).to.include({ op: 'write', net: 'pipe', err: errDeadlineExceeded, timeout: true, bytesWritten: 2 });
    expect((await clock.run({ until: reading })).message).to.equal('read pipe: i/o timeout');
    expect(clock.now() - started).to.equal(100);
    one.setDeadline(null);
    await Promise.all([one.write(pattern(1)), other.read(new Uint8Array(1))]);
  });

  it('with a deadline in the past fails at once, also when there is something to read', async () => {
    const writing = other.write(pattern(1));
    one.setDeadline(wall(0));
    expect(text(await rejection(one.read(new Uint8Array(1))))).to.equal('OpError: read pipe: i/o timeout');
    expect(text(await rejection(one.write(pattern(1))))).to.equal('OpError: write pipe: i/o timeout');
    one.setDeadline(null);
    expect(await one.read(new Uint8Array(1))).to.equal(1);
    await writing;
  });

  it('lets a signal end what waits, and the next go on', async () => {
    const controller = new AbortController();
    const first = rejection(one.write(pattern(3), { signal: controller.signal }));
    const second = one.write(pattern(2));
    controller.abort();
    expect((await first).message).to.equal('write pipe: operation was canceled');
    expect((await other.readChunk())?.length).to.equal(2);
    expect(await second).to.equal(2);
    const reading = await rejection(one.read(new Uint8Array(1), { signal: controller.signal }));
    expect(reading).to.be.instanceOf(OpError).and.include({ message: 'read pipe: operation was canceled' });
  });

  it('gives nothing of a write that was called off', async () => {
    const controller = new AbortController();
    const writing = rejection(one.write(pattern(3), { signal: controller.signal }));
    controller.abort();
    await writing;
    const reading = other.readChunk();
    expect(await isSettled(reading)).to.equal(false);
    await one.write(pattern(1));
    expect((await reading)?.length).to.equal(1);
  });

  it('is iterated over to its end, and closed by `using`', async () => {
    const sizes: number[] = [];
    const reading = (async () => {
      for await (const chunk of other) sizes.push(chunk.length);
    })();
    await one.write(pattern(1));
    await one.write(pattern(2));
    await one[Symbol.asyncDispose]();
    await reading;
    expect(sizes).to.deep.equal([1, 2]);
    other[Symbol.dispose]();
    expect(text(await rejection(other.readChunk()))).to.equal(closed);
  });

  it('is on the clock of the machine, unless it is told', async () => {
    const [here, there] = pipe();
    expect(here.clock).to.be.instanceOf(RealClock);
    here.setReadDeadline(Date.now() - 1);
    expect((await rejection(here.read(new Uint8Array(1)))).message).to.equal('read pipe: i/o timeout');
    there.close();
  });

  it('refuses what makes no sense', async () => {
    expect(() => pipe({ clock: 5 as never })).to.throw(TypeError, 'pipe: clock must be a Clock');
    expect(await rejection(one.read('x' as never))).to.be.instanceOf(TypeError);
    expect(await rejection(one.write('x' as never))).to.be.instanceOf(TypeError);
    expect(() => one.setDeadline('soon' as never)).to.throw(TypeError, /must be a Date/);
  });
});
