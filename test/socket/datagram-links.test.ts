/** Datagram sockets on a host with several links: what one link does not take is no matter of the others. */
import { expect } from 'chai';
import { AF_INET, SIOCOUTQ, SOCK_DGRAM } from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import type { DatagramSocket } from '../../src/socket/datagram-socket.ts';
import { address, bench, prefix, TapLink } from '../stack/tap.ts';

const BYTES = 1000;

function twoLinks() {
  const { stack, clock } = bench();
  const [stuck, free] = [new TapLink('stuck'), new TapLink('free')];
  stack.addInterface(stuck, { addresses: [prefix('10.1.0.1/24')] });
  stack.addInterface(free, { addresses: [prefix('10.2.0.1/24')] });
  stuck.room = 0;
  const socket = () => createSocket(stack, AF_INET, SOCK_DGRAM, 0) as DatagramSocket;
  const send = (from: DatagramSocket, to: string) =>
    from.send(new Uint8Array(BYTES), 0, { address: address(to), port: 9 });
  return { stack, clock, stuck, free, socket, send };
}

describe('datagrams over several links', () => {
  it('a link that takes nothing holds up no socket that sends over another', async () => {
    const t = twoLinks();
    expect(t.send(t.socket(), '10.1.0.9')).to.equal(BYTES);
    const other = t.socket();
    for (let i = 0; i < 500; i++) {
      expect(t.send(other, '10.2.0.9')).to.equal(BYTES);
      await t.clock.advance(1);
    }
    expect(t.free.drain()).to.have.length(500);
    expect(other.ioctl(SIOCOUTQ)).to.equal(0);
    t.stack.close();
  });

  it('of one socket that sends over both, what waits for the one link alone takes room', async () => {
    const t = twoLinks();
    const both = t.socket();
    expect(t.send(both, '10.1.0.9')).to.equal(BYTES);
    const waiting = both.ioctl(SIOCOUTQ);
    for (let i = 0; i < 500; i++) {
      expect(t.send(both, '10.2.0.9')).to.equal(BYTES);
      await t.clock.advance(1);
    }
    expect(both.ioctl(SIOCOUTQ)).to.equal(waiting);
    t.stuck.room = 1;
    t.stuck.receiver.writable();
    await t.clock.advance(0);
    expect(both.ioctl(SIOCOUTQ)).to.equal(0);
    both.close();
    t.stack.close();
    expect(t.stack.slab.live).to.equal(0);
  });
});
