/** Closing, where no RFC says much and Linux has its ways: FINs beyond a hole, FIN-WAIT-2 that nobody holds, errors of those who still do. */
import { expect } from 'chai';
import { SO_LINGER, SOL_SOCKET } from '../../src/socket/constants.ts';
import { ECONNRESET, EPIPE } from '../../src/socket/errno.ts';
import { established } from '../support/wire-peer.ts';
import { inState } from '../support/wire-states.ts';

const SACK = { options: { mss: 1460, sackOk: true } } as const;

describe('a FIN beyond a hole', () => {
  it('is SACKed as one number, by itself and behind data', async () => {
    const t = await established(SACK);
    t.inject({ seq: 1001, flags: 'FA' });
    t.expect({ ack: 1, options: { sack: [[1001, 1002]] } });
    t.inject({ seq: 501, length: 500 });
    t.expect({ ack: 1, options: { sack: [[501, 1002]] } });
    t.inject({ seq: 201, length: 100 });
    const both = [
      [201, 301],
      [501, 1002],
    ] as const;
    t.expect({ ack: 1, options: { sack: both } });
    t.inject({ seq: 1, length: 200 });
    t.expect({ ack: 301, options: { sack: [[501, 1002]] } });
    t.inject({ seq: 301, length: 200 });
    t.expect({ ack: 1002, options: { sack: undefined } });
    expect(t.state()).to.equal('CLOSE-WAIT');
  });

  it('that comes with data is part of what that SACKs, at once', async () => {
    const t = await established(SACK);
    t.inject({ seq: 501, length: 500, flags: 'FA' });
    t.expect({ ack: 1, options: { sack: [[501, 1002]] } });
    t.inject({ seq: 1, length: 500 });
    t.expect({ ack: 1002 });
  });

  it('twice: the second is reported as a duplicate (RFC 2883 4)', async () => {
    const t = await established(SACK);
    t.inject({ seq: 1001, flags: 'FA' });
    t.expect({ options: { sack: [[1001, 1002]] } });
    t.inject({ seq: 1001, flags: 'FA' });
    const again = [
      [1001, 1002],
      [1001, 1002],
    ] as const;
    t.expect({ options: { sack: again } });
  });

  it('after close says that data was sent for nobody: RST', async () => {
    for (const state of ['FIN-WAIT-1', 'FIN-WAIT-2'] as const) {
      for (const acknowledges of [1, 2]) {
        const t = await inState(state);
        t.socket.close();
        t.drain();
        t.inject({ seq: 1001, ack: acknowledges, flags: 'FA' });
        t.expect({ seq: acknowledges, flags: 'R' });
        expect(t.state()).to.equal('CLOSED');
      }
    }
  });
});

describe('a FIN in ESTABLISHED', () => {
  it('is acknowledged at once when no data came before, with data within 40 ms, as the answer is mostly a FIN (Linux)', async () => {
    const bare = await established();
    bare.inject({ flags: 'FA' });
    bare.expect({ ack: 2, flags: 'A' });
    const t = await established();
    t.inject({ data: 'last', flags: 'FPA' });
    await t.advance(39);
    t.expectNothing();
    await t.advance(1);
    t.expect({ ack: 6, flags: 'A' });
    const answered = await established();
    answered.inject({ data: 'last', flags: 'FPA' });
    answered.read();
    answered.socket.close();
    answered.expect({ seq: 1, ack: 6, flags: 'FA' });
    answered.expectNothing();
  });

  it('again: is reported as a duplicate, with its data (RFC 2883 4)', async () => {
    const t = await established(SACK);
    t.inject({ data: 'last', flags: 'FPA' });
    await t.advance(40);
    t.expect({ ack: 6 });
    t.inject({ seq: 5, flags: 'FA' });
    t.expect({ ack: 6, options: { sack: [[5, 6]] } });
    t.inject({ seq: 1, data: 'last', flags: 'FA' });
    t.expect({ ack: 6, options: { sack: [[1, 6]] } });
  });
});

describe('FIN-WAIT-2 that nobody holds', () => {
  it('one byte of data is no FIN', async () => {
    const t = await inState('FIN-WAIT-2');
    t.socket.close();
    t.inject({ seq: 1, ack: 2, data: 'x' });
    t.expect({ seq: 2, flags: 'R' });
    expect(t.state()).to.equal('CLOSED');
  });

  it('data with the FIN is no FIN either', async () => {
    const t = await inState('FIN-WAIT-2');
    t.socket.close();
    t.inject({ seq: 1, ack: 2, data: 'x', flags: 'FA' });
    t.expect({ seq: 2, flags: 'R' });
    expect(t.state()).to.equal('CLOSED');
  });

  it('PAWS goes on (RFC 7323 5.3)', async () => {
    const t = await inState('FIN-WAIT-2', { options: { mss: 1460, ts: [5000, 0] } });
    t.socket.close();
    t.inject({ seq: 1, ack: 2, flags: 'FA', options: { ts: [4000, 0] } });
    t.expect({ seq: 2, ack: 1, flags: 'A' });
    expect(t.state()).to.equal('FIN-WAIT-2');
  });

  it('the FIN that comes with the ACK of ours leads straight to TIME-WAIT', async () => {
    const t = await inState('FIN-WAIT-1');
    t.socket.close();
    t.drain();
    t.inject({ seq: 1, ack: 2, flags: 'FA' });
    t.expect({ seq: 2, ack: 2, flags: 'A' });
    expect(t.state()).to.equal('TIME-WAIT');
  });

  it('bare answers are limited by tcp_invalid_ratelimit, those to segments with a length are not', async () => {
    const t = await inState('FIN-WAIT-2');
    t.socket.close();
    for (let i = 0; i < 3; i++) t.inject({ seq: -1000, ack: 2 });
    expect(t.drain()).to.have.length(1);
    expect(t.counters.TCPACKSkippedFinWait2).to.equal(2);
    for (let i = 0; i < 3; i++) t.inject({ seq: -1000, ack: 2, length: 10 });
    expect(t.drain()).to.have.length(3);
  });
});

describe('a user that still holds the connection', () => {
  it('is told EPIPE of a RST in CLOSE-WAIT, ECONNRESET in LAST-ACK and CLOSING (Linux)', async () => {
    for (const [state, errno] of [
      ['CLOSE-WAIT', EPIPE],
      ['LAST-ACK', ECONNRESET],
      ['CLOSING', ECONNRESET],
    ] as const) {
      const t = await inState(state);
      t.inject({ seq: 2, flags: 'R' });
      expect(t.socket.takeError(), state).to.equal(errno);
    }
  });

  it('SO_LINGER 0 with data unread is a close with data unread', async () => {
    const t = await established();
    t.inject({ data: 'unread' });
    t.drain();
    t.socket.setsockopt(SOL_SOCKET, SO_LINGER, { onoff: 1, linger: 0 });
    t.socket.close();
    t.expect({ flags: 'RA' });
    expect([t.counters.TCPAbortOnClose, t.counters.TCPAbortOnData]).to.deep.equal([1, 0]);
  });

  it('SO_LINGER with a time: the FIN goes as ever, close does not wait', async () => {
    const t = await established();
    t.write('last');
    t.socket.setsockopt(SOL_SOCKET, SO_LINGER, { onoff: 1, linger: 5 });
    expect(t.socket.close()).to.equal(0);
    t.expect({ flags: 'FPA', data: 'last' });
  });
});
