/** RFC 9293 3.6, 3.10.4, 3.10.5: closing and aborting a connection, TIME-WAIT. */
import { expect } from 'chai';
import {
  IPPROTO_TCP,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
  SO_LINGER,
  SOL_SOCKET,
  TCP_LINGER2,
} from '../../../src/socket/constants.ts';
import { EBADF, ECONNRESET, EPIPE } from '../../../src/socket/errno.ts';
import { connecting, established } from '../../support/wire-peer.ts';
import { inState } from '../../support/wire-states.ts';

const LINGER_NOT = { onoff: 1, linger: 0 };

describe('RFC 9293 3.6: closing', () => {
  it('figure 12: the normal close, ours first', async () => {
    const t = await established();
    t.socket.close();
    t.expect({ seq: 1, ack: 1, flags: 'FA', length: 0 });
    expect(t.state()).to.equal('FIN-WAIT-1');
    t.inject({ seq: 1, ack: 2 });
    expect(t.state()).to.equal('FIN-WAIT-2');
    t.inject({ seq: 1, ack: 2, flags: 'FA' });
    t.expect({ seq: 2, ack: 2, flags: 'A' });
    expect(t.state()).to.equal('TIME-WAIT');
    await t.advance(60_000);
    expect(t.state()).to.equal('CLOSED');
    t.expectNothing();
  });

  // Linux: the answer to a FIN is mostly a FIN.
  it('the acknowledgment of a FIN waits for ours, as long as any', async () => {
    const t = await established();
    t.inject({ seq: 1, data: 'a' });
    t.expect({ ack: 2, flags: 'A' });
    t.inject({ seq: 2, flags: 'FA' });
    t.expectNothing();
    await t.advance(40);
    t.expect({ ack: 3, flags: 'A' });
  });

  it("figure 12: the normal close, the peer's first", async () => {
    const t = await established();
    t.inject({ seq: 1, ack: 1, flags: 'FA' });
    t.expect({ seq: 1, ack: 2, flags: 'A' });
    expect(t.state()).to.equal('CLOSE-WAIT');
    t.socket.close();
    t.expect({ seq: 1, ack: 2, flags: 'FA' });
    expect(t.state()).to.equal('LAST-ACK');
    t.inject({ seq: 2, ack: 2 });
    expect(t.state()).to.equal('CLOSED');
    t.expectNothing();
  });

  it('figure 13: both at once', async () => {
    const t = await established();
    t.socket.close();
    t.expect({ seq: 1, ack: 1, flags: 'FA' });
    t.inject({ seq: 1, ack: 1, flags: 'FA' });
    t.expect({ seq: 2, ack: 2, flags: 'A' });
    expect(t.state()).to.equal('CLOSING');
    t.inject({ seq: 2, ack: 2 });
    expect(t.state()).to.equal('TIME-WAIT');
  });

  it('half close: what the peer still sends is received, what we had queued is sent before the FIN', async () => {
    const t = await established();
    t.write('request');
    t.socket.shutdown(SHUT_WR);
    t.expect({ seq: 1, data: 'request', flags: 'FPA' });
    t.inject({ seq: 1, ack: 9 });
    expect(t.stack.slab.live).to.equal(0);
    expect(t.stack.sockets().find(({ state }) => state === 'FIN-WAIT-2')?.sendQ).to.equal(0);
    t.inject({ seq: 1, ack: 9, data: 'ans' });
    t.inject({ seq: 4, ack: 9, data: 'wer', flags: 'FPA' });
    expect(t.read()).to.equal('answer');
    expect(t.read()).to.equal(0);
    expect(t.state()).to.equal('TIME-WAIT');
  });

  it("half close: the peer's: we may go on sending", async () => {
    const t = await established();
    t.inject({ seq: 1, flags: 'FA' });
    t.drain();
    t.write('still talking');
    t.expect({ seq: 1, ack: 2, data: 'still talking' });
    t.inject({ seq: 2, ack: 14 });
    expect(t.state()).to.equal('CLOSE-WAIT');
  });

  it('the FIN is sent again until it is acknowledged', async () => {
    const t = await established();
    t.socket.close();
    t.expect({ flags: 'FA' });
    await t.advance(200.01);
    t.expect({ seq: 1, flags: 'FA' });
    await t.advance(400.01);
    t.expect({ seq: 1, flags: 'FA' });
  });

  it('a close that nobody answers ends after tcp_orphan_retries', async () => {
    const t = await established();
    t.socket.close();
    await t.advance(203_000);
    expect(t.state()).to.equal('FIN-WAIT-1');
    await t.advance(2000);
    expect(t.state()).to.equal('CLOSED');
    expect(t.drain().length).to.equal(10);
    expect(t.counters.TCPAbortOnTimeout).to.equal(1);
  });

  it('MUST-12: the user is told of a RST, on every kind of call', async () => {
    for (const call of ['recv', 'send', 'error'] as const) {
      const t = await established();
      let told = 0;
      t.socket.onReady = () => told++;
      t.inject({ flags: 'R' });
      expect(told).to.equal(1);
      if (call === 'recv') expect(t.read()).to.equal(-ECONNRESET);
      if (call === 'send') expect(t.write('x')).to.equal(-ECONNRESET);
      if (call === 'error') expect(t.socket.takeError()).to.equal(ECONNRESET);
      expect(t.write('x')).to.equal(-EPIPE);
      expect(t.read()).to.equal(0);
    }
  });

  it('SHLD-2: a RST may contain data', async () => {
    const t = await established();
    t.inject({ flags: 'R', data: 'no such service' });
    t.expectNothing();
    expect(t.state()).to.equal('CLOSED');
    expect(t.read()).to.equal(-ECONNRESET);
  });

  // RFC 9293 3.6.1: "If such a host issues a CLOSE call while received data is still pending in the connection, or if new data is
  // received after CLOSE is called, its TCP implementation SHOULD send a RST to show that data was lost".
  it('SHLD-3: close with data unread: a RST', async () => {
    const t = await established();
    t.inject({ seq: 1, data: 'unread' });
    t.drain();
    t.socket.close();
    t.expect({ seq: 1, ack: 7, flags: 'RA', length: 0 });
    t.expectNothing();
    expect(t.state()).to.equal('CLOSED');
    expect(t.counters.TCPAbortOnClose).to.equal(1);
  });

  for (const state of ['FIN-WAIT-1', 'FIN-WAIT-2'] as const) {
    it(`SHLD-3: data after close, in ${state}: a RST`, async () => {
      const t = await inState(state);
      t.socket.close();
      t.drain();
      t.inject({ seq: 1, ack: state === 'FIN-WAIT-1' ? 1 : 2, data: 'late' });
      expect(t.expect().flags).to.match(/^RA?$/);
      t.expectNothing();
      expect(t.state()).to.equal('CLOSED');
      // Linux: FIN-WAIT-2 without a user is a record, which counts nothing.
      expect(t.counters.TCPAbortOnData).to.equal(state === 'FIN-WAIT-1' ? 1 : 0);
    });
  }

  it('MAY-1: who has closed reads no more, nor is anything kept for it', async () => {
    const t = await established();
    t.inject({ seq: 1, data: 'read' });
    expect(t.read()).to.equal('read');
    t.socket.close();
    expect(t.read()).to.equal(-EBADF);
    t.inject({ seq: 5, ack: 1, data: 'late' });
    expect(t.read()).to.equal(-EBADF);
    expect(t.state()).to.equal('CLOSED');
  });

  it('data of the past after close is no loss: an ACK', async () => {
    const t = await established();
    t.inject({ seq: 1, data: 'read' });
    expect(t.read()).to.equal('read');
    t.drain();
    t.socket.close();
    t.expect({ flags: 'FA' });
    t.inject({ seq: 1, ack: 1, data: 'read' });
    t.expect({ flags: 'A', ack: 5 });
    expect(t.state()).to.equal('FIN-WAIT-1');
  });

  it('shutdown of both sides keeps the connection until it is closed', async () => {
    const t = await established();
    t.socket.shutdown(SHUT_RDWR);
    t.expect({ flags: 'FA' });
    expect(t.read()).to.equal(0);
    expect(t.write('x')).to.equal(-EPIPE);
    t.inject({ seq: 1, ack: 2, flags: 'FA' });
    expect(t.state()).to.equal('TIME-WAIT');
  });

  it('data after a shutdown of both sides: a RST, as after close (Linux)', async () => {
    for (const state of ['FIN-WAIT-1', 'FIN-WAIT-2'] as const) {
      const t = await inState(state);
      t.socket.shutdown(SHUT_RD);
      t.inject({ seq: 1, ack: state === 'FIN-WAIT-1' ? 1 : 2, data: 'late' });
      expect(t.expect().flags).to.match(/^RA?$/);
      expect(t.state()).to.equal('CLOSED');
      expect(t.socket.takeError()).to.equal(ECONNRESET);
    }
  });

  it('data after a shutdown of the receiving side alone is taken, and may be read (Linux)', async () => {
    const t = await established();
    t.socket.shutdown(SHUT_RD);
    t.inject({ seq: 1, data: 'still' });
    t.expect({ ack: 6 });
    expect(t.read()).to.equal('still');
    expect(t.read()).to.equal(0);
  });

  it('shutdown of the receiving side says nothing to the peer', async () => {
    const t = await established();
    t.socket.shutdown(SHUT_RD);
    t.expectNothing();
    expect(t.read()).to.equal(0);
    t.write('x');
    t.expect({ data: 'x' });
  });

  it('SO_LINGER 0: a RST, and no TIME-WAIT', async () => {
    for (const state of ['ESTABLISHED', 'FIN-WAIT-1', 'FIN-WAIT-2', 'CLOSE-WAIT', 'CLOSING', 'LAST-ACK'] as const) {
      const t = await inState(state);
      t.socket.setsockopt(SOL_SOCKET, SO_LINGER, LINGER_NOT);
      t.socket.close();
      // RFC 9293 3.10.5: CLOSING and LAST-ACK: "respond with "ok" and delete the TCB": nothing is said.
      if (state !== 'CLOSING' && state !== 'LAST-ACK') t.expect({ flags: 'RA' });
      t.expectNothing();
      expect(t.state()).to.equal('CLOSED');
      expect(t.counters.TCPAbortOnData).to.equal(1);
    }
  });

  it('ABORT with data queued: it is not sent any more', async () => {
    const t = await established({ win: 0 });
    t.write('never');
    t.socket.setsockopt(SOL_SOCKET, SO_LINGER, LINGER_NOT);
    t.socket.close();
    t.expect({ flags: 'RA', length: 0 });
    await t.advance(10_000);
    t.expectNothing();
  });

  it('SYN-SENT: CLOSE deletes the TCB without a word', async () => {
    const t = connecting();
    t.socket.close();
    t.expectNothing();
    expect(t.state()).to.equal('CLOSED');
    await t.advance(10_000);
    t.expectNothing();
  });

  it('SYN-RECEIVED of a simultaneous open: CLOSE waits for ESTABLISHED, then the FIN', () => {
    const t = connecting();
    t.inject({ seq: 0, flags: 'S' });
    t.expect({ flags: 'SA' });
    t.socket.close();
    t.expectNothing();
    t.inject({ seq: 1, ack: 1 });
    t.expect({ seq: 1, ack: 1, flags: 'FA' });
    expect(t.state()).to.equal('FIN-WAIT-1');
  });

  it('LISTEN: CLOSE ends the embryos, and resets what nobody accepted', () => {
    const t = connecting();
    const listener = t.listen();
    t.inject({ seq: 0, flags: 'S', from: 1001, to: 80 });
    t.expect({ flags: 'SA' });
    t.inject({ seq: 1, ack: 1, from: 1001, to: 80 });
    t.inject({ seq: 0, flags: 'S', from: 1002, to: 80 });
    t.expect({ flags: 'SA' });
    listener.close();
    t.expect({ flags: 'RA', to: 1001 });
    t.expectNothing();
    t.inject({ seq: 1, ack: 1, from: 1002, to: 80 });
    t.expect({ seq: 1, flags: 'R', to: 1002 });
  });

  // No RFC has it; every deployed stack does. The time is TCP_LINGER2, or tcp_fin_timeout.
  it('FIN-WAIT-2 without a user ends after tcp_fin_timeout', async () => {
    const t = await established();
    t.socket.close();
    t.expect({ flags: 'FA' });
    t.inject({ seq: 1, ack: 2 });
    await t.advance(59_999);
    expect(t.state()).to.equal('FIN-WAIT-2');
    await t.advance(1);
    expect(t.state()).to.equal('CLOSED');
  });

  it('FIN-WAIT-2 with a user that still reads lasts', async () => {
    const t = await inState('FIN-WAIT-2');
    await t.advance(3_600_000);
    expect(t.state()).to.equal('FIN-WAIT-2');
    t.inject({ seq: 1, ack: 2, data: 'at last' });
    expect(t.read()).to.equal('at last');
    t.socket.close();
    t.drain();
    await t.advance(60_000);
    expect(t.state()).to.equal('CLOSED');
  });

  it('TCP_LINGER2 sets that time, negative: not at all', async () => {
    const t = await inState('FIN-WAIT-2');
    t.socket.setsockopt(IPPROTO_TCP, TCP_LINGER2, 5);
    t.socket.close();
    await t.advance(4999);
    expect(t.state()).to.equal('FIN-WAIT-2');
    await t.advance(1);
    expect(t.state()).to.equal('CLOSED');
    const none = await inState('FIN-WAIT-1');
    none.socket.setsockopt(IPPROTO_TCP, TCP_LINGER2, -1);
    none.socket.close();
    none.inject({ seq: 1, ack: 2 });
    expect(none.state()).to.equal('CLOSED');
  });
});

