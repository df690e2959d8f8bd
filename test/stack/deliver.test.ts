/** What a host takes for itself, and what it drops: RFC 1122 3.2.1.3, RFC 9293 3.1, 3.9.2.3, 3.10.7.1. */
import { expect } from 'chai';
import { createSocket } from '../../src/socket/create-socket.ts';
import type { Socket } from '../../src/socket/socket.ts';
import type { Stack } from '../../src/stack/stack.ts';
import { buildIp4 } from '../support/wire-fragment.ts';
import { buildIcmp, readSegment } from '../support/wire-segment.ts';
import { address, bench, prefix, syn, TapLink } from './tap.ts';

function host(trace?: (event: { type: string; reason?: string }) => void): { stack: Stack; link: TapLink } {
  const { stack } = bench(trace === undefined ? {} : { trace: trace as never });
  const link = new TapLink();
  stack.addInterface(link, { addresses: [prefix('10.0.0.1/24')] });
  const listener = createSocket(stack, 2, 1, 0) as Socket;
  listener.bind({ address: address('0.0.0.0'), port: 80 });
  listener.listen(10);
  return { stack, link };
}

describe('packets that come', () => {
  it('for one of our addresses are taken', () => {
    const { stack, link } = host();
    link.deliver(syn('10.0.0.2', '10.0.0.1'));
    expect(readSegment(link.sent[0] as Uint8Array)).to.include({ flags: 'SA', sourcePort: 80 });
    expect(stack.counters).to.include({ InReceives: 1, InDelivers: 1, InSegs: 1, InAddrErrors: 0, OutRequests: 1 });
  });

  for (const [what, destination] of [
    ['another host', '10.0.0.7'],
    ['everybody', '255.255.255.255'],
    ['our network', '10.0.0.255'],
    ['a group', '224.0.0.1'],
    ['127.0.0.1, from outside', '127.0.0.1'],
  ] as const) {
    it(`for ${what} are dropped without an answer, and counted`, () => {
      const reasons: string[] = [];
      const { stack, link } = host(({ type, reason }) => type === 'drop' && reasons.push(reason as string));
      link.deliver(syn('10.0.0.2', destination));
      expect(link.sent).to.deep.equal([]);
      expect(stack.counters).to.include({ InAddrErrors: 1, InSegs: 0 });
      expect(reasons).to.deep.equal(['ip-not-for-us']);
    });
  }

  it('127/8 does not come from outside, even to an interface that has such an address', () => {
    const { stack } = bench();
    const link = new TapLink();
    stack.addInterface(link, { addresses: [prefix('10.0.0.1/24'), prefix('127.0.0.1/8')] });
    link.deliver(syn('127.0.0.2', '10.0.0.1'));
    link.deliver(syn('10.0.0.2', '127.0.0.1'));
    expect(link.sent).to.deep.equal([]);
    expect(stack.counters.InAddrErrors).to.be.greaterThan(0);
  });

  for (const [what, source] of [
    ['everybody', '255.255.255.255'],
    ['a group', '224.0.0.1'],
    ['nobody', '0.0.0.0'],
    ['127.0.0.1', '127.0.0.1'],
    ['ourselves (the land attack)', '10.0.0.1'],
    ['the whole network', '10.0.0.255'],
  ] as const) {
    it(`from ${what} are dropped without an answer: RFC 1122 3.2.1.3, RFC 9293 [MUST-63]`, () => {
      const { stack, link } = host();
      link.deliver(syn(source, '10.0.0.1'));
      link.deliver(syn(source, '10.0.0.1', { destinationPort: 81 }));
      expect(link.sent).to.deep.equal([]);
      expect(stack.sockets()).to.have.length(1);
    });
  }

  it('with a wrong TCP checksum are dropped and counted [MUST-3]', () => {
    const { stack, link } = host();
    link.deliver(syn('10.0.0.2', '10.0.0.1', {}, true));
    expect(link.sent).to.deep.equal([]);
    expect(stack.counters).to.include({ InCsumErrors: 1, InErrs: 1, InSegs: 1 });
    expect(stack.sockets()).to.have.length(1);
  });

  it('with a wrong IP checksum, too', () => {
    const { stack, link } = host();
    const bytes = syn('10.0.0.2', '10.0.0.1');
    bytes[10] = (bytes[10] as number) ^ 1;
    link.deliver(bytes);
    expect(link.sent).to.deep.equal([]);
    expect(stack.counters).to.include({ InHdrErrors: 1, InSegs: 0 });
  });

  it('with a wrong ICMP checksum, too', () => {
    const { stack, link } = host();
    const bytes = buildIcmp(address('10.0.0.2').w3, address('10.0.0.1').w3, 8, 0, 1, new Uint8Array(8));
    bytes[22] = (bytes[22] as number) ^ 1;
    link.deliver(bytes);
    expect(link.sent).to.deep.equal([]);
    expect(stack.counters).to.include({ IcmpInMsgs: 1, IcmpInErrors: 1, IcmpInCsumErrors: 1, IcmpInEchos: 0 });
  });

  it('that are cut short, too', () => {
    const { stack, link } = host();
    link.deliver(syn('10.0.0.2', '10.0.0.1').subarray(0, 39));
    link.deliver(new Uint8Array([0x45]));
    link.deliver(new Uint8Array());
    expect(link.sent).to.deep.equal([]);
    expect(stack.counters).to.include({ InHdrErrors: 3, InDelivers: 0 });
  });

  it('in fragments are put together first', () => {
    const { stack, link } = host();
    const payload = syn('10.0.0.2', '10.0.0.1').subarray(20);
    link.deliver(buildIp4(payload.subarray(16), { protocol: 6, offset: 16 }));
    expect(link.sent).to.deep.equal([]);
    link.deliver(buildIp4(payload.subarray(0, 16), { protocol: 6, more: true }));
    expect(readSegment(link.sent[0] as Uint8Array)).to.include({ flags: 'SA', sourcePort: 80 });
    expect(stack.counters).to.include({ InReceives: 2, InDelivers: 1, InSegs: 1 });
    stack.close();
    expect(stack.slab.live).to.equal(0);
  });

  it('a SYN to a closed port is answered with a RST that acknowledges it', () => {
    const { stack, link } = host();
    link.deliver(syn('10.0.0.2', '10.0.0.1', { destinationPort: 81, seq: 500, data: new Uint8Array(10) }));
    const reset = readSegment(link.sent[0] as Uint8Array);
    expect(reset).to.include({ flags: 'RA', seq: 0, ack: 511, sourcePort: 81, destinationPort: 40_000, win: 0 });
    expect(stack.counters.OutRsts).to.equal(1);
  });

  it('an ACK to a closed port: a RST from where it is', () => {
    const { link } = host();
    link.deliver(syn('10.0.0.2', '10.0.0.1', { destinationPort: 81, flags: 'A', ack: 777 }));
    expect(readSegment(link.sent[0] as Uint8Array)).to.include({ flags: 'R', seq: 777, ack: 0 });
  });

  it('a RST to a closed port: nothing', () => {
    const { link } = host();
    link.deliver(syn('10.0.0.2', '10.0.0.1', { destinationPort: 81, flags: 'R' }));
    link.deliver(syn('10.0.0.2', '10.0.0.1', { destinationPort: 81, flags: 'RA', ack: 5 }));
    expect(link.sent).to.deep.equal([]);
  });

  it('a listener on one address does not answer for another', () => {
    const { stack } = bench();
    const link = new TapLink();
    stack.addInterface(link, { addresses: [prefix('10.0.0.1/24'), prefix('10.0.0.3/24')] });
    const listener = createSocket(stack, 2, 1, 0) as Socket;
    listener.bind({ address: address('10.0.0.1'), port: 80 });
    listener.listen(1);
    link.deliver(syn('10.0.0.2', '10.0.0.3'));
    link.deliver(syn('10.0.0.2', '10.0.0.1'));
    expect(link.drain().map((bytes) => readSegment(bytes).flags)).to.deep.equal(['RA', 'SA']);
  });

  it('the listener on the very address comes before one on all', () => {
    const { stack, link } = host();
    const own = createSocket(stack, 2, 1, 0) as Socket;
    own.setsockopt(1, 2, 1);
    expect(own.bind({ address: address('10.0.0.1'), port: 80 })).to.equal(-98);
    link.deliver(syn('10.0.0.2', '10.0.0.1'));
    expect(stack.sockets().filter(({ state }) => state === 'SYN-RECEIVED')).to.have.length(1);
  });
});
