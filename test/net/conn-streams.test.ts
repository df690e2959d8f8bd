/** `conn.readable` and `conn.writable`: WHATWG streams over a connection. */
import { expect } from 'chai';
import { OpError } from '../../src/net/op-error.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import { type Connection, connectedHosts, type Pair } from '../support/pair.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytes = (words: string) => new TextEncoder().encode(words);
const filler = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31) >> 3);

async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('it did not fail');
}

async function readAll(conn: TCPConn): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of conn.readable as unknown as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('conn.readable, conn.writable', () => {
  let pair: Pair;
  let both: Connection;

  beforeEach(async () => {
    pair = connectedHosts();
    both = await pair.connect();
  });
  afterEach(() => pair.close());

  it('carry a stream each way; both ends of both close the connections', async () => {
    const { dialled, accepted } = both;
    const sent = filler(300_000);
    const echo = accepted.readable.pipeTo(accepted.writable);
    const writer = dialled.writable.getWriter();
    const read = readAll(dialled);
    await pair.run(Promise.all([writer.write(sent), writer.close(), echo, read]));
    expect(Buffer.compare(await read, sent)).to.equal(0);
    expect(() => dialled.close()).to.throw(OpError, 'use of closed network connection');
    expect(() => accepted.close()).to.throw(OpError, 'use of closed network connection');
  });

  it('are the same each time they are asked for', () => {
    const { dialled } = both;
    expect([dialled.readable, dialled.writable]).to.deep.equal([dialled.readable, dialled.writable]);
  });

  it('nothing is read before somebody asks: the window of the sender closes', async () => {
    const { dialled, accepted } = both;
    accepted.setReadBuffer(20_000);
    const reader = accepted.readable.getReader();
    const writing = dialled.write(new Uint8Array(6_000_000));
    await pair.clock.advance(5000);
    expect(dialled.tcpInfo().tcpi_snd_wnd).to.be.lessThan(3000);
    let total = 0;
    const reading = (async () => {
      while (total < 6_000_000) total += (await reader.read()).value?.length ?? 0;
    })();
    await pair.run(Promise.all([writing, reading]));
    expect(total).to.equal(6_000_000);
  });

  it('a BYOB reader gets its own buffer filled', async () => {
    const { dialled, accepted } = both;
    await pair.run(dialled.write(bytes('hello')));
    const reader = accepted.readable.getReader({ mode: 'byob' });
    const { value, done } = await pair.run(reader.read(new Uint8Array(1000)));
    expect([text(value as Uint8Array), value?.buffer.byteLength, done]).to.deep.equal(['hello', 1000, false]);
    dialled.closeWrite();
    const end = await pair.run(reader.read(new Uint8Array(10)));
    expect([end.done, end.value?.length]).to.deep.equal([true, 0]);
  });

  it('close is a FIN: the other direction goes on', async () => {
    const { dialled, accepted } = both;
    await pair.run(dialled.writable.close());
    expect(await pair.run(accepted.read(new Uint8Array(1)))).to.equal(null);
    await pair.run(accepted.write(bytes('still')));
    accepted.close();
    expect(text(await pair.run(readAll(dialled)))).to.equal('still');
  });

  it('abort is a RST, also when a write waits', async () => {
    const { dialled, accepted } = both;
    const writer = dialled.writable.getWriter();
    const waiting = failure(writer.write(new Uint8Array(8_000_000)));
    await pair.clock.advance(2000);
    await pair.run(writer.abort(new Error('enough')));
    expect((await waiting).message).to.match(/enough|canceled/);
    const error = await failure(
      pair.run(
        (async () => {
          while ((await accepted.read(new Uint8Array(1 << 20))) !== null);
        })(),
      ),
    );
    expect(error.message).to.match(/read: connection reset by peer$/);
    expect((await failure(dialled.readable.getReader().read())).message).to.equal('enough');
  });

  it('cancel is closeRead; after the writable has ended too the connection is closed', async () => {
    const { dialled } = both;
    await pair.run(dialled.readable.cancel('no more'));
    await pair.run(dialled.write(bytes('x')));
    await pair.run(dialled.writable.close());
    expect(() => dialled.close()).to.throw(OpError, 'use of closed network connection');
  });

  it('cancel ends a read that waits, with a BYOB reader too', async () => {
    for (const mode of [undefined, 'byob'] as const) {
      const { dialled } = await pair.connect();
      const reader = dialled.readable.getReader({ mode } as { mode: 'byob' });
      const waiting = reader.read(new Uint8Array(10));
      await pair.clock.advance(10);
      await pair.run(reader.cancel());
      expect((await waiting).done).to.equal(true);
      dialled.close();
    }
  });

  it('a reset fails both', async () => {
    const { dialled, accepted } = both;
    const reading = failure(dialled.readable.getReader().read());
    accepted.setLinger(0);
    accepted.close();
    expect((await pair.run(reading)).message).to.match(/^read tcp .*: read: connection reset by peer$/);
    expect((await failure(dialled.writable.getWriter().write(bytes('x')))).message).to.match(
      /connection reset by peer$/,
    );
  });

  it('take bytes of every kind, and say so of what is none', async () => {
    const { dialled, accepted } = both;
    const writer = dialled.writable.getWriter();
    const { buffer } = bytes('abcd');
    const writes = [
      writer.write(buffer),
      writer.write(new DataView(buffer, 1, 2)),
      writer.write(new Uint16Array(buffer)),
    ];
    await pair.run(Promise.all(writes));
    await pair.clock.advance(10);
    const error = await failure(writer.write('text' as never));
    expect(error).to.be.instanceOf(TypeError);
    expect(error.message).to.match(/got a string \(encode it with TextEncoder\)/);
    const got = new Uint8Array(20);
    expect(text(got.subarray(0, (await pair.run(accepted.read(got))) as number))).to.equal('abcdbcabcd');
    // What was cut short must not pass for the whole.
    expect((await failure(pair.run(accepted.read(got)))).message).to.match(/connection reset by peer$/);
  });

  it('a write that fails leaves what had arrived to the reader; then the readable fails with the same error', async () => {
    const { dialled, accepted } = both;
    await pair.run(accepted.write(bytes('413 Content Too Large')));
    await pair.clock.advance(100);
    const writer = dialled.writable.getWriter();
    const writing = failure(writer.write(new Uint8Array(8_000_000)));
    await pair.clock.advance(50);
    accepted.close();
    expect((await pair.run(writing)).message).to.match(/connection reset by peer$/);
    const reader = dialled.readable.getReader();
    expect(text((await reader.read()).value as Uint8Array)).to.equal('413 Content Too Large');
    expect(await failure(reader.read())).to.equal(await writing);
    expect(() => dialled.close()).to.throw(OpError, 'use of closed network connection');
  });

  it('a write that fails when there is nothing to be read fails both, and closes the connection', async () => {
    const { dialled, accepted } = both;
    const writer = dialled.writable.getWriter();
    const writing = failure(writer.write(new Uint8Array(8_000_000)));
    await pair.clock.advance(50);
    accepted.close();
    const error = await pair.run(writing);
    expect(error.message).to.match(/connection reset by peer$/);
    expect(await failure(dialled.readable.getReader().read())).to.equal(error);
    expect(() => dialled.close()).to.throw(OpError, 'use of closed network connection');
  });

  it('a write behind closeWrite fails the writable alone', async () => {
    const { dialled, accepted } = both;
    dialled.closeWrite();
    expect((await failure(dialled.writable.getWriter().write(bytes('x')))).message).to.match(/broken pipe$/);
    await pair.run(accepted.write(bytes('still')));
    accepted.close();
    expect(text(await pair.run(readAll(dialled)))).to.equal('still');
    expect(() => dialled.close()).to.throw(OpError, 'use of closed network connection');
  });

  it('close of a connection that was reset fails', async () => {
    const { dialled, accepted } = both;
    const writer = dialled.writable.getWriter();
    accepted.setLinger(0);
    accepted.close();
    await pair.clock.advance(100);
    expect((await failure(writer.close())).message).to.match(/not connected$/);
    expect(() => dialled.close()).to.throw(OpError, 'use of closed network connection');
  });

  it('a reader that has let go has no claim: what comes is for who reads then', async () => {
    const { dialled, accepted } = both;
    const reader = dialled.readable.getReader();
    const waiting = failure(reader.read());
    await pair.clock.advance(10);
    reader.releaseLock();
    expect(await waiting).to.be.instanceOf(TypeError);
    await pair.run(accepted.write(bytes('raw')));
    await pair.clock.advance(100);
    expect(text((await pair.run(dialled.readChunk())) as Uint8Array)).to.equal('raw');
    const next = dialled.readable.getReader().read();
    await pair.run(accepted.write(bytes('stream')));
    expect(text((await pair.run(next)).value as Uint8Array)).to.equal('stream');
  });

  it('a BYOB reader that has let go leaves its bytes to the next reader', async () => {
    for (const mode of [undefined, 'byob'] as const) {
      const { dialled, accepted } = await pair.connect();
      const reader = dialled.readable.getReader({ mode: 'byob' });
      const waiting = failure(reader.read(new Uint8Array(10)));
      await pair.clock.advance(10);
      reader.releaseLock();
      await waiting;
      await pair.run(accepted.write(bytes('for the next')));
      await pair.clock.advance(100);
      const next = dialled.readable.getReader({ mode } as { mode: 'byob' });
      expect(text((await pair.run(next.read(new Uint8Array(20)))).value as Uint8Array)).to.equal('for the next');
      dialled.close();
      accepted.close();
    }
  });

  it('a buffer that is transferred while a read or a write waits fails that call alone', async () => {
    const { dialled, accepted } = both;
    const into = new Uint8Array(10);
    const reading = failure(dialled.read(into));
    structuredClone(into, { transfer: [into.buffer] });
    await pair.run(accepted.write(bytes('hello')));
    expect((await pair.run(reading)).message).to.match(/read tcp .*: the buffer was transferred/);
    expect(text((await pair.run(dialled.readChunk())) as Uint8Array)).to.equal('hello');
    const sent = new Uint8Array(8_000_000);
    const writing = failure(dialled.write(sent));
    await pair.clock.advance(100);
    structuredClone(sent, { transfer: [sent.buffer] });
    const reads = (async () => {
      while ((await accepted.readChunk()) !== null);
    })();
    expect((await pair.run(writing)).message).to.match(/write tcp .*: the bytes were transferred/);
    dialled.close();
    await pair.run(reads);
  });
});
