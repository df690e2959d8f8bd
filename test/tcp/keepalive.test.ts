/** RFC 9293 3.8.4: keepalive, with Linux's times. */
import { expect } from 'chai';
import { SO_KEEPALIVE, SOL_SOCKET, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL } from '../../src/socket/constants.ts';
import { ETIMEDOUT } from '../../src/socket/errno.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { errorOf, info, times } from '../support/wire-info.ts';
import { established, type WirePeer } from '../support/wire-peer.ts';

function on(socket: Socket): void {
  socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
}

/** 15 s, 15 s, 9, as Go has it. */
function asGo(socket: Socket): void {
  socket.setsockopt(6, TCP_KEEPIDLE, 15);
  socket.setsockopt(6, TCP_KEEPINTVL, 15);
  on(socket);
}

async function silentFor(t: WirePeer, seconds: number): Promise<void> {
  await t.advance(seconds * 1000);
  t.expectNothing();
}

describe('RFC 9293 3.8.4: keepalive', () => {
  it('[MUST-25] is off unless the user turns it on', async () => {
    await silentFor(await established(), 10 * 86_400);
  });

  it('[MUST-28] two hours idle, then 9 probes 75 s apart, then the end', async () => {
    const t = await established({ setup: on });
    const start = t.now;
    await silentFor(t, 7199.999);
    await t.advance(675_000);
    expect(times(t.drain(), start)).to.deep.equal(Array.from({ length: 9 }, (_, i) => 7_200_000 + 75_000 * i));
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(1);
    expect(t.state()).to.equal('CLOSED');
    expect(errorOf(t)).to.equal(ETIMEDOUT);
    // The peer may only have been away: it is told.
    t.expect({ seq: 1, flags: 'RA' });
  });

  it('15 s idle, 15 s apart, 9 probes: an idle dead peer is reported after exactly 150 s', async () => {
    const t = await established({ setup: asGo });
    await t.advance(149_999);
    expect(t.drain()).to.have.length(9);
    expect(t.state()).to.equal('ESTABLISHED');
    await t.advance(1);
    expect(t.state()).to.equal('CLOSED');
    expect(errorOf(t)).to.equal(ETIMEDOUT);
    expect(t.counters).to.include({ TCPKeepAlive: 9, TCPAbortOnTimeout: 1 });
    t.drain();
  });

  it('[SHLD-12] a probe is SEQ = SND.NXT - 1, without data, and acknowledges', async () => {
    const t = await established({ setup: asGo });
    t.write('abc');
    t.expect({ seq: 1 });
    t.inject({ data: 'xy' });
    await t.advance(20_000);
    t.drain();
    t.inject({});
    await t.advance(15_000);
    t.expect({ seq: 3, ack: 3, flags: 'A', length: 0 });
  });

  it('an answer starts the idle time afresh', async () => {
    const t = await established({ setup: asGo });
    await t.advance(15_000);
    t.expect({ seq: 0 });
    await t.advance(5000);
    t.inject({});
    expect(info(t).tcpi_probes).to.equal(0);
    await silentFor(t, 14.999);
    await t.advance(1);
    t.expect({ seq: 0 });
  });

  it('so does data, either way', async () => {
    const t = await established({ setup: asGo });
    await t.advance(10_000);
    t.inject({ length: 1 });
    t.drain();
    await silentFor(t, 14.999);
    t.write('a');
    t.expect({ data: 'a' });
    t.inject({});
    await silentFor(t, 14.999);
    await t.advance(1);
    t.expect({ seq: 1, length: 0 });
  });

  it('[MUST-29] one probe that is lost does not end it', async () => {
    const t = await established({ setup: asGo });
    await t.advance(100_000);
    expect(t.drain()).to.have.length(6);
    t.inject({});
    await silentFor(t, 14.999);
    await t.advance(135_000);
    expect(t.drain()).to.have.length(9);
    expect(t.state()).to.equal('ESTABLISHED');
  });

  it('not while data is out: the retransmission timer watches over that', async () => {
    const t = await established({ setup: asGo });
    t.write('a');
    await t.advance(60_000);
    for (const each of t.drain()) expect(each).to.include({ seq: 1, data: 'a' });
    expect(t.counters.TCPKeepAlive).to.equal(0);
  });

  it('TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT may change at any time', async () => {
    const t = await established({ setup: on });
    await t.advance(5000);
    t.socket.setsockopt(6, TCP_KEEPINTVL, 2);
    t.socket.setsockopt(6, TCP_KEEPCNT, 2);
    t.socket.setsockopt(6, TCP_KEEPIDLE, 8);
    const start = t.now;
    await t.advance(6999);
    expect(times(t.drain(), start)).to.deep.equal([3000, 5000]);
    await t.advance(1);
    expect(errorOf(t)).to.equal(ETIMEDOUT);
    t.drain();
  });

  it('turned off, it sends no more', async () => {
    const t = await established({ setup: asGo });
    await t.advance(40_000);
    expect(t.drain()).to.have.length(2);
    t.socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 0);
    await silentFor(t, 1000);
    expect(t.state()).to.equal('ESTABLISHED');
  });

  it('a RST in answer to a probe ends it', async () => {
    const t = await established({ setup: asGo });
    await t.advance(15_000);
    t.expect({ seq: 0 });
    t.inject({ seq: 1, flags: 'R' });
    expect(errorOf(t)).to.equal(104);
  });

  it('goes on after our FIN, while the peer still sends', async () => {
    const t = await established({ setup: asGo });
    t.socket.shutdown(1);
    t.expect({ flags: 'FA' });
    t.inject({ ack: 2 });
    expect(t.state()).to.equal('FIN-WAIT-2');
    await t.advance(15_000);
    t.expect({ seq: 1, flags: 'A', length: 0 });
  });
});
