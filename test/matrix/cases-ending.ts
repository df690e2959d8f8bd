/** Connections end: in order, at once, with a reset. */
import { expect } from 'chai';
import type { TestSocket } from '../../src/packetdrill/target.ts';
import { POLLHUP, SHUT_RD, SHUT_RDWR, SHUT_WR, SO_LINGER, SOL_SOCKET } from '../../src/socket/constants.ts';
import { EAGAIN, ECONNREFUSED, ECONNRESET, EPIPE } from '../../src/socket/errno.ts';
import { connected, dial, ended, listen, nameOf, ok, outcome, pair, receive, Stream, send } from './acts.ts';
import type { Case } from './cases.ts';
import type { Ground } from './ground.ts';

export const cases: readonly Case[] = [
  {
    title: 'half closed, the other half goes on, closed',
    both: true,
    async play(g, who) {
      const { first, second } = await ends(g, who);
      await send(g, first, 'question');
      ok(first.shutdown(SHUT_WR), 'shutdown');
      expect(await receive(g, second, 8)).to.equal('question');
      await ended(g, second);
      const answer = new Stream(second, first, 100_000);
      await g.until('the answer', () => answer.turn());
      answer.verify();
      g.close(second);
      await ended(g, first);
      expect(first.send(new Uint8Array(1))).to.equal(-EPIPE);
    },
  },
  {
    title: 'both ends close at once',
    async play(g) {
      const { first, second } = await ends(g, 'ours');
      ok(first.shutdown(SHUT_RDWR), 'shutdown');
      ok(second.shutdown(SHUT_RDWR), 'shutdown');
      await g.until('both ends', () => [first, second].every((socket) => (socket.poll() & POLLHUP) !== 0));
      await ended(g, first);
      await ended(g, second);
    },
  },
  {
    title: 'what was written before close arrives, and then the end, closed',
    both: true,
    async play(g, who) {
      const { first, second } = await ends(g, who);
      const stream = new Stream(first, second, 100_000);
      await g.until('the last byte is taken', () => {
        const taken = stream.push();
        stream.pull();
        return taken;
      });
      g.close(first);
      await g.until('the stream', () => stream.pull());
      stream.verify();
      await ended(g, second);
    },
  },
  {
    title: 'a reset: ECONNRESET once, and the end, EPIPE for the writer, reset',
    both: true,
    async play(g, who) {
      const { first, second } = await ends(g, who);
      reset(g, first);
      expect(await outcome(g, second)).to.equal(-ECONNRESET);
      expect(second.recv(new Uint8Array(1))).to.equal(0);
      expect(second.send(new Uint8Array(1))).to.equal(-EPIPE);
    },
  },
  {
    title: 'close with unread data is a reset, closed',
    both: true,
    async play(g, who) {
      const { first, second } = await ends(g, who);
      await send(g, second, 'never read');
      await g.until('data', () => first.poll() !== 0 && first.recv(new Uint8Array(1), 2) === 1);
      g.close(first);
      expect(await outcome(g, second)).to.equal(-ECONNRESET);
    },
  },
  {
    title: 'who writes to a socket that is gone learns it, closed',
    both: true,
    async play(g, who) {
      const { first, second } = await ends(g, who);
      g.close(first);
      await ended(g, second);
      ok(second.send(new Uint8Array(1)), 'the first write');
      let result = 0;
      await g.until('an error', () => {
        result = second.send(new Uint8Array(1));
        return result < 0;
      });
      expect(result).to.equal(-EPIPE);
    },
  },
  {
    title: 'shutdown of reading: the end is read, and the connection lives',
    async play(g) {
      const { first, second } = await ends(g, 'ours');
      ok(first.shutdown(SHUT_RD), 'shutdown');
      expect(first.recv(new Uint8Array(1))).to.equal(0);
      await send(g, first, 'still here');
      expect(await receive(g, second, 10)).to.equal('still here');
    },
  },
  {
    title: 'a listener that is closed resets those who wait, and refuses the next, closed',
    both: true,
    async play(g, who) {
      const [to, from] = who === 'ours' ? [g.ours, g.peer] : [g.peer, g.ours];
      const listener = listen(to);
      const { port } = nameOf(listener);
      const waiting = dial(from, to, port);
      expect(await connected(g, waiting)).to.equal(0);
      // The third segment of the handshake is on its way: the connection is to wait when the listener goes.
      await g.until('it waits', () => (listener.poll() & 1) !== 0);
      g.close(listener);
      expect(await outcome(g, waiting)).to.equal(-ECONNRESET);
      expect(await connected(g, dial(from, to, port))).to.equal(ECONNREFUSED);
    },
  },
  {
    title: 'connections outlive their listener',
    both: true,
    async play(g, who) {
      const { dialled, accepted, listener } = await pair(g, who);
      g.close(listener);
      await send(g, dialled, 'alone');
      expect(await receive(g, accepted, 5)).to.equal('alone');
    },
  },
  {
    title: 'a socket is used again after a connection was refused',
    async play(g) {
      const socket = dial(g.ours, g.peer, 9);
      expect(await connected(g, socket)).to.equal(ECONNREFUSED);
      const listener = listen(g.peer);
      socket.connect({ address: g.peer.address, port: nameOf(listener).port });
      expect(await connected(g, socket)).to.equal(0);
      expect(socket.recv(new Uint8Array(1))).to.equal(-EAGAIN);
    },
  },
];

/** A connection whose first end is the one that acts. */
async function ends(g: Ground, who: 'ours' | 'peer'): Promise<{ first: TestSocket; second: TestSocket }> {
  const { ours, peers } = await pair(g, 'ours');
  return who === 'ours' ? { first: ours, second: peers } : { first: peers, second: ours };
}

function reset(g: Ground, socket: TestSocket): void {
  ok(socket.setsockopt(SOL_SOCKET, SO_LINGER, { onoff: 1, linger: 0 }), 'SO_LINGER');
  g.close(socket);
}
