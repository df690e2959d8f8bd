/** Where packets go and from which address: RFC 1122 3.3.1, 3.3.4. */
import { expect } from 'chai';
import { createSocket } from '../../src/socket/create-socket.ts';
import { EADDRNOTAVAIL, EINPROGRESS, EINVAL, ENETUNREACH } from '../../src/socket/errno.ts';
import type { Socket } from '../../src/socket/socket.ts';
import { readIp } from '../support/wire-segment.ts';
import { address, type Bench, bench, prefix, syn, TapLink } from './tap.ts';

/** A stack on three networks. */
function threeWays(): Bench & Record<'wide' | 'narrow' | 'other', TapLink> {
  const { stack, clock } = bench();
  const [wide, narrow, other] = [new TapLink('wide'), new TapLink('narrow'), new TapLink('other')];
  stack.addInterface(wide, { addresses: [prefix('10.0.0.1/8')] });
  stack.addInterface(narrow, { addresses: [prefix('10.1.0.1/16'), prefix('10.1.2.1/24')] });
  const added = stack.addInterface(other, { addresses: [prefix('192.168.0.1/24')] });
  stack.addRoute({
    destination: address('0.0.0.0'),
    bits: 0,
    interface: added,
    gateway: address('192.168.0.254'),
  });
  return { stack, clock, wide, narrow, other };
}

/** Where the SYN came out, and from which address. */
async function synTo(ways: ReturnType<typeof threeWays>, to: string): Promise<string> {
  const socket = createSocket(ways.stack, 2, 1, 0) as Socket;
  expect(socket.connect({ address: address(to), port: 80 })).to.equal(-115);
  await ways.clock.advance(0);
  const [link, ...others] = [ways.wide, ways.narrow, ways.other].filter(({ sent }) => sent.length > 0);
  expect(others).to.deep.equal([]);
  const { source, destination } = readIp(link?.sent[0] as Uint8Array);
  expect(destination).to.equal(address(to).w3);
  const own = ways.stack.interfaces.flatMap(({ addresses }) => addresses);
  return `${link?.name} from ${own.find((each) => each.address.w3 === source)?.address}`;
}

describe('routes', () => {
  it('RFC 3021: a network of two addresses has no broadcast address, one of four has', () => {
    for (const [own, to, result] of [
      ['10.0.0.0/31', '10.0.0.1', -EINPROGRESS],
      ['10.0.0.1/30', '10.0.0.3', -ENETUNREACH],
    ] as const) {
      const { stack } = bench();
      stack.addInterface(new TapLink(), { addresses: [prefix(own)] });
      const socket = createSocket(stack, 2, 1, 0) as Socket;
      expect(socket.connect({ address: address(to), port: 80 }), own).to.equal(result);
    }
  });

  for (const [to, way] of [
    ['10.2.3.4', 'wide from 10.0.0.1'],
    ['10.1.3.4', 'narrow from 10.1.0.1'],
    ['192.168.0.7', 'other from 192.168.0.1'],
    ['8.8.8.8', 'other from 192.168.0.1'],
  ] as const) {
    it(`the longest prefix wins: ${to} is reached by ${way}`, async () => {
      expect(await synTo(threeWays(), to)).to.equal(way);
    });
  }

  it("the source is the address in the destination's network", () => {
    const { stack } = threeWays();
    expect(`${stack.network.pathTo(address('10.1.2.9'), undefined, 6)?.source}`).to.equal('10.1.2.1');
    expect(`${stack.network.pathTo(address('10.1.9.9'), undefined, 6)?.source}`).to.equal('10.1.0.1');
    // In whichever order they were given.
    const other = bench().stack;
    other.addInterface(new TapLink(), { addresses: [prefix('10.1.2.1/24'), prefix('10.1.0.1/16')] });
    expect(`${other.network.pathTo(address('10.1.2.9'), undefined, 6)?.source}`).to.equal('10.1.2.1');
  });

  it('of a route through a gateway, the one in the network of the gateway', () => {
    const { stack } = bench();
    const link = new TapLink();
    const added = stack.addInterface(link, { addresses: [prefix('10.0.0.1/24'), prefix('10.0.1.1/24')] });
    stack.addRoute({ destination: address('0.0.0.0'), bits: 0, interface: added, gateway: address('10.0.1.254') });
    expect(`${stack.network.pathTo(address('8.8.8.8'), undefined, 6)?.source}`).to.equal('10.0.1.1');
  });

  it('a source that was chosen stays', () => {
    const { stack } = threeWays();
    expect(`${stack.network.pathTo(address('10.1.3.4'), address('192.168.0.1'), 6)?.source}`).to.equal('192.168.0.1');
  });

  it('no route: ENETUNREACH', () => {
    const { stack } = bench();
    stack.addInterface(new TapLink(), { addresses: [prefix('10.0.0.1/24')] });
    const socket = createSocket(stack, 2, 1, 0) as Socket;
    expect(socket.connect({ address: address('10.0.1.1'), port: 80 })).to.equal(-ENETUNREACH);
    expect(stack.counters).to.include({ OutNoRoutes: 1, OutRequests: 0 });
  });

  it('RFC 1122 3.2.1.3: a loopback source leaves the host by no link, EINVAL as on Linux', () => {
    const { stack } = bench();
    stack.addInterface(new TapLink(), { addresses: [prefix('10.0.0.1/24')] });
    const socket = createSocket(stack, 2, 1, 0) as Socket;
    expect(socket.bind({ address: address('127.0.0.1'), port: 0 })).to.equal(0);
    expect(socket.connect({ address: address('10.0.0.2'), port: 80 })).to.equal(-EINVAL);
  });

  it('an address of somebody else cannot be bound to', () => {
    const { stack } = bench();
    stack.addInterface(new TapLink(), { addresses: [prefix('10.0.0.1/24')] });
    const socket = createSocket(stack, 2, 1, 0) as Socket;
    expect(socket.bind({ address: address('10.0.0.2'), port: 0 })).to.equal(-EADDRNOTAVAIL);
  });

  it('of two routes with the same prefix the first added wins, until its link is gone', () => {
    const { stack } = bench();
    const [first, second] = [new TapLink('first'), new TapLink('second')];
    stack.addInterface(first, { addresses: [prefix('10.0.0.1/24')] });
    stack.addInterface(second, { addresses: [prefix('10.0.0.9/24')] });
    const way = () => `${stack.network.pathTo(address('10.0.0.5'), undefined, 6)?.source}`;
    expect(way()).to.equal('10.0.0.1');
    first.receiver.closed(undefined);
    expect(way()).to.equal('10.0.0.9');
  });

  it('answers to what came in go out where it came from, whatever the routes say', () => {
    const { stack } = bench();
    const [near, far] = [new TapLink('near'), new TapLink('far')];
    stack.addInterface(near, { addresses: [prefix('10.0.0.1/24')] });
    stack.addInterface(far, { addresses: [prefix('10.0.0.1/8')] });
    near.deliver(syn('10.7.7.7', '10.0.0.1'));
    expect(near.drain()).to.have.length(1);
    expect(far.drain()).to.have.length(0);
  });
});
