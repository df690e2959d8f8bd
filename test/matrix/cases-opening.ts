/** Connections begin: connect, listen, accept, names. */
import { expect } from 'chai';
import type { TestSocket } from '../../src/packetdrill/target.ts';
import {
  AF_INET,
  AF_INET6,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPV6_V6ONLY,
  TCP_DEFER_ACCEPT,
  TCP_INFO,
} from '../../src/socket/constants.ts';
import {
  EADDRINUSE,
  EADDRNOTAVAIL,
  EAGAIN,
  ECONNREFUSED,
  EINVAL,
  EISCONN,
  ENETUNREACH,
  ENOTCONN,
} from '../../src/socket/errno.ts';
import type { TcpInfo } from '../../src/tcp/info.ts';
import { IPV4_ANY, IPV6_ANY } from '../../src/wire/address.ts';
import {
  accept,
  connected,
  dial,
  listen,
  nameOf,
  ok,
  outcome,
  pair,
  readable,
  receive,
  send,
  withSysctl,
} from './acts.ts';
import type { Case } from './cases.ts';
import { addressOf, ELSEWHERE, type Ground, OURS, PEERS } from './ground.ts';

export const cases: readonly Case[] = [
  {
    title: 'connect, accept and an echo',
    both: true,
    async play(g, who) {
      const { dialled, accepted } = await pair(g, who);
      await send(g, dialled, 'ping');
      expect(await receive(g, accepted, 4)).to.equal('ping');
      await send(g, accepted, 'pong');
      expect(await receive(g, dialled, 4)).to.equal('pong');
    },
  },
  {
    title: 'the server speaks first',
    both: true,
    async play(g, who) {
      const { dialled, accepted } = await pair(g, who);
      await send(g, accepted, '220 hello');
      expect(await receive(g, dialled, 9)).to.equal('220 hello');
    },
  },
  {
    title: 'both ends agree on their names',
    both: true,
    async play(g, who) {
      const { dialled, accepted, port } = await pair(g, who);
      const text = (name: ReturnType<TestSocket['getpeername']>) =>
        typeof name === 'number' ? String(name) : `${name.address} ${name.port}`;
      const [from, to] = who === 'ours' ? [g.ours, g.peer] : [g.peer, g.ours];
      const client = `${from.address} ${nameOf(dialled).port}`;
      expect(text(dialled.getsockname())).to.equal(client);
      expect(text(dialled.getpeername())).to.equal(`${to.address} ${port}`);
      expect(text(accepted.getsockname())).to.equal(`${to.address} ${port}`);
      expect(text(accepted.getpeername())).to.equal(client);
    },
  },
  {
    title: 'the handshake agrees on SACK, timestamps, window scaling, and a size that fits the family',
    both: true,
    async play(g, who) {
      const { ours } = await pair(g, who);
      const info = ours.getsockopt(IPPROTO_TCP, TCP_INFO) as TcpInfo;
      expect(info.tcpi_options & 7).to.equal(7);
      const headers = (g.family === 4 ? 20 : 40) + 20 + 12;
      expect([info.tcpi_snd_mss, info.tcpi_advmss]).to.deep.equal([1500 - headers, 1500 - headers]);
    },
  },
  {
    title: 'a connection is refused where nobody listens',
    both: true,
    async play(g, who) {
      const [from, to] = who === 'ours' ? [g.ours, g.peer] : [g.peer, g.ours];
      const { port } = nameOf(listen(to));
      const failed = await connected(g, dial(from, to, port === 7 ? 8 : 7));
      expect(failed).to.equal(ECONNREFUSED);
    },
  },
  {
    title: 'connections wait in the backlog, and so does their data',
    both: true,
    async play(g, who) {
      const [from, to] = who === 'ours' ? [g.ours, g.peer] : [g.peer, g.ours];
      const listener = listen(to, 8);
      const { port } = nameOf(listener);
      const dialled = [0, 1, 2, 3].map(() => dial(from, to, port));
      for (const [i, socket] of dialled.entries()) {
        expect(await connected(g, socket)).to.equal(0);
        await send(g, socket, `number ${i}`);
      }
      const texts = [];
      for (const _ of dialled) texts.push(await receive(g, await accept(g, listener), 8));
      expect(texts.sort()).to.deep.equal(['number 0', 'number 1', 'number 2', 'number 3']);
      expect(listener.accept()).to.equal(-EAGAIN);
    },
  },
  {
    title: 'beyond the backlog a SYN is tried again until there is room',
    needs: 'virtual time',
    play: (g) =>
      withSysctl(g, { tcp_syncookies: 0 }, async () => {
        const listener = listen(g.ours, 1);
        const { port } = nameOf(listener);
        const dialled = Array.from({ length: 5 }, () => dial(g.peer, g.ours, port));
        const texts: string[] = [];
        for (const [i, socket] of dialled.entries()) {
          g.keep(socket);
          await send(g, await accept(g, listener), `${i}`);
        }
        for (const socket of dialled) texts.push(await receive(g, socket, 1));
        expect(texts.sort().join('')).to.equal('01234');
        expect(g.stack.counters.TCPReqQFullDrop + g.stack.counters.ListenOverflows).to.be.greaterThan(0);
      }),
  },
  {
    title: 'forty connections at once',
    both: true,
    async play(g, who) {
      const [from, to] = who === 'ours' ? [g.ours, g.peer] : [g.peer, g.ours];
      const listener = listen(to, 64);
      const { port } = nameOf(listener);
      const dialled = Array.from({ length: 40 }, () => dial(from, to, port));
      for (const socket of dialled) expect(await connected(g, socket)).to.equal(0);
      for (const [i, socket] of dialled.entries()) await send(g, socket, `line ${i + 10}`);
      for (const _ of dialled) {
        const accepted = await accept(g, listener);
        await send(g, accepted, await receive(g, accepted, 7));
      }
      for (const [i, socket] of dialled.entries()) expect(await receive(g, socket, 7)).to.equal(`line ${i + 10}`);
    },
  },
  {
    title: 'one listener of AF_INET6 takes both families',
    async play(g) {
      if (g.variant === 'IPv4') return;
      const listener = listen(g.ours);
      const { port } = nameOf(listener);
      for (const [domain, family] of [
        [AF_INET, 4],
        [AF_INET6, 6],
      ] as const) {
        const client = g.peer.socket(domain);
        client.connect({ address: addressOf(OURS[family]), port });
        expect(await connected(g, client)).to.equal(0);
        const accepted = await accept(g, listener);
        expect(accepted.getpeername()).to.deep.include({ address: addressOf(PEERS[family]) });
        await send(g, client, 'family');
        expect(await receive(g, accepted, 6)).to.equal('family');
      }
    },
  },
  {
    title: 'one that is IPV6_V6ONLY does not take IPv4',
    async play(g) {
      if (g.variant === 'IPv4') return;
      const listener = listen(g.ours, 4, (socket) => ok(socket.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 1), 'V6ONLY'));
      const { port } = nameOf(listener);
      const over = async (domain: number, family: 4 | 6) => {
        const client = g.peer.socket(domain);
        client.connect({ address: addressOf(OURS[family]), port });
        return connected(g, client);
      };
      expect([await over(AF_INET, 4), await over(AF_INET6, 6)]).to.deep.equal([ECONNREFUSED, 0]);
    },
  },
  {
    title: 'a listener of AF_INET goes before one that takes both families',
    async play(g) {
      if (g.variant !== 'mapped') return;
      const narrow = g.ours.socket(AF_INET);
      ok(narrow.bind({ address: g.ours.address, port: 0 }), 'bind');
      ok(narrow.listen(4), 'listen');
      const { port } = nameOf(narrow);
      const client = dial(g.peer, g.ours, port);
      expect(await connected(g, client)).to.equal(0);
      expect((await accept(g, narrow)).getsockname()).to.deep.include({ address: g.ours.address, port });
    },
  },
  {
    title: 'SYN cookies open connections that know their options',
    play: (g) =>
      withSysctl(g, { tcp_syncookies: 2 }, async () => {
        const { dialled, accepted } = await pair(g, 'peer');
        await send(g, dialled, 'cookie');
        expect(await receive(g, accepted, 6)).to.equal('cookie');
        expect((accepted.getsockopt(IPPROTO_TCP, TCP_INFO) as TcpInfo).tcpi_options & 7).to.equal(7);
        expect(g.stack.counters.SyncookiesRecv).to.be.greaterThan(0);
      }),
  },
  {
    title: 'TCP_DEFER_ACCEPT waits for data',
    async play(g) {
      const listener = listen(g.ours, 4, (socket) => ok(socket.setsockopt(IPPROTO_TCP, TCP_DEFER_ACCEPT, 5), 'defer'));
      const client = dial(g.peer, g.ours, nameOf(listener).port);
      expect(await connected(g, client)).to.equal(0);
      await g.pass(5);
      expect(readable(listener)).to.equal(false);
      await send(g, client, 'data');
      expect(await receive(g, await accept(g, listener), 4)).to.equal('data');
    },
  },
  {
    title: 'calls in the wrong state, and addresses that are not ours',
    async play(g) {
      const { ours } = await pair(g, 'peer');
      expect(ours.connect({ address: g.peer.address, port: 7 })).to.equal(-EISCONN);
      expect(ours.accept()).to.equal(-EINVAL);
      const fresh = g.ours.socket(g.ours.domain);
      expect(fresh.accept()).to.equal(-EINVAL);
      expect(fresh.getpeername()).to.equal(-ENOTCONN);
      expect(fresh.bind({ address: g.peer.address, port: 0 })).to.equal(-EADDRNOTAVAIL);
      expect(fresh.connect({ address: addressOf(ELSEWHERE[g.family]), port: 7 })).to.equal(-ENETUNREACH);
      const listener = listen(g.ours);
      const { port } = nameOf(listener);
      expect(fresh.bind({ address: g.ours.address, port })).to.equal(-EADDRINUSE);
      expect(fresh.bind({ address: anyOf(g), port })).to.equal(-EADDRINUSE);
    },
  },
  {
    title: 'the same two ports again, after a reset',
    both: true,
    async play(g, who) {
      const [from, to] = who === 'ours' ? [g.ours, g.peer] : [g.peer, g.ours];
      const listener = listen(to);
      const { port } = nameOf(listener);
      let local = 0;
      for (const text of ['first', 'again']) {
        const client = dial(from, to, port, (socket) => {
          if (local !== 0) ok(socket.bind({ address: from.address, port: local }), 'bind');
        });
        expect(await connected(g, client)).to.equal(0);
        local = nameOf(client).port;
        const accepted = await accept(g, listener);
        await send(g, client, text);
        expect(await receive(g, accepted, 5)).to.equal(text);
        accepted.setsockopt(1, 13, { onoff: 1, linger: 0 });
        g.close(accepted);
        expect(await outcome(g, client)).to.be.lessThan(0);
        g.close(client);
      }
    },
  },
];

function anyOf(g: Ground) {
  return g.family === 4 ? IPV4_ANY : IPV6_ANY;
}