describe('FIN-WAIT-2 that nobody holds (Linux)', () => {
  it('lasts 3.5 RTOs at the least', async () => {
    const t = await inState('FIN-WAIT-2');
    t.socket.setsockopt(IPPROTO_TCP, TCP_LINGER2, 1);
    const rto = (t.socket.connection?.rtoUs ?? 0) / 1000;
    t.stack.sysctl.tcp_timewait_len = 100;
    if (t.socket.connection !== undefined) t.socket.connection.rtoUs = 10 * 1000 * rto;
    t.socket.close();
    await t.advance(35 * rto - 1);
    expect(t.state()).to.equal('FIN-WAIT-2');
    await t.advance(2);
    expect(t.state()).to.equal('CLOSED');
  });

  it('tcp_fin_timeout beyond TIME-WAIT: what exceeds it, twice', async () => {
    const t = await inState('FIN-WAIT-2', { sysctl: { tcp_fin_timeout: 100 } });
    t.socket.close();
    await t.advance(79_999);
    expect(t.state()).to.equal('FIN-WAIT-2');
    await t.advance(1);
    expect(t.state()).to.equal('CLOSED');
    t.expectNothing();
  });

  it('as a record it needs no more memory than TIME-WAIT, and becomes it with the FIN', async () => {
    const t = await inState('FIN-WAIT-2');
    t.socket.close();
    expect(t.stack.tcp.timeWaits).to.equal(1);
    expect(t.stack.tcp.timers.size).to.equal(0);
    t.inject({ seq: 1, ack: 2, flags: 'FA' });
    t.expect({ seq: 2, ack: 2, flags: 'A' });
    expect(t.state()).to.equal('TIME-WAIT');
    await t.advance(60_000);
    expect(t.state()).to.equal('CLOSED');
  });

  it('RFC 5961 3.2, 4.2: a RST with another number and a SYN are challenged', async () => {
    for (const flags of ['R', 'S']) {
      const t = await inState('FIN-WAIT-2');
      t.socket.close();
      t.inject({ seq: 100, flags });
      t.expect({ seq: 2, ack: 1, flags: 'A' });
      expect(t.state()).to.equal('FIN-WAIT-2');
      t.inject({ seq: 1, flags: 'R' });
      expect(t.state()).to.equal('CLOSED');
      t.expectNothing();
    }
  });
});

