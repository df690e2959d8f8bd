/** Data goes over connections: streams, windows, small writes, urgent bytes. */
import { expect } from 'chai';
import {
  IPPROTO_TCP,
  MSG_MORE,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  POLLPRI,
  SIOCATMARK,
  SIOCINQ,
  SIOCOUTQ,
  SO_OOBINLINE,
  SO_RCVBUF,
  SO_SNDBUF,
  SOL_SOCKET,
  TCP_CORK,
  TCP_NODELAY,
} from '../../src/socket/constants.ts';
import { ok, pair, receive, Stream, send } from './acts.ts';
import type { Case } from './cases.ts';

const BULK = 300_000;

export const cases: readonly Case[] = [
  {
    title: 'a stream arrives whole, sent',
    both: true,
    async play(g, who) {
      const { ours, peers } = await pair(g, 'ours');
      const stream = who === 'ours' ? new Stream(ours, peers, BULK) : new Stream(peers, ours, BULK);
      await g.until('the stream', () => stream.turn());
      stream.verify();
    },
  },
  {
    title: 'streams both ways at once, dialled',
    both: true,
    async play(g, who) {
      const { ours, peers } = await pair(g, who);
      const streams = [new Stream(ours, peers, BULK, 1), new Stream(peers, ours, BULK, 2)];
      await g.until('the streams', () => streams.map((stream) => stream.turn()).every(Boolean));
      for (const stream of streams) stream.verify();
    },
  },
  {
    title: 'a reader that does not read closes the window, and opens it again, it is sent',
    both: true,
    async play(g, who) {
      const small = (socket: { setsockopt(level: number, option: number, value: number): number }) =>
        void [SO_RCVBUF, SO_SNDBUF].map((option) => ok(socket.setsockopt(SOL_SOCKET, option, 16_384), 'buffer'));
      const { ours, peers } = await pair(g, 'ours', { dial: small, listen: small });
      const [from, to] = who === 'ours' ? [ours, peers] : [peers, ours];
      const stream = new Stream(from, to, 400_000);
      let before = -1;
      // Full is what takes no more for a while.
      for (let quiet = 0; quiet < 3; quiet++) {
        expect(stream.push()).to.equal(false);
        await g.pass(5);
        const queued = from.ioctl(SIOCOUTQ);
        if (queued !== before) quiet = 0;
        before = queued;
      }
      expect(to.ioctl(SIOCINQ)).to.be.greaterThan(0);
      expect(from.ioctl(SIOCOUTQ)).to.be.greaterThan(0);
      await g.until('the rest', () => stream.turn());
      stream.verify();
    },
  },
  {
    title: 'fifty single bytes arrive in order, with TCP_NODELAY, sent',
    both: true,
    async play(g, who) {
      const { ours, peers } = await pair(g, 'ours');
      const [from, to] = who === 'ours' ? [ours, peers] : [peers, ours];
      ok(from.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1), 'TCP_NODELAY');
      const text = Array.from({ length: 50 }, (_, i) => String.fromCharCode(48 + i)).join('');
      for (const letter of text) await send(g, from, letter);
      expect(await receive(g, to, 50)).to.equal(text);
    },
  },
  {
    title: 'fifty single bytes arrive in order, gathered by Nagle, sent',
    both: true,
    async play(g, who) {
      const { ours, peers } = await pair(g, 'ours');
      const [from, to] = who === 'ours' ? [ours, peers] : [peers, ours];
      const text = Array.from({ length: 50 }, (_, i) => String.fromCharCode(48 + i)).join('');
      for (const letter of text) await send(g, from, letter);
      expect(await receive(g, to, 50)).to.equal(text);
    },
  },
  {
    title: 'TCP_CORK and MSG_MORE hold back what does not fill a segment, sent',
    both: true,
    async play(g, who) {
      const { ours, peers } = await pair(g, 'ours');
      const [from, to] = who === 'ours' ? [ours, peers] : [peers, ours];
      ok(from.setsockopt(IPPROTO_TCP, TCP_CORK, 1), 'TCP_CORK');
      await send(g, from, 'held ');
      await g.pass(5);
      expect(to.ioctl(SIOCINQ)).to.equal(0);
      ok(from.setsockopt(IPPROTO_TCP, TCP_CORK, 0), 'TCP_CORK');
      expect(await receive(g, to, 5)).to.equal('held ');
      // An acknowledgment lets go what MSG_MORE holds (Linux).
      await g.until('the acknowledgment', () => from.ioctl(SIOCOUTQ) === 0);
      await send(g, from, 'more ', MSG_MORE);
      await g.pass(5);
      expect(to.ioctl(SIOCINQ)).to.equal(0);
      await send(g, from, 'and all');
      expect(await receive(g, to, 12)).to.equal('more and all');
    },
  },
  {
    title: 'an urgent byte is read apart, sent',
    both: true,
    async play(g, who) {
      const { ours, peers } = await pair(g, 'ours');
      const [from, to] = who === 'ours' ? [ours, peers] : [peers, ours];
      await send(g, from, 'abc', MSG_OOB);
      await g.until('urgent', () => (to.poll() & POLLPRI) !== 0);
      const into = new Uint8Array(4);
      await g.until('the urgent byte', () => to.recv(into, MSG_OOB) === 1);
      expect(into[0]).to.equal(0x63);
      await send(g, from, 'de');
      expect(await receive(g, to, 4)).to.equal('abde');
    },
  },
  {
    title: 'an urgent byte in the stream, and the mark before it, sent',
    both: true,
    async play(g, who) {
      const { ours, peers } = await pair(g, 'ours');
      const [from, to] = who === 'ours' ? [ours, peers] : [peers, ours];
      ok(to.setsockopt(SOL_SOCKET, SO_OOBINLINE, 1), 'SO_OOBINLINE');
      await send(g, from, 'abc', MSG_OOB);
      await g.until('all of it', () => to.ioctl(SIOCINQ) === 3 || (to.poll() & POLLPRI) !== 0);
      expect(await receive(g, to, 2)).to.equal('ab');
      await g.until('the mark', () => to.ioctl(SIOCATMARK) === 1);
      expect(await receive(g, to, 1)).to.equal('c');
    },
  },
  {
    title: 'MSG_PEEK leaves it, MSG_TRUNC drops it',
    async play(g) {
      const { ours, peers } = await pair(g, 'ours');
      await send(g, peers, 'look twice');
      expect(await receive(g, ours, 10, MSG_PEEK)).to.equal('look twice');
      expect(ours.recv(new Uint8Array(5), MSG_TRUNC)).to.equal(5);
      expect(await receive(g, ours, 5)).to.equal('twice');
    },
  },
  {
    title: 'what was lost on the way goes again',
    needs: 'virtual time',
    async play(g) {
      const { ours, peers } = await pair(g, 'ours');
      const streams = [new Stream(ours, peers, BULK, 1), new Stream(peers, ours, BULK, 2)];
      for (const isCut of [true, false, true, false]) {
        g.cut?.(isCut);
        for (const stream of streams) stream.turn();
        await g.pass(isCut ? 700 : 0.2);
      }
      await g.until('the streams', () => streams.map((stream) => stream.turn()).every(Boolean), 60_000);
      for (const stream of streams) stream.verify();
      expect(g.stack.counters.RetransSegs).to.be.greaterThan(0);
    },
  },
];
