/** What `host.sockets()` says of a connection in each state: names, queues and timers as Linux's tcp_diag has them. */
import { expect } from 'chai';
import { SO_KEEPALIVE, SOL_SOCKET } from '../../src/socket/constants.ts';
import type { SocketStatus } from '../../src/stack/connections.ts';
import { established, listening, type WirePeer } from '../support/wire-peer.ts';
import { inState, type StateName } from '../support/wire-states.ts';

const connectionOf = (t: WirePeer) => t.stack.sockets().find(({ state }) => state !== 'LISTEN') as SocketStatus;

describe('Stack.sockets', () => {
  const cases: [state: StateName, sendQ: number, timer: string | undefined][] = [
    ['SYN-SENT', 1, 'on'],
    ['SYN-RECEIVED', 0, 'on'],
    ['ESTABLISHED', 0, undefined],
    ['FIN-WAIT-1', 1, 'on'],
    ['FIN-WAIT-2', 0, undefined],
    ['CLOSE-WAIT', 0, undefined],
    ['CLOSING', 1, 'on'],
    ['LAST-ACK', 1, 'on'],
    ['TIME-WAIT', 0, 'timewait'],
  ];
  for (const [state, sendQ, name] of cases) {
    it(`${state}: a send queue of ${sendQ}, timer ${name ?? 'off'}`, async () => {
      const t = await inState(state);
      const shown = connectionOf(t);
      expect([shown.state, shown.recvQ, shown.sendQ, shown.timer?.name]).to.deep.equal([state, 0, sendQ, name]);
      expect([shown.local, shown.remote]).to.satisfy((both: string[]) => both.every((one) => /:\d+$/.test(one)));
    });
  }

  it('a listener: who waits for accept, and its backlog', async () => {
    const t = listening({ backlog: 5 });
    t.handshake();
    const { state, recvQ, sendQ, remote, timer } = t.stack.sockets()[0] as SocketStatus;
    expect([state, recvQ, sendQ, remote.endsWith(':*'), timer]).to.deep.equal(['LISTEN', 1, 5, true, undefined]);
  });

  it('data: unread, and unacknowledged; the timer says when, and how often already', async () => {
    const t = await established();
    t.inject({ seq: 1, data: 'four' });
    t.write(100);
    t.drain();
    expect(connectionOf(t)).to.include({ recvQ: 4, sendQ: 100 });
    await t.advance(5000);
    const { timer } = connectionOf(t);
    expect(timer?.name).to.equal('on');
    expect(timer?.retransmits).to.be.greaterThan(1);
    expect(timer?.expires).to.be.within(1, 60_000);
  });

  it('persist, and keepalive', async () => {
    const t = await established();
    t.socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1);
    expect(connectionOf(t).timer).to.deep.equal({ name: 'keepalive', expires: 7_200_000, retransmits: 0 });
    t.inject({ seq: 1, ack: 1, win: 0 });
    t.write(10);
    t.drain();
    expect(connectionOf(t)).to.include({ sendQ: 10 });
    expect(connectionOf(t).timer?.name).to.equal('persist');
  });

  it('an orphan is listed until it is gone', async () => {
    const t = await established();
    t.socket.close();
    t.flush();
    expect(connectionOf(t)).to.include({ state: 'FIN-WAIT-1', sendQ: 1 });
    t.inject({ seq: 1, ack: 2 });
    expect(connectionOf(t)).to.include({ state: 'FIN-WAIT-2', sendQ: 0 });
    expect(connectionOf(t).timer?.name).to.equal('timewait');
    await t.advance(61_000);
    expect(connectionOf(t)).to.equal(undefined);
  });
});
