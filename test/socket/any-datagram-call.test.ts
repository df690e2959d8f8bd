/** Any call at any moment, on any socket of UDP, while links fill, close and deliver: a result or an errno, never an exception; and nothing is left. */
import { expect } from 'chai';
import fc from 'fast-check';
import { SOCK_DGRAM } from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import { DatagramSocket } from '../../src/socket/datagram-socket.ts';
import { errnoName } from '../../src/socket/errno.ts';
import type { Stack } from '../../src/stack/stack.ts';
import { address, bench, prefix, TapLink } from '../stack/tap.ts';
import { buildUdp } from '../support/wire-datagram.ts';
import { buildIcmp } from '../support/wire-segment.ts';

const RUNS = 150;
const CALLS = 60;
const ADDRESSES = [
  '0.0.0.0',
  '127.0.0.1',
  '10.0.0.1',
  '10.0.0.2',
  '10.0.0.255',
  '255.255.255.255',
  '224.0.0.1',
  '192.0.2.1',
];
const ADDRESSES_6 = ['::', '::1', 'fd00::1', 'fd00::2', 'ff02::1', 'fe80::1', '2001:db8::1'];

const value = fc.oneof(fc.constantFrom(0, 1, -1, 5, 88, 1000, 65_507, 65_536), fc.integer(), fc.double());
const at = fc.record({
  address: fc.constantFrom(...[...ADDRESSES, ...ADDRESSES_6].map(address)),
  port: fc.constantFrom(0, 53, 54, 55, -1, 70_000, 1.5),
});
const NAMES = [
  ...[
    'socket',
    'bind',
    'connect',
    'connect',
    'disconnect',
    'send',
    'send',
    'sendto',
    'sendto',
    'sendv',
    'recv',
    'recv',
    'recvmsg',
  ],
  ...[
    'shutdown',
    'close',
    'setsockopt',
    'setsockopt',
    'getsockopt',
    'names',
    'poll',
    'ioctl',
    'wait',
    'arrives',
    'error',
    'room',
  ],
] as const;
const call = fc.record({
  socket: fc.nat(5),
  name: fc.constantFrom(...NAMES),
  at,
  value,
  level: fc.constantFrom(1, 17, 0, 41),
  option: fc.oneof(fc.integer({ min: 0, max: 80 }), fc.integer()),
  flags: fc.constantFrom(0, 0, 0, 1, 2, 0x20, 0x2000, 0x8000, -1),
});
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

describe('sockets of UDP: any call', () => {
  it(`${RUNS * CALLS} calls`, async function () {
    this.timeout(60_000);
    const property = fc.asyncProperty(fc.array(call, { minLength: CALLS, maxLength: CALLS }), play);
    await fc.assert(property, { numRuns: RUNS, seed: 1003 });
  });
});

async function play(calls: readonly Call[]): Promise<void> {
  const { stack, clock } = bench();
  const link = new TapLink('tap', 1280);
  stack.addInterface(link, { addresses: [prefix('10.0.0.1/24'), prefix('fd00::1/64')] });
  const sockets: DatagramSocket[] = [];
  for (const each of calls) {
    if (each.name === 'wait') await clock.advance(1);
    else if (each.name === 'room') {
      link.room = each.flags === 0 ? Infinity : 3;
      link.receiver.writable();
    } else for (const result of perform(each, stack, link, sockets)) check(result, each.name);
  }
  for (const socket of sockets) socket.close();
  link.room = Infinity;
  link.receiver.writable();
  await clock.advance(1000);
  expect(stack.sockets()).to.deep.equal([]);
  expect([stack.udp.table.size, stack.udp.pool.live, stack.slab.live]).to.deep.equal([0, 0, 0]);
  stack.close();
}

/** @returns what the call gave */
function perform(each: Call, stack: Stack, link: TapLink, sockets: DatagramSocket[]): unknown[] {
  if (each.name === 'socket' || sockets.length === 0) {
    const socket = createSocket(stack, each.flags === 0 ? 10 : 2, SOCK_DGRAM, 0);
    if (socket instanceof DatagramSocket) sockets.push(socket);
    return [];
  }
  const socket = sockets[each.socket % sockets.length] as DatagramSocket;
  const size = Math.abs(Math.trunc(each.value)) % 70_000 || 0;
  const message = (got: unknown) => [typeof got === 'object' ? (got as { length: number }).length : got];
  switch (each.name) {
    case 'bind':
      return [socket.bind(each.at)];
    case 'connect':
      return [socket.connect(each.at)];
    case 'disconnect':
      return [socket.disconnect()];
    case 'send':
      return [socket.send(new Uint8Array(size), each.flags)];
    case 'sendto':
      return [socket.sendto(new Uint8Array(size), each.flags, each.at)];
    case 'sendv':
      return [socket.sendv([new Uint8Array(size), new Uint8Array(0), new Uint8Array(3)], each.flags, each.at)];
    case 'recv':
      return [socket.recv(new Uint8Array(size), each.flags)];
    case 'recvmsg':
      return message(socket.recvmsg([new Uint8Array(3), new Uint8Array(size)], each.flags));
    case 'shutdown':
      return [socket.shutdown(each.option)];
    case 'close':
      return [socket.close()];
    case 'setsockopt':
      return [socket.setsockopt(each.level, each.option, each.value)];
    case 'getsockopt':
      return [socket.getsockopt(each.level, each.option)].filter((got) => typeof got === 'number');
    case 'ioctl':
      return [socket.ioctl(each.option)];
    case 'poll':
      return [socket.poll()];
    case 'arrives':
      link.deliver(datagramFor(each, size % 1200));
      return [];
    case 'error':
      link.deliver(buildIcmp(address('10.0.0.2').w3, address('10.0.0.1').w3, 3, size % 16, 1000, lastOf(link)));
      return [];
    default:
      return [socket.getsockname(), socket.getpeername()].filter((name) => typeof name !== 'object');
  }
}

function datagramFor({ at: { address: destination }, flags }: Call, length: number): Uint8Array {
  const source = address(destination.family === 4 ? '10.0.0.2' : 'fd00::2');
  const spec = { source, destination, data: new Uint8Array(length), sourcePort: 53 };
  return buildUdp(flags === 1 ? { ...spec, checksum: 7 } : spec);
}

/** The start of what was sent last. */
function lastOf({ sent }: TapLink): Uint8Array {
  return sent.at(-1)?.subarray(0, 60) ?? new Uint8Array(28);
}

function check(result: unknown, name: string): void {
  if (typeof result !== 'number' || !Number.isInteger(result)) throw new Error(`${name} gave ${result}`);
  if (result < -1 && !/^E[A-Z]/.test(errnoName(-result))) throw new Error(`${name} gave ${result}, which is no errno`);
}
