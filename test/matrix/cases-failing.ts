/** Paths that break: timeouts, keepalive. */
import { expect } from 'chai';
import {
  IPPROTO_TCP,
  SO_KEEPALIVE,
  SOL_SOCKET,
  TCP_KEEPCNT,
  TCP_KEEPIDLE,
  TCP_KEEPINTVL,
  TCP_SYNCNT,
  TCP_USER_TIMEOUT,
} from '../../src/socket/constants.ts';
import { EAGAIN, ETIMEDOUT } from '../../src/socket/errno.ts';
import { connected, dial, ok, outcome, pair, receive, send } from './acts.ts';
import type { Case } from './cases.ts';

export const cases: readonly Case[] = [
  {
    title: 'nobody answers: ETIMEDOUT after the last SYN, dialled',
    both: true,
    needs: 'virtual time',
    async play(g, who) {
      const [from, to] = who === 'ours' ? [g.ours, g.peer] : [g.peer, g.ours];
      g.cut?.(true);
      const setup = (socket: { setsockopt(level: number, option: number, value: number): number }) =>
        void ok(socket.setsockopt(IPPROTO_TCP, TCP_SYNCNT, 2), 'TCP_SYNCNT');
      const socket = dial(from, to, 7, setup);
      expect(await connected(g, socket, 30_000)).to.equal(ETIMEDOUT);
      g.cut?.(false);
    },
  },
  {
    title: 'keepalive keeps an idle connection, asked',
    both: true,
    needs: 'virtual time',
    async play(g, who) {
      const { ours, peers } = await pair(g, 'ours');
      const [asking, other] = who === 'ours' ? [ours, peers] : [peers, ours];
      keepAlive(asking);
      await g.pass(20_000);
      expect(asking.recv(new Uint8Array(1))).to.equal(-EAGAIN);
      await send(g, other, 'alive');
      expect(await receive(g, asking, 5)).to.equal('alive');
    },
  },
  {
    title: 'keepalive finds a peer that is gone',
    needs: 'virtual time',
    async play(g) {
      const { ours } = await pair(g, 'ours');
      keepAlive(ours);
      g.cut?.(true);
      expect(await outcome(g, ours, 60_000)).to.equal(-ETIMEDOUT);
      expect(g.stack.counters.TCPKeepAlive).to.be.greaterThan(0);
      g.cut?.(false);
    },
  },
  {
    title: 'TCP_USER_TIMEOUT ends a connection whose data is not acknowledged',
    needs: 'virtual time',
    async play(g) {
      const { ours } = await pair(g, 'ours');
      ok(ours.setsockopt(IPPROTO_TCP, TCP_USER_TIMEOUT, 3000), 'TCP_USER_TIMEOUT');
      g.cut?.(true);
      await send(g, ours, 'into the dark');
      const began = g.time.now();
      expect(await outcome(g, ours, 30_000)).to.equal(-ETIMEDOUT);
      expect(g.time.now() - began).to.be.within(2900, 6000);
      g.cut?.(false);
    },
  },
];

function keepAlive(socket: { setsockopt(level: number, option: number, value: number): number }): void {
  ok(socket.setsockopt(SOL_SOCKET, SO_KEEPALIVE, 1), 'SO_KEEPALIVE');
  ok(socket.setsockopt(IPPROTO_TCP, TCP_KEEPIDLE, 5), 'TCP_KEEPIDLE');
  ok(socket.setsockopt(IPPROTO_TCP, TCP_KEEPINTVL, 2), 'TCP_KEEPINTVL');
  ok(socket.setsockopt(IPPROTO_TCP, TCP_KEEPCNT, 3), 'TCP_KEEPCNT');
}
