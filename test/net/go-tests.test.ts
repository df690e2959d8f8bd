/** What Go's own tests of net ask that no other test here does; each says which it follows. */
import { expect } from 'chai';
import fc from 'fast-check';
import type { OpError } from '../../src/net/op-error.ts';
import { pipe } from '../../src/net/pipe.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import { connectedHosts, type Pair, pattern, readFully, rejection } from '../support/pair.ts';

describe("net, by Go's own tests", () => {
  let pair: Pair;

  beforeEach(() => {
    pair = connectedHosts();
  });

  afterEach(async () => {
    await pair.close();
    expect(pair.clock.pending.held, 'held').to.equal(0);
  });

  it('TestDialTimeoutMaxDuration: a time beyond all times is none', async () => {
    const listener = await pair.server.listen('tcp', '10.9.0.2:0');
    for (const timeout of [2 ** 53, Number.MAX_VALUE, Infinity])
      await pair.run(pair.client.dial('tcp', `${listener.addr()}`, { timeout }));
    for (const deadline of [new Date(8.64e15), Number.MAX_VALUE, Infinity]) {
      const conn = await pair.run(pair.client.dial('tcp', `${listener.addr()}`, { deadline }));
      conn.setDeadline(deadline);
      expect(await pair.run(conn.write(pattern(1)))).to.equal(1);
    }
  });

  it('TestListenCloseListen, TestClosingListener: a port is free as soon as its listener is closed', async () => {
    for (let i = 0; i < 10; i++) {
      const listener = await pair.server.listen('tcp', '10.9.0.2:80');
      const dialling = pair.run(pair.client.dial('tcp', '10.9.0.2:80'));
      if (i % 2 === 0) await dialling;
      listener.close();
      await dialling.catch(() => {});
    }
  });

  it('TestTCPConcurrentAccept: as many accepts as dials, all at once', async () => {
    const listener = await pair.server.listen('tcp', '10.9.0.2:80');
    const accepts = Promise.all(Array.from({ length: 10 }, () => listener.accept()));
    const dials = Promise.all(Array.from({ length: 10 }, () => pair.client.dial('tcp', '10.9.0.2:80')));
    const [accepted, dialled] = await pair.run(Promise.all([accepts, dials]));
    const names = (addrs: unknown[]) => addrs.map(String).toSorted();
    expect(names(accepted.map((conn) => conn.remoteAddr()))).to.deep.equal(
      names(dialled.map((conn) => conn.localAddr())),
    );
  });

  it('TestAcceptTimeoutMustReturn, MustNotReturn: the deadline decides, whatever was set before', async () => {
    const listener = await pair.server.listen('tcp', '10.9.0.2:80');
    listener.setDeadline(pair.clock.wallNow() - 1);
    listener.setDeadline(pair.clock.wallNow() + 5);
    expect((await pair.run(rejection(listener.accept()))).message).to.equal('accept tcp 10.9.0.2:80: i/o timeout');
    expect(pair.clock.now()).to.be.closeTo(5, 1e-3);
    listener.setDeadline(null);
    let isOver = false;
    const accepting = rejection(listener.accept()).finally(() => {
      isOver = true;
    });
    await pair.clock.advance(3_600_000);
    expect(isOver).to.equal(false);
    listener.close();
    await accepting;
  });

  it('TestVariousDeadlines: a stream that is read ends at its deadline, however short', async () => {
    await pair.close();
    // On a way without length an endless stream would take no time at all.
    pair = connectedHosts({ latency: 1 });
    const { dialled, accepted } = await pair.connect();
    const sending = (async () => {
      for (;;) await accepted.write(pattern(60_000));
    })().catch((error: OpError) => error);
    for (const timeout of [1e-6, 0.001, 0.5, 1, 7, 50, 100]) {
      const started = pair.clock.now();
      dialled.setDeadline(pair.clock.wallNow() + timeout);
      const copying = rejection(
        (async () => {
          for (;;) await dialled.read(new Uint8Array(1000));
        })(),
      ) as Promise<OpError>;
      expect((await pair.run(copying)).timeout).to.equal(true);
      // A Date has microseconds at best: what is left of the difference is its grain.
      expect(pair.clock.now() - started).to.be.closeTo(timeout, 1e-3);
    }
    dialled.close();
    await pair.run(sending);
  });

  it('TestReadWriteProlongedTimeout: deadlines that are always moved on never come', async () => {
    const { dialled, accepted } = await pair.connect();
    const echo = (async () => {
      for await (const chunk of accepted) await accepted.write(chunk);
    })();
    for (let i = 0; i < 500; i++) {
      dialled.setReadDeadline(pair.clock.wallNow() + 10);
      dialled.setWriteDeadline(pair.clock.wallNow() + 10);
      await pair.run(dialled.write(pattern(3)));
      await pair.clock.advance(5);
      expect(await pair.run(dialled.read(new Uint8Array(9)))).to.equal(3);
    }
    dialled.close();
    await pair.run(echo);
  });

  it('TestReadWriteDeadlineRace, TestConcurrentSetDeadline: what deadlines interrupt is neither lost nor doubled', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 4000 }), fc.integer({ min: 0, max: 3 })), {
          minLength: 1,
          maxLength: 40,
        }),
        async (steps) => {
          const { listener, dialled, accepted } = await pair.connect();
          const received: number[] = [];
          const reading = readAll(pair, accepted, received);
          let sent = 0;
          for (const [size, after] of steps) {
            dialled.setWriteDeadline(pair.clock.wallNow() + after / 10);
            accepted.setReadDeadline(pair.clock.wallNow() + after / 20);
            const bytes = pattern(size * 100, sent);
            sent += await dialled.write(bytes).catch((error: OpError) => error.bytesWritten);
            await pair.clock.advance(after / 10);
          }
          dialled.close();
          await pair.clock.advance(10_000);
          await reading;
          expect(received.reduce((sum, count) => sum + count, 0)).to.equal(sent);
          listener.close();
          accepted.close();
        },
      ),
      { numRuns: 8 },
    );
  });

  it('TestCopyPipeIntoTCP: what is written to a pipe comes out of a connection', async () => {
    const { dialled, accepted } = await pair.connect();
    const [one, other] = pipe({ clock: pair.clock });
    const copying = dialled.readFrom(other);
    const bytes = pattern(100_000);
    const writing = (async () => {
      for (let at = 0; at < bytes.length; at += 3000) await one.write(bytes.subarray(at, at + 3000));
      one.close();
    })();
    const [got, , count] = await pair.run(Promise.all([readFully(accepted, bytes.length), writing, copying]));
    expect(count).to.equal(bytes.length);
    expect(Buffer.compare(got, bytes)).to.equal(0);
  });

  it('TestDialCancel: a signal that comes with the answer either gives a connection or nothing', async () => {
    const listener = await pair.server.listen('tcp', '10.9.0.2:80');
    for (let turns = 0; turns < 12; turns++) {
      const controller = new AbortController();
      const dialling = pair.client.dial('tcp', '10.9.0.2:80', { signal: controller.signal });
      const outcome = dialling.catch((error: Error) => error);
      for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
      const advancing = pair.clock.advance(turns / 4);
      controller.abort();
      await advancing;
      const result = await pair.run(outcome);
      if (result instanceof Error) expect(result.message).to.equal('dial tcp 10.9.0.2:80: operation was canceled');
      else result.close();
      await pair.clock.advance(1000);
      const open = pair.client.sockets().filter(({ state }) => state !== 'TIME-WAIT' && !/^FIN|CLOS/.test(state));
      expect(open, `${turns} turns`).to.deep.equal([]);
    }
    listener.close();
  });

  it('an accept that is cancelled as a connection comes leaves it for the next', async () => {
    const listener = await pair.server.listen('tcp', '10.9.0.2:80');
    const controller = new AbortController();
    const first = rejection(listener.accept({ signal: controller.signal }));
    controller.abort();
    const [error, , accepted] = await pair.run(
      Promise.all([first, pair.client.dial('tcp', '10.9.0.2:80'), listener.accept()]),
    );
    expect(error.message).to.equal('accept tcp 10.9.0.2:80: operation was canceled');
    expect(`${accepted.localAddr()}`).to.equal('10.9.0.2:80');
  });
});

/** Reads to the end of the stream, again and again after deadlines; the bytes must be those of `pattern`. */
async function readAll(pair: Pair, conn: TCPConn, counts: number[]): Promise<void> {
  const into = new Uint8Array(50_000);
  let at = 0;
  for (;;) {
    try {
      const count = await conn.read(into);
      if (count === null) return;
      expect(Buffer.compare(into.subarray(0, count), pattern(count, at))).to.equal(0);
      at += count;
      counts.push(count);
    } catch (error) {
      if ((error as OpError).timeout !== true) throw error;
      conn.setReadDeadline(null);
      await Promise.resolve(pair);
    }
  }
}