describe('limits of what goes on without a user (Linux)', () => {
  it('tcp_max_orphans: close resets', async () => {
    const t = await established({ sysctl: { tcp_max_orphans: 1 } });
    const sockets = [t.socket];
    for (const port of [5001, 5002]) {
      t.handshake(port);
      sockets.push(t.accept());
    }
    t.drain();
    for (const socket of sockets) socket.close();
    expect(
      t
        .drain()
        .map(({ flags }) => flags)
        .sort(),
    ).to.deep.equal(['FA', 'RA', 'RA']);
    expect([t.counters.TCPAbortOnMemory, t.stack.tcp.orphans]).to.deep.equal([2, 1]);
    t.inject({ seq: 1, flags: 'R' });
    expect(t.stack.tcp.orphans).to.equal(0);
  });

  it('tcp_max_tw_buckets: no TIME-WAIT', async () => {
    const t = await inState('FIN-WAIT-2', { sysctl: { tcp_max_tw_buckets: 0 } });
    t.inject({ seq: 1, ack: 2, flags: 'FA' });
    t.expect({ seq: 2, ack: 2, flags: 'A' });
    expect(t.state()).to.equal('CLOSED');
    expect(t.counters.TCPTimeWaitOverflow).to.equal(1);
  });
});

describe('RFC 9293 3.6.1: TIME-WAIT', () => {
  // Deviation, as Linux: 60 s for the 2 MSL; tcp_timewait_len sets it.
  for (const seconds of [60, 240]) {
    it(`MUST-13: it lasts 2 MSL, here ${seconds} s`, async () => {
      const t = await inState('TIME-WAIT', { sysctl: { tcp_timewait_len: seconds } });
      await t.advance(seconds * 1000 - 1);
      expect(t.state()).to.equal('TIME-WAIT');
      await t.advance(1);
      expect(t.state()).to.equal('CLOSED');
      expect(t.counters.TW).to.equal(1);
    });
  }

  // "(1) assigns its initial sequence number for the new connection to be larger than the largest sequence number it used on the
  // previous connection incarnation"
  it('MAY-2: a SYN with a larger number opens a new connection, with an ISS beyond the old one', async () => {
    const t = await inState('TIME-WAIT');
    const old = t.dutIsn();
    t.inject({ seq: 3, flags: 'S' });
    t.expect({ flags: 'SA', ack: 4 });
    expect((t.dutIsn() - old) | 0).to.be.greaterThan(65_535);
    t.inject({ seq: 4, ack: 1 });
    expect(t.state()).to.equal('ESTABLISHED');
    expect(t.stack.tcp.timeWaits).to.equal(0);
  });

  it('a SYN that nobody listens for does not end it', async () => {
    const t = await inState('TIME-WAIT');
    t.listener?.close();
    t.inject({ seq: 3, flags: 'S' });
    t.expect({ seq: 2, ack: 2, flags: 'A' });
    t.expectNothing();
    expect(t.state()).to.equal('TIME-WAIT');
  });

  it('MAY-2: "(2) returns to TIME-WAIT state if the SYN turns out to be an old duplicate"', async () => {
    const t = await inState('TIME-WAIT');
    t.inject({ seq: 1, flags: 'S' });
    t.expect({ seq: 2, ack: 2, flags: 'A' });
    t.inject({ seq: -500, flags: 'S' });
    t.expectNothing();
    expect(t.state()).to.equal('TIME-WAIT');
    expect(t.counters.TCPACKSkippedTimeWait).to.equal(1);
  });

  it('SHLD-4: with a later timestamp any SYN will do (RFC 6191)', async () => {
    const t = await inState('TIME-WAIT', { options: { mss: 1460, ts: [5000, 0] } });
    await t.advance(1000);
    t.inject({ seq: -5000, flags: 'S', options: { ts: [9000, 0] } });
    t.expect({ flags: 'SA' });
  });

  it('SHLD-4: with an earlier one none will', async () => {
    const t = await inState('TIME-WAIT', { options: { mss: 1460, ts: [5000, 0] } });
    t.inject({ seq: 5000, flags: 'S', options: { ts: [4000, 0] } });
    t.expect({ flags: 'A' });
    expect(t.state()).to.equal('TIME-WAIT');
  });

  // RFC 1337: only with tcp_rfc1337 is a RST no end to it (Linux's default is off).
  it('a RST ends it, but not with tcp_rfc1337', async () => {
    const t = await inState('TIME-WAIT', { sysctl: { tcp_rfc1337: true } });
    t.inject({ seq: 2, flags: 'R' });
    expect(t.state()).to.equal('TIME-WAIT');
    const ended = await inState('TIME-WAIT');
    ended.inject({ seq: 3, flags: 'R' });
    expect(ended.state()).to.equal('TIME-WAIT');
    ended.inject({ seq: 2, flags: 'R' });
    expect(ended.state()).to.equal('CLOSED');
  });

  it('a RST with an older timestamp does not end it (Linux); such a FIN is answered, and makes it longer', async () => {
    const t = await inState('TIME-WAIT', { options: { mss: 1460, ts: [5000, 0] } });
    await t.advance(30_000);
    t.inject({ seq: 2, flags: 'R', options: { ts: [4000, 0] } });
    t.inject({ seq: 1, ack: 2, flags: 'FA', options: { ts: [4000, 0] } });
    t.expect({ seq: 2, ack: 2, flags: 'A' });
    expect(t.counters.PAWSTimewait).to.equal(2);
    await t.advance(59_999);
    expect(t.state()).to.equal('TIME-WAIT');
    await t.advance(1);
    expect(t.state()).to.equal('CLOSED');
  });

  it('the timestamp that is echoed is the latest', async () => {
    const t = await inState('TIME-WAIT', { options: { mss: 1460, ts: [5000, 0] } });
    t.inject({ seq: 2, ack: 2, options: { ts: [7000, 0] } });
    t.expectNothing();
    t.inject({ seq: 1, ack: 2, flags: 'FA', options: { ts: [7000, 0] } });
    expect(t.expect({ flags: 'A' }).options.ts?.[1]).to.equal(7000);
  });

  it('answers carry timestamps when the connection had them', async () => {
    const t = await inState('TIME-WAIT', { options: { mss: 1460, ts: [5000, 0] } });
    await t.advance(500);
    t.inject({ seq: 1, ack: 2, flags: 'FA' });
    const { options } = t.expect({ seq: 2, ack: 2, flags: 'A' });
    expect(options.ts?.[0]).to.equal(1500);
    expect(options.ts?.[1]).to.be.within(5000, 5500);
  });
});
