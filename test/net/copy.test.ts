import { expect } from 'chai';
import type { ByteSources } from '../../src/net/copy.ts';
import type { OpError } from '../../src/net/op-error.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import { connectedHosts, type Pair, pattern, readFully, rejection } from '../support/pair.ts';

const PIECES = [pattern(3), new Uint8Array(0), pattern(40_000), pattern(5)];
const ALL = Buffer.concat(PIECES);

/** Every kind of source, once. */
const SOURCES: Record<string, () => ByteSources> = {
  'a list': () => PIECES,
  'a generator': function* () {
    yield* PIECES;
  },
  'an asynchronous generator': async function* () {
    yield* PIECES;
  },
  'a stream': () => ReadableStream.from(PIECES) as ReadableStream<Uint8Array>,
  'an object that reads': () => {
    let at = 0;
    const read = async (into: Uint8Array) => {
      const count = ALL.copy(into, 0, at);
      at += count;
      return count === 0 ? null : count;
    };
    return { read };
  },
};

describe('net/copy', () => {
  let pair: Pair;
  let dialled: TCPConn;
  let accepted: TCPConn;
  let other: TCPConn;
  let otherEnd: TCPConn;

  beforeEach(async () => {
    pair = connectedHosts();
    ({ dialled, accepted } = await pair.connect());
    ({ dialled: other, accepted: otherEnd } = await pair.connect());
  });

  afterEach(async () => {
    await pair.close();
    expect(pair.clock.pending.held, 'held').to.equal(0);
  });

  const ends = (conn: TCPConn) => `${conn.localAddr()}->${conn.remoteAddr()}`;

  describe('readFrom', () => {
    for (const [name, source] of Object.entries(SOURCES)) {
      it(`takes ${name} to its end, and stays open`, async () => {
        const [count, got] = await pair.run(Promise.all([dialled.readFrom(source()), readFully(accepted, ALL.length)]));
        expect(count).to.equal(ALL.length);
        expect(Buffer.compare(got, ALL)).to.equal(0);
        await pair.run(Promise.all([dialled.write(pattern(1)), accepted.read(new Uint8Array(1))]));
      });
    }

    it('takes another connection', async () => {
      await pair.run(other.write(ALL));
      other.closeWrite();
      const [count, got] = await pair.run(Promise.all([accepted.readFrom(otherEnd), readFully(dialled, ALL.length)]));
      expect(count).to.equal(ALL.length);
      expect(Buffer.compare(got, ALL)).to.equal(0);
    });

    it('of nothing is nothing', async () => {
      expect(await pair.run(dialled.readFrom([]))).to.equal(0);
    });

    it('wraps the error of its write, and tells how far it came', async () => {
      await pair.run(dialled.readFrom([pattern(5)]));
      dialled.closeWrite();
      let returned = false;
      const source = (function* () {
        try {
          for (;;) yield pattern(3);
        } finally {
          returned = true;
        }
      })();
      const error = (await pair.run(rejection(dialled.readFrom(source)))) as OpError;
      expect(error.message).to.equal(`readfrom tcp ${ends(dialled)}: write tcp ${ends(dialled)}: write: broken pipe`);
      expect(error).to.include({ op: 'readfrom', code: 'EPIPE', syscall: 'write', bytesWritten: 0 });
      expect(returned).to.equal(true);
    });

    it('counts what went out of the write that failed', async () => {
      dialled.setWriteDeadline(pair.clock.wallNow() + 1000);
      const big = new Uint8Array(24_000_000);
      const error = (await pair.run(rejection(dialled.readFrom([pattern(7), big])))) as OpError;
      expect(error.message).to.equal(`readfrom tcp ${ends(dialled)}: write tcp ${ends(dialled)}: i/o timeout`);
      expect(error.timeout).to.equal(true);
      expect(error.bytesWritten)
        .to.equal(7 + (error.err as OpError).bytesWritten)
        .and.greaterThan(7);
    });

    it('wraps the error of its source', async () => {
      otherEnd.setReadDeadline(pair.clock.wallNow());
      const error = await rejection(accepted.readFrom(otherEnd));
      expect(error.message).to.equal(`readfrom tcp ${ends(accepted)}: read tcp ${ends(otherEnd)}: i/o timeout`);
      const broken = async function* () {
        yield pattern(2);
        throw new Error('out of paper');
      };
      const failed = (await pair.run(rejection(accepted.readFrom(broken())))) as OpError;
      expect(failed).to.include({ message: `readfrom tcp ${ends(accepted)}: out of paper`, bytesWritten: 2 });
    });

    it('is ended by a signal, however it waits', async () => {
      const never = () => new Promise<never>(() => {});
      const sources: ByteSources[] = [
        otherEnd,
        { [Symbol.asyncIterator]: () => ({ next: never }) },
        new ReadableStream({ pull: never }),
        [new Uint8Array(24_000_000)],
      ];
      for (const source of sources) {
        const controller = new AbortController();
        const reading = rejection(dialled.readFrom(source, { signal: controller.signal }));
        await pair.clock.advance(10);
        controller.abort();
        expect((await pair.run(reading)).message).to.match(/^readfrom tcp .*operation was canceled$/);
      }
    });

    it('lets go of a stream, and does not cancel it', async () => {
      const stream = new ReadableStream<Uint8Array>({ pull: (to) => to.enqueue(pattern(1)) });
      dialled.closeWrite();
      await pair.run(rejection(dialled.readFrom(stream)));
      expect(stream.locked).to.equal(false);
      expect((await stream.getReader().read()).done).to.equal(false);
    });

    it('refuses what gives no bytes', async () => {
      for (const wrong of ['text', 5, null, undefined, {}, new Uint8Array(3)])
        expect(await rejection(dialled.readFrom(wrong as never))).to.be.instanceOf(TypeError);
      const error = await rejection(dialled.readFrom(['text'] as never));
      expect(error.message).to.equal(`readfrom tcp ${ends(dialled)}: a chunk must be a Uint8Array, got string`);
    });
  });

  describe('writeTo', () => {
    it('copies to another connection, to the end of the stream', async () => {
      await pair.run(dialled.write(ALL));
      dialled.closeWrite();
      const [count, got] = await pair.run(Promise.all([accepted.writeTo(otherEnd), readFully(other, ALL.length)]));
      expect(count).to.equal(ALL.length);
      expect(Buffer.compare(got, ALL)).to.equal(0);
    });

    it('copies to a stream, which keeps what it gets', async () => {
      const chunks: Uint8Array[] = [];
      const stream = new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk) });
      const copying = accepted.writeTo(stream);
      await pair.run(dialled.write(pattern(5)));
      await pair.run(dialled.write(pattern(6, 50)));
      dialled.closeWrite();
      expect(await pair.run(copying)).to.equal(11);
      expect(Buffer.concat(chunks)).to.deep.equal(Buffer.concat([pattern(5), pattern(6, 50)]));
      expect(stream.locked).to.equal(false);
    });

    it('wraps the errors of both sides', async () => {
      otherEnd.closeWrite();
      await pair.run(dialled.write(pattern(3)));
      const broken = (await pair.run(rejection(accepted.writeTo(otherEnd)))) as OpError;
      expect(broken.message).to.equal(`writeto tcp ${ends(accepted)}: write tcp ${ends(otherEnd)}: write: broken pipe`);
      dialled.setLinger(0);
      dialled.close();
      const reset = (await pair.run(rejection(accepted.writeTo(other)))) as OpError;
      expect(reset.message).to.equal(
        `writeto tcp ${ends(accepted)}: read tcp ${ends(accepted)}: read: connection reset by peer`,
      );
      expect(reset).to.include({ op: 'writeto', code: 'ECONNRESET', temporary: false });
    });

    it('is ended by a signal', async () => {
      const controller = new AbortController();
      const copying = rejection(accepted.writeTo(other, { signal: controller.signal }));
      controller.abort();
      expect((await copying).message).to.equal(
        `writeto tcp ${ends(accepted)}: read tcp ${ends(accepted)}: operation was canceled`,
      );
    });

    it('refuses what takes no bytes', async () => {
      for (const wrong of ['text', 5, null, undefined, {}])
        expect(await rejection(dialled.writeTo(wrong as never))).to.be.instanceOf(TypeError);
    });
  });
});
