/** What costs memory and time unseen: objects that V8 takes for different kinds. */
import { setFlagsFromString } from 'node:v8';
import { expect } from 'chai';
import { createHost } from '../../src/host.ts';
import { createNet } from '../../src/node.ts';

/** Whether V8 has one hidden class for both. */
function haveSameMap(one: object, other: object): boolean {
  setFlagsFromString('--allow-natives-syntax');
  const same = new Function('one', 'other', 'return %HaveSameMap(one, other)');
  setFlagsFromString('--no-allow-natives-syntax');
  return same(one, other);
}

describe('hidden classes', () => {
  it('net.Socket has one for all of its objects, and so has a class that extends it', () => {
    const host = createHost({ loopback: true });
    const net = createNet(host);
    class Own extends net.Socket {}
    for (const Class of [net.Socket, Own]) {
      // The first objects of a class teach V8 how large they become.
      const sockets = Array.from({ length: 20 }, () => new Class());
      expect(haveSameMap(sockets[18] as object, sockets[19] as object), Class.name).to.equal(true);
    }
    host.close();
  });

  it('net.Server as well', () => {
    const host = createHost({ loopback: true });
    const net = createNet(host);
    const servers = Array.from({ length: 20 }, () => new net.Server());
    expect(haveSameMap(servers[18] as object, servers[19] as object)).to.equal(true);
    host.close();
  });
});
