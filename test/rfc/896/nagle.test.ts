/** RFC 896, RFC 9293 3.7.4: Nagle's algorithm as Linux has it (Minshall), TCP_NODELAY, TCP_CORK and MSG_MORE. */
import { expect } from 'chai';
import { MSG_MORE, TCP_CORK, TCP_NODELAY } from '../../../src/socket/constants.ts';
import { establishedAfter, info } from '../../support/wire-info.ts';
import { established } from '../../support/wire-peer.ts';

describe('RFC 9293 3.7.4 [SHLD-7]: the Nagle algorithm', () => {
  it('a short segment goes at once when nothing is out', async () => {
    const t = await established();
    t.write('a');
    t.expect({ seq: 1, data: 'a', flags: 'PA' });
  });

  it('while one is out, the next waits until it is acknowledged, and what came meanwhile goes with it', async () => {
    const t = await establishedAfter(100);
    t.write('a');
    t.expect({ data: 'a' });
    t.write('b');
    t.expectNothing();
    t.write('c');
    await t.advance(100);
    t.expectNothing();
    t.inject({ ack: 2 });
    t.expect({ seq: 2, data: 'bc' });
  });

  it('or until there is a full segment', async () => {
    const t = await establishedAfter(100);
    t.write('a');
    t.expect({ data: 'a' });
    t.write(1459);
    t.expectNothing();
    t.write(2);
    t.expect({ seq: 2, length: 1460 });
    t.expectNothing();
  });

  it("Minshall's variation: full segments that are out hold back nothing", async () => {
    const t = await establishedAfter(100);
    t.write(2 * 1460);
    expect(t.drain().map(({ length }) => length)).to.deep.equal([1460, 1460]);
    t.write(100);
    t.expect({ seq: 2921, length: 100 });
    t.write('b');
    t.expectNothing();
    t.inject({ ack: 2921 });
    t.expectNothing();
    t.inject({ ack: 3021 });
    t.expect({ seq: 3021, data: 'b' });
  });

  it('a FIN takes what waits with it', async () => {
    const t = await establishedAfter(100);
    t.write('a');
    t.expect({ data: 'a' });
    t.write('b');
    t.expectNothing();
    t.socket.shutdown(1);
    t.expect({ seq: 2, data: 'b', flags: 'FPA' });
  });

  it('[MUST-17] TCP_NODELAY turns it off', async () => {
    const t = await establishedAfter(100);
    expect(t.socket.setsockopt(6, TCP_NODELAY, 1)).to.equal(0);
    for (const [i, letter] of [...'abc'].entries()) {
      t.write(letter);
      t.expect({ seq: 1 + i, data: letter });
    }
  });

  it('and lets go what waits', async () => {
    const t = await establishedAfter(100);
    t.write('a');
    t.write('b');
    t.flush();
    t.write('c');
    t.drain();
    t.expectNothing();
    t.socket.setsockopt(6, TCP_NODELAY, 1);
    t.expect({ data: 'c' });
    t.socket.setsockopt(6, TCP_NODELAY, 0);
    t.write('d');
    t.expectNothing();
  });
});

