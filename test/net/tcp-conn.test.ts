import { getEventListeners } from 'node:events';
import { expect } from 'chai';
import { DeadlineExceededError, errClosed, errDeadlineExceeded, SyscallError } from '../../src/net/errors.ts';
import { OpError } from '../../src/net/op-error.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import { type Connection, connectedHosts, type Pair, pattern, readFully, rejection, thrown } from '../support/pair.ts';

/** More than both buffers of a connection hold. */
const TOO_MUCH = 24 * 1024 * 1024;

describe('net/tcp-conn', () => {
  let pair: Pair;
  let connection: Connection;
  let dialled: TCPConn;
  let accepted: TCPConn;

  beforeEach(async () => {
    pair = connectedHosts();
    connection = await pair.connect();
    ({ dialled, accepted } = connection);
  });

  afterEach(async () => {
    await pair.close();
    expect(pair.clock.pending.held, 'held').to.equal(0);
  });

  /** `read tcp L->R`, as the dialling side sees itself. */
  const ends = () => `${dialled.localAddr()}->${dialled.remoteAddr()}`;
  const send = async (from: TCPConn, bytes: Uint8Array) =>
    expect(await pair.run(from.write(bytes))).to.equal(bytes.length);
  const settle = () => pair.clock.advance(1000);
  const wall = (ms: number) => pair.clock.wallNow() + ms;

  describe('addresses', () => {
    it('are those of both ends', () => {
      expect(dialled.localAddr().toString()).to.match(/^10\.9\.0\.1:\d+$/);
      expect(dialled.remoteAddr().toString()).to.equal(accepted.localAddr().toString());
      expect(dialled.localAddr().toString()).to.equal(accepted.remoteAddr().toString());
      expect(dialled.localAddr().network()).to.equal('tcp');
    });

    it('are known after the close', () => {
      const before = ends();
      dialled.close();
      expect(ends()).to.equal(before);
    });
  });

  describe('read', () => {
    it('gives what is there, as soon as it is one byte', async () => {
      const into = new Uint8Array(100);
      const reading = accepted.read(into);
      await send(dialled, pattern(3));
      expect(await pair.run(reading)).to.equal(3);
      expect(into.subarray(0, 3)).to.deep.equal(pattern(3));
    });

    it('leaves what does not fit for the next', async () => {
      await send(dialled, pattern(10));
      const into = new Uint8Array(7);
      expect(await pair.run(accepted.read(into))).to.equal(7);
      expect(into).to.deep.equal(pattern(7));
      expect(await pair.run(accepted.read(into))).to.equal(3);
      expect(into.subarray(0, 3)).to.deep.equal(pattern(3, 7));
    });

    it('is settled in the call when the bytes are there', async () => {
      await send(dialled, pattern(3));
      await settle();
      // No turn of the event loop passes: one microtask is enough.
      let result: number | null | undefined;
      void accepted.read(new Uint8Array(10)).then((count) => {
        result = count;
      });
      await Promise.resolve();
      expect(result).to.equal(3);
    });

    it('serves readers in the order of their calls', async () => {
      const first = new Uint8Array(4);
      const second = new Uint8Array(4);
      const both = Promise.all([accepted.read(first), accepted.read(second)]);
      await send(dialled, pattern(8));
      expect(await pair.run(both)).to.deep.equal([4, 4]);
      expect(first).to.deep.equal(pattern(4));
      expect(second).to.deep.equal(pattern(4, 4));
    });

    it('gives 0 at once when there is no room, even after the deadline', async () => {
      accepted.setReadDeadline(wall(-1));
      expect(await accepted.read(new Uint8Array(0))).to.equal(0);
    });

    it('gives null at the end of the stream, again and again', async () => {
      await send(dialled, pattern(3));
      dialled.closeWrite();
      await settle();
      expect(await pair.run(accepted.read(new Uint8Array(10)))).to.equal(3);
      expect(await pair.run(accepted.read(new Uint8Array(10)))).to.equal(null);
      expect(await pair.run(accepted.read(new Uint8Array(10)))).to.equal(null);
    });

    it('refuses anything but a Uint8Array', async () => {
      const error = await rejection(accepted.read('text' as never));
      expect(error).to.be.instanceOf(TypeError);
      expect(error.message).to.match(/^TCPConn\.read: into must be a Uint8Array, got a string/);
    });
  });

  describe('readChunk and iteration', () => {
    it('gives chunks of their own, and null at the end', async () => {
      await send(dialled, pattern(5));
      const first = await pair.run(accepted.readChunk());
      await send(dialled, pattern(5, 5));
      dialled.closeWrite();
      const second = await pair.run(accepted.readChunk());
      expect(first).to.deep.equal(pattern(5));
      expect(second).to.deep.equal(pattern(5, 5));
      expect(await pair.run(accepted.readChunk())).to.equal(null);
    });

    it('gives chunks that stay as they are', async () => {
      const bytes = pattern(500_000);
      const writing = dialled.write(bytes).then(() => dialled.closeWrite());
      const chunks: Uint8Array[] = [];
      const reading = (async () => {
        for await (const chunk of accepted) chunks.push(chunk);
      })();
      await pair.run(Promise.all([writing, reading]));
      expect(Math.max(...chunks.map(({ length }) => length))).to.be.within(16_385, 65_536);
      expect(Buffer.compare(Buffer.concat(chunks), bytes)).to.equal(0);
    });

    it('goes through the stream to its end', async () => {
      const bytes = pattern(1_000_000);
      const all = new Uint8Array(bytes.length);
      const reading = (async () => {
        let at = 0;
        for await (const chunk of accepted) {
          all.set(chunk, at);
          at += chunk.length;
        }
        return at;
      })();
      const writing = dialled.write(bytes).then(() => dialled.closeWrite());
      await pair.run(writing);
      expect(await pair.run(reading)).to.equal(bytes.length);
      expect(Buffer.compare(all, bytes)).to.equal(0);
    });

    it('does not close the connection when the loop is left', async () => {
      await send(dialled, pattern(5));
      await settle();
      for await (const _chunk of accepted) break;
      await send(accepted, pattern(1));
    });
  });

  describe('write', () => {
    it('takes all bytes, whatever room there is', async () => {
      const bytes = pattern(5_000_000);
      const [written, read] = await pair.run(Promise.all([dialled.write(bytes), readFully(accepted, bytes.length)]));
      expect(written).to.equal(bytes.length);
      expect(Buffer.compare(read, bytes)).to.equal(0);
    });

    it('gives the bytes back to the caller when it settles', async () => {
      const bytes = pattern(1000);
      await pair.run(dialled.write(bytes));
      bytes.fill(0);
      expect(await pair.run(readFully(accepted, 1000))).to.deep.equal(pattern(1000));
    });

    it('never mixes the bytes of two writes', async () => {
      const each = 6_000_000;
      const writes = [1, 2, 3].map((value) => dialled.write(new Uint8Array(each).fill(value)));
      const read = await pair.run(readFully(accepted, 3 * each));
      await pair.run(Promise.all(writes));
      for (const value of [1, 2, 3]) {
        const part = read.subarray((value - 1) * each, value * each);
        expect(part.every((byte) => byte === value)).to.equal(true);
      }
    });

    it('lets no other write slip in when there is a little room again', async () => {
      const first = dialled.write(new Uint8Array(TOO_MUCH));
      await settle();
      await pair.run(readFully(accepted, 100_000));
      await settle();
      const second = dialled.write(new Uint8Array(5).fill(1));
      const read = await pair.run(readFully(accepted, TOO_MUCH - 100_000 + 5));
      await pair.run(Promise.all([first, second]));
      expect(read.indexOf(1)).to.equal(TOO_MUCH - 100_000);
    });

    it('takes a list as one', async () => {
      // More than the buffers hold, so that it goes in several steps, which end within pieces and between them.
      const list = [pattern(10), new Uint8Array(0)];
      for (let at = 10; at < 15_000_000; at += 999_999) list.push(pattern(999_999, at), new Uint8Array(0));
      const total = list.reduce((sum, { length }) => sum + length, 0);
      const [written, read] = await pair.run(Promise.all([dialled.writev(list), readFully(accepted, total)]));
      expect(written).to.equal(total);
      expect(Buffer.compare(read, pattern(total))).to.equal(0);
    }).timeout(10_000);

    it('takes no bytes at once', async () => {
      expect(await dialled.write(new Uint8Array(0))).to.equal(0);
      expect(await dialled.writev([])).to.equal(0);
      expect(await dialled.writev([new Uint8Array(0), new Uint8Array(0)])).to.equal(0);
    });

    it('of no bytes fails after the deadline', async () => {
      dialled.setWriteDeadline(wall(-1));
      const error = await rejection(dialled.write(new Uint8Array(0)));
      expect(error.message).to.equal(`write tcp ${ends()}: i/o timeout`);
    });

    it('says how many bytes went out before it failed', async () => {
      const writing = rejection(dialled.write(new Uint8Array(TOO_MUCH)));
      await settle();
      dialled.close();
      const error = (await writing) as OpError;
      expect(error.err).to.equal(errClosed);
      expect(error.bytesWritten).to.be.within(1, TOO_MUCH - 1);
    });

    it('refuses anything but a Uint8Array', async () => {
      for (const wrong of ['text', undefined, 5, [1]]) {
        const error = await rejection(dialled.write(wrong as never));
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message).to.match(/^TCPConn\.write: bytes must be a Uint8Array, got /);
      }
      const hidden = await rejection(dialled.writev([pattern(1), undefined as never]));
      expect(hidden).to.be.instanceOf(TypeError);
    });

    it('does not wait for a read, nor a read for it', async () => {
      const reading = dialled.read(new Uint8Array(1));
      await send(dialled, pattern(5));
      await send(accepted, pattern(1));
      expect(await pair.run(reading)).to.equal(1);
    });
  });

  describe('deadlines', () => {
    it('fail a read that waits, exactly then', async () => {
      const start = pair.clock.now();
      accepted.setReadDeadline(wall(250));
      const error = (await pair.run(rejection(accepted.read(new Uint8Array(1))))) as OpError;
      expect(pair.clock.now() - start).to.equal(250);
      expect(error).to.be.instanceOf(OpError);
      expect(error.message).to.equal(`read tcp ${accepted.localAddr()}->${accepted.remoteAddr()}: i/o timeout`);
      expect(error.err).to.equal(errDeadlineExceeded);
      expect(error.err).to.be.instanceOf(DeadlineExceededError);
      expect(error).to.include({
        op: 'read',
        net: 'tcp',
        timeout: true,
        temporary: true,
        code: 'ERR_DEADLINE_EXCEEDED',
      });
    });

    it('are taken as Date too', async () => {
      const start = pair.clock.now();
      accepted.setDeadline(new Date(wall(250)));
      await pair.run(rejection(accepted.read(new Uint8Array(1))));
      expect(pair.clock.now() - start).to.equal(250);
    });

    it('fail a write that waits, with what it had written', async () => {
      const start = pair.clock.now();
      dialled.setWriteDeadline(wall(5000));
      const error = (await pair.run(rejection(dialled.write(new Uint8Array(TOO_MUCH))))) as OpError;
      expect(pair.clock.now() - start).to.equal(5000);
      expect(error.err).to.equal(errDeadlineExceeded);
      expect(error.bytesWritten).to.be.within(1, TOO_MUCH - 1);
    });

    it('in the past, or now, fail everything at once, data and room or not', async () => {
      await send(dialled, pattern(5));
      await settle();
      for (const at of [0, wall(-1), wall(0)]) {
        accepted.setDeadline(at);
        expect(((await rejection(accepted.read(new Uint8Array(9)))) as OpError).err).to.equal(errDeadlineExceeded);
        const error = (await rejection(accepted.write(pattern(1)))) as OpError;
        expect(error.err).to.equal(errDeadlineExceeded);
        expect(error.bytesWritten).to.equal(0);
      }
      // The connection was not harmed.
      accepted.setDeadline(null);
      expect(await pair.run(accepted.read(new Uint8Array(9)))).to.equal(5);
    });

    it('apply to a read that waits already, moved and cleared', async () => {
      const start = pair.clock.now();
      accepted.setReadDeadline(wall(100));
      const reading = rejection(accepted.read(new Uint8Array(1)));
      await pair.clock.advance(50);
      accepted.setReadDeadline(wall(400));
      await pair.run(reading);
      expect(pair.clock.now() - start).to.equal(450);

      accepted.setReadDeadline(wall(100));
      const other = accepted.read(new Uint8Array(1));
      accepted.setReadDeadline(null);
      await pair.clock.advance(10_000);
      await send(dialled, pattern(1));
      expect(await pair.run(other)).to.equal(1);
    });

    it('set in the past wake a read that waits', async () => {
      const reading = rejection(accepted.read(new Uint8Array(1)));
      accepted.setReadDeadline(wall(-5));
      expect(((await reading) as OpError).err).to.equal(errDeadlineExceeded);
    });

    it('fail all that wait', async () => {
      accepted.setReadDeadline(wall(10));
      const errors = await pair.run(Promise.all([1, 2, 3].map(() => rejection(accepted.read(new Uint8Array(1))))));
      for (const error of errors) expect((error as OpError).err).to.equal(errDeadlineExceeded);
    });

    it('of reads and writes are independent', async () => {
      dialled.setReadDeadline(wall(-1));
      await send(dialled, pattern(5));
      dialled.setReadDeadline(null);
      dialled.setWriteDeadline(wall(-1));
      await send(accepted, pattern(5));
      expect(await pair.run(dialled.read(new Uint8Array(9)))).to.equal(5);
    });

    it('stay after they have passed', async () => {
      accepted.setReadDeadline(wall(10));
      await pair.clock.advance(20);
      for (let i = 0; i < 2; i++)
        expect(((await rejection(accepted.read(new Uint8Array(1)))) as OpError).err).to.equal(errDeadlineExceeded);
    });

    it('are refused when they are no time', () => {
      for (const wrong of [Number.NaN, 'soon' as never, undefined as never, new Date(Number.NaN)]) {
        expect(() => accepted.setReadDeadline(wrong)).to.throw(TypeError, /deadline must be a Date, a number of ms/);
      }
    });

    it('of Infinity are none', async () => {
      accepted.setReadDeadline(Infinity);
      await send(dialled, pattern(1));
      expect(await pair.run(accepted.read(new Uint8Array(9)))).to.equal(1);
    });
  });

  describe('signals', () => {
    it('end a read that waits, and nothing else', async () => {
      const controller = new AbortController();
      const reason = new Error('enough');
      const first = rejection(accepted.read(new Uint8Array(1), { signal: controller.signal }));
      const second = accepted.read(new Uint8Array(1));
      controller.abort(reason);
      const error = (await first) as OpError;
      expect(error.message).to.equal(
        `read tcp ${accepted.localAddr()}->${accepted.remoteAddr()}: operation was canceled`,
      );
      expect(error).to.include({ timeout: false, code: 'ABORT_ERR' });
      expect(error.err.cause).to.equal(reason);
      await send(dialled, pattern(1));
      expect(await pair.run(second)).to.equal(1);
    });

    it('aborted before keep a call from starting', async () => {
      await send(dialled, pattern(1));
      await settle();
      const signal = AbortSignal.abort();
      expect(((await rejection(accepted.read(new Uint8Array(1), { signal }))) as OpError).code).to.equal('ABORT_ERR');
      expect(((await rejection(accepted.write(pattern(1), { signal }))) as OpError).code).to.equal('ABORT_ERR');
      expect(await pair.run(accepted.read(new Uint8Array(1)))).to.equal(1);
    });

    it('end a write that waits, and let the next one go on', async () => {
      const controller = new AbortController();
      const first = rejection(dialled.write(new Uint8Array(TOO_MUCH), { signal: controller.signal }));
      const second = dialled.write(pattern(1));
      await settle();
      controller.abort();
      const { bytesWritten } = (await first) as OpError;
      const read = await pair.run(readFully(accepted, bytesWritten + 1));
      expect(await pair.run(second)).to.equal(1);
      expect(read.length).to.equal(bytesWritten + 1);
    });

    it('let the next call go on at once, when it can', async () => {
      const controller = new AbortController();
      const first = rejection(dialled.write(new Uint8Array(TOO_MUCH), { signal: controller.signal }));
      await settle();
      const second = dialled.write(new Uint8Array(0));
      controller.abort();
      await first;
      expect(await second).to.equal(0);
    });

    it('end the last that waits, and calls after it are served', async () => {
      const controller = new AbortController();
      const first = accepted.read(new Uint8Array(1));
      const second = rejection(accepted.read(new Uint8Array(1), { signal: controller.signal }));
      controller.abort();
      await second;
      const third = accepted.read(new Uint8Array(1));
      await send(dialled, pattern(2));
      expect(await pair.run(Promise.all([first, third]))).to.deep.equal([1, 1]);
    });

    it('leave no listener behind', async () => {
      const { signal } = new AbortController();
      const reading = accepted.read(new Uint8Array(1), { signal });
      expect(getEventListeners(signal, 'abort').length).to.equal(1);
      await send(dialled, pattern(1));
      await pair.run(reading);
      expect(getEventListeners(signal, 'abort').length).to.equal(0);
      const failing = rejection(accepted.read(new Uint8Array(1), { signal }));
      accepted.close();
      await failing;
      expect(getEventListeners(signal, 'abort').length).to.equal(0);
    });

    it('are not listened to any more when the call is over', async () => {
      const controller = new AbortController();
      const reading = accepted.read(new Uint8Array(1), { signal: controller.signal });
      await send(dialled, pattern(1));
      await pair.run(reading);
      controller.abort();
      await send(dialled, pattern(1));
      expect(await pair.run(accepted.read(new Uint8Array(1)))).to.equal(1);
    });
  });

  describe('close', () => {
    it('fails what waits, and everything after', async () => {
      const reading = rejection(dialled.read(new Uint8Array(1)));
      const writing = rejection(dialled.write(new Uint8Array(TOO_MUCH)));
      await settle();
      dialled.close();
      for (const error of [
        await reading,
        await writing,
        await rejection(dialled.read(new Uint8Array(1))),
        await rejection(dialled.write(pattern(1))),
      ]) {
        expect((error as OpError).err).to.equal(errClosed);
        expect(error).to.include({ timeout: false, temporary: false, code: 'ERR_CLOSED' });
      }
      expect((await rejection(dialled.read(new Uint8Array(0)))).message).to.equal(
        `read tcp ${ends()}: use of closed network connection`,
      );
      expect((await rejection(dialled.readChunk())).message).to.equal(
        `read tcp ${ends()}: use of closed network connection`,
      );
      expect((await rejection(dialled.write(pattern(0)))).message).to.equal(
        `write tcp ${ends()}: use of closed network connection`,
      );
    });

    it('is an error the second time', () => {
      dialled.close();
      expect(thrown(() => dialled.close()).message).to.equal(`close tcp ${ends()}: use of closed network connection`);
      expect(thrown(() => dialled.closeRead()).message).to.equal(
        `close tcp ${ends()}: use of closed network connection`,
      );
      expect(thrown(() => dialled.closeWrite()).message).to.equal(
        `close tcp ${ends()}: use of closed network connection`,
      );
    });

    it('makes setting fail, with the ends that Go names', () => {
      dialled.close();
      const local = `set tcp ${dialled.localAddr()}: use of closed network connection`;
      const both = `set tcp ${ends()}: use of closed network connection`;
      for (const call of [
        () => dialled.setDeadline(null),
        () => dialled.setReadDeadline(null),
        () => dialled.setWriteDeadline(null),
        () => dialled.setReadBuffer(4096),
        () => dialled.setWriteBuffer(4096),
      ]) {
        expect(thrown(call).message).to.equal(local);
      }
      for (const call of [
        () => dialled.setNoDelay(),
        () => dialled.setLinger(0),
        () => dialled.setKeepAlive(true),
        () => dialled.setKeepAlivePeriod(1),
        () => dialled.setKeepAliveConfig({}),
      ]) {
        expect(thrown(call).message).to.equal(both);
      }
    });

    it('delivers what was written, then the end of the stream', async () => {
      await send(dialled, pattern(100_000));
      dialled.close();
      expect((await pair.run(readFully(accepted, 100_000))).length).to.equal(100_000);
      expect(await pair.run(accepted.read(new Uint8Array(1)))).to.equal(null);
    });

    it('lets the peer write once more, then breaks the pipe', async () => {
      dialled.close();
      await settle();
      expect(await pair.run(accepted.write(pattern(1)))).to.equal(1);
      await settle();
      const error = (await pair.run(rejection(accepted.write(pattern(1))))) as OpError;
      expect(error.err).to.be.instanceOf(SyscallError);
      expect(error.message).to.match(/^write tcp .*: write: broken pipe$/);
      expect(error).to.include({ code: 'EPIPE', timeout: false, temporary: false });
    });

    it('with unread bytes resets the peer', async () => {
      await send(accepted, pattern(10));
      await settle();
      dialled.close();
      await settle();
      const error = (await pair.run(rejection(accepted.read(new Uint8Array(1))))) as OpError;
      expect(error.message).to.equal(
        `read tcp ${accepted.localAddr()}->${accepted.remoteAddr()}: read: connection reset by peer`,
      );
      expect(error).to.include({ code: 'ECONNRESET', syscall: 'read', errno: -104, timeout: false, temporary: false });
      expect(await pair.run(accepted.read(new Uint8Array(1)))).to.equal(null);
      expect(((await pair.run(rejection(accepted.write(pattern(1))))) as OpError).code).to.equal('EPIPE');
    });

    it('after setLinger(0) resets the peer, which may read what came before', async () => {
      await send(dialled, pattern(10));
      await settle();
      dialled.setLinger(0);
      dialled.close();
      await settle();
      expect(await pair.run(accepted.read(new Uint8Array(99)))).to.equal(10);
      expect(((await pair.run(rejection(accepted.read(new Uint8Array(1))))) as OpError).code).to.equal('ECONNRESET');
      expect(await pair.run(accepted.read(new Uint8Array(1)))).to.equal(null);
    });

    it('after setLinger(0) and setLinger(-1) delivers again', async () => {
      dialled.setLinger(0);
      dialled.setLinger(-1);
      await send(dialled, pattern(3));
      dialled.close();
      await settle();
      expect(await accepted.read(new Uint8Array(9))).to.equal(3);
      expect(await accepted.read(new Uint8Array(9))).to.equal(null);
    });

    it('wakes a read of the peer with the reset', async () => {
      const reading = rejection(accepted.read(new Uint8Array(1)));
      dialled.setLinger(0);
      dialled.close();
      expect(((await pair.run(reading)) as OpError).code).to.equal('ECONNRESET');
    });

    it('is what disposing does, once or more', async () => {
      dialled[Symbol.dispose]();
      await dialled[Symbol.asyncDispose]();
      expect(await pair.run(accepted.read(new Uint8Array(1)))).to.equal(null);
      accepted.close();
      await accepted[Symbol.asyncDispose]();
    });
  });

  describe('closeWrite', () => {
    it('ends the stream after the last byte; reading goes on', async () => {
      await send(dialled, pattern(10));
      dialled.closeWrite();
      dialled.closeWrite();
      expect((await pair.run(readFully(accepted, 99))).length).to.equal(10);
      await send(accepted, pattern(7));
      expect(await pair.run(dialled.read(new Uint8Array(99)))).to.equal(7);
      expect(((await pair.run(rejection(dialled.write(pattern(1))))) as OpError).message).to.equal(
        `write tcp ${ends()}: write: broken pipe`,
      );
    });

    it('fails a write that waits', async () => {
      const writing = rejection(dialled.write(new Uint8Array(TOO_MUCH)));
      await settle();
      dialled.closeWrite();
      const error = (await writing) as OpError;
      expect(error.code).to.equal('EPIPE');
      expect(error.bytesWritten).to.be.within(1, TOO_MUCH - 1);
    });
  });

  describe('closeRead', () => {
    it('ends reading; the peer may still write', async () => {
      const reading = dialled.read(new Uint8Array(1));
      dialled.closeRead();
      dialled.closeRead();
      expect(await pair.run(reading)).to.equal(null);
      expect(await pair.run(dialled.read(new Uint8Array(1)))).to.equal(null);
      await send(accepted, pattern(1));
      await send(dialled, pattern(1));
      expect(await pair.run(accepted.read(new Uint8Array(9)))).to.equal(1);
    });

    it('says that there is no connection once both sides have ended', async () => {
      dialled.closeWrite();
      accepted.closeWrite();
      await pair.clock.advance(200_000);
      for (const call of [() => dialled.closeRead(), () => dialled.closeWrite()]) {
        const error = thrown(call);
        expect(error.message).to.equal(`close tcp ${ends()}: shutdown: transport endpoint is not connected`);
        expect(error).to.include({ op: 'close', code: 'ENOTCONN', syscall: 'shutdown' });
      }
    });
  });

  describe('buffers', () => {
    it('are hints that never fail', async () => {
      for (const size of [0, -1, 1, 65_536, 2 ** 31]) {
        dialled.setReadBuffer(size);
        dialled.setWriteBuffer(size);
      }
      expect(() => dialled.setReadBuffer(1.5)).to.throw(TypeError, /bytes must be an integer/);
      const bytes = pattern(300_000);
      const [, read] = await pair.run(Promise.all([dialled.write(bytes), readFully(accepted, bytes.length)]));
      expect(Buffer.compare(read, bytes)).to.equal(0);
    });
  });

  it('holds the process while a call waits, unless it is unref', async () => {
    const before = pair.clock.pending.held;
    const reading = accepted.read(new Uint8Array(1));
    expect(pair.clock.pending.held).to.equal(before + 1);
    accepted.unref();
    expect(pair.clock.pending.held).to.equal(before);
    accepted.ref();
    expect(pair.clock.pending.held).to.equal(before + 1);
    await send(dialled, pattern(1));
    await pair.run(reading);
    expect(pair.clock.pending.held).to.equal(before);
  });
});
