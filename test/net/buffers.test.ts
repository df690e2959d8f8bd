import { expect } from 'chai';
import { Buffers } from '../../src/net/buffers.ts';
import { pipe } from '../../src/net/pipe.ts';
import { connectedHosts, pattern, readFully, rejection } from '../support/pair.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const texts = ({ list }: Buffers) => list.map((piece) => new TextDecoder().decode(piece));

/** The cases of Go's writev_test.go. */
const CONSUME: [list: string[], count: number, left: string[]][] = [
  [['foo', 'bar'], 0, ['foo', 'bar']],
  [['foo', 'bar'], 2, ['o', 'bar']],
  [['foo', 'bar'], 3, ['bar']],
  [['foo', 'bar'], 4, ['ar']],
  [['foo', 'bar'], 6, []],
  [['', '', '', 'bar'], 1, ['ar']],
  [['', '', '', 'foo'], 0, ['foo']],
  [['', '', ''], 0, []],
  [['foo', ''], 3, []],
];

describe('net/buffers', () => {
  for (const [list, count, left] of CONSUME) {
    it(`takes ${count} off ${JSON.stringify(list)}, and leaves ${JSON.stringify(left)}`, () => {
      const buffers = new Buffers(list.map(bytes));
      buffers.consume(count);
      expect(texts(buffers)).to.deep.equal(left);
      expect(buffers.byteLength).to.equal(left.join('').length);
    });
  }

  it('is read from its front, to its end', async () => {
    const buffers = new Buffers(['a', '', 'bcd', 'e'].map(bytes));
    const into = new Uint8Array(3);
    expect(await buffers.read(into)).to.equal(3);
    expect(new TextDecoder().decode(into)).to.equal('abc');
    expect(await buffers.read(new Uint8Array(0))).to.equal(0);
    expect(await buffers.read(into)).to.equal(2);
    expect(await buffers.read(into)).to.equal(null);
  });

  it('goes to a connection as one write, and is empty then', async () => {
    const pair = connectedHosts();
    const { dialled, accepted } = await pair.connect();
    const pieces = [pattern(70_000), new Uint8Array(0), pattern(5)];
    const buffers = new Buffers(pieces);
    const [count, , got] = await pair.run(
      Promise.all([buffers.writeTo(dialled), dialled.write(pattern(1)), readFully(accepted, 70_006)]),
    );
    expect(count).to.equal(70_005);
    expect(Buffer.compare(got, Buffer.concat([...pieces, pattern(1)]))).to.equal(0);
    expect(buffers.list).to.deep.equal([]);
    expect(pieces.map(({ length }) => length)).to.deep.equal([70_000, 0, 5]);
    await pair.close();
  });

  it('keeps what did not go out', async () => {
    const pair = connectedHosts();
    const { dialled } = await pair.connect();
    const buffers = new Buffers([pattern(24_000_000), pattern(7)]);
    dialled.setWriteDeadline(pair.clock.wallNow() + 1000);
    const error = await pair.run(rejection(buffers.writeTo(dialled)));
    expect(error.message).to.equal(`writev tcp ${dialled.localAddr()}->${dialled.remoteAddr()}: i/o timeout`);
    const { bytesWritten } = error as { bytesWritten?: number };
    expect(bytesWritten).to.be.greaterThan(0);
    expect(buffers.byteLength).to.equal(24_000_007 - (bytesWritten as number));
    await pair.close();
  });

  it('goes piece by piece where there is no writev', async () => {
    const [one, other] = pipe();
    const buffers = new Buffers(['abc', '', 'de'].map(bytes));
    const writing = buffers.writeTo(one);
    expect(await other.readChunk()).to.deep.equal(bytes('abc'));
    expect(await other.read(new Uint8Array(1))).to.equal(1);
    const failed = rejection(writing);
    other.close();
    expect((await failed).message).to.equal('io: read/write on closed pipe');
    expect(texts(buffers)).to.deep.equal(['e']);
  });

  it('refuses what is no bytes', () => {
    expect(() => new Buffers(['abc' as never])).to.throw(TypeError, 'every piece must be a Uint8Array');
  });
});