describe('TCP_CORK', () => {
  it('holds partial segments back for an RTO', async () => {
    const t = await establishedAfter(100);
    t.socket.setsockopt(6, TCP_CORK, 1);
    t.write('a');
    await t.advance(150);
    t.write('b');
    await t.advance(149);
    t.expectNothing();
    await t.advance(1);
    t.expect({ seq: 1, data: 'ab' });
    t.write('c');
    await t.advance(100);
    t.inject({ ack: 3 });
    t.expectNothing();
    await t.advance(310);
    t.expect({ data: 'c' });
    expect(t.counters.TCPWinProbe).to.equal(0);
  });

  it('an acknowledgment starts its time anew, data that acknowledges nothing does not', async () => {
    const t = await establishedAfter(100);
    t.socket.setsockopt(6, TCP_CORK, 1);
    t.write('a');
    await t.advance(200);
    t.inject();
    await t.advance(200);
    t.inject({ seq: 1, data: 'x' });
    await t.advance(99);
    expect(t.drain().filter(({ length }) => length > 0)).to.deep.equal([]);
    await t.advance(1);
    t.expect({ data: 'a' });
  });

  it('full ones go', async () => {
    const t = await establishedAfter(100);
    t.socket.setsockopt(6, TCP_CORK, 1);
    t.write(2 * 1460 + 10);
    expect(t.drain().map(({ length }) => length)).to.deep.equal([1460, 1460]);
    t.write(1450);
    t.expect({ seq: 2921, length: 1460 });
  });

  it('turned off, it lets go at once', async () => {
    const t = await establishedAfter(100);
    t.socket.setsockopt(6, TCP_CORK, 1);
    t.write('a');
    t.expectNothing();
    t.socket.setsockopt(6, TCP_CORK, 0);
    t.expect({ data: 'a' });
    await t.advance(200);
    t.inject({ ack: 2 });
    t.expectNothing();
  });

  it('outweighs TCP_NODELAY', async () => {
    const t = await establishedAfter(100);
    t.socket.setsockopt(6, TCP_NODELAY, 1);
    t.socket.setsockopt(6, TCP_CORK, 1);
    t.write('a');
    t.expectNothing();
    await t.advance(300);
    t.expect({ data: 'a' });
  });

  it('a FIN is not held back', async () => {
    const t = await establishedAfter(100);
    t.socket.setsockopt(6, TCP_CORK, 1);
    t.write('a');
    t.socket.shutdown(1);
    t.expect({ data: 'a', flags: 'FPA' });
  });

  it('what cwnd holds back waits an RTO from then on', async () => {
    const t = await establishedAfter(300);
    t.socket.setsockopt(6, TCP_CORK, 1);
    t.write(11 * 1460 + 10);
    expect(t.drain()).to.have.length(10);
    await t.advance(300);
    t.inject({ ack: 1 + 10 * 1460 });
    t.expect({ length: 1460 });
    await t.advance(300);
    t.inject({ ack: 1 + 11 * 1460 });
    await t.advance(1000);
    t.expect({ length: 10 });
    expect(info(t).tcpi_notsent_bytes).to.equal(0);
  });

  it('does not stand in the way of probing a closed window', async () => {
    const t = await establishedAfter(100);
    t.socket.setsockopt(6, TCP_CORK, 1);
    t.inject({ win: 0 });
    t.write('a');
    await t.advance(300);
    t.expect({ seq: 0, length: 0 });
    t.inject({ win: 100 });
    t.expectNothing();
    await t.advance(300);
    t.expect({ seq: 1, data: 'a' });
  });
});

describe('MSG_MORE', () => {
  it('is TCP_CORK for one write: the next without it lets go', async () => {
    const t = await establishedAfter(100);
    t.write('head', MSG_MORE);
    t.expectNothing();
    t.write('body');
    t.expect({ seq: 1, data: 'headbody' });
  });

  it('or an acknowledgment, of whatever: but nothing is pushed, as there is more to come', async () => {
    const t = await establishedAfter(100);
    t.write('head', MSG_MORE);
    t.inject({ seq: 1, data: 'x' });
    t.expect({ length: 0 });
    t.inject({ seq: 2 });
    t.expect({ data: 'head', flags: 'A' });
    t.write('body', MSG_MORE);
    t.socket.shutdown(1);
    t.expect({ data: 'body', flags: 'FPA' });
  });

  it('or an RTO', async () => {
    const t = await establishedAfter(100);
    t.write('head', MSG_MORE);
    await t.advance(299);
    t.expectNothing();
    await t.advance(1);
    t.expect({ data: 'head' });
  });

  it('with TCP_NODELAY, too', async () => {
    const t = await establishedAfter(100);
    t.socket.setsockopt(6, TCP_NODELAY, 1);
    t.write('head', MSG_MORE);
    t.expectNothing();
    t.write('body');
    t.expect({ data: 'headbody' });
  });
});
